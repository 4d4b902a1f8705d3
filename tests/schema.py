#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold abibase documents against their JSON Schemas.

    schema.py              every document of data/ and tests/data/, and what must hold between them
    schema.py FILE...      these documents only, whatever wrote them

Exit status 1 with one line for each fault.
"""
import copy
import glob
import hashlib
import json
import os
import sys

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "tools"))
import canonical  # noqa: E402
from qmp import TYPE_WORDS, exists, version  # noqa: E402

DATA = os.path.join(HERE, "..", "data")
RECORDED = os.path.join(HERE, "data")
faults = []
counts = {"documents": 0, "faulty documents": 0, "property lists": 0}
# Of these others make the documents: tests/verify.sh, rehearse.sh and here.sh, which have a QEMU,
# tests/schema.sh, and the library
ELSEWHERE = {"groups", "here", "list", "machines", "rehearse-answer", "verify"}


def say(where, text):
    faults.append(where)
    print("%s: %s" % (os.path.relpath(where, os.path.join(HERE, "..")), text))


def files(*parts):
    found = sorted(glob.glob(os.path.join(*parts)))
    if not found:
        say(os.path.join(*parts), "no such file")
    return found


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        return f.read()


def load_validators():
    validators = {}
    # the build makes those of documents
    for path in files(DATA, "schema", "*.schema.json") + \
            glob.glob(os.path.join(os.environ.get("top_builddir", "."), "data", "schema", "*.schema.json")):
        text = read(path)
        schema = canonical.loads(text)
        jsonschema.Draft202012Validator.check_schema(schema)
        if text != canonical.dumps(schema):
            say(path, "not in canonical form")
        kind = os.path.basename(path).split(".")[0]
        validators[kind] = jsonschema.Draft202012Validator(schema)
    return validators


def kind_of(document):
    return str(document.get("schema", "")).split("/")[0].replace("abibase-", "", 1)


def errors(validators, document):
    """Sentences about what is wrong with a document; none for a valid one."""
    v = validators.get(kind_of(document))
    if not v:
        return ["no JSON Schema for \"schema\": %r" % document.get("schema")]
    return ["/%s: %s" % ("/".join(str(p) for p in e.absolute_path), e.message[:300])
            for e in v.iter_errors(document)]


def check_document(validators, path):
    """Read, check the bytes and the schema; the document."""
    text = read(path)
    document = canonical.loads(text)
    if text != canonical.dumps(document):
        say(path, "not in canonical form")
    for e in errors(validators, document):
        say(path, e)
    counts["documents"] += 1
    return document


def check_qemu_record(validators, path):
    """A file that holds one element of a profile's "qemu" list."""
    text = read(path)
    record = canonical.loads(text)
    if text != canonical.dumps(record):
        say(path, "not in canonical form")
    profile = {"schema": "abibase-profile/1", "kind": "host", "name": "x", "arch": "x86_64",
               "facts": {}, "qemu": [record]}
    for e in errors(validators, profile):
        say(path, e)
    counts["documents"] += 1
    return record


def fact_of(condition):
    return condition.partition("[")[0]


def check_catalogue(path, cat, facts):
    """What a JSON Schema cannot say."""
    rows = cat["features"]
    keys = [(r["class"], r["property"]) for r in rows]
    if keys != sorted(set(keys), key=".".join):
        say(path, "features are not sorted by class and property, or one is there twice")
    used = {c for b in cat["backends"].values() for c in b["usable"]}
    devices = {}
    for name, b in cat["backends"].items():
        devices.setdefault(b.get("device"), set()).add(name)
    for r in rows + cat["requirements"]:
        where = r.get("property") or r["name"]
        if "property" in r and set(r["needs"]) not in devices.values():
            say(path, "%s: needs does not name exactly the backends of one device" % where)
        if not set(r["needs"]) <= set(cat["backends"]):
            say(path, "%s: needs names what is no backend" % where)
        used |= {n if isinstance(n, str) else n["condition"]
                 for needs in r["needs"].values() for n in needs if "never" not in n}
    for r in rows:
        known = {p for c, p in keys if c == r["class"]}
        for d in r["depends"]:
            if not set(d.split("|")) <= known:
                say(path, "%s: depends on %s, which has no row" % (r["property"], d))
        if ("group" in r) == (r["pin"] == "fixed"):
            say(path, "%s: pinned and opt-in rows have a group, fixed ones none" % r["property"])
        if "group" in r and r["group"] not in cat["groups"]:
            say(path, "%s: no group %s" % (r["property"], r["group"]))
        if "bit" in r and r["type"] not in ("bool", "OnOffAuto") and "bit_when" not in r:
            say(path, "%s: when is the bit offered?" % r["property"])
        for what in ["default", "needs", "since"] + ["bit"] * ("bit" in r) + \
                ["depends"] * bool(r["depends"]):
            if what not in r["sources"]:
                say(path, "%s: no source for \"%s\"" % (r["property"], what))
    for c in sorted(used ^ set(cat["conditions"])):
        say(path, "condition %s is %s" % (c, "not described" if c in used else "not used"))
    for c in sorted(cat["conditions"]):
        fact = facts.get(fact_of(c))
        if not fact:
            say(path, "condition %s: no such fact in facts.json" % c)
        elif ("[" in c) != (fact["kind"] == "word"):
            say(path, "condition %s: the fact is a %s" % (c, fact["kind"]))


def check_facts(path, profile, facts):
    """Known ids, and the kind and width that facts.json gives them."""
    for name, value in profile["facts"].items():
        f = facts.get(name)
        if not f:
            say(path, "fact %s is not in facts.json" % name)
        elif isinstance(value, dict) or value is False:
            continue
        elif f["kind"] == "word" and len(value) != 2 + f["bits"] // 4:
            say(path, "fact %s: not %d bits" % (name, f["bits"]))
        elif f["kind"] == "bool" and value is not True:
            say(path, "fact %s: not a boolean" % name)


def check_qemu(path, q, rows):
    """The recorded properties are those that the catalogue expects of the version."""
    v = version(q["version"])
    for name, properties in q.get("properties", {}).items():
        counts["property lists"] += 1
        for r in (r for r in rows if r["class"] == name):
            word = properties.get(r["property"])
            if r.get("added", 1) > q.get("catalogue", 1):
                continue  # nobody asked for it
            if bool(word) != exists(r, v):
                say(path, "QEMU %s: %s.%s is %s, the catalogue says otherwise" %
                    (q["version"], name, r["property"], "recorded" if word else "not recorded"))
            elif word and word not in TYPE_WORDS[r["type"]]:
                say(path, "QEMU %s: %s.%s has type %s" %
                    (q["version"], name, r["property"], word))
        for p in sorted(set(properties) - {r["property"] for r in rows if r["class"] == name}):
            say(path, "QEMU %s: %s.%s has no row in the catalogue" % (q["version"], name, p))


def check_evidence(path, profile):
    """Every fact that a platform states has its evidence."""
    for name in profile["facts"]:
        if not any(name == e or e.endswith(".") and name.startswith(e)
                   for e in profile["evidence"]):
            say(path, "fact %s has no evidence" % name)


def at(document, path):
    for p in path:
        document = document[p]
    return document


# (document, place, key, value): must be refused there, for a key that is not known or a bad value
REFUSED = [
    ("profile", [], "colour", "red"),
    ("profile", [], "kind", "cluster"),
    ("profile", [], "revision", 0),
    ("profile", [], "schema", "abibase-profile/2"),
    ("profile", [], "boot_id", "a platform has none"),
    ("profile", [], "name", "-x"),
    ("profile", ["kernel"], "colour", "red"),
    ("profile", ["kernel"], "x-colour", "red"),
    ("profile", ["facts"], "tap", True),
    ("profile", ["facts"], "tap.features", "0x713"),
    ("profile", ["facts"], "tap.features", "0x0000ABCD"),
    ("profile", ["facts"], "tap.features", 1.5),
    ("profile", ["facts"], "tap.features", {"unknown": "not-asked", "x-why": "no"}),
    ("profile", ["facts"], "tap.features", {"unknown": ""}),
    ("profile", ["qemu", 0], "machine_patterns", ["red"]),
    ("profile", ["qemu", 0], "unknown", 1),
    ("profile", ["qemu", 0], "version", "10.0.13 (Debian)"),
    ("profile", ["qemu", 0, "machines"], "pc-q35-7.2", {"colour": "red"}),
    ("profile", ["qemu", 0, "machines"], "pc-q35-7.2 -device x", {}),
    ("profile", ["qemu", 0, "machines", "pc-q35-7.2"], "alias", "q35,x=y"),
    ("profile", ["qemu", 0, "properties"], "a b", {}),
    ("profile", ["qemu", 0, "values"], "pc,x=y", {}),
    ("profile", ["qemu", 0, "defaults"], "a.b c", True),
    ("profile", ["qemu", 0, "defaults"], "a.b", "on,x=y"),
    ("profile", ["qemu", 0, "properties", "virtio-net-device"], "csum", True),
    ("profile", ["evidence"], "tap.", "guessed"),
    ("profile", ["packages", 0], "colour", "red"),
    ("profile", ["lifecycle"], "release", "2023-13-01"),
    ("catalogue", [], "colour", "red"),
    ("catalogue", ["backends", "tap"], "colour", "red"),
    ("catalogue", ["conditions"], "tap", {"layer": "tap"}),
    ("catalogue", ["features", 0], "colour", "red"),
    ("catalogue", ["features", 0], "bit", 128),
    ("catalogue", ["features", 0], "pin", "sometimes"),
    ("catalogue", ["features", 0], "since", "soon"),
    ("catalogue", ["features", 0, "needs"], "tap", [{"condition": "tap.usable", "never": True}]),
    ("catalogue", ["features", 0, "needs"], "tap", [{"never": False}]),
    ("catalogue", ["features", 0], "compat", [{"machine": "8.1", "value": False}]),
    ("catalogue", ["requirements", 0], "colour", "red"),
    ("devices", [], "colour", "red"),
    ("devices", ["devices", "virtio-blk"], "colour", "red"),
    ("devices", ["transport", "features", 0], "bit", 128),
    ("devices", ["transport", "features", 0], "decided_by", "chance"),
    ("devices", ["devices", "virtio-blk", "features", 0], "property", "has no off"),
    ("messages", ["messages", 0], "colour", "red"),
    ("messages", ["messages", 0], "kind", "message"),
    ("messages", ["messages", 4], "off", "rss"),
    ("messages", ["messages", 4], "scope", "elsewhere"),
    ("check", [], "colour", "red"),
    ("check", ["hosts", 0], "colour", "red"),
    ("check", ["hosts", 0], "verdict", "maybe"),
    ("check", ["hosts", 0], "admit_id", "b2"),
    ("check", ["hosts", 0, "findings", 0], "colour", "red"),
    ("check", ["hosts", 0, "findings", 0], "bit", 128),
    ("check", ["hosts", 0, "findings", 0], "fixable", "yes"),
    ("decode", [], "colour", "red"),
    ("decode", [], "dropped", -1),
    ("decode", ["findings", 0], "colour", "red"),
    ("decode", ["findings", 0], "line", 0),
    ("decode", ["findings", 0], "scope", "elsewhere"),
    ("diff", [], "colour", "red"),
    ("explain", [], "colour", "red"),
    ("explain", ["values", 0], "colour", "red"),
    ("match", [], "colour", "red"),
    ("match", ["platforms", 0], "colour", "red"),
    ("validate", [], "colour", "red"),
    ("validate", ["files", 0], "verdict", "maybe"),
    ("validate", ["files", 0, "problems", 0], "kind", "error"),
    ("plan", [], "colour", "red"),
    ("plan", ["platforms", 0], "colour", "red"),
    ("baseline", [], "colour", "red"),
    ("baseline", [], "machine", "pc-q35-7.2 -device x"),
    ("baseline", ["outputs", 0], "option", "-cpu"),
    ("baseline", ["scope"], "colour", "red"),
    ("baseline", ["outputs", 0, "values", 0], "colour", "red"),
    ("baseline", ["outputs", 0, "values", 0], "defaults", "maybe"),
    ("facts", [], "colour", "red"),
    ("facts", ["facts", "tap.features"], "colour", "red"),
    ("facts", ["facts", "tap.usable"], "bits", 32),
    ("facts", ["facts"], "tap", {"kind": "bool", "since": "0.1", "source": "x"}),
]
# free keys, and what may be left out
ACCEPTED = [
    ("profile", [], "description", "free"),
    ("profile", [], "tags", ["free"]),
    ("profile", [], "x-colour", {"red": 1}),
    ("profile", ["qemu", 0], "x-colour", "red"),
    ("profile", ["facts"], "later.surface.word", "0x0000000000000000"),
    ("profile", ["facts"], "later.surface.number", 7),
    ("catalogue", ["features", 0], "x-colour", "red"),
]


def check_refusals(samples, validators):
    for rules, refused in ((REFUSED, True), (ACCEPTED, False)):
        for kind, path, key, value in rules:
            document = copy.deepcopy(samples[kind])
            at(document, path)[key] = value
            if bool(errors(validators, document)) != refused:
                say(os.path.join(DATA, "schema", kind + ".schema.json"),
                    "/%s: %s = %s is %s" % ("/".join(map(str, path)), key, json.dumps(value),
                                           "accepted" if refused else "refused"))
            counts["faulty documents"] += refused
    for kind, document in samples.items():
        for key in ("schema", "facts"):
            faulty = {k: v for k, v in document.items() if k != key}
            if key in document and not errors(validators, faulty):
                say(os.path.join(DATA, "schema", kind + ".schema.json"),
                    "a document without \"%s\" is accepted" % key)


# kinds of documents that a verb prints, and that a case must show
PRINTED = ("baseline", "check", "decode", "diff", "explain", "match", "plan", "profile", "validate")


def check_cases(validators):
    """What the cases print, and the documents that they start from; some of each printed kind."""
    samples = {}
    for path in files(HERE, "cases", "*", "*", "stdout") + files(HERE, "cases", "*", "*", "*.json"):
        text = read(path)
        if not text.startswith("{"):
            continue
        # several answers are a line each
        lines = text.splitlines() if text[1] == '"' else [text]
        for one in lines:
            document = canonical.loads(one)
            if path.endswith("stdout") and lines == [text] and text != canonical.dumps(document):
                say(path, "not in canonical form")
            for e in errors(validators, document):
                say(path, e)
            counts["documents"] += 1
            known = samples.get(kind_of(document))
            if known is None or len(one) > len(known[1]):
                samples[kind_of(document)] = (document, one)
    for kind in PRINTED:
        if kind not in samples and kind not in ELSEWHERE:
            say(os.path.join(HERE, "cases"), "no case prints a document of the kind %s" % kind)
    return {kind: sample[0] for kind, sample in samples.items()}


def check_result(path, result, specimens):
    """It is called after its builds, is small, and names no device that nobody can look up."""
    sides = [result["source"], result["destination"]]
    name = "_".join("%s-%s" % (s["version"], s["build_id"]) for s in sides) + ".json"
    if os.path.basename(path) != name:
        say(path, "has the builds of %s" % name)
    if os.path.getsize(path) > 20000:
        say(path, "is larger than 20 kB")
    for side in sides:
        if not os.path.exists(os.path.join(DATA, "builds", side["build"] + ".json")):
            say(path, "names the record %s, which is not there" % side["build"])
    for machine, of in result["machines"].items():
        for name in (name for how in of.values() for name in how):
            if name not in specimens and name != "nothing":
                say(path, "%s has %s, which is no specimen" % (machine, name))


def check_all(validators):
    facts_doc = check_document(validators, os.path.join(DATA, "facts.json"))
    facts = facts_doc["facts"]
    path = os.path.join(DATA, "catalogue.json")
    cat = check_document(validators, path)
    check_catalogue(path, cat, facts)
    devices = check_document(validators, os.path.join(DATA, "devices.json"))
    messages = check_document(validators, os.path.join(DATA, "messages.json"))
    errata = check_document(validators, os.path.join(DATA, "errata.json"))
    codenames = check_document(validators, os.path.join(DATA, "codenames.json"))
    head = check_document(validators, os.path.join(RECORDED, "rehearsal", "head.json"))
    rehearse = check_document(validators, os.path.join(DATA, "rehearse.json"))
    specimens = check_document(validators, os.path.join(DATA, "specimens.json"))
    results = {path: check_document(validators, path) for path in files(DATA, "rehearsals", "*.json")}
    for path, result in results.items():
        check_result(path, result, specimens["specimens"])
    builds = {path: check_document(validators, path) for path in files(DATA, "builds", "*.json")}
    for path, build in builds.items():
        if os.path.getsize(path) > 100000:
            say(path, "is larger than 100 kB")
        text = json.dumps(build, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
        if os.path.basename(path) != digest + ".json":
            say(path, "has the digest %s" % digest)
    platforms = files(DATA, "platforms", "*.json")
    for path in platforms + files(RECORDED, "hosts", "*.json"):
        profile = check_document(validators, path)
        check_facts(path, profile, facts)
        for q in profile.get("qemu", []):
            check_qemu(path, q, cat["features"])
            if "build" in q and os.path.join(DATA, "builds", q["build"] + ".json") not in builds:
                say(path, "names the record %s, which is not there" % q["build"])
        if profile["kind"] == "platform":
            check_evidence(path, profile)
            if not os.path.basename(path).endswith("-%s.json" % profile["name"]):
                say(path, "is called %s inside" % profile["name"])
    for path in files(RECORDED, "qemu", "*.json"):
        check_qemu(path, check_qemu_record(validators, path), cat["features"])
    probed = os.path.join(DATA, "platforms", "50-debian-12.json")
    samples = check_cases(validators)
    samples.update({"profile": canonical.loads(read(probed)), "catalogue": cat, "facts": facts_doc,
                    "devices": devices, "messages": messages, "errata": errata, "codenames": codenames,
                    "rehearse": rehearse, "rehearsal": head, "specimens": specimens,
                    "rehearsal-result": list(results.values())[0], "build": list(builds.values())[0]})
    check_refusals(samples, validators)
    for kind in validators:
        if kind not in samples and kind not in ELSEWHERE:
            say(os.path.join(DATA, "schema", kind + ".schema.json"), "no document is held against it")


def main():
    validators = load_validators()
    if sys.argv[1:]:
        for path in sys.argv[1:]:
            check_document(validators, path)
    else:
        check_all(validators)
    print(", ".join("%d %s" % (n, what) for what, n in counts.items()) + " checked, %d faults"
          % len(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
