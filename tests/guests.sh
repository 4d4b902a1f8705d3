#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many guests: lines of a file, and with --all those that run here, which are a real QEMU with a QMP socket
# and processes that are called as one and have its command line. All other processes are in another
# namespace.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3 jq unshare setpriv mount
[ -r /proc/sys/kernel/random/boot_id ] || skip "needs the boot id"
need_qemus trixie
alone "$@"
unwrap

tmp=$(mktemp -d) || exit 99
trap 'end; rm -rf "$tmp"' EXIT

# ask STATUS ARGUMENT...: the page
ask()
{
	want=$1
	shift
	"$abibase" targets "$@" > "$tmp/page" 2> "$tmp/err" < /dev/null
	got=$?
	[ "$got" = "$want" ] || fail "targets $*: status $got, not $want: $(cat "$tmp/page" "$tmp/err")"
}

page_says()
{
	tr -s ' \n' ' ' < "$tmp/page" | grep -qF -e "$1" || fail "the page does not say \"$1\": $(cat "$tmp/page")"
}

# ------------------------------------------------------------------------ lines of a file

"$abibase" show --json debian-13 > "$tmp/debian-13.json"
record debian-13 "$(qemu_entry debian-13 /usr/bin/qemu-system-x86_64)" node-a > "$tmp/node-a.json"
record debian-12 "$(qemu_entry debian-12 /usr/bin/qemu-system-x86_64)" node-b > "$tmp/node-b.json"
python3 - "$tmp" << 'END'
import json, sys
with open(sys.argv[1] + "/guests.ndjson", "w") as f:
    for i in range(3000):
        word = "0x1c0010130afffa7" if i % 10 == 3 else "0x10130afffa7"
        f.write(json.dumps({"schema": "abibase-guest/1", "name": "web-%d" % i, "machine": "pc-q35-7.2",
                            "devices": [{"class": "virtio-net-device", "backend": "tap", "negotiated": word}]})
                + "\n")
END
head -n 40 "$tmp/guests.ndjson" > "$tmp/few.ndjson"
ask 1 "$tmp/few.ndjson" "$tmp/node-b.json" "$tmp/node-a.json"
page_says 'no: 4 of 40 guests cannot go to each of 2 hosts: web-3, web-13, web-23 and 1 more'
grep -q '^  web-3 *0 *1 *1 *0  1' "$tmp/page" || fail "no line of web-3: $(cat "$tmp/page")"
grep -q '^  web-4 *2 *0 *0 *0$' "$tmp/page" || fail "no line of web-4: $(cat "$tmp/page")"
[ "$(grep -c '^  web-' "$tmp/page")" = 40 ] || fail "not a line a guest: $(cat "$tmp/page")"
# one document a line, in their order, and the same with a file that is written whole
ask 1 --json "$tmp/few.ndjson" "$tmp/node-b.json" "$tmp/node-a.json"
[ "$(jq -r '.guest.name' "$tmp/page" | tr '\n' ' ')" = "$(seq -f 'web-%.0f' -s ' ' 0 39) " ] || fail "other guests"
ask 1 --json -o "$tmp/lines" "$tmp/few.ndjson" "$tmp/node-b.json" "$tmp/node-a.json"
[ ! -s "$tmp/page" ] || fail "something is on stdout with -o"
"$abibase" targets --json "$tmp/few.ndjson" "$tmp/node-b.json" "$tmp/node-a.json" | cmp -s - "$tmp/lines" ||
	fail "-o writes other lines"
# no more than its line is kept of a guest, whatever the answers are
peak()
{
	python3 - "$abibase" "$@" << 'END'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
END
}
few=$(peak targets --json "$tmp/few.ndjson" "$tmp/node-b.json" "$tmp/node-a.json")
many=$(peak targets --json "$tmp/guests.ndjson" "$tmp/node-b.json" "$tmp/node-a.json")
each=$(((many - few) * 1024 / 2960))
echo "$each bytes for each guest more, of a line of $(head -n 1 "$tmp/guests.ndjson" | wc -c)"
case $(ldd "$abibase" 2> /dev/null) in
*libasan*) ;;
*) [ "$each" -le 1024 ] || fail "$each bytes for each guest" ;;
esac

# a pipe has the guest once
ask 0 <(head -n 1 "$tmp/guests.ndjson") "$tmp/node-b.json"

# Hosts that answer alike are asked once: of each the answer is that which it has alone.
python3 - "$src/tests/data" "$tmp/node-a.json" "$tmp/hosts.ndjson" << 'END'
import copy, glob, json, sys
data, node, out = sys.argv[1:]
kernels = [json.load(open(f)) for f in sorted(glob.glob(data + "/hosts/*.json"))]
qemus = [json.load(open(f)) for f in sorted(glob.glob(data + "/qemu/*.json"))]
hosts = [json.load(open(node))]
def add(host, **more):
    hosts.append({**copy.deepcopy(host), "name": "host-%03d" % len(hosts), **more})
for i, host in enumerate(2 * kernels):
    for qemu in qemus:
        add(host, qemu=[{**qemu, "path": "/usr/bin/qemu"}])
    # two on one host, elsewhere, none, not looked for, one that nobody could ask; another kernel's errata
    add(host, qemu=[{**qemus[0], "path": "/usr/bin/qemu"}, {**qemus[-1], "path": "/opt/qemu"}])
    add(host, qemu=[{**qemus[-1], "path": "/opt/qemu%d" % (i % 2)}])
    add(host, qemu=[])
    add(host)
    add(host, qemu=[{**qemus[1], "path": "/usr/bin/qemu"}, {"path": "/opt/qemu", "unknown": "timeout"}])
    add(host, qemu=[{**qemus[1], "path": "/usr/bin/qemu"}], kernel={"release": "6.13.%d" % i})
    # the text that stands for a host's name
    add(host, qemu=[{**qemus[1], "path": "/opt/\\host/qemu", "package": "Debian /\\host/1"}])
    # what is said of the source's own build counts for the source alone
    add(host, qemu=[{**{k: v for k, v in qemus[-1].items() if k not in ("package", "build_id")},
                     "machines": {"pc-vendor-1": {}}}])
with open(out, "w") as f:
    for host in hosts:
        f.write(json.dumps(host) + "\n")
print(len(hosts), "hosts")
END
sed -n '$p' "$tmp/hosts.ndjson" > "$tmp/last.json"
# alike ARGUMENT...
alike()
{
	"$abibase" targets --json "$@" "$tmp/hosts.ndjson" | jq -cS '.hosts[]' > "$tmp/together"
	while read -r line; do
		printf '%s\n' "$line" > "$tmp/one.ndjson"
		"$abibase" targets --json "$@" "$tmp/one.ndjson" | jq -cS '.hosts[]'
	done < "$tmp/hosts.ndjson" | sort > "$tmp/alone"
	[ "$(wc -l < "$tmp/together")" = "$(wc -l < "$tmp/hosts.ndjson")" ] || fail "$*: hosts are missing"
	sort "$tmp/together" | cmp -s - "$tmp/alone" ||
		fail "$*: other answers than alone: $(sort "$tmp/together" | diff "$tmp/alone" - | head -c 2000)"
}
alike 0x1c0010130afffa7 -M pc-q35-5.2 --backend tap --from "$tmp/last.json"
alike 0x10130afffa7 -M pc-vendor-1 --backend tap+vhost --from "$tmp/last.json"
alike 0x10130afffa7 -M pc-q35-7.2

# what is in the way on hosts that are alike is said of all of them, not of one
for n in 1 2 3; do
	jq -c --arg n "arm-$n" '.name = $n | .arch = "aarch64"' "$tmp/node-b.json"
done > "$tmp/arm.ndjson"
head -n 2 "$tmp/guests.ndjson" > "$tmp/two.ndjson"
ask 1 --from "$tmp/node-a.json" "$tmp/two.ndjson" "$tmp/arm.ndjson"
page_says 'it is aarch64, and the guest runs on x86_64 [arch-differs]'
! grep -q 'arm-' "$tmp/page" || fail "one host is named: $(cat "$tmp/page")"
# a guest that the options do not fit is named
ask 2 -M pc-q35-6.2 "$tmp/two.ndjson" "$tmp/node-b.json"
grep -q 'two.ndjson:1: the guest states' "$tmp/err" || fail "which guest? $(cat "$tmp/err")"
"$abibase" intersect --json -q -M pc-q35-6.2 -o "$tmp/base.json" "$tmp/node-b.json"
ask 2 --baseline "$tmp/base.json" "$tmp/two.ndjson" "$tmp/node-b.json"
grep -q 'two.ndjson:1: the guest has the machine type' "$tmp/err" || fail "which guest? $(cat "$tmp/err")"

# ------------------------------------------------------------------------ those that run here

ask 0 --all --from "$tmp/node-a.json" "$tmp/node-b.json"
page_says 'yes: no guest runs here'
ask 2 --all --from "$tmp/node-a.json"
grep -q 'which hosts' "$tmp/err" || fail "hosts are missing: $(cat "$tmp/err")"

mkfifo "$tmp/disk.fifo"
# shellcheck disable=SC2016
echo 'read -r _ < "$0.fifo"' > "$tmp/disk"
# fake ARGUMENT...: it is called as a QEMU, and has its command line
fake()
{
	(exec -a qemu-system-x86_64 bash "$tmp/disk" "$@") &
	running="$running $!"
	for _ in $(seq 100); do
		grep -qa '^qemu-system' "/proc/$!/cmdline" && return
		sleep 0.1
	done
}
tap='-netdev tap,id=n,ifname=t0,script=no,downscript=no,vhost=off -device virtio-net-pci,netdev=n'
# shellcheck disable=SC2086
fake -M pc-q35-7.2 -name old $tap
ask 0 --all --from "$tmp/node-a.json" "$tmp/node-b.json"
page_says 'yes: 1 guest can leave this host now'
# shellcheck disable=SC2086
fake -M pc-q35-10.0 -name guest=new,debug-threads=on $tap
fake -M pc-q35-10.0 -name lonely -nic user
# none of these: a question, and another program
fake -M pc-q35-10.0 -name question -device help
ask 1 --all --from "$tmp/node-a.json" "$tmp/node-b.json"
page_says 'no: 1 of 2 guests cannot leave this host: new'
grep -q 'lonely has no device' "$tmp/err" || fail "nothing is said of lonely: $(cat "$tmp/err")"
page_says 'does not have the machine type pc-q35-10.0'
# one host that takes it is enough
ask 0 --all --from "$tmp/node-a.json" "$tmp/node-b.json" "$tmp/debian-13.json"
page_says 'yes: both guests can leave this host now'
ask 0 --all --json --from "$tmp/node-a.json" "$tmp/node-b.json" "$tmp/debian-13.json"
[ "$(jq -r '.guest.name' "$tmp/page" | sort | tr '\n' ' ')" = 'new old ' ] || fail "other guests: $(cat "$tmp/page")"
[ "$(jq -r 'select(.guest.name == "new") | .guest.devices[0].backend' "$tmp/page")" = tap ] || fail "not on tap"
# a host whose list turns off what the guest may have: in with further options alone
jq '.qemu[0].defaults["virtio-net-device.host_ufo"] = false | .name = "node-c" |
	(.qemu[0].values[] |= del(.["virtio-net-device.host_ufo"])) | del(.qemu[0].build_id)' \
	"$tmp/node-a.json" > "$tmp/node-c.json"
ask 4 --all --from "$tmp/node-a.json" "$tmp/node-c.json"
page_says 'yes: both guests can leave this host; 2 with a list of options alone'
ask 1 --all --now --from "$tmp/node-a.json" "$tmp/node-c.json"
page_says 'no: 2 of 2 guests cannot leave this host: old, new'
ask 4 --all --json --from "$tmp/node-a.json" "$tmp/node-c.json"
end

# one that answers over QMP, by a path as its QEMU sees it; it takes no socket of another process
mount -t tmpfs none "$qemus/trixie/tmp" || exit 99
chroot "$qemus/trixie" /usr/bin/qemu-system-x86_64 -M pc-q35-10.0 -name real -S -nodefaults -display none \
	-accel tcg -nic none -netdev hubport,id=n,hubid=0 -device virtio-net-pci,netdev=n \
	-chardev socket,id=m,path=tmp/real.qmp,server=on,wait=off -mon chardev=m,mode=control \
	> "$tmp/qemu.out" 2>&1 &
running="$running $!"
for _ in $(seq 200); do
	[ -S "$qemus/trixie/tmp/real.qmp" ] && break
	sleep 0.1
done
# shellcheck disable=SC2086
fake -M pc-q35-10.0 -name liar $tap -qmp "unix:$qemus/trixie/tmp/real.qmp,server=on"
ask 0 --all --json --backend tap --from "$tmp/node-a.json" "$tmp/debian-13.json"
[ "$(jq -r 'select(.guest.name == "real") | .guest.qemu' "$tmp/page")" = 10.0.13 ] ||
	fail "not asked over QMP: $(cat "$tmp/page" "$tmp/err" "$tmp/qemu.out")"
[ "$(jq -r 'select(.guest.name == "liar") | .guest.qemu' "$tmp/page")" = null ] || fail "a socket of another was asked"
end
exit $((failures > 0))
