# SPDX-License-Identifier: LGPL-2.1-or-later
"""The environment with which fakehost.c is one of the recorded kernels of tests/data."""
import json
import os

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")

# TUN_F_*, by the last part of the fact
OFFLOADS = {"csum": 0x001, "tso4": 0x002, "tso6": 0x004, "tso_ecn": 0x008, "ufo": 0x010,
            "uso": 0x060, "udp_tunnel": 0x080, "udp_tunnel_csum": 0x100}


def kernels():
    """The recorded ones, oldest first."""
    return ["5.10", "6.1", "6.12", "6.17", "7.2"]


def profile(kernel):
    with open(os.path.join(DATA, "hosts", "linux-%s.json" % kernel), encoding="utf-8") as f:
        return json.load(f)


def environment(kernel, surface, preload):
    """@surface is tap or macvtap."""
    facts = profile(kernel)["facts"]
    offload = sum(bit for name, bit in OFFLOADS.items()
                  if facts["%s.offload.%s" % (surface, name)] is True)
    words = {"macvtap": int(surface == "macvtap"), "tap": int(facts[surface + ".features"], 16),
             "offload": offload,
             "steering_ebpf": int(surface == "tap" and facts["tap.steering_ebpf"] is True)}
    if facts["vhost_net.usable"] is True:
        words["vhost"] = int(facts["vhost_net.features"], 16)
        words["backend"] = int(facts["vhost_net.backend_features"], 16)
        array = facts["vhost_net.features_array"]
        words["array"] = int(isinstance(array, str))
        if words["array"]:
            words["array0"] = int(array, 16) & (1 << 64) - 1
            words["array1"] = int(array, 16) >> 64
    return {"LD_PRELOAD": preload,
            "ABIBASE_FAKEHOST": " ".join("%s=%x" % w for w in words.items())}
