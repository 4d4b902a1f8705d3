#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# python3 -m abibase.report makes a page of what abibase matrix --json says: well formed, alone, whole, of any
# number of cohorts, and harmless whatever hosts are called. Takes the standard library of Python.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
export PYTHONPATH="$src/python" ABIBASE="$abibase"
exec python3 "$src/tests/report.py"
