#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is told of devices without a QEMU, by documents alone, held against what QEMUs did with them:
# see rehearsals.py. REHEARSALS_PRINT=1 prints each cell with the evidence that decided. And which results
# are taken, and which are refused.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3 jq
unwrap
python3 "$src/tests/rehearsals.py" "$abibase" ${REHEARSALS_PRINT:+print} || fail "the matrix"

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cp -r "$src/data" "$tmp/data"
chmod -R u+w "$tmp/data"
export ABIBASE_DATADIR="$tmp/data"
echo '{"schema": "abibase-guest/1", "machine": "pc-q35-10.0", "devices": [{"class": "virtio-blk-device"}]}' \
	> "$tmp/guest.json"
result=$(echo "$tmp"/data/rehearsals/10.0.13-*_11.1.3-*.json)

# targets STATUS WORDS: of that guest, and what is said of it
targets()
{
	"$abibase" targets -v --from=debian-13 "$tmp/guest.json" debian-13-backports-2026.11 \
		> "$tmp/out" 2>&1
	status=$?
	[ $status -eq "$1" ] || fail "exit status $status, not $1: $(cat "$tmp/out")"
	tr -s ' \n' ' ' < "$tmp/out" | grep -qF -- "$2" || fail "does not say $2: $(cat "$tmp/out")"
}

targets 1 "of this guest's devices blk is refused"
cp "$result" "$tmp/good"
# by the digest of the record, without a build id
key=$(jq -r .source.build "$tmp/good")
jq 'del(.source.build_id)' "$tmp/good" > "$tmp/data/rehearsals/10.0.13-${key}_${result##*_}"
rm "$result"
targets 1 "of this guest's devices blk is refused"
rm "$tmp/data/rehearsals/10.0.13-${key}_${result##*_}"
# nothing is inferred of what is not there
targets 3 'cannot be judged'
jq 'del(.machines[].refused)' "$tmp/good" > "$result"
targets 3 'cannot be judged'
# a file of other builds, a damaged one, one of a later version
jq '.source.build_id = "00112233445566" | .source.build = ("0" * 64)' "$tmp/good" > "$result"
targets 2 '[rehearsal-other-build]'
echo '{' > "$result"
targets 2 '[json-syntax]'
sed 's,result/1,result/2,' "$tmp/good" > "$result"
targets 2 '[schema-newer]'
for verb in intersect check diff; do
	case $verb in
	intersect) set -- -M pc-q35-10.0 --backend=tap debian-13 debian-13-backports-2026.11 ;;
	check)
		mv "$result" "$tmp/bad"
		"$abibase" intersect -M pc-q35-10.0 --backend=tap --json debian-13 -o "$tmp/b.json"
		mv "$tmp/bad" "$result"
		set -- "$tmp/b.json" debian-13-backports-2026.11
		;;
	diff) set -- debian-13 debian-13-backports-2026.11 ;;
	esac
	"$abibase" $verb "$@" > "$tmp/out" 2>&1
	status=$?
	[ $status -eq 2 ] || fail "$verb: exit status $status"
	grep -qF '[schema-newer]' "$tmp/out" || fail "$verb: $(cat "$tmp/out")"
done
# the way back is not asked for, and what was tried of it is not read
"$abibase" targets --from=debian-13-backports-2026.11 "$tmp/guest.json" debian-13 > "$tmp/out" 2>&1
[ $? -ne 2 ] || fail "targets: $(cat "$tmp/out")"

[ $failures -eq 0 ]
