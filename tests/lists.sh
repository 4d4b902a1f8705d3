#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The forms of a list as those who read them do: the words of Text::ParseWords (Proxmox), of go-shellquote (Incus),
# of a shell and of Python; and QEMUs of tests/fetch-qemus, see lists.py. Those for libvirt: tests/libvirt/run lists.
#
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-rehearsal.sh
. "${0%/*}/begin-rehearsal.sh"
need jq perl python3
need_qemus bullseye bookworm trixie trixie-backports

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
# QEMU 11.1 takes no guest from 10.0, for its queues
list()
{
	"$abibase" intersect -q -M pc-q35-5.2 --disable offload-ufo --dest debian-11 --dest debian-12 --dest debian-13 \
		"$@" debian-11 debian-12 debian-13 debian-13-backports || exit 1
}

# ------------------------------------------------------------------------------- words

list --with-machine >args
list --with-machine -f oneline >oneline
list --with-machine -f argv-json >argv.json
[ "$(wc -l <oneline)" = 1 ] || fail "$(wc -l <oneline) lines"
grep -qx -- '-machine pc-q35-5.2' args || fail 'no machine type'
tr ' ' '\n' <args >wanted

# same READER: it has put one word a line into "words"; the list stood behind words of the guest's own
same()
{
	printf '%s\n' -name 'a guest, two words' | cat - wanted | diff - words >err ||
		fail "$1: $(head -n 5 err)"
}
printf '%s' "-name 'a guest, two words' " | cat - oneline >line
perl -MText::ParseWords=shellwords -e 'local $/; print "$_\n" for shellwords(<>)' line >words
same Text::ParseWords
(eval "printf '%s\n' $(cat line)") >words
same sh
python3 -c 'import shlex, sys; print(*shlex.split(sys.stdin.read()), sep="\n")' <line >words
same shlex
# as the manual has it, into what is there already
jq -rn --argjson own '["-name","a guest, two words"]' --slurpfile list argv.json '$own + $list[0] | .[]' >words
same argv-json

# Nothing that a shell, JSON or XML reads otherwise comes from a document into a list.
"$abibase" intersect -q --json -M pc-q35-7.2 debian-12 debian-13 -o base.json || fail 'no baseline'
for word in 'a b' "a'b" 'a"b' 'a<b' 'a$b' 'a\\b'; do
	for place in .machine '.outputs[0].values[0].property' '.outputs[0].values[0].class'; do
		jq --arg w "$word" "$place = \$w" base.json >bad.json
		"$abibase" intersect -f oneline ./bad.json >out 2>err
		[ $? = 2 ] && [ ! -s out ] && grep -q 'json-bad-name\|json-bad-value' err ||
			fail "$place $word: $(cat out err)"
	done
done

# ------------------------------------------------------------------------------- a domain that has the list

# judged STATUS COMMAND...: as a guest that sets what the list sets, also sizes, or another one
judged()
{
	want=$1
	shift
	"$abibase" "$@" >out 2>err
	got=$?
	[ $got = "$want" ] || fail "$*: exit status $got: $(cat out err)"
}
for form in libvirt-commandline libvirt-override; do
	cat >guest.xml <<-END
		<domain type='kvm'><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
		<devices><interface type='ethernet'><model type='virtio'/><alias name='net0'/></interface></devices>
		$("$abibase" intersect -q -f $form $([ $form = libvirt-commandline ] || echo --alias net0) ./base.json)
		</domain>
	END
	grep -q 'romsize.*262144' guest.xml || fail "$form sets no size: $(cat guest.xml)"
	sed 's/262144/524288/' guest.xml >other.xml
	for guest in 0:guest.xml 3:other.xml; do
		judged "${guest%:*}" check --domain="${guest#*:}" ./base.json debian-13
		sed "s/<qemu:device alias='net0'/<qemu:device alias='net7'/" "${guest#*:}" >unheard.xml
		grep -q net7 unheard.xml && judged 3 check --domain=unheard.xml ./base.json debian-13
		judged "${guest%:*}" intersect --domain="${guest#*:}" debian-12 debian-13
		judged "${guest%:*}" targets --domain="${guest#*:}" --backend tap --baseline base.json 0x130afbfa7 debian-13
	done
done

# ------------------------------------------------------------------------------- what does not go together

misuse()
{
	says=$1
	shift
	"$abibase" intersect "$@" debian-12 >out 2>err
	[ $? = 2 ] && [ ! -s out ] && grep -qF -- "$says" err || fail "$*: $(cat out err)"
}
misuse '--alias is for' --alias net0
misuse 'which needs it' -f libvirt-override
misuse '--hotplug is for' -f libvirt-override --alias net0 --hotplug
misuse "which has the machine type in <type" -f libvirt-override --alias net0 --with-machine
misuse "which has the machine type in <type" -f libvirt-commandline --with-machine
for words in --hotplug --minimal --with-machine '--alias=net0'; do
	# shellcheck disable=SC2086
	misuse '[baseline-partial]' --json --partial $words
done
for alias in '' 'net0,' "net'0" 'net 0' :net0:x -x 0 net eth-0 Net0 'ua-a b' net0,net0 net0,vhost-vsock:net0; do
	misuse '[list-alias]' -f libvirt-override --alias "$alias"
done
misuse '[list-alias]' -f libvirt-override --alias net0 --alias vhost-vsock:vsock0
misuse '[list-alias]' -f libvirt-override --alias net0 --with-device vhost-vsock
misuse '[list-alias]' -f libvirt-override --alias vhost-vsock:vsock0 --with-device vhost-vsock

# ------------------------------------------------------------------------------- QEMUs

for suite in bullseye:5.2.0 bookworm:7.2.22 trixie:10.0.13 trixie-backports:11.1.3; do
	qemu_script "${suite%:*}" "${suite#*:}"
done
list --with-machine -f readconfig >list.cfg
list --with-machine --hotplug -f argv-json >union.json
list --json >json
list --json --hotplug | cmp -s json - || fail 'another document'
python3 "$src/tests/lists.py" || failures=$((failures + 1))

[ $failures = 0 ] || exit 1

# ------------------------------------------------------------------------------- Incus

command -v go >/dev/null && [ -d /usr/share/gocode/src/github.com/kballard/go-shellquote ] ||
	skip 'needs golang-go and golang-github-kballard-go-shellquote-dev'
GOCACHE=$tmp/cache GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS= go run "$src/tests/lists.go" <line >words
same go-shellquote
[ $failures = 0 ]
