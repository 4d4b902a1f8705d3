#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Documents of others cost time as they are large, and no more: see tests/growth.py.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
unwrap
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

python3 "$src/tests/growth.py" "$abibase" "$tmp"
