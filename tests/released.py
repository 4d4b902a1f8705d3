#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a release wrote is read by every later one.

usage: released.py keep DIRECTORY | released.py hold DIRECTORY...

A directory of a release (tests/data/released/VERSION) has one document of each form that users
keep, and in answers/ what --json of that release printed. "keep" makes the baselines and the
answers there, once, at the release, of the other documents; "hold" asks today's abibase the same
questions of all: the exit status and the ids are the same, and an answer has lost no member."""
import json
import os
import subprocess
import sys

ABIBASE = os.path.abspath(os.environ["ABIBASE"])

# name of the answer, exit status, arguments; in the directory of the release
QUESTIONS = (
    ("intersect", 0, "intersect --json -M pc-q35-7.2 old.json new.json"),
    ("no-inputs", 0, "intersect --json --no-inputs -M pc-q35-7.2 old.json new.json"),
    ("conflict", 1, "intersect --json -M pc-q35-9.0 old.json new.json"),
    ("check", 0, "check --json baseline.json old.json new.json"),
    ("check-no-inputs", 0, "check --json no-inputs.json new.json"),
    ("check-lacks", 1, "check --json narrow.json old.json"),
    ("targets", 1, "targets --json guest.json old.json new.json"),
    ("explain", 0, "explain --json baseline.json"),
    ("diff-profiles", 1, "diff --json old.json new.json"),
    ("diff-baselines", 1, "diff --json baseline.json narrow.json"),
    ("check-both", 1, "check --json baseline.json narrow.json old.json"),
    ("domain", 0, "check --json --domain guest.xml baseline.json new.json"),
    ("merge", 0, "merge node.json image.json"),
    ("match", 0, "match --json new.json"),
    ("validate", 0, "validate --json old.json new.json baseline.json no-inputs.json narrow.json "
                    "guest.json build.json node.json image.json"),
    ("decode", 0, "decode --json 0x1c0010130afffa7"),
    ("plan", 1, "plan --json offload-uso"),
)

# the baselines that the questions are about
BASELINES = (
    ("baseline.json", "intersect --json -M pc-q35-7.2 old.json new.json"),
    ("no-inputs.json", "intersect --json --no-inputs -M pc-q35-7.2 old.json new.json"),
    ("narrow.json", "intersect --json -M pc-q35-10.0 new.json"),
)


def ask(directory, line):
    run = subprocess.run([ABIBASE, *line.split()], cwd=directory, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=60)
    return run.returncode, run.stdout, run.stderr


def keep(directory):
    for name, line in BASELINES:
        status, out, err = ask(directory, line)
        if status:
            sys.exit(f"{name}: {status}: {err}")
        with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
            f.write(out)
    os.makedirs(os.path.join(directory, "answers"), exist_ok=True)
    for name, want, line in QUESTIONS:
        status, out, err = ask(directory, line)
        if status != want:
            sys.exit(f"{name}: exit status {status}, not {want}: {err}")
        with open(os.path.join(directory, "answers", name + ".json"), "w", encoding="utf-8") as f:
            f.write(out)


def same_kind(old, new):
    return isinstance(new, type(old)) and isinstance(new, bool) == isinstance(old, bool)


def lost(old, new, path):
    """Members that the old answer has and the new one has not, or in another type."""
    if old is None or new is None:
        return
    if not same_kind(old, new):
        yield f"{path}: was {type(old).__name__}, is {type(new).__name__}"
    elif isinstance(old, dict):
        for key, value in old.items():
            if key not in new:
                yield f"{path}.{key}: is gone"
            else:
                yield from lost(value, new[key], f"{path}.{key}")
    elif isinstance(old, list) and old:
        if not new:
            yield f"{path}: is empty"
        elif isinstance(old[0], dict):
            yield from lost_of_items(old, new, path)


def lost_of_items(old, new, path):
    """Items can be more, and in another order: the members of some item are those of the old."""
    for number, item in enumerate(old):
        worst = [list(lost(item, other, f"{path}[{number}]")) for other in new]
        yield from min(worst, key=len)


def ids(value):
    """Every baseline id in an answer."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "id" and isinstance(member, str) and member.startswith("b1-"):
                yield member
            yield from ids(member)
    elif isinstance(value, list):
        for item in value:
            yield from ids(item)


def answer(text):
    """What one answer says; of several, which are a line each, a list."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def hold(directory):
    faults = []
    for name, want, line in QUESTIONS:
        kept = os.path.join(directory, "answers", name + ".json")
        if not os.path.exists(kept):
            continue
        status, out, err = ask(directory, line)
        if status != want:
            faults.append(f"{name}: exit status {status}, was {want}: {err}")
            continue
        with open(kept, encoding="utf-8") as f:
            old = answer(f.read())
        new = answer(out)
        faults += [f"{name}: {fault}" for fault in lost(old, new, "")]
        if set(ids(old)) != set(ids(new)):
            faults.append(f"{name}: ids were {sorted(set(ids(old)))}, are {sorted(set(ids(new)))}")
    return faults


def main():
    if sys.argv[1] == "keep":
        keep(sys.argv[2])
        return
    failed = False
    for directory in sys.argv[2:]:
        for fault in hold(directory):
            print(f"{os.path.basename(directory)}: {fault}")
            failed = True
    sys.exit(failed)


main()
