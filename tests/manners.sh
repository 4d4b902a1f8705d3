#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How the command behaves whatever it is asked: exit statuses, which stream gets what, closed and
# full outputs, whole files, and that --help, manual, completion and message list say the same.
#
# Lists of words are split on purpose, and $(...) is looked for in texts.
# shellcheck disable=SC2086,SC2016,SC2012

set -u
LC_ALL=C
export LC_ALL
src=${top_srcdir:-.}
abibase=${ABIBASE:-./abibase}
ABIBASE_DATADIR=${ABIBASE_DATADIR:-$src/data}
export ABIBASE_DATADIR
unset ABIBASE_PLATFORM_PATH XDG_CONFIG_HOME
verbs=$("$abibase" help | sed -n '/^Verbs that/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$verbs" ] || { echo "FAIL: help lists no verbs"; exit 1; }

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failures=0

fail()
{
	echo "FAIL: $*"
	sed 's/^/    stderr: /' "$tmp/err" 2>/dev/null
	failures=$((failures + 1))
}

# A tool that can be had and is not there: skipped, or failed when nothing may be skipped.
have()
{
	command -v "$1" >/dev/null && return 0
	if [ "${ABIBASE_TEST_REQUIRE:-0}" = 1 ]; then
		fail "$1 is missing"
	else
		echo "skipped: $1 is missing"
	fi
	return 1
}

# run STATUS ARGUMENT...: stdout goes to $tmp/out, stderr to $tmp/err
run()
{
	want=$1
	shift
	"$abibase" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" = "$want" ] || fail "abibase $*: exit status $got, not $want"
}

stdout_empty()
{
	[ ! -s "$tmp/out" ] || fail "$*: something is on stdout"
}

stderr_empty()
{
	[ ! -s "$tmp/err" ] || fail "$*: something is on stderr"
}

says()
{
	grep -qF -e "$1" "$tmp/err" || fail "stderr does not say: $1"
}

# same NAME FILE FILE; - is stdin
same()
{
	diff -u "$2" "$3" >"$tmp/diff" && return
	fail "$1"
	sed 's/^/    /' "$tmp/diff"
}

# A wrong use: trouble, nothing on stdout, the way to the help on stderr
misuse()
{
	hint=$1
	shift
	case $hint in
	exec*) run 126 "$@" ;; # as for whatever keeps QEMU from being started
	*) run 2 "$@" ;;
	esac
	stdout_empty "abibase $*"
	says "Try 'abibase $hint"
	says 'abibase: '
}

# ------------------------------------------------------------------ usage

misuse '--help'
misuse '--help' nosuchverb
misuse '--help' --nosuchoption
misuse '--help' -x
misuse '--help' help nosuchverb
misuse '--help' help list show
for verb in $verbs; do
	misuse "$verb --help" "$verb" --nosuchoption
	misuse "$verb --help" "$verb" -X
	run 0 "$verb" --help
	stderr_empty "abibase $verb --help"
	[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "$verb --help is wider than 80 columns"
	cp "$tmp/out" "$tmp/help-$verb"
	run 0 "$verb" -h
	same "-h is not --help of $verb" "$tmp/help-$verb" "$tmp/out"
	run 0 help "$verb"
	same "help $verb is not $verb --help" "$tmp/help-$verb" "$tmp/out"
	run 0 --help
	grep -q "^  $verb " "$tmp/out" || fail "--help does not list $verb"
done
# No long option of any verb can be shortened, by one letter or to one.
for verb in $verbs; do
	sed -n 's/^  *\(-[A-Za-z], \)\{0,1\}--\([a-z0-9-]*\).*/\2/p' "$tmp/help-$verb" >"$tmp/names"
	while read -r name; do
		for short in "${name%?}" "$(printf %.1s "$name")"; do
			! grep -qx -e "$short" "$tmp/names" || continue
			"$abibase" $verb "--$short" </dev/null >"$tmp/out" 2>"$tmp/err"
			grep -qF "unrecognized option '--$short'; did you mean" "$tmp/err" ||
				fail "abibase $verb --$short"
			[ "$short" != "${name%?}" ] || says "'--$name'"
		done
	done <"$tmp/names"
done
for verb in intersect show validate diff exec explain plan targets matrix verify rehearse; do
	misuse "$verb --help" "$verb"
	says 'missing operand'
	misuse "$verb --help" "$verb" --
done
for option in --backend=tap --domain=/dev/null --assume-qemu=x; do
	misuse 'check --help' check $option
	says 'missing operand'
done
misuse 'probe --help' probe operand
misuse 'list --help' list operand
misuse 'show --help' show debian-12 debian-13
misuse 'show --help' show -f args debian-12
misuse 'show --help' show -f table debian-12
misuse 'intersect --help' intersect -f table debian-12
says 'accepted: args, oneline, argv-json, readconfig, libvirt-commandline, libvirt-override, json, text'
misuse 'probe --help' probe --qemu=x --no-qemu
misuse 'probe --help' probe --observe --no-qemu
misuse 'probe --help' probe --observe --no-values
misuse 'probe --help' probe --observe --skip=qemu
for option in --machine --backend --target --format --for --files0-from --output -M -f -o; do
	misuse 'intersect --help' intersect debian-12 "$option"
done
for option in --output --name --qemu -o; do
	misuse 'probe --help' probe "$option"
done
misuse 'intersect --help' intersect --json=x debian-12
says "abibase: option '--json' doesn't allow an argument"
misuse 'intersect --help' intersect --for
says "abibase: option '--for' requires an argument"
# An abbreviation would mean something else when there is one option more.
misuse 'intersect --help' intersect --back=tap debian-12
says "abibase: unrecognized option '--back'; did you mean '--backend'?"
misuse 'intersect --help' intersect --form
says "abibase: unrecognized option '--form'; did you mean '--format' or '--for'?"
misuse '--help' --vers
says "did you mean '--version'?"
misuse '--help' intersct
says "unknown verb 'intersct'; did you mean 'intersect'?"
misuse 'intersect --help' intersect --json -o
says "abibase: option requires an argument -- 'o'"
misuse 'intersect --help' intersect --json -Xo
says "abibase: invalid option -- 'X'"
misuse 'list --help' list -v:
says "abibase: invalid option -- ':'"
misuse 'list --help' list --verbose=x
says "abibase: option '--verbose' doesn't allow an argument"
misuse '--help' --nosuchoption
says "abibase: unrecognized option '--nosuchoption'"
# A file name that a glob has found can be an option and hold anything.
escape=$(printf '\033')
for word in "--$escape[31m" "-$escape" "--json=$escape" "--$escape[31m=x"; do
	misuse 'show --help' show "$word"
	! grep -qF "$escape" "$tmp/err" || fail "show $word: ESC is on stderr"
done
misuse '--help' "--$escape[31m"
says "abibase: unrecognized option '--?[31m'"
misuse 'intersect --help' intersect - -
misuse 'intersect --help' intersect a=- -
misuse 'intersect --help' intersect --files0-from=- -
misuse 'validate --help' validate - -
misuse 'diff --help' diff debian-12
misuse 'diff --help' diff debian-12 debian-13 debian-11
misuse 'diff --help' diff -f table debian-12 debian-13
misuse 'diff --help' diff - a=-
misuse 'exec --help' exec ./baseline.json --
misuse 'exec --help' exec ./baseline.json --profile
misuse 'exec --help' exec --verify=x ./baseline.json -- qemu
misuse 'verify --help' verify -f table ./baseline.json
misuse 'verify --help' verify --profile=x.json ./baseline.json
for option in --format --output --profile -f -o; do
	misuse 'verify --help' verify ./baseline.json "$option"
done
misuse 'explain --help' explain -f table x.json
misuse 'explain --help' explain x.json y z
misuse 'explain --help' explain --cost x.json virtio-net-device.csum
misuse 'merge --help' merge
misuse 'merge --help' merge ./x.json -o
misuse 'plan --help' plan -f table offload-uso
misuse 'plan --help' plan --platforms - --hosts - offload-uso
for option in --platforms --at --hosts --format --output -f -o; do
	misuse 'plan --help' plan offload-uso "$option"
done
misuse 'match --help' match --format=table debian-12
misuse 'match --help' match --no-load debian-12
misuse 'match --help' match --platform=- -
for option in --platform --backend --format -f; do
	misuse 'match --help' match debian-12 "$option"
done
misuse 'decode --help' decode - -
misuse 'decode --help' decode -f args
misuse 'decode --help' decode --json=x
misuse 'decode --help' decode --device

run 0 --version
stderr_empty 'abibase --version'
grep -Eq '^abibase [0-9]+\.[0-9]+\.[0-9]+$' "$tmp/out" || fail '--version has another form'
run 0 help
cp "$tmp/out" "$tmp/help"
run 0 -h
same '-h is not help' "$tmp/help" "$tmp/out"

# --------------------------------------------------------- exit statuses

cat >"$tmp/bare.json" <<'END'
{
  "schema": "abibase-profile/1",
  "arch": "x86_64",
  "facts": {},
  "kind": "host",
  "name": "bare"
}
END
# A kernel that provably has no vhost-net
cat >"$tmp/novhost.json" <<'END'
{
  "schema": "abibase-profile/1",
  "arch": "x86_64",
  "facts": {
    "tap.features": "0x00007173",
    "tap.offload.csum": true,
    "tap.offload.tso4": true,
    "tap.offload.tso6": true,
    "tap.offload.tso_ecn": true,
    "tap.offload.udp_tunnel": false,
    "tap.offload.udp_tunnel_csum": false,
    "tap.offload.ufo": true,
    "tap.offload.uso": true,
    "tap.usable": true,
    "vhost_net.usable": false
  },
  "kind": "host",
  "name": "novhost",
  "qemu": [
    {
      "machines": {
        "pc-q35-7.2": {}
      },
      "target": "x86_64",
      "version": "7.2.22"
    }
  ]
}
END
echo '{"schema": "abibase-profile/1", "nosuchkey": 1' >"$tmp/truncated.json"
echo '{"schema": "abibase-profile/1", "nosuchkey": 1}' >"$tmp/invalid.json"
pair='debian-12 debian-13 -M pc-q35-7.2'

run 0 intersect $pair
grep -q '^-global virtio-net-device\.[a-z0-9_]*=' "$tmp/out" || fail 'intersect prints no list'
cp "$tmp/out" "$tmp/list"
run 1 intersect debian-12 "$tmp/novhost.json" -M pc-q35-7.2 --backend tap+vhost
stdout_empty 'a conflict'
says '  conflict'
says '  remedy   '
run 1 intersect debian-12 "$tmp/novhost.json" -M pc-q35-7.2 --backend tap+vhost -f json
grep -q '"schema": "abibase-baseline/1"' "$tmp/out" || fail 'json is not printed for a conflict'
run 3 intersect "$tmp/bare.json"
stdout_empty 'cannot tell'
run 3 intersect "$tmp/bare.json" -M pc-q35-7.2
stdout_empty 'cannot tell'
says '  unknown  '
for bad in nosuchplatform ./nosuchfile "$tmp" "$tmp/truncated.json" "$tmp/invalid.json"; do
	run 2 intersect debian-12 "$bad"
	stdout_empty "intersect $bad"
	says 'abibase: '
	run 2 show "$bad"
	stdout_empty "show $bad"
done
run 2 intersect ./nosuchfile ./nosuchfile2
says './nosuchfile:'
says './nosuchfile2:'
run 2 intersect debian-12 "$tmp/bare.json" "bare=$tmp/novhost.json"
says "bare=$tmp/novhost.json: "
says "the other is $tmp/bare.json"
run 2 intersect $pair --backend nosuchbackend
run 2 intersect $pair --backend tap,
run 2 intersect debian-12 -M q35
run 2 intersect $pair --for nosuchhost
run 2 intersect $pair -f nosuchformat
stdout_empty 'an unknown format'
run 2 probe --no-qemu --name ''
run 2 probe --only=tap,nosuchsurface
says 'vhost-net, vhost-vsock'
run 2 probe --skip=
run 2 probe --only=tap --qemu ./nosuchqemu
says 'left out'
run 2 probe --only=tap --report -o -
run 0 probe --only=tap,qemu --skip=qemu --report
run 2 probe --only=qemu --qemu /bin/true
says 'not known'
grep -q '"unknown": "died"' "$tmp/out" || fail "the profile does not say that /bin/true was not asked"
run 2 probe --qemu ./nosuchqemu
stdout_empty 'a QEMU that is not there'

run 0 validate "$tmp/bare.json"
grep -qx "yes: $tmp/bare.json is valid" "$tmp/out" || fail 'validate of a valid document'
run 0 validate -v "$tmp/bare.json" "$tmp/bare.json"
grep -qx 'yes: all 2 documents are valid' "$tmp/out" || fail 'validate of two valid documents'
grep -q "^  valid    $tmp/bare.json," "$tmp/out" || fail 'validate -v names no valid document'
run 1 validate "$tmp/invalid.json" "$tmp/bare.json" "$tmp/truncated.json"
stderr_empty 'validate of faults'
tr -s ' \n' ' ' <"$tmp/out" >"$tmp/words"
for words in "^no: 2 of 3 documents have faults: $tmp/invalid.json, $tmp/truncated.json " \
	" $tmp/invalid.json: /" '\[json-unknown-key\]' '\[json-missing-key\]' ' See: abibase '; do
	grep -q "$words" "$tmp/words" || fail "validate does not say: $words"
done
run 2 validate "$tmp/invalid.json" ./nosuchfile
grep -q '\[json-unknown-key\]' "$tmp/out" || fail 'validate says no fault beside trouble'
run 2 validate ./nosuchfile "$tmp/invalid.json"

run 1 validate -q "$tmp/invalid.json"
stdout_empty 'validate -q'
stderr_empty 'validate -q'
run 2 validate -q ./nosuchfile
says './nosuchfile'
run 1 validate --json -o "$tmp/problems.json" "$tmp/invalid.json" "$tmp/bare.json"
stdout_empty 'validate -o'
grep -q '"id": "json-unknown-key"' "$tmp/problems.json" || fail 'validate --json has no id'

run 0 diff debian-12 debian-12
head -n 1 "$tmp/out" | grep -q '^yes: ' || fail 'diff of the same is no yes'
stderr_empty 'diff of the same'
run 0 diff debian-12 other=debian-12
head -n 1 "$tmp/out" | grep -q '^yes: ' || fail 'diff with another name is no yes'
run 1 diff debian-12 debian-13
stderr_empty 'diff'
grep -q 'VIRTIO_F_RING_RESET (bit 40)' "$tmp/out" || fail 'diff does not name the bit'
run 1 diff --json debian-12 debian-13
cp "$tmp/out" "$tmp/diff.json"
run 1 diff -f json debian-12 debian-13
same 'diff -f json is not diff --json' "$tmp/diff.json" "$tmp/out"
run 2 diff ./nosuchfile ./nosuchfile2
stdout_empty 'diff of nothing'
says './nosuchfile:'
says './nosuchfile2:'

run 0 match debian-12 --platform debian-12
stderr_empty 'match'
run 0 match debian-12
run 1 match debian-12 --platform debian-13
tr -s '\n ' ' ' <"$tmp/out" | grep -q 'VIRTIO_F_RING_RESET (bit 40)' || fail 'match does not name the bit'
run 3 match "$tmp/bare.json" --platform debian-12
grep -q 'unknown.*not-recorded.*tap.usable' "$tmp/out" || fail 'match does not say what is unknown'
run 1 match "$tmp/novhost.json" --platform debian-13
run 0 match "$tmp/novhost.json" --platform debian-13 --backend tap
run 2 match debian-12 --backend nosuchbackend
stdout_empty 'an unknown backend'
says 'nosuchbackend'
run 2 match debian-12 --backend tap,
run 2 match debian-12 --platform nosuchplatform --platform ./nosuchfile
stdout_empty 'a platform that is not there'
says 'nosuchplatform'
says './nosuchfile:'
run 2 match ./nosuchfile

for words in '' 'nothing that is known'; do
	run 1 decode "$words"
	[ "$(head -n 1 "$tmp/out")" = 'no: no message that is known is in the text' ] ||
		fail "decode '$words': $(cat "$tmp/out")"
done
run 0 decode 'kvm: virtio-net: saved image requires vnet_hdr=on'
stderr_empty decode
run 2 decode --device=nosuchclass x
says '[device-not-known]'
stdout_empty 'decode of an unknown class'

# ---------------------------------------------------------------- operands

run 0 intersect -M pc-q35-7.2 -- debian-13 debian-12
same 'the order of the operands matters' "$tmp/list" "$tmp/out"
run 0 intersect $pair debian-12 debian-13 debian-13
same 'repetition matters' "$tmp/list" "$tmp/out"
run 0 show --json debian-12
stderr_empty 'show'
same 'show --json is not the canonical document' "$ABIBASE_DATADIR/platforms/50-debian-12.json" \
	"$tmp/out"
cp "$tmp/out" "$tmp/debian-12.json"
run 0 show -f json debian-12
same 'show -f json is not show --json' "$tmp/debian-12.json" "$tmp/out"
run 0 show "$tmp/debian-12.json"
grep -q '7\.2\.22' "$tmp/out" || fail 'show does not show the QEMU'
"$abibase" show --json - <"$tmp/debian-12.json" >"$tmp/out" 2>"$tmp/err" || fail 'show -'
same 'show -' "$tmp/debian-12.json" "$tmp/out"
"$abibase" intersect -M pc-q35-7.2 debian-13 - <"$tmp/debian-12.json" >"$tmp/out" 2>"$tmp/err" ||
	fail 'intersect -'
same 'intersect -' "$tmp/list" "$tmp/out"
"$abibase" validate - <"$tmp/invalid.json" >"$tmp/out" 2>"$tmp/err"
[ $? = 1 ] || fail 'validate -'
# A file of the working directory is no operand without a slash.
(cd "$tmp" && cp debian-12.json nosuchplatform && "$abibase" show nosuchplatform) \
	>"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] || fail 'a file of the working directory was taken for a platform'

printf 'debian-12\0debian-13\0' >"$tmp/names"
run 0 intersect -M pc-q35-7.2 --files0-from "$tmp/names"
same '--files0-from' "$tmp/list" "$tmp/out"
# Of these the first operand is none that a list can have.
for verb in plan targets; do
	misuse "$verb --help" $verb --files0-from="$tmp/names"
	says 'missing operand'
done
printf 'debian-13' >"$tmp/names"
"$abibase" intersect -M pc-q35-7.2 debian-12 --files0-from=- <"$tmp/names" >"$tmp/out" \
	2>"$tmp/err" || fail '--files0-from=-'
same '--files0-from=- beside an operand' "$tmp/list" "$tmp/out"
run 2 intersect --files0-from ./nosuchfile
says './nosuchfile: '
run 2 intersect --files0-from "$tmp"
run 2 intersect --files0-from /dev/null
stdout_empty 'no operand at all'
printf 'debian-12\0\0' >"$tmp/names"
run 2 intersect --files0-from "$tmp/names"
says 'operand 2 is empty'
printf 'debian-12\0-\0' >"$tmp/names"
run 2 intersect --files0-from "$tmp/names"
says 'standard input'
# A list that is none ends it: one line, and no memory for all of it.
run 2 intersect --files0-from /dev/zero
[ "$(wc -l <"$tmp/err")" = 1 ] || fail '--files0-from=/dev/zero: not one line'
head -c 8192 /dev/zero | tr '\0' x >"$tmp/names"
run 2 intersect --files0-from "$tmp/names"
! grep -q 'more than' "$tmp/err" || fail 'an operand of 8192 bytes'
printf x >>"$tmp/names"
run 2 intersect --files0-from "$tmp/names"
says 'operand 1 has more than 8192 bytes'
[ "$(wc -l <"$tmp/err")" = 1 ] || fail 'a long operand: not one line'
yes ./nosuchfile | head -n 300 | tr '\n' '\0' >"$tmp/names"
run 2 intersect --files0-from "$tmp/names"
[ "$(grep -c '^abibase: ./nosuchfile: ' "$tmp/err")" = 256 ] || fail 'not 256 bad operands'
says 'not read on after 256 bad operands'

# A directory stands for its *.json, a line of *.ndjson and of standard input for a document; what a verb
# makes of them is what it makes of the files, one by one.
mkdir "$tmp/hosts" "$tmp/hosts/deeper.json" "$tmp/empty"
for name in debian-13 debian-12; do
	run 0 show --json $name
	cp "$tmp/out" "$tmp/hosts/$name.json"
	tr -d '\n' <"$tmp/out"
	printf '\n\n'
done >"$tmp/all.ndjson"
echo '{' >"$tmp/hosts/.hidden.json"
echo '{' >"$tmp/hosts/notes.txt"
echo '{' >"$tmp/hosts/deeper.json/no.json"
mkfifo "$tmp/hosts/pipe.json"
ln -s pipe.json "$tmp/hosts/link.json"
run 0 intersect --json -M pc-q35-7.2 debian-12 -o "$tmp/baseline.json"
find "$tmp/hosts" -maxdepth 1 -name 'debian*.json' -print0 >"$tmp/names"
for words in "intersect@-M@pc-q35-7.2" "check@$tmp/baseline.json" \
	"targets@-M@pc-q35-7.2@--backend@tap@0x130afffa7" "validate@-v"; do
	words=$(echo "$words" | tr @ ' ')
	"$abibase" $words "$tmp/hosts/debian-12.json" "$tmp/hosts/debian-13.json" >"$tmp/want" 2>"$tmp/err"
	status=$?
	run $status $words "$tmp/hosts"
	same "$words of a directory" "$tmp/want" "$tmp/out"
	run $status $words "$tmp/hosts/"
	"$abibase" $words --files0-from="$tmp/names" >"$tmp/out" 2>"$tmp/err"
	[ $? = $status ] || fail "$words --files0-from"
	sort "$tmp/out" >"$tmp/got"
	sort "$tmp/want" | same "$words --files0-from" - "$tmp/got"
	run $status $words "$tmp/all.ndjson"
	case $words in
	intersect*) same "$words of a *.ndjson" "$tmp/want" "$tmp/out" ;;
	esac
	cp "$tmp/out" "$tmp/want"
	"$abibase" $words - <"$tmp/all.ndjson" >"$tmp/got" 2>"$tmp/err" || [ $status != 0 ] ||
		fail "$words of lines on standard input"
	sed 's/standard input/all.ndjson/g' "$tmp/got" >"$tmp/out"
	sed "s,$tmp/all,all,g" "$tmp/want" >"$tmp/got"
	same "$words of lines on standard input" "$tmp/got" "$tmp/out"
	run 2 $words "$tmp/empty/"
	says 'no regular file in it has a name that ends in .json'
	run 2 $words "$tmp/nosuchfile.ndjson"
	says 'nosuchfile.ndjson: cannot open'
	printf '\n\n' >"$tmp/blank.ndjson"
	run 2 $words "$tmp/blank.ndjson"
	says 'no document in it'
	misuse "${words%% *} --help" $words - -
	misuse "${words%% *} --help" $words --files0-from=- -
done
# A pipe in the place of a file is read, but none that nobody writes to.
mkfifo "$tmp/pipe.json"
for words in "show@$tmp/pipe.json" "check@$tmp/baseline.json@$tmp/pipe.json" "validate@$tmp/pipe.json" \
	"targets@$tmp/pipe.json@debian-12" "check@--files0-from=$tmp/pipe.json" "diff@$tmp/pipe.json@debian-12" \
	"intersect@-M@pc-q35-7.2@--domain=$tmp/pipe.json@debian-12"; do
	timeout 30 "$abibase" $(echo "$words" | tr @ ' ') >"$tmp/out" 2>"$tmp/err" </dev/null
	case $? in
	2 | 3) says "$tmp/pipe.json: " && says 'it is a pipe that nobody writes to [io-error]' ;;
	*) fail "abibase $words: a pipe is waited for" ;;
	esac
done
{ sleep 0.2 && cat "$tmp/hosts/debian-12.json"; } >"$tmp/pipe.json" &
run 0 intersect -M pc-q35-7.2 "$tmp/pipe.json"
wait
# Several guests: an answer each, that of the guest alone; as JSON a line each.
one_line()
{
	sed 's/^ *//' | tr -d '\n'
	echo
}
question='targets -M pc-q35-8.2 --backend tap'
for guest in 0x130afffa7 0x1c0010130afffa7; do
	"$abibase" $question --json $guest debian-12 2>"$tmp/err" | one_line
done >"$tmp/want"
run 1 $question --json 0x130afffa7 0x1c0010130afffa7 debian-12
same 'two guests' "$tmp/want" "$tmp/out"
# Each of them by a pipe, which can be read only once: hosts and guests, as a shell's <(...) gives them.
for n in 1 2 3; do
	mkfifo "$tmp/pipe$n"
done
guest='{"schema":"abibase-guest/1","devices":[{"class":"virtio-net-device","negotiated":"'
echo "${guest}0x130afffa7\"}]}" >"$tmp/pipe1" &
echo "${guest}0x1c0010130afffa7\"}]}" >"$tmp/pipe2" &
cat "$tmp/hosts/debian-12.json" >"$tmp/pipe3" &
run 1 $question --json "$tmp/pipe1" "$tmp/pipe2" "$tmp/pipe3"
wait
same 'two guests and a host by pipes' "$tmp/want" "$tmp/out"
run 1 $question -v 0x130afffa7 debian-12 0x1c0010130afffa7
grep -qx 0x1c0010130afffa7 "$tmp/out" || fail 'the answer about a guest does not name it'
run 1 $question 0x130afffa7 debian-12 0x1c0010130afffa7
grep -qx '  0x1c0010130afffa7     0     0     1     0  1, 2' "$tmp/out" || fail 'there is no line of a guest'
echo '{"schema": "abibase-guest/1", "devices": [{"class": "virtio-net-device", "negotiated": "0x130afffa7"}]}' \
	>"$tmp/guests.ndjson"
run 0 $question "$tmp/guests.ndjson" debian-13
misuse 'targets --help' targets "$tmp/all.ndjson"
says 'which guest?'
misuse 'targets --help' targets - --from=- debian-12
misuse 'check --help' check --guest=x y

# All that is bad is named, by file and line; what a verb cannot use as well.
{
	cat "$tmp/all.ndjson"
	echo '{"schema": }'
	tr -d '\n' <"$tmp/baseline.json"
	echo
	echo '{"schema": "abibase-profile/1", "nosuchkey": 1}'
} >"$tmp/bad.ndjson"
run 2 check "$tmp/baseline.json" "$tmp/bad.ndjson"
stdout_empty 'check of a bad list'
says "bad.ndjson:5:1:12: not valid JSON"
says "bad.ndjson:6: is a baseline; baselines stand before the hosts"
says "bad.ndjson:7: /nosuchkey"
cp "$tmp/baseline.json" "$tmp/hosts/z.json"
run 2 check "$tmp/baseline.json" "$tmp/hosts"
says "$tmp/hosts/z.json: is a baseline; baselines stand before the hosts"
run 2 intersect "other=$tmp/hosts/"
sed 's/"name": "debian-12"/"name": "debian-13"/' "$tmp/hosts/debian-12.json" >"$tmp/hosts/later.json"
rm "$tmp/hosts/z.json"
run 2 intersect "$tmp/hosts"
says "$tmp/hosts/later.json: "
says "the other is $tmp/hosts/debian-13.json"
rm "$tmp/hosts/later.json"
# In the working directory a directory is one where it cannot be a platform.
(cd "$tmp/hosts" && "$abibase" intersect -M pc-q35-7.2 .) >"$tmp/out" 2>"$tmp/err" || fail 'intersect .'
same 'intersect .' "$tmp/list" "$tmp/out"
(cd "$tmp" && "$abibase" intersect hosts) >"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] || fail 'a directory of the working directory was taken for a platform'
yes '{' | head -n 300 >"$tmp/many.ndjson"
run 2 intersect "$tmp/many.ndjson"
[ "$(grep -c 'not valid JSON' "$tmp/err")" = 256 ] || fail 'not 256 bad lines'
head -c 70000000 /dev/zero | tr '\0' x >"$tmp/long.ndjson"
run 2 intersect "$tmp/long.ndjson"
says 'long.ndjson:1: the document has more than 67108864 bytes'
rm "$tmp/long.ndjson"

# The baseline of some hosts and one host more
run 0 intersect --json debian-12 -M pc-q35-7.2 -o "$tmp/baseline.json"
run 0 intersect "$tmp/baseline.json" debian-13
same 'a widened baseline is another one' "$tmp/list" "$tmp/out"
run 0 show "$tmp/baseline.json"
run 0 show --json "$tmp/baseline.json"
same 'show --json of a baseline' "$tmp/baseline.json" "$tmp/out"
run 2 diff debian-12 "$tmp/baseline.json"
says 'is a baseline'
run 2 match "$tmp/baseline.json"
says 'is a baseline'
run 0 diff "$tmp/baseline.json" "$tmp/baseline.json"
head -n 1 "$tmp/out" | grep -q '^yes: ' || fail 'diff of a baseline with itself is no yes'
run 2 explain debian-12
says 'is a profile'
run 0 explain "$tmp/baseline.json"
stderr_empty 'explain'
grep -q 'power cycle' "$tmp/out" || fail 'explain does not speak of running guests'
run 0 explain --cost "$tmp/baseline.json"
run 0 explain --json "$tmp/baseline.json" virtio-net-device.csum
cp "$tmp/out" "$tmp/explain.json"
run 0 explain -f json "$tmp/baseline.json" virtio-net-device.csum
same 'explain -f json is not explain --json' "$tmp/explain.json" "$tmp/out"
run 2 explain "$tmp/baseline.json" virtio-net-device.nosuch
says '[property-not-known]'
run 2 verify debian-12
says 'is a profile'
run 2 verify ./nosuchfile
run 2 verify "$tmp/baseline.json" -- ./nosuchqemu -M pc-q35-7.2
says '[exec-not-found]'
stdout_empty 'verify without a QEMU'
run 2 plan --hosts "$tmp/baseline.json" offload-uso
says 'is a baseline'
run 1 plan --at=2026-11-23 --platforms debian-12,debian-13 offload-uso
stderr_empty 'plan'
run 0 plan --at=2026-11-23 --platforms debian-13 ring-reset
run 2 plan --at=2026-02-30 ring-reset
says '[bad-date]'
run 2 plan nosuchgroup
says '[property-not-known]'
run 2 plan --platforms=nosuchplatform,./nosuchfile ring-reset
says 'nosuchplatform'
says './nosuchfile:'

# What was meant by a name that is none, the nearest first; what is meant by nobody is not said.
while IFS='|' read -r words near; do
	"$abibase" $words >"$tmp/out" 2>"$tmp/err" </dev/null && fail "abibase $words: exit status 0"
	grep -qF -e "; did you mean $near" "$tmp/err" || fail "abibase $words: not meant: $near"
done <<END
chek|'check'?
show debain-12|"debian-12"?
show deb|"debian-
intersect debian-12 --enable ring-pakced|"ring-packed"?
intersect debian-12 --disable uso|"offload-uso"?
intersect debian-12 --backend tap+vhst|"tap+vhost"?
match debian-12 --backend vhost|"macvtap+vhost" or "tap+vhost"
targets --backend mactvap 0x1 debian-12|"macvtap"?
plan ofload-uso|"offload-uso"?
plan host-uso|"host_uso"
explain $tmp/baseline.json virtio-net-device.host_us|"virtio-net-device.host_uso"
intersect debian-12 debian-13 -M pc-q35-72|"pc-q35-7.2"?
targets -M pcq35-7.2 --backend tap 0x1 debian-12|"pc-q35-7.2"?
show --formt=json debian-12|'--format'?
END
for words in 'show sarge' 'intersect debian-12 --enable x' 'plan zzz' 'nosuchverb' \
	'intersect debian-12 -M pc-q35-9.0' 'targets -M pc-q35-11.1 --backend tap 0x1 debian-12'; do
	"$abibase" $words >"$tmp/out" 2>"$tmp/err" </dev/null && fail "abibase $words: exit status 0"
	! grep -qF 'did you mean' "$tmp/err" || fail "abibase $words: something is meant"
done

# ------------------------------------------------------------------ output

# Each with something to print; $1 is the redirection of stdout, $2 why it fails.
broken_stdout()
{
	for arguments in --help --version help 'intersect --help' "intersect $pair" \
		"intersect --json $pair" list 'list -v' 'show debian-12' 'show --json debian-12' \
		'diff debian-12 debian-13' 'diff --json debian-12 debian-12' 'match debian-12' \
		"validate -v $tmp/bare.json" "validate --json $tmp/bare.json" 'list --groups' 'list --json' 'list --groups --json' \
		"check $tmp/baseline.json debian-12" "explain $tmp/baseline.json" 'plan offload-uso' \
		'targets -M pc-q35-7.2 --backend tap 0x130afffa7 debian-12' 'decode 0x1c0010130afffa7' \
		"verify $tmp/baseline.json" "intersect -o - $pair" 'probe --no-qemu --no-load'; do
		eval "\"\$abibase\" $arguments $1 2>\"\$tmp/err\""
		status=$?
		[ "$status" = 2 ] || fail "abibase $arguments $1: exit status $status"
		says "standard output: $2 [io-error]"
	done
}
broken_stdout '>&-' 'Bad file descriptor'
[ ! -c /dev/full ] || broken_stdout '>/dev/full' 'No space left on device'
# What has nothing to say on stdout needs none.
"$abibase" intersect $pair -o "$tmp/closed" >&- 2>"$tmp/err" || fail '-o with a closed stdout'
same '-o with a closed stdout' "$tmp/list" "$tmp/closed"
"$abibase" show - <&- >"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] || fail 'a closed stdin'
"$abibase" intersect $pair 2>&- >"$tmp/out" || fail 'a closed stderr'
same 'a closed stderr' "$tmp/list" "$tmp/out"

# Each answer goes to a file as it goes to stdout; and with -q the exit status is all of it.
answers="show@debian-12 diff@debian-12@debian-13 match@debian-12 explain@$tmp/baseline.json
	plan@--at=2026-11-23@offload-uso decode@0x1c0010130afffa7 check@$tmp/baseline.json@debian-12
	targets@-M@pc-q35-7.2@--backend@tap@0x130afffa7@debian-12"
for words in $answers; do
	words=$(echo "$words" | tr @ ' ')
	for format in text json; do
		"$abibase" $words --format=$format >"$tmp/want" 2>"$tmp/err"
		status=$?
		[ -s "$tmp/want" ] || fail "$words --format=$format: nothing on stdout"
		run $status $words --format=$format -o "$tmp/o-file"
		stdout_empty "$words -o"
		same "$words --format=$format -o" "$tmp/want" "$tmp/o-file"
	done
	run $status $words --json
	same "--json and --format=json of $words" "$tmp/want" "$tmp/out"
	case $words in show* | explain*) continue ;; esac
	run $status $words -q
	stdout_empty "$words -q"
	stderr_empty "$words -q"
	run $status $words -q --json
	same "$words -q --json" "$tmp/want" "$tmp/out"
done
run 0 intersect debian-12 -q
stderr_empty 'intersect -q'
grep -q '^-global' "$tmp/out" || fail 'intersect -q prints no list'
run 1 intersect $pair -M pc-q35-9.0 -q
says '  conflict'

# The verdict is coloured where that is asked for, and on a terminal that nobody spoke against.
red=$(printf '\033[31m')
run 1 match debian-12 --platform debian-13
! grep -qF "$red" "$tmp/out" || fail 'a pipe is coloured'
cp "$tmp/out" "$tmp/want"
run 1 match debian-12 --platform debian-13 --color=always
grep -qF "$(printf '\033[31mno\033[m'): debian-12 does not satisfy debian-13" "$tmp/out" || fail '--color=always'
sed "s/$(printf '\033')\[[0-9]*m//g" "$tmp/out" >"$tmp/got"
same 'a coloured answer has other words' "$tmp/want" "$tmp/got"
run 1 match debian-12 --platform debian-13 --color=always --json
! grep -qF "$(printf '\033')" "$tmp/out" || fail 'a document is coloured'
misuse 'match --help' match debian-12 --color=red
says 'accepted: auto, always, never'
if have script; then
	# on_terminal VARIABLE=VALUE OPTION: is it coloured there?
	on_terminal()
	{
		env TERM=xterm "$1" script -qec "'$abibase' match debian-12 --platform debian-13 $2" \
			/dev/null </dev/null | grep -qF "$red"
	}
	# what is done now, on a terminal alone, and it is gone at the end
	env TERM=xterm COLUMNS=80 script -qec "'$abibase' probe --only=tap -o '$tmp/probed'" /dev/null </dev/null >"$tmp/out"
	grep -qF 'abibase: asking tap' "$tmp/out" || fail 'no progress on a terminal'
	grep -qF "$(printf 'asking tap\r\033[K')" "$tmp/out" || fail 'the progress stays'
	# a line that wraps could not be taken back; a terminal that does not say how wide it is has one, too
	env TERM=xterm script -qec "stty cols 10; '$abibase' probe --only=tap -o '$tmp/probed'" /dev/null </dev/null >"$tmp/out"
	grep -qF "$(printf 'abibase: \r\033[K')" "$tmp/out" || fail "progress on 10 columns: $(cat -v "$tmp/out")"
	env -u COLUMNS TERM=xterm script -qec "stty cols 0 rows 0; '$abibase' probe --only=tap -o '$tmp/probed'" \
		/dev/null </dev/null >"$tmp/out"
	grep -qF 'abibase: asking tap' "$tmp/out" || fail 'no progress on a terminal of no width'
	env TERM=xterm COLUMNS=80 "$abibase" probe --only=tap -o "$tmp/probed" >"$tmp/out" 2>&1
	! grep -qF asking "$tmp/out" || fail 'progress in a file'
	on_terminal NO_COLOR= '' || fail 'a terminal is not coloured'
	! on_terminal NO_COLOR=1 '' || fail 'NO_COLOR is not read'
	! on_terminal TERM=dumb '' || fail 'a dumb terminal is coloured'
	! on_terminal NO_COLOR= --color=never || fail '--color=never'
	on_terminal NO_COLOR=1 --color=always || fail '--color=always with NO_COLOR'
fi

# mode FILE: its permissions, as ls has them
mode()
{
	ls -ld "$1" | cut -c1-10
}
mkdir "$tmp/o"
(umask 027 && "$abibase" intersect $pair -o "$tmp/o/new") 2>"$tmp/err" || fail '-o'
same '-o' "$tmp/list" "$tmp/o/new"
[ "$(mode "$tmp/o/new")" = -rw-r----- ] || fail "-o: $(mode "$tmp/o/new") with umask 027"
echo old >"$tmp/o/old"
chmod 604 "$tmp/o/old"
ln -s old "$tmp/o/link"
ln "$tmp/o/old" "$tmp/o/other-name"
run 0 intersect $pair --output="$tmp/o/link"
stdout_empty '-o'
same '-o through a link' "$tmp/list" "$tmp/o/old"
[ -L "$tmp/o/link" ] || fail '-o replaced a symbolic link'
[ "$(mode "$tmp/o/old")" = -rw----r-- ] || fail "-o: $(mode "$tmp/o/old"), it was 604"
# It was replaced and not overwritten: a reader that has the old one open keeps it.
[ "$(cat "$tmp/o/other-name")" = old ] || fail '-o wrote into the old file'
rm "$tmp/o/other-name"

echo old >"$tmp/o/old"
ln -s nosuchfile "$tmp/o/dangling"
ls -a "$tmp/o" >"$tmp/before"
for bad in "$tmp/o" "$tmp/nosuchdir/file" "$tmp/o/old/file" "$tmp/o/dangling" ''; do
	run 2 intersect $pair -o "$bad"
	says "abibase: $bad: "
done
[ ! -c /dev/full ] || run 2 intersect $pair -o /dev/full
run 1 intersect debian-12 "$tmp/novhost.json" -M pc-q35-7.2 --backend tap+vhost -o "$tmp/o/old"
says "$tmp/o/old: not written"
run 2 intersect debian-12 ./nosuchfile -o "$tmp/o/old"
(
	trap '' XFSZ
	ulimit -f 0
	"$abibase" intersect $pair -o "$tmp/o/old" 2>/dev/null
)
[ $? = 2 ] || fail 'a file that could not be written whole'
[ "$(cat "$tmp/o/old")" = old ] || fail 'a failure touched the old file'
ls -a "$tmp/o" >"$tmp/after"
same 'a failure left files behind' "$tmp/before" "$tmp/after"
run 0 intersect $pair -o /dev/null
[ -c /dev/null ] || fail '-o replaced /dev/null'

# Nothing depends on a terminal or on the locale.
LC_ALL=fr_FR.UTF-8 "$abibase" intersect $pair >"$tmp/out" 2>"$tmp/err"
same 'the locale matters' "$tmp/list" "$tmp/out"

# ------------------------------------------------------ what list can meet

mkdir "$tmp/usr" "$tmp/etc"
for name in one two three four; do
	sed "s/\"name\": \"debian-12\"/\"name\": \"$name\"/" "$tmp/debian-12.json" \
		>"$tmp/usr/$name.json"
done
cp "$tmp/usr/one.json" "$tmp/etc/one.json"
ln -s /dev/null "$tmp/etc/two.json"
echo '{' >"$tmp/etc/broken.json"
cp "$tmp/usr/four.json" "$tmp/etc/four-again.json"
ABIBASE_PLATFORM_PATH=$tmp/usr:$tmp/etc
export ABIBASE_PLATFORM_PATH
run 2 list -v
for line in "etc/one.json: used: one revision" "usr/one.json: hidden by $tmp/etc/one.json" \
	"etc/two.json: masks" "usr/two.json: hidden by " "etc/broken.json: refused: " \
	"four.json" "four-again.json" ": duplicate of $tmp/" "usr/three.json: used: three"; do
	grep -qF "$line" "$tmp/out" || fail "list -v does not say: $line"
done
run 2 list
says 'etc/broken.json: '
sed -e 1d -e '/^See: /d' "$tmp/out" | cut -d' ' -f1 | sort >"$tmp/got"
printf '%s\n' four one three >"$tmp/want"
same 'list' "$tmp/want" "$tmp/got"
rm "$tmp/etc/broken.json" "$tmp/etc/four-again.json"
run 0 list
stderr_empty list
# A table of a terminal's width, and nothing is made up for what is not recorded.
cat >"$tmp/usr/three.json" <<'END'
{
  "schema": "abibase-profile/1",
  "arch": "x86_64",
  "evidence": {
    "tap.": "probed",
    "vhost_net.": "vendor-statement"
  },
  "facts": {},
  "kernel": {
    "release": "6.17.1+deb14-amd64"
  },
  "kind": "platform",
  "lifecycle": {
    "source": "a page",
    "standard_end": "2031-02-03"
  },
  "name": "a-platform-with-a-name-longer-than-others",
  "qemu": [
    {
      "machines": {
        "pc-i440fx-11.0": {},
        "pc-q35-10.2": {},
        "pc-q35-9.0": {}
      },
      "target": "x86_64",
      "version": "10.2.1"
    }
  ],
  "revision": 1
}
END
run 0 list
tr -s ' ' <"$tmp/out" | grep -qx ' 6.17 10.2.1 pc-q35-10.2 2031-02 partly' || fail "list: $(cat "$tmp/out")"
unset ABIBASE_PLATFORM_PATH
for words in list 'list --groups'; do
	run 0 $words
	[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "$words is wider than 80 columns"
	cp "$tmp/out" "$tmp/want"
	run 0 $words -o "$tmp/o-file"
	same "$words -o" "$tmp/want" "$tmp/o-file"
done
run 0 list
grep -q '^debian-12  *6\.1  *7\.2\.22  *pc-q35-7\.2  *2028-06  probed$' "$tmp/out" || fail 'list: debian-12'
grep -qx 'debian-13-backports is debian-13-backports-2026.11' "$tmp/out" || fail 'list: no alias'
tr '\n' ' ' <"$tmp/out" | grep -q 'bookworm is debian-12,' || fail 'list: no codename'
misuse 'list --help' list --groups -v
run 0 list --groups
sed -e 1d -e '/^ /d' -e 's/ .*//' "$tmp/out" >"$tmp/want"
sed -n '/^\.Ss Feature groups/,/^\.El/s/^\.It Cm \([a-z-]*\).*/\1/p' "$src/man/abibase.1" >"$tmp/got"
same 'the table of feature groups' "$tmp/want" "$tmp/got"
run 0 list --groups --json
sed -n 's/^      "name": "\(.*\)",$/\1/p' "$tmp/out" >"$tmp/got"
same 'the document of feature groups' "$tmp/want" "$tmp/got"
grep -A12 '"name": "rss"' "$tmp/out" | grep -q '"on"' || fail "rss cannot be switched on: $(cat "$tmp/out")"

# ----------------------------------------------------------- documentation

# The long options of a verb: in its help, in its section of the manual, in the completion
help_options()
{
	grep -o '^  *\(-[A-Za-z], \)\{0,1\}--[a-z0-9-]*' "$tmp/help-$1" | grep -o -e '--.*' | sort
}
man_options()
{
	sed -n "/^\.Ss $1\$/,/^\.S[sh] /p" "$src/man/abibase.1" | grep '^\.It Fl' |
		grep -o 'Fl -[a-z0-9-]*' | sed 's/^Fl /-/' | sort -u
}
# With their arguments, by the letter where there is one: "-M MACHINE", "--for=NAME[:PATH]"
help_words()
{
	sed -n -e 's/^  \(-[A-Za-z]\), --[a-z0-9-]*=\([A-Z]*\).*/\1 \2/p' \
		-e 's/^  \(-[A-Za-z]\), --[a-z0-9-]*\( .*\)\{0,1\}$/\1/p' \
		-e 's/^      \(--[a-z0-9-]*\(=[^ ]*\)\{0,1\}\).*/\1/p' "$tmp/help-$1" | grep -vx -e -h | sort
}
synopsis_words()
{
	sed -n '/^\.Sh SYN/,/^\.Sh DESC/p' "$src/man/abibase.1" |
		sed -n "/^\.Cm $1\$/,/^\.Nm/p" | grep -e '^\.Op Fl' -e '^\.Fl' | tr '|' '\n' |
		grep -v 'Fl - Ar' | sed -e 's/ Ns Op : Ns Ar PATH/[:PATH]/' -e 's/^ *\.*\(Op \)*Fl /-/' \
			-e 's/ Ns = Ns Ar /=/' -e 's/ Ar / /' -e 's/ *$//' | sort -u
}
completion_options()
{
	"$abibase" __complete $1 -- | cut -f1 | sort
}
cp "$tmp/help" "$tmp/help-"
for verb in $verbs ''; do
	help_options "$verb" >"$tmp/options"
	[ -s "$tmp/options" ] || fail "no options found in the help of '$verb'"
	man_options "${verb:-Before any verb}" >"$tmp/own"
	# what several verbs have is said once
	{
		cat "$tmp/own"
		[ ! "$verb" ] || man_options 'Options of several verbs' | comm -12 - "$tmp/options"
	} | sort -u >"$tmp/got"
	same "help and manual differ: '$verb'" "$tmp/options" "$tmp/got"
	completion_options "$verb" >"$tmp/got"
	same "help and completion differ: '$verb'" "$tmp/options" "$tmp/got"
	# Each is really an option: getopt finds fault with something else.
	while read -r option; do
		"$abibase" $verb "$option=" --nosuchoption </dev/null >/dev/null 2>"$tmp/err"
		! grep -q "unrecognized option '$option" "$tmp/err" ||
			fail "'$verb' does not know $option"
	done <"$tmp/options"
done

# What the shells do of it: each is given words, and says what can stand in the place of the last one.
mkdir "$tmp/bin"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$abibase" >"$tmp/bin/abibase"
chmod +x "$tmp/bin/abibase"
mkdir "$tmp/files"
touch "$tmp/files/one.json"
in_bash()
{
	PATH=$tmp/bin:$PATH bash -c '. "$1"; shift; COMP_WORDS=(abibase "$@"); COMP_CWORD=$#; _abibase
		printf "%s\n" "${COMPREPLY[@]}"' - "$src/completions/abibase" "$@" | sort
}
in_zsh()
{
	PATH=$tmp/bin:$PATH zsh -fc 'file=$1; shift; words=(abibase "$@"); CURRENT=$#words
		PREFIX=$words[-1]
		compset() { PREFIX=${PREFIX#${~2}} }
		_files() { print -l -- $PREFIX*(N) }
		_command_names() { print commands }
		_describe() { print -l -- "${(@P)2%%:*}" }
		complete_it() { source $file }; complete_it' - "$src/completions/_abibase" "$@" | sort
}
in_fish()
{
	PATH=$tmp/bin:$PATH HOME=$tmp fish --no-config -c 'source $argv[1]
		complete -C "abibase $argv[2..]"' "$src/completions/abibase.fish" "$@" | cut -f1 | sort
}
for shell in bash zsh fish; do
	have $shell || continue
	printf '%s\n' $verbs help | sort >"$tmp/want"
	in_$shell '' >"$tmp/got" 2>"$tmp/err"
	same "the verbs in $shell" "$tmp/want" "$tmp/got"
	printf '%s\n' --baseline --backend | sort >"$tmp/want"
	in_$shell targets --ba >"$tmp/got" 2>"$tmp/err"
	same "options in $shell" "$tmp/want" "$tmp/got"
	printf '%s\n' tap,macvtap tap,macvtap+vhost >"$tmp/want"
	in_$shell intersect --backend tap,ma >"$tmp/got" 2>"$tmp/err"
	same "a list in $shell" "$tmp/want" "$tmp/got"
	echo "$tmp/files/one.json" >"$tmp/want"
	in_$shell validate "$tmp/files/o" >"$tmp/got" 2>"$tmp/err"
	same "files in $shell" "$tmp/want" "$tmp/got"
done
# Bash takes "=" and ":" for the ends of words, and replaces what stands behind.
if have bash; then
	echo compatible >"$tmp/want"
	in_bash intersect --policy = comp >"$tmp/got" 2>"$tmp/err"
	same 'behind a "=" in bash' "$tmp/want" "$tmp/got"
	printf '%s\n' all compatible >"$tmp/want"
	in_bash intersect --policy = >"$tmp/got" 2>"$tmp/err"
	same 'behind a bare "=" in bash' "$tmp/want" "$tmp/got"
	echo "$tmp/files/one.json" >"$tmp/want"
	in_bash intersect --files0-from = "$tmp/files/" >"$tmp/got" 2>"$tmp/err"
	same 'a file behind a "=" in bash' "$tmp/want" "$tmp/got"
fi
# What each kind of argument completes to.
while IFS='|' read -r words want; do
	"$abibase" __complete $words '' >"$tmp/got" 2>"$tmp/err"
	cut -f1 "$tmp/got" | grep -qxF -e "$want" || fail "abibase __complete $words: no $want"
	stderr_empty "abibase __complete $words"
done <<'END'
intersect --enable|ring-packed
intersect --disable|offload-uso
intersect --policy|all
intersect debian-12 -M|pc-q35-7.2
intersect --backend|macvtap+vhost
intersect --with-device|vhost-scsi
merge|:files
intersect|debian-12-backports
intersect|bookworm
plan|offload-uso
plan|host_uso
explain x.json|host_uso
probe --only|vhost-vdpa
decode --device|virtio-blk
targets --from|debian-13
check x.json|debian-13
verify x.json --|:commands
help|intersect
END

# Each short option stands beside a long one in both.
for verb in $verbs; do
	grep -o '^  -[A-Za-z], --[a-z0-9-]*' "$tmp/help-$verb" | tr -d ' ' | sort >"$tmp/options"
	sed -n -e "/^\.Ss $verb\$/,/^\.S[sh] /p" -e '/^\.Ss Options of several/,/^\.S[sh] /p' \
		"$src/man/abibase.1" | grep '^\.It Fl [A-Za-z] ' |
		sed 's/^\.It Fl \([A-Za-z]\) .*Fl -\([a-z0-9-]*\).*/-\1,--\2/' | sort -u >"$tmp/got"
	comm -23 "$tmp/options" "$tmp/got" >"$tmp/err"
	[ ! -s "$tmp/err" ] || fail "short options of $verb that the manual does not have"
	help_words $verb >"$tmp/options"
	synopsis_words $verb >"$tmp/got"
	same "help and synopsis of $verb differ" "$tmp/options" "$tmp/got"
done

sed -n 's/^X("\([a-z0-9-]*\)".*/\1/p' "$src/lib/base/messages.def" | sort >"$tmp/want"
[ "$(uniq -d "$tmp/want")" = '' ] || fail "listed twice: $(uniq -d "$tmp/want")"
sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/s/^\.It Li //p' "$src/man/libabibase.3" | sort >"$tmp/got"
same 'the message ids of libabibase(3) are not those of lib/base/messages.def' "$tmp/want" "$tmp/got"

# An id that the code says is listed, and one that is listed is said.
cat "$src"/lib/*/*.c | tr '\n\t' '  ' |
	grep -Eo '(context_fail|context_log|schema_fault|schema_warn|add_finding)\([^";]*"[a-z0-9-]+"' |
	sed 's/.*"\(.*\)"/\1/' | sort -u >"$tmp/got"
comm -13 "$tmp/want" "$tmp/got" >"$tmp/err"
[ ! -s "$tmp/err" ] || fail 'ids that lib/base/messages.def does not list'
while read -r id; do
	grep -qF -e "\"$id\"" -e "[$id]" "$src"/lib/*/*.c "$src"/cli/*.c || fail "nothing says [$id]"
done <"$tmp/want"

sed -n 's/^[[:space:]]*\(abibase_[a-z0-9_]*\);$/\1/p' "$src/lib/libabibase.sym" | sort >"$tmp/want"
sed -n 's/^\.Fn \(abibase_[a-z0-9_]*\).*/\1/p' "$top_builddir/man/functions.mdoc" | sort >"$tmp/got"
same 'the functions of libabibase(3) are not the exported ones' "$tmp/want" "$tmp/got"

sed -n 's/^    "\([a-z0-9_.]*\)": {$/\1/p' "$src/data/facts.json" | sort >"$tmp/want"
[ -s "$tmp/want" ] || fail 'no facts found in data/facts.json'
sed -n '/^\.Sh FACTS/,/^\.Ss /s/^\.It Ic //p' "$src/man/abibase-profile.5" | sort >"$tmp/got"
same 'the facts of abibase-profile(5) are not those of data/facts.json' "$tmp/want" "$tmp/got"

run 0 intersect --json $pair
sed -n 's/^  "\([a-z_]*\)": .*/\1/p' "$tmp/out" | sort >"$tmp/want"
sed -n '/^\.Sh MEMBERS/,/^\.Sh FILES/p' "$src/man/abibase-baseline.5" |
	awk '/^\.Bl/ { depth++ } /^\.El/ { depth-- } depth == 1 && sub(/^\.It Ic /, "")' |
	sort >"$tmp/got"
same 'the members of abibase-baseline(5) are not those of a baseline' "$tmp/want" "$tmp/got"

sed -n '/^  "policy": {/,/^  }/s/^    "\([a-z_]*\)": .*/\1/p' "$tmp/out" | while read -r member; do
	sed -n '/^\.It Ic policy/,/^\.It Ic values/p' "$src/man/abibase-baseline.5" |
		grep -q "^\.Ic $member\( \|\$\)" || echo "$member"
done >"$tmp/err"
[ ! -s "$tmp/err" ] || fail 'members of the policy that abibase-baseline(5) does not have'

# A file of ours that a page names is installed under that name.
grep -oh '/usr/share/abibase/[a-z0-9./-]*[a-z]' "$src"/man/*.[1-8] | sort -u >"$tmp/want"
[ -s "$tmp/want" ] || fail 'no page names a file of /usr/share/abibase'
while read -r path; do
	[ -e "$src/data/${path#/usr/share/abibase/}" ] || [ -e "${top_builddir:-.}/data/${path#/usr/share/abibase/}" ] ||
		fail "a page names $path"
done <"$tmp/want"

if have mandoc; then
	for page in "$src"/man/*.[1-8]; do
		# Which other manuals this machine has says nothing about ours.
		mandoc -T lint -W warning "$page" >"$tmp/err" 2>&1 || fail "$page"
	done
fi

# A command line with a bare $(...) would start a guest without any protection.
if grep -n '\$(abibase intersect' "$src"/README.md "$src"/man/* "$src"/completions/* |
	grep -v 'args=\$(abibase intersect' >"$tmp/err"; then
	fail 'a bare $(abibase intersect ...) is shown'
fi
for page in README.md man/abibase.1; do
	grep -q 'args=\$(abibase intersect .*) &&' "$src/$page" || fail "$page does not show args=\$(...) &&"
done

# The first screen and the worked example of the README are what the command really prints.
sed '/^## Why/q' "$src/README.md" | sed -n '/^    \$ /,$s/^    //p' >"$tmp/want"
[ -s "$tmp/want" ] || fail 'nothing on the first screen of README.md'
sed -n '/^## An example/,/^## Install/s/^    //p' "$src/README.md" >>"$tmp/want"
[ -s "$tmp/want" ] || fail 'no example in README.md'
sed -n 's/^\$ //p' "$tmp/want" | while read -r line; do
	printf '$ %s\n' "$line"
	(PATH=$tmp/bin:$PATH && eval "$line") 2>&1 </dev/null
done >"$tmp/got"
same 'the example of README.md is not real' "$tmp/want" "$tmp/got"

[ "$failures" = 0 ] && exit 0
echo "$failures failures"
exit 1
