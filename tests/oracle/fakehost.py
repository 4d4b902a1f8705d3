# SPDX-License-Identifier: LGPL-2.1-or-later
"""The environment with which fakehost.c is one of the recorded kernels of tests/data.

    fakehost.py KERNEL SURFACE      its $ABIBASE_FAKEHOST, on stdout
"""
import json
import os
import sys

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")

# The argument of TUNSETOFFLOAD, by the last part of the fact
OFFLOADS = {"csum": 0x001, "tso4": 0x003, "tso6": 0x005, "tso_ecn": 0x00f, "ufo": 0x011,
            "uso": 0x061, "udp_tunnel": 0x083, "udp_tunnel_csum": 0x183}


def read(*path):
    with open(os.path.join(DATA, *path), encoding="utf-8") as f:
        return json.load(f)


def kernels():
    """The recorded ones, oldest first."""
    return list(read("offload-subsets.json")["kernels"])


def profile(kernel):
    return read("hosts", "linux-%s.json" % kernel)


def subsets(kernel, facts, surface):
    """Which arguments TUNSETOFFLOAD accepts; the facts of the profile are some of them."""
    accepted = int(read("offload-subsets.json")["kernels"][kernel][surface], 16)
    for name, argument in OFFLOADS.items():
        if facts["%s.offload.%s" % (surface, name)] is not bool(accepted >> argument & 1):
            raise ValueError("linux-%s: %s.offload.%s is not what was recorded of argument 0x%x"
                             % (kernel, surface, name, argument))
    return accepted


def environment(kernel, surface, preload):
    """@surface is tap or macvtap."""
    facts = profile(kernel)["facts"]
    words = {"tap": int(facts[surface + ".features"], 16),
             "subsets": subsets(kernel, facts, surface),
             "steering_ebpf": int(surface == "tap" and facts["tap.steering_ebpf"] is True)}
    if facts["vhost_net.usable"] is True:
        words["vhost"] = int(facts["vhost_net.features"], 16)
        words["backend"] = int(facts["vhost_net.backend_features"], 16)
        array = facts["vhost_net.features_array"]
        words["array"] = int(isinstance(array, str))
        if words["array"]:
            words["array0"] = int(array, 16) & (1 << 64) - 1
            words["array1"] = int(array, 16) >> 64
    if isinstance(facts.get("vhost_vsock.features"), str):
        words["vsock"] = int(facts["vhost_vsock.features"], 16)
    if isinstance(facts.get("vhost_scsi.features"), str):
        words["scsi"] = int(facts["vhost_scsi.features"], 16)
    return {"LD_PRELOAD": preload,
            "ABIBASE_FAKEHOST": " ".join("%s=%x" % w for w in words.items())}


if __name__ == "__main__":
    print(environment(sys.argv[1], sys.argv[2], "")["ABIBASE_FAKEHOST"])
