# SPDX-License-Identifier: LGPL-2.1-or-later
"""The second table: lines.json has guests, and where each of them can go.

A guest is started by one libvirt and moved to another by virsh: it is saved and restored, or migrated where one of
the QEMUs is 11.1, which takes no stream from a file. Then abibase rehearses the lines that the two libvirts have
made of it, as they were started, with a file between the hosts. All three have to agree: the move, the rehearsal
and the table. Where a libvirt refuses to start a QEMU for it, the line of the source is rehearsed there.
"""
import itertools
import json
import os
import re
import resource
import shlex
import statistics
import time
import zlib
from xml.sax.saxutils import quoteattr

import hosts
from guests import Guest
from hosts import QEMU, Failed

# A file of a guest with SeaBIOS, compressed
BYTES = 1000000
TABLE = hosts.HERE + "/lines.json"
FACTORS = {"machine": ("pc-q35-7.2", "pc-i440fx-7.2", "pc-q35-10.0"), "disk": ("virtio", "scsi", "sata", "usb"),
           "nic": ("virtio", "e1000e", "rtl8139", "none"), "display": ("none", "vga", "virtio", "cirrus"),
           "tpm": ("none", "tis", "crb"), "ports": (0, 2)}
DISKS = {"virtio": "vda", "scsi": "sda", "sata": "sda", "usb": "sda"}
NICS = {"none": ""}
for model, kind in (("virtio", "ethernet"), ("e1000e", "user"), ("rtl8139", "user")):
    NICS[model] = ("<interface type='%s'><mac address='{mac}'/>%s<model type='%s'/>{nic_more}</interface>"
                   % (kind, "<target dev='tap0'/>" if kind == "ethernet" else "", model))
DEVICES = """
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/share/{name}.img'/>
      <target dev='{dev}' bus='{disk}'/></disk>
    {scsi}<controller type='usb' model='{usb}'/>
    <controller type='pci' model='{root}'/>{bridges}
    {net}{tpms}{videos}<memballoon model='none'/>
    <serial type='file'><source path='/share/{name}.console' append='on'/></serial>"""
DOMAIN = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type><kernel>/share/guest</kernel></os>
  <features><acpi/></features>{cpu}
  <devices><emulator>{qemu}</emulator>{devices}
  </devices>
  <qemu:commandline>{args}</qemu:commandline>
</domain>
"""


class Traveller(Guest):
    """The guest of a row"""

    def __init__(self, row):
        super().__init__(row["name"], row["machine"], nics=(), emulator=QEMU)
        self.row = row

    def xml(self, **_):
        row = self.row
        q35 = "q35" in self.machine
        words = {
            "cpu": self.cpu, "nic_more": "", **row,
            "uuid": self.uuid, "qemu": QEMU, "mac": self.mac(0), "dev": DISKS[row["disk"]],
            "scsi": "<controller type='scsi' model='virtio-scsi'/>" if row["disk"] == "scsi" else "",
            "usb": "qemu-xhci" if row["disk"] == "usb" else "none", "root": "pcie-root" if q35 else "pci-root",
            "bridges": ("<controller type='pci' model='%s'/>" % ("pcie-root-port" if q35 else "pci-bridge")) * row["ports"],
            "tpms": "" if row["tpm"] == "none" else
                    "<tpm model='tpm-%s'><backend type='emulator' version='2.0'/></tpm>" % row["tpm"],
            "videos": "<video><model type='%s'/></video>" % row["display"],
            "args": words_of(row.get("args", ())),
        }
        words["net"] = NICS[row["nic"]].format(**words)
        words["devices"] = DEVICES.format(**words)
        return DOMAIN.format(**words)

    def start(self, host):
        with open("%s/%s.img" % (host.share, self.name), "wb") as f:
            f.truncate(1 << 20)
        os.chmod(f.name, 0o666)
        self.define(host)
        host.virsh("start", self.name)
        return self

    def there(self, host):
        """An option with the XML that the destination is given, where it is not that of the source"""
        if "args_there" not in self.row:
            return []
        text = re.sub(r"<qemu:commandline>.*</qemu:commandline>", "", host.virsh("dumpxml", "--migratable", self.name),
                      flags=re.DOTALL)
        text = re.sub(r"<domain [^>]*>", DOMAIN[:DOMAIN.index("\n")], text)
        path = "/share/there-%s.xml" % self.name
        with open(host.share + path[6:], "w", encoding="utf-8") as f:
            f.write(text.replace("</domain>", "<qemu:commandline>%s</qemu:commandline></domain>"
                                 % words_of(self.row["args_there"])))
        return ["--xml", path]

    def goes(self, source, to):
        """Does it? What was said, if it does not"""
        there = self.there(source)
        if to.above or source.above:
            said = source.virsh("migrate", "--live", "--unsafe", *there, self.name, to.uri, "--migrateuri",
                                "unix:///share/migration-" + self.name, status=None)
        else:
            said = source.virsh("save", self.name, "/share/saved-" + self.name, status=None)
            if "error" not in said:
                said = to.virsh("restore", "/share/saved-" + self.name, *there, status=None)
        if to.virsh("domstate", self.name, status=None).strip() == "running":
            self.lives(to)
            return None
        return said + to.log(self.name)


def words_of(args):
    return "".join("<qemu:arg value=%s/>" % quoteattr(w) for w in args)


def started(host, guest):
    """The line of the last QEMU that libvirt has started for it here; nothing: none"""
    text = ""
    for line in host.log(guest.name).splitlines()[1:]:
        text += line.removesuffix("\\")
        if not line.endswith("\\"):
            break
    words = shlex.split(text)
    return words[words.index(QEMU):] if QEMU in words else []


# ------------------------------------------------------------------------- a row


def processor():
    """Seconds that what has ended took of it"""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def start_time(host, machine, tpm):
    """What the QEMU takes to come up with nothing, and to end; and its TPM"""
    before = processor()
    host.run("sh", "-c", "echo quit | %s -M %s -nodefaults -display none -S -monitor stdio" % (QEMU, machine), status=None)
    if tpm:
        host.run("sh", "-c", "d=$(mktemp -d) && timeout 0.5 swtpm socket --tpm2 --tpmstate dir=$d --server"
                 " type=unixio,path=$d/s --flags startup-clear,not-need-init", status=None)
    return processor() - before


class Rehearsal:
    """Of both lines: the exit status, all that was said, the size of the file, and what it took"""

    def __init__(self, name, source, line, to, there):
        file = "/share/%s.rehearsal" % name
        before = processor()
        self.status, self.said = source.ask("abibase", "rehearse", "--save=" + file, "--", *line)
        self.size = 0
        if self.status in (0, 3):
            with open(source.share + file[6:], "rb") as f:
                self.size = len(zlib.compress(f.read()))
            self.status, said = to.ask("abibase", "rehearse", "--load=" + file, "--", *there)
            self.said += said
        self.took = processor() - before


def fault(row, moved, rehearsal):
    """What of a row is not as it should be, or None"""
    wanted = 0 if row["moves"] else 1
    if (moved is None) is not row["moves"]:
        return "virsh moves it" if moved is None else "virsh does not move it: " + moved
    if rehearsal.status != wanted:
        return "rehearse: exit status %d, not %d:\n%s" % (rehearsal.status, wanted, rehearsal.said)
    said = " ".join(rehearsal.said.split())
    if row.get("says", "") not in said:
        return "rehearse does not say %r:\n%s" % (row["says"], rehearsal.said)
    if rehearsal.size > BYTES:
        return "the file has %d bytes, compressed" % rehearsal.size
    return None


def attempt(row, places, starts):
    """The fault, or None; the rehearsal; and in how many times the start of both QEMUs the verdict came"""
    source, to = places[row["from"]], places[row["to"]]
    both = 0
    for h in (source, to):
        h.clear()
        key = h, row["machine"], row["tpm"] != "none"
        if key not in starts:
            starts[key] = start_time(*key)
        both += starts[key]
    guest = Traveller(row).start(source)
    line = started(source, guest)
    moved = guest.goes(source, to)
    rehearsal = Rehearsal(row["name"], source, line, to, started(to, guest) or line)
    return fault(row, moved, rehearsal), rehearsal, rehearsal.took / both


# ------------------------------------------------------------------- the table


def pairs_missing(table):
    """Of any two factors, the values that no row has together"""
    missing = []
    for one, other in itertools.combinations(FACTORS, 2):
        have = {(r[one], r[other]) for r in table}
        missing += ["%s=%s with %s=%s" % (one, a, other, b)
                    for a, b in itertools.product(FACTORS[one], FACTORS[other]) if (a, b) not in have]
    return missing


def rows():
    with open(TABLE, encoding="utf-8") as f:
        return json.load(f)["rows"]


def prepare(host, bytes_of_rom):
    """A ROM that has another size on another host"""
    host.write("/usr/share/card.rom", "\0" * bytes_of_rom)


def run(some, places):
    """How many failed; and of each verdict, in how many starts of both QEMUs it came"""
    failed, starts, times = 0, {}, []
    for i, h in enumerate(places.values()):
        prepare(h, 65536 << i)
    for row in some:
        begun = time.monotonic()
        try:
            wrong, rehearsal, ratio = attempt(row, places, starts)
            times.append(ratio)
            figures = "%d kB, %.1f starts" % (rehearsal.size / 1000, ratio)
        except Failed as e:
            wrong, figures = str(e), "no verdict"
        print("%s: line %s: %s from %s to %s%s (%s; %.1f s)" % (
            "FAIL" if wrong else "PASS", row["name"], "moves" if row["moves"] else "does not move", row["from"], row["to"],
            "" if row["moves"] else ": " + row["reason"], figures, time.monotonic() - begun), flush=True)
        if wrong:
            failed += 1
            print("    " + wrong.strip().replace("\n", "\n    "), flush=True)
    return failed, times


def main(work, cache, arguments):
    hosts.build(work)
    newest = os.path.join(os.environ.get("ABIBASE_QEMUS") or os.path.dirname(cache) + "/qemus", "trixie-backports")
    if not os.path.isdir(newest):
        raise hosts.Missing("QEMU 11.1 is not there: tests/fetch-qemus fetches it")
    places = {name: hosts.Host(work, cache, name, suite, kernel, above)
              for name, suite, kernel, above in (("older", "bookworm", "6.1", None), ("new", "trixie", "6.12", None),
                                                 ("newest", "trixie", "6.12", newest))}
    for h in places.values():
        h.start_libvirtd()
    for h in places.values():
        h.libvirtd_is_up()
    names = [a for a in arguments if not a.startswith("-")]
    some = [r for r in rows() if not names or r["name"] in names]
    failed, times = run(some, places)
    if times:
        print("a verdict takes the processor as long as %.1f starts of both QEMUs with nothing (median; %.1f to %.1f)"
              % (statistics.median(times), min(times), max(times)))
    missing = pairs_missing(rows())
    for m in missing:
        print("FAIL: no row has " + m)
    print("%d passed, %d failed" % (len(some) - failed, failed + len(missing)))
    return 1 if failed or missing or not some else 0
