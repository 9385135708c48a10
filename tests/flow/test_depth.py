"""Depth of the stack against what the compilers declared, and against hostile code."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path

import pytest

from coscope.errors import CodeError, StackError
from coscope.flow import build
from coscope.flow.domains.depth import depths, needed
from coscope.model import Code, Region
from coscope.readers.from_function import from_code_object
from tests.flow.building import built, compiled, snippet

SAMPLE = 20  # files of the running interpreter's standard library


def sample(seed: int) -> list[Code]:
    """Code objects of a seeded sample of the standard library, compiled here."""
    library = Path(sysconfig.get_path("stdlib"))
    files = sorted(
        path
        for path in library.rglob("*.py")
        if path.is_file() and "site-packages" not in path.parts
    )
    codes: list[Code] = []
    for path in random.Random(seed).sample(files, min(SAMPLE, len(files))):
        try:
            module = compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):  # test data that is not meant to compile
            continue
        codes += from_code_object(module).walk()
    return codes


def test_never_above_the_declared_size() -> None:
    above = [
        (code.filename, code.qualname, needed(build(code)), code.stacksize)
        for code in sample(1)
        if needed(build(code)) > code.stacksize
    ]

    assert [] == above


def test_none_where_and_only_where_nothing_leads() -> None:
    wrong = []
    for code in sample(2):
        graph = build(code)
        found = depths(graph)
        for block in graph.blocks:
            for index in range(block.start, block.stop):
                if (found[index] is not None) != block.reachable:
                    wrong.append((code.qualname, index))

    assert [] == wrong


def test_depth_before_each_instruction() -> None:
    code = compiled("def f(a, b): return a.x + b[0]")
    found = depths(build(code))
    shown = {i.opname: depth for i, depth in zip(code.instructions, found, strict=True)}

    assert 1 == shown["LOAD_ATTR"]
    assert 1 == shown["RETURN_VALUE"]
    assert 2 == shown["BINARY_OP"]


def test_the_called_finally_block_of_38_is_laid_as_for_its_exception() -> None:
    code = snippet("3.8", "exceptions")["ended"]
    found = dict(zip(code.instructions.offsets, depths(build(code)), strict=True))
    call = next(i for i in code.instructions if i.opname == "CALL_FINALLY")

    assert 6 == found[call.argval]
    assert 1 == found[call.end_offset]  # the value to return


@pytest.mark.parametrize("version", ["3.10", "3.11"])
def test_a_generator_finds_the_value_that_starts_it(version: str) -> None:
    code = snippet(version, "generators")["simple"]
    found = depths(build(code))
    first = code.instructions[0].opname

    assert {"GEN_START": 1, "RETURN_GENERATOR": 0}[first] == found[0]


def test_underflow() -> None:
    code = built("3.13", [("NOP", 0), ("POP_TOP", 0), ("RETURN_CONST", 0)])
    with pytest.raises(StackError) as caught:
        depths(build(code))

    assert ("built", 2) == (caught.value.code, caught.value.offset)
    assert "at least 1 slots" == caught.value.expected


def test_paths_that_disagree() -> None:
    code = built(
        "3.13",
        [("LOAD_FAST", 0), ("POP_JUMP_IF_NONE", 1), ("LOAD_FAST", 0), ("RETURN_CONST", 0)],
    )
    with pytest.raises(StackError, match="disagree") as caught:
        depths(build(code))

    assert 8 == caught.value.offset


def test_a_handler_that_expects_too_much() -> None:
    code = built(
        "3.13",
        [("LOAD_NAME", 0), ("RETURN_VALUE", 0), ("RERAISE", 0)],
        regions=[Region(0, 2, 4, 3, False)],
    )
    with pytest.raises(StackError, match="handler") as caught:
        depths(build(code))

    assert ("at least 3 slots", "0") == (caught.value.expected, caught.value.found)


def test_pushing_for_ever() -> None:
    code = built("3.13", [("LOAD_FAST", 0), ("JUMP_BACKWARD", 3)])
    with pytest.raises(StackError, match="disagree"):
        depths(build(code))


@pytest.mark.parametrize(
    "instructions",
    [
        [("LOAD_FAST", 0), ("UNPACK_SEQUENCE", 0x7FFFFFFF), ("RETURN_CONST", 0)],
        [("LOAD_FAST", 0), ("UNPACK_SEQUENCE", 100_000), ("BUILD_TUPLE", 100_000)] * 50
        + [("RETURN_CONST", 0)],
        [("LOAD_FAST", 0)] * 30_000 + [("COPY", 30_000)] * 2_000 + [("RETURN_CONST", 0)],
    ],
    ids=["one", "again and again", "copies"],
)
def test_moving_more_slots_than_makes_sense(instructions: list[tuple[str, int]]) -> None:
    with pytest.raises(CodeError, match="out of all proportion"):
        depths(build(built("3.13", instructions)))


@pytest.mark.parametrize("name", ["BUILD_LIST", "COPY", "SWAP", "CALL", "UNPACK_EX"])
def test_a_negative_oparg_is_no_way_out(name: str) -> None:
    # Four prefixes make a negative number of a C int.
    code = built("3.13", [("LOAD_FAST", 0), (name, 0xFFFFFFFF), ("RETURN_CONST", 0)])
    with pytest.raises(CodeError, match="negative"):
        depths(build(code))
