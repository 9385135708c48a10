"""`"{}: {}".format(a, b)` as an f-string, where that does the same.

An f-string formats each argument before the next one is evaluated, `format` evaluates all of them
first. That differs only if evaluating an argument changes an object that an earlier one gave, or
if formatting one changes a later one.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from typing import NamedTuple

from coscope.tuner.sources import Source

_QUOTES = ('"', "'")
# Builtins that change nothing, asked about plain values.
_PURE = frozenset(
    (
        *("len", "str", "repr", "int", "float", "bool", "abs", "round", "ord", "chr", "hex", "oct"),
        *("bin", "type", "id", "min", "max", "isinstance", "hash", "ascii", "divmod"),
    )
)
# What needs no parentheses in a replacement field.
_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.BinOp)


class Field(NamedTuple):
    """One replacement field of a format."""

    argument: ast.expr
    attributes: str  # ".name.other" of "{0.name.other}"
    conversion: str  # "!r" or ""
    spec: str  # ":>10" or ""


def f_string(source: Source, call: ast.Call, *, strictly: bool = False) -> str | None:
    """The f-string that a call of `format` is, as source text; None if there is none.

    Args:
        source: The file.
        call: Of anything.
        strictly: None also where the order of evaluation might show.
    """
    callee = call.func
    if not isinstance(callee, ast.Attribute) or callee.attr != "format":
        return None
    if not isinstance(callee.value, ast.Constant) or type(callee.value.value) is not str:
        return None
    if "#" in source.segment(call) and "\n" in source.segment(call):
        return None  # a comment would be lost
    parts = _parts(call, callee.value.value)
    if parts is None or not _uses_all(call, parts):
        return None
    if strictly and not _in_any_order(source, [each for each in parts if isinstance(each, Field)]):
        return None
    return _written(source, parts)


def _parts(call: ast.Call, text: str) -> list[str | Field] | None:
    """Literal texts and fields, in order; None for a format that no f-string writes alike."""
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        return None
    named = {each.arg: each.value for each in call.keywords}
    if None in named or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    names = [name.partition(".")[0] for _, name, _, _ in parsed if name is not None]
    if "" in names and any(each.isdigit() for each in names):
        return None  # an error when it runs
    found: list[str | Field] = []
    following = iter(range(len(call.args)))
    for before, name, spec, conversion in parsed:
        found.append(before)
        if name is None:
            continue
        first, dot, attributes = name.partition(".")
        argument = _argument(call, named, first, following)
        if argument is None or "{" in (spec or "") or "\\" in (spec or "") or "[" in name:
            return None
        if dot and not all(each.isidentifier() for each in attributes.split(".")):
            return None
        how = f"!{conversion}" if conversion else ""
        found.append(Field(argument, dot + attributes, how, f":{spec}" if spec else ""))
    return found


def _argument(
    call: ast.Call, named: dict[str | None, ast.expr], name: str, following: Iterator[int]
) -> ast.expr | None:
    if name and not name.isdigit():
        return named.get(name)
    at = int(name) if name else next(following, -1)
    return call.args[at] if 0 <= at < len(call.args) else None


def _uses_all(call: ast.Call, parts: list[str | Field]) -> bool:
    """True if the arguments are used in their order, each; and only plain ones more than once."""
    used = [each.argument for each in parts if isinstance(each, Field)]
    given = [*call.args, *(each.value for each in call.keywords)]
    first = list({id(each): each for each in used}.values())
    if not used or len(first) != len(given):
        return False
    plain = all(_is_plain(each) for each in given)
    if [id(each) for each in first] != [id(each) for each in given] and not plain:
        return False
    return len(first) == len(used) or plain


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant)


def _in_any_order(source: Source, fields: list[Field]) -> bool:
    """True if no argument behind the first one can change anything when it is evaluated."""
    bound = source.bound() | source.known.bound
    return all(_changes_nothing(each.argument, bound) for each in fields[1:])


def _changes_nothing(node: ast.expr, bound: set[str] | frozenset[str]) -> bool:
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            callee = each.func
            if not isinstance(callee, ast.Name) or callee.id not in _PURE or callee.id in bound:
                return False
        elif isinstance(each, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
            return False
    return True


def _written(source: Source, parts: list[str | Field]) -> str | None:
    """The text, for every version: to 3.11 an expression has no backslash and other quotes."""
    fields = [_expression(source, each) for each in parts if isinstance(each, Field)]
    if any("\\" in each or "\n" in each or "#" in each for each in fields):
        return None
    fields += [each.spec for each in parts if isinstance(each, Field)]
    if not all(each.isprintable() for each in fields):
        return None
    quote = next((each for each in _QUOTES if not any(each in text for text in fields)), None)
    if quote is None:
        return None
    pieces, at = [], iter(fields)
    for each in parts:
        if isinstance(each, Field):
            pieces.append("{" + next(at) + each.conversion + each.spec + "}")
        else:
            text = each.replace("{", "{{").replace("}", "}}")
            pieces.append("".join(_escaped(character, quote) for character in text))
    return f"f{quote}{''.join(pieces)}{quote}"


def _escaped(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return f"\\{character}"
    return character if character.isprintable() else repr(character)[1:-1]


def _expression(source: Source, field: Field) -> str:
    text = source.segment(field.argument)
    whole = isinstance(field.argument, _ATOMS) and not text.startswith("{")
    if isinstance(field.argument, ast.Constant | ast.BinOp) and field.attributes:
        whole = False
    return (text if whole else f"({text})") + field.attributes
