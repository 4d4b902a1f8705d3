#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The JSON Schemas and the manual pages say of each document what the library's own tables say of it,
# see forms.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
PYTHONDONTWRITEBYTECODE=1 && export PYTHONDONTWRITEBYTECODE
: "${top_builddir:=$PWD}"
if ! python3 -c 'import jsonschema' 2> /dev/null; then
	echo "python3-jsonschema is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
fi
python3 "$here/forms.py" "$top_builddir/tests/forms"
