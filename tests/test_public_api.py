"""The public API is a tested fact: its names and signatures stand in public_api.txt.

A change of that file is a change of what users rely on, and belongs in CHANGELOG.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coscope

SNAPSHOT = Path(__file__).with_name("public_api.txt")


def _signature(function: Callable[..., Any]) -> str:
    parameters = []
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        annotation = parameter.annotation
        text = str(parameter.replace(annotation=inspect.Parameter.empty))
        if annotation is not inspect.Parameter.empty:
            name, equals, default = text.partition("=")
            text = f"{name}: {_text(annotation)}" + (f" = {default}" if equals else "")
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in "".join(parameters):
            parameters.append("*")
        parameters.append(text)
    result = signature.return_annotation
    returned = "" if result is inspect.Signature.empty else f" -> {_text(result)}"
    return f"({', '.join(parameters)}){returned}"


def _text(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")


def _class(name: str, value: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    fields = getattr(value, "__dataclass_fields__", None) or getattr(value, "_fields", ())
    members = vars(value)
    for field in fields:
        if not field.startswith("_"):
            yield f"    {field}"
    for member in sorted(set(members) - set(fields)):
        thing = inspect.getattr_static(value, member)
        if member.startswith("_"):
            continue
        if isinstance(thing, property):
            yield f"    {member}  (property)"
        elif inspect.isfunction(thing):
            yield f"    {member}{_signature(thing)}"
        elif not inspect.ismemberdescriptor(thing):
            yield f"    {member}"


def _lines() -> Iterator[str]:
    for name in sorted(coscope.__all__):
        value = getattr(coscope, name)
        if isinstance(value, type):
            yield from _class(name, value)
        elif callable(value):
            yield f"{name}{_signature(value)}"
        else:
            yield name


def test_names_and_signatures_are_those_of_the_snapshot(
    golden: Callable[[Path, str], None],
) -> None:
    golden(SNAPSHOT, "".join(line + "\n" for line in _lines()))


def test_every_public_name_is_documented() -> None:
    bare = [
        name
        for name in coscope.__all__
        if callable(getattr(coscope, name)) and not getattr(coscope, name).__doc__
    ]

    assert [] == bare


def test_the_public_names_are_listed_for_completion() -> None:
    assert set() == set(coscope.__all__) - set(dir(coscope))


def test_the_names_of_the_documentation_exist() -> None:
    function = coscope.read(_lines)

    assert "_lines" == function.code.name
    assert function.code.instructions[0].opname
    assert {"consts", "names", "varnames", "freevars", "cellvars", "flags", "stacksize"} <= set(
        coscope.Code.__dataclass_fields__
    )
    assert [function.code] == list(function.code.walk())
    assert (function.cells, function.arguments) == ((), ())
