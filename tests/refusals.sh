#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whatever keeps guests from being started, abibase check without operands says beforehand: this host is broken
# in each way that a start refuses, then the emulator and check are both asked. Each message that a start has
# must be of one of these ways, or be in the list of those that are about one guest.
# shellcheck disable=SC2086,SC2154 # words of $nic; variables of begin-start.sh
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-start.sh
. "${0%/*}/begin-start.sh"

export ABIBASE_EMULATOR_CONF="$tmp/emulator.conf"
dir=$tmp/baselines
none=b1-00000000000000000000000000000000
id=$(jq -r .id "$tmp/base.json")
mkdir "$tmp/sound"
cp "$tmp/base.json" "$tmp/sound/$id.json"
"$abibase" intersect --json --no-inputs --disable=offload-uso -M $machine -o "$tmp/small.json" debian-13 2>"$tmp/err" ||
	fail 'no small.json'
"$abibase" intersect --json -M pc-q35-11.1 -o "$tmp/never.json" debian-12 debian-13 2>"$tmp/err" &&
	fail 'never.json is one'

# A host that starts guests
mend()
{
	rm -rf "$dir" "$tmp/bin" "$tmp/host.json"
	cp -r "$tmp/sound" "$dir"
	mkdir "$tmp/bin"
	cp "$tmp/new.json" "$tmp/host.json"
	conf "baseline = $dir" "qemu = $qemu" "profile = $tmp/host.json"
	chmod 644 "$tmp/emulator.conf"
	guest="-M $machine $nic"
	unset ABIBASE_BASELINE
	export ABIBASE_DATADIR="$data"
}
data=$ABIBASE_DATADIR

# What check says, with the ids of all that it finds at the end
look()
{
	timeout 60 "$abibase" check --json >"$tmp/json" 2>"$tmp/look"
	status=$?
	sed -n 's/.*\[\([a-z-]*\)]$/\1/p' "$tmp/look"
	jq -r '.findings[].id, .baselines[].findings[].id' "$tmp/json" 2>/dev/null
}

# refused ID [STATUS-OF-CHECK]: now the start is refused for this, and check tells it and is not content
seen=
refused()
{
	"$emulator" $guest >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ $got = 126 ] || [ $got = 127 ] || fail "$way: QEMU was started: $got"
	says "[$1]"
	look >"$tmp/ids"
	cp "$tmp/look" "$tmp/err"
	grep -qx "$1" "$tmp/ids" || fail "$way: a start is refused by $1, and check says $(tr '\n' ' ' <"$tmp/ids")"
	case ${2:-bad} in
	bad) [ $status != 0 ] || fail "$way: check is content" ;;
	*) [ $status = "$2" ] || fail "$way: check has the status $status, not $2" ;;
	esac
	seen="$seen $1"
}

# unsound ID WORDS: now the start is refused for this, and check ends a sentence about the wrapper with these words
unsound()
{
	"$emulator" $guest >"$tmp/out" 2>"$tmp/err" </dev/null
	says "[$1]"
	look >"$tmp/ids"
	jq -e --arg words "$2" '.findings[] | select(.id == "emulator-unsound") | .text | endswith($words)' \
		"$tmp/json" >"$tmp/out" || fail "$way: check does not say it"
}

# of WORDS: the host is whole, and is to be broken in this way
of()
{
	way=$*
	mend
}

of 'a host that is sound'
try 42 "$emulator" $guest
look >"$tmp/ids"
[ $status = 0 ] || fail "check: $(cat "$tmp/json" "$tmp/look")"

# ------------------------------------------------------------------------ the configuration

of 'no configuration that can be read'
chmod 666 "$tmp/emulator.conf"
refused not-trusted
of 'a line that is none'
echo baseline >>"$tmp/emulator.conf"
refused emulator-conf
of 'a key that is none'
echo 'base = /x' >>"$tmp/emulator.conf"
refused emulator-conf
of 'a key twice'
echo "qemu = $qemu" >>"$tmp/emulator.conf"
refused emulator-conf
of 'a value that is not accepted'
echo 'verify = maybe' >>"$tmp/emulator.conf"
refused emulator-conf
of 'a key that is missing'
sed -i /^baseline/d "$tmp/emulator.conf"
refused emulator-conf
of 'a configuration that is a directory'
rm "$tmp/emulator.conf" && mkdir "$tmp/emulator.conf"
refused io-error
rmdir "$tmp/emulator.conf"
of 'a configuration that is a pipe'
rm "$tmp/emulator.conf" && mkfifo "$tmp/emulator.conf"
refused io-error
rm "$tmp/emulator.conf"

# --------------------------------------------------------------------------------- its QEMU

# with QEMU: the configuration names it
with()
{
	sed -i "s|^qemu = .*|qemu = $1|" "$tmp/emulator.conf"
}
of 'a QEMU that is not there'
with /not/there
unsound exec-not-found 'qemu: there is no such program'
of 'a QEMU that is the wrapper'
wrapper=$emulator
[ ! -x "$build/.libs/abibase-emulator" ] || wrapper=$build/.libs/abibase-emulator
export LD_LIBRARY_PATH="$build/lib/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
for how in 'ln -s' cp; do
	$how "$wrapper" "$tmp/bin/qemu-system-x86_64"
	with "$tmp/bin/qemu-system-x86_64"
	"$wrapper" $guest >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? = 126 ] || fail "$way: started"
	look >"$tmp/ids"
	jq -e '.findings[] | select(.id == "emulator-unsound") | .text | endswith("qemu: is the wrapper itself")' \
		"$tmp/json" >"$tmp/out" || fail "$way, by $how: check does not say it"
	rm "$tmp/bin/qemu-system-x86_64"
done
of 'a QEMU that others can change'
cp "$qemu" "$tmp/bin/qemu-system-x86_64"
jq --arg q "$tmp/bin/qemu-system-x86_64" '.qemu[0].path = $q' "$tmp/new.json" >"$tmp/host.json"
with "$tmp/bin/qemu-system-x86_64"
try 42 "$emulator" $guest
chmod 757 "$tmp/bin"
refused not-trusted

# ------------------------------------------------------------------------------- the record

of 'a record that others can change'
chmod 666 "$tmp/host.json"
refused not-trusted
of 'a record of another boot'
jq '.boot_id = "11111111-1111-1111-1111-111111111111"' "$tmp/new.json" >"$tmp/host.json"
refused profile-stale
of 'a record of another binary'
jq '.qemu[0].build_id = "00112233"' "$tmp/new.json" >"$tmp/host.json"
refused profile-stale
of 'a record that is not JSON'
echo '{' >"$tmp/host.json"
refused json-syntax
of 'a record that is a baseline'
cp "$tmp/base.json" "$tmp/host.json"
refused schema-other
of 'a record that is a pipe'
rm "$tmp/host.json" && mkfifo "$tmp/host.json"
refused io-error
of 'a record of another QEMU'
jq '.qemu[0].path = "/usr/bin/qemu-system-other"' "$tmp/new.json" >"$tmp/host.json"
unsound profile-no-qemu 'does not have the QEMU that is configured'
of 'no record'
rm "$tmp/host.json"
unsound io-error 'profile: there is no such file'

# ---------------------------------------------------------------------------- the baselines

of 'a directory that others can change'
chmod 777 "$dir"
refused not-trusted
of 'a baseline that others can change'
chmod 666 "$dir/$id.json"
refused not-trusted
of 'a file that is called after another id'
cp "$tmp/small.json" "$dir/$none.json"
refused baseline-not-there 2
rm "$dir/$id.json"
refused baseline-not-there 2
export ABIBASE_BASELINE=$none
refused baseline-not-there 2
unset ABIBASE_BASELINE
of 'an id that is current, and is not there'
echo "current.$machine = $none" >>"$tmp/emulator.conf"
unsound baseline-not-there 'is no baseline that is there for that machine type'
of 'a baseline that promises nothing'
cp "$tmp/never.json" "$dir"
refused baseline-not-yes 1
of 'a record in the place of a baseline'
cp "$tmp/new.json" "$dir"
refused schema-other 2
of 'an empty file'
: >"$dir/empty.json"
refused json-syntax 2
of 'a directory in the place of a file'
mkdir "$dir/more.json"
"$emulator" $guest >"$tmp/out" 2>"$tmp/err" </dev/null
refused io-error 2
of 'a pipe in the place of a file'
mkfifo "$dir/pipe.json"
refused io-error 2
of 'a link to nowhere'
ln -s nowhere "$dir/link.json"
refused io-error 2
# where it decides; under its id a guest starts, whatever is beside it
of 'a file that only begins like a baseline'
for of in base small; do
	head -n 60 "$tmp/$of.json" >"$dir/begins.json"
	grep -q '^  "machine"' "$dir/begins.json" || sed '/^  "machine"/q' "$tmp/$of.json" >"$dir/begins.json"
	refused json-syntax 2
	says "$dir/begins.json"
	ABIBASE_BASELINE=$id try 42 "$emulator" $guest
done
of 'several, and none is current'
cp "$tmp/small.json" "$dir/small.json"
refused baseline-which 0
of 'several, for a guest that comes in'
cp "$tmp/small.json" "$dir/small.json"
echo "current.$machine = $id" >>"$tmp/emulator.conf"
try 42 "$emulator" $guest
guest="$guest -incoming defer"
refused baseline-which 0
of 'no baseline'
rm "$dir"/*
"$emulator" $guest >"$tmp/out" 2>"$tmp/err" </dev/null
says '[baseline-no-machine]'
look >"$tmp/ids"
[ "$(jq -c '[.verdict, (.baselines | length)]' "$tmp/json")" = '["unknown",0]' ] || fail "$way: check is content"
of 'no directory'
rm -r "$dir"
unsound io-error 'no such file or directory'

# One file instead of a directory, and it is several lines of documents
of 'a file with more than one document'
jq -c . "$tmp/base.json" "$tmp/small.json" >"$tmp/bin/both.ndjson"
sed -i "s|^baseline = .*|baseline = $tmp/bin/both.ndjson|" "$tmp/emulator.conf"
refused json-syntax 2

# As many as are looked at, and one more
of 'more files than are looked at'
conf "baseline = $dir" "qemu = $qemu" "profile = $tmp/host.json" 'mode = enforce'
i=1
while [ $i -lt 4096 ]; do
	ln "$dir/$id.json" "$dir/$i.json"
	i=$((i + 1))
done
try 42 "$emulator" -M pc-q35-1.0
ln "$dir/$id.json" "$dir/more.json"
refused baselines-too-many 2
says "$dir: has 4097 files *.json, more than 4096, the most that are looked at [baselines-too-many]"
"$abibase" exec --profile "$tmp/host.json" "$dir" -- "$qemu" $guest >"$tmp/out" 2>"$tmp/err"
says "$dir: has 4097 files *.json, more than 4096, the most that are looked at [baselines-too-many]"
# a name is an answer all the same
ABIBASE_BASELINE=$id try 42 "$emulator" $guest

# --------------------------------------------------------------------- what the host provides

of 'a host that lacks something'
cp "$tmp/old.json" "$tmp/host.json"
refused promise-lacks 1
of 'two QEMUs, of which the one that is configured has not the machine type'
cp "$qemu" "$tmp/bin/qemu-system-x86_64"
jq --arg q "$tmp/bin/qemu-system-x86_64" --arg m $machine '.qemu += [.qemu[0] | .path = $q | .version = "9.9.9"
	| del(.machines[$m], .values[$m], .shape[$m])]' "$tmp/new.json" >"$tmp/host.json"
"$abibase" validate "$tmp/host.json" >"$tmp/out" 2>"$tmp/err" || fail "$way: $(cat "$tmp/out" "$tmp/err")"
try 42 "$emulator" $guest
with "$tmp/bin/qemu-system-x86_64"
"$emulator" $guest >"$tmp/out" 2>"$tmp/err" </dev/null
[ $? = 126 ] || fail "$way: started"
sed -n 's/.*\[\([a-z-]*\)]$/\1/p' "$tmp/err" >"$tmp/why"
look >"$tmp/ids"
[ $status != 0 ] || fail "$way: check is content"
cp "$tmp/look" "$tmp/err"
grep -qxFf "$tmp/ids" "$tmp/why" || fail "$way: a start says $(cat "$tmp/why"), check $(cat "$tmp/ids")"
of 'an installation without data'
export ABIBASE_DATADIR="$tmp/bin"
refused io-error 2

# ------------------------------------------------------------------------- and no other is there

# About one guest, by its command line or what it asks for: no host knows beforehand
cat >"$tmp/guest" <<END
command-hotplug	a warning
command-machine	a machine type without a version, or not that of the baseline it asks for
baseline-no-machine	a machine type of which no baseline is
exec-refused	there was another reason
exec-warned	the same
exec-not-found	(above, with the words of check)
profile-no-qemu	(above, with the words of check)
qemu-would-not-start	a finding of the check of a baseline, as promise-lacks, which both make
out-of-memory	not of a host
END
cut -f 1 "$tmp/guest" >"$tmp/known"
printf '%s\n' $seen >>"$tmp/known"
sed -n 's/^X("\([^"]*\)".*/\1/p' "$src/lib/base/messages.def" | while read -r message; do
	cat "$src"/cli/choose.c "$src"/cli/conf.c "$src"/cli/guest.c "$src"/cli/start.c "$src"/cli/emulator.c \
		"$src"/cli/refusal.c "$src"/lib/probe/current.c | grep -qE "[\"[]$message[]\"]" || continue
	grep -qx -e "$message" "$tmp/known" || echo "$message"
done >"$tmp/unknown"
: >"$tmp/err"
[ ! -s "$tmp/unknown" ] || fail "starts are refused by what no way above has: $(tr '\n' ' ' <"$tmp/unknown")"

[ $failures = 0 ]
