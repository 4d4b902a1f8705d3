# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C library, loaded when it is first asked for something; private to this package."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Iterable, Sequence

ffi: Any
lib: Any
_loading = threading.Lock()


def __getattr__(name: str) -> Any:
    """So that "python3 -m abibase.report", which needs neither, loads no cffi and library."""
    if name not in ("ffi", "lib"):
        raise AttributeError(name)
    if name in globals():
        return globals()[name]
    with _loading:
        if name not in globals():
            from cffi import FFI  # type: ignore[import]
            from ._cdef import DECLARATIONS

            made = FFI()
            made.cdef(DECLARATIONS)
            globals().update(lib=made.dlopen("libabibase.so.0"), ffi=made)
    return globals()[name]


load = __getattr__


class Error(Exception):
    """What a call failed with.

    id: stable, never changes its meaning ("json-unknown-key"); None where the library has no words
    where: file and line, or file and JSON path; or None
    text: the sentence
    errno: a number of the module errno
    """

    __module__ = "abibase"

    def __init__(self, text: str, id: str | None, where: str | None, errno: int) -> None:
        super().__init__(text, id, where, errno)
        self.text = text
        self.id = id
        self.where = where
        self.errno = errno

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


def string(pointer: Any) -> str | None:
    return os.fsdecode(load("ffi").string(pointer)) if pointer else None


def take(pointer: Any) -> str | None:
    """The text behind a char ** that is the caller's to free."""
    try:
        return string(pointer[0])
    finally:
        load("lib").free(pointer[0])
        pointer[0] = load("ffi").NULL


def own(kind: str, pointer: Any, parts: Sequence[Any] = ()) -> Any:
    """An object that is given back when nothing refers to it, and before its parts are."""
    release = getattr(load("lib"), f"abibase_{kind}_unref")
    return load("ffi").gc(pointer, lambda p, _parts=parts: release(p))


def value(pointer: Any) -> Any:
    """A document, or a part of one, as dictionaries and lists."""
    out = load("ffi").new("char **")
    status = load("lib").abibase_value_to_json(pointer, out)
    if status < 0:
        raise Error(os.strerror(-status), None, None, -status)
    return json.loads(take(out) or "null")


def other(wanted: str, given: Any) -> TypeError:
    return TypeError(f"{wanted} is wanted, not {type(given).__name__}")


def word(text: str | os.PathLike[str]) -> bytes:
    """C would read a text as far as its first NUL."""
    if not isinstance(text, (str, os.PathLike)):
        raise other("a text", text)
    encoded = os.fsencode(text)
    if b"\0" in encoded:
        raise ValueError("a text with a NUL in it")
    return encoded


def data(text: str | bytes) -> Any:
    """What is read with its length."""
    if not isinstance(text, (str, bytes, bytearray, memoryview)):
        raise other("str or bytes", text)
    made = text.encode() if isinstance(text, str) else bytes(text)
    return load("ffi").from_buffer("char[]", made)


def several(given: Iterable[Any]) -> list[Any]:
    """A list; a text is none, though Python goes through its letters."""
    if isinstance(given, (str, bytes)):
        raise other("a list", given)
    return list(given)


def maybe(given: Any) -> Any:
    """Where C may be told nothing: NULL of None, which is refused everywhere else."""
    return load("ffi").NULL if given is None else given


def argument(given: Any, wanted: Any, keep: list[Any]) -> Any:
    """What C takes for a value of Python where it wants this type; @keep holds what it points to
    during the call. cffi alone would take any pointer for a text, and None for NULL."""
    ffi = load("ffi")
    if wanted.kind != "pointer" or isinstance(given, ffi.CData):
        return given
    to = wanted.item
    if to.cname == "char":
        return word(given)
    if to.kind == "pointer":
        each = [argument(g, to, keep) for g in several(given)]
        each = [ffi.new("char[]", e) if isinstance(e, bytes) else e for e in each]
        keep += each
        return ffi.new(f"{to.cname}[]", [*each, ffi.NULL])
    kind = to.cname.replace("struct abibase_", "")
    if getattr(given, "_kind", None) != kind:
        raise other(f"an object of the kind {kind}", given)
    return given._c
