"""The bytes of a live code object: the one place that reads `co_code`.

Three opcodes replace another one, which the interpreter keeps elsewhere: a traced line, a traced
instruction, an entry to compiled code. `co_code` looks there for the original. In code that was
made with such an opcode in it (obfuscators do that, behind a return) nothing is there, and reading
`co_code` kills the process; so do `hash`, `==`, `replace` and `marshal.dumps` of it.

Source:
    CPython 3.14, Objects/codeobject.c, deopt_code; Python/instrumentation.c,
    _Py_GetBaseCodeUnit. CPython issues 154985 and 155295.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from types import CodeType
from typing import NamedTuple, TypeVar

from coscope.opcodes import table

_LINE, _INSTRUCTION = "INSTRUMENTED_LINE", "INSTRUMENTED_INSTRUCTION"
_TRACED = (_LINE, _INSTRUCTION)
_COMPILED = "ENTER_EXECUTOR"

_TOOLS = range(6)  # identifiers that sys.monitoring gives to tools


class _Opcodes(NamedTuple):
    """What every opcode number of one version is."""

    plain: bytes  # all opcodes that replace no other one
    bases: bytes  # the opcode that was compiled
    steps: bytes  # bytes to the next instruction
    traced: frozenset[int]
    compiled: frozenset[int]


@cache
def _opcodes(version: str) -> _Opcodes:
    rules = table(version)
    bases = bytearray(range(256))
    for row in rules.opcodes.values():
        if row.base is not None:
            bases[row.code] = rules.opcodes[row.base].code
    traced = frozenset(rules.opcodes[name].code for name in _TRACED if name in rules.opcodes)
    compiled = frozenset(rules.opcodes[name].code for name in (_COMPILED,) if name in rules.opcodes)
    return _Opcodes(
        bytes(number for number in range(256) if number not in traced | compiled),
        bytes(bases),
        bytes(2 * step for step in rules.steps),
        traced,
        compiled,
    )


def code_bytes(co: CodeType, version: str) -> bytes:
    """`co_code`: base opcodes and empty caches. It never kills the process.

    Where an opcode replaces another one that nobody keeps, it is left as it is: the verifier
    refuses it.

    Args:
        co: The code object.
        version: The opcode table of this interpreter.
    """
    raw: bytes = co._co_code_adaptive  # type: ignore[attr-defined]
    opcodes = _opcodes(version)
    if not raw[::2].translate(None, opcodes.plain):
        return co.co_code
    hiding = list(_hiding(raw, opcodes))
    if not hiding or _is_kept(co, raw, hiding, opcodes):
        return co.co_code
    return _without_the_interpreter(raw, opcodes)


def without_specialization(raw: bytes, version: str) -> bytes:
    """Base opcodes and empty caches, from the bytes that an interpreter executes.

    Opcodes that replace another one, which nobody here knows, are left as they are.
    """
    return _without_the_interpreter(raw, _opcodes(version))


Told = TypeVar("Told")

_KEPT = 4096  # code objects whose results are kept


def by_identity(function: Callable[[CodeType], Told]) -> Callable[[CodeType], Told]:
    """Keep what a function returns for each code object; none of them is hashed or compared."""
    kept: dict[int, tuple[CodeType, Told]] = {}  # the code object lives, so its id stays its own

    def found(co: CodeType) -> Told:
        held = kept.get(id(co))
        if held is None:
            if len(kept) >= _KEPT:
                kept.clear()
            held = kept[id(co)] = (co, function(co))
        return held[1]

    return found


def _hiding(raw: bytes, opcodes: _Opcodes) -> Iterator[int]:
    """Offsets of instructions that replace another one. A cache may hold the same bytes."""
    at = 0
    while at < len(raw):
        if raw[at] not in opcodes.plain:
            yield at
        at += opcodes.steps[raw[at]]


def _is_kept(co: CodeType, raw: bytes, hiding: list[int], opcodes: _Opcodes) -> bool:
    """True if the interpreter itself put those opcodes there, and so keeps the original ones."""
    traced = [at for at in hiding if raw[at] in opcodes.traced]
    if len(traced) == len(hiding) and _is_traced():
        return _have_lines(co, traced)
    return _survives(co)


def _is_traced() -> bool:
    """True while somebody follows lines: a debugger, coverage."""
    if sys.gettrace() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)
    return monitoring is not None and any(monitoring.get_tool(tool) is not None for tool in _TOOLS)


def _have_lines(co: CodeType, offsets: list[int]) -> bool:
    """True if every offset belongs to a line: the interpreter traces nothing else."""
    covered = [(start, stop) for start, stop, line in co.co_lines() if line is not None]
    return all(any(start <= at < stop for start, stop in covered) for at in offsets)


def _survives(co: CodeType) -> bool:
    """Read `co_code` in a copy of this process, and see whether that one survives it."""
    if not hasattr(os, "fork"):
        return False
    import warnings  # seldom needed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 3.12 warns where there are threads
        try:
            child = os.fork()
        except (OSError, RuntimeError):
            return False
    if child == 0:
        _read_and_leave(co)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _read_and_leave(co: CodeType) -> None:
    """In the copy: nothing but this is done, and no sign of a crash is left."""
    try:
        with suppress(Exception):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        handler = sys.modules.get("faulthandler")
        if handler is not None:
            handler.disable()
        sys.settrace(None)
        _ = co.co_code
    finally:
        os._exit(0)


def _without_the_interpreter(raw: bytes, opcodes: _Opcodes) -> bytes:
    """Base opcodes and empty caches, from the bytes that the interpreter executes."""
    plain = bytearray(len(raw))
    at = 0
    while at < len(raw):
        base = opcodes.bases[raw[at]]
        plain[at], plain[at + 1] = base, raw[at + 1]
        at += opcodes.steps[base]
    return bytes(plain)
