#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who listens on a QMP socket decides nothing about what is started: a peer whose binary is called as a
# QEMU, whatever it says. Only what the caller names with --qemu is started, without rights.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need jq
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
peer=$tmp/qemu-system-x86_64
cp "$build/tests/oracle/peer" "$peer" || exit 99
version=$("$abibase" show --json debian-12 | jq -r '.qemu[0].version')
package=$("$abibase" show --json debian-12 | jq -r '.qemu[0].package')
failures=0

fail()
{
	echo "FAIL: $*"
	sed 's/^/    /' "$tmp/err"
	failures=$((failures + 1))
}

# ask STATUS MACHINE ARGUMENT...: of a peer that says that it has this machine type
ask()
{
	want=$1 machine=$2
	shift 2
	rm -f "$tmp/socket" "$tmp/started"
	"$peer" --listen "$tmp/socket" "$machine" "$version" "$package" >"$tmp/told" &
	pid=$!
	n=0
	while [ ! -S "$tmp/socket" ] && [ $n -lt 500 ]; do
		sleep 0.01
		n=$((n + 1))
	done
	"$abibase" targets "$@" "qmp:$tmp/socket" debian-12 >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	kill $pid 2>/dev/null
	wait $pid
	[ $got = "$want" ] || fail "$machine $*: exit status $got, not $want"
	[ ! -e "$peer.started" ] || fail "$machine $*: the binary of the peer was started"
	! grep -q x-query "$tmp/told" || fail "$machine $*: it was asked what kills some"
}

says()
{
	grep -qF -e "$1" "$tmp/err" || fail "stderr does not say: $1"
}

ask 3 pc-q35-7.2
says '[guest-qmp-unsafe]'
says '--qemu=BINARY'
grep -q query-name "$tmp/told" || fail 'it was not asked its name'
# What it took is not known; it is at most what it was offered, by the record of its host.
ask 0 pc-q35-7.2 --from=debian-12 --backend=tap
says '[guest-qmp-unsafe]'
package='another package'
ask 3 pc-q35-7.2 --from=debian-12 --backend=tap

# What it says is no option of the QEMU on trial, nor a line of this output.
escape=$(printf '\033')
cat >"$tmp/trial" <<END
#!/bin/sh
grep -E '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/self/status >"$tmp/started"
readlink /proc/self/ns/ipc >>"$tmp/started"
END
chmod 755 "$tmp/trial"
for machine in 'none,x=y' 'pc-q35-7.2\n-device x' 'pc\u001b[31m' ''; do
	ask 2 "$machine" --qemu="$tmp/trial"
	says '[json-bad-value]'
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "$machine: not one line"
	! grep -q "$escape" "$tmp/err" || fail "$machine: it colours the terminal"
	[ ! -e "$tmp/started" ] || fail "$machine: a QEMU was started"
done

# The binary that was named is started, and can do little.
if [ -c /dev/net/tun ] || [ "$(id -u)" != 0 ]; then
	ask 3 pc-q35-7.2 --qemu="$tmp/trial"
	says "$tmp/trial"
	[ "$(grep -c '^Cap...:[[:space:]]*0*$' "$tmp/started")" = 4 ] || [ "$(id -u)" != 0 ] ||
		fail "it has rights: $(cat "$tmp/started")"
	grep -q '^NoNewPrivs:[[:space:]]*1$' "$tmp/started" || fail 'it can gain rights'
	[ "$(id -u)" != 0 ] || ! grep -qFx "$(readlink /proc/self/ns/ipc)" "$tmp/started" ||
		fail 'it is in the namespaces of the host'
fi

[ $failures = 0 ] && echo 'ok: a peer starts nothing'
[ $failures = 0 ]
