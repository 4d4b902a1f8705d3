# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ask a QEMU binary by QMP; shared by the tools of this directory."""
import json
import os
import re
import subprocess


def command_in(root, path):
    """
    A QEMU of an unpacked root, run by that root's own loader, without chroot(2) and the rights
    that it takes. It is told where its modules and its firmware are.
    """
    lib = os.path.join(root, "usr/lib/x86_64-linux-gnu")
    return ["env", "QEMU_MODULE_DIR=%s/qemu" % lib,
            os.path.join(lib, "ld-linux-x86-64.so.2"), "--library-path", lib, root + path,
            "-L", root + "/usr/share/seabios", "-L", root + "/usr/share/qemu"]


class Qemu:
    """One binary: a path, or ROOT:PATH for a binary of an unpacked root."""

    def __init__(self, where):
        self.root, _, self.path = where.rpartition(":")
        self.command = command_in(self.root, self.path) if self.root else [self.path]
        version = self.ask(["-M", "none"], [("query-version", {})])[0]
        n = version["qemu"]
        self.version = "%d.%d.%d" % (n["major"], n["minor"], n["micro"])
        self.package = version["package"]

    def ask(self, options, commands):
        """The answers to (command, arguments) pairs of a QEMU that is never started."""
        lines = [{"execute": "qmp_capabilities"}]
        lines += [{"execute": c, "arguments": a} for c, a in commands]
        lines += [{"execute": "quit"}]
        p = subprocess.run(self.command + options + ["-nodefaults", "-display", "none", "-S",
                                                     "-qmp", "stdio"],
                           input="".join(json.dumps(l) + "\n" for l in lines),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        answers = [json.loads(l) for l in p.stdout.splitlines()]
        answers = [a for a in answers if "return" in a or "error" in a][1:]
        if len(answers) <= len(commands) - 1:
            raise RuntimeError("%s %s: %s" % (self.path, " ".join(options), p.stderr.strip()))
        for a, c in zip(answers, commands):
            if "error" in a:
                raise RuntimeError("%s: %s: %s" % (self.path, c, a["error"]["desc"]))
        return [a["return"] for a in answers[:len(commands)]]

    def properties(self, classes):
        """class -> property -> (type word, class default or None)"""
        answers = self.ask(["-M", "none"],
                           [("device-list-properties", {"typename": c}) for c in classes])
        return {c: {p["name"]: (p["type"], p.get("default-value")) for p in a}
                for c, a in zip(classes, answers)}

    def machines(self):
        return self.ask(["-M", "none"], [("query-machines", {})])[0]


def version(text):
    """(X, Y, Z) of "X", "X.Y" or "X.Y.Z"; missing parts are 0."""
    parts = [int(n) for n in text.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def machine_version(name):
    """Version of an upstream pc machine type, or None."""
    m = re.fullmatch(r"pc-(?:q35|i440fx)-([0-9]+\.[0-9]+)", name)
    return version(m.group(1)) if m else None


def asked(row):
    """The class that a QEMU is asked about: an abstract one it does not describe."""
    return row.get("asked", row["class"])


def exists(row, qemu):
    """Does the catalogue say that this QEMU has the property?"""
    removed = row.get("removed")
    return version(row["since"]) <= qemu and not (removed and version(removed) <= qemu)


def in_ranges(qemu, ranges):
    for r in ranges:
        first, _, last = r.partition("-")
        if version(first) <= qemu <= version(last or first):
            return True
    return False


def effective(row, qemu, machine):
    """The value that a machine type gives a property, by the catalogue."""
    hold = [c for c in row["compat"]
            if machine <= version(c["machine"]) and not in_ranges(qemu, c.get("not_in", []))]
    if not hold:
        return row["default"]
    return min(hold, key=lambda c: version(c["machine"]))["value"]


# The type words of device-list-properties that each type of the catalogue may have.
TYPE_WORDS = {"bool": ["bool"], "uint16": ["uint16"], "uint32": ["uint32"], "int32": ["int32"],
              "OnOffAuto": ["OnOffAuto"], "string": ["str", "string"], "mac": ["str", "string"]}
