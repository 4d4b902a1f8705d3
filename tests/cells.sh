#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Each cell of abibase matrix is what targets, check and intersect say, on random fleets; see
# fleets/cells.py. FLEETS: how many, 60 without it.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
unwrap
exec timeout 3000 python3 "$src/tests/fleets/cells.py" --abibase "$abibase" --fleets "${FLEETS:-60}"
