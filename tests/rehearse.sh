#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# abibase rehearse, with the QEMUs of tests/fetch-qemus: what it says of one device alone is what those
# QEMUs do (tests/data/rehearsal/matrix, which tests/oracle/rehearse.py has written of real loads), and
# what no stream shows is found: other lines, other CPUs. Nothing of a command line is touched, nothing
# is left, and no word of a file reaches a QEMU.
#
# A slice of the matrix by default; all of it with REHEARSE_STEP=1. From 25 on there are fewer lines that no
# stream tells apart, too; with REHEARSE_PART=1 none, nor what follows.
#
# The words of a command line are split on purpose.
# shellcheck disable=SC2086
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-rehearsal.sh
. "${0%/*}/begin-rehearsal.sh"

need jq
begin_rehearsal "$@"
data=$src/tests/data/rehearsal
step=${REHEARSE_STEP:-7}

fail()
{
	echo "FAIL: $*"
	sed 's/^/    stdout: /' "$tmp/out" 2> /dev/null
	sed 's/^/    stderr: /' "$tmp/err" 2> /dev/null
	failures=$((failures + 1))
}

# run STATUS ARGUMENT...: of abibase rehearse, which looks for programs in $path
path=
run()
{
	want=$1
	shift
	PATH=${path:-$PATH} "$abibase" rehearse "$@" > "$tmp/out" 2> "$tmp/err"
	status=$?
	[ $status -eq "$want" ] || fail "rehearse $*: exit status $status, not $want"
}

says()
{
	tr -s ' \n' ' ' < "$tmp/out" | cat - "$tmp/err" | grep -qF -- "$1" || fail "does not say: $1"
}

# ------------------------------------------------------------------- the matrix

line_of()
{
	echo "-nodefaults -m 64,maxmem=1G,slots=2 -M $2 $(sed -n "s/^$1 *//p" "$data/kinds")"
}

cell()
{
	file=$tmp/file-$1-$2-$3
	case $5 in
	blocked)
		run 1 --save="$file" -- "$tmp/$3" $(line_of "$1" "$2")
		says '[rehearsal-blocked]'
		return
		;;
	source-no-start)
		run 2 --save="$file" -- "$tmp/$3" $(line_of "$1" "$2")
		says '[rehearsal-failed]'
		return
		;;
	esac
	[ -e "$file" ] || run 0 --save="$file" -- "$tmp/$3" $(line_of "$1" "$2")
	case $5 in
	loads)
		want=0
		# of its events 10.0 has one more, which a guest reads and no stream has
		case $1:$3:$4 in panic:[57].*:1* | panic:1*:[57].*) want=3 ;; esac
		run $want --load="$file" -- "$tmp/$4" $(line_of "$1" "$2")
		;;
	refuses)
		run 1 --load="$file" -- "$tmp/$4" $(line_of "$1" "$2")
		says '[rehearsal-refused]'
		;;
	no-start)
		run 1 --load="$file" -- "$tmp/$4" $(line_of "$1" "$2")
		says '[rehearsal-no-start]'
		;;
	esac
}

cells=0
n=0
while read -r kind machine from to outcome said; do
	n=$((n + 1))
	[ $((n % step)) -eq 0 ] || continue
	cells=$((cells + 1))
	cell "$kind" "$machine" "$from" "$to" "$outcome"
	# a cause that is known is told in the words of QEMU
	case $outcome:$said in
	refuses:VQ*) says "$said" ;;
	esac
	rm -f "$tmp/out" "$tmp/err"
done < "$data/matrix"
rm -f "$tmp"/file-*
[ $cells -gt 20 ] || fail "only $cells cells"
echo "$cells of $n cells"

# ------------------------------------------------------- two QEMUs, and one line

guest='-M pc-q35-7.2 -nodefaults -m 2G -drive if=none,id=d0,file=/no/such/disk -device virtio-blk-pci,drive=d0'
net='-netdev tap,id=n0,ifname=no-such-tap,script=no -device virtio-net-pci,netdev=n0'

run 0 -- "$tmp/7.2.22" $guest $net -- "$tmp/10.0.13" $guest $net
says 'yes: what QEMU 7.2.22 saves of this guest loads idle in QEMU 10.0.13'
run 1 -- "$tmp/10.0.13" $guest $net -- "$tmp/11.1.3" $guest $net
says 'VQ 0 vring.num 1024 exceeds allocated max 256'
run 0 --json -- "$tmp/7.2.22" $guest $net
jq -e '.verdict == "yes" and .loads_idle and .source.version == "7.2.22"' "$tmp/out" > "$tmp/jq" ||
	fail 'the document'
python3 "$src/tests/schema.py" "$tmp/out" > "$tmp/schema" || fail "$(cat "$tmp/schema")"

# In a file: for its owner alone, and below a megabyte.
run 0 --save="$tmp/file" -- "$tmp/7.2.22" $guest $net
[ "$(stat -c %a "$tmp/file")" = 600 ] || fail 'others can read it'
[ "$(stat -c %s "$tmp/file")" -le 1000000 ] || fail 'it is larger than a megabyte'
head -n 1 "$tmp/file" | jq -S . > "$tmp/head"
run 0 --load="$tmp/file" -- "$tmp/11.1.3" $guest $net
# What may be kept of the host, another host has otherwise.
run 0 --load="$tmp/file" -- "$tmp/11.1.3" $guest \
	-netdev tap,id=other,fd=33 -device virtio-net-pci,netdev=other -name x -pidfile /no/x -S \
	-monitor unix:/no/socket,server=on -vnc :7 -D /no/log

# Flash memory has the exact size of that of the line, and a guest of UEFI is small, too.
truncate -s 3653632 "$tmp/code"
truncate -s 540672 "$tmp/vars"
truncate -s 131072 "$tmp/vars-2M"
uefi()
{
	echo "-M pc-q35-7.2,pflash0=code,pflash1=vars -nodefaults -m 2G -device virtio-gpu-pci \
		-blockdev driver=file,node-name=code,read-only=on,filename=$tmp/code \
		-blockdev driver=file,node-name=vars,filename=$1"
}
run 0 --save="$tmp/flash" -- "$tmp/7.2.22" $(uefi "$tmp/vars")
[ "$(stat -c %s "$tmp/flash")" -le 1000000 ] || fail 'a guest of UEFI is larger than a megabyte'
run 0 --load="$tmp/flash" -- "$tmp/10.0.13" $(uefi "$tmp/vars")
run 1 --load="$tmp/flash" -- "$tmp/10.0.13" $(uefi "$tmp/vars-2M")
says 'memory block system.flash1 has 0x84000 bytes in the stream and 0x20000 here'
rm "$tmp/flash"

# -------------------------------------------------- what two small QEMUs do not see

if [ "${REHEARSE_PART:-}" = 1 ]; then
	[ $failures -eq 0 ]
	exit
fi

other=$(echo "$guest" | sed 's/2G/4G/')
run 1 --load="$tmp/file" -- "$tmp/10.0.13" $other $net
says 'only the source has -m size=2147483648'
says '[rehearsal-line]'
run 1 --load="$tmp/file" -- "$tmp/10.0.13" $guest $net -device pvpanic
says 'only the destination has -device pvpanic'
run 1 --load="$tmp/file" -- "$tmp/10.0.13" $guest $net,mq=on
says 'only the destination has -device virtio-net,netdev=tap,mq=on'
run 1 --load="$tmp/file" -- "$tmp/10.0.13" $guest -netdev tap,id=n0,vhost=on \
	-device virtio-net-pci,netdev=n0
says 'netdev=tap+vhost'
# A smaller address space
run 1 -- "$tmp/7.2.22" $guest -cpu qemu64,phys-bits=42 -- "$tmp/10.0.13" $guest -cpu qemu64
says 'the source has phys-bits=42, the destination phys-bits=40'
run 0 -- "$tmp/7.2.22" $guest -cpu qemu64 -- "$tmp/10.0.13" $guest -cpu qemu64,phys-bits=42
# A backend that is replaced, and that the destination does not have, or has
old='-M pc-q35-5.2 -nodefaults -m 64'
stream="$old -netdev stream,id=n0,addr.type=unix,addr.path=/no -device virtio-net-pci,netdev=n0"
run 1 -- "$tmp/7.2.22" $stream -- "$tmp/5.2.0" $stream
says 'does not start with this line: it has no -netdev stream'
run 0 -- "$tmp/7.2.22" $stream -- "$tmp/10.0.13" $stream
run 2 -- "$tmp/5.2.0" $stream -- "$tmp/7.2.22" $stream
hub="$old -chardev hub,id=c,chardevs.0=x -device isa-serial,chardev=c"
run 1 -- "$tmp/10.0.13" $hub -- "$tmp/7.2.22" $hub
shm='-M pc-q35-7.2,memory-backend=r -nodefaults -m 64 -object memory-backend-shm,id=r,size=64M'
run 1 -- "$tmp/10.0.13" $shm -- "$tmp/7.2.22" $shm
says 'it has no -object memory-backend-shm'
run 0 -- "$tmp/5.2.0" $old -chardev tty,path=/no,id=c -device isa-serial,chardev=c
run 1 -- "$tmp/7.2.22" $old -audiodev coreaudio,id=a -- "$tmp/10.0.13" $old -audiodev coreaudio,id=a
says 'it has no -audiodev coreaudio'
run 0 -- "$tmp/7.2.22" $old -audiodev alsa,id=a -- "$tmp/10.0.13" $old -audiodev alsa,id=a
# What goes by order: two ISA ports, memory, devices of other kinds on a bus, and what is said last
com='-device isa-serial,iobase=0x3f8,irq=4' com2='-device isa-serial,iobase=0x2f8,irq=3'
run 1 -- "$tmp/7.2.22" $old $com $com2 -- "$tmp/7.2.22" $old $com2 $com
dimm='-M pc-q35-5.2 -nodefaults -m 64,maxmem=1G,slots=2 -object memory-backend-ram,id=v,size=64M
	-object memory-backend-ram,id=w,size=64M -device pc-dimm,memdev='
run 1 -- "$tmp/7.2.22" ${dimm}v -device pc-dimm,memdev=w -- "$tmp/7.2.22" ${dimm}w -device pc-dimm,memdev=v
disks="$old -drive if=none,id=a,driver=null-co -drive if=none,id=b,driver=null-co -device virtio-scsi-pci"
run 3 -- "$tmp/7.2.22" $disks -device scsi-hd,drive=a -device scsi-cd,drive=b \
	-- "$tmp/7.2.22" $disks -device scsi-cd,drive=b -device scsi-hd,drive=a
says 'whether another order makes another guest is not judged'
run 3 -- "$tmp/7.2.22" $old -device virtio-net-pci -global virtio-net-pci.csum=off -global virtio-device.csum=on \
	-- "$tmp/7.2.22" $old -device virtio-net-pci -global virtio-device.csum=on -global virtio-net-pci.csum=off
run 3 -- "$tmp/7.2.22" $old -M smm=on -M smm=off -- "$tmp/7.2.22" $old -M smm=off -M smm=on
run 1 -- "$tmp/7.2.22" $old -device virtio-net-pci,romfile= -- "$tmp/7.2.22" $old -device virtio-net-pci
twice='{"driver":"virtio-net-pci","csum":true,"csum":false}'
run 3 -- "$tmp/7.2.22" $old -device "$twice" -- "$tmp/7.2.22" $old -device "$twice"
says 'it is no JSON that QEMU would take'
# Two cards of one kind, the other way round: the order is what gives them their addresses.
two='-netdev tap,id=n0 -netdev tap,id=n1'
run 1 -- "$tmp/7.2.22" $guest $two -device virtio-net-pci,netdev=n0,mrg_rxbuf=off -device virtio-net-pci,netdev=n1 \
	-- "$tmp/7.2.22" $guest $two -device virtio-net-pci,netdev=n0 -device virtio-net-pci,netdev=n1,mrg_rxbuf=off
says 'the order of devices that name no address gives them one'
# The order gives them their MAC addresses, too.
seven=netdev=n0,mrg_rxbuf=off,addr=7 eight=netdev=n1,addr=8 mac=mac=52:54:00:00:00:0
run 0 -- "$tmp/7.2.22" $guest $two -device virtio-net-pci,$seven,${mac}1 -device virtio-net-pci,$eight,${mac}2 \
	-- "$tmp/7.2.22" $guest $two -device virtio-net-pci,$eight,${mac}2 -device virtio-net-pci,$seven,${mac}1
run 1 -- "$tmp/7.2.22" $guest $two -device virtio-net-pci,$seven -device virtio-net-pci,$eight \
	-- "$tmp/7.2.22" $guest $two -device virtio-net-pci,$eight -device virtio-net-pci,$seven
# A network whose state is in the stream, and that no card has; a default card
run 1 -- "$tmp/10.0.13" $old -netdev user,id=u -- "$tmp/10.0.13" $old
says 'only the source has -netdev user'
run 0 -- "$tmp/10.0.13" $old -- "$tmp/10.0.13" $old -netdev user,id=u
run 1 -- "$tmp/10.0.13" -M pc -m 64 -nic none -- "$tmp/10.0.13" -M pc -m 64
run 0 -- "$tmp/10.0.13" -M pc -m 64 -- "$tmp/10.0.13" -M pc -m 64
# The memory that libvirt makes by itself is called as that of -m is, or does not load
ram='-object memory-backend-ram,size=64M,id='
run 0 -- "$tmp/5.2.0" $old -- "$tmp/10.0.13" $old ${ram}pc.ram -M memory-backend=pc.ram
run 0 -- "$tmp/10.0.13" $old ${ram}pc.ram -M memory-backend=pc.ram -- "$tmp/7.2.22" $old
run 1 -- "$tmp/10.0.13" $old -- "$tmp/10.0.13" $old ${ram}ram -M memory-backend=ram
says 'Unknown ramblock "pc.ram"'
run 1 -- "$tmp/10.0.13" $old -- "$tmp/10.0.13" $old ${ram}pc.ram,x-use-canonical-path-for-ramblock-id=on -M memory-backend=pc.ram
says 'Unknown ramblock "pc.ram"'
# It dies in earnest, too.
run 1 --save="$tmp/nvme" -- "$tmp/11.1.3" $old -device nvme,serial=1
says 'this guest cannot be saved: QEMU ends as it saves it, it was killed by signal'
# Two modules of memory, whose sizes the throw-aways do not have
dimms='-device pc-dimm,memdev=m0,id=d0 -device pc-dimm,memdev=m1,id=d1'
dimm_guest='-M pc-q35-7.2 -nodefaults -m 1G,slots=2,maxmem=8G'
run 1 -- "$tmp/7.2.22" $dimm_guest -object memory-backend-ram,id=m0,size=1G -object memory-backend-ram,id=m1,size=2G $dimms \
	-- "$tmp/7.2.22" $dimm_guest -object memory-backend-ram,id=m0,size=2G -object memory-backend-ram,id=m1,size=1G $dimms
says 'only the source has -object memory-backend id=m0,size=1073741824'
run 1 --load="$tmp/file" -- "$tmp/10.0.13" $guest -netdev user,id=n0 -device virtio-net-pci,netdev=n0
says 'netdev=user'
run 1 --load="$tmp/file" -- "$tmp/10.0.13" $guest $net -smp 2
run 3 --load="$tmp/file" -- "$tmp/10.0.13" $guest $net -global virtio-net-device.host_uso=off
says '[rehearsal-global]'
run 1 --load="$tmp/file" -- "$tmp/10.0.13" -nodefaults $guest -M pc-q35-8.0 $net
says '[rehearsal-machine]'

# Other spellings of one guest
qemu=$tmp/10.0.13
disk='-drive if=none,driver=null-co,id=' scsi='-device virtio-scsi-pci,id=s -device scsi-hd,drive=a'
run 0 -- "$qemu" $old -usb -no-fd-bootchk -smp 2 -m size=1G,slots=2,maxmem=2G -M max-ram-below-4g=1G \
	-device pcie-root-port,chassis=1,port=0x1 -device virtio-net-pci,csum=off,csum=yes,mac=52:54:00:AA:00:01 \
	-device '{"driver": "virtio-rng-pci", "addr": 80}' ${disk}a $scsi,wwn=0x5000000000000001 \
	-device ahci -global virtio-net-pci.vectors=0x4 -device VGA,vgamem_mb=32 \
	-- "$qemu" $old -machine usb=true,fd-bootchk=n -smp cpus=2 -m 1024,maxmem=2048M,slots=0x2 \
	-device driver=pcie-root-port,port=1,chassis=0x1 -device virtio-net,csum=on,mac=52:54:00:aa:00:01 \
	-device virtio-rng,addr=0xa ${disk}a $scsi,wwn=5764607523034234881 -M max-ram-below-4g=1024M \
	-device ich9-ahci -global virtio-net-pci.vectors=4 -device VGA,vgamem_mb=0x20
# differ ARGUMENTS ARGUMENTS: with these, the lines are of two guests; every third where the step is large
pairs=0
differ()
{
	pairs=$((pairs + 1))
	[ "$step" -lt 25 ] || [ $((pairs % 3)) -eq 0 ] || return 0
	run 1 -- "$qemu" $old $1 -- "$qemu" $old $2
	says '[rehearsal-line]'
}
serial='-device virtio-serial-pci -device virtserialport,name='
differ ${serial}on ${serial}yes
differ ${serial}1 ${serial}0x1
differ "${disk}a $scsi,product=1K" "${disk}a $scsi,product=1024"
differ '-M x-oem-id=1' '-M x-oem-id=0x1'
differ '-device pcie-root-port,chassis=010' '-device pcie-root-port,chassis=10'
differ "-device edu,addr=10" "-device {\"driver\":\"edu\",\"addr\":10}"
differ '-m 1.5G' '-m 1.25G'
differ '-object memory-backend-ram,id=r,size=1.5M' '-object memory-backend-ram,id=r,size=1.25M'
differ '-device pvpanic' '-device pvpanic-pci'
differ '-nic user,mac=52:54:00:aa:00:01' '-nic user,mac=52:54:00:aa:00:02'
differ "${dimm}v,addr=0x100000000" "${dimm}v,addr=0x200000000"
# A lun alone is no place: which target it gets goes by order.
lun=lun=0,bus=s.0,product=
differ "${disk}a ${disk}b $scsi,${lun}a -device scsi-hd,drive=b,${lun}b" \
	"${disk}a ${disk}b ${scsi%a}b,${lun}b -device scsi-hd,drive=a,${lun}a"
# An id is a name, which two lines can have of other devices; without one, a controller is known by its order.
ahci()
{
	echo "-device ahci,id=$1,addr=3 -device ahci,id=$2,addr=4 ${disk}d -device ide-hd,drive=d,bus=$3"
}
run 0 -- "$qemu" $old $(ahci a b a.1) -device pcie-root-port,id=pci.1,addr=5 -device virtio-rng-pci,bus=pci.1 \
	-- "$qemu" $old $(ahci x y x.1) -device pcie-root-port,id=p,addr=5 -device virtio-rng-pci,bus=p
differ "$(ahci a b a.0)" "$(ahci b a a.0)"
differ "$(ahci a b a.0)" "$(ahci a b a.1)"
run 3 -- "$qemu" $old $(ahci a b ide.0) -- "$qemu" $old -device ahci,addr=4 $(ahci a b ide.0 | sed 's/-device[^-]*addr=4//')
says 'whether another order makes another guest is not judged'
run 3 -- "$qemu" $old -global scsi-hd.serial=secret -- "$qemu" $old -global loader.file=/no/such/file
says 'only the source has -global scsi-hd.serial=#'
says 'a file that it names cannot be read'
# QEMU makes devices in JSON last, and has no other way to change one
com_json='{"driver":"isa-serial","iobase":1016,"irq":4}'
run 0 -- "$qemu" $old -device "$com_json" $com2 -- "$qemu" $old $com2 $com
run 1 -- "$qemu" $old -device "$com_json" $com2 -- "$qemu" $old $com $com2
run 3 -- "$qemu" $old -device '{"driver":"virtio-net-pci","id":"n"}' -set device.n.csum=off
says 'names no -device before it that is not in JSON'
# The table has all that this QEMU takes as a text.
python3 - "$tmp/11.1.3" "$src/data" << 'END' || fail 'properties that are texts are taken for numbers'
import glob, json, subprocess, sys
table = json.load(open(sys.argv[2] + "/rehearse.json"))
asked = {"device": sorted({name for path in glob.glob(sys.argv[2] + "/builds/*.json") for name in json.load(open(path))["classes"]}),
         "machine": [name + "-machine" for name in ("pc-q35-7.2", "pc-i440fx-7.2", "microvm", "isapc")]}
known = {group: {*table["text_params"][group], *table["host_params"][group]} for group in asked}
known["device"] |= {"addr", "port"}
questions = [(group, name) for group, names in asked.items() for name in names]
command = {"device": "device-list-properties", "machine": "qom-list-properties"}
lines = [json.dumps({"execute": "qmp_capabilities"})]
lines += [json.dumps({"execute": command[group], "arguments": {"typename": name}, "id": group}) for group, name in questions]
lines += [json.dumps({"execute": "quit"})]
said = subprocess.run([sys.argv[1], "-M", "none", "-S", "-display", "none", "-qmp", "stdio"], input="\n".join(lines),
                      capture_output=True, text=True, timeout=60).stdout
answers = [a for a in map(json.loads, said.splitlines()) if "id" in a and "return" in a]
missing = {(a["id"], p["name"]) for a in answers for p in a["return"]
           if p["type"] in ("str", "string") and p["name"] not in known[a["id"]]}
few = {group for group, least in (("device", 100), ("machine", 4)) if sum(a["id"] == group for a in answers) < least}
sys.exit(f"too few lists of {few}; missing: {missing}" if missing or few else 0)
END

# Words that another libvirt has, or has not, for the same guest.
run 0 --load="$tmp/file" -- "$tmp/10.0.13" $guest $net -machine acpi=on,hpet=on -global ICH9-LPC.noreboot=off
run 1 --load="$tmp/file" -- "$tmp/10.0.13" $guest $net -machine acpi=off
says 'only the destination has -machine acpi=off'
run 0 -- "$tmp/7.2.22" $guest -no-acpi -no-hpet -- "$tmp/10.0.13" $guest -machine acpi=off,hpet=off

# RAM is made no larger than it is, for the sake of a kernel neither.
truncate -s 8192 "$tmp/kernel"
run 0 -- "$tmp/10.0.13" -M pc-q35-7.2,memory-backend=r -nodefaults -m 64 -kernel "$tmp/kernel" \
	-object memory-backend-ram,id=r,size=64M

# On one side alone it is no part of the stream, and the next boot has it.
run 1 -- "$tmp/10.0.13" $guest -- "$tmp/10.0.13" $guest -kernel "$tmp/kernel"
says 'only the destination has -kernel'
says 'loads idle in QEMU 10.0.13, and there is more to it'
# What a guest reads of a file of the host's
echo one > "$tmp/config"
run 0 --save="$tmp/configured" -- "$tmp/7.2.22" $guest -fw_cfg name=opt/x,file="$tmp/config"
cp "$tmp/config" "$tmp/config2"
run 0 --load="$tmp/configured" -- "$tmp/10.0.13" $guest -fw_cfg name=opt/x,file="$tmp/config2"
echo two > "$tmp/config"
run 1 --load="$tmp/configured" -- "$tmp/10.0.13" $guest -fw_cfg name=opt/x,file="$tmp/config"
[ ! -s /etc/machine-id ] || says "since then $tmp/config has changed"

# A stream carries no CPUID: a QEMU without AVX2 loads it, and the guest would die.
run 0 -- "$tmp/10.0.13" $guest -cpu max
says 'the guest has all that its QEMU and its host can do (max)'
says 'virsh hypervisor-cpu-baseline all --virttype qemu --machine pc-q35-7.2 --migratable'
run 0 -- "$tmp/10.0.13" $guest -cpu qemu64
! grep -q guest-cpu "$tmp/out" || fail 'a model is named'
run 1 -- "$tmp/10.0.13" $guest -cpu max -- "$tmp/10.0.13" $guest -cpu max,-avx2
says 'lack: avx2 (CPUID 7.0.EBX bit 5);'
says 'loads idle in QEMU 10.0.13, and there is more to it'
run 0 -- "$tmp/10.0.13" $guest -cpu max,-avx2 -- "$tmp/10.0.13" $guest -cpu max
# some WORD...: each, or every third where the step is large
some()
{
	[ "$step" -lt 25 ] || set -- "$3" "$6"
	echo "$@"
}
# Nor what CPUID says beside the features; a file of before does not say it.
for other in $(some level=1:level=1 min-level=20:level=20 xlevel=0x80000001:xlevel=0x80000001 \
	vendor=GenuineIntel:vendor=GenuineIntel stepping=7:stepping=7 model-id=x:model-id=x l3-cache=off:l3-cache=off \
	hv-relaxed=on:hv-relaxed=on); do
	run 1 -- "$tmp/10.0.13" $guest -cpu qemu64 -- "$tmp/10.0.13" $guest -cpu qemu64,${other%:*}
	says "the destination ${other#*:};"
done
run 0 -- "$tmp/7.2.22" $guest -cpu Haswell,level=5 -- "$tmp/10.0.13" $guest -cpu Haswell,level=5
run 0 -- "$tmp/5.2.0" $old -cpu EPYC -- "$tmp/11.1.3" $old -cpu EPYC
run 1 -- "$tmp/7.2.22" $guest -cpu max -- "$tmp/10.0.13" $guest -cpu max
says 'family=15, level-func7=0, model=107, stepping=1, the destination family=6,'
for other in $(some x-consistent-cache=off x-force-cpuid-0x1f=on x-pdcm-on-even-without-pmu=on \
	x-vendor-cpuid-only-v2=off ucode-rev=7 lmce=on x-hv-max-vps=4); do
	run 1 -- "$tmp/11.1.3" -nodefaults -cpu qemu64 -- "$tmp/11.1.3" -nodefaults -cpu qemu64,$other
	says "the destination $other;"
done
# edit CODE: the head of the file, changed by this
edit()
{
	python3 - "$tmp/file" "$tmp/bad" "$1" << 'END'
import json, sys
head, _, stream = open(sys.argv[1], "rb").read().partition(b"\n")
head = json.loads(head)
exec(sys.argv[3])
open(sys.argv[2], "wb").write(json.dumps(head).encode() + b"\n" + stream)
END
}
for empty in 'cpu.pop("properties")' 'cpu["properties"] = {}'; do
	edit "for cpu in head['cpus']: $empty
head['properties'] = {}"
	run 3 --load="$tmp/bad" -- "$tmp/10.0.13" $guest $net
	says 'the file does not have the model and the levels of the vCPUs'
	says 'the file does not have the properties of devices'
done
edit 'for cpu in head["cpus"]: cpu["features"] = []'
run 3 --load="$tmp/bad" -- "$tmp/10.0.13" $guest $net
says 'the file does not have the features of the vCPUs'
edit 'head["cpus"] = []'
run 2 --load="$tmp/bad" -- "$tmp/10.0.13" $guest $net
says 'its head has no vCPUs'
edit 'for cpu in head["cpus"]: cpu["names"].append("vmx-ept")'
run 1 --load="$tmp/bad" -- "$tmp/10.0.13" $guest $net
says 'features, of MSRs, that those of the destination lack: vmx-ept'
# A kind of the board's own: with KVM there are two
edit 'head["properties"]["kvm-ioapic"] = head["properties"].pop("ioapic")'
run 3 --load="$tmp/bad" -- "$tmp/7.2.22" $guest $net
says 'makes devices of these kinds: kvm-ioapic (source), ioapic (destination)'
# Each property of the vCPUs of these QEMUs is a feature, compared, or named here with why it is not.
python3 - "$src/data/rehearse.json" "$tmp/5.2.0" "$tmp/7.2.22" "$tmp/10.0.13" "$tmp/11.1.3" << 'END' ||
import json, subprocess, sys
harmless = {
    "which vCPU it is, which the list of vCPUs has":
        "apic-id core-id die-id module-id node-id socket-id thread-id",
    "what comes of it is in the features": "migratable unavailable-features x-arch-cap-always-on x-force-features",
    "what comes of it is in the levels":
        "full-cpuid-auto-level min-level min-xlevel min-xlevel2 x-intel-pt-auto-level",
    "what comes of it is in phys-bits": "host-phys-bits host-phys-bits-limit",
    "whether QEMU starts": "check enforce",
    "the features themselves": "feature-words filtered-features",
    "the stream has it, or lacks it": "kvm-no-smi-migration start-powered-off x-migrate-smi-count",
    "the words of -cpu are compared": "lbr-fmt lbr_fmt",
    "of QEMU alone": "crash-information hotpluggable hotplugged legacy-memory memory parent_bus realized type",
    "other names of features": "ffxsr i64 pclmuldq sse3 sse4-1 sse4-2 sse4_1 sse4_2 xd",
}
known = {name for names in harmless.values() for name in names.split()} | set(json.load(open(sys.argv[1]))["vcpu_properties"])
lines = [{"execute": "qmp_capabilities"},
         {"execute": "query-cpu-model-expansion", "arguments": {"type": "static", "model": {"name": "max"}}},
         {"execute": "qom-list-properties", "arguments": {"typename": "max-x86_64-cpu"}},
         {"execute": "device-list-properties", "arguments": {"typename": "max-x86_64-cpu"}}, {"execute": "quit"}]
missing = set()
for qemu in sys.argv[2:]:
    said = subprocess.run([qemu, "-M", "pc", "-S", "-display", "none", "-qmp", "stdio"], capture_output=True, text=True,
                          input="\n".join(json.dumps(line) for line in lines), timeout=60).stdout
    _, model, qom, device = [a["return"] for a in map(json.loads, said.splitlines()) if "return" in a][:4]
    # so are family, model and level, which are numbers
    features = {name for name, value in model["model"]["props"].items() if isinstance(value, bool)} - {"lmce"}
    names = {p["name"] for p in qom + device}
    if len(names) < 300 or len(features) < 250:
        sys.exit(f"{qemu}: {len(names)} properties, {len(features)} features")
    missing |= {name for name in names - features - known if name.replace("_", "-") not in features}
sys.exit(f"in no list: {sorted(missing)}" if missing else 0)
END
	fail 'there are properties of vCPUs that nothing is said of'
# Nor another value by default that a guest reads
run 3 -- "$tmp/7.2.22" $guest -device pvpanic -- "$tmp/10.0.13" $guest -device pvpanic
says 'pvpanic.events (3, there 7)'
run 0 -- "$tmp/7.2.22" $guest -device pvpanic,events=3 -- "$tmp/10.0.13" $guest -device pvpanic,events=3
run 0 -- "$tmp/5.2.0" $old -vga std -- "$tmp/7.2.22" $old -vga std
says 'VGA.xres (1024, there 1280)'

# ------------------------------------------------------------- behind its firmware

run 2 --run=0 -- "$tmp/7.2.22" $guest
run 2 --run=2 --load="$tmp/file" -- "$tmp/7.2.22" $guest
run 0 --run=2 --save="$tmp/ran" -- "$tmp/7.2.22" $guest $net -vga std
says '-m: 128 MiB'
run 3 --load="$tmp/ran" -- "$tmp/10.0.13" $guest $net -vga std
says 'loads behind its firmware in QEMU 10.0.13'
says '[rehearsal-executed]'
run 0 --run=2 -- "$tmp/7.2.22" $guest $net -vga std -- "$tmp/10.0.13" $guest $net -vga std
says 'loads behind its firmware in QEMU 10.0.13'
says 'state of drivers, sizes'
# SeaBIOS makes the queue of a disk smaller, in which the two builds differ: idle it does not load
run 1 -- "$tmp/10.0.13" $guest -- "$tmp/11.1.3" $guest
run 1 --run=2 -- "$tmp/10.0.13" $guest -- "$tmp/11.1.3" $guest
# It is really executed: this one ends QEMU by its fourth instruction.
python3 - "$tmp/bios" << 'END'
import sys
code = b"\xb0\x01\xe6\xf4\xf4\xeb\xfd"  # mov $1, %al; out %al, $0xf4; hlt; jmp
open(sys.argv[1], "wb").write(bytes(0xfff0) + code.ljust(16, b"\0"))
END
run 0 --run=1 -- "$tmp/7.2.22" $guest -bios "$tmp/bios"
run 3 --run=1 -- "$tmp/7.2.22" $guest -bios "$tmp/bios" -device isa-debug-exit,iobase=0xf4
says '[rehearsal-lost]'
run 0 -- "$tmp/7.2.22" $guest -bios "$tmp/bios" -device isa-debug-exit,iobase=0xf4

# -------------------------------------------------------- a line that libvirt made

truncate -s 3653632 "$tmp/code.fd"
truncate -s 540672 "$tmp/vars.fd"
set --
while read -r word; do
	set -- "$@" "$word"
done << END
$(sed "s,TMP/,$tmp/," "$data/libvirt-line")
END
run 0 -- "$tmp/7.2.22" "$@" -- "$tmp/10.0.13" "$@"
says '-m: 64 MiB'
run 0 --save="$tmp/libvirt" -- "$tmp/7.2.22" "$@"
[ "$(stat -c %s "$tmp/libvirt")" -le 1000000 ] || fail 'it is larger than a megabyte'
! grep -qa 6a0aa70e "$tmp/libvirt" || fail 'the UUID is in the file'
head -n 1 "$tmp/libvirt" | jq -e '.declared | index("-device virtio-net,netdev=tap+vhost,addr=6.0,bus=pcie.0,mac=52:54:00:00:00:01")' \
	> "$tmp/jq" || fail 'the card is not among what is declared'
# Flash memory is a part of the machine, of its exact size.
truncate -s 1M "$tmp/vars.fd"
run 1 --load="$tmp/libvirt" -- "$tmp/10.0.13" "$@"

# ------------------------------------------------------------------ under a baseline

"$abibase" probe --no-load --only=tap,qemu --qemu="$tmp/7.2.22" --qemu="$tmp/10.0.13" \
	-o "$tmp/host.json" > "$tmp/out" 2> "$tmp/err"
"$abibase" intersect -M pc-q35-7.2 --backend tap --disable offload-uso --json "$tmp/host.json" \
	-o "$tmp/baseline.json" > "$tmp/out" 2> "$tmp/err" || fail intersect
run 0 "$tmp/baseline.json" -- "$tmp/7.2.22" $guest $net -- "$tmp/10.0.13" $guest $net
run 0 --save="$tmp/listed" "$tmp/baseline.json" -- "$tmp/7.2.22" $guest $net
head -n 1 "$tmp/listed" | jq -e '(.list | index("virtio-net-device.csum=on")) and .baseline' \
	> "$tmp/jq" || fail 'the list is not in the file'
run 0 --load="$tmp/listed" "$tmp/baseline.json" -- "$tmp/10.0.13" $guest $net
run 3 --load="$tmp/listed" -- "$tmp/10.0.13" $guest $net
says '[rehearsal-baseline]'
run 2 "$tmp/baseline.json" -- "$tmp/10.0.13" -nodefaults -M pc-q35-8.0 $net
says '[command-machine]'

# ------------------------------------------------------------------------- upgrades

if [ -s /etc/machine-id ]; then
	cp "$tmp/7.2.22" "$tmp/upgraded"
	run 0 --save="$tmp/before" -- "$tmp/upgraded" $guest
	run 0 --load="$tmp/before" -- "$tmp/10.0.13" $guest
	echo '# another package' >> "$tmp/upgraded"
	run 3 --load="$tmp/before" -- "$tmp/10.0.13" $guest
	says '[rehearsal-stale]'
fi

# --------------------------------------------------------------- what is left out

for words in '-device vfio-pci,host=0000:00:1f.6' '-device usb-host,hostbus=1' \
	'-object memory-backend-file,id=x,size=1M,mem-path=/dev/shm/x,share=on -device ivshmem-plain,memdev=x' \
	'-tpmdev passthrough,id=t -device tpm-tis,tpmdev=t' '-xen-attach' \
	'-chardev socket,id=c,path=/no -netdev vhost-user,id=v,chardev=c -device virtio-net-pci,netdev=v' \
	'-no-such-option x' '-device some-new-device,socket=/no/socket'; do
	run 3 -- "$tmp/10.0.13" $guest $words
	says '[rehearsal-left-out]'
done
says '-device some-new-device of the source is not rehearsed'

# ------------------------------------------------------------- what cannot be read

word=$(printf 'a\377b')
run 2 -- "$tmp/7.2.22" -nodefaults -name "$word"
says '"a?b" is not UTF-8, which documents are in'
run 2 --save="$tmp/$word" -- "$tmp/7.2.22" -nodefaults
[ ! -e "$tmp/$word" ] || fail 'a file is left that no answer names'
run 2 --specimen -M "$word" -- "$tmp/7.2.22"
says 'is not UTF-8'
run 0 -- "$tmp/7.2.22" -nodefaults -name 'größe'
sleep 100 &
run 2 --pid=$! -- "$tmp/7.2.22"
says "process $! is no QEMU but sleep"
kill $!
mkfifo "$tmp/pipe"
timeout 30 "$abibase" rehearse --load="$tmp/pipe" -- "$tmp/7.2.22" $guest > "$tmp/out" 2> "$tmp/err"
[ $? -eq 2 ] || fail 'a pipe is waited for'
says 'it is a pipe that nobody writes to'
cat "$tmp/file" > "$tmp/pipe" &
run 0 --load="$tmp/pipe" -- "$tmp/10.0.13" $guest $net
wait

# --------------------------------------------------------------- a guest that runs

cat > "$tmp/qmp.py" << 'END'
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
f.readline()
mouse = ""
for text in ['{"execute": "qmp_capabilities"}'] + sys.argv[2:]:
    f.write(text.replace("PATH", mouse) + "\n")
    f.flush()
    answer = {}
    while not {"return", "error"} & set(answer):
        answer = json.loads(f.readline() or '{"error": "closed"}')
    if "error" in answer:
        sys.exit(str(answer))
    if "qom-list" in text:
        mouse = next(x["name"] for x in answer["return"] if "usb-mouse" in x["type"])
END
# start_guest OPTION...: with a root of its own, its command line is that of QEMU and not that of a loader
start_guest()
{
	chroot "$qemus/bookworm" /usr/bin/qemu-system-x86_64 -L /usr/share/seabios -L /usr/share/qemu \
		$running "$@" > "$tmp/guest" 2>&1 &
	guest_pid=$!
	i=0
	until [ -S "$socket" ] || [ $i -gt 100 ]; do
		sleep 0.1
		i=$((i + 1))
	done
}
plug_in()
{
	python3 "$tmp/qmp.py" "$socket" \
		'{"execute": "device_add", "arguments": {"driver": "virtio-rng-pci", "id": "new", "bus": "rp1"}}' ||
		fail 'no device can be added'
}
end_guest()
{
	kill $guest_pid
	wait $guest_pid
	rm -f "$socket"
}
add()
{
	echo "{\"execute\": \"device_add\", \"arguments\": {$1}}"
}
del()
{
	echo "{\"execute\": \"device_del\", \"arguments\": {\"id\": \"$1\"}}"
}
# changed WORDS COMMAND...: what is said of a guest after these
changed()
{
	want_words=$1
	shift
	start_guest -qmp unix:/var/qmp,server=on,wait=off
	python3 "$tmp/qmp.py" "$socket" "$@" || fail "not taken: $*"
	run 3 --pid=$guest_pid -- "$tmp/7.2.22"
	says "$want_words"
	end_guest
}
# What takes root.
run_guest()
{
	[ "$root" ] || return
	mount -t tmpfs abibase "$qemus/bookworm/var" || exit 99
	running='-M pc-q35-7.2 -nodefaults -m 64,slots=2,maxmem=1G -smp 1,maxcpus=2 -S -display none
		-device pcie-root-port,id=rp1,chassis=1 -device virtio-balloon-pci -usb -usbdevice mouse
		-device qemu-xhci,id=x -device usb-tablet,id=t,bus=x.0 -device usb-kbd,id=k,bus=x.0
		-device virtio-scsi-pci -drive if=none,id=d,driver=null-co -device scsi-hd,drive=d
		-chardev null,id=c -device virtio-serial-pci -device virtserialport,name=p,chardev=c
		-object memory-backend-ram,id=m0,size=128M -device pc-dimm,memdev=m0'
	socket=$qemus/bookworm/var/qmp
	start_guest -qmp unix:/var/qmp,server=on,wait=off
	run 0 --pid=$guest_pid --save="$tmp/running" -- "$tmp/7.2.22"
	says "is that of process $guest_pid, as started"
	run 0 --load="$tmp/running" -- "$tmp/10.0.13" $running
	run 0 --pid=$guest_pid -- "$tmp/7.2.22" -- "$tmp/10.0.13" $running
	# It is another build than the one that runs.
	run 3 --pid=$guest_pid --save="$tmp/running" -- "$tmp/10.0.13"
	says 'its version is "7.2.22"'
	# Under another program's hands the monitor says nothing.
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
time.sleep(8)' "$socket" &
	busy=$!
	sleep 1
	run 3 --pid=$guest_pid --save="$tmp/running" -- "$tmp/7.2.22"
	says 'its monitor'
	wait $busy
	# What was plugged in since is in no line: neither here nor where the file is loaded.
	plug_in
	run 3 --pid=$guest_pid --save="$tmp/running" -- "$tmp/7.2.22"
	says 'it has new virtio-rng-pci at rp1 addr=0.0 (plugged in later), which the line that it was started with does not make'
	run 3 --load="$tmp/running" -- "$tmp/10.0.13" $running
	says "process $guest_pid of the source is not rehearsed"
	python3 "$tmp/qmp.py" "$socket" '{"execute": "query-status"}' || fail 'the guest has not lived on'
	end_guest
	run 2 --pid=$guest_pid -- "$tmp/7.2.22"
	run 2 --pid=1x -- "$tmp/7.2.22"
	run 2 --pid=$$ -- "$tmp/7.2.22" -nodefaults
	run 2 --pid=$$ --load="$tmp/running" -- "$tmp/7.2.22"
	# The other words that make a QMP socket, and a path below where it was started
	rm -f "$socket"
	start_guest -chardev socket,id=m,path=var/qmp,server=on,wait=off -mon chardev=m,mode=control
	plug_in
	run 3 --pid=$guest_pid -- "$tmp/7.2.22"
	says 'it has new virtio-rng-pci at rp1 addr=0.0 (plugged in later)'
	end_guest
	# A device of the same id and kind: at another port, with another property, and one that changed places
	changed 'it has t usb-tablet at x.0 port=3 (plugged in later)' "$(del t)" \
		"$(add '"id": "t", "driver": "usb-tablet", "port": "3"')"
	changed 'it has not t usb-tablet at x.0, which' "$(del t)" \
		"$(add '"id": "t", "driver": "usb-tablet", "serial": "other"')"
	changed 'it has k usb-kbd at x.0 (plugged in later)' "$(del t)" "$(del k)" \
		"$(add '"id": "k", "driver": "usb-kbd"')" "$(add '"id": "t", "driver": "usb-tablet"')"
	# Memory and a vCPU; and what the machine made itself
	changed 'it has - pc-dimm (plugged in later)' '{"execute": "object-add", "arguments":
		{"qom-type": "memory-backend-ram", "id": "m", "size": 134217728}}' \
		"$(add '"driver": "pc-dimm", "memdev": "m"')"
	changed 'its list of vCPUs' "$(add '"driver": "qemu64-x86_64-cpu", "socket-id": 0, "core-id": 1, "thread-id": 0')"
	changed 'it has not - usb-mouse, which' '{"execute": "qom-list", "arguments": {"path": "/machine/unattached"}}' \
		"$(del /machine/unattached/PATH)"
	umount "$qemus/bookworm/var"
}
run_guest

# ------------------------------------------------------------------------- a TPM

tpm='-chardev socket,id=c,path=/no/socket -tpmdev emulator,id=t,chardev=c -device tpm-crb,tpmdev=t'
path=/none
run 3 --save="$tmp/no-tpm" -- "$tmp/7.2.22" $guest $tpm
says 'swtpm, which would make one of its own, is not installed'
path=
if command -v swtpm > "$tmp/out"; then
	run 0 --save="$tmp/tpm" -- "$tmp/7.2.22" $guest $tpm
	says '-tpmdev: a TPM 2 of swtpm'
	[ "$(stat -c %s "$tmp/tpm")" -gt "$(($(stat -c %s "$tmp/no-tpm") + 4096))" ] ||
		fail 'the state of the TPM is not in the stream'
	run 0 --load="$tmp/tpm" -- "$tmp/11.1.3" $guest $tpm
	# on both sides, or on none
	run 3 --load="$tmp/no-tpm" -- "$tmp/11.1.3" $guest $tpm
	run 1 --load="$tmp/tpm" -- "$tmp/11.1.3" $guest
	path=/none
	run 2 --load="$tmp/tpm" -- "$tmp/11.1.3" $guest $tpm
	says 'the source was rehearsed with a TPM, and swtpm is not installed here'
	mkdir "$tmp/bin"
	printf '#!/bin/sh\nexit 1\n' > "$tmp/bin/swtpm"
	chmod +x "$tmp/bin/swtpm"
	path=$tmp/bin
	run 2 --load="$tmp/tpm" -- "$tmp/11.1.3" $guest $tpm
	says 'tpm-emulator:'
	path=
else
	echo 'no swtpm: no TPM was rehearsed'
fi

# ------------------------------------------------------------------- bad files

# The last byte of the stream; a head of a later version; more than a head; nothing.
head -c -1 "$tmp/file" > "$tmp/bad" && printf x >> "$tmp/bad"
run 2 --load="$tmp/bad" -- "$tmp/10.0.13" $guest $net
says 'its digest is another'
says '[rehearsal-damaged]'
sed '1s,abibase-rehearsal/1,abibase-rehearsal/2,' "$tmp/file" > "$tmp/bad"
run 2 --load="$tmp/bad" -- "$tmp/10.0.13" $guest $net
says '[schema-newer]'
# Streams that were written by somebody else, whose digest is right: at worst no, or cannot tell.
cat > "$tmp/flip" << 'END'
import hashlib, json, random, sys
head, _, stream = open(sys.argv[1], "rb").read().partition(b"\n")
seed, bits = int(sys.argv[3]), int(sys.argv[4])
random.seed(seed)
stream, head = bytearray(stream), json.loads(head)
# where devices are: pages of zeros are a byte each, and half of the stream is firmware
for _ in range(bits):
    at = random.randrange(len(stream)) if seed % 2 else len(stream) - 1 - random.randrange(60000)
    stream[at] ^= 1 << random.randrange(8)
head["stream"]["digest"] = hashlib.blake2b(stream, digest_size=32).hexdigest()
open(sys.argv[2], "wb").write(json.dumps(head).encode() + b"\n" + stream)
END
no=0
seed=1
while [ $seed -le "${REHEARSE_FLIPS:-20}" ]; do
	python3 "$tmp/flip" "$tmp/file" "$tmp/bad" $seed $((seed % 3 * 20 + 1))
	"$abibase" rehearse --load="$tmp/bad" -- LC_ALL=C PATH=/none "$tmp/10.0.13" $guest $net > "$tmp/out" 2> "$tmp/err"
	case $? in
	0) ;;
	1 | 3) no=$((no + 1)) ;;
	*) fail "a stream that was changed, seed $seed" ;;
	esac
	seed=$((seed + 1))
done
[ $no -gt 3 ] || fail "of 20 changed streams $no do not load"
# A bit of the head can be one that nothing hangs on; with one of the stream its digest is wrong.
for at in 0 40 500 1500 20000 -1; do
	python3 - "$tmp/file" "$tmp/bad" $at << 'END'
import sys
text = bytearray(open(sys.argv[1], "rb").read())
text[int(sys.argv[3])] ^= 1
open(sys.argv[2], "wb").write(text)
END
	"$abibase" rehearse --load="$tmp/bad" -- "$tmp/10.0.13" $guest $net > "$tmp/out" 2> "$tmp/err"
	case $at:$? in
	20000:2 | -1:2) says '[rehearsal-damaged]' ;;
	20000:* | -1:*) fail "another bit at $at of the stream" ;;
	*:[0-3]) ;;
	*) fail "another bit at $at of the head" ;;
	esac
done
# One that crashes as it loads does so in earnest too; one that is killed has said nothing.
cat > "$tmp/dies" << 'END'
#!/usr/bin/env python3
import json, os, signal, sys
os.write(1, b'{"QMP": {"version": {}}}\n')
answers = {"query-version": {"qemu": {"major": 9, "minor": 0, "micro": 0}, "package": ""},
           "qom-get": "pc-q35-7.2-machine", "query-cpus-fast": [],
           "query-hotpluggable-cpus": [{"qom-path": "/cpu", "props": {}}]}
for line in os.fdopen(os.dup(0)):
    if "migrate-incoming" in line:
        os.kill(os.getpid(), getattr(signal, os.path.basename(sys.argv[0])))
    os.write(1, json.dumps({"return": answers.get(json.loads(line)["execute"], {})}).encode() + b"\n")
END
chmod +x "$tmp/dies"
for signal in SIGABRT:1 SIGSEGV:1 SIGKILL:3 SIGXCPU:3; do
	ln -s dies "$tmp/${signal%:*}"
	run ${signal#*:} --load="$tmp/file" -- "$tmp/${signal%:*}" $guest $net
	says "it was killed by signal"
done
says '[rehearsal-lost]'

# ------------------------------------------------------- confined, and nothing left

# A throw-away that shows itself before it is a QEMU, and to others for a moment.
cat > "$tmp/look" << END
#!/bin/sh
fail() { echo "confined: \$*" >&2; exit 1; }
(: > "$tmp/written") 2> /dev/null && fail 'it can write'
case "\$*" in *secret-host* | */no/such/disk*) fail 'words that are left out' ;; esac
python3 - << TRY || fail 'it can make a socket'
import socket, sys
try:
    socket.socket(socket.AF_UNIX)
except PermissionError:
    sys.exit(0)
sys.exit(1)
TRY
sleep 1
exec "$tmp/10.0.13" "\$@"
END
chmod +x "$tmp/look"

# confined ID ABIBASE...: what everyone sees in /proc of a throw-away, which has this id
confined()
{
	id=$1
	shift
	"$@" rehearse --save="$tmp/own/looked" -- "$tmp/look" $guest $net -device vfio-pci,host=secret-host \
		> "$tmp/out" 2> "$tmp/err" &
	pid=$!
	throwaway=
	for i in 1 2 3 4 5 6 7 8 9 10; do
		sleep 0.1
		throwaway=$(pgrep -f "^/bin/sh $tmp/look" | head -n 1)
		[ "$throwaway" ] && break
	done
	cp "/proc/$throwaway/status" "$tmp/status" 2> /dev/null || fail 'no throw-away to look at'
	for line in "Uid:.$id.$id.$id.$id" "Gid:.$id.$id.$id.$id" 'NoNewPrivs:.1' 'Seccomp:.2' \
		'CapPrm:.0*' 'CapEff:.0*' 'CapInh:.0*' 'CapAmb:.0*' 'CapBnd:.0*'; do
		grep -q "^$line\$" "$tmp/status" || fail "not $line: $(cat "$tmp/status")"
	done
	for ns in user mnt net ipc uts pid; do
		[ "$(readlink "/proc/$throwaway/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ] ||
			fail "its $ns namespace is the caller's"
	done
	[ ! "$(cat "/proc/$throwaway/uid_map")" ] || fail 'it is somebody in its user namespace'
	wait $pid
	[ $? -eq 3 ] || fail "confined: $(cat "$tmp/out" "$tmp/err")"
	[ ! -e "$tmp/written" ] || fail 'a throw-away wrote a file'
}

mkdir "$tmp/own"
if [ "$root" ]; then
	confined 65534 "$abibase"
	# What root alone can read is no reason to say that a guest does not start.
	(umask 077 && : > "$tmp/own/kernel")
	run 2 -- "$tmp/10.0.13" $guest -kernel "$tmp/own/kernel"
	says "reading $tmp/own/kernel, as a user without rights: Permission denied"
	# A node that root alone can open is opened by root; over the real one it lies in this mount
	# namespace alone.
	if mknod -m 600 "$tmp/tun" c 10 200 && mount --bind "$tmp/tun" /dev/net/tun; then
		run 0 -- "$tmp/10.0.13" $guest $net
		says '-netdev tap: a tap of its own'
		umount /dev/net/tun
	fi
	view "$tmp/view"
	chown 1234:1234 "$tmp/own"
	LD_LIBRARY_PATH=$tmp/view ABIBASE_DATADIR=$tmp/view/data XDG_CACHE_HOME=$tmp/own \
		confined 1234 setpriv --reuid=1234 --regid=1234 --clear-groups "$tmp/view/abibase"
else
	confined "$(id -u)" "$abibase"
fi

[ $failures -eq 0 ]
