"""Names told apart by the opcode that uses them."""

from __future__ import annotations

import builtins
import symtable
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from coscope.facts import Name, names_of
from coscope.readers import read
from coscope.readers.from_interpreter import compile_source, identify
from coscope.readers.from_source import from_source
from tests import interpreters

path = "a global"
changed = 0


def names(found: tuple[Name, ...]) -> list[str]:
    return [name.name for name in found]


def attribute_only(x: Any) -> Any:
    return x.shape, x.path, x.filter


def in_a_lambda() -> Any:
    return lambda: path


def in_a_class_body() -> Any:
    class Body:
        inside = path

    return Body


def in_a_generator() -> Any:
    return (path for _ in ())


def in_a_list() -> Any:
    return [path for _ in ()]


def importing() -> Any:
    import json
    import os.path
    from collections import OrderedDict, abc

    return json, os, OrderedDict, abc


def writing() -> None:
    global changed, deleted
    changed = 1
    del deleted


def unbound() -> Any:
    return never_defined  # type: ignore[name-defined]  # noqa: F821


def nested(function: Callable[..., Any], kind: str) -> Any:
    """The nested code object of a kind."""
    (code,) = [code for code in read(function).code.walk() if code.kind == kind]
    return names_of(code)


def test_an_attribute_is_no_global_and_no_builtin() -> None:
    found = names_of(read(attribute_only))

    assert ["shape", "path", "filter"] == names(found.attributes)
    assert () == found.globals + found.builtins + found.names + found.unused


def test_a_global_of_a_lambda_belongs_to_the_lambda() -> None:
    assert () == names_of(read(in_a_lambda)).globals
    assert ["path"] == names(nested(in_a_lambda, "lambda").globals)


def test_a_name_of_a_class_body_is_looked_up_in_the_class_first() -> None:
    found = nested(in_a_class_body, "class body")

    assert "path" in names(found.names)
    assert () == found.globals
    assert [("inside", ("write",))] == [
        (name.name, name.verbs) for name in found.names if name.name == "inside"
    ]


def test_a_global_of_a_generator_expression_is_found() -> None:
    assert ["path"] == names(nested(in_a_generator, "generator expression").globals)


def test_a_global_of_a_list_comprehension_is_found_wherever_it_is_compiled_to() -> None:
    found = [name for code in read(in_a_list).code.walk() for name in names(names_of(code).globals)]

    assert ["path"] == found


def test_imports_are_no_globals() -> None:
    found = names_of(read(importing))

    assert [
        ("json", "import name"),
        ("os.path", "import name"),
        ("collections", "import name"),
        ("collections.OrderedDict", "import attribute"),
        ("collections.abc", "import attribute"),
    ] == [(name.name, use.access) for name in found.imports for use in name.uses]
    assert () == found.globals + found.builtins


@pytest.mark.parametrize(
    ("statement", "imported"),
    [
        ("import a.b.c as d", ["a.b.c"]),
        ("from . import x", [".", ".x"]),
        ("from ..a.b import x as y", ["..a.b", "..a.b.x"]),
        ("from a import *", ["a", "a.*"]),
        ("import a, b", ["a", "b"]),
    ],
)
@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_imports_of_every_version(version: str, statement: str, imported: list[str]) -> None:
    interpreter = identify(str(interpreters.require(version)))
    code = compile_source(interpreter, statement.encode(), "x.py")

    assert imported == names(names_of(code).imports)


def test_a_global_that_is_written_is_not_read() -> None:
    found = names_of(read(writing))

    assert [("changed", ("write",)), ("deleted", ("delete",))] == [
        (name.name, name.verbs) for name in found.globals
    ]


def test_globals_of_a_live_function_are_bound_to_what_they_hold_now() -> None:
    function = read(lambda: (path, len, never_defined))  # type: ignore[name-defined]  # noqa: F821
    found = names_of(function)

    assert [("path", "global", "'a global'"), ("never_defined", "unbound", None)] == [
        (name.name, name.binding, name.value and name.value.text) for name in found.globals
    ]
    assert [("len", "builtin", "<built-in function len>")] == [
        (name.name, name.binding, name.value and name.value.text) for name in found.builtins
    ]


def test_builtins_are_those_of_the_function_and_not_of_the_host() -> None:
    spaces = {"__builtins__": {"len": "replaced"}}
    found = names_of(read(FunctionType((lambda: (len, print)).__code__, spaces)))

    assert ["'replaced'"] == [name.value.text for name in found.builtins if name.value]
    assert [("print", "unbound")] == [(name.name, name.binding) for name in found.globals]


def test_a_global_hides_a_builtin() -> None:
    found = names_of(read(FunctionType((lambda: len).__code__, {"len": 1})))

    assert (["len"], []) == (names(found.globals), names(found.builtins))


def test_a_static_target_knows_builtins_by_name() -> None:
    code = next(c for c in from_source("def f(): print(thing)").code.walk() if c.name == "f")
    found = names_of(code)

    assert [("print", "builtin")] == [(name.name, name.binding) for name in found.builtins]
    assert [("thing", "unknown")] == [(name.name, name.binding) for name in found.globals]


def test_a_builtin_that_is_assigned_is_a_global() -> None:
    code = from_source("def f():\n global len\n len = 1\n return len").code.walk()
    found = names_of([*code][1])

    assert (["len"], []) == (names(found.globals), names(found.builtins))


def test_constants_tell_what_loads_them() -> None:
    source = 'def f():\n  """Doc."""\n  return (1.5, "x", {1.5: "x"}, None)\n'
    code = [*from_source(source).code.walk()][1]
    found = names_of(code).constants
    docs = [constant.index for constant in found if constant.docstring]

    assert [0] == docs
    assert code.consts == tuple(constant.value for constant in found)
    assert [] == [constant for constant in found if constant.docstring and constant.offsets]
    loaded = {offset for constant in found for offset in constant.offsets}
    # LOAD_COMMON_CONSTANT, from 3.14 on, loads what every interpreter has, not one of `consts`.
    loads = {i.offset for i in code.instructions if "CONST" in i.opname}
    shared = {i.offset for i in code.instructions if i.opname == "LOAD_COMMON_CONSTANT"}
    assert loaded == loads - shared


def test_a_constant_that_nothing_loads_is_unused() -> None:
    co = (lambda: 1.5).__code__
    code = read(co.replace(co_consts=(*co.co_consts, "extra"))).code

    assert ["extra"] == [each.value for each in names_of(code).constants if each.unused][-1:]


def test_locals_and_cells_are_told_apart() -> None:
    def function(a: int, b: int) -> Any:
        c = a
        del c
        return lambda: b

    found = names_of(read(function))

    assert [("a", ("read",)), ("c", ("write", "delete"))] == [
        (name.name, name.verbs) for name in found.locals
    ]
    assert [("b", ("make", "capture"))] == [(name.name, name.verbs) for name in found.cells]


def test_a_name_that_nothing_uses_is_told() -> None:
    co = (lambda: path).__code__
    code = read(co.replace(co_names=(*co.co_names, "extra"))).code

    assert ("extra",) == names_of(code).unused


SOURCE = b"""
def f(obj, other):
    obj.attr = other.read
    del obj.gone
    obj.method(global_read, print)
    import module
    return obj.attr
"""


@pytest.mark.parametrize("version", interpreters.VERSIONS)
def test_every_version_tells_the_same_names_apart(version: str) -> None:
    interpreter = identify(str(interpreters.require(version)))
    code = [*compile_source(interpreter, SOURCE, "x.py").walk()][1]
    found = names_of(code)

    assert {
        "attr": {"write", "read"},
        "read": {"read"},
        "gone": {"delete"},
        "method": {"read"},
    } == {name.name: set(name.verbs) for name in found.attributes}
    assert (["global_read"], ["print"], ["module"], ()) == (
        names(found.globals),
        names(found.builtins),
        names(found.imports),
        found.unused,
    )
    assert ["obj", "other", "module"] == sorted(
        names(found.locals), key=["obj", "other", "module"].index
    )


def global_tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """Tables of plain functions, which have one code object each."""
    for child in table.get_children():
        yield from global_tables(child)
    if table.get_type() == "function":
        yield table


@pytest.mark.parametrize("module", ["textwrap", "argparse", "dataclasses", "enum", "typing"])
def test_globals_are_those_of_the_compilers_symbol_table(module: str) -> None:
    file = Path(sysconfig.get_path("stdlib"), f"{module}.py")
    if not file.is_file():
        pytest.skip("the standard library is not a folder of source files here")
    text = file.read_text(encoding="utf-8")
    expected: dict[tuple[str, int], set[str]] = {}
    for table in global_tables(symtable.symtable(text, module, "exec")):
        used = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
        expected.setdefault((table.get_name(), table.get_lineno()), set()).update(used)
    differences = []
    for code in from_source(text, str(file)).code.walk():
        found = names_of(code)
        ours = {name.name for name in found.globals + found.builtins if "read" in name.verbs}
        theirs = expected.get((code.name, code.firstlineno))
        # A comprehension that is inlined, or code that is never reached, has no opcode here.
        if theirs is not None and code.kind == "function" and not ours <= theirs | inlined(code):
            differences.append((code.qualname, ours - theirs))

    assert [] == differences
    assert expected


def inlined(code: Any) -> set[str]:
    from coscope.facts import inlined_comprehensions

    return set(vars(builtins)) | set(code.names) if inlined_comprehensions(code) else set()
