#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The public header, the version script and the shared library name the same symbols.
set -eu

if [ ! -e "$top_builddir/lib/libabibase.la" ]; then
	echo "this build has no shared library"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A function of the header is a declaration outside of comments; callback types are no symbols.
sed -e ':a' -e 's,/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/,,g' -e '/\/\*/{N;ba' -e '}' \
	"$top_srcdir/include/abibase/abibase.h" |
	grep -v '^typedef' | grep -o '\<abibase_[a-z0-9_]*(' | tr -d '(' | sort > "$dir/header"
sed -n 's/^[[:space:]]*\(abibase_[a-z0-9_]*\);$/\1/p' "$top_srcdir/lib/libabibase.sym" |
	sort > "$dir/sym"
nm -D --defined-only "$top_builddir/lib/.libs/libabibase.so" |
	awk '$2 ~ /[TDBR]/ { sub(/@.*/, "", $3); print $3 }' | sort > "$dir/library"

test -s "$dir/header"
echo "header (-) and version script (+):"
diff -u "$dir/header" "$dir/sym"
echo "version script (-) and library (+):"
diff -u "$dir/sym" "$dir/library"

# A function is exported because the command or an example calls it, or for one of these reasons.
cat > "$dir/reasons" << 'END'
abibase_baseline_ref a program shares one baseline between threads
abibase_catalogue_ref a program shares one catalogue between threads
abibase_catalogue_to_text 0.1 had it, and abibase_catalogue_list() the same text
abibase_command_has_rom a program starts guests itself, without abibase exec
abibase_context_ref a program keeps its context in objects of its own
abibase_context_set_data_dir a program may be installed elsewhere
abibase_context_set_platform_path the same
abibase_predict a program asks about one device, without a baseline
abibase_probe_cancel a program with a window or a service is asked to stop
abibase_probe_set_progress the same
abibase_probe_set_timeout the same
abibase_result_ref a program shares one result between threads
abibase_value_kind a program walks documents of which it does not know the members
END
cat "$top_srcdir"/cli/*.[ch] "$top_srcdir"/examples/*.c |
	grep -o '\<abibase_[a-z0-9_]*\>' > "$dir/called"
# the command releases objects by a macro, name##_unrefp
sed -n 's/^DEFINE_UNREF(\(.*\))$/abibase_\1_unref/p' "$top_srcdir/cli/cli.h" >> "$dir/called"
sort -u "$dir/called" > "$dir/calls"
comm -23 "$dir/header" "$dir/calls" > "$dir/idle"
echo "functions that nothing calls (-) and those with a reason (+):"
cut -d ' ' -f 1 "$dir/reasons" | sort | diff -u "$dir/idle" -
n=$(wc -l < "$dir/header")
echo "$n functions; at most 156"
test "$n" -le 156
