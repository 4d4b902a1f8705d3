#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Running QEMUs are asked over QMP what their guests negotiated, and live on: see tests/oracle/ask.py.
# Those that tests/fetch-qemus has fetched are run with chroot(2), which takes root.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

[ "$(id -u)" = 0 ] || skip "needs root"
need python3
need_qemus bullseye bookworm trixie trixie-backports
timeout 600 python3 "$src/tests/oracle/ask.py" --qemus "$qemus" \
	--abibase "$abibase"
