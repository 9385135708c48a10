"""The interpreters of this machine as compilers of the page. They run nothing of what they get."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from threading import Lock

from coscope.errors import InputError, UnknownVersion
from coscope.opcodes import VERSIONS
from coscope.readers.compiling import Compiler
from coscope.readers.from_interpreter import Interpreter, find, installed

SECONDS = 10  # of wall time and of CPU time for one compilation
MEMORY = 2**30  # bytes of address space of a process that compiles

_REASONS = {b"S": "syntax", b"D": "deep"}


@dataclass(frozen=True, slots=True)
class Compiled:
    """What an interpreter made of a text."""

    reason: str | None  # "syntax" or "deep" if it did not compile
    data: bytes  # marshalled code; JSON that says what is wrong


class Compilers:
    """Interpreters by the names that the page uses, each a process that waits for text."""

    def __init__(self, interpreters: Iterable[Interpreter]) -> None:
        """Args: the interpreters; of one release each gets a name of its own."""
        self.named: dict[str, Interpreter] = {}
        for each in interpreters:
            name, number = each.release, 1
            while name in self.named:
                number += 1
                name = f"{each.release}-{number}"
            self.named[name] = each
        self._compilers = {
            name: Compiler(each.path, SECONDS, MEMORY) for name, each in self.named.items()
        }
        self._locks = {name: Lock() for name in self.named}

    def compile(self, name: str, text: bytes, filename: str) -> Compiled:
        """Compile a text. May be called from any thread.

        Raises:
            InputError: There is no interpreter of that name.
            InterpreterError: It failed, or reached a limit; the next call starts it anew.
        """
        if name not in self.named:
            raise InputError(f"there is no interpreter {name!r}", found=", ".join(self.named))
        with self._locks[name]:  # one process has one pipe
            sort, data = self._compilers[name].ask(text, filename, 0)
        return Compiled(_REASONS.get(sort), data)

    def close(self) -> None:
        """End every process."""
        for name, each in self._compilers.items():
            with self._locks[name], closing(each):
                pass


def chosen(paths: Iterable[str]) -> list[Interpreter]:
    """The named interpreters, then the newest release of each other version that is found.

    Raises:
        InterpreterError: A named one is not on this machine, or is not CPython.
        UnknownVersion: coscope has no opcode table for a named one.
    """
    found = [find(path) for path in paths]
    for each in found:
        if each.version not in VERSIONS:
            raise UnknownVersion(f"{each.path} is CPython {each.release}", found=each.version)
    newest = {each.version: each for each in installed()}  # oldest first
    versions = {each.version for each in found}
    return found + [each for version, each in newest.items() if version not in versions]
