#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What contrib/ makes of abibase check --json is taken by those that it is for: the metrics by promtool, the
# provider.yaml by the loader of Nova. Of Node Feature Discovery, which is not in Debian, the lines are held to
# its documented grammar.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need jq promtool python3
# that of the distribution, where its modules are
python=/usr/bin/python3
$python -c 'import nova.compute.provider_config' 2> /dev/null || skip "needs python3-nova"
[ -r /proc/sys/kernel/random/boot_id ] || skip "needs the boot id"

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99
mkdir baselines nova

# ---------------------------------------------------------------------------- documents

# A host with the kernel of Debian 12, a baseline that it satisfies, in two files, and one that it does not; and one
# of which it does not know it
record debian-12 "$(qemu_entry debian-12 '' | jq 'del(.path)')" node-a > host.json
"$abibase" intersect -q --json -M pc-q35-7.2 -o baselines/wide.json debian-12 debian-13 || fail 'no wide.json'
"$abibase" intersect -q --json --no-inputs -M pc-q35-7.2 -o baselines/wide2.json debian-12 debian-13
"$abibase" intersect -q --json -M pc-q35-7.2 -o baselines/next.json debian-13 || fail 'no next.json'
"$abibase" intersect -q --json -M pc-q35-10.0 -o baselines/other.json debian-13 || fail 'no other.json'
jq 'del(.qemu)' host.json > no-qemu.json
yes=$(jq -r .id baselines/wide.json)
printf '%s\n' "baseline = $tmp/baselines" "qemu = /bin/true" "profile = $tmp/host.json" > emulator.conf
export ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
"$abibase" check --json > here.json 2> err
[ $? = 1 ] || fail "check: $(cat err)"
python3 "$src/tests/schema.py" here.json > out || fail "here.json: $(cat out)"
"$abibase" check --json baselines/ host.json > many.ndjson 2> err
"$abibase" check --json baselines/wide.json host.json > one.json 2> err
"$abibase" check --json baselines/ no-qemu.json > unknown.ndjson 2> err
[ $? != 2 ] || fail "a host without QEMUs: $(cat err)"
"$abibase" check --json baselines/ host.json debian-13 > hosts.ndjson 2> err
"$abibase" check --json baselines/next.json host.json > no.json 2> err

# made CONSUMER DOCUMENT
made()
{
	jq -rn -f "$src/contrib/$1/abibase.jq" "$2" > made 2> err || fail "$1 of $2: $(cat err)"
}

# ---------------------------------------------------------------------------- Prometheus

for document in here.json many.ndjson one.json unknown.ndjson hosts.ndjson; do
	made prometheus $document
	promtool check metrics < made > out 2>&1 || fail "promtool, of $document: $(cat out)"
	[ ! -s out ] || fail "promtool, of $document: $(cat out)"
	grep -c . made > lines
	[ "$(sort -u made | wc -l)" = "$(cat lines)" ] || fail "$document: a series is there twice"
done
made prometheus here.json
for line in "abibase_baseline_verdict{host=\"node-a\",baseline=\"$yes\",machine=\"pc-q35-7.2\",verdict=\"yes\"} 1" \
	"abibase_baseline_verdict{host=\"node-a\",baseline=\"$yes\",machine=\"pc-q35-7.2\",verdict=\"no\"} 0" \
	'abibase_record_current{host="node-a"} 1'; do
	grep -qxF "$line" made || fail "no line $line: $(cat made)"
done
grep -q '^abibase_guests{host="node-a",by="none"} ' made || fail 'guests are not counted'
made prometheus hosts.ndjson
[ "$(grep -c 'verdict="yes"} 1' made)" = 4 ] || fail "verdicts of two hosts: $(cat made)"
made prometheus unknown.ndjson
grep -q 'verdict="unknown"} 1' made || fail 'unknown is not unknown'
# promtool would tell
sed 's/"} 1/} 1/' made | promtool check metrics > out 2>&1 && fail 'promtool takes anything'

# ------------------------------------------------------------------------------- Nova

# traits FILE: those that Nova's loader finds for the compute node
traits()
{
	rm -f nova/*
	cp "$1" nova/abibase.yaml
	$python - nova 2> err << 'END' || fail "Nova: $(cat err)"
import sys
from nova.compute import provider_config
for key, value in provider_config.get_provider_configs(sys.argv[1]).items():
    assert key == "$COMPUTE_NODE", key
    for trait in value["traits"]["additional"]:
        print(trait)
END
}
want=CUSTOM_ABIBASE_$(echo "${yes}" | tr 'a-f-' 'A-F_' | tr b B)
for document in here.json many.ndjson one.json; do
	made nova $document
	traits made > got
	echo "$want" | diff - got || fail "the traits of $document"
done
for document in unknown.ndjson no.json; do
	made nova $document
	traits made > got
	[ ! -s got ] || fail "$document: a trait of what is not satisfied: $(cat got)"
done
made nova one.json
sed "s/'CUSTOM_/'/" made > nova/abibase.yaml
$python -c 'from nova.compute import provider_config as p; p.get_provider_configs("nova")' 2> /dev/null &&
	fail 'Nova takes anything'
jq -rn -f "$src/contrib/nova/abibase.jq" hosts.ndjson > made 2> err && fail 'Nova: several hosts in a file'

# -------------------------------------------------------------------------------- NFD

# "key=value" lines and nothing else; a label has at most 63 characters, and begins and ends with a letter or digit
for document in here.json many.ndjson one.json unknown.ndjson; do
	made nfd $document
	part='[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'
	grep -Evx "$part=$part" made && fail "NFD: what is no feature, of $document"
	[ "$(wc -c < made)" -le 65536 ] || fail 'NFD: too large'
	[ "$(cut -d = -f 1 made | sort | uniq -d)" = '' ] || fail 'NFD: a label twice'
done
for document in here.json many.ndjson one.json; do
	made nfd $document
	echo "abibase.$yes=true" | diff - made || fail "the labels of $document"
done
made nfd unknown.ndjson
[ ! -s made ] || fail "a label of what is not known: $(cat made)"
jq -rn -f "$src/contrib/nfd/abibase.jq" hosts.ndjson > made 2> err && fail 'NFD: several hosts in a file'

# What is no answer of check is refused.
for consumer in prometheus nfd nova; do
	jq -rn -f "$src/contrib/$consumer/abibase.jq" host.json > made 2> err && fail "$consumer: of a profile"
	grep -q 'not a document of abibase check' err || fail "$consumer: $(cat err)"
done
[ "$failures" = 0 ] || exit 1
