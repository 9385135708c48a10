"""Runs of whole items, and the constructs of `re` that some micro releases get wrong."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from coscope.codec.runs import end_of_run

SOURCES = Path(__file__).resolve().parents[2] / "src" / "coscope"
# `re` has no public parser of its patterns.
parser = importlib.import_module("re._parser")


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", 0),
        (b"\xf8", 1),
        (b"\xe8", 0),  # a whole entry needs a number: CPython 3.11.2 steps over the first byte
        (b"\xe8\x40\x40", 0),
        (b"\xf8\xe8\x01\xe8\x7f", 3),
        (b"\xf8\x00\xf8", 1),
        (b"\xe8\x41\x01" * 1000 + b"\xe8", 3000),
        (b"\xe8\x01" * 64, 128),
        (b"\xe8\x01" * 65 + b"\x00", 130),
    ],
)
def test_a_run_ends_behind_its_last_whole_item(data: bytes, end: int) -> None:
    item = rb"[\xe8-\xef][\x40-\x7f]{0,5}[\x00-\x3f]|[\xf8-\xff]"

    assert end == end_of_run(item)(data)


def test_the_package_uses_no_possessive_quantifier_and_no_atomic_group() -> None:
    used = [
        f"{path.relative_to(SOURCES)}: {pattern!r}"
        for path in sorted(SOURCES.rglob("*.py"))
        for pattern in _texts(path)
        if _possessive(pattern)
    ]

    assert [] == used


@pytest.mark.parametrize("pattern", [rb"(?:ab?c)*+", "x{1,3}+", "[a(?:b|(?>c))]*|(?>d)", "a?+"])
def test_possessive_quantifiers_are_seen(pattern: str | bytes) -> None:
    assert _possessive(pattern)


def _texts(path: Path) -> Iterator[str | bytes]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if id(node) not in docstrings and isinstance(node, ast.Constant):
            yield from [node.value] if isinstance(node.value, str | bytes) else []


def _possessive(pattern: str | bytes) -> bool:
    """Whether a text, read as a regular expression, holds one; false if it is not one."""
    marks = ("*+", "++", "?+", "}+", "(?>")
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    if not any(mark in text for mark in marks):
        return False
    try:
        return any(word in repr(parser.parse(text)) for word in ("POSSESSIVE", "ATOMIC"))
    except parser.error:
        return True  # a part of an expression that is put together elsewhere
