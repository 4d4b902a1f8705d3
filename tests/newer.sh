#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Versions live together. A catalogue of a later release asks for a feature that no profile of today
# was asked for, which is not "no": sid.json was recorded without it, sidnew.json with it. And each row
# that is not of the first revision says which one added it, for that is how a reader knows.
set -u

top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
: "${ABIBASE:=$PWD/abibase}"
: "${ABIBASE_DATADIR:=$top/data}"
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME
data=$top/tests/data/newer

if ! command -v python3 > /dev/null; then
	echo "python3 is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/abibase-newer.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
failures=0

fail()
{
	echo "FAIL: $*"
	sed 's/^/    /' "$tmp/out" "$tmp/err" 2> /dev/null
	failures=$((failures + 1))
}

# run STATUS ARGUMENT...: with the later catalogue
run()
{
	local want=$1 got=0

	shift
	ABIBASE_DATADIR=$tmp/data "$ABIBASE" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null || got=$?
	[ "$got" = "$want" ] || fail "abibase $*: exit status $got, not $want"
}

says()
{
	grep -qF -e "$1" "$tmp/out" "$tmp/err" || fail "does not say: $1"
}

python3 "$top/tests/tools/newer-catalogue.py" "$ABIBASE_DATADIR" "$tmp/data" || exit 1

# Whether sid's kernel has it is not known: off for all, and listed. Its QEMU has the property by version.
for hosts in "$data/sid.json" "$data/sid.json $data/sidnew.json" "$data/sidnew.json $data/sid.json"; do
	# shellcheck disable=SC2086
	run 0 intersect -M pc-q35-11.1 $hosts
	says '-global virtio-net-device.host_new=off'
	says 'sid: tap.offload.new is unknown (not-recorded)'
done
run 0 intersect -M pc-q35-11.1 --json -o "$tmp/new.json" "$data/sidnew.json"
run 3 check "$tmp/new.json" "$data/sid.json"
says 'promise-unknown'
run 0 check "$tmp/new.json" "$data/sidnew.json"
run 3 targets 0x200000000000000000 -M pc-q35-11.1 --backend=tap --queue-size=256 "$data/sid.json"
says 'move-unknown'
run 0 targets 0x200000000000000000 -M pc-q35-11.1 --backend=tap --queue-size=256 "$data/sidnew.json"
run 0 explain "$tmp/new.json"

# What it made of hosts without the feature is read by today's.
run 0 intersect -M pc-q35-7.2 --json -o "$tmp/old.json" debian-12
ABIBASE_DATADIR=$ABIBASE_DATADIR "$ABIBASE" check "$tmp/old.json" debian-12 > "$tmp/out" 2> "$tmp/err" ||
	fail "a later baseline that uses nothing new is not read: exit status $?"

python3 - "$ABIBASE_DATADIR/catalogue.json" "$data/catalogue-1.txt" > "$tmp/out" << 'END' || fail 'rows'
import json, sys
catalogue = json.load(open(sys.argv[1]))
first = open(sys.argv[2]).read().split()
wrong = [key for f in catalogue["features"] for key in [f["class"] + "." + f["property"]]
         if (key in first) != (f.get("added", 1) == 1) or f.get("added", 1) > catalogue["revision"]]
print("\n".join("%s: \"added\" must be the revision of the catalogue that had it first" % k
                for k in wrong))
sys.exit(bool(wrong))
END

[ "$failures" = 0 ] || exit 1
