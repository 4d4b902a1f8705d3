#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Record QEMU binaries as elements of a profile's "qemu" list.

    record-qemu.py OUTDIR BINARY...

BINARY is a path, or ROOT:PATH for a binary of an unpacked root. Writes
OUTDIR/VERSION.json for each. Nothing is started: everything comes from QMP on -M none, but for
the build id, which is read from the ELF file.
"""
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import canonical  # noqa: E402
from qmp import Qemu, asked  # noqa: E402

NT_GNU_BUILD_ID = 3


def build_id(path):
    """The GNU build id of a little-endian ELF64 file in hex, or None."""
    with open(path, "rb") as f:
        header = f.read(64)
        phoff, = struct.unpack_from("<Q", header, 32)
        phentsize, phnum = struct.unpack_from("<HH", header, 54)
        for i in range(phnum):
            f.seek(phoff + i * phentsize)
            p_type, _, offset, _, _, size = struct.unpack("<IIQQQQ", f.read(40))
            if p_type != 4:  # PT_NOTE
                continue
            f.seek(offset)
            notes = f.read(size)
            at = 0
            while at + 12 <= len(notes):
                namesz, descsz, kind = struct.unpack_from("<III", notes, at)
                name = notes[at + 12:at + 12 + namesz]
                desc = at + 12 + (namesz + 3 & ~3)
                if kind == NT_GNU_BUILD_ID and name == b"GNU\0":
                    return notes[desc:desc + descsz].hex()
                at = desc + (descsz + 3 & ~3)
    return None


def linked_with(path, library):
    """Is a library that begins so among those that the program needs?"""
    words = subprocess.run(["objdump", "-p", path], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    return any(w.split()[:1] == ["NEEDED"] and w.split()[1].startswith(library) for w in words)


def machine(m):
    entry = {}
    if "alias" in m:
        entry["alias"] = m["alias"]
    if m.get("deprecated"):
        entry["deprecated"] = True
    return entry


def record(q, catalogue):
    rows = catalogue["features"]
    have = q.properties(sorted({asked(r) for r in rows}))
    properties = {r["class"]: {} for r in rows}
    for r in rows:
        found = have[asked(r)].get(r["property"])
        if found:
            properties[r["class"]][r["property"]] = found[0]
    return {
        "version": q.version,
        "target": q.ask(["-M", "none"], [("query-target", {})])[0]["arch"],
        "path": q.path,
        "package": q.package,
        "build_id": build_id(q.root + q.path),
        "catalogue": catalogue["revision"],
        "ebpf": linked_with(q.root + q.path, "libbpf.so"),
        "machines": {m["name"]: machine(m) for m in q.machines()},
        "properties": properties,
    }


def main():
    outdir = sys.argv[1]
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(os.path.join(top, "data", "catalogue.json"), encoding="utf-8") as f:
        catalogue = json.load(f)
    for b in sys.argv[2:]:
        q = Qemu(b)
        with open(os.path.join(outdir, q.version + ".json"), "w", encoding="utf-8") as f:
            f.write(canonical.dumps(record(q, catalogue)))


if __name__ == "__main__":
    main()
