# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests of abibase exec and abibase-emulator begin with; to be sourced behind begin.sh:
#
#   try STATUS COMMAND...  with its words in $tmp/out and $tmp/err
#   says, silent_about     a text on stderr
#   not_started, conf      QEMU was not started; write the configuration of the emulator
#   same NAME FILE FILE    they are
#   qemu, machine          a script that stands in for QEMU: exit status 42, its arguments in $tmp/started and
#                          ABIBASE_BASELINE in $tmp/environment; its machine type
#   new.json, old.json     such records: of a host that provides base.json, and of one that does not
#   nic                    words for a network card on tap with vhost
#   base.json, list        a baseline of debian-13, and its list
emulator=$build/abibase-emulator
machine=pc-q35-10.0
nic='-netdev tap,id=n,vhost=on -device virtio-net-pci,netdev=n'

need jq
[ -r /proc/sys/kernel/random/boot_id ] || skip "needs the boot id"

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME="$tmp/cache"
chmod 755 "$tmp"

fail()
{
	echo "FAIL: $*"
	sed 's/^/    stderr: /' "$tmp/err" 2>/dev/null
	failures=$((failures + 1))
}

# try STATUS COMMAND...: stdout goes to $tmp/out, stderr to $tmp/err
try()
{
	want=$1
	shift
	rm -f "$tmp/started"
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" = "$want" ] || fail "$*: exit status $got, not $want"
}

says()
{
	grep -qF -e "$1" "$tmp/err" || fail "stderr does not say: $1"
}

silent_about()
{
	! grep -qF -e "$1" "$tmp/err" || fail "stderr says: $1"
}

not_started()
{
	[ ! -e "$tmp/started" ] || fail "$*: QEMU was started"
	[ ! -s "$tmp/out" ] || fail "$*: something is on stdout"
}

# same NAME FILE FILE
same()
{
	diff -u "$2" "$3" >"$tmp/diff" && return
	fail "$1"
	sed 's/^/    /' "$tmp/diff"
}

# What QEMU is, is in the words that it was started with.
cat >"$tmp/qemu-system-x86_64" <<END
#!/bin/sh
printf '%s\n' "\$@" >"$tmp/started"
echo "\${ABIBASE_BASELINE-none}" >"$tmp/environment"
exit 42
END
chmod +x "$tmp/qemu-system-x86_64"
qemu=$tmp/qemu-system-x86_64

entry=$(qemu_entry debian-13 "$qemu")
record debian-13 "$entry" >"$tmp/new.json"
record debian-12 "$entry" >"$tmp/old.json"
for profile in new old; do
	"$abibase" validate "$tmp/$profile.json" >"$tmp/out" 2>"$tmp/err" || fail "$profile.json is not valid"
done
"$abibase" intersect --json -M $machine debian-13 -o "$tmp/base.json" 2>"$tmp/err" ||
	fail 'no baseline'
"$abibase" intersect -M $machine debian-13 2>/dev/null | tr ' ' '\n' >"$tmp/list"
[ "$(grep -c '^-global$' "$tmp/list")" -gt 10 ] || fail 'no list'

# conf LINE...
conf()
{
	printf '%s\n' "$@" >"$tmp/emulator.conf"
}
