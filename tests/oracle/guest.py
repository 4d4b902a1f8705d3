# SPDX-License-Identifier: LGPL-2.1-or-later
"""Start a QEMU of a fetched root and read what a guest would be offered, over qtest."""
import glob
import json
import os
import re
import subprocess
import threading
import time

BAR = 0xe0000000
MODERN_CAPABILITY = 9
MSIX_CAPABILITY = 0x11
COMMON_CONFIG = 1
DEVICE_CONFIG = 4
MTU = 10  # where struct virtio_net_config has it


class Trouble(Exception):
    """QEMU did not start, or has no such device; what it said."""


def command_of(root, path="/usr/bin/qemu-system-x86_64"):
    """A program of a fetched root, run by its own loader: without chroot(2), without rights."""
    lib = root + "/usr/lib/x86_64-linux-gnu"
    return [lib + "/ld-linux-x86-64.so.2", "--library-path", lib, root + path]


class Binary:
    """The QEMU of one suite."""

    def __init__(self, root):
        self.root = root
        self.command = command_of(root)
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C",
                            "QEMU_MODULE_DIR": root + "/usr/lib/x86_64-linux-gnu/qemu"}
        words = subprocess.run(self.command + ["--version"], env=self.environment, check=True,
                               stdout=subprocess.PIPE, text=True, timeout=60).stdout
        self.version = re.match(r"QEMU emulator version ([0-9.]+)", words).group(1)
        self.package = re.search(r"\((.*)\)", words).group(1)

    def stopped(self, machine, options):
        return self.command + ["-no-user-config", "-nodefaults", "-display", "none", "-S",
                               "-M", machine, "-accel", "tcg", "-m", "32",
                               "-L", self.root + "/usr/share/seabios",
                               "-L", self.root + "/usr/share/qemu",
                               "-L", self.root + "/usr/lib/ipxe/qemu"] + options

    def stream(self, machine, options, command, uri):
        """
        With "migrate" the stream of a guest that never ran, with a device on a root port; with
        "migrate-incoming" such a guest of a stream.
        """
        words = ["-device", "pcie-root-port,id=rp,chassis=1", "-device",
                 "virtio-net-pci,bus=rp,mac=52:54:00:ab:1b:a5", "-qmp", "stdio"]
        words += ["-incoming", "defer"] if command == "migrate-incoming" else []
        process = subprocess.Popen(self.stopped(machine, options + words), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment)
        try:
            monitor = Monitor(process)
            monitor.run(command, uri=uri)
            monitor.wait_migrated()
        finally:
            process.kill()
            process.communicate()

    def start(self, machine, devices, options, host):
        """What the guest sees of each of the devices; @host is a line for fakehost.c."""
        command = self.stopped(machine, ["-qtest", "stdio", "-qtest-log", "none"] + options)
        for i, d in enumerate(devices):
            command += d.arguments(i)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True,
                                   env=dict(self.environment, **host))
        # a QEMU that hangs must not hang the test
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        error = None
        try:
            views = [Guest(process, i + 4).view() for i in range(len(devices))]
        except (Trouble, BrokenPipeError) as e:
            error = e
        finally:
            process.kill()
            watchdog.cancel()
        said = process.communicate()[1].strip()
        if error:
            raise Trouble("%s: %s" % (error, said))
        return views, said


class Device:
    """A network device on a tap."""

    def __init__(self, vhost, kind="virtio-net-pci", properties=()):
        self.vhost = vhost
        self.type = kind
        self.properties = properties

    def key(self):
        return (self.vhost, self.type, self.properties)

    def netdev(self):
        return "tap,ifname=fake0,script=no,downscript=no,vhost=" + ("on" if self.vhost else "off")

    def own(self, i):
        """The options but for properties and the address, and those of a backend."""
        return (["-netdev", "%s,id=n%d" % (self.netdev(), i)],
                "%s,netdev=n%d" % (self.type, i))

    def arguments(self, i):
        backend, device = self.own(i)
        return backend + ["-device", "%s,addr=0x%x%s"
                          % (device, i + 4, "".join("," + p for p in self.properties))]


class Other(Device):
    """A device by the name that the catalogue has for its backend."""

    OWN = {"user": (["-netdev", "user,id=nu"], "virtio-net-pci,netdev=nu"),
           "vhost-vsock": ([], "vhost-vsock-pci,guest-cid=3"),
           "vhost-scsi": ([], "vhost-scsi-pci,wwpn=naa.600140500000000a")}

    def __init__(self, backend, properties=()):
        super().__init__(backend, backend, properties)

    def own(self, i):
        return self.OWN[self.type]


class Monitor:
    """The QMP monitor of a process, on its standard input and output."""

    def __init__(self, process):
        self.process = process
        self.line()
        self.run("qmp_capabilities")

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise Trouble("QEMU ended: " + self.process.stderr.read())
        return json.loads(text)

    def run(self, command, **arguments):
        try:
            self.process.stdin.write(json.dumps({"execute": command,
                                                 "arguments": arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # what it said last is to be read
        while True:
            answer = self.line()
            if "error" in answer:
                raise Trouble("%s: %s" % (command, answer))
            if "return" in answer:
                return answer["return"]

    def wait_migrated(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            status = self.run("query-migrate").get("status")
            if status == "completed":
                return
            if status == "failed":
                raise Trouble("the migration failed")
            time.sleep(0.02)
        raise Trouble("the migration hangs")


class View:
    """What a guest sees of one device; @mtu is there where it is a network device."""

    def __init__(self, offered, queues, vectors, mtu):
        self.offered = offered
        self.queues = queues
        self.vectors = vectors
        self.mtu = mtu


class Guest:
    """One virtio device on the first bus, through the ports 0xcf8 and 0xcfc and one BAR."""

    def __init__(self, process, slot):
        self.process = process
        self.slot = slot

    def ask(self, *commands):
        """Each command's value; all of them are sent at once."""
        self.process.stdin.write("".join(c + "\n" for c in commands))
        self.process.stdin.flush()
        values = []
        while len(values) < len(commands):
            line = self.process.stdout.readline()
            if not line:
                raise Trouble("QEMU ended")
            words = line.split()
            if words[0] == "FAIL":
                raise Trouble(line)
            if words[0] == "OK":
                values.append(int(words[1], 16) if len(words) > 1 else None)
        return values

    def address(self, offset):
        return "outl 0xcf8 0x%x" % (0x80000000 | self.slot << 11 | offset & ~3)

    def config(self, offset, letter):
        return self.ask(self.address(offset), "in%s 0x%x" % (letter, 0xcfc + (offset & 3)))[1]

    def set_config(self, offset, letter, value):
        self.ask(self.address(offset), "out%s 0x%x 0x%x" % (letter, 0xcfc + (offset & 3), value))

    def capabilities(self, wanted):
        """Where those of one id are in the configuration space."""
        at = self.config(0x34, "b")
        while at:
            if self.config(at, "b") == wanted:
                yield at
            at = self.config(at + 1, "b")

    def registers(self, kind):
        """The BAR of a part of its registers, and the offset in it."""
        for at in self.capabilities(MODERN_CAPABILITY):
            if self.config(at + 3, "b") == kind:
                return self.config(at + 4, "b"), self.config(at + 8, "l")
        raise Trouble("the device in slot %d has no modern interface" % self.slot)

    def vectors(self):
        """Entries of its MSI-X table."""
        for at in self.capabilities(MSIX_CAPABILITY):
            return (self.config(at + 2, "w") & 0x7ff) + 1
        return 0

    def view(self):
        if self.config(0, "w") != 0x1af4:
            raise Trouble("there is no virtio device in slot %d" % self.slot)
        bar, offset = self.registers(COMMON_CONFIG)
        own_bar, own_offset = self.registers(DEVICE_CONFIG)
        if own_bar != bar:
            raise Trouble("the registers of the device in slot %d are in two BARs" % self.slot)
        # of all devices only this one decodes memory now, and at the same place
        self.set_config(0x10 + 4 * bar, "l", BAR)
        self.set_config(0x14 + 4 * bar, "l", 0)
        self.set_config(4, "w", 6)
        base = BAR + offset
        commands = []
        for i in range(4):
            commands += ["writel 0x%x %d" % (base, i), "readl 0x%x" % (base + 4)]
        words = self.ask(*commands)[1::2]
        number = self.ask("readw 0x%x" % (base + 0x12))[0]
        commands = []
        for i in range(number):
            commands += ["writew 0x%x %d" % (base + 0x16, i), "readw 0x%x" % (base + 0x18)]
        queues = self.ask(*commands)[1::2]
        mtu = self.ask("readw 0x%x" % (BAR + own_offset + MTU))[0]
        self.set_config(4, "w", 0)
        return View(sum(w << 32 * i for i, w in enumerate(words)), queues, self.vectors(), mtu)


def roots(cache, suites):
    """The suites that are not there, and the binaries of the others."""
    missing = [s for s in suites
               if not glob.glob(os.path.join(cache, s, "usr/bin/qemu-system-x86_64"))]
    return missing, [Binary(os.path.join(cache, s)) for s in suites if s not in missing]
