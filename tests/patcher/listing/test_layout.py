"""Listings laid out again: the same bytes if nothing changed, the same meaning in any case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.patch_identity import forgotten, same_meaning
from coscope.codec import decode_operations
from coscope.codec.unmarshal import load
from coscope.errors import CodeError, Refused
from coscope.flow.regions import find_regions
from coscope.model import Code, Region
from coscope.opcodes import VERSIONS, table
from coscope.patcher.listing.layout import lay_out
from coscope.patcher.listing.listing import Item, decode_listing
from tests.flow.building import DATA, HEADER, built
from tests.patcher.samples import code_of, library

MODERN = [version for version in VERSIONS if table(version).exceptions != "block stack"]


def goldens(version: str) -> list[Code]:
    files = sorted((DATA / version).glob("*.pyc"))
    assert files
    modules = [load(file.read_bytes(), table(version), start=HEADER) for file in files]
    return [code for module in modules for code in module.walk()]


def not_identical(codes: list[Code]) -> list[str]:
    return [code.qualname for code in codes if lay_out(decode_listing(code)) != code]


def another_meaning(codes: list[Code]) -> list[str]:
    return [
        code.qualname
        for code in codes
        if not same_meaning(code, replace(lay_out(forgotten(code)), consts=code.consts))
    ]


def test_an_unchanged_listing_of_the_library_gives_the_same_bytes() -> None:
    codes = [code for module in library(11, 25) for code in module.walk()]

    assert len(codes) > 200
    assert [] == not_identical(codes)


def test_a_listing_without_memory_of_the_bytes_means_the_same() -> None:
    codes = [code for module in library(12, 6) for code in module.walk()]

    assert len(codes) > 50
    assert [] == another_meaning(codes)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unchanged_listing_of_each_version_gives_the_same_bytes(version: str) -> None:
    assert [] == not_identical(goldens(version))


@pytest.mark.parametrize("version", MODERN)
def test_a_listing_of_each_version_without_memory_means_the_same(version: str) -> None:
    assert [] == another_meaning(goldens(version))


def test_prefixes_that_are_not_needed_stay() -> None:
    code = built("3.13", [("RESUME", 0), ("LOAD_FAST", 0), ("RETURN_VALUE", 0)])
    prefix = bytes([table("3.13").extended_arg, 0])
    padded = replace(code, code=code.code[:2] + prefix + code.code[2:])

    assert padded == lay_out(decode_listing(padded))


def test_a_jump_that_grows_takes_its_neighbours_along() -> None:
    code = code_of("def f(a):\n while a:\n  a = a - 1\n return a")
    listing = decode_listing(code)
    nop = listing.rules.opcodes["NOP"].code
    inside = len(listing) // 2
    model = listing.items[inside]
    grown = [Item(nop, place=model.place, handler=model.handler) for _ in range(300)]
    listing.weave({inside: grown})
    new = lay_out(listing)
    prefixed = [op for op in decode_operations(new) if op.prefixes]

    assert prefixed
    assert new.stacksize == code.stacksize
    for old, laid in zip(decode_listing(code).items, kept(new, nop), strict=True):
        assert (old.opcode, old.place.span) == (laid.opcode, laid.place.span)
        assert (old.target is None) == (laid.target is None)


def kept(code: Code, nop: int) -> list[Item]:
    return [item for item in decode_listing(code).items if item.opcode != nop]


def test_the_stack_size_follows_the_instructions() -> None:
    code = code_of("def f(a): return a")
    listing = decode_listing(code)
    rules = listing.rules
    push, pop = rules.opcodes["PUSH_NULL"].code, rules.opcodes["POP_TOP"].code
    listing.weave({1: [Item(push), Item(push), Item(push), *(Item(pop) for _ in range(3))]})

    assert code.stacksize + 2 == lay_out(listing).stacksize


def test_a_removed_target_is_replaced_by_what_follows() -> None:
    code = code_of("def f(a):\n if a:\n  a = 1\n return a")
    listing = decode_listing(code)
    target = next(item.target for item in listing if item.target is not None)
    at = listing.items.index(target)
    following = listing.items[at + 1]
    listing.exchange({at: []})

    assert [following] == [item.target for item in listing if item.target is not None]


def test_a_jump_to_a_removed_end_is_refused() -> None:
    code = built("3.13", [("RESUME", 0), ("JUMP_FORWARD", 0), ("RETURN_CONST", 0)])
    listing = decode_listing(code)

    with pytest.raises(Refused, match="removed end"):
        listing.exchange({2: []})


def test_a_target_outside_of_the_listing_is_refused() -> None:
    code = built("3.13", [("RESUME", 0), ("JUMP_FORWARD", 0), ("RETURN_CONST", 0)])
    listing = decode_listing(code)
    listing.items[1].target = Item(0)

    with pytest.raises(Refused, match="not there"):
        lay_out(listing)


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ([Region(2, 6, 4, 0, False), Region(4, 6, 4, 0, False)], "overlaps"),
        ([Region(2, 2, 4, 0, False)], "empty"),
        ([Region(2, 4, 8, 0, False)], "inside an instruction"),
    ],
)
def test_regions_that_the_compiler_never_writes_are_refused(
    regions: list[Region], message: str
) -> None:
    instructions = [("RESUME", 0), ("LOAD_FAST", 0), ("RETURN_VALUE", 0)]
    code = built("3.13", instructions, regions=regions)

    with pytest.raises(CodeError, match=message):
        decode_listing(code)


def test_code_that_moves_is_refused_before_311() -> None:
    code = goldens("3.9")[1]
    listing = decode_listing(code)
    listing.weave({0: [Item(listing.rules.opcodes["NOP"].code)]})

    with pytest.raises(Refused, match="cannot be moved"):
        lay_out(listing)


def test_equal_neighbours_of_the_exception_table_stay_apart() -> None:
    instructions = [
        ("RESUME", 0),
        ("NOP", 0),
        ("NOP", 0),
        ("RETURN_CONST", 0),
        ("RERAISE", 0),
    ]
    regions = [Region(2, 4, 8, 0, False), Region(4, 6, 8, 0, False)]
    code = built("3.13", instructions, regions=regions)

    assert tuple(regions) == find_regions(lay_out(decode_listing(code)))
