"""Comprehensions that have no code object of their own (PEP 709)."""

from __future__ import annotations

import pytest

from coscope.facts import inlined_comprehensions
from coscope.readers.from_interpreter import compile_source, identify
from tests import interpreters

SOURCE = b"""
def f(items):
    a = [x for x in items]
    b = {x for x in items if x}
    c = {k: v for k, v in items}
    d = [[y for y in x] for x in items]
    e = [lambda: x for x in items]
    g = (x for x in items)
class K:
    z = [x for x in (1,)]
"""


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_each_comprehension_is_found_with_its_names_and_source(version: str) -> None:
    interpreter = identify(str(interpreters.require(version)))
    module, function, *nested = compile_source(interpreter, SOURCE, "x.py").walk()
    lines = SOURCE.decode().splitlines()
    shown = [
        (each.kind, each.names, lines[(each.span.lineno or 0) - 1][each.span.col_offset :])
        for each in inlined_comprehensions(function)
    ]

    assert () == inlined_comprehensions(module)
    assert [
        ("list comprehension", ("x",), "[x for x in items]"),
        ("set comprehension", ("x",), "{x for x in items if x}"),
        ("dict comprehension", ("k", "v"), "{k: v for k, v in items}"),
        ("list comprehension", ("x", "y"), "[[y for y in x] for x in items]"),
        ("list comprehension", ("y",), "[y for y in x] for x in items]"),
        ("list comprehension", ("x",), "[lambda: x for x in items]"),
    ] == shown
    assert ["x"] == [
        name
        for code in nested
        if code.kind == "class body"
        for each in inlined_comprehensions(code)
        for name in each.names
    ]


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11"])
def test_to_3_11_none_is_inlined(version: str) -> None:
    interpreter = identify(str(interpreters.require(version)))
    codes = compile_source(interpreter, SOURCE, "x.py").walk()

    assert [] == [each for code in codes for each in inlined_comprehensions(code)]
