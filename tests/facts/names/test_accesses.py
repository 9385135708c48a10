"""What is called, as read from names and attributes, against the syntax tree."""

from __future__ import annotations

import ast

import pytest

from coscope.facts.names.accesses import accesses_of
from coscope.readers.from_interpreter import compile_source, identify
from tests import interpreters

SOURCE = """\
def f(x, y):
    x.read; first; module.part
    x.called(); second(); module.other(1); y.deep.call(2, k=3)
    third(x.argument, fourth)
    return [fifth(each) for each in x.items()]
"""


def called_in(source: str) -> set[str]:
    """Names as the syntax tree calls them: dotted from a global, `.name` of anything else."""
    local = {"x", "y", "each"}
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            text = ast.unparse(node.func)
            root, _, last = text.partition(".")
            found.add("." + last.split(".")[-1] if root in local else text)
    return found


def callees(version: str) -> set[str]:
    interpreter = identify(str(interpreters.require(version)))
    code = compile_source(interpreter, SOURCE.encode(), "x.py")
    return {name for each in code.walk() for name, _ in accesses_of(each).callees}


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14", "3.15"])
def test_what_is_called_is_what_the_source_calls(version: str) -> None:
    assert callees(version) == called_in(SOURCE)


@pytest.mark.parametrize("version", ["3.8", "3.10"])
def test_to_3_10_methods_alone_are_seen(version: str) -> None:
    # Nor a method that is called with keywords.
    assert callees(version) == {".called", ".items", "module.other"}
