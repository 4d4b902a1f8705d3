# SPDX-License-Identifier: LGPL-2.1-or-later
"""Start real QEMUs with lists of random fleets."""
import collections
import os
import random
import sys
import tempfile

from command import Command, globals_of
from hosts import OFF_GROUPS, TESTS, read
from model import Host, LEGACY, UNKNOWN, offer, upstream

sys.path[:0] = [os.path.join(TESTS, "oracle")]
import fakehost  # noqa: E402
import guest  # noqa: E402


class Starts:
    """Lists of random fleets of recorded kernels, and the QEMUs that are there to be started."""

    def __init__(self, args, directory):
        missing, self.binaries = guest.roots(args.qemus, ["bullseye", "bookworm", "trixie",
                                                          "trixie-backports"])
        if missing:
            raise SystemExit("missing: %s" % " ".join(missing))
        self.preload = os.path.abspath(args.fakehost)
        self.run = Command(os.path.abspath(args.abibase), directory)
        self.counts = collections.Counter()
        self.faults = []
        self.entries = {}
        for b in self.binaries:
            path = os.path.join(TESTS, "data", "qemu", b.version + ".json")
            # a newer one than was recorded is taken by its version
            self.entries[b.version] = read(path) if os.path.exists(path) \
                else {"version": b.version, "target": "x86_64"}

    def fleet(self, rng):
        """Two or three hosts, and a machine type that all have."""
        chosen = [(rng.choice(fakehost.kernels()), rng.choice(self.binaries))
                  for _ in range(rng.choice([1, 2, 2, 3]))]
        hosts = []
        for i, (kernel, binary) in enumerate(chosen):
            profile = fakehost.profile(kernel)
            profile["name"] = "h%d" % i
            profile["qemu"] = [self.entries[binary.version]]
            self.run.write("h%d.json" % i, profile)
            hosts.append((kernel, binary, Host(profile)))
        oldest = min(h.builds[0].version for _, _, h in hosts)[:2]
        machines = sorted(m for m in set.union(*(set(e.get("machines", {})) for e in self.entries.values()))
                          if "q35" in m and upstream(m) and (5, 2) <= upstream(m) <= oldest)
        return hosts, rng.choice(machines)

    def one(self, seed):
        rng = random.Random("start %d" % seed)
        hosts, machine = self.fleet(rng)
        words = ["-M", machine, "--backend=" + rng.choice(["tap", "tap+vhost", "tap,tap+vhost"])]
        if rng.random() < 0.4:
            words.append("--policy=all")
        if rng.random() < 0.3:
            words.append("--enable=" + rng.choice(["ring-packed", "multiqueue", "vectors", "queue-sizes"]))
        if rng.random() < 0.3:
            words.append("--disable=" + rng.choice(OFF_GROUPS))
        words += ["--dest=h0"] if rng.random() < 0.6 else []
        files = [h.name + ".json" for _, _, h in hosts]
        status, out, err = self.run("intersect", "--json", "-o", "B.json", *words, *files)
        if status not in (0, 1, 3):
            raise SystemExit("%d: intersect: %s" % (seed, err))
        if status != 0:
            baseline = read(os.path.join(self.run.directory, "B.json")) if status == 1 else {}
            if baseline.get("verdict") != "yes":
                self.counts["no baseline"] += 1
                return False
        baseline = read(os.path.join(self.run.directory, "B.json"))
        status, out, err = self.run("intersect", *words, *files)
        for kernel, binary, host in hosts:
            text = out
            if status != 0:
                text = self.run("intersect", "--for", host.name, "B.json")[1]
            for backend in baseline["policy"]["backends"]:
                self.start(seed, kernel, binary, host, machine, backend, text, baseline)
        return True

    def start(self, seed, kernel, binary, host, machine, backend, text, baseline):
        where = "%d: linux-%s, QEMU %s, %s, %s" % (seed, kernel, binary.version, machine, backend)
        options = text.split() + ["-L", binary.root + "/usr/lib/ipxe/qemu"]
        surroundings = fakehost.environment(kernel, "tap", self.preload)
        self.counts["starts"] += 1
        try:
            views, said = binary.start(machine, [guest.Device("+vhost" in backend)], options,
                                       surroundings)
        except guest.Trouble as e:
            self.faults.append("%s: does not start: %s" % (where, e))
            return
        said = "\n".join(line for line in said.splitlines() if "deprecated" not in line)
        if said:
            self.faults.append("%s: %s" % (where, said))
        offered = views[0].offered
        model = offer(host, host.builds[0], machine, backend, globals_of(text))
        least, most = model.least() & ~LEGACY, model.most() & ~LEGACY
        if least & ~offered or offered & ~most:
            self.faults.append("%s: offered 0x%x, and the model says 0x%x to 0x%x"
                               % (where, offered, least, most))
        stated = next(b["offered"] for b in baseline["backends"] if b["name"] == backend)
        if stated is None or int(stated, 16) != offered:
            self.faults.append("%s: offered 0x%x, stated %s" % (where, offered, stated))
        if model.queue is not UNKNOWN and max(views[0].queues) != model.queue:
            self.faults.append("%s: queues %s, and the model says %s" % (where, views[0].queues, model.queue))


def starts(args):
    """Exit status."""
    with tempfile.TemporaryDirectory(prefix="abibase-fleet.") as directory:
        it = Starts(args, directory)
        done, seed = 0, args.seed
        while done < args.starts and seed < args.seed + 10 * args.starts:
            done += it.one(seed)
            seed += 1
    for fault in it.faults:
        print("FAIL: " + fault)
    print("%d lists started, %s" % (done, dict(it.counts)))
    return 1 if it.faults or done < args.starts else 0
