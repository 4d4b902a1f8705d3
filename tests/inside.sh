# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests begin with that run in a root of tests/root.sh; to be sourced in /abibase there:
#
#   tmp                      a directory, which goes away at the end
#   fail WORDS               tell what is wrong, count it in failures, and go on
#   runs STATUS COMMAND...   with $input as its input, stdout and stderr in $tmp/out
#   says PATTERN             it is there
#   end WORDS                of what was tried; exit status 1 after a failure
set -u
export LC_ALL=C
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failures=0
input=''

fail()
{
	echo "FAIL: $*"
	failures=$((failures + 1))
}

runs()
{
	local want=$1 got=0

	shift
	"$@" > "$tmp/out" 2>&1 < "${input:-/dev/null}" || got=$?
	[ "$got" = "$want" ] || fail "$*: exit status $got, not $want: $(tail -n 20 "$tmp/out")"
}

says()
{
	grep -q -e "$1" "$tmp/out" || fail "nothing says: $1: $(cat "$tmp/out")"
}

end()
{
	[ $failures = 0 ] || exit 1
	echo "$*"
}
