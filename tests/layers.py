#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: layers.py SOURCE BUILD

The folders of lib/ are floors. A file includes headers of its own folder and of the folders that
STANDS_ON names for it, calls nothing else, and no two files call one another in a circle. Includes are
read from the source; calls, from the symbols of the objects."""

import pathlib
import re
import subprocess
import sys

STANDS_ON = {
    "base": (),
    "document": ("base",),
    "host": ("base",),
    "model": ("document", "base"),
    "qemu": ("model", "host", "document", "base"),
    "answer": ("model", "document", "base"),
    "probe": ("qemu", "host", "model", "document", "base"),
    "live": ("answer", "probe", "qemu", "model", "host", "document", "base"),
}
CLI_MAY = ("base/conf.h", "base/util.h", "base/harmless.h", "base/index.h", "base/limits.h", "base/suggest.h",
           "base/text.h", "base/trust.h")  # beside <abibase/abibase.h>
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def includes(source):
    """Faults of the #include lines, and how many lines there are."""
    faults, seen = [], 0
    for path in sorted((source / "lib").rglob("*.[ch]")):
        folder = path.parent.name
        if path.parent.parent != source / "lib" or folder not in STANDS_ON:
            faults.append(f"{path.relative_to(source)}: STANDS_ON of tests/layers.py has no such folder")
            continue
        for header in INCLUDE.findall(path.read_text()):
            seen += 1
            floor = header.rpartition("/")[0]
            if floor not in (folder, *STANDS_ON[folder]) or not (source / "lib" / header).exists():
                faults.append(f'lib/{folder}/{path.name} includes "{header}"; it may include headers of '
                              f'{", ".join((folder, *STANDS_ON[folder]))}')
    for path in sorted((source / "cli").glob("*.[ch]")):
        for header in INCLUDE.findall(path.read_text()):
            if "/" in header and header not in CLI_MAY:
                faults.append(f'cli/{path.name} includes "{header}"; it may include <abibase/abibase.h>, '
                              f'{", ".join(CLI_MAY)}')
    return faults, seen


def symbols(build):
    """For each file its calls: file -> {called file: a symbol}."""
    defined, used = {}, {}
    for folder in STANDS_ON:
        for obj in sorted((build / "lib" / folder).rglob("*_la-*.o")):
            name = f"{folder}/{obj.stem.partition('_la-')[2]}.c"
            used[name] = set()
            for line in subprocess.run(["nm", obj], check=True, capture_output=True,
                                       text=True).stdout.splitlines():
                kind, symbol = line.split()[-2:]
                if kind == "U":
                    used[name].add(symbol)
                elif kind in "TDBR":
                    defined[symbol] = name
    calls = {}
    for name, wanted in used.items():
        calls[name] = {defined[s]: s for s in sorted(wanted) if defined.get(s, name) != name}
    return calls


def circles(calls):
    """Groups of files that call one another, each as a list."""
    reach = {}

    def walk(name):
        seen, todo = set(), list(calls[name])
        while todo:
            n = todo.pop()
            if n not in seen:
                seen.add(n)
                todo.extend(calls[n])
        return seen

    for name in calls:
        reach[name] = walk(name)
    found = {frozenset(n for n in calls if n in reach[name] and name in reach[n])
             for name in calls if name in reach[name]}
    return [sorted(c) for c in found]


def main():
    source, build = map(pathlib.Path, sys.argv[1:3])
    faults, seen = includes(source)
    if seen < 100:
        faults.append(f"only {seen} #include lines were found")
    calls = symbols(build)
    if len(calls) < 50:
        faults.append(f"only {len(calls)} objects were found in {build}/lib")
    for name, called in calls.items():
        folder = name.partition("/")[0]
        for other, symbol in called.items():
            if other.partition("/")[0] not in (folder, *STANDS_ON[folder]):
                faults.append(f"lib/{name} calls {symbol} of lib/{other}")
    faults += [f"these files call one another: {', '.join(c)}" for c in circles(calls)]
    for fault in faults:
        print(f"FAIL: {fault}")
    return 1 if faults else 0


sys.exit(main())
