# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random hosts, from what was recorded of kernels and QEMUs; everything comes from a seed."""
import copy
import glob
import json
import os
import random

from model import BY_PROP, DEVICES, LAYOUT, NET, NO_VECTORS, PCI, ROWS, upstream

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


class Material:
    """What was recorded."""

    def __init__(self):
        self.kernels = [read(f) for f in sorted(glob.glob(os.path.join(TESTS, "data/hosts/*.json")))]
        self.platforms = [read(f) for f in sorted(glob.glob(os.path.join(TESTS, "../data/platforms/*.json")))]
        self.builds = {}
        for f in sorted(glob.glob(os.path.join(TESTS, "data/qemu/*.json"))):
            e = read(f)
            self.builds[e["version"]] = e


# What of a profile decides something; the rest is noise that must not.
WORDS = {"tap.features": [14], "macvtap.features": [14],
         "vhost_net.features": [15, 24, 26, 28, 29, 32, 33, 34, 35, 40, 57, 61],
         "vhost_net.features_array": [65, 67],
         "vhost_vsock.features": [1, 26, 40], "vhost_scsi.features": [24, 26, 28, 29, 40]}
BOOLS = ["%s.offload.%s" % (t, o) for t in ("tap", "macvtap")
         for o in ("csum", "tso4", "ufo", "uso", "udp_tunnel", "udp_tunnel_csum")] + ["host.ebpf_rss"]
USABLE = ["tap.usable", "vhost_net.usable", "vhost_net.usable", "macvtap.usable", "vhost_vsock.usable",
          "vhost_scsi.usable"]
REASONS = ["no-permission", "not-asked", "not-recorded", "error-EIO", "no-device-node"]
# Settings that a build could have otherwise under one name of a machine type
FLIPS = [NET + r.prop for r in ROWS if r.prop not in ("ctrl_vq", "iommu_platform")] \
    + [k for k in LAYOUT if not k.startswith("virtio-net-pci.")] * 2 \
    + [NET + p for p in ("gso", "notify_on_empty", "status", "packed", "mq", "in_order", "rss")] \
    + [k for d in DEVICES.values() for k in d if not k.endswith("seqpacket")]
RARE_FLIPS = {NET + "iommu_platform": True, "virtio-net-pci.disable-legacy": "on",
              "virtio-net-pci.disable-modern": True, NET + "rx_queue_size": 512,
              NET + "tx_queue_size": 128, NET + "speed": 1000}
VENDOR = ["pc-q35-rhel9.6.0", "pc-q35-rhel9.4.0", "pc-i440fx-noble", "pc-q35-noble"]
GROUPS = ["ring-packed", "ring-in-order", "rss", "hash-report", "receive-coalescing", "multiqueue",
          "queue-sizes", "vectors", "mtu", "failover"]
OFF_GROUPS = ["offload-uso", "offload-ufo", "offload-tso", "offload-csum", "offload-udp-tunnel",
              "ring-reset", "ring-event-idx", "mergeable-buffers", "notify-on-empty", "mtu"]


class Maker:
    """Makes one fleet; everything comes from its seed."""

    def __init__(self, material, seed):
        self.material = material
        self.rng = random.Random(seed)
        self.wild = self.rng.choice([0, 0, 1, 1, 2])
        self.vendor = self.rng.random() < 0.12
        self.vendor_machine = self.rng.choice(VENDOR)
        self.mtu = self.rng.choice([None] * 6 + [1500, 9000])
        # a setting that is the same in every build of the fleet, and not upstream's
        self.everywhere = self.rng.choice(FLIPS) if self.chance(0.2) else None

    def chance(self, p):
        return self.rng.random() < p

    def facts(self):
        r = self.rng
        pool = self.material.kernels if self.chance(0.7) else self.material.platforms
        facts = copy.deepcopy(r.choice(pool)["facts"])
        facts = {k: v for k, v in facts.items() if not k.startswith(("ipvtap.", "param."))}
        for _ in range(r.choice([0, 0, 1, 2, 4]) if self.wild else r.choice([0, 0, 0, 1])):
            self.change(facts)
        if self.mtu and self.chance(0.9):
            facts["operator.host_mtu"] = r.choice([self.mtu, self.mtu, 1500, 9000, 0]) \
                if self.wild else self.mtu
        return facts

    def change(self, facts):
        r = self.rng
        how = r.random()
        if how < 0.12:
            name = r.choice(USABLE)
            if self.chance(0.6):
                facts[name] = False
                for k in [k for k in facts if k.startswith(name.split(".")[0] + ".") and k != name]:
                    del facts[k]
            else:
                facts[name] = {"unknown": r.choice(REASONS)}
        elif how < 0.35:
            name = r.choice(sorted(WORDS) + BOOLS)
            if self.chance(0.5):
                facts.pop(name, None)
            else:
                facts[name] = {"unknown": r.choice(REASONS)}
        elif how < 0.65:
            name = r.choice([b for b in BOOLS])
            if isinstance(facts.get(name), bool):
                facts[name] = not facts[name]
        else:
            name = r.choice(sorted(WORDS))
            if isinstance(facts.get(name), str):
                word = int(facts[name], 16)
                digits = len(facts[name]) - 2
                if self.chance(0.1) and name == "vhost_net.features" and digits > 8:
                    digits = 8
                    word &= 0xffffffff
                    if isinstance(facts.get(name + ".known"), str):
                        mask = int(facts[name + ".known"], 16) & 0xffffffff
                        facts[name + ".known"] = "0x%08x" % mask
                else:
                    word ^= 1 << r.choice([b for b in WORDS[name] if b < 4 * digits])
                facts[name] = "0x%0*x" % (digits, word)

    def build(self):
        r = self.rng
        entry = copy.deepcopy(self.material.builds[r.choice(sorted(self.material.builds))])
        how = r.random()
        if self.vendor and self.chance(0.85):
            self.as_vendor(entry)
        elif how < 0.12:
            # a version that nobody recorded, by its number alone
            entry = {"target": "x86_64", "version": r.choice(
                ["6.2.0", "7.0.0", "8.1.3", "8.2.2", "8.2.6", "9.0.0", "9.0.2", "9.2.0", "10.1.2",
                 "10.2.1", "11.0.0", "11.1.0", "11.2.0", "11.2.0"])}
            if self.chance(0.15):
                entry["package"] = "qemu-kvm-%s-15.el9" % entry["version"]
            return entry
        elif how < 0.3:
            for member in r.sample(["values", "defaults", "properties", "machines", "build_id",
                                    "ebpf", "package"], r.randint(1, 6)):
                entry.pop(member, None)
                if member == "defaults":
                    # what is left of the values must not be read against other defaults
                    entry.pop("values", None)
        elif how < (0.55 if self.wild else 0.35):
            self.flip(entry)
        if self.everywhere and "values" in entry:
            self.set(entry, self.everywhere)
        if self.chance(0.05):
            sizes = r.choice([[256, 256, 64], [1024, 1024, 1024]])
            entry["shape"] = {m: {b: {"offered": "0x" + "0" * 32, "queue_sizes": sizes,
                                      "config_size": 12, "bars": []} for b in ("tap", "tap+vhost")}
                              for m in entry.get("machines", {"pc-q35-8.2": {}})}
        if "values" in entry and self.chance(0.15):
            self.forget(entry)
        return entry

    @staticmethod
    def set(entry, key):
        """Give it another value than that of upstream, under every machine type."""
        cls, prop = key.split(".")
        if prop not in entry.get("properties", {}).get(cls, {}):
            return
        entry.pop("build_id", None)
        row = BY_PROP.get(prop)
        other = not row.default if row and cls + "." == NET else 3 if prop == "vectors" \
            else prop not in ("x-pcie-flr-init", "x-pcie-ext-tag") and cls.startswith("virtio")
        for values in entry["values"].values():
            values[key] = other

    def flip(self, entry, number=None):
        """Make it a build that has other values under the names of its machine types."""
        r = self.rng
        entry.pop("build_id", None)
        for _ in range(number or r.choice([1, 1, 2, 3])):
            key = r.choice(FLIPS)
            value = None
            if self.chance(0.15):
                key = r.choice(sorted(RARE_FLIPS))
                value = RARE_FLIPS[key]
            cls, prop = key.split(".")
            if prop not in entry["properties"].get(cls, {}) and prop != "disable-legacy":
                continue
            entry["properties"].setdefault(cls, {}).setdefault(prop, "OnOffAuto")
            some = self.chance(0.5)
            for machine, values in entry["values"].items():
                if some and self.chance(0.5):
                    continue
                old = values.get(key, entry["defaults"].get(key))
                if value is not None:
                    values[key] = value
                elif isinstance(old, bool):
                    values[key] = not old
                elif isinstance(old, int):
                    values[key] = 3 if old == NO_VECTORS else NO_VECTORS

    def forget(self, entry):
        """Leave a value out, everywhere."""
        r = self.rng
        for key in r.sample(sorted(entry["defaults"]), r.randint(1, 3)):
            if key.startswith("vhost"):
                continue
            entry["defaults"].pop(key)
            for values in entry["values"].values():
                values.pop(key, None)

    def as_vendor(self, entry):
        r = self.rng
        entry.pop("build_id", None)
        old = r.choice(sorted(m for m in entry["values"] if "q35" in m))
        entry["machines"] = {self.vendor_machine: {}, "none": {}}
        entry["values"] = {self.vendor_machine: entry["values"][old]}
        for key in LAYOUT:
            cls, prop = key.split(".")
            if self.chance(0.9) and prop in entry["properties"].get(cls, {}):
                entry["defaults"].setdefault(key, "auto" if prop == "disable-legacy" else False)
        if self.chance(0.3):
            self.flip(entry, 1)
        if self.chance(0.1):
            entry.pop("values")
            entry.pop("defaults")

    def qemu(self):
        how = self.rng.random()
        limit = 0.02 + 0.04 * self.wild
        if how < limit / 2:
            return None
        if how < limit:
            return []
        builds = [self.build()]
        if self.chance(0.2):
            builds.append(self.build())
            builds[1]["path"] = "/opt/qemu/bin/qemu-system-x86_64"
        if self.chance(limit / 4):
            builds.append({"path": "/opt/hung/bin/qemu-system-x86_64", "unknown": "no-answer"})
        return builds

    def host(self, name):
        profile = {"schema": "abibase-profile/1", "arch": "x86_64", "kind": "host", "name": name,
                   "facts": self.facts()}
        qemu = self.qemu()
        if qemu is not None:
            profile["qemu"] = qemu
        return profile

    def machine(self, hosts):
        r = self.rng
        known = [set(m for e in h.get("qemu", []) for m in e.get("machines", {})) for h in hosts]
        known = [k for k in known if k]
        common = set.intersection(*known) if known else set()
        common = sorted(m for m in sorted(common) if "q35" in m or "i440fx" in m and self.chance(0.1))
        common = [m for m in common if m == self.vendor_machine or upstream(m) and upstream(m) >= (5, 2)]
        newest = sorted((m for m in common if upstream(m)), key=upstream)[-2:]
        if self.vendor and self.chance(0.8):
            return self.vendor_machine
        if common and self.chance(0.93):
            return r.choice(common + 3 * newest)
        return r.choice(["pc-q35-5.2", "pc-q35-7.2", "pc-q35-8.1", "pc-q35-8.2", "pc-q35-9.2",
                         "pc-q35-10.0", "pc-q35-11.1", "pc-q35-11.2", "pc-q35-99.1"])

    def options(self, names):
        r = self.rng
        words = []
        if self.chance(0.35):
            words.append("--backend=" + r.choice(
                ["tap", "tap", "tap+vhost", "tap,tap+vhost", "macvtap", "macvtap,macvtap+vhost"]))
        if self.chance(0.2):
            words.append("--policy=all")
        if self.chance(0.15):
            words.append("--enable=" + r.choice(GROUPS))
        if self.chance(0.12):
            words.append("--disable=" + r.choice(OFF_GROUPS))
        if len(set(w.split("=")[1] for w in words if "able=" in w)) < \
           len([w for w in words if "able=" in w]):
            words.pop()
        if self.chance(0.12):
            words.append("--with-device=" + r.choice(sorted(DEVICES)))
        if self.chance(0.1):
            words.append("--dest=" + r.choice(names))
        return words
