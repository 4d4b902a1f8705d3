# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run abibase, and read its lists."""
import json
import os
import re
import subprocess

from model import DOES_WITHOUT, NO, ON_OFF_AUTO, SINCE

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data")


class Found(Exception):
    pass


class Command:
    """Runs abibase in the directory of a fleet."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent",
                            "ABIBASE_DATADIR": os.environ.get("ABIBASE_DATADIR", DATA)}
        for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.runs = 0

    def __call__(self, *words):
        self.runs += 1
        p = subprocess.run([self.program, *words], cwd=self.directory, env=self.environment,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=120)
        return p.returncode, p.stdout, p.stderr

    def write(self, name, document):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as f:
            if isinstance(document, str):
                f.write(document)
            else:
                json.dump(document, f, indent=1, sort_keys=True)


def setting(key, word):
    """The value that stands in an option, as a profile has it."""
    if isinstance(word, str) and re.fullmatch("-?[0-9]+", word):
        return int(word)
    if word in ("on", "off") and key not in ON_OFF_AUTO:
        return word == "on"
    return word


def settings_of(baseline):
    """The list of a baseline: class.property -> value."""
    out = {}
    for v in baseline["outputs"][0]["values"]:
        key = v["class"] + "." + v["property"]
        out[key] = setting(key, v["value"])
    return out


def globals_of(text):
    """The same of a printed list."""
    out = {}
    for line in text.splitlines():
        m = re.fullmatch(r"-global ([^=]+)=(.*)", line)
        if not m:
            raise Found("no option: " + line)
        out[m.group(1)] = setting(*m.groups())
    return out


def own_list(build, machine, settings):
    """What --for prints: without what is off, or on without it, of that which this build does not know."""
    return {k: v for k, v in settings.items()
            if v not in (False, "off") and k not in DOES_WITHOUT or k not in SINCE
            or build.has(k, machine) is not NO}
