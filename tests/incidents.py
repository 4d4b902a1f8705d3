#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hold the cases of incidents against what is expected of each incident.

tests/data/incidents.json says of every incident what is expected, and in which case directories it
is shown. Every expectation must be shown, every case of an incident must be named, and a case must
have the exit status, the set of options that are off or are numbers, and the words.

What abibase rehearse says is run, where incidents.sh has QEMUs for it: "from" and "to" have the version
of one and the words of its line; TMP/small and TMP/large are two files for ROMs, "options" those of abibase.

An expectation is a JSON pointer into "expect"; one stands for all below it. "says" and "says_not" are
looked for in the expected output, with blanks and line ends taken for one blank.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases")
QEMUS = os.environ.get("INCIDENTS_QEMUS")  # a directory: one a version, and called by it
faults = []


def say(text):
    faults.append(text)
    print(text)


def read(case, name):
    path = os.path.join(CASES, case, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        return f.read()


def words(text):
    return re.sub(r"\s+", " ", text)


def leaves(value, pointer=""):
    """Pointers to what is expected: scalars, and lists of strings as a whole."""
    if isinstance(value, dict):
        below = value.items()
    elif isinstance(value, list) and not all(isinstance(v, str) for v in value):
        below = enumerate(value)
    else:
        return [(pointer, value)]
    return [leaf for k, v in below for leaf in leaves(v, "%s/%s" % (pointer, k))]


def below(pointer, top):
    return pointer == top or pointer.startswith(top + "/")


def check_options(where, case, expected):
    """The -global options that are off or a number are these, and no other."""
    lines = read(case, "stdout").splitlines()
    found = {line[len("-global "):] for line in lines
             if re.fullmatch(r"-global \S+=(off|[0-9]+)", line)}
    if found != set(expected):
        say("%s: %s has %s, expected %s" % (where, case, sorted(found), sorted(expected)))


def check_case(where, shown, case, expect):
    if not os.path.exists(os.path.join(CASES, case, "args")):
        say("%s: no such case: %s" % (where, case))
        return
    if read(case, "status").strip() != str(shown["status"]):
        say("%s: %s: the exit status is not %d" % (where, case, shown["status"]))
    output = words(read(case, "stdout") + " " + read(case, "stderr"))
    for text in shown.get("says", []):
        if text not in output:
            say("%s: %s does not say: %s" % (where, case, text))
    for text in shown.get("says_not", []):
        if text in output:
            say("%s: %s says: %s" % (where, case, text))
    if "same_stdout" in shown and read(case, "stdout") != read(shown["same_stdout"], "stdout"):
        say("%s: %s prints another list than %s" % (where, case, shown["same_stdout"]))
    for pointer, value in leaves(expect):
        if (case.startswith("intersect/") and any(below(pointer, p) for p in shown["of"]) and
                re.search(r"globals|/b2$", pointer) and isinstance(value, list)):
            check_options(where, case, value)


# ------------------------------------------------------------------ rehearsals


def rehearse(tmp, shown):
    """The exit status, and what is said"""
    words = [os.environ.get("ABIBASE", os.path.join(os.environ.get("top_builddir", "."), "abibase")), "rehearse",
             *shown["rehearse"].get("options", [])]
    for side in ("from", "to"):
        version, line = shown["rehearse"][side]
        words += ["--", os.path.join(QEMUS, version), *line.replace("TMP/", tmp + "/").split()]
    p = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       check=False, timeout=120)
    return p.returncode, p.stdout


def check_rehearsals(incidents):
    """How many were run"""
    rehearsals = [(i["id"], s) for i in incidents for s in i["shown"] if "rehearse" in s]
    if not QEMUS:
        print("%d rehearsals are not run" % len(rehearsals))
        if os.environ.get("ABIBASE_TEST_REQUIRE") == "1":
            say("they are required")
        return 0
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        for name, size in (("small", 65536), ("large", 131072)):
            with open(os.path.join(tmp, name), "wb") as f:
                f.truncate(size)
        for name, shown in rehearsals:
            status, said = rehearse(tmp, shown)
            line = "%s: from %s to %s" % (name, *(" ".join(shown["rehearse"][side]) for side in ("from", "to")))
            wrong = len(faults)
            if status != shown["status"]:
                say("%s: the exit status is %d, not %d" % (line, status, shown["status"]))
            for text in shown["says"]:
                if text not in words(said):
                    say("%s does not say: %s" % (line, text))
            for text in shown.get("says_not", []):
                if text in words(said):
                    say("%s says: %s" % (line, text))
            if len(faults) > wrong:
                print(said)
    return len(rehearsals)


def check_incident(incident, named):
    expect, shown = incident["expect"], incident["shown"]
    pointers = [p for p, _ in leaves(expect)]
    for s in shown:
        for top in s["of"]:
            if not any(below(p, top) for p in pointers):
                say("%s: nothing is expected at %s" % (incident["id"], top))
        for case in s.get("cases", []):
            named.add(case)
            check_case(incident["id"], s, case, expect)
    for p in pointers:
        if not any(below(p, top) for s in shown for top in s["of"]):
            say("%s: nothing shows %s" % (incident["id"], p))
    return len(pointers)


def main():
    with open(os.path.join(HERE, "data", "incidents.json"), encoding="utf-8") as f:
        incidents = json.load(f)["incidents"]
    named = set()
    expected = sum(check_incident(i, named) for i in incidents)
    ids = {i["id"].lower() for i in incidents}
    for path in sorted(glob.glob(os.path.join(CASES, "*", "ac*")) + glob.glob(os.path.join(CASES, "*", "n[0-9]*"))):
        case = os.path.relpath(path, CASES)
        if os.path.basename(case).split("-")[0] in ids and case not in named:
            say("%s: no expectation names it" % case)
    rehearsals = check_rehearsals(incidents)
    elsewhere = sum("elsewhere" in s for i in incidents for s in i["shown"])
    print("%d incidents, %d expectations, %d cases, %d rehearsals, %d shown elsewhere, %d faults" % (
        len(incidents), expected, len(named), rehearsals, elsewhere, len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
