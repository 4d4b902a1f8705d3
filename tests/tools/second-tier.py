#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make the platforms that nobody has probed, of the table second-tier.json.

    second-tier.py            write data/platforms/50-NAME.json for each row
    second-tier.py --check    exit 1 and name each file that is not what the table gives

A fact is taken over when the kernels at both ends of a range have it alike (tests/lab/classes.json,
as root sees it), with the evidence "bracketed". Of a feature word these are the bits that both ends
have; where the ends differ, "WORD.known" has the bits that they have alike. A kernel between two ends of one class has all that the class has. Where a vendor is known to
port features back ("backports"), what both ends lack is unknown, and of words the bits that are on are known, no others. "facts"
of a row are stated by somebody, with the evidence beside them, or null: unknown. So is the "rom" of its
network cards, for machine types of upstream's names. Only tap and vhost-net
are taken over: whether a kernel has other devices at all is decided by its configuration, which nobody
has read.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import canonical  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
TAKEN = ("tap.", "vhost_net.")
OLDEST = (5, 2)  # as abibase probe has it


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return canonical.loads(f.read())


def number(version):
    return [int(n) for n in version.split(".")]


def class_facts(classes, version):
    for c in classes["classes"]:
        if number(c["from"]) <= number(version) <= number(c["to"]):
            return {**classes["facts"], **c["facts"]}
    sys.exit("Linux %s is in no class" % version)


def common(a, b):
    """What two values have in common, or None."""
    if a == b:
        return a
    if isinstance(a, str) and isinstance(b, str) and len(a) == len(b):
        return "0x%0*x" % (len(a) - 2, int(a, 16) & int(b, 16))
    return None


def known_bits(a, b, backports):
    """The bits of a word that are known of what lies between two kernels."""
    alike = ~(int(a, 16) ^ int(b, 16)) & ((1 << 4 * (len(a) - 2)) - 1)
    if backports:
        alike &= int(a, 16)
    return "0x%0*x" % (len(a) - 2, alike)


def kernel_facts(classes, row):
    older, newer = (class_facts(classes, v) for v in row["between"])
    facts = {}
    for fact in older:
        value = common(older[fact], newer.get(fact))
        # what a vendor may have ported back is unknown, not absent
        unknown = value is None or (value is False and row.get("backports"))
        if fact.startswith(TAKEN) and not unknown:
            facts[fact] = value
            if isinstance(value, str) and value.startswith("0x"):
                known = known_bits(older[fact], newer[fact], row.get("backports"))
                if known.strip("f") != "0x":
                    facts[fact + ".known"] = known
    return facts


def evidence_of(facts, stated):
    """Prefixes for what is bracketed, ids for what somebody states."""
    words = {f.split(".")[0] + ".": "bracketed" for f in facts if f not in stated}
    words.update({f: v["evidence"] for f, v in stated.items() if v})
    return words


def machines(version):
    """The machine types of upstream's names from 5.2 on that a QEMU has."""
    newest = tuple(number(version)[:2])
    releases = [(major, minor) for major in range(OLDEST[0], newest[0] + 1) for minor in range(3)]
    return ["pc-%s-%d.%d" % (kind, *r) for kind in ("i440fx", "q35") for r in releases
            if OLDEST <= r <= newest]


def profile(classes, table, row):
    facts = kernel_facts(classes, row)
    stated = row.get("facts", {})
    for fact, v in stated.items():
        facts[fact] = v["value"] if v else {"unknown": "not-recorded"}
    p = {
        "schema": "abibase-profile/1",
        "kind": "platform",
        "name": row["name"],
        "revision": row.get("revision", 1),
        "arch": "x86_64",
        "description": " ".join([row["description"], table["texts"][row["text"]]]),
        "evidence": evidence_of(facts, stated),
        "facts": facts,
        "lifecycle": {"release": None, "standard_end": None, "extended_end": None,
                      **row["lifecycle"]},
        "x-sources": {"kernel": row["source"],
                      **{f: v["source"] for f, v in stated.items() if v}},
        "x-spdx-license": "CC0-1.0",
    }
    if "release" in row:
        p["kernel"] = {"release": row["release"]}
    if row["packages"]:
        p["packages"] = row["packages"]
    if "qemu" in row:
        p["qemu"] = [{"version": row["qemu"], "target": "x86_64", **row.get("qemu_entry", {})}]
        # what it says of itself: --with-pkgversion in debian/rules of pve-qemu
        for package in row["packages"]:
            if package["name"] == "pve-qemu-kvm":
                p["qemu"][0]["package"] = "%s_%s" % (package["name"], package["version"])
        if "qemu_source" in row:
            p["x-sources"]["qemu"] = row["qemu_source"]
    if "rom" in row:
        rom = table["roms"][row["rom"]]
        p["qemu"][0]["shape"] = {m: {"any": {"rom_size": rom["size"]}} for m in machines(row["qemu"])}
        p["evidence"]["qemu.shape"] = rom["evidence"]
        p["x-sources"]["qemu.shape"] = rom["source"]
    return p


def expand(table):
    """A row with "names" is one platform for each: NAME: [what to call it, lifecycle]."""
    for row in table["platforms"]:
        for name, own in row.get("names", {row.get("name"): {}}).items():
            yield {**row, "name": name, **own}


def main():
    table = load(HERE, "second-tier.json")
    classes = load(TOP, "tests", "lab", "classes.json")
    status = 0
    for row in expand(table):
        path = os.path.join(TOP, "data", "platforms", "50-%s.json" % row["name"])
        text = canonical.dumps(profile(classes, table, row))
        if sys.argv[1:] != ["--check"]:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            continue
        try:
            with open(path, encoding="utf-8") as f:
                same = f.read() == text
        except FileNotFoundError:
            same = False
        if not same:
            print("%s: is not what second-tier.json gives" % path)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
