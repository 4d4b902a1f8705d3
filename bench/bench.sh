#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How long `abibase intersect` takes and how much memory, against only loading the same files and
# against jq. Run by `make bench`; README.md says what is measured. It prints, and judges nothing:
# the exit status is not 0 only when something could not be run.
#
# BENCH_PROFILES, BENCH_FEW, BENCH_MANY, BENCH_BUILDS, BENCH_ROUNDS: other than the usual sizes.
set -eu
# shellcheck source=bench/begin.sh
. "${0%/*}/begin.sh"

profiles=${BENCH_PROFILES:-1000}
few=${BENCH_FEW:-100}
many=${BENCH_MANY:-10000}
builds=${BENCH_BUILDS:-24}
rounds=${BENCH_ROUNDS:-7}
machine=pc-q35-5.2
bench=$top_srcdir/bench
tools=$top_builddir/bench
data=$top_srcdir/tests/data

if ! command -v jq > /dev/null; then
	echo "bench.sh: jq is not installed" >&2
	exit 1
fi

mkdir "$dir/profiles"
cd "$dir/profiles"

total=$many
[ "$profiles" -le "$total" ] || total=$profiles
# Not 11.1: on this machine type its queues differ from those of 10.0, so that there is no common
# list.
"$tools/generate" . "$total" "$builds" "$data"/hosts/*.json "$data"/qemu/5.*.json \
	"$data"/qemu/7.*.json "$data"/qemu/10.*.json

list() {
	ls | head -n "$1" | tr '\n' '\0' > "$dir/list-$1"
}
list "$profiles"
list "$few"
list "$many"

set -- $(ls | head -n "$profiles")
jq -c . "$@" > "$dir/lines.ndjson"
"$tools/runner" "$rounds" \
	"abibase intersect" "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$profiles" + \
	"jansson load" "$tools/jansson-load" "$dir/list-$profiles" + \
	"abibase, NDJSON" "$ABIBASE" intersect -M $machine "$dir/lines.ndjson" + \
	"jq AND fold" jq -n -f "$bench/fold.jq" "$@" + \
	"jq, booleans only" jq -n -f "$bench/fold-booleans.jq" "$@" > "$dir/times"

"$tools/runner" 1 \
	few "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$few" + \
	many "$ABIBASE" intersect -M $machine --files0-from="$dir/list-$many" > "$dir/memory"

# As many hosts that answer as one of five do, each under a name of its own.
mkdir "$dir/alike"
awk -v n="$profiles" -v to="$dir/alike" '
	FNR == 1 { file[k++] = FILENAME }
	{ text[FILENAME] = text[FILENAME] $0 "\n" }
	END {
		for (i = 0; i < n; i++) {
			out = sprintf("%s/node-%05d.json", to, i)
			t = text[file[i % k]]
			sub(/"name": "host-/, sprintf("\"name\": \"node-%05d-", i), t)
			printf "%s", t > out
			close(out)
		}
	}' $(ls | head -n 5)
(cd "$dir/alike" && ls | tr '\n' '\0' > "$dir/list-alike")
(cd "$dir/alike" && "$tools/runner" "$rounds" \
	"abibase matrix" "$ABIBASE" matrix -M $machine --files0-from="$dir/list-alike" + \
	"intersect, alike" "$ABIBASE" intersect -M $machine --files0-from="$dir/list-alike" + \
	"jansson, alike" "$tools/jansson-load" "$dir/list-alike" > "$dir/times-alike")

bytes=$(cat "$@" | wc -c)
echo "$profiles profiles of $((bytes / profiles)) bytes on average, $builds QEMU builds;" \
	"median of $rounds rounds"
awk -F '\t' '
	BEGIN { printf "\n%-20s %10s %10s %12s\n", "", "wall ms", "CPU ms", "peak KiB" }
	{ printf "%-20s %10.1f %10.1f %12d\n", $1, $2 / 1000, $3 / 1000, $4 }
	$1 == "jansson load" { load = 1 / $5; load_cpu = 1 / $6 }
	$1 == "abibase, NDJSON" { lines = $5; lines_cpu = $6 }
	$1 == "intersect, alike" { alike = 1 / $5; alike_cpu = 1 / $6 }
	$1 == "jansson, alike" { matrix = 1 / $5; matrix_cpu = 1 / $6 }
	$1 == "jq AND fold" { jq = $5; jq_cpu = $6 }
	$1 == "jq, booleans only" { bool = $5; bool_cpu = $6 }
	END {
		printf "\n%-35s %6s %6s\n", "ratio", "wall", "CPU"
		line = "%-35s %6.2f %6.2f  %s\n"
		printf line, "abibase intersect / jansson load", load, load_cpu, "at most 0.40"
		printf line, "NDJSON / files, abibase intersect", lines, lines_cpu, "at most 1.1"
		printf line, "matrix, 5 cohorts / jansson load", matrix, matrix_cpu, "at most 0.45"
		printf line, "matrix / intersect, 5 cohorts", alike, alike_cpu, "at most 1.2"
		printf line, "jq AND fold / abibase intersect", jq, jq_cpu, "at least 10"
		printf line, "jq booleans / abibase intersect", bool, bool_cpu, "(leaves out the words)"
	}' "$dir/times" "$dir/times-alike"
awk -F '\t' -v few="$few" -v many="$many" '
	{ peak[$1] = $4 }
	END {
		printf "\n%-35s %6d KiB\n", "peak memory, " few " profiles", peak["few"]
		printf "%-35s %6d KiB\n", "peak memory, " many " profiles", peak["many"]
		printf "%-35s %6d  at most 512\n", "bytes for each profile more",
			(peak["many"] - peak["few"]) * 1024 / (many - few)
	}' "$dir/memory"
