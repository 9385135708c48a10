"""Names changed: globals, attributes and imports, each only where it is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coscope.errors import NothingSelected, PatchError, Refused
from coscope.patcher.applying.apply import apply
from coscope.patcher.edits.model import Rename, at_line
from coscope.verifier import verify
from tests.patcher.live import patched
from tests.patcher.samples import code_of, function


class Box:
    time = "attribute"
    fake = "other attribute"


SCOPE: dict[str, Any] = {"time": "global", "fake": "other global", "box": Box()}
SOURCE = "def f():\n first = time\n return first, box.time, time"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("other global", "attribute", "other global")),
        ({"kind": "attribute"}, ("global", "other attribute", "global")),
        ({"kind": "any"}, ("other global", "other attribute", "other global")),
        ({"where": at_line(2)}, ("other global", "attribute", "global")),
    ],
)
def test_only_what_is_meant_changes(options: Any, expected: tuple[str, ...]) -> None:
    f = function(SOURCE, **SCOPE)

    assert expected == patched(f, Rename(old="time", new="fake", **options))()
    assert ("global", "attribute", "global") == f()


def test_a_name_that_is_used_for_nothing_else_is_changed_in_its_place() -> None:
    code = code_of("def f(): return time")
    new = apply(code, [Rename(old="time", new="fake")])

    assert (code.code, ("fake",)) == (new.code, new.names)


def test_an_import() -> None:
    f = function("def f():\n import json as j\n return j.__name__")

    assert "math" == patched(f, Rename(old="json", new="math", kind="import"))()


def test_methods_and_flags_of_calls_are_kept() -> None:
    f = function("def f(x): return x.upper(), len(x), x.upper", len=len)
    copy = patched(
        f, Rename(old="upper", new="lower", kind="attribute"), Rename(old="len", new="id")
    )

    assert "ab" == copy("AB")[0]
    assert id("AB") == copy("AB")[1]


def test_beyond_index_255() -> None:
    many = "; ".join(f"n{number}" for number in range(270))
    scope = {f"n{number}": number for number in range(270)}
    f = function(f"def f():\n {many}\n return time, box.time", **scope, **SCOPE)

    assert ("other global", "attribute") == patched(f, Rename(old="time", new="fake"))()


def problem(source: str, **options: Any) -> PatchError:
    code = code_of(source)
    copy = replace(code)
    with pytest.raises(PatchError) as caught:
        apply(code, [Rename(old="x", new="y", **options)])
    assert copy == code
    return caught.value


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ("def f(x): return x", Refused, "local variable"),
        ("def f(x): return lambda: x", Refused, "is a cell"),
        ("def f(a): return a.x", NothingSelected, "kind='attribute'"),
        ("def f(a): return b", NothingSelected, "Its names are b"),
    ],
)
def test_what_is_no_global_is_refused(source: str, kind: type, words: str) -> None:
    found = problem(source)

    assert type(found) is kind
    assert words in str(found)


def test_wrong_arguments_are_told() -> None:
    assert "Rename.kind is 'global' or" in str(problem("def f(): x", kind="local"))
    with pytest.raises(PatchError, match=r"Rename\.new is a string; found 3"):
        apply(code_of("def f(): x"), [Rename(old="x", new=3)])  # type: ignore[arg-type]


def test_what_comes_out_verifies() -> None:
    new = apply(code_of(SOURCE), [Rename(old="time", new="fake", where=at_line(2))])

    assert verify(new).ok
