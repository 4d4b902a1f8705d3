# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# To be sourced behind tests/begin.sh by a test of abibase rehearse:
#
#   begin_rehearsal "$@"   a directory tmp that goes at the end, and in it a QEMU for each version, which
#                          it is called by; root, if it runs as root, is in a mount namespace then
# shellcheck disable=SC2154

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
	root=
	if [ "$(id -u)" = 0 ]; then
		[ "${1:-}" = inside ] || exec unshare -m "$0" inside
		root=1
	fi
	tmp=$(mktemp -d) || exit 99
	trap end_rehearsal EXIT
	trap 'exit 130' INT TERM
	chmod 755 "$tmp"
	if [ "$root" ]; then
		mkdir "$tmp/qemus" && mount --bind "$qemus" "$tmp/qemus" || exit 99
		qemus=$tmp/qemus
	fi
	make_qemus
	export XDG_CACHE_HOME="$tmp/cache"
}

# Each runs by its own loader.
make_qemus()
{
	for suite in bullseye:5.2.0 bookworm:7.2.22 trixie:10.0.13 trixie-backports:11.1.3; do
		dir=$qemus/${suite%:*}
		lib=$dir/usr/lib/x86_64-linux-gnu
		cat > "$tmp/${suite#*:}" << END
#!/bin/sh
unset LD_LIBRARY_PATH
export QEMU_MODULE_DIR=$lib/qemu
exec $lib/ld-linux-x86-64.so.2 --library-path $lib $dir/usr/bin/qemu-system-x86_64 \
	-L $dir/usr/share/seabios -L $dir/usr/share/qemu -L $dir/usr/lib/ipxe/qemu "\$@"
END
		chmod +x "$tmp/${suite#*:}"
	done
}
