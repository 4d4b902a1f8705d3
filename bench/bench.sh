#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How long `abibase intersect` takes and how much memory, against only loading the same files and
# against jq. Run by `make bench`; README.md says what is measured. It prints, and judges nothing:
# the exit status is not 0 only when something could not be run.
#
# BENCH_PROFILES, BENCH_FEW, BENCH_MANY, BENCH_LARGE, BENCH_BUILDS, BENCH_ROUNDS: other than the usual sizes.
# shellcheck disable=SC2154
set -eu
# shellcheck source=bench/begin.sh
. "${0%/*}/begin.sh"

profiles=${BENCH_PROFILES:-1000}
few=${BENCH_FEW:-100}
many=${BENCH_MANY:-10000}
large=${BENCH_LARGE:-100000}
builds=${BENCH_BUILDS:-24}
rounds=${BENCH_ROUNDS:-7}
machine=pc-q35-5.2
data=$top_srcdir/tests/data

if ! command -v jq > /dev/null; then
	echo "bench.sh: jq is not installed" >&2
	exit 1
fi

mkdir "$dir/profiles"
cd "$dir/profiles"

# Not 11.1: on this machine type its queues differ from those of 10.0, so that there is no common
# list.
"$tools/generate" . "$large" "$builds" "$data"/hosts/*.json "$data"/qemu/5.*.json \
	"$data"/qemu/7.*.json "$data"/qemu/10.*.json

for n in "$profiles" "$few" "$many" "$large"; do
	printf "%s\n" ./* | head -n "$n" | tr '\n' '\0' > "$dir/list-$n"
done

# shellcheck disable=SC2046
set -- $(printf "%s\n" ./* | head -n "$profiles")
jq -c . "$@" > "$dir/lines.ndjson"
bytes=$(cat "$@" | wc -c)
echo "$profiles profiles of $((bytes / profiles)) bytes on average, $builds QEMU builds;" \
	"median of $rounds rounds"

# run ROUNDS NAME COMMAND...
run() {
	"$tools/runner" "$@" > "$dir/times"
}

run "$rounds" \
	load "$tools/jansson-load" "$dir/list-$profiles" + \
	intersect "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$profiles" + \
	read "$tools/jansson-load" "$dir/list-$profiles" read
row intersect "$(cpu_ratio intersect)" "$(wall_ratio intersect)"
row read "$(cpu_ratio read)" "$(wall_ratio read)"
run "$rounds" \
	intersect "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$profiles" + \
	lines "$ABIBASE" intersect -M $machine "$dir/lines.ndjson"
row ndjson "$(cpu_ratio lines)" "$(wall_ratio lines)"
for filter in fold fold-booleans; do
	run "$rounds" jq jq -n -f "$bench/$filter.jq" "$@" + \
		intersect "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$profiles"
	row "jq${filter#fold}" "$(cpu_ratio intersect)" "$(wall_ratio intersect)"
done

run 1 few "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$few" + \
	many "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$many"
row bytes "$(figure "($(peak many) - $(peak few)) * 1024 / ($many - $few)")"

# five hosts, each many times under names of its own
# shellcheck disable=SC2046
alike "$profiles" "$dir/alike" $(printf "%s\n" ./* | head -n 5)
printf '%s\n' "$dir"/alike/* | tr '\n' '\0' > "$dir/list-alike"
run "$rounds" load "$tools/jansson-load" "$dir/list-alike" + \
	matrix "$ABIBASE" matrix -M $machine --files0-from="$dir/list-alike"
row matrix "$(cpu_ratio matrix)" "$(wall_ratio matrix)"
run "$rounds" intersect "$ABIBASE" intersect -M $machine --files0-from="$dir/list-alike" + \
	matrix "$ABIBASE" matrix -M $machine --files0-from="$dir/list-alike"
row matrix-intersect "$(cpu_ratio matrix)" "$(wall_ratio matrix)"

run 1 load "$tools/jansson-load" "$dir/list-$large" + \
	large "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$large"
row large "$(cpu_ratio large)" "$(wall_ratio large)"
row large-memory "$(peak large)"
run 1 json "$ABIBASE" intersect --json -M $machine --files0-from="$dir/list-$large" -o "$dir/large.json"
row large-document "$(figure "$(peak json) - $(wc -c < "$dir/large.json") / 1024")"
