"""What a source states: where each literal is written, and what no instruction loads of it.

A literal may be folded into another constant (`60 * 60`), become part of a test (`is None`) or
decide at compile time (`while 1`). Texts are parsed and compiled, never executed.
"""

from __future__ import annotations

import ast
from ast import parse
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

from coscope.model import Code, Source, Span
from coscope.opcodes import table
from coscope.readers.comparing import by_place
from coscope.readers.from_function import HOST_VERSION, LEVELS_TRIED, from_code_object

_compile = compile  # as it is now: a module that is read may put something else in its place

_MARK = "\0 the literal that is looked for"

Place = tuple[int, int, int, int]  # first line, last line, first column, column behind the last

_Comprehension = ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp
_COMPREHENSIONS: dict[type, str] = {
    ast.GeneratorExp: "<genexpr>",
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
}


def place_of(span: Span) -> Place | None:
    """A position with columns; None if there are none."""
    first, last, start, stop = span
    if first is None or last is None or start is None or stop is None:
        return None
    return first, last, start, stop


class Statement(NamedTuple):
    """One place where a source writes a literal."""

    place: Place
    text: str  # of the smallest expression around it that is more than the literal
    around: Place  # where that is
    tested: bool  # it is compared with `is` or `is not`
    returned: bool  # it is all that a `return` returns
    operand: bool  # an operator stands at it, so that it may be folded
    decides: bool  # an operand of `and` or `or` that is not the last


def spans_of(source: Source, value: object) -> frozenset[Place]:
    """Where a source writes a literal whose value counts; docstrings and the like left out."""
    return _spans(source, _typed(value))


@lru_cache(maxsize=64)
def _spans(source: Source, text: str) -> frozenset[Place]:
    tree = _tree(source)
    if tree is None:
        return frozenset()
    idle = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = set()
    for node in ast.walk(tree):
        for place, value in _literals(node):
            if id(node) not in idle and _typed(value) == text:
                found.add(place)
    return frozenset(found)


def _typed(value: object) -> str:
    return f"{type(value).__name__} {value!r}"


@lru_cache(maxsize=8)
def _tree(source: Source) -> ast.Module | None:
    try:
        return parse("\n".join([*source.lines, ""]))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _literals(node: ast.AST) -> Iterator[tuple[Place, object]]:
    if isinstance(node, ast.Constant | ast.MatchSingleton):
        yield _place(node), node.value


def _place(node: ast.expr | ast.pattern) -> Place:
    last, stop = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return node.lineno, last, node.col_offset, stop


# Compiled with the literal exchanged


def carried(source: Source, code: Code, value: object) -> frozenset[int] | None:
    """The instructions that load what a `return` of the source states, by number.

    The source is compiled again with another constant in place of the literal in each `return` and
    lambda; where the instructions stay the same, the loads of that constant are its.

    Args:
        source: Of the whole file, proved to be that of the code.
        code: A code object of it.
        value: The literal.

    Returns:
        None if the code is not of this interpreter, or something else changed too.
    """
    if code.version != HOST_VERSION:
        return None
    mine = _shape(code)
    for level in LEVELS_TRIED:
        compiled = _marked(source, level, _typed(value))
        for co in compiled.get((code.qualname, code.firstlineno), ()):
            other = from_code_object(co)
            if _shape(other) == mine:
                return frozenset(_loading(other))
    return None


@lru_cache(maxsize=16)
def _marked(source: Source, level: int, text: str) -> dict[tuple[str, int], list[CodeType]]:
    """All code objects of the text with the marked constant."""
    try:
        tree = parse("\n".join([*source.lines, ""]))
        for node in ast.walk(tree):
            held = getattr(node, "value" if isinstance(node, ast.Return) else "body", None)
            if not isinstance(node, ast.Return | ast.Lambda) or not isinstance(held, ast.Constant):
                continue
            if _typed(held.value) == text:
                held.value = _MARK
        module: CodeType = _compile(tree, source.file, "exec", dont_inherit=True, optimize=level)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return {}
    return by_place(module)


def _shape(code: Code) -> list[object]:
    """The opcodes without prefixes; all that load a constant count as one."""
    rules = table(code.version)
    return [
        "load" if opcode in rules.constants else opcode
        for opcode in code.instructions.opcodes
        if opcode != rules.extended_arg
    ]


def _loading(code: Code) -> Iterator[int]:
    columns, rules = code.instructions, table(code.version)
    number = 0
    for at, opcode in enumerate(columns.opcodes):
        if opcode in rules.constants and columns.argval(at) == _MARK:
            yield number
        number += opcode != rules.extended_arg


# What a code object's own text states


def stated(source: Source, code: Code, fits: Callable[[object], bool]) -> list[Statement]:
    """Where the text of a code object itself, nested ones left out, writes a literal.

    Args:
        source: Of the whole file.
        code: A code object of it.
        fits: True for the value that is looked for.
    """
    tree = _tree(source)
    scope = None if tree is None else _scope_of(tree, code)
    if scope is None:
        return []
    found = []
    for node, parents in _own(scope, code):
        for place, value in _literals(node):
            if fits(value):
                found.append(_statement(place, parents))
    return found


def _statement(place: Place, parents: tuple[ast.AST, ...]) -> Statement:
    around = place
    text = ""
    tested = False
    for parent in reversed(parents):
        if isinstance(parent, ast.Compare):
            tested = any(isinstance(each, ast.Is | ast.IsNot) for each in parent.ops)
        folds = isinstance(parent, ast.UnaryOp | ast.BinOp | ast.JoinedStr)
        if not isinstance(parent, ast.expr) or (text and not folds):
            break
        around, text = _place(parent), ast.unparse(parent)
        if not folds:
            break
    returned = bool(parents) and isinstance(parents[-1], ast.Return)
    operand = bool(parents) and isinstance(parents[-1], ast.UnaryOp | ast.BinOp | ast.Subscript)
    last = parents[-1].values[-1] if parents and isinstance(parents[-1], ast.BoolOp) else None
    decides = last is not None and _place(last) != place
    return Statement(
        place=place,
        text=text,
        around=around,
        tested=tested,
        returned=returned,
        operand=operand,
        decides=decides,
    )


def _scope_of(tree: ast.Module, code: Code) -> ast.AST | None:
    """The one node that a code object was compiled from; None if it cannot be told."""
    if code.name == "<module>":
        return tree
    found = [node for node in ast.walk(tree) if _is_scope(node, code)]
    if len(found) > 1:
        inside = {tuple(span) for span in code.instructions.positions if None not in tuple(span)}
        found = [node for node in found if any(_place(each) in inside for each in _inner(node))]
    return found[0] if len(found) == 1 else None


def _inner(node: ast.AST) -> Iterator[ast.expr]:
    return (each for each in ast.walk(node) if isinstance(each, ast.expr) and each is not node)


def _is_scope(node: ast.AST, code: Code) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        return node.name == code.name and first == code.firstlineno
    name = "<lambda>" if isinstance(node, ast.Lambda) else _name(node)
    return name == code.name and getattr(node, "lineno", 0) == code.firstlineno


def _name(node: ast.AST) -> str | None:
    return next((name for kind, name in _COMPREHENSIONS.items() if type(node) is kind), None)


def _own(scope: ast.AST, code: Code) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    """The nodes that belong to a scope itself, each with those around it."""
    apart = {(each.name, each.firstlineno) for each in code.consts if isinstance(each, Code)}
    pending: list[tuple[ast.AST, tuple[ast.AST, ...]]] = []
    if isinstance(scope, ast.Lambda):
        pending.append((scope.body, ()))
    elif isinstance(scope, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        pending += [(node, ()) for node in scope.body]
    elif isinstance(scope, _Comprehension):
        first, *others = scope.generators
        inner = [getattr(scope, name, None) for name in ("elt", "key", "value")]
        pending += [(node, ()) for node in (first.target, *first.ifs, *others, *inner) if node]
    while pending:
        node, parents = pending.pop()
        yield node, parents
        pending += [(each, (*parents, node)) for each in _evaluated(node, apart)]


def _evaluated(node: ast.AST, apart: set[tuple[str, int]]) -> Iterator[ast.AST]:
    """The parts of a node that the code around it evaluates."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        yield from getattr(node, "decorator_list", ())
        yield from node.args.defaults
        yield from (each for each in node.args.kw_defaults if each is not None)
    elif isinstance(node, ast.ClassDef):
        yield from (*node.decorator_list, *node.bases, *node.keywords)
    elif isinstance(node, ast.AnnAssign):
        yield from (each for each in (node.target, node.value) if each is not None)
    elif isinstance(node, _Comprehension) and (_name(node), node.lineno) in apart:
        yield node.generators[0].iter
    else:
        yield from ast.iter_child_nodes(node)
