#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every platform that is shipped: valid without a warning, called after its name, with evidence for
# each fact that is known and none weaker than "bracketed", listed, a match of itself; and what the
# recorded 6.1 kernel satisfies. Needs jq.
set -u

top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
: "${ABIBASE:=$PWD/abibase}"
: "${ABIBASE_DATADIR:=$top/data}"
export ABIBASE_DATADIR LC_ALL=C
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME
platforms=$ABIBASE_DATADIR/platforms

if ! command -v jq > /dev/null; then
	echo "jq is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/abibase-platforms.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
failures=0

fail()
{
	echo "FAIL: $*"
	sed 's/^/    /' "$tmp/err" 2> /dev/null
	failures=$((failures + 1))
}

# run STATUS ARGUMENT...: stdout goes to $tmp/out, stderr to $tmp/err
run()
{
	local want=$1 got=0

	shift
	"$ABIBASE" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null || got=$?
	[ "$got" = "$want" ] || fail "abibase $*: exit status $got, not $want"
}

# The evidence of a fact is that of the longest key that covers it: the fact, or a prefix.
# shellcheck disable=SC2016
evidence='
	def covering($evidence): . as $id | [$evidence | to_entries[]
		| select(.key as $key | $id == $key or (($key | endswith("."))
			and ($id | startswith($key))))] | max_by(.key | length).value;
	.evidence as $evidence | .facts | to_entries[]
	| select(.value | type != "object")
	| (.key | covering($evidence)) as $word'

check_file()
{
	local file=$1 name

	run 0 validate "$file"
	[ ! -s "$tmp/err" ] || fail "$file: validate has something to say"
	name=$(jq -r .name "$file")
	case $(basename "$file" .json) in
	[0-9][0-9]-"$name") ;;
	*) fail "$file: is $name inside" ;;
	esac
	: > "$tmp/err"
	jq -r "$evidence"' | select($word == null) | .key' "$file" > "$tmp/out"
	[ ! -s "$tmp/out" ] || fail "$file: no evidence for $(tr '\n' ' ' < "$tmp/out")"
	# what is there takes a measurement, or people who know; that something is not only costs speed
	jq -r "$evidence"' | select(.value != false and ($word
		| IN("probed", "distro-source", "vendor-statement", "bracketed") | not))
		| .key' "$file" > "$tmp/out"
	[ ! -s "$tmp/out" ] || fail "$file: weak evidence for $(tr '\n' ' ' < "$tmp/out")"
	jq -e '.lifecycle.source and ."x-spdx-license" == "CC0-1.0"' "$file" > "$tmp/out" ||
		fail "$file: no lifecycle with source, or no licence"
	run 0 match "$name" --platform "$name"
	run 0 list
	grep -q "^$name " "$tmp/out" || fail "$file: list does not have $name"
}

n=0
for file in "$platforms"/*.json; do
	check_file "$file"
	n=$((n + 1))
done
[ "$n" -ge 5 ] || fail "only $n platforms in $platforms"

# Those that were not probed are what the table says.
if command -v python3 > /dev/null; then
	PYTHONDONTWRITEBYTECODE=1 python3 "$top/tests/tools/second-tier.py" --check > "$tmp/out" \
		2> "$tmp/err" || fail "second-tier.py --check: $(cat "$tmp/out")"
fi

# All tools that are missing are named at once, and so is the one with which a kernel's modules are compressed.
mkdir -p "$tmp/bin" "$tmp/kernel/modules"
touch "$tmp/kernel/modules/tun.ko.xz"
for tool in bash cat dirname find; do
	ln -s "$(command -v $tool)" "$tmp/bin/"
done
if [ ! -e /usr/sbin/xz ]; then # it looks there by itself
	PATH=$tmp/bin "$top/tests/lab/make-initramfs" "$tmp/kernel" "$tmp/initramfs" > "$tmp/out" \
		2> "$tmp/err" && fail "make-initramfs does without its tools"
	grep -q '^make-initramfs: not installed: cpio .* xz$' "$tmp/err" ||
		fail "make-initramfs does not name xz"
fi

# ------------------------------------------------------------------ probed ones

mapfile -t probed < <(jq -r 'select([.evidence[]] | all(. == "probed")) | .name' \
	"$platforms"/*.json)
[ "${#probed[@]}" -ge 5 ] || fail "only ${#probed[@]} platforms are probed"
for name in "${probed[@]}"; do
	for fact in tap.usable vhost_net.usable vhost_vsock.usable macvtap.usable; do
		run 0 show --json "$name"
		jq -e --arg fact $fact '.facts[$fact] == true' "$tmp/out" > /dev/null ||
			fail "$name: $fact is not known"
	done
done
# those that have the machine type; all together, but that QEMU 11.1 refuses the long queues of 10.0.13 (shape-differs)
mapfile -t probed < <(jq -r 'select([.evidence[]] | all(. == "probed"))
	| select(any(.qemu[]?; .machines["pc-q35-5.2"])) | .name' "$platforms"/*.json)
for name in "${probed[@]}"; do
	run 0 intersect "$name" "again=$name"
done
run 1 intersect -M pc-q35-5.2 "${probed[@]}"
# shellcheck disable=SC2046
run 0 intersect -M pc-q35-5.2 "${probed[@]}" $(printf -- '--dest=%s ' "${probed[@]}" |
	sed 's/--dest=debian-13-backports[^ ]*//')

# --------------------------------------------------------------- a kernel 6.1

host=$top/tests/data/hosts/linux-6.1.json
run 0 match "$host" --platform debian-11
run 0 match "$host" --platform debian-12
run 1 match --json "$host" --platform debian-13
for fact in 'tap.offload.uso' 'vhost_net.features[40]'; do
	jq -e --arg fact "$fact" 'any(.platforms[].findings[]; .kind == "conflict" and .fact == $fact)' \
		"$tmp/out" > /dev/null || fail "match of 6.1 and debian-13 does not name $fact"
done
run 0 match --json "$host"
# verdict NAME: of that platform
verdict()
{
	jq -r --arg name "$1" '.platforms[] | select(.name == $name) | .verdict' "$tmp/out"
}
for name in debian-11 debian-12; do
	[ "$(verdict $name)" = yes ] || fail "linux-6.1 does not satisfy $name"
done
for name in debian-12-backports-2026.11 debian-13 debian-13-backports-2026.11; do
	[ "$(verdict $name)" = no ] || fail "linux-6.1 satisfies $name"
done

# A platform under two of its names is one.
once()
{
	"$ABIBASE" "$@" --json > "$tmp/out" 2> "$tmp/err"
	[ $? != 2 ] || fail "$*"
}
once match --platform=bookworm --platform=debian-12 "$top/tests/cases/match/linux-6.1/linux-6.1.json"
[ "$(jq -c '[.platforms[].name]' "$tmp/out")" = '["debian-12"]' ] || fail 'match has debian-12 twice'
once plan --platforms=bookworm,debian-12 offload-uso
[ "$(jq -c '[.platforms[].name]' "$tmp/out")" = '["debian-12"]' ] || fail 'plan has debian-12 twice'
for names in 'bookworm bookworm' 'bookworm debian-12' 'debian-12 bookworm'; do
	once matrix "${names% *}" debian-13 "${names#* }=trixie"
	[ "$(jq -c '[[.cohorts[].hosts[]] | length, "exchanged"], .exchanged' "$tmp/out" | tr -d '\n')" = \
		'[2,"exchanged"]["debian-12"]' ] || fail "matrix of $names: $(jq -c .cohorts,.exchanged "$tmp/out")"
done
# two of one name that differ are told apart by nobody
jq '.facts = {}' "$platforms/50-debian-12.json" > "$tmp/other.json"
for verb in "match --platform=debian-12 --platform=$tmp/other.json" \
	"plan --platforms=debian-12,$tmp/other.json offload-uso"; do
	"$ABIBASE" $verb > "$tmp/out" 2> "$tmp/err"
	[ $? = 2 ] && grep -q '\[name-twice\]' "$tmp/err" || fail "$verb"
done

echo "$n platforms, $failures failures"
[ "$failures" = 0 ]
