# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Python package against the library; started by tests/python.sh, which says what it needs.
"""

import ast
import errno
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import abibase
from abibase import Context, Error, Intersection, NoList, Probe, Profile, Verdict

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PLATFORMS = SOURCE / "data/platforms"
USO = "0x1c0010130afffa7"
MACHINE = "pc-q35-7.2"
COMMAND = os.environ.get("ABIBASE", "abibase")  # without it that of the package


class Questions(unittest.TestCase):
    def setUp(self):
        self.log = []
        self.context = Context(log=lambda *words: self.log.append(words))
        self.hosts = [self.context.load(name) for name in ("debian-12", "debian-13")]
        self.baseline = self.context.intersect(self.hosts, MACHINE)

    def test_documents(self):
        file = PLATFORMS / "50-debian-12.json"
        text = file.read_bytes()
        for made in (self.context.profile(file), self.context.load(str(file)),
                     self.context.load_buffer(text), self.context.load_buffer(text.decode())):
            self.assertIsInstance(made, Profile)
            self.assertEqual(made.name, "debian-12")
            self.assertEqual(made.value, json.loads(text))
        self.assertEqual(self.context.load("renamed=debian-12").name, "renamed")
        with tempfile.TemporaryDirectory() as where:
            for name, data in (("b.json", text.replace(b'"debian-12"', b'"b"')), ("a.json", text),
                               ("c.text", b"{"), (".d.json", b"{")):
                pathlib.Path(where, name).write_bytes(data)
            os.mkfifo(os.path.join(where, "pipe.json"))
            os.mkdir(os.path.join(where, "below.json"))
            command = subprocess.run([COMMAND, "intersect", "-q", "-f", "json", where + "/"],
                                     stdout=subprocess.PIPE, timeout=60)
            groups = json.loads(command.stdout)["inputs"]
            self.assertEqual(sorted(name for group in groups for name in group["hosts"]), ["b", "debian-12"])
            self.assertEqual([p.name for p in self.context.directory(where)], ["debian-12", "b"])
            again = self.baseline.render("json").text
            self.assertEqual(self.context.load_buffer(again).id, self.baseline.id)
            pathlib.Path(where, "d.json").write_text(again)
            with self.assertRaises(Error) as caught:
                self.context.directory(where)
            self.assertEqual((caught.exception.id, caught.exception.where),
                             ("schema-other", os.path.join(where, "d.json")))
        self.assertIn("debian-13", [p.name for p in self.context.platforms()])
        self.assertIn("offload-uso", self.context.catalogue.value["groups"])
        self.assertIn("tap", self.hosts[0].report())

    def test_baseline(self):
        self.assertTrue(self.baseline)
        self.assertEqual(self.baseline.id, self.baseline.value["id"])
        words = self.baseline.args()
        self.assertEqual(set(words[::2]), {"-global"})
        self.assertIn("virtio-net-device.queue_reset=off", words)
        self.assertLess(len(self.baseline.args("debian-12", minimal=True)), len(words))
        self.assertEqual(self.baseline.args(with_machine=True)[:2], ["-machine", MACHINE])
        self.assertNotIn("inputs", json.loads(self.baseline.render("json", inputs=False).text))
        fragment = self.baseline.render("libvirt-override", aliases=[(None, "net0")]).text
        self.assertIn("net0", fragment)
        self.assertGreater(len(self.baseline.args(hotplug=True)), len(words))
        parts = [self.context.intersect([host]).render(partial=True).text for host in self.hosts]
        whole = self.context.intersect(map(self.context.load_buffer, parts), MACHINE)
        self.assertEqual(whole.id, self.baseline.id)
        path = self.hosts[0].value["qemu"][0]["path"]
        check, own = self.context.list_for(self.baseline, self.hosts[0], path)
        self.assertTrue(check)
        self.assertEqual(own, self.baseline.args("debian-12"))

    def test_wanted(self):
        wanted = Intersection(self.context, machine=MACHINE, backends=["tap"], policy="all",
                              enable=["ring-packed"], disable=["offload-tso"],
                              destinations=["debian-13"])
        made = wanted.add(*self.hosts).finish()
        self.assertEqual([b["name"] for b in made.value["backends"]], ["tap"])
        self.assertIn("virtio-net-device.packed=on", made.args())
        self.assertIn("virtio-net-device.host_tso4=off", made.args())
        self.assertEqual(wanted.machines().value["machines"][0], MACHINE)
        wide = Intersection(self.context).add(self.baseline, self.context.load("debian-12-backports"))
        self.assertEqual(wide.finish().value["machine"], MACHINE)

    def test_no_list(self):
        none = self.context.intersect(self.hosts, "pc-q35-10.2")
        self.assertFalse(none)
        self.assertIs(none.verdict, Verdict.NO)
        self.assertIn("host-without-machine", [f["id"] for f in none.findings])
        with self.assertRaises(NoList) as caught:
            none.args()
        self.assertIs(caught.exception.verdict, Verdict.NO)
        self.assertIn("remedy", str(caught.exception))
        self.assertIsNone(none.render().text)

    def test_answers(self):
        context = self.context
        self.assertTrue(context.check(self.baseline, self.hosts))
        narrow = context.intersect(self.hosts[1:], MACHINE)
        check = context.check(narrow, self.hosts)
        self.assertFalse(check)
        self.assertIs(check.verdict, Verdict.NO)
        self.assertIn("queue_reset", check.text())
        self.assertIn("virtio-net-device.queue_reset",
                      [f.get("property") for f in check.findings])
        guest = context.guest(USO, device="virtio-net").assume("pc-q35-7.2", "tap", [256])
        verdicts = {h["host"]: h["verdict"] for h in context.targets(guest, self.hosts).value["hosts"]}
        self.assertEqual(verdicts, {"debian-12": "no", "debian-13": "list"})
        move = context.targets(guest, self.hosts[1:], source=self.hosts[1], baseline=self.baseline)
        self.assertEqual(move.value["schema"], "abibase-targets/1")
        self.assertEqual(context.guest_buffer(json.dumps(guest.value)).value, guest.value)
        matrix = context.matrix(self.hosts, baseline=self.baseline, groups=2)
        self.assertTrue(matrix)
        self.assertEqual(matrix.value["machines"], [MACHINE])
        matrix = context.matrix(self.hosts, machines=[MACHINE, "pc-q35-6.2"],
                                wanted=Intersection(context, backends=["tap+vhost"]))
        self.assertFalse(matrix)
        self.assertEqual({m["backend"] for m in matrix.value["moves"]}, {"tap+vhost"})
        newer = context.load("debian-12=debian-13")
        self.assertEqual(context.matrix(self.hosts, instead=[newer]).value["exchanged"], ["debian-12"])
        self.assertTrue(context.decode(f"Features {USO} unsupported. Allowed features: 0x179bfffe7"))
        self.assertFalse(context.decode(b"\0 nothing of QEMU", "virtio-net"))
        self.assertFalse(context.diff(*self.hosts))
        self.assertFalse(context.diff(self.baseline, narrow, all=True))
        with self.assertRaises(TypeError):
            context.diff(self.baseline, self.hosts[0])
        self.assertTrue(context.match(self.hosts[0], self.hosts, ["tap"]))
        self.assertIn("debian-12", context.explain(self.baseline, "queue_reset").text())
        self.assertIn("retire", context.explain(self.baseline, cost=True).text())
        plan = context.plan("offload-uso", "2026-11-29", self.hosts, self.hosts)
        self.assertIs(plan.verdict, Verdict.NO)
        self.assertTrue(context.validate(PLATFORMS / "50-debian-12.json"))
        self.assertFalse(context.validate(os.devnull))
        for name, guest in context.running():
            self.assertIn("devices", guest.value, name)

    def test_guest_of_xml_and_command(self):
        domain = self.context.guest_domain((SOURCE / "examples/guest.xml").read_text())
        self.assertIn("machine", domain.value)
        command = self.context.guest_command(
            ["-M", MACHINE, "-device", "virtio-net-pci,netdev=n", "-netdev", "tap,id=n,ifname=t"])
        self.assertEqual(command.value["x-machine"], MACHINE)
        wanted = Intersection(self.context, guest=domain, machine=MACHINE, backends=["tap"])
        self.assertIsNotNone(wanted.add(*self.hosts).finish().verdict)


class Errors(unittest.TestCase):
    def setUp(self):
        self.context = Context()

    def fails(self, number, id, where, call):
        with self.assertRaises(Error) as caught:
            call()
        error = caught.exception
        self.assertEqual((error.errno, error.id, error.where), (number, id, where), error)
        self.assertIn(error.text, str(error))
        return str(error)

    def test_each_kind(self):
        context, name = self.context, "b.json"
        host = context.load("debian-12")
        with tempfile.TemporaryDirectory() as where:
            missing = os.path.join(where, "none.json")
            self.fails(errno.ENOENT, "io-error", missing, lambda: context.profile(missing))
            bad = os.path.join(where, "bad.json")
            pathlib.Path(bad).write_text('{\n"schema": }')
            self.fails(errno.EBADMSG, "json-syntax", f"{bad}:2:11", lambda: context.load(bad))
        self.fails(errno.ENOENT, "platform-not-found", None, lambda: context.load("nothing"))
        said = self.fails(errno.EBADMSG, "json-unknown-key", "b.json: /x", lambda: context.load_buffer(
            '{"schema": "abibase-profile/1", "x": 1}', name))
        self.assertTrue(said.startswith("b.json: /x: "), said)
        self.fails(errno.EPROTONOSUPPORT, "schema-newer", f"{name}: /schema", lambda: context.load_buffer(
            '{"schema": "abibase-profile/9"}', name))
        self.fails(errno.EINVAL, "no-hosts", None, lambda: context.intersect([]))
        self.fails(errno.EINVAL, "machine-unversioned", None, lambda: context.intersect([host], "q35"))
        self.fails(errno.EINVAL, "format-not-known", None,
                   lambda: context.intersect([host]).render("no-such"))
        self.fails(errno.ENOENT, "no-such-host", None, lambda: context.intersect([host]).args("other"))
        self.fails(errno.EINVAL, "probe-no-surface", None, lambda: Probe(context, only=["taps"]))
        with self.assertRaisesRegex(ValueError, "NUL"):
            context.load("debian-12\0.json")
        gone = "/nonexistent/hosts"
        self.fails(errno.ENOENT, "io-error", gone, lambda: context.directory(gone))

    def test_no_hosts(self):
        """Nobody says no, and that is no yes."""
        context = self.context
        baseline, guest = context.intersect([context.load("debian-12")]), context.guest(USO)
        with tempfile.TemporaryDirectory() as where:
            hosts = context.directory(where)
        for call in (lambda: context.check(baseline, hosts), lambda: context.targets(guest, hosts),
                     lambda: context.matrix(hosts), Intersection(context).machines):
            self.fails(errno.EINVAL, "no-hosts", None, call)

    def test_types(self):
        """C would read what is no text as one, and end the interpreter at NULL."""
        context = self.context
        host, guest = context.load("debian-12"), context.guest(USO)
        base = context.intersect([host])

        def several(call):
            return [(call, wrong) for wrong in (None, "tap", b"tap", 1, [None], [1], [host], [b"tap"])]

        def text(call):
            return [(call, wrong) for wrong in (None, 1, b"x", [], ["x"], host, context)]

        def one(call):
            return [(call, wrong) for wrong in (None, "x", [], Intersection(context), context)]

        calls = [*several(lambda v: context.check(base, [host], assume_qemu=v)),
                 *several(lambda v: context.targets(guest, [host], assume_qemu=v)),
                 *several(lambda v: context.matrix([host], machines=v)),
                 *several(lambda v: context.match(host, [host], v))[1:],
                 *several(context.guest_command), *several(lambda v: Context(platform_path=v))[1:]]
        for name in ("backends", "devices", "enable", "disable", "destinations", "assume_qemu"):
            calls += several(lambda v, name=name: Intersection(context, **{name: v}))
        for name in ("qemus", "only", "skip", "machines"):
            calls += several(lambda v, name=name: Probe(context, **{name: v}))
        for call in (context.load, context.profile, context.directory, context.validate, context.guest,
                     base.render, lambda v: context.load_buffer("{}", v),
                     lambda v: context.current(host, v), lambda v: context.list_for(base, host, v),
                     lambda v: context.plan(v, "2026-11-29", [host]),
                     lambda v: context.plan("offload-uso", v, [host]),
                     lambda v: base.render("libvirt-override", aliases=[(None, v)])):
            calls += text(call)
        for call in (lambda v: base.render(host=v), lambda v: context.intersect([host], v),
                     lambda v: context.decode("x", v), lambda v: context.explain(base, v),
                     lambda v: guest.assume(machine=v), lambda v: guest.assume(backend=v),
                     lambda v: context.targets(guest, [host], backend=v), lambda v: Context(data_dir=v),
                     lambda v: Probe(context, name=v), lambda v: Probe(context, builds_dir=v)):
            calls += text(call)[1:]
        for call in (lambda v: context.check(v, [host]), lambda v: context.check(base, [v]),
                     lambda v: context.targets(v, [host]),
                     lambda v: context.targets(guest, [v]), lambda v: context.diff(v, host),
                     lambda v: context.diff(host, v), lambda v: context.match(v, [host]),
                     lambda v: context.match(host, [v]), lambda v: context.explain(v),
                     lambda v: context.plan("offload-uso", "2026-11-29", [v]), guest.join,
                     lambda v: context.matrix([v]), lambda v: context.matrix([host], instead=[v]),
                     lambda v: context.intersect([v]), lambda v: context.current(v, "/bin/true")):
            calls += one(call)
        for call in (Intersection, Probe):
            calls += [(call, wrong) for wrong in (None, "x", host)]
        for call in (context.decode, context.load_buffer, context.guest_buffer, context.guest_domain):
            calls += [(call, wrong) for wrong in (None, 1, [], host)]
        calls += [(lambda v: Context(log=v), 1), (lambda v: Probe(context, progress=v), "x"),
                  (lambda v: base.render("libvirt-override", aliases=v), ["ab"]),
                  (lambda v: guest.assume(queue_sizes=v), "x")]
        for call, wrong in calls:
            with self.subTest(call=getattr(call, "__code__", call), wrong=wrong):
                with self.assertRaises(TypeError):
                    call(wrong)
        self.assertEqual(context.load_buffer(bytearray(json.dumps(host.value).encode())).value, host.value)

    def test_timeout(self):
        """0 is none at all: no limit that was asked for becomes it."""
        given = []
        real = Context._call

        def call(context, name, *words):
            given.extend(words[1:] if name == "probe_set_timeout" else ())
            return real(context, name, *words)

        Context._call = call
        try:
            for timeout in (0, 1e-9, 1.0004, 60):
                Probe(self.context, timeout=timeout)
        finally:
            Context._call = real
        self.assertEqual(given, [0, 1, 1001, 60000])
        for wrong in (-1e-9, -1, float("nan")):
            with self.assertRaises(ValueError):
                Probe(self.context, timeout=wrong)

    def test_callbacks(self):
        class Own(Exception):
            pass

        def fails(*_words):
            raise Own

        context = Context(log=fails)
        with self.assertRaises(Own):
            Probe(context, name="x", only=["qemu"], qemus=["/bin/true"], cache=False).run()
        asked = []
        Probe(context := Context(), only=["tap"], progress=asked.append, cache=False).run()
        self.assertEqual(asked, ["tap"])
        with self.assertRaises(Own):
            Probe(context, only=["tap"], progress=fails, cache=False).run()

    def test_elsewhere(self):
        with tempfile.TemporaryDirectory() as where:
            context = Context(data_dir=where, environment=False)
            with self.assertRaises(Error) as caught:
                context.catalogue
            self.assertIn(where, str(caught.exception.where))
            os.mkdir(os.path.join(where, "platforms"))
            text = (PLATFORMS / "50-debian-12.json").read_text().replace('"debian-12"', '"only-there"')
            pathlib.Path(where, "platforms", "only-there.json").write_text(text)
            self.assertIn("only-there", [p.name for p in context.platforms()])
            context = Context(platform_path=[where])
            self.assertEqual(context.platforms(), [])


class Probes(unittest.TestCase):
    def test_host(self):
        probe = Probe(Context(), name="me", only=["tap", "params"], cache=False, timeout=60)
        profile = probe.run()
        self.assertEqual((profile.name, profile.value["kind"]), ("me", "host"))

    def test_cancel(self):
        """From another thread, while the run waits for what never answers."""
        with tempfile.TemporaryDirectory() as where:
            qemu = pathlib.Path(where, "qemu-system-x86_64")
            qemu.write_text("#!/bin/sh\nexec sleep 60\n")
            qemu.chmod(0o755)
            context, begun = Context(), threading.Event()
            probe = Probe(context, qemus=[qemu], only=["qemu"], cache=False,
                          progress=lambda what: begun.set())
            threading.Thread(target=lambda: begun.wait(30) and probe.cancel()).start()
            with self.assertRaises(Error) as caught:
                probe.run()
            self.assertEqual((caught.exception.errno, caught.exception.id),
                             (errno.ECANCELED, "probe-cancelled"))


class Threads(unittest.TestCase):
    def test_shared_and_own(self):
        """Objects of one context in all threads, with it and with contexts of their own; each error is
        that of its call."""
        shared = Context()
        hosts = [shared.load(name) for name in ("debian-12", "debian-13")]
        want, wrong = shared.intersect(hosts, MACHINE).id, []

        def work(number):
            context = Context() if number % 2 else shared
            for i in range(20):
                if context.intersect(hosts, MACHINE).id != want:
                    wrong.append("id")
                name = f"none-{number}-{i}"
                try:
                    context.load(name)
                except Error as error:
                    if name not in str(error):
                        wrong.append(str(error))
            gc.collect()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Examples(unittest.TestCase):
    def run_example(self, *words):
        return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True)

    def test_cluster(self):
        example = SOURCE / "examples/cluster.py"
        statements = [n for n in ast.walk(ast.parse(example.read_text())) if isinstance(n, ast.stmt)]
        self.assertLessEqual(len(statements), 20)
        with tempfile.TemporaryDirectory() as where:
            for name in ("debian-12", "debian-13"):
                os.symlink(PLATFORMS / f"50-{name}.json", os.path.join(where, f"{name}.json"))
            made = self.run_example(example, where, "printf", "%s\\n", "-nodefaults")
            self.assertEqual(made.stdout.split()[:4], ["-nodefaults", "-machine", MACHINE, "-global"])
            self.assertIn("virtio-net-device.queue_reset=off", made.stdout.split())
            self.assertEqual((made.stderr, made.returncode), ("", 0))
            # check says no, for its own reasons: of a host that came since
            made = self.run_example("-c", f"""if True:
                import abibase, runpy, sys
                check = abibase.Context.check
                def narrow(self, baseline, hosts):
                    return check(self, self.intersect(hosts[1:], {MACHINE!r}), hosts)
                abibase.Context.check = narrow
                sys.argv = ["cluster.py", {where!r}, "printf", "started"]
                runpy.run_path({str(example)!r})""")
            self.assertEqual((made.stdout, made.returncode), ("", 1))
            self.assertIn("queue_reset", made.stderr)
            empty = os.path.join(where, "empty")
            os.mkdir(empty)
            for words in ((), (where,), (where, "/nonexistent/qemu"), (empty, "printf"), (where + "x", "printf")):
                made = self.run_example(example, *words)
                self.assertEqual((made.stdout, made.returncode, made.stderr.count("\n")), ("", 2, 1), made.stderr)
            os.symlink(PLATFORMS / "50-rhel-9.json", os.path.join(where, "rhel-9.json"))
            made = self.run_example(example, where, "printf", "started")
            self.assertEqual((made.stdout, made.returncode), ("", 3))
            self.assertIn("machines-not-recorded", made.stderr)

    def test_without_cffi(self):
        """What cannot begin is trouble, and no no."""
        for name in ("cluster", "intersect"):
            made = self.run_example("-c", f"""if True:
                import runpy, sys
                sys.modules["cffi"] = None
                sys.argv = ["{name}.py", "debian-12", "printf"]
                runpy.run_path({str(SOURCE / "examples" / name) + ".py"!r}, run_name="__main__")""")
            self.assertEqual((made.stdout, made.returncode, made.stderr.count("\n")), ("", 2, 1), made.stderr)

    def test_version(self):
        self.assertRegex(abibase.version(), r"^\d+\.\d+\.\d+$")

    def test_nothing_is_loaded_for_nothing(self):
        made = self.run_example("-c", "import sys, abibase; print('cffi' in sys.modules)")
        self.assertEqual(made.stdout, "False\n")


if __name__ == "__main__":
    unittest.main()
