#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold the JSON Schemas and the manual pages to the library's tables of members.

Reads what tests/forms prints. A member that one has and the other has not, another type, other words, a
member that is required on one side only, or others than those listed accepted on one side only, is a
fault; what a hook of the library checks beyond that is not compared. A page must name each member of
its document, and no other in a list of members.

Exit status 1 with one line for each fault.
"""
import json
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAGES = {"baseline": "abibase-baseline.5", "guest": "abibase-guest.5", "profile": "abibase-profile.5"}
FREE = {"description", "tags"}
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


def compare_value(where, root, node, value):
    nodes = alternatives(root, node)
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


def keys_of(table):
    """Every member at any depth."""
    keys = set()

    def value(v):
        if "object" in v:
            keys.update(keys_of(v["object"]))
        if "each" in v:
            value(v["each"])

    for key, v in table["members"].items():
        keys.add(key)
        value(v)
    return keys


def check_page(kind, keys):
    with open(os.path.join(TOP, "man", PAGES[kind]), encoding="utf-8") as f:
        lines = f.read().splitlines()
    named = set()
    for line in lines:
        if re.match(r"\.(It )?Ic ", line):
            named.update(w for w in re.findall(r"[A-Za-z_0-9]+", line)[1:])
        if line.startswith(".It Ic "):
            for word in line[len(".It Ic "):].split():
                # a dot is in the id of a fact
                if re.fullmatch("[a-z_0-9]+", word) and word not in keys | FREE:
                    fault(PAGES[kind], "%s is no member" % word)
    for key in sorted(keys - named):
        fault(PAGES[kind], "does not name the member %s" % key)


def main():
    forms = json.load(sys.stdin)
    pages = {}
    for form in forms:
        with open(os.path.join(TOP, "data", "schema", form["kind"] + ".schema.json"), encoding="utf-8") as f:
            root = json.load(f)
        part = form.get("part")
        node = root["$defs"][part] if part else root
        compare_object("/".join(filter(None, [form["kind"], part])), root, node, form["object"])
        pages.setdefault(form["kind"], set()).update(keys_of(form["object"]))
    for kind in PAGES:
        check_page(kind, pages[kind])
    print("%d tables, %d pages, %d faults" % (len(forms), len(PAGES), len(faults)))
    sys.exit(bool(faults))


main()
