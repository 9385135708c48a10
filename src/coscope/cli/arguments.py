"""The arguments of a call, as text on the command line -> values. Literals only: nothing is run."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import NoReturn

from coscope.errors import SourceError

_BEFORE = "call("  # what the text is parsed behind


@dataclass(frozen=True, slots=True)
class Literals:
    """What a call is given."""

    positional: tuple[object, ...]
    keywords: tuple[tuple[object, object], ...]  # in order; `**{...}` may repeat a name


def literals(text: str) -> Literals:
    """Read `1, "two", key=[3], *[4, 5], **{"six": 6}`.

    Args:
        text: What would be between the parentheses of a call. Numbers, strings, bytes, None,
            True, False, `...`, and tuples, lists, sets and dicts of them.

    Raises:
        SourceError: It does not parse, or holds anything else.

    >>> literals("1, *(2, 3), key='x'")
    Literals(positional=(1, 2, 3), keywords=(('key', 'x'),))
    """
    text = text.strip()
    call = _parsed(text)
    positional: list[object] = []
    for node in call.args:
        if isinstance(node, ast.Starred):
            positional += _items(node.value, text)
        else:
            positional.append(_value(node, text))
    keywords: list[tuple[object, object]] = []
    named = set()
    for keyword in call.keywords:
        if keyword.arg is None:
            keywords += _pairs(keyword.value, text)
            continue
        if keyword.arg in named:
            _refuse(f"keyword argument repeated: {keyword.arg}", text, keyword)
        named.add(keyword.arg)
        keywords.append((keyword.arg, _value(keyword.value, text)))
    return Literals(tuple(positional), tuple(keywords))


def _parsed(text: str) -> ast.Call:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a string such as '\\.' is read, if frowned upon
            # The line feed ends a comment, which would hide the parenthesis.
            tree = ast.parse(f"{_BEFORE}{text}\n)", mode="eval")
    except SyntaxError as error:
        column = max(1, (error.offset or 1) - len(_BEFORE)) if error.lineno == 1 else None
        _refuse(error.msg, text, column=column)
    except (ValueError, MemoryError, RecursionError) as error:
        _refuse(str(error) or type(error).__name__, text)
    call = tree.body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        _refuse("the parentheses do not match", text)
    if (call.end_lineno, call.end_col_offset) != (1 + text.count("\n") + 1, 1):
        _refuse("the parentheses do not match", text)
    return call


def _value(node: ast.expr, text: str) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        _refuse("an argument is not a literal", text, node)


def _items(node: ast.expr, text: str) -> list[object]:
    value = _value(node, text)
    if not isinstance(value, (list, tuple, set, dict, str, bytes)):
        _refuse("what follows * is not a list, tuple, set, dict or string", text, node)
    return list(value)


def _pairs(node: ast.expr, text: str) -> list[tuple[object, object]]:
    value = _value(node, text)
    if not isinstance(value, dict):
        _refuse("what follows ** is not a dict", text, node)
    return list(value.items())


def _refuse(
    why: str, text: str, node: ast.expr | ast.keyword | None = None, column: int | None = None
) -> NoReturn:
    line = text.split("\n")[0]
    if node is not None and node.lineno == 1:
        column = len(line.encode()[: node.col_offset - len(_BEFORE)].decode("utf-8", "ignore")) + 1
    error = SourceError(
        f"the arguments cannot be read: {why}",
        expected='literals, as in \'1, "two", key=[3, None], *[4], **{"five": 5}\'',
        hint="Put them into one word, in quotes for the shell.",
    )
    error.text, error.column = line, column
    raise error
