#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many baselines on one host, and the guest chooses: abibase exec and abibase-emulator with a directory, the
# id in the environment, guests that come in, machine types that no baseline is of, and who may write there.
# shellcheck disable=SC2086 # words of $nic and others
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-start.sh
. "${0%/*}/begin-start.sh"

dir=$tmp/baselines
mkdir "$dir"

# baseline FILE OPTION...: its id goes to $id
baseline()
{
	to=$1
	shift
	"$abibase" intersect --json "$@" -o "$to" debian-13 2>"$tmp/err" || fail "no baseline: $*"
	id=$(jq -r .id "$to")
}
baseline "$tmp/ten.json" -M $machine
ten=$id
cp "$tmp/ten.json" "$dir/$ten.json"
baseline "$dir/small.json" -M $machine --no-inputs --disable=offload-uso
small=$id
baseline "$dir/seven.json" -M pc-q35-7.2
seven=$id
baseline "$dir/compact.json" -M pc-i440fx-10.0
old=$id
jq -c . "$dir/compact.json" >"$tmp/compact" && cp "$tmp/compact" "$dir/compact.json"
[ "$(printf '%s\n' "$ten" "$small" "$seven" "$old" | sort -u | wc -l)" = 4 ] || fail 'ids are not four'
echo 'no document' >"$dir/README"

# run STATUS ID-OR-EMPTY ARGUMENT...: by exec, and by the emulator with the same configuration
run()
{
	want=$1 asked=$2
	shift 2
	try "$want" env ABIBASE_BASELINE="$asked" "$abibase" exec --profile "$tmp/new.json" "$dir" -- \
		"$qemu" "$@" $nic
	[ "$want" = 42 ] || not_started "exec $*"
}

emulate()
{
	want=$1 asked=$2
	shift 2
	try "$want" env ABIBASE_BASELINE="$asked" ABIBASE_EMULATOR_CONF="$tmp/emulator.conf" \
		"$emulator" "$@" $nic
	[ "$want" = 42 ] || not_started "emulator $*"
}

# under ID: QEMU has its list, and its id in the environment
under()
{
	[ "$(cat "$tmp/environment")" = "$1" ] || fail "started under $(cat "$tmp/environment"), not $1"
	grep -q '^-global$' "$tmp/started" || fail "no list of $1"
	[ ! -s "$tmp/err" ] || fail "something is said of a start under $1"
}
configure()
{
	conf "baseline = $dir" "qemu = $qemu" "profile = $tmp/new.json" "$@"
}
configure

# ------------------------------------------------------------------------ the guest chooses

for how in run emulate; do
	# the only one of a machine type, also where it comes in
	$how 42 '' -M pc-q35-7.2
	under "$seven"
	$how 42 '' -M pc-q35-7.2,usb=off -incoming defer
	under "$seven"
	$how 42 '' -M pc-i440fx-10.0
	under "$old"
	# by its id, by the name of its file or by what is in it
	for asked in "$ten" "$small"; do
		$how 42 "$asked" -M $machine
		under "$asked"
		$how 42 "$asked" -M $machine -incoming tcp:0:4444
		under "$asked"
	done
	grep -qx 'virtio-net-device.host_uso=off' "$tmp/started" || fail 'not the list of the id'
	# of another machine type than the guest
	$how 126 "$seven" -M $machine
	says '[command-machine]'

	none=b1-00000000000000000000000000000000
	$how 126 $none -M $machine
	says "$dir: no baseline is $none, which ABIBASE_BASELINE asks for; there are: $old (pc-i440fx-10.0), $seven (pc-q35-7.2), "
	says "$ten ($machine)"
	says '[baseline-not-there]'
	says "  remedy: copy the baseline $none to $dir of this host"
	for asked in x b1-12 "../$ten" "b1-$ten" B1-00000000000000000000000000000000; do
		$how 126 "$asked" -M $machine
		says "ABIBASE_BASELINE is \"$asked\", and must be the id of a baseline"
		says '[baseline-not-there]'
	done

	# several, and nothing says which
	for words in '-incoming defer' '-incoming fd:7' '-loadvm s1'; do
		$how 126 '' -M $machine $words
		says "$dir: several baselines are of the machine type $machine, and nothing says under which the guest that comes in was started: "
		says "$ten ($machine)"
		says "$small ($machine)"
		silent_about "$seven"
		says '[baseline-which]'
		says 'abibase targets'
		says "<qemu:env name='ABIBASE_BASELINE' value='ID'/>"
	done
	$how 126 '' -M $machine
	says '[baseline-which]'

	# a machine type of which there is none; a name that is no version
	$how 126 '' -M pc-q35-9.1
	says "$dir: no baseline is of the machine type pc-q35-9.1; there are: "
	says '[baseline-no-machine]'
	says 'abibase intersect -M pc-q35-9.1'
	$how 126 '' -M q35
	says 'the command line has the machine type q35, which each QEMU reads otherwise'
	says "$seven (pc-q35-7.2)"
	silent_about "$old"
	says '[command-machine]'
	says "remedy: write the name with its version: -machine $machine (libvirt: <type machine='$machine'>; virt-install --machine $machine)"
	$how 126 '' -machine pc,usb=off
	says "virt-install --machine pc-i440fx-10.0"
	silent_about "$seven"
	$how 126 ''
	says 'names no machine type'
	says '[command-machine]'
done
run 126 '' -M $machine
says 'ABIBASE_BASELINE=ID'
emulate 126 '' -M $machine
says "name one in $tmp/emulator.conf: current.$machine = ID"

# ------------------------------------------------------ a guest that no baseline is about

# starts as it is: with the list where one is its own, and nothing is said
asis()
{
	try 42 env ABIBASE_EMULATOR_CONF="$tmp/emulator.conf" "$emulator" "$@"
	[ ! -s "$tmp/err" ] || fail "something is said of a guest without virtio-net: $*"
}
asis -M $machine -device e1000
printf '%s\n' -M $machine -device e1000 | cmp -s - "$tmp/started" || fail 'other arguments'
[ "$(cat "$tmp/environment")" = none ] || fail 'an id without a list'
asis -M pc-q35-9.1 -netdev tap,id=n,vhost=on -device e1000,netdev=n -incoming defer
asis -M q35
asis -M pc-q35-7.2
[ "$(cat "$tmp/environment")" = "$seven" ] || fail 'no list for what is plugged in later'
# whatever the id says; an id that is not there is a mistake all the same
export ABIBASE_BASELINE="$ten"
asis -M pc-q35-9.1
ABIBASE_BASELINE=$none
try 126 env ABIBASE_EMULATOR_CONF="$tmp/emulator.conf" "$emulator" -M $machine
says "[baseline-not-there]"
unset ABIBASE_BASELINE
# and what cannot be read may have one
try 126 env ABIBASE_EMULATOR_CONF="$tmp/emulator.conf" "$emulator" -M $machine -readconfig "$tmp/nosuchfile"
says '[baseline-which]'

# -set can make a card of virtio-net of another device
for words in '-device e1000,id=x -set device.x.driver=virtio-net-pci' '-nic user,id=x,model=e1000 -set nic.x.model=virtio'; do
	try 126 env ABIBASE_EMULATOR_CONF="$tmp/emulator.conf" "$emulator" -M pc-q35-9.1 $words
	says '[baseline-no-machine]'
done
asis -M pc-q35-9.1 -device e1000,id=x -set device.x.addr=7

# ------------------------------------------------------------------------ the current one

configure "current.$machine = $small"
emulate 42 '' -M $machine
under "$small"
# which says nothing of a guest that comes in, and nothing against an id
emulate 126 '' -M $machine -incoming defer
says '[baseline-which]'
emulate 42 "$ten" -M $machine
under "$ten"
configure "current.$machine = $none"
emulate 126 '' -M $machine
says "no baseline is $none, which $tmp/emulator.conf:4: current.$machine asks for"
# a file that is called after it, and is another
cp "$dir/small.json" "$dir/$none.json"
emulate 126 '' -M $machine
says "$dir/$none.json: is the baseline $small, and $tmp/emulator.conf asks for $none [baseline-not-there]"
rm "$dir/$none.json"
# there under two names, it is one
configure
rm "$dir/small.json"
cp "$dir/$ten.json" "$dir/again.json"
emulate 42 '' -M $machine -incoming defer
under "$ten"
rm "$dir/again.json"

# a directory is no program, whatever the mode
conf "qemu = $dir" 'mode = warn'
emulate 126 '' -M $machine
says "$dir: Is a directory [exec-not-found]"

# -------------------------------------------------------------------- one file, and its id

conf "baseline = $dir/seven.json" "qemu = $qemu" "profile = $tmp/new.json"
emulate 42 "$seven" -M pc-q35-7.2
under "$seven"
emulate 42 '' -M pc-q35-7.2
under "$seven"
emulate 126 "$ten" -M pc-q35-7.2
says "$dir/seven.json: is the baseline $seven, and ABIBASE_BASELINE asks for $ten [baseline-not-there]"
# a file that is called after another
cp "$dir/seven.json" "$dir/$none.json"
run 126 $none -M pc-q35-7.2
says "$dir/$none.json: is the baseline $seven, and ABIBASE_BASELINE asks for $none [baseline-not-there]"
rm "$dir/$none.json"

# --------------------------------------------------------------- what does not belong there

configure
for bad in profile text none pipe huge; do
	rm -f "$dir/bad.json"
	case $bad in
	pipe) mkfifo "$dir/bad.json" ;;
	huge) truncate -s 100G "$dir/bad.json" ;;
	profile) cp "$tmp/new.json" "$dir/bad.json" ;;
	text) echo '{' >"$dir/bad.json" ;;
	none) "$abibase" intersect --json -M pc-q35-11.1 debian-12 debian-13 -o "$dir/bad.json" 2>"$tmp/err" ;;
	esac
	emulate 126 '' -M $machine
	says "$dir/bad.json:"
	says "  remedy: mend it, or take it out of $dir"
	# by the name of its file no other is looked at
	emulate 42 "$ten" -M $machine
	under "$ten"
done
rm "$dir/bad.json"
mkfifo "$dir/$none.json"
run 126 $none -M $machine
says "$dir/$none.json: is no regular file [io-error]"
rm "$dir/$none.json"
# nor does a pipe in the place of the configuration, or of what it names
mkfifo "$tmp/pipe"
try 126 timeout 30 env ABIBASE_EMULATOR_CONF="$tmp/pipe" "$emulator" -M $machine $nic
says "$tmp/pipe: is a pipe, and has to be a file"
try 126 timeout 30 "$abibase" exec --profile "$tmp/pipe" "$dir/$ten.json" -- "$qemu" -M $machine $nic
says "$tmp/pipe: is a pipe, and has to be a file"
rm -rf "$tmp/empty" && mkdir "$tmp/empty"
conf "baseline = $tmp/empty" "qemu = $qemu" "profile = $tmp/new.json"
emulate 126 '' -M $machine
says "$tmp/empty: no baseline is of the machine type $machine; there are: none [baseline-no-machine]"
conf "baseline = $tmp/nosuchplace" "qemu = $qemu" "profile = $tmp/new.json"
emulate 126 '' -M $machine
says "$tmp/nosuchplace"

# ----------------------------------------------------------------------- who may write there

configure
chmod 775 "$dir"
emulate 126 "$ten" -M $machine
says "$dir: can be written by its group (mode 0775)"
says '[not-trusted]'
chmod 755 "$dir"
chmod 646 "$dir/$ten.json"
emulate 126 "$ten" -M $machine
says "$dir/$ten.json: can be written by everybody (mode 0646)"
emulate 126 '' -M $machine
says '[not-trusted]'
# one that others could change is not asked where it has no say
emulate 42 '' -M pc-q35-7.2
under "$seven"
chmod 644 "$dir/$ten.json"
emulate 42 '' -M $machine
under "$ten"

# --------------------------------------------------------------------- the guest decides

# This host has tap as base.json promises it, and no vhost-net that is as new.
jq --slurpfile old "$tmp/old.json" '.facts |= with_entries(select(.key | startswith("vhost_net.") | not))
	+ ($old[0].facts | with_entries(select(.key | startswith("vhost_net."))))' "$tmp/new.json" >"$tmp/half.json"
"$abibase" check "$tmp/base.json" "$tmp/half.json" >"$tmp/out" && fail 'half.json provides all'
half()
{
	want=$1
	shift
	try "$want" "$abibase" exec --profile "$tmp/half.json" "$tmp/base.json" -- "$qemu" -M $machine "$@"
	[ "$want" != 42 ] || grep -qx 'virtio-net-device.queue_reset=on' "$tmp/started" || fail "no list: $*"
}
card=virtio-net-pci,netdev=n
half 126 -netdev tap,id=n,vhost=on -device $card
says 'virtio-net-device.queue_reset (VIRTIO_F_RING_RESET)'
says '[promise-lacks]'
half 126 -netdev tap,id=n,fd=33,vhostfd=34 -device $card
half 126 -netdev tap,id=n -device $card -set netdev.n.vhost=on
half 126 -netdev tap,id=m -device virtio-net-pci,netdev=m -netdev tap,id=n,vhost=on -device $card
half 126 -nic tap,model=virtio-net-pci,vhost=on
half 126 -netdev tap,id=n -device $card -nosuchoption
says 'the guest has -nosuchoption'
half 126 -netdev vhost-user,id=n,chardev=c -device $card
for without in "-netdev tap,id=n -device $card" "-netdev tap,id=n,vhost=off,vhostfd=34 -device $card" \
	"-netdev user,id=n -device $card" "-netdev bridge,id=n -device $card" "-device virtio-net-pci" "-device e1000" ''; do
	half 42 $without
	[ ! -s "$tmp/err" ] || fail "something is said of: $without"
done
# A host without either: a card on a backend that no host decides about is no matter, one on tap is.
old()
{
	want=$1
	shift
	try "$want" "$abibase" exec --profile "$tmp/old.json" "$tmp/base.json" -- "$qemu" -M $machine "$@"
}
old 126 -netdev tap,id=n -device $card
says host_uso
silent_about VIRTIO_F_RING_RESET
old 42 -netdev user,id=n -device $card
old 42 -device e1000

# plugged in later on the other backend: warned of where something can be plugged in
slot='-device pcie-root-port,id=p1'
half 42 -netdev tap,id=n -device $card $slot
says 'warning: do not plug a network card in later on another backend than the guest has now: here: vhost-net lacks'
says '[command-hotplug]'
half 42 -netdev tap,id=n -device $card,bus=p1 $slot
[ ! -s "$tmp/err" ] || fail 'a port that is taken'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" -M $machine $slot \
	-netdev tap,id=n -device $card
[ ! -s "$tmp/err" ] || fail 'a warning on a host that provides all'

# The size of a ROM of the file of this host decides only of a guest that has it.
jq --arg m $machine '.qemu[].shape = {($m): {"tap": {"rom_size": 262144}}}' "$tmp/new.json" >"$tmp/rom.json"
"$abibase" intersect --json -M $machine "$tmp/rom.json" -o "$tmp/rom-base.json" 2>"$tmp/err" || fail 'no baseline'
jq --arg m $machine '.qemu[].shape = {($m): {"tap": {"rom_size": 524288}}}' "$tmp/new.json" >"$tmp/big.json"
for words in "-netdev tap,id=n -device $card" "-netdev user,id=n -device $card"; do
	try 126 "$abibase" exec --profile "$tmp/big.json" "$tmp/rom-base.json" -- "$qemu" -M $machine $words
	says '[size-differs]'
done
try 42 "$abibase" exec --profile "$tmp/big.json" "$tmp/rom-base.json" -- "$qemu" -M $machine \
	-netdev tap,id=n -device $card,romfile=

# ---------------------------------------------------------- probe, where the wrapper stands

# As dpkg-divert leaves it: the wrapper at the path of QEMU, and QEMU beside it. QEMU says what it is.
real=$qemus/trixie/usr
if [ -x "$real/bin/qemu-system-x86_64" ]; then
	mkdir "$tmp/bin"
	cat >"$tmp/bin/qemu-system-x86_64.distrib" <<-END
		#!/bin/sh
		exec "$real/lib64/ld-linux-x86-64.so.2" --library-path \
			"$real/lib/x86_64-linux-gnu:$real/lib" "$real/bin/qemu-system-x86_64" \
			-L "$real/share/qemu" -L "$real/share/seabios" "\$@"
	END
	chmod 755 "$tmp/bin/qemu-system-x86_64.distrib"
	# of an uninstalled program itself, not libtool's script, which looks for it beside itself
	wrapper=$emulator
	[ -x "$build/.libs/abibase-emulator" ] && wrapper=$build/.libs/abibase-emulator
	ln -s "$wrapper" "$tmp/bin/qemu-system-x86_64"
	export LD_LIBRARY_PATH="$build/lib/.libs" ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
	conf "baseline = $dir" "qemu = $tmp/bin/qemu-system-x86_64.distrib" "profile = $tmp/host.json"
	# probe ARGUMENT...: of the wrapper
	probe()
	{
		try 0 "$abibase" probe --only=qemu --no-cache --qemu="$tmp/bin/qemu-system-x86_64" "$@"
	}
	probe -M $machine --no-observe -v -o "$tmp/host.json"
	[ "$(jq -c '[.qemu[].path]' "$tmp/host.json")" = "[\"$tmp/bin/qemu-system-x86_64.distrib\"]" ] ||
		fail "the record is of $(jq -c '[.qemu[].path]' "$tmp/host.json")"
	jq -e --arg m $machine '.qemu[0].values[$m] // .qemu[0].machines' "$tmp/host.json" >"$tmp/out" ||
		fail 'nothing is recorded of it'
	says 'is abibase-emulator; asked is'
	says '[probe-qemu-behind]'
	# both names, one QEMU
	probe --qemu="$tmp/bin/qemu-system-x86_64.distrib" --no-values --no-observe -o "$tmp/two.json"
	[ "$(jq '.qemu | length' "$tmp/two.json")" = 1 ] || fail 'one QEMU under two names is two'
	# where others could say which QEMU root asks, the wrapper is asked, which refuses
	chmod 646 "$tmp/emulator.conf"
	try 2 "$abibase" probe --only=qemu --no-cache --qemu="$tmp/bin/qemu-system-x86_64" -o "$tmp/two.json"
	says 'can be written by everybody'
	jq -e '.qemu[0].unknown' "$tmp/two.json" >"$tmp/out" || fail 'an untrusted configuration is believed'
	rm "$tmp/emulator.conf"
	try 2 "$abibase" probe --only=qemu --no-cache --qemu="$tmp/bin/qemu-system-x86_64" -o "$tmp/two.json"
	says "$tmp/emulator.conf: No such file or directory"
else
	echo "skipped: no $real: tests/fetch-qemus fetches it"
	[ "${ABIBASE_TEST_REQUIRE:-}" != 1 ] || fail 'no QEMU'
fi

[ $failures = 0 ]
