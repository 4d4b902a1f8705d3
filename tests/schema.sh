#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hold every shipped and recorded document against its JSON Schema; see schema.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if ! python3 -c 'import jsonschema' 2> /dev/null; then
	echo "python3-jsonschema is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/schema.py" "$@"
