# SPDX-License-Identifier: LGPL-2.1-or-later
"""Four times as large a document takes about four times as long to read, however it is made.

usage: growth.py ABIBASE DIRECTORY

Documents come from other hosts. Each here has very many names in one place, and looks each of them up in
another. What counts is the time of the processor, of the whole command; a search one after the other makes it
sixteen times as long, and some seconds.
"""
import copy
import json
import os
import resource
import subprocess
import sys

SMALL = 8000
MOST = 8.0  # times; four is what is to be had
ENOUGH = 0.3  # seconds: less is no trouble, and cannot be told from the start of the command

abibase, directory = sys.argv[1:]


def made(*arguments):
    return json.loads(subprocess.run([abibase, *arguments], check=True, capture_output=True).stdout)


BASELINE = made("intersect", "--json", "-M", "pc-q35-7.2", "debian-12", "debian-13")
PLATFORM = made("show", "--json", "debian-13")


def names(n, begin="n"):
    return [f"{begin}{i:07}" for i in range(n)]


def digests(n):
    return [f"{i:064x}" for i in range(n)]


def conditions(n):
    doc = copy.deepcopy(BASELINE)
    doc["conditions"] += names(n, "z")
    doc["inputs"][0]["lacks"] += names(n, "z")
    return doc


def reasons(n):
    doc = copy.deepcopy(BASELINE)
    doc["conditions"] += names(n, "z")
    doc["inputs"][0]["unknown"].update({name: "r" + name for name in names(n, "z")})
    return doc


def numbers(n):
    doc = copy.deepcopy(BASELINE)
    doc["inputs"][0]["numbers"] = {name: 1 for name in names(n)}
    return doc


def paths(n):
    doc = copy.deepcopy(BASELINE)
    build = doc["inputs"][0]["qemu"][0]["build"]
    doc["inputs"][0]["qemu"] = [{"build": build, "path": "/" + name} for name in names(n)]
    return doc


def builds(n):
    doc = copy.deepcopy(BASELINE)
    for digest in digests(n):
        doc["builds"][digest] = {"target": "x86_64", "version": "7.2.0"}
    doc["used"] += digests(n)
    doc["scope"]["evidence"] = {"catalogue": list(doc["used"]), "record": []}
    for value in doc["outputs"][0]["values"]:
        if not isinstance(value["defaults"], str):
            value["defaults"] = "on"
    doc["outputs"][0]["values"][0]["defaults"] = {"on": list(doc["used"])}
    doc["inputs"][0]["qemu"] = [{"build": digest} for digest in digests(n)]
    return doc


def wishes(n):
    doc = copy.deepcopy(BASELINE)
    for i, key in enumerate(("enable", "disable", "dest", "assume_qemu")):
        doc["policy"][key] = names(n, "dcba"[i])[::-1]
    return doc


def evidence(n):
    doc = copy.deepcopy(PLATFORM)
    doc["evidence"].update({name: {"source": "x"} for name in names(n)})
    doc["facts"].update({"tap." + name: True for name in names(n)})
    return doc


def faults(n):
    doc = copy.deepcopy(BASELINE)
    doc["used"] = names(n)
    return doc


def seconds(path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    limit = ["sh", "-c", 'ulimit -t 60; exec "$@"', "sh"]
    subprocess.run(limit + [abibase, "validate", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write(make, n):
    path = os.path.join(directory, f"{make.__name__}-{n}.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(make(n), f, indent=2, sort_keys=True)
    return path


failed = 0
for make in (conditions, reasons, numbers, paths, builds, wishes, evidence, faults):
    small, large = write(make, SMALL), write(make, 4 * SMALL)
    # the least of three, for another process can be in the way
    t = min(seconds(large) for _ in range(3))
    if t <= ENOUGH:
        continue
    base = min(seconds(small) for _ in range(3))
    if t > MOST * base:
        print(f"{make.__name__}: {base:.2f} s for {SMALL}, {t:.2f} s for {4 * SMALL}")
        failed = 1
sys.exit(failed)
