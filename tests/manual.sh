#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The examples of abibase-cluster(7) are real: each command is run again, on recorded hosts and with the
# QEMUs of tests/fetch-qemus, and must print what the page says. ABIBASE_REGENERATE=1 rewrites the page;
# read the difference. See tests/manual.py.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3 bash jq parallel
[ -r /proc/sys/kernel/random/boot_id ] || skip "needs the boot id"

# Of an uninstalled program the program itself, not libtool's wrapper script: a shell is preloaded too.
unwrap

set -- "$src/man/abibase-cluster.7"
[ -z "${ABIBASE_REGENERATE:-}" ] || set -- --regenerate "$@"
missing=
for suite in bookworm trixie trixie-backports; do
	[ -x "$qemus/$suite/usr/bin/qemu-system-x86_64" ] || missing=$suite
done
unshare -n true 2> /dev/null || unshare -Urn true 2> /dev/null || missing=namespaces
if [ -z "$missing" ]; then
	set -- --qemus "$qemus" --fakehost "$build/tests/oracle/fakehost-preload.so" "$@"
elif [ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && [ "$(uname -m)" = x86_64 ]; then
	skip "no $missing: tests/fetch-qemus fetches QEMUs"
fi
# The guests of the page are all that run: its commands see no others.
for namespace in "unshare -mpf --mount-proc --kill-child" "unshare -Urmpf --mount-proc --kill-child" ""; do
	$namespace true 2> /dev/null && break
done
exec $namespace python3 "$src/tests/manual.py" --abibase "$abibase" "$@"
