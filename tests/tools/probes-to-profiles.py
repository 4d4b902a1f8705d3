#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make host profiles of recorded kernel probes.

    probes-to-profiles.py OUTDIR PROBE.json...

PROBE.json is what the static probe of the lab ("abibase-lab-hostprobe-1") wrote inside a booted
distribution kernel, as root in the initial namespaces. It tried all 512 TUNSETOFFLOAD arguments on
a fresh tap and a fresh macvtap each: one bit of "accepted_subsets_of_9_bits" an argument, the
lowest bit for argument 0. IFF_NAPI together with IFF_NAPI_FRAGS was not tried: that fact is
unknown, "not-recorded". That a program such as QEMU's RSS program loads was not tried either; it
does for root in each of these kernels, as tests/lab/run finds in them (tests/lab/classes.json).
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import canonical  # noqa: E402

# fact -> the argument of TUNSETOFFLOAD
OFFLOADS = {"csum": 0x001, "tso4": 0x003, "tso6": 0x005, "tso_ecn": 0x00f, "ufo": 0x011,
            "uso": 0x061, "udp_tunnel": 0x083, "udp_tunnel_csum": 0x183}


def word(value, bits):
    return "0x%0*x" % (bits // 4, value)


def offloads(surface, recorded):
    accepted = int(recorded["accepted_subsets_of_9_bits"], 16)
    return {"%s.offload.%s" % (surface, name): bool(accepted >> arg & 1)
            for name, arg in OFFLOADS.items()}


def vhost_device(name, recorded):
    f = {name + ".usable": recorded["open"],
         name + ".features": word(int(recorded["features"], 16), 64),
         name + ".backend_features": False}
    # not known before it has an owner: EPERM
    if recorded["backend_features"]:
        f[name + ".backend_features"] = word(int(recorded["backend_features"], 16), 64)
    return f


def facts(probe):
    tap = probe["tun"]["tap+vnet_hdr"]
    macvtap = next(iter(probe["macvtap"].values()))
    vhost = probe["vhost"]["/dev/vhost-net"]
    others = {**vhost_device("vhost_vsock", probe["vhost"]["/dev/vhost-vsock"]),
              **vhost_device("vhost_scsi", probe["vhost"]["/dev/vhost-scsi"])}
    array = vhost["features_array"]["asked_2"]
    f = {
        "host.ebpf_rss": True,
        "tap.usable": tap["open"],
        "tap.features": word(int(probe["tun"]["TUNGETFEATURES"], 16), 32),
        "tap.napi_frags": {"unknown": "not-recorded"},
        "tap.steering_ebpf": tap["TUNSETSTEERINGEBPF_detach"]["ok"],
        "tap.filter_ebpf": tap["TUNSETFILTEREBPF_detach"]["ok"],
        "tap.carrier": tap["TUNSETCARRIER"]["ok"],
        "tap.vnet_le": tap["TUNSETVNETLE"]["ok"],
        "tap.vnet_be": tap["TUNSETVNETBE"]["ok"],
        "macvtap.usable": macvtap["open"] and macvtap["TUNSETIFF"]["ok"],
        "macvtap.features": word(int(macvtap["TUNGETFEATURES"], 16), 32),
        "vhost_net.usable": vhost["open"],
        "vhost_net.features": word(int(vhost["features"], 16), 64),
        "vhost_net.backend_features": word(int(vhost["backend_features"], 16), 64),
        "vhost_net.features_array": False,
    }
    if array:
        low, high = (int(w, 16) for w in array["words"])
        f["vhost_net.features_array"] = word(high << 64 | low, 128)
    return {**f, **others, **offloads("tap", tap), **offloads("macvtap", macvtap)}


def profile(probe):
    uname = probe["uname"]
    name = "linux-" + ".".join(uname["release"].split("+")[0].split("-")[0].split(".")[:2])
    return {
        "schema": "abibase-profile/1",
        "kind": "host",
        "name": name,
        "arch": uname["machine"],
        "description": "Recorded inside the booted kernel; see tests/data/README.md.",
        "kernel": {"release": uname["release"], "version": uname["version"]},
        "facts": facts(probe),
        "x-spdx-license": "CC0-1.0",
    }


def main():
    outdir = sys.argv[1]
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as f:
            p = profile(json.load(f))
        with open(os.path.join(outdir, p["name"] + ".json"), "w", encoding="utf-8") as f:
            f.write(canonical.dumps(p))


if __name__ == "__main__":
    main()
