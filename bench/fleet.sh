#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What questions about a whole fleet cost: check, widening, targets, match, matrix, and very many builds of
# QEMU, each against jansson or a limit, and how each grows. Run by `make bench`; README.md says what is
# measured. It prints, and judges nothing.
#
# BENCH_SIZES: numbers of hosts, other than 1000 3000 10000; BENCH_GROWTH: those over which growth is taken, if
# not these. BENCH_ROUNDS: rounds. BENCH_COUNT=time: the growth of the processor's time, and not of
# instructions, which takes valgrind and some minutes.
# shellcheck disable=SC2154
set -eu
# shellcheck source=bench/begin.sh
. "${0%/*}/begin.sh"

# shellcheck disable=SC2086
set -- ${BENCH_SIZES:-1000 3000 10000}
few=$1 some=$2 many=$3
growth=${BENCH_GROWTH:-$*}
rounds=${BENCH_ROUNDS:-5}
count=${BENCH_COUNT:-instructions}
tools=$top_builddir/bench
data=$top_srcdir/tests/data
command -v valgrind > /dev/null || count=time

cd "$dir"

# fleet NAME BUILDS QEMU...: $many hosts in a directory, and lists of the first of them
fleet() {
	name=$1 builds=$2
	shift 2
	mkdir "$name"
	"$tools/generate" "$name" "$many" "$builds" "$data"/hosts/*.json "$@"
	for n in 1 "$few" "$some" "$many"; do
		printf '%s\n' "$name"/*.json | head -n "$n" | tr '\n' '\0' > "$name-$n"
	done
}
fleet hosts 24 "$data"/qemu/5.*.json "$data"/qemu/7.*.json "$data"/qemu/10.*.json
fleet builds "$many" "$data"/qemu/5.*.json "$data"/qemu/7.*.json "$data"/qemu/10.*.json
# every second host of sixteen has USO, and a baseline of these is one that the others fail
fleet uso 24 "$data"/qemu/10.*.json
printf '%s\n' uso/*.json | awk 'int((NR - 1) / 16) % 2' | tr '\n' '\0' > uso-with
# the first hosts, none of which has what the others of their fleet have: all fail, and are of new cohorts
mkdir fail
printf '%s\n' hosts/*.json | head -n "$few" | while read -r f; do
	sed 's/\("vhost_net.features": "0x............\)8000"/\10000"/
		s/"name": "host-/"name": "fail-/' "$f" > "fail/${f##*/}"
done
for n in 1 "$few"; do
	printf '%s\n' fail/*.json | head -n "$n" | tr '\n' '\0' > "fail-$n"
done
# hosts that answer as one of five do
mkdir alike
printf '%s\n' hosts/*.json | head -n 5 | tr '\n' ' ' > five
# shellcheck disable=SC2046
awk -v n="$many" '
	FNR == 1 { k++ }
	{ text[k] = text[k] $0 "\n" }
	END {
		for (i = 0; i < n; i++) {
			out = sprintf("alike/node-%05d.json", i)
			t = text[i % k + 1]
			sub(/"name": "host-/, sprintf("\"name\": \"node-%05d-", i), t)
			printf "%s", t > out
			close(out)
		}
	}' $(cat five)
printf '%s\n' alike/*.json | tr '\n' '\0' > "alike-$many"

for n in "$few" "$many"; do
	"$ABIBASE" intersect -M pc-q35-5.2 --json -o "base-$n.json" --files0-from="hosts-$n"
done
"$ABIBASE" intersect -M pc-q35-10.0 --json -o base-uso.json --files0-from=uso-with
"$ABIBASE" intersect -M pc-q35-5.2 --json -o base-alike.json --files0-from="alike-$many"

# A "no" is an answer.
cat > answered << 'END'
#!/bin/sh
"$@"
[ $? -le 1 ] || exit 2
END
chmod +x answered

row() {
	printf '%-70s %10s  %s\n' "$1" "$2" "$3"
}
# cpu NAME, peak NAME: of the last run
cpu() {
	awk -F '\t' -v n="$1" '$1 == n { print $3 }' times
}
peak() {
	awk -F '\t' -v n="$1" '$1 == n { print $4 }' times
}
figure() {
	awk -v f="$1" "BEGIN { printf f, $2 }"
}

printf '%s hosts in %s cohorts; medians of %s rounds, CPU time\n\n' "$many" \
	"$(grep -c '"lacks"' "base-$many.json")" "$rounds"

# slope TEXT BASELINE FLEET: what a host more costs
slope() {
	"$tools/runner" "$rounds" load "$tools/jansson-load" "$3-$few" + \
		one ./answered "$ABIBASE" check "$2" --files0-from="$3-1" + \
		more ./answered "$ABIBASE" check "$2" --files0-from="$3-$few" > times
	row "check, a host more / jansson load of it: $1" "$(figure %.2f \
		"($(cpu more) - $(cpu one)) / ($few - 1) / ($(cpu load) / $few)")" "at most 2.5"
}
slope "of $few" "base-$few.json" hosts
slope "of $many" "base-$many.json" hosts
slope "half fail" base-uso.json uso
slope "all fail, in new cohorts" "base-$many.json" fail

# widen TEXT BASELINE
widen() {
	printf '%s\0' "$2" > list
	"$tools/runner" "$rounds" load "$tools/jansson-load" list dump + \
		widen "$ABIBASE" intersect --json "$2" "another=$(printf '%s\n' hosts/*.json | head -n 1)" > times
	row "widening by a host / jansson load and dump: $1" "$(figure %.2f "$(cpu widen) / $(cpu load)")" \
		"at most 1.5"
}
widen "$(grep -c '"lacks"' "base-$many.json") cohorts" "base-$many.json"
widen "5 cohorts" base-alike.json

"$tools/runner" 1 few "$ABIBASE" intersect -M pc-q35-5.2 --files0-from="builds-$few" + \
	many "$ABIBASE" intersect -M pc-q35-5.2 --files0-from="builds-$many" > times
row "bytes for each QEMU build more" "$(figure %d "($(peak many) - $(peak few)) * 1024 / ($many - $few)")" ""
for verb in "targets 0x1c0010130afffa7 -M pc-q35-5.2 --backend tap" "match --platform debian-12"; do
	# shellcheck disable=SC2086
	"$tools/runner" 1 few ./answered "$ABIBASE" $verb --files0-from="hosts-$few" + \
		many ./answered "$ABIBASE" $verb --files0-from="hosts-$some" > times
	row "bytes for each host more, ${verb%% *}" \
		"$(figure %d "($(peak many) - $(peak few)) * 1024 / ($some - $few)")" "constant"
done

# the names have ten letters
lines=$(grep -E '^ +"host-[0-9]{5}": "[0-9a-f]{64}",?$' "base-$many.json" | wc -c)
row "bytes a host more in a baseline, beside its name" "$(figure %.0f "$lines / $many - 10")" "at most 95"
row "the same, with all else in it divided by the hosts" \
	"$(figure %.0f "$(wc -c < "base-$many.json") / $many - 10")" ""

# ------------------------------------------------------------------------------ growth

# counted COMMAND...: instructions, or microseconds
counted() {
	if [ "$count" = time ]; then
		"$tools/runner" 3 it ./answered "$@" | cut -f 3
	else
		valgrind --tool=exp-bbv --instr-count-only=yes --bb-out-file=/dev/null --pc-out-file=/dev/null \
			"$@" 2>&1 > /dev/null | awk '/Total instructions/ { print $NF }'
	fi
}
# growth FLEET COMMAND...: the exponent, without the start; each host costs match so much that a tenth will do
growth() {
	fleet=$1
	shift
	for n in 1 $growth; do
		[ "$2" != match ] || [ "$n" -le 1 ] || n=$((n / 10))
		tr '\0' '\n' < "$fleet-$many" | head -n "$n" | tr '\n' '\0' > list
		printf '%s %s\n' "$n" "$(counted "$@" --files0-from=list)"
	done | awk '
		$1 == 1 { start = $2; next }
		{ n++; x = log($1); y = log($2 - start); sx += x; sy += y; xx += x * x; xy += x * y }
		END { printf "%.3f\n", (n * xy - sx * sy) / (n * xx - sx * sx) }'
}
echo
# shellcheck disable=SC2086
echo "Exponent of $count over $(echo $growth | sed 's/ /, /g') hosts, without the start"
echo
row intersect "$(growth hosts "$ABIBASE" intersect -M pc-q35-5.2)" "at most 1.05"
row "intersect, each with a QEMU build of its own" "$(growth builds "$ABIBASE" intersect -M pc-q35-5.2)" \
	"at most 1.05"
row "check" "$(growth hosts "$ABIBASE" check "base-$many.json")" "at most 1.05"
row "check, half fail" "$(growth uso "$ABIBASE" check base-uso.json)" "at most 1.05"
row targets "$(growth hosts "$ABIBASE" targets 0x1c0010130afffa7 -M pc-q35-5.2 --backend tap)" "at most 1.05"
row "matrix, 5 cohorts" "$(growth alike "$ABIBASE" matrix -M pc-q35-5.2)" "at most 1.05"
row "match, one platform, a tenth of the hosts" "$(growth hosts "$ABIBASE" match --platform debian-12)" "at most 1.05"
