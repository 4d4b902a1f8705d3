#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write the data directory of a later release, whose catalogue has one more row.

    newer-catalogue.py OLD_DATADIR NEW_DATADIR

The row is host_new, bit 69, of QEMU 11.1: what a profile of today was never asked for.
"""
import copy
import json
import os
import shutil
import sys


def new_row(catalogue, revision):
    row = copy.deepcopy(next(f for f in catalogue["features"]
                             if (f["class"], f["property"]) == ("virtio-net-device", "host_uso")))
    row.update(property="host_new", bit=69, feature="VIRTIO_NET_F_HOST_NEW", since="11.1",
               depends=[], group="offload-new", added=revision,
               compat=[{"machine": "11.0", "source": "made up", "value": False}])
    for backend, needs in row["needs"].items():
        row["needs"][backend] = [n.replace("offload.uso", "offload.new") if isinstance(n, str) else n
                                 for n in needs]
    return row


def main():
    old, new = sys.argv[1:]
    shutil.copytree(old, new)
    path = os.path.join(new, "catalogue.json")
    with open(path, encoding="utf-8") as f:
        catalogue = json.load(f)
    catalogue["revision"] += 1
    for surface in ("tap", "macvtap"):
        condition = copy.deepcopy(catalogue["conditions"][surface + ".offload.uso"])
        condition["missing"] = condition["missing"].replace("TUN_F_USO4|TUN_F_USO6", "TUN_F_NEW")
        catalogue["conditions"][surface + ".offload.new"] = condition
    catalogue["groups"]["offload-new"] = {"description": "new", "together": False}
    catalogue["features"].append(new_row(catalogue, catalogue["revision"]))
    catalogue["features"].sort(key=lambda f: f["class"] + "." + f["property"])
    os.chmod(path, 0o644)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(catalogue, f, indent=2)


if __name__ == "__main__":
    main()
