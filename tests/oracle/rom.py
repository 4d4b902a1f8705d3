#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two hosts whose ROM files for network cards are not of one size, with real QEMUs.

    rom.py --qemus DIR --abibase FILE

The file is Debian's, and the same with zeros up to 512 KiB, as Ubuntu's is long. Both hosts are probed as
a user would do it, and what is recorded is what QEMU says of a card that it has made. Then guests that
never ran are moved, in both directions:

1. without a list the move fails, with the list for both hosts it works: QEMU 7.2, 10.0, 11.1, a card of
   each kind, one that is plugged in, and one that has no ROM;
2. QEMU 5.2 has no property: refused, with what to do, and that works; where its file is the larger one,
   each host's own list works;
3. `abibase targets` finds the list that lets a running guest in where the file is larger, and says where
   there is none.

Exit status 1 with what is not so.
"""
import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tools")]
import canonical  # noqa: E402
import fakehost  # noqa: E402
import guest  # noqa: E402

KERNEL = "6.12"
SMALL, LARGE = 262144, 524288
FILE = "efi-virtio.rom"
PLACES = ("/usr/share/qemu", "/usr/lib/ipxe/qemu")
MISMATCH = "Size mismatch"


class Fault(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Fault(text)


class Host:
    """A QEMU with a ROM file of this size."""

    def __init__(self, test, suite, size):
        self.name = "%s-%d" % (suite, size >> 10)
        self.suite = suite
        self.size = size
        self.binary = test.binaries[suite]
        self.roms = os.path.join(test.directory, self.name)
        self.test = test
        os.mkdir(self.roms)
        root = self.binary.root
        found = [root + p + "/" + FILE for p in PLACES if os.path.exists(root + p + "/" + FILE)]
        with open(found[0], "rb") as f:
            rom = f.read()
        expect(len(rom) <= SMALL, "%s has %d bytes" % (found[0], len(rom)))
        with open(os.path.join(self.roms, FILE), "wb") as f:
            f.write(rom.ljust(size, b"\0"))
        # the first place with a file of this name is the one
        self.command = self.binary.command + ["-L", self.roms]
        for place in ("/usr/share/seabios",) + PLACES:
            self.command += ["-L", root + place]
        self.profile = self.probe()

    def probe(self):
        script = os.path.join(self.test.directory, "qemu-" + self.name)
        with open(script, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexport QEMU_MODULE_DIR=%s\nunset LD_LIBRARY_PATH\nexec %s \"$@\"\n"
                    % (self.binary.environment["QEMU_MODULE_DIR"], " ".join(self.command)))
        os.chmod(script, 0o755)
        machines = ["-M", "pc-q35-5.2"] + ([] if self.suite == "bullseye" else ["-M", "pc-q35-7.2"])
        status, out = self.test.run("probe", "--no-cache", "--only=qemu", "--qemu", script,
                                    "--name", self.name, *machines)
        expect(status == 0, "%s was not probed" % self.name)
        profile = fakehost.profile(KERNEL)
        profile["name"] = self.name
        profile["qemu"] = json.loads(out)["qemu"]
        for machine, shape in profile["qemu"][0]["shape"].items():
            recorded = shape["any"].get("rom_size")
            expect(recorded == self.size, "%s: a ROM of %s was recorded" % (self.name, recorded))
            expect(self.says(machine) in (None, recorded), "%s says another size" % self.name)
        path = os.path.join(self.test.directory, self.name + ".json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(canonical.dumps(profile))
        return path

    def start(self, machine, options):
        return subprocess.Popen(self.command + ["-no-user-config", "-nodefaults", "-display", "none",
                                                "-S", "-M", machine, "-accel", "tcg", "-m", "32",
                                                "-qmp", "stdio"] + options,
                                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.binary.environment)

    def says(self, machine):
        """What the property of a card is that exists; None: there is no such property."""
        process = self.start(machine, ["-device", "virtio-net-pci,id=abi"])
        try:
            monitor = guest.Monitor(process)
            return monitor.run("qom-get", path="abi", property="romsize")
        except guest.Trouble:
            return None
        finally:
            process.kill()
            process.communicate()

    def stream(self, machine, options, uri, incoming, plug=None):
        """What went wrong, or None."""
        process = self.start(machine, options + (["-incoming", "defer"] if incoming else []))
        try:
            monitor = guest.Monitor(process)
            if plug:
                monitor.run("device_add", **plug)
            monitor.run("migrate-incoming" if incoming else "migrate", uri=uri)
            monitor.wait_migrated()
            return None
        except guest.Trouble as e:
            process.kill()
            return str(e) + process.communicate()[1]
        finally:
            process.kill()
            process.communicate()


class Test:
    def __init__(self, args, directory):
        self.abibase = args.abibase
        self.directory = directory
        suites = ("bullseye", "bookworm", "trixie", "trixie-backports")
        self.binaries = {s: guest.Binary(os.path.join(args.qemus, s)) for s in suites}
        self.hosts = {(s, size): Host(self, s, size) for s in suites for size in (SMALL, LARGE)}
        self.moves = 0

    def run(self, *words):
        p = subprocess.run([self.abibase, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, cwd=self.directory, timeout=120)
        self.said = p.stderr
        return p.returncode, p.stdout

    def list(self, machine, hosts, *more):
        status, out = self.run("intersect", "-M", machine, "--backend", "tap", *more,
                               *(h.profile for h in hosts))
        return status, out.split()

    def move(self, machine, source, target, lists, device="virtio-net-pci", plugged=False, more=""):
        """What went wrong there, or None."""
        stream = os.path.join(self.directory, "stream")
        card = "%s,id=n,addr=5%s" % (device, more)
        words = [l + ["-device", card] for l in lists]
        plug = None
        if plugged:
            words[0] = lists[0]
            plug = {"driver": device, "id": "n", "addr": "5"}
        self.moves += 1
        wrong = source.stream(machine, words[0], "exec:cat > " + stream, False, plug)
        expect(wrong is None, "%s: not saved: %s" % (source.name, wrong))
        return target.stream(machine, words[1], "exec:cat " + stream, True)

    def both(self, machine, a, b, lists, works, **how):
        for (x, y), l in (((a, b), lists), ((b, a), lists[::-1])):
            wrong = self.move(machine, x, y, l, **how)
            words = "%s to %s with %s, %s: %s" % (x.name, y.name, l, how, wrong)
            expect((wrong is None) == works, words)
            expect(works or MISMATCH in wrong, words)

    def common_list(self):
        for suite in ("bookworm", "trixie", "trixie-backports"):
            a, b = self.hosts[suite, SMALL], self.hosts[suite, LARGE]
            for machine, device, plugged in (("pc-q35-7.2", "virtio-net-pci", False),
                                             ("pc-q35-7.2", "virtio-net-pci-non-transitional", False),
                                             ("pc-q35-7.2", "virtio-net-pci-transitional", False),
                                             ("pc-i440fx-7.2", "virtio-net-pci", True)):
                status, both = self.list("pc-q35-7.2", (a, b))
                setting = "virtio-net-pci-base.romsize=%d" % LARGE
                expect(status == 0 and setting in both, "%s: %s" % (suite, self.said))
                how = {"device": device, "plugged": plugged}
                self.both(machine, a, b, ([], []), False, **how)
                self.both(machine, a, b, (both, both), True, **how)
            for more in (",romfile=", ",rombar=0"):
                for lists in (([], []), (both, both), (both, [])):
                    self.both("pc-q35-7.2", a, b, lists, True, more=more)
        # across builds
        names = ("bookworm", "trixie", "trixie-backports")
        for x, y in itertools.permutations(names, 2):
            if (x, y) == ("trixie", "trixie-backports"):
                continue  # refused for its queues
            a, b = self.hosts[x, SMALL], self.hosts[y, LARGE]
            status, both = self.list("pc-q35-7.2", (a, b), "--dest", b.name)
            expect(status == 0, self.said)
            wrong = self.move("pc-q35-7.2", a, b, (both, both))
            expect(wrong is None, "%s to %s: %s" % (a.name, b.name, wrong))

    def before_6_0(self):
        old, large = self.hosts["bullseye", SMALL], self.hosts["trixie", LARGE]
        status, _ = self.list("pc-q35-5.2", (old, large))
        expect(status == 1 and "[size-differs]" in self.said and "romfile=" in self.said, self.said)
        self.both("pc-q35-5.2", old, large, ([], []), False)
        status, both = self.list("pc-q35-5.2", (old, large), "--disable", "option-rom")
        expect(status == 0 and "romsize" not in " ".join(both), self.said)
        self.both("pc-q35-5.2", old, large, (both, both), True, more=",romfile=")
        # the larger file is where no property is
        old, small = self.hosts["bullseye", LARGE], self.hosts["trixie", SMALL]
        lists = []
        for h in (old, small):
            status, own = self.list("pc-q35-5.2", (old, small), "--for", h.name)
            expect(status == 0, self.said)
            lists.append(own)
        self.both("pc-q35-5.2", old, small, ([], []), False)
        self.both("pc-q35-5.2", old, small, lists, True)
        # the same file on both: what is not told is not needed
        old = self.hosts["bullseye", SMALL]
        status, both = self.list("pc-q35-5.2", (old, small))
        expect(status == 0 and "romsize" not in " ".join(both), self.said)
        self.both("pc-q35-5.2", old, small, (both, both), True)

    def targets(self, source, target):
        status, out = self.run("targets", "--json", "--from", source.profile, "-M", "pc-q35-7.2",
                               "--backend", "tap", "0x130afffa7", target.profile)
        found = json.loads(out)["hosts"][0]
        return status, [w for s in found["rescue"] for w in ("-global", s)]

    def running_guests(self):
        for suite in ("bookworm", "trixie", "trixie-backports"):
            a, b = self.hosts[suite, SMALL], self.hosts[suite, LARGE]
            status, words = self.targets(b, a)
            expect(status == 0 and words, "%s: %s" % (suite, self.said))
            wrong = self.move("pc-q35-7.2", b, a, ([], words))
            expect(wrong is None, "%s: with the list of targets: %s" % (suite, wrong))
            status, words = self.targets(a, b)
            setting = ["-global", "virtio-net-pci-base.romsize=%d" % SMALL]
            wrong = self.move("pc-q35-7.2", a, b, ([], setting))
            expect((status == 0) == (wrong is None) and (status != 0 or words == setting),
                   "%s: targets says %d, and it is: %s" % (suite, status, wrong))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--qemus", required=True)
    parser.add_argument("--abibase", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="abibase-rom.") as directory:
        try:
            test = Test(args, directory)
            test.common_list()
            test.before_6_0()
            test.running_guests()
        except Fault as e:
            print("FAIL: %s" % e)
            return 1
        print("%d moves between ROMs of %d and %d KiB are as predicted"
              % (test.moves, SMALL >> 10, LARGE >> 10))
    return 0


if __name__ == "__main__":
    sys.exit(main())
