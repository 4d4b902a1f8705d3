#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: rehearsals.py ABIBASE [PRINT]

What abibase says without starting a QEMU of each cell of tests/data/rehearsal/matrix, in which real
QEMUs saved and loaded one device alone: a guest with that device, under that machine type, that runs
on one of Debian's platforms and is to go to another. Of the cells that fail at least 95 in 100 are to
be "no", by a result of data/rehearsals, the catalogue or a record; the others "cannot tell". None that
fails is a "yes", and none that loads is a "no". PRINT: each cell, with the evidence that decided."""

import collections
import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
MATRIX = os.path.join(TOP, "tests", "data", "rehearsal", "matrix")
SPECIMENS = os.path.join(TOP, "data", "specimens.json")
PLATFORMS = {"5.2.0": "debian-11", "7.2.22": "debian-12", "10.0.13": "debian-13",
             "11.1.3": "debian-13-backports-2026.11"}


def cells():
    """{(machine, from, to): {kind: outcome}}; one that is blocked or does not start goes nowhere."""
    ret = collections.defaultdict(dict)
    with open(MATRIX, encoding="utf-8") as f:
        for line in f:
            kind, machine, source, destination, outcome = line.split()[:5]
            if source == destination:
                destination = next(v for v in PLATFORMS if v != source and hosts_have(v, machine))
            ret[machine, source, destination][kind] = outcome
    return ret


def hosts_have(version, machine):
    with open(os.path.join(TOP, "data", "platforms", "50-%s.json" % PLATFORMS[version]),
              encoding="utf-8") as f:
        return machine in json.load(f)["qemu"][0]["machines"]


def guest(machine, kind, classes):
    return {"schema": "abibase-guest/1", "machine": machine, "name": kind,
            "devices": [{"class": c} for c in classes]}


def ask(abibase, machine, source, destination, guests):
    """{kind: (verdict, [ids of what decided])}"""
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as f:
        for g in guests:
            f.write(json.dumps(g) + "\n")
        f.flush()
        done = subprocess.run([abibase, "targets", "--json", "--from=" + PLATFORMS[source], f.name,
                               PLATFORMS[destination]], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit("%s: %s" % (machine, done.stderr))
    ret = {}
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        answer = answer.get("answer", answer)
        host = answer["hosts"][0]
        kinds = {"conflict": "no", "unknown": "unknown"}
        ids = [f["id"] for f in host["findings"] if kinds.get(f["kind"]) == host["verdict"]]
        ret[answer["guest"]["name"]] = host["verdict"], ids
    return ret


def main():
    with open(SPECIMENS, encoding="utf-8") as f:
        specimens = json.load(f)["specimens"]
    count, faults = collections.Counter(), []
    for (machine, source, destination), kinds in cells().items():
        # a root port alone is the one with a disk behind it, and a machine with nothing has no device
        tried = {k: specimens[k]["classes"] for k in kinds if k != "nothing"}
        tried["port"] = specimens["port-empty"]["classes"] + specimens["blk"]["classes"][:1]
        said = ask(sys.argv[1], machine, source, destination,
                   [guest(machine, k, c[:1] if k != "port" else c[:2]) for k, c in tried.items()])
        for kind in tried:
            verdict, ids = said[kind]
            fails = kinds[kind] != "loads"
            count["fails" if fails else "loads", verdict] += 1
            for i in ids[:1]:
                count["by", i] += fails
            if sys.argv[2:]:
                print(kind, machine, source, destination, kinds[kind], verdict, ",".join(ids))
            if verdict == ("yes" if fails else "no"):
                faults.append("%s %s %s %s: %s, and the answer is %s" % (
                    kind, machine, source, destination, kinds[kind], verdict))
    total = sum(n for (what, _), n in count.items() if what == "fails")
    print("%d cells fail: %d no, %d cannot tell; %d load" % (
        total, count["fails", "no"], count["fails", "unknown"],
        sum(n for (what, _), n in count.items() if what == "loads")))
    print("decided by " + ", ".join("%s %d" % (i, n) for (what, i), n in sorted(count.items())
                                    if what == "by" and n))
    if total < 50 or count["fails", "no"] < 0.95 * total:
        faults.append("fewer than 95 in 100 of the cells that fail are no")
    print("".join(f + "\n" for f in faults), end="")
    return 1 if faults else 0


sys.exit(main())
