#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The cases of incidents say what is expected of them, and so does abibase rehearse where there are the
# QEMUs of tests/fetch-qemus; see incidents.py.
#
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-rehearsal.sh
. "${0%/*}/begin-rehearsal.sh"

command -v python3 > /dev/null || skip "python3 is not installed"
if [ -w /dev/net/tun ] && unshare -Urn true 2> /dev/null && (need_qemus bullseye bookworm trixie trixie-backports); then
	begin_rehearsal "$@"
	export INCIDENTS_QEMUS="$tmp"
fi
ABIBASE=$abibase python3 "$src/tests/incidents.py"
