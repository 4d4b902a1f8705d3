#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `abibase probe` on the real /dev/net/tun: as root, and as an ordinary user for whom a node that
# everybody may open lies in a private mount namespace. The host's nodes are never changed.

# Text for the inner shells is quoted on purpose, and names of network devices are plain.
# shellcheck disable=SC2016,SC2012
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

# Where the ordinary user's mount namespace has what it needs; only there, and only while it lives.
view=/mnt

[ "$(id -u)" = 0 ] || skip "needs root"
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
[ -d "$view" ] || skip "there is no $view to mount on"
for tool in unshare setpriv mount mknod; do
	command -v $tool > /dev/null || skip "needs $tool"
done
unshare -m true || skip "no mount namespace can be made here"

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# facts FILE: the lines of its facts
facts()
{
	sed -n '/^  "facts": {$/,/^  }/p' "$1"
}

# has FILE LINE-PATTERN
has()
{
	grep -q -e "$2" "$1" && return
	fail "$1 lacks: $2"
	sed 's/^/    /' "$1"
}

# What the ordinary user needs, where it may read it: build and source directories may be closed to it.
view "$tmp/view"
mkdir "$tmp/view/dev"

# as_user NAME MODE SCRIPT [OPTION]: probe as nobody, with a tun node of that mode; SCRIPT runs as
# root in the namespace before
as_user()
{
	unshare -m --propagation private sh -euc '
		mount --bind "$1/view" "$2"
		mount -t tmpfs -o mode=755 tmpfs "$2/dev"
		mknod "$2/dev/tun" c 10 200
		chmod "$3" "$2/dev/tun"
		mount --bind "$2/dev/tun" /dev/net/tun
		eval "$4"
		export LD_LIBRARY_PATH="$2" ABIBASE_DATADIR="$2/data"
		cd /
		exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
			"$2/abibase" probe --no-qemu --name=host $5
	' sh "$tmp" "$view" "$2" "$3" "${4:-}" > "$tmp/$1" 2> "$tmp/$1.err" || {
		fail "probe as nobody ($1) exits $?"
		sed 's/^/    /' "$tmp/$1.err"
	}
}

# ------------------------------------------------------------------ as root

# What a probe must leave as it was: network devices, mounts, nodes, processes of our own
state()
{
	ls /sys/class/net
	cat /proc/self/mountinfo
	ls /dev
	pgrep -P $$ -x abibase
	cut -d' ' -f1 /proc/modules 2> /dev/null
}

# unknown FILE FACT REASON
unknown()
{
	facts "$1" | grep -A1 "\"$2\": {" | grep -q "\"unknown\": \"$3\"" && return
	fail "$1: $2 is not unknown, $3"
	facts "$1" | grep -A1 "\"$2\"" | sed 's/^/    /'
}

ls /sys/class/net > "$tmp/net-before"
"$abibase" probe --no-qemu --name=host > "$tmp/root" 2> "$tmp/root.err" ||
	fail "probe as root exits $?"
has "$tmp/root" '"tap.usable": true'
has "$tmp/root" '"tap.features": "0x0000[0-9a-f]\{4\}"'
has "$tmp/root" '"tap.offload.csum": true'
has "$tmp/root" '"tap.offload.ufo": true'
has "$tmp/root" '"tap.napi_frags": true'
has "$tmp/root" '"network_namespace": true'
has "$tmp/root" '"user_namespace": false'
"$abibase" validate "$tmp/root" > /dev/null 2> "$tmp/err" || {
	fail "the profile does not validate"
	sed 's/^/    /' "$tmp/err"
}

# What is registered already is asked with --no-load too.
"$abibase" probe --no-qemu --no-load --name=host > "$tmp/no-load" 2> /dev/null ||
	fail "probe --no-load exits $?"
facts "$tmp/root" > "$tmp/root.facts"
facts "$tmp/no-load" | cmp -s - "$tmp/root.facts" || fail "--no-load finds other facts"

# --------------------------------------------------------- surface by surface

# On request, for a device is made for it: --no-load, so that nothing of it stays.
state > "$tmp/state"
"$abibase" probe --only=macvtap,ipvtap --no-load --name=host > "$tmp/link" 2> "$tmp/link.err" ||
	fail "probe --only=macvtap,ipvtap exits $?"
state | cmp -s - "$tmp/state" || {
	fail "probing macvtap changed the host"
	state | diff "$tmp/state" - | sed 's/^/    /'
}
for kind in macvtap ipvtap; do
	if facts "$tmp/link" | grep -q "\"$kind.usable\": true"; then
		has "$tmp/link" "\"$kind.features\": \"0x00005102\""
		has "$tmp/link" "\"$kind.offload.csum\": true"
		has "$tmp/link" "\"$kind.offload.udp_tunnel\": false"
	elif facts "$tmp/link" | grep -q "\"$kind.usable\": false"; then
		echo "this kernel has no $kind"
	else
		unknown "$tmp/link" $kind.usable not-loaded
	fi
done
unknown "$tmp/link" tap.usable not-asked
unknown "$tmp/link" vhost_vdpa.usable not-asked
unknown "$tmp/link" param.vhost.max_mem_regions not-asked
unknown "$tmp/root" macvtap.usable not-asked

# Asked alone, a surface has the facts that it has among the others.
"$abibase" probe --only=tap --name=host 2> /dev/null | grep '"tap\.' > "$tmp/alone"
grep '"tap\.' "$tmp/root" | cmp -s - "$tmp/alone" || fail "--only=tap finds other facts"
"$abibase" probe --no-qemu --skip=tap --name=host > "$tmp/skip" 2> /dev/null
unknown "$tmp/skip" tap.offload.uso not-asked
"$abibase" probe --only=nosuchsurface > "$tmp/got" 2> "$tmp/err" && fail "any name is a surface"
has "$tmp/err" 'vhost-net, vhost-vsock'

# For people, and the profile beside it
"$abibase" probe --no-qemu --report --name=host -o "$tmp/beside" > "$tmp/report" 2> /dev/null ||
	fail "probe --report exits $?"
has "$tmp/report" '^PASS    tap: checksum, TSO'
head -n 1 "$tmp/report" | grep -q '^yes: host can run guests on tap' || fail "the report has no verdict"
grep -qv '^\(yes: \|PASS    \|WARN    \|UNKNOWN \|Looked at: \|See: abibase \|  \)' "$tmp/report" &&
	fail "the report has other lines"
facts "$tmp/beside" | cmp -s - "$tmp/root.facts" || fail "--report -o writes another profile"

# In a line what was found, beside a profile that went into a file; and nothing that tells which host it is
"$abibase" probe --no-qemu --name=host -o "$tmp/beside" 2> "$tmp/err" || fail "probe -o exits $?"
has "$tmp/err" "^$tmp/beside: host, Linux [0-9][^ ,]*, tap, "
"$abibase" probe --no-qemu -o - 2> "$tmp/err" > "$tmp/got"
grep -q 'host, Linux' "$tmp/err" && fail 'a line beside a profile on stdout'
qemu=$(command -v qemu-system-x86_64)
"$abibase" probe --anonymous --only=tap${qemu:+,qemu} ${qemu:+"--qemu=$qemu"} -o "$tmp/anonymous" 2> "$tmp/err" ||
	fail "probe --anonymous: $(cat "$tmp/err")"
has "$tmp/err" ': anonymous, Linux .*, tap'
[ -z "$qemu" ] || has "$tmp/err" 'QEMU [0-9.]*, [0-9]* machines'
"$abibase" validate -q "$tmp/anonymous" || fail 'an anonymous profile is not valid'
grep -qF -e "\"$(uname -n)\"" -e boot_id -e "$(cat /proc/sys/kernel/random/boot_id)" -e "${qemu:-boot_id}" -e '"path"' \
	"$tmp/anonymous" && fail 'an anonymous profile says which host it is'

# -------------------------------------------------------------- as nobody

# A node that both may open: the same facts but for the one that takes the initial namespace.
as_user everybody 666 :
facts "$tmp/everybody" > "$tmp/everybody.facts"
others()
{
	sed '/"\(tap.napi_frags\|host.ebpf_rss\)": {/,/}/d; /"\(tap.napi_frags\|host.ebpf_rss\)": [tf]/d'
}
others < "$tmp/root.facts" > "$tmp/want"
others < "$tmp/everybody.facts" > "$tmp/got"
diff -u "$tmp/want" "$tmp/got" || fail "an ordinary user finds other facts than root"
grep -A1 '"tap.napi_frags": {' "$tmp/everybody.facts" | grep -q '"unknown": "no-permission"' ||
	fail "tap.napi_frags is not unknown for want of permission"
has "$tmp/everybody" '"euid": 65534'
has "$tmp/everybody" '"user_namespace": true'

# What takes root is unknown to the user, unless it is known not to be there at all.
as_user link 666 : --only=macvtap,ebpf
if facts "$tmp/link" | grep -q '"macvtap.usable": false'; then
	has "$tmp/link.err" 'probe-absent'
else
	unknown "$tmp/link" macvtap.usable no-permission
	has "$tmp/link.err" 'macvtap: .* probe as root'
fi
if [ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled 2> /dev/null)" != 0 ] &&
	facts "$tmp/root" | grep -q '"host.ebpf_rss": true'; then
	unknown "$tmp/link" host.ebpf_rss no-permission
fi

# A node that only root may open.
as_user nobody 600 :
facts "$tmp/nobody" | grep -A1 '"tap.usable": {' | grep -q '"unknown": "no-permission"' ||
	fail "a forbidden node is not unknown, no-permission"
facts "$tmp/nobody" | grep -q '"tap.offload.uso": false' && fail "forbidden is taken for absent"
has "$tmp/nobody.err" '/dev/net/tun: no permission'

# No node at all, though the kernel has the device.
as_user no-node 666 'umount /dev/net/tun; mount -t tmpfs tmpfs /dev/net'
facts "$tmp/no-node" | grep -A1 '"tap.usable": {' | grep -q '"unknown": "no-device-node"' ||
	fail "a missing node is not unknown, no-device-node"
has "$tmp/no-node.err" '/dev/net/tun: there is no such node'

# No namespace to be had: the limit is that of a user namespace of our own, not the host's.
if unshare -Ur true 2> /dev/null; then
	unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_net_namespaces
		exec "$0" probe --no-qemu --name=host' "$abibase" \
		> "$tmp/limit" 2> "$tmp/limit.err" || fail "probe at the namespace limit exits $?"
	facts "$tmp/limit" | grep -A1 '"tap.usable": {' | grep -q '"unknown": "no-namespace"' ||
		fail "the namespace limit is not unknown, no-namespace"
	has "$tmp/limit.err" 'user.max_net_namespaces'
fi

# --------------------------------------------------------- nothing left over

ls /sys/class/net | cmp -s - "$tmp/net-before" || fail "the host has other network devices now"
mount | grep -q " $tmp/" && fail "a mount is left on the host"

[ "$failures" = 0 ] || exit 1
echo "probed as root and as uid 65534"
