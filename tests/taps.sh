#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The taps of a probe, on the real /dev/net/tun, with the QEMU that abibase exec becomes: no child of that
# QEMU, no process and no network namespace is left of what was asked for it, whoever starts it, whatever it
# may not have, and whenever it is killed. How many taps and when they are closed is held by suite-probe.c.

# Text for the inner shells is quoted on purpose.
# shellcheck disable=SC2016
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
alone "$@"
need jq setpriv
unwrap
real=/usr/bin/qemu-system-x86_64
[ -x $real ] || skip "there is no $real"

tmp=$(mktemp -d) || exit 99
trap 'end; rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME="$tmp/cache"
chmod 755 "$tmp"

machine=$("$abibase" probe --only=tap,qemu --qemu=$real -o - 2> "$tmp/err" | tee "$tmp/host.json" |
	jq -r '.qemu[0].values | keys[] | select(startswith("pc-q35-"))' | sort -V | tail -n 1)
"$abibase" intersect --json --backend tap -M "$machine" "$tmp/host.json" -o "$tmp/base.json" 2> "$tmp/err" || {
	cat "$tmp/err"
	skip "this host has no baseline for tap"
}
guest="-M $machine -nodefaults -display none -S -accel tcg -m 32"

# others: the processes that are neither this script's own nor the first one
others()
{
	for dir in /proc/[0-9]*; do
		[ -e "$dir/exe" ] || continue
		case $(readlink "$dir/exe") in */abibase | */qemu-system-*) echo "$dir $(cat "$dir/comm")" ;; esac
	done
}

# gone WORDS: after a second
gone()
{
	sleep 1
	[ -z "$(others)" ] || fail "$1: there is still $(others)"
}

# becomes PID WORDS: it is QEMU now, without a child, also one that has ended and was not waited for
becomes()
{
	for _ in $(seq 100); do
		[ "$(readlink "/proc/$1/exe")" != "$real" ] || break
		sleep 0.1
	done
	[ "$(readlink "/proc/$1/exe")" = "$real" ] || {
		fail "$2: QEMU was not started"
		sed 's/^/    /' "$tmp/err"
		return
	}
	[ -z "$(cat "/proc/$1/task/$1/children")" ] || fail "$2: QEMU has a child"
	[ "$(others)" = "/proc/$1 $(cat "/proc/$1/comm")" ] || fail "$2: not alone: $(others)"
}

# ------------------------------------------------------------- QEMU and its children

# shellcheck disable=SC2086
{
	"$abibase" exec "$tmp/base.json" -- $real $guest 2> "$tmp/err" &
	running=$!
	becomes $running 'exec'
	end

	# Who ignores its children, and may not open many files
	sh -c 'trap "" CHLD; ulimit -n 32; exec "$@"' sh "$abibase" exec "$tmp/base.json" -- \
		$real $guest 2> "$tmp/err" 7< /dev/null 8< /dev/null 9< /dev/null &
	running=$!
	becomes $running 'SIGCHLD ignored'
	end

	# The first process of a container is the parent of all that have lost theirs.
	unshare -pf --kill-child "$abibase" exec "$tmp/base.json" -- $real $guest 2> "$tmp/err" &
	running=$!
	sleep 0.2
	first=$(tr -d ' ' < /proc/$running/task/$running/children)
	becomes "$first" 'as the first process'
	kill -KILL "$first"
	end

	"$abibase" exec "$tmp/base.json" -- $real $guest -nosuchoption 2> "$tmp/err"
	[ $? = 1 ] || fail 'the exit status is not that of QEMU'
}
gone 'after QEMU'

# ------------------------------------------------------------------- what it may not have

# refused WORDS TEXT COMMAND...: exec by that command does not start QEMU, and says so
# shellcheck disable=SC2086
refused()
{
	words=$1 text=$2
	shift 2
	timeout 60 "$@" "$abibase" exec "$tmp/base.json" -- $real $guest -netdev tap,id=n \
		-device virtio-net-pci,netdev=n > "$tmp/out" 2> "$tmp/err"
	status=$?
	[ $status = 126 ] || fail "$words: exit status $status, not 126"
	grep -q -e "$text" "$tmp/err" || {
		fail "$words: no word of $text"
		sed 's/^/    /' "$tmp/err"
	}
}
refused 'no node' '/dev/net/tun: there is no such node' \
	unshare -m sh -c 'mount -t tmpfs tmpfs /dev/net && exec "$@"' sh
refused 'no namespaces' '\[probe-namespace-limit\]' \
	unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"' sh
refused 'no descriptors' '\[probe-fact-unknown\]' prlimit --nofile=6
# root may have any number of processes
view "$tmp/view"
LD_LIBRARY_PATH="$tmp/view" ABIBASE_DATADIR="$tmp/view/data" HOME=/nonexistent timeout 60 \
	setpriv --reuid=65533 --regid=65533 --clear-groups --inh-caps=-all prlimit --nproc=0 \
	"$tmp/view/abibase" probe --only=tap --name=host > "$tmp/out" 2> "$tmp/err"
[ $? = 2 ] || fail "no processes: $(cat "$tmp/out" "$tmp/err")"
grep -q '\[probe-fork\]' "$tmp/err" || fail "no processes: $(cat "$tmp/err")"
gone 'after refusals'

# ------------------------------------------------------------------------ namespaces

# Of a user namespace with room for one network namespace: each time the last one has gone, with its taps.
unshare -Ur sh -c 'echo 1 > /proc/sys/user/max_net_namespaces
	for _ in 1 2 3; do
		"$1" probe --only=tap --name=host || exit
		sleep 1
	done' sh "$abibase" > "$tmp/out" 2> "$tmp/err"
[ "$(grep -c '"tap.usable": true' "$tmp/out")" = 3 ] || fail "a namespace stays: $(cat "$tmp/err")"

# ------------------------------------------------------------------------ killed

# killed WHO TIMES LAST: at so many of its first system calls, by tests/kill-at; 0 is abibase, 1 who asks
killed()
{
	for i in $(seq "$2"); do
		"$build/tests/kill-at" "$1" $((i * $3 / $2)) "$abibase" probe --only=tap --name=host \
			> "$tmp/out" 2> "$tmp/err" || fail "killed $1 at $((i * $3 / $2)): left: $(cat "$tmp/err")"
		case $(tail -n 1 "$tmp/out") in
		*' 137 '*) [ "$1" = 0 ] || fail "abibase was killed with its child" ;;
		*' 0 '*) [ "$1" = 0 ] || grep -q error-EIO "$tmp/out" || fail "killed $1: no word" ;;
		*) fail "killed $1 at $((i * $3 / $2)): $(cat "$tmp/out" "$tmp/err")" ;;
		esac
	done
}
calls=$("$build/tests/kill-at" 0 0 "$abibase" probe --only=tap --name=host 2> "$tmp/err" | tail -n 1 | cut -d' ' -f1)
killed 0 10 "$calls"
calls=$("$build/tests/kill-at" 1 0 "$abibase" probe --only=tap --name=host 2> "$tmp/err" | tail -n 1 | cut -d' ' -f1)
killed 1 10 $((calls - 10))

[ "$failures" = 0 ] || exit 1
echo "$machine started, refused and killed: nothing is left"
