"""The kind domain does what the tables declare, and what it knows is used where it must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from coscope.flow import Effect, Graph, build, run
from coscope.flow.domains import kind_makers
from coscope.flow.domains.kind import Kinds
from coscope.flow.domains.kind_many import ManyKinds
from coscope.flow.domains.kind_plans import kept_plan_of
from coscope.flow.effects import effect_of
from coscope.flow.graph import Block
from coscope.model import Code, Region
from coscope.opcodes import VERSIONS, Opcode, table
from coscope.opcodes.kinds import describe
from tests.flow.building import DATA, built, compiled, snippet

EACH = pytest.mark.parametrize("version", VERSIONS)


class Checked(Kinds):
    """Compares what each transfer takes and gives with the row of the table."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.executed: set[int] = set()
        self.wrong: list[str] = []

    def values_and_locals(
        self, index: int, effect: Effect, operands: Sequence[int], slots: int
    ) -> tuple[Sequence[int], int]:
        new, after = super().values_and_locals(index, effect, operands, slots)
        row, oparg = effect.row, effect.oparg
        self.executed.add(index)
        if len(operands) != row.popped(oparg):
            self.wrong.append(f"{index} {row.name} takes {len(operands)}")
        if len(new) != effect.fresh or not all(isinstance(kind, int) and kind for kind in new):
            self.wrong.append(f"{index} {row.name} makes {list(new)}, not {effect.fresh} kinds")
        if after < 0 or after.bit_length() > 9 * self.size:
            self.wrong.append(f"{index} {row.name} leaves more locals than there are")
        return new, after

    def shortcut(self, effect: Effect) -> tuple[Sequence[int], int] | None:
        short = super().shortcut(effect)
        if short is not None and len(short[0]) != effect.fresh:
            self.wrong.append(f"{effect.row.name} makes {list(short[0])}, not {effect.fresh} kinds")
        return short


class Asked(Kinds):
    """The same without a shortcut: the machine asks for every instruction."""

    def shortcut(self, effect: Effect) -> None:
        return None


def mistakes(code: Code) -> Iterator[str]:
    """Where the machine does something else than the table declares."""
    graph = build(code)
    domain = Checked(graph)
    frames = run(graph, domain)
    yield from domain.wrong
    depths = frames.depths
    rows = table(code.version).by_code
    columns = code.instructions
    for index, depth in enumerate(depths):
        effect = effect_of(
            code.version, columns.opcodes[index], columns.opargs[index], False, domain.renewed
        )
        if depth is not None and index not in domain.executed and domain.shortcut(effect) is None:
            yield f"{index} {effect.row.name} has a frame, and was not executed"
    for block in graph.blocks:
        for index in range(block.start, block.stop):
            depth, row = depths[index], rows[code.instructions.opcodes[index]]
            if depth is None or row is None:
                continue
            oparg = code.instructions.opargs[index]
            for target, jump in after(graph, block, index, row):
                expected = depth - row.popped(oparg) + row.pushed(oparg, jump)
                shut = depths[target] is None and row.tests in ("none", "not none")
                if depths[target] != expected and not shut:
                    yield f"{index} {row.name}: depth {depths[target]} after it, not {expected}"


def after(graph: Graph, block: Block, index: int, row: Opcode) -> list[tuple[int, bool]]:
    """The instructions that come next, and whether the jump leads there."""
    if index + 1 < block.stop:
        return [(index + 1, False)]
    return [
        (graph.blocks[edge.target].start, edge.jumps)
        for edge in block.edges
        if edge.kind != "exception" and row.blocks is None
    ]


def samples(version: str) -> Iterator[Code]:
    for path in sorted((DATA / version).glob("*.pyc")):
        yield from snippet(version, path.stem).values()


@EACH
def test_the_machine_does_what_the_table_declares(version: str) -> None:
    codes = list(samples(version))
    found = [(code.qualname, text) for code in codes for text in mistakes(code)]

    assert len(codes) > 50
    assert [] == found


@pytest.fixture
def fresh_plans() -> Iterator[None]:
    """Plans hold the makers: forget them before and after one is broken."""
    kept_plan_of.cache_clear()
    yield
    kept_plan_of.cache_clear()


@pytest.mark.parametrize("maker", sorted(kind_makers.MAKERS))
def test_a_wrong_maker_is_found(
    maker: str, monkeypatch: pytest.MonkeyPatch, fresh_plans: None
) -> None:
    right = kind_makers.MAKERS[maker]

    def wrong(*arguments: Any) -> Sequence[int]:
        return [*right(*arguments), 1]

    monkeypatch.setitem(kind_makers.MAKERS, maker, wrong)
    version = next(v for v in reversed(VERSIONS) if maker in made(v))
    found = [text for code in samples(version) for text in mistakes(code)]

    assert any("makes" in text for text in found)


def made(version: str) -> set[str | None]:
    rules = table(version)
    return {row.makes for row in (*rules.opcodes.values(), *rules.intrinsics.values())}


def test_a_wrong_transfer_of_locals_is_found(
    monkeypatch: pytest.MonkeyPatch, fresh_plans: None
) -> None:
    right = Kinds.touch

    def wrong(self: Kinds, index: int, *arguments: Any) -> tuple[Sequence[int], int]:
        new, slots = right(self, index, *arguments)
        return new[1:], slots

    monkeypatch.setattr(Kinds, "touch", wrong)

    assert any("makes" in text for code in samples("3.13") for text in mistakes(code))


def on_top(code: Code, index: int) -> str:
    """The uppermost value before an instruction, in words."""
    graph = build(code)
    frame = run(graph, Kinds(graph))[index]

    assert frame is not None
    return describe(frame[-1])


INNER = built("3.13", [("RESUME", 0), ("RETURN_CONST", 0)])
CLOSED = replace(INNER, freevars=("x",))
GENERATOR_EXPRESSION = replace(INNER, argcount=1, varnames=(".0",), localsplusnames=(".0",))
CONSTS = (None, 1, "s", ("k", "l"), (1,), INNER, CLOSED, GENERATOR_EXPRESSION, True, 1.5)


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ([("LOAD_CONST", 0)], "None"),
        ([("LOAD_CONST", 1)], "int"),
        ([("LOAD_CONST", 8)], "bool"),
        ([("LOAD_CONST", 9)], "object"),
        ([("LOAD_CONST", 3)], "tuple of names (2)"),
        ([("LOAD_CONST", 4)], "tuple (1)"),
        ([("LOAD_CONST", 2), ("LOAD_CONST", 2), ("BUILD_TUPLE", 2)], "tuple of names (2)"),
        ([("LOAD_CONST", 2), ("LOAD_CONST", 1), ("BUILD_TUPLE", 2)], "tuple (2)"),
        ([("BUILD_TUPLE", 0)], "tuple (0)"),
        ([("BUILD_LIST", 0)], "list of exceptions"),
        ([("BUILD_LIST", 0), ("LOAD_CONST", 0), ("LIST_APPEND", 1)], "list of exceptions"),
        ([("BUILD_LIST", 0), ("LOAD_CONST", 1), ("LIST_APPEND", 1)], "list or list of exceptions"),
        ([("BUILD_LIST", 0), ("LOAD_CONST", 4), ("LIST_EXTEND", 1)], "list"),
        ([("BUILD_LIST", 0), ("COPY", 1)], "list"),
        ([("LOAD_CONST", 1), ("LOAD_CONST", 1), ("COMPARE_OP", 0)], "bool"),
        ([("LOAD_CONST", 1), ("LOAD_CONST", 9), ("COMPARE_OP", 0)], "object or bool"),
        ([("LOAD_CONST", 1), ("LOAD_CONST", 9), ("COMPARE_OP", 16)], "bool"),
        ([("LOAD_CONST", 5), ("MAKE_FUNCTION", 0)], "function"),
        ([("LOAD_CONST", 6), ("MAKE_FUNCTION", 0)], "unfinished function"),
        ([("LOAD_CONST", 7), ("MAKE_FUNCTION", 0)], "unfinished function"),
        ([("LOAD_FAST", 0)], "object"),
        ([("DELETE_FAST", 0), ("LOAD_FAST_CHECK", 0)], "object"),
        ([("LOAD_FAST_AND_CLEAR", 0)], "object"),
        ([("MAKE_CELL", 0), ("LOAD_FAST", 0)], "cell"),
        ([("MAKE_CELL", 0), ("LOAD_FAST", 0), ("BUILD_TUPLE", 1)], "tuple of cells (1)"),
    ],
)
def test_what_is_known_of_a_value(instructions: list[tuple[str, int]], expected: str) -> None:
    ending = [("POP_TOP", 0), ("RETURN_CONST", 0)]

    assert expected == on_top(
        built("3.13", instructions + ending, consts=CONSTS), len(instructions)
    )


def test_a_closure_finishes_a_function() -> None:
    code = built(
        "3.13",
        [
            ("MAKE_CELL", 0),
            ("LOAD_FAST", 0),
            ("BUILD_TUPLE", 1),
            ("LOAD_CONST", 6),
            ("MAKE_FUNCTION", 0),
            ("SET_FUNCTION_ATTRIBUTE", 8),
            ("RETURN_VALUE", 0),
        ],
        consts=CONSTS,
    )

    assert "unfinished function" == on_top(code, 5)
    assert "function" == on_top(code, 6)


def test_a_test_against_none_tells_of_what_was_copied() -> None:
    code = built(
        "3.13",
        [
            ("SETUP_ANNOTATIONS", 0),  # may raise
            ("RETURN_CONST", 0),
            ("PUSH_EXC_INFO", 0),
            ("SWAP", 2),
            ("COPY", 1),
            ("POP_JUMP_IF_NONE", 2),
            ("POP_TOP", 0),
            ("RERAISE", 0),
            ("POP_TOP", 0),
            ("RERAISE", 0),
        ],
        regions=[Region(0, 2, 4, 0, False)],
    )

    assert "exception or None" == on_top(code, 4)
    assert "exception" == on_top(code, 6)
    assert "None" == on_top(code, 8)


@EACH
def test_the_shortcuts_change_nothing(version: str) -> None:
    for code in samples(version):
        graph = build(code)
        quick, asked = Kinds(graph), Asked(graph)
        left, right = run(graph, quick), run(graph, asked)

        assert list(right) == list(left)
        assert asked.found() == quick.found()


def many_locals(count: int) -> Code:
    """A function that gives locals values on some paths and reads them, cells and free ones too."""
    stores = "".join(f"    if a: x{n} = b\n    else: x{n * 7 % count} = a\n" for n in range(count))
    reads = "".join(f"    del x{n}\n    print(x{n})\n" for n in range(0, count, 9))
    return compiled(f"def f(a, b):\n{stores}    lambda: (x3, x{count - 1})\n{reads}")


@pytest.mark.parametrize("count", [40, 300, 1_100])
def test_many_locals_are_followed_as_few_are(count: int) -> None:
    code = many_locals(count)
    graph = build(code)
    few, many = Kinds(graph), ManyKinds(graph)
    one, tree = run(graph, few), run(graph, many)

    assert list(map(tuple, one)) == list(map(tuple, tree))
    for index in range(0, len(one), 97):
        left, right = one[index], tree[index]
        assert left is not None
        assert right is not None
        assert [few.get(left.locals, n) for n in range(few.size)] == [
            many.get(right.locals, n) for n in range(few.size)
        ]
    assert few.found() == many.found()


def test_an_unassigned_local_is_found_among_many() -> None:
    code = many_locals(300)
    if code.version == "3.11":
        pytest.skip("LOAD_FAST looks by itself")
    rows = table(code.version).opcodes
    checks, loads = (rows[name].code for name in ("LOAD_FAST_CHECK", "LOAD_FAST"))
    raw = bytearray(code.code)
    raw[::2] = raw[::2].replace(bytes([checks]), bytes([loads]))
    graph = build(replace(code, code=bytes(raw)))
    domain = ManyKinds(graph)
    run(graph, domain)

    assert {"unassigned"} == {fault.group for fault in domain.found()}
