"""Slot expressions of the opcode tables: `args * oparg - 1`, `self_or_null if oparg & 1`.

A slot is written `NAME [: TYPE] [* COUNT] [if CONDITION]`. COUNT and CONDITION are arithmetic on
`oparg` with integers, `+ - & | >> <<`, comparisons and parentheses, with Python's precedence.
"""

from __future__ import annotations

import ast
import operator
import re
from ast import parse as parsed
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from coscope.errors import InternalError

_SLOT = re.compile(
    r"\s*(?P<name>\w+)\s*(?::\s*(?P<type>[^*]+?))?\s*(?:\*\s*(?P<count>\S.*?))?\s*"
    r"(?:\bif\s+(?P<condition>\S.*?))?\s*$"
)

_BINARY: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.RShift: operator.rshift,
    ast.LShift: operator.lshift,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One entry of `pops` or `pushes`."""

    name: str
    type: str | None  # what the verifier requires or knows of it
    count: str  # arithmetic on oparg; "1" for a plain slot
    condition: str | None  # present only if this is not zero

    def size(self, oparg: int) -> int:
        """How many stack slots it takes for this oparg."""
        if self.condition is not None and not evaluate(self.condition, oparg):
            return 0
        return 1 if self.count == "1" else max(0, evaluate(self.count, oparg))


def parse(text: str) -> Slot:
    """Read one slot of a table.

    >>> parse("args: object * oparg - 1")
    Slot(name='args', type='object', count='oparg - 1', condition=None)
    """
    match = _SLOT.match(text)
    if match is None:
        raise InternalError(f"opcode table: cannot read the slot {text!r}")
    return Slot(match["name"], match["type"], match["count"] or "1", match["condition"])


def evaluate(expression: str, oparg: int) -> int:
    """Value of a COUNT or CONDITION (or of a row's `dis_effect`).

    >>> evaluate("(oparg & 0xFF) + (oparg >> 8)", 0x203)
    5
    """
    return int(_compiled(expression)(oparg))


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Callable[[int], int]:
    try:
        return _closure(parsed(expression, mode="eval").body)
    except SyntaxError:
        raise InternalError(f"opcode table: cannot read the expression {expression!r}") from None


def _closure(node: ast.AST) -> Callable[[int], int]:
    """Turn a syntax node into a function of oparg; only integer arithmetic is known."""
    match node:
        case ast.Name(id="oparg"):
            return lambda oparg: oparg
        case ast.Constant(value=int(value)):
            return lambda oparg: value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _pair(_BINARY[type(op)], _closure(left), _closure(right))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _BINARY:
            return _pair(_BINARY[type(op)], _closure(left), _closure(right))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _closure(operand)
            return lambda oparg: not inner(oparg)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            minus = _closure(operand)
            return lambda oparg: -minus(oparg)
    raise InternalError(f"opcode table: cannot read the expression {ast.dump(node)}")


def _pair(
    do: Callable[[int, int], int], left: Callable[[int], int], right: Callable[[int], int]
) -> Callable[[int], int]:
    return lambda oparg: do(left(oparg), right(oparg))
