#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The incident of KubeVirt issue 16386, with two builds of one QEMU: see tests/oracle/incident.py. Needs
# neither rights nor devices nor network; tests/fetch-qemus fetches the QEMU.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
need_qemus trixie

timeout 600 python3 "$src/tests/oracle/incident.py" --qemus "$qemus" \
	--abibase "$abibase" --drive "$build/tests/lab/drive" \
	--fakehost "$build/tests/oracle/fakehost-preload.so"
