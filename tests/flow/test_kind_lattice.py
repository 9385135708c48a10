"""The lattice of kinds, and that no instruction, of any version, knows more from knowing less.

Order: a <= b, "what is a may pass for b", iff join(a, b) == b. If the transfer is monotone in it,
what the machine finds at its fixed point holds on every path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest

pytest.importorskip("hypothesis", reason="not inside Pyodide")

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from coscope.flow import Effect, Graph, build
from coscope.flow.domains.kind import Kinds
from coscope.flow.domains.kind_plans import plan_of
from coscope.flow.effects import effect_of
from coscope.flow.frames import EMPTY
from coscope.model import FAST_CELL, FAST_FREE, FAST_LOCAL, Code
from coscope.opcodes import VERSIONS, kinds, table
from coscope.opcodes.kinds import SHIFT, UNKNOWN, WANTED, join, wanted
from tests.flow.building import built

TYPED = [v for v in VERSIONS if table(v).exceptions != "block stack"]
EACH = pytest.mark.parametrize("version", TYPED)
OPARGS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 0x22, 0x120)
AT = 1  # index of the instruction that is transferred; the one before it may be KW_NAMES

PHASES = [phase for phase in Phase if phase is not Phase.explain]  # which would take minutes

# Lengths and places of constants; functions of these constants with some attributes; closures with
# typed cells.
PARAMETERS = (0, 1, 2, 3, 0x100, 0x108, 0x200, 0x300, 0x30F, 0x1_0001, 0x2_0002)


# Kinds that never lack a parameter.
MEASURED = kinds.TUPLE | kinds.NAMES | kinds.CLOSURE | kinds.ALIAS | kinds.CODE | kinds.FUNCTION
MEASURED |= kinds.UNFINISHED | kinds.ITERATION | kinds.DELEGATE | kinds.INDEX | kinds.BORROWED


def whole(kind: int) -> int:
    """The kind, with a parameter if it must have one."""
    return kind | 1 << SHIFT if kind & MEASURED and kind < 1 << SHIFT else kind


@st.composite
def a_kind(draw: st.DrawFn) -> int:
    """Any kind that the machine can meet: some atoms, a parameter or none, borrowed or not."""
    atoms = draw(st.lists(st.integers(0, kinds.ATOMS.bit_length() - 1), min_size=1, max_size=3))
    kind = sum({1 << atom for atom in atoms})
    parameter = draw(st.sampled_from([-1, None, *PARAMETERS]))
    kind |= UNKNOWN if parameter is None else parameter + 1 << SHIFT
    return whole(kind | (kinds.BORROWED if draw(st.integers(0, 9)) == 0 else 0))


def below(a: int, b: int) -> bool:
    """The order."""
    return join(a, b) == b


@given(a_kind(), a_kind(), a_kind())
def test_the_join_is_the_least_upper_bound(a: int, b: int, c: int) -> None:
    joined = join(a, b)

    assert joined == join(b, a)
    assert join(a, join(b, c)) == join(joined, c)
    assert join(a, a) == a
    assert below(a, joined)
    assert below(b, joined)
    assert below(joined, c) == (below(a, c) and below(b, c))


@given(a_kind(), a_kind(), st.integers(0, 4))
def test_what_admits_more_admits_less(a: int, x: int, oparg: int) -> None:
    tests = ("tuple == oparg", "names <= oparg", "tuple even", "tuple == 2", "closure or none")
    for text in (*WANTED, *tests):
        want = wanted(text)

        assert want.admits(a, oparg) or not want.admits(join(a, x), oparg), text


# The transfer


class Trial(NamedTuple):
    """One opcode with an oparg, in one version."""

    effect: Effect
    wants: tuple[int, ...]  # atoms, of each operand


@cache
def trials(version: str) -> tuple[Trial, ...]:
    """Every opcode that code may have, each way that it takes and leaves."""
    found = []
    for row in table(version).opcodes.values():
        if row.form != "base" or row.name == "EXTENDED_ARG":
            continue
        for oparg in OPARGS if row.takes_argument else (0,):
            for jump in (False, True) if row.jump_pushes is not None else (False,):
                effect = effect_of(version, row.code, oparg, jump, Kinds.renewed)
                wants = plan_of(version, effect).wants
                atoms = [want.atoms for _, count, want, _ in wants for _ in range(count)]
                found.append(Trial(effect, tuple(atoms)))
    return tuple(found)


@cache
def stage(version: str) -> Code:
    """A code object with every kind of local, and with constants that are code."""
    inner = built(version, [("RESUME", 0), ("NOP", 0), ("RAISE_VARARGS", 0)])
    closed = replace(inner, freevars=("x",))
    names = list(table(version).contract)
    trusting = replace(inner, argcount=1, varnames=(names[0],), localsplusnames=(names[0],))
    plain = FAST_LOCAL
    extra = [(name, FAST_CELL) for name in names if name == ".type_params"]
    slots = [*zip("abcde", (plain, plain, plain, FAST_CELL, plain), strict=True), *extra]
    slots.append(("f", FAST_FREE))
    before = "KW_NAMES" if "KW_NAMES" in table(version).opcodes else "NOP"
    code = built(version, [(before, 0), ("NOP", 0), ("RAISE_VARARGS", 0)])
    return replace(
        code,
        consts=(inner, inner, closed, trusting, None, 1, "s", True, (1, 2), ("k",)),
        names=("a", *names),
        localsplusnames=tuple(name for name, _ in slots),
        localspluskinds=bytes(bits for _, bits in slots),
    )


class Answer(NamedTuple):
    """What a transfer gave."""

    new: list[int]
    slots: int
    faults: set[str]


@cache
def scene(version: str) -> Graph:
    return build(stage(version))


def transfer(version: str, effect: Effect, operands: list[int], slots: int) -> Answer:
    domain = Kinds(scene(version))
    new, after = domain.values_and_locals(AT, effect, operands, slots)
    return Answer(list(new), after, {fault.message for fault in domain.found()})


class Drawn(NamedTuple):
    """Two kinds for each operand and local, the first of them below the second."""

    pairs: list[tuple[int, int]]
    locals: tuple[int, int]
    fits: bool  # operands are made such as the instruction wants


@st.composite
def draws(draw: st.DrawFn, version: str) -> Drawn:
    pairs = []
    for _ in range(5):
        a = draw(a_kind())
        more = draw(st.one_of(st.just(0), a_kind()))
        pairs.append((a, join(a, more)))
    low = high = 0
    for slot in range(len(stage(version).localsplusnames)):
        a = draw(st.sampled_from([1 << bit for bit in range(kinds.LOCAL_BITS)]))
        more = draw(st.one_of(st.just(0), st.integers(0, kinds.LOCAL)))
        low |= a << slot * kinds.LOCAL_BITS
        high |= (a | more) << slot * kinds.LOCAL_BITS
    return Drawn(pairs, (low, high), draw(st.booleans()))


def operands(trial: Trial, drawn: Drawn) -> Iterator[tuple[int, int]]:
    """A pair for each operand, such as it wants if the draw says so."""
    for at, atoms in enumerate(trial.wants):
        a, b = drawn.pairs[at % len(drawn.pairs)]
        if drawn.fits:
            a = whole(a & ~kinds.ATOMS | (a & atoms or atoms & -atoms))
            b = join(a, b & ~kinds.ATOMS | b & atoms)
        yield a, b


def disorder(version: str, trial: Trial, drawn: Drawn) -> str | None:
    """In which way a transfer is not monotone, None if it is."""
    pairs = list(operands(trial, drawn))
    low = transfer(version, trial.effect, [a for a, _ in pairs], drawn.locals[0])
    high = transfer(version, trial.effect, [b for _, b in pairs], drawn.locals[1])
    name = f"{trial.effect.row.name} {trial.effect.oparg} of {pairs}"
    if high.faults:
        return None  # refused; behind a fault the machine goes on with what was wanted
    if low.faults:
        return f"{name} is accepted for knowing less: {low.faults}"
    if low.slots | high.slots != high.slots:
        return f"{name}: locals {low.slots:#x} are not below {high.slots:#x}"
    if len(low.new) != len(high.new) or not all(map(below, low.new, high.new)):
        return f"{name}: {low.new} is not below {high.new}"
    return None


def check(version: str, examples: int) -> None:
    @settings(max_examples=examples, phases=PHASES)
    @given(draws(version))
    def monotone(drawn: Drawn) -> None:
        found = [disorder(version, trial, drawn) for trial in trials(version)]

        assert [] == [text for text in found if text is not None]

    monotone()


@EACH
def test_the_transfer_of_every_opcode_is_monotone(version: str) -> None:
    check(version, 60)


@pytest.mark.exhaustive
@EACH
def test_the_transfer_of_every_opcode_is_monotone_in_many_draws(version: str) -> None:
    check(version, 3_000)


@EACH
def test_every_opcode_is_tried_and_some_trials_are_accepted(version: str) -> None:
    tried = {trial.effect.row.name for trial in trials(version)}
    accepted = set()
    for trial in trials(version):
        taken = [whole(atoms & -atoms) for atoms in trial.wants]
        if not transfer(version, trial.effect, taken, 0).faults:
            accepted.add(trial.effect.row.name)

    base = {row.name for row in table(version).opcodes.values() if row.form == "base"}
    assert {"EXTENDED_ARG"} == base - tried
    assert len(accepted) > 0.8 * len(tried)


@EACH
def test_a_shortcut_gives_what_the_transfer_gives(version: str) -> None:
    short = 0
    domain = Kinds(scene(version))
    for effect, _ in trials(version):
        shortcut = domain.shortcut(effect)
        if shortcut is None:
            continue
        short += 1
        new, refused = shortcut
        for atom in range(kinds.ATOMS.bit_length()):
            kind = whole(1 << atom)
            if not kind & refused or not effect.popped:
                expected = Answer(list(new), 7, set())

                assert expected == transfer(version, effect, [kind] * effect.popped, 7), effect

    assert short > 100


@given(a_kind(), a_kind(), st.booleans())
def test_what_a_test_against_none_leaves_is_monotone(a: int, x: int, none: bool) -> None:
    code = built("3.13", [("COPY", 1), ("POP_JUMP_IF_NONE", 0), ("RETURN_CONST", 0)])
    domain = Kinds(build(code))

    def left(kind: int) -> int | None:
        stack = domain.narrow(1, (EMPTY, kind, 1), none)
        return None if stack is None else stack[1]

    low, high = left(a), left(join(a, x))

    assert low is None or (high is not None and below(low, high))
