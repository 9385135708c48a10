"""Qualified names of code to CPython 3.10, where the code object does not store them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from coscope.codec.qualnames import with_qualnames
from coscope.codec.unmarshal import load
from coscope.errors import LimitExceeded
from coscope.model import Code
from coscope.opcodes import table
from tests import interpreters
from tests.codec import marshal_builder as build

OLD = ("3.8", "3.9", "3.10")

SOURCE = """
def outer():
    global shared, Shared
    def inner(): pass
    def shared(): pass
    class Shared:
        def method(self): pass
    class Local:
        class Deeper:
            def method(self): return lambda: 0
        squares = [lambda: x for x in y]
    return [lambda: x for x in y]
class C:
    def method(self): yield from (x for x in {z for z in y})
lambda: {k: v for k, v in y}
"""

EXPECTED = [
    "<module>",
    "outer",
    "outer.<locals>.inner",
    "shared",
    "Shared",
    "Shared.method",
    "outer.<locals>.Local",
    "outer.<locals>.Local.Deeper",
    "outer.<locals>.Local.Deeper.method",
    "outer.<locals>.Local.Deeper.method.<locals>.<lambda>",
    "outer.<locals>.Local.<listcomp>",
    "outer.<locals>.Local.<listcomp>.<lambda>",  # no <locals>: a quirk of those compilers
    "outer.<locals>.<listcomp>",
    "outer.<locals>.<listcomp>.<lambda>",
    "C",
    "C.method",
    "C.method.<locals>.<genexpr>",
    "C.method.<locals>.<setcomp>",
    "<lambda>",
    "<lambda>.<locals>.<dictcomp>",
]


def compiled(python: Path, source: str) -> bytes:
    script = f"import marshal, sys; c = compile({source!r}, 'x', 'exec')\n"
    script += "sys.stdout.buffer.write(marshal.dumps(c))"
    return subprocess.run([python, "-c", script], capture_output=True, check=True).stdout


@pytest.mark.parametrize("version", OLD)
def test_as_the_compiler_names(version: str) -> None:
    data = compiled(interpreters.require(version), SOURCE)

    names = [code.qualname for code in load(data, table(version)).walk()]

    assert sorted(EXPECTED) == sorted(names)


def module_of(children: int) -> Code:
    """A 3.8 module that holds so many functions and as many strings."""
    empty = build.items()
    function = build.code_3_8(name=build.text("f"), flags=0x43, consts=empty)
    strings = [build.text(f"s{number}") for number in range(children)]
    consts = build.sized(b"(", *[function] * children, *strings)
    code = load(build.code_3_8(consts=consts), table("3.8"))
    assert isinstance(code, Code)
    return code


def test_many_functions_cost_no_more_than_their_number() -> None:
    names = {code.qualname for code in module_of(20_000).walk()}

    assert {"<module>", "f"} == names


def test_long_names_of_nested_code_are_bounded() -> None:
    name = build.text("x" * 255)
    value = build.sized(b"(", *[build.code_3_8(name=name, flags=0x43)] * 4000)
    for _ in range(90):
        value = build.items(build.code_3_8(name=name, flags=0x43, consts=value))

    with pytest.raises(LimitExceeded, match="the limit derived_names is reached"):
        load(build.code_3_8(consts=value), table("3.8"))


def test_the_original_is_left_alone() -> None:
    module = module_of(2)

    assert module == with_qualnames(module)
    assert module is not with_qualnames(module)


def test_a_code_object_with_two_parents_has_two_names() -> None:
    shared = build.flagged(build.code_3_8(name=build.text("f"), flags=0x43))
    parents = [
        build.code_3_8(name=build.text(name), flags=0x43, consts=build.items(value))
        for name, value in (("one", shared), ("two", build.ref(0)))
    ]
    module = load(build.code_3_8(consts=build.items(*parents)), table("3.8"))

    names = [code.qualname for code in module.walk()]

    assert ["<module>", "one", "one.<locals>.f", "two", "two.<locals>.f"] == names
