"""The abstract machine: termination, cost, random code, and what a domain may ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="not inside Pyodide")

from hypothesis import given
from hypothesis import strategies as st

from coscope.errors import CoscopeError, StackError
from coscope.flow import Effect, Graph, build, find_loops, run
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.depth import Depth, needed
from coscope.flow.domains.expression import Expression, expressions
from coscope.model import Code, Region
from coscope.opcodes import VERSIONS
from tests.flow.building import built, compiled, raw_code


class Counting(Expression):
    """Counts the steps of a run."""

    steps = 0

    def values(self, index: int, effect: Effect, operands: Sequence[Any]) -> Sequence[Any]:
        self.steps += 1
        return super().values(index, effect, operands)


def steps(code: Code) -> float:
    """Steps for each instruction."""
    domain = Counting()
    run(build(code), domain)
    return domain.steps / len(code.instructions)


def long_function(size: int) -> Code:
    """A function of about `size` instructions: loops, branches and handlers."""
    part = """
    for v in x:
        while v and w or x:
            try:
                w = x if v else [w for w in x]
            except KeyError as e:
                continue
"""
    length = len(compiled(f"def f(x, w):\n{part}").instructions)
    return compiled(f"def f(x, w):\n{part * (size // length)}")


def test_the_steps_are_linear_in_the_instructions() -> None:
    short, long = long_function(1_000), long_function(10_000)

    assert len(long.instructions) > 9_000
    assert steps(long) <= 1.1 * steps(short)


def test_deeply_nested_conditions_are_linear() -> None:
    def nested(depth: int) -> Code:
        text = "x"
        for level in range(depth):
            text = f"(x and {text} or w)" if level % 2 else f"(w if x else {text})"
        return compiled(f"def f(x, w):\n    return w({text})")

    assert steps(nested(60)) <= 1.5 * steps(nested(15))


def test_a_chain_of_values_around_a_loop_comes_to_rest() -> None:
    code = built(
        "3.13",
        [
            ("LOAD_FAST", 0),
            ("LOAD_FAST", 1),
            ("BINARY_OP", 0),
            ("LOAD_FAST", 2),
            ("POP_JUMP_IF_NONE", 2),
            ("JUMP_BACKWARD", 8),
            ("RETURN_VALUE", 0),
        ],
    )
    frames = expressions(build(code))

    assert "φ(a, …) + b" == str((frames[-1] or ())[-1])


@st.composite
def soups(draw: st.DrawFn) -> Code:
    """Random instructions, mostly of opcodes that exist."""
    version = draw(st.sampled_from(VERSIONS))
    units = draw(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 12)), max_size=60))
    regions = st.tuples(*[st.integers(0, 40)] * 4, st.booleans())
    found = draw(st.lists(regions, max_size=4))
    table = [
        Region(2 * start, 2 * (start + length), 2 * target, depth % 4, lasti)
        for start, length, target, depth, lasti in found
    ]
    code = raw_code(version, bytes(byte for unit in units for byte in unit))
    if version in ("3.8", "3.9", "3.10"):
        return code
    tabled = built(version, [("NOP", 0)], regions=table)
    return raw_code(version, code.code, tabled.exceptiontable, flags=draw(st.sampled_from([3, 35])))


@given(soups())
def test_random_instructions_raise_nothing_else(code: Code) -> None:
    with suppress(CoscopeError):
        drawn = graph(code)
        find_loops(drawn)
        needed(drawn)
        expressions(drawn)


@st.composite
def sensible(draw: st.DrawFn) -> Code:
    """Random instructions that keep the stack filled, with random jumps."""
    names = ["LOAD_FAST", "BINARY_OP", "COPY", "SWAP", "POP_TOP", "BUILD_TUPLE", "CALL"]
    jumps = ["POP_JUMP_IF_NONE", "JUMP_BACKWARD", "FOR_ITER", "JUMP_FORWARD"]
    body = draw(
        st.lists(
            st.tuples(st.sampled_from([*names * 3, *jumps]), st.integers(1, 3)),
            min_size=5,
            max_size=60,
        )
    )
    return built("3.13", [("LOAD_FAST", 0)] * 9 + body + [("RETURN_CONST", 0)])


@given(sensible())
def test_random_jumps_terminate(code: Code) -> None:
    with suppress(CoscopeError):
        frames = expressions(build(code))

        assert frames[0] is not None


class Noting(Depth):
    """Notes faults, and goes on."""

    def __init__(self) -> None:
        self.faults: list[StackError] = []

    def fault(self, error: StackError) -> None:
        self.faults.append(error)


def test_a_domain_may_note_faults_and_give_up_their_paths() -> None:
    code = built(
        "3.13",
        [
            ("LOAD_FAST", 0),
            ("POP_JUMP_IF_NONE", 2),
            ("POP_TOP", 0),
            ("RETURN_CONST", 0),
            ("SWAP", 2),
            ("RETURN_CONST", 0),
        ],
    )
    domain = Noting()
    frames = run(build(code), domain)

    assert [6, 10] == sorted(fault.offset or 0 for fault in domain.faults)
    assert [True, True, True, False, True, False] == [frame is not None for frame in frames]


class Assigned(Depth):
    """Which locals are assigned: a domain with locals, such as the verifier's."""

    def enter(self, graph: Graph, depth: int) -> tuple[Sequence[None], frozenset[str]]:  # type: ignore[override]
        self.code = graph.code
        return [None] * depth, frozenset(graph.code.varnames[: graph.code.argcount])

    def uses_locals(self, effect: Effect) -> bool:
        return any(access.endswith("local") for access in effect.row.access)

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[None], slots: Any
    ) -> tuple[Sequence[None], Any]:
        names = self.code.instructions.argval(index)
        for access, name in zip(
            effect.row.access, names if isinstance(names, tuple) else (names,), strict=True
        ):
            if access == "write local":
                slots = slots | {name}
            elif access == "delete local":
                slots = slots - {name}
        return self.values(index, effect, operands), slots

    def join_locals(self, block: int, left: Any, right: Any) -> Any:
        return left & right


def test_locals_are_joined_and_reach_handlers_as_they_were_when_it_raised() -> None:
    code = compiled(
        """
        def f(a):
            try:
                b = a()
                c = a()
            except KeyError:
                return handled
            if a:
                d = 1
            return done
        """
    )
    frames = run(build(code), Assigned())
    found = {
        instruction.argval: set(frame.locals)
        for instruction, frame in zip(code.instructions, frames, strict=True)
        if instruction.opname == "LOAD_GLOBAL" and frame is not None
    }

    assert {"a"} == found["handled"]
    assert {"a", "b", "c"} == found["done"]
