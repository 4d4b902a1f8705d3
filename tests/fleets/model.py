# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a QEMU on a host offers its guest, and when a stream moves.

Written from QEMU's behaviour; it shares nothing with the library but names. All is yes, no or unknown.
"""
import hashlib
import json
import re

ABSENT = "absent"
NOT_SET = "not set"     # what a record has of a text that nobody gives
NEWEST = (11, 1)        # what a later QEMU does by itself is not known
NO_VECTORS = 4294967295

# ------------------------------------------------------------------------------------ three values

YES, NO, UNKNOWN = True, False, None


def both(*values):
    """YES if all are; NO if one is; else UNKNOWN."""
    if any(v is NO for v in values):
        return NO
    return UNKNOWN if any(v is UNKNOWN for v in values) else YES


# -------------------------------------------------------------------------- what QEMU makes of a host

class Row:
    """One property of virtio-net and its bit.

    @needs: letters of what the host must have: V vnet_hdr, U UFO, S USO, T tunnels (of the tap), K the
    same bit of vhost, A that of its array. @off_until: the last machine type that has it off.
    """

    def __init__(self, bit, prop, since, default=True, needs="", off_until=None, legacy=False):
        self.bit, self.prop, self.since, self.default = bit, prop, since, default
        self.needs, self.off_until, self.legacy = needs, off_until, legacy


ROWS = [
    Row(0, "csum", (0, 13), needs="V"), Row(1, "guest_csum", (0, 13), needs="V"),
    Row(2, "ctrl_guest_offloads", (1, 6)),
    Row(7, "guest_tso4", (0, 13), needs="V"), Row(8, "guest_tso6", (0, 13), needs="V"),
    Row(9, "guest_ecn", (0, 13), needs="V"), Row(10, "guest_ufo", (0, 13), needs="VU"),
    Row(11, "host_tso4", (0, 13), needs="V"), Row(12, "host_tso6", (0, 13), needs="V"),
    Row(13, "host_ecn", (0, 13), needs="V"), Row(14, "host_ufo", (0, 13), needs="VU"),
    Row(15, "mrg_rxbuf", (0, 13), needs="KM"),
    Row(16, "status", (0, 13)), Row(17, "ctrl_vq", (0, 13)), Row(18, "ctrl_rx", (0, 13)),
    Row(19, "ctrl_vlan", (0, 13)), Row(20, "ctrl_rx_extra", (0, 13)),
    Row(21, "guest_announce", (2, 1)), Row(22, "mq", (1, 4), False),
    Row(23, "ctrl_mac_addr", (1, 4)),
    Row(28, "indirect_desc", (0, 13), needs="K"), Row(29, "event_idx", (0, 15), needs="K"),
    Row(33, "iommu_platform", (2, 9), False, needs="F"),
    Row(34, "packed", (4, 2), False, needs="K"), Row(35, "in_order", (9, 1), False, needs="K"),
    Row(40, "queue_reset", (7, 2), needs="K", off_until=(7, 1)),
    Row(54, "guest_uso4", (8, 2), needs="VS", off_until=(8, 1)),
    Row(55, "guest_uso6", (8, 2), needs="VS", off_until=(8, 1)),
    Row(56, "host_uso", (8, 2), needs="VS", off_until=(8, 1)),
    Row(57, "hash", (5, 1), False, needs="VH"), Row(60, "rss", (5, 1), False, needs="E"),
    Row(61, "guest_rsc_ext", (4, 0), False, needs="R"), Row(62, "failover", (4, 2), False),
    Row(65, "guest_tunnel", (10, 2), needs="VTA", off_until=(10, 1)),
    Row(66, "guest_tunnel_csum", (10, 2), needs="VT", off_until=(10, 1)),
    Row(67, "host_tunnel", (10, 2), needs="VTA", off_until=(10, 1)),
    Row(68, "host_tunnel_csum", (10, 2), needs="VT", off_until=(10, 1)),
    Row(6, "gso", (0, 13), legacy=True), Row(24, "notify_on_empty", (2, 4), needs="K", legacy=True),
    Row(27, "any_layout", (2, 4), legacy=True),
]
BY_PROP = {r.prop: r for r in ROWS}
BY_BIT = {r.bit: r for r in ROWS}
LEGACY = sum(1 << r.bit for r in ROWS if r.legacy)
MAC, VERSION_1, MTU, SPEED = 5, 32, 3, 63
LOG_ALL = 26    # of a vhost: without it QEMU lets no guest leave

# What a guest keeps of its PCI device; a QEMU without the property is as one with it off, but for
# DOES_WITHOUT.
PCI = "virtio-net-pci-base."
LAYOUT = {
    PCI + "aer": (6, 0), PCI + "ats": (2, 9), PCI + "modern-pio-notify": (2, 5),
    PCI + "page-per-vq": (2, 8), PCI + "vectors": (0, 13), PCI + "x-pcie-ext-tag": (9, 2),
    PCI + "x-pcie-flr-init": (4, 2), PCI + "x-pcie-pm-no-soft-reset": (9, 1),
    PCI + "x-ats-page-aligned": (6, 0), PCI + "x-pcie-ari-nextfn-1": (8, 1),
    PCI + "x-pcie-err-unc-mask": (8, 0, 1),
    "virtio-net-pci.disable-legacy": (2, 7), "virtio-net-pci.disable-modern": (2, 4),
}
# What no prober of the first catalogue asked for: that it is not in a record says nothing.
ASKED_LATER = (PCI + "x-ats-page-aligned", PCI + "x-pcie-ari-nextfn-1", PCI + "x-pcie-err-unc-mask")
DOES_WITHOUT = {PCI + "x-ats-page-aligned": lambda v: v[:2] == (5, 2),
                PCI + "x-pcie-ari-nextfn-1": lambda v: True,
                PCI + "x-pcie-err-unc-mask": lambda v: v[:3] in ((8, 0), (8, 0, 0))}
# Shown by a device that has hash, rss or speed, which can be given to it with -device; no list sets them.
TEXTS = ["virtio-net-device.hash-" + t for t in ("ipv4", "ipv6", "ipv6ex", "tcp4", "tcp6", "tcp6ex", "udp4",
                                                 "udp6", "udp6ex")] + ["virtio-net-device.duplex"]
SIZES = {"virtio-net-device.rx_queue_size": (2, 8), "virtio-net-device.tx_queue_size": (2, 10)}
NUMBERS = dict(SIZES, **{"virtio-net-device.host_mtu": (2, 9), "virtio-net-device.speed": (2, 12)})
# The features of other devices that the kernel decides
DEVICES = {"vhost-vsock": {"vhost-vsock-device.seqpacket": 1, "vhost-vsock-device.queue_reset": 40},
           "vhost-scsi": {"vhost-scsi.notify_on_empty": 24, "vhost-scsi.indirect_desc": 28,
                          "vhost-scsi.event_idx": 29, "vhost-scsi.queue_reset": 40}}
SINCE = dict(LAYOUT, **NUMBERS)
SINCE.update({"vhost-vsock-device.seqpacket": (6, 2), "vhost-vsock-device.queue_reset": (7, 2),
              "vhost-scsi.notify_on_empty": (2, 4), "vhost-scsi.indirect_desc": (1, 4),
              "vhost-scsi.event_idx": (1, 4), "vhost-scsi.queue_reset": (7, 2)})
SINCE.update(("virtio-net-device." + r.prop, r.since) for r in ROWS)
SINCE.update((key, (10, 2) if "hash" in key else (2, 12)) for key in TEXTS)
NET = "virtio-net-device."
ON_OFF_AUTO = ("virtio-net-pci.disable-legacy", "vhost-vsock-device.seqpacket")


def version_of(text):
    return tuple(int(n) for n in text.split("."))


def upstream(machine):
    """(X, Y) of pc-q35-X.Y, or None."""
    m = re.fullmatch(r"pc-(?:q35|i440fx)-([0-9]+)\.([0-9]+)", machine)
    return (int(m.group(1)), int(m.group(2))) if m else None


def default_of(key, version, machine):
    """What upstream's QEMU of that version has under that machine type."""
    of = upstream(machine)
    if key == "vhost-vsock-device.seqpacket":
        return "off" if of <= (6, 0) else "auto"
    if key.startswith("vhost"):
        return not (key.endswith("queue_reset") and of <= (7, 1))
    if key == PCI + "vectors":
        return 3 if of <= (5, 2) or version < (6, 0) else NO_VECTORS
    if key == PCI + "x-pcie-ext-tag":
        return of > (9, 1)
    if key == PCI + "x-pcie-flr-init":
        return True
    if key in ASKED_LATER:
        return {PCI + "x-ats-page-aligned": of > (5, 1), PCI + "x-pcie-ari-nextfn-1": of <= (8, 0),
                PCI + "x-pcie-err-unc-mask": of > (7, 2)}[key]
    if key in SIZES:
        return 256
    if key in TEXTS:
        return "auto" if "hash" in key else NOT_SET
    fixed = {"virtio-net-pci.disable-legacy": "auto", NET + "host_mtu": 0, NET + "speed": -1}
    if key in fixed:
        return fixed[key]
    if key in LAYOUT:
        return False
    row = BY_PROP[key[len(NET):]]
    until = row.off_until
    # the entry was in the wrong place at first
    if row.needs == "VS" and ((8, 2, 0) <= version < (8, 2, 5) or version == (9, 0, 0)):
        until = (8, 0)
    return row.default and not (until and of <= until)


class Build:
    """One QEMU binary, by what a profile says of it."""

    def __init__(self, entry):
        self.entry = entry
        self.version = version_of(entry["version"])
        own = {k: v for k, v in entry.items() if k != "path"}
        # equal records are one build only where the build says which one it is
        self.same = hashlib.sha1(json.dumps(own, sort_keys=True).encode()).hexdigest() \
            if "build_id" in entry or "package" in entry else id(self)

    def covered(self, machine):
        """May what is not recorded be filled in by version?"""
        of = upstream(machine)
        return of is not None and self.version[:2] <= NEWEST and of <= self.version[:2]

    def has_machine(self, machine):
        if "machines" in self.entry:
            return machine in self.entry["machines"]
        if ".el9" in self.entry.get("package", ""):
            return UNKNOWN      # it has names of its own
        if upstream(machine) and self.version[:2] <= NEWEST:
            return upstream(machine) <= self.version[:2]
        return UNKNOWN

    def has(self, key, machine):
        cls, prop = key.split(".")
        recorded = self.entry.get("properties", {}).get(cls)
        asked = key not in ASKED_LATER or self.entry.get("catalogue", 1) >= 2
        if recorded is not None and (prop in recorded or asked):
            return prop in recorded
        return self.version >= SINCE[key] if self.covered(machine) else UNKNOWN

    def value(self, key, machine):
        """The value without an option, ABSENT, or UNKNOWN."""
        there = self.has(key, machine)
        if there is NO:
            return ABSENT
        values = self.entry.get("values", {})
        if machine in values:
            for source in (values[machine], self.entry.get("defaults", {})):
                if key in source:
                    return NOT_SET if source[key] is None else source[key]
        if not self.covered(machine) or self.version < SINCE[key]:
            return UNKNOWN
        return default_of(key, self.version, machine)

    def queue_size(self, machine, sizes):
        """Entries of its longest queue; UNKNOWN where no such version was looked at."""
        # the backend has no say in it
        shape = self.entry.get("shape", {}).get(machine, {})
        if shape:
            return max(n for s in shape.values() for n in s["queue_sizes"])
        if self.version == (10, 0, 13):
            return 1024
        if self.version <= (10, 0, 2) or (10, 2) <= self.version < (10, 2, 3) \
           or self.version[:2] == (11, 1):
            return UNKNOWN if UNKNOWN in sizes else max(sizes)
        return UNKNOWN


class Host:
    def __init__(self, profile):
        self.profile = profile
        self.name = profile["name"]
        self.facts = profile["facts"]
        entries = profile.get("qemu", [])
        self.unasked = any("unknown" in e for e in entries)    # one is there that could not be asked
        self.builds = [Build(e) for e in entries if e.get("target") == "x86_64"]

    def fact(self, name):
        value = self.facts.get(name)
        return UNKNOWN if isinstance(value, dict) else value

    def bit(self, name, number):
        word = self.fact(name)
        if word is NO or word is UNKNOWN:
            return word
        if number >= 4 * (len(word) - 2):
            return UNKNOWN
        if int(word, 16) >> number & 1:
            return YES
        # of a platform that was not probed only what is on is known
        mask = self.facts.get(name + ".known")
        return NO if mask is None or int(mask, 16) >> number & 1 else UNKNOWN

    def usable(self, backend):
        names = backend.split("+")
        return both(*(self.fact({"vhost": "vhost_net"}.get(n, n.replace("-", "_")) + ".usable")
                      for n in names))


class Offer:
    """What a guest gets of one host, QEMU, machine type and backend with a list of settings."""

    def __init__(self, host, build, machine, backend, settings):
        self.host, self.build, self.machine, self.backend = host, build, machine, backend
        self.settings = settings
        self.tap = backend.split("+")[0]
        self.vhost = backend.endswith("+vhost")
        self.starts = YES
        self.cause = None       # of a start that fails, or may
        self.bits = {}          # bit -> YES, NO, or a word that says what is unknown
        self.apply()
        self.find_bits()
        self.layout = {k: self.shown(k) for k in [*LAYOUT, *TEXTS]}
        self.layout["modern"] = self.modern
        self.layout.update((k, self.shown(k)) for k in SIZES)
        self.vnet = self.condition("V")
        self.ufo = both(self.vnet, self.condition("U"))
        sizes = [self.effective(k) for k in SIZES]
        self.queue = build.queue_size(machine, sizes)
        # on these backends QEMU makes no transmit queue longer than 256, whatever is asked for
        self.queues = None
        if self.queue is not UNKNOWN and UNKNOWN not in sizes:
            rx, tx = (sizes[0], min(sizes[1], 256)) if self.queue in sizes else (self.queue, self.queue)
            self.queues = [rx, tx, 64 if self.queue < 1024 else 1024]
        self.mtu = self.effective(NET + "host_mtu")
        self.leaves = host.bit("vhost_net.features", LOG_ALL) if self.vhost else YES

    def fails(self, state, cause):
        if state is YES:
            return
        if self.starts is YES or state is NO:
            self.starts, self.cause = state, cause

    def apply(self):
        self.fails(self.build.has_machine(self.machine), "machine")
        if self.vhost and self.build.version >= (6, 0):
            self.fails(self.host.usable(self.backend), "backend")
        for key in self.settings:
            if key.startswith("virtio-net"):
                self.fails(self.build.has(key, self.machine), "property " + key)

    def effective(self, key):
        if key in self.settings:
            return self.settings[key]
        return self.build.value(key, self.machine)

    def shown(self, key):
        value = self.effective(key)
        if value == ABSENT and key in TEXTS:
            return default_of(key, self.build.version, self.machine)
        if value == ABSENT:
            return key in DOES_WITHOUT and DOES_WITHOUT[key](self.build.version)
        return value

    def condition(self, letter, bit=0):
        host, version = self.host, self.build.version
        if letter == "V":
            return host.bit(self.tap + ".features", 14)
        if letter in "UST":
            return host.fact("%s.offload.%s" % (self.tap, {"U": "ufo", "S": "uso",
                                                           "T": "udp_tunnel"}[letter]))
        if not self.vhost:
            # with a tap alone, and where RSS is done by QEMU, nobody is asked
            return YES
        if letter in "KF":
            return host.bit("vhost_net.features", bit)
        if letter == "A":
            return host.bit("vhost_net.features_array", bit)
        if letter == "M":
            if version < (8, 0):
                return YES
            vnet = host.bit(self.tap + ".features", 14)
            return vnet if version >= (10, 0) or vnet is YES else UNKNOWN
        if letter == "R":
            if version < (9, 1):
                return YES
            return host.bit("vhost_net.features", bit)
        if letter == "H":
            return NO if version < (7, 2) or version >= (10, 2) \
                else host.bit("vhost_net.features", bit)
        if letter == "E":
            if version < (7, 2) or self.build.entry.get("ebpf") is NO:
                return NO
            loads = host.fact("host.ebpf_rss")
            return UNKNOWN if loads is YES and version < (8, 0) else loads
        raise ValueError(letter)

    def find_bits(self):
        for row in ROWS:
            value = self.effective(NET + row.prop)
            if value == ABSENT:
                value = NO
            needs = both(*(self.condition(n, row.bit) for n in row.needs))
            if row.prop == "iommu_platform" and value is not NO and self.vhost and needs is not YES:
                self.fails(UNKNOWN if UNKNOWN in (value, needs) else NO, "iommu_platform")
            state = both(value, needs)
            if state is UNKNOWN:
                # only what a build has by itself is the same on every host with that build
                state = "%s of %s" % (row.prop, self.build.same if needs is YES else id(self))
            self.bits[row.bit] = state
        self.bits[MAC] = YES
        for bit, key, least in ((MTU, "host_mtu", 1), (SPEED, "speed", 0)):
            value = self.effective(NET + key)
            self.bits[bit] = "%s of %s" % (key, self.build.same) if value is UNKNOWN \
                else value != ABSENT and value >= least
        self.modern = self.has_version_1()
        if self.modern is NO:
            for bit in list(self.bits):
                if bit >= 32:
                    self.bits[bit] = NO
            if self.effective("virtio-net-pci.disable-legacy") == "on":
                self.fails(NO, "version-1")
        elif self.modern is UNKNOWN:
            for bit, state in self.bits.items():
                if bit >= 32 and state is not NO:
                    self.bits[bit] = "version-1 of %s" % id(self)
        self.bits[VERSION_1] = self.modern if self.modern is not UNKNOWN \
            else "version-1 of %s" % id(self)

    def has_version_1(self):
        off = self.effective("virtio-net-pci.disable-modern")
        vhost = self.host.bit("vhost_net.features", VERSION_1) if self.vhost else YES
        return both(vhost, UNKNOWN if off is UNKNOWN else not off or off == ABSENT)

    def least(self):
        return sum(1 << b for b, s in self.bits.items() if s is YES)

    def most(self):
        return sum(1 << b for b, s in self.bits.items() if s is not NO)


class DeviceOffer:
    """The same of a vhost-vsock or vhost-scsi beside it."""

    vnet = ufo = NO
    modern = YES
    mtu = None
    queue = 0
    layout = {}

    def __init__(self, host, build, machine, backend, settings):
        self.host, self.build, self.machine, self.backend = host, build, machine, backend
        self.starts, self.cause, self.bits = YES, None, {}
        self.settings = settings
        self.leaves = host.bit(backend.replace("-", "_") + ".features", LOG_ALL)
        for key, bit in DEVICES[backend].items():
            if key in settings and build.has(key, machine) is not YES:
                self.starts, self.cause = build.has(key, machine), "property " + key
            value = settings.get(key, build.value(key, machine))
            there = host.bit(backend.replace("-", "_") + ".features", bit)
            if value == ABSENT:
                # QEMU 6.1 has the feature and no property
                value = bit == 1 and build.version[:2] == (6, 1)
            if value == "on" and there is not YES and bit == 1:
                self.starts, self.cause = there, "seqpacket"
            value = {"auto": True, "on": True, "off": False}.get(value, value)
            state = both(value, there)
            if state is UNKNOWN:
                state = "%s of %s" % (key, build.same if there is YES else id(self))
            self.bits[bit] = state

    def effective(self, key):
        return self.build.value(key, self.machine)

    def least(self):
        return sum(1 << b for b, s in self.bits.items() if s is YES)

    def most(self):
        return sum(1 << b for b, s in self.bits.items() if s is not NO)


def offer(host, build, machine, backend, settings):
    return (DeviceOffer if backend in DEVICES else Offer)(host, build, machine, backend, settings)


def name_of(bit):
    return BY_BIT[bit].prop if bit in BY_BIT else {MAC: "mac", VERSION_1: "version-1",
                                                   MTU: "host_mtu", SPEED: "speed"}.get(bit, "%d" % bit)


def kind_of(bit, source, destination):
    """A word for the kind of a bit that one side may lack."""
    row = BY_BIT.get(bit)
    if source.backend in DEVICES:
        return "device"
    if UNKNOWN in (source.layout["virtio-net-pci.disable-modern"],
                   destination.layout["virtio-net-pci.disable-modern"]) and bit >= 32:
        return "value-unknown"
    if row is None and bit not in (VERSION_1, SPEED):
        return "other"
    if bit == VERSION_1 or "version-1" in str(destination.bits.get(bit)):
        return "version-1"
    if bit == MTU:
        return "mtu"
    if bit == SPEED:
        speeds = [o.effective(NET + "speed") for o in (source, destination)]
        return "value-unknown" if UNKNOWN in speeds else "opt-in"
    if UNKNOWN in (source.effective(NET + row.prop), destination.effective(NET + row.prop)):
        return "value-unknown"
    if not row.default:
        return "opt-in"
    if isinstance(destination.bits[bit], str):
        return "host-unknown"
    if row.legacy:
        return "legacy"
    return "plain" if NET + row.prop in source.settings else "not-set"


def same_vhost(a, b):
    """Does it depend on the build alone whether the device is a modern one?"""
    return a.host is b.host or not a.vhost or both(
        *(o.host.bit("vhost_net.features", VERSION_1) for o in (a, b))) is YES


def move_faults(source, destination, negotiated=None, sizes=None, mtu=None):
    """Why a guest that may have taken all that @source offers may not get into @destination.

    A list of (kind, what). With @negotiated it took that and nothing else.
    """
    faults = [] if source.leaves is YES else [("leave", "it is not let go")]
    for bit in sorted(set(source.bits) | {b for b in range(128) if (negotiated or 0) >> b & 1}):
        if bit == MTU:
            # taken along without a word; see the value
            continue
        here, there = source.bits.get(bit, NO), destination.bits.get(bit, NO)
        if negotiated is not None:
            here = bool(negotiated >> bit & 1)
        if here is NO or there is YES or (here == there and here is not YES):
            continue
        faults.append((kind_of(bit, source, destination), name_of(bit)))
    for key, here in source.layout.items():
        there = destination.layout[key]
        if here == there and (here is not UNKNOWN or source.build.same == destination.build.same
                              and (key != "modern" or same_vhost(source, destination))):
            continue
        kind = "layout" if UNKNOWN not in (here, there) else "value-unknown"
        if key in ASKED_LATER and here is UNKNOWN and there is UNKNOWN:
            kind = "asked-later"
        if key in SIZES and negotiated is not None:
            # a queue of another size fits, see below
            continue
        if key == "modern":
            kind = kind_of(VERSION_1, source, destination)
        faults.append((kind, key))
    if source.vnet is not NO and destination.vnet is not YES:
        faults.append(("vnet-hdr", "vnet_hdr"))
    if source.ufo is not NO and destination.ufo is not YES:
        faults.append(("ufo", "ufo"))
    if destination.build.version >= (11, 1):
        here = max(sizes) if sizes else source.queue
        there = destination.queue
        if here is UNKNOWN or there is UNKNOWN:
            if not (source.build.same == destination.build.same):
                faults.append(("queue-unknown", "queue"))
        elif here > there:
            faults.append(("queue", "queue"))
    told = source.mtu if mtu is None else mtu
    if told and told is not ABSENT:
        room = destination.host.fact("operator.host_mtu")
        if room is UNKNOWN and told > 1500:  # what every network is taken to carry
            faults.append(("mtu-unknown", "host_mtu"))
        elif room is not UNKNOWN and room < told:
            faults.append(("mtu", "host_mtu"))
    return faults
