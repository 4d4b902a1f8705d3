# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page that abibase.report makes of what abibase matrix --json says; started by tests/report.sh."""

import itertools
import json
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

SOURCE = pathlib.Path(__file__).resolve().parent.parent
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "]]></style>&amp;", "a\u202egnp.exe",
           "\x1b[31mred", "\ud800", "http://example.org/", "'; --")


def synthetic(n, names=()):
    """Cohorts of three levels: guests get up through a one-way door, and not down."""
    rng = random.Random(n)
    level = [rng.randrange(3) for _ in range(n)]
    name = [names[i] if i < len(names) else f"node-{i + 1}" for i in range(n)]
    cohorts = [{"name": name[i], "hosts": [name[i]] + [f"{name[i]}-{k}" for k in range(i % 4)],
                "qemu": [f"10.2.{level[i]}"], "machine": "pc-q35-10.2"} for i in range(n)]
    moves = []
    for backend, a, b in itertools.product(("tap", "tap+vhost"), range(n), range(n)):
        if a == b and len(cohorts[a]["hosts"]) == 1:
            continue
        move = {"backend": backend, "from": name[a], "to": name[b], "list": False, "machine": "pc-q35-10.2",
                "verdict": "now", "why": [], "way_back": "open"}
        if level[a] > level[b]:
            move.update(verdict="no", why=[level[a]], way_back="unknown")
        elif level[a] < level[b] and backend == "tap":
            move.update(way_back="shut", door=level[b])
        moves.append(move)
    words = {move["verdict"] for move in moves}
    return {"schema": "abibase-matrix/1", "cohorts": cohorts, "exchanged": [], "machines": ["pc-q35-10.2"],
            "doors": [f"it can then have level {i}" for i in range(3)], "moves": moves,
            "verdict": "no" if "no" in words else "yes",
            "findings": [{"kind": "conflict", "id": "move-lacks", "fixable": False, "layer": "tap",
                          "text": f"{name[0]}: tap: no level {i}", "remedy": "a kernel"} for i in range(3)],
            "scope": {"devices": ["virtio-net"], "evidence": [], "layers": ["tap"], "not_compared": ["cpu"]}}


def recorded(case):
    return json.loads((SOURCE / "tests/cases/matrix" / case / "stdout").read_text())


def asked(*operands):
    made = subprocess.run([os.environ["ABIBASE"], "matrix", "--json", *operands], stdout=subprocess.PIPE)
    return json.loads(made.stdout)


def run(*words, document=None, limit=None):
    text = document if isinstance(document, (str, type(None))) else json.dumps(document)
    before = limit and (lambda: resource.setrlimit(limit[0], limit[1:] * 2))
    return subprocess.run([sys.executable, "-m", "abibase.report", *words], input=text, capture_output=True, text=True,
                          preexec_fn=before)


def numbers(text):
    """The cohorts of "1, 3–5"."""
    found = set()
    for run_of in text.split(", "):
        first, _, last = run_of.partition("–")
        found.update(range(int(first), int(last or first) + 1))
    return found


class Pages(unittest.TestCase):
    def page(self, document):
        made = run(document=document)
        self.assertEqual((made.stderr, made.returncode), ("", 0))
        self.assertTrue(made.stdout.startswith("<!DOCTYPE html>\n<html"))
        return ElementTree.fromstring(made.stdout), made.stdout

    def text(self, tree, at="."):
        return re.sub(r"\s+", " ", " ".join(tree.find(at).itertext()))

    def alone(self, tree, html):
        """Nothing is loaded, and nothing runs."""
        self.assertFalse({e.tag for e in tree.iter()} & {"script", "img", "iframe", "object", "link", "base", "form"})
        for element in tree.iter():
            for key, value in element.attrib.items():
                self.assertFalse(key.startswith("on"), key)
                if key in ("href", "src", "xlink:href"):
                    self.assertRegex(value, "^#")
                self.assertNotRegex(value, r"url\((?!#)|https?:|javascript:")
        self.assertNotRegex(tree.find(".//style").text, r"url\(|@import|https?:")
        self.assertNotRegex(html, "[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")

    def whole(self, document):
        tree, html = self.page(document)
        self.alone(tree, html)
        rows = tree.findall(".//section[@id='cohorts']//li")
        number = {c["name"]: i + 1 for i, c in enumerate(document["cohorts"])}
        self.assertEqual(len(rows), len(number))
        for row, cohort in zip(rows, document["cohorts"]):
            self.assertIn(cohort["name"], [e.text for e in row.iter("bdi")])
        judged = bool(document.get("baseline"))
        words = {}
        for move in document["moves"]:
            if move["list"] == judged:
                at = number[move["from"]], number[move["to"]]
                word = move["verdict"] if move["verdict"] in ("no", "unknown", "none") else move.get("way_back")
                words.setdefault(at, set()).add(word)
        want = {at for at, word in words.items() if "shut" in word}
        got = set()
        for item in tree.findall(".//section[@id='doors']//li/b"):
            for sources, to in re.findall(r"from ([0-9–, ]+) to ([0-9–, ]+)", item.text):
                got |= set(itertools.product(numbers(sources), numbers(to)))
        self.assertEqual(got, want)
        self.assertEqual(len(tree.findall(".//svg")), len(number) > 1)
        return tree

    def test_sizes(self):
        for n in (1, 3, 12, 300):
            with self.subTest(cohorts=n):
                self.whole(synthetic(n))

    def test_recorded(self):
        for case in ("split-three", "baseline-json"):
            with self.subTest(case):
                self.whole(recorded(case))
        tree = self.whole(asked("debian-11", "debian-12", "debian-13", "rhel-9", "ubuntu-24.04", "--split=2"))
        self.assertIn("The best 2 groups", self.text(tree))

    def test_answers(self):
        """Three questions, from the text alone."""
        def cards(document):
            tree = self.whole(document)
            return [self.text(card, "p") for card in tree.findall(".//section[@id='answers']/div")]

        takes, door, first = cards(recorded("split-three"))
        self.assertEqual(takes, "Cohort 1 ( C ) can take the guests of every cohort, but those of 2, 3 could not "
                                "return: a one-way door.")
        self.assertIn("From cohort 2 ( node-a , node-d ) to cohorts 1 ( C ), 3 ( node-b , node-c ); from cohort 3 "
                      "( node-b , node-c ) to cohort 1 ( C )", door)
        self.assertTrue(first.startswith("Upgrade cohort 2 ( node-a , node-d ), 2 hosts: because of it all others do "
                                         "without UDP segmentation offload. Then upgrade cohort 3 "), first)
        takes, door, first = cards(asked("-M", "pc-q35-7.2", "debian-12", "debian-13"))
        self.assertIn("Cohort 2 ( debian-13 ) can take the guests of every cohort, but those of 1 could", takes)
        self.assertIn("From cohort 1 ( debian-12 ) to cohort 2 ( debian-13 )", door)
        self.assertIn("Upgrade cohort 1 ( debian-12 ), 1 host", first)
        takes, door, first = cards(asked("-M", "pc-q35-7.2", "a=debian-13", "b=debian-13"))
        self.assertEqual((takes, door, first), (
            "Cohort 1 ( a , b ) can take the guests of every cohort, and they can return.",
            "None: whatever gets in can return.", "None has to be: no move fails."))
        takes, door, first = cards(asked("debian-11", "debian-12", "debian-13", "ubuntu-24.04"))
        self.assertEqual(takes, "Cohort 3 ( debian-13 ) can take the guests of every cohort, but those of 2 (pc-q35-7.2) "
                                "could not return: a one-way door; those of 4 (pc-q35-5.2, pc-q35-7.2) take further "
                                "-global options there.")
        self.assertIn("Guests of pc-q35-7.2 that go there may", door)
        self.assertTrue(first.startswith("Cohort 1 ( debian-11 ): guests of 3 (pc-q35-10.0), 4 (pc-q35-5.2), 2–4 "
                                         "(pc-q35-7.2) do not get in. "), first)
        takes, door, first = cards(asked("-M", "pc-q35-5.2", "debian-13", "debian-13-backports"))
        self.assertTrue(first.startswith("No upgrade of one cohort alone is known to help. "), first)
        takes, door, first = cards(asked("-M", "pc-q35-10.0", "debian-12", "debian-13"))
        self.assertTrue(first.startswith("Cohort 1 ( debian-12 ): guests of 2 do not get in. "), first)
        takes, door, first = cards(asked("-M", "pc-q35-6.2", "debian-12"))
        self.assertIn("there is one host", takes)

    def cards(self, document):
        """The verdict and the three answers, in one text."""
        tree = self.page(document)[0]
        return " ".join([self.text(tree, ".//p[@class='verdict']"),
                         *(self.text(card, "p") for card in tree.findall(".//section[@id='answers']/div"))])

    def test_no_more_than_the_document(self):
        """A move that was not judged, that is not there, or of which no way back is told, is no yes."""
        every, back = "guests of every cohort", "can return"

        def said(document, *absent):
            text = self.cards(document)
            for words in absent:
                self.assertNotIn(words, text)
            return text

        def changed(change, **members):
            document = {**recorded("split-three"), **members}
            document["moves"] = [move for move in map(change, document["moves"]) if move]
            return document

        def without(*names):
            return lambda move: {name: value for name, value in move.items() if name not in names}

        nobody = asked("-M", "pc-q35-7.2", "m=debian-12", "rocky-9")  # one move of two is judged, and fails
        self.assertEqual([move["verdict"] for move in nobody["moves"]], ["no", "none"] * 2)
        self.assertIn("None: no guest gets in anywhere.", said(nobody, every, back))
        both = lambda move: {**without("door")(move), "verdict": "now", "way_back": "open", "why": []}  # noqa: E731
        good = changed(both, verdict="yes")
        self.assertIn(every, said(good, "cannot be told"))
        for way in (lambda move: {**both(move), "way_back": "unknown"}, lambda move: without("way_back")(both(move))):
            text = said(changed(way, verdict="yes"), back, "None:")
            self.assertIn("it cannot be told whether they could return", text)
            self.assertIn("None is known. Of ", text)
        # one backend in, and through a door: the other does not get in at all
        worse = lambda move: {**both(move), **({"verdict": "no"} if move["backend"] == "tap" else  # noqa: E731
                                               {"way_back": "shut"})}
        said(changed(worse, verdict="no"), back, "no move fails")
        self.assertIn("No: the document says so, and its moves do not",
                      said({**good, "verdict": "no"}, "Yes", "move fails"))
        self.assertIn("Cannot tell: the document says so", said({**good, "verdict": "unknown"}, "Yes", "move fails"))
        for verdict, begin in (("no", "No: "), ("yes", "Cannot tell: ")):
            text = said(changed(lambda move: None, verdict=verdict), every, back, "all of")
            self.assertTrue(text.startswith(begin), text)
        first = good["cohorts"][0]["name"]
        for gone in (lambda move: move["to"] != first and both(move),
                     lambda move: (move["to"], move["backend"]) != (first, "tap") and both(move)):
            self.assertNotRegex(said(changed(gone, verdict="yes"), "Yes: "), "ohorts? (1|[^.]*, 1 )[^.]*" + every)
        more = said({**good, "cohorts": good["cohorts"] + [{"name": "x", "hosts": ["x"], "qemu": []}]}, every, "Yes")
        self.assertIn("takes those of most: all but the guests of 4", more)
        said({**good, "machines": good["machines"] + ["pc-q35-9.9"]}, every, "Yes")
        few = changed(lambda move: {**both(move), **({"verdict": "none"} if move["from"] == first else {})}, verdict="yes")
        self.assertIn("that has any", said(few))
        none = said(asked("-M", "pc-q35-99.0", "debian-12", "debian-13"), every, back, "all of 0", "Yes")
        self.assertTrue(none.startswith("No: there is no move to judge"), none)
        other = asked("-M", "pc-q35-5.2", "-M", "pc-q35-10.0", "debian-12", "debian-13",
                      str(SOURCE / "tests/cases/check/domain-rehearsed/baseline.json"))
        self.assertIn("for guests of its machine type", said(other, "Yes"))
        self.assertEqual(other["verdict"], "no")
        said(asked("debian-12"), every, back, "all of 0")

    def test_hostile_names(self):
        tree = self.page(synthetic(12, HOSTILE))
        self.alone(*tree)
        found = {e.text for e in tree[0].iter("bdi")}
        for name in HOSTILE:
            self.assertIn(re.sub("[\x1b\u202e\ud800]", "\ufffd", name), found)

    def test_hostile_texts(self):
        """Whatever is a text in the document, but for the words that have a meaning."""
        words = {"now", "list", "no", "yes", "none", "unknown", "open", "shut", "conflict", "abibase-matrix/1"}

        def spoil(value):
            if isinstance(value, dict):
                return {key: spoil(member) for key, member in value.items()}
            if isinstance(value, list):
                return [spoil(item) for item in value]
            return value + HOSTILE[0] + HOSTILE[1] if isinstance(value, str) and value not in words else value

        for case in ("split-three", "baseline-json"):
            tree, html = self.page(spoil(recorded(case)))
            self.alone(tree, html)
            self.assertGreater(html.count("&lt;script&gt;"), 20)

    def test_input(self):
        good = synthetic(3)
        with tempfile.TemporaryDirectory() as where:
            file, out = os.path.join(where, "m.json"), os.path.join(where, "m.html")
            pathlib.Path(file).write_text(json.dumps(good))
            self.assertEqual(run("-o", out, file).returncode, 0)
            self.assertEqual(pathlib.Path(out).read_text(), run(document=good).stdout)
            for words, document, said in (
                    ((os.path.join(where, "none.json"),), None, "none.json: No such file"),
                    (("-o", where, file), None, f"{where}: Is a directory"),
                    ((), "{", "-: is no abibase-matrix/1 document"), ((), "[" * 100000, "-: "),
                    ((), json.dumps(good)[:-1] + ', "schema": "abibase-matrix/1"}', "a key stands twice"),
                    ((), "[]", "-: is no document of abibase; accepted: abibase-matrix/1"),
                    ((), {"schema": "abibase-check/1"}, "-: is abibase-check/1; accepted: abibase-matrix/1"),
                    ((), {"schema": "abibase-matrix/1"}, "cohorts"),
                    ((), {**good, "cohorts": good["cohorts"][1:]}, "node-1"),
                    ((), {**good, "moves": [{"from": 1}]}, "-: is no abibase-matrix/1 document"),
                    ((), {**good, "machines": "pc-q35-10.2"}, "/machines is of another type"),
                    ((), {**good, "cohorts": [{**good["cohorts"][0], "hosts": "node-1"}]}, "/cohorts/0/hosts is of"),
                    ((), {**good, "cohorts": good["cohorts"][:1] * 2}, "/cohorts has one twice"),
                    ((), {**good, "cohorts": [], "moves": []}, "/cohorts has none"),
                    ((), {**good, "verdict": "perhaps"}, "/verdict is none of no, unknown, yes"),
                    ((), {**good, "machines": ["pc-q35-9.9"]}, "a move of pc-q35-10.2"),
                    ((), {**good, "moves": [{**good["moves"][0], "why": [-1]}]}, "/moves/0/why/0 is of"),
                    (("/dev/zero",), None, "/dev/zero: has more than 256 MiB"),
                    ((os.path.join(where, "a\nb"),), None, "a?b: No such file")):
                made = run(*words, document=document)
                self.assertEqual((made.returncode, made.stdout), (2, ""), said)
                self.assertIn(said, made.stderr)
                self.assertEqual(made.stderr.count("\n"), 1, made.stderr)
        made = run("/dev/zero", limit=(resource.RLIMIT_AS, 150 << 20))
        self.assertEqual((made.returncode, made.stderr), (2, "abibase.report: /dev/zero: out of memory\n"))
        self.assertIn("usage: python3 -m abibase.report ", run("--help").stdout)
        made = subprocess.run(["sh", "-c", '"$0" -m abibase.report <&-', sys.executable], capture_output=True, text=True)
        self.assertEqual((made.returncode, made.stdout), (2, ""))
        self.assertEqual(made.stderr, "abibase.report: -: Bad file descriptor\n")

    def test_output(self):
        """Whole or not at all."""
        good = synthetic(3)
        with tempfile.TemporaryDirectory() as where:
            out, link = pathlib.Path(where, "m.html"), pathlib.Path(where, "link.html")
            out.write_text("before")
            out.chmod(0o640)
            link.symlink_to("m.html")
            made = run("-o", str(link), document=good, limit=(resource.RLIMIT_FSIZE, 1000))
            self.assertEqual((made.returncode, made.stderr), (2, f"abibase.report: {link}: File too large\n"))
            self.assertEqual((out.read_text(), sorted(os.listdir(where))), ("before", ["link.html", "m.html"]))
            made = run("-o", str(link), document=good)
            self.assertEqual((made.returncode, out.read_text()), (0, run(document=good).stdout))
            self.assertEqual((link.is_symlink(), out.stat().st_mode & 0o777), (True, 0o640))
            self.assertEqual(run("-o", "/dev/null", document=good).returncode, 0)
            out.unlink()
            self.assertEqual(run("-o", str(link), document=good).returncode, 2)
            self.assertEqual(os.listdir(where), ["link.html"])

    def test_standard_library_alone(self):
        made = subprocess.run([sys.executable, "-c", "import sys; sys.modules['cffi'] = None; import abibase.report"])
        self.assertEqual(made.returncode, 0)


if __name__ == "__main__":
    unittest.main()
