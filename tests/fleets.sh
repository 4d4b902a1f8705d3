#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Random fleets of hosts against a model of its own of what QEMU offers; see fleets/fleets.py.
#
# FLEETS: how many, 300 without it, and half as many facts are erased. tests/run has 1000. From 2000 on each class
# of disagreement that is expected must be found.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
unwrap
fleets=${FLEETS:-300}
whole=
[ "$fleets" -lt 2000 ] || whole="--all --jobs 2"
# shellcheck disable=SC2086
exec timeout 3000 python3 "$src/tests/fleets/fleets.py" --abibase "$abibase" --fleets "$fleets" \
	--erasures $((fleets / 2)) $whole
