#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# 50 lists of random fleets, and the real QEMUs start with them, with a network card that has its ROM;
# see fleets/fleets.py. tests/fetch-qemus fetches the QEMUs. Needs neither rights nor devices nor network.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
need_qemus bullseye bookworm trixie trixie-backports
unwrap
exec timeout 1200 python3 "$src/tests/fleets/fleets.py" --abibase "$abibase" --qemus "$qemus" \
	--fakehost "$build/tests/oracle/fakehost-preload.so" --starts "${STARTS:-50}"
