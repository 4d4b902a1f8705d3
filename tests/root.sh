# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Fresh roots of Debian suites, for tests/roots, tests/packages and tests/cross to source. Needs root,
# mmdebstrap and a Debian mirror. Roots are made in $TMPDIR, in mount and process namespaces that end with
# them; the machine's own /dev is not in them. Base systems and packages are kept in
# ${ABIBASE_ROOTS:-${XDG_CACHE_HOME:-~/.cache}/abibase/roots}; apt in the root renews them.
#
#   src, skip, need      and the rest of begin.sh
#   work, cache, debs    absolute; work goes away at the end, and has the root in fresh, and the packages in debs
#   say WORDS
#   bootstrap SUITE TO   mmdebstrap, with further OPTIONS
#   fresh_root           of $suite, in $work/fresh, instead of the one before
#   copy_checkout        to /abibase there
#   try NAME COMMAND     in the root, its output in $work/NAME
#   commands             of a page, each on one line
#   command_of PATTERN   that of README.md, or of another FILE
#   build_packages, install_packages
#   packages_root        a fresh root with the checkout, and those packages in /
#   need_roots           or skip
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"
set -o pipefail

me=$(basename "$0")
cache=${ABIBASE_ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/abibase/roots}
work=$(mktemp -d "${TMPDIR:-/tmp}/abibase-$me.XXXXXX") || exit 1
trap 'rm -rf --one-file-system "$work" "$cache"/*.tar.$$' EXIT
trap 'exit 130' INT TERM
debs=$work/debs
start=$SECONDS

say()
{
	echo "$me: $* ($((SECONDS - start)) s)"
}

# The same mirror as for the QEMUs, and what apt is told about proxies
mirror()
{
	"$src/tests/fetch-qemus" --mirror
}
proxies()
{
	apt-config dump | grep -E '^Acquire::https?::Proxy ' || true
}

# bootstrap SUITE TO OPTION...
bootstrap()
{
	local suite=$1 to=$2 uri
	local -a options=("${@:3}")

	uri=$(mirror) || return
	while read -r line; do
		options+=("--aptopt=$line")
	done < <(proxies)
	unshare --mount --propagation private mmdebstrap --quiet --mode=root "${options[@]}" \
		"$suite" "$to" "deb $uri $suite main"
}

# make_root SUITE: $work/fresh
make_root()
{
	local suite=$1 base=$cache/$1.tar

	rm -rf --one-file-system "$work/fresh"
	mkdir -p "$cache/$suite" "$work/fresh"
	if [ ! -e "$base" ]; then
		# old suites are read after their Release file has expired
		bootstrap "$suite" "$base.$$" --variant=minbase --format=tar \
			--aptopt='Acquire::Check-Valid-Until "false"' || {
			rm -f "$base.$$"
			return 1
		}
		mv "$base.$$" "$base"
	fi
	tar -x -C "$work/fresh" --numeric-owner --exclude='./dev/*' -f "$base" || return
	proxies > "$work/fresh/etc/apt/apt.conf.d/95proxy"
	cat > "$work/fresh/etc/apt/apt.conf.d/96root" <<-END
		Acquire::Check-Valid-Until "false";
		APT::Install-Recommends "false";
	END
	cp -L /etc/resolv.conf /etc/hosts "$work/fresh/etc/" || return
	find "$cache/$suite" -name '*.deb' -exec cp -t "$work/fresh/var/cache/apt/archives" {} +
}

# A checkout, as it is: what git does not ignore
copy_checkout()
{
	mkdir "$work/fresh/abibase" && cd "$src" || return
	if [ -e .git ]; then
		git -c safe.directory="$src" ls-files -z --cached --others --exclude-standard |
			while read -r -d '' file; do
				if [ -e "$file" ]; then printf '%s\0' "$file"; fi
			done | tar -c --null -T - | tar -x --no-same-owner -C "$work/fresh/abibase"
	else
		cp -a . "$work/fresh/abibase"
	fi
}

# in_root COMMAND: in /abibase of the root. All that is mounted or started ends with it.
in_root()
{
	# shellcheck disable=SC2016
	unshare --mount --pid --ipc --uts --fork --kill-child --propagation private sh -euc '
		root=$1 command=$2 flags=$3
		# a mount: what runs there may want namespaces of its own
		mount --bind "$root" "$root"
		mount -t tmpfs -o mode=755 tmpfs "$root/dev"
		for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
			set -- $node
			mknod -m 666 "$root/dev/$1" c "$2" "$3"
		done
		mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/net"
		mknod -m 600 "$root/dev/net/tun" c 10 200
		ln -s /proc/self/fd "$root/dev/fd"
		mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
		ln -s pts/ptmx "$root/dev/ptmx"
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		exec chroot "$root" env -i HOME=/root TERM=dumb LC_ALL=C DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			MAKEFLAGS="$flags" /bin/bash -c "cd /abibase && $command"
	' sh "$work/fresh" "$1" "${makeflags:-}"
}

# commands: of the page that is the input, each on one line
commands()
{
	sed -n 's/^    //p' | sed -e ':more' -e '/\\$/{N; s/ *\\\n */ /; b more' -e '}'
}

# command_of PATTERN [FILE]: the only command of README.md, or of FILE, that has it
command_of()
{
	local lines file=${2:-$src/README.md}

	lines=$(commands < "$file" | grep -e "$1")
	[ "$(grep -c . <<< "$lines")" = 1 ] || {
		echo "${file##*/} does not have one command with '$1': $lines" >&2
		return 1
	}
	echo "$lines"
}

# try NAME COMMAND: in the root, its output in $work/NAME
try()
{
	local status=0

	in_root "$2" > "$work/$1" 2> "$work/$1.err" < /dev/null || status=$?
	say "$suite: $1: exit status $status"
	[ $status = 0 ] && return
	tail -n 40 "$work/$1" "$work/$1.err"
	find "$work/fresh/abibase/tests" -name '*.trs' -exec grep -l ':test-result: FAIL' {} + |
		sed 's/trs$/log/' | xargs -r tail -n 20
	return 1
}

keep_packages()
{
	cp -n "$work/fresh/var/cache/apt/archives"/*.deb "$cache/$suite/" 2> /dev/null
}

# fresh_root: of $suite; a suite that cannot be had is a skip
fresh_root()
{
	if ! make_root "$suite" > "$work/log" 2>&1; then
		cat "$work/log"
		skip "no root of $suite"
	fi
}

# build_packages OPTIONS: of the checkout, by README.md's line, with these DEB_BUILD_OPTIONS, to $debs
build_packages()
{
	local line

	line=$(command_of dpkg-buildpackage) || return
	rm -rf "$work/fresh/abibase" "$debs"
	copy_checkout || return
	try README-package "export DEB_BUILD_OPTIONS='parallel=$(nproc) $1'; $line" || return
	keep_packages
	mkdir "$debs" && mv "$work/fresh"/*.{deb,buildinfo,changes} "$debs/"
}

packages_root()
{
	fresh_root && copy_checkout && cp "$debs"/*.deb "$work/fresh/"
}

# install_packages: into a fresh root, by README.md's line, and look at each
install_packages()
{
	local line

	line=$(command_of abibase-data_) || return
	packages_root || return
	try packaged "apt-get update -qq > /dev/null && tests/packaged '$line'" || return
	keep_packages
	cat "$work/packaged"
}

need_roots()
{
	[ "$(id -u)" = 0 ] || skip "needs root"
	need mmdebstrap unshare apt-config tar
	unshare --mount --pid --fork true || skip "no mount and process namespace can be made here"
}
