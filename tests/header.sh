#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The public header compiles by itself as strict C11 and as C++.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo '#include <abibase/abibase.h>' > "$dir/header.c"
cp "$dir/header.c" "$dir/header.cc"
flags="-I$top_srcdir/include -Wall -Wextra -Werror -pedantic -fsyntax-only"

$CC -std=c11 $flags "$dir/header.c"

echo '#include <cstdlib>' > "$dir/try.cc"
if ! $CC -x c++ -fsyntax-only "$dir/try.cc" 2> "$dir/log"; then
	echo "$CC has no C++"
	if [ "${ABIBASE_TEST_REQUIRE:-}" = 1 ]; then
		cat "$dir/log"
		exit 1
	fi
	exit 77
fi
$CC -x c++ -std=c++11 $flags "$dir/header.cc"
