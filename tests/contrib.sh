#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Each file of contrib/ does what it is for. The hooks are called as libvirt, Proxmox' qemu-server and KubeVirt
# call theirs. What is made of abibase check --json is taken by those that it is for: the metrics by promtool, the
# provider.yaml by the loader of Nova. Of Node Feature Discovery, which is not in Debian, the lines are held to
# its documented grammar.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need jq perl python3
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

# ------------------------------------------------------------------- hooks and lists

# What stands in for abibase, QEMU and places; the list of the baseline, a word a line
mkdir path bin snippets
ln -s "$abibase" bin/abibase
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' > bin/qemu
chmod 755 bin/qemu
export PATH="$tmp/bin:$PATH"
"$abibase" intersect -q baselines/wide.json | tr ' ' '\n' > list

# placed FILE NAME: it, with the places of this test in it
placed()
{
	sed -e "s|^PATH=.*|PATH=$PATH|" -e "s|^baselines=.*|baselines=$tmp/$3|" -e "s|^profile=.*|profile=$tmp/host.json|" \
		"$src/$1" > "$2"
	chmod 755 "$2"
}
# refuses WORDS COMMAND...: it fails, and says these
refuses()
{
	words=$1
	shift
	"$@" > out 2> err && fail "$* does not refuse"
	grep -q -e "$words" err || fail "$* does not say $words: $(cat err)"
}

# libvirt: domain, operation, sub-operation, "-", and the XML as input
domain()
{
	printf "<domain type='kvm'>\n <os>\n  <type arch='x86_64' machine='%s'>hvm</type>\n </os>\n <devices>
  <interface type='bridge'>\n   <model type='virtio'/>\n  </interface>\n </devices>\n</domain>\n" "$1"
}
hook()
{
	domain "$1" | ./hook guest "${2:-prepare}" begin -
}
# hooked FILTER...: the hook with a domain of pc-q35-10.0 that the filter changed
hooked()
{
	domain pc-q35-10.0 | "$@" | ./hook guest prepare begin -
}
placed packaging/libvirt/hook hook baselines
hook pc-q35-7.2 > out 2> err || fail "the hook refuses: $(cat err)"
refuses 'does not satisfy' hook pc-q35-10.0
hook pc-q35-10.0 started > out 2> err || fail 'the hook asks at another operation'
hook pc-q35-9.2 > out 2> err || fail "the hook asks without a baseline of the machine type: $(cat err)"
# how the domain is written does not count, and what is no element of it neither
refuses 'does not satisfy' hooked tr "'" '"'
refuses 'does not satisfy' hooked sed "s/machine=/\\n&/"
refuses 'xml-bad' hooked true
for other in "<!-- <type machine='pc-q35-9.2'> -->" "<![CDATA[<type machine='pc-q35-9.2'>]]>" \
	"<!-- <qemu:env name='ABIBASE_BASELINE' value='$yes'/> -->"; do
	refuses 'does not satisfy' hooked sed "2i <metadata>$other</metadata>"
done
refuses 'guest-differs' hooked sed 's/pc-q35-10.0/q35/'
hooked sed "s/type='virtio'/type='e1000e'/" > out 2> err || fail "the hook asks for no device: $(cat err)"
# the domain names its baseline: with any prefix, once, and it is there
named()
{
	hooked sed "s|</domain>|<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:env \\
name='ABIBASE_BASELINE' value='$1'/>${2:-}</q:commandline>&|"
}
refuses 'does not satisfy' named "$(jq -r .id baselines/other.json)"
refuses 'guest-differs' named "$yes"
refuses 'copy it there' named b1-00000000000000000000000000000000
refuses 'the id of one baseline' named b1-0
refuses 'the id of one baseline' named "$yes" "<q:env name='ABIBASE_BASELINE' value='b1-00000000000000000000000000000000'/>"
# a baseline that is not indented is of its machine type all the same; one that is none refuses, unless another one is
# satisfied
mkdir odd
jq -c . baselines/other.json > odd/other.json
jq -c . baselines/wide.json > odd/wide.json
placed packaging/libvirt/hook hook odd
hook pc-q35-9.2 > out 2> err || fail "the hook asks a baseline of another machine type: $(cat err)"
refuses 'does not satisfy' hook pc-q35-10.0
echo '{' > odd/none.json
refuses 'none.json' hook pc-q35-9.2
hook pc-q35-7.2 > out 2> err || fail "one baseline that is satisfied is not enough: $(cat err)"
# one that cannot be followed stands first
ln -s nowhere odd/a.json
refuses 'a.json' hook pc-q35-9.2
# a record of another boot, or none, starts nothing that a baseline is about
placed packaging/libvirt/hook hook baselines
jq '.boot_id = "00000000-0000-0000-0000-000000000000"' host.json > stale.json
sed -i "s|^profile=.*|profile=$tmp/stale.json|" hook
refuses 'of another boot' hook pc-q35-7.2
refuses 'systemctl restart abibase-profile' hook pc-q35-7.2
hook pc-q35-9.2 > out 2> err || fail "a record of another boot refuses all: $(cat err)"
sed -i "s|^profile=.*|profile=$tmp/nowhere.json|" hook
refuses 'systemctl restart abibase-profile' hook pc-q35-7.2

# the PATH of libvirtd: its first QEMU is the wrapper, which adds the list
path=$(sed -n 's/^Environment=PATH=//p' "$src/contrib/path/abibase.conf")
[ "${path%%:*}" = /usr/local/libexec/abibase ] || fail "PATH begins with ${path%%:*}"
grep -qF "ln -s /usr/bin/abibase-emulator ${path%%:*}/qemu-system-x86_64" "$src/contrib/path/README.md" ||
	fail 'the README of path has another directory'
ln -s "$build/abibase-emulator" path/qemu-system-x86_64
printf '%s\n' "baseline = $tmp/baselines/wide.json" "qemu = $tmp/bin/qemu" "profile = $tmp/host.json" > emulator.conf
jq --arg path "$tmp/bin/qemu" '.qemu[].path = $path' host.json > new && mv new host.json
PATH=$tmp/path:${path#*:} ABIBASE_EMULATOR_CONF=$tmp/emulator.conf qemu-system-x86_64 -M pc-q35-7.2 > got 2> err
tail -n +3 got | diff - list > out || fail "the wrapper of PATH: $(cat out err)"

# Proxmox: qemu-server reads the configuration, calls the hook and dies where it fails, gives the running
# machine type its suffix, and splits args as a shell would
mkdir pve
cp baselines/wide.json pve/cluster.json
cp baselines/other.json pve/101.json
placed contrib/proxmox/hookscript snippets/abibase pve
printf '%s\n' 'hookscript: local:snippets/abibase' 'machine: pc-q35-7.2' \
	"args: -smbios 'type=1,serial=a b' $("$abibase" intersect -q -f oneline pve/cluster.json)" > vm.conf
cat > qemu-server << 'END'
use strict;
use Text::ParseWords;

my ($vmid) = @ARGV;
open(my $f, '<', 'vm.conf') or die;
my %conf = map { /^(\w+): (.*)$/ ? ($1, $2) : () } <$f>;
(my $script = $conf{hookscript}) =~ s/^local://;
-x $script or die "script '$conf{hookscript}' is not executable\n";
system($script, $vmid, 'pre-start') == 0 or die "hookscript error for $vmid on pre-start\n";
system('qemu', '-id', $vmid, '-machine', "type=$conf{machine}+pve0", shellwords($conf{args})) == 0 or die;
system($script, $vmid, 'post-start') == 0 or warn "hookscript error for $vmid on post-start\n";
END
perl qemu-server 100 > got 2> err || fail "qemu-server: $(cat err)"
[ ! -s err ] || fail "the hookscript says something: $(cat err)"
tail -n +7 got | diff - list > out || fail "Proxmox' QEMU has another list: $(cat out)"
refuses 'does not satisfy' perl qemu-server 101
[ ! -s out ] || fail 'QEMU was started behind a hookscript that refuses'
sed -i 's|^profile=.*|profile=/nonexistent|' snippets/abibase
refuses 'was not recorded since' env PVE_MIGRATED_FROM=node2 perl qemu-server 100

# KubeVirt: --vmi JSON --domain XML, in the form in which its Go marshals domains, with and without arguments
line=$("$abibase" intersect -q -f oneline baselines/wide.json)
sed "s|^list=.*|list='$line'|" "$src/contrib/kubevirt/onDefineDomain" > sidecar
kubevirt()
{
	printf '<domain type="kvm" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">\n  <name>default_vm</name>
  <os>\n    <type arch="x86_64" machine="q35">hvm</type>\n    <smbios mode="sysinfo"></smbios>\n  </os>
  <devices>\n    <interface type="ethernet">\n      <source></source>\n      <model type="virtio-non-transitional"></model>
    </interface>\n  </devices>\n%s  <iothreads>1</iothreads>\n</domain>\n' "$1"
}
# words: the arguments of QEMU in the domain on stdin, and how many elements all has
words()
{
	python3 -c 'import sys, xml.etree.ElementTree as E
root = E.parse(sys.stdin).getroot()
q = "{http://libvirt.org/schemas/domain/qemu/1.0}"
assert len(root.findall(q + "commandline")) == 1 and root.find("devices/interface/model") is not None
print(*(a.get("value") for a in root.find(q + "commandline")), sep="\n")'
}
old='<qemu:commandline><qemu:arg value="-fw_cfg"></qemu:arg><qemu:arg value="name=a,file=b"></qemu:arg></qemu:commandline>'
sh sidecar --vmi '{}' --domain "$(kubevirt '')" > once 2> err || fail "the sidecar: $(cat err)"
words < once | diff - list > out || fail "the sidecar: $(cat out)"
sh sidecar --vmi '{}' --domain "$(cat once)" | cmp -s - once || fail 'the sidecar adds the list twice'
sh sidecar --vmi '{}' --domain "$(kubevirt "$old")" | words > got
printf '%s\n' -fw_cfg name=a,file=b | cat - list | diff - got > out || fail "arguments are lost: $(cat out)"
sh sidecar --domain "$(kubevirt '' | sed 's/ xmlns:[^>]*//')" | words > got || fail 'the sidecar needs a name space'
empty="<qemu:commandline/>"
sh sidecar --domain "$(kubevirt "$empty")" | words | diff - list > out || fail "an empty element: $(cat out)"
sh sidecar --domain "$(kubevirt "<metadata><x:a xmlns:x='x'><x:domain></x:domain></x:a></metadata>")" | words | diff - list > out ||
	fail "metadata: $(cat out)"
# what cannot be read by a shell is not written
other=$(kubevirt "$old" | sed 's/xmlns:qemu/xmlns:ns0/; s/qemu:/ns0:/g')
refuses 'prefix' sh sidecar --domain "$other"
refuses 'prefix' sh sidecar --domain "$(kubevirt "$old" | sed 's/qemu:commandline/commandline/g; s|<comm[a-z]*|& xmlns="http://libvirt.org/schemas/domain/qemu/1.0"|')"
refuses 'prefix' sh sidecar --domain "$(kubevirt '' | sed 's|/qemu/1.0|/qemu/2.0|')"
refuses 'two elements' sh sidecar --domain "$(kubevirt "$old$old")"
refuses 'does not read' sh sidecar --domain "$(kubevirt "<qemu:commandline />")"
for inside in "<!-- </qemu:commandline> -->" '<![CDATA[</domain>]]>' '<?x </domain>?>'; do
	refuses 'comments' sh sidecar --domain "$(kubevirt "$old" | sed "s|</domain>|$inside&|")"
done
done=$(sed -n 's/.*\(<qemu:arg.*arg>\).*/\1/p' once)
[ -n "$done" ] || fail 'no arguments'
refuses 'metadata' sh sidecar --domain "$(kubevirt "<metadata>$done</metadata>")"
[ ! -s out ] || fail 'a domain that is refused is written'
refuses 'no list' sh "$src/contrib/kubevirt/onDefineDomain" --vmi '{}' --domain "$(kubevirt '')"
refuses 'no domain' sh sidecar --vmi '{}'

# Incus: a profile whose raw.qemu is split as by a shell, and whose raw.qemu.conf QEMU reads
"$src/contrib/incus/profile" pc-q35-7.2 baselines/wide.json > profile.yaml 2> err || fail "the profile: $(cat err)"
sed -n '/^  raw.qemu: |-$/{n;s/^    //p;}' profile.yaml | perl -MText::ParseWords=shellwords -ne 'print "$_\n" for shellwords($_)' > got
"$abibase" intersect -q --hotplug baselines/wide.json 2> err | tr ' ' '\n' | diff - got > out || fail "raw.qemu: $(cat out)"
sed -n '/^  raw.qemu.conf: |-$/,$s/^    //p' profile.yaml > qemu.conf
printf '[machine]\ntype = "pc-q35-7.2"\n' | diff - qemu.conf > out || fail "raw.qemu.conf: $(cat out)"
refuses 'pc-q35-10.0' "$src/contrib/incus/profile" pc-q35-10.0 debian-12 debian-13
[ ! -s out ] || fail 'a profile without a list'
# no option makes it another one, or one without a list
for options in '-o elsewhere' '-M pc-q35-5.2' '-f args' --json '-qfargs'; do
	# shellcheck disable=SC2086
	"$src/contrib/incus/profile" pc-q35-7.2 $options baselines/wide.json 2> err | diff profile.yaml - > out ||
		fail "the profile with $options: $(cat err out)"
done
for options in --help --with-machine; do
	refuses 'no list' "$src/contrib/incus/profile" pc-q35-7.2 $options debian-12
	[ ! -s out ] || fail "a profile with $options: $(cat out)"
done
refuses usage "$src/contrib/incus/profile" pc-q35-7.2

[ "$failures" = 0 ] || exit 1
need promtool
# that of the distribution, where its modules are
python=/usr/bin/python3
$python -c 'import nova.compute.provider_config' 2> /dev/null || skip "needs python3-nova"

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

# What an abibase writes that ends otherwise than with a verdict replaces no file: the lines of each README
for consumer in prometheus:abibase.prom nfd:features.d/abibase nova:abibase.yaml; do
	file=readme/${consumer#*:}
	mkdir -p "${file%/*}"
	sed -n '/^    dir=/,/^    esac/s/^    //p' "$src/contrib/${consumer%:*}/README.md" |
		sed "s|^dir=.*|dir=$tmp/readme|; s|/run/abibase.json|$tmp/run.json|; s|abibase.jq|$src/contrib/${consumer%:*}/&|
			s|/etc/abibase/baselines|$tmp/baselines|; s|/var/lib/abibase/host.json|$tmp/host.json|" > lines
	[ -s lines ] || fail "$consumer: the README has no lines"
	sh lines > out 2>&1
	[ -s "$file" ] || fail "$consumer: no file: $(cat out)"
	cp "$file" before
	for status in 2 127 139; do
		sed "s|^abibase check|sh -c 'exit $status' -|" lines > other
		sh other > out 2>&1
		cmp -s before "$file" || fail "$consumer: replaced at $status"
	done
done

# What is no answer of check is refused.
: > empty.json
jq '.baseline += "\nother=true"' one.json > odd.json
for consumer in nfd nova; do
	jq -rn -f "$src/contrib/$consumer/abibase.jq" odd.json > made 2> err && fail "$consumer: a newline in an id"
	grep -q 'not the id of a baseline' err || fail "$consumer: $(cat err)"
done
for consumer in prometheus nfd nova; do
	jq -rn -f "$src/contrib/$consumer/abibase.jq" host.json > made 2> err && fail "$consumer: of a profile"
	grep -q 'not a document of abibase check' err || fail "$consumer: $(cat err)"
	jq -rn -f "$src/contrib/$consumer/abibase.jq" empty.json > made 2> err && fail "$consumer: of nothing"
done
[ "$failures" = 0 ] || exit 1
