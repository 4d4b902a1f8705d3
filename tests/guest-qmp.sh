#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Running QEMUs are asked over QMP what their guests negotiated, and live on: see tests/oracle/ask.py.
# Those that tests/fetch-qemus has fetched are run with chroot(2), which takes root.
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

[ "$(uname -m)" = x86_64 ] || { echo "SKIP: the QEMUs are those of x86_64"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root"
command -v python3 > /dev/null || skip "needs python3"
for suite in bullseye bookworm trixie trixie-backports; do
	[ -x "$qemus/$suite/usr/bin/qemu-system-x86_64" ] ||
		skip "no $qemus/$suite: tests/fetch-qemus fetches it"
done
PYTHONDONTWRITEBYTECODE=1 timeout 600 python3 "$src/tests/oracle/ask.py" --qemus "$qemus" \
	--abibase "$abibase"
