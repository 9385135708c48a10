"""One code object of a file or function: by its qualified name, or by a line that it covers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from coscope.errors import CodeError, TargetError, TargetNotFound
from coscope.model import NOWHERE, Code, Function, Span
from coscope.readers.from_source import static_function
from coscope.readers.naming import MODULE

_SHOWN = 12  # names in a message
_CHOICES = 8  # spellings in a message

# NAME, NAME@LINE, NAME@LINE:COLUMN or NAME#NUMBER
_CHOSEN = re.compile(r"(?P<name>.+?)(?:@(?P<line>\d+)(?::(?P<column>\d+))?|#(?P<number>\d+))", re.S)


class _Wanted(NamedTuple):
    """A name, and what chooses among several code objects that have it."""

    name: str
    line: int | None = None
    column: int | None = None
    number: int | None = None


def select(function: Function, qualname: str) -> Function:
    """The code object of that qualified name, nested in a function or a module.

    Args:
        function: A module's code, or any other that `read` gave.
        qualname: As CPython writes it, or without `<locals>`: "outer.inner" finds
            "outer.<locals>.inner". Where several have the name, "Order.total@12" is the one whose
            first line is 12, "<lambda>@12:8" the one that begins there in column 8 (from 1, in
            UTF-8 bytes), and "<lambda>#2" the second one in the order of the file.

    Raises:
        TargetNotFound: None matches; the message lists similar names.
        TargetError: Several match; the message lists a spelling for each.
    """
    nested = list(function.code.walk())
    wanted = _wanted(nested, qualname)
    found = sorted(_matches(function.code, nested, wanted.name), key=_first_line)
    found = _chosen(function.code, found, wanted)
    if not found:
        raise _not_found(function, nested, qualname)
    if len(found) > 1:
        raise _several(function, wanted.name, found)
    return _selected(function, found[0])


def _chosen(root: Code, found: list[Code], wanted: _Wanted) -> list[Code]:
    """Those of the line, the column or the number that is asked for."""
    if wanted.line is not None:
        found = [code for code in found if code.firstlineno == wanted.line]
    if wanted.column is not None:
        column = wanted.column - 1
        found = [code for code in found if _begins(root, code).col_offset == column]
    if wanted.number is not None:
        found = found[wanted.number - 1 : wanted.number] if wanted.number else []
    return found


def _wanted(nested: list[Code], qualname: str) -> _Wanted:
    """The name and the choice; a code object may have any name, with @ and # in it too."""
    chosen = _CHOSEN.fullmatch(qualname)
    if chosen is None or any(code.qualname == qualname for code in nested):
        return _Wanted(qualname)
    numbers = (chosen["line"], chosen["column"], chosen["number"])
    return _Wanted(chosen["name"], *(None if each is None else int(each) for each in numbers))


def _first_line(code: Code) -> int:
    return code.firstlineno


def _selected(function: Function, code: Code) -> Function:
    if code is function.code:
        return function
    selected = static_function(code, function.origin, function.source, function.warnings)
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


def at_line(function: Function, line: int, column: int | None = None) -> Function:
    """The innermost code object that covers a line.

    A code object covers the lines from its first one (of its decorators, if it has any) to the
    last one of its code and of all code nested in it. The module covers every line.

    Args:
        function: A module's code.
        line: From 1.
        column: From 1, in UTF-8 bytes; chooses among several lambdas and comprehensions.

    Raises:
        TargetNotFound: The file is shorter.
        TargetError: Several code objects are innermost; the message lists a spelling for each.
    """
    root = function.code
    if function.source is not None and not 1 <= line <= max(1, len(function.source.lines)):
        raise TargetNotFound(
            f"there is no line {line}", file=root.filename, found=f"{len(function.source.lines)}"
        )
    found = list(_innermost(root, line))
    if column is not None and len(found) > 1:
        place = (line, column - 1)
        found = [code for code in found if _covers(_begins(root, code), place)] or found
    if len(found) > 1:
        raise _several(function, f"line {line}", found)
    return _selected(function, found[0])


def _innermost(code: Code, line: int) -> Iterator[Code]:
    inner = list({id(each): each for each in _inside(code, line)}.values())
    if not inner:
        yield code
    for each in inner:
        yield from _innermost(each, line)


def _inside(code: Code, line: int) -> Iterator[Code]:
    """The code objects directly in another one that cover a line."""
    for constant in code.consts:
        if not isinstance(constant, Code) or constant.kind == "annotations":
            continue  # annotations cover the lines of their function too
        if constant.kind == "type parameters":  # the scope around a generic function or class
            yield from _inside(constant, line)
        elif constant.firstlineno <= line <= _last_line(constant):
            yield constant


def _last_line(code: Code) -> int:
    last = code.firstlineno
    for each in code.walk():
        last = max(last, each.firstlineno)
        try:
            spans = each.instructions.positions
        except CodeError:  # a damaged line table: its first line is known
            continue
        for span in spans:
            last = max(last, span.lineno or 0, span.end_lineno or 0)
    return last


def _covers(span: Span, place: tuple[int, int]) -> bool:
    start = (span.lineno or 0, span.col_offset or 0)
    end = (span.end_lineno or 0, span.end_col_offset or 0)
    return start <= place < end


def _begins(root: Code, code: Code) -> Span:
    """Where the source has the expression or statement that makes a code object."""
    for outer in root.walk():
        if not any(constant is code for constant in outer.consts):
            continue
        try:
            for instruction in outer.instructions:
                if instruction.argval is code:
                    return instruction.positions
        except CodeError:
            continue
    return NOWHERE


def _several(function: Function, name: str, found: Sequence[Code]) -> TargetError:
    spellings = list(_spellings(function.code, found))
    shown = ", ".join(spellings[:_CHOICES]) + (", ..." if len(spellings) > _CHOICES else "")
    what = f"are named {name!r}" if not name.startswith("line ") else f"share {name}"
    lines = ", ".join(f"line {code.firstlineno} ({code.kind})" for code in found[:_CHOICES])
    return TargetError(
        f"{len(found)} code objects {what}",
        file=function.code.filename,
        found=lines,
        hint=f"Choose one: {shown}.",
    )


def _spellings(root: Code, found: Sequence[Code]) -> Iterator[str]:
    """A name for each of some code objects that `select` finds: by line, column or number."""
    nested = list(root.walk())
    for code in found:
        name = plain(code.qualname)
        same = sorted((each for each in nested if plain(each.qualname) == name), key=_first_line)
        yield name if len(same) == 1 else f"{name}{_choice(root, same, code)}"


def _choice(root: Code, same: list[Code], code: Code) -> str:
    """What chooses one of several code objects of the same name: "@12", "@12:8" or "#2"."""
    on_line = [each for each in same if each.firstlineno == code.firstlineno]
    if len(on_line) == 1:
        return f"@{code.firstlineno}"
    columns = [_begins(root, each).col_offset for each in on_line]
    column = columns[_place(on_line, code)]
    if column is not None and columns.count(column) == 1:
        return f"@{code.firstlineno}:{column + 1}"
    return f"#{_place(same, code) + 1}"


def _place(codes: list[Code], code: Code) -> int:
    """Index by identity: equal code objects may be several."""
    return next(at for at, each in enumerate(codes) if each is code)


def spelling(root: Code, code: Code) -> str:
    """The shortest text by which `select` finds a code object in a module or function."""
    return MODULE if code is root else next(_spellings(root, [code]))


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
        hint = f"Name one of these: {', '.join(names[:_SHOWN])}{more}."
    return TargetNotFound(
        f"no code object is named {qualname!r}", file=function.code.filename, hint=hint
    )
