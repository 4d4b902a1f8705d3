# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Rehearsals in VMs: what kvm and vhost begin with. To be sourced; makes an initramfs of bookworm's kernel
# with abibase in it, or skips.
#
#   tmp                             a directory, which goes away at the end
#   line NAME WORD...               a line of in-vm
#   rehearsal NAME WORD...          that of abibase rehearse --json, in the root of trixie
#   vm NAME OPTION...               run the lines of $tmp/NAME/in/lines in a VM
#   check NAME COMMAND...           a result
#   answered VM NAME STATUS FILTER  a line ended so, and jq says that its answer is so
#   finish                          what the VMs took, and how many passed
set -u -o pipefail

lab=$(cd "$(dirname "$0")" && pwd)
me=$(basename "$0")
export ABIBASE=${ABIBASE:-${top_builddir:-.}/abibase}
export ABIBASE_DATADIR=${ABIBASE_DATADIR:-$lab/../../data}
export ABIBASE_LAB_DISK=256 ABIBASE_LAB_TIMEOUT=${ABIBASE_LAB_TIMEOUT:-600}
passed=0 failed=0

skip()
{
	echo "$me: $*" >&2
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
}

# its words are parted by tabs
line()
{
	local IFS=$'\t'

	echo "$*"
}

rehearsal()
{
	# its libraries are those of the initramfs
	line "$1" trixie /run/host/lib/ld-linux-x86-64.so.2 --library-path /run/host/lib \
		/run/host/bin/abibase rehearse --json "${@:2}"
}

vm()
{
	"$lab/in-vm" "$kernel" "$tmp/initramfs" "$tmp/$1" "${@:2}" || {
		tail -n 5 "$tmp/$1"/vm/console.log >&2
		exit 1
	}
}

check()
{
	local name=$1

	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "PASS: $name"
	else
		failed=$((failed + 1))
		echo "FAIL: $name"
		tail -n 60 "$tmp"/*/out/status "$tmp"/*/out/*.err "$tmp"/*/out/*.out 2> /dev/null | sed 's/^/    /'
	fi
}

answered()
{
	grep -q "^$2 $3 " "$tmp/$1/out/status" && jq -e "$4" "$tmp/$1/out/$2.out" > /dev/null
}

finish()
{
	cat "$tmp"/*/vm/seconds 2> /dev/null | paste -sd ' ' | sed 's/^/seconds of the VMs: /'
	echo "$passed passed, $failed failed"
	[ $failed = 0 ]
}

command -v jq > /dev/null || skip "jq is not installed"
kernel=$("$lab/fetch-kernel" bookworm) || skip "no kernel"
ABIBASE_LAB_QEMUS=$("$lab/make-qemus" trixie) || skip "no QEMU"
export ABIBASE_LAB_QEMUS
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
"$lab/make-initramfs" "$kernel" "$tmp/initramfs" || skip "no initramfs"
