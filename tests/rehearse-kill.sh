#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# abibase rehearse is killed by SIGKILL as it enters each of its system calls, in both halves, and so is
# each of the processes that it has made. A second later no process of it is there, which tests/kill-at.c
# sees, and with the last process went its namespaces and sockets; and no file is left.
#
# Sixty of the calls of abibase itself by default, evenly over both halves, and some of those of the
# other processes. REHEARSE_KILL=N: at the first N of each; of abibase it is some 2,100, and of a QEMU
# 4,600. Each takes a third of a second on an idle core.
#
# The words of a command line are split on purpose.
# shellcheck disable=SC2086
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
# shellcheck source=tests/begin-rehearsal.sh
. "${0%/*}/begin-rehearsal.sh"

[ -x "$build/tests/kill-at" ] || skip "needs tests/kill-at"
begin_rehearsal "$@"

guest='-M pc-q35-7.2 -nodefaults -m 64 -netdev tap,id=n0 -device virtio-net-pci,netdev=n0'
# a process more of each half
helpers='1 2 3 4 5 6'
if command -v swtpm > "$tmp/out"; then
	guest="$guest -chardev null,id=c -tpmdev emulator,id=t,chardev=c -device tpm-tis,tpmdev=t"
	helpers="$helpers 7 8"
fi
mkdir "$tmp/own"
export TMPDIR="$tmp/own"

# kill_at WHO N: prints the number of calls, the exit status, and how long it took until all had gone
kill_at()
{
	"$build/tests/kill-at" "$1" "$2" "$abibase" rehearse --save="$tmp/own/file" --load="$tmp/own/file" \
		-- "$tmp/10.0.13" $guest > "$tmp/out" 2> "$tmp/err" ||
		fail "killed number $1 at system call $2: left: $(cat "$tmp/err")"
	tail -n 1 "$tmp/out"
}

# killed WHO TIMES: at so many of the system calls of this process
killed()
{
	kill_at "$1" 0 > "$tmp/calls"
	read -r calls status _ < "$tmp/calls"
	[ "$status" = 0 ] || fail "traced: $(cat "$tmp/out" "$tmp/err")"
	times=$2
	last=$calls
	if [ "${REHEARSE_KILL:-}" ]; then
		times=$REHEARSE_KILL
		last=$REHEARSE_KILL
	fi
	[ "$last" -le "$calls" ] || last=$calls
	[ "$times" -le "$last" ] || times=$last
	i=1
	while [ $i -le "$times" ]; do
		n=$((i * last / times))
		i=$((i + 1))
		kill_at "$1" $n > "$tmp/said"
		read -r _ status ms < "$tmp/said"
		[ "$ms" -le "$most" ] || most=$ms
		# what was killed itself, or says that something was, or was done with it
		case $status in
		137 | 2 | 3) ended=$((ended + 1)) ;;
		0) ;;
		*) fail "killed number $1 at system call $n: exit status $status: $(cat "$tmp/out" "$tmp/err")" ;;
		esac
		for left in "$tmp"/own/*; do
			[ "$left" = "$tmp/own/file" ] || [ ! -e "$left" ] || fail "number $1 at $n left $left"
		done
		rm -f "$tmp"/own/*
	done
	killed=$((killed + times))
	echo "number $1: at $times of the first $last of $calls system calls"
}

most=0
ended=0
killed=0
killed 0 60
# guard, first process of the namespace, QEMU and swtpm, of the half that saves and of the one that loads
for who in $helpers; do
	killed $who 4
done
[ $ended -gt 55 ] || fail "only $ended of $killed times something was killed"
[ $killed -gt 75 ] || fail "only $killed times something was killed"
echo "$killed times, $most ms at most until all had gone"

[ $failures -eq 0 ]
