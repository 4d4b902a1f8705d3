#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What was released is kept: each document and answer of tests/data/released/VERSION is read as it was
# (released.py), and a program that was linked with the library of then runs with that of now (abidiff).
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
need python3

export ABIBASE="$abibase"
n=0
for release in "$src"/tests/data/released/*/; do
	n=$((n + 1))
	python3 "$src/tests/released.py" hold "${release%/}" || fail "documents of ${release%/}"
done
[ $n -gt 0 ] || fail "there is no release"

# The test sees what it is there for: an answer that lost a member, and an id that moved.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cp -r "$src/tests/data/released/0.1.0" "$tmp/more" && chmod -R u+w "$tmp/more" || exit 99
python3 - "$tmp/more/answers" <<'EOF' || exit 99
import json, sys
for name, key, value in (("check", "made_up", 1), ("intersect", "id", "b1-0")):
    path = f"{sys.argv[1]}/{name}.json"
    with open(path) as f:
        answer = json.load(f)
    answer[key] = value
    with open(path, "w") as f:
        json.dump(answer, f)
EOF
python3 "$src/tests/released.py" hold "$tmp/more" > "$tmp/out" && fail "a lost member is not seen"
grep -q 'check: .made_up: is gone' "$tmp/out" || fail "the lost member is not named"
grep -q 'intersect: ids were' "$tmp/out" || fail "the moved id is not named"

# The interface: functions and types may come, and none may go or change.
library=$build/lib/.libs/libabibase.so
if [ -e "$library" ] && [ "$(uname -m)" = x86_64 ]; then
	need abidiff
	for abi in "$src"/tests/data/released/*/libabibase.abi; do
		status=0
		abidiff --headers-dir2 "$src/include/abibase" "$abi" "$library" > "$tmp/out" 2>&1 || status=$?
		# bits of abidiff's exit status: 1 error, 2 usage, 4 changes, 8 incompatible ones
		if [ $((status & 11)) != 0 ]; then
			cat "$tmp/out"
			fail "the interface of $abi has changed"
		fi
	done
fi
[ $failures = 0 ]
