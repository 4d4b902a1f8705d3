#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The benchmarks run, on few files; their profiles are what they say; and the memory that intersect
# takes grows by less than 512 bytes for each profile, that of targets by less than 2,048. Times are not
# judged here.
set -eu

if ! command -v jq > /dev/null || ! command -v python3 > /dev/null; then
	echo "jq or python3 is not installed"
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

# each row has its figure; of QEMUs and starts where there is one
export BENCH_FIGURES="$dir/figures.jsonl" BENCH_PROFILES=50 BENCH_FEW=100 BENCH_MANY=2000 BENCH_LARGE=2000 \
	BENCH_ROUNDS=1 BENCH_SIZES='10 20 40' BENCH_COUNT=time BENCH_STARTS=2 BENCH_START_ROUNDS=1 \
	BENCH_EXEC_ROUNDS=1 BENCH_EXEC_HOSTS=100
"$top_srcdir/bench/page" begin > "$dir/figures.jsonl"
for part in bench fleet starts; do
	"$top_srcdir/bench/$part.sh" > "$dir/out" || {
		cat "$dir/out"
		exit 1
	}
	cat "$dir/out"
done
"$top_srcdir/bench/page" document "$dir/figures.jsonl" > "$dir/page"
tr '\n' ' ' < "$dir/page" | sed -n 's/.* Not measured: \([^.]*\)\..*/\1\n/p' > "$dir/missing"
case $(cat "$dir/missing") in
"probe; "*) ;;
"what exec adds"*"probe; "*) [ ! -x /usr/bin/qemu-system-x86_64 ] || [ "$(id -u)" != 0 ] ;;
*) false ;;
esac || {
	echo "without a figure: $(cat "$dir/missing")"
	exit 1
}
if [ -n "${SANITIZE_CFLAGS:-}" ]; then
	echo "built with $SANITIZE_CFLAGS: the memory is not the program's own"
	exit 0
fi
# targets: of hosts that answer as five do, of which some do not take the guest
find "$dir/profiles" -name 'host-0000[0-4].json' -print0 | xargs -0 jq -nc '[inputs] as $five |
	range(600) as $i | $five[$i % 5] | .name = "node-\($i)"' > "$dir/hosts.ndjson"
peak()
{
	head -n "$1" "$dir/hosts.ndjson" > "$dir/some.ndjson"
	shift
	"$top_builddir/bench/runner" 1 it sh -c '"$@"; [ $? -le 1 ]' sh "$ABIBASE" targets --now 0x1c0010130afffa7 \
		-M pc-q35-5.2 --backend tap "$dir/some.ndjson" "$@" | cut -f 4
}
few=$(peak 100)
each=$((($(peak 600) - few) * 1024 / 500))
echo "$each bytes for each host that targets asks"
test "$few" -gt 0
test "$each" -lt 2048
few=$(peak 100 --json -o "$dir/few.json")
many=$(peak 600 --json -o "$dir/many.json")
each=$((((many - few) * 1024 - $(wc -c < "$dir/many.json") + $(wc -c < "$dir/few.json")) / 500))
echo "$each with --json, less the document"
test "$each" -lt 2048
jq -se 'map(select(.id == "bytes").figure) | length == 1 and .[0] < 512' "$dir/figures.jsonl"
