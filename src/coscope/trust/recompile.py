"""Source -> the bytes that a release of CPython would write for it: this one, or another here."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterator
from functools import cache
from types import CodeType

from coscope.errors import InputError, SourceError
from coscope.readers import from_interpreter
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION
from coscope.readers.from_interpreter import Interpreter
from coscope.readers.from_source import compile_live

HOST = Interpreter("", HOST_VERSION, HOST_RELEASE)


class Recompiler:
    """Compilers of every version that is here. What fitted last is tried first."""

    def __init__(self, python: str | None = None) -> None:
        """Args: `python`: an interpreter that is tried before all others of its version."""
        self.python = python
        self._last: dict[str, Interpreter] = {}

    def likely(self, version: str) -> Interpreter | None:
        """What to try first, without asking any interpreter for its release if that can be."""
        if version in self._last:
            return self._last[version]
        if self.python is None and version == HOST_VERSION and _host_is_plain():
            return HOST
        return next(self.all(version), None)

    def all(self, version: str) -> Iterator[Interpreter]:
        """Every interpreter of a version, the likely ones first."""
        seen = set()
        for each in self._candidates(version):
            if each.version == version and each.release not in seen:
                seen.add(each.release)
                yield each

    def _candidates(self, version: str) -> Iterator[Interpreter]:
        if version in self._last:
            yield self._last[version]
        if self.python is not None:
            yield from_interpreter.find(self.python)
        if _host_is_plain():
            yield HOST
        yield from installed()

    def fitted(self, interpreter: Interpreter) -> None:
        """Remember what compiles a tree's files as they are."""
        self._last[interpreter.version] = interpreter

    def compiled(
        self,
        interpreter: Interpreter,
        source: bytes,
        name: str,
        *,
        level: int = 0,
        columns: bool = True,
    ) -> bytes | None:
        """The marshalled code of a source; None if it does not compile, or the compiler fails.

        Args:
            interpreter: Of `all`.
            source: Bytes of the file.
            name: `co_filename`.
            level: Of optimisation.
            columns: False: as with `-X no_debug_ranges`.
        """
        try:
            if interpreter is HOST and columns:
                return _dumped(compile_live(source, name, optimize=level))
            if interpreter is HOST:
                interpreter = Interpreter(sys.executable, HOST_VERSION, HOST_RELEASE)
            return from_interpreter.marshalled(
                interpreter, source, name, optimize=level, columns=columns
            )
        except (InputError, ValueError):
            return None


def _dumped(code: CodeType) -> bytes:
    """Marshalled as importlib does it: whether an object is shared is judged by its references."""
    held = [code, code]
    return marshal.dumps(held[0])


@cache
def installed() -> tuple[Interpreter, ...]:
    """Interpreters of this machine; none where no process can be started."""
    if sys.platform == "emscripten" or not sys.executable:
        return ()
    return tuple(from_interpreter.installed())


@cache
def _host_is_plain() -> bool:
    """False if this process compiles without columns: -X no_debug_ranges."""
    try:
        code = compile_live("a", "<probe>")
    except SourceError:
        return False
    return any(column is not None for _, _, column, _ in code.co_positions())


def can_compile(path: str) -> bool:
    """True for the name of a source file."""
    return os.path.splitext(path)[1].lower() in (".py", ".pyw")
