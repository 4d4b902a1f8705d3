#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# An installed copy is complete: a program outside the tree finds it with pkg-config, and with its
# data that program and the installed command give the same answer. A program in Python says the same.
set -eu

if [ ! -e "$top_builddir/lib/libabibase.la" ]; then
	echo "this build has no shared library"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
dest=$dir/dest

# make's own flags must not reach this make: it is no part of the jobs of the one that runs us
env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES \
	make -s -C "$top_builddir" install DESTDIR="$dest" > "$dir/log" 2>&1 || {
	cat "$dir/log"
	exit 1
}

pc=$(find "$dest" -name libabibase.pc)
export PKG_CONFIG_PATH="${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export PKG_CONFIG_SYSROOT_DIR="$dest"
export LD_LIBRARY_PATH="$dest$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --variable=libdir libabibase)"
platforms=$dest$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --variable=platformsdir libabibase)
export ABIBASE_DATADIR="${platforms%/platforms}"
command=$(find "$dest" -path '*/bin/abibase')

$CC ${SANITIZE_CFLAGS:-} -Wall -Wextra -Werror -o "$dir/intersect" \
	"$top_srcdir/examples/intersect.c" $(pkg-config --cflags --libs libabibase)

# Not under the sanitizers, which have to be loaded before a program that was not built with them
python=${PYTHON:-/usr/bin/python3} package=$(find "$dest" -name _cdef.py)
if [ -n "${SANITIZE_CFLAGS:-}" ] || [ -z "$package" ]; then
	python=
elif ! "$python" -c 'import cffi'; then
	[ "${ABIBASE_TEST_REQUIRE:-}" != 1 ] || exit 1
	python=
fi
export PYTHONPATH="${package%/abibase/_cdef.py}" PYTHONDONTWRITEBYTECODE=1

# alike OPERAND...: the two examples say the same
alike()
{
	want=0 got=0
	"$dir/intersect" "$@" > "$dir/got" 2> "$dir/got.err" || got=$?
	[ -n "$python" ] || return 0
	"$python" "$top_srcdir/examples/intersect.py" "$@" > "$dir/want" 2> "$dir/want.err" || want=$?
	[ "$want" = "$got" ] && diff -u "$dir/got" "$dir/want" && diff -u "$dir/got.err" "$dir/want.err" || {
		echo "intersect $*: in Python $want, in C $got"
		exit 1
	}
}

# same OPERAND...: the examples and the command agree in list and exit status
same()
{
	alike "$@"
	want=0
	"$command" intersect "$@" > "$dir/want" 2> "$dir/want.err" || want=$?
	echo "intersect $*: command $want, example $got"
	if [ "$want" != "$got" ] || ! diff -u "$dir/want" "$dir/got"; then
		cat "$dir/want.err" "$dir/got.err"
		exit 1
	fi
}

same -M pc-q35-7.2 debian-12 debian-13
grep -q '^-global virtio-net-device.queue_reset=off$' "$dir/got"
same -M pc-q35-7.2 "$platforms/50-debian-12.json"
same -M pc-q35-10.2 debian-11 debian-12
# without a baseline the example says why, too
grep -q '\[host-without-machine\]$' "$dir/got.err"
grep -q '^  remedy ' "$dir/got.err"
same -M q35 debian-12
alike -M help debian-12 debian-13
alike -M help debian-12 rhel-9
same no-such-platform
alike

# The one in Go asks the command
if command -v go > "$dir/log"; then
	export GOCACHE="$dir/go" GO111MODULE=off
	go vet "$top_srcdir/examples/go/offers.go"
	go build -o "$dir/offers" "$top_srcdir/examples/go/offers.go"
	PATH="${command%/*}:$PATH" "$dir/offers" -M pc-q35-7.2 debian-12 n2=debian-12 debian-13 > "$dir/got" 2> "$dir/got.err"
	grep -qx 'b1-[0-9a-f]\{32\}' "$dir/got"
	grep -qx 'VIRTIO_F_RING_RESET: vhost-net does not have .*, on debian-12, n2' "$dir/got"
	status=0
	PATH="${command%/*}:$PATH" "$dir/offers" -M q35 debian-12 2> "$dir/got.err" || status=$?
	[ "$status" = 2 ]
else
	echo "the example in Go is not tried without golang-go"
	[ "${ABIBASE_TEST_REQUIRE:-}" != 1 ]
fi
