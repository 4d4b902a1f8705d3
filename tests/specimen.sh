#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# abibase rehearse --specimen, with two QEMUs of tests/fetch-qemus: in one call and by way of a directory
# it says the same, and that is what the results that ship say (tests/make-rehearsals makes them).
# REHEARSE_STEP=25 and more: without the answer in words.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-rehearsal.sh
. "${0%/*}/begin-rehearsal.sh"

need jq python3
begin_rehearsal "$@"
machine=pc-q35-10.0

# run STATUS ARGUMENT...
run()
{
	want=$1
	shift
	"$abibase" rehearse --specimen "$@" > "$tmp/out" 2> "$tmp/err"
	status=$?
	[ $status -eq "$want" ] || fail "$*: exit status $status, not $want: $(cat "$tmp/err")"
}

# What needs a device of this host may be tried here and not there.
devices()
{
	jq -S --arg m $machine '.machines[$m] | map_values(if type == "array" then sort else . end) |
		del(.not_tried) | del(.loads[] | select(. == "vsock" or . == "tpm"))' "$@"
}

run 1 --json -M $machine -- "$tmp/10.0.13" -- "$tmp/11.1.3"
python3 "$src/tests/schema.py" "$tmp/out" > "$tmp/schema" || fail "$(cat "$tmp/schema")"
devices "$tmp/out" > "$tmp/once"
devices "$src"/data/rehearsals/10.0.13-*_11.1.3-*.json > "$tmp/ships"
diff -u "$tmp/ships" "$tmp/once" || fail "other than the result that ships"
[ "$(jq -r '.source.package' "$tmp/out")" = "$(jq -r .source.package "$src"/data/rehearsals/10.0.13-*_11.1.3-*.json)" ] ||
	fail "another package"

run 1 --save="$tmp/saved" -M $machine -- "$tmp/10.0.13"
[ "$(stat -c %a "$tmp/saved")" = 700 ] || fail "others can look into the directory"
run 1 --json --load="$tmp/saved" -- "$tmp/11.1.3"
devices "$tmp/out" > "$tmp/twice"
diff -u "$tmp/once" "$tmp/twice" || fail "by way of a directory: another result"
if [ "${REHEARSE_STEP:-1}" -lt 25 ]; then # a slice has not the same once more, in words
	run 1 --load="$tmp/saved" -- "$tmp/11.1.3"
	grep -q 'refused .*blk' "$tmp/out" || fail "does not name blk: $(cat "$tmp/out")"
fi

# A file that is missing, a machine type that nobody has, a program that is no QEMU
rm "$tmp/saved/$machine.blk"
run 2 --load="$tmp/saved" -- "$tmp/11.1.3"
run 2 -M pc-q35-99.9 -- "$tmp/10.0.13" -- "$tmp/11.1.3"
run 2 -M $machine -- /bin/true -- "$tmp/11.1.3"

[ $failures -eq 0 ]
