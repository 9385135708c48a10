"""Names in source that the compiler drops, told from the syntax tree alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def dead_names(node: ast.AST) -> set[str]:
    """Names in what control can never come to, anywhere below a node."""
    return {
        name.id
        for part in _dead_parts(node)
        for name in ast.walk(part)
        if isinstance(name, ast.Name)
    }


def _dead_parts(node: ast.AST) -> Iterator[ast.AST]:
    for each in ast.walk(node):
        for _, value in ast.iter_fields(each):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield from _after_the_end(value)
        if isinstance(each, (ast.If, ast.While, ast.IfExp)):
            truth = _truth(each.test)
            if truth is False:
                yield from _listed(each.body)
            elif truth is True:
                yield from _listed(each.orelse)
        elif isinstance(each, ast.BoolOp):
            deciding = isinstance(each.op, ast.Or)
            for index, value in enumerate(each.values):
                if _truth(value) is deciding:
                    yield from each.values[index + 1 :]


def _listed(part: ast.expr | Sequence[ast.stmt]) -> Sequence[ast.AST]:
    return [part] if isinstance(part, ast.expr) else part


def _after_the_end(block: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    for index, statement in enumerate(block):
        if _leaves(statement):
            return block[index + 1 :]
    return []


def _leaves(statement: ast.stmt) -> bool:
    """True if control cannot come to what follows the statement."""
    if isinstance(statement, _LEAVING):
        return True
    if isinstance(statement, ast.If):
        truth = _truth(statement.test)
        ways = [statement.body] * (truth is not False) + [statement.orelse] * (truth is not True)
        return all(any(map(_leaves, way)) for way in ways)
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return False  # its __exit__ may swallow an exception
    if isinstance(statement, ast.While):
        stops = any(isinstance(each, ast.Break) for each in ast.walk(statement))
        return _truth(statement.test) is True and not stops
    return False


def _truth(test: ast.expr) -> bool | None:
    """The outcome of a test, as far as the compiler knows it."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Name):
        return True if test.id == "__debug__" else None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _truth(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        deciding = isinstance(test.op, ast.Or)
        outcomes = [_truth(value) for value in test.values]
        if deciding in outcomes:
            return deciding
        return None if None in outcomes else not deciding
    return None
