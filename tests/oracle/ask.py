#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ask running QEMUs what their guests negotiated, and see that they live on.

    ask.py --qemus DIR --abibase FILE

Each QEMU of DIR, run with chroot(2), and this host's own, has a guest that takes some features and not
others, driven over qtest. `abibase targets qmp:SOCKET` must read exactly these; or, of a QEMU that has
no such question or dies of it, say that it cannot tell. In either case that QEMU is alive afterwards.
What is no QEMU must not get a byte. The question is tried first on a binary that is named with --qemu;
without one, or with another QEMU, it is not asked.

Exit status 1 with a line for each difference.
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
import guest  # noqa: E402

ROM = 262144  # of the file of Debian
MACHINE = "pc-q35-5.2"
PROGRAM = "/usr/bin/qemu-system-x86_64"
# The QEMUs that say it: 5.2 has no such command, and 11.1 aborts
CAN = ((7, 2), (11,))
# Not taken: GUEST_ANNOUNCE, and whatever is only there for legacy drivers
REFUSED = 1 << 21
SLOT = 4
TOLD = 1400  # the MTU
RINGS = 0x400000


def can(version):
    return CAN[0] <= tuple(int(n) for n in version.split(".")) < CAN[1]


class Driver(guest.Guest):
    """A driver that goes on after a look at the device."""

    def write(self, letter, offset, value):
        self.ask("write%s 0x%x 0x%x" % (letter, self.base + offset, value))

    def place(self):
        """The BAR of its common configuration, and the offset in it."""
        at = self.config(0x34, "b")
        while at:
            if (self.config(at, "b"), self.config(at + 3, "b")) == (9, 1):
                return self.config(at + 4, "b"), self.config(at + 8, "l")
            at = self.config(at + 1, "b")
        raise guest.Trouble("the device has no modern interface")

    def take(self, refused):
        offered = self.view().offered
        bar, offset = self.place()
        self.set_config(0x10 + 4 * bar, "l", guest.BAR)
        self.set_config(4, "w", 6)
        self.base = guest.BAR + offset
        taken = offered & ~refused
        self.write("b", 0x14, 3)
        for i in range(4):
            self.write("l", 8, i)
            self.write("l", 12, taken >> 32 * i & 0xffffffff)
        self.write("b", 0x14, 11)
        for queue in range(self.ask("readw 0x%x" % (self.base + 0x12))[0]):
            self.write("w", 0x16, queue)
            ring = RINGS + 0x10000 * queue
            for at, value in ((0x20, ring), (0x28, ring + 0x8000), (0x30, ring + 0xa000)):
                self.write("l", at, value)
                self.write("l", at + 4, 0)
            self.write("w", 0x1c, 1)
        self.write("b", 0x14, 15)
        return taken


class Live:
    """A QEMU that must not die."""

    def __init__(self, enter, directory, root, netdev, program=PROGRAM):
        self.socket = os.path.join(root + directory, "monitor")
        command = enter + [program, "-M", MACHINE, "-accel", "tcg", "-m", "32", "-S",
                           "-no-user-config", "-nodefaults", "-display", "none",
                           "-netdev", netdev + ",id=n0", "-device",
                           "virtio-net-pci,netdev=n0,id=nic7,addr=%d,host_ecn=off,host_mtu=%d" % (SLOT, TOLD),
                           "-qtest", "stdio", "-qtest-log", "none",
                           "-qmp", "unix:%s/monitor,server,nowait" % directory, "-name", "vm7"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        # a QEMU that hangs must not hang the test
        self.watchdog = threading.Timer(120, self.process.kill)
        self.watchdog.start()
        self.driver = Driver(self.process, SLOT)

    def alive(self):
        """It answers its guest, and a monitor."""
        if self.process.poll() is not None or self.driver.config(0, "w") != 0x1af4:
            return False
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.socket)
            return b"QMP" in s.recv(100)

    def stop(self):
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate()


class Test:
    def __init__(self, args):
        self.args = args
        self.faults = 0
        self.other = None  # a QEMU without the question

    def fault(self, text):
        print("FAIL: " + text)
        self.faults += 1

    def abibase(self, path, *args):
        return subprocess.run([self.args.abibase, "targets", "--json", *args, "qmp:" + path,
                               "debian-12"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120)

    def compare(self, name, version, live, backend, qemu):
        taken = live.driver.take(REFUSED)
        sizes = [1024] * 3 if version == "10.0.13" else [256, 256, 64]
        args = [] if backend else ["--backend", "tap"]
        self.unasked(name + " without --qemu", version, self.abibase(live.socket, *args))
        self.unasked(name + " with another QEMU", version,
                     self.abibase(live.socket, *args, "--qemu", self.other))
        p = self.abibase(live.socket, *args, "--qemu", qemu)
        if can(version):
            want = {"backend": backend or "tap", "class": "virtio-net-device", "id": "nic7",
                    "negotiated": "0x%x" % taken, "queue_sizes": sizes,
                    "rom_size": ROM, "mtu": TOLD}
            got = json.loads(p.stdout)["guest"] if p.stdout else {"devices": [{}]}
            device = dict(got["devices"][0])
            offered = int(device.pop("offered", "0x0"), 16)
            if (device != want or offered & taken != taken or not offered & REFUSED
                    or (got.get("machine"), got.get("qemu"), got.get("name"))
                    != (MACHINE, version, "vm7")):
                self.fault("%s: taken is 0x%x: %s%s" % (name, taken, json.dumps(got), p.stderr))
        else:
            self.unasked(name, version, p)
        if not live.alive():
            self.fault("%s: THE GUEST WAS KILLED" % name)
        print("%s: %s" % (name, "negotiated 0x%x" % taken if can(version) else
                          "cannot tell, and lives: " + p.stderr.strip()[:200]))

    def unasked(self, name, version, p):
        """What it negotiated stays unknown, and so does the answer; what is safe was asked."""
        answer = json.loads(p.stdout) if p.stdout else {"guest": {"devices": [{}]}, "hosts": [{}]}
        guest_is = answer["guest"]
        if (p.returncode != 3 or "[guest-qmp-unsafe]" not in p.stderr
                or "negotiated" in guest_is["devices"][0]
                or (guest_is.get("machine"), guest_is.get("qemu")) != (MACHINE, version)
                or answer["hosts"][0].get("verdict") != "unknown"
                or guest_is["devices"][0].get("id") != "nic7"
                or guest_is["devices"][0].get("mtu") != TOLD
                or [guest_is["devices"][0].get("properties", {}).get("virtio-net-device." + word)
                    for word in ("csum", "host_ecn", "packed")] != [True, False, False]):
            self.fault("%s: exit status %d: %s%s" % (name, p.returncode, p.stdout, p.stderr))

    def run_in(self, directory, root):
        """A program that is the QEMU of a root, which takes no right: it is tried without any."""
        path = os.path.join(directory, "qemu")
        binary = guest.Binary(root)
        with open(path, "w") as f:
            f.write("#!/bin/sh\nQEMU_MODULE_DIR=%s exec %s -L %s/usr/share/seabios -L %s/usr/share/qemu "
                    "\"$@\"\n" % (binary.environment["QEMU_MODULE_DIR"], " ".join(binary.command),
                                  root, root))
        os.chmod(path, 0o755)
        return path

    def one(self, name, enter, directory, root, netdev, version, backend, replaced=None):
        live = Live(enter, directory, root, netdev, replaced or PROGRAM)
        try:
            if replaced:
                live.driver.config(0, "w")  # it runs
                os.unlink(replaced)
            qemu = self.run_in(root + directory, os.path.abspath(root)) if root else PROGRAM
            self.compare(name, version, live, backend, qemu)
        except (guest.Trouble, BrokenPipeError, OSError) as e:
            self.fault("%s: %s: %s" % (name, e, live.process.stderr.read()
                                       if live.process.poll() is not None else ""))
        finally:
            live.stop()

    def no_qemu(self, directory):
        """A process that listens, and is none."""
        path = os.path.join(directory, "other")
        code = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\n"
                "c=s.accept()[0]\nprint(len(c.recv(100)))")
        process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE,
                                   text=True)
        while not os.path.exists(path) and process.poll() is None:
            time.sleep(0.01)
        p = self.abibase(path)
        got = process.communicate(timeout=60)[0].strip()
        if got != "0" or p.returncode != 2 or "[io-error]" not in p.stderr:
            self.fault("what is no QEMU got %s bytes; exit status %d: %s"
                       % (got, p.returncode, p.stderr))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--qemus", required=True)
    ap.add_argument("--abibase", required=True)
    args = ap.parse_args()
    test = Test(args)
    with tempfile.TemporaryDirectory() as directory:
        test.no_qemu(directory)
        test.other = test.run_in(directory, os.path.abspath(os.path.join(args.qemus, "bullseye")))
        if os.access(PROGRAM, os.X_OK):
            version = subprocess.run([PROGRAM, "--version"], stdout=subprocess.PIPE,
                                     text=True).stdout.split()[3]
            root = os.geteuid() == 0
            test.one("this host's " + version, ["unshare", "-n"] if root else [], directory, "",
                     "tap,ifname=abibase7,script=no,downscript=no" if root else "user",
                     version, "tap" if root else None)
            # an upgrade has replaced the file since it was started
            os.mkdir(os.path.join(directory, "bin"))
            for name in ("share", "lib"): # it looks for its files beside itself
                os.symlink("/usr/" + name, os.path.join(directory, name))
            copy = os.path.join(directory, "bin", "qemu-copy")
            shutil.copy(PROGRAM, copy)
            test.one("one whose file is gone", [], directory, "", "user", version, None, copy)
    for suite in sorted(os.listdir(args.qemus)) if os.geteuid() == 0 else []:
        root = os.path.join(args.qemus, suite)
        if not os.access(root + PROGRAM, os.X_OK):
            continue
        with tempfile.TemporaryDirectory(dir=os.path.join(root, "tmp")) as directory:
            test.one("%s of %s" % (guest.Binary(root).version, suite), ["chroot", root],
                     directory[len(root):], root, "user", guest.Binary(root).version, None)
    return 1 if test.faults else 0


if __name__ == "__main__":
    sys.exit(main())
