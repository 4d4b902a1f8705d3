#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The lists of abibase, and what it predicts, held against the real QEMUs of Debian's suites, on
# every recorded kernel: see tests/oracle/oracle.py. tests/fetch-qemus fetches them, into the
# directory that $ABIBASE_QEMUS names. Needs neither rights nor devices nor network.
#
# ABIBASE_ORACLE=quick, and a build with sanitizers: fewer kernels.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

command -v python3 > /dev/null || skip "needs python3"
for suite in bullseye bookworm trixie trixie-backports; do
	[ -x "$qemus/$suite/usr/bin/qemu-system-x86_64" ] ||
		skip "no $qemus/$suite: tests/fetch-qemus fetches it"
done

# Of an uninstalled program the program itself, not libtool's wrapper script: it is started often.
where=$(cd "$(dirname "$abibase")" && pwd)
if [ -x "$where/.libs/$(basename "$abibase")" ]; then
	export LD_LIBRARY_PATH="$where/lib/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
	abibase=$where/.libs/$(basename "$abibase")
fi

quick=
[ "${ABIBASE_ORACLE:-}${SANITIZE_CFLAGS:-}" = "" ] || quick=--quick
timeout 1800 python3 "$src/tests/oracle/oracle.py" $quick \
	--qemus "$qemus" --abibase "$abibase" --predict "$build/tests/oracle/predict" \
	--fakehost "$build/tests/oracle/fakehost-preload.so" "$@"
