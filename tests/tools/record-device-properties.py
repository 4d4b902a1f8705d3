#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Record which classes of QEMUs have the properties that data/devices.json names.

usage: record-device-properties.py BINARY... > tests/data/device-properties.json

BINARY is a command, such as "chroot DIR /usr/bin/qemu-system-x86_64".
"""
import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import canonical  # noqa: E402

DEVICES = os.path.join(HERE, "..", "..", "data", "devices.json")


def wanted():
    """Classes, and the properties of each."""
    with open(DEVICES, encoding="utf-8") as f:
        document = json.load(f)
    classes = {}
    for device in document["devices"].values():
        names = {f["property"] for f in device["features"] + document["transport"]["features"]
                 if "property" in f}
        for name in [device["class"]] + list(device["sections"].values()):
            classes.setdefault(name, set()).update(names)
    return classes


def ask(binary, commands):
    text = "".join(json.dumps(c) + "\n" for c in commands)
    run = subprocess.run(shlex.split(binary) + ["-machine", "none", "-nodefaults", "-display", "none",
                                                "-qmp", "stdio"],
                         input=text, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def main():
    classes, qemus = wanted(), {}
    commands = [{"execute": "qmp_capabilities"}]
    commands += [{"execute": "device-list-properties", "arguments": {"typename": name}, "id": name}
                 for name in sorted(classes)]
    for binary in sys.argv[1:]:
        answers = ask(binary, commands + [{"execute": "quit"}])
        v = answers[0]["QMP"]["version"]["qemu"]
        found = {a["id"]: sorted({p["name"] for p in a["return"]} & classes[a["id"]])
                 for a in answers if "id" in a and "return" in a}
        qemus["%d.%d" % (v["major"], v["minor"])] = found
    print(canonical.dumps({"description": "Of the classes of data/devices.json, those that a QEMU has, "
                           "and which of the properties named there each has.", "qemus": qemus}), end="")


if __name__ == "__main__":
    main()
