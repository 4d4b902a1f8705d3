#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The ROM of a network card has another size on two hosts: see tests/oracle/rom.py. Needs neither rights
# nor devices nor network; tests/fetch-qemus fetches the QEMUs, and with them the ROM files.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

need python3
need_qemus bullseye bookworm trixie trixie-backports
unwrap

timeout 600 python3 "$src/tests/oracle/rom.py" --qemus "$qemus" --abibase "$abibase"
