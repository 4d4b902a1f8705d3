#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The JSON Schemas and the manual pages say of each document what the library's own tables say of it,
# see forms.py.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
python3 -c 'import jsonschema' 2> /dev/null || skip "needs python3-jsonschema"
exec python3 "$src/tests/forms.py" "$build/tests/forms"
