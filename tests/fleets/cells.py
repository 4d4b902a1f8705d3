#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold each cell of `abibase matrix` against what other verbs say, on random fleets of hosts.

    cells.py --abibase FILE [--fleets N] [--seed N] [--one SEED --keep DIR]

For each ordered pair of hosts, whether or not they stand for a cohort, `targets` is asked about a guest
of which nothing is known but its machine type and its backend, --from the one host with each of its
QEMUs by itself. The cell of their cohorts must say the worst of these answers, and for the same reasons.
Where `check` says that both hosts have what the baseline promises, no list is refused. What a group of
--split gains is in the baseline that `intersect` makes of its hosts, and not in that of all.
"""
import argparse
import collections
import copy
import json
import os
import sys
import tempfile

from command import Command, settings_of
from hosts import Maker, Material
from model import DEVICES, Host, NO, ROWS

NET = "virtio-net-device"
CLASS = {"vhost-vsock": "vhost-vsock-device", "vhost-scsi": "vhost-scsi"}
RANK = {"no": 0, "unknown": 1, "list": 2, "now": 3}
WAYS = {"shut": 0, "unknown": 1, "open": 2}
FEATURES = {r.prop for r in ROWS}


class Cells:
    def __init__(self, material, seed, program, directory):
        self.maker = Maker(material, seed)
        self.run = Command(program, directory)
        self.faults, self.counts = [], collections.Counter()
        r = self.maker.rng
        profiles = [self.maker.host("h%d" % i) for i in range(r.choice([2, 2, 3, 3, 4]))]
        for p in list(profiles):
            if self.maker.chance(0.4):
                profiles.append(self.twin(p))
        r.shuffle(profiles)
        self.profiles = {p["name"]: p for p in profiles}
        self.hosts = {n: Host(p) for n, p in self.profiles.items()}
        self.machine = self.maker.machine(profiles)
        self.options = [w for w in self.maker.options(list(self.profiles))
                        if w.startswith(("--backend", "--with-device"))]
        self.files = []
        for n, p in self.profiles.items():
            self.run.write(n + ".json", p)
            self.files.append(n + ".json")

    def twin(self, p):
        """Another host that answers alike: what differs decides nothing."""
        twin = copy.deepcopy(p)
        twin["name"] = p["name"] + self.maker.rng.choice(["-b", ".a"])
        for entry in twin.get("qemu", []):
            if self.maker.chance(0.5):
                entry["path"] = "/opt/%s/qemu" % twin["name"]
        if self.maker.chance(0.5):
            twin["facts"]["param.vhost.max_mem_regions"] = 64
        return twin

    def fault(self, kind, text):
        self.faults.append((kind, text))

    # ------------------------------------------------------------------ one move

    def sources(self, name):
        """The host with each QEMU alone in which such a guest may run: a file each."""
        host, profile = self.hosts[name], self.profiles[name]
        builds = [b for b in host.builds if b.has_machine(self.machine) is not NO]
        if len(host.builds) == 1 and builds and not host.unasked:
            return [name + ".json"]
        entries = [[b.entry] for b in builds]
        if host.unasked or "qemu" not in profile:
            entries.append([])
        files = []
        for i, entry in enumerate(entries):
            files.append("from-%s-%d.json" % (name, i))
            self.run.write(files[-1], {**profile, "qemu": entry})
        return files

    def ask(self, backend, source, words):
        """To each host: (verdict, way back, texts); of a host itself the answer means nothing."""
        self.run.write("guest.json", {
            "schema": "abibase-guest/1", "machine": self.machine,
            "devices": [{"class": CLASS.get(backend, NET), "backend": backend}]})
        status, out, err = self.run("targets", "--json", "--from", source, *words, "./guest.json",
                                    *self.files)
        if not out:
            self.fault("targets", "status %d: %s" % (status, err))
            return {}
        answers = {}
        for h in json.loads(out)["hosts"]:
            way = h["way_back"]["verdict"] if h["verdict"] in ("now", "list") else None
            answers[h["host"]] = (h["verdict"], way, [f["text"] for f in h["findings"]
                                                      if f["kind"] != "note"], h["way_back"].get("text"))
        return answers

    def expected(self, backend, name, words):
        """The worst of the answers with each QEMU, to each host, and all that are as bad."""
        worst = {}
        if self.hosts[name].usable(backend) is NO:
            return worst
        for source in self.sources(name):
            for to, a in self.ask(backend, source, words).items():
                key = (RANK[a[0]], WAYS.get(a[1], 0))
                if to not in worst or key < worst[to][0]:
                    worst[to] = (key, [a])
                elif key == worst[to][0]:
                    worst[to][1].append(a)
        return worst

    def hold(self, document, backend, name, with_list, expected):
        cohort = {h: c["name"] for c in document["cohorts"] for h in c["hosts"]}
        names = {c["name"]: sorted(c["hosts"]) for c in document["cohorts"]}
        cells = {(m["from"], m["to"]): m for m in document["moves"]
                 if m["backend"] == backend and m["list"] == with_list}
        for to in self.hosts:
            if to == name:
                continue
            cell = cells[cohort[name], cohort[to]]
            self.counts["moves"] += 1
            self.counts["verdict " + cell["verdict"]] += 1
            where = "%s to %s, %s, %s" % (name, to, backend, "list" if with_list else "no list")
            if to not in expected:
                if cell["verdict"] != "none":
                    self.fault("none", "%s: %s" % (where, cell["verdict"]))
                continue
            answers = expected[to][1]
            if (cell["verdict"], cell.get("way_back")) != answers[0][:2]:
                self.fault("verdict", "%s: %s, and targets: %s" % (where, cell, answers))
                continue
            first = names[cohort[name]][0]
            second = names[cohort[to]][cohort[to] == cohort[name]]
            if (name, to) != (first, second):
                self.counts["moves of hosts that stand for no cohort"] += 1
                continue
            said = sorted(document["findings"][i]["text"] for i in cell["why"])
            door = document["doors"][cell["door"]] if "door" in cell else None
            if not any(sorted(a[2]) == said and a[3] == door for a in answers):
                self.fault("why", "%s: %s %s, and targets: %s" % (where, said, door, answers))

    # ------------------------------------------------------------------ a fleet

    def look(self):
        words = ["-M", self.machine, *self.options]
        one_list, out, err = self.run("intersect", "--json", *words, *self.files)
        baseline = []
        if out and json.loads(out)["verdict"] == "yes" and self.maker.chance(0.8):
            self.run.write("B.json", out)
            baseline = ["B.json"]
        status, out, err = self.run("matrix", "--json", "--split=2", *words, *self.files, *baseline)
        if not out:
            self.fault("matrix", "status %d: %s" % (status, err))
            return
        document = json.loads(out)
        again = self.run("matrix", "--json", "--split=2", *words, *reversed(self.files), *baseline)[1]
        if again != out:
            self.fault("order", "of hosts changes the answer")
        codes = {m["verdict"] for m in document["moves"] if m["list"] == bool(baseline)}
        # where no guest can be, it is asked what one list for all would say
        want = one_list if codes == {"none"} else 1 if "no" in codes else 3 if "unknown" in codes else 0
        if status != want:
            self.fault("status", "%d of %s" % (status, codes))
        backends = sorted({m["backend"] for m in document["moves"]})
        for with_list in [False, True] if baseline else [False]:
            for backend in backends:
                for name in self.hosts:
                    extra = ["--baseline", "B.json"] if with_list else []
                    self.hold(document, backend, name, with_list,
                              self.expected(backend, name, extra))
        if baseline:
            self.check(document)
        self.split(document, words)

    def check(self, document):
        """No list of a baseline is refused between two hosts that provide what it promises."""
        out = self.run("check", "--json", "B.json", *self.files)[1]
        yes = {h["host"] for h in json.loads(out)["hosts"] if h["verdict"] == "yes"}
        for m in document["moves"]:
            # a host without a backend that was not named satisfies, and takes no guest that is on it
            if m["list"] and m["from"] in yes and m["to"] in yes and m["verdict"] == "no" \
               and self.hosts[m["to"]].usable(m["backend"]) is not NO:
                self.fault("check", "%s to %s satisfy, and: %s"
                           % (m["from"], m["to"],
                              [document["findings"][i]["text"] for i in m["why"]]))

    def on(self, files, words):
        out = self.run("intersect", "--json", *words, *files)[1]
        b = json.loads(out)
        return {k for k, v in settings_of(b).items() if v is True and k.split(".")[1] in FEATURES
                } if b["outputs"] else set(), b["verdict"]

    def split(self, document, words):
        groups = document["split"]["groups"]
        hosts = {c["name"]: c["hosts"] for c in document["cohorts"]}
        everyone = self.on(self.files, words)[0]
        for g in groups:
            files = [h + ".json" for c in g["cohorts"] for h in hosts[c]]
            mine, verdict = self.on(files, words)
            gains = {k for k in g["gains"] if k.split(".")[1] in FEATURES}
            self.counts["groups"] += 1
            if g["verdict"] != verdict or g["hosts"] != len(files) or gains != mine - everyone:
                self.fault("split", "%s: %s, and intersect: %s %s"
                           % (files, g, verdict, sorted(mine - everyone)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--abibase", required=True)
    parser.add_argument("--fleets", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", type=int)
    parser.add_argument("--keep")
    o = parser.parse_args()
    material, counts, faults = Material(), collections.Counter(), 0
    seeds = [o.one] if o.one is not None else range(o.seed, o.seed + o.fleets)
    for seed in seeds:
        with tempfile.TemporaryDirectory() as directory:
            if o.keep:
                directory = o.keep
                os.makedirs(directory, exist_ok=True)
            cells = Cells(material, seed, os.path.abspath(o.abibase), directory)
            cells.look()
        counts.update(cells.counts)
        for kind, text in cells.faults:
            faults += 1
            print("FAIL: seed %d: %s: %s" % (seed, kind, text))
    for key in sorted(counts):
        print("%7d %s" % (counts[key], key))
    # a law that nothing was held to proves nothing
    for key in ["moves of hosts that stand for no cohort", "groups"] + \
            ["verdict " + v for v in ("now", "list", "no", "unknown", "none")]:
        if not counts[key] and len(seeds) >= 60:
            faults += 1
            print("FAIL: no %s in %d fleets" % (key, len(seeds)))
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
