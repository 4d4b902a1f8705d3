#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Properties, feature groups, requirements, sizes and virtio bits are the catalogue's: lib/ has them
# by no name and no number but those that lib/base/known.h lists, each with its reason.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
exec python3 "$src/tests/knowledge.py" "$src"
