"""A hook on entry without a listing: as with one, position by position and handler by handler."""

from __future__ import annotations

import argparse
import asyncio.tasks
import contextlib
import json.decoder
import textwrap
from types import ModuleType
from typing import Any

import pytest

from coscope.codec.regions import decode_regions
from coscope.model import Code
from coscope.opcodes import table
from coscope.patcher.applying import calls
from coscope.patcher.applying.apply import apply
from coscope.patcher.applying.entry import hook_on_entry
from coscope.patcher.edits.model import InsertCall, Literal, Variable
from coscope.readers.from_function import from_code_object
from coscope.verifier import verify
from tests.patcher.live import patched
from tests.patcher.samples import code_of, function
from tests.patcher.test_inheritance import codes

PLAIN = InsertCall(call=Literal(None), args=(Literal("argument"),))
MODULES = (argparse, asyncio.tasks, contextlib, json.decoder, textwrap)  # type: ignore[attr-defined]


def meaning(code: Code) -> list[Any]:
    """Instructions with jumps by number, positions and handlers."""
    columns = code.instructions
    number = {offset: at for at, offset in enumerate(columns.offsets)}
    lines: list[Any] = []
    for at in range(len(columns)):
        target = columns.jump_target(at)
        shown = columns.argval(at) if target is None else number[target]
        lines.append((columns.opname(at), str(shown), columns.positions[at]))
    for region in decode_regions(code.exceptiontable):
        ends = (number[region.start], number.get(region.stop, len(number)), number[region.target])
        lines.append((*ends, region.depth, region.keeps_lasti))
    return lines


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_it_is_what_a_listing_makes(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = 0
    every = [from_code_object(co) for co in codes(module)]
    made = [hook_on_entry(code, PLAIN) for code in every]
    monkeypatch.setattr(calls, "hook_on_entry", lambda code, edit: None)
    for code, found in zip(every, made, strict=True):
        if found is None:
            continue
        direct += 1
        listed = apply(code, [PLAIN])

        assert meaning(listed) == meaning(found), code
        assert (listed.consts, listed.names) == (found.consts, found.names)
        assert code.stacksize <= found.stacksize <= max(listed.stacksize, code.stacksize)
        assert verify(found).ok
    assert direct > 0.8 * len([code for code in every if code.name[:1] != "<"])


def test_what_is_not_plain_is_left_to_the_listing() -> None:
    code = code_of("def f(x): return x")

    assert hook_on_entry(code, InsertCall(call=Literal(None), args=(Variable("x"),))) is None
    assert hook_on_entry(from_code_object((lambda: 0).__code__), PLAIN) is None
    assert hook_on_entry(code, PLAIN) is not None


def test_many_constants_need_prefixes() -> None:
    names = ", ".join(f"g({number}.5)" for number in range(300))
    f = function(f"def f(x):\n    return [x, {names}][1]\n", g=lambda each: each)
    seen: list[object] = []
    f.__globals__["hook"] = seen.append
    hooked = patched(f, InsertCall(call=Variable("hook"), args=(Literal("new"),)))

    assert (0.5, ["new"]) == (hooked(1), seen)
    code = hook_on_entry(from_code_object(f.__code__), PLAIN)
    assert code is not None
    assert table(code.version).extended_arg in code.code[:24:2]
    assert verify(code).ok
