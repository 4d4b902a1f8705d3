#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What questions about a whole fleet cost: check, widening, targets, match, and very many builds of QEMU, each
# against jansson or a limit, and how each grows. Run by `make bench`; README.md says what is measured. It
# prints, and judges nothing.
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
data=$top_srcdir/tests/data
command -v valgrind > /dev/null || count="time"

cd "$dir"

# tenth N: for what costs so much that a tenth will do
tenth() {
	echo $((($1 + 9) / 10))
}
tenths=$(for n in $growth; do tenth "$n"; done)
# lists NAME: of the first hosts in a directory
lists() {
	printf '%s\n' "$1"/*.json > "all-$1"
	for n in 1 "$few" "$some" "$many" $growth $tenths; do
		head -n "$n" "all-$1" | tr '\n' '\0' > "$1-$n"
	done
}
# fleet NAME BUILDS QEMU...: $many hosts in a directory
fleet() {
	name=$1 builds=$2
	shift 2
	mkdir "$name"
	"$tools/generate" "$name" "$many" "$builds" "$data"/hosts/*.json "$@"
	lists "$name"
}
fleet hosts 24 "$data"/qemu/5.*.json "$data"/qemu/7.*.json "$data"/qemu/10.*.json
# in some 350 cohorts, of 10,000
fleet cohorts 11 "$data"/qemu/5.*.json "$data"/qemu/7.*.json "$data"/qemu/10.*.json
fleet builds "$many" "$data"/qemu/5.*.json "$data"/qemu/7.*.json "$data"/qemu/10.*.json
# every second host of sixteen has USO, and a baseline of these is one that the others fail
fleet uso 24 "$data"/qemu/10.*.json
awk 'int((NR - 1) / 16) % 2' all-uso | tr '\n' '\0' > uso-with
# the first hosts, none of which has what the others of their fleet have: all fail, and are of new cohorts
mkdir fail
head -n "$few" all-hosts | while read -r f; do
	sed 's/\("vhost_net.features": "0x............\)8000"/\10000"/
		s/"name": "host-/"name": "fail-/' "$f" > "fail/${f##*/}"
done
lists fail
# shellcheck disable=SC2046
alike "$many" alike $(head -n 5 all-hosts)
lists alike

for n in 1 "$few" "$many" $growth; do
	"$ABIBASE" intersect -q -M pc-q35-5.2 --json -o "base-$n.json" --files0-from="hosts-$n"
done
"$ABIBASE" intersect -q -M pc-q35-10.0 --json -o base-uso.json --files0-from=uso-with
"$ABIBASE" intersect -q -M pc-q35-5.2 --json -o base-alike.json --files0-from="alike-$many"
another=$(head -n 1 all-hosts)

# A "no" is an answer.
cat > answered << 'END'
#!/bin/sh
"$@"
[ $? -le 1 ] || exit 2
END
chmod +x answered

printf '\n%s hosts in %s cohorts; medians of %s rounds\n' "$many" "$(grep -c '"lacks"' "base-$many.json")" "$rounds"

# slope ID BASELINE FLEET: what a host more costs
slope() {
	"$tools/runner" "$rounds" load "$tools/jansson-load" "$3-$few" + \
		one ./answered "$ABIBASE" check "$2" --files0-from="$3-1" + \
		more ./answered "$ABIBASE" check "$2" --files0-from="$3-$few" > "$dir/times"
	for time in cpu wall; do
		figure "($($time more) - $($time one)) / ($few - 1) / ($($time load) / $few)"
		echo
	done > slopes
	# shellcheck disable=SC2046
	row "$1" $(cat slopes)
}
slope check-few "base-$few.json" hosts
slope check-many "base-$many.json" hosts
slope check-half base-uso.json uso
slope check-new "base-$many.json" fail

# widen ID BASELINE
widen() {
	printf '%s\n' "$2" | tr '\n' '\0' > list
	"$tools/runner" "$rounds" load "$tools/jansson-load" list dump + \
		widen "$ABIBASE" intersect --json "$2" "another=$another" > "$dir/times"
	row "$1" "$(cpu_ratio widen)" "$(wall_ratio widen)"
}
widen widen "base-$many.json"
widen widen-few base-alike.json

# memory ID COMMAND...: of a host more; a % stands for their number
memory() {
	id=$1 first=$2 last=$3
	shift 3
	for n in "$first" "$last"; do
		# shellcheck disable=SC2046
		"$tools/runner" 1 "$n" ./answered $(echo "$*" | sed "s/%/$n/g")
	done > "$dir/times"
	row "$id" "$(figure "($(peak "$last") - $(peak "$first")) * 1024 / ($last - $first)")"
}
memory build-bytes "$few" "$many" "$ABIBASE" intersect -M pc-q35-5.2 --files0-from=builds-%
# from a number of hosts on that has all their cohorts
memory targets-bytes "$some" "$many" "$ABIBASE" targets 0x1c0010130afffa7 -M pc-q35-5.2 --backend tap \
	--files0-from=hosts-%
for n in 1 2 3 4 5; do
	printf '{"schema":"abibase-guest/1","name":"web-%d","machine":"pc-q35-5.2","devices":[{"class":%s}]}\n' "$n" \
		'"virtio-net-device","backend":"tap","negotiated":"0x1c0010130afffa7"'
done > five.ndjson
memory targets-five "$some" "$many" "$ABIBASE" targets five.ndjson --files0-from=hosts-%
# less than the document that is written
for n in "$some" "$many"; do
	"$tools/runner" 1 "$n" ./answered "$ABIBASE" targets 0x1c0010130afffa7 -M pc-q35-5.2 --backend tap \
		--json -o "answers-$n" --files0-from="hosts-$n"
done > "$dir/times"
written=$(($(wc -c < "answers-$many") - $(wc -c < "answers-$some")))
row targets-json "$(figure "(($(peak "$many") - $(peak "$some")) * 1024 - $written) / ($many - $some)")"
rm answers-*
memory match-bytes "$few" "$some" "$ABIBASE" match --platform debian-12 --files0-from=hosts-%

# the names have ten letters
size() {
	row "$1" "$(figure "$(wc -c < "$2") / $many - 10")"
}
grep -E '^"host-[0-9]{5}":"[0-9a-f]{64}"[,}]' "base-$many.json" | sed 's/}.*/,/' > lines
row baseline-host "$(figure "$(wc -c < lines) / $(wc -l < lines) - 10")"
"$ABIBASE" intersect -q -M pc-q35-5.2 --json -o base-cohorts.json --files0-from="cohorts-$many"
printf '%s cohorts\n' "$(grep -c '"lacks"' base-cohorts.json)"
size baseline-cohorts base-cohorts.json
size baseline-all "base-$many.json"

# ------------------------------------------------------------------------------ growth

# Guests a line each, a name for each; and images whose QEMUs lie on paths of their own.
"$ABIBASE" show --json "$another" | jq -c 'del(.qemu, .boot_id)' > node.json
mkdir images
# shellcheck disable=SC2046
jq -c '{schema, kind, name, arch, facts: {}, qemu} | .qemu[0].path += .name' $(head -n "$(tenth "$many")" all-builds) |
	awk '{ out = sprintf("images/%05d.json", NR); print > out; close(out) }'
lists images
# shellcheck disable=SC2046
jq -c . $(cat all-hosts) > all.ndjson
awk -v n="$many" 'BEGIN {
	for (i = 0; i < n; i++)
		printf "{\"schema\":\"abibase-guest/1\",\"name\":\"web-%d\",\"machine\":\"pc-q35-5.2\",\"devices\":" \
			"[{\"class\":\"virtio-net-device\",\"backend\":\"tap\",\"negotiated\":\"0x%s10130afffa7\"}]}\n",
			i, i % 10 == 3 ? "1c00" : ""
}' > guests.ndjson
for n in 1 $growth; do
	head -n "$n" all.ndjson > "hosts-$n.ndjson"
	head -n "$n" guests.ndjson > "guests-$n.ndjson"
done

# counted FILE COMMAND...: instructions, or microseconds; nothing where it fails, what it said is in FILE
counted() {
	file=$1 status=0
	shift
	if [ "$count" = "time" ]; then
		"$tools/runner" 3 it ./answered "$@" > "$file" && cut -f 3 "$file"
		return
	fi
	valgrind --tool=exp-bbv --instr-count-only=yes --bb-out-file=/dev/null --pc-out-file=/dev/null \
		"$@" > /dev/null 2> "$file" || status=$?
	[ "$status" -le 1 ] && awk '/Total instructions/ { print $NF }' "$file"
}
# exponent ID SIZES COMMAND...: without the start, which is counted with one; a % stands for the number
exponent() {
	id=$1 sizes=$2
	shift 2
	for n in 1 $sizes; do
		# shellcheck disable=SC2046
		printf '%s %s\n' "$n" "$(counted "said-$id" $(echo "$*" | sed "s/%/$n/g"))"
	done | awk '
		NF < 2 { exit failed = 1 }
		$1 == 1 { start = $2; next }
		{ n++; x = log($1); y = log($2 > start ? $2 - start : 1); sx += x; sy += y; xx += x * x; xy += x * y }
		END { if (!failed) printf "%.4f\n", (n * xy - sx * sy) / (n * xx - sx * sx) }'
}
printf '\nExponents of %s over %s, without the start\n' "$count" "$(echo "$growth" | sed 's/ /, /g')"
grown='' begun=0
# growth ID SIZES COMMAND...: two at a time, which changes no count
growth() {
	exponent "$@" > "grow-$1" &
	grown="$grown $1"
	begun=$((begun + 1))
	[ $((begun % 2)) -ne 0 ] || wait
}
growth intersect "$growth" "$ABIBASE" intersect -M pc-q35-5.2 --files0-from=hosts-%
growth partial "$growth" "$ABIBASE" intersect --json --partial hosts-%.ndjson
growth builds "$growth" "$ABIBASE" intersect -M pc-q35-5.2 --files0-from=builds-%
growth widen "$growth" "$ABIBASE" intersect --json base-%.json "another=$another"
growth check "$growth" "$ABIBASE" check "base-$many.json" --files0-from=hosts-%
growth check-half "$growth" "$ABIBASE" check base-uso.json --files0-from=uso-%
growth targets "$growth" "$ABIBASE" targets 0x1c0010130afffa7 -M pc-q35-5.2 --backend tap --files0-from=hosts-%
# shellcheck disable=SC2046
growth guests "$growth" "$ABIBASE" targets guests-%.ndjson $(head -n 2 all-hosts)
growth matrix "$growth" "$ABIBASE" matrix -M pc-q35-5.2 --files0-from=alike-%
growth match "$tenths" "$ABIBASE" match --platform debian-12 --files0-from=hosts-%
growth merge "$tenths" "$ABIBASE" merge node.json --files0-from=images-%
wait
for id in $grown; do
	[ -s "grow-$id" ] || cat "said-$id" >&2
	row "grow-$id" "$(cat "grow-$id")"
done
