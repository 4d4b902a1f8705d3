#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold abibase against real QEMUs: what it predicts, and what its lists do, as a guest reads it.

    oracle.py --qemus DIR --abibase FILE --predict FILE --fakehost FILE [--quick] [SECTION...]

DIR holds the roots of tests/fetch-qemus. FILEs are the command, the program of predict.c and the
library of fakehost.c, which makes every recorded kernel available without one. A section is one of

- prediction: without a list, what each QEMU offers on each recorded kernel, machine type and
  backend is what abibase_predict() says, and what was recorded inside that kernel;
- pairs: for two QEMUs on two kernels, on each machine type that both have and for each policy, both
  start with the list that abibase makes, without a word, and offer what the baseline states, on
  each backend and as each kind of virtio-net-pci; where a queue would not fit, it is refused;
- groups: the same with each group of features enabled and disabled by name, and the MTU that the
  operators state;
- devices: the same with vhost-vsock and vhost-scsi beside virtio-net, and that QEMU does not start
  where seqpacket is on and the kernel lacks it;
- builds: the same with a second build of a QEMU, in which one compat entry is another one, of a
  feature or of the layout of the PCI device; a guest gets from one to the other with the list alone;
- precedence: what defeats a list, and what does not;
- catalogue: each property and each default of the catalogue against each QEMU.

Exit status 1 with a line for each difference. --quick: two kernels, no values of machine types.
"""
import argparse
import collections
import concurrent.futures
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "tools")]
import fakehost  # noqa: E402
import guest  # noqa: E402
import qmp  # noqa: E402

SUITES = ["bullseye", "bookworm", "trixie", "trixie-backports"]
KERNELS = fakehost.kernels()
# Two that differ in all that a kernel decides
FAR_APART = ("6.1", "7.2")
BACKENDS = ["tap", "tap+vhost"]
KINDS = ["virtio-net-pci", "virtio-net-pci-transitional", "virtio-net-pci-non-transitional"]
POLICIES = ["compatible", "all"]
OPT_IN = ("packed=on", "in_order=on")
RSS = ("mq=on", "rss=on", "hash=on")
# Devices of their own, and the backend that --backend does not take
OTHERS = ["user", "vhost-vsock", "vhost-scsi"]
DEVICES = OTHERS[1:]
MTU = {"6.17": 9000, "7.2": 1500}
# The rows of offered-features.json that are looked at: backend and settings
ROWS = {"tap-off": ("tap", ()), "tap-on": ("tap+vhost", ()),
        "macvtap-off": ("macvtap", ()), "macvtap-on": ("macvtap+vhost", ()),
        "opt-off": ("tap", OPT_IN), "opt-on": ("tap+vhost", OPT_IN),
        "rss-off": ("tap", RSS), "rss-on": ("tap+vhost", RSS),
        "user": ("user", ()), "vsock": ("vhost-vsock", ())}
MACHINE = re.compile(r"pc-q35-([0-9]+)\.([0-9]+)")
OLDEST = (5, 2)

# All that a QEMU may say: that it will drop the machine type one day; where rss is on, that libbpf
# refuses its program (7.2); and of a macvtap, that it takes no eBPF program (10.0 and 11.1;
# harmless).
DEPRECATED = (r".*: warning: Machine type '[^']*' is deprecated|libbpf: elf: legacy map definitions"
              r"|libbpf: failed to initialize skeleton BPF object 'rss_bpf': -95")
ALLOWED = {"tap": re.compile(DEPRECATED),
           "macvtap": re.compile(DEPRECATED + r"|.*: Issue while setting TUNSETSTEERINGEBPF: ")}


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return json.load(f)


class Counts(collections.Counter):
    """What was done, by name, and the faults; used by several threads."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.faults = []

    def add(self, name, n=1):
        with self.lock:
            self[name] += n

    def fault(self, text):
        with self.lock:
            self.faults.append(text)
            print("FAIL: " + text, flush=True)


# ------------------------------------------------------------------- hosts

class Host:
    """A recorded kernel with a QEMU, as a profile and as something to start guests on."""

    def __init__(self, kernel, binary, directory, preload, build="", facts=()):
        profile = fakehost.profile(kernel)
        profile["facts"].update(facts)
        self.kernel = kernel
        self.binary = binary
        self.name = "linux-%s_qemu-%s%s" % (kernel, binary.version, build)
        self.path = os.path.join(directory, self.name + ".json")
        self.surroundings = {s: fakehost.environment(kernel, s, preload)
                             for s in ("tap", "macvtap")}
        profile["name"] = self.name
        profile["qemu"] = [binary.entry]
        with open(self.path, "w", encoding="utf-8") as f:
            json.dump(profile, f)


def recorded_entry(binary):
    """What was recorded of this QEMU; of one that was not, the catalogue knows by version."""
    name = "%s.json" % binary.version
    if os.path.exists(os.path.join(TOP, "tests", "data", "qemu", name)):
        entry = read("tests", "data", "qemu", name)
        if entry["package"] == binary.package:
            return entry
    print("note: %s is not recorded in tests/data/qemu: taken by its version" % binary.package)
    words = subprocess.run(binary.command + ["-M", "help"], env=binary.environment, check=True,
                           stdout=subprocess.PIPE, text=True, timeout=60).stdout
    return {"version": binary.version, "target": "x86_64", "package": binary.package,
            "machines": {line.split()[0]: {} for line in words.splitlines()
                         if MACHINE.match(line)}}


def machine_version(name):
    m = MACHINE.fullmatch(name)
    return tuple(int(n) for n in m.groups()) if m else (0, 0)


def binary_version(binary):
    return tuple(int(n) for n in binary.version.split("."))


def machines_of(binary):
    return sorted((m for m in binary.entry["machines"] if machine_version(m) >= OLDEST),
                  key=machine_version)


class Oracle:
    def __init__(self, args, binaries, directory):
        self.args = args
        self.binaries = binaries
        self.directory = directory
        self.counts = Counts()
        self.seen = {}
        self.lock = threading.Lock()
        # nobody fakes bpf(2): whether QEMU can load its program is a fact of this machine
        self.facts = {"host.ebpf_rss": self.own_fact("ebpf", "host.ebpf_rss")}
        self.hosts = {(k, b.version): Host(k, b, directory, os.path.abspath(args.fakehost),
                                           facts=self.facts)
                      for k in KERNELS for b in binaries}

    def parallel(self, function, work):
        """Two at a time, as many as the smallest machine of the CI has processors."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(function, *w) for w in work]:
                future.result()

    def abibase(self, *arguments):
        p = subprocess.run([self.args.abibase, *arguments], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=60)
        self.counts.add("calls of abibase")
        return p

    def own_fact(self, surface, name):
        p = self.abibase("probe", "--only", surface, "--no-qemu", "--no-load")
        return json.loads(p.stdout)["facts"][name] is True

    def observe(self, host, machine, devices, options, surface="tap"):
        """What the guest sees, or None; the same thing is looked at once."""
        key = (host.name, machine, tuple(d.key() for d in devices), tuple(options), surface)
        with self.lock:
            future = self.seen.get(key)
            mine = future is None
            if mine:
                future = self.seen[key] = concurrent.futures.Future()
        if mine:
            try:
                future.set_result(self.look(host, machine, devices, options, surface))
            except Exception as e:  # the other thread may be waiting for it
                future.set_exception(e)
        return future.result()

    def look(self, host, machine, devices, options, surface):
        self.counts.add("starts")
        try:
            views, said = host.binary.start(machine, devices, options, host.surroundings[surface])
        except guest.Trouble as e:
            self.counts.fault("%s, %s, %s, %s: %s" % (host.name, machine, surface,
                                                      " ".join(options), e))
            return None
        for line in said.splitlines():
            if not ALLOWED[surface].match(line):
                self.counts.fault("%s, %s, %s: QEMU says: %s" % (host.name, machine,
                                                                " ".join(options), line))
        self.counts.add("devices", len(views))
        return views

    def compare(self, what, offered, stated):
        self.counts.add("words compared")
        if offered != stated:
            self.counts.fault("%s: offered 0x%032x, stated 0x%032x: bits %s"
                              % (what, offered, stated,
                                 [i for i in range(128) if (offered ^ stated) >> i & 1]))

    # -------------------------------------------------------- without a list

    def predict(self, questions, *more):
        """The answers of predict.c to (host, machine, backend, settings), and more settings."""
        lines = ["\t".join([h.path, h.binary.version, m, b]
                           + ["virtio-net-device." + p for p in s] + list(more)) + "\n"
                 for h, m, b, s in questions]
        p = subprocess.run([self.args.predict], input="".join(lines), stdout=subprocess.PIPE,
                           text=True, check=True, timeout=120)
        return p.stdout.splitlines()

    def recorded_offers(self):
        """(kernel, QEMU version, machine, backend, settings) -> the word read in that kernel"""
        document = read("tests", "data", "offered-features.json")
        versions = {short: b.version for short, package in document["qemu_packages"].items()
                    for b in self.binaries if b.package.endswith(" " + package)}
        return {(".".join(r["kernel"].split(".")[:2]), versions[r["qemu"]], r["machine"])
                + ROWS[r["backend"]]: int(r["offered"], 16)
                for r in document["rows"] if r["backend"] in ROWS and r["qemu"] in versions}

    def prediction(self):
        recorded = self.recorded_offers()
        hosts = [h for h in self.hosts.values()
                 if not self.args.quick or h.kernel in FAR_APART]
        questions = [(h, m, b, s) for h in hosts for m in machines_of(h.binary)
                     for b, s in sorted(set(ROWS.values()) | {(o, ()) for o in OTHERS})
                     if b in BACKENDS + OTHERS and not s
                     or (h.kernel, h.binary.version, m, b, s) in recorded]
        # the last machine type under which QEMU asks vhost for the bit of the MTU, and the next one
        questions += [(h, m, b, ("host_mtu=1500",)) for h in hosts for b in BACKENDS
                      for m in ("pc-q35-2.9", "pc-q35-2.10", machines_of(h.binary)[-1])
                      if h.kernel == FAR_APART[1] and m in h.binary.entry["machines"]]
        answers = self.predict(questions)
        if len(answers) != len(questions):
            self.counts.fault("%d answers to %d questions" % (len(answers), len(questions)))
            return
        predicted = {(h.name, m, b, s): a for (h, m, b, s), a in zip(questions, answers)}

        def one(host, machine, surface, settings):
            """Both backends of a surface, in one QEMU, and with a plain tap all the others."""
            devices = self.devices_of(surface, settings)
            views = self.observe(host, machine, [d for _, d in devices], [],
                                 "macvtap" if surface == "macvtap" else "tap") or []
            for view, backend in zip(views, (b for b, _ in devices)):
                what = "%s, %s, %s %s" % (host.name, machine, backend, " ".join(settings))
                verdict, _, word = predicted[host.name, machine, backend, settings].partition(" ")
                if verdict != "yes":
                    self.counts.fault("%s: prediction: %s %s" % (what, verdict, word))
                    continue
                self.compare(what + ", prediction", view.offered, int(word, 16))
                self.counts.add("predictions")
                known = recorded.get((host.kernel, host.binary.version, machine, backend,
                                      settings))
                if known is not None and self.as_recorded(settings):
                    self.compare(what + ", as recorded in the kernel", view.offered, known)
                    self.counts.add("recorded offers")

        self.parallel(one, [q for q in questions if q[2] in ("tap", "macvtap")])

    def devices_of(self, surface, settings):
        """What is looked at in one QEMU, with the backend of each."""
        both = [(surface + ("+vhost" if vhost else ""), guest.Device(vhost, properties=settings))
                for vhost in (False, True)]
        return both + [(b, guest.Other(b)) for b in OTHERS if surface == "tap" and not settings]

    def as_recorded(self, settings):
        """What was recorded with an eBPF program that loads is not seen where none does."""
        return settings != RSS or self.facts["host.ebpf_rss"]

    # ------------------------------------------------------------- with a list

    def kernel_pairs(self):
        """Each recorded kernel with the next one, both ways; the last one's is the first."""
        if self.args.quick:
            return [FAR_APART]
        after = list(zip(KERNELS, KERNELS[1:] + KERNELS[:1])) + [FAR_APART]
        return after + [(b, a) for a, b in after]

    def queue_size(self, binary):
        """The largest queue that the guest sees; the catalogue has to say the same."""
        views = self.observe(self.hosts[KERNELS[0], binary.version], machines_of(binary)[-1],
                             [guest.Device(False), guest.Device(True)], [])
        size = max(views[0].queues) if views else 0
        shape = next(s for s in read("data", "catalogue.json")["shapes"]
                     if s["name"] == "queue-size")
        stated = [o["value"] for o in shape["offers"]
                  if qmp.in_ranges(binary_version(binary), o["versions"])]
        self.counts.add("queue sizes compared")
        if stated != [size]:
            self.counts.fault("QEMU %s: a queue of %d entries, the catalogue says %s"
                              % (binary.version, size, stated))
        return size

    def larger_queues(self, a, b):
        """Does a queue of one not fit into the other one, and does that one look? 11.1 does."""
        sizes = {x: self.queue_size(x) for x in (a, b)}
        return [(src, dst) for src, dst in ((a, b), (b, a))
                if sizes[src] > sizes[dst] and binary_version(dst) >= (11, 1)]

    def refused(self, a, b, machine, policy, source, dest):
        """Without a word on who is ever a destination there is no answer, and the queue is why."""
        p = self.abibase("intersect", a.path, b.path, "-M", machine, "--policy", policy)
        self.counts.add("refusals")
        if (p.returncode != 1 or p.stdout or "[shape-differs]" not in p.stderr
                or source.version not in p.stderr or dest.version not in p.stderr):
            self.counts.fault("%s, %s, %s, %s: not refused: exit status %d, %s"
                              % (a.name, b.name, machine, policy, p.returncode, p.stderr))

    def baseline(self, a, b, arguments):
        p = self.abibase("intersect", a.path, b.path, "--json", *arguments)
        if p.returncode != 0:
            self.counts.fault("abibase intersect %s %s %s: exit status %d, %s"
                              % (a.name, b.name, " ".join(arguments), p.returncode, p.stderr))
            return None, None
        return json.loads(p.stdout), p.stdout

    def the_list(self, a, b, arguments):
        p = self.abibase("intersect", a.path, b.path, *arguments)
        if p.returncode != 0 or not p.stdout:
            self.counts.fault("abibase intersect %s %s %s: exit status %d, %s"
                              % (a.name, b.name, " ".join(arguments), p.returncode, p.stderr))
            return None
        return p.stdout.split()

    def starts_with(self, host, machine, options, stated, kinds=KINDS):
        """Every kind of device on every backend is offered what the baseline states."""
        devices = [guest.Device(b == "tap+vhost", kind) for b in BACKENDS for kind in kinds]
        views = self.observe(host, machine, devices, options) or []
        for view, device in zip(views, devices):
            backend = BACKENDS[device.vhost]
            self.compare("%s, %s, %s, %s, %s" % (host.name, machine, backend, device.type,
                                                 " ".join(options)),
                         view.offered, stated[backend])
        return [view.vectors for view in views]

    def hold(self, a, b, machine, arguments, kinds=KINDS):
        """Both hosts start with their lists; the words that the baseline states, and its text."""
        document, text = self.baseline(a, b, arguments)
        if not document:
            return None, None
        stated = {w["name"]: int(w["offered"], 16) for w in document["backends"]}
        tables = []
        for host in (a, b):
            options = self.the_list(a, b, arguments + ["--for", host.name])
            if options:
                tables.append(self.starts_with(host, machine, options, stated, kinds))
        self.counts.add("pairs with a list")
        self.counts.add("pairs that start on both", all(tables) and len(tables) == 2)
        if len({tuple(t) for t in tables}) > 1:
            self.counts.fault("%s, %s, %s: MSI-X tables of %s entries"
                              % (a.name, b.name, machine, tables))
        return stated, text

    def one_pair(self, a, b, machine, policy, dest):
        arguments = ["-M", machine, "--policy", policy]
        if dest:
            arguments += ["--dest", a.name if dest is a.binary else b.name]
        stated, text = self.hold(a, b, machine, arguments)
        # as a file, once for each of these, from the baseline instead of from the hosts
        if stated and (a.kernel, b.kernel) == FAR_APART:
            self.readconfig(a, b, machine, policy, text, stated)

    def readconfig(self, a, b, machine, policy, text, stated):
        path = os.path.join(self.directory, "-".join([a.name, b.name, machine, policy]))
        with open(path + ".json", "w", encoding="utf-8") as f:
            f.write(text)
        for host in (a, b):
            p = self.abibase("intersect", path + ".json", "--for", host.name, "--format",
                             "readconfig", "-o", path + "." + host.name)
            if p.returncode != 0:
                self.counts.fault("%s, %s, readconfig: exit status %d, %s"
                                  % (host.name, machine, p.returncode, p.stderr))
                continue
            self.starts_with(host, machine, ["-readconfig", path + "." + host.name], stated)
            self.counts.add("lists as files")

    def pairs(self):
        work = []
        for i, x in enumerate(self.binaries):
            for y in self.binaries[i + 1:]:
                larger = self.larger_queues(x, y)
                shared = [m for m in machines_of(x) if m in machines_of(y)]
                self.counts.add("pairs of QEMU and machine type", len(shared))
                for machine in shared:
                    for policy in POLICIES:
                        for k, n in self.kernel_pairs():
                            a, b = self.hosts[k, x.version], self.hosts[n, y.version]
                            dest = larger[0][0] if larger else None
                            work.append((self.one_pair, a, b, machine, policy, dest))
                            if larger and (k, n) == FAR_APART:
                                work.append((self.refused, a, b, machine, policy) + larger[0])
        self.parallel(lambda function, *w: function(*w), work)

    # ----------------------------------------------------- groups by name

    def groups(self):
        """--enable and --disable of each group that is on or off: refused by name, or as stated."""
        names = {option: sorted({r["group"] for r in read("data", "catalogue.json")["features"]
                                 if r["class"] == "virtio-net-device" and "group" in r
                                 and (r["type"] == "bool"
                                      or r["combine"] == "min"
                                      or r["combine"] == "directional" and option == "--enable")})
                 for option in ("--enable", "--disable")}
        binaries = self.binaries[-1:] if self.args.quick else self.binaries
        self.parallel(self.one_group, [(b, option, name) for b in binaries
                                       for option in ("--enable", "--disable")
                                       for name in names[option]])

    def one_group(self, binary, option, name):
        a, b = (self.hosts[k, binary.version] for k in MTU)
        machine = machines_of(binary)[-1]
        arguments = ["-M", machine, option, name]
        if name == "mtu":
            a, b = (Host(k, binary, self.directory, os.path.abspath(self.args.fakehost), "-mtu",
                         dict(self.facts, **{"operator.host_mtu": MTU[k]})) for k in MTU)
            self.told(a, b, machine, arguments, min(MTU.values()) if option == "--enable" else 0)
        p = self.abibase("intersect", a.path, b.path, *arguments)
        if option == "--enable" and p.returncode == 1 and not p.stdout:
            self.counts.add("groups refused")
            if "[enabled-" not in p.stderr:
                self.counts.fault("%s, %s, %s %s: refused, but not for that: %s"
                                  % (a.name, b.name, option, name, p.stderr))
            return
        self.counts.add("groups switched")
        # a device that can be legacy does not start with this one on, wherever there is no IOMMU
        iommu = (option, name) == ("--enable", "iommu-platform")
        self.hold(a, b, machine, arguments, KINDS[2:] if iommu else KINDS)

    def told(self, a, b, machine, arguments, mtu):
        """Every guest reads this MTU in the configuration of its device."""
        for host in (a, b):
            options = self.the_list(a, b, arguments + ["--for", host.name]) or []
            views = self.observe(host, machine, [guest.Device(False), guest.Device(True)], options)
            for view in views or []:
                self.counts.add("MTUs read")
                # without one the field is not there
                if mtu and view.mtu != mtu or view.offered >> 3 & 1 != bool(mtu):
                    self.counts.fault("%s, %s, %s: the guest reads the MTU %d, word 0x%x"
                                      % (host.name, machine, " ".join(options), view.mtu,
                                         view.offered))

    # ------------------------------------------------- devices beside virtio-net

    def devices(self):
        # one kernel lacks SEQPACKET, or none does
        worlds = [(("5.10", "6.1"), "compatible"), (FAR_APART, "all")]
        if not self.args.quick:
            worlds.append((FAR_APART, "compatible"))
        work = [(x, y, m, policy, pair) for i, x in enumerate(self.binaries)
                for y in self.binaries[i:] for m in machines_of(x) if m in machines_of(y)
                for pair, policy in worlds]
        self.parallel(self.one_device_pair, work)
        self.parallel(self.seqpacket, [(b, machines_of(b)[-1]) for b in self.binaries
                                       if binary_version(b) >= (6, 2)])

    def one_device_pair(self, x, y, machine, policy, kernels):
        a, b = self.hosts[kernels[0], x.version], self.hosts[kernels[1], y.version]
        arguments = ["-M", machine, "--policy", policy, "--backend", "tap"]
        arguments += [w for d in DEVICES for w in ("--with-device", d)]
        larger = self.larger_queues(x, y)
        if larger:
            arguments += ["--dest", a.name if larger[0][0] is x else b.name]
        document, _ = self.baseline(a, b, arguments)
        if not document:
            return
        stated = {w["name"]: int(w["offered"], 16) for w in document["backends"]}
        for host in (a, b):
            options = self.the_list(a, b, arguments + ["--for", host.name])
            if any(o.endswith("=auto") for o in options or []):
                self.counts.fault("%s: auto in the list: %s" % (host.name, " ".join(options)))
            views = self.observe(host, machine, [guest.Other(d) for d in DEVICES], options or [])
            for view, device in zip(views or [], DEVICES):
                self.compare("%s, %s, %s, %s" % (host.name, machine, device,
                                                 " ".join(options or [])),
                             view.offered, stated[device])
        self.counts.add("pairs with other devices")

    def seqpacket(self, binary, machine):
        """On where the kernel lacks it: QEMU does not start, and the prediction says so."""
        host = self.hosts["5.10", binary.version]
        said = self.predict([(host, machine, "vhost-vsock", ())], "vhost-vsock-device.seqpacket=on")
        try:
            binary.start(machine, [guest.Other("vhost-vsock")],
                         ["-global", "vhost-vsock-device.seqpacket=on"], host.surroundings["tap"])
            why = "it starts"
        except guest.Trouble as e:
            why = str(e)
        self.counts.add("starts refused")
        if "seqpacket" not in why or not said[0].startswith("no "):
            self.counts.fault("%s, %s: seqpacket=on: %s; predicted: %s" % (host.name, machine, why,
                                                                          said[0]))

    # ------------------------------------------------------------ a second build

    def rebuilt(self, binary, machine, key, value):
        """
        The same QEMU as somebody else could have built it: @key has another @value in @machine. A
        -global before all others does what a compat entry does.
        """
        second = copy.copy(binary)
        second.command = binary.command + ["-global", "%s=%s" % (key, value or "off")]
        second.entry = copy.deepcopy(binary.entry)
        second.entry["package"] += " rebuilt"
        second.entry["build_id"] = "00" * 20
        second.entry["values"][machine][key] = value
        return second

    def builds(self):
        """One compat entry differs: it is named, and the list makes both the same to the guest."""
        work = []
        for binary in self.binaries:
            machine = machines_of(binary)[-1]
            values = dict(binary.entry.get("defaults", {}),
                          **binary.entry.get("values", {}).get(machine, {}))
            feature = next(k for k in ("host_uso", "queue_reset", "guest_ufo")
                           if values.get("virtio-net-device." + k) is True)
            layout = next(k for k in ("x-pcie-ext-tag", "x-pcie-flr-init")
                          if values.get("virtio-net-pci-base." + k) is True)
            first = self.hosts["7.2", binary.version]
            for n, (key, value) in enumerate((("virtio-net-device." + feature, False),
                                              ("virtio-net-pci-base." + layout, False),
                                              ("virtio-net-pci-base.vectors", 5))):
                second = Host("7.2", self.rebuilt(binary, machine, key, value), self.directory,
                              os.path.abspath(self.args.fakehost), "-rebuilt-%d" % n)
                work += [(self.two_builds, first, second, machine, key, p) for p in POLICIES]
        self.parallel(lambda function, *w: function(*w), work)

    def stream(self, source, target, machine, lists):
        """Does a guest that never ran get from one to the other? What QEMU says, or None."""
        with tempfile.TemporaryDirectory(dir=self.directory) as directory:
            path = os.path.join(directory, "stream")
            source.binary.stream(machine, lists[source.name], "migrate", "exec:cat > " + path)
            try:
                target.binary.stream(machine, lists[target.name], "migrate-incoming",
                                     "exec:cat " + path)
            except guest.Trouble as e:
                return str(e)
        return None

    def layout(self, a, b, machine, policy):
        """The PCI device of two builds: no way without the list, and both ways with it."""
        bare = {h.name: [] for h in (a, b)}
        lists = {h.name: self.the_list(a, b, ["-M", machine, "--policy", policy,
                                              "--for", h.name]) for h in (a, b)}
        for source, target in ((a, b), (b, a)):
            self.counts.add("streams", 2)
            if not self.stream(source, target, machine, bare):
                self.counts.fault("%s to %s, %s: gets in without a list"
                                  % (source.name, target.name, machine))
            words = self.stream(source, target, machine, lists)
            if words:
                self.counts.fault("%s to %s, %s: does not get in with the list: %s"
                                  % (source.name, target.name, machine, words))

    def offers(self, a, b, machine):
        """What a guest is offered by two builds: not the same without a list."""
        bare = [self.observe(h, machine, [guest.Device(False)], []) for h in (a, b)]
        if not all(bare) or bare[0][0].offered == bare[1][0].offered:
            self.counts.fault("%s, %s: without a list the offers are the same" % (b.name, machine))

    def two_builds(self, a, b, machine, key, policy):
        if key.startswith("virtio-net-device."):
            self.offers(a, b, machine)
        else:
            self.layout(a, b, machine, policy)
        p = self.abibase("intersect", a.path, b.path, "-M", machine, "--policy", policy)
        parts = " ".join(p.stderr.split()).split("[machine-differs]")
        named = [part.rpartition(" note ")[2] for part in parts[:-1]]
        self.counts.add("second builds")
        if (len(named) != 1 or key + " is " not in named[0]
                or a.name not in named[0] or b.name not in named[0]):
            self.counts.fault("%s, %s, %s: %s is not named: %s" % (b.name, machine, policy, key,
                                                                  p.stderr))
        self.one_pair(a, b, machine, policy, None)

    # ------------------------------------------------------- what defeats a list

    def bit_of(self, prop):
        rows = read("data", "catalogue.json")["features"]
        return next(r["bit"] for r in rows
                    if r["class"] == "virtio-net-device" and r["property"] == prop)

    def each_kind(self, host, machine, options, properties=()):
        """The words of the three kinds of device, on tap."""
        views = self.observe(host, machine,
                             [guest.Device(False, k, properties) for k in KINDS], options)
        return [v.offered for v in views or []]

    def expect(self, what, host, machine, options, bit, want, properties=()):
        got = [w >> bit & 1 for w in self.each_kind(host, machine, options, properties)]
        self.counts.add("precedences")
        if got != want:
            self.counts.fault("%s: %s: bit %d is offered as %s, not %s: %s"
                              % (host.name, what, bit, got, want, " ".join(options)))

    def precedence(self):
        """Whether a bit is offered to virtio-net-pci, -transitional and -non-transitional."""
        work = []
        for binary in self.binaries:
            host = self.hosts["7.2", binary.version]
            machine = machines_of(binary)[-1]
            # the older kernel switches off what the newer one could do, where there is such a thing
            other = self.hosts["6.1", binary.version]
            on_list = self.the_list(host, other, ["-M", machine, "--for", host.name])
            values = dict(o.split(".", 1)[1].split("=") for o in on_list[1::2])
            for prop in ("guest_tso4", "host_uso"):
                if prop in values:
                    work.append((host, machine, on_list, prop, values[prop]))
        self.parallel(self.precedence_of, work)

    def precedence_of(self, host, machine, options, prop, value):
        bit = self.bit_of(prop)
        stated = int(value == "on")
        opposite = "off" if value == "on" else "on"
        wins, loses = [1 - stated] * 3, [stated] * 3

        def other(driver):
            return ["-global", "%s.%s=%s" % (driver, prop, opposite)]

        self.expect("the list alone", host, machine, options, bit, loses)
        self.expect("a -device option wins", host, machine, options, bit, wins,
                    ("%s=%s" % (prop, opposite),))
        self.expect("the last of two globals of one class wins", host, machine,
                    options + other("virtio-net-device"), bit, wins)
        self.expect("the last of two globals of one class wins", host, machine,
                    other("virtio-net-device") + options, bit, loses)
        for order in (other("virtio-net-pci") + options, options + other("virtio-net-pci")):
            self.expect("a global of virtio-net-pci wins there, and only there", host, machine,
                        order, bit, [1 - stated, stated, stated])
        for order in (other("virtio-net-pci-base") + options,
                      options + other("virtio-net-pci-base")):
            self.expect("a global of virtio-net-pci-base wins on all", host, machine, order, bit,
                        wins)

    # ------------------------------------------------------------ the catalogue

    def check_catalogue(self, *arguments):
        return subprocess.run([sys.executable,
                               os.path.join(TOP, "tests", "tools", "check-catalogue.py")]
                              + list(arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600)

    def catalogue(self):
        roots = [b.root + ":/usr/bin/qemu-system-x86_64" for b in self.binaries]
        quick = ["--no-machines"] if self.args.quick else ["--oldest", "5.2"]

        def one(*arguments):
            p = self.check_catalogue(*arguments)
            print(p.stdout, end="", flush=True)
            if p.returncode != 0:
                self.counts.fault("the catalogue is not what these QEMUs have")

        self.parallel(one, [quick + [r] for r in roots] + [["--no-machines", "--complete"] + roots])
        self.parallel(self.mutation, [(m, roots) for m in self.mutations()])

    def mutations(self):
        """Catalogues with one fault each, and the words with which it has to be found."""
        def with_row(prop, change, name="virtio-net-device"):
            document = read("data", "catalogue.json")
            for r in document["features"]:
                if r["class"] == name and r["property"] == prop:
                    change(r)
            return document

        def without_row(prop):
            document = read("data", "catalogue.json")
            document["features"] = [r for r in document["features"] if r["property"] != prop]
            return document

        yield "name", with_row("csum", lambda r: r.update(property="checksum")), (
            "no QEMU has virtio-net-device.checksum")
        yield "future", with_row("csum", lambda r: r.update(property="checksum", since="99.0")), (
            "no QEMU has virtio-net-device.checksum")
        yield "device", with_row("seqpacket", lambda r: r.update(property="seqpackets"),
                                 "vhost-vsock-device"), (
            "no QEMU has vhost-vsock-device.seqpackets")
        yield "SCSI default", with_row("event_idx", lambda r: r.update(default=False),
                                       "vhost-scsi"), (
            "vhost-scsi.event_idx: class default True, not False")
        yield "default", with_row("guest_tso4", lambda r: r.update(default=False)), (
            "virtio-net-device.guest_tso4: class default True, not False")
        yield "since", with_row("host_uso", lambda r: r.update(since="7.0")), (
            "virtio-net-device.host_uso: does not exist")
        yield "row", without_row("host_uso"), "virtio-net-device.host_uso: no row"

    def mutation(self, mutated, roots):
        name, document, words = mutated
        path = os.path.join(self.directory, "catalogue-%s.json" % name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(document, f)
        p = self.check_catalogue("--no-machines", "--complete", "--catalogue", path, *roots)
        self.counts.add("faults put into the catalogue")
        if p.returncode != 1 or words not in p.stdout:
            self.counts.fault("a catalogue with a wrong %s passes, or not for that: %s"
                              % (name, p.stdout))


def main():
    sections = ["prediction", "pairs", "groups", "devices", "builds", "precedence", "catalogue"]
    ap = argparse.ArgumentParser()
    for option in ("--qemus", "--abibase", "--predict", "--fakehost"):
        ap.add_argument(option, required=True)
    ap.add_argument("--quick", action="store_true")
    ap.add_argument("section", nargs="*", metavar="SECTION")
    args = ap.parse_args()
    binaries = guest.roots(args.qemus, SUITES)[1]
    for b in binaries:
        b.entry = recorded_entry(b)
    with tempfile.TemporaryDirectory() as directory:
        oracle = Oracle(args, binaries, directory)
        for section in args.section or sections:
            start = time.monotonic()
            before = collections.Counter(oracle.counts)
            faults = len(oracle.counts.faults)
            getattr(oracle, section)()
            print("%s: %s, %d failures (%.0f s)"
                  % (section, ", ".join("%d %s" % (n, name) for name, n in sorted(
                      (oracle.counts - before).items())),
                     len(oracle.counts.faults) - faults, time.monotonic() - start), flush=True)
    print("QEMU %s: %d failures" % (", ".join(b.version for b in binaries),
                                    len(oracle.counts.faults)))
    return 1 if oracle.counts.faults else 0


if __name__ == "__main__":
    sys.exit(main())
