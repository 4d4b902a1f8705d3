#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold the JSON Schemas and the manual pages to the library's tables of members.

    forms.py PROGRAM       tests/forms, which prints the tables

The build makes these schemas of the tables and of data/forms/said.json, which can take away and add.
A member that one has and the other has not, another type, other words, a
member that is required on one side only, or others than those listed accepted on one side only, is a
fault. So is a sample value, such as -1, "a b" or an empty list, that the library takes for a member and
the schema does not, or the other way: limits and patterns are compared by what they do, whether a
table states them or a function. A page must name each member of
its document and each word of a list of words, and no other in a list of members.

Exit status 1 with one line for each fault.
"""
import json
import os
import re
import subprocess
import sys

import jsonschema

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAGES = {kind: "abibase-%s.5" % kind for kind in ("baseline", "build", "guest", "profile", "rehearsal-result")}
SAMPLES = [None, True, False, [], {}, [1], ["a"], [0] * 4096, [0] * 4097] + \
    [n + d for n in (0, 4, 6, 32, 64, 67, 127, 4096, 32768, 65535, 1 << 31, (1 << 32) - 1) for d in (-1, 0, 1, 2)] + \
    ["", "a", "A-1", "-a", "+a", ".a", "a.", "a b", " a b c", "a b c", "a,b", "a\\b", "a\"b", "\u00e4", "a.b", "A.b",
     "a.b=c", "a.b=", "a=b", "=a", "a|b", "|a", "a.b[40]", "a.b[1000]", "*", "a*", "a*b", "a**", "{a:hex}", "a{a:hex}b",
     "0", "1", "01", "1.2", "1.2.3", "1.2.3.4", "1.", "8.2.0-8.2.4", "8.2-", "-8.2", "8.2.0-8.2.4-9",
     "0x", "0x0", "0x1234", "0X1234", "0xABCD", "0x12345", "1234", "0x" + 32 * "0", "0x" + 33 * "0", "0x" + 33 * "1",
     "0x" + 32 * "A", "0x" + 64 * "0", "0x" + 68 * "0", 32 * "0", 64 * "0", 63 * "0", 65 * "0", 64 * "A",
     "b1-" + 32 * "0", "b1-" + 31 * "0", "b1-" + 33 * "0",
     "2026-11-29", "2026-13-01", "2026-01-32", "2026-1-1", "2026-11-290",
     255 * "a", 256 * "a", "on", "off", "class property value", "class property ", "any-upstream"]
FREE = {"description", "tags"}
# What one side takes only, and why
KNOWN = {
    # the library knows none of the things that a reader may have to know
    r"(baseline|build|profile)/needs/\*": "schema",
    # which it refuses by their values, for these say what reads it
    r"baseline/needs \(keys\)": "library",
    r".*/rom_size": "schema",  # a power of two
    # names of other parts of the document, which the library looks up afterwards
    r"baseline/(used|outputs/\*/values/\*/defaults/[a-z]+)(/\*)?": "library",
    r"catalogue/(backends/\*/usable|(features|requirements)/\*/needs/\*(/\*/condition)?|features/\*/depends)(/\*)?": "library",
}
faults = []


def fault(where, text):
    faults.append(where)
    print("%s: %s" % (where, text))


def alternatives(root, node):
    """The schema without references and choices: what a value may be, one after the other."""
    if "$ref" in node:
        rest = {k: v for k, v in node.items() if k != "$ref"}
        target = root
        for part in node["$ref"].split("/")[1:]:
            target = target[part]
        return [dict(rest, **a) for a in alternatives(root, target)]
    for choice in ("anyOf", "oneOf"):
        if choice in node:
            rest = {k: v for k, v in node.items() if k != choice}
            return [dict(rest, **a) for c in node[choice] for a in alternatives(root, c)]
    return [node]


def words_of(node):
    return {node["const"]} if "const" in node else set(node["enum"]) if "enum" in node else None


def types_of(node):
    names = {str: "string", bool: "boolean", int: "integer", type(None): "null"}
    if words_of(node) is not None:
        return {names[type(w)] for w in words_of(node)}
    types = node.get("type", [])
    return set([types] if isinstance(types, str) else types)


def element(node):
    """What each element of an array or an object must be; None: nothing is said."""
    if "items" in node:
        return node["items"]
    if isinstance(node.get("additionalProperties"), dict):
        return node["additionalProperties"]
    others = [v for k, v in node.get("patternProperties", {}).items() if k != "^x-"]
    return others[0] if len(others) == 1 else None


def only_one(where, library, schema, samples):
    """The same samples are taken, but for those of which one side cannot say more."""
    for who, only in (("library", [s for s, lib, other in zip(samples, library, schema) if lib and not other]),
                      ("schema", [s for s, lib, other in zip(samples, library, schema) if other and not lib])):
        if only and who not in [KNOWN[k] for k in KNOWN if re.fullmatch(k, where)]:
            fault(where, "%d samples are taken by the %s only: %s" % (
                len(only), who, ", ".join(json.dumps(s)[:24] for s in only[:4])))


def compare_samples(where, root, node, value):
    """What the library and the schema take as a value, and as the keys of an object of free keys."""
    def takes(schema):
        return jsonschema.Draft202012Validator(dict(schema, **{"$defs": root.get("$defs", {})})).is_valid

    only_one(where, [b == "1" for b in value["accepted"]], [takes(node)(s) for s in SAMPLES], SAMPLES)
    objects = [n for n in alternatives(root, node) if element(n) is not None]
    if "keys" not in value or not objects:
        return
    keys = [(s, b == "1") for s, b in zip(SAMPLES, value["keys"]) if isinstance(s, str)]
    names = takes(objects[0].get("propertyNames", {}))
    patterns = [".*"] if objects[0].get("additionalProperties", True) else objects[0]["patternProperties"]
    only_one(where + " (keys)", [b for _, b in keys],
             [names(s) and any(re.search(p, s) for p in patterns) for s, _ in keys], [s for s, _ in keys])


def compare_value(where, root, node, value):
    nodes = alternatives(root, node)
    if not where.endswith("/schema"):
        compare_samples(where, root, node, value)
    types = set().union(*map(types_of, nodes))
    if types != set(value["types"]):
        fault(where, "the schema has %s, the table %s" % (sorted(types), sorted(value["types"])))
    strings = [words_of(n) for n in nodes if "string" in types_of(n)]
    if "words" in value and strings != [set(value["words"])]:
        fault(where, "the schema has the words %s, the table %s" % (strings, value["words"]))
    objects = [n for n in nodes if "properties" in n]
    if "object" in value and len(objects) > 1 and value.get("checked"):
        # which members go together a hook says
        if set().union(*(n["properties"] for n in objects)) != set(value["object"]["members"]):
            fault(where, "the schema has other members than the table")
    elif "object" in value and len(objects) != 1:
        fault(where, "the schema does not list the members")
    elif "object" in value:
        compare_object(where, root, objects[0], value["object"])
    elif objects and not value.get("checked"):
        fault(where, "the table does not list the members")
    elements = [element(n) for n in nodes if element(n) is not None]
    if "each" in value and len(elements) != 1:
        fault(where, "the schema says nothing of the elements")
    elif "each" in value:
        compare_value(where + "/*", root, elements[0], value["each"])


def compare_object(where, root, node, table):
    have, want = node["properties"], table["members"]
    for key in sorted(set(have) - set(want) - FREE):
        if not key.startswith("x-"):
            fault(where + "/" + key, "is not in the table")
    for key in sorted(set(want) - set(have)):
        fault(where + "/" + key, "is not in the schema")
    for key in sorted(set(node.get("required", [])) ^ set(table["required"])):
        fault(where + "/" + key, "is required by one of schema and table")
    # a JSON Schema closes an object with false, and keeps x- open
    closed = node.get("additionalProperties", True) is False
    free = "^x-" in node.get("patternProperties", {})
    if (closed, free) != {"none": (True, False), "free": (True, True), "kept": (False, False)}[table["more"]]:
        fault(where, "others are not as free in the schema as in the table (%s)" % table["more"])
    for key in sorted(set(have) & set(want)):
        compare_value(where + "/" + key, root, have[key], want[key])


def names_of(table):
    """Every member at any depth, and every word that one can be."""
    keys, words = set(), set()

    def value(v):
        words.update(v.get("words", []))
        for k, w in [names_of(v["object"])] if "object" in v else []:
            keys.update(k)
            words.update(w)
        if "each" in v:
            value(v["each"])

    for key, v in table["members"].items():
        keys.add(key)
        value(v)
    return keys, words


def check_page(kind, keys, words):
    with open(os.path.join(TOP, "man", PAGES[kind]), encoding="utf-8") as f:
        lines = f.read().splitlines()
    named = set()
    for line in lines:
        if re.match(r"\.(It )?Ic ", line):
            named.update(w for w in re.findall(r"[A-Za-z_0-9-]+", line)[1:])
        if line.startswith(".It Ic "):
            for word in line[len(".It Ic "):].split():
                # a dot is in the id of a fact
                if re.fullmatch("[a-z_0-9]+", word) and word not in keys | FREE:
                    fault(PAGES[kind], "%s is no member" % word)
    for key in sorted(keys - named):
        fault(PAGES[kind], "does not name the member %s" % key)
    quoted = set(re.findall(r"[\w-]+", "\n".join(n for n in lines if n.startswith((".Ql ", ".It Ql ")))))
    for word in sorted(w for w in words if not w.startswith("-") and w not in quoted):
        fault(PAGES[kind], "does not quote the word %s" % word)


def schema_of(kind):
    """That of the build; of a tarball's, where nothing was to be made."""
    name = os.path.join("data", "schema", kind + ".schema.json")
    made = os.path.join(os.path.dirname(sys.argv[1]), "..", name)
    with open(made if os.path.exists(made) else os.path.join(TOP, name), encoding="utf-8") as f:
        return json.load(f)


def main():
    made = subprocess.run(sys.argv[1:], input=json.dumps(SAMPLES), capture_output=True, text=True, check=True)
    forms = json.loads(made.stdout)
    pages = {}
    for form in forms:
        root = schema_of(form["kind"])
        part = form.get("part")
        node = root["$defs"][part] if part else root
        compare_object("/".join(filter(None, [form["kind"], part])), root, node, form["object"])
        for mine, more in zip(pages.setdefault(form["kind"], (set(), set())), names_of(form["object"])):
            mine.update(more)
    for kind in PAGES:
        check_page(kind, *pages[kind])
    print("%d tables, %d pages, %d faults" % (len(forms), len(PAGES), len(faults)))
    sys.exit(bool(faults))


main()
