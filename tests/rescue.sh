#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The incident of KubeVirt issue 16386, with two builds of one QEMU: see tests/oracle/incident.py. Needs
# neither rights nor devices nor network; tests/fetch-qemus fetches the QEMU.
set -u

src=${top_srcdir:-.}
build=${top_builddir:-.}
abibase=${ABIBASE:-$build/abibase}
qemus=${ABIBASE_QEMUS:-${XDG_CACHE_HOME:-$HOME/.cache}/abibase/qemus}
export ABIBASE_DATADIR="${ABIBASE_DATADIR:-$src/data}"

skip()
{
	echo "SKIP: $*"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
}

[ "$(uname -m)" = x86_64 ] || { echo "SKIP: the QEMU is one of x86_64"; exit 77; }
command -v python3 > /dev/null || skip "needs python3"
[ -x "$qemus/trixie/usr/bin/qemu-system-x86_64" ] ||
	skip "no $qemus/trixie: tests/fetch-qemus fetches it"

PYTHONDONTWRITEBYTECODE=1 timeout 600 python3 "$src/tests/oracle/incident.py" --qemus "$qemus" \
	--abibase "$abibase" --drive "$build/tests/lab/drive" \
	--fakehost "$build/tests/oracle/fakehost.so"
