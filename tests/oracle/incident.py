#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""KubeVirt issue 16386 again, with real QEMUs: a machine type that a package update redefined.

    incident.py --qemus DIR --abibase FILE --drive FILE --fakehost FILE

Two builds of one QEMU, on one kernel. In the older one pc-q35-8.1 has USO on, as it had in QEMU 8.2.0
to 8.2.4; in the newer one off. The older is the newer with three compat entries changed in the file.

1. a guest of the older build takes all it is offered, and a migration to the newer one fails;
2. `abibase targets` says so, and finds the list that lets it in; of a log as well;
3. with the list on the target alone, the same stream is taken;
4. the guest goes on to a third QEMU, of the newer build, and back to the older one, with the second
   list: it stays movable, with the features that it had from the start. Without that list it does not.

Exit status 1 with what is not so.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "tools")]
import fakehost  # noqa: E402
import guest  # noqa: E402
import qmp  # noqa: E402
import rebuild  # noqa: E402

KERNEL = "6.12"
MACHINE = "pc-q35-8.1"
BACKEND = "tap+vhost"
SUITE = "trixie"
PROPERTIES = ("guest_uso4", "guest_uso6", "host_uso")
WANTED = ["virtio-net-device.%s=on" % p for p in PROPERTIES]
PROGRAM = "/usr/bin/qemu-system-x86_64"


class Fault(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Fault(text)


def options_of(settings):
    return [word for s in settings for word in ("-global", s)]


class Incident:
    def __init__(self, args, directory):
        self.args = args
        self.directory = directory
        self.qemus = os.path.join(directory, "qemus")
        self.streams = os.path.join(directory, "streams")
        self.host = fakehost.environment(KERNEL, "tap", os.path.abspath(args.fakehost))
        os.mkdir(self.qemus)
        os.mkdir(self.streams)

    # ---------------------------------------------------------------- two builds

    def make_builds(self):
        suite = os.path.join(os.path.abspath(self.args.qemus), SUITE)
        os.symlink(suite, os.path.join(self.qemus, "newer"))
        older = os.path.join(self.qemus, "older")
        if subprocess.run(["cp", "-al", suite, older], stderr=subprocess.DEVNULL).returncode != 0:
            shutil.rmtree(older, ignore_errors=True)
            subprocess.run(["cp", "-a", suite, older], check=True)
        os.unlink(older + PROGRAM)
        package = qmp.Qemu(suite + ":" + PROGRAM).package
        mark = re.search(r"[^ ()]*deb[^ ()]*", package.split(" ", 1)[1]).group(0)
        other = mark[:-1] + chr(ord(mark[-1]) ^ 1)
        changed = rebuild.rebuild(suite + PROGRAM, older + PROGRAM, "virtio-net-device",
                                  {p: ("off", "on") for p in PROPERTIES}, mark, other)
        os.chmod(older + PROGRAM, 0o755)
        # three pointers, one letter, the build id
        expect(changed <= 3 * 8 + 1 + 20, "%d bytes of the older build are different" % changed)
        for build in ("older", "newer"):
            self.probe(build)

    def probe(self, build):
        """What abibase records of this binary, on a recorded kernel."""
        wrapper = os.path.join(self.directory, build + "-qemu")
        root = os.path.realpath(os.path.join(self.qemus, build))
        # run by its own loader, this QEMU dies of its own modules when its devices are listed
        enter = "chroot" if os.geteuid() == 0 else "unshare -r chroot"
        with open(wrapper, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexec %s '%s' %s \"$@\"\n" % (enter, root, PROGRAM))
        os.chmod(wrapper, 0o755)
        text = self.abibase(0, "probe", "--no-cache", "--only=qemu", "--qemu=" + wrapper,
                            "-M", MACHINE)
        profile = dict(fakehost.profile(KERNEL), name=build, qemu=json.loads(text)["qemu"])
        with open(self.path(build), "w", encoding="utf-8") as f:
            json.dump(profile, f)

    def path(self, build):
        return os.path.join(self.directory, build + ".json")

    def abibase(self, status, *args, stdin=""):
        p = subprocess.run([self.args.abibase, *args], input=stdin, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=120)
        expect(p.returncode == status, "abibase %s: exit status %d, not %d: %s%s"
               % (" ".join(args), p.returncode, status, p.stdout, p.stderr))
        return p.stdout

    def check_builds(self):
        said = self.abibase(1, "diff", self.path("older"), self.path("newer"))
        seen = re.findall(r"virtio-net-device\.([a-z0-9_]+)", said)
        expect(sorted(seen) == list(PROPERTIES),
               "the two builds differ in more or less than three values: " + said)

    # ------------------------------------------------------------------ migrations

    def drive(self, status, op, stream, build, settings=()):
        """The driver's guest: saved to a stream, or loaded from one."""
        line = "\t".join([KERNEL, op, op, stream, build, MACHINE, BACKEND, "0"]
                         + options_of(settings)) + "\n"
        p = subprocess.run([self.args.drive, "batch", "--qemus=" + self.qemus,
                            "--streams=" + self.streams, "--tap=fake0", "--timeout=60"],
                           input=line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           env=dict(os.environ, **self.host), timeout=120)
        expect(p.returncode == 0 and p.stdout, "drive: " + p.stderr)
        result = json.loads(p.stdout)
        expect(result["status"] == status, "%s with the %s build, %s: %s"
               % (op, build, " ".join(settings), json.dumps(result)))
        return result

    def hop(self, source, target, build, settings):
        """A guest that was migrated goes on: in from one stream, and out to the other."""
        root = os.path.join(self.qemus, build)
        bios = os.path.join(self.directory, "halt.bin")
        with open(bios, "wb") as f:
            f.write(b"\0" * 0xfff0 + b"\xfa\xf4\xeb\xfd".ljust(16, b"\0"))
        command = qmp.command_in(root, PROGRAM) + [
            "-M", MACHINE, "-netdev",
            "tap,id=n0,ifname=fake0,script=no,downscript=no,vhost=on", "-device",
            "virtio-net-pci,netdev=n0,addr=4,mac=52:54:00:ab:1b:a5",
            "-no-user-config", "-nodefaults", "-display", "none", "-accel", "tcg", "-m", "32",
            "-bios", bios, "-incoming", "defer", "-qmp", "stdio"] + options_of(settings)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True,
                                   env=dict(os.environ, **self.host))
        try:
            monitor = guest.Monitor(process)
            monitor.run("migrate-incoming", uri="exec:cat %s/%s" % (self.streams, source))
            monitor.wait_migrated()
            expect(monitor.run("query-status")["running"], "the guest does not run on")
            monitor.run("migrate", uri="exec:cat > %s/%s" % (self.streams, target))
            monitor.wait_migrated()
        finally:
            process.kill()
            process.communicate()

    # ----------------------------------------------------------------------- the test

    def ask(self, status, guest, *args, stdin=""):
        text = self.abibase(status, "targets", "--json", "-M", MACHINE, "--backend", BACKEND, *args,
                            guest, self.path("newer"), stdin=stdin)
        return json.loads(text)["hosts"][0]

    def run(self):
        self.make_builds()
        self.check_builds()

        start = self.drive("saved", "save", "start", "older")["devices"][0]
        failed = self.drive("failed", "load", "start", "newer")
        print("without a list: " + failed["stderr"].splitlines()[0])

        guest = os.path.join(self.directory, "guest.json")
        with open(guest, "w", encoding="utf-8") as f:
            json.dump({"schema": "abibase-guest/1", "machine": MACHINE, "devices": [
                {"class": "virtio-net-device", "backend": BACKEND,
                 "negotiated": start["negotiated"], "queue_sizes": start["driver_sizes"]}]}, f)
        answer = self.ask(0, guest, "--from", self.path("older"))
        expect(answer["verdict"] == "list" and answer["rescue"] == WANTED
               and answer["way_back"]["verdict"] == "open", json.dumps(answer))
        from_log = self.ask(0, "-", stdin=failed["stderr"])
        expect(from_log["rescue"] == WANTED, json.dumps(from_log))
        self.abibase(1, "targets", "--now", guest, self.path("newer"))
        print("abibase targets: start it there with " + " ".join(options_of(answer["rescue"])))

        rescued = self.drive("loaded", "load", "start", "newer", answer["rescue"])
        self.same_guest(start, rescued)
        self.hop("start", "onward", "newer", answer["rescue"])
        carry_on = answer["carry_on"]
        self.drive("failed", "load", "onward", "newer")
        self.same_guest(start, self.drive("loaded", "load", "onward", "newer", carry_on))
        self.hop("onward", "back", "newer", carry_on)
        self.same_guest(start, self.drive("loaded", "load", "back", "older", carry_on))
        print("taken without a restart, moved on, and back, with the features that it had")

    @staticmethod
    def same_guest(start, result):
        device = result["devices"][0]
        expect(device["negotiated"] == start["negotiated"]
               and device["offered"] == start["offered"],
               "another device than at the start: %s" % json.dumps(device))


def main():
    ap = argparse.ArgumentParser()
    for option in ("--qemus", "--abibase", "--drive", "--fakehost"):
        ap.add_argument(option, required=True)
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        try:
            Incident(args, directory).run()
        except (Fault, guest.Trouble) as fault:
            print("FAIL: %s" % fault)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
