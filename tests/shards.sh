#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Baselines that are made of parts, on random fleets in random parts: see shards.py. FLEETS: how many, 24
# without it, which takes some seconds.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
unwrap
exec timeout 3000 python3 "$src/tests/shards.py" --abibase "$abibase" --fleets "${FLEETS:-24}"
