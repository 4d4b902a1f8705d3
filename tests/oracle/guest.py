# SPDX-License-Identifier: LGPL-2.1-or-later
"""Start a QEMU of a fetched root and read what a guest would be offered, over qtest."""
import glob
import os
import re
import subprocess
import threading

BAR = 0xe0000000
MODERN_CAPABILITY = 9
COMMON_CONFIG = 1


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

    def start(self, machine, devices, options, host):
        """What the guest sees of each of the devices; @host is a line for fakehost.c."""
        command = self.command + ["-no-user-config", "-nodefaults", "-display", "none", "-S",
                                  "-M", machine, "-accel", "tcg", "-m", "32",
                                  "-L", self.root + "/usr/share/seabios",
                                  "-L", self.root + "/usr/share/qemu",
                                  "-qtest", "stdio", "-qtest-log", "none"] + options
        for i, d in enumerate(devices):
            command += ["-netdev", "tap,id=n%d,ifname=fake0,script=no,downscript=no,vhost=%s"
                        % (i, "on" if d.vhost else "off"),
                        "-device", "%s,netdev=n%d,addr=0x%x,romfile=%s"
                        % (d.type, i, i + 4, "".join("," + p for p in d.properties))]
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
    def __init__(self, vhost, kind="virtio-net-pci", properties=()):
        self.vhost = vhost
        self.type = kind
        self.properties = properties

    def key(self):
        return (self.vhost, self.type, self.properties)


class View:
    """What a guest sees of one device."""

    def __init__(self, offered, queues):
        self.offered = offered
        self.queues = queues


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

    def common_config(self):
        """Its BAR and the offset in it."""
        at = self.config(0x34, "b")
        while at:
            if (self.config(at, "b") == MODERN_CAPABILITY
                    and self.config(at + 3, "b") == COMMON_CONFIG):
                return self.config(at + 4, "b"), self.config(at + 8, "l")
            at = self.config(at + 1, "b")
        raise Trouble("the device in slot %d has no modern interface" % self.slot)

    def view(self):
        if self.config(0, "w") != 0x1af4 or self.config(2, "w") not in (0x1000, 0x1041):
            raise Trouble("there is no virtio network device in slot %d" % self.slot)
        bar, offset = self.common_config()
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
        self.set_config(4, "w", 0)
        return View(sum(w << 32 * i for i, w in enumerate(words)), queues)


def roots(cache, suites):
    """The suites that are not there, and the binaries of the others."""
    missing = [s for s in suites
               if not glob.glob(os.path.join(cache, s, "usr/bin/qemu-system-x86_64"))]
    return missing, [Binary(os.path.join(cache, s)) for s in suites if s not in missing]
