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
