"""What a change of constants inherits: the lemma by brute force, and what may be trusted."""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

import coscope
from coscope.model import Code
from coscope.opcodes import table
from coscope.patcher import known, verdicts
from coscope.patcher.applying.apply import apply
from coscope.patcher.applying.plain import PLAIN, exchanged
from coscope.patcher.edits.model import AtOnce, ReplaceConstant
from coscope.readers.from_function import HOST_VERSION, from_code_object
from coscope.verifier import verify
from tests.patcher.samples import function

MODULES = (argparse, dataclasses, json.decoder, random, textwrap)  # type: ignore[attr-defined]
_OTHER: dict[type, tuple[Any, ...]] = {
    int: (0, 1, -1, 255, 256, 1 << 70),
    float: (0.0, -0.0, 2.5, float("nan")),
    complex: (0j, 1j),
    bytes: (b"", b"abc"),
    str: ("", "x", "__class__", "\ud800"),
}


def codes(module: ModuleType) -> Iterator[CodeType]:
    """Every code object of a module's functions."""
    pending: list[object] = []
    for value in vars(module).values():
        inner = vars(value).values() if isinstance(value, type) else (value,)
        pending += [each.__code__ for each in inner if isinstance(each, FunctionType)]
    while pending:
        co = pending.pop()
        if isinstance(co, CodeType):
            yield co
            pending += co.co_consts


def other(draw: random.Random, code: Code) -> Code:
    """The code with every plain constant exchanged for another one of its type."""
    consts = tuple(
        draw.choice(_OTHER[type(each)]) if type(each) in PLAIN else each for each in code.consts
    )
    small = table(code.version).opcodes.get("LOAD_SMALL_INT")
    raw = bytearray(code.code)
    columns = code.instructions
    for at, opcode in enumerate(columns.opcodes):
        plain = not at or columns.opcodes[at - 1] != table(code.version).extended_arg
        if small is not None and opcode == small.code and plain:
            raw[columns.offsets[at] + 1] = draw.randrange(256)
    return replace(code, consts=consts, code=bytes(raw))


def verdict(code: Code) -> list[tuple[object, ...]]:
    report = verify(code)
    return [(each.rule, each.offset) for each in (*report.violations, *report.undecided)]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_genuine_code_with_other_constants_has_the_same_verdict(module: ModuleType) -> None:
    draw = random.Random(16)
    for co in list(codes(module))[:60]:
        code = from_code_object(co)

        assert [] == verdict(other(draw, code)), co


def test_damaged_code_with_other_constants_has_the_same_verdict() -> None:
    draw = random.Random(1616)
    every = [from_code_object(co) for module in MODULES for co in codes(module)]
    bad = 0
    for _ in range(400):
        code = draw.choice([each for each in every if len(each.code) < 200])
        raw = bytearray(code.code)
        for _ in range(draw.randint(1, 3)):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        damaged = replace(code, code=bytes(raw))
        try:
            found = verdict(damaged)
            exchanged_code = other(draw, damaged)
        except coscope.CoscopeError:
            continue
        bad += bool(found)

        assert found == verdict(exchanged_code)
    assert bad > 100


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_direct_way_makes_what_the_other_way_makes(module: ModuleType) -> None:
    direct = 0
    for co in codes(module):
        code = from_code_object(co)
        plain = {repr(each): each for each in co.co_consts if type(each) in PLAIN}
        for old in list(plain.values())[:6]:
            new = type(old)(7) if type(old) in (int, float, complex) else old + old[:1] * 3
            made = exchanged(co, ((old, new),), HOST_VERSION)
            if made is None:
                continue
            direct += 1
            edited = apply(code, [ReplaceConstant(old=old, new=new)])

            assert (edited.code, list(map(repr, edited.consts))) == (
                made[0],
                list(map(repr, from_code_object(co.replace(co_consts=made[1])).consts)),
            ), (co, old)
    assert direct


def test_it_swaps_too() -> None:
    f = function("def f(): return g(1000, 2000), g(3, 4)", g=lambda *values: values)
    edits = (ReplaceConstant(old=3, new=4), ReplaceConstant(old=4, new=3))

    assert ((2000, 1000), (3, 4)) == coscope.patch(f, constants={1000: 2000, 2000: 1000})()
    assert ((1000, 2000), (4, 3)) == coscope.patch(f, constants={3: 4, 4: 3})()
    assert ((1000, 2000), (4, 3)) == coscope.patch(f, edits=[AtOnce(edits=edits)])()


def test_a_receipt_that_is_read_later_is_the_whole_one() -> None:
    f = function("def f(x): return x + 30")
    patched = coscope.patch(f, constants={30: 5})
    receipt = patched.receipt

    assert ("constant 30 -> 5",) == receipt.changes
    assert receipt.report.ok
    assert receipt.before != receipt.after
    assert receipt is coscope.receipt_of(patched)
    with pytest.raises(AttributeError):
        _ = receipt.nothing


def underflowing(co: CodeType) -> CodeType:
    """The code with its second instruction popping what is not there."""
    raw = bytearray(co.co_code)
    offset = from_code_object(co).instructions.offsets[1]
    raw[offset : offset + 2] = table(HOST_VERSION).opcodes["POP_TOP"].code, 0
    return co.replace(co_code=bytes(raw))


def test_a_bad_original_is_refused_whoever_asks() -> None:
    f = function("def f(x): return x + 30")
    f.__code__ = underflowing(f.__code__)

    for _ in range(2):
        with pytest.raises(coscope.NotVerified):
            coscope.patch(f, constants={30: 5})


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of its own, read anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    verdicts.forget()
    known.forget()
    yield tmp_path
    verdicts.forget()
    known.forget()


def test_a_good_verdict_is_kept_for_the_next_process(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    f = function("def f(x): return x + 30")
    coscope.patch(f, constants={30: 5})
    known.save()
    verdicts.forget()
    known.forget()

    def never(code: object) -> None:
        raise AssertionError("it was verified again")

    monkeypatch.setattr("coscope.patcher.verdicts.verify", never)
    assert 6 == coscope.patch(f, constants={30: 5})(1)
    assert 1 == len(list(kept.rglob("*.good")))


@pytest.mark.parametrize("damage", [b"", b"x" * 7, b"\0" * 64])
def test_a_damaged_file_only_costs_time(kept: Path, damage: bytes) -> None:
    f = function("def f(x): return x + 30")
    coscope.patch(f, constants={30: 5})
    known.save()
    [file] = kept.rglob("*.good")
    file.write_bytes(damage)
    verdicts.forget()
    known.forget()

    assert 6 == coscope.patch(f, constants={30: 5})(1)


def test_a_false_entry_lets_no_other_code_through(kept: Path) -> None:
    """It vouches for what runs already; data, and edits of instructions, are verified."""
    f = function("def f(x): return x + 30")
    bad = underflowing(f.__code__)
    known.add(bad)
    f.__code__ = bad

    with pytest.raises(coscope.NotVerified):
        coscope.edit(f).constant(30, 5).build()
    with pytest.raises(coscope.NotVerified):
        coscope.patch(f, constants={30: "text"})


def test_code_that_rests_on_its_cells_is_never_kept(kept: Path) -> None:
    def outer() -> Any:
        return (30 for _ in ())

    co = next(each for each in outer.__code__.co_consts if isinstance(each, CodeType))
    verdicts.now_good(co)

    assert not verdicts.is_good(co)
