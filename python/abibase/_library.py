# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C library, loaded when it is first asked for something; private to this package."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Callable, Sequence

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


def word(text: str | os.PathLike[str]) -> bytes:
    """C would read a text as far as its first NUL."""
    encoded = os.fsencode(text)
    if b"\0" in encoded:
        raise ValueError("a text with a NUL in it")
    return encoded


def data(text: str | bytes) -> bytes:
    """What is read with its length."""
    return text.encode() if isinstance(text, str) else bytes(text)


def argument(given: Any, keep: list[Any]) -> Any:
    """What C takes for a value of Python; @keep holds what it points to during the call."""
    if given is None:
        return load("ffi").NULL
    if isinstance(given, (str, os.PathLike)):
        return word(given)
    if isinstance(given, (list, tuple)):
        keep += [load("ffi").new("char[]", word(w)) for w in given]
        return load("ffi").new("char *[]", keep[len(keep) - len(given):] + [load("ffi").NULL])
    return getattr(given, "_c", given)


def pointers(objects: Sequence[Any], kind: str) -> Any:
    return load("ffi").new(f"struct abibase_{kind} *[]", [o._c for o in objects])
