#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold decode to its floor: whatever names a device is decoded, whatever the device.

usage: decode-floor.py ABIBASE [SEED]

In logs of several loads, no message gets the address of another load's device; where the loads stand
one behind the other, each gets its own.

200 logs are made from the messages of QEMU and libvirt that name a device, with devices that are in
no table. Each must name its device, in one finding, with its kind, and say who can help.
"""
import json
import random
import string
import subprocess
import sys

LOGS = 200
APART = 20  # line ends behind a log: more than decode looks across
AT_ONCE = 100  # logs: decode keeps 256 findings
FAILED = "load of migration failed: Invalid argument"
# Each family of messages, as QEMU and libvirt print it; {d} is the device, {p} is its path.
FAMILIES = [
    ["error while loading state for instance 0x0 of device '{p}'", FAILED],
    ["Failed to load {d}:state", "error while loading state for instance 0x0 of device '{p}'"],
    ["Failed to load {d}:state"],
    ["Input validation failed: {d}/state", FAILED],
    ["Missing section footer for {p}", FAILED],
    ["Mismatched section id in footer for {p} - read 0x5 expected 0x6"],
    ["Unknown savevm section or instance '{p}' 0. Make sure that your current VM setup matches your "
     "saved VM setup, including any hotplugged devices", FAILED],
    ["savevm: unsupported version 3 for '{p}' v2"],
    ["{d}: incoming version_id 3 is too new for local version_id 2", "Failed to load {d}:state"],
    ["error while loading state section id 5({p})"],
    ["Load state of device {p} failed"],
    ["State blocked by non-migratable device '{p}'"],
    ["Device {d} is not migratable, but --only-migratable was specified"],
    ["-device {d},id=x: '{d}' is not a valid device model name"],
    ["Size mismatch: {p}.rom: 0x40000 != 0x80000: Invalid argument",
     "error while loading state for instance 0x0 of device 'ram'", FAILED],
    ["Unknown ramblock \"{p}.rom\", cannot accept migration", FAILED],
    ["get_pci_config_device: Bad config data: i=0x6e read: 0 device: 40 cmask: ff wmask: 0 w1cmask:19",
     "Failed to load PCIDevice:config", "Failed to load {d}:parent_obj",
     "error while loading state for instance 0x0 of device '{p}'", FAILED],
    ["Features 0x130000002 unsupported. Allowed features: 0x179000000", "Failed to load {d}:virtio",
     "error while loading state for instance 0x0 of device '{p}'", FAILED],
    ["get_pci_config_device: Bad config data...", "Failed to load PCIDevice:config",
     "Failed to load {d}:parent_obj"],
]
PREFIXES = ["", "qemu-kvm: ", "2026-04-01T10:00:00.123456Z qemu-system-x86_64: ",
            "error: internal error: QEMU unexpectedly closed the monitor (vm='x'): "]

faults = []


def fault(text):
    faults.append(text)
    print(text)


def decode(abibase, logs):
    """The findings of each log, which has a device of its own, so that none are taken for equal."""
    found = []
    for first in range(0, len(logs), AT_ONCE):
        text, starts = "", []
        for log in logs[first:first + AT_ONCE]:
            starts.append(text.count("\n") + 1)
            text += "\n".join(log) + "\n" * APART
        run = subprocess.run([abibase, "decode", "--json"], input=text, capture_output=True,
                             text=True, timeout=60, check=False)
        if run.returncode not in (0, 1):
            sys.exit("decode: exit status %d: %s" % (run.returncode, run.stderr))
        document = json.loads(run.stdout)
        if document["dropped"]:
            sys.exit("decode left out findings")
        for start, end in zip(starts, starts[1:] + [sys.maxsize]):
            found.append([f for f in document["findings"] if start <= f["line"] < end])
    return found


def any_device(rng):
    """A name that no table has: digits and consonants, and none of the usual prefixes."""
    letters = "bcdfghjklmnpqrstvwxz"
    word = "".join(rng.choice(letters + string.digits) for _ in range(rng.randint(4, 9)))
    return "zq%s%s" % (word, rng.choice(["", "-" + word[:3], "_pm", ".0"]))


def any_path(rng, device):
    return rng.choice(["", "/", "0000:00:%02x.%x/" % (rng.randrange(32), rng.randrange(8)),
                       "0000:00:%02x.0:00.0/" % rng.randrange(32),
                       "0000:00:1d.7/%d/" % rng.randint(1, 6)]).lstrip("/") + device


def any_log(rng, family):
    device = any_device(rng)
    path, prefix = any_path(rng, device), rng.choice(PREFIXES)
    log = [prefix + line.replace("{d}", device).replace("{p}", path) for line in family]
    return device, log


def check_logs(abibase, seed):
    rng = random.Random(seed)
    made = [any_log(rng, FAMILIES[i % len(FAMILIES)]) for i in range(LOGS)]
    for (device, log), findings in zip(made, decode(abibase, [log for _, log in made])):
        said = "\n    ".join(log)
        if not findings:
            fault("no message that is known:\n    " + said)
        elif len(findings) > 1:
            fault("%d findings:\n    %s" % (len(findings), said))
        elif findings[0]["id"] == "features":
            if findings[0].get("path", "").split("/")[-1] != device:
                fault("the masks are not said to be of %s:\n    %s" % (device, said))
        elif findings[0].get("device") != device:
            fault("%s, and not %s:\n    %s" % (findings[0].get("device"), device, said))
        elif "family" not in findings[0] or findings[0]["scope"] != "outside" or \
                "who" not in findings[0]:
            fault("no kind of device, not outside, or nobody who can help:\n    " + said)
    print("%d logs with devices that are in no table" % len(made))


# Loads whose reason has no name: {n} is a number by which the reason is known again.
REASONS = [
    ["get_pci_config_device: Bad config data: i=0x{n:x} read: 0 device: 40 cmask: ff wmask: 0 "
     "w1cmask:19", "Failed to load PCIDevice:config", "Failed to load {d}:parent_obj"],
    ["VQ 0 vring.num {n} exceeds allocated max 256", "Failed to load {d}:virtio"],
    ["Invalid number of virtqueues: 0x{n:x}", "Failed to load {d}:virtio"],
]
MIXED = 2000
AT_ONCE_MIXED = 25


def any_load(rng, number):
    """The lines of a load that failed, and the path that the first one is about."""
    device = rng.choice(["virtio-net", "virtio-net", "virtio-blk", "pcie-root-port",
                         any_device(rng)])
    path = "0000:%02x:%02x.0/%s" % (rng.randrange(256), rng.randrange(32), device)
    lines = [line.format(n=number, d=device) for line in rng.choice(REASONS)]
    return path, lines + ["error while loading state for instance 0x0 of device '%s'" % path, FAILED]


def mix(rng, loads):
    """The lines of all loads, those of each in their order; and whose each line is."""
    left, mixed = [list(lines) for _, lines in loads], []
    while any(left):
        i = rng.choice([i for i, lines in enumerate(left) if lines])
        mixed.append((i, left[i].pop(0)))
    return mixed


def in_turn(loads):
    return [(i, line) for i, (_, lines) in enumerate(loads) for line in lines]


def check_mixed(abibase, seed):
    """In a log of two or three loads in turn no message gets the device of another's."""
    rng = random.Random(seed)
    known = 0
    for first in range(0, MIXED, AT_ONCE_MIXED):
        logs = []
        for n in range(AT_ONCE_MIXED):
            loads = [any_load(rng, 300 + 3 * n + i) for i in range(rng.choice([1, 2, 2, 3]))]
            logs.append((loads, mix(rng, loads) if n % 5 else in_turn(loads)))
        found = decode(abibase, [[line for _, line in mixed] for _, mixed in logs])
        start = 1
        for n, ((loads, mixed), findings) in enumerate(zip(logs, found)):
            said = "\n    ".join(line for _, line in mixed)
            for f in findings:
                path = loads[mixed[f["line"] - start][0]][0]
                if f.get("path", path) not in (path, path.split("/")[-1]):
                    fault("line %d is of %s, and not of %s:\n    %s"
                          % (f["line"] - start + 1, path, f["path"], said))
                known += f.get("path") == path
            if n % 5 == 0 and [f.get("path") for f in findings] != [path for path, _ in loads]:
                fault("one load behind the other, and not their addresses:\n    " + said)
            start += len(mixed) - 1 + APART
    print("%d mixed logs, %d findings with an address" % (MIXED, known))


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print("seed %d; again: tests/decode-floor.py ABIBASE %d" % (seed, seed))
    check_logs(sys.argv[1], seed)
    check_mixed(sys.argv[1], seed)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
