#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What becomes of a guest that should not be started: mode = enforce and warn, a host whose abibase is broken,
# and the line in the journal that each start and each refusal has. A script plays journald, and syslog.
# shellcheck disable=SC2086 # words of $nic and others
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-start.sh
. "${0%/*}/begin-start.sh"
need python3

export ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
id=$(jq -r .id "$tmp/base.json")
card='-netdev tap,id=n -device virtio-net-pci,netdev=n'

# configure PROFILE LINE...
configure()
{
	record=$1
	shift
	conf "baseline = $tmp/base.json" "qemu = $qemu" "profile = $record" "$@"
}

# ------------------------------------------------------------------------------ the journal

# Each datagram is a line of JSON, with its fields, or as it is: in $1 what comes to the journal, in $2 to
# syslog. It ends with the datagram "end".
cat >"$tmp/journald.py" <<'END'
import json, selectors, socket, sys

wait = selectors.DefaultSelector()
for name in sys.argv[1:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(name)
    wait.register(s, selectors.EVENT_READ, open(name + ".lines", "w"))
print("ready", flush=True)
while True:
    for key, _ in wait.select(60):
        data = key.fileobj.recv(1 << 20).decode()
        if data == "end":
            sys.exit()
        native = "\n" in data
        fields = [line.partition("=")[::2] for line in data.split("\n")[:-1]]
        assert not native or (data.endswith("\n") and all(k for k, _ in fields)), data
        assert not native or len(dict(fields)) == len(fields), data
        print(json.dumps(dict(fields) if native else data), file=key.data, flush=True)
END
mkfifo "$tmp/ready"
python3 "$tmp/journald.py" "$tmp/journal" "$tmp/syslog" >"$tmp/ready" &
journald=$!
trap 'kill $journald 2>/dev/null; rm -rf "$tmp"' EXIT
read -r _ <"$tmp/ready"
export ABIBASE_JOURNAL="$tmp/journal:$tmp/syslog"

# Datagrams to one socket keep their order, so what was sent before has come when this has.
settle()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ "$(wc -l <"$tmp/$1.lines")" -ge "$2" ] && return
		sleep 0.1
	done
}
lines=0

# told VERDICT BASELINE REASON: the next line, the last one, is of this; its fields stay in $tmp/line
told()
{
	lines=$((lines + 1))
	settle journal $lines
	[ "$(wc -l <"$tmp/journal.lines")" = $lines ] ||
		fail "$(wc -l <"$tmp/journal.lines") lines in the journal, not $lines"
	tail -n 1 "$tmp/journal.lines" >"$tmp/line"
	has ABIBASE_VERDICT "$1"
	has ABIBASE_BASELINE "$2"
	has ABIBASE_REASON "$3"
}
has()
{
	is=$(jq -r ".$1 // \"absent\"" "$tmp/line")
	[ "$is" = "$2" ] || fail "the journal's line has $1=$is, not $2"
}

configure "$tmp/new.json"
who='-name guest=vm,debug-threads=on -uuid c7a5fdbd-edaf-9455-926a-d65c16db1809'
try 42 "$emulator" -M $machine $who $card
told started "$id" ''
has ABIBASE_GUEST vm
has ABIBASE_UUID c7a5fdbd-edaf-9455-926a-d65c16db1809
has ABIBASE_MACHINE $machine
has ABIBASE_HOST here
has ABIBASE_QEMU "$qemu"
has PRIORITY 6
has SYSLOG_IDENTIFIER abibase
has MESSAGE "vm: started under $id"
jq -e '.MESSAGE_ID | test("^[0-9a-f]{32}$")' "$tmp/line" >"$tmp/out" || fail 'no MESSAGE_ID'
try 42 "$abibase" exec --profile "$tmp/new.json" "$tmp/base.json" -- "$qemu" -M $machine $card
told started "$id" ''
has ABIBASE_GUEST ''
has MESSAGE "a guest: started under $id"
# what gets around the baseline
try 42 "$emulator" -M $machine $card -global virtio-net-device.host_uso=off
told started "$id" command-loses
# a name can be anything, and forges nothing
try 42 "$emulator" -M $machine $card -name 'guest=a
PRIORITY=0
ABIBASE_VERDICT=refused'
told started "$id" ''
has ABIBASE_GUEST 'a?PRIORITY=0?ABIBASE_VERDICT=refused'
configure "$tmp/old.json"
try 126 "$emulator" -M $machine $who $card
told refused "$id" promise-lacks
has PRIORITY 3
jq -e '.MESSAGE | startswith("vm: refused under '"$id"'; conflict: here: tap lacks")' "$tmp/line" >"$tmp/out" ||
	fail 'the reason is not in the message'
try 126 "$emulator" -M q35 $card
told refused "$id" command-machine,promise-lacks
# no baseline is about it
try 42 "$emulator" -M q35 -device e1000 -name vm
told started '' command-machine
try 127 "$abibase" exec "$tmp/base.json" -- "$tmp/nosuchqemu" -M $machine
told refused '' exec-not-found
# a question is no guest
try 42 "$emulator" -M none
try 42 "$emulator" -version
settle journal $((lines + 1))
[ "$(wc -l <"$tmp/journal.lines")" = $lines ] || fail 'a question is in the journal'

# without a journal syslog is told, in one line; without either nobody is, and the guest starts
ABIBASE_JOURNAL="/nonexistent:$tmp/syslog"
try 126 "$emulator" -M $machine -name 'guest=v"m' $card
settle syslog 1
[ "$(wc -l <"$tmp/syslog.lines")" = 1 ] || fail 'not one line of syslog'
jq -re 'select(test("^<27>abibase\\[[0-9]+\\]: ABIBASE_VERDICT=\"refused\" ABIBASE_GUEST=\"v.m\" "))' \
	"$tmp/syslog.lines" >"$tmp/out" || fail 'the line of syslog'
configure "$tmp/new.json"
for nowhere in /nonexistent:/nonexistent "$tmp/base.json" ''; do
	ABIBASE_JOURNAL=$nowhere
	try 42 "$emulator" -M $machine $card
	[ ! -s "$tmp/err" ] || fail "something is said where nobody can be told: $nowhere"
done
ABIBASE_JOURNAL="$tmp/journal:$tmp/syslog"

# --------------------------------------------------------------------------------- mode = warn

# warned REASON ARGUMENT...: started all the same, with the list if $list is yes
warned()
{
	why=$1
	shift
	try 42 "$emulator" "$@"
	says "$qemu is started all the same, "
	says '[exec-warned]'
	if [ $list = yes ]; then
		says 'with the list of the baseline: mode is warn'
		told warned "$id" "$why"
		grep -q '^-global$' "$tmp/started" || fail "no list: $*"
		[ "$(cat "$tmp/environment")" = "$id" ] || fail "not its id: $*"
	else
		says 'without the list of the baseline: mode is warn'
		told warned '' "$why"
		printf '%s\n' "$@" | cmp -s - "$tmp/started" || fail "not as asked: $*"
		[ "$(cat "$tmp/environment")" = none ] || fail "an id without a list: $*"
	fi
	has PRIORITY 4
}

# refused REASON ARGUMENT...
refused()
{
	why=$1
	shift
	try 126 "$emulator" "$@"
	says '[exec-refused]'
	not_started "$*"
	told refused "$under" "$why"
}
under=$id
for mode in 'mode = warn' "mode.$machine = warn" "mode.$id = warn" "mode = enforce
mode.$machine = warn" "mode.$machine = enforce
mode.$id = warn"; do
	configure "$tmp/old.json" "$mode"
	list=yes
	warned promise-lacks -M $machine $card
	says 'tap lacks what the baseline promises'
done
for mode in 'mode = enforce' "mode = warn
mode.$machine = enforce" "mode.$machine = warn
mode.$id = enforce" 'mode.pc-q35-9.2 = warn' 'mode.b1-00000000000000000000000000000000 = warn'; do
	configure "$tmp/old.json" "$mode"
	refused promise-lacks -M $machine $card
done
says "  or, to start it all the same: \"mode.$machine = warn\" in $tmp/emulator.conf"
# of another machine type the list would be wrong, and of another QEMU it might not start
list=no
configure "$tmp/new.json" 'mode = warn'
warned command-machine -M q35 $card
warned command-machine -M pc-q35-9.2 $card
jq --arg m $machine '.qemu[].shape = {($m): {"tap": {"rom_size": 262144}}}' "$tmp/new.json" >"$tmp/rom.json"
"$abibase" intersect --json -M $machine "$tmp/rom.json" -o "$tmp/rom-base.json" 2>"$tmp/err" || fail 'no baseline'
jq --arg m $machine '.qemu[].shape = {($m): {"tap": {"rom_size": 524288}}}' "$tmp/new.json" >"$tmp/big.json"
conf "baseline = $tmp/rom-base.json" "qemu = $qemu" "profile = $tmp/big.json" 'mode = warn'
warned size-differs -M $machine $card
# nothing is wrong, nothing is said
configure "$tmp/new.json" 'mode = warn'
try 42 "$emulator" -M $machine $card
told started "$id" ''
[ ! -s "$tmp/err" ] || fail 'something is said of a start under mode = warn'

# ------------------------------------------------------------------------- what can be broken

jq '.boot_id = "00000000-0000-0000-0000-000000000000"' "$tmp/new.json" >"$tmp/stale.json"
jq '.qemu[0].path = "/nonexistent"' "$tmp/new.json" >"$tmp/without.json"
echo '{' >"$tmp/torn.json"
none=b1-00000000000000000000000000000000
mkdir "$tmp/nothing"

# broken REASON WAY-ROUND ARGUMENT...: refused with the line that lets it start, and with that it starts
broken()
{
	reason=$1 way=$2
	shift 2
	refused "$reason" -M $machine $card "$@"
	says "  or, to start it all the same: \"$way\" in $tmp/emulator.conf"
	echo "$way" >>"$tmp/emulator.conf"
	warned "$reason" -M $machine $card "$@"
}
list=no
for profile in stale without torn nosuchfile; do
	configure "$tmp/$profile.json"
	case $profile in
	stale) reason=profile-stale ;;
	without) reason=profile-no-qemu ;;
	torn) reason=json-syntax ;;
	nosuchfile) reason=io-error ;;
	esac
	broken $reason "mode.$machine = warn"
	says "  see: $tmp/emulator.conf:3: profile = $tmp/$profile.json"
done
under=''
for baseline in torn nosuchfile; do
	conf "baseline = $tmp/$baseline.json" "qemu = $qemu" "profile = $tmp/new.json"
	[ $baseline = torn ] && reason=json-syntax || reason=io-error
	broken $reason "mode.$machine = warn"
	says "  see: $tmp/emulator.conf:1: baseline = $tmp/$baseline.json"
done
configure "$tmp/new.json"
chmod 646 "$tmp/base.json"
broken not-trusted "mode.$machine = warn"
chmod 644 "$tmp/base.json"
conf "baseline = $tmp/nothing" "qemu = $qemu" "profile = $tmp/new.json"
broken baseline-no-machine "mode.$machine = warn"
export ABIBASE_BASELINE=$none
under=$none
configure "$tmp/new.json"
broken baseline-not-there "mode.$machine = warn"
ABIBASE_BASELINE=x
under=x
configure "$tmp/new.json"
broken baseline-not-there "mode.$machine = warn"
unset ABIBASE_BASELINE
under=''
# the data of abibase
data=$ABIBASE_DATADIR
ABIBASE_DATADIR=$tmp/nothing
configure "$tmp/new.json"
broken io-error "mode.$machine = warn"
ABIBASE_DATADIR=$data
# the configuration itself: it says as much as can be read of it
for bad in 'nosuchkey = x' 'no line' 'mode.x = perhaps' "qemu = $qemu" 'verify = maybe'; do
	configure "$tmp/new.json" "$bad"
	broken emulator-conf 'mode = warn'
	says "$tmp/emulator.conf:4: "
	try 42 "$emulator" -version
done
says 'verify must be yes or no, not "maybe" [emulator-conf]'
# a mode that is not "warn" alone is none that lets a guest start
for bad in 'mode = enforce' "mode.$machine = warm" "mode.$machine ="; do
	configure "$tmp/new.json" 'mode = warn' "$bad"
	refused emulator-conf -M $machine $card
done
# and a NUL hides nothing behind it
printf 'baseline = %s\nqemu = %s\nmode = warn\0 no\n' "$tmp/base.json" "$qemu" >"$tmp/emulator.conf"
refused emulator-conf -M $machine $card
says "$tmp/emulator.conf:3: \"mode = warn\" is not \"key = value\""
conf "qemu = $qemu"
broken emulator-conf 'mode = warn'
says "$tmp/emulator.conf: baseline is not set [emulator-conf]"
# where not even QEMU is named
for bad in "baseline = $tmp/base.json" missing; do
	conf "$bad"
	[ "$bad" = missing ] && rm "$tmp/emulator.conf"
	[ "$bad" = missing ] && reason=io-error || reason=emulator-conf
	refused $reason -M $machine $card
	says "  or, to start guests without a baseline: printf 'qemu = /usr/bin/qemu-system-x86_64\\nmode = warn\\n' >> $tmp/emulator.conf"
done
printf 'qemu = %s\nmode = warn\n' "$qemu" >"$tmp/emulator.conf"
warned emulator-conf -M $machine $card

# Who may write QEMU, or the configuration, decides what is started, in every mode.
configure "$tmp/new.json" 'mode = warn'
chmod 757 "$qemu"
under=$id
refused not-trusted -M $machine $card
silent_about 'to start it all the same'
chmod 755 "$qemu"
chmod 646 "$tmp/emulator.conf"
under=''
refused not-trusted -M $machine $card
silent_about 'to start it all the same'
chmod 644 "$tmp/emulator.conf"

# ------------------------------------------------------------------------- a hundred at once

: >"$tmp/all"
cat >"$qemu" <<END
#!/bin/sh
echo "\$2 \$ABIBASE_BASELINE" >>"$tmp/all"
END
mkdir "$tmp/many"
cp "$tmp/base.json" "$tmp/many/$id.json"
conf "baseline = $tmp/many" "qemu = $qemu" "profile = $tmp/new.json"
settle journal $lines
before=$(wc -l <"$tmp/journal.lines")
[ "$before" = $lines ] || fail "$before lines in the journal, not $lines"
i=0
pids=''
while [ $i -lt 100 ]; do
	"$emulator" -name "vm$i" -M $machine $card 2>>"$tmp/errors" </dev/null &
	pids="$pids $!"
	i=$((i + 1))
done
for pid in $pids; do
	wait "$pid" || fail "a start of a hundred: exit status $?"
done
[ ! -s "$tmp/errors" ] || fail "of a hundred starts: $(head -n 3 "$tmp/errors")"
[ "$(sort -u "$tmp/all" | wc -l)" = 100 ] || fail 'not a hundred guests'
[ "$(wc -l <"$tmp/all")" = 100 ] || fail 'a guest was started twice'
! grep -vq " $id\$" "$tmp/all" || fail 'a guest without its id'
settle journal $((before + 100))
tail -n +$((before + 1)) "$tmp/journal.lines" | jq -r '"\(.ABIBASE_GUEST) \(.ABIBASE_VERDICT)"' >"$tmp/told"
[ "$(grep -c ' started$' "$tmp/told")" = 100 ] || fail "$(wc -l <"$tmp/told") lines of a hundred starts"
[ "$(sort -u "$tmp/told" | wc -l)" = 100 ] || fail 'a line is there twice'
[ -z "$(find "$tmp/cache" -type f 2>/dev/null)" ] || fail 'a start leaves a file behind'

# A journal that takes nothing holds nobody up for long.
cat >"$tmp/full.py" <<'END'
import os, socket, subprocess, sys, time
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(name)
c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
c.setblocking(False)
try:
    while True:
        c.sendto(b"x", name)
except BlockingIOError:
    pass
begin = time.monotonic()
status = subprocess.call(sys.argv[2:])
sys.exit(status or time.monotonic() - begin > 20)
END
ABIBASE_JOURNAL="$tmp/full:/nonexistent"
try 0 timeout 60 python3 "$tmp/full.py" "$tmp/full" "$emulator" -M $machine $card
[ ! -s "$tmp/err" ] || fail 'something is said of a full journal'

python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"end", sys.argv[1])' "$tmp/journal"
wait $journald || fail 'what came to the journal is not in its form'
[ $failures = 0 ]
