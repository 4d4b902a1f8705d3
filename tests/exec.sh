#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# abibase exec and abibase-emulator: what is refused never starts, what starts has the list behind its
# arguments, what defeats a baseline is warned of, and questions to QEMU go through untouched. A script
# stands in for QEMU; where there is a real one, that is started too. Profiles of distributions are
# recorded under the name of this host, as of this boot.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

# shellcheck source=tests/begin-start.sh
. "${0%/*}/begin-start.sh"

# ---------------------------------------------------------------------- refusals

# The kernel of Debian 12 has no tap USO and no ring reset in vhost-net: both are said, each once.
try 126 "$abibase" exec --profile "$tmp/old.json" "$tmp/base.json" -- "$qemu" -M $machine $nic
not_started 'a host without tap USO'
[ "$(grep -c 'TUN_F_USO' "$tmp/err")" = 1 ] || fail 'not one message'
for word in here: tap guest_uso4 guest_uso6 host_uso VIRTIO_NET_F_HOST_USO '[promise-lacks]'; do
	grep TUN_F_USO "$tmp/err" | grep -qF -e "$word" || fail "the message does not name $word"
done
grep -A1 TUN_F_USO "$tmp/err" | grep -q '^  remedy: .*tap USO' || fail 'no remedy'
says 'virtio-net-device.queue_reset (VIRTIO_F_RING_RESET)'
says 'or: new guests without virtio-net-device.guest_uso4'
says "$qemu was not started [exec-refused]"

# The same where only tap counts
"$abibase" intersect --json -M $machine --backend tap debian-13 -o "$tmp/tap.json" 2>/dev/null
try 126 "$abibase" exec --profile "$tmp/old.json" "$tmp/tap.json" -- "$qemu" -M $machine \
	-netdev tap,id=n -device virtio-net-pci,netdev=n
not_started 'a host without tap USO, tap alone'
silent_about queue_reset

# What is unknown is refused too.
jq '.facts."tap.offload.uso" = {"unknown": "no-permission"}' "$tmp/new.json" >"$tmp/unknown.json"
try 126 "$abibase" exec --profile "$tmp/unknown.json" "$tmp/base.json" -- "$qemu" -M $machine $nic
not_started 'unknown USO'
says 'is unknown'
says host_uso
says '[promise-unknown]'

for machines in '-M q35' '-machine pc-q35-9.2,usb=off' '' '-machine accel=tcg' '--machine type=q35' \
	"-M $machine -machine q35"; do
	# shellcheck disable=SC2086
	try 126 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" $machines $nic
	not_started "machine: $machines"
	says "start the guest with -machine $machine [command-machine]"
done
# Both kinds of refusal at once
try 126 "$abibase" exec --profile "$tmp/old.json" "$tmp/base.json" -- "$qemu" -M q35 $nic
says '[command-machine]'
says '[promise-lacks]'

jq '.boot_id = "00000000-0000-0000-0000-000000000000"' "$tmp/new.json" >"$tmp/other.json"
jq 'del(.boot_id)' "$tmp/new.json" >"$tmp/no-boot.json"
jq '.qemu[0] |= (.build_id = "00" | del(.build))' "$tmp/new.json" >"$tmp/upgraded.json"
for profile in other no-boot upgraded; do
	try 126 "$abibase" exec --profile "$tmp/$profile.json" "$tmp/base.json" -- \
		"$qemu" -M $machine $nic
	not_started "$profile"
	says '[profile-stale]'
done
"$abibase" show --json debian-13 >"$tmp/platform.json"
try 126 "$abibase" exec --profile "$tmp/platform.json" "$tmp/base.json" -- "$qemu" -M $machine $nic
not_started 'a platform'
says '[profile-stale]'
jq '.qemu[0].path = "/nonexistent"' "$tmp/new.json" >"$tmp/elsewhere.json"
try 126 "$abibase" exec --profile "$tmp/elsewhere.json" "$tmp/base.json" -- "$qemu" -M $machine $nic
says '[profile-no-qemu]'
try 126 "$abibase" exec --profile "$tmp/nosuchfile" "$tmp/base.json" -- "$qemu" -M $machine $nic
says '[io-error]'
try 126 "$abibase" exec "$tmp/nosuchfile" -- "$qemu" -M $machine $nic
try 126 "$abibase" exec "$tmp/new.json" -- "$qemu" -M $machine $nic
says '[schema-other]'
try 126 "$abibase" exec "$tmp/base.json"
says 'which QEMU?'
try 126 "$abibase" exec
try 126 "$abibase" exec --nosuchoption
try 127 "$abibase" exec "$tmp/base.json" -- "$tmp/nosuchqemu" -M $machine
try 127 "$abibase" exec "$tmp/base.json" -- nosuchqemu -M $machine
try 126 "$abibase" exec "$tmp/base.json" -- "$tmp/new.json" -M $machine
says '[exec-not-found]'

# ------------------------------------------------------------------------ trust

# trusted WORD ARGUMENT...: not started, for this and what to do about it
trusted()
{
	word=$1 remedy=$2
	shift 2
	try 126 "$abibase" exec "$@" -- "$qemu" -M $machine $nic
	not_started "exec $*"
	[ "$(grep -c '\[not-trusted\]' "$tmp/err")" = 1 ] || fail "exec $*: not one refusal"
	says "$word"
	says ": $remedy [not-trusted]"
}

mkdir -p "$tmp/dir/inner"
cp "$tmp/base.json" "$tmp/new.json" "$tmp/dir/inner"
base=$tmp/dir/inner/base.json new=$tmp/dir/inner/new.json
try 42 "$abibase" exec --profile "$new" "$base" -- "$qemu" -M $machine
for mode in 664 646; do
	for file in base new; do
		chmod $mode "$tmp/dir/inner/$file.json"
		trusted "$tmp/dir/inner/$file.json: can be written by" \
			"chmod go-w $tmp/dir/inner/$file.json" --profile "$new" "$base"
		chmod 644 "$tmp/dir/inner/$file.json"
	done
done
chmod 777 "$tmp/dir"
trusted "$base: $tmp/dir, which is on its way, can be written by everybody (mode 0777)" \
	"chmod go-w $tmp/dir" --profile "$new" "$base"
# by a name of the working directory, and through links
(
	cd "$tmp/dir/inner" || exit 99
	"$abibase" exec --profile new.json ./base.json -- "$qemu" -M $machine 2>"$tmp/err"
	[ $? = 126 ]
) || fail 'a relative name'
says "./base.json: $tmp/dir, which is on its way"
ln -s dir/inner/../inner/./base.json "$tmp/link.json"
trusted "$tmp/link.json: $tmp/dir, which is on its way" "chmod go-w $tmp/dir" "$tmp/link.json"
chmod 755 "$tmp/dir"
try 42 "$abibase" exec --profile "$new" "$tmp/link.json" -- "$qemu" -M $machine
ln -s loop "$tmp/loop"
try 126 "$abibase" exec "$tmp/loop/base.json" -- "$qemu" -M $machine $nic
says '[io-error]'
# with the sticky bit nobody can exchange what is not theirs
chmod 1777 "$tmp/dir"
try 42 "$abibase" exec --profile "$new" "$base" -- "$qemu" -M $machine
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$tmp/dir/inner"
	trusted 'belongs to the user 65534' "chown root $tmp/dir/inner" --profile "$new" "$base"
	chown 0 "$tmp/dir/inner"
	ln -s "$base" "$tmp/dir/theirs.json"
	chown -h 65534 "$tmp/dir/theirs.json"
	trusted "$tmp/dir/theirs.json: belongs to the user" "chown root $tmp/dir/theirs.json" \
		--profile "$new" "$tmp/dir/theirs.json"
	chown 65534 "$base"
	trusted "$base: belongs to the user 65534" "chown root $base" --profile "$new" "$base"
	chown 0 "$base"
fi
# so does the program itself decide
for mode in 775 757; do
	chmod $mode "$qemu"
	trusted "$qemu: can be written by" "chmod go-w $qemu" --profile "$new" "$base"
done
chmod 755 "$qemu"
# what the caller has opened is the caller's
"$abibase" exec --profile "$new" /dev/fd/3 -- "$qemu" -M $machine 3<"$base" 2>"$tmp/err"
[ $? = 42 ] || fail 'a passed descriptor'

# ------------------------------------------------------------------------ starts

# started ARGUMENT...: QEMU got these and then the list
started()
{
	[ -e "$tmp/started" ] || fail "QEMU was not started with: $*"
	{
		printf '%s\n' "$@"
		cat "$tmp/list"
	} >"$tmp/want"
	same 'other arguments' "$tmp/want" "$tmp/started"
}

try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" -M $machine 'a b' ''
started -M $machine 'a b' ''
[ ! -s "$tmp/err" ] || fail 'a start without a fault says something'
# Without its hosts a baseline starts the same, and refuses the same.
"$abibase" intersect --json --no-inputs -M $machine debian-13 -o "$tmp/small.json" 2>"$tmp/err" ||
	fail 'no baseline without inputs'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/small.json" -- "$qemu" -M $machine
started -M $machine
[ ! -s "$tmp/err" ] || fail 'a start without inputs says something'
try 126 "$abibase" exec --profile "$tmp/old.json" "$tmp/small.json" -- "$qemu" -M $machine $nic
says 'virtio-net-device.queue_reset (VIRTIO_F_RING_RESET)'
# A note of the check keeps nothing from starting, and is none of a guest's business.
jq '.facts |= (with_entries(select(.key | startswith("vhost_net.") | not))
	+ {"vhost_net.usable": false})' "$tmp/new.json" >"$tmp/no-vhost.json"
"$abibase" check "$tmp/base.json" "$tmp/no-vhost.json" >"$tmp/checked" || fail 'no vhost-net: refused'
grep -q '^  note .*provably no vhost-net' "$tmp/checked" || fail 'no vhost-net: not named'
try 42 "$abibase" exec --profile "$tmp/no-vhost.json" "$tmp/base.json" -- "$qemu" -M $machine
[ ! -s "$tmp/err" ] || fail 'a note is said of a start'
# Nor does a network card without a ROM, where the list says how large one is.
jq --arg m $machine '.qemu[].shape = {($m): {"tap": {"rom_size": 524288}}}' "$tmp/new.json" >"$tmp/rom.json"
"$abibase" intersect --json -M $machine "$tmp/rom.json" -o "$tmp/rom-base.json" 2>"$tmp/err" ||
	fail 'no baseline with a ROM'
for without in romfile= rombar=0; do
	try 42 "$abibase" exec --profile "$tmp/rom.json" "$tmp/rom-base.json" -- "$qemu" -M $machine \
		-netdev tap,id=n0 -device virtio-net-pci,netdev=n0,$without
	[ ! -s "$tmp/err" ] || fail "something is said of $without"
	grep -q '^virtio-net-pci-base.romsize=524288$' "$tmp/started" || fail "$without: no romsize in the list"
done
for machines in "-machine $machine,usb=off" "--M type=$machine" "-machine q35 -M usb=off,type=$machine"; do
	# shellcheck disable=SC2086
	try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" $machines
	# shellcheck disable=SC2086
	started $machines
done
printf '[machine]\n  type = "%s"\n' $machine >"$tmp/machine.cfg"
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" \
	-readconfig "$tmp/machine.cfg"
# By PATH, and with the baseline on standard input
PATH=$tmp:$PATH "$abibase" exec --profile "$tmp/new.json" - -- qemu-system-x86_64 -M $machine \
	<"$tmp/base.json" 2>"$tmp/err"
[ $? = 42 ] || fail 'a baseline from standard input'
# Another QEMU of the same host does not matter.
jq '.qemu += [.qemu[0] | .path = "/nonexistent" | .version = "7.2.22"
	| del(.properties."virtio-net-device".host_uso)]' "$tmp/new.json" >"$tmp/two.json"
try 42 "$abibase" exec --profile "$tmp/two.json" "$tmp/base.json" -- "$qemu" -M $machine
started -M $machine
# A property that this QEMU does not know is left out, when it is off.
"$abibase" intersect --json -M pc-q35-7.2 debian-12 debian-13 -o "$tmp/wide.json" 2>/dev/null
seven=$("$abibase" show --json debian-12 |
	jq --arg path "$qemu" '.qemu[0] | .path = $path | del(.build_id, .build)')
record debian-12 "$seven" >"$tmp/seven.json"
try 42 "$abibase" exec --profile "$tmp/seven.json" "$tmp/wide.json" -- "$qemu" -M pc-q35-7.2
grep -q queue_reset=off "$tmp/started" || fail 'queue_reset is not off'
! grep -q uso "$tmp/started" || fail 'QEMU 7.2 is given a property of 8.2'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/wide.json" -- "$qemu" -M pc-q35-7.2
grep -q host_uso=off "$tmp/started" || fail 'QEMU 10.0 is not given host_uso'

# ------------------------------------------------------------------ names of Proxmox

# A record made up of Debian's, with the package that debian/rules of pve-qemu gives to
# --with-pkgversion. Its QEMU cuts the name of a machine type at "+" (its patch "Allow version code in
# machine type"), and qemu-server always puts something there.
jq '.qemu[0].package = "pve-qemu-kvm_10.0.2-4"' "$tmp/new.json" >"$tmp/pve.json"
"$abibase" intersect --json -M $machine+pve1 "$tmp/pve.json" -o "$tmp/pve-base.json" 2>"$tmp/err" ||
	fail 'no baseline of a Proxmox host'
jq -e '.findings[] | select(.id == "machine-cut")' "$tmp/pve-base.json" >"$tmp/out" ||
	fail 'the baseline does not say that the name was cut'
for machines in "-machine type=$machine+pve1" '-machine pflash0=pflash0,pflash1=drive-efidisk0,type=q35+pve0' \
	"-machine accel=tcg,type=$machine+pve0" "-M $machine"; do
	# shellcheck disable=SC2086
	try 42 "$abibase" exec --profile "$tmp/pve.json" "$tmp/pve-base.json" -- "$qemu" $machines \
		-device virtio-net-pci,netdev=n,rx_queue_size=1024,tx_queue_size=256,host_mtu=1500
	# shellcheck disable=SC2086
	started $machines -device \
		virtio-net-pci,netdev=n,rx_queue_size=1024,tx_queue_size=256,host_mtu=1500
	[ ! -s "$tmp/err" ] || fail "words about $machines"
done
# Other machines are other machines, an alias with nothing behind it is one, and elsewhere "+" is a letter.
for machines in "-M pc-q35-9.2+pve1" "-M pc+pve0" "-M q35" "-M pc-q35-10+pve1"; do
	# shellcheck disable=SC2086
	try 126 "$abibase" exec --profile "$tmp/pve.json" "$tmp/pve-base.json" -- "$qemu" $machines $nic
	not_started "Proxmox: $machines"
	says '[command-machine]'
done
try 126 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" -M $machine+pve1 $nic
not_started 'a name of Proxmox elsewhere'
says '[command-machine]'

# ------------------------------------------------------------------------ signals

# QEMU has the mask, the dispositions and the pending signals that it would have without abibase, which has
# had children by then; also where one of them was there before.
cat >"$tmp/signals" <<'END'
#!/bin/sh
exec grep -E '^(SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt):' /proc/self/status
END
chmod +x "$tmp/signals"
cat >"$tmp/blocked.py" <<'END'
import os, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
if sys.argv[1] == "pending":
    os.kill(os.getpid(), signal.SIGCHLD)
    os.kill(os.getpid(), signal.SIGUSR1)
child = os.fork() if sys.argv[1] in ("zombie", "child") else 1
if not child:
    if sys.argv[1] == "child":
        signal.sigtimedwait({signal.SIGHUP}, 5)
    os._exit(0)
if sys.argv[1] == "zombie":
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
if sys.argv[1] == "pipe":
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 2)
os.execv(sys.argv[2], sys.argv[2:])
END
conf "baseline = $tmp/base.json" "qemu = $tmp/signals" 'mode = warn'
# libtool's script is one of a shell, which has signals of its own
program=$build/.libs/abibase-emulator
[ -x "$program" ] || program=$emulator
for state in none pending zombie child pipe; do
	# timeout has dispositions of its own, as well
	timeout 60 python3 "$tmp/blocked.py" $state "$tmp/signals" >"$tmp/want" 2>"$tmp/err"
	ABIBASE_EMULATOR_CONF="$tmp/emulator.conf" LD_LIBRARY_PATH=$build/lib/.libs \
		timeout 60 python3 "$tmp/blocked.py" $state "$program" -M $machine $nic >"$tmp/out" 2>"$tmp/err"
	same "signals: $state" "$tmp/want" "$tmp/out"
done
grep -q '^SigBlk.*ff' "$tmp/want" || fail 'no signal is blocked'

# ---------------------------------------------------------------------- warnings

"$abibase" intersect --json -M $machine --disable offload-uso debian-13 -o "$tmp/no-uso.json" \
	2>"$tmp/err" || fail 'no baseline without USO'

# warns TEXT ARGUMENT...: starts, and says it
warns()
{
	text=$1
	shift
	try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/no-uso.json" -- "$qemu" -M $machine "$@"
	says "$text"
}

# quiet ARGUMENT...: starts and says nothing
quiet()
{
	try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" -M $machine "$@"
	[ ! -s "$tmp/err" ] || fail "words about $*"
}

warns 'host_uso=on defeats' -device virtio-net-pci,netdev=n,host_uso=on
warns 'host_uso=yes defeats' --device driver=virtio-net-pci-non-transitional,host_uso=yes
warns 'host_uso=on defeats' -device virtio-net-pci,host_uso
warns 'host_uso=on defeats' -device '{"driver":"virtio-net-pci","host_uso":true}'
warns 'host_uso=on defeats' -device '{"host_uso":"on","driver":"virtio-net-pci"}'
warns '-global on virtio-net-pci with guest_uso4=on defeats' -global virtio-net-pci.guest_uso4=on
warns 'guest_uso4=on defeats' -global virtio-net-pci-base.guest_uso4=on
warns 'guest_uso4=on defeats' -global driver=virtio-net-pci,property=guest_uso4,value=on
warns '[command-loses]' -global virtio-net-device.guest_uso4=on
warns '-set device.n0 with guest_uso4=on defeats' -device virtio-net-pci,id=n0 -set device.n0.guest_uso4=on
printf '# a,b\n[device "n0"]\n  driver = "virtio-net-pci"\n  guest_uso4 = "on"\n' >"$tmp/device.cfg"
warns 'guest_uso4=on defeats' -readconfig "$tmp/device.cfg"
printf '[global]\n  driver = "virtio-net-pci"\n  property = "guest_uso4"\n  value = "on"\n' \
	>"$tmp/global.cfg"
warns 'guest_uso4=on defeats' -readconfig "$tmp/global.cfg"
warns '[command-unseen]' -readconfig "$tmp/nosuchfile"
quiet -device virtio-net-pci,host_uso=on,mac=52:54:00:12:34:56,mq=on,id=a,,b
quiet -device '{"driver":"virtio-net-pci","host_uso":true,"addr":"0x2","multifunction":false}'
quiet -device virtio-blk-pci,event_idx=off -device e1000 -global virtio-net-pci.guest_uso4=yes
quiet -global virtio-blk-pci.event_idx=off -device
quiet -device virtio-blk-pci,id=n0 -set device.n0.event_idx=off
quiet -netdev tap,id=n,vhost=on -netdev tap,id=m
# less than the baseline has, wherever the guest is started; so qemu-server starts its guests
quiet -device virtio-net-pci,nohost_uso -device '{"driver":"virtio-net-pci","csum":false}'
quiet -device virtio-net-pci,id=n0 -set device.n0.csum=off -global virtio-net-pci.guest_uso4=off
quiet -device virtio-net-pci,rx_queue_size=1024,tx_queue_size=256,host_mtu=1500,host_tunnel=off
# a number too
jq '.facts."operator.host_mtu" = 1500' "$tmp/new.json" >"$tmp/mtu.json"
"$abibase" intersect --json -M $machine "$tmp/mtu.json" -o "$tmp/mtu-base.json" 2>"$tmp/err" ||
	fail 'no baseline with host_mtu'
try 42 "$abibase" exec --profile "$tmp/mtu.json" "$tmp/mtu-base.json" -- "$qemu" -M $machine \
	-device virtio-net-pci,host_mtu=9000
says 'host_mtu=9000 defeats'
grep -qx 'virtio-net-device.host_mtu=1500' "$tmp/started" || fail 'host_mtu is not told'
try 42 "$abibase" exec --profile "$tmp/mtu.json" "$tmp/mtu-base.json" -- "$qemu" -M $machine \
	-device virtio-net-pci,host_mtu=1400
[ ! -s "$tmp/err" ] || fail 'words about a smaller MTU'
# a number in which no host has a say: with -device it is the same wherever the guest goes
"$abibase" intersect --json -M $machine --enable vectors "$tmp/new.json" -o "$tmp/vectors.json" \
	2>"$tmp/err" || fail 'no baseline with vectors'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/vectors.json" -- "$qemu" -M $machine \
	-device virtio-net-pci,vectors=10
[ ! -s "$tmp/err" ] || fail 'words about vectors'
grep -q '^virtio-net-pci-base.vectors=' "$tmp/started" || fail 'vectors is not told'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/vectors.json" -- "$qemu" -M $machine \
	-global virtio-net-pci.vectors=10
says '-global virtio-net-pci.vectors=10 has no effect'
"$abibase" intersect --json -M $machine --enable queue-sizes "$tmp/new.json" -o "$tmp/queues.json" \
	2>"$tmp/err" || fail 'no baseline with queue sizes'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/queues.json" -- "$qemu" -M $machine \
	-global virtio-net-pci.rx_queue_size=1024
says '-global on virtio-net-pci with rx_queue_size=1024 defeats'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/tap.json" -- "$qemu" -M $machine \
	-netdev tap,id=n,fd=3,vhost=on,vhostfd=4
says '[command-backend]'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/tap.json" -- "$qemu" -M $machine \
	-netdev '{"type":"tap","id":"n","vhost":true}'
says '[command-backend]'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/tap.json" -- "$qemu" -M $machine \
	-netdev tap,id=n,vhost=off
silent_about '[command-backend]'

# Devices beside virtio-net, and numbers: what the operator wrote is in the record of this host only.
for profile in new old; do
	jq '.facts."operator.host_mtu" = 1500' "$tmp/$profile.json" >"$tmp/$profile-mtu.json"
done
"$abibase" intersect --json -M $machine --backend tap --with-device vhost-vsock \
	"$tmp/new-mtu.json" -o "$tmp/vsock.json" 2>/dev/null || fail 'no baseline with vhost-vsock'
vsock()
{
	text=$1
	shift
	try 42 "$abibase" exec --profile "$tmp/new-mtu.json" "$tmp/vsock.json" -- "$qemu" -M $machine "$@"
	[ -z "$text" ] || says "$text"
	[ -n "$text" ] || [ ! -s "$tmp/err" ] || fail "words about $*"
}
vsock '' -device vhost-vsock-pci,guest-cid=3,seqpacket=on -device virtio-net-pci,host_mtu=1500
grep -qx 'vhost-vsock-device.seqpacket=on' "$tmp/started" || fail 'seqpacket is not in the list'
grep -qx 'virtio-net-device.host_mtu=1500' "$tmp/started" || fail 'host_mtu is not in the list'
vsock 'seqpacket=auto defeats' -device vhost-vsock-pci,guest-cid=3,seqpacket=auto
vsock 'seqpacket=auto defeats' -device vhost-vsock-pci,id=v -set device.v.seqpacket=auto
vsock '' -device vhost-vsock-pci,guest-cid=3,seqpacket=off
vsock '[command-loses]' -global vhost-vsock-device.seqpacket=off
vsock 'seqpacket=auto defeats' -global vhost-vsock-pci.seqpacket=auto
vsock 'host_mtu=9000 defeats' -device virtio-net-pci,host_mtu=9000
vsock 'host_mtu=9000 defeats' -device '{"driver":"virtio-net-pci","host_mtu":9000}'
jq '.facts."vhost_vsock.features" = "0x000000013d000000"' "$tmp/new-mtu.json" >"$tmp/no-seq.json"
try 126 "$abibase" exec --profile "$tmp/no-seq.json" "$tmp/vsock.json" -- "$qemu" -M $machine \
	-device vhost-vsock-pci,guest-cid=3
not_started 'a host without seqpacket'
says 'vhost-vsock lacks what the baseline promises'
# the record of a host of another name does not state the number that the baseline tells guests
jq '.name = "elsewhere"' "$tmp/new.json" >"$tmp/elsewhere.json"
try 126 "$abibase" exec --profile "$tmp/elsewhere.json" "$tmp/vsock.json" -- "$qemu" -M $machine \
	-netdev tap,id=n -device virtio-net-pci,netdev=n
says 'does not state operator.host_mtu'
# what this host stated for the baseline holds where a probe could not know it
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/vsock.json" -- "$qemu" -M $machine

# ---------------------------------------------------------------------- emulator

export ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
conf '# what libvirt starts' '' "baseline = $tmp/base.json" "  qemu=$qemu  " \
	"profile	=	$tmp/new.json"

# query ARGUMENT...: goes through as it is
query()
{
	try 42 "$emulator" "$@"
	printf '%s\n' "$@" >"$tmp/want"
	same 'a query was touched' "$tmp/want" "$tmp/started"
	[ ! -s "$tmp/err" ] || fail "words about the query $*"
}
query -S -no-user-config -nodefaults -nographic -machine none,accel=kvm:tcg \
	-qmp unix:/nonexistent/qmp.monitor,server=on,wait=off -pidfile /nonexistent/qmp.pid -daemonize
query --version
query -version
query -help
query -h
query -device help
query -device virtio-net-pci,help
query -M none
query -machine q35 -machine none
query -machine help
query -cpu '?'
query -netdev user,id=n -device virtio-net-pci,netdev=n,help
query -name '-version' -cpu help

# What only looks like one is none.
for machines in '' '-version -M q35' '-M q35' '-machine none -machine q35' '-name help' \
	"-machine none -readconfig $tmp/device.cfg" '-name -cpu help' '-name -cpu -m help' \
	'-append -machine none' '-device virtio-net-pci,id=x,,help' '-nosuchoption -machine none' \
	'-nosuchoption x -cpu help' '-serial -version'; do
	# shellcheck disable=SC2086
	try 126 "$emulator" $machines $nic
	not_started "abibase-emulator $machines"
	says '[exec-refused]'
done

# libvirt QEMU-MONITOR...: the command line that libvirt makes, for "$@" instead of its sockets
libvirt_machine=$machine
libvirt()
{
	printf '%s\n' -name guest=vm,debug-threads=on -S \
		-machine "$libvirt_machine,usb=off,dump-guest-core=off,memory-backend=pc.ram" \
		-accel tcg -cpu qemu64 -m size=131072k \
		-object '{"qom-type":"memory-backend-ram","id":"pc.ram","size":134217728}' \
		-overcommit mem-lock=off -smp 1,sockets=1,cores=1,threads=1 \
		-uuid c7a5fdbd-edaf-9455-926a-d65c16db1809 -display none -no-user-config \
		-nodefaults "$@" -rtc base=utc -no-shutdown -boot strict=on \
		-device '{"driver":"pcie-root-port","port":8,"chassis":1,"id":"pci.1","bus":"pcie.0","addr":"0x1"}'
	printf '%s\n' "$netdev"
	printf '%s\n' \
		-device '{"driver":"virtio-net-pci","netdev":"hostnet0","id":"net0","mac":"52:54:00:e5:48:58","bus":"pci.1","addr":"0x0"}' \
		-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
		-msg timestamp=on
}
netdev="-netdev
tap,fd=33,vhost=on,vhostfd=34,id=hostnet0"
libvirt -chardev socket,id=charmonitor,fd=35,server=on,wait=off \
	-mon chardev=charmonitor,id=monitor,mode=control >"$tmp/words"
set --
while IFS= read -r word; do
	set -- "$@" "$word"
done <"$tmp/words"
try 42 "$emulator" "$@"
started "$@"
[ ! -s "$tmp/err" ] || fail 'words about the command line of libvirt'
conf "baseline = $tmp/base.json" "qemu = $qemu" "profile = $tmp/old.json"
try 126 "$emulator" "$@"
not_started 'libvirt on a host without tap USO'
says host_uso

chmod 664 "$tmp/emulator.conf"
try 126 "$emulator" --version
not_started 'a configuration that the group can write'
says "$tmp/emulator.conf: can be written by its group (mode 0664)"
chmod 644 "$tmp/emulator.conf"
conf "baseline = $tmp/base.json" "qemu = $qemu" "profile = $tmp/new.json"
chmod 666 "$tmp/base.json"
try 126 "$emulator" "$@"
not_started 'a baseline that everybody can write'
says "$tmp/base.json: can be written by everybody (mode 0666)"
chmod 644 "$tmp/base.json"
# also where it is only asked
chmod 777 "$qemu"
for question in yes no; do
	if [ $question = yes ]; then
		try 126 "$emulator" -version
	else
		try 126 "$emulator" "$@"
	fi
	not_started "a QEMU that everybody can write; question: $question"
	says "$qemu: can be written by everybody (mode 0777)"
done
chmod 755 "$qemu"

conf "baseline = $tmp/base.json" 'qemu = /nonexistent/qemu'
try 127 "$emulator" --version
conf "baseline = $tmp/base.json" "qemu = $emulator"
[ -x "$build/.libs/abibase-emulator" ] &&
	conf "baseline = $tmp/base.json" "qemu = $build/.libs/abibase-emulator"
try 126 "$emulator" --version
says 'this wrapper itself'
# a copy of it has another name and another inode
cp "$(sed -n 's/^qemu = //p' "$tmp/emulator.conf")" "$tmp/copy"
conf "baseline = $tmp/base.json" "qemu = $tmp/copy"
if [ "$(head -c 2 "$tmp/copy")" != '#!' ]; then
	try 126 timeout 30 "$emulator" --version
	says 'this wrapper itself'
fi
for bad in "qemu = $qemu" "baseline = $tmp/base.json" 'nosuchkey = /x' 'qemu = relative' qemu \
	"qemu = $qemu
qemu = $qemu"; do
	conf "$bad"
	try 126 "$emulator" --version
	not_started "a bad configuration: $bad"
	says '[emulator-conf]'
	says "$tmp/emulator.conf:"
done
rm "$tmp/emulator.conf"
try 126 "$emulator" --version
says "$tmp/emulator.conf: "

# ------------------------------------------------------------------- a real QEMU

real=/usr/bin/qemu-system-x86_64
missing()
{
	if [ "${ABIBASE_TEST_REQUIRE:-}" = 1 ]; then
		fail "$*"
	else
		echo "skipped: $*"
	fi
}

finish()
{
	[ "$failures" = 0 ] && exit 0
	echo "$failures failures"
	exit 1
}
[ -x $real ] || {
	missing "there is no $real"
	finish
}

real_entry=$("$abibase" probe --only=qemu --qemu=$real 2>"$tmp/err" | jq '.qemu[0]')
record debian-12 "$real_entry" >"$tmp/real.json"
"$abibase" intersect --json --disable=mergeable-buffers "$tmp/real.json" -o "$tmp/real-base.json" \
	2>"$tmp/err" || fail 'no baseline with the real QEMU'
real_machine=$(jq -r .machine "$tmp/real-base.json")

# The default is on; what QEMU says is off comes from the list. It ends as it was told to.
cat >"$tmp/qmp" <<'END'
{"execute": "qmp_capabilities"}
{"execute": "qom-get", "arguments": {"path": "/machine/peripheral/net0", "property": "mrg_rxbuf"}}
{"execute": "quit"}
END
# ran STATUS: after a command with $tmp/qmp as its input
ran()
{
	[ "$1" = 0 ] || fail "exit status $1"
	grep -q '^{"return": false}' "$tmp/out" || {
		fail 'QEMU does not have the list'
		sed 's/^/    /' "$tmp/out"
	}
}
"$abibase" exec --profile "$tmp/real.json" "$tmp/real-base.json" -- $real -M "$real_machine" \
	-accel tcg -display none -nodefaults -S -qmp stdio -device virtio-net-pci,id=net0 \
	<"$tmp/qmp" >"$tmp/out" 2>"$tmp/err"
ran $?
# Once it runs, the exit status is its own.
try 1 "$abibase" exec --profile "$tmp/real.json" "$tmp/real-base.json" -- $real \
	-M "$real_machine" -display none -nosuchoption

# This host as it is, asked when the guest starts
if "$abibase" probe --only=tap,vhost-net,qemu --qemu=$real -M "$real_machine" -o "$tmp/me.json" \
	2>"$tmp/err" && jq -e '.facts."tap.usable" == true' "$tmp/me.json" >"$tmp/out"; then
	"$abibase" intersect --json --backend tap -M "$real_machine" --disable=mergeable-buffers \
		"$tmp/me.json" -o "$tmp/me-base.json" 2>"$tmp/err" || fail 'no baseline of this host'
	"$abibase" exec "$tmp/me-base.json" -- $real -M "$real_machine" \
		-accel tcg -display none -nodefaults -S -qmp stdio -device virtio-net-pci,id=net0 \
		<"$tmp/qmp" >"$tmp/out" 2>"$tmp/err"
	ran $?
fi

# --------------------------- kernels as they were recorded, and a QEMU that knows USO

# Asked when the guest starts: what the probe sees is that kernel, nothing is recorded before.
newer=$qemus/trixie/usr
if [ -n "${SANITIZE_CFLAGS:-}" ]; then
	echo 'skipped: recorded kernels are not loaded before a sanitizer'
elif [ -x "$newer/bin/qemu-system-x86_64" ] && python3 -c "" && ${CC:-cc} -std=gnu11 -O2 -fPIC -ffreestanding \
	-fno-stack-protector -U_FORTIFY_SOURCE -fvisibility=hidden -shared -nostdlib \
	-o "$tmp/fakehost-preload.so" "$src/tests/oracle/fakehost.c"; then
	cat >"$tmp/qemu-10.0" <<-END
		#!/bin/sh
		exec "$newer/lib64/ld-linux-x86-64.so.2" --library-path \
			"$newer/lib/x86_64-linux-gnu:$newer/lib" \
			"$newer/bin/qemu-system-x86_64" -L "$newer/share/qemu" \
			-L "$newer/share/seabios" "\$@"
	END
	chmod +x "$tmp/qemu-10.0"
	program=$abibase
	if [ -x "$build/.libs/abibase" ]; then
		program=$build/.libs/abibase
		LD_LIBRARY_PATH=$build/lib/.libs
		export LD_LIBRARY_PATH
	fi
	# on KERNEL: starts a guest there with the baseline that has USO on
	on()
	{
		ABIBASE_FAKEHOST=$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$src/tests/oracle python3 -c "
import fakehost
print(fakehost.environment('$1', 'tap', '')['ABIBASE_FAKEHOST'])")
		export ABIBASE_FAKEHOST
		LD_PRELOAD=$tmp/fakehost-preload.so "$program" exec "$tmp/base.json" -- "$tmp/qemu-10.0" \
			-M $machine -accel tcg -display none -nodefaults -S -qmp stdio \
			-netdev tap,id=n,ifname=abi0,script=no,downscript=no -device \
			virtio-net-pci,netdev=n,id=net0 <"$tmp/qmp" >"$tmp/out" 2>"$tmp/err"
	}
	on 6.12
	status=$?
	[ $status = 0 ] || fail "exit status $status on Linux 6.12"
	grep -q '^{"QMP"' "$tmp/out" || fail 'QEMU 10.0 was not started on Linux 6.12'
	rm -f "$tmp/started"
	on 6.1
	status=$?
	[ $status = 126 ] || fail "exit status $status on Linux 6.1"
	not_started 'Linux 6.1'
	[ "$(grep -c 'TUN_F_USO' "$tmp/err")" = 1 ] || fail 'not one message about Linux 6.1'
	for word in tap guest_uso4 guest_uso6 host_uso; do
		grep TUN_F_USO "$tmp/err" | grep -qF -e "$word" || fail "no $word about Linux 6.1"
	done
	grep -A1 TUN_F_USO "$tmp/err" | grep -q '^  remedy: .*tap USO' || fail 'no remedy on 6.1'
	unset ABIBASE_FAKEHOST LD_LIBRARY_PATH
else
	missing "no $newer: tests/fetch-qemus fetches it"
fi

# ------------------------------------------- as libvirt: a tap by its number, as nobody

if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ] || ! unshare -m -n true 2>/dev/null; then
	missing 'a passed tap takes root, /dev/net/tun and namespaces'
	finish
fi
command -v python3 >/dev/null || {
	missing 'a passed tap takes python3'
	finish
}

# Where nobody can read it
view "$tmp/view"
cp "$tmp/real.json" "$tmp/real-base.json" "$tmp/old.json" "$tmp/base.json" "$tmp/view/"
conf "baseline = $tmp/view/real-base.json" "qemu = $real" "profile = $tmp/view/real.json"
cp "$tmp/emulator.conf" "$tmp/view/"
chmod -R u=rwX,go=rX "$tmp/view"

# In namespaces of its own: a tap, then no device node that anybody could open, then nobody.
cat >"$tmp/nobody.py" <<'END'
import fcntl, os, struct, subprocess, sys

fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"abi0", 0x5002))  # tap, no pi, vnet_hdr
os.set_inheritable(fd, True)
os.dup2(fd, 33)
subprocess.check_call(["mount", "-t", "tmpfs", "tmpfs", "/dev/net"])
if os.path.exists("/dev/vhost-net"):
    subprocess.check_call(["mount", "--bind", "/dev/null", "/dev/vhost-net"])
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
os.chdir("/")
os.execv(sys.argv[1], sys.argv[1:])
END
netdev="-netdev
tap,fd=33,id=hostnet0"
libvirt_machine=$real_machine
libvirt -qmp stdio >"$tmp/words"
set --
while IFS= read -r word; do
	set -- "$@" "$word"
done <"$tmp/words"
as_nobody()
{
	LD_LIBRARY_PATH="$tmp/view" ABIBASE_DATADIR="$tmp/view/data" \
		ABIBASE_EMULATOR_CONF="$tmp/view/emulator.conf" HOME=/nonexistent \
		unshare -m -n --propagation private python3 "$tmp/nobody.py" \
		"$tmp/view/abibase-emulator" "$@" <"$tmp/qmp" >"$tmp/out" 2>"$tmp/err"
}
as_nobody "$@"
ran $?
[ ! -s "$tmp/err" ] || fail 'words about a start as nobody'
# Without the record it cannot tell, and says so: nobody may open a node.
sed -i '/^profile/d' "$tmp/view/emulator.conf"
as_nobody "$@"
status=$?
[ $status = 126 ] || fail "exit status $status as nobody without a record"
says unknown
says '[exec-refused]'
# On a host without tap USO, whose record says so, it is named and QEMU is not started.
cat >"$tmp/view/emulator.conf" <<END
baseline = $tmp/view/base.json
qemu = $qemu
profile = $tmp/view/old.json
END
rm -f "$tmp/started"
libvirt_machine=$machine
libvirt >"$tmp/words"
set --
while IFS= read -r word; do
	set -- "$@" "$word"
done <"$tmp/words"
as_nobody "$@"
status=$?
[ $status = 126 ] || fail "exit status $status as nobody on a host without tap USO"
not_started 'as nobody on a host without tap USO'
[ "$(grep -c 'TUN_F_USO' "$tmp/err")" = 1 ] || fail 'not one message for nobody'
for word in here: tap guest_uso4 guest_uso6 host_uso; do
	grep TUN_F_USO "$tmp/err" | grep -qF -e "$word" || fail "nobody's message has no $word"
done
grep -A1 TUN_F_USO "$tmp/err" | grep -q '^  remedy: .*tap USO' || fail 'no remedy for nobody'
# A question to QEMU takes no record.
as_nobody --version
status=$?
[ $status = 42 ] || fail "exit status $status for --version as nobody"
finish
