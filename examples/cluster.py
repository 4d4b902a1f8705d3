#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Start a QEMU whose guest can move between all hosts that have a profile in a directory.

usage: cluster.py DIRECTORY QEMU [ARGUMENT]...

The exit status is that of abibase: 1 no, 3 cannot tell, each with its reasons, 2 trouble.
"""

import os
import sys

import abibase

if len(sys.argv) < 3:
    print("usage: cluster.py DIRECTORY QEMU [ARGUMENT]...", file=sys.stderr)
    sys.exit(2)
directory, qemu, *arguments = sys.argv[1:]
try:
    context = abibase.Context(log=lambda priority, id, text: print(text, file=sys.stderr))
    hosts = context.directory(directory)
    baseline = context.intersect(hosts)
    check = context.check(baseline, hosts) if baseline else None
    if not check:
        print(baseline.render().page if check is None else check.text(), file=sys.stderr)
        sys.exit(baseline.verdict if check is None else check.verdict)
    os.execvp(qemu, [qemu, *arguments, *baseline.args(with_machine=True)])
except (abibase.Error, ImportError, OSError) as trouble:
    print(f"cluster.py {directory} {qemu}: {trouble}", file=sys.stderr)
    sys.exit(2)
