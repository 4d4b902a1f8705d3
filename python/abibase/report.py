# SPDX-License-Identifier: LGPL-2.1-or-later
"""A page for people who look, made of what "abibase matrix --json" says.

usage: python3 -m abibase.report [-o FILE] [MATRIX.json]

One HTML file with nothing around it: no network, no script, no font. It takes the standard
library alone.
"""

from __future__ import annotations

import argparse
import errno
import html
import itertools
import json
import math
import os
import re
import stat
import sys
import tempfile
from collections import defaultdict
from typing import Any, Dict, Iterable, List, Set, Tuple

# From the worst on, as abibase matrix has them; the last is that of guests that nobody has.
WORDS = ("no", "unknown", "door", "maybe", "list", "ok", "none")
SHOWN = {"unknown": "?", "maybe": "door?", "none": "–"}
MEANING = {
    "ok": "the guest gets in, and can return",
    "list": "it gets in where QEMU there is started with further -global options",
    "door": "a one-way door: it gets in, as ok or as list, and could not return from its next "
            "reset there on",
    "maybe": "it gets in, as ok or as list, and it cannot be told whether it could return",
    "no": "it does not get in",
    "unknown": "it cannot be told",
    "none": "no such guest can be there",
}
TABLE = 12  # cohorts that a table, or a drawing with lines, can hold
NAMES = 20  # of hosts that are shown of a cohort
SOME = 6  # cohorts that a sentence names
DOOR = "Guests{} that go there may take features with which they cannot come back."
LINES = ("Each circle is a cohort, by its number. A line with an arrow leads where guests can go; "
         "one without leads both ways; where there is none, not all guests get in, or no such "
         "guest can be there.")
MOVES = ("A move leads to another cohort, or to another host of the same; of several backends and "
         "machine types the worst counts. no: the guest does not get in. –: no such guest can be "
         "there, or there is no other host of the cohort.")
GROUPS = ("Each group would have a list of its own, and gains what one list for all hosts lacks.")
LISTS = ("A list is what abibase intersect prints, the -global options that QEMU is started with; "
         "a baseline is a list with the hosts that it is for.")
SQUARES = ("A row for each cohort that guests come from, a column for each that they go to; those "
           "whose guests can go nearly everywhere are first.")
Place = Tuple[int, int]


# Of findings: what a newer kernel or QEMU of the destination brings
LACKS = ("move-lacks", "host-without-machine")
# What a document raises that is not of the form
BAD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


# What is read of the document, and must be there but for "?"; other members are of no interest.
VERDICTS = ("no", "unknown", "yes")
FORM = {
    "cohorts": [{"name": str, "hosts": [str], "qemu": [str], "machine?": str}],
    "machines": [str], "doors": [str], "verdict": VERDICTS, "baseline?": str,
    "moves": [{"from": str, "to": str, "machine": str, "backend": str, "list": bool, "why": [int],
               "verdict": ("now", "list", "no", "unknown", "none"), "door?": int,
               "way_back?": ("open", "shut", "unknown")}],
    "findings": [{"kind": ("conflict", "unknown"), "id": str, "text": str, "cause?": str,
                  "layer?": str, "remedy?": str, "feature?": str}],
    "costs?": [{"description": str, "features": [str], "in_the_way": [str], "obstacles": [str],
                "retire?": [str]}],
    "retirements?": [{"retire": [str], "back": [str]}],
    "split?": {"exact": bool, "groups": [{"cohorts": [str], "gains": [str], "hosts": int,
                                          "machine?": str, "verdict": VERDICTS}]},
    "scope": {"devices": [str], "evidence": [str], "layers": [str], "not_compared": [str]},
}
LIMIT = 256 << 20  # bytes; abibase matrix writes half of it of 500 cohorts, which are its most


class Trouble(Exception):
    """The input is not what the page is made of."""


def hold(value: Any, form: Any, *at: object) -> None:
    """Refuse what is not of the form. A text where a list is wanted would be read as its letters."""
    said = ""
    if isinstance(form, dict) and isinstance(value, dict):
        for key, of in form.items():
            name = key.rstrip("?")
            item = value.get(name)
            if type(item) is of is str:  # most are
                continue
            if item is not None:
                hold(item, of, *at, name)
            elif name == key:
                said = said or f"/{name} is missing"
    elif isinstance(form, list) and isinstance(value, list):
        for i, item in enumerate(value):
            hold(item, form[0], *at, i)
    elif isinstance(form, tuple):
        said = "" if value in form else f" is none of {', '.join(form)}"
    elif type(value) is not form or (form is int and value < 0):
        said = " is of another type"
    if said:
        raise ValueError("".join(f"/{name}" for name in at) + said)


# ------------------------------------------------------------------------------------ HTML

class Html(str):
    """Text that is HTML already; all other text is escaped where it is put in."""


# What neither XML nor a terminal takes, and what turns the direction of the text around it
HOSTILE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069"
                     "\ud800-\udfff\ufffe\uffff]")
EMPTY = ("meta", "path", "line", "circle")  # elements with nothing inside


def part(text: object) -> str:
    if isinstance(text, Html):
        return text
    return html.escape(HOSTILE.sub("\ufffd", str(text)))


def tag(name: str, /, *parts: object, **attributes: object) -> Html:
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{part(value)}"'
                    for key, value in attributes.items() if value is not None)
    inside = "".join(map(part, parts))
    return Html(f"<{name}{words}/>" if name in EMPTY else f"<{name}{words}>{inside}</{name}>")


def join(words: Iterable[object], between: str = ", ") -> Html:
    return Html(part(between).join(part(word) for word in words))


def count(n: int, one: str, more: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def section(name: str, title: str, items: List[Html], *more: object,
            class_: str | None = None) -> Html:
    """A list, where there is something in it."""
    return tag("section", tag("h2", title), tag("ul", *items, class_=class_), *more, id=name) \
        if items else Html("")


# ------------------------------------------------------------------------------- the matrix

def word_of(move: Dict[str, Any]) -> str:
    verdict = move["verdict"]
    if verdict in ("no", "unknown", "none"):
        return str(verdict)
    way = move.get("way_back")
    if way != "open":
        return "door" if way == "shut" else "maybe"
    return {"now": "ok", "list": "list"}[verdict]


def ranges(numbers: Iterable[int]) -> str:
    """1, 2, 3, 5 as "1–3, 5"."""
    runs: List[List[int]] = []
    for n in sorted(set(numbers)):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}{', ' if b == a + 1 else '–'}{b}" for a, b in runs)


def few(cohorts: List[int]) -> str:
    """For a sentence."""
    text = ranges(i + 1 for i in cohorts)
    return text if len(text) <= 60 else f"{len(cohorts)} cohorts"


def moves_text(places: Iterable[Place]) -> str:
    """Moves, those to one destination together, and destinations that have the same."""
    sources: Dict[int, List[int]] = defaultdict(list)
    for source, to in places:
        sources[to].append(source + 1)
    same: Dict[str, List[int]] = defaultdict(list)
    for to, several in sources.items():
        same[ranges(several)].append(to + 1)
    return "; ".join(f"from {several} to {ranges(to)}"
                     for several, to in sorted(same.items(), key=lambda s: s[1]))


class Matrix:
    """What the document says, by the numbers of cohorts."""

    def __init__(self, document: Dict[str, Any]) -> None:
        hold(document, FORM)
        self.document = document
        self.cohorts: List[Dict[str, Any]] = document["cohorts"]
        self.number = {c["name"]: i for i, c in enumerate(self.cohorts)}
        if len(self.number) < len(self.cohorts) or not all(c["hosts"] for c in self.cohorts):
            raise ValueError("/cohorts has one twice, or one without a host")
        if not self.cohorts:
            raise ValueError("/cohorts has none")
        self.baseline = document.get("baseline")
        self.views: Dict[Tuple[str, bool], Dict[Place, str]] = defaultdict(dict)
        self.all: Dict[Place, str] = {}  # the worst of all that is judged
        self.doors: Dict[int, List[Place]] = defaultdict(list)
        self.causes: Dict[int, List[Place]] = defaultdict(list)
        # of moves that are judged, those with a word, by machine type
        self.some: Dict[str, Dict[str, Set[Place]]] = defaultdict(lambda: defaultdict(set))
        # by machine type, whether moves with the list are what is judged
        listed = {move["machine"] for move in document["moves"] if move["list"]}
        self.listed = {machine: bool(self.baseline) and (machine in listed or not listed)
                       for machine in document["machines"]}
        for machine in document["machines"]:
            for with_list in (False, True) if self.listed[machine] else (False,):
                self.views[machine, with_list].clear()
        for move in document["moves"]:
            self._add(move)
        self._add_missing(document["moves"])

    def _add(self, move: Dict[str, Any]) -> None:
        at = self.number[move["from"]], self.number[move["to"]]
        word, judged = word_of(move), move["list"] == self.listed.get(move["machine"])
        worst = [self.views[move["machine"], move["list"]]] + ([self.all] if judged else [])
        for words in worst:
            words[at] = min(word, words.get(at, "none"), key=WORDS.index)
        if move["machine"] not in self.document["machines"]:
            raise ValueError(f"a move of {move['machine']}, which /machines does not have")
        if judged:
            self.some[word][move["machine"]].add(at)
        if judged and word == "door":
            door = move.get("door")
            self.doors[-1 if door is None else door].append(at)
        for why in move["why"] if judged else ():
            self.causes[why].append(at)

    def _add_missing(self, moves: List[Dict[str, Any]]) -> None:
        """A move that the document does not have is one of which nobody knows."""
        there: Dict[Tuple[str, bool], Set[Tuple[int, int, str]]] = defaultdict(set)
        for move in moves:
            there[move["machine"], move["list"]].add((
                self.number[move["from"]], self.number[move["to"]], move["backend"]))
        alone = {i for i, c in enumerate(self.cohorts) if len(c["hosts"]) == 1}
        places = [(a, b) for a, b in itertools.product(range(len(self.cohorts)), repeat=2)
                  if a != b or a not in alone]
        for view, words in self.views.items():
            backends = {move["backend"] for move in moves if move["list"] == view[1]} or {""}
            for a, b in places:
                if any((a, b, backend) not in there[view] for backend in backends):
                    for known in [words] + ([self.all] if view[1] == self.listed[view[0]] else []):
                        known[a, b] = min("unknown", known.get((a, b), "none"), key=WORDS.index)

    def which(self, word: str) -> List[Place]:
        """The moves that have this word, whatever others of the same two cohorts have."""
        return sorted(set().union(*self.some[word].values()))

    def into(self, to: int, *words: str) -> List[int]:
        return [i for i in range(len(self.cohorts)) if self.all.get((i, to)) in words]

    def those(self, word: str, *to: int) -> str:
        """For a sentence, whose moves to there have this word, and of which machine types."""
        same: Dict[str, List[str]] = defaultdict(list)
        for (machine, listed), words in self.views.items():
            if listed == self.listed[machine]:
                sources = {a for (a, b), got in words.items() if got == word and b in to}
                same[few(sorted(sources))].append(machine)
        if len(same) == 1:
            return next(iter(same))
        return ", ".join(f"{sources} ({', '.join(machines)})"
                         for sources, machines in same.items() if sources)

    def hosts(self, numbers: Iterable[int]) -> int:
        return sum(len(self.cohorts[i]["hosts"]) for i in numbers)

    def called(self, *numbers: int, begin: bool = False) -> Html:
        """Cohorts in a sentence, or at its beginning: number, and the names of some hosts."""
        more = [f"{len(numbers) - SOME} more"] if len(numbers) > SOME else []
        each = [f"{tag('b', i + 1)} ({names(self.cohorts[i]['hosts'], 3)})"
                for i in numbers[:SOME]]
        word = "cohort" if len(numbers) == 1 else "cohorts"
        return Html(f"{word.title() if begin else word} {join(map(Html, each + more))}")


def names(hosts: List[str], most: int = NAMES) -> Html:
    shown = join(tag("bdi", host) for host in hosts[:most])
    return Html(f"{shown} and {len(hosts) - most:,} more") if len(hosts) > most else shown


# ------------------------------------------------------------------------ the three answers

def takes_all(m: Matrix) -> Html:
    """Which cohort can take all guests?"""
    n = len(m.cohorts)
    if not any(word != "none" for word in m.all.values()):
        why = "there is one host" if m.hosts(range(n)) == 1 else "no such guest runs anywhere"
        return Html(f"There is no move to judge: {why}.")
    bad = [m.into(i, "no", "unknown") for i in range(n)]
    good = [i for i in range(n) if m.into(i, *WORDS[2:-1])]
    ways: Dict[Tuple[str, str, str, bool], List[int]] = defaultdict(list)
    for i in good:
        if not bad[i]:
            none = any(m.all.get((a, i)) == "none" for a in range(n) if a != i)
            ways[m.those("door", i), m.those("maybe", i), m.those("list", i), none].append(i)
    said: List[Html] = []
    for (shut, maybe, listed, none), to in sorted(ways.items()):
        way = f", but those of {shut} could not return: a one-way door" if shut else ""
        way += f"; of those of {maybe} it cannot be told whether they could return" if maybe else ""
        options = f"; those of {listed} take further -global options there" if listed else ""
        said.append(Html(f"{m.called(*to, begin=True)} can take the guests of every cohort"
                         f"{' that has any' if none else ''}{' too' if said else ''}"
                         f"{way or ', and they can return'}{options}."))
    return join(said, " ") if said else takes_most(m, good, bad)


def takes_most(m: Matrix, good: List[int], bad: List[List[int]]) -> Html:
    """No cohort is known to take all: some moves fail, or of some it cannot be told."""
    known = all(m.into(i, "no") for i, others in enumerate(bad) if others)
    begin = "None" if known else "None is known to"
    if not good:
        return Html(f"{begin}: no guest {'gets' if known else 'is known to get'} in anywhere.")
    best = min(good, key=lambda i: len(bad[i]))
    return Html(f"{begin}. {m.called(best, begin=True)} takes those of most: all but the guests of "
                f"{few(bad[best])}.")


def one_way(m: Matrix) -> Html:
    """Which door is one-way?"""
    some, places, unsure = list(m.some["door"]), m.which("door"), m.which("maybe")
    open_ = f" Of {count(len(unsure), 'move')} it cannot be told whether guests could return." \
        if unsure else ""
    if not places:
        return Html(f"None is known.{open_}") if unsure else no_door(m)
    why = DOOR.format(f" of {', '.join(some)}" if len(m.document["machines"]) > 1 else "") + open_
    if len(places) > SOME:
        worst = max(range(len(m.cohorts)), key=lambda i: sum(to == i for _, to in places))
        return Html(f"{count(len(places), 'move')}, most of them to {m.called(worst)}; all are "
                    f"{tag('a', 'below', href='#doors')}. {why}")
    sources: Dict[int, List[int]] = defaultdict(list)
    for a, b in places:
        sources[a].append(b)
    said = "; ".join(f"from {m.called(a)} to {m.called(*several)}"
                     for a, several in sources.items())
    return Html(f"{said[0].upper()}{said[1:]}. {why}")


def no_door(m: Matrix) -> Html:
    words = set(m.all.values())
    if not words & set(WORDS[2:-1]):
        return Html("None: no guest is known to get in anywhere." if words - {"none"} else
                    "There is no move to judge.")
    known = "is known to get" if "unknown" in words else "gets"
    return Html(f"None{' is known' if 'unknown' in words else ''}: whatever {known} in can return.")


def upgrades(m: Matrix) -> List[Tuple[List[int], List[str]]]:
    """What would come back, and without which cohorts; the fewest hosts first."""
    found = [([m.number[name] for name in r["retire"]], r["back"])
             for r in m.document.get("retirements", ())]
    return sorted(found, key=lambda f: (m.hosts(f[0]), -len(f[1])))


def first(m: Matrix) -> Html:
    """Which host to upgrade first?"""
    said: List[Html] = []
    before: List[int] = []
    for several, back in upgrades(m)[:3]:
        new = [i for i in several if i not in before] if set(before) < set(several) else several
        blame = ("it" if len(new) == 1 else "them") + ("" if new == several else " too")
        said.append(Html(f"{'Then upgrade' if said else 'Upgrade'} {m.called(*new)}, "
                         f"{count(m.hosts(new), 'host')}: because of {blame} all others do "
                         f"without {join(back)}."))
        before = several
    return join(said, " ") if said else most_refusing(m)


def most_refusing(m: Matrix) -> Html:
    """Where no upgrade brings a feature back: where most moves fail for what is lacking there."""
    findings = m.document["findings"]
    failing = {f: {at for at in places if m.all[at] == "no"} for f, places in m.causes.items()
               if findings[f]["kind"] == "conflict"}
    if not set(m.all.values()) - {"none"}:
        return Html("None has to be: there is no move to judge.")
    if not any(failing.values()):
        sure = m.document["verdict"] == "yes" and "unknown" not in m.all.values()
        return Html("It cannot be told: the document has no cause of the moves that fail."
                    if "no" in m.all.values() else
                    f"None has to be: no move {'fails' if sure else 'is known to fail'}.")
    lacking = {f: places for f, places in failing.items() if findings[f]["id"] in LACKS}
    refused: Dict[int, set[int]] = defaultdict(set)
    for a, b in itertools.chain(*lacking.values()):
        refused[b].add(a)
    worst = max(refused, key=lambda i: len(refused[i])) if refused else -1
    begin = "No upgrade of one cohort alone is known to help" if worst < 0 else \
        f"{m.called(worst, begin=True)}: guests of {m.those('no', worst)} do not get in"
    counted = {f: sum(worst in (to, -1) for _, to in places)
               for f, places in (lacking or failing).items()}
    finding = findings[max(counted, key=lambda f: counted[f])]
    remedy = finding.get("remedy", "none")
    return Html(f"{begin}. {part(finding['text'])}. Remedy: {part(remedy)}.")


def answers(m: Matrix) -> Html:
    asked = (("Which cohort can take all guests?", takes_all(m)),
             ("Which door is one-way?", one_way(m)), ("Which host to upgrade first?", first(m)))
    return tag("section", *(tag("div", tag("h3", question), tag("p", sentence), class_="card")
                            for question, sentence in asked), id="answers")


def verdict(m: Matrix) -> Html:
    words, n = list(m.all.values()), len(m.cohorts)
    bad, unknown, doors, maybe = (words.count(word) for word in WORDS[:4])
    judged = count(len(words) - words.count("none"), "move")
    nobody = set(words) <= {"none"}
    can = "" if bad or unknown else "there is no move to judge" if nobody else \
        f"all of {judged} can be made"
    word = "no" if bad else "unknown" if unknown else "yes"
    told = min(word, m.document["verdict"], key=VERDICTS.index)
    said = ["the document says so, and its moves do not" if told != word and not nobody else "",
            f"{bad:,} of {judged} cannot be made" if bad else "",
            f"of {count(unknown, 'move')} it cannot be told" if unknown else "",
            can,
            f"{count(doors, 'leads', 'lead')} through a one-way door" if doors else "",
            f"of {count(maybe, 'move')} it cannot be told whether guests could return" if maybe
            else ""]
    return tag("p", {"no": "No: ", "unknown": "Cannot tell: ", "yes": "Yes: "}[told],
               "; ".join(filter(None, said)),
               f", with the list of {m.baseline}" if m.baseline else "",
               "" if len(set(m.listed.values())) < 2 else " for guests of its machine type",
               f". {count(m.hosts(range(n)), 'host')} in {count(n, 'cohort')}; guests of ",
               ", ".join(m.document["machines"]), ".", class_="verdict")


# ------------------------------------------------------------------------------ the picture

def grid(m: Matrix) -> Html:
    """A square for each move, rows from, columns to: a path for each word."""
    n = len(m.cohorts)
    order = sorted(range(n), key=lambda i: sum(m.all.get((i, b)) == "no" for b in range(n)))
    paths: Dict[str, List[str]] = defaultdict(list)
    for row, a in enumerate(order):
        column = 0
        for word, run in itertools.groupby(m.all.get((a, b), "none") for b in order):
            width = len(list(run))
            paths[word].append(f"M{column} {row}h{width}v1h-{width}z")
            column += width
    drawn = (tag("path", d="".join(paths[word]), class_=f"fill {word}") for word in paths)
    return tag("svg", *drawn, viewBox=f"0 0 {n} {n}", role="img", class_="grid",
               aria_label="rows: cohorts that guests come from; columns: those that they go to")


def spot(i: int, n: int, radius: float) -> Tuple[float, float]:
    turn = 2 * math.pi * i / n - math.pi / 2
    return 200 + radius * math.cos(turn), 180 + radius * 0.92 * math.sin(turn)


def arrow(m: Matrix, a: int, b: int) -> Html:
    """The line of moves from one cohort to another; one line where both ways are open."""
    n, word, back = len(m.cohorts), m.all.get((a, b), "none"), m.all.get((b, a), "none")
    both = word == back and word in ("ok", "list")
    if word in ("no", "none") or (both and a > b):
        return Html("")
    (x, y), (u, v) = spot(a, n, 120), spot(b, n, 120)
    length = math.hypot(u - x, v - y)
    dx, dy = (u - x) / length, (v - y) / length
    aside = 0 if both or back in ("no", "none") else 4
    x, y, u, v = x - aside * dy, y + aside * dx, u - aside * dy, v + aside * dx
    return tag("line", x1=f"{x + 20 * dx:.1f}", y1=f"{y + 20 * dy:.1f}", x2=f"{u - 23 * dx:.1f}",
               y2=f"{v - 23 * dy:.1f}", class_=f"stroke {word}",
               marker_end=None if both else f"url(#head-{word})")


def node(m: Matrix, i: int) -> Html:
    n, name = len(m.cohorts), m.cohorts[i]["name"]
    (x, y), (u, v) = spot(i, n, 120), spot(i, n, 146)
    side = "middle" if abs(u - 200) < 40 else "start" if u > 200 else "end"
    label = name if len(name) <= 12 else name[:11] + "…"
    v += 12 if v > 190 else -4 if v < 170 else 4
    return Html(tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=17, class_="node") +
                tag("text", i + 1, x=f"{x:.1f}", y=f"{y + 5:.1f}", text_anchor="middle",
                    class_="number") +
                tag("text", label, x=f"{u:.1f}", y=f"{v:.1f}", text_anchor=side))


def drawing(m: Matrix) -> Html:
    n = len(m.cohorts)
    heads = (tag("marker", tag("path", d="M0 0L8 4L0 8z", class_=f"fill {word}"),
                 id=f"head-{word}", viewBox="0 0 8 8", refX=6, refY=4, markerWidth=5,
                 markerHeight=5, orient="auto") for word in WORDS[1:-1])
    lines = (arrow(m, a, b) for a in range(n) for b in range(n) if a != b)
    low = max(spot(i, n, 120)[1] for i in range(n))
    return tag("svg", tag("defs", *heads), *lines, *(node(m, i) for i in range(n)), role="img",
               viewBox=f"-50 25 500 {low + 25:.0f}", class_="drawing",
               aria_label="cohorts as circles, and moves between them as lines")


def picture(m: Matrix) -> Html:
    n = len(m.cohorts)
    if n == 1:
        return Html("")
    last = 0 if n <= TABLE else None
    legend = (tag("li", tag("i", class_=f"swatch {word}"), tag("b", SHOWN.get(word, word)),
                  f" {MEANING[word]}") for word in WORDS[-2:last:-1] if word in m.all.values())
    return tag("figure", drawing(m) if n <= TABLE else grid(m),
               tag("figcaption", LINES if n <= TABLE else SQUARES,
                   tag("ul", *legend, class_="legend")))


# -------------------------------------------------------------------------------- the parts

def cohorts(m: Matrix) -> Html:
    rows = []
    for i, c in enumerate(m.cohorts):
        has = [f"QEMU {', '.join(c['qemu'])}" if c["qemu"] else "no QEMU is known",
               f"up to {c['machine']}" if c.get("machine") else "machine types not known"]
        name = "" if c["hosts"][0] == c["name"] else Html(f" {tag('bdi', c['name'])}")
        rows.append(tag("li", tag("b", f"Cohort {i + 1}"), name,
                        f", {count(len(c['hosts']), 'host')}: ", names(c["hosts"]),
                        tag("small", "; ".join(has))))
    return section("cohorts", "Cohorts: hosts that answer alike", rows, class_="cohorts")


def table(n: int, words: Dict[Place, str]) -> Html:
    def cell(a: int, b: int) -> Html:
        word = words.get((a, b), "none")
        return tag("td", SHOWN.get(word, word), class_=f"cell {word}")

    head = tag("tr", tag("th", "from ↓ to →"), *(tag("th", str(i + 1)) for i in range(n)))
    rows = (tag("tr", tag("th", str(a + 1)), *(cell(a, b) for b in range(n))) for a in range(n))
    return tag("div", tag("table", head, *rows), class_="wide")


def lines(n: int, words: Dict[Place, str]) -> Html:
    """Of many cohorts, where their guests can go; a line for those that are alike."""
    same: Dict[str, List[int]] = defaultdict(list)
    for a in range(n):
        to: Dict[str, List[int]] = defaultdict(list)
        for b in range(n):
            to[words.get((a, b), "ok" if a == b else "none")].append(b + 1)  # a host keeps its own
        same["; ".join(f"{SHOWN.get(word, word)} to {ranges(to[word])}"
                       for word in WORDS[-2::-1] if to[word])].append(a + 1)
    rows = (tag("li", tag("b", f"from {ranges(a)}: "), text) for text, a in same.items())
    return tag("ul", *rows, class_="lines")


def moves(m: Matrix) -> Html:
    n, parts = len(m.cohorts), []
    for (machine, with_list), words in m.views.items():
        told = f", with the list of {m.baseline}" if with_list else ", without a list"
        parts += [tag("h3", f"Guests of {machine}{told if m.baseline else ''}"),
                  table(n, words) if n <= TABLE else lines(n, words)]
    return tag("section", tag("h2", "Moves from cohort to cohort"), tag("p", MOVES), *parts,
               id="moves")


def doors(m: Matrix) -> Html:
    items = []
    for door, places in sorted(m.doors.items()):
        why = m.document["doors"][door] if door >= 0 else "there is no way back"
        items.append(tag("li", tag("b", moves_text(places)), Html(": "), why, "."))
    return section("doors", "One-way doors", items)


def in_the_way(m: Matrix) -> Html:
    """Findings of one cause together; a text begins with the name of the host."""
    same: Dict[Tuple[str, str, str], List[int]] = defaultdict(list)
    for i, finding in enumerate(m.document["findings"]):
        cause = finding.get("cause") or finding["text"].split(": ", 1)[-1]
        same[finding["kind"], f"{finding['layer']}: {cause}" if "layer" in finding else cause,
             finding.get("remedy", "")].append(i)
    items = []
    for (kind, cause, remedy), several in same.items():
        places = sorted({at for i in several for at in m.causes[i]})
        features = sorted({m.document["findings"][i]["feature"] for i in several
                           if "feature" in m.document["findings"][i]})
        items.append((len(places), tag(
            "li", tag("b", "Cannot tell: " if kind == "unknown" else ""), cause, ".",
            tag("small", "Moves " + moves_text(places)) if places else "",
            tag("small", "Features: " + ", ".join(features)) if features else "",
            tag("small", "Remedy: " + remedy) if remedy else "")))
    items.sort(key=lambda item: -item[0])
    return section("causes", "In the way", [item for _, item in items])


def lost(m: Matrix) -> Html:
    items = []
    for cost in m.document.get("costs", ()):
        blame = [m.number[name] for name in cost["in_the_way"] if name in m.number]
        retire = [m.number[name] for name in cost.get("retire") or ()]
        items.append(tag(
            "li", tag("b", cost["description"]), ": because of ",
            m.called(*blame) if blame else "the machine types and QEMUs of all", ".",
            tag("small", Html(f"It comes back without {m.called(*retire)}")) if retire else
            tag("small", "No upgrade of some brings it back: " + "; ".join(cost["obstacles"])),
            tag("small", ", ".join(cost["features"]))))
    return section("lost", "What all guests do without", items)


def groups(m: Matrix) -> Html:
    split = m.document.get("split")
    if not split:
        return Html("")
    told = {"no": "has no list; ", "unknown": "cannot be told; "}
    items = [tag("li", m.called(*(m.number[name] for name in g["cohorts"]), begin=True),
                 f", {count(g['hosts'], 'host')}", f", {g['machine']}" if "machine" in g else "",
                 ": ", told.get(g["verdict"], ""), "gains ", ", ".join(g["gains"]) or "nothing")
             for g in split["groups"]]
    exact = "No other groups are better." if split["exact"] else \
        "Found one after another: others may be better."
    return section("groups", f"The best {count(len(items), 'group')}", items,
                   tag("p", f"{GROUPS} {exact}"))


def scope(m: Matrix) -> Html:
    said = {part: ", ".join(words) or "nothing" for part, words in m.document["scope"].items()}
    return tag("p", "Looked at: {devices} ({layers}), by {evidence}. Not looked at: "
                    "{not_compared}. A guest is taken to have all that it was offered where it "
                    "runs.".format_map(said), class_="scope")


def end() -> Html:
    return tag("footer", tag("p", LISTS),
               tag("p", "Made of abibase matrix --json by python3 -m abibase.report."))


STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --dim: #57606a; --page: #fff; --card: #f3f5f7;
  --rule: #d0d7de; --ok: #1a7f37; --list: #0969da; --door: #b35900; --no: #cf222e;
  --maybe: #9a6700; --unknown: #6e40c9; --none: #8c959f; }
@media screen and (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --dim: #9da7b3; --page: #0d1117; --card: #161b22; --rule: #30363d;
    --ok: #3fb950; --list: #58a6ff; --door: #f0883e; --no: #ff7b72; --maybe: #d29922;
    --unknown: #bc8cff; --none: #6e7681; } }
@media print { :root { color-scheme: light; --text: #000; --dim: #444; --card: #fff; } }
@page { size: A4; margin: 15mm; }
@media print { html { font-size: 10pt; } body { padding: 0; max-width: none; } }
* { box-sizing: border-box; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { margin: 0 auto; padding: 1rem; max-width: 56rem; background: var(--page);
  color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
h2, h3 { break-after: avoid; }
p { margin: .25rem 0; } ul { margin: .25rem 0; padding-left: 1.2rem; }
li { margin: .4rem 0; break-inside: avoid; }
small { display: block; font-size: .875rem; color: var(--dim); }
footer { margin-top: 2rem; } footer, .scope { color: var(--dim); font-size: .875rem; }
a { color: inherit; } .verdict { font-size: 1.1rem; }
#answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr));
  gap: .75rem; margin: 1rem 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem;
  padding: .75rem 1rem; break-inside: avoid; }
.card h3 { margin-top: 0; }
figure { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: 1rem; align-items: center;
  break-inside: avoid; }
figure svg { flex: 1 1 20rem; max-width: 30rem; width: 100%; }
figcaption { flex: 1 1 16rem; font-size: .875rem; color: var(--dim); }
.grid { border: 1px solid var(--rule); shape-rendering: crispEdges; }
svg text { font: 13px system-ui, sans-serif; fill: var(--text); }
.drawing .number { font-weight: bold; }
.node { fill: var(--card); stroke: var(--text); stroke-width: 1.5; }
.legend, .cohorts, .lines { list-style: none; padding: 0; } .cohorts { columns: 18rem; }
.lines li { margin: .1rem 0; font-size: .875rem; }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem;
  border-radius: .15rem; background: currentColor; }
.ok { color: var(--ok); } .list { color: var(--list); } .door { color: var(--door); }
.no { color: var(--no); } .maybe { color: var(--maybe); }
.unknown { color: var(--unknown); } .none { color: var(--none); }
.fill { fill: currentColor; }
.stroke { stroke: currentColor; stroke-width: 2; fill: none; }
.stroke.door, .stroke.maybe { stroke-dasharray: 7 3; } .stroke.list { stroke-dasharray: 2 3; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .75rem; overflow-wrap: normal; white-space: nowrap; }
th, td { border: 1px solid var(--rule); padding: .15rem .3rem; text-align: center;
  min-width: 1.6rem; } td.cell { font-weight: bold; }
"""


def page(document: Dict[str, Any]) -> str:
    m = Matrix(document)
    body = (tag("h1", "Who can take whose guests"), verdict(m), scope(m), answers(m), picture(m),
            cohorts(m), doors(m), in_the_way(m), lost(m), groups(m), moves(m), end())
    head = tag("head", tag("meta", charset="utf-8"),
               tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
               tag("meta", http_equiv="Content-Security-Policy",
                   content="default-src 'none'; style-src 'unsafe-inline'"),
               tag("title", "abibase: who can take whose guests"), tag("style", Html(STYLE)))
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', *body), lang='en')}\n"


def once(members: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """An object, as all readers of documents take it."""
    made = dict(members)
    if len(made) != len(members):
        raise ValueError("a key stands twice in an object")
    return made


def read(name: str) -> Dict[str, Any]:
    with open(name, "rb") if name != "-" else open(0, "rb", closefd=False) as file:
        text = bytearray()
        while more := file.read(1 << 20):
            text += more
            if len(text) > LIMIT:
                raise Trouble(f"has more than {LIMIT >> 20} MiB, the most that is accepted")
    document = json.loads(text, object_pairs_hook=once)
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != "abibase-matrix/1":
        raise Trouble(f"is {schema or 'no document of abibase'}; accepted: abibase-matrix/1, as "
                      "abibase matrix --json prints it")
    return dict(document)


def write(name: str, made: bytes) -> None:
    """Whole or not at all, as abibase writes: a new file takes the name of the old one."""
    where, old = os.path.realpath(name), os.path.exists(name)
    if old and not os.path.isfile(name):
        with open(name, "wb") as out:
            out.write(made)
        return
    if old != os.path.lexists(name) or (old and not os.access(name, os.W_OK)):
        number = errno.EACCES if old else errno.ENOENT
        raise OSError(number, os.strerror(number))
    was = os.stat(name) if old else None
    mask = os.umask(0)
    os.umask(mask)
    fd, temporary = tempfile.mkstemp(prefix=".abibase-", dir=os.path.dirname(where))
    try:
        with open(fd, "wb") as out:
            out.write(made)
            if was and os.geteuid() == 0:
                os.fchown(fd, was.st_uid, was.st_gid)
            os.fchmod(fd, stat.S_IMODE(was.st_mode) & 0o777 if was else 0o666 & ~mask)
            os.fsync(fd)
        os.replace(temporary, where)
    except BaseException:
        os.unlink(temporary)
        raise


def main(argv: List[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python3 -m abibase.report", allow_abbrev=False,
        description="Make one HTML file, for a browser, a phone or a printer, of what abibase "
                    "matrix --json says.")
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="write there; default: standard output")
    parser.add_argument("matrix", nargs="?", default="-",
                        help="file with the document; default, and -: standard input")
    given = parser.parse_args(argv)
    where = given.matrix
    try:
        made = page(read(where)).encode()
        where = given.output or "standard output"
        if given.output:
            write(given.output, made)
        else:
            with open(1, "wb", closefd=False) as out:
                out.write(made)
    except MemoryError:
        said = "out of memory"
    except OSError as trouble:
        said = trouble.strerror
    except Trouble as trouble:
        said = str(trouble)
    except BAD as trouble:
        said = f"is no abibase-matrix/1 document: {type(trouble).__name__}: {trouble}"
    else:
        return 0
    line = HOSTILE.sub("?", f"{where}: {said}".translate({9: "?", 10: "?"}))
    print(f"abibase.report: {line}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
