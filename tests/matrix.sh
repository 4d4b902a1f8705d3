#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A slice of the migration matrix, on recorded kernels: two kernels, two QEMUs, three backends, with
# a list and without; see tests/lab/matrix. Before it the generator of docs/proof.md, the moves of whole runs
# that are kept, and the driver, which has to see what goes wrong. Needs neither rights nor devices nor network.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

lab=$src/tests/lab
failed=0

fail()
{
	echo "FAIL: $*"
	failed=1
}

need python3
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# --------------------------------------------------------- the document

# same FILE COMMAND...: it prints what is in FILE; ABIBASE_REGENERATE=1 makes it so
same()
{
	local file=$1

	shift
	"$@" > "$dir/made" || fail "$*: exit status $?"
	[ "${ABIBASE_REGENERATE:-}" = 1 ] && cp "$dir/made" "$file"
	diff -u "$file" "$dir/made" || fail "$* does not make $(basename "$file")"
}

proof=$src/tests/data/proof
"$lab/proof" summary "$proof/example.jsonl" > "$dir/example.json" || fail "summary"
same "$proof/example.md" "$lab/proof" document "$dir/example.json"
same "$src/docs/proof.md" "$lab/proof" document "$proof"/[fv]*.json
"$lab/proof" expect "$proof/example.jsonl" || fail "the example is not what is expected"
for change in 's/"predicted": "no"/"predicted": "yes"/' 's/"given": true/"given": false/' \
	's/"queue-size"/"offload-uso"/g' '/"set": "none"/s/"no"/"yes"/g'; do
	sed "$change" "$proof/example.jsonl" > "$dir/changed.jsonl"
	if "$lab/proof" expect "$dir/changed.jsonl" > "$dir/log" 2>&1; then
		fail "$change is not noticed"
	fi
done

# ------------------------------------------------- the moves that were made

# abibase matrix of the same hosts says of each what became of it; and what it would not say is noticed
"$lab/moves" check "$proof"/moves-*.jsonl.xz || fail "abibase matrix says otherwise"
xz -dc "$proof/moves-vm.jsonl.xz" | sed -n '1p; /"machine":"pc-q35-11.1"/p' > "$dir/moves.jsonl"
for change in 's/"actual":"yes"/"actual":"no"/' 's/"way_back":"shut"/"way_back":"open"/' \
	's/"ring-reset"/"queue-size"/'; do
	sed "$change" "$dir/moves.jsonl" > "$dir/changed.jsonl"
	if "$lab/moves" check "$dir/changed.jsonl" > "$dir/log" 2>&1; then
		fail "$change is not noticed"
	fi
done

# ----------------------------------------------------------- the driver

drive=$build/tests/lab/drive

# drives STATUS WORDS [ENVIRONMENT...] -- ARG...: the status of that run, and what the result has
drives()
{
	local status=$1 words=$2 surroundings=()

	shift 2
	while [ "$1" != -- ]; do
		surroundings+=("$1")
		shift
	done
	shift
	env "${surroundings[@]}" timeout 60 "$drive" "$@" > "$dir/result" 2> "$dir/said"
	grep -q "\"status\":\"$status\".*$words" "$dir/result" ||
		fail "drive $*: not $status with $words: $(cat "$dir/result" "$dir/said")"
}

drives did-not-start '"exit":127' -- save "$dir/stream" -- "$dir/nothing"
drives did-not-start '"exit":0' -- save "$dir/stream" -- true
drives no-stream 'No such file' -- load "$dir/stream" -- true
# one that never says anything; one that is no QEMU; and neither leaves a process
drives hung '"ms":[1-9][0-9][0-9][0-9]}' -- save "$dir/stream" --timeout=1 -- \
	sh -c "echo \$\$ > '$dir/pid'; exec sleep 600"
[ -s "$dir/pid" ] || fail "the driver starts nothing"
kill -0 "$(cat "$dir/pid")" 2> "$dir/said" && fail "the driver leaves a QEMU that hangs"
drives trouble 'that is no QEMU' -- save "$dir/stream" --timeout=20 -- \
	python3 -c 'import os, time; os.write(10, b"hello\n"); time.sleep(600)'
[ -e "$dir/stream" ] && fail "a save that failed leaves a file"

# ---------------------------------------------------------------- the slice

finish()
{
	[ $failed = 0 ] && echo "all as expected"
	exit $failed
}

[ "$(uname -m)" = x86_64 ] || finish
for suite in trixie trixie-backports; do
	[ -x "$qemus/$suite/usr/bin/qemu-system-x86_64" ] || {
		[ $failed = 0 ] || finish
		skip "no $qemus/$suite: tests/fetch-qemus fetches it"
	}
done

# A vhost that does not start is seen: without a started one nothing is proved about it.
vhost_kernel()
{
	PYTHONPATH=$src/tests/oracle python3 -c '
import sys, fakehost
e = fakehost.environment("6.12", "tap", sys.argv[1])
print("\n".join("%s=%s" % w for w in e.items()))' "$(realpath "$build/tests/oracle/fakehost-preload.so")"
}
mapfile -t surroundings < <(vhost_kernel)
printf '6.12\ta\tsave\tstream\ttrixie\tpc-q35-10.0\ttap+vhost\t0\n' > "$dir/plan"
batch=(batch "--qemus=$qemus" "--streams=$dir" --tap=fake0)
drives saved '"stderr":""' "${surroundings[@]}" -- "${batch[@]}" < "$dir/plan"
drives saved 'unable to start vhost' "${surroundings[0]}" "${surroundings[1]} no_start=1" -- \
	"${batch[@]}" < "$dir/plan"
# a stream that ends too early, and one with a feature that the destination does not have
head -c 100000 "$dir/stream" > "$dir/short"
sed 's/save\tstream/load\tshort/' "$dir/plan" > "$dir/plan2"
drives failed '"exit":1' "${surroundings[@]}" -- "${batch[@]}" < "$dir/plan2"
sed 's/save\(.*\)$/load\1\t-global\tvirtio-net-device.guest_tso4=off/' "$dir/plan" > "$dir/plan2"
drives failed 'Features 0x[0-9a-f]* unsupported' "${surroundings[@]}" -- "${batch[@]}" < "$dir/plan2"
# and if the guest had not taken it
sed 's/\t0$/\t0x80/' "$dir/plan" > "$dir/plan3"
drives saved '"negotiated":"0x[0-9a-f]*27"' "${surroundings[@]}" -- "${batch[@]}" < "$dir/plan3"
drives loaded '"state":"running"' "${surroundings[@]}" -- "${batch[@]}" < "$dir/plan2"

# A list that is wrong is noticed, and one that gives up what all hosts have.
abibase=${ABIBASE:-$build/abibase}
[ -x "$build/.libs/abibase" ] && abibase=$build/.libs/abibase
doctored()
{
	printf '#!/bin/bash\nexport LD_LIBRARY_PATH=%q\n%s\n' "$build/lib/.libs" "$1" > "$dir/doctored"
	chmod +x "$dir/doctored"
	timeout 300 "$lab/matrix" --no-cache --quiet --suites="$qemus" -o "$dir/bad.jsonl" \
		--abibase="$dir/doctored" --kernels=6.1,7.2 --qemus=trixie --machines=pc-q35-10.0 \
		--backends=tap --sets=none,pair > "$dir/said"
	if [ $? != 1 ] || ! grep -q "$2" "$dir/said"; then
		fail "not noticed: $1: $(cat "$dir/said")"
	fi
}
doctored "$abibase \"\$@\" | sed s/uso=off/uso=on/" "abibase gave a baseline"
doctored "[ \$1 = intersect ] && set -- \"\$@\" --disable=offload-tso; $abibase \"\$@\"" \
	"the baseline has offload-tso off, which all its hosts offer"

timeout 900 "$lab/matrix" --slice --no-cache --quiet --suites="$qemus" -o "$dir/slice.jsonl" ||
	fail "the matrix has faults"
"$lab/proof" expect "$dir/slice.jsonl" || fail "the slice is not what is expected"
finish
