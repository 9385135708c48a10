"""`apply`: no edit and metadata; edits as JSON."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from typing import Any

import pytest

from coscope.errors import PatchError
from coscope.model import Code, FrozenSet, Opaque, Slice
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.documents import from_json, to_json
from coscope.patcher.edits.model import (
    AnyEdit,
    Do,
    Insert,
    InsertCall,
    Literal,
    Mark,
    Outcome,
    Remove,
    Rename,
    Replace,
    ReplaceConstant,
    SetMetadata,
    Variable,
    WrapCall,
    at_line,
    at_offset,
    opcode,
    uses,
)
from tests.patcher.live import patched
from tests.patcher.samples import code_of, function

SOURCE = "def outer():\n def inner():\n  return 1 / 0\n return inner"


def test_no_edit_gives_the_same_object() -> None:
    code = code_of(SOURCE)

    assert code is apply(code, [])


def test_code_that_is_not_meant_stays_the_same_object() -> None:
    code = code_of("def f():\n def g(): return 1000.5\n def h(): return 2000.5")
    new = apply(code, [ReplaceConstant(old=1000.5, new=2, code="g")])
    inner = [constant for constant in code.consts if isinstance(constant, Code)]
    kept = [constant for constant in new.consts if isinstance(constant, Code)]

    assert [False, True] == [a is b for a, b in zip(inner, kept, strict=True)]


def test_edits_follow_one_another() -> None:
    f = function("def f(): return 1000")
    first = ReplaceConstant(old=1000, new=2000)

    assert 3000 == patched(f, first, ReplaceConstant(old=2000, new=3000))()


def test_what_is_no_edit_is_told() -> None:
    with pytest.raises(PatchError, match="this is not an edit"):
        apply(code_of(SOURCE), [replace(SetMetadata()), "SetMetadata"])  # type: ignore[list-item]


def test_tracebacks_say_the_new_names_and_lines() -> None:
    outer = function(SOURCE)
    edit = SetMetadata(
        name="made", qualname="place.made", filename="made.py", firstlineno=101, nested=True
    )
    copy = patched(outer, edit)
    with pytest.raises(ZeroDivisionError) as caught:
        copy()()
    last = traceback.extract_tb(caught.value.__traceback__)[-1]

    assert ("made.py", 103, "inner") == (last.filename, last.lineno, last.name)
    assert "place.made" == copy.__code__.co_qualname
    assert "place.made.<locals>.inner" == copy().__code__.co_qualname


def test_without_nested_the_code_inside_stays() -> None:
    code = apply(code_of(SOURCE), [SetMetadata(filename="made.py", firstlineno=101)])
    [inner] = [constant for constant in code.consts if isinstance(constant, Code)]

    assert ("made.py", 101) == (code.filename, code.firstlineno)
    assert ("source.py", 2) == (inner.filename, inner.firstlineno)


@pytest.mark.parametrize(
    "edit",
    [
        SetMetadata(name=3),  # type: ignore[arg-type]
        SetMetadata(firstlineno=-1),
        SetMetadata(firstlineno=1 << 40),
        SetMetadata(firstlineno=True),
    ],
)
def test_metadata_of_a_wrong_kind_is_told(edit: SetMetadata) -> None:
    code = code_of(SOURCE)
    copy = replace(code)
    with pytest.raises(PatchError, match="is a"):
        apply(code, [edit])

    assert copy == code


EDITS: list[AnyEdit] = [
    ReplaceConstant(old=1, new=True, where=at_line(3), index=2, loose=True, folded="leave"),
    ReplaceConstant(old=(-0.0, 1j, b"\0", ..., None), new=FrozenSet((1, Slice(1, None, "x")))),
    ReplaceConstant(old=1, new=1.0, code="outer.inner@3", nested=True),
    ReplaceConstant(old=True, new=Opaque("m.T", 17)),
    Rename(old="a", new="b", kind="any"),
    Insert(where=opcode("CALL"), instructions=(Mark("m"), Do("LOAD_CONST", (1, 2), 0))),
    Replace(where=at_offset(4), instructions=(Do("NOP"),)),
    Remove(where=uses("x")),
    InsertCall(call=Variable("f"), args=(Literal(1.5), Outcome()), at="exit"),
    WrapCall(wrapper=Literal(None), where=opcode("CALL")),
    SetMetadata(name="n", firstlineno=3),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: type(edit).__name__)
def test_edits_come_back_from_json(edit: AnyEdit) -> None:
    document = json.loads(json.dumps(to_json(edit), allow_nan=False))
    back = from_json(document)

    assert repr(edit) == repr(back)  # 1, 1.0 and True are equal, and -0.0 and 0.0
    assert edit == back
    assert hash(edit) == hash(back)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"edit": "Where"},
        {"edit": "Rename"},
        {"edit": "Rename", "old": "a", "new": "b", "more": 1},
        {"edit": "Rename", "old": {"float": "x"}, "new": "b"},
        {"edit": "Rename", "old": {"list": []}, "new": "b"},
        {"edit": "Rename", "old": [1], "new": "b"},
        {"edit": "Rename", "old": {"is": "Code"}, "new": "b"},
    ],
)
def test_other_documents_are_told(document: Any) -> None:
    with pytest.raises(PatchError, match="this describes no"):
        from_json(document)


def test_a_constant_that_json_cannot_carry_is_told() -> None:
    with pytest.raises(PatchError, match="JSON cannot carry"):
        to_json(ReplaceConstant(old=code_of(SOURCE), new=None))
