#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Start a QEMU whose guest can move between all hosts that have a profile in a directory.

usage: cluster.py DIRECTORY QEMU [ARGUMENT]...
"""

import os
import sys

import abibase

directory, *command = sys.argv[1:]
context = abibase.Context(log=lambda priority, id, text: print(text, file=sys.stderr))
hosts = context.directory(directory)
baseline = context.intersect(hosts)
check = context.check(baseline, hosts) if baseline else None
if not check:
    sys.exit(check.text() if check else baseline.render().page)
os.execvp(command[0], [*command, *baseline.args(with_machine=True)])
