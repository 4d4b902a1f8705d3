#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The cases of incidents, and rehearsals of them, say what is expected; see incidents.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if ! command -v python3 > /dev/null; then
	echo "python3 is not installed"
	[ "${ABIBASE_TEST_REQUIRE:-}" = 1 ] && exit 1
	exit 77
fi
: "${ABIBASE:=${top_builddir:-.}/abibase}" "${ABIBASE_DATADIR:=$here/../data}"
export ABIBASE ABIBASE_DATADIR
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/incidents.py"
