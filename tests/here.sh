#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# abibase check without operands: who runs under what on this host. Real QEMUs run, with the id of a
# baseline in their environment, with the list of one, and with neither; all other processes are in another
# namespace. Units and AppArmor are files that are mounted over those of this machine, in a namespace, too.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3 jq unshare setpriv mount
[ -r /proc/sys/kernel/random/boot_id ] || skip "needs the boot id"
need_qemus trixie
alone "$@"

tmp=$(mktemp -d) || exit 99
trap 'end; rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
# A build directory may be closed to the account that asks, too.
view "$tmp/view"
abibase=$tmp/view/abibase
export LD_LIBRARY_PATH="$tmp/view${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ABIBASE_DATADIR="$tmp/view/data"
export XDG_CACHE_HOME="$tmp/cache" HOME="$tmp" ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
boot=$(cat /proc/sys/kernel/random/boot_id)

# look STATUS [COMMAND...]: the page, and the document, which is held against its schema at the end
documents=0
mkdir "$tmp/documents"
look()
{
	want=$1
	shift
	"$@" "$abibase" check > "$tmp/page" 2> "$tmp/err" < /dev/null
	got=$?
	[ "$got" = "$want" ] || fail "check: status $got, not $want: $(cat "$tmp/page" "$tmp/err")"
	"$@" "$abibase" check --json > "$tmp/json" 2> "$tmp/err" < /dev/null
	got=$?
	[ "$got" = "$want" ] || fail "check --json: status $got, not $want"
	documents=$((documents + 1))
	cp "$tmp/json" "$tmp/documents/$documents.json"
}

# is FILTER WORDS: what jq finds in the document
is()
{
	found=$(jq -r "$1" "$tmp/json")
	[ "$found" = "$2" ] || fail "$1 is \"$found\", not \"$2\""
}

page_says()
{
	tr -s ' \n' ' ' < "$tmp/page" | grep -qF -e "$1" || fail "the page does not say \"$1\": $(cat "$tmp/page")"
}

# A QEMU of Debian 13, in its root
qemu=$tmp/qemu-system-x86_64
cat > "$qemu" << END
#!/bin/sh
unset LD_LIBRARY_PATH
exec chroot "$qemus/trixie" /usr/bin/qemu-system-x86_64 "\$@"
END
chmod +x "$qemu"
# start ARGUMENT...: a guest that never runs; it is QEMU when this returns
accel='-accel tcg'
start()
{
	# shellcheck disable=SC2086
	"$qemu" "$@" -S -nodefaults -display none $accel > "$tmp/qemu.out" 2>&1 &
	pid=$!
	running="$running $pid"
	for _ in $(seq 200); do
		case $(readlink /proc/$pid/exe) in */qemu-system-x86_64) return ;; esac
		sleep 0.1
	done
	fail "QEMU does not start: $(cat "$tmp/qemu.out")"
}

entry=$(qemu_entry debian-13 "$qemu")
record debian-13 "$entry" node-a > "$tmp/host.json"
record debian-12 "$entry" node-a > "$tmp/older.json"
mkdir "$tmp/baselines" "$tmp/kept"

# conf LINE...: the wrapper is set up
conf()
{
	printf '%s\n' "baseline = $tmp/baselines" "qemu = $qemu" "profile = $tmp/host.json" "$@" \
		> "$ABIBASE_EMULATOR_CONF"
}

# id FILE
id()
{
	jq -r .id "$1"
}

# ------------------------------------------------------------------------ an empty host

export ABIBASE_EMULATOR_CONF="$tmp/not-there.conf"
look 3
is .emulator.state not-configured
is '.baselines | length' 0
is '.guests | length' 0
is .processes all
page_says 'has no baseline'
export ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
conf
look 3
is .host node-a
is .record.state current
is .emulator.state sound
is .directory "$tmp/baselines"

# ------------------------------------------------------------------ baselines and guests

"$abibase" intersect -q --json -M pc-q35-7.2 -o "$tmp/baselines/wide.json" "$tmp/host.json" debian-12 ||
	fail 'no wide.json'
sed 's/"node-a"/"node-b"/' "$tmp/older.json" > "$tmp/kept/node-b.json"
"$abibase" intersect -q --json --no-inputs -M pc-q35-10.0 -o "$tmp/baselines/old.json" "$tmp/host.json" \
	"$tmp/kept/node-b.json" || fail 'no old.json'
"$abibase" intersect -q --json -M pc-q35-10.0 -o "$tmp/baselines/next.json" "$tmp/host.json" ||
	fail 'no next.json'
list=$("$abibase" intersect -q -M pc-q35-10.0 "$tmp/host.json" "$tmp/kept/node-b.json")
wide=$(id "$tmp/baselines/wide.json") old=$(id "$tmp/baselines/old.json") next=$(id "$tmp/baselines/next.json")
conf "current.pc-q35-10.0 = $old" "mode.$next = warn"

ABIBASE_BASELINE=$wide
export ABIBASE_BASELINE
start -M pc-q35-7.2 -name guest=web,debug-threads=on
unset ABIBASE_BASELINE
# shellcheck disable=SC2086
start -machine pc-q35-10.0,usb=off $list -name listed
# shellcheck disable=SC2086
start -machine pc-q35-10.0 $list -global virtio-net-device.host_uso=on -name changed
start -machine pc-q35-10.0 -name "plain"
# a question, throw-aways of abibase rehearse and probe, and no QEMU at all
start -machine none -name asked
accel=
start -no-user-config -machine pc-q35-10.0,accel=tcg:kvm -qmp stdio
probing=$pid
accel='-accel tcg'
# shellcheck disable=SC2086
start -machine pc-q35-10.0 $list -name rehearsed -chardev null,id=abibase-monitor \
	-mon chardev=abibase-monitor,mode=control
(exec -a sleep sleep 60) 2> /dev/null & running="$running $!"

look 0
kill -0 "$probing" || fail "the QEMU of a probe has ended: $(cat "$tmp/qemu.out")"
is '[.guests[] | .name] | sort | join(" ")' 'changed listed plain web'
is '.guests[] | select(.name == "web") | "\(.by) \(.baseline) \(.machine)"' "environment $wide pc-q35-7.2"
is '.guests[] | select(.name == "listed") | "\(.by) \(.baseline) \(.machine)"' "command-line $old pc-q35-10.0"
is '.guests[] | select(.name == "changed") | "\(.by) \(.baseline)"' "none null"
is '.guests[] | select(.name == "plain") | "\(.by) \(.baseline)"' "none null"
is '.guests[0].qemu | endswith("/usr/bin/qemu-system-x86_64")' true
is '.baselines[] | select(.used == "no") | .baseline' "$next"
is '.baselines[] | select(.current) | .baseline' "$old"
is '.baselines[] | select(.warns) | .baseline' "$next"
is '[.baselines[] | .guests] | add' 2
page_says 'yes: node-a satisfies all 3 baselines'
page_says 'guests under no baseline: changed (pc-q35-10.0), plain (pc-q35-10.0)'
page_says 'by the command line: listed'
page_says 'mode is warn'
awk 'length > 80 { exit 1 }' "$tmp/page" || fail "a line of the page is too wide: $(cat "$tmp/page")"

# The same by one who may not look into the processes of others.
look 0 setpriv --reuid 65534 --regid 65534 --clear-groups
is '.guests[] | select(.name == "web") | "\(.by) \(.baseline)"' 'unknown null'
is '.guests[] | select(.name == "listed") | .by' command-line
is '[.baselines[] | select(.used == "unknown") | .baseline] | sort | join(" ")' \
	"$(printf '%s\n' "$wide" "$next" | sort | tr '\n' ' ' | sed 's/ $//')"
page_says 'guests that could not be looked at: web'
mount -o remount,hidepid=2 /proc
look 0 setpriv --reuid 65534 --regid 65534 --clear-groups
is '"\(.processes) \(.guests | length)"' 'own 0'
is '[.baselines[] | .used] | unique | join(" ")' unknown
page_says 'processes are hidden'
mount -o remount,hidepid=0 /proc

# A baseline was retired too early.
mv "$tmp/baselines/wide.json" "$tmp/kept"
look 1
is '.findings[0] | "\(.id) \(.kind)"' 'guest-baseline-gone conflict'
page_says "no file of the baseline $wide is there, and guests run under it that can neither be started again nor come back: web"
mv "$tmp/kept/wide.json" "$tmp/baselines"
end

# What a guest calls itself moves no cursor, and is no end of a line.
start -machine pc-q35-10.0 -name "$(printf 'a\033[2Jb\nno: x')"
look 0
grep -q "$(printf '\033')" "$tmp/page" "$tmp/json" && fail 'a name reaches the terminal'
grep -q '^no: x' "$tmp/page" && fail 'a name makes a line'
end

# --------------------------------------------------------------------------- the record

cp "$tmp/older.json" "$tmp/host.json"
look 1
is '[.baselines[] | select(.verdict == "no") | .baseline] | join(" ")' "$next"
is '.baselines[] | select(.verdict == "no") | [.findings[].id] | unique | join(" ")' promise-lacks
page_says 'no: node-a does not satisfy 1 of 3 baselines: next.json'
record debian-13 "$entry" node-a | jq '.boot_id = "11111111-1111-1111-1111-111111111111"' > "$tmp/host.json"
look 1
is '"\(.record.state) \([.baselines[].verdict] | unique | join(" "))"' 'other-boot unknown'
is '.findings[0].id' profile-stale
page_says 'not known; 1 more thing is wrong'
record debian-13 "$(echo "$entry" | jq '.build_id = "00112233"')" node-a > "$tmp/host.json"
look 1
is '"\(.record.state) \([.baselines[].verdict] | unique | join(" "))"' 'other-qemu unknown'
page_says "$qemu: was replaced"
record debian-13 "$entry" node-a > "$tmp/host.json"
chmod 600 "$tmp/host.json"
look 3 setpriv --reuid 65534 --regid 65534 --clear-groups
is '"\(.record.state) \([.baselines[].verdict] | unique | join(" "))"' 'unreadable unknown'
chmod 644 "$tmp/host.json"
echo '{' > "$tmp/host.json"
look 1
is .record.state unreadable
record debian-13 "$entry" node-a > "$tmp/host.json"

# Where a rehearsal of its QEMU is known, here by the digest of the build's record, the page says that it looked.
build=$("$abibase" show --json debian-13 | jq -r '.qemu[0].build')
record debian-13 "$(echo "$entry" | jq --arg build "$build" '.build = $build')" node-a > "$tmp/host.json"
for result in "$tmp"/view/data/rehearsals/7.2.22-*_10.0.13-*.json; do
	cp "$result" "${result%-*}-$build.json"
done
look 0
is '.baselines[] | select(.baseline == "'"$wide"'") | .scope.evidence | index("rehearsal") != null' true
page_says '[rehearsed-refused]'
page_says 'by catalogue, record and rehearsal'
record debian-13 "$entry" node-a > "$tmp/host.json"

# Without one the host is asked, as with a baseline that is named.
mount -t tmpfs none /var/lib
printf '%s\n' "baseline = $tmp/baselines" "qemu = $qemu" > "$ABIBASE_EMULATOR_CONF"
timeout 120 "$abibase" check --json > "$tmp/json" 2> "$tmp/err"
[ $? != 2 ] || fail "check without a record: $(cat "$tmp/err")"
is '"\(.record.state) \(.findings[0].id) \(.record.boot_id)"' "absent record-absent $boot"
umount /var/lib
conf

# ------------------------------------------------------------- the wrapper and its files

echo 'bad line' >> "$ABIBASE_EMULATOR_CONF"
look 1
is .emulator.state unsound
is '.findings[0].id' emulator-unsound
grep -q 'emulator-conf' "$tmp/err" || fail 'what is wrong with the configuration is not said'
conf
chmod 666 "$ABIBASE_EMULATOR_CONF"
look 1
is .emulator.state unsound
chmod 600 "$ABIBASE_EMULATOR_CONF"
look 3 setpriv --reuid 65534 --regid 65534 --clear-groups
is .emulator.state unknown
chmod 644 "$ABIBASE_EMULATOR_CONF"
sed 's/^qemu = .*/qemu = \/not\/there/' "$ABIBASE_EMULATOR_CONF" > "$tmp/conf"
mv "$tmp/conf" "$ABIBASE_EMULATOR_CONF"
look 1
is .emulator.state unsound
conf
# a bad document leaves the others
echo '{"schema": "abibase-baseline/1"}' > "$tmp/baselines/bad.json"
look 2
is '.baselines | length' 3
grep -q 'bad.json' "$tmp/err" || fail 'the bad document is not named'
is '"\(.verdict) \(.emulator.state)"' 'no unsound'
rm "$tmp/baselines/bad.json"

# and one that the caller may not read is no "no"
chmod 600 "$tmp/baselines/next.json"
look 2 setpriv --reuid 65534 --regid 65534 --clear-groups
is '"\(.verdict) \(.emulator.state) \(.findings[0].id)"' 'unknown sound emulator-unknown'
chmod 644 "$tmp/baselines/next.json"
# nor is a name that is no text
cp "$tmp/baselines/next.json" "$tmp/baselines/$(printf 'a\n\377.json')"
look 0
is '.baselines | length' 4
rm "$tmp/baselines/a"*
# by what else no guest is started: unsound WORDS
unsound()
{
	look 1
	is .emulator.state unsound
	is '[.findings[] | select(.id == "emulator-unsound") | .text] | length' 1
	page_says "$1"
	conf
	look 0
}
for file in baselines baselines/next.json; do
	chmod g+w "$tmp/$file"
	look 1
	grep -q 'not-trusted' "$tmp/err" || fail "who can write $file is not said"
	chmod g-w "$tmp/$file"
done
chmod o+w "$tmp/host.json"
look 1
chmod o-w "$tmp/host.json"
conf "current.pc-q35-10.0 = b1-00000000000000000000000000000000"
unsound 'b1-00000000000000000000000000000000 is no baseline that is there for that machine type'
conf "current.pc-q35-7.2 = $old"
unsound "current.pc-q35-7.2: $old is no baseline that is there"
for other in "$tmp/baselines" /bin/true; do
	printf '%s\n' "baseline = $tmp/baselines" "qemu = $other" "profile = $tmp/host.json" > "$ABIBASE_EMULATOR_CONF"
	case $other in
	/bin/true) unsound 'profile: does not have the QEMU that is configured' ;;
	*) unsound 'qemu: there is no such program' ;;
	esac
done
cp /bin/true "$tmp/abibase-emulator"
printf '%s\n' "baseline = $tmp/baselines" "qemu = $tmp/abibase-emulator" "profile = $tmp/host.json" > "$ABIBASE_EMULATOR_CONF"
unsound 'qemu: is the wrapper itself'
rm "$tmp/abibase-emulator"

# ------------------------------------------------------------------- units and AppArmor

# systemctl LINE...: of both units
mkdir -p "$tmp/run/systemd/system" "$tmp/apparmor/parameters" "$tmp/apparmor.d/abstractions/libvirt-qemu.d"
systemctl()
{
	printf '#!/bin/sh\n[ "$2" = show ] || exit 1\ncat << END\n' > "$tmp/systemctl"
	printf '%s\n' "$@" END >> "$tmp/systemctl"
}
systemctl LoadState=loaded ActiveState=active UnitFileState=enabled '' \
	LoadState=loaded ActiveState=inactive UnitFileState=disabled
chmod +x "$tmp/systemctl"
is '[.units[].state] | unique | join(" ")' no-systemd
mount --bind "$tmp/run" /run
mount --bind "$tmp/systemctl" "$(readlink -f /usr/bin/systemctl)"
look 0
is '[.units[] | "\(.name) \(.state) \(.enabled)"] | join("; ")' \
	'abibase-profile.service active true; abibase-check.timer inactive false'
page_says 'abibase-profile.service: enabled, it ran in this boot'
systemctl LoadState=loaded ActiveState=failed UnitFileState=enabled '' LoadState=not-found ActiveState=inactive UnitFileState=
look 0
is '[.units[] | "\(.name) \(.state) \(.enabled)"] | join("; ")' \
	'abibase-profile.service failed true; abibase-check.timer not-found null'
is '.findings[0] | "\(.kind) \(.id)"' 'note unit-failed'
systemctl LoadState=loaded ActiveState=active UnitFileState=disabled '' LoadState=not-found ActiveState=inactive UnitFileState=
look 0
is '.findings[0].id' unit-disabled
printf '#!/bin/sh\nexit 1\n' > "$tmp/systemctl"
look 0
is '[.units[].state] | unique | join(" ")' unknown

mkdir "$tmp/over"
mount -t tmpfs none "$tmp/over"
mkdir "$tmp/over/upper" "$tmp/over/work"
if mount -t tmpfs none /sys/module && mkdir -p /sys/module/apparmor/parameters &&
	mount -t overlay -o "lowerdir=/etc,upperdir=$tmp/over/upper,workdir=$tmp/over/work" overlay /etc; then
	mkdir -p /etc/apparmor.d
	mount --bind "$tmp/apparmor.d" /etc/apparmor.d
	echo Y > /sys/module/apparmor/parameters/enabled
	look 0
	is .apparmor.state no-libvirt
	echo '  /usr/bin/qemu-system-x86_64 rmix,' > "$tmp/apparmor.d/abstractions/libvirt-qemu"
	look 1
	is '"\(.apparmor.state) \(.findings[] | select(.kind == "conflict") | .id)"' 'no-rules apparmor-rules'
	cp "$src/packaging/libvirt/apparmor" "$tmp/apparmor.d/abstractions/libvirt-qemu.d/abibase"
	look 0
	is .apparmor.state rules
	echo N > /sys/module/apparmor/parameters/enabled
	look 0
	is .apparmor.state off
	umount /etc/apparmor.d /etc /sys/module
else
	echo "not looked at: AppArmor, for nothing can be mounted over /etc here"
fi
umount "$tmp/over"

# ------------------------------------------------------------------------- and nothing else

# No file is left behind.
touch "$tmp/before"
find "$tmp" | sort > "$tmp/before"
"$abibase" check > "$tmp/page" || fail 'check, once more'
find "$tmp" | sort | diff "$tmp/before" - ||
	fail 'check leaves something behind'
[ -e "$XDG_CACHE_HOME" ] && fail 'check has a cache'

# Options that are about a baseline want one.
"$abibase" check --backend=tap > "$tmp/page" 2> "$tmp/err"
[ $? = 2 ] || fail 'check --backend without a baseline'

python3 "$src/tests/schema.py" "$tmp/documents"/*.json > "$tmp/schema" || fail "the documents: $(cat "$tmp/schema")"
[ "$failures" = 0 ] || exit 1
