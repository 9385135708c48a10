"""What the adaptive interpreter made of code that has run: which sites it could not specialise.

From 3.11 on an instruction of a *family* (`LOAD_ATTR`, `CALL`, ...) starts generic and rewrites
itself to a form for what it meets, such as `LOAD_ATTR_INSTANCE_VALUE`. The first unit of its inline
cache is a counter, which says without a clock what became of it:

- generic: each failed attempt lengthens the wait until the next one. The exponent of the wait
  (*backoff*) says how many executions in a row were generic, at least.
- specialised: each execution that does not fit (*miss*) counts down; at zero it starts again.
- in vain (from 3.14 on): an attempt that left the instruction generic counts as a success. The
  counter is that of a specialised site, and each execution counts down.

How each version counts is data: `[specialization]` in its table.
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
from coscope.readers.live_code import code_bytes

LEAST_EXECUTIONS = 248  # generic ones in a row, from which a site counts as not specialised
LEAST_MISSES = 8  # since it was last specialised, from which one reading counts


@dataclass(frozen=True, slots=True)
class Site:
    """One instruction that is generic still, or whose specialised form does not fit."""

    offset: int  # bytes in co_code
    family: str  # "LOAD_ATTR": the generic form
    executed: str  # the form that is executed now
    backoff: int  # exponent of the wait until the next attempt; 0 of a specialised site
    executions: int  # generic ones, at least; 0 of a specialised site
    misses: int  # since it was last specialised; of one in vain: executions since the last attempt
    most_executions: int | None = None  # generic ones, at most; None: nothing limits them
    vain: bool = False  # the last attempt left it generic, and counts as a success

    @property
    def generic(self) -> bool:
        """True if it is not specialised."""
        return self.executions > 0 or self.vain

    @property
    def evidence(self) -> str:
        """What the counter says, as one clause."""
        if self.vain:
            return f"{self.executed} is still generic: an attempt to specialise it left it so"
        if self.generic:
            return (
                f"{self.executed} is still generic after at least {self.executions} executions"
                f" in a row (backoff {self.backoff})"
            )
        return f"{self.executed} met {self.misses} times what it was not made for"


SPECIALIZED = "specialized"  # for what it meets
MISSING = "missing"  # it was specialised for something else than what it meets, again and again
GENERIC = "generic"  # after hundreds of executions, or as the last attempt left it
WAITING = "waiting"  # generic, and was not executed often enough to tell
UNCOUNTED = "uncounted"  # a form whose counter says nothing, or is absent, such as RESUME_CHECK


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
    hidden: frozenset[int]  # opcodes behind which another one hides (traces, instrumented lines)
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
        frozenset(
            number
            for number, row in enumerate(rows)
            if row is None or (row.form == "internal" and number)
        ),
        counting,
    )


def _families(rules: Table, counting: Specialization) -> Iterator[str]:
    bases = {row.base for row in rules.opcodes.values() if row.form == "specialized"}
    for base in sorted(bases - {*counting.uncounted, None}, key=str):
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
        executions: Generic ones from which a site is reported; 0: no generic site is, but for
            those that were specialised in vain, by `misses`.
        misses: From which a specialised site is reported.

    Raises:
        InputError: This CPython does not specialise.
    """
    kinds = _kinds(HOST_VERSION)
    raw: bytes = co._co_code_adaptive  # type: ignore[attr-defined]
    plain = code_bytes(co, HOST_VERSION) if not kinds.hidden.isdisjoint(raw[::2]) else raw
    counting, looked_at, steps = kinds.counting, kinds.looked_at, kinds.steps
    least = counting.settled - misses * counting.miss
    mask = (1 << counting.backoff_bits) - 1
    done_by = counting.executions
    found = []
    at, size = 0, len(raw)
    while at < size:
        opcode = raw[at]
        kind = looked_at[opcode]
        if kind:
            counter = int.from_bytes(raw[at + 2 : at + 4], sys.byteorder)
            backoff = counter & mask
            vain = kind == 1 and not backoff and counting.succeeds_in_vain
            if kind == 2 and not counter and counting.traces_clear_counters:
                pass
            elif kind == 2 or vain:
                if counter <= least or (vain and executions):
                    found.append(_settled(kinds, at, opcode, counter))
            elif done_by[backoff] >= executions > 0:
                found.append(_waiting(kinds, at, opcode, backoff))
        at += steps[opcode] if plain is raw else steps[plain[at]]
    return found


def _waiting(kinds: _Kinds, at: int, opcode: int, backoff: int) -> Site:
    done_by = kinds.counting.executions
    most = done_by[backoff + 1] if backoff + 1 < len(done_by) else None
    family, name = kinds.families[opcode], kinds.names[opcode]
    return Site(
        offset=at,
        family=family,
        executed=name,
        backoff=backoff,
        executions=done_by[backoff],
        misses=0,
        most_executions=most,
    )


def _settled(kinds: _Kinds, at: int, opcode: int, counter: int) -> Site:
    missed = max(0, (kinds.counting.settled - counter) // kinds.counting.miss)
    vain = kinds.looked_at[opcode] == 1
    return Site(at, kinds.families[opcode], kinds.names[opcode], 0, 0, missed, vain=vain)


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
    plain = code_bytes(co, HOST_VERSION)
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
    backoff = counter & (1 << counting.backoff_bits) - 1
    misses = max(0, (counting.settled - counter) // counting.miss)
    if kinds.looked_at[executed] == 2:
        misses *= counter > 0 or not counting.traces_clear_counters
        state = MISSING if missing or misses >= LEAST_MISSES else SPECIALIZED
        return State(at, name, state, counter, misses=misses)
    if not backoff and counting.succeeds_in_vain:
        return State(at, name, GENERIC, counter, backoff, 0)
    done = counting.executions[backoff]
    state = GENERIC if done >= LEAST_EXECUTIONS else MISSING if missing else WAITING
    return State(at, name, state, counter, backoff, done)


def executed_forms(co: CodeType) -> dict[int, str]:
    """By offset: the form that is executed now, where it is not the one that was compiled.

    Raises:
        InputError: This CPython does not specialise.
    """
    kinds = _kinds(HOST_VERSION)
    raw: bytes = co._co_code_adaptive  # type: ignore[attr-defined]
    plain = code_bytes(co, HOST_VERSION)
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
