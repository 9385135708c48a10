"""Which variables may have a value: the assigned domain against what calls do."""

from __future__ import annotations

from textwrap import dedent

import pytest

from coscope.flow import build
from coscope.flow.domains.assigned import assigned
from coscope.model import Code
from coscope.readers.from_source import from_source

SOURCES = {
    "parameters": ("def f(a, *b, c, **d): return a", {"a", "b", "c", "d"}),
    "one path": ("def f(p):\n    if p: x = 1\n    return p", {"p", "x"}),
    "every path": ("def f(p):\n    if p: x = 1\n    else: x = 2\n    return p", {"p", "x"}),
    "deleted": ("def f(p):\n    x = 1\n    del x\n    return p", {"p"}),
    "deleted on one path": ("def f(p):\n    x = 1\n    if p: del x\n    return p", {"p", "x"}),
    "loop": ("def f(p):\n    for x in p: y = x\n    return p", {"p", "x", "y"}),
    "except": (
        "def f(p):\n    try: x = p()\n    except ValueError as e: y = 1\n    return p",
        {"p", "x", "y"},
    ),
    "own cell": ("def f(p):\n    x = 1\n    g = lambda: x\n    return p", {"p", "x", "g"}),
    "parameter in a cell": ("def f(p):\n    g = lambda: p\n    return p", {"p", "g"}),
}


def function(source: str) -> Code:
    (code,) = [code for code in from_source(dedent(source)).code.walk() if code.qualname == "f"]
    return code


def at_returns(code: Code, written_inside: frozenset[str] = frozenset()) -> set[str]:
    """Variables that may have a value at some return; the compiler may have copied it."""
    domain, frames = assigned(build(code), written_inside)
    bits = 0
    for frame, instruction in zip(frames, code.instructions, strict=True):
        if frame is not None and instruction.opname.startswith("RETURN"):
            bits |= frame.locals
    names = {**dict(enumerate(code.varnames)), **domain.bits}
    return {name for bit, name in names.items() if bits >> bit & 1}


@pytest.mark.parametrize("name", SOURCES)
def test_variables_that_may_have_a_value(name: str) -> None:
    source, expected = SOURCES[name]

    assert expected == at_returns(function(source))


def test_a_comprehension_gives_back_what_it_hides() -> None:
    unassigned = "def f(p):\n    [x for x in p]\n    return p\n    x = 1"
    assigned_before = "def f(p, x):\n    [x for x in p]\n    return p"

    assert {"p"} == at_returns(function(unassigned))
    assert {"p", "x"} == at_returns(function(assigned_before))


def test_a_captured_cell_may_be_filled_by_nested_code() -> None:
    code = function(
        """
        def f():
            def fill():
                nonlocal x
                x = 1
            return fill
            x = 0
        """
    )

    assert "x" not in at_returns(code)
    assert "x" in at_returns(code, frozenset({"x"}))
