# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests of libvirt's: their XML, and what they say on their consoles; see guest.c."""
import os
import re
import tempfile
import uuid
from xml.sax.saxutils import quoteattr

import hosts

WRAPPER = "/usr/bin/abibase-emulator"
USO = 1 << 54 | 1 << 55 | 1 << 56  # GUEST_USO4, GUEST_USO6, HOST_USO
RING_RESET = 1 << 40

# libvirt makes vhost for KVM alone, so that of a guest of TCG is made by arguments of its own.
VHOST = ("-netdev", "tap,id=vhost0,ifname=vhost0,script=no,downscript=no,vhost=on",
         "-device", "virtio-net-pci,netdev=vhost0,bus=pcie.0,addr=0x1d")
NIC = {
    "tap": "<interface type='ethernet'><mac address='{mac}'/><target dev='tap-{name}'/><model type='virtio'/></interface>",
    "queues": "<interface type='ethernet'><mac address='{mac}'/><target dev='taps-{name}'/><model type='virtio'/>"
              "<driver queues='2'/></interface>",
    "user": "<interface type='user'><mac address='{mac}'/><model type='virtio'/></interface>",
    "vhost": "",
}


class Guest:
    def __init__(self, name, machine, nics=("tap",), emulator=WRAPPER, baseline=None):
        self.name, self.machine, self.nics = name, machine, nics
        self.emulator, self.baseline = emulator, baseline
        self.uuid = str(uuid.uuid4())
        self.cpu = "<cpu mode='custom' match='exact'><model fallback='allow'>qemu64</model></cpu>"
        self.share = None
        self.more = None  # XML that stands at the end of the domain, and needs no name space from it

    def mac(self, i):
        return "52:54:00:%s:%s:%02x" % (self.uuid[:2], self.uuid[2:4], i)

    def xml(self, **change):
        """As it is, or with another emulator or baseline"""
        emulator, baseline = (change.get(k, getattr(self, k)) for k in ("emulator", "baseline"))
        more = ["<qemu:arg value=%s/>" % quoteattr(a) for a in (VHOST if "vhost" in self.nics else ())]
        if baseline:
            more.append("<qemu:env name='ABIBASE_BASELINE' value=%s/>" % quoteattr(baseline))
        of_qemu = "" if self.more else " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
        return """<domain type='qemu'%s>
  <name>%s</name><uuid>%s</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='%s'>hvm</type><kernel>/share/guest</kernel></os>
  <features><acpi/></features>%s
  <devices>%s
    <serial type='file'><source path='/share/%s.console' append='on'/></serial>
    <controller type='usb' model='none'/><memballoon model='none'/>%s
  </devices>%s
</domain>
""" % (of_qemu, self.name, self.uuid, self.machine, self.cpu,
            "<emulator>%s</emulator>" % emulator if emulator else "", self.name,
            "".join(NIC[n].format(name=self.name, mac=self.mac(i)) for i, n in enumerate(self.nics)),
            self.more or ("<qemu:commandline>%s</qemu:commandline>" % "".join(more) if more else ""))

    def file(self, host, **change):
        """The name that the XML has, as a file, on all hosts"""
        f, path = tempfile.mkstemp(prefix=self.name + "-", suffix=".xml", dir=host.share)
        with os.fdopen(f, "w") as out:
            out.write(self.xml(**change))
        os.chmod(path, 0o644)
        return "/share/" + os.path.basename(path)

    def define(self, host):
        self.share = host.share
        with open("%s/%s.console" % (host.share, self.name), "w", encoding="ascii"):
            pass
        os.chmod("%s/%s.console" % (host.share, self.name), 0o666)
        host.virsh("define", self.file(host))

    def start(self, host):
        """Define it, start it, and wait until its driver has its devices"""
        self.define(host)
        host.virsh("start", self.name)
        self.lives(host)
        return self

    def refused(self, host, *words):
        """It is defined, and virsh start says the words"""
        self.define(host)
        said = host.virsh("start", self.name, status=1)
        says(said, *words)
        return said

    # -------------------------------------------------------------------------- what it says

    def console(self):
        with open("%s/%s.console" % (self.share, self.name), encoding="ascii", errors="replace") as f:
            return f.read()

    def alive(self):
        numbers = re.findall(r"^alive ([0-7]{8})$", self.console(), re.M)
        return int(numbers[-1], 8) if numbers else -1

    def lives(self, host):
        """It runs here, and goes on doing so"""
        state = host.virsh("domstate", self.name, status=None).strip()
        if state != "running":
            raise hosts.Failed("%s on %s is %s" % (self.name, host.name, state))
        last = self.alive()
        hosts.wait_for("%s on %s says something new" % (self.name, host.name), 60,
                       lambda: self.alive() >= last + 2)

    def features(self):
        """Of each network device, in the order of the bus"""
        return [int(f, 16) for f in re.findall(r"^net ([0-9a-f]{16})$", self.console(), re.M)]

    def has(self, bits, yes=True):
        features = self.features()
        if not features:
            raise hosts.Failed("%s found no network device: %s" % (self.name, self.console()[:200]))
        for f in features:
            if (f & bits == bits) is not yes or (not yes and f & bits):
                raise hosts.Failed("%s has the features %x: those of %x %s be among them"
                                   % (self.name, f, bits, "should" if yes else "should not"))

    # ------------------------------------------------------------------------- where it goes

    def migrate(self, source, to, *more, status=0):
        socket = "/share/migration-" + self.name
        said = source.virsh("migrate", "--live", "--persistent", "--undefinesource", *more, self.name, to.uri,
                            "--migrateuri", "unix://" + socket, status=None)
        done = to.virsh("domstate", self.name, status=None).strip() == "running"
        if (status == 0) is not done:
            raise hosts.Failed("%s: migration from %s to %s %s: %s\n%s"
                               % (self.name, source.name, to.name, "failed" if status == 0 else "worked", said,
                                  to.log(self.name)[-3000:]))
        return said

    def moves(self, source, to, *more):
        self.migrate(source, to, *more)
        self.lives(to)

    def dies(self, source, to):
        """The stream does, at the destination, of the features; the guest lives on at its source"""
        self.stays(source, to)
        return to.logs(self.name, "Features 0x")

    def stays(self, source, to, *words):
        """virsh migrate fails with the words, and the guest lives on"""
        said = self.migrate(source, to, status=1)
        says(said, *words)
        self.lives(source)
        return said


def says(text, *words):
    for w in words:
        if w not in text:
            raise hosts.Failed("%r is not said:\n%s" % (w, text))


def silent(text, *words):
    for w in words:
        if w in text:
            raise hosts.Failed("%r is said:\n%s" % (w, text))
