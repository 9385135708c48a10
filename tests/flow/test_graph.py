"""Control-flow graphs: shapes, labels, and hostile code."""

from __future__ import annotations

import pytest

from coscope.errors import CodeError
from coscope.flow import Graph, build, find_dominators, find_loops
from coscope.flow.domains.conditions import graph
from coscope.model import Code, Region
from coscope.opcodes import VERSIONS
from tests.flow.building import built, compiled, raw_code, snippet

ALL = pytest.mark.parametrize("version", VERSIONS)


def conditions_of(code: Code) -> list[tuple[str, str | None]]:
    """Kind and label of the conditional edges, in block order."""
    return [
        (edge.kind, edge.label)
        for block in graph(code).blocks
        for edge in block.edges
        if edge.kind in ("true", "false")
    ]


def decision(drawn: Graph, outcomes: dict[str, bool]) -> str:
    """Name of the block where the conditions, so answered, lead from the entry."""
    block = drawn.blocks[0]
    while True:
        ways = {edge.kind: edge for edge in block.edges}
        if "true" in ways:
            label = ways["true"].label
            edge = ways["true" if outcomes[str(label)] else "false"]
        elif ways:
            edge = ways.get("next") or ways["jump"]
        else:
            return block.name
        block = drawn.blocks[edge.target]


def test_short_circuits_decide_as_python_does() -> None:
    drawn = graph(
        compiled(
            """
            def f(a, b, c):
                if a and b or c:
                    return f()
                return a()
            """
        )
    )
    for bits in range(8):
        a, b, c = bits & 1, bits & 2, bits & 4
        end = decision(drawn, {"a": bool(a), "b": bool(b), "c": bool(c)})
        block = drawn.blocks[int(end[1:])]
        loaded = {i.argval for i in drawn.code.instructions[block.start : block.stop]}

        assert bool((a and b) or c) == ("f" in loaded)


@ALL
def test_both_ways_carry_the_condition(version: str) -> None:
    found = conditions_of(snippet(version, "conditions")["tests"])
    # From 3.11 on a comparison with None is one test, "a is None", that the jump may negate.
    none = "a is None" if ("true", "a is None") in found else "a is not None"

    assert {"a", "b", "c", "c is None", none} == {label for _, label in found}
    assert sorted(label for kind, label in found if kind == "true") == sorted(
        label for kind, label in found if kind == "false"
    )


@ALL
def test_a_for_loop_fetches_or_is_exhausted(version: str) -> None:
    code = snippet(version, "loops")["counted"]
    drawn = graph(code)
    header = next(
        block for block in drawn.blocks if code.instructions[block.stop - 1].opname == "FOR_ITER"
    )

    assert {"next": "next(iter(xs))", "jump": "exhausted"} == {
        edge.kind: edge.label for edge in header.edges
    }


@ALL
def test_loops_nest(version: str) -> None:
    found = find_loops(build(snippet(version, "loops")["nested"]))

    assert [1, 2, 3] == [loop.depth for loop in found]
    assert [None, 0, 1] == [loop.parent for loop in found]
    assert [False] * 3 == [loop.irreducible for loop in found]


@ALL
def test_every_protected_block_leads_to_its_handler(version: str) -> None:
    drawn = build(snippet(version, "exceptions")["nested"])
    offsets = drawn.code.instructions.offsets
    targets = [
        (offsets[drawn.blocks[edge.target].start], block.region and block.region.target)
        for block in drawn.blocks
        for edge in block.edges
        if edge.kind == "exception"
    ]

    assert len(targets) >= 3
    assert [target for target, _ in targets] == [handler for _, handler in targets]


@ALL
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("withs", "looped"),
        ("generators", "guarded"),
        ("coroutines", "managed"),
        ("coroutines", "produced"),
        ("comprehensions", "nested"),
        ("exceptions", "looped"),
    ],
)
def test_blocks_cover_the_code_and_start_where_control_arrives(
    version: str, file: str, name: str
) -> None:
    drawn = build(snippet(version, file)[name])
    bounds = [(block.start, block.stop) for block in drawn.blocks]
    targets = {
        drawn.code.instructions.at(target).index for target in drawn.code.instructions.jump_targets
    }

    assert [stop for _, stop in bounds[:-1]] == [start for start, _ in bounds[1:]]
    assert (0, len(drawn.code.instructions)) == (bounds[0][0], bounds[-1][1])
    assert targets - {start for start, _ in bounds} <= set()


def test_match_cases_are_tried_in_turn() -> None:
    drawn = graph(
        compiled(
            """
            def f(v):
                match v:
                    case [1, x]: return x
                    case {"k": y}: return y
            """
        )
    )
    labels = [edge.label for block in drawn.blocks for edge in block.edges if edge.kind == "true"]

    assert "isinstance(v, Sequence)" == labels[0]
    assert "isinstance(v, Mapping)" in labels


def test_unreachable_blocks_are_kept_and_marked() -> None:
    drawn = build(built("3.13", [("RETURN_CONST", 0), ("NOP", 0), ("RETURN_CONST", 0)]))

    assert [True, False] == [block.reachable for block in drawn.blocks]
    assert (None, None) == find_dominators(drawn)


def test_irreducible_loops_are_marked() -> None:
    # The loop of bytes 4 to 12 is entered at 4 by falling through, and at 8 by the first jump.
    drawn = build(
        built(
            "3.8",
            [
                ("LOAD_FAST", 0),
                ("POP_JUMP_IF_TRUE", 8),
                ("NOP", 0),
                ("NOP", 0),
                ("NOP", 0),
                ("LOAD_FAST", 1),
                ("POP_JUMP_IF_TRUE", 4),
                ("LOAD_FAST", 0),
                ("RETURN_VALUE", 0),
            ],
        )
    )

    assert [True] == [loop.irreducible for loop in find_loops(drawn)]


def test_thousands_of_nested_loops_are_refused() -> None:
    # Each jump leads one instruction further back than the one before: loop around loop.
    size, apart = 3_000, 300
    jumps = [
        unit
        for number in range(size)
        for unit in (
            ("LOAD_FAST", 0),
            ("POP_JUMP_BACKWARD_IF_NONE", apart + 4 * (number + 1)),
        )
    ]
    ends = [("LOAD_CONST", 0), ("RETURN_VALUE", 0)]
    code = built("3.11", [("NOP", 0)] * (size + apart) + jumps + ends)
    with pytest.raises(CodeError, match="nested"):
        find_loops(build(code))


HOSTILE = {
    "jump out of the code": built("3.13", [("JUMP_FORWARD", 100)]),
    "jump before the code": built("3.13", [("JUMP_BACKWARD", 100)]),
    "jump into a cache": built("3.13", [("JUMP_BACKWARD", 1)]),
    "jump behind a prefix": built("3.8", [("LOAD_CONST", 256), ("JUMP_ABSOLUTE", 2)]),
    "falls off the end": built("3.13", [("NOP", 0)]),
    "no instructions": raw_code("3.13", b""),
    "no such opcode": raw_code("3.13", bytes([225, 0])),
    "handler out of the code": built(
        "3.13", [("LOAD_NAME", 0), ("RETURN_VALUE", 0)], regions=[Region(0, 2, 40, 0, False)]
    ),
    "region out of the code": built(
        "3.13", [("LOAD_NAME", 0), ("RETURN_VALUE", 0)], regions=[Region(0, 40, 2, 0, False)]
    ),
    "handler inside an instruction": built(
        "3.13",
        [("LOAD_GLOBAL", 0), ("RETURN_VALUE", 0)],
        regions=[Region(0, 10, 4, 0, False)],
    ),
    "block never opened": built("3.8", [("POP_BLOCK", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)]),
    "blocks disagree": built(
        "3.8",
        [
            ("LOAD_CONST", 0),
            ("POP_JUMP_IF_TRUE", 6),
            ("SETUP_FINALLY", 0),
            ("LOAD_CONST", 0),
            ("RETURN_VALUE", 0),
        ],
    ),
    "setup leads out": built(
        "3.8", [("SETUP_FINALLY", 100), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)]
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_code_is_refused_with_its_name(case: str) -> None:
    with pytest.raises(CodeError) as caught:
        graph(HOSTILE[case])

    assert "built" == caught.value.code


def test_a_wrong_stack_costs_the_labels_only() -> None:
    drawn = graph(
        built(
            "3.13", [("LOAD_FAST", 0), ("POP_JUMP_IF_NONE", 1), ("POP_TOP", 0), ("RETURN_CONST", 0)]
        )
    )

    assert [("false", None), ("true", None)] == [
        (edge.kind, edge.label) for edge in drawn.blocks[0].edges
    ]


def test_overlapping_regions_belong_to_the_first() -> None:
    # The interpreter takes the first entry that covers the instruction; no compiler overlaps them.
    code = built(
        "3.13",
        [("LOAD_NAME", 0), ("LOAD_NAME", 0), ("RETURN_VALUE", 0), ("RERAISE", 0), ("RERAISE", 0)],
        regions=[Region(0, 4, 6, 0, False), Region(2, 6, 8, 0, False)],
    )
    drawn = build(code)

    assert [6, 6, 8, None, None] == [
        block.region and block.region.target
        for block in drawn.blocks
        for _ in range(block.start, block.stop)
    ]


def test_many_overlapping_regions_cost_no_more() -> None:
    size = 20_000
    code = built(
        "3.13",
        [("NOP", 0)] * size + [("RETURN_CONST", 0)],
        regions=[Region(2 * n, 2 * size, 2 * size, 0, False) for n in range(size)],
    )

    assert size + 1 == len(build(code).blocks)
