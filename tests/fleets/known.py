# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults that are known and not cured yet: a name, what is wrong, and the classes that it shows as.

Who cures one takes it off. A class is "VERB: KIND", or the verbs that disagree; * stands for anything.
"""

KNOWN = [
    ("no-record-intersect", "a host without a QEMU, or of whose QEMU nothing is known, takes part",
     ["intersect: no-qemu-member", "intersect: qemu-empty", "targets-intersect: no-record"]),
    ("no-record-check", "such a host satisfies a baseline",
     ["check: no-qemu-member", "check: qemu-empty", "check-targets: no-record",
      "check-intersect: no-record"]),
    ("newer-than-catalogue", "a QEMU newer than the catalogue is taken to have the machine type",
     ["*: machine-unknown", "*: start-machine"]),
    ("unrecorded-intersect", "what is not recorded of a vendor's machine type is taken as off, or as equal",
     ["intersect: value-unknown", "intersect: start-iommu_platform", "check-input: value-unknown",
      "check-intersect: value-unknown", "targets-intersect: value-unknown"]),
    ("unrecorded-check", "the same", ["check: value-unknown"]),
    ("unrecorded-targets", "the same", ["targets: value-unknown", "move: value-unknown"]),
    ("on-not-asked", "what an opt-in row needs is not asked where builds have it on by themselves",
     ["intersect: stated-wrong", "intersect: opt-in", "check-input: no-offer-differs",
      "check-intersect: no-offer-differs", "check: opt-in", "check: stated-wrong"]),
    ("on-at-source", "targets takes an opt-in row for given on the destination, though the QEMU of the "
     "source has it on by itself",
     ["targets: opt-in", "move: opt-in", "move: start-iommu_platform", "targets: start-iommu_platform"]),
    ("legacy-bits", "check does not compare bits of the legacy interface",
     ["check: legacy", "check-intersect: yes-nothing", "check-targets: list-nothing"]),
    ("version-1", "a guest that did not take VERSION_1, between hosts of which one lacks it",
     ["move: version-1", "targets: version-1"]),
    ("mtu", "targets lets a guest in that was told a larger MTU, or where none is stated", ["targets: mtu*"]),
    ("check-guest-words", "check --guest says 'cannot tell', and in status and document no",
     ["check-guest: no-but-unknown"]),
    ("widen-mtu", "the host states an MTU, the baseline sets none: it satisfies, and cannot join",
     ["check-intersect: yes-mtu*"]),
    ("widen-turned-off", "a machine type has off what the list turns on: the host satisfies, and a baseline "
     "that is widened with it turns it off", ["check-intersect: yes-turned-off"]),
    ("vnet-hdr-from-mrg-rxbuf", "targets takes mrg_rxbuf for a proof of vnet_hdr; before QEMU 8.0 it is none",
     ["*: no-requirement-differs"]),
    ("list-off-property-absent", "the list turns it off where the guest runs; targets forgets that where the "
     "destination lacks the property", ["*: no-move-value-differs"]),
    ("disable-modern", "bits from 32 on are stated under a machine type with disable-modern=on",
     ["*: stated-of-a-legacy-device"]),
    ("mac", "the bit of mac is always there, but is not stated where the value is not recorded",
     ["*: stated-mac", "*: unknown-move-unknown"]),
    # sentences that a fact does not bear any more
    ("every-qemu-of-none", "of a host of whose QEMU nothing is known: every QEMU has it",
     ["erase: intersect-qemu", "erase: explain-qemu"]),
    ("every-host-of-none", "a requirement holds and every kernel can, where nobody was asked",
     ["erase: intersect-fact-requirement-yes", "erase: explain-fact"]),
    ("property-not-asked", "a QEMU that was not asked for a property does not have it",
     ["erase: targets-property", "erase: check-property"]),
    ("requirement-unknown-as-no", "the table says no of a requirement that is unknown",
     ["erase: intersect-fact-requirement-no"]),
]
