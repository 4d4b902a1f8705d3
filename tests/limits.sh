#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whatever is written is read again: a baseline of as many bytes as are read is, and one of more is not written.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
unwrap
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# hosts whose QEMUs differ in what they call themselves, four megabytes each
python3 - "$src" "$tmp" << 'END'
import json, sys

src, out = sys.argv[1:]
host = json.load(open(f"{src}/tests/data/hosts/linux-6.12.json", encoding="utf-8"))
entry = json.load(open(f"{src}/tests/data/qemu/10.0.13.json", encoding="utf-8"))
for i in range(17):
    entry["package"] = f"{i:02}" + "x" * 4_100_000
    doc = {**host, "schema": "abibase-profile/1", "kind": "host", "name": f"h{i:02}", "qemu": [entry]}
    with open(f"{out}/h{i:02}.json", "w", encoding="utf-8") as f:
        json.dump(doc, f)
END

intersect()
{
	"$abibase" intersect --json "$@" > "$tmp/out" 2> "$tmp/err"
}
intersect -M pc-q35-9.2 -o "$tmp/base" "$tmp"/h0*.json "$tmp"/h1[0-5].json || fail "no baseline: $(cat "$tmp/err")"
[ "$(wc -c < "$tmp/base")" -gt 60000000 ] || fail "it is smaller than was meant"
"$abibase" explain "$tmp/base" > "$tmp/out" 2> "$tmp/err" || fail "what was written is not read: $(cat "$tmp/err")"
rm "$tmp/base"
for part in "-M pc-q35-9.2" --partial; do
	for to in "" "-o $tmp/base"; do
		# shellcheck disable=SC2086
		intersect $part $to "$tmp"/h*.json
		[ $? -eq 2 ] && grep -q 'none is read.*file-too-large' "$tmp/err" && [ ! -s "$tmp/out" ] && [ ! -e "$tmp/base" ] ||
			fail "a baseline that is too large, $part $to: $(head -c 300 "$tmp/err")"
	done
done
[ "$failures" = 0 ]
