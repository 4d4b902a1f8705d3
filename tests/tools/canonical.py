#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Canonical bytes of abibase documents.

"schema" first at top level, other keys sorted, 2 spaces, a final newline, integers only,
UTF-8 as it is: the same bytes as the library writes. Of a baseline each cohort, build and value
stands on one line, and each host of a cohort.

    canonical.py FILE...            rewrite each file in canonical form
    canonical.py --check FILE...    exit 1 and name each file that is not in canonical form
"""
import json
import os
import re
import sys


def no_duplicates(pairs):
    keys = [k for k, _ in pairs]
    for k in keys:
        if keys.count(k) > 1:
            raise ValueError('duplicate key "%s"' % k)
    return dict(pairs)


def no_real(text):
    raise ValueError("%s: only integers are allowed" % text)


def loads(text):
    return json.loads(text, object_pairs_hook=no_duplicates, parse_float=no_real,
                      parse_constant=no_real)


def sort(value):
    # by UTF-8 bytes, as strcmp() does
    if isinstance(value, dict):
        return {k: sort(value[k]) for k in sorted(value, key=lambda k: k.encode())}
    if isinstance(value, list):
        return [sort(v) for v in value]
    return value


def one_line(value, key=None):
    if key == "hosts":
        return "{%s}" % ",".join("\n%s:%s" % (one_line(k), one_line(v)) for k, v in value.items())
    if isinstance(value, dict):
        return "{%s}" % ",".join("%s:%s" % (one_line(k), one_line(v, k)) for k, v in value.items())
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def put_aside(document, lines):
    """The long parts of a baseline: their text goes to lines, and a number takes their place."""
    def aside(value):
        lines.append(one_line(value))
        return "\0%d" % (len(lines) - 1)
    if "inputs" in document:
        document["inputs"] = [aside(v) for v in document["inputs"]]
    document["builds"] = {k: aside(v) for k, v in document["builds"].items()}
    for output in document["outputs"]:
        output["values"] = [aside(v) for v in output["values"]]


def dumps(document):
    document = sort(document)
    lines = []
    if isinstance(document, dict) and "schema" in document:
        document = {"schema": document["schema"], **document}
        if document["schema"] == "abibase-baseline/1":
            put_aside(document, lines)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return re.sub(r'"\\u0000(\d+)"', lambda m: lines[int(m[1])], text) + "\n"


def main():
    check = sys.argv[1:2] == ["--check"]
    files = sys.argv[2:] if check else sys.argv[1:]
    status = 0
    for path in files:
        with open(path, encoding="utf-8", newline="") as f:
            old = f.read()
        try:
            new = dumps(loads(old))
        except ValueError as e:
            sys.exit("%s: %s" % (path, e))
        if old == new:
            continue
        if check:
            print("%s: not in canonical form" % path)
            status = 1
            continue
        with open(path + ".tmp", "w", encoding="utf-8", newline="") as f:
            f.write(new)
        os.replace(path + ".tmp", path)
    return status


if __name__ == "__main__":
    sys.exit(main())
