# SPDX-License-Identifier: LGPL-2.1-or-later
"""Erase one fact of a host, and hold what is said of it before and after against each other."""
import collections
import copy
import os
import re

from command import Command
from hosts import Maker, REASONS
from model import BY_PROP, Host, NO, SINCE, UNKNOWN, VERSION_1, upstream

# How sentences name a fact: by its id, and in words.
NAMED = {
    "tap.usable": r"(?<!macv)(?<![-+])tap(\.usable| can be made| is usable)|provably no tap",
    "tap.features": r"(?<!macv)tap(\.features\[14\]|-vnet-hdr| has (no )?IFF_VNET_HDR)",
    "tap.offload.ufo": r"(?<!macv)tap(\.offload\.ufo|-ufo| (does not accept|accepts) TUN_F_UFO)",
    "tap.offload.uso": r"(?<!macv)tap(\.offload\.uso| does not accept TUN_F_USO)",
    "tap.offload.udp_tunnel": r"(?<!macv)tap(\.offload\.udp_tunnel| does not accept TUN_F_UDP_TUNNEL)",
    "vhost_net.usable": r"vhost_net\.usable|provably no vhost-net|vhost-net (can|cannot|is) ",
    "vhost_net.features": r"vhost_net\.features\[|vhost-net (has|lacks|does not have) VIRTIO_(F|RING)"
                          r"|vhost-net (lacks|does not have) VIRTIO_NET_F_MRG|virtio-version-1",
    "vhost_net.features_array": r"vhost_net\.features_array\[|UDP_TUNNEL_GSO \(bit 6[57]\)",
    "host.ebpf_rss": r"host\.ebpf_rss|eBPF program",
    "operator.host_mtu": r"operator\.host_mtu|host_mtu",
}
CLAIM = re.compile(r"\b(lacks?|does not (have|accept|know|state)|has (no|not|it|what|another)|provably|holds"
                   r"|every (host|QEMU)|is (on|off|true|false|absent|[0-9]+)|satisfies|states|yes|no"
                   r"|cannot load|can be used|takes it now)\b")
# What only the erased member of a QEMU entry can say
CLAIMS = {"machines": re.compile(r"(have|has) the machine type"),
          "properties": re.compile(r"(does not|know) (have|know)? ?(the property|it)"),
          "values": re.compile(r"has it (on|off)|is (on|off|[0-9]+)\b|has another"),
          "value": re.compile(r"has it (on|off)|is (on|off|[0-9]+)\b|has another")}
HEDGED = re.compile(r"unknown|not known|not recorded|cannot tell|whether|perhaps|may |not asked|does not say"
                    r"|does not state|unless|would|nothing is |\((no-[a-z-]+|not-[a-z-]+)[;)]")
# Advice says what another kernel or QEMU would do, and the price says what guests do without
ADVICE = re.compile(r"\s*(remedy|raise|cost|admit|note:? *|See|Looked at)\b")
# One of explain, which goes on with two spaces before
FINDING = re.compile(r"(unknown|conflict|note): ")


def sentences(text):
    """Lines, with those that go on put together."""
    out = []
    for line in text.splitlines():
        words = " ".join(line.split())
        finding = bool(out) and line.startswith("  ") and FINDING.match(out[-1])
        goes_on = (line.startswith("    ") or finding) and not words.startswith("remedy")
        if out and (goes_on or words.startswith(("for ", "hosts ", "looked at"))) \
           and not words.startswith("-global"):
            out[-1] += " " + words
        elif words:
            out.append(line[:2].strip() and words or "  " + words)
    return out


class Erasure:
    """A host, the same with one fact less, and what the verbs say of both."""

    def __init__(self, material, seed, program, directory):
        self.maker = Maker(material, "erase %d" % seed)
        self.rng = self.maker.rng
        self.run = Command(program, directory)
        self.faults = []
        self.counts = collections.Counter()
        self.maker.wild = 1
        if self.rng.random() < 0.4:
            self.maker.vendor = True
        if self.rng.random() < 0.3:
            self.maker.mtu = 1500
        self.profiles = [self.maker.host("aa"), self.maker.host("bb")]
        while not self.profiles[0].get("qemu"):
            self.profiles[0] = self.maker.host("aa")
        self.machine = self.maker.machine(self.profiles)
        if upstream(self.machine) == (99, 1):
            self.machine = "pc-q35-7.2"

    def fault(self, kind, text):
        self.faults.append(("erase: " + kind, text))

    def erase(self, profile):
        """The profile without a fact; what that is, the pattern that names it, and a word for it."""
        left = copy.deepcopy(profile)
        known = [f for f in NAMED if f in left["facts"] and not isinstance(left["facts"][f], dict)]
        if known and self.rng.random() < 0.6:
            name = self.rng.choice(known)
            if self.rng.random() < 0.5:
                del left["facts"][name]
            else:
                left["facts"][name] = {"unknown": self.rng.choice(REASONS)}
            return left, name, NAMED[name], "fact"
        return self.erase_of_build(left)

    def erase_of_build(self, left):
        entry = self.rng.choice([e for e in left["qemu"] if "version" in e])
        choices = [k for k in ("machines", "values", "properties") if k in entry]
        recorded = dict(entry.get("defaults", {}), **entry.get("values", {}).get(self.machine, {}))
        recorded = sorted(k for k in recorded if k in SINCE)
        if recorded:
            choices += ["value", "value", "property"]
        if not choices:
            del left["qemu"]
            return left, "qemu", r"QEMU|machine type", "qemu"
        what = self.rng.choice(choices)
        version = r"QEMU %s\b.*" % re.escape(entry["version"])
        self.version = entry["version"]
        if what in ("value", "property"):
            key = self.rng.choice(recorded)
            entry.get("defaults", {}).pop(key, None)
            for values in entry.get("values", {}).values():
                values.pop(key, None)
            cls, prop = key.split(".")
            if what == "property":
                entry.get("properties", {}).get(cls, {}).pop(prop, None)
            # a property of one name can be of several classes
            prop = r"\b%s\b" % re.escape(prop)
            return left, key, "%s%s|%s.*%s" % (version, prop, prop, version), what
        if what == "values":
            entry.pop("defaults", None)
        entry.pop(what, None)
        return left, what, version, what

    def known_after(self, profile, name, kind):
        """Is it filled in by version, or stated by another QEMU of the host?"""
        if kind == "fact":
            return False
        if kind == "qemu":
            return False
        for b in Host(profile).builds:
            if b.entry["version"] != self.version:
                continue
            if kind == "machines":
                if b.has_machine(self.machine) is UNKNOWN:
                    return False
            elif kind in ("value", "property"):
                # a class that was asked and does not list it does not have it
                if b.value(name, self.machine) is UNKNOWN:
                    return False
            elif not b.covered(self.machine):
                return False
        return True

    def look(self):
        before, other = self.profiles
        after, name, pattern, kind = self.erase(before)
        self.counts["erased " + kind] += 1
        if self.known_after(after, name, kind):
            self.counts["filled in"] += 1
            return
        self.run.write("before.json", before)
        self.run.write("after.json", after)
        self.run.write("bb.json", other)
        self.name, self.pattern = name, re.compile(pattern)
        for verb, words in self.questions(kind):
            old = self.say(words, "before.json")
            new = self.say(words, "after.json")
            self.counts["questions"] += 1
            self.compare(kind, verb, set(old), new)

    def questions(self, kind):
        """Some verbs, as words in which @ stands for the file."""
        rng = self.rng
        backend = []
        if rng.random() < 0.5:
            backend = ["--backend=" + rng.choice(["tap", "tap+vhost", "macvtap"])]
        # requirements speak of "the tap", whichever it is
        self.other_tap = backend == ["--backend=macvtap"] and not self.name.startswith("macvtap")
        if self.run("intersect", "--json", "-M", self.machine, "-o", "B.json", *backend,
                    "before.json")[0] == 0:
            others = [("check", ["check", "B.json", "@"])]
        else:
            others = []
        taken = BY_PROP.get(self.name.split(".")[-1])
        word = "0x%x" % (rng.getrandbits(70) & 0x1f01c0010139bfffe7 | 1 << VERSION_1
                         | (1 << taken.bit if taken else 0))
        others += [("targets", ["targets", "-M", self.machine, "--backend=tap+vhost",
                                "--from=@", word, "@"]),
                   ("targets", ["targets", "-M", self.machine, "--backend=tap", word, "@"]),
                   ("match", ["match", "--platform=./bb.json", "./@"]),
                   ("explain", ["explain", "@B"])]
        others = others[:2] if kind == "property" else [rng.choice(others)]
        return [("intersect", ["intersect", "-f", "text", "-M", self.machine, *backend, "@"]), *others]

    def say(self, words, file):
        if words[-1] == "@B":
            self.run("intersect", "--json", "-M", self.machine, "-o", "E.json", file)
            words = words[:-1] + ["E.json"]
            if not os.path.exists(os.path.join(self.run.directory, "E.json")):
                return []
        status, out, err = self.run(*(w.replace("@", file) for w in words))
        if status not in (0, 1, 3):
            self.fault("status-%d" % status, err)
        return sentences(out) + sentences(err)

    def compare(self, kind, verb, old, new):
        for text in new:
            if self.other_tap and re.search("tap-(ufo|vnet-hdr) ", text):
                continue
            if ADVICE.match(text) or not self.pattern.search(text) or HEDGED.search(text) \
               or not CLAIMS.get(kind, CLAIM).search(text):
                continue
            row = re.match(r"\s*[-a-z0-9]+ (yes|no) ", text)
            self.fault("%s-%s%s" % (verb, kind, "-requirement-" + row.group(1) if row else ""),
                       "%s: %s%s" % (self.name, "" if text in old else "(new) ", text))
