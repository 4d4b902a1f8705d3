# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# To be sourced behind tests/begin.sh by a test of abibase rehearse:
#
#   begin_rehearsal "$@"      skips where it cannot be; abibase unwrapped, a directory tmp that goes at the
#                             end, and in it a QEMU for each version, which it is called by; root, if it
#                             runs as root, is in a mount namespace then
#   qemu_script SUITE FILE    that QEMU of $qemus, which runs by its own loader, as a script
#   $rehearsal_platforms      SUITE:PLATFORM of each QEMU of Debian that data/platforms has
# shellcheck disable=SC2034,SC2154

rehearsal_platforms='bullseye:debian-11 bookworm:debian-12 bookworm-backports:debian-12-backports-2026.11 trixie:debian-13 trixie-backports:debian-13-backports-2026.11'

end_rehearsal()
{
	# what lies there is not this test's
	if [ "$root" ]; then
		umount -l "$tmp/qemus" || return
	fi
	rm -rf "$tmp"
}

# The throw-away of root is nobody, who may not look into every home.
begin_rehearsal()
{
	unshare -Urn true 2> /dev/null || skip "needs user namespaces"
	[ -w /dev/net/tun ] || skip "needs /dev/net/tun"
	need_qemus bullseye bookworm trixie trixie-backports
	root=
	if [ "$(id -u)" = 0 ]; then
		[ "${1:-}" = inside ] || exec unshare -m "$0" inside
		root=1
	fi
	unwrap
	tmp=$(mktemp -d) || exit 99
	trap end_rehearsal EXIT
	trap 'exit 130' INT TERM
	chmod 755 "$tmp"
	if [ "$root" ]; then
		mkdir "$tmp/qemus" && mount --bind "$qemus" "$tmp/qemus" || exit 99
		qemus=$tmp/qemus
	fi
	for suite in bullseye:5.2.0 bookworm:7.2.22 trixie:10.0.13 trixie-backports:11.1.3; do
		qemu_script "${suite%:*}" "$tmp/${suite#*:}"
	done
	export XDG_CACHE_HOME="$tmp/cache"
}

qemu_script()
{
	dir=$qemus/$1
	lib=$dir/usr/lib/x86_64-linux-gnu
	cat > "$2" << END
#!/bin/sh
unset LD_LIBRARY_PATH
export QEMU_MODULE_DIR=$lib/qemu
exec $lib/ld-linux-x86-64.so.2 --library-path $lib $dir/usr/bin/qemu-system-x86_64 \
	-L $dir/usr/share/seabios -L $dir/usr/share/qemu -L $dir/usr/lib/ipxe/qemu "\$@"
END
	chmod +x "$2"
}
