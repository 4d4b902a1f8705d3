#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# docs/performance.md is what bench/page makes of the figures that were recorded; and the page of a few figures
# is what it was, among them some over their limit and one that was not measured.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3 jq
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
page=$src/bench/page
data=$src/tests/data/performance

# same FILE COMMAND...: it prints what is in FILE
same()
{
	file=$1
	shift
	"$@" > "$dir/out" || fail "$*"
	diff -u "$file" "$dir/out" || fail "$file differs"
}
same "$data/example.md" "$page" document "$data/example.jsonl" "$data/ratios.json"
same "$src/docs/performance.md" "$page" document "$src/bench/figures.jsonl"
! tr '\n' ' ' < "$src/docs/performance.md" | grep -q 'Not measured' || fail "a row of bench/ratios.json has no figure"

# refused WORDS COMMAND...: it fails, and says so
refused()
{
	words=$1
	shift
	if "$@" > "$dir/out" 2> "$dir/err" || ! grep -qF "$words" "$dir/err"; then
		fail "$*: $(cat "$dir/err")"
	fi
}
sed 's/"grow"/"shrink"/' "$data/example.jsonl" > "$dir/unknown.jsonl"
refused "there is no row shrink" "$page" document "$dir/unknown.jsonl" "$data/ratios.json"
sed 1d "$data/example.jsonl" > "$dir/headless.jsonl"
refused "its first line is none of" "$page" document "$dir/headless.jsonl" "$data/ratios.json"
for change in 's/"exponent"/"hours"/' 's/"grow"/"read"/' 's/"how": "counts."/"why": "counts."/'; do
	sed "$change" "$data/ratios.json" > "$dir/ratios.json"
	refused "its unit is one of" "$page" document "$data/example.jsonl" "$dir/ratios.json"
done

# what a benchmark prints is what it keeps
export BENCH_FIGURES="$dir/kept"
"$page" row probe 12.34 23.4 "QEMU 5.2" 5 > "$dir/out" || fail "row"
grep -q '^probe: QEMU 5.2 .* 12.3  at most 5, and is not$' "$dir/out" || fail "row: $(cat "$dir/out")"
[ "$(jq -c '[.id, .figure, .other, .about, .most]' "$dir/kept")" = '["probe",12.34,23.4,"QEMU 5.2",5]' ] ||
	fail "kept: $(cat "$dir/kept")"
refused "there is no row shrink" "$page" row shrink 1
[ "$failures" = 0 ]
