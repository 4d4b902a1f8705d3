# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests that are scripts begin with; to be sourced from one in this directory:
#
#   src, build, abibase, qemus   absolute, but for qemus, which $ABIBASE_QEMUS may say
#   skip WORDS                   what it needs is missing; a failure where that can be had
#   need TOOL...                 programs
#   need_qemus SUITE...          QEMUs that tests/fetch-qemus fetches
#   alone "$@"                   as root, and no other process to be seen: the script runs again there
#   end                          those whose numbers are in running
#   unwrap                       abibase without the script that libtool put around it
#   view DIR                     a copy of programs, library and data that every account may read
#   qemu_entry PLATFORM PATH     its QEMU, at this path and without a build id
#   record PLATFORM QEMU [NAME]  its kernel with such an entry, as a record of this host and boot
#   fail WORDS                   tell what is wrong, count it in failures, and go on
set -u
LC_ALL=C
src=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
abibase=${ABIBASE:-$build/abibase}
abibase=$(cd "$(dirname "$abibase")" && pwd)/$(basename "$abibase")
qemus=${ABIBASE_QEMUS:-${XDG_CACHE_HOME:-$HOME/.cache}/abibase/qemus}
ABIBASE_DATADIR=${ABIBASE_DATADIR:-$src/data}
PYTHONDONTWRITEBYTECODE=1
ABIBASE_JOURNAL= # no test tells this machine's journal of guests
export LC_ALL ABIBASE_DATADIR PYTHONDONTWRITEBYTECODE ABIBASE_JOURNAL
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME ABIBASE_EMULATOR_CONF ABIBASE_BASELINE

skip()
{
	echo "SKIP: $*"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
}

need()
{
	for tool; do
		command -v "$tool" > /dev/null || skip "needs $tool"
	done
}

need_qemus()
{
	[ "$(uname -m)" = x86_64 ] || {
		echo "SKIP: the QEMUs are those of x86_64"
		exit 77
	}
	for suite; do
		[ -x "$qemus/$suite/usr/bin/qemu-system-x86_64" ] ||
			skip "no $qemus/$suite: tests/fetch-qemus fetches it"
	done
}

alone()
{
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ "${1:-}" != inside ] || return 0
	unshare -mpf --mount-proc true || skip "no namespaces can be made here"
	exec unshare -mpf --mount-proc --kill-child "$0" inside
}

running=
end()
{
	for pid in $running; do
		kill "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
	done
	running=
}

failures=0
fail()
{
	echo "FAIL: $*"
	failures=$((failures + 1))
}

unwrap()
{
	where=${abibase%/*}
	[ -x "$where/.libs/${abibase##*/}" ] || return 0
	export LD_LIBRARY_PATH="$where/lib/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
	abibase=$where/.libs/${abibase##*/}
}

# Of an uninstalled program that is the program itself and not libtool's script around it.
view()
{
	from=${abibase%/*}
	top=${from%/.libs}
	[ ! -x "$top/.libs/abibase" ] || from=$top/.libs
	mkdir "$1" && cp "$from/abibase" "$from/abibase-emulator" "$1" || exit 99
	[ "$from" = "$top" ] || cp -L "$top"/lib/.libs/libabibase.so* "$1" || exit 99
	cp -r "$ABIBASE_DATADIR" "$1/data" && chmod -R u=rwX,go=rX "$1" || exit 99
}

qemu_entry()
{
	"$abibase" show --json "$1" | jq --arg path "$2" '.qemu[0] | .path = $path | del(.build_id, .build)'
}

record()
{
	"$abibase" show --json "$1" | jq --argjson qemu "$2" --arg name "${3:-here}" \
		--arg boot "$(cat /proc/sys/kernel/random/boot_id)" '
		del(.evidence, .packages, .lifecycle, .revision)
		| .kind = "host" | .name = $name | .boot_id = $boot | .qemu = [$qemu]'
}
