#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# abibase verify, and exec --verify: real QEMUs of tests/fetch-qemus, on recorded kernels (the library
# of tests/oracle/fakehost.c stands for them) and on the real /dev/net/tun. What is equal is said to be
# equal; what is not is named with its cause; nothing of a command line is touched.
#
# The words of a command line are split on purpose.
# shellcheck disable=SC2086,SC2089,SC2090,SC2046,SC2016
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

emulator=$build/abibase-emulator
fakehost=$build/tests/oracle/fakehost-preload.so

need jq python3
[ -r /proc/sys/kernel/random/boot_id ] || skip "needs the boot id"
unshare -n true 2>/dev/null || unshare -Urn true 2>/dev/null || skip "needs network namespaces"
need_qemus bullseye bookworm trixie trixie-backports
boot=$(cat /proc/sys/kernel/random/boot_id)

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
export XDG_CACHE_HOME="$tmp/cache"
failures=0
verified=0
kernels='5.10 6.1 6.12 7.2'

fail()
{
	echo "FAIL: $*"
	sed 's/^/    stdout: /' "$tmp/out" 2>/dev/null
	sed 's/^/    stderr: /' "$tmp/err" 2>/dev/null
	failures=$((failures + 1))
}

# Of an uninstalled program the program itself, not libtool's wrapper script: a shell is preloaded too.
program=$abibase
if [ -x "$build/.libs/abibase" ]; then
	export LD_LIBRARY_PATH="$build/lib/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
	program=$build/.libs/abibase
fi

# ------------------------------------------------------------------- QEMUs and hosts

# Each runs by its own loader and writes down what it was started with.
for suite in bullseye bookworm trixie trixie-backports; do
	root=$qemus/$suite
	lib=$root/usr/lib/x86_64-linux-gnu
	cat >"$tmp/qemu-$suite" <<END
#!/bin/sh
unset LD_LIBRARY_PATH
printf '%s\n' "\$@" >"$tmp/words"
ls -l /proc/self/fd >"$tmp/fds"
readlink /proc/self/ns/net >"$tmp/netns"
export QEMU_MODULE_DIR=$lib/qemu
exec $lib/ld-linux-x86-64.so.2 --library-path $lib $root/usr/bin/qemu-system-x86_64 \
	-L $root/usr/share/seabios -L $root/usr/share/qemu "\$@"
END
	chmod +x "$tmp/qemu-$suite"
done
version_of()
{
	case $1 in
	bullseye) echo 5.2.0 ;;
	bookworm) echo 7.2.22 ;;
	trixie) echo 10.0.13 ;;
	trixie-backports) echo 11.1.3 ;;
	esac
}

# host NAME KERNEL SUITE: that kernel with that QEMU, as a record of this boot, in NAME.json
host()
{
	jq --arg name "$1" --arg boot "$boot" --arg path "$tmp/qemu-$3" \
		--slurpfile qemu "$src/tests/data/qemu/$(version_of "$3").json" \
		'.name = $name | .boot_id = $boot
		| .qemu = [$qemu[0] + {path: $path} | del(.build_id)]' \
		"$src/tests/data/hosts/linux-$2.json" >"$tmp/$1.json"
}

# on KERNEL COMMAND...: with the library that is that kernel
on()
{
	kernel=$1
	shift
	words=$(cat "$tmp/fakehost-$kernel")
	LD_PRELOAD=$fakehost ABIBASE_FAKEHOST=$words \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "$@"
}
for kernel in $kernels; do
	PYTHONDONTWRITEBYTECODE=1 python3 "$src/tests/oracle/fakehost.py" $kernel tap \
		>"$tmp/fakehost-$kernel" || exit 99
done

# verify STATUS KERNEL HOST ARGUMENT...: the answer is on $tmp/out, and as JSON in $tmp/json
verify()
{
	want=$1 where=$2 as=$3
	shift 3
	on "$where" "$program" verify --profile="$tmp/$as.json" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ "$got" = "$want" ] || fail "verify on $where as $as: $*: exit status $got, not $want"
	[ ! -s "$tmp/err" ] || fail "verify: words on stderr: $*"
	case " $* " in *' --json '*) cp "$tmp/out" "$tmp/answer-$verified.json" ;; esac
	verified=$((verified + 1))
}


# says TEXT...: the answer has each of them
says()
{
	for text; do
		tr '\n' ' ' <"$tmp/out" | tr -s ' ' | grep -qF -e "$text" ||
			fail "the answer does not say: $text"
	done
}

baseline()
{
	out=$1
	shift
	"$program" intersect --json -o "$tmp/$out" "$@" 2>"$tmp/err" || fail "no baseline: $*"
}

for kernel in $kernels; do
	for suite in bullseye bookworm trixie trixie-backports; do
		host "$kernel-$suite" $kernel $suite
	done
done

# ----------------------------------------------------------------------- what is equal

# Each QEMU on kernels that differ, under its newest machine type and an older one, by its own list.
for pair in 5.10-bullseye:pc-q35-5.2 6.1-bookworm:pc-q35-7.2 6.12-trixie:pc-q35-10.0 \
	6.1-trixie:pc-q35-8.2 7.2-trixie-backports:pc-q35-11.1 6.12-trixie-backports:pc-q35-7.2; do
	as=${pair%:*}
	machine=${pair#*:}
	baseline one.json "$tmp/$as.json" -M $machine
	verify 0 "${as%%-*}" "$as" "$tmp/one.json" -- "$tmp/qemu-${as#*-}"
	says 'on tap: equal' 'on tap+vhost: equal'
done

# Two hosts: the list, on both, in each spelling of a device.
baseline two.json "$tmp/6.1-trixie.json" "$tmp/7.2-trixie.json" -M pc-q35-10.0
list=$("$program" intersect "$tmp/6.1-trixie.json" "$tmp/7.2-trixie.json" -M pc-q35-10.0 \
	2>"$tmp/err") || fail 'no list'
printf '%s\n' "$list" >"$tmp/list"
"$program" intersect -f readconfig "$tmp/6.1-trixie.json" "$tmp/7.2-trixie.json" -M pc-q35-10.0 \
	>"$tmp/list.cfg" 2>"$tmp/err"
q="$tmp/qemu-trixie -M pc-q35-10.0"
tap="-netdev tap,id=n0,ifname=tap7,script=no,downscript=no"
vhost="-netdev tap,id=n1,fd=33,vhost=on,vhostfd=34"
printf '[netdev "n0"]\n  type = "tap"\n\n[device "net0"]\n  driver = "virtio-net-pci"\n  netdev = "n0"\n' \
	>"$tmp/device.cfg"
for kernel in 6.1 7.2; do
	for devices in \
		"$tap -device virtio-net-pci,netdev=n0" \
		"$tap -device virtio-net,netdev=n0,id=net0,mac=52:54:00:12:34:56" \
		"$tap -device virtio-net-pci-transitional,netdev=n0 --device virtio-net-pci-non-transitional" \
		"$vhost -device {\"driver\":\"virtio-net-pci\",\"netdev\":\"n1\",\"id\":\"net0\",\"vectors\":4}" \
		"-netdev {\"type\":\"tap\",\"id\":\"n1\",\"vhost\":true,\"queues\":4} -device virtio-net-pci,netdev=n1,mq=on,vectors=10" \
		"-nic tap,model=virtio-net-pci,ifname=tap7" \
		"-nic tap,model=virtio,vhost=on" \
		"$tap -net nic,model=virtio,netdev=n0" \
		"-netdev bridge,id=n0,br=br0 -device virtio-net-pci,netdev=n0" \
		"-readconfig $tmp/device.cfg" \
		"-device pcie-root-port,id=pci.1,chassis=1 $tap -device virtio-net-pci,netdev=n0,bus=pci.1,addr=0x0"; do
		verify 0 $kernel $kernel-trixie "$tmp/two.json" -- $q $devices $list
		says ': equal'
	done
	verify 0 $kernel $kernel-trixie "$tmp/two.json" -- $q $tap -device virtio-net-pci,netdev=n0 \
		-readconfig "$tmp/list.cfg"
	says ': equal'
	verify 0 $kernel $kernel-trixie "$tmp/two.json" -- LC_ALL=C PATH=/none $q $list -m 512
	says 'there is no virtio-net device on the command line'
done
# Without a device nothing is read of it, but it has to run.
printf '#!/bin/sh\nexit 1\n' >"$tmp/qemu-dead"
chmod +x "$tmp/qemu-dead"
jq --arg path "$tmp/qemu-dead" '.qemu[].path = $path' "$tmp/7.2-trixie.json" >"$tmp/dead.json"
verify 3 7.2 dead "$tmp/two.json" -- "$tmp/qemu-dead" -machine pc-q35-10.0 -m 512
says 'there is no virtio-net device on the command line' 'could not be read: it exited with status 1'
# What a command line alone decides is told, and is no difference; so is a backend of no host.
verify 0 7.2 7.2-trixie "$tmp/two.json" -- $q $list $tap -device virtio-net-pci,netdev=n0,mq=on,id=net0 \
	-netdev user,id=u0 -device virtio-net-pci,netdev=u0,id=net1 -net nic,model=virtio
says 'net0 on tap: equal' 'VIRTIO_NET_F_MQ (bit 22) is on by -device virtio-net-pci' \
	'net1 on user: not judged' 'on a hub: not judged'

# What an option takes from the device is taken wherever it goes: QEMU obeys an "off".
for device in virtio-net-pci,netdev=n0,id=net0,csum=off virtio-net-pci,netdev=n0,id=net0,event_idx=off \
	'{"driver":"virtio-net-pci","netdev":"n0","id":"net0","guest_tso4":false}'; do
	verify 0 7.2 7.2-trixie "$tmp/two.json" -- $q $list $tap -device "$device"
	says 'net0 on tap: equal' 'is off by -device virtio-net-pci' '[verify-own]'
done
verify 0 7.2 7.2-trixie "$tmp/two.json" -- $q $list $tap -device virtio-net-pci,netdev=n0,id=net0 \
	-set device.net0.csum=off -global virtio-net-pci.event_idx=off
says 'VIRTIO_NET_F_CSUM (bit 0) is off by -set device.net0' \
	'VIRTIO_RING_F_EVENT_IDX (bit 29) is off by -global virtio-net-pci'
# An MTU that no host states, as KubeVirt and qemu-server give it: on tap+vhost too
for devices in "$tap -device virtio-net-pci,netdev=n0,id=net0,host_mtu=1450" \
	"$vhost -device virtio-net-pci,netdev=n1,id=net0,host_mtu=1450"; do
	verify 0 7.2 7.2-trixie "$tmp/two.json" -- $q $list $devices
	says ': equal' 'VIRTIO_NET_F_MTU (bit 3) is on by -device virtio-net-pci' \
		'do not state operator.host_mtu, so whether their networks carry 1450 is not known'
done
# A network card without a ROM has none of another size, whatever the list says of sizes.
for host in 6.1-trixie 7.2-trixie; do
	jq '.qemu[].shape = {"pc-q35-10.0": {"tap": {"rom_size": 524288}}}' "$tmp/$host.json" \
		>"$tmp/rom-$host.json"
done
baseline rom.json "$tmp/rom-6.1-trixie.json" "$tmp/rom-7.2-trixie.json" -M pc-q35-10.0
rom_list=$("$program" intersect "$tmp/rom.json" -M pc-q35-10.0 2>"$tmp/err") || fail 'no list'
case $rom_list in
*virtio-net-pci-base.romsize=524288*) ;;
*) fail 'the list sets no romsize' ;;
esac
for without in romfile= rombar=0; do
	verify 0 7.2 rom-7.2-trixie "$tmp/rom.json" -- $q $rom_list $tap \
		-device virtio-net-pci,netdev=n0,id=net0,$without
	says 'net0 on tap: equal'
	! grep -q 'verify-rom' "$tmp/out" || fail "a card with $without is taken for one with a ROM"
done
# A number or a part of the layout that the list sets: a later -global wins, and no bit shows it. An
# option of the guest's own device it has wherever it goes.
for host in 6.1-trixie 7.2-trixie; do
	paged=$([ $host = 7.2-trixie ] && echo true || echo false)
	jq --argjson paged "$paged" '.qemu[].values."pc-q35-10.0"."virtio-net-pci-base.page-per-vq" = $paged
		| .qemu[].build_id = .name' "$tmp/rom-$host.json" >"$tmp/set-$host.json"
done
baseline set.json --enable queue-sizes --enable vectors "$tmp/set-6.1-trixie.json" \
	"$tmp/set-7.2-trixie.json" -M pc-q35-10.0
set_list=$("$program" intersect "$tmp/set.json" -M pc-q35-10.0 2>"$tmp/err") || fail 'no list'
for other in virtio-net-pci-base.page-per-vq=on virtio-net-pci.page-per-vq=on \
	virtio-net-pci-base.vectors=9 virtio-net-pci.vectors=9 virtio-net-pci-base.romsize=1048576 \
	virtio-net-device.rx_queue_size=1024 virtio-net-pci.rx_queue_size=512; do
	verify 1 7.2 rom-7.2-trixie "$tmp/set.json" -- $q $set_list $tap \
		-device virtio-net-pci,netdev=n0,id=net0 -global $other
	says 'net0 on tap: differs' "-global ${other%.*} has ${other#*.}, and the baseline has" \
		'[verify-number]'
done
verify 0 7.2 rom-7.2-trixie "$tmp/set.json" -- $q $set_list $tap \
	-device virtio-net-pci,netdev=n0,id=net0 -global virtio-net-pci.page-per-vq=no \
	-global virtio-net-pci.romsize=0x80000
says 'net0 on tap: equal'
verify 0 7.2 rom-7.2-trixie "$tmp/set.json" -- $q $set_list $tap \
	-device virtio-net-pci,netdev=n0,id=net0,rx_queue_size=1024,vectors=7,romsize=1048576
says 'net0 on tap: equal' 'receive queue size is 1024 by -device virtio-net-pci' \
	'MSI-X vectors is 7 by' 'ROM size is 1048576 by' 'the baseline has 524288'
# Without the list it is as the QEMU has it.
jq 'del(.qemu[].build_id)' "$tmp/set-7.2-trixie.json" >"$tmp/paged-7.2-trixie.json"
for words in "$set_list:0" "$(echo "$set_list" | sed 's/-global [^ ]*page-per-vq=off//'):1"; do
	verify ${words##*:} 7.2 paged-7.2-trixie "$tmp/set.json" -- $q ${words%:*} $tap \
		-device virtio-net-pci,netdev=n0,id=net0
done
says 'no option sets page-per-vq, which this QEMU has as on, and the baseline as off'
# One that they do state is a limit.
for host in 6.1-trixie 7.2-trixie; do
	jq '.facts."operator.host_mtu" = 1500' "$tmp/$host.json" >"$tmp/mtu-$host.json"
done
baseline mtu.json "$tmp/mtu-6.1-trixie.json" "$tmp/mtu-7.2-trixie.json" -M pc-q35-10.0
mtu_list=$("$program" intersect "$tmp/mtu.json" -M pc-q35-10.0 2>"$tmp/err") || fail 'no list'
for mtu in 1500 1450 0; do
	verify 0 7.2 mtu-7.2-trixie "$tmp/mtu.json" -- $q $mtu_list $tap \
		-device virtio-net-pci,netdev=n0,id=net0,host_mtu=$mtu
	says 'net0 on tap: equal'
done
verify 1 7.2 mtu-7.2-trixie "$tmp/mtu.json" -- $q $mtu_list $tap \
	-device virtio-net-pci,netdev=n0,id=net0,host_mtu=9000
says 'net0 on tap: differs' 'has host_mtu=9000, and every host of the baseline can do no more than 1500' \
	'[verify-number]'
# qemu-server's own options
verify 0 7.2 7.2-trixie "$tmp/two.json" -- $q $list $vhost -device \
	virtio-net-pci,mac=52:54:00:12:34:56,netdev=n1,bus=pcie.0,addr=0x12,id=net0,rx_queue_size=1024,tx_queue_size=256,bootindex=102,host_mtu=1500
says 'net0 on tap+vhost: equal'

# Legacy devices, for hosts of which one has a vhost-net without VIRTIO_F_VERSION_1
baseline legacy.json "$tmp/6.1-trixie.json" "$tmp/7.2-trixie.json" -M pc-q35-10.0 \
	--disable virtio-version
legacy_list=$("$program" intersect "$tmp/legacy.json" 2>"$tmp/err") || fail 'no list'
verify 0 7.2 7.2-trixie "$tmp/legacy.json" -- "$tmp/qemu-trixie"
says 'on tap: equal' 'on tap+vhost: equal'
verify 0 7.2 7.2-trixie "$tmp/legacy.json" -- $q $legacy_list -device pcie-root-port,id=pci.1,chassis=1 \
	$vhost -device virtio-net-pci,netdev=n1,bus=pci.1,addr=0x0,id=net0
says 'net0 on tap+vhost: equal'
verify 1 7.2 7.2-trixie "$tmp/legacy.json" -- $q $list $vhost -device virtio-net-pci,netdev=n1,id=net0
says 'VIRTIO_F_VERSION_1 (bit 32)' 'no option turns it off' 'put the list of the baseline'
# A QEMU that cuts what qemu-server puts behind the machine type; this one stands for it.
printf '%s\n' '#!/bin/bash' "exec $tmp/qemu-trixie \"\${@/+pve?/}\"" >"$tmp/qemu-pve"
chmod 755 "$tmp/qemu-pve"
jq --arg path "$tmp/qemu-pve" '.qemu[0].path = $path | .qemu[0].package = "pve-qemu-kvm_10.0.2-4"' \
	"$tmp/7.2-trixie.json" >"$tmp/pve.json"
for name in pc-q35-10.0+pve1 q35+pve0; do
	verify 0 7.2 pve "$tmp/two.json" -- "$tmp/qemu-pve" -M $name $list $tap \
		-device virtio-net-pci,netdev=n0,id=net0
	says 'net0 on tap: equal'
done
verify 1 7.2 7.2-trixie "$tmp/two.json" -- "$tmp/qemu-trixie" -M pc-q35-10.0+pve1 $list $tap \
	-device virtio-net-pci,netdev=n0
says '[command-machine]'
baseline tunnel.json "$tmp/7.2-trixie-backports.json" -M pc-q35-11.1
tunnel_list=$("$program" intersect "$tmp/tunnel.json" 2>"$tmp/err") || fail 'no list'
verify 0 7.2 7.2-trixie-backports "$tmp/tunnel.json" -- "$tmp/qemu-trixie-backports" -M pc-q35-11.1 \
	$tunnel_list $vhost -device virtio-net-pci,netdev=n1,id=net0,host_tunnel=off,host_mtu=1500
says 'net0 on tap+vhost: equal' 'VIRTIO_NET_F_HOST_UDP_TUNNEL_GSO (bit 67) is off by -device'

# --------------------------------------------------------------------- what is not equal

# No list: QEMU turns on what the kernel has.
verify 1 7.2 7.2-trixie "$tmp/two.json" -- $q $tap -device virtio-net-pci,netdev=n0,id=net0 \
	$vhost -device virtio-net-pci,netdev=n1,id=net1
says 'net0 on tap: differs' 'net1 on tap+vhost: differs' \
	'differs command line: offered, and off in the baseline: no option turns its property off [verify-offered]' \
	'for virtio-net-device.queue_reset (VIRTIO_F_RING_RESET, bit 40), guest_uso4 (VIRTIO_NET_F_GUEST_USO4, bit 54), guest_uso6 (VIRTIO_NET_F_GUEST_USO6, bit 55), host_uso (VIRTIO_NET_F_HOST_USO, bit 56)' \
	'remedy put the list of the baseline behind the arguments'
# On the older kernel the guest happens to be offered the same: it is equal, and by luck.
verify 0 6.1 6.1-trixie "$tmp/two.json" -- $q $vhost -device virtio-net-pci,netdev=n1
# A wrong list
wrong=$(sed 's/host_uso=off/host_uso=on/; s/\.csum=on/.csum=off/' "$tmp/list")
verify 1 7.2 7.2-trixie "$tmp/two.json" -- $q $wrong $tap -device virtio-net-pci,netdev=n0,id=net0
says '(VIRTIO_NET_F_HOST_USO, bit 56)' '-global virtio-net-device has host_uso=on [verify-offered]' \
	'(VIRTIO_NET_F_CSUM, bit 0)' '-global virtio-net-device has csum=off [verify-missing]'
# What defeats the list, whatever its place
defeat()
{
	text=$1
	shift
	verify 1 7.2 7.2-trixie "$tmp/two.json" -- $q "$@" $list
	says '(VIRTIO_NET_F_HOST_USO, bit 56)' "$text" 'remedy leave that out'
}
defeat '-device virtio-net-pci has host_uso=on' $tap -device virtio-net-pci,netdev=n0,host_uso=on
defeat '-device virtio-net-pci has host_uso=on' $tap \
	-device '{"driver":"virtio-net-pci","netdev":"n0","host_uso":true}'
defeat '-device virtio-net-pci-non-transitional has host_uso=yes' $tap \
	-device virtio-net-pci-non-transitional,netdev=n0,host_uso=yes
defeat '-global virtio-net-pci has host_uso=on' $tap -device virtio-net-pci,netdev=n0 \
	-global virtio-net-pci.host_uso=on
defeat '-global virtio-net-pci-base has host_uso=on' $tap \
	-device virtio-net-pci-transitional,netdev=n0 -global \
	driver=virtio-net-pci-base,property=host_uso,value=on
defeat '-set device.net0 has host_uso=on' $tap -device virtio-net-pci,netdev=n0,id=net0 \
	-set device.net0.host_uso=on
defeat '-global virtio-net-pci has host_uso=on' -nic tap,model=virtio \
	-global virtio-net-pci.host_uso=on
printf '[device "net9"]\n  driver = "virtio-net-pci"\n  netdev = "n0"\n  host_uso = "on"\n' \
	>"$tmp/defeat.cfg"
defeat 'net9 on tap: differs' $tap -readconfig "$tmp/defeat.cfg"
# A proxy class of another kind is none of this device's, and one device is not the other.
verify 0 7.2 7.2-trixie "$tmp/two.json" -- $q $tap -device virtio-net-pci-non-transitional,netdev=n0 \
	-global virtio-net-pci.host_uso=on $list
verify 1 7.2 7.2-trixie "$tmp/two.json" -- $q $list $tap -device virtio-net-pci,netdev=n0,id=good \
	$vhost -device virtio-net-pci,netdev=n1,id=bad,guest_uso4=on
says 'good on tap: equal' 'bad on tap+vhost: differs' '-device virtio-net-pci has guest_uso4=on'
# A legacy device
verify 1 7.2 7.2-trixie "$tmp/two.json" -- $q $list $tap \
	-device virtio-net-pci,netdev=n0,disable-modern=on,disable-legacy=off,id=net0
says 'VIRTIO_F_VERSION_1 (bit 32)' 'has disable-modern=on'

# What the host masks: the baseline of a newer kernel, on an older one.
baseline new.json "$tmp/7.2-trixie.json" -M pc-q35-10.0
verify 1 6.1 6.1-trixie "$tmp/new.json" -- "$tmp/qemu-trixie"
says 'on tap: differs' 'on tap+vhost: differs' \
	'differs tap: not offered, and on in the baseline: the kernel' \
	'for virtio-net-device.guest_uso4 (VIRTIO_NET_F_GUEST_USO4, bit 54), guest_uso6 (VIRTIO_NET_F_GUEST_USO6, bit 55), host_uso (VIRTIO_NET_F_HOST_USO, bit 56)' \
	'differs vhost-net: not offered, and on in the baseline: ' \
	'for virtio-net-device.queue_reset (VIRTIO_F_RING_RESET, bit 40) remedy '
verify 1 6.1 6.1-trixie --json "$tmp/new.json" -- "$tmp/qemu-trixie"
jq -e '.schema == "abibase-verify/1" and .verdict == "no"
	and ([.devices[] | .verdict] == ["no", "no"])
	and ([.findings[] | select(.device == "tap") | .property] | sort) ==
		["virtio-net-device.guest_uso4", "virtio-net-device.guest_uso6",
		"virtio-net-device.host_uso"]
	and all(.findings[]; .remedy != null and .layer != null)' "$tmp/out" >"$tmp/jq" ||
	fail 'another document than expected'
# Where nothing is known of the host, the facts that it may lack are named as such.
jq '.facts |= with_entries(.value = {"unknown": "not-asked"})' "$tmp/6.1-trixie.json" >"$tmp/blind.json"
verify 1 6.1 blind "$tmp/new.json" -- $q $tap -device virtio-net-pci,netdev=n0 \
	$("$program" intersect "$tmp/7.2-trixie.json" -M pc-q35-10.0 2>"$tmp/err2")
says '(VIRTIO_NET_F_HOST_USO, bit 56)' 'it is not known whether not'

# No vnet header. What is masked then is seen below, for the library knows no tap without one.
verify 1 7.2 7.2-trixie "$tmp/two.json" -- $q $list -netdev tap,id=n0,vnet_hdr=off \
	-device virtio-net-pci,netdev=n0
says '"the tap has IFF_VNET_HDR" does not hold (requirement tap-vnet-hdr)' '[verify-requirement]'
# Another machine type, none, and a backend that the baseline is not for
verify 1 7.2 7.2-trixie "$tmp/two.json" -- "$tmp/qemu-trixie" -M q35 $tap $list
says 'the command line has q35 [command-machine]'
verify 1 7.2 7.2-trixie "$tmp/two.json" -- "$tmp/qemu-trixie" $tap $list
says 'names none'
baseline tap.json --backend tap "$tmp/6.1-trixie.json" "$tmp/7.2-trixie.json" -M pc-q35-10.0
verify 1 7.2 7.2-trixie "$tmp/tap.json" -- $q $list $vhost -device virtio-net-pci,netdev=n1
says 'the baseline does not cover its backend, tap+vhost [verify-backend]'
# A host without vhost-net
jq '.facts."vhost_net.usable" = false' "$tmp/7.2-trixie.json" >"$tmp/novhost.json"
verify 1 7.2 novhost "$tmp/two.json" -- $q $list $vhost -device virtio-net-pci,netdev=n1
says 'this host does not have its backend, tap+vhost' '[verify-no-backend]'
verify 0 7.2 novhost "$tmp/two.json" -- "$tmp/qemu-trixie"
says 'on tap: equal' 'on tap+vhost: not judged'
# A QEMU that does not have the machine type
verify 1 6.1 6.1-bookworm "$tmp/two.json" -- "$tmp/qemu-bookworm" -M pc-q35-10.0 $tap $list
says 'qemu-bookworm does not have the machine type pc-q35-10.0 of the baseline [host-without-machine]'
verify 1 6.1 6.1-bookworm "$tmp/two.json" -- "$tmp/qemu-bookworm"
says '[host-without-machine]'
# A list for another QEMU: it does not start.
verify 1 6.1 6.1-bookworm "$tmp/two.json" -- "$tmp/qemu-bookworm" -M pc-q35-7.2 $tap
baseline old.json "$tmp/6.1-trixie.json" "$tmp/6.1-bookworm.json" -M pc-q35-7.2
verify 1 6.1 6.1-bookworm "$tmp/old.json" -- "$tmp/qemu-bookworm" -M pc-q35-7.2 $tap \
	-device virtio-net-pci,netdev=n0 -global virtio-net-device.host_uso=off
says "does not start with these options" "host_uso" '[verify-refused]' 'abibase intersect --for'
# The queues of 10.0.13 are too long for a destination.
baseline queues.json "$tmp/6.1-bookworm.json" "$tmp/6.1-trixie-backports.json" -M pc-q35-7.2
verify 1 6.1 6.1-trixie "$tmp/queues.json" -- "$tmp/qemu-trixie"
says 'queue 0 has 1024 entries, and the QEMU of 6.1-trixie-backports' 'refuses more than 256' \
	'[verify-queue-size]'
baseline queues-small.json --no-inputs "$tmp/6.1-bookworm.json" "$tmp/6.1-trixie-backports.json" -M pc-q35-7.2
verify 1 6.1 6.1-trixie "$tmp/queues-small.json" -- "$tmp/qemu-trixie"
says 'queue 0 has 1024 entries, and the QEMU of the hosts of the baseline' 'refuses more than 256' \
	'[verify-queue-size]'
# A receive queue is as large there as the command line says; the others are not.
queues_list=$("$program" intersect "$tmp/queues.json" --for 6.1-bookworm)
verify 0 6.1 6.1-bookworm "$tmp/queues.json" -- "$tmp/qemu-bookworm" -M pc-q35-7.2 $queues_list $tap \
	-device virtio-net-pci,netdev=n0,rx_queue_size=1024,tx_queue_size=256
verify 1 6.1 6.1-trixie "$tmp/queues.json" -- "$tmp/qemu-trixie" -M pc-q35-7.2 $queues_list $tap \
	-device virtio-net-pci,netdev=n0,rx_queue_size=1024,tx_queue_size=256
says 'queue 1 has 1024 entries' 'refuses more than 256' '[verify-queue-size]'
baseline source.json "$tmp/6.1-trixie.json" "$tmp/6.1-trixie-backports.json" -M pc-q35-7.2 \
	--dest 6.1-trixie
verify 0 6.1 6.1-trixie "$tmp/source.json" -- "$tmp/qemu-trixie"

# A build that forgets the entry of an old machine type; what the command line sets is the guest's.
printf '#!/bin/sh\nexec %s -global virtio-net-pci-base.vectors=5 "$@"\n' "$tmp/qemu-trixie" \
	>"$tmp/qemu-other"
chmod 755 "$tmp/qemu-other"
jq --arg path "$tmp/qemu-other" '.qemu[0].path = $path | del(.qemu[0].build_id)' \
	"$tmp/6.1-trixie.json" >"$tmp/other.json"
verify 1 6.1 other "$tmp/source.json" -- "$tmp/qemu-other"
says 'its MSI-X table has 5 entries, and those of the baseline have 4' '[verify-vectors]'
source_list=$("$program" intersect "$tmp/source.json" --for 6.1-trixie)
verify 0 6.1 6.1-trixie "$tmp/source.json" -- "$tmp/qemu-trixie" -M pc-q35-7.2 $source_list $tap \
	-device virtio-net-pci,netdev=n0,vectors=10

# --------------------------------------------------------------------- what cannot be told

verify 3 7.2 7.2-trixie "$tmp/two.json" -- $q $list -readconfig "$tmp/nosuchfile"
says 'cannot be looked into' '[verify-not-seen]'
verify 3 7.2 7.2-trixie --json "$tmp/two.json" -- $q $list -device virtio-net-pci,netdev=x \
	-net nic,model=virtio -drive x
verify 3 7.2 7.2-trixie "$tmp/two.json" -- $q $list $tap -device virtio-net-pci,netdev=n0,id=net0 \
	-chardev socket,id=c,path=/nonexistent -netdev vhost-user,id=v,chardev=c \
	-device virtio-net-pci,netdev=v,id=net1
says 'net0 on tap: equal' 'net1 on vhost-user: cannot tell' 'decided by the other side'
verify 3 7.2 7.2-trixie "$tmp/two.json" -- $q $list -device virtio-net-pci,netdev=nosuch,id=net0
says 'its netdev nosuch is not on the command line'
verify 3 7.2 7.2-trixie "$tmp/two.json" -- $q $list $tap -device virtio-net-device,netdev=n0
says 'not on a PCI bus'

# A QEMU that crashes, hangs, talks nonsense, or is none: one sentence each
odd()
{
	text=$1 name=$2
	shift 2
	{
		echo '#!/bin/sh'
		printf '%s\n' "$@"
	} >"$tmp/odd"
	chmod +x "$tmp/odd"
	jq --arg path "$tmp/odd" '.qemu[0].path = $path' "$tmp/7.2-trixie.json" >"$tmp/odd.json"
	verify 3 7.2 odd --json "$tmp/two.json" -- "$tmp/odd" -M pc-q35-10.0 $list $tap \
		-device virtio-net-pci,netdev=n0
	jq -e --arg text "$text" '[.findings[] | select(.kind == "unknown")] | length == 1
		and (.[0].id == "verify-failed") and (.[0].text | contains($text))' "$tmp/out" \
		>"$tmp/jq" || fail "a QEMU that $name"
}
odd 'killed by signal 11' crashes 'kill -SEGV $$'
odd 'exited with status 1; it said: out of luck' 'does not start' 'echo out of luck >&2' 'exit 1'
odd 'not the qtest protocol' 'talks nonsense' 'while read -r l; do echo hello; done'
odd 'no answer over qtest in time' hangs 'exec sleep 60'
odd 'slot 5 does not have' 'has no device' \
	'while read -r l; do case $l in in*) echo OK 0xffffffff ;; *) echo OK ;; esac; done'

# Also where this host is asked, and so is that QEMU
for arguments in '' "-M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0"; do
	on 7.2 "$program" verify "$tmp/two.json" -- /bin/ls $arguments >"$tmp/out" 2>"$tmp/err"
	[ $? = 3 ] || fail "no QEMU: $arguments"
	says '[verify-failed]'
done

# --------------------------------------------------------------- nothing is touched

mkdir "$tmp/owner"
echo disk >"$tmp/owner/disk"
mine="-daemonize -pidfile $tmp/owner/pid -D $tmp/owner/log -serial file:$tmp/owner/serial
	-drive file=$tmp/owner/disk,format=raw,if=none,id=d0 -device virtio-blk-pci,drive=d0
	-blockdev driver=file,node-name=b0,filename=$tmp/owner/disk
	-chardev socket,id=mon,path=$tmp/owner/socket,server=on,wait=off -mon chardev=mon
	-qmp unix:$tmp/owner/qmp,server=on,wait=off -vnc :77 -incoming defer -accel kvm -cpu host
	-object memory-backend-file,id=m0,size=1G,mem-path=$tmp/owner/memory,share=on
	-runas nobody -sandbox on -monitor stdio -k en-us -S -snapshot -global ICH9-LPC.disable_s3=1
	-netdev tap,id=n0,ifname=taken,script=$tmp/owner/script -device virtio-net-pci,netdev=n0,id=net0"
printf '#!/bin/sh\ntouch %s/owner/ran\n' "$tmp" >"$tmp/owner/script"
chmod +x "$tmp/owner/script"
# shellcheck disable=SC2012
ls -l "$tmp/owner" >"$tmp/before"
verify 0 7.2 7.2-trixie "$tmp/two.json" -- $q $mine $list "$tmp/owner/disk"
says 'net0 on tap: equal' 'left out or replaced: -daemonize, -pidfile, -D, -serial, -drive' \
	'-global ICH9-LPC.disable_s3' '-netdev tap' '-device virtio-blk-pci'
# shellcheck disable=SC2012
ls -l "$tmp/owner" >"$tmp/after"
cmp -s "$tmp/before" "$tmp/after" || fail "something in the owner's directory changed"
grep -q owner "$tmp/words" && fail "a path of the owner's reached QEMU"
grep -q taken "$tmp/words" && fail "the name of a tap reached QEMU"
[ "$(cat "$tmp/netns")" != "$(readlink /proc/self/ns/net)" ] || fail 'it runs in the network namespace of all'

# --------------------------------------------------------------- the real /dev/net/tun

real=0
if [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; then
	real=1
	for pair in bullseye:pc-q35-5.2 trixie:pc-q35-10.0 trixie-backports:pc-q35-11.1 \
		bookworm:pc-q35-7.2; do
		suite=${pair%:*}
		machine=${pair#*:}
		"$program" probe --only=tap,vhost-net,macvtap,qemu -M $machine --name here \
			--qemu="$tmp/qemu-$suite" -o "$tmp/here.json" 2>"$tmp/err" || fail 'probe'
		backends=$(jq -r '.facts | (if ."tap.usable" == true then "tap" else empty end),
			(if ."macvtap.usable" == true then "macvtap" else empty end),
			(if ."tap.usable" == true and ."vhost_net.usable" == true
				then "tap+vhost" else empty end)' "$tmp/here.json")
		for backend in $backends; do
			baseline here-base.json --backend "$backend" "$tmp/here.json" -M $machine
			"$program" verify "$tmp/here-base.json" -- "$tmp/qemu-$suite" >"$tmp/out" \
				2>"$tmp/err" || fail "this host, $suite, $backend"
			says "on $backend: equal"
			verified=$((verified + 1))
		done
	done
	baseline here-base.json --backend tap "$tmp/here.json" -M pc-q35-7.2
	"$program" intersect --backend tap "$tmp/here.json" -M pc-q35-7.2 >"$tmp/list" 2>"$tmp/err"
	# A tap of somebody's, passed as descriptor 33 with its offloads set, is as it was.
	cat >"$tmp/passed.py" <<'END'
import fcntl, os, socket, struct, subprocess, sys

TUNSETIFF, TUNGETIFF, TUNSETOFFLOAD, SIOCETHTOOL = 0x400454CA, 0x800454D2, 0x400454D0, 0x8946
header = 0x4000 if sys.argv[1] == "header" else 0
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"abi%d", 0x1002 | header))
if header:
    fcntl.ioctl(fd, TUNSETOFFLOAD, 0x1 | 0x2)  # checksums and TSO of IPv4

def state():
    """Name and flags, and whether the interface does checksums, scatter-gather and TSO."""
    iff = fcntl.ioctl(fd, TUNGETIFF, b"\0" * 40)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    words = []
    for command in (0x16, 0x18, 0x1e):
        value = bytearray(struct.pack("II", command, 0))
        import ctypes
        buffer = (ctypes.c_char * 8).from_buffer(value)
        request = struct.pack("16sP16x", iff[:16], ctypes.addressof(buffer))
        fcntl.ioctl(s, SIOCETHTOOL, request)
        words.append(struct.unpack("II", bytes(value))[1])
    return iff, words

before = state()
os.dup2(fd, 33, inheritable=True)
status = subprocess.call(sys.argv[2:], close_fds=False)
if state() != before:
    print("the tap is another one now:", before, state())
    sys.exit(99)
sys.exit(status)
END
	# passed STATUS header|none COMMAND...
	passed()
	{
		want=$1 kind=$2
		shift 2
		unshare -n python3 "$tmp/passed.py" "$kind" "$@" >"$tmp/out" 2>"$tmp/err"
		got=$?
		[ $got = "$want" ] || fail "a passed tap ($kind): exit status $got, not $want"
		verified=$((verified + 1))
	}
	command="$tmp/qemu-bookworm -M pc-q35-7.2 -netdev tap,id=n0,fd=33
		-device virtio-net-pci,netdev=n0,id=net0 $(cat "$tmp/list")"
	passed 0 header "$program" verify "$tmp/here-base.json" -- $command
	says 'net0 on tap: equal'
	# Its own tap, and nothing that its owner had.
	if grep -q ' 33 -> ' "$tmp/fds"; then
		fail 'the passed descriptor reached QEMU'
	fi
	[ "$(grep -c tun "$tmp/fds")" = 1 ] || fail "another number of taps than one: $(cat "$tmp/fds")"
	passed 1 none "$program" verify "$tmp/here-base.json" -- $command
	says 'the tap of this command line has no vnet header' '(VIRTIO_NET_F_CSUM, bit 0)'
	# As nobody: a user namespace is enough.
	if command -v setpriv >/dev/null && unshare -Ur true 2>/dev/null; then
		setpriv --bounding-set=-all --inh-caps=-all "$program" verify "$tmp/here-base.json" \
			-- "$tmp/qemu-bookworm" >"$tmp/out" 2>"$tmp/err" || fail 'without rights'
	fi
fi

# --------------------------------------------------------------------- before a start

# A QEMU that runs: it answers to verify, and is started by exec, which the script writes down.
cat >"$tmp/guest-qemu" <<END
#!/bin/sh
case " \$* " in
*' -qtest '*) exec "$tmp/qemu-trixie" "\$@" ;;
esac
printf '%s\n' "\$@" >"$tmp/started"
exit 42
END
chmod +x "$tmp/guest-qemu"
jq --arg path "$tmp/guest-qemu" '.qemu[0].path = $path' "$tmp/7.2-trixie.json" >"$tmp/guest.json"

# start STATUS COMMAND...
start()
{
	want=$1
	shift
	rm -f "$tmp/started"
	on 7.2 "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$want" ] || fail "$*: exit status $got, not $want"
	[ -e "$tmp/started" ] && [ "$want" = 126 ] && fail "$*: QEMU was started"
	verified=$((verified + 1))
}
start 42 "$program" exec --verify --profile="$tmp/guest.json" "$tmp/two.json" -- "$tmp/guest-qemu" \
	-M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0
[ ! -s "$tmp/err" ] || fail 'words about a start without a fault'
grep -q host_uso=off "$tmp/started" || fail 'the list is not behind the arguments'
start 126 "$program" exec --verify --profile="$tmp/guest.json" "$tmp/two.json" -- \
	"$tmp/guest-qemu" -M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0,host_uso=on
grep -q '(VIRTIO_NET_F_HOST_USO, bit 56)' "$tmp/err" || fail 'exec does not name the feature'
grep -q '\[exec-refused\]' "$tmp/err" || fail 'exec does not say that it did not start'
# What the record says is not so: exec alone would start it.
start 42 "$program" exec --profile="$tmp/guest.json" "$tmp/new.json" -- "$tmp/guest-qemu" \
	-M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0
on 6.1 "$program" exec --verify --profile="$tmp/guest.json" "$tmp/new.json" -- \
	"$tmp/guest-qemu" -M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0 >"$tmp/out" 2>"$tmp/err"
[ $? = 126 ] || fail 'a record that is wrong'
grep -q '(VIRTIO_NET_F_HOST_USO, bit 56)' "$tmp/err" || fail 'exec does not name what is masked'

emulator_program=$emulator
[ -x "$build/.libs/abibase-emulator" ] && emulator_program=$build/.libs/abibase-emulator
export ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
# conf LINE
conf()
{
	printf '%s\n' "baseline = $tmp/two.json" "qemu = $tmp/guest-qemu" \
		"profile = $tmp/guest.json" "$@" >"$tmp/emulator.conf"
}
conf 'verify = yes'
start 42 "$emulator_program" -M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0
start 126 "$emulator_program" -M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0,host_uso=on
conf 'verify = no'
start 42 "$emulator_program" -M pc-q35-10.0 $tap -device virtio-net-pci,netdev=n0,host_uso=on
conf 'verify = maybe'
start 126 "$emulator_program" -M pc-q35-10.0
grep -q 'verify must be yes or no' "$tmp/err" || fail 'verify = maybe'
conf 'verify = no' 'verify = no'
start 126 "$emulator_program" -M pc-q35-10.0

if python3 -c 'import jsonschema' 2>/dev/null; then
	PYTHONDONTWRITEBYTECODE=1 python3 "$src/tests/schema.py" "$tmp"/answer-*.json \
		>"$tmp/out" 2>"$tmp/err" || fail 'a document is not valid'
fi

[ $failures = 0 ] || exit 1
[ $real = 1 ] || echo 'the real /dev/net/tun was not tried: it takes root'
echo "$verified verified"
