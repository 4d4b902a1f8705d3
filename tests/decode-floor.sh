#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever names a device is decoded, whatever the device; see decode-floor.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
: "${ABIBASE:=$PWD/abibase}"
: "${ABIBASE_DATADIR:=${top_srcdir:-$here/..}/data}"
export ABIBASE_DATADIR
if ! command -v python3 > /dev/null; then
	echo "python3 is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/decode-floor.py" "$ABIBASE"
