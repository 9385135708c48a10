"""Properties, by Hypothesis: a patched function does what the edited source does, and any edits end
in code or in a PatchError that leaves the original alone.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from coscope.errors import NothingSelected, PatchError, Refused
from coscope.opcodes import table
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.documents import from_json, to_json
from coscope.patcher.edits.model import (
    Do,
    Insert,
    InsertCall,
    Literal,
    Outcome,
    Remove,
    Rename,
    Replace,
    ReplaceConstant,
    Variable,
    Where,
    WrapCall,
)
from coscope.readers.from_function import HOST_VERSION
from coscope.verifier import verify
from tests.patcher.live import patched
from tests.patcher.samples import code_of, function, library

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

ATOMS = st.one_of(
    st.integers(-(1 << 70), 1 << 70),
    st.integers(-10, 300),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.booleans(),
    st.none(),
)

# `{0}` is the constant that is replaced. None of these lets the compiler fold it.
PROGRAMS = [
    "def f(x):\n return g({0})",
    "def f(x):\n y = {0}\n return [y, x]",
    "def f(x):\n for i in x:\n  if i == {0}: return i\n return {0}",
    "def f(x):\n try: raise E({0})\n except E as e: return e.args",
    "def f(x, y={1}):\n return {{'k': {0}, **g({{}})}}",
    "def f(x):\n def h(): return [x]\n return h(), g({0}), g({1})",
]


def constant_text(value: Any) -> str:
    if type(value) is float and value in (float("inf"), float("-inf")):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)


@settings(max_examples=150)
@given(st.sampled_from(PROGRAMS), ATOMS, ATOMS, ATOMS)
def test_the_edited_function_does_as_the_edited_source(
    program: str, old: Any, new: Any, other: Any
) -> None:
    scope = {"g": lambda value: value, "E": type("E", (Exception,), {})}
    marker = "a constant that nothing else is"
    edited = [program.format(constant_text(value), constant_text(other)) for value in (marker, new)]
    before, after = (function(source, **scope) for source in edited)

    copy = patched(before, ReplaceConstant(old=marker, new=new))

    for argument in ([], [old, new], [marker]):
        assert repr(after(argument)) == repr(copy(argument))
    assert copy.__doc__ is None


CODES = [
    code
    for source in (*PROGRAMS, "def f(x):\n got = yield x\n with got as y: await_(y)\n return y")
    for code in [code_of(source.format(1, 2))]
]
if sys.platform != "emscripten":  # where the library is not there as files
    CODES += [code for each in library(41, 2) for code in each.walk() if len(code.code) < 600][:60]

OPNAMES = sorted(row.name for row in table(HOST_VERSION).opcodes.values() if row.form == "base")
WHERES = st.builds(
    Where,
    line=st.none() | st.integers(0, 6),
    offset=st.none() | st.integers(0, 40),
    opname=st.none() | st.sampled_from(OPNAMES),
    nth=st.none() | st.integers(-2, 3),
)
LOADED = st.one_of(
    st.builds(Literal, ATOMS), st.builds(Variable, st.sampled_from("xyg")), st.just(Outcome())
)
DOS = st.lists(
    st.builds(Do, st.sampled_from(OPNAMES), ATOMS | st.sampled_from(["x", "here"])), max_size=4
).map(tuple)
SAFE_DOS = st.lists(
    st.sampled_from([Do("NOP"), Do("PUSH_NULL"), Do("POP_TOP"), Do("COPY", 1), Do("SWAP", 2)])
).map(tuple)
EDITS = st.lists(
    st.one_of(
        st.builds(ReplaceConstant, old=ATOMS, new=ATOMS, where=WHERES, folded=st.just("replace")),
        st.builds(Rename, old=st.sampled_from("xyg"), new=st.text(max_size=2)),
        st.builds(Insert, where=WHERES, instructions=DOS, after=st.booleans()),
        st.builds(
            Insert,
            where=WHERES,
            instructions=SAFE_DOS,
            landing=st.booleans(),
            inseparable=st.just("skip"),
        ),
        st.builds(Replace, where=WHERES, instructions=DOS),
        st.builds(Remove, where=WHERES),
        st.builds(
            InsertCall,
            call=LOADED,
            args=st.lists(LOADED, max_size=2).map(tuple),
            at=st.sampled_from(["entry", "exit", "return", "exception", "instruction"]),
            where=WHERES,
        ),
        st.builds(WrapCall, wrapper=LOADED, where=WHERES),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=300)
@given(st.sampled_from(CODES), EDITS)
def test_any_edits_end_in_code_or_in_a_patch_error(code: Any, edits: list[Any]) -> None:
    copy = replace(code)
    with suppress(PatchError):  # and no other exception
        # What cannot run for want of the right values is the verifier's to refuse, and it must
        # not fail at it.
        assert isinstance(verify(apply(code, edits)).ok, bool)

    assert copy == code


@settings(max_examples=150)
@given(st.sampled_from(CODES), WHERES, st.sampled_from(["nop", "call", "exit"]))
def test_edits_that_are_always_right_verify(code: Any, where: Where, kind: str) -> None:
    edits: dict[str, Any] = {
        "nop": Insert(where=where, instructions=(Do("NOP"),), inseparable="skip"),
        "call": InsertCall(call=Variable("g"), at="instruction", where=where),
        "exit": InsertCall(call=Variable("g"), args=(Outcome(),), at="exit"),
    }
    if not verify(code).ok:
        return  # nested code whose entry contract the code around it fulfils
    with suppress(NothingSelected, Refused):
        assert verify(apply(code, [edits[kind]])).ok


@settings(max_examples=100)
@given(EDITS)
def test_edits_survive_json(edits: list[Any]) -> None:
    assert edits == [from_json(to_json(edit)) for edit in edits]
