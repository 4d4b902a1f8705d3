#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Build records of real QEMUs, those that tests/fetch-qemus has fetched. A host is recorded by an abibase whose
# catalogue has no row of UDP segmentation and of tunnels; the catalogue gets the rows. What is answered then
# must be what is answered for a host that was recorded with all of it.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}"
[ "$(id -u)" = 0 ] || skip "needs root"
need python3 jq

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
tried=0

# with DATA ARGUMENT...: an abibase that has this data
with()
{
	data=$1
	shift
	ABIBASE_DATADIR=$tmp/$data "$abibase" "$@"
}

# One catalogue without the rows, and one in which they are new.
mkdir "$tmp/old" "$tmp/new"
cp "$ABIBASE_DATADIR"/*.json "$tmp/old"
cp "$ABIBASE_DATADIR"/*.json "$tmp/new"
python3 - "$tmp" <<'EOF' || exit 99
import json, sys
tmp = sys.argv[1]
cat = json.load(open(tmp + "/old/catalogue.json"))
late = ("offload-uso", "offload-udp-tunnel")
rows = [r for r in cat["features"] if r.get("group") in late]
assert len(rows) > 3
new = cat["revision"] + 1
old = dict(cat, features=[r for r in cat["features"] if r not in rows],
           groups={k: v for k, v in cat["groups"].items() if k not in late})
json.dump(old, open(tmp + "/old/catalogue.json", "w"))
# errata name rows, and a defect of what there is no row for matters to nobody
errata = json.load(open(tmp + "/old/errata.json"))
errata["errata"] = [e for e in errata["errata"]
                    if not {r["class"] + "." + r["property"] for r in rows} & set(e.get("rows", []))]
json.dump(errata, open(tmp + "/old/errata.json", "w"))
for r in rows:
    r["added"] = new
cat["revision"] = new
json.dump(cat, open(tmp + "/new/catalogue.json", "w"))
EOF
"$abibase" validate "$tmp/old/catalogue.json" "$tmp/new/catalogue.json" || exit 99

# with_facts FILE: the QEMUs of FILE on a host with the facts of a recorded one, which is called h
with_facts()
{
	python3 - "$1" "$src/tests/data/hosts/linux-6.12.json" <<'EOF'
import json, sys
host = json.load(open(sys.argv[2]))
host["qemu"] = json.load(open(sys.argv[1]))["qemu"]
host["name"] = "h"
json.dump(host, open(sys.argv[1], "w"))
EOF
}

# answers HOST MACHINE NAME: what three verbs say of it
answers()
{
	with new intersect --json -M "$2" "$1" >"$tmp/$3.base" 2>/dev/null
	{
		with new intersect -M "$2" "$1"
		echo "intersect: $?"
		with new check "$tmp/$3.base" "$1"
		echo "check: $?"
		# a guest that has taken segmentation
		with new targets 0x1c0000130afffa7 "$1" -M "$2" --backend tap --from "$1"
		echo "targets: $?"
	} >"$tmp/$3" 2>&1
	sed -e "s,$tmp/,,g" -e 's,old/h.json,h.json,; s,whole/h.json,h.json,; s,b1-[0-9a-f]*,ID,' \
		-e "s,$3\\.base,BASE,g" "$tmp/$3" >"$tmp/$3.txt"
}

record()
{
	name=$1
	mkdir "$tmp/$name" "$tmp/$name/old" "$tmp/$name/whole"
	with old probe --no-cache --only=qemu --name=h --qemu="$2" --builds="$tmp/$name/old" \
		-o "$tmp/$name/old/h.json" 2>"$tmp/err" || fail "$name: probe"
	with new probe --no-cache --only=qemu --name=h --qemu="$2" \
		-o "$tmp/$name/whole/h.json" 2>>"$tmp/err" || fail "$name: probe of the whole"
	! grep -v "/h.json: h, Linux " "$tmp/err" >"$tmp/said" || {
		fail "$name: something was said"
		cat "$tmp/err"
	}
	with_facts "$tmp/$name/old/h.json"
	with_facts "$tmp/$name/whole/h.json"
}

for root in "$qemus"/*/; do
	[ -x "$root/usr/bin/qemu-system-x86_64" ] || continue
	name=$(basename "$root")
	printf '#!/bin/sh\nexec chroot "%s" /usr/bin/qemu-system-x86_64 "$@"\n' "$root" >"$tmp/qemu-$name"
	chmod +x "$tmp/qemu-$name"
	record "$name" "$tmp/qemu-$name"
	set -- "$tmp/$name/old/"[0-9]*.json "$tmp/$name/old/"[a-f]*.json
	[ -f "$1" ] || shift
	file=$1
	[ -f "$file" ] || {
		fail "$name: there is no record"
		continue
	}
	"$abibase" validate "$file" || fail "$name: the record is not valid"
	size=$(wc -c <"$file")
	[ "$size" -le 100000 ] || fail "$name: the record has $size bytes"
	python3 - "$file" "$root" <<'EOF' || fail "$name: the record is not whole"
import glob, json, sys
record, root = json.load(open(sys.argv[1])), sys.argv[2]
# classes of boards, of modules, and that no guest can have by -device
for name in ("mch", "virtio-gpu-pci", "nvme", "vfio-pci", "ICH9-LPC", "isa-fdc", "hpet"):
    assert name in record["classes"], name
assert not any(name.endswith("-x86_64-cpu") for name in record["classes"]), "a CPU"
# a class whose module is not all there ended the QEMU, and the others were asked all the same
died = {"virtio-gpu-gl-pci": "died", "virtio-vga-gl": "died"}
assert record.get("x-unknown", {}) == (died if record["version"].startswith("7.2") else {})
assert "vmxnet3" in record["classes"] and not set(died) & set(record["absent"])
there = {f.rsplit("/", 1)[1][:-3] for f in glob.glob(root + "/usr/lib/*/qemu/hw-*.so")}
assert set(record.get("x-modules", [])) <= there, "a module that is not there"
assert record.get("x-modules") or not there, "no module was seen"
# of a QEMU that does not state what a machine type changes its devices are read, without ROMs
if "compat" not in record:
    for name in ("virtio-net-pci", "virtio-blk-device", "virtio-scsi-pci", "nvme", "e1000e", "VGA", "pc-dimm"):
        assert name in record["values_of"], name
    for machine, of in record["values"].items():
        assert not any(k.endswith((".romsize", ".addr")) for k in of.get("set", {})), machine
if record["version"].startswith("7.2"):
    first = record["values"]["pc-i440fx-5.2"]["set"]
    assert first["virtio-mem-pci.unplugged-inaccessible"] == "off", "virtio-mem was not read"
    assert first["virtio-blk-device.queue_reset"] is False, "virtio-blk was not read"
    assert first["e1000e.romfile"] == {"unknown": "not-read"}, "a ROM of the host's"
EOF
	grep -q host_uso "$tmp/$name/old/h.json" && fail "$name: the old catalogue asks for host_uso"
	tried=$((tried + 1))

	for machine in pc-q35-5.2 pc-i440fx-5.2 pc-q35-7.2 pc-q35-10.0; do
		grep -q "\"$machine\"" "$tmp/$name/whole/h.json" || continue
		answers "$tmp/$name/old/h.json" "$machine" "$name/a"
		answers "$tmp/$name/whole/h.json" "$machine" "$name/b"
		sed -i "s,$name/a,X,g; s,$name/,,g" "$tmp/$name/a.txt"
		sed -i "s,$name/b,X,g; s,$name/,,g" "$tmp/$name/b.txt"
		cmp -s "$tmp/$name/a.txt" "$tmp/$name/b.txt" || {
			fail "$name: $machine: other answers than those of a whole record"
			diff "$tmp/$name/a.txt" "$tmp/$name/b.txt" | sed 's/^/    /'
		}
	done
	# and what was filled in is, value by value, what was recorded
	python3 - "$tmp/$name/a.base" "$tmp/$name/b.base" <<'EOF' || fail "$name: builds differ"
import json, sys

def values(path):
    out = {}
    for build in json.load(open(path))["builds"].values():
        for machine, own in build["values"].items():
            out[machine] = {**build["defaults"], **own}
        out["properties"] = build["properties"]
        out["catalogue"] = build["catalogue"]
    return out

a, b = map(values, sys.argv[1:])
assert a == b, sorted(set(map(str, a.items())) ^ set(map(str, b.items())))
EOF

	# the same again: the same bytes
	with old probe --no-cache --only=qemu --name=h --qemu="$tmp/qemu-$name" \
		--builds="$tmp/$name/again" -o /dev/null 2>/dev/null
	cmp -s "$file" "$tmp/$name/again/$(basename "$file")" || fail "$name: another record the second time"

	# one that was changed
	sed -i 's/"version": "/"version": "1/' "$file"
	with new intersect "$tmp/$name/old/h.json" >/dev/null 2>"$tmp/err"
	echo "$? $(wc -l <"$tmp/err") $(grep -c '\[build-other-digest\]' "$tmp/err")" >"$tmp/status"
	grep -qx '2 1 1' "$tmp/status" ||
		fail "$name: a record that was changed is not refused in one line: $(cat "$tmp/err")"
	echo "$name: a record of $size bytes"
done

# What differs between these builds is known, and of none is it said that it is the same as another.
differs()
{
	"$abibase" diff --json "$1" "$2" >"$tmp/diff.json"
	jq -r --arg m ".$3." '.differences[] | select(.subject | contains(".record" + $m)) | .subject
		| sub(".*" + $m; "")' "$tmp/diff.json" | sort
}
for root in bookworm trixie bookworm-backports trixie-backports; do
	[ -x "$qemus/$root/usr/bin/qemu-system-x86_64" ] || continue
	cp "$tmp/$root/again/"*.json "$tmp/$root.json"
done
if [ -f "$tmp/trixie.json" ] && [ -f "$tmp/trixie-backports.json" ] && [ -f "$tmp/bookworm-backports.json" ]; then
	differs "$tmp/trixie.json" "$tmp/trixie-backports.json" pc-q35-10.0 >"$tmp/out"
	echo vfio-pci.x-igd-opregion | cmp -s - "$tmp/out" ||
		fail "10.0.13 and 11.1.3 differ under pc-q35-10.0 in: $(cat "$tmp/out")"
	differs "$tmp/bookworm-backports.json" "$tmp/trixie.json" pc-q35-10.0 >"$tmp/out"
	[ ! -s "$tmp/out" ] || fail "10.0.2 and 10.0.13 differ in: $(cat "$tmp/out")"
	"$abibase" diff "$tmp/bookworm-backports.json" "$tmp/trixie.json" | tr -s ' \n' ' ' >"$tmp/out"
	grep -q 'never that two builds are the same' "$tmp/out" || fail "equal records are called the same"
	grep -q 'are the same in all' "$tmp/out" && fail "two builds are called the same"
fi
if [ -f "$tmp/bookworm.json" ] && [ -f "$tmp/trixie.json" ]; then
	differs "$tmp/bookworm.json" "$tmp/trixie.json" pc-q35-7.2 >"$tmp/out"
	grep -qx 'pvpanic.events' "$tmp/out" && grep -q newer-build "$tmp/diff.json" ||
		fail "of 7.2 the values are not those that a newer QEMU states: $(cat "$tmp/out")"
	# what devices of it read is never another value than what a newer one states, but for the device
	jq -r '.differences[].subject | select(contains(".read."))' "$tmp/diff.json" > "$tmp/out"
	[ ! -s "$tmp/out" ] || fail "devices read otherwise than a newer QEMU states: $(cat "$tmp/out")"
	jq -r '.differences[] | select(.subject | endswith(".record.pc-q35-7.2.pvpanic.events")) | .text' \
		"$tmp/diff.json" > "$tmp/out"
	grep -q 'of an older build, as a device of it reads' "$tmp/out" || fail "a device was not read: $(cat "$tmp/out")"
fi
# One that reads otherwise counts, and it is told.
if [ -f "$tmp/bookworm.json" ] && [ -f "$tmp/trixie.json" ]; then
	jq '.values["pc-q35-7.1"].set["pvpanic.events"] = 5' "$tmp/bookworm.json" > "$tmp/otherwise.json"
	differs "$tmp/otherwise.json" "$tmp/trixie.json" pc-q35-7.1 > "$tmp/out"
	jq -r '.differences[].text' "$tmp/diff.json" > "$tmp/out"
	grep -q 'reads pvpanic.events as 5, a newer build states 3, and what it reads counts, under pc-q35-7.1' \
		"$tmp/out" || fail "a device that reads otherwise is not told"
fi

[ $tried -gt 0 ] || skip "no QEMU: tests/fetch-qemus fetches some"
[ $failures = 0 ] || exit 1
echo "$tried QEMUs: what is new is answered from their records"
