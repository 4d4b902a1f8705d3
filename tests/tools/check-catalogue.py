#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold data/catalogue.json against QEMU binaries.

    check-catalogue.py [--no-machines | --oldest X.Y] [--complete] BINARY...

BINARY is a path, or ROOT:PATH for a binary of an unpacked root. For each one:

- a property exists exactly where since/removed say so, with that type, and its class default is
  what the machine type of that release has;
- every machine type with an upstream pc name has the default that the compat rows give it, read
  with qom-get from a device that is created under it (no backend, so nothing is masked);
- every property of virtio-net-device, and of virtio-net-pci around it, has a row, or is in
  NOT_VISIBLE with the reason.

--oldest leaves machine types before X.Y out. With --complete a row whose property none of the
binaries has is a fault.

Exit status 1 with one line for each difference.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qmp import Qemu, TYPE_WORDS, asked, effective, exists, machine_version  # noqa: E402
from qmp import version  # noqa: E402

# Of the device that is created under each machine type.
CLASSES = ["virtio-net-device", "virtio-net-pci"]

OLD = "set by machine types up to 2.8 alone, and gone with them"

# Properties that have no row, and why.
NOT_VISIBLE = {
    "acpi-index": "a number in a table of the firmware; chosen for each guest",
    "addr": "the slot; chosen for each guest",
    "bootindex": "tells the firmware in which order to boot; chosen for each guest",
    "busnr": "read only: the bus on which the device is",
    "ebpf-rss-fds": "passes open files to QEMU; what they change is said by rss",
    "failover_pair_id": "names another device",
    "ioeventfd": "how QEMU hears of a notification",
    "migrate-extra": OLD,
    "multifunction": "chosen for each guest",
    "netdev": "names the backend",
    "rombar": "chosen for each guest",
    "romfile": "chosen for each guest; what is in the file is another package's",
    "romsize": "chosen for each guest",
    "rsc_interval": "how long QEMU waits to coalesce segments; timing only, no bit, no field",
    "sriov-pf": "names another device",
    "tx": "when QEMU sends (timer or bottom half); timing only",
    "use-disabled-flag": "how QEMU itself treats a broken device; off on machine types up to 4.2, "
                         "which changes a section of the stream by machine type alone",
    "use-started": "how QEMU itself tracks a started device; off on machine types up to 4.0, "
                   "which changes a section of the stream by machine type alone",
    "virtio-backend": "the device inside",
    "virtio-pci-bus-master-bug-migration": "a field of the stream; a guest gets in either way",
    "x-disable-legacy-check": "lets QEMU accept a legacy device that it would refuse (on for "
                              "machine types up to 5.0); changes no offer",
    "x-disable-pcie": OLD,
    "x-ignore-backend-features": OLD,
    "x-max-bounce-buffer-size": "how much QEMU copies at once",
    "x-mtu-bypass-backend": "whether vhost's answer may clear bit 3; off only on machine types up "
                            "to 2.9 and without effect unless host_mtu is set: see that row",
    "x-pcie-deverr-init": OLD,
    "x-pcie-extcap-init": OLD,
    "x-pcie-lnkctl-init": OLD,
    "x-pcie-lnksta-dllla": "of ports; a guest gets in either way, and only machine types up to 2.3 "
                           "have it off",
    "x-pcie-pm-init": OLD,
    "x-txburst": "packets that QEMU sends in one go; timing only",
    "x-txtimer": "how long QEMU waits to send; timing only",
}


def check_properties(q, rows, seen, say):
    qv = version(q.version)
    have = q.properties(sorted({asked(r) for r in rows} | set(CLASSES)))
    for r in rows:
        key = "%s.%s" % (r["class"], r["property"])
        found = have[asked(r)].get(r["property"])
        if found:
            seen.add(key)
        if bool(found) != exists(r, qv):
            say("%s: %s" % (key, "exists" if found else "does not exist"))
            continue
        if not found:
            continue
        if found[0] not in TYPE_WORDS[r["type"]]:
            say("%s: type %s, not %s" % (key, found[0], r["type"]))
        want = effective(r, qv, qv[:2])
        if r["default"] is not None and found[1] != want:
            say("%s: class default %s, not %s" % (key, found[1], want))
    known = {r["property"] for r in rows if asked(r) in CLASSES} | set(NOT_VISIBLE)
    for c in CLASSES:
        for p in sorted(set(have[c]) - known):
            say("%s.%s: no row" % (c, p))
    return len([r for r in rows if exists(r, qv)])


def check_machines(q, rows, oldest, say):
    qv = version(q.version)
    rows = [r for r in rows
            if exists(r, qv) and asked(r) in CLASSES and r["default"] is not None]
    compared = 0
    for m in sorted(m["name"] for m in q.machines()
                    if (machine_version(m["name"]) or ()) >= oldest):
        # a binary can be given without the ROM files of its package
        answers = q.ask(["-M", m, "-device", "virtio-net-pci,id=x,romfile="],
                        [("qom-get", {"path": "/machine/peripheral/x", "property": r["property"]})
                         for r in rows])
        for r, value in zip(rows, answers):
            want = effective(r, qv, machine_version(m))
            if want == r["default"]:
                want = r.get("realized", want)
            # realizing the device turns "auto" into what it means for the slot it sits in
            if want == "auto" and value in ("auto", "on", "off"):
                continue
            if value != want:
                say("%s: %s.%s is %s, not %s" % (m, r["class"], r["property"], value, want))
            compared += 1
    return compared


def main():
    ap = argparse.ArgumentParser()
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    ap.add_argument("--catalogue", default=os.path.join(top, "data", "catalogue.json"))
    ap.add_argument("--no-machines", action="store_true")
    ap.add_argument("--oldest", type=version, default=(0, 0, 1))
    ap.add_argument("--complete", action="store_true")
    ap.add_argument("binary", nargs="+")
    args = ap.parse_args()
    with open(args.catalogue, encoding="utf-8") as f:
        rows = json.load(f)["features"]
    faults = []
    seen = set()
    for b in args.binary:
        q = Qemu(b)

        def say(text):
            faults.append(text)
            print("QEMU %s: %s" % (q.version, text))

        n = check_properties(q, rows, seen, say)
        values = 0 if args.no_machines else check_machines(q, rows, args.oldest, say)
        print("QEMU %s (%s): %d properties, %d values of machine types compared"
              % (q.version, q.package, n, values))
    for key in sorted({"%s.%s" % (r["class"], r["property"]) for r in rows} - seen):
        if args.complete:
            faults.append(key)
            print("no QEMU has %s" % key)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
