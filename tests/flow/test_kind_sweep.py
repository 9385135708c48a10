"""The sweep accepts only what the machine accepts, and genuine code at once."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from coscope.errors import CodeError
from coscope.flow.domains.kind import Kinds
from coscope.flow.domains.kind_many import kinds_for
from coscope.flow.domains.kind_sweep import sweep
from coscope.flow.effects import effect_of
from coscope.flow.graph import Graph, build
from coscope.flow.machine import run
from coscope.model import Code, Region
from coscope.opcodes import table
from tests.flow.building import built
from tests.verifier.building import FULL, changed, snippets

DAMAGED = 1_500  # code objects of a version


def _genuine(version: str) -> list[Code]:
    return [code for module in snippets(version) for code in module.walk()]


def _damaged(version: str) -> Iterator[Code]:
    """Code objects with one to three bytes, or a table, changed."""
    random = Random(7)
    codes = [code for code in _genuine(version) if len(code.code) > 8]
    known = [code for code, row in enumerate(table(version).by_code) if row is not None]
    for _ in range(DAMAGED):
        code = random.choice(codes)
        raw = bytearray(code.code)
        for _ in range(random.randint(1, 3)):
            at = random.randrange(0, len(raw), 2)
            if random.random() < 0.5:
                raw[at] = random.choice(known)
            else:
                raw[at + 1] = random.choice((0, 1, 2, 3, raw[at + 1] ^ 1, random.randrange(256)))
        fields = {"exceptiontable": b""} if random.random() < 0.1 else {}
        yield changed(code, code=bytes(raw), **fields)


def _graph(code: Code) -> Graph | None:
    try:
        return build(code)
    except CodeError:
        return None


def _by_machine(graph: Graph) -> int | None:
    """The same answer from the machine."""
    domain = kinds_for(graph)
    try:
        frames = run(graph, domain)
    except CodeError:
        return None
    rows, instructions = graph.table.by_code, graph.code.instructions
    for opcode, oparg, depth in zip(
        instructions.opcodes, instructions.opargs, frames.depths, strict=True
    ):
        row = rows[opcode]
        if depth is None or row is None or row.ends != "return":
            continue
        if depth > effect_of(graph.code.version, opcode, oparg, False).popped:
            return None  # values are left on the stack
    return None if domain.faults else frames.peak


@pytest.mark.parametrize("version", FULL)
def test_what_a_compiler_made_is_accepted_at_once(version: str) -> None:
    for code in _genuine(version):
        graph = build(code)

        assert sweep(graph, Kinds(graph)) == _by_machine(graph) is not None, code.qualname


@pytest.mark.parametrize("version", FULL)
def test_it_accepts_what_the_machine_accepts_and_no_more(version: str) -> None:
    accepted = missed = refused = 0
    for code in _damaged(version):
        graph = _graph(code)
        if graph is None:
            continue
        found, expected = sweep(graph, Kinds(graph)), _by_machine(graph)

        assert found in (None, expected), (code.qualname, code.code.hex())
        accepted += expected is not None
        missed += found != expected
        refused += found is None

    assert accepted > 20
    assert refused > 20
    assert missed <= accepted // 20


def test_what_would_take_too_long_is_left_to_the_machine() -> None:
    """Each instruction that raises would copy a deep stack for its handler."""
    count = 3_000
    pushes = [("LOAD_CONST", 0)] * count
    raising = [("UNARY_NEGATIVE", 0)] * count
    caught = [("POP_TOP", 0), ("LOAD_CONST", 0)]
    code = built(
        "3.13",
        [*pushes, *raising, ("JUMP_BACKWARD", count + 3), *caught, ("JUMP_BACKWARD", 7)],
        regions=[Region(2 * count, 4 * count, 4 * count + 6, count - 1, False)],
    )
    graph = build(code)

    assert sweep(graph, Kinds(graph)) is None
    assert count == _by_machine(graph)
