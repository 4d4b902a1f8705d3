#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run the examples of a manual page and compare what they print with what the page says.

    manual.py [--regenerate] [--abibase FILE] [--fakehost FILE] [--qemus DIR] PAGE

In a literal display of the page, a line that begins with "$ " or "HOST# " is a command, to the end of
the line that does not end with a backslash; what follows up to the next one is its output, stdout and
stderr as they come. Commands run in one directory, in the order of the page.

A comment ".\\" manual: host NAME KERNEL QEMU" makes NAME a host with a recorded kernel and QEMU of
tests/data: "ssh root@NAME abibase probe" prints its profile, "scp FILE root@NAME:/PLACE/" puts a file
there, and a command with the prompt of that host runs on that kernel (fakehost.c), with that QEMU as
qemu-system-x86_64 and the host's record in /var/lib/abibase; a guest that is started there with a name goes
on as a QEMU that never runs it. ".\\" manual: off NAME" ends it. Without --qemus such commands are not run; so
it is with those of a verb that this abibase does not have. tests/manual.sh makes a process namespace for it.
"""
import argparse
import difflib
import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "oracle"), os.path.join(HERE, "tools")]
import canonical  # noqa: E402
import fakehost  # noqa: E402

SUITES = {"5.2.0": "bullseye", "7.2.22": "bookworm", "10.0.13": "trixie",
          "11.1.3": "trixie-backports"}
QEMU = "/usr/bin/qemu-system-x86_64"
PROMPT = re.compile(r"(\$|[a-z0-9-]+#) (.*)")
OFF = re.compile(r'\.\\" manual: off (\S+)')
GUEST = re.compile(r"-name guest=(\S+) .*&$")
HOST = re.compile(r'\.\\" manual: host (\S+) (\S+) (\S+)')
# directories of a host that stand for those of this one
PLACES = ("/etc/abibase", "/var/lib/abibase")
BASELINES = "/etc/abibase/baselines"


def unescape(line):
    line = line.replace("\\e", "\\")
    return line[2:] if line.startswith("\\&") else line


def escape(line):
    line = line.replace("\\", "\\e")
    return "\\&" + line if line.startswith((".", "'")) else line


class Cluster:
    """The hosts of the page, and the programs with which they are reached."""

    def __init__(self, args, directory):
        self.args = args
        self.root = directory
        self.work = os.path.join(directory, "work")
        self.bin = os.path.join(directory, "bin")
        self.hosts = {}
        for d in (self.work, self.bin):
            os.mkdir(d)
        self.program("abibase", 'exec "%s" "$@"' % os.path.abspath(args.abibase))
        self.program("abibase-emulator", 'exec "%s-emulator" "$@"' % os.path.abspath(args.abibase))
        self.program("ssh", 'case $2 in abibase) exec cat "%s/${1#root@}/profile.json" ;; esac; exit 255'
                     % directory)
        self.program("scp", 'shift; for file; do case $file in root@*) to=${file#root@} ;; esac; done; '
                     'exec cp "$1" "%s/${to%%%%:*}/${to#*:}"' % directory)

    def program(self, name, text, where=None):
        path = os.path.join(where or self.bin, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n%s\n" % text)
        os.chmod(path, 0o755)
        return path

    def host(self, name, kernel, version):
        """A host is made, or has become another one."""
        place = os.path.join(self.root, name)
        for d in PLACES + ("/bin", BASELINES):
            os.makedirs(place + d, exist_ok=True)
        profile = fakehost.profile(kernel)
        with open(os.path.join(HERE, "data", "qemu", version + ".json"), encoding="utf-8") as f:
            entry = json.load(f)
        entry["shape"] = self.shape(entry["build_id"])
        profile["name"] = name
        profile["qemu"] = [dict(entry, path=QEMU)]
        self.write(os.path.join(place, "profile.json"), profile)
        # As it was recorded after its last boot: of this one, with the QEMU that is a script here.
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
            profile["boot_id"] = f.read().strip()
        del entry["build_id"]
        profile["qemu"] = [dict(entry, path=self.qemu(place + "/bin", version))]
        self.write(place + "/var/lib/abibase/host.json", profile)
        self.hosts[name] = kernel
        with open(place + "/etc/abibase/emulator.conf", "w", encoding="utf-8") as f:
            f.write("baseline = %s\nqemu = %s\nprofile = %s\n" % (
                place + BASELINES, place + "/bin/qemu-system-x86_64", place + "/var/lib/abibase/host.json"))

    def guests(self, name):
        """The processes of the guest of that name, or of all of them, that run here and in no other place."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    words = f.read().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            if words[0].startswith(self.root) and (not name or "guest=" + name in words):
                yield int(pid)

    def off(self, name):
        for pid in self.guests(name):
            os.kill(pid, signal.SIGKILL)

    def wait_for(self, name):
        """It is a QEMU, and no script on the way to one."""
        for _ in range(200):
            if list(self.guests(name)):
                return
            time.sleep(0.1)

    def shape(self, build_id):
        """The sizes that this build shows, as the platform has them that it is of."""
        for path in glob.glob(os.path.join(HERE, "..", "data", "platforms", "50-debian-*.json")):
            with open(path, encoding="utf-8") as f:
                for entry in json.load(f)["qemu"]:
                    if entry.get("build_id") == build_id:
                        return entry["shape"]
        sys.exit("no platform has the build " + build_id)

    def write(self, path, document):
        with open(path, "w", encoding="utf-8") as f:
            f.write(canonical.dumps(document))

    def qemu(self, where, version):
        """It answers to verify; a guest that is started has nothing to say, and goes on if it has a name."""
        root = "%s/%s" % (self.args.qemus, SUITES[version])
        lib = root + "/usr/lib/x86_64-linux-gnu"
        return self.program(
            "qemu-system-x86_64",
            'case " $* " in *" -qtest "*) ;;\n'
            '*" -name "*) set -- "$@" -S -nodefaults -display none -accel tcg ;; *) exit 0 ;; esac\n'
            'unset LD_LIBRARY_PATH\nexport QEMU_MODULE_DIR=%s/qemu\n'
            'exec bash -c \'exec -a "$0" "$@"\' "$0" %s/ld-linux-x86-64.so.2 --library-path %s %s%s '
            '-L %s/usr/share/seabios -L %s/usr/share/qemu "$@"' % (lib, lib, lib, root, QEMU, root, root),
            where)

    def run(self, prompt, command):
        name = prompt[:-1]
        environment = dict(os.environ, PATH=self.bin + ":/usr/bin:/bin", LC_ALL="C",
                           XDG_CACHE_HOME=self.root + "/cache")
        if prompt != "$":
            place = os.path.join(self.root, name)
            environment["PATH"] = "%s/bin:%s" % (place, environment["PATH"])
            environment.update(fakehost.environment(self.hosts[name], "tap", self.args.fakehost))
            environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + \
                ":verify_asan_link_order=0"
            environment["ABIBASE_EMULATOR_CONF"] = place + "/etc/abibase/emulator.conf"
            for d in PLACES:
                command = command.replace(d, place + d)
        p = subprocess.run(["sh", "-c", command], cwd=self.work, env=environment,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=120)
        text = p.stdout
        started = GUEST.search(command)
        if started:
            self.wait_for(started.group(1))
        if prompt != "$":
            text = text.replace(place + "/bin/qemu-system-x86_64", QEMU).replace(place, "")
        return text.splitlines()

    def can_run(self, prompt, command):
        return prompt == "$" or self.args.qemus


def blocks(lines):
    """(index of the first output line, index behind the last, prompt, command) of each command"""
    literal = False
    i = 0
    while i < len(lines):
        line = lines[i]
        if line.startswith((".Bd -literal", ".Ed")):
            literal = line.startswith(".Bd")
        m = PROMPT.match(unescape(line)) if literal else None
        i += 1
        if not m:
            continue
        words = [m.group(2)]
        while words[-1].endswith("\\"):
            words[-1] = words[-1][:-1]
            words.append(unescape(lines[i]).lstrip())
            i += 1
        first = i
        while not lines[i].startswith(".Ed") and not PROMPT.match(unescape(lines[i])):
            i += 1
        yield first, i, m.group(1), " ".join(w.strip() for w in words)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--regenerate", action="store_true")
    parser.add_argument("--abibase", default="./abibase")
    parser.add_argument("--fakehost")
    parser.add_argument("--qemus")
    parser.add_argument("page")
    args = parser.parse_args()
    with open(args.page, encoding="utf-8") as f:
        lines = f.read().splitlines()
    new, done, ran, left, wrong = [], 0, 0, [], 0
    with tempfile.TemporaryDirectory() as directory:
        cluster = Cluster(args, directory)
        for first, end, prompt, command in blocks(lines):
            for line in lines[done:first]:
                m = HOST.match(line)
                if m:
                    cluster.host(*m.groups())
                m = OFF.match(line)
                if m:
                    cluster.off(m.group(1))
            new += lines[done:first]
            done = end
            want = [unescape(line) for line in lines[first:end]]
            if not cluster.can_run(prompt, command):
                left.append("%s %s" % (prompt, command))
                new += lines[first:end]
                continue
            got = cluster.run(prompt, command)
            ran += 1
            new += [escape(line) for line in got]
            if got != want and not args.regenerate:
                wrong += 1
                print("FAIL: %s %s" % (prompt, command))
                print("\n".join("    " + d for d in difflib.unified_diff(
                    want, got, "the page", "a run", lineterm="")))
        new += lines[done:]
        cluster.off(None)
    if args.regenerate:
        with open(args.page, "w", encoding="utf-8") as f:
            f.write("\n".join(new) + "\n")
    for command in left:
        print("not run: " + command)
    print("%d commands, %d differ" % (ran, wrong))
    return 1 if wrong or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
