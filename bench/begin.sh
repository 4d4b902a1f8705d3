# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the benchmarks begin with; to be sourced from one in this directory: all of tests/begin.sh, and
#
#   ABIBASE, emulator   the programs themselves and not libtool's scripts around them, whose start-up would be
#                       measured too
#   dir                 a directory that goes at the end
# shellcheck disable=SC2034,SC2154
# shellcheck source=tests/begin.sh
. "$top_srcdir/tests/begin.sh"

unwrap
ABIBASE=$abibase
emulator=${abibase%/*}/abibase-emulator
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
