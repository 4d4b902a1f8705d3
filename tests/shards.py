#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A baseline that is made of parts is the one of all hosts at once, byte for byte.

    shards.py [--abibase FILE] [--fleets N] [--seed N]

Random fleets, in random parts, made into larger parts in random order: "intersect --partial" of
some hosts, of parts, or of both. In the end one call makes the baseline of what is left, with
the wishes of the fleet. It has the bytes, and so the id, and the exit status of one call with
all profiles, as a document and as a list; and so has the widest part. With -M the parts can be
baselines themselves: then it is that, or a refusal which says --partial.
"""
import argparse
import collections
import json
import os
import random
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "fleets"))
from command import Command  # noqa: E402
from hosts import Maker, Material  # noqa: E402

PLATFORMS = ["debian-11", "debian-12", "debian-13", "debian-13-backports", "rhel-9"]
COUNTS = collections.Counter()


class Fleet:
    def __init__(self, material, seed, run):
        self.run = run
        self.rng = random.Random(seed)
        maker = Maker(material, seed)
        hosts = [maker.host("h%02d" % i) for i in range(self.rng.randint(1, 9))]
        if self.rng.random() < 0.05:
            hosts[0]["arch"] = "aarch64"
        self.operands = []
        for host in hosts:
            run.write(host["name"] + ".json", host)
            self.operands.append("./%s.json" % host["name"])
        self.wishes = maker.options([h["name"] for h in hosts])
        self.machine = maker.machine(hosts)
        if self.rng.random() < 0.2:
            self.operands.append(self.rng.choice(PLATFORMS))
        if self.rng.random() < 0.1:
            self.wishes.append("--assume-qemu=" + hosts[-1]["name"])
        self.made = 0

    def shards(self, operands):
        """In any order, in any groups, of which some have a host of another, too."""
        rest = self.rng.sample(operands, len(operands))
        groups = []
        while rest:
            n = self.rng.randint(1, len(rest))
            groups.append(rest[:n] + ([rest[0]] if self.rng.random() < 0.2 else [])
                          + ([self.rng.choice(operands)] if self.rng.random() < 0.2 else []))
            rest = rest[n:]
        return groups

    def part(self, operands, *words):
        self.made += 1
        name = "./part%d.json" % self.made
        status, text, err = self.run("intersect", "--json", *words, *operands)
        if text:
            self.run.write(name, text)
        return name, status, err

    def partial(self, operands):
        name, status, err = self.part(operands, "--partial")
        if status:
            raise AssertionError("--partial: exit status %d: %s" % (status, err))
        COUNTS["partial baselines"] += 1
        return name

    def text(self, name):
        with open(os.path.join(self.run.directory, name), encoding="utf-8") as f:
            return f.read()

    def one_call(self, words):
        return self.run("intersect", "--json", *words, *self.operands)[:2]

    def check(self):
        """With the machine type open, and with -M."""
        for words in (self.wishes, ["-M", self.machine] + self.wishes):
            whole = self.one_call(words)
            COUNTS["status %d" % whole[0]] += 1
            parts = [self.partial(g) for g in self.shards(self.operands)]
            half = self.rng.randint(0, len(parts))
            if half:
                parts = [self.partial(parts[:half])] + parts[half:]
            self.same("of parts", words, whole, parts)
            one = self.partial(parts)
            self.same("of a part of parts", words, whole, [one])
            if self.text(one) != self.text(self.partial(self.operands)):
                raise AssertionError("the part of all hosts is another when it is made of parts")
        self.baselines()

    def same(self, how, words, whole, operands):
        got = self.run("intersect", "--json", *words, *operands)
        if got[:2] != whole:
            raise AssertionError("%s: %s: exit status %d, not %d\n%s" % (
                how, " ".join(words), got[0], whole[0], got[2]))
        lists = [self.run("intersect", *words, *o)[:2] for o in (operands, self.operands)]
        if lists[0] != lists[1]:
            raise AssertionError("%s: %s: another list" % (how, " ".join(words)))

    def baselines(self):
        """Whole baselines as parts, of one machine type."""
        words = ["-M", self.machine] + self.wishes
        made = [self.part(g, *words) for g in self.shards(self.operands)]
        if any(status == 2 for _, status, _ in made):
            # a wish names a host of another part
            for _, status, err in made:
                if status == 2 and "is not among the hosts" not in err:
                    raise AssertionError("a part: %s" % err)
            COUNTS["parts that lack a named host"] += 1
            return
        whole = self.one_call(words)
        got = self.run("intersect", "--json", *words, *[name for name, _, _ in made])
        if got[0] == 2 and "--partial" in got[2]:
            COUNTS["baselines that are no parts"] += 1
        elif got[:2] != whole:
            raise AssertionError("baselines of %s: exit status %d, not %d\n%s" % (
                self.machine, got[0], whole[0], got[2]))
        else:
            COUNTS["baselines of one machine type"] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--abibase", default="./abibase")
    parser.add_argument("--fleets", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    material, bad = Material(), 0
    for seed in range(args.seed, args.seed + args.fleets):
        with tempfile.TemporaryDirectory() as directory:
            try:
                Fleet(material, seed, Command(args.abibase, directory)).check()
            except AssertionError as e:
                bad += 1
                print("FAIL: fleet %d: %s" % (seed, e))
    print("%d fleets, %d differ: %s" % (args.fleets, bad, json.dumps(COUNTS, sort_keys=True)))
    return 1 if bad or min(COUNTS["status 0"], COUNTS["status 1"], COUNTS["status 3"]) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
