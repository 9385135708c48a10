"""Where a wrapper's code hands its own `*args` and `**kwargs` on, found in its bytecode."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from coscope.errors import CodeError
from coscope.flow import Frames, Graph, run
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.expression import Expression
from coscope.flow.texts import Text
from coscope.model import Code
from coscope.opcodes import table

_ZERO_ARGUMENTS = re.compile(r"^super\(__class__, \w+\)")  # `super()`, as its bytecode has it
_CHANGING = frozenset({"pop", "popitem", "setdefault", "update", "clear", "__setitem__"})


@dataclass(frozen=True, slots=True)
class Passed:
    """One argument that the wrapper's call gives."""

    kind: str  # "positional", "*", "keyword" or "**"
    name: str | None  # of the keyword; else None
    parameter: str | None  # of the wrapper, if its value is handed on as it is
    text: str


@dataclass(frozen=True, slots=True)
class Forward:
    """A call in a wrapper's code that hands its `*args` or `**kwargs` on."""

    callee: str  # expression as text: "fn", "super().__init__"
    passed: tuple[Passed, ...]  # in order
    stars: tuple[str, ...]  # those of "*" and "**" that are the wrapper's own
    always: bool  # no way through the wrapper's code returns without it
    exact: bool  # what is handed on are the wrapper's own, not changed before
    offsets: tuple[int, ...]  # bytes: of the calls, which say the same
    line: int | None

    @property
    def text(self) -> str:
        """The call, as in source."""
        callee = _ZERO_ARGUMENTS.sub("super()", self.callee)
        return f"{callee}({', '.join(each.text for each in self.passed)})"


@lru_cache(maxsize=1024)
def forwards(code: Code) -> tuple[Forward, ...]:
    """The calls by which a function hands its `*args` or `**kwargs` on, in code order.

    Calls of a free variable are among them even if they hand on neither.

    Nothing is run: the calls are read from the texts that the symbolic stack has for them.
    """
    starred = starred_of(code)
    if not starred and not code.freevars:
        return ()
    try:
        drawn = graph(code)
        frames = run(drawn, Expression())
    except CodeError:
        return ()
    calls = list(_calls(code, frames, starred))
    if not calls:
        return ()
    changed = _written(code) | _changed(code, frames, starred)
    by_text: dict[str, list[tuple[int, ast.Call]]] = {}
    for index, node in calls:
        by_text.setdefault(ast.unparse(node), []).append((index, node))
    return tuple(_forward(code, drawn, group, changed, starred) for group in by_text.values())


def starred_of(code: Code) -> dict[str, str]:
    """Names of `*args` and `**kwargs`: name -> "*" or "**"."""
    at = code.argcount + code.kwonlyargcount
    found = {}
    for flag, stars in ((0x4, "*"), (0x8, "**")):
        if code.flags & flag:
            found[code.varnames[at]] = stars
            at += 1
    return found


def _calls(
    code: Code, frames: Frames[Text], starred: dict[str, str]
) -> Iterator[tuple[int, ast.Call]]:
    """Instructions that make such a call, and the call as a tree."""
    by_code = table(code.version).by_code
    columns = code.instructions
    for index, opcode in enumerate(columns.opcodes):
        row = by_code[opcode]
        if row is None or row.shows != "{call}":
            continue
        frame = frames[index + 1] if index + 1 < len(columns) else None
        node = None if frame is None or not len(frame.stack) else parsed(str(frame[-1]))
        if isinstance(node, ast.Call) and (any(_stars(node, starred)) or _is_free(node, code)):
            yield index, node


def _is_free(node: ast.Call, code: Code) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in code.freevars


def parsed(text: str) -> ast.expr | None:
    """An expression text as a tree; None where it holds what is no source."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _stars(node: ast.Call, starred: dict[str, str]) -> Iterator[str]:
    for argument in node.args:
        if isinstance(argument, ast.Starred) and _name(argument.value, starred) == "*":
            yield ast.unparse(argument.value)
    for keyword in node.keywords:
        if keyword.arg is None and _name(keyword.value, starred) == "**":
            yield ast.unparse(keyword.value)


def _name(node: ast.expr, starred: dict[str, str]) -> str | None:
    return starred.get(node.id) if isinstance(node, ast.Name) else None


def read_stars(code: Code) -> set[str]:
    """Names of `*args` and `**kwargs` that the code or code nested in it reads at all."""
    starred = set(starred_of(code))
    by_code = table(code.version).by_code
    columns = code.instructions
    found = starred & set(code.cellvars)  # a nested function reads them
    for index, opcode in enumerate(columns.opcodes):
        row = by_code[opcode]
        if row is None or not any(each.startswith("read local") for each in row.access):
            continue
        names = columns.argval(index)
        found |= starred & set(names if isinstance(names, tuple) else (names,))
    return found


def _written(code: Code) -> set[str]:
    """Fast locals and cells that the code binds or deletes."""
    by_code = table(code.version).by_code
    columns = code.instructions
    found: set[str] = set()
    for index, opcode in enumerate(columns.opcodes):
        row = by_code[opcode]
        if row is None or not row.access:
            continue
        names = columns.argval(index)
        names = names if isinstance(names, tuple) else (names,)
        for access, name in zip(row.access, names, strict=False):
            if access in ("write local", "delete local", "write cell", "delete cell"):
                found.add(name)
    return found


def _changed(code: Code, frames: Frames[Text], starred: dict[str, str]) -> set[str]:
    """Those of `*args` and `**kwargs` whose items the code changes, or may."""
    rows = table(code.version).opcodes
    storing = {rows[name].code for name in ("STORE_SUBSCR", "DELETE_SUBSCR") if name in rows}
    columns = code.instructions
    found: set[str] = set()
    for index, opcode in enumerate(columns.opcodes):
        frame = frames[index]
        if frame is None:
            continue
        row = table(code.version).by_code[opcode]
        if opcode in storing and row is not None:
            at = [slot.name for slot in reversed(row.pop_slots)].index("container")
            found.add(str(frame[-1 - at]))
        elif row is not None and row.access[:1] == ("read attribute",):
            if len(frame.stack) and columns.argval(index) in _CHANGING:
                found.add(str(frame[-1]))
        elif opcode == rows["DICT_UPDATE"].code:
            found.update(name for name in starred if str(frame[-1]) == name)  # {**kwargs, ...}
    return found & set(starred)


def _forward(
    code: Code,
    drawn: Graph,
    group: list[tuple[int, ast.Call]],
    changed: set[str],
    starred: dict[str, str],
) -> Forward:
    indexes = [index for index, _ in group]
    node = group[0][1]
    passed = tuple(_passed(code, node, changed))
    stars = set(_stars(node, starred))
    others = any(each.kind in ("*", "**") and each.parameter is None for each in passed)
    return Forward(
        callee=ast.unparse(node.func),
        passed=passed,
        always=_always(drawn, indexes),
        stars=tuple(sorted(starred[name] for name in stars)),
        exact=not stars & changed and not others,
        offsets=tuple(code.instructions.offsets[index] for index in indexes),
        line=code.instructions[indexes[0]].line_number,
    )


def _passed(code: Code, node: ast.Call, changed: set[str]) -> Iterator[Passed]:
    parameters = set(code.varnames[: code.argcount + code.kwonlyargcount]) | set(starred_of(code))
    own = parameters - changed
    for argument in node.args:
        kind, value = "positional", argument
        if isinstance(argument, ast.Starred):
            kind, value = "*", argument.value
        yield Passed(kind, None, _own(value, own), ast.unparse(argument))
    for keyword in node.keywords:
        kind = "**" if keyword.arg is None else "keyword"
        yield Passed(kind, keyword.arg, _own(keyword.value, own), ast.unparse(keyword))


def _own(value: ast.expr, own: set[str]) -> str | None:
    return value.id if isinstance(value, ast.Name) and value.id in own else None


def _always(drawn: Graph, indexes: list[int]) -> bool:
    """True if no way from the entry to a return, or a yield, leads around these calls.

    An exception that the call raises and a handler swallows is a way around it.
    """
    calls: dict[int, int] = {}  # block -> index of its first call
    for index in indexes:
        calls.setdefault(drawn.block_of(index).index, index)
    pending = [(0, False)]
    seen: set[tuple[int, bool]] = set()
    while pending:
        number, raised = pending.pop()
        if (number, raised) in seen:
            continue
        seen.add((number, raised))
        block = drawn.blocks[number]
        if number in calls:
            pending.extend((edge.target, True) for edge in block.edges if edge.kind == "exception")
            continue
        row = drawn.table.by_code[drawn.code.instructions.opcodes[block.stop - 1]]
        if row is not None and row.ends == "return":
            return False
        pending.extend((edge.target, raised) for edge in block.edges)
    return True
