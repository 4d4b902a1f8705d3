#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Record the effective values of QEMU binaries in documents that describe these binaries.

    record-values.py [--sizes] BINARY... -- DOCUMENT...

BINARY is a path, or ROOT:PATH for a binary inside a chroot (needs root). DOCUMENT is a profile, or
one element of a profile's "qemu" list as in tests/data/qemu. The "values" of each entry that
describes one of the binaries (same build id) are replaced by what `abibase probe` finds now, with
--sizes its "shape" too; facts, revision and all else stay as they are. Properties that the catalogue has
gained are added. It stops when the entry and the binary do not agree about machine types or properties:
then record the entry anew first. Run it in a build directory, or with
ABIBASE naming the command and ABIBASE_DATADIR its data.
"""
import json
import os
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import canonical  # noqa: E402
from importlib import import_module  # noqa: E402

build_id = import_module("record-qemu").build_id


def probe(binary, sizes):
    """The entry of a binary, without path and build id, which a wrapper script hides."""
    root, _, path = binary.rpartition(":")
    with tempfile.TemporaryDirectory() as d:
        script = os.path.join(d, "qemu")
        command = (["chroot", root] if root else []) + [path]
        with open(script, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nexec %s "$@"\n' % shlex.join(command))
        os.chmod(script, 0o700)
        out = subprocess.run([os.environ.get("ABIBASE", "./abibase"), "probe", "--no-cache",
                              "--name=x", *([] if sizes else ["--no-observe"]), "--qemu", script], stdout=subprocess.PIPE, check=True)
    entry = json.loads(out.stdout)["qemu"][0]
    if "values" not in entry:
        sys.exit("%s: abibase found no values" % binary)
    return build_id(root + path), entry


def main():
    sizes = sys.argv[1] == "--sizes"
    split = sys.argv.index("--")
    found = dict(probe(b, sizes) for b in sys.argv[1 + sizes:split])
    for name in sys.argv[split + 1:]:
        with open(name, encoding="utf-8") as f:
            document = canonical.loads(f.read())
        for entry in document.get("qemu", [document]):
            now = found.get(entry.get("build_id"))
            if not now:
                continue
            for member in ("version", "machines"):
                if entry[member] != now[member]:
                    sys.exit('%s: "%s" is not what the binary says' % (name, member))
            for kind, properties in entry["properties"].items():
                if properties.items() - now["properties"][kind].items():
                    sys.exit('%s: properties of %s are not what the binary says' % (name, kind))
            for member in ("properties", "defaults", "values") + (("shape",) if sizes else ()):
                entry[member] = now[member]
        with open(name, "w", encoding="utf-8") as f:
            f.write(canonical.dumps(document))


if __name__ == "__main__":
    main()
