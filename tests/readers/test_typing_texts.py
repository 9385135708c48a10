"""Texts of annotations and type variables: never an address."""

from __future__ import annotations

import dataclasses
import typing

import pytest

import coscope
from coscope.readers.values import text_of

T = typing.TypeVar("T")
P = typing.ParamSpec("P")


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (T, "T"),
        (P, "P"),
        (typing.TypeVarTuple("Ts"), "Ts"),
        (list[T], "list[T]"),  # type: ignore[valid-type]
        (dict[str, list[int]], "dict[str, list[int]]"),
        (int | None, "int | None"),
        (typing.List[int], "List[int]"),  # noqa: UP006
    ],
)
def test_what_annotations_hold_has_a_text(thing: object, text: str) -> None:
    assert text == text_of(thing)


def test_a_default_factory_is_shown_as_dataclasses_shows_it() -> None:
    @dataclasses.dataclass
    class Record:
        rows: list[int] = dataclasses.field(default_factory=list)

    (default,) = coscope.read(Record.__init__).defaults

    assert "<factory>" == default.text


def test_an_optional_has_no_address() -> None:
    assert "0x" not in text_of(typing.Optional[T])  # noqa: UP045
