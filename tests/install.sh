#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make install puts all of it below DESTDIR, into the directories that configure was told, and the manual
# pages name those; make uninstall takes it away.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
dest=$dir/dest

# make's own flags must not reach this make: it is no part of the jobs of the one that runs us
run_make()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES make -s -C "$build" "$@"
}

# directory VARIABLE: as the Makefile has it
directory()
{
	printf 'show-directory:\n\t@echo $(%s)\n' "$1" |
		run_make -f Makefile -f - show-directory
}

# there TEST PATH
there()
{
	test "$1" "$dest$2" || fail "there is no $2"
}

run_make install DESTDIR="$dest" > "$dir/log" 2>&1 || {
	cat "$dir/log"
	exit 1
}
[ "$(ls "$dir")" = "$(printf 'dest\nlog')" ] || fail "outside of DESTDIR: $(ls -d "$dir"/dest?*)"

bindir=$(directory bindir) sysconfdir=$(directory sysconfdir) pkgdatadir=$(directory pkgdatadir)
mandir=$(directory mandir) units=$(directory systemdsystemunitdir)

for program in abibase abibase-emulator abibase-make-platform; do
	there -x "$bindir/$program"
done
for data in catalogue.json codenames.json devices.json errata.json facts.json messages.json rehearse.json specimens.json platforms/50-debian-12.json \
	schema/profile.schema.json; do
	there -f "$pkgdatadir/$data"
done
grep -q "$sysconfdir/abibase/emulator.conf" "$dest$bindir/abibase-emulator" ||
	fail "abibase-emulator does not read $sysconfdir/abibase/emulator.conf"
there -f "$(directory bashcompletiondir)/abibase"
there -f "$(directory zshcompletiondir)/_abibase"
there -f "$(directory fishcompletiondir)/abibase.fish"
there -d "$sysconfdir/abibase/baselines"
there -d "$sysconfdir/abibase/platforms"
there -x "$(directory pkglibexecdir)/wrapper-users"
[ -z "$(find "$dest$sysconfdir/abibase" -perm /022)" ] || fail "others can write $sysconfdir/abibase"

case $units in
no) ;;
/*)
	there -f "$units/abibase-profile.service"
	grep -qx "ExecStart=$bindir/abibase probe .*" "$dest$units/abibase-profile.service" ||
		fail "the unit does not start $bindir/abibase"
	;;
*) fail "units go to '$units'" ;;
esac

# The library comes with all that a program needs of it, or none of it.
pages='abibase.1 abibase-baseline.5 abibase-build.5 abibase-cluster.7 abibase-emulator.1 abibase-guest.5
	abibase-make-platform.1 abibase-profile.5 abibase-rehearsal-result.5'
if [ -e "$build/lib/libabibase.la" ]; then
	pages="$pages libabibase.3"
	there -f "$(directory libdir)/libabibase.so.0"
	there -f "$(directory pkgconfigdir)/libabibase.pc"
	there -f "$(directory pkgincludedir)/abibase.h"
	python=$(directory pythondir)
	[ "$python" = no ] || there -f "$python/abibase/_cdef.py"
else
	[ -z "$(find "$dest" -name '*libabibase*' -o -name '*.h' -o -name '*.py')" ] || fail "a part of the library is there"
fi

for page in $pages; do
	there -f "$mandir/man${page##*.}/$page"
	# a directory that this build does not use
	for other in /etc/abibase /usr/share/abibase /usr/bin/abibase; do
		case $other in
		"$sysconfdir/abibase" | "$pkgdatadir" | "$bindir/abibase") continue ;;
		esac
		grep -q "\(^\|[^a-z]\)$other" "$dest$mandir/man${page##*.}/$page" && fail "$page names $other"
	done
done
grep -q "^\.It Pa $sysconfdir/abibase/emulator.conf$" "$dest$mandir/man1/abibase-emulator.1" ||
	fail "abibase-emulator(1) does not name $sysconfdir/abibase/emulator.conf"

run_make uninstall DESTDIR="$dest" > "$dir/log" 2>&1 || fail "make uninstall: $(cat "$dir/log")"
left=$(find "$dest" ! -type d -o -path "*$sysconfdir/abibase")
[ -z "$left" ] || fail "left by make uninstall: $left"

[ "$failures" = 0 ] || exit 1
echo "installed below DESTDIR, and uninstalled"
