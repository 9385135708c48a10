"""What the adaptive interpreter made of code that has run: which sites it could not specialise.

From 3.11 on an instruction of a *family* (`LOAD_ATTR`, `CALL`, ...) starts generic and rewrites
itself to a form for what it meets, such as `LOAD_ATTR_INSTANCE_VALUE`. The first unit of its inline
cache is a counter, which tells without a clock what became of it:

- generic: each failed attempt doubles the executions until the next one. The exponent (*backoff*)
  tells how many executions at least were generic.
- specialised: each execution that does not fit (*miss*) counts down; at zero it starts again.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType, FunctionType

from coscope.errors import InputError
from coscope.opcodes import VERSIONS, Table, table
from coscope.opcodes.behaviour import Specialization
from coscope.readers.from_function import HOST_VERSION

LEAST_EXECUTIONS = 254  # generic ones in a row, from which a site counts as not specialised
LEAST_MISSES = 8  # since it was last specialised, from which one reading counts


_BACKOFF = 15  # the low bits of a counter
_HIGHEST = 12  # backoff, in every version

# RESUME specialises without a counter; nothing is lost by its generic form.
_UNCOUNTED = frozenset({"RESUME"})


@dataclass(frozen=True, slots=True)
class Site:
    """One instruction that is generic still, or whose specialised form does not fit."""

    offset: int  # bytes in co_code
    family: str  # "LOAD_ATTR": the generic form
    executed: str  # the form that is executed now
    backoff: int  # exponent of the wait until the next attempt; 0 of a specialised site
    executions: int  # generic ones, at least; 0 of a specialised site
    misses: int  # since it was last specialised; 0 of a generic site

    @property
    def generic(self) -> bool:
        """True if it is not specialised."""
        return self.executions > 0

    @property
    def most_executions(self) -> int | None:
        """Generic ones, at most: at twice as many its backoff would be higher. None: no limit."""
        return 2 << self.backoff if self.generic and self.backoff < _HIGHEST else None

    @property
    def evidence(self) -> str:
        """What the counter says, as one clause."""
        if self.generic:
            return (
                f"{self.executed} is still generic after at least {self.executions} executions"
                f" in a row (backoff {self.backoff})"
            )
        return f"{self.executed} met {self.misses} times what it was not made for"


SPECIALIZED = "specialized"  # for what it meets
MISSING = "missing"  # it was specialised for something else than what it meets, again and again
GENERIC = "generic"  # after hundreds of executions
WAITING = "waiting"  # generic, and was not executed often enough to tell
UNCOUNTED = "uncounted"  # a form without a counter, such as RESUME_CHECK


@dataclass(frozen=True, slots=True)
class State:
    """What became of one instruction."""

    offset: int  # bytes in co_code
    executed: str  # the form that is executed now
    state: str  # one of the words above
    counter: int | None = None  # the first unit of its inline cache; None: it has none
    backoff: int | None = None  # of a generic form: exponent of the wait until the next attempt
    executions: int | None = None  # of a generic form: those in a row, at least
    misses: int | None = None  # of a specialised form: since it was last specialised


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What each opcode number of one version is."""

    steps: bytes  # bytes from an instruction to the next
    looked_at: bytes  # 1: the generic form of a family, 2: a specialised form with a counter
    names: tuple[str, ...]
    families: tuple[str, ...]
    hidden: frozenset[int]  # opcodes behind which another one hides (instrumented lines)
    counting: Specialization


@cache
def _kinds(version: str) -> _Kinds:
    rules = table(version)
    counting = rules.specialization
    if counting is None:
        known = [each for each in VERSIONS if specializes(each)]
        raise InputError(
            f"CPython {version} does not specialise, or in a way that is not known here",
            expected=", ".join(known),
        )
    looked_at, families = bytearray(256), [""] * 256
    for family in _families(rules, counting):
        generic = rules.opcodes[counting.generic.format(family)]
        looked_at[generic.code], families[generic.code] = 1, family
        for row in rules.opcodes.values():
            if row.form == "specialized" and row.base == family and row is not generic:
                looked_at[row.code], families[row.code] = 2, family
    rows = rules.by_code
    return _Kinds(
        bytes(2 * step for step in rules.steps),
        bytes(looked_at),
        tuple(row.name if row else f"<{number}>" for number, row in enumerate(rows)),
        tuple(families),
        frozenset(number for number, row in enumerate(rows) if row is None),
        counting,
    )


def _families(rules: Table, counting: Specialization) -> Iterator[str]:
    bases = {row.base for row in rules.opcodes.values() if row.form == "specialized"}
    for base in sorted(bases - _UNCOUNTED - {None}, key=str):
        assert base is not None
        if rules.opcodes[base].caches and counting.generic.format(base) in rules.opcodes:
            yield base


def specializes(version: str = HOST_VERSION) -> bool:
    """True if this CPython specialises, in a way that is known here."""
    return table(version).specialization is not None


def read_sites(
    co: CodeType, *, executions: int = LEAST_EXECUTIONS, misses: int = LEAST_MISSES
) -> list[Site]:
    """The sites of a live code object that are not specialised, or in vain. Runs nothing.

    Args:
        co: The code object; what is nested in it counts apart.
        executions: Generic ones from which a site is told.
        misses: From which a specialised site is told.

    Raises:
        InputError: This CPython does not specialise.
    """
    kinds = _kinds(HOST_VERSION)
    raw: bytes = co._co_code_adaptive  # type: ignore[attr-defined]
    plain = co.co_code if not kinds.hidden.isdisjoint(raw[::2]) else raw
    counting, looked_at, steps = kinds.counting, kinds.looked_at, kinds.steps
    least = counting.settled - misses * counting.miss
    found = []
    at, size = 0, len(raw)
    while at < size:
        opcode = raw[at]
        kind = looked_at[opcode]
        if kind:
            counter = int.from_bytes(raw[at + 2 : at + 4], sys.byteorder)
            if kind == 1:
                backoff = counter & _BACKOFF
                done = (1 << backoff) - (1 << counting.backoff)
                if done >= executions > 0:
                    found.append(
                        Site(at, kinds.families[opcode], kinds.names[opcode], backoff, done, 0)
                    )
            elif counter <= least:
                missed = (counting.settled - counter) // counting.miss
                found.append(Site(at, kinds.families[opcode], kinds.names[opcode], 0, 0, missed))
        at += steps[opcode] if plain is raw else steps[plain[at]]
    return found


def states_of(co: CodeType, missing: Collection[int] = ()) -> list[State]:
    """What became of each instruction that specialises, and of each that is executed in another
    form than that which was compiled. Runs nothing.

    Args:
        co: The code object; what is nested in it counts apart.
        missing: Offsets of sites that are known to keep missing, whatever they count now.

    Raises:
        InputError: This CPython does not specialise.
    """
    kinds = _kinds(HOST_VERSION)
    raw: bytes = co._co_code_adaptive  # type: ignore[attr-defined]
    plain = co.co_code
    found = []
    at = 0
    while at < len(plain):
        executed, kind = raw[at], kinds.looked_at[raw[at]]
        if kind:
            counter = int.from_bytes(raw[at + 2 : at + 4], sys.byteorder)
            found.append(_state(kinds, at, executed, counter, at in missing))
        elif kinds.names[plain[at]] in kinds.families and executed == plain[at]:
            # 3.11: the function was not called often enough for its code to adapt.
            found.append(State(at, kinds.names[executed], WAITING))
        elif executed != plain[at]:
            found.append(State(at, kinds.names[executed], UNCOUNTED))
        at += kinds.steps[plain[at]]
    return found


def _state(kinds: _Kinds, at: int, executed: int, counter: int, missing: bool) -> State:
    counting, name = kinds.counting, kinds.names[executed]
    if kinds.looked_at[executed] == 1:
        backoff = counter & _BACKOFF
        done = max(0, (1 << backoff) - (1 << counting.backoff))
        state = GENERIC if done >= LEAST_EXECUTIONS else MISSING if missing else WAITING
        return State(at, name, state, counter, backoff, done)
    misses = max(0, (counting.settled - counter) // counting.miss)
    state = MISSING if missing or misses >= LEAST_MISSES else SPECIALIZED
    return State(at, name, state, counter, misses=misses)


def executed_forms(co: CodeType) -> dict[int, str]:
    """By offset: the form that is executed now, where it is not the one that was compiled.

    Raises:
        InputError: This CPython does not specialise.
    """
    kinds = _kinds(HOST_VERSION)
    raw: bytes = co._co_code_adaptive  # type: ignore[attr-defined]
    plain = co.co_code
    found = {}
    at = 0
    while at < len(plain):
        if raw[at] != plain[at]:
            found[at] = kinds.names[raw[at]]
        at += kinds.steps[plain[at]]
    return found


def codes_in(functions: Iterable[FunctionType]) -> Iterator[tuple[CodeType, FunctionType]]:
    """The code objects of live functions and those nested in them, each once, with a function
    that has its globals."""
    seen: set[int] = set()
    for function in functions:
        pending = [function.__code__]
        while pending:
            co = pending.pop()
            if id(co) in seen:
                continue
            seen.add(id(co))
            yield co, function
            pending += [each for each in co.co_consts if type(each) is CodeType]
