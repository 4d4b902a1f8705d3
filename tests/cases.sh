#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# usage: tests/cases.sh [VERB/NAME...]
#
# Run each case directory tests/cases/VERB/NAME, or those that are named. In it are
#
#   args      the words after "abibase", as for a shell, on one line; relative names are files there
#   stdin     optional; otherwise standard input is empty
#   status    the exit status
#   stdout    optional: the expected bytes
#   stderr    optional: the expected bytes
#   globals   optional: the lines "-global ...=off" of the output, sorted; other lines do not count
#
# Which revision the catalogue has does not count: a row that is added changes the cases that it is about.
#
# ABIBASE_REGENERATE=1 writes stdout and stderr anew; look at the difference before you commit it.
set -u

top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
: "${ABIBASE:=$PWD/abibase}"
: "${ABIBASE_DATADIR:=$top/data}"
export ABIBASE_DATADIR LC_ALL=C TZ=UTC HOME=/nonexistent
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME LANGUAGE

tmp=$(mktemp -d "${TMPDIR:-/tmp}/abibase-cases.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# unrevised FILE: without the revision of the catalogue
unrevised()
{
	sed 's/\("catalogue": \|revision \)[0-9][0-9]*/\1N/g' "$1"
}

# differs WHAT EXPECTED ACTUAL: say how, when they do
differs()
{
	unrevised "$2" > "$tmp/a"
	unrevised "$3" > "$tmp/b"
	cmp -s "$tmp/a" "$tmp/b" && return 1
	echo "# $1 differs (-expected +actual):"
	diff -u "$tmp/a" "$tmp/b" | tail -n +3 | head -n 60 | sed 's/^/#  /'
}

# run_case DIRECTORY: prints what is wrong; 0 when nothing is
run_case()
{
	local dir=$1 input=/dev/null status=0 wrong=0

	[ -e "$dir/stdin" ] && input=$dir/stdin
	(
		cd "$dir" || exit 99
		eval "set -- $(cat args)"
		exec "$ABIBASE" "$@"
	) < "$input" > "$tmp/stdout" 2> "$tmp/stderr" || status=$?
	if [ -n "${ABIBASE_REGENERATE:-}" ]; then
		cp "$tmp/stdout" "$tmp/stderr" "$dir/"
	fi
	if [ "$status" != "$(cat "$dir/status")" ]; then
		echo "# exit status $status, expected $(cat "$dir/status"); stderr:"
		head -n 20 "$tmp/stderr" | sed 's/^/#  /'
		wrong=1
	fi
	if [ -e "$dir/globals" ]; then
		grep -e '^-global .*=off$' "$tmp/stdout" | sort > "$tmp/globals"
		sort "$dir/globals" > "$tmp/expected"
		differs "the set of -global ...=off" "$tmp/expected" "$tmp/globals" && wrong=1
	fi
	for stream in stdout stderr; do
		[ -e "$dir/$stream" ] || continue
		differs $stream "$dir/$stream" "$tmp/$stream" && wrong=1
	done
	return $wrong
}

[ $# -gt 0 ] || set -- "$top"/tests/cases/*/*/
n=0 failed=0
for dir; do
	[ -d "$dir" ] || dir=$top/tests/cases/$dir
	dir=${dir%/}
	name=$(basename "$(dirname "$dir")")/$(basename "$dir")
	n=$((n + 1))
	if [ ! -e "$dir/args" ] || [ ! -e "$dir/status" ]; then
		echo "not ok $n - $name: no \"args\", or no \"status\""
		failed=$((failed + 1))
	elif said=$(run_case "$dir"); then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		echo "$said"
		failed=$((failed + 1))
	fi
done
echo "1..$n"
echo "# $((n - failed)) passed, $failed failed"
[ "$failed" = 0 ] && [ "$n" -gt 0 ]
