#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real QEMUs read the lists that lists.sh made in the current directory, where the QEMUs are, too.

argv.json, list.cfg: each QEMU starts with them, and its network card is what they say. union.json: QEMU 5.2, which
does not know all of it, does not start with it, and warns where the card is plugged in later.
"""
import json
import subprocess
import sys

QEMUS = ("5.2.0", "7.2.22", "10.0.13", "11.1.3")
NET = ("-netdev", "user,id=u")
CARD = ("-device", "virtio-net-pci,id=n,netdev=u,romfile=")
LATER = {"execute": "device_add", "arguments": {"driver": "virtio-net-pci", "id": "n", "netdev": "u", "bus": "p",
                                                "romfile": ""}}
SAYS = {"host_ufo": False, "guest_ufo": False, "mrg_rxbuf": True}


def get(name, path="/machine/peripheral/n/virtio-backend"):
    return {"execute": "qom-get", "arguments": {"path": path, "property": name}}


def start(qemu, words, *commands):
    """Exit status, what it answers to the commands, and what it says on stderr"""
    commands = ({"execute": "qmp_capabilities"}, *commands, {"execute": "quit"})
    p = subprocess.run(["./" + qemu, "-nodefaults", "-display", "none", "-S", "-qmp", "stdio", *words, *NET],
                       input="".join(json.dumps(c) + "\n" for c in commands), capture_output=True, text=True,
                       timeout=120, check=False)
    answers = map(json.loads, p.stdout.splitlines())
    return p.returncode, [a.get("return", a) for a in answers if "return" in a or "error" in a][1:-1], p.stderr


def main():
    with open("argv.json", encoding="utf-8") as f:
        argv = json.load(f)
    with open("union.json", encoding="utf-8") as f:
        union = json.load(f)
    asked = [get("type", "/machine"), *map(get, SAYS)]
    wanted = [argv[1] + "-machine", *SAYS.values()]
    faults = []
    for qemu in QEMUS:
        for form, words in (("argv-json", argv), ("readconfig", ("-readconfig", "list.cfg"))):
            status, answers, said = start(qemu, [*words, *CARD], *asked)
            if status != 0 or answers != wanted:
                faults.append((qemu, form, status, answers, said))
    status, answers, said = start(QEMUS[0], [*union, *CARD])
    if status == 0 or "can't apply global" not in said:
        faults.append(("started cold", status, said))
    status, answers, said = start(QEMUS[0], [*union, "-device", "pcie-root-port,id=p"], LATER, *asked)
    if status != 0 or answers != [{}, *wanted] or "warning" not in said or "host_uso=off" not in said:
        faults.append(("plugged in later", status, answers, said))
    for fault in faults:
        print("FAIL:", *fault)
    return bool(faults)


sys.exit(main())
