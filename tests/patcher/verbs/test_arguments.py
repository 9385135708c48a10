"""Arguments of every type, given where they make no sense: one clear error, or it works.

Nothing of what is tried here crashes the interpreter, raises another error than a `CoscopeError`,
or changes the original.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import coscope
from coscope.patcher.edits import model as edits
from coscope.patcher.edits.model import (
    ANYWHERE,
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
    Where,
    WrapCall,
    at_line,
)
from coscope.patcher.verbs.requests import Changes

LIMIT = 3

# What is tried, in words; the trial; the function that must stay as it is.
Tried = tuple[str, Callable[[], Any], Callable[..., Any]]


def made(scale: int = 2) -> Callable[..., Any]:
    def inner(a: int, b: int = 4, *, c: int = 5) -> Any:
        return a * scale + b + c + LIMIT + len((1, 30)), "text", a.real

    return inner


class Hostile:
    """Nothing of this may be asked for anything."""

    def _refuse(self, *_: object) -> Any:
        raise RuntimeError("asked")

    __eq__ = __hash__ = __bool__ = __repr__ = __str__ = __len__ = _refuse
    __iter__ = __getitem__ = __index__ = __int__ = __contains__ = __call__ = _refuse

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class Text(str):
    """No plain string."""


class Number(int):
    """No plain number."""


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 3, 30, 1 << 80, 1.5, float("nan"), 2j, "", "a", "b", "c", "scale",
    "LIMIT", "len", "real", "text", "any", "\ud800", "a\0b", b"b", bytearray(b"b"), (), (1,),
    ("a", 1), ((1, 2),), [], [1], [(1, 2)], [(30, 5, 6)], {}, {1: 2}, {30: 5}, {"a": 1},
    {"b": "x"}, {"scale": 9}, {"LIMIT": 4}, {"LIMIT": "x"}, {None: None}, {("a",): 1}, set(), {1},
    frozenset({1}), ..., NotImplemented, object(), Hostile(), {"scale": Hostile()},
    {30: Hostile()}, [(Hostile(), 1)], Text("a"), Text("global"), {Text("scale"): 1}, Number(3),
    MappingProxyType({"scale": 3}), len, int, type, Hostile, made, made(), made().__code__,
    iter(()), iter([(30, 5)]), memoryview(b"x"), slice(1), range(3), Where(), at_line(1),
    Do("NOP"), [Do("NOP")], Mark("m"), Literal(1), Variable("a"), Outcome(),
    Remove(where=ANYWHERE), [Remove(where=ANYWHERE)], [None],
]  # fmt: skip


def refused(what: str, call: Callable[[], Any], original: Callable[..., Any]) -> str | None:
    """What is wrong with how a call ended; None if nothing is."""
    before = original.__code__, original.__defaults__, original(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except coscope.CoscopeError as problem:
            if len(str(problem)) < 15 or "\n" in str(problem):
                return f"{what}: {problem}"
        except Exception as error:  # what must not happen
            return f"{what}: {type(error).__name__}: {error}"
    after = original.__code__, original.__defaults__, original(1)
    return None if before == after else f"{what} changed the original"


def shown(value: Any) -> str:
    try:
        return repr(value)[:60]
    except RuntimeError:
        return type(value).__name__


def used(f: Callable[..., Any], given: dict[str, Any]) -> None:
    """Patch, and call what was made; whatever that raises is its own affair."""
    function = coscope.patch(f, **given)
    with suppress(Exception):
        function(1)


def built(f: Callable[..., Any], edit: type, given: dict[str, Any]) -> None:
    coscope.patch(f, edits=[edit(**given)])


def arguments() -> Iterator[Tried]:
    for name in (*Changes.__annotations__, "share_cells", "unwrap", "nonsense"):
        for value in VALUES:
            f = made()
            alone = {name: value}
            yield (
                f"patch({name}={shown(value)})",
                partial(used, f, alone),
                f,
            )
            if name in ("constants", "names", "share_cells", "unwrap"):
                continue
            # What chooses has nothing to choose from alone.
            both = {"constants": {30: 5}, "names": {"len": "max"}, "cells": {"scale": 7}, **alone}
            yield (
                f"patch(constants, names, cells, {name}={shown(value)})",
                partial(used, f, both),
                f,
            )


def edited() -> Iterator[Tried]:
    whole: list[edits.AnyEdit] = [
        ReplaceConstant(old=30, new=5, folded="replace"),
        Rename(old="len", new="max"),
        Insert(where=Where(nth=3), instructions=(Do("NOP"),)),
        Replace(where=Where(opname="NOP"), instructions=(Do("NOP"),)),
        Remove(where=Where(nth=3)),
        InsertCall(call=Literal(None)),
        InsertCall(call=Literal(None), at="instruction", where=Where(nth=3)),
        WrapCall(wrapper=Literal(None), where=Where(opname="CALL")),
        SetMetadata(name="f"),
    ]
    for edit in whole:
        for field in fields(edit):
            for value in VALUES:
                f = made()
                given = {each.name: getattr(edit, each.name) for each in fields(edit)}
                wrong = {**given, field.name: value}
                yield (
                    f"{type(edit).__name__}({field.name}={shown(value)})",
                    partial(built, f, type(edit), wrong),
                    f,
                )


def parts() -> Iterator[Tried]:
    """What is inside edits: choices and instructions."""
    f = made()
    for value in VALUES:
        for field in fields(Where):
            where = Where(**{field.name: value})
            yield (
                f"where={field.name}={shown(value)}",
                partial(coscope.patch, f, constants={30: 5}, where=where),
                f,
            )
            yield (
                f"Remove {field.name}={shown(value)}",
                partial(coscope.patch, f, edits=[Remove(where=where)]),
                f,
            )
        for opname in ("LOAD_CONST", "LOAD_GLOBAL", "LOAD_FAST", "CALL", "NOP", "JUMP_FORWARD"):
            for do in (Do(opname, value), Do(opname, "a", value), Do(value, 1)):
                edit = Insert(where=Where(nth=3), instructions=(do,))
                yield shown(do), partial(coscope.patch, f, edits=[edit]), f
        for loaded in (Literal(value), Variable(value)):
            call = InsertCall(call=loaded, args=(loaded,))
            yield shown(loaded), partial(coscope.patch, f, edits=[call]), f


def steps() -> Iterator[Tried]:
    f = made()
    for value in VALUES:
        tried: dict[str, Callable[..., Any]] = {
            "apply": lambda v, e: e.apply(v),
            "loads": lambda v, e: e.loads(v),
            "load": lambda v, e: e.loads("len")[0].replace(v) or e.build(),
            "load two": lambda v, e: e.loads("len")[0].replace(v, v) or e.build(),
            "constant": lambda v, e: e.constant(30, 5, v),
            "old": lambda v, e: e.constant(v, 5),
            "new": lambda v, e: e.constant("text", v).build(),
            "rename": lambda v, e: e.rename(v, v, v, v),
            "insert": lambda v, e: e.insert(v, v),
            "inserted": lambda v, e: e.insert(Where(nth=3), v),
            "replace": lambda v, e: e.replace(v, v),
            "remove": lambda v, e: e.remove(v),
            "line": lambda v, e: e.insert_before(line=v, call=len),
            "args": lambda v, e: e.on_entry(len, v).build(),
            "call": lambda v, e: e.on_exit(v, (v, v)).build(),
            "wrapper": lambda v, e: e.wrap_calls(Where(opname="CALL"), v).build(),
            "wrap": lambda v, e: e.wrap_calls(v, len),
            "describe": lambda v, e: e.describe(name=v, filename=v, firstlineno=v).build(),
            "freeze": lambda v, e: coscope.freeze(f, v),
            "freeze as": lambda v, e: coscope.freeze(f, LIMIT=v),
            "freeze what": lambda v, e: coscope.freeze(v, "LIMIT"),
            "patch what": lambda v, e: coscope.patch(v, constants={30: 5}),
            "edit what": lambda v, e: coscope.edit(v),
            "patched what": lambda v, e: entered(v),
        }
        for name, step in tried.items():
            yield (
                f"{name}({shown(value)})",
                partial(stepped, step, value, f),
                f,
            )


def entered(thing: Any) -> None:
    with coscope.patched(thing):
        pass


def stepped(step: Callable[..., Any], value: Any, f: Callable[..., Any]) -> None:
    step(value, coscope.edit(f))


@pytest.mark.parametrize("tried", [arguments, edited, parts, steps])
def test_any_argument_of_any_type(
    tried: Callable[[], Iterator[Tried]],
) -> None:
    wrong = [found for what, call, f in tried() if (found := refused(what, call, f))]

    assert [] == wrong


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some values are names of files that can be written
    source = tmp_path / "app.py"
    source.write_text("x = 30\n")
    f = made()
    change = [ReplaceConstant(old=30, new=5)]
    wrong = []
    for number, value in enumerate(VALUES):
        if isinstance(value, int):  # a number is the descriptor of an open file
            continue
        output = str(tmp_path / f"{number}.pyc")
        tried: list[Callable[[], Any]] = [
            partial(coscope.patch_file, value, change, output),
            partial(coscope.patch_file, str(source), value, output),
            partial(coscope.patch_file, str(source), change, value),
        ]
        wrong += [found for call in tried if (found := refused(f"{shown(value)}", call, f))]

    assert [] == wrong
