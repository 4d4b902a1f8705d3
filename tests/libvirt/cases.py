# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases: a function each, whose first line of documentation is what the table says of it.

new and old are Debian 13 with libvirt 11.3 and QEMU 10.0; new plays the kernel 6.12, which has USO on a tap
and RING_RESET in vhost, and old plays 6.1, which has neither. older is Debian 12 with libvirt 9.0 and QEMU
7.2, and plays 6.1, too.
"""
import concurrent.futures
import contextlib
import json
import os
import re
import time
import traceback
from xml.etree import ElementTree

import hosts
import lines
from guests import RING_RESET, USO, WRAPPER, Guest, says, silent
from hosts import BASELINES, PROFILE, QEMU, Failed

CASES = []
M10, M92, M82, M72 = "pc-q35-10.0", "pc-q35-9.2", "pc-q35-8.2", "pc-q35-7.2"


def case(function):
    CASES.append(function)
    return function


def in_slice(function):
    function.slice = True
    return case(function)


class Lab:
    """The three hosts, with their profiles, and baselines made of these"""

    def __init__(self, work, cache):
        hosts.build(work)
        self.share = work + "/share"
        self.all = [hosts.Host(work, cache, *h) for h in (("new", "trixie", "6.12"), ("old", "trixie", "6.1"),
                                                          ("older", "bookworm", "6.1"))]
        self.new, self.old, self.older = self.all
        for h in self.all:
            h.start_libvirtd()
        for h in self.all:
            h.record()
            with open("%s/%s.json" % (self.share, h.name), "w", encoding="utf-8") as f:
                f.write(h.read(PROFILE))
        for h in self.all:
            h.libvirtd_is_up()

    def baseline(self, machine, *of, more=()):
        """Its path on the hosts, and its id"""
        path = "/share/%s-%s%s.json" % (machine, "-".join(h.name for h in of), "".join(more))
        if not os.path.exists(self.share + path[6:]):
            self.new.run("abibase", "intersect", "--json", "-M", machine, "-o", path, *more,
                         *("/share/%s.json" % h.name for h in of))
        with open(self.share + path[6:], encoding="utf-8") as f:
            return path, json.load(f)["id"]

    def under(self, path, *on):
        """One baseline, on these hosts"""
        for h in on:
            h.run("cp", path, "/etc/abibase/cluster.json")
            h.conf("baseline = /etc/abibase/cluster.json\n")


@case
def probing(lab):
    """libvirt learns of a wrapper what it learns of its QEMU, in both versions"""
    for h, machine in ((lab.new, M10), (lab.older, M72)):
        lab.under(lab.baseline(machine, h)[0], h)
        of = [h.virsh("domcapabilities", "--virttype", "qemu", "--machine", machine, "--emulatorbin", e)
              for e in (QEMU, WRAPPER)]
        if of[1].replace(WRAPPER, QEMU) != of[0]:
            raise Failed("%s: the capabilities differ:\n%s\n%s" % (h.name, *of))
        silent(str(h.said()), "ABIBASE_VERDICT")


@in_slice
def start(lab):
    """A guest is defined and started under a baseline, and sees no more than all hosts have"""
    path, _ = lab.baseline(M10, lab.new, lab.old)
    lab.under(path, lab.new)
    plain = Guest("plain", M10, emulator=QEMU).start(lab.new)
    plain.has(USO)
    guest = Guest("guest", M10).start(lab.new)
    guest.has(USO, False)
    says(lab.new.virsh("dumpxml", "guest"), "<emulator>%s</emulator>" % WRAPPER)
    lab.under(lab.baseline(M72, lab.new, lab.older)[0], lab.older)
    Guest("older", M72).start(lab.older).has(USO, False)
    (words, _), = lab.new.processes("guest")
    says(" ".join(words), "-global virtio-net-device.host_uso=off")


@in_slice
def lists(lab):
    """Both lists for libvirt are valid in a plain domain, come back from dumpxml, and are what the card has"""
    wanted = {"host_ufo": "false", "rx_queue_size": "256", "mrg_rxbuf": "true"}
    for name, form, alias in (("argument", "libvirt-commandline", ()),
                              ("override", "libvirt-override", ("--alias", "net0"))):
        guest = Guest(name, M72, emulator=QEMU)
        guest.more = lab.new.run("abibase", "intersect", "-q", "-f", form, *alias, "-M", M72, "--enable=queue-sizes",
                                 "--disable=virtio-version", "--disable=offload-ufo", "/share/new.json",
                                 "/share/older.json")
        for h in (lab.older, lab.new):
            h.virsh("define", "--validate", guest.file(h))
            said = h.virsh("dumpxml", name)
            if not guest.more or qemu_elements(said) != qemu_elements(guest.xml()):
                raise Failed("%s: %s is not what was defined:\n%s" % (h.name, form, said))
            h.virsh("start", "--paused", name)
            got = {p: card(h, name, p) for p in wanted}
            if got != wanted:
                raise Failed("%s: %s: the card has %s" % (h.name, form, got))


def card(h, guest, name):
    """A property of the network card, as QEMU has it"""
    said = h.virsh("qemu-monitor-command", guest, json.dumps(
        {"execute": "qom-get", "arguments": {"path": "/machine/peripheral/net0/virtio-backend", "property": name}}))
    return json.dumps(json.loads(said)["return"])


def qemu_elements(xml):
    """Those of libvirt's name space for QEMU, with their attributes"""
    return [(e.tag, sorted(e.attrib.items())) for e in ElementTree.fromstring(xml).iter()
            if e.tag.startswith("{http://libvirt.org/schemas/domain/qemu/1.0}")]


@case
def hotplug(lab):
    """A NIC that is plugged in later is under the baseline, too, and goes where the guest goes"""
    lab.under(lab.baseline(M10, lab.new, lab.old)[0], lab.new, lab.old)
    for name, emulator, value in (("plain", QEMU, "true"), ("guest", WRAPPER, "false")):
        guest = Guest(name, M10, emulator=emulator).start(lab.new)
        nic = "<interface type='user'><model type='virtio'/><alias name='ua-late'/></interface>"
        lab.new.write("/tmp/nic.xml", nic)
        lab.new.virsh("attach-device", name, "/tmp/nic.xml")
        said = lab.new.virsh("qemu-monitor-command", name, json.dumps(
            {"execute": "qom-get", "arguments": {"path": "/machine/peripheral/ua-late/virtio-backend",
                                                 "property": "host_uso"}}))
        says(said, '"return":' + value)
    guest.moves(lab.new, lab.old)
    says(lab.old.virsh("domiflist", "guest"), "user")
    # what was plugged in there is on the command line here: a list of --hotplug is not for that
    (words, _), = lab.old.processes("guest")
    says(" ".join(words), "ua-late")


@case
def save_and_restore(lab):
    """A guest that was saved on one host is restored on another, which fails without a baseline"""
    lab.under(lab.baseline(M10, lab.new, lab.old)[0], lab.new, lab.old)
    guest = Guest("guest", M10).start(lab.new)
    lab.new.virsh("save", "guest", "/share/saved")
    lab.old.virsh("restore", "/share/saved")
    guest.lives(lab.old)
    plain = Guest("plain", M10, emulator=QEMU).start(lab.new)
    lab.new.virsh("save", "plain", "/share/saved-plain")
    said = lab.old.virsh("restore", "/share/saved-plain", status=1)
    says(said, "load of migration failed")
    lab.new.virsh("restore", "/share/saved-plain")
    plain.lives(lab.new)


@case
def stream_dies(lab):
    """Without abibase the stream dies at the destination, and decode says of what"""
    plain = Guest("plain", M10, emulator=QEMU).start(lab.new)
    lab.old.write("/tmp/log", plain.dies(lab.new, lab.old))
    says(lab.old.run("sh", "-c", "abibase decode < /tmp/log"), "VIRTIO_NET_F_HOST_USO")


@case
def verify(lab):
    """abibase verify takes what virsh domxml-to-native says libvirt would start"""
    path, _ = lab.baseline(M10, lab.new, lab.old)
    lab.under(path, lab.new)
    for name, emulator, status, word in (("guest", WRAPPER, 0, "equal"), ("plain", QEMU, 1, "differs")):
        Guest(name, M10, emulator=emulator).define(lab.new)
        said = lab.new.run("sh", "-c", """
            eval "set -- $(virsh -q -c '%s' domxml-to-native qemu-argv --domain %s)"
            abibase verify %s -- "$@" """ % (lab.new.uri, name, path), status=status)
        says(said, "net0 on tap: " + word)


@case
def there_and_back(lab):
    """A guest under the baseline of both hosts goes from the newer kernel to the older one, and back"""
    lab.under(lab.baseline(M10, lab.new, lab.old)[0], lab.new, lab.old)
    guest = Guest("guest", M10, ("tap", "queues", "user")).start(lab.new)
    guest.has(USO, False)
    guest.moves(lab.new, lab.old)
    guest.moves(lab.old, lab.new, "--p2p")
    # through a file, under the same name
    lab.new.virsh("managedsave", "guest")
    lab.new.virsh("start", "guest")
    guest.lives(lab.new)


@in_slice
def across_versions(lab):
    """From libvirt 11.3 and QEMU 10.0 to libvirt 9.0 and QEMU 7.2, and back: tap"""
    lab.under(lab.baseline(M72, lab.new, lab.older)[0], lab.new, lab.older)
    guest = Guest("guest", M72).start(lab.new)
    guest.moves(lab.new, lab.older)
    guest.moves(lab.older, lab.new)
    late = Guest("late", M72).start(lab.older)
    late.moves(lab.older, lab.new)


@case
def across_versions_vhost(lab):
    """The same with vhost, which dies without a baseline"""
    plain = Guest("plain", M72, ("vhost",), emulator=QEMU).start(lab.new)
    plain.has(RING_RESET)
    plain.dies(lab.new, lab.older)
    lab.under(lab.baseline(M72, lab.new, lab.older)[0], lab.new, lab.older)
    guest = Guest("guest", M72, ("vhost",)).start(lab.new)
    guest.has(RING_RESET, False)
    guest.moves(lab.new, lab.older)
    guest.moves(lab.older, lab.new)


@in_slice
def refused_start(lab):
    """virsh start says what this host lacks; the exit status of the wrapper is 126"""
    path, name = lab.baseline(M10, lab.new)
    lab.under(path, lab.old)
    Guest("guest", M10).refused(lab.old, "tap lacks what the baseline promises", "host_uso", "remedy:",
                                QEMU + " was not started [exec-refused]")
    lab.old.run(WRAPPER, "-machine", M10, "-netdev", "tap,id=n", "-device", "virtio-net-pci,netdev=n", status=126)
    says(lab.old.log("guest"), "was not started [exec-refused]")
    Guest("other", M92).refused(lab.old, "[command-machine]")
    lab.under(lab.baseline(M72, lab.new)[0], lab.older)
    Guest("vhost", M72, ("vhost",)).refused(lab.older, "vhost-net lacks what the baseline promises", "queue_reset",
                                            "[exec-refused]")


@case
def refused_migration(lab):
    """A destination that lacks what the baseline promises refuses before the stream"""
    lab.under(lab.baseline(M10, lab.new)[0], lab.new, lab.old)
    guest = Guest("guest", M10).start(lab.new)
    guest.has(USO)
    guest.stays(lab.new, lab.old, "tap lacks what the baseline promises", "[exec-refused]")
    silent(lab.old.log("guest"), "unsupported")


@case
def no_abibase(lab):
    """A destination without abibase refuses by name"""
    lab.under(lab.baseline(M10, lab.new, lab.old)[0], lab.new)
    guest = Guest("guest", M10).start(lab.new)
    lab.old.run("mv", WRAPPER, WRAPPER + ".away")
    try:
        guest.stays(lab.new, lab.old, WRAPPER)
    finally:
        lab.old.run("mv", WRAPPER + ".away", WRAPPER)


@in_slice
def conversion(lab):
    """A guest that runs without the wrapper comes under it by virsh migrate --xml, and goes back"""
    lab.under(lab.baseline(M10, lab.new, lab.old, more=("--backend=tap",))[0], lab.new, lab.old)
    guest = Guest("guest", M10, emulator=QEMU).start(lab.old)
    guest.has(USO, False)
    wrapped = guest.file(lab.old, emulator=WRAPPER)
    guest.moves(lab.old, lab.new, "--xml", wrapped, "--persistent-xml", wrapped)
    for option in ((), ("--inactive",)):
        says(lab.new.virsh("dumpxml", *option, "guest"), WRAPPER)
    (words, _), = lab.new.processes("guest")
    says(" ".join(words), "virtio-net-device.host_uso=off")
    guest.moves(lab.new, lab.old)


@case
def cpu_baseline(lab):
    """A guest without a CPU model: what abibase prints makes one of both libvirts, with which it goes there and back"""
    guest = Guest("guest", M72, emulator=QEMU)
    text = guest.xml()
    at, end = text.index("<cpu"), text.index("</cpu>") + 6
    with open(lab.share + "/bare.xml", "w", encoding="utf-8") as f:
        f.write(text[:at] + text[end:])
    said = lab.new.run("sh", "-c", "abibase intersect --domain /share/bare.xml /share/new.json /share/older.json 2>&1")
    said = " ".join(said.split())
    says(said, "the guest names no CPU model", "[guest-cpu]")
    each, one = re.search(r"(virsh domcapabilities [^>]*) > HOST.xml, .*?; (virsh hypervisor-cpu-baseline .*? --migratable)",
                          said).groups()
    for h in (lab.new, lab.older):
        h.run("sh", "-c", "LIBVIRT_DEFAULT_URI='%s' %s > /share/%s.caps" % (h.uri, each, h.name))
    # the older one does not know the names of all that the newer one has
    said = lab.older.run("sh", "-c", "cd /tmp; cat /share/*.caps > all; LIBVIRT_DEFAULT_URI='%s' %s" % (lab.older.uri, one),
                         status=1)
    says(said, "Unknown CPU feature")
    guest.cpu = lab.new.run("sh", "-c", "cd /tmp; cat /share/*.caps > all; LIBVIRT_DEFAULT_URI='%s' %s" % (lab.new.uri, one))
    guest.start(lab.new).moves(lab.new, lab.older)
    guest.moves(lab.older, lab.new)


@contextlib.contextmanager
def hooks(*on):
    with open(os.path.join(hosts.SRC, "packaging", "libvirt", "hook"), encoding="utf-8") as f:
        text = f.read()
    try:
        for h in on:
            h.write("/etc/libvirt/hooks/qemu.d/abibase", text, 0o755)
            h.restart_libvirtd()
        yield
    finally:
        for h in on:
            h.run("rm", "-r", "/etc/libvirt/hooks")
            h.restart_libvirtd()


@case
def hook_veto(lab):
    """The hook refuses what this host lacks for this guest, at its start and when it comes by migration"""
    with hooks(lab.old, lab.new):
        for h in (lab.old, lab.new):
            h.run("cp", lab.baseline(M10, lab.new)[0], BASELINES)
        Guest("guest", M10, emulator=QEMU).refused(lab.old, "host_uso", "hook")
        # not those of another backend, and not those of a machine type without a baseline
        Guest("user", M10, ("user",), emulator=QEMU).start(lab.old)
        Guest("other", M92, emulator=QEMU).start(lab.old)
        guest = Guest("moving", M10, emulator=QEMU).start(lab.new)
        guest.stays(lab.new, lab.old, "host_uso", "hook")
        if lab.old.processes("moving"):
            raise Failed("there is a QEMU for it on old")


@case
def hook_by_id(lab):
    """The hook asks for the baseline that the domain names, and for no other"""
    ours, common = lab.baseline(M10, lab.new), lab.baseline(M10, lab.new, lab.old)
    with hooks(lab.old, lab.new):
        for h in (lab.old, lab.new):
            h.run("cp", common[0], BASELINES)
        lab.new.run("cp", ours[0], BASELINES)
        guest = Guest("guest", M10, emulator=QEMU, baseline=ours[1]).start(lab.new)
        guest.stays(lab.new, lab.old, ours[1], "copy it there")
        lab.old.run("cp", ours[0], BASELINES)
        silent(guest.stays(lab.new, lab.old, "host_uso"), "copy it there")
        Guest("both", M10, emulator=QEMU, baseline=common[1]).start(lab.old)
        lab.old.run("sh", "-c", "rm %s/*; cp %s %s" % (BASELINES, common[0], BASELINES))
        Guest("mistaken", M92, emulator=QEMU, baseline=common[1]).refused(lab.old, "[guest-differs]", "hook")


@case
def default_emulator(lab):
    """The wrapper first in the PATH of libvirtd is the emulator of domains that name none"""
    h = lab.new
    lab.under(lab.baseline(M10, lab.new, lab.old)[0], h)
    h.run("sh", "-c", "mkdir -p /usr/libexec/abibase/path && ln -s %s /usr/libexec/abibase/path/%s"
          % (WRAPPER, os.path.basename(QEMU)))
    h.restart_libvirtd("/usr/libexec/abibase/path:" + hosts.PATH)
    try:
        guest = Guest("guest", M10, emulator=None).start(h)
        says(h.virsh("dumpxml", "guest"), "<emulator>/usr/libexec/abibase/path/" + os.path.basename(QEMU))
        guest.has(USO, False)
    finally:
        h.run("rm", "-r", "/usr/libexec/abibase/path")
        h.restart_libvirtd()


@case
def other_baseline(lab):
    """Each host under another baseline, both satisfied, no id in the domain: the stream dies"""
    lab.under(lab.baseline(M10, lab.new)[0], lab.new)
    lab.under(lab.baseline(M10, lab.new, lab.old)[0], lab.old)
    guest = Guest("guest", M10).start(lab.new)
    guest.dies(lab.new, lab.old)


def offer(host, *baselines, current=()):
    """A directory of baselines, each called after its id, in place of what was there"""
    host.run("sh", "-c", "rm -f %s/*" % BASELINES)
    for path, name in baselines:
        host.run("cp", path, "%s/%s.json" % (BASELINES, name))
    host.conf("baseline = %s\n%s" % (BASELINES, "".join("current.%s = %s\n" % c for c in current)))


def under(host, guest, name):
    """The QEMU of the guest says that this is its baseline"""
    (_, environment), = host.processes(guest.name)
    if "ABIBASE_BASELINE=" + name not in environment:
        raise Failed("%s on %s is not under %s: %s" % (guest.name, host.name, name, environment))


@in_slice
def other_baseline_with_id(lab):
    """The same with the id in the domain: refused before the stream; and under a baseline of both it moves"""
    ours, common = lab.baseline(M10, lab.new), lab.baseline(M10, lab.new, lab.old)
    offer(lab.new, ours, common, current=[(M10, ours[1])])
    offer(lab.old, common)
    guest = Guest("guest", M10, baseline=ours[1]).start(lab.new)
    guest.has(USO)
    guest.stays(lab.new, lab.old, ours[1], "[baseline-not-there]")
    silent(lab.old.log("guest"), "unsupported")
    under(lab.new, guest, ours[1])
    both = Guest("both", M10, baseline=common[1]).start(lab.new)
    both.moves(lab.new, lab.old)
    under(lab.old, both, common[1])


@in_slice
def three_baselines(lab):
    """Guests of three machine types under three baselines, with tap, vhost and user, start and move at once"""
    some = {m: lab.baseline(m, lab.new, lab.old) for m in (M10, M92, M82)}
    for h in (lab.new, lab.old):
        offer(h, *some.values())
    guests = [Guest("first", M10, ("tap",)), Guest("second", M92, ("vhost", "user")),
              Guest("third", M82, ("user", "tap"), baseline=some[M82][1])]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda g: g.start(lab.new), guests))
        list(pool.map(lambda g: g.moves(lab.new, lab.old), guests))
    for g in guests:
        under(lab.old, g, some[g.machine][1])
        g.has(USO, False)


def replace(lab, emulator):
    """Guests under a baseline that is replaced: what becomes of those with the id and of those without"""
    old, new = lab.baseline(M10, lab.new, lab.old), lab.baseline(M10, lab.new, lab.old, more=("--backend=tap",))
    for h in (lab.new, lab.old):
        offer(h, old)
    named = Guest("named", M10, emulator=emulator, baseline=old[1]).start(lab.new)
    silently = Guest("silent", M10, emulator=emulator).start(lab.new)
    for h in (lab.new, lab.old):
        offer(h, old, new, current=[(M10, new[1])])
    late = Guest("late", M10, emulator=emulator, baseline=new[1]).start(lab.new)
    later = Guest("later", M10, emulator=emulator).start(lab.new)
    for guest, (_, name) in ((named, old), (silently, old), (late, new), (later, new)):
        under(lab.new, guest, name)
    for guest, (_, name) in ((named, old), (late, new)):
        guest.moves(lab.new, lab.old)
        under(lab.old, guest, name)
    for guest in (silently, later):
        guest.stays(lab.new, lab.old, "[baseline-which]", "ABIBASE_BASELINE")
        silent(lab.old.log(guest.name), "unsupported")
    # with the id it comes after all
    told = silently.file(lab.new, baseline=old[1])
    silently.moves(lab.new, lab.old, "--xml", told, "--persistent-xml", told)


@case
def replaced(lab):
    """A baseline is replaced: with the id a guest moves under its own, without it is refused before the stream"""
    replace(lab, WRAPPER)


@case
def replaced_diverted(lab):
    """The same where the wrapper stands in QEMU's place, by dpkg-divert"""
    real = QEMU + ".distrib"
    try:
        for h in (lab.new, lab.old):
            h.run("dpkg-divert", "--local", "--quiet", "--rename", "--divert", real, "--add", QEMU)
            h.run("ln", "-s", WRAPPER, QEMU)
            h.qemu = real
            offer(h)
            h.record()
        replace(lab, QEMU)
    finally:
        for h in (lab.new, lab.old):
            h.clear()
            h.qemu = QEMU
            h.run("rm", "-f", QEMU)
            h.run("dpkg-divert", "--local", "--quiet", "--rename", "--remove", QEMU)
            h.record()


@case
def restored_later(lab):
    """A guest that was saved before its baseline was replaced is refused at virsh restore, and told its id comes"""
    old, new = lab.baseline(M10, lab.new, lab.old), lab.baseline(M10, lab.new, lab.old, more=("--backend=tap",))
    offer(lab.new, old)
    guest = Guest("guest", M10).start(lab.new)
    lab.new.virsh("save", "guest", "/share/saved-later")
    offer(lab.new, old, new, current=[(M10, new[1])])
    says(lab.new.virsh("restore", "/share/saved-later", status=1), "[baseline-which]", old[1])
    lab.new.virsh("restore", "/share/saved-later", "--xml", guest.file(lab.new, baseline=old[1]))
    guest.lives(lab.new)
    under(lab.new, guest, old[1])


def journal(host, verdict, guest, **fields):
    """There is one message, and it says this"""
    messages = host.said()
    fields.update(ABIBASE_VERDICT=verdict, ABIBASE_GUEST=guest.name, ABIBASE_UUID=guest.uuid,
                  ABIBASE_HOST=host.name)
    if len(messages) != 1 or not fields.items() <= messages[0].items():
        raise Failed("the journal does not have %s alone: %s" % (fields, messages))


def start_as_told(host, guest, said):
    """Do what a refusal says starts the guest all the same, and start it"""
    line, file = re.search(r'"(mode\S* = warn)" in (\S+)', said).groups()
    host.write(file, host.read(file) + line + "\n")
    host.virsh("start", guest.name)
    guest.lives(host)
    says(host.log(guest.name), "[exec-warned]")


@case
def warn(lab):
    """A guest that is refused is started all the same with mode = warn, and the journal has both"""
    h, (path, name) = lab.old, lab.baseline(M10, lab.new)
    lab.under(path, h)
    guest = Guest("guest", M10)
    said = guest.refused(h, "[promise-lacks]", "[exec-refused]")
    journal(h, "refused", guest, ABIBASE_BASELINE=name)
    start_as_told(h, guest, said)
    says(h.log("guest"), "tap lacks what the baseline promises")
    journal(h, "warned", guest)
    h.virsh("destroy", "guest")
    lab.under(lab.baseline(M10, lab.new, lab.old)[0], h)
    h.virsh("start", "guest")
    journal(h, "started", guest)


@case
def broken(lab):
    """Where abibase is broken a guest is refused, and starts with the line that the refusal has"""
    h = lab.new
    guest = Guest("guest", M10)
    for path in (hosts.directory("pkgdatadir") + "/catalogue.json", PROFILE, "/etc/abibase/cluster.json"):
        lab.under(lab.baseline(M10, lab.new, lab.old)[0], h)
        h.run("mv", path, path + ".away")
        try:
            start_as_told(h, guest, guest.refused(h, path, "[exec-refused]"))
        finally:
            h.run("mv", path + ".away", path)
        h.virsh("destroy", "guest")


# ------------------------------------------------------------------------------ to run them


def attempt(lab, function):
    """The fault, or None"""
    try:
        for h in lab.all:
            h.clear()
        function(lab)
    except Failed as e:
        return str(e)
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc()
    return None


def main(work, cache, arguments):
    table = "".join("| `%s` | %s%s |\n" % (f.__name__, f.__doc__, " (CI)" if hasattr(f, "slice") else "") for f in CASES)
    with open(hosts.HERE + "/README.md", encoding="utf-8") as f:
        listed = table in f.read()
    if "--list" in arguments:
        print(table, end="")
        return 0
    some = [f for f in CASES if hasattr(f, "slice")] if "--slice" in arguments else CASES
    names = [a for a in arguments if not a.startswith("-")]
    some = [f for f in CASES if f.__name__ in names] if names else some
    start_time = time.monotonic()
    lab = Lab(work, cache)
    print("three hosts (%d s)" % (time.monotonic() - start_time), flush=True)
    failed = 0
    for function in some:
        start_time = time.monotonic()
        fault = attempt(lab, function)
        print("%s: %s: %s (%.1f s)" % ("FAIL" if fault else "PASS", function.__name__, function.__doc__,
                                       time.monotonic() - start_time), flush=True)
        if fault:
            failed += 1
            print("    " + fault.strip().replace("\n", "\n    "), flush=True)
            if os.environ.get("ABIBASE_LIBVIRT_SHELL"):
                os.system("/bin/bash")
    if "--slice" in arguments and not names:
        rows = [r for r in lines.rows() if r.get("ci")]
        failed += lines.run(rows, {"older": lab.older, "new": lab.new})[0]
        some += rows
    if not listed:
        failed += 1
        print("FAIL: README.md does not have the table that --list prints")
    print("%d passed, %d failed" % (len(some) + (not listed) - failed, failed))
    return 1 if failed or not some else 0
