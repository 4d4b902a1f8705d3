#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The folders of lib/ are floors: nothing includes or calls upwards, and there is no circle.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3 nm
exec python3 "$src/tests/layers.py" "$src" "$build"
