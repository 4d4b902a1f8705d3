#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold abibase against a model of its own of what QEMU offers, on random fleets of hosts.

    fleets.py --abibase FILE [--fleets N] [--erasures N] [--seed N] [--jobs N] [--all] [--show FAULT]
    fleets.py --abibase FILE --one SEED [--keep DIR]
    fleets.py --abibase FILE --qemus DIR --fakehost FILE [--starts N]

A fleet is made from its seed: kernels and QEMUs that were recorded, with facts flipped, erased or made
unknown, and QEMUs cut down, left out, or made up. The laws:

- no false yes: where `intersect` says yes, every QEMU of every host starts with the list, and all that
  a guest may have been offered on one host is offered for sure on each other one, and the stream fits;
- where `check` and `targets` say yes, likewise of the host that was asked about;
- what a baseline states is what is offered, and what it says that a host or a QEMU lacks is lacking;
- one question, one answer: `intersect`, `check`, `targets` and `targets --now` do not disagree about one
  host, and the order of hosts does not change a byte;
- a fact that is erased takes with it each sentence that names it (--erasures);
- with --qemus: real QEMUs start with a list, with a network card as users have it, without a word, and
  offer what the baseline states, and what the model says.

What is unknown counts as on where it is offered to a guest, and as off where it is asked of a
destination. The model is written from QEMU's behaviour and shares nothing with the library but names.

Each disagreement has a class. Those of known.py are expected to fail and are counted; any other one fails
the test, and so does one of these of which none was found with --all: then it is to be taken off.
"""
import argparse
import collections
import concurrent.futures
import copy
import fnmatch
import functools
import json
import operator
import os
import re
import sys
import tempfile
import time

from command import Command, globals_of, own_list, settings_of
from erase import Erasure
from hosts import Maker, Material, TESTS, read
from known import KNOWN
from model import BY_PROP, Build, DEVICES, Host, LEGACY, MAC, NET, NO, ROWS, SINCE, UNKNOWN, VERSION_1, \
    ABSENT, YES, kind_of, move_faults, name_of, offer
import start


class Fleet:
    def __init__(self, material, seed, program, directory):
        self.seed = seed
        self.maker = Maker(material, seed)
        self.run = Command(program, directory)
        self.faults = []        # (class, details)
        self.counts = collections.Counter()
        r = self.maker.rng
        names = ["h%d" % i for i in range(r.choice([1, 2, 2, 2, 3, 3, 4]))]
        profiles = [self.maker.host(n) for n in names]
        further = self.maker.host("f")
        if self.maker.chance(0.5):
            # a host that is likely to satisfy
            further = copy.deepcopy(r.choice(profiles))
            further["name"] = "f"
            if self.maker.chance(0.5):
                self.maker.change(further["facts"])
            if self.maker.chance(0.3):
                further["facts"]["operator.host_mtu"] = r.choice([0, 1500, 9000])
            if self.maker.chance(0.4):
                for e in further.get("qemu", []):
                    if "values" in e and "defaults" in e and "properties" in e:
                        self.maker.flip(e)
        for p in profiles + [further]:
            self.run.write(p["name"] + ".json", p)
        self.hosts = [Host(p) for p in profiles]
        self.further = Host(further)
        self.machine = self.maker.machine(profiles)
        self.options = self.maker.options(names)
        self.files = [n + ".json" for n in names]

    BY_RULE = {"enabled-lacks", "enabled-unknown", "number-differs", "number-unknown",
               "requirement-differs", "requirement-unknown", "vendor-machine-unknown"}

    def fault(self, verb, kind, text):
        self.faults.append(("%s: %s" % (verb, kind), text))

    def disagree(self, verbs, host, said, ids):
        """Two verbs about one host; what one of them said, with the ids of its findings."""
        kinds = {i for i in ids if not i.startswith("move-switched")}
        if self.qemu_fault(host, self.machine):
            cause = "no-record"
        elif "value-unknown" in kinds:
            cause = "value-unknown"
        else:
            cause = "+".join(sorted(kinds)) or "nothing"
        self.fault(verbs, "%s-%s" % (said, cause) if cause not in ("no-record", "value-unknown")
                   else cause, "%s: %s, %s" % (host.name, said, sorted(ids)))

    # ------------------------------------------------------------------ one host under one list

    def offers(self, host, machine, backend, settings, common=False):
        """Of each QEMU that may have the machine type; with a list of its own, if not @common."""
        return [offer(host, b, machine, backend, settings if common else own_list(b, machine, settings))
                for b in host.builds if b.has_machine(machine) is not NO]

    def qemu_fault(self, host, machine):
        """Why it is not sure that the host has a QEMU with the machine type."""
        if "qemu" not in host.profile:
            return "no-qemu-member"
        if host.unasked:
            return "qemu-unasked"
        if not host.builds:
            return "qemu-empty"
        states = [b.has_machine(machine) for b in host.builds]
        if YES in states:
            return None
        return "machine-absent" if all(s is NO for s in states) else "machine-unknown"

    def unsound(self, hosts, baseline, settings=None):
        """All that is wrong with a yes for these hosts: (kind, text)."""
        machine, policy = baseline["machine"], baseline["policy"]
        common = settings is not None
        settings = settings_of(baseline) if settings is None else settings
        faults = []
        for h in hosts:
            kind = self.qemu_fault(h, machine)
            if kind:
                faults.append((kind, "%s: %s" % (h.name, machine)))
        nets = [b for b in policy["backends"] if b not in DEVICES]
        for h in hosts:
            if all(h.usable(b) is NO for b in nets):
                faults.append(("backend", "%s has none of %s" % (h.name, nets)))
        hosts = [h for h in hosts if not self.qemu_fault(h, machine)]
        for backend in policy["backends"]:
            offers = []
            for h in hosts:
                if h.usable(backend) is YES and backend not in DEVICES and UNKNOWN in (
                        h.bit(backend.split("+")[0] + ".features", 14),
                        h.fact(backend.split("+")[0] + ".offload.ufo")):
                    faults.append(("requirement-unknown", "%s: %s" % (h.name, backend)))
                usable = h.usable(backend)
                if usable is UNKNOWN or usable is NO and (policy["backends_named"]
                                                           or backend in DEVICES):
                    faults.append(("backend", "%s: %s is %s" % (h.name, backend, usable)))
                if usable is YES:
                    offers += self.offers(h, machine, backend, settings, common)
            for o in offers:
                if o.starts is not YES:
                    faults.append(("start-" + o.cause.split()[0], "%s, %s: %s"
                                   % (o.host.name, backend, o.cause)))
                if o.leaves is not YES:
                    faults.append(("leave", "%s, %s: it is not let go" % (o.host.name, backend)))
                # the network of the host itself has to take what its guests are told
                room = o.host.fact("operator.host_mtu")
                if o.mtu and o.mtu != ABSENT and (room is UNKNOWN or room < o.mtu):
                    faults.append(("mtu", "%s: told %s" % (o.host.name, o.mtu)))
            dest = policy["dest"]
            for a in offers:
                for b in offers:
                    if a is b or dest and b.host.name not in dest:
                        continue
                    faults += [(k, "%s -> %s, %s: %s" % (a.host.name, b.host.name, backend, what))
                               for k, what in move_faults(a, b)]
            faults += self.misstated(offers, baseline, backend)
            faults += self.not_alike(offers)
        return faults

    @staticmethod
    def not_alike(offers):
        """A baseline has one word for all its hosts, whichever of them are destinations."""
        some = functools.reduce(operator.or_, (o.least() for o in offers), 0) & ~LEGACY
        return [("not-alike", "%s, %s: not %s" % (o.host.name, o.backend, name_of(b)))
                for o in offers for b in range(128) if (some & ~o.most()) >> b & 1]

    def misstated(self, offers, baseline, backend):
        stated = next((b["offered"] for b in baseline["backends"] if b["name"] == backend), None)
        if stated is None:
            return []
        stated = int(stated, 16)
        faults = []
        for o in offers:
            low, high = o.least() & ~LEGACY, o.most() & ~LEGACY
            wrong = (low & ~stated) | (stated & ~high)
            for bit in (b for b in o.bits if wrong >> b & 1):
                kind = "mac" if bit == MAC else "of-a-legacy-device" if o.modern is NO else "wrong"
                faults.append(("stated-" + kind, "%s, %s: %s is %s"
                               % (o.host.name, backend, name_of(bit), o.bits[bit])))
        return faults

    # ------------------------------------------------------------------ verbs

    def look(self):
        self.counts["fleets"] += 1
        words = ["-M", self.machine] + self.options
        status, out, err = self.run("intersect", "--json", *words, *self.files)
        if status not in (0, 1, 3) or not out:
            self.fault("intersect", "status-%d" % status, err)
            return
        self.baseline = json.loads(out)
        self.run.write("B.json", out)
        self.words = words
        verdict = self.baseline["verdict"]
        self.counts["verdict " + verdict] += 1
        # a yes may be one without a common list, or without a sure one
        if {"yes": 0, "no": 1, "unknown": 3}[verdict] != status and verdict != "yes":
            self.fault("intersect", "status-verdict", "%s and %d" % (verdict, status))
        self.order(words, out)
        self.reasons()
        if verdict == "yes":
            settings = self.list(words)
            wrong = self.unsound(self.hosts, self.baseline, settings)
            for kind, text in wrong:
                self.fault("intersect", kind, text)
            if settings is not None and self.maker.chance(0.2):
                self.minimal(words, wrong)
            self.check()
        elif self.baseline["machine"] and not self.unsound(self.hosts, self.baseline):
            # not by what is asked for by name, nor where all or none is asked of hosts and of numbers
            kind = {"no": "conflict", "unknown": "unknown"}[verdict]
            ids = {f["id"] for f in self.baseline["findings"] if f["kind"] == kind} - self.BY_RULE
            if ids:
                self.fault("intersect-false-" + verdict, "+".join(sorted(ids)), "")
        self.targets()
        if self.maker.chance(0.3):
            self.match()
        if self.maker.chance(0.3) and self.baseline["machine"]:
            status, out, err = self.run("explain", "--json", "B.json")
            if status != 0:
                self.fault("explain", "status-%d" % status, err)

    def order(self, words, out):
        files = list(reversed(self.files))
        if self.maker.chance(0.2):
            files.append(self.maker.rng.choice(files))
        if self.maker.chance(0.1) and len(files) == len(self.files) > 1:
            # one after the other
            self.run("intersect", "--json", "-o", "one.json", *words, files[0])
            if os.path.exists(os.path.join(self.run.directory, "one.json")):
                again = self.run("intersect", "--json", *[w for w in words if w.startswith("--dest")],
                                 "one.json", *files[1:])[1]
                if again and json.loads(again)["verdict"] == self.baseline["verdict"] == "yes" \
                   and json.loads(again)["id"] != self.baseline["id"]:
                    self.fault("order", "one-after-the-other", "")
        if len(files) > 1:
            again = self.run("intersect", "--json", *words, *files)[1]
            if again != out:
                where = [k for k in self.baseline if json.loads(again)[k] != self.baseline[k]] \
                    if again else ["nothing"]
                self.fault("order", ",".join(where), "")

    def minimal(self, words, wrong):
        """The short list does the same as the whole one."""
        status, out, err = self.run("intersect", "--minimal", *words, *self.files)
        if status != 0:
            self.fault("minimal", "status-%d" % status, err)
            return
        for kind, text in self.unsound(self.hosts, self.baseline, globals_of(out)):
            if (kind, text) not in wrong:
                self.fault("minimal", kind, text)

    def list(self, words):
        """The printed list; None if there is no common one, and then those --for each host."""
        status, out, err = self.run("intersect", *words, *self.files)
        if status == 0:
            if globals_of(out) != settings_of(self.baseline):
                extra = set(globals_of(out)) ^ set(settings_of(self.baseline))
                # a property that no QEMU has need not be named
                if not extra or any(k in globals_of(out) for k in extra):
                    self.fault("list", "not-the-baseline", str(sorted(extra)))
            return globals_of(out)
        if status not in (1, 3):
            self.fault("list", "status-%d" % status, err)
        self.counts["no common list"] += 1
        for h in self.hosts:
            if len(h.builds) != 1:
                continue
            status, out, err = self.run("intersect", "--for", h.name, "B.json")
            if status != 0:
                self.fault("for", "status-%d" % status, err)
                continue
            for backend in self.baseline["policy"]["backends"]:
                for o in self.offers(h, self.machine, backend, globals_of(out), True):
                    if o.starts is not YES and h.usable(backend) is YES:
                        self.fault("for", "start-" + o.cause.split()[0], "%s: %s" % (h.name, o.cause))
        # each host is then as with the whole list, but for what its QEMU does not know
        return None

    def reasons(self):
        """What a baseline says that a host lacks is lacking there, and unknown what it says is."""
        hosts = {h.name: h for h in self.hosts}
        cohorts = {min(c["hosts"]): c["hosts"] for c in self.baseline["inputs"]}
        for value in self.baseline["outputs"][0]["values"]:
            key = value["class"] + "." + value["property"]
            for why in value.get("why", []):
                for name in (n for c in why.get("cohorts", []) for n in cohorts[c]):
                    if name not in hosts:
                        continue
                    h = hosts[name]
                    state = self.condition_of(h, why.get("what", ""))
                    if why["reason"] == "host-lacks" and state not in (NO, "other"):
                        self.fault("reason", "host-lacks", "%s: %s of %s" % (name, why, key))
                    if why["reason"] == "host-unknown" and state not in (UNKNOWN, "other"):
                        self.fault("reason", "host-unknown", "%s: %s of %s" % (name, why, key))
            defaults = value["defaults"]
            absent = defaults.get("absent", []) if isinstance(defaults, dict) else \
                self.baseline["used"] if defaults == "absent" else []
            for build in absent:
                entry = self.baseline["builds"].get(build)
                if entry and key in SINCE and Build(entry).has(key, self.machine) is not NO:
                    self.fault("reason", "qemu-lacks", "%s: %s" % (entry.get("version"), key))

    @staticmethod
    def condition_of(host, what):
        m = re.fullmatch(r"([a-z_.0-9]+)\[([0-9]+)\]", what)
        if m:
            return host.bit(m.group(1), int(m.group(2)))
        if re.fullmatch(r"[a-z_0-9]+(\.[a-z_0-9]+)+", what) and not what.startswith("operator"):
            return host.fact(what)
        return "other"

    def words_of(self, verb, operands, expected):
        """The text for people says of each host what the document says."""
        if not self.maker.chance(0.15):
            return
        # the first line has those that do not and those of which it cannot be told, later ones the rest
        out = re.sub(r"\n(?: {11}|  (?=\S))(?=.*)", lambda m: " " if len(m[0]) > 3 else m[0],
                     self.run(verb, *operands)[1])
        head, _, rest = re.sub(r"\n  (?=\S+, |\S+; |\S+$)", " ", out, count=1).partition("\n")
        no, _, unknown = head.partition("cannot tell")
        said = {"no": no if no.startswith("no: ") else "", "unknown": unknown}
        for name, verdict in expected.items():
            line = "^  %s +(.*[ ,])?%s\\b" % (verdict, re.escape(name))
            if not re.search(r"\b%s\b" % re.escape(name), said.get(verdict, "")) \
               and not re.search(line, rest, re.M) and not head.startswith("yes: "):
                self.fault("words", verb + "-" + verdict, name)

    def without_inputs(self):
        """A baseline without its hosts says the same of a host that is none of them."""
        if self.baseline["policy"]["dest"] or not self.maker.chance(0.5):
            return
        status, out, err = self.run("intersect", "--no-inputs", "--json", *self.words, *self.files)
        if not out or json.loads(out)["id"] != self.baseline["id"] or "inputs" in json.loads(out):
            self.fault("no-inputs", "status-%d" % status, err)
            return
        self.run.write("N.json", out)
        status, out, err = self.run("check", "--json", "N.json", "f.json")
        verdict = json.loads(out)["hosts"][0]["verdict"] if out else "nothing"
        self.counts["check f without inputs"] += 1
        if verdict != self.checked["f"]:
            self.fault("no-inputs", "%s-%s" % (self.checked["f"], verdict), err)

    def check(self):
        status, out, err = self.run("check", "--json", "B.json", *self.files, "f.json")
        if status not in (0, 1, 3) or not out:
            self.fault("check", "status-%d" % status, err)
            return
        verdicts = {h["host"]: h for h in json.loads(out)["hosts"]}
        self.checked = {n: v["verdict"] for n, v in verdicts.items()}
        self.words_of("check", ["B.json", *self.files, "f.json"], self.checked)
        for h in self.hosts:
            if self.checked[h.name] != "yes":
                self.disagree("check-input", h, self.checked[h.name],
                              {f["id"] for f in verdicts[h.name]["findings"] if f["kind"] != "note"})
        self.counts["check f " + self.checked["f"]] += 1
        # a check is of both directions
        if self.checked["f"] == "no" and not self.baseline["policy"]["dest"] \
           and not self.unsound(self.hosts + [self.further], self.baseline):
            self.disagree("check-false-no", self.further, "no",
                          {f["id"] for f in verdicts["f"]["findings"] if f["kind"] == "conflict"})
        if self.checked["f"] == "yes":
            for kind, text in self.unsound(self.hosts + [self.further], self.baseline):
                if not any(text == t for c, t in self.faults):
                    self.fault("check", kind, text)
        self.without_inputs()
        status, out, err = self.run("intersect", "--json", "B.json", "f.json")
        if out:
            wider = json.loads(out)
            same = wider["id"] == self.baseline["id"] and wider["verdict"] == "yes"
            if same != (self.checked["f"] == "yes") and not (
                    same and settings_of(wider) != settings_of(self.baseline)) \
               and not self.is_said(wider, err):
                self.disagree("check-intersect", self.further, self.checked["f"], self.wider_by(wider)
                              | {f["id"] for f in verdicts["f"]["findings"] if f["kind"] != "note"})
            admit = verdicts["f"].get("admit_id")
            if admit and wider["verdict"] == "yes" and wider["id"] != admit:
                self.fault("check-intersect", "admit-id", "f")

    def wider_by(self, wider):
        """What a wider baseline has otherwise."""
        old, new = settings_of(self.baseline), settings_of(wider)
        changed = {key for key in old if old[key] is True and new.get(key) is not True}
        if new.get(NET + "host_mtu") != old.get(NET + "host_mtu"):
            changed.add(NET + "host_mtu")
        return changed

    def is_said(self, wider, err):
        """Nothing of it changes without a word, where the host satisfies."""
        note = " ".join(err.split()).partition("[widening-changes-id]")
        note = note[0] if note[1] else ""
        changed = self.wider_by(wider)
        return self.checked["f"] == "yes" and changed and all(key in note for key in changed)

    # ------------------------------------------------------------------ guests

    def targets(self):
        """A guest that took all that it was offered, with the list, or without."""
        if self.baseline["verdict"] == "yes":
            self.guest_of_list()
        if self.maker.chance(0.8):
            self.guest_without_list()

    def source(self, settings, backends):
        for backend in backends:
            for h in self.hosts:
                # by its version alone a guest says in which it runs
                if h.usable(backend) is not YES or len({b.version for b in h.builds}) < len(h.builds):
                    continue
                for o in self.offers(h, self.machine, backend, settings):
                    if o.starts is YES and o.build.has_machine(self.machine) is YES:
                        return o
        return None

    def guest_of(self, offer, negotiated):
        device = {"class": "virtio-net-device", "backend": offer.backend,
                  "negotiated": "0x%x" % negotiated, "offered": "0x%x" % offer.least()}
        if offer.queues:
            device["queue_sizes"] = offer.queues
        if offer.mtu:
            device["mtu"] = offer.mtu
        return {"schema": "abibase-guest/1", "machine": offer.machine,
                "qemu": offer.build.entry["version"], "devices": [device]}

    def ask(self, name, guest, *words):
        self.run.write(name, guest)
        status, out, err = self.run("targets", "--json", *words, "./" + name, *self.files, "f.json")
        if status not in (0, 1, 3) or not out:
            self.fault("targets", "status-%d" % status, err)
            return {}
        answer = {h["host"]: h for h in json.loads(out)["hosts"]}
        self.words_of("targets", [*words, "./" + name, *self.files, "f.json"],
                      {n: h["verdict"] for n, h in answer.items()})
        worst = {"now": 0, "list": 0, "no": 1, "unknown": 3}
        codes = {worst[h["verdict"]] for h in answer.values()}
        if status != (1 if 1 in codes else max(codes)):
            self.fault("targets", "status-verdict", "%d of %s" % (status, codes))
        return answer

    def judge(self, verb, source, negotiated, answer, settings):
        sizes = [source.queue] if source.queue is not UNKNOWN else None
        for h in self.hosts + [self.further]:
            verdict = answer[h.name]["verdict"]
            self.counts["%s %s" % (verb, verdict)] += 1
            if verdict == "no" and not self.qemu_fault(h, self.machine) \
               and h.usable(source.backend) is YES and all(
                   o.starts is YES and not move_faults(source, o, negotiated, sizes)
                   for o in self.offers(h, self.machine, source.backend, settings)):
                self.disagree(verb + "-false-no", h, "no", {f["id"] for f in answer[h.name]["findings"]})
            self.judge_qemus(verb, source, negotiated, answer[h.name], settings, h)

    def judge_qemus(self, verb, source, negotiated, answer, settings, h):
        """With each QEMU of the host that has the machine type; each has an answer and a list of its own."""
        sizes = [source.queue] if source.queue is not UNKNOWN else None
        yes = answer["verdict"] in ("now", "list")
        kind = self.qemu_fault(h, self.machine)
        if yes and kind:
            self.fault(verb, kind, h.name)
        if yes and h.usable(source.backend) is not YES:
            self.fault(verb, "backend", h.name)
        several = [answer] + answer.get("others", [])
        self.counts["answers of one of several QEMUs"] += len(several) if len(several) > 1 else 0
        for build in (b for b in h.builds if b.has_machine(self.machine) is not NO):
            a = self.answer_with(answer, build)
            if not a:
                self.fault(verb, "qemu-not-named", "%s: %s" % (h.name, build.entry["version"]))
            elif a["verdict"] in ("now", "list") and h.usable(source.backend) is YES:
                self.judge_qemu(verb, source, negotiated, sizes, a, settings, h, build)
            elif yes:
                self.fault(verb, "one-qemu-" + a["verdict"], h.name)

    @staticmethod
    def answer_with(answer, build):
        """That of a host with one of its QEMUs; several with equal names are rare, and the first counts."""
        for a in [answer] + answer.get("others", []):
            if all(a["qemu"].get(k) == build.entry.get(k) for k in ("version", "path", "package")):
                return a
        return None

    def judge_qemu(self, verb, source, negotiated, sizes, answer, settings, h, build):
        own = dict(settings)
        if answer["verdict"] == "list":
            own.update(globals_of("\n".join("-global " + w for w in answer["rescue"])))
        o = offer(h, build, self.machine, source.backend, own_list(build, self.machine, own))
        faults = [(k, w) for k, w in move_faults(source, o, negotiated, sizes)
                  if k != "opt-in" or w not in self.given(source, o)]
        if o.starts is not YES:
            faults.append(("start-" + o.cause.split()[0], o.cause))
        for kind, what in faults:
            self.fault(verb, kind, "%s -> %s, %s, %s: %s" % (source.host.name, h.name, build.entry["version"],
                                                            source.backend, what))

    @staticmethod
    def given(source, destination):
        """What is off in both and yet negotiated stands in the options of the device."""
        return {r.prop for r in ROWS if not r.default and source.effective(NET + r.prop) in (NO, ABSENT)
                and destination.effective(NET + r.prop) in (NO, ABSENT)}

    def guest_of_list(self):
        settings = settings_of(self.baseline)
        source = self.source(settings, self.baseline["policy"]["backends"])
        if not source:
            return
        negotiated = source.least()
        guest = self.guest_of(source, negotiated)
        words = ["--baseline=B.json", "--from=%s.json" % source.host.name]
        answer = self.ask("with.json", guest, *words)
        if not answer:
            return
        self.judge("targets", source, negotiated, answer, settings)
        for h in self.hosts:
            if h.usable(source.backend) is YES and answer[h.name]["verdict"] != "now" \
               and (not self.baseline["policy"]["dest"] or h.name in self.baseline["policy"]["dest"]):
                self.disagree("targets-intersect", h, answer[h.name]["verdict"],
                              {f["id"] for f in answer[h.name]["findings"]})
        checked = getattr(self, "checked", {}).get("f")
        if checked == "yes" and answer["f"]["verdict"] != "now" \
           and not self.baseline["policy"]["dest"] and self.further.usable(source.backend) is YES:
            self.disagree("check-targets", self.further, answer["f"]["verdict"],
                          {f["id"] for f in answer["f"]["findings"]})
        self.check_now("with.json", words, answer)

    def check_now(self, name, words, answer):
        """With --now the answer is the same, and the exit status is that of who takes it without a list."""
        if not self.maker.chance(0.4):
            return
        status, out, err = self.run("targets", "--now", "--json", *words, "./" + name, *self.files, "f.json")
        if status not in (0, 1, 3) or not out:
            self.fault("now", "status-%d" % status, err)
            return
        verdicts = {h["host"]: h["verdict"] for h in json.loads(out)["hosts"]}
        if verdicts != {h: a["verdict"] for h, a in answer.items()}:
            self.fault("now", "another-answer", name)
        said = set(verdicts.values())
        # of a list that may not be enough it cannot be told, and without one the host does not take it
        want = (1,) if said & {"no", "list"} else (1, 3) if "unknown" in said else (0,)
        if status not in want:
            self.fault("now", "status-%d-of-%s" % (status, "-".join(sorted(said))), name)

    def guest_without_list(self):
        r = self.maker.rng
        backend = r.choice(["tap", "tap+vhost", "tap+vhost", "macvtap+vhost"])
        source = self.source({}, [backend])
        if not source:
            return
        negotiated = source.least()
        how = r.random()
        if how < 0.15:
            negotiated &= 0xffffffff         # a driver of the legacy interface
        else:
            negotiated &= ~LEGACY
            if how < 0.5:
                for _ in range(r.randint(1, 6)):
                    negotiated &= ~(1 << r.randrange(128))
                negotiated |= 1 << VERSION_1 if source.modern is YES else 0
        guest = self.guest_of(source, negotiated)
        words = ["--from=%s.json" % source.host.name]
        if self.maker.chance(0.3) and len(source.host.builds) == 1:
            # how a guest is told by hand
            del guest["qemu"]
            guest["devices"][0].pop("queue_sizes", None)
            guest["devices"][0].pop("offered")
        answer = self.ask("without.json", guest, *words)
        if not answer:
            return
        self.judge("move", source, negotiated, answer, {})
        me = self.answer_with(answer[source.host.name], source.build)
        if me["verdict"] == "unknown" and source.queue is not UNKNOWN \
           and UNKNOWN not in (source.vnet, source.ufo, *source.layout.values()) \
           and not any(isinstance(s, str) for s in source.bits.values()):
            self.disagree("move-to-itself", source.host, "unknown", {f["id"] for f in me["findings"]})
        self.check_now("without.json", words, answer)

    # ------------------------------------------------------------------ match

    CONDITIONS = ["tap.usable", "tap.features[14]", "tap.offload.ufo", "tap.offload.uso",
                  "tap.offload.udp_tunnel", "vhost_net.usable"] \
        + ["vhost_net.features[%d]" % b for b in (15, 24, 28, 29, 32, 33, 34, 35, 40)] \
        + ["vhost_net.features_array[%d]" % b for b in (65, 67)]

    def match(self):
        platform = self.maker.rng.choice(self.hosts)
        status, out, err = self.run("match", "--json", "--platform=./%s.json" % platform.name,
                                    "./f.json")
        if status not in (0, 1, 3) or not out:
            self.fault("match", "status-%d" % status, err)
            return
        answer = json.loads(out)["platforms"][0]
        self.counts["match " + answer["verdict"]] += 1
        wanted = {c: self.condition_of(self.further, c) for c in self.CONDITIONS
                  if self.condition_of(platform, c) is YES}
        if answer["verdict"] == "yes":
            for c, state in wanted.items():
                if state is not YES:
                    self.fault("match", "lacks" if state is NO else "unknown", "%s: %s" % (c, state))


# ------------------------------------------------------------------------------------ the runs

def one_fleet(task):
    program, seed, keep = task
    with tempfile.TemporaryDirectory(prefix="abibase-fleet.") as directory:
        if keep:
            os.makedirs(keep, exist_ok=True)
            directory = keep
        fleet = Fleet(Material.cached(), seed, program, directory)
        fleet.look()
    return seed, fleet.faults, fleet.counts, fleet.run.runs, [fleet.machine] + fleet.options


def one_erasure(task):
    program, seed, keep = task
    with tempfile.TemporaryDirectory(prefix="abibase-fleet.") as directory:
        if keep:
            os.makedirs(keep, exist_ok=True)
            directory = keep
        erasure = Erasure(Material.cached(), seed, program, directory)
        erasure.look()
    return seed, erasure.faults, erasure.counts, erasure.run.runs, [erasure.machine]


def cached():
    if not hasattr(Material, "it"):
        Material.it = Material()
    return Material.it


Material.cached = staticmethod(cached)


# The rows of tests/data/offered-features.json: backend and what is set
OFFERS = {"tap-off": ("tap", ""), "tap-on": ("tap+vhost", ""), "macvtap-off": ("macvtap", ""),
          "macvtap-on": ("macvtap+vhost", ""), "opt-off": ("tap", "packed in_order"),
          "opt-on": ("tap+vhost", "packed in_order"), "rss-off": ("tap", "mq rss hash"),
          "rss-on": ("tap+vhost", "mq rss hash")}


def model_faults():
    """The model against what real QEMUs offered in real kernels."""
    material = Material.cached()
    document = read(os.path.join(TESTS, "data", "offered-features.json"))
    by_package = {e["package"].split()[-1]: e for e in material.builds.values()}
    faults, rows = [], 0
    for row in document["rows"]:
        if row["backend"] not in OFFERS:
            continue
        kernel = next(k for k in material.kernels
                      if k["name"] == "linux-" + ".".join(row["kernel"].split(".")[:2]))
        backend, on = OFFERS[row["backend"]]
        build = Build(by_package[document["qemu_packages"][row["qemu"]]])
        settings = {NET + p: True for p in on.split() if build.has(NET + p, row["machine"])}
        o = offer(Host(kernel), build, row["machine"], backend, settings)
        offered = int(row["offered"], 16)
        if o.least() & ~LEGACY & ~offered or offered & ~o.most():
            faults.append("%s: 0x%x to 0x%x" % (row, o.least(), o.most()))
        rows += 1
    return faults, rows


class Verdict:
    """Counts classes, and tells the known ones from the others."""

    def __init__(self, show):
        self.classes = collections.defaultdict(list)
        self.counts = collections.Counter()
        self.show = show

    def add(self, where, faults):
        for name in sorted({f[0] for f in faults}):
            text = next(t for n, t in faults if n == name)
            self.classes[name].append((where, text))

    def print_class(self, name, most):
        for where, text in self.classes[name][:most]:
            print("    %s: %s: %s" % (where, name, " ".join(text.split())[:300]))

    def report(self, whole):
        """Is there a class that is not known, or a known fault that is not found any more?"""
        left = set(self.classes)
        failed = False
        for name, text, patterns in KNOWN:
            mine = {c for c in left if any(fnmatch.fnmatchcase(c, p) for p in patterns)}
            left -= mine
            if mine:
                print("XFAIL: %s: %d: %s" % (name, sum(len(self.classes[c]) for c in mine), text))
            elif whole:
                failed = True
                print("XPASS: %s: not found any more; take it off the list" % name)
            for c in sorted(mine):
                if self.show == name:
                    self.print_class(c, 12)
        for c in sorted(left):
            failed = True
            print("FAIL: %s: %d" % (c, len(self.classes[c])))
            self.print_class(c, 3)
        print(", ".join("%s: %d" % c for c in sorted(self.counts.items())))
        return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--abibase", required=True)
    parser.add_argument("--fleets", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--one", type=int)
    parser.add_argument("--erasures", type=int, default=0)
    parser.add_argument("--keep")
    parser.add_argument("--qemus")
    parser.add_argument("--fakehost")
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--show")
    args = parser.parse_args()
    program = os.path.abspath(args.abibase)
    if args.qemus:
        return start.starts(args)
    if args.one is not None:
        print(*(one_erasure if args.erasures else one_fleet)((program, args.one, args.keep)), sep="\n")
        return 0
    wrong, rows = model_faults()
    for fault in wrong:
        print("FAIL: the model is wrong: " + fault)
    print("%d recorded offers are as the model says" % (rows - len(wrong)))
    verdict = Verdict(args.show)
    begin = time.monotonic()
    tasks = [(program, args.seed + i, None) for i in range(args.fleets)]
    erasures = [(program, args.seed + i, None) for i in range(args.erasures)]
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        for name, function, work in (("fleet", one_fleet, tasks), ("erasure", one_erasure, erasures)):
            for seed, faults, counts, runs, _ in pool.map(function, work, chunksize=10):
                verdict.add("%s %d" % (name, seed), faults)
                verdict.counts.update(counts)
                verdict.counts["runs of abibase"] += runs
    failed = verdict.report(args.all)
    print("%.0f s" % (time.monotonic() - begin))
    return 1 if failed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
