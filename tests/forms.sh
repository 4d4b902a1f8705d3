#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The JSON Schemas and the manual pages say of each document what the library's own tables say of it,
# see forms.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
PYTHONDONTWRITEBYTECODE=1 && export PYTHONDONTWRITEBYTECODE
: "${top_builddir:=$PWD}"
"$top_builddir/tests/forms" | python3 "$here/forms.py"
