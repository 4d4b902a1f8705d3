#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: knowledge.py SOURCE

No file of lib/ but LIST names a property, a feature group, a requirement or a shape of the catalogue in a
string, nor one of its bits as a number. All of them are read from the catalogue."""

import json
import pathlib
import re
import sys

LIST = "lib/base/known.h"
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"((?:[^"\\\n]|\\.)*)"|\'(?:[^\'\\\n]|\\.)+\'', re.S)
# A bit as a number: compared, as a mask in a word, or handed to what takes a bit.
BITS = (
    re.compile(r"\bbit\s*(?:==|!=)\s*(\d+)\b"),
    re.compile(r"\bbit\s*(?:>=|<=|<|>)\s*(\d\d+)\b"),
    re.compile(r"[&|]=?\s*~?\s*\(?\s*(?:\(\w+\)\s*)?\(?1[uUlL]*\s*<<\s*(\d+)\b"),
    re.compile(r"\b(?:\w*has_bit|is_offered|\w*set_bit|offer_bit|profile_ask|word_bit|word_has)"
               r"\([^;{]*?,\s*(\d+)\s*[,)]"),
    re.compile(r'"features\w*"\s*,\s*(\d+)\b'),
)
# What must be found, and what must not: the test of the test.
FOUND = ('if (row->bit == 14)', 'q->bit != 32', 'bit >= 32 &&', 'word & ~(1u << 15)',
         'w |= (uint64_t)1 << 40;', 'word_has(d->negotiated, 22)', '{ "features", 28, "x" }',
         '"tap-ufo"', 'strstr(s, ",disable-modern=on")', '"virtio-net-pci-base.vectors"', '"mac"',
         '"offload-uso"', '"vhost_net.features[40]"', 'x = VIRTIO_NET_F_MQ;', '"a card with tx_queue_size=1"')
NOT_FOUND = ('row->bit < 0', 'row->bit >= 0', 'x = 1 << 5,', '(1u << 20)', '/* tap-ufo: bit == 14 */',
             '"exited with status %d"', '"verify-queue-size"', 'word_has(w, bit)', '"machine"')


def knowledge(catalogue):
    rows, requirements = catalogue["features"], catalogue["requirements"]
    names = {r["property"] for r in rows} | {r["class"] + "." + r["property"] for r in rows}
    names |= {r["group"] for r in rows if "group" in r} | set(catalogue["groups"])
    names |= {r["name"] for r in requirements + catalogue["shapes"]}
    names |= {c for c in catalogue["conditions"] if "[" in c}
    bits = {r["bit"] for r in rows + requirements if "bit" in r}
    bits |= {int(c.partition("[")[2].rstrip("]")) for c in catalogue["conditions"] if "[" in c}
    return names, bits, {r["feature"] for r in rows + requirements if "feature" in r}


def in_text(text, names):
    """A name that could be no other word may stand anywhere in it."""
    for name in sorted(names):
        if text == name or (re.search("[-_.]", name) and
                            re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)):
            yield f'"{name}"'


def faults(source, known):
    """(place, what is there) of each fault in C source."""
    names, bits, features = known
    for m in TOKEN.finditer(source):
        for name in in_text(m[1] or "", names):
            yield m.start(), name
    code = TOKEN.sub(lambda m: m[0] if m[1] is not None else re.sub(r"[^\n]", " ", m[0]), source)
    for pattern in BITS:
        for m in pattern.finditer(code):
            if int(m[1]) in bits:
                yield m.start(), f"bit {m[1]}"
    for m in re.finditer(r"\bVIRTIO_\w+", TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), source)):
        if m[0] in features:
            yield m.start(), m[0]


def main():
    src = pathlib.Path(sys.argv[1])
    known = knowledge(json.loads((src / "data/catalogue.json").read_text()))
    wrong = [f"the test does not see: {s}" for s in FOUND if not list(faults(s, known))]
    wrong += [f"the test sees {f[1]} in: {s}" for s in NOT_FOUND for f in faults(s, known)]
    files = [p for p in sorted((src / "lib").rglob("*.[ch]")) if p.relative_to(src).as_posix() != LIST]
    for path in files:
        source = path.read_text()
        wrong += [f"{path.relative_to(src)}:{source.count(chr(10), 0, at) + 1}: {what} is the catalogue's"
                  for at, what in sorted(faults(source, known))]
    listed = (src / LIST).read_text()
    macros = re.findall(r"^#define (\w+) ", listed, re.M)
    used = "".join(p.read_text() for p in files)
    wrong += [f"{LIST}: nothing uses {m}" for m in macros if not re.search(rf"\b{m}\b", used)]
    print("\n".join(wrong) or f"{len(files)} files name nothing of the catalogue's; {LIST} lists "
                              f"{len(macros)} names and numbers of the design's own")
    return bool(wrong)


sys.exit(main())
