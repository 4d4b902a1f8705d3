# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the matrix is made of: hosts and moves, and what abibase and its catalogue say of them."""
import collections
import hashlib
import json
import os
import re
import subprocess
import sys

import fakehost
import qmp

# What each needs of a host
BACKENDS = {"tap": ["tap"], "tap+vhost": ["tap", "vhost_net"], "macvtap": ["macvtap"],
            "macvtap+vhost": ["macvtap", "vhost_net"], "vhost-vsock": ["vhost_vsock"]}
# Another device: the class, and the word for it in a plan
VSOCK = "vhost-vsock"
CLASSES = {VSOCK: "vhost-vsock-device"}
NET = "virtio-net-device"
PLAN_WORDS = {VSOCK: "vsock"}
MACHINE = re.compile(r"pc-q35-([0-9]+)\.([0-9]+)")
OLDEST = (5, 2)
# The cause of a failure is a group of the catalogue, or this
QUEUE = "queue-size"


def read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def digest(*what):
    h = hashlib.sha256()
    for w in what:
        h.update(w if isinstance(w, bytes) else json.dumps(w).encode())
    return h.hexdigest()[:24]


def digest_of(path):
    with open(path, "rb") as f:
        return digest(f.read())


def version(text):
    return tuple(int(n) for n in text.split("."))


def machine_version(name):
    m = MACHINE.fullmatch(name)
    return tuple(int(n) for n in m.groups()) if m else (0, 0)


# ------------------------------------------------------------------- hosts

class Host:
    """A kernel with a QEMU."""

    def __init__(self, kernel, suite, profile, binary, directory):
        self.kernel = kernel
        self.suite = suite
        self.release = profile["kernel"]["release"]
        self.package = binary.package
        self.version = binary.version
        entry = next((q for q in profile.get("qemu", [])
                      if (q["version"], q.get("package")) == (binary.version, binary.package)),
                     None) or fakehost.read("qemu", binary.version + ".json")
        self.machines = set(entry["machines"])
        self.name = "linux-%s_qemu-%s" % (kernel, binary.version)
        self.path = os.path.join(directory, self.name + ".json")
        with open(self.path, "w", encoding="utf-8") as f:
            json.dump(dict(profile, name=self.name, qemu=[entry]), f)


def usable(facts, backend):
    return all(facts.get(surface + ".usable") is True for surface in BACKENDS[backend])


class Side(collections.namedtuple("Side", "host backend options")):
    """An end of a move: @options go to QEMU."""

    def settings(self):
        return self.options[1::2]


Cell = collections.namedtuple("Cell", "set machine source dest given baseline")
Cell.__doc__ = """A move. @given: true: there is a baseline for it; false: abibase refuses this
direction; None: neither."""

Prediction = collections.namedtuple("Prediction", "verdict causes profiles rescue way_back back")
Prediction.__doc__ = """@verdict: yes, no, unknown; with its @causes. @profiles: the verdict from the
profiles alone. @rescue: the options with which it is yes. @way_back: open, shut, unknown; @back: the
options that keep it open."""


class Baseline(collections.namedtuple("Baseline", "path hosts backends stated lists")):
    """@stated: the word that is offered, by backend; @lists: what to start a host with."""

    def __hash__(self):
        return hash(self.path)

    def __eq__(self, other):
        return other is not None and self.path == other.path


# ----------------------------------------------------------------- abibase

def as_options(settings):
    return tuple(word for s in settings for word in ("-global", s))


def program(path):
    """Of an uninstalled program the program itself, not libtool's script: it is started often."""
    directory, name = os.path.split(os.path.abspath(path))
    real = os.path.join(directory, ".libs", name)
    return real if os.path.exists(real) else path


def wishes(machine, backends):
    """The machine type and the backends, as options of intersect and matrix."""
    net = [b for b in backends if b not in CLASSES]
    return ["-M", machine, *(["--backend=" + ",".join(net)] if net else []),
            *("--with-device=" + b for b in backends if b in CLASSES)]


class Abibase:
    """The command, and the prediction of the library."""

    def __init__(self, command, predict, library):
        self.command = program(command)
        self.predict_command = program(predict)
        self.environment = dict(os.environ)
        if os.path.isdir(library):
            self.environment["LD_LIBRARY_PATH"] = library

    def __call__(self, *arguments, text=""):
        return subprocess.run([self.command, *arguments], stdout=subprocess.PIPE, input=text,
                              stderr=subprocess.PIPE, text=True, timeout=120,
                              env=self.environment)

    def baseline(self, hosts, machine, backends, dest, directory):
        """Of these hosts, or None."""
        arguments = wishes(machine, backends) + ["--dest=" + h.name for h in dest]
        path = os.path.join(directory, digest([h.name for h in hosts], arguments) + ".json")
        p = self("intersect", *[h.path for h in hosts], *arguments, "--json", "-o", path)
        if p.returncode != 0:
            return None
        lists = {}
        for h in hosts:
            q = self("intersect", path, "--for", h.name)
            if q.returncode != 0:
                return None
            lists[h] = tuple(q.stdout.split())
        stated = {b["name"]: int(b["offered"], 16) for b in read(path)["backends"]}
        return Baseline(path, hosts, backends, stated, lists)

    def targets(self, guest, backend, baseline, hosts):
        """What is said of each host, by its name."""
        arguments = ["--backend=" + backend]
        arguments += ["--baseline=" + baseline.path] if baseline else []
        p = self("targets", "-", *[h.path for h in hosts], *arguments, "--json",
                 text=json.dumps(guest))
        if p.returncode not in (0, 1, 3):
            raise RuntimeError("abibase targets: %s" % p.stderr)
        return {h["host"]: h for h in json.loads(p.stdout)["hosts"]}

    def offers(self, machine, sides):
        """What each of them will be offered, from the profiles alone."""
        lines = ["\t".join([s.host.path, s.host.version, machine, s.backend, *s.settings()]) + "\n"
                 for s in sides]
        p = subprocess.run([self.predict_command], input="".join(lines), stdout=subprocess.PIPE,
                           text=True, check=True, timeout=600, env=self.environment)
        answers = p.stdout.splitlines()
        if len(answers) != len(sides):
            sys.exit("matrix: %d predictions for %d" % (len(answers), len(sides)))
        return {s: int(a.split()[1], 16) if a.startswith("yes ") else None
                for s, a in zip(sides, answers)}


class Catalogue:
    def __init__(self, path):
        document = read(path)
        self.groups, self.properties = {}, {}
        for row in document["features"]:
            if "bit" in row:
                group = row.get("group", row["property"])
                self.groups.setdefault((row["class"], row["bit"]), group)
                self.properties["%(class)s.%(property)s" % row] = group
        self.queue = next(s for s in document["shapes"] if s["name"] == QUEUE)

    def queue_size(self, host):
        return next((o["value"] for o in self.queue["offers"]
                     if qmp.in_ranges(version(host.version), o["versions"])), None)

    def queues_fit(self, source, dest):
        if version(dest.version) < version(self.queue["checked_since"]):
            return True
        return self.queue_size(source) <= self.queue_size(dest)

    def destinations(self, hosts):
        """Those that do not refuse the queues of any."""
        return [h for h in hosts if all(self.queues_fit(o, h) for o in hosts)]

    def causes(self, findings):
        """Of what abibase says of a host that does not take a guest."""
        return sorted({QUEUE if f["id"] == "shape-differs" else
                       self.properties.get(f.get("property"), f["id"])
                       for f in findings if f["kind"] == "conflict"})

    def names(self, word, backend):
        cls = CLASSES.get(backend, NET)
        return sorted({self.groups.get((cls, i), "bit %d" % i)
                       for i in range(128) if word >> i & 1})
