"""Each check is needed: code that it alone refuses kills the interpreter, or it is said why not."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from coscope.model import Code, Region
from coscope.readers.from_function import HOST_VERSION
from coscope.rules import discover
from coscope.verifier import verify
from tests.verifier.building import CELL, FREE, LOCAL, built, size

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

from tests.verifier.children import FINE, HANGS, ending
from tests.verifier.operands import Wrong, wrong_operands

RESUME = ("RESUME", 0)
NONE = ("LOAD_CONST", 0)
POP = ("POP_TOP", 0)
RAISE = ("RAISE_VARARGS", 0)
RETURN = ("RETURN_VALUE", 0)
FAR = 1 << 27  # an index so large that what it reads is not mapped
THREE = (("x", LOCAL), ("y", LOCAL), ("z", LOCAL))


def _pushing(version: str) -> Code:
    back = size(version, NONE, ("JUMP_BACKWARD", 0)) // 2  # code units; it has a cache from 3.13 on
    return built(version, RESUME, NONE, ("JUMP_BACKWARD", back))


# Rules, and code that only they refuse and that kills every version that refuses it.
DEADLY: dict[str, tuple[set[str], Callable[[str], Code]]] = {
    "an internal opcode": ({"VER101"}, lambda v: built(v, RESUME, "CACHE", NONE, RETURN)),
    "no end": ({"VER105"}, lambda v: built(v, RESUME, NONE)),
    "no code": ({"VER106"}, lambda v: built(v, NONE, RETURN, code=b"", linetable=b"")),
    "a constant outside": ({"VER201"}, lambda v: built(v, RESUME, ("LOAD_CONST", FAR), RETURN)),
    "a name outside": ({"VER202"}, lambda v: built(v, RESUME, ("LOAD_GLOBAL", FAR), RETURN)),
    "a local outside": ({"VER203"}, lambda v: built(v, RESUME, ("LOAD_FAST", FAR), RETURN)),
    "no such operator": (
        {"VER204"},
        lambda v: built(v, RESUME, NONE, NONE, ("BINARY_OP", 1 << 16), RETURN),
    ),
    "underflow": ({"VER301"}, lambda v: built(v, RESUME, *[POP] * 12, NONE, RETURN)),
    "a stack that grows": ({"VER302"}, _pushing),
    "a stack too small": (
        {"VER303"},
        lambda v: built(v, RESUME, *[NONE] * 200_000, *[POP] * 200_000, NONE, RETURN, stacksize=2),
    ),
    "too much at once": (
        {"VER303"},
        lambda v: built(v, RESUME, ("LOAD_FAST", 0), ("UNPACK_SEQUENCE", 1 << 24), RETURN),
    ),
    "no cell": ({"VER406"}, lambda v: built(v, RESUME, ("LOAD_DEREF", 0), RETURN)),
    "an exception table cut off": (
        {"VER501"},
        lambda v: built(v, RESUME, RAISE, NONE, RETURN, exceptiontable=b"\x80\x7f\x7f\x7f\x7f"),
    ),
    "a handler that wants more": (
        {"VER504"},
        lambda v: built(
            v, RESUME, RAISE, *[POP] * 21, NONE, RETURN,
            regions=[
                Region(size(v, RESUME), size(v, RESUME, RAISE), size(v, RESUME, RAISE), 20, False)
            ],
            stacksize=30,
        ),
    ),
    "slots in another order": (
        {"VER802", "VER406"},
        lambda v: built(
            v, ("COPY_FREE_VARS", 1), RESUME, ("LOAD_DEREF", 0), RETURN,
            slots=(("f", FREE), ("y", LOCAL)), argcount=0,
        ),
    ),
    "more cells than the closure has": (
        {"VER803"},
        lambda v: built(
            v, ("COPY_FREE_VARS", 100), RESUME, ("LOAD_DEREF", 0), RETURN, slots=(("f", FREE),)
        ),
    ),
    "a local without a value": (
        {"VER402"},
        lambda v: built(v, RESUME, ("LOAD_FAST", 2), RETURN, slots=THREE, argcount=2),
    ),
    "a jump out of the code": (
        {"VER104"},
        lambda v: built(v, RESUME, ("JUMP_FORWARD", FAR), NONE, RETURN),
    ),
    "a yield outside of a generator": (
        {"VER603"},
        lambda v: built(v, RESUME, NONE, ("YIELD_VALUE", 0), ("RESUME", 1), POP, NONE, RETURN),
    ),
}  # fmt: skip

# What these read is memory behind the code or its tables: mostly they kill, at times they loop.
BY_CHANCE = {"no end", "no code", "an exception table cut off", "a jump out of the code"}
# Where a release build of this version survives.
SURVIVED = {
    ("a local without a value", "3.11"),  # LOAD_FAST looks, to 3.11
    ("a yield outside of a generator", "3.11"),
    ("a yield outside of a generator", "3.12"),
    ("a yield outside of a generator", "3.15"),  # a debug build asserts
}

# Checks whose violation alone kills no release build, and why they are there.
NOT_SHOWN = {
    "VER102": "caches are read by specialised forms, which VER101 refuses; both together kill",
    "VER103": "a fourth prefix pushes bits out of the oparg, and what is left is in bounds",
    "VER305": "a bound of work, no violation: tests/verifier/test_undecided.py",
    "VER304": "leaves references behind; a debug build stops",
    "VER412": "tests/verifier/crashes: super() and locals() are called from outside",
    "VER413": "3.12: tests/verifier/crashes",
    "VER605": "3.15, and while it is watched: tests/verifier/crashes",
    "VER807": "hangs under sys.monitoring",
    "VER903": "overflows of a C int, which only builds that look for them stop at",
    "VER408": "kills to 3.13.0 through FOR_ITER: tests/verifier/test_absorbed.py",
    "VER410": "the kinds that it refuses are pointers with a tag from 3.14 on",
    "VER411": "only debug builds assert it; a release build takes the wrong branch",
    "VER502": "a target far away is memory that may or may not be mapped",
    "VER503": "block stacks: 3.8 to 3.10",
    "VER601": "a generator's frame without its flag is taken for a function's, or leaks",
    "VER602": "hangs, or leaks: RETURN_GENERATOR twice",
    "VER604": "only debug builds assert it",
    "VER701": "what the interpreter skips is one instruction; kills if it is the last",
    "VER702": "as VER701, at the target of a jump",
    "VER801": "CPython's constructor refuses what could harm",
    "VER804": "tests/verifier/crashes; beyond that the frame is not made: MemoryError",
    "VER805": "reads the first constant, which is there in nearly all code",
    "VER806": "CPython's unmarshaller refuses other types",
    "VER901": "read behind its end, mostly zeros; a debug build stops",
    "VER902": "read behind its end, mostly zeros; a debug build stops",
    "VER951": "3.14 and later",
    "VER952": "3.14 and later",
}

# Operands (by the beginning of their name) that kill no release build, and why.
HARMLESS = {
    "STORE_FAST 1": "NULL in a local means that it has no value, and LOAD_FAST of 3.11 looks",
    "DICT_UPDATE 1 dict": "PyDict_Update looks",
    "DICT_MERGE 1 dict": "the merge looks",
    "DICT_MERGE 1 null": "only the message of an error reads it",
    "CALL_FUNCTION_EX 0 null": "what is there is dropped or forgotten, not used",
    "CALL_FUNCTION_EX 1 null": "what is there is dropped or forgotten, not used",
    "CALL_FUNCTION_EX 1 callargs": "3.11: the conversion to a tuple looks for NULL",
    "CALL_FUNCTION_EX 1 kwargs": "looked at where the callable is no Python function",
    "MAKE_FUNCTION 2": "read only by a call that lacks a keyword argument, with checks",
    "MAKE_FUNCTION 4": "read by the getter of annotations, with checks",
    "SET_FUNCTION_ATTRIBUTE 2": "read only by a call that lacks a keyword argument, with checks",
    "SET_FUNCTION_ATTRIBUTE 4": "read by the getter of annotations, with checks",
    "SET_FUNCTION_ATTRIBUTE 1 function": "writes behind the object; seen by a debug allocator",
    "SET_FUNCTION_ATTRIBUTE 8 function": "writes behind the object; seen by a debug allocator",
    "RETURN_VALUE 1": "refused by VER304 too, as the exception stays on the stack",
    "END_ASYNC_FOR 1 aiter": "on the way of StopAsyncIteration alone",
    "CLEANUP_THROW 1 sub_iter": "on the way of StopIteration alone",
    "CLEANUP_THROW 1 last_sent": "on the way of StopIteration alone",
    "RAISE_VARARGS 1": "do_raise looks for NULL",
    "CHECK_EXC_MATCH 1 exc": "only debug builds assert it",
    "CHECK_EG_MATCH 1 exc": "only debug builds assert it",
    "WITH_EXCEPT_START 1 lasti": "only debug builds assert it",
    "WITH_EXCEPT_START 1 previous": "not used",
    "GET_LEN 1": "PyObject_Size looks for NULL",
    "MATCH_CLASS 1 subject": "3.11: isinstance looks for NULL",
    "UNARY_NOT 1": "only debug builds assert it; a release build gives the wrong answer",
}


# From 3.14 on values are tagged references. What takes a NULL one without looking no longer reads
# memory at address 0, so that more of them are survived; a debug build asserts nearly all of them.
UNTAGGED = {"3.11", "3.12", "3.13"}
_LOOKED = "what it is given to looks for NULL: SystemError"
_CLOSED = "NULL is closed, moved or stored in the result, which nothing here reads"
_EARLIER = "another operand, which is of no use here, ends the instruction before"
HARMLESS_WITH_TAGS = {
    **dict.fromkeys(
        (
            "BINARY_SLICE 1 container", "CONTAINS_OP 1 left", "DELETE_SUBSCR 1 container",
            "DELETE_SUBSCR 1 sub", "DICT_MERGE 1 update", "DICT_UPDATE 1 update",
            "FORMAT_WITH_SPEC 1 value", "STORE_NAME 1 value", "STORE_SLICE 1 container",
            "STORE_SLICE 1 value", "STORE_SUBSCR 1 sub", "STORE_SUBSCR 1 value",
            "UNARY_INVERT 1 value", "UNARY_NEGATIVE 1 value",
        ),
        _LOOKED,
    ),
    **dict.fromkeys(
        (
            "BUILD_SLICE 2 args", "CONVERT_VALUE 1 value", "COPY 3 bottom",
            "DICT_MERGE 1 callable", "DICT_MERGE 1 callargs", "END_FOR 1 iter", "END_FOR 1 value",
            "END_SEND 1 receiver", "END_SEND 1 value", "FORMAT_WITH_SPEC 1 fmt_spec",
            "INTRINSIC_PREP_RERAISE_STAR 1 orig", "INTRINSIC_TYPEVAR_WITH_BOUND 2 bound",
            "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS 3 constraints", "IS_OP 1 left", "IS_OP 1 right",
            "MATCH_KEYS 1 subject", "POP_ITER 1 iter",
        ),
        _CLOSED,
    ),
    **dict.fromkeys(
        (
            "BINARY_SLICE 1 start", "BINARY_SLICE 1 stop", "CALL 1 args", "CALL_KW 1 args",
            "CALL_KW 1 kwnames", "IMPORT_NAME 1 fromlist", "IMPORT_NAME 1 level",
            "LOAD_SUPER_ATTR 1 class", "LOAD_SUPER_ATTR 1 self", "MATCH_CLASS 1 names",
            "RERAISE 1 lasti", "STORE_ATTR 1 value",
        ),
        _EARLIER,
    ),
}  # fmt: skip
if HOST_VERSION not in UNTAGGED:
    HARMLESS |= HARMLESS_WITH_TAGS


@pytest.mark.parametrize("name", DEADLY)
def test_what_a_check_refuses_kills(name: str) -> None:
    rules, build = DEADLY[name]
    code = build(HOST_VERSION)
    refused = {violation.rule for violation in verify(code).violations}
    if (name, HOST_VERSION) == ("a local without a value", "3.11"):
        rules = set()

    assert rules == refused
    if name not in BY_CHANCE and (name, HOST_VERSION) not in SURVIVED:
        assert ending(code, arguments=("ab", 2)) not in (FINE, HANGS)


def test_every_check_is_shown_or_explained() -> None:
    shown = set().union(*(rules for rules, _ in DEADLY.values()))
    shown |= {"VER401", "VER403", "VER404", "VER405", "VER407", "VER409"}  # by their operands
    known = {rule.code for rule in discover("coscope.verifier.checks")}

    assert known == shown | NOT_SHOWN.keys()


@pytest.mark.parametrize("wrong", list(wrong_operands(HOST_VERSION)), ids=lambda wrong: wrong.name)
def test_a_wrong_operand_kills(wrong: Wrong) -> None:
    alone = []  # code that exactly one rule refuses
    for code in wrong.codes:
        refused = {violation.rule for violation in verify(code).violations}

        assert refused
        if len(refused) == 1:
            alone.append(code)
    if wrong.name.startswith(tuple(HARMLESS)):
        return

    assert any(ending(code) not in (FINE, HANGS) for code in alone)


def test_the_wrong_operands_belong_to_the_checks_of_kinds() -> None:
    rules = set()
    for wrong in wrong_operands(HOST_VERSION):
        for code in wrong.codes:
            refused = {violation.rule for violation in verify(code).violations}
            rules |= refused if len(refused) == 1 else set()

    assert {"VER401", "VER403", "VER404", "VER407"} <= rules


def test_a_cell_in_every_slot_that_wants_one() -> None:
    code = built(
        HOST_VERSION, ("MAKE_CELL", 2), RESUME, ("LOAD_DEREF", 2), RETURN,
        slots=(("x", LOCAL), ("y", LOCAL), ("c", CELL)),
    )  # fmt: skip

    assert verify(code).ok
    assert ending(code) == FINE
