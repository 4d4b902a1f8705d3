#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Print the -global list with which guests can move between all the hosts that are named.

usage: intersect.py [-M MACHINE|help] PROFILE...

PROFILE is a file, or the name of a platform such as debian-12. The exit status is the verdict.
"""

from __future__ import annotations

import sys

import abibase

TROUBLE = 2  # no verdict: a file, memory, usage


def intersect(machine: str | None, operands: list[str]) -> int:
    context = abibase.Context()
    wanted = abibase.Intersection(context, machine=None if machine == "help" else machine)
    for operand in operands:
        host = context.load(operand)
        if host is not None:  # else a build record, which the context keeps
            wanted.add(host)
    if machine == "help":
        machines = wanted.machines()
        sys.stdout.write(machines.text()) if machines else sys.stderr.write(machines.text())
        return machines.verdict
    verdict, text, page = wanted.finish().render()
    sys.stdout.write(text or "")
    sys.stderr.write(page or "")
    return verdict


def main(argv: list[str]) -> int:
    machine = None
    if len(argv) > 1 and argv[0] == "-M":
        machine, argv = argv[1], argv[2:]
    if not argv:
        print("usage: intersect [-M MACHINE|help] PROFILE...", file=sys.stderr)
        return TROUBLE
    try:
        return intersect(machine, argv)
    except (abibase.Error, ImportError, OSError) as error:
        print(f"intersect: {error}", file=sys.stderr)
        return TROUBLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
