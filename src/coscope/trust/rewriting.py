"""Bytecode that pytest wrote: `assert` is rewritten, everything else is the source's.

Outside of assert statements every instruction must be the same. Inside of them pytest's are
expected: they may name what the source names there, and what pytest's rewriting names, and hold
no other constants than texts.

Source:
    pytest 8.4, src/_pytest/assertion/rewrite.py, `AssertionRewriter`.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from typing import NamedTuple

from coscope.errors import CoscopeError
from coscope.model import Code, Constant, Source
from coscope.opcodes import table
from coscope.readers.comparing import asserted_lines
from coscope.readers.sources import source_from
from coscope.trust.places import key_of
from coscope.trust.rows import Handler, rows_of

_FIELDS = (
    *("name", "qualname", "filename", "firstlineno", "argcount", "posonlyargcount"),
    *("kwonlyargcount", "flags", "freevars", "cellvars"),
)
_OF_PYTEST = frozenset(
    (
        *("_saferepr", "_call_reprcompare", "_should_repr_global_name", "_format_explanation"),
        *("_format_assertmsg", "_format_boolop", "_call_assertion_pass", "AssertionError"),
        *("_check_if_assertion_pass_impl", "locals", "globals", "append"),
    )
)
_IMPORTED = ("builtins", "_pytest.assertion.rewrite")
_PROLOGUE = frozenset(
    (
        *("LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT"),
        *("IMPORT_NAME", "IMPORT_FROM", "STORE_NAME", "SWAP", "POP_TOP", "NOP"),
    )
)
_SMALL = (("int", 0), ("int", 1))
_LONGEST = 24  # instructions of pytest's two imports
_PAIR = re.compile(r"((?:LOAD|STORE)_FAST(?:_BORROW)?)_((?:LOAD|STORE)_FAST(?:_BORROW)?)")


class _Step(NamedTuple):
    """One instruction by what it names."""

    op: str
    what: object  # name, key of a constant, or argument
    sort: str  # "name", "const", "local" or ""
    line: int | None
    target: int | None  # a row, as `rows_of` counts
    handler: Handler | None
    row: int


class _Asserts(NamedTuple):
    """What the source's assert statements span and hold."""

    lines: frozenset[int]
    literals: frozenset[object]  # keys of constants: the compiler folds some of them


def _literals(source: Source) -> frozenset[object]:
    tree = ast.parse("\n".join(source.lines))
    asserts = (node for node in ast.walk(tree) if isinstance(node, ast.Assert))
    nodes = (node for each in asserts for node in ast.walk(each))
    return frozenset(key_of(node.value) for node in nodes if isinstance(node, ast.Constant))


def rewritten_by_pytest(code: Code, other: Code, source: bytes) -> bool:
    """True if the rewriting of assert statements explains every difference of two modules.

    Args:
        code: Of the bytecode.
        other: What the source compiles to without pytest.
        source: The source.
    """
    try:
        text = source_from(source, code.filename)
        return _alike(code, other, _Asserts(asserted_lines(text), _literals(text)))
    except (CoscopeError, ValueError, RecursionError):
        return False


def _alike(code: Code, other: Code, asserts: _Asserts) -> bool:
    if any(getattr(code, name) != getattr(other, name) for name in _FIELDS):
        return False
    own = tuple(name for name in code.varnames if not name.startswith("@"))
    if sorted(own) != sorted(other.varnames):
        return False
    left, right = _steps(code), _steps(other)
    if code.name == "<module>":
        left = _without_imports(left)
    outside = [[s for s in steps if s.line not in asserts.lines] for steps in (left, right)]
    if not _same(outside[0], outside[1]):
        return False
    inside = [[s for s in steps if s.line in asserts.lines] for steps in (left, right)]
    if not _allowed(inside[0], inside[1], asserts.literals):
        return False
    nested = [[c for c in each.consts if isinstance(c, Code)] for each in (code, other)]
    return len(nested[0]) == len(nested[1]) and all(
        _alike(one, two, asserts) for one, two in zip(*nested, strict=True)
    )


def _steps(code: Code) -> list[_Step]:
    rules = table(code.version).by_code
    valued = table(code.version).numbers.get("common_constants_are_values", 0)
    columns = code.instructions
    kept = [at for at in range(len(columns)) if columns.opname(at) != "EXTENDED_ARG"]
    found = []
    for number, (at, row) in enumerate(zip(kept, rows_of(code), strict=True)):
        meaning = rules[columns.opcodes[at]]
        operand = "" if meaning is None else meaning.operand
        value = None if row.target is not None else columns.argval(at)
        pair = _PAIR.fullmatch(row.op)
        ops = pair.groups() if pair else (row.op,)
        values = value if pair and isinstance(value, tuple) else (value,)
        for op, each in zip(ops, values, strict=False):
            op = op.replace("_BORROW", "").replace("_CHECK", "")
            sort = "const" if valued and operand == "common constant" else _sort(operand)
            what = _key(each) if sort == "const" else each if sort else row.arg
            found.append(
                _Step(
                    op=op,
                    what=(what, (row.arg or 0) & 1) if operand == "name>>1" else what,
                    sort=sort,
                    line=row.span.lineno,
                    target=row.target,
                    handler=row.handler,
                    row=number,
                )
            )
    return found


def _sort(operand: str) -> str:
    if operand.startswith("name"):
        return "name"
    if operand in ("const", "small int"):
        return "const"
    return "local" if operand.startswith(("local", "cell", "free", "deref")) else ""


def _key(constant: Constant) -> object:
    if isinstance(constant, Code):
        return ("code", constant.name, constant.firstlineno)
    return key_of(constant)


def _without_imports(steps: list[_Step]) -> list[_Step]:
    """A module without pytest's two imports before its first statement."""
    names = [step.what if step.op == "IMPORT_NAME" else None for step in steps]
    ends = [at for at, s in enumerate(steps) if s.op == "STORE_NAME" and s.what == "@pytest_ar"]
    if "builtins" not in names or len(ends) != 1:
        return steps
    start, stop = names.index("builtins") - 2, ends[0] + 1
    if stop < len(steps) and steps[stop].op == "POP_TOP":
        stop += 1
    taken = steps[max(0, start) : stop]
    imports = [step.what for step in taken if step.op == "IMPORT_NAME"]
    if start < 0 or len(taken) > _LONGEST or tuple(imports) != _IMPORTED:
        return steps
    if any(step.op not in _PROLOGUE or step.target is not None for step in taken):
        return steps
    return steps[:start] + steps[stop:]


def _same(left: list[_Step], right: list[_Step]) -> bool:
    """True if the instructions outside of assert statements are the same, and lead likewise."""
    if [(s.op, s.what, s.line) for s in left] != [(s.op, s.what, s.line) for s in right]:
        return False
    numbers = [[step.row for step in steps] for steps in (left, right)]
    return all(
        _leads(one, numbers[0]) == _leads(other, numbers[1])
        for one, other in zip(left, right, strict=True)
    )


def _leads(step: _Step, rows: list[int]) -> tuple[int, int, int, bool]:
    """Where a jump and a handler lead, in instructions that are kept."""
    target = -1 if step.target is None else bisect_left(rows, step.target)
    if step.handler is None or step.line is None:  # cleaning up, perhaps within an assert
        return target, -1, 0, False
    handler = step.handler
    return target, bisect_left(rows, handler.target), handler.depth, handler.keeps_lasti


def _allowed(left: list[_Step], right: list[_Step], literals: frozenset[object]) -> bool:
    """True if the assert statements name and hold what the source's do, and what pytest's do."""
    names = {_name(step) for step in right if step.sort in ("name", "local")}
    consts = literals | {step.what for step in right if step.sort == "const"}
    for step in left:
        if step.sort in ("name", "local"):
            name = _name(step)
            known = name in names or name in _OF_PYTEST or name.startswith("@")
            if not known or (step.op.startswith("IMPORT") and name not in names):
                return False
        elif step.sort == "const" and step.what not in consts and not _is_text(step.what):
            return False
    return True


def _name(step: _Step) -> str:
    what = step.what[0] if isinstance(step.what, tuple) and step.sort == "name" else step.what
    return str(what)


def _is_text(key: object) -> bool:
    """True for None, texts, and tuples of them: what pytest's explanations are made of."""
    if not isinstance(key, tuple) or not key:
        return False
    if key[0] in ("str", "NoneType") or key in _SMALL:
        return True
    return key[0] == "tuple" and all(map(_is_text, key[1:]))
