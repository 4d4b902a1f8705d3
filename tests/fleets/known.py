# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults that are known and not cured yet: a name, what is wrong, and the classes that it shows as.

Who cures one takes it off. A class is "VERB: KIND", or the verbs that disagree; * stands for anything.
"""

KNOWN = [
    ("widen-mtu", "the host states an MTU, the baseline sets none: it satisfies, and cannot join",
     ["check-intersect: yes-mtu*"]),
    ("widen-turned-off", "a machine type has off what the list turns on: the host satisfies, and a baseline "
     "that is widened with it turns it off", ["check-intersect: yes-turned-off"]),
    ("one-way-value", "a value that no list sets differs, and with --dest only the harmless way round is gone",
     ["intersect-false-no: value-differs"]),
    ("unrecorded-move", "what is not recorded of a vendor's machine type is no obstacle to a guest that is "
     "started on both sides alike", ["move: value-unknown", "move: start-iommu_platform"]),
    ("unrecorded-text", "a property that is neither on or off nor a number, of which one build has no record",
     ["intersect-false-unknown: value-unknown"]),
]
