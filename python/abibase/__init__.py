# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings with which a QEMU guest can migrate between hosts: the library libabibase.

A Context reads profiles of hosts, an Intersection makes a Baseline of them, and Baseline.args() is
the list of options for QEMU. A verdict is a result, and never an exception; what could not be done
is an Error. See libabibase(3), and abibase(1) for what each question means.

Any thread may use any object. Calls of one Context wait for one another: threads that are to work
at the same time have a Context each. An object may be handed to calls of another Context.
"""

from __future__ import annotations

import enum
import errno
import json
import math
import os
import threading
from typing import Any, Callable, ClassVar, Iterable, NamedTuple, Sequence, TypeVar, Union

from . import _library as c
from ._library import Error

__all__ = ["Baseline", "Catalogue", "Context", "Error", "Guest", "Intersection", "NoList", "Probe",
           "Profile", "Rendered", "Result", "Verdict", "version"]

Path = Union[str, "os.PathLike[str]"]
Host = Union["Profile", "Baseline"]
Made = TypeVar("Made", bound="_Object")


class Verdict(enum.IntEnum):
    """The answer in a word, by the exit statuses of abibase(1). Only YES is true."""

    YES = 0
    NO = 1
    UNKNOWN = 3

    @classmethod
    def _missing_(cls, value: object) -> Verdict:
        return cls.UNKNOWN

    def __bool__(self) -> bool:
        return self is Verdict.YES


class NoList(Exception):
    """There is no list of options; text is a page that says why and what would help."""

    def __init__(self, verdict: Verdict, text: str) -> None:
        super().__init__(verdict, text)
        self.verdict = verdict
        self.text = text

    def __str__(self) -> str:
        return self.text


class Rendered(NamedTuple):
    """A baseline as a text, which is None where there is no list, and a page for people."""

    verdict: Verdict
    text: str | None
    page: str | None


def version() -> str:
    """The version of the library that runs."""
    return str(c.string(c.lib.abibase_version()))


class _Object:
    """An object of the library; it is given back when nothing refers to it any more."""

    _kind: ClassVar[str]

    def __init__(self, context: Context, pointer: Any) -> None:
        self._context = context
        self._c = pointer


class _Document(_Object):
    @property
    def value(self) -> dict[str, Any]:
        """The whole document, as dictionaries and lists; made anew at each call."""
        made: dict[str, Any] = c.value(getattr(c.lib, f"abibase_{self._kind}_value")(self._c))
        return made


class _Answer(_Document):
    @property
    def verdict(self) -> Verdict:
        return Verdict(getattr(c.lib, f"abibase_{self._kind}_verdict")(self._c))

    def __bool__(self) -> bool:
        return bool(self.verdict)


def _is_no_file(path: str) -> bool:
    """Of a pipe no end may come; what cannot be looked at is told by its reader."""
    return os.path.exists(path) and not os.path.isfile(path)


def _used(context: Context) -> Context:
    if not isinstance(context, Context):
        raise c.other("a Context", context)
    return context


class Catalogue(_Document):
    """What facts mean to QEMU."""

    _kind = "catalogue"


class Profile(_Document):
    """What a host, or a distribution release, has; see abibase-profile(5)."""

    _kind = "profile"

    @property
    def name(self) -> str:
        lib = c.lib
        member = lib.abibase_value_member(lib.abibase_profile_value(self._c), b"name")
        return str(c.string(lib.abibase_value_string(member)))

    def report(self, width: int = 0) -> str:
        """A page for people: what the host has, lacks and keeps to itself."""
        return self._context._text("profile_to_report", self, self._context.catalogue, width)


class Guest(_Document):
    """What is known of a guest; see abibase-guest(5)."""

    _kind = "guest"

    def assume(self, machine: str | None = None, backend: str | None = None,
               queue_sizes: Sequence[int] = ()) -> Guest:
        """The same guest with what the caller knows of it."""
        sizes = c.ffi.new("unsigned int[]", c.several(queue_sizes))
        return self._context._make(Guest, "guest_assume", self._context, self, c.maybe(machine),
                                   c.maybe(backend), sizes, len(sizes))

    def join(self, domain: Guest) -> Guest:
        """A running guest with what its domain, of Context.guest_domain(), says of it."""
        return self._context._make(Guest, "guest_join", self._context, self, domain)


class Result(_Answer):
    """The answer of a verb: it is true when the verdict is YES, and value is the document."""

    _kind = "result"

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Those of all hosts in turn; the members are in the schema of the verb."""
        found: list[dict[str, Any]] = []
        while True:
            finding = c.lib.abibase_result_finding(self._c, len(found))
            if not finding:
                return found
            found.append(c.value(finding))

    def text(self, width: int = 0) -> str:
        """All of it for people; its form may change between releases."""
        return self._context._text("result_to_text", self, width)


class Baseline(_Answer):
    """What hosts have in common, or why there is nothing; it is true when the verdict is YES."""

    _kind = "baseline"

    @property
    def id(self) -> str | None:
        return c.string(c.lib.abibase_baseline_id(self._c))

    @property
    def findings(self) -> list[dict[str, str]]:
        """Conflicts, unknowns and notes: "kind", "id", "text", "remedy"."""
        get = c.lib.abibase_baseline_finding_get
        found: list[dict[str, str]] = []
        while get(self._c, len(found), b"text"):
            parts = {part: c.string(get(self._c, len(found), part.encode()))
                     for part in ("kind", "id", "text", "remedy")}
            found.append({part: text for part, text in parts.items() if text is not None})
        return found

    def render(self, format: str = "args", *, host: str | None = None, minimal: bool = False,
               with_machine: bool = False, inputs: bool = True, partial: bool = False,
               hotplug: bool = False, aliases: Iterable[tuple[str | None, str]] = (),
               width: int = 0) -> Rendered:
        """As abibase intersect with options of these names; aliases: device, or None, and alias."""
        context = self._context
        out = c.ffi.new("char *[2]")
        request = context._request("render", context)
        context._call("render_set_format", request, format)
        if host is not None:
            context._call("render_set_for", request, host)
        for device, alias in map(c.several, c.several(aliases)):
            context._call("render_add_alias", request, c.maybe(device), alias)
        context._call("render_set_flags", request, context._flags(
            "RENDER", MINIMAL=minimal, WITH_MACHINE=with_machine, NO_INPUTS=not inputs,
            PARTIAL=partial, HOTPLUG=hotplug))
        try:
            verdict = Verdict(context._call("render_run", request, self, width, out, out + 1))
        finally:
            text, page = c.take(out), c.take(out + 1)
        return Rendered(verdict, text, page)

    def args(self, host: str | None = None, *, minimal: bool = False,
             with_machine: bool = False, hotplug: bool = False) -> list[str]:
        """The list, as arguments for QEMU, to stand behind all others; or NoList."""
        made = self.render("argv-json", host=host, minimal=minimal, with_machine=with_machine,
                           hotplug=hotplug)
        if not made.verdict or made.text is None:
            raise NoList(made.verdict, made.page or "")
        words: list[str] = json.loads(made.text)
        return words


class Context:
    """Where the data is, and who hears warnings: log is called with a syslog priority, the id of a
    message, and one line. An exception in it is that of the call."""

    _kind: ClassVar[str] = "context"

    def __init__(self, *, log: Callable[[int, str, str], None] | None = None,
                 data_dir: Path | None = None, platform_path: Sequence[Path] | None = None,
                 environment: bool = True) -> None:
        self._lock = threading.RLock()
        self._raised: list[BaseException] = []
        self._read: Any = None
        out = c.ffi.new("struct abibase_context **")
        status = c.lib.abibase_context_new(
            self._flags("CONTEXT", NO_ENVIRONMENT=not environment), out)
        self._c = c.own("context", out[0])
        if status < 0:
            raise Error(os.strerror(-status), None, None, -status)
        if data_dir is not None:
            self._call("context_set_data_dir", self, data_dir)
        if platform_path is not None:
            self._call("context_set_platform_path", self, platform_path)
        if log is not None:
            self._log = self._callback("abibase_log_fn", log)
            self._call("context_set_log", self, self._log, c.ffi.NULL)

    # ------------------------------------------------------------- calls of the library

    def _call(self, name: str, *given: Any) -> int:
        """Call it; what it returns unless that is a failure."""
        keep: list[Any] = []
        function = getattr(c.lib, f"abibase_{name}")
        encoded = [c.argument(g, wanted, keep)
                   for g, wanted in zip(given, c.ffi.typeof(function).args)]
        with self._lock:
            status = function(*encoded) or 0
            raised = self._raised.pop() if self._raised else None
            self._raised.clear()
            failure = raised or (self._error(-status) if status < 0 else None)
        if failure:
            raise failure
        return int(status)

    def _error(self, number: int) -> Error:
        said = [c.string(getattr(c.lib, f"abibase_context_error{part}")(self._c))
                for part in ("", "_id", "_where")]
        return Error(said[0] or os.strerror(number), said[1], said[2], number)

    def _callback(self, kind: str, fn: Callable[..., Any],
                  cancel: Callable[[], None] = lambda: None) -> Any:
        """fn as C calls it: with texts for pointers, without its data. What it raises is kept."""
        if not callable(fn):
            raise c.other("a function", fn)
        raised = self._raised

        def failed(_kind: Any, exception: BaseException, _trace: Any) -> None:
            raised.append(exception)
            cancel()

        def called(_data: Any, *given: Any) -> None:
            fn(*[g if isinstance(g, int) else c.string(g) for g in given])

        return c.ffi.callback(kind, called, onerror=failed)

    def _make(self, cls: type[Made], name: str, *given: Any) -> Made:
        """What a function returns in its last parameter."""
        out = c.ffi.new(f"struct abibase_{cls._kind} **")
        try:
            self._call(name, *given, out)
        finally:
            pointer = c.own(cls._kind, out[0])
        return cls(self, pointer)

    def _request(self, kind: str, *given: Any) -> Any:
        """A request; what it is made of lives as long as it."""
        out = c.ffi.new(f"struct abibase_{kind} **")
        self._call(f"{kind}_new", *given, out)
        return c.own(kind, out[0], given)

    def _text(self, name: str, *given: Any) -> str:
        out = c.ffi.new("char **")
        self._call(name, *given, out)
        return c.take(out) or ""

    def _each(self, name: str, request: Any, given: Iterable[Any]) -> None:
        for one in c.several(given):
            self._call(name, request, one)

    @staticmethod
    def _flags(kind: str, **on: bool) -> int:
        return sum(int(getattr(c.lib, f"ABIBASE_{kind}_{name}")) for name in on if on[name])

    # ------------------------------------------------------------------------ documents

    @property
    def catalogue(self) -> Catalogue:
        """The installed catalogue, read once."""
        with self._lock:
            self._read = self._read or self._request("catalogue", self)
        return Catalogue(self, self._read)

    def _operand(self, name: str, *given: Any) -> Host | None:
        profile = c.ffi.new("struct abibase_profile **")
        baseline = c.ffi.new("struct abibase_baseline **")
        try:
            self._call(name, self, *given, profile, baseline)
        finally:
            owned = c.own("profile", profile[0]), c.own("baseline", baseline[0])
        if profile[0]:
            return Profile(self, owned[0])
        return Baseline(self, owned[1]) if baseline[0] else None

    def load(self, operand: Path) -> Host | None:
        """Whatever a person names: the name of a platform, a file, NAME=OPERAND. None: a build
        record, which is kept, and answers for the profiles that name it."""
        return self._operand("operand_load", operand)

    def load_buffer(self, document: str | bytes, source: str = "buffer") -> Host | None:
        """The same of a document in memory; source is what messages call it."""
        data = c.data(document)
        return self._operand("operand_from_buffer", data, len(data), source)

    def profile(self, path: Path) -> Profile:
        """A profile of a file; anything else in it is an Error."""
        return self._make(Profile, "profile_from_file", self, path)

    def directory(self, path: Path) -> list[Profile]:
        """The profiles in the regular files of a directory that the command would take: NAME.json,
        but no .NAME.json, sorted, not deeper. Build records among them are kept."""
        where = os.fsdecode(c.word(path))
        found: list[Profile] = []
        try:
            names = sorted(os.listdir(where), key=os.fsencode)
        except OSError as trouble:
            raise Error(f"cannot read: {trouble.strerror}", "io-error", where,
                        trouble.errno or errno.EIO) from None
        for name in names:
            file = os.path.join(os.path.abspath(where), name)
            if not name.endswith(".json") or name.startswith(".") or _is_no_file(file):
                continue
            host = self.load(file)
            if isinstance(host, Profile):
                found.append(host)
            elif host is not None:
                raise Error("is a baseline, and no profile", "schema-other", file, errno.EINVAL)
        return found

    def platforms(self) -> list[Profile]:
        """The platforms that can be named; a file that is bad is not among them."""
        held = self._request("platforms", self)
        found: list[Profile] = []
        while True:
            pointer = c.lib.abibase_platforms_profile(held, len(found))
            if not pointer:
                return found
            found.append(Profile(self, c.own("profile", c.lib.abibase_profile_ref(pointer))))

    def current(self, profile: Profile, qemu: Path) -> Profile:
        """A recorded profile with this QEMU alone; an Error if of another boot or build."""
        return self._make(Profile, "profile_current", self, profile, qemu)

    def guest(self, operand: str, *, device: str | None = None,
              qemu: Path | None = None) -> Guest:
        """What abibase targets takes as a guest: a file, a feature word, qmp:SOCKET."""
        return self._make(Guest, "guest_load", self, self.catalogue, operand, c.maybe(device),
                          c.maybe(qemu))

    def guest_buffer(self, document: str | bytes, source: str = "buffer") -> Guest:
        data = c.data(document)
        return self._make(Guest, "guest_from_buffer", self, data, len(data), source)

    def guest_domain(self, xml: str | bytes, source: str = "domain") -> Guest:
        """The guest of a domain of libvirt's, as virsh dumpxml writes it."""
        data = c.data(xml)
        return self._make(Guest, "guest_from_domain", self, self.catalogue, data, len(data),
                          source)

    def running(self, qemu: Path | None = None) -> list[tuple[str, Guest]]:
        """The guests that run here, as far as the caller may ask, and how each is called."""
        found: list[tuple[str, dict[str, Any]]] = []
        raised = self._raised

        def failed(_kind: Any, exception: BaseException, _trace: Any) -> None:
            raised.append(exception)

        def heard(_data: Any, name: Any, guest: Any) -> int:
            found.append((c.string(name) or "", c.value(c.lib.abibase_guest_value(guest))))
            return 0

        callback = c.ffi.callback("abibase_guest_fn", heard, error=-errno.ECANCELED,
                                  onerror=failed)
        self._call("guest_running", self, self.catalogue, c.maybe(qemu), callback, c.ffi.NULL)
        return [(name, self.guest_buffer(json.dumps(guest), name)) for name, guest in found]

    def guest_command(self, argv: Sequence[str]) -> Guest:
        """The guest that QEMU starts with these arguments; the program is not among them."""
        return self._make(Guest, "guest_from_command", self, self.catalogue, argv)

    # ---------------------------------------------------------------------------- verbs

    def intersect(self, hosts: Iterable[Host], machine: str | None = None) -> Baseline:
        """The baseline of these hosts; an Intersection can be told more."""
        return Intersection(self, machine=machine).add(*hosts).finish()

    def _checked(self, baseline: Baseline, profiles: Iterable[Profile], assume_qemu: Iterable[str],
                 guest: Guest | None) -> tuple[Any, Result]:
        request = self._request("check_request", self, self.catalogue, baseline)
        self._each("check_request_assume_qemu", request, assume_qemu)
        self._call("check_request_set_guest", request, c.maybe(guest))
        self._each("check_request_add_profile", request, profiles)
        return request, self._make(Result, "check_request_run", request)

    def check(self, baseline: Baseline, profiles: Iterable[Profile], *,
              assume_qemu: Iterable[str] = (), guest: Guest | None = None) -> Result:
        """Do these hosts provide everything that the baseline promises?"""
        return self._checked(baseline, profiles, assume_qemu, guest)[1]

    def list_for(self, baseline: Baseline, profile: Profile,
                 qemu: Path) -> tuple[Result, list[str]]:
        """The check of a host, and the list for one of its QEMUs, good if the check is true."""
        request, result = self._checked(baseline, [profile], (), None)
        out = c.ffi.new("char ***")
        self._call("check_request_args", request, qemu, out)
        try:
            words: list[str] = []
            while out[0][len(words)]:
                words.append(c.string(out[0][len(words)]) or "")
            return result, words
        finally:
            c.lib.free(out[0])

    def targets(self, guest: Guest, profiles: Iterable[Profile], *, source: Profile | None = None,
                baseline: Baseline | None = None, backend: str | None = None,
                assume_qemu: Iterable[str] = ()) -> Result:
        """Where can this guest go? source: its host; baseline: what it was started with."""
        request = self._request("targets", self, self.catalogue, guest)
        if backend is not None:
            self._call("targets_set_backend", request, backend)
        if baseline is not None:
            self._call("targets_set_baseline", request, baseline)
        if source is not None:
            self._call("targets_set_source", request, source)
        self._each("targets_assume_qemu", request, assume_qemu)
        self._each("targets_add_profile", request, profiles)
        return self._make(Result, "targets_run", request)

    def matrix(self, profiles: Iterable[Profile], *, baseline: Baseline | None = None,
               instead: Iterable[Profile] = (), machines: Iterable[str] = (), groups: int = 0,
               wanted: Intersection | None = None) -> Result:
        """Which of these hosts can take whose guests? instead: hosts as they will be; groups:
        the best so many, at most 3; wanted: an Intersection without hosts, with what is asked."""
        wanted = Intersection(self) if wanted is None else wanted
        request = self._request("matrix", self, self.catalogue, wanted)
        self._each("matrix_add_machine", request, machines)
        if baseline is not None:
            self._call("matrix_set_baseline", request, baseline)
        for profile in instead:
            self._call("matrix_add_profile", request, profile, True)
        for profile in profiles:
            self._call("matrix_add_profile", request, profile, False)
        return self._make(Result, "matrix_run", request, groups)

    def decode(self, text: str | bytes, device: str | None = None) -> Result:
        """What do the messages of QEMU in this text mean?"""
        data = c.data(text)
        return self._make(Result, "decode", self, self.catalogue, data, len(data),
                          c.maybe(device))

    def diff(self, a: Host, b: Host, *, all: bool = False) -> Result:
        """What differs between two profiles, or two baselines?"""
        if isinstance(a, Baseline) != isinstance(b, Baseline):
            raise TypeError("a profile and a baseline have nothing to compare")
        return self._make(Result, "diff_baselines" if isinstance(a, Baseline) else "diff", self,
                          self.catalogue, a, b, self._flags("DIFF", ALL=all))

    def match(self, profile: Profile, platforms: Sequence[Profile],
              backends: Sequence[str] | None = None) -> Result:
        """Which platforms does a host satisfy?"""
        platforms = c.several(platforms)
        return self._make(Result, "match", self, self.catalogue, profile, platforms,
                          len(platforms), c.maybe(backends))

    def explain(self, baseline: Baseline, property: str | None = None, *,
                cost: bool = False) -> Result:
        """Why is a baseline what it is?"""
        return self._make(Result, "explain", self, self.catalogue, baseline, c.maybe(property),
                          self._flags("EXPLAIN", COST=cost))

    def plan(self, what: str, at: str, platforms: Sequence[Profile],
             hosts: Sequence[Profile] = ()) -> Result:
        """When could a feature be on by default for everybody? at: the day of today."""
        platforms, hosts = c.several(platforms), c.several(hosts)
        return self._make(Result, "plan", self, self.catalogue, what, at, platforms,
                          len(platforms), hosts, len(hosts))

    def validate(self, path: Path) -> Result:
        """All the faults of a document of any kind."""
        return self._make(Result, "validate", self, path)


class Intersection(_Object):
    """What is wanted of a baseline, as the options of abibase intersect, and its hosts."""

    _kind = "intersection"

    def __init__(self, context: Context, *, machine: str | None = None,
                 target: str | None = None, backends: Iterable[str] = (),
                 devices: Iterable[str] = (), policy: str | None = None,
                 enable: Iterable[str] = (), disable: Iterable[str] = (),
                 destinations: Iterable[str] = (), assume_qemu: Iterable[str] = (),
                 guest: Guest | None = None) -> None:
        super().__init__(context, _used(context)._request("intersection", context,
                                                          context.catalogue))
        for setter, given in (("machine", machine), ("target", target), ("policy", policy)):
            if given is not None:
                context._call(f"intersection_set_{setter}", self, given)
        for name, several in (("add_backend", backends), ("add_device", devices),
                              ("enable", enable), ("disable", disable),
                              ("add_dest", destinations), ("assume_qemu", assume_qemu)):
            context._each(f"intersection_{name}", self._c, several)
        if guest is not None:
            context._call("intersection_set_guest", self, guest)

    def add(self, *hosts: Host) -> Intersection:
        """Hosts, and baselines of earlier ones; none of them is kept."""
        for host in hosts:
            if not isinstance(host, (Profile, Baseline)):
                raise c.other("a Profile or a Baseline", host)
            self._context._call(f"intersection_add_{host._kind}", self, host)
        return self

    def finish(self) -> Baseline:
        """The baseline of what was added until now; more may be added afterwards."""
        return self._context._make(Baseline, "intersection_finish", self)

    def machines(self) -> Result:
        """The machine types that all hosts share, the newest first."""
        return self._context._make(Result, "intersection_machines", self)


class Probe(_Object):
    """A request to ask this host what it has. progress is called with what is asked now, in the
    thread of run(); an exception in it ends the run and is that of run()."""

    _kind = "probe"

    def __init__(self, context: Context, *, name: str | None = None, qemus: Iterable[Path] = (),
                 only: Iterable[str] = (), skip: Iterable[str] = (), machines: Iterable[str] = (),
                 baseline: Baseline | None = None, load: bool = True, values: bool = True,
                 sizes: bool = False, observe: bool = False, builds_dir: Path | None = None,
                 cache: bool = True, cache_dir: Path | None = None, timeout: float = 0,
                 progress: Callable[[str], None] | None = None) -> None:
        super().__init__(context, _used(context)._request("probe", context))
        if name is not None:
            context._call("probe_set_name", self, name)
        for setter, several in (("add_qemu", qemus), ("only", only), ("skip", skip),
                                ("add_machine", machines)):
            context._each(f"probe_{setter}", self._c, several)
        if baseline is not None:
            context._call("probe_for_baseline", self, context.catalogue, baseline)
        context._call("probe_set_flags", self, context._flags(
            "PROBE", NO_LOAD=not load, NO_VALUES=not values, SIZES=sizes, OBSERVE=observe))
        context._call("probe_set_builds_dir", self, c.maybe(builds_dir))
        if cache_dir is not None or not cache:
            context._call("probe_set_cache_dir", self, c.maybe(cache_dir if cache else None))
        if timeout < 0:
            raise ValueError(f"a timeout of {timeout} s")
        context._call("probe_set_timeout", self, math.ceil(timeout * 1000))  # 0 is none
        if progress is not None:
            pointer = self._c

            def cancel() -> None:
                c.lib.abibase_probe_cancel(pointer)

            self._progress = context._callback("abibase_progress_fn", progress, cancel)
            context._call("probe_set_progress", self, self._progress, c.ffi.NULL)

    def run(self) -> Profile:
        """Ask. A surface that cannot be asked is a fact that is unknown, and no Error."""
        return self._context._make(Profile, "probe_run", self, self._context.catalogue)

    def cancel(self) -> None:
        """End a run, from any thread: it ends with an Error of ECANCELED."""
        c.lib.abibase_probe_cancel(self._c)
