#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The benchmarks run, on few files; their profiles are what they say; and the memory that intersect
# takes grows by less than 512 bytes for each profile. Times are not judged here.
set -eu

if ! command -v jq > /dev/null; then
	echo "jq is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" != 1 ] || exit 1
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
data=$top_srcdir/tests/data

# All distinct in facts and names, canonical, accepted.
mkdir "$dir/profiles"
"$top_builddir/bench/generate" "$dir/profiles" 600 24 "$data"/hosts/*.json "$data"/qemu/7.*.json \
	"$data"/qemu/10.*.json
cd "$dir/profiles"
"$ABIBASE" validate host-0059*.json
"$ABIBASE" show --json ./host-00599.json | cmp - host-00599.json
test "$(jq -c .facts host-*.json | sort -u | wc -l)" -eq 600
test "$(jq -r .name host-*.json | sort -u | wc -l)" -eq 600
test "$(jq -r '.qemu[].build_id' host-*.json | sort -u | wc -l)" -eq 24

# a stream of them is the same hosts
"$top_builddir/bench/generate" - 600 24 "$data"/hosts/*.json "$data"/qemu/7.*.json "$data"/qemu/10.*.json > "$dir/stream"
"$ABIBASE" intersect -q --json -M pc-q35-7.2 - < "$dir/stream" > "$dir/of-stream.json"
"$ABIBASE" intersect -q --json -M pc-q35-7.2 ./ | cmp - "$dir/of-stream.json"

BENCH_PROFILES=50 BENCH_FEW=100 BENCH_MANY=2000 BENCH_ROUNDS=1 \
	"$top_srcdir/bench/bench.sh" > "$dir/out"
cat "$dir/out"
grep -q '^abibase intersect / jansson load ' "$dir/out"
grep -q '^jq AND fold / abibase intersect ' "$dir/out"
grep -q '^matrix, 5 cohorts / jansson load ' "$dir/out"
BENCH_SIZES='10 20 40' BENCH_ROUNDS=1 BENCH_COUNT=time "$top_srcdir/bench/fleet.sh" > "$dir/fleet"
cat "$dir/fleet"
# each row has its figure, but for exponents: of so few hosts there can be none
test "$(grep -cE '^(check, a host more|widening by a host|bytes ).* -?[0-9]+(\.[0-9]+)?  ' "$dir/fleet")" -eq 8
test "$(grep -c 'at most 1\.05$' "$dir/fleet")" -eq 7
BENCH_STARTS=2 BENCH_START_ROUNDS=1 BENCH_EXEC_ROUNDS=1 BENCH_EXEC_HOSTS=100 "$top_srcdir/bench/starts.sh" \
	> "$dir/starts"
cat "$dir/starts"
if [ -s "$dir/starts" ]; then
	grep -q '^emulator ' "$dir/starts"
	grep -q '^exec, 100 hosts ' "$dir/starts"
fi
if [ -n "${SANITIZE_CFLAGS:-}" ]; then
	echo "built with $SANITIZE_CFLAGS: the memory is not the program's own"
	exit 0
fi
awk '/^bytes for each profile more/ { n = $6 } END { exit !(n != "" && n + 0 < 512) }' "$dir/out"
