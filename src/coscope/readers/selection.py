"""One code object of a file, by its qualified name."""

from __future__ import annotations

import re
from dataclasses import replace

from coscope.errors import TargetError, TargetNotFound
from coscope.model import Code, Function
from coscope.readers.from_source import static_function

_SHOWN = 12  # names in a message


def select(function: Function, qualname: str) -> Function:
    """The code object of that qualified name, nested in a function or a module.

    Args:
        function: A module's code, or any other that `read` gave.
        qualname: As CPython writes it, or without `<locals>`: "outer.inner" finds
            "outer.<locals>.inner". "Order.total@12" is the one whose first line is 12, where
            several have the name.

    Raises:
        TargetNotFound: There is none; similar names are told.
        TargetError: There are several; their lines are told.
    """
    name, at, line = qualname.rpartition("@")
    if not at or not line.isdecimal():
        name, line = qualname, ""
    nested = list(function.code.walk())
    found = _matches(function.code, nested, name)
    if line:
        found = [code for code in found if code.firstlineno == int(line)]
    if not found:
        raise _not_found(function, nested, qualname)
    if len(found) > 1:
        lines = ", ".join(f"line {code.firstlineno} ({code.kind})" for code in found)
        raise TargetError(
            f"{len(found)} code objects are named {name!r}",
            file=function.code.filename,
            found=lines,
            hint=f"Choose one by its first line: {name}@{found[0].firstlineno}.",
        )
    if found[0] is function.code:
        return function
    selected = static_function(found[0], function.origin, function.source, function.warnings)
    return replace(selected, via=function.via, module=function.module)


def _matches(root: Code, nested: list[Code], name: str) -> list[Code]:
    exact = [code for code in nested if code.qualname == name]
    if exact:
        return exact
    wanted = {plain(name), plain(f"{root.qualname}.{name}")}
    return [code for code in nested if plain(code.qualname) in wanted]


def plain(qualname: str) -> str:
    """A qualified name without `<locals>`.

    >>> plain("outer.<locals>.inner")
    'outer.inner'
    """
    return re.sub(r"\.?<locals>(\.|$)", r"\1", qualname)


def _not_found(function: Function, nested: list[Code], qualname: str) -> TargetNotFound:
    from difflib import get_close_matches  # only for this message

    names = list(dict.fromkeys(plain(code.qualname) for code in nested))
    close = get_close_matches(plain(qualname), names, n=3, cutoff=0.5)
    ending = [each for each in names if each.split(".")[-1] == qualname.split(".")[-1]]
    likely = list(dict.fromkeys([*ending, *close]))[:_SHOWN]
    if likely:
        hint = f"Did you mean {' or '.join(likely)}?"
    else:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        hint = f"It has {', '.join(names[:_SHOWN])}{more}."
    return TargetNotFound(
        f"no code object is named {qualname!r}", file=function.code.filename, hint=hint
    )
