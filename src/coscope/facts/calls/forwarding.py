"""Where a wrapper's code passes on its own `*args` and `**kwargs`, found in its bytecode."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from coscope.errors import CodeError
from coscope.facts.calls.expressions import parsed
from coscope.facts.calls.ways import is_swallowed, managers_of
from coscope.flow import Frame, Frames, Graph, dominates, find_dominators, run
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.expression import Expression
from coscope.flow.texts import Text
from coscope.model import Code
from coscope.opcodes import Opcode, table

_ZERO_ARGUMENTS = re.compile(r"^super\(__class__, \w+\)")  # `super()`, as its bytecode has it
_CHANGING = frozenset({"pop", "popitem", "setdefault", "update", "clear", "__setitem__"})


@dataclass(frozen=True, slots=True)
class Passed:
    """One argument that the wrapper's call gives."""

    kind: str  # "positional", "*", "keyword" or "**"
    name: str | None  # of the keyword; else None
    parameter: str | None  # of the wrapper, if its value is passed on as it is
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that a wrapper makes to its own `**kwargs`, each time before it passes them on."""

    parameter: str
    verb: str  # "set", "default" or "remove"
    key: str
    text: str  # of the new value, as in source


@dataclass(frozen=True, slots=True)
class Forward:
    """A call in a wrapper's code that passes on its `*args` or `**kwargs`."""

    callee: str  # expression as text: "fn", "super().__init__"
    passed: tuple[Passed, ...]  # in order
    stars: tuple[str, ...]  # those of "*" and "**" that are the wrapper's own
    always: bool  # no path through the wrapper's code returns without it
    exact: bool  # what it passes on are the wrapper's own, unchanged
    offsets: tuple[int, ...]  # bytes: of the calls, which say the same
    line: int | None
    managers: tuple[str, ...] | None = None
    """Context managers: only if one of them swallows its error is there a path around the call.
    None: there is such a path whatever they do; (): there is none, as `always` says."""
    swallowed: bool = False  # a TypeError that it raises gets out on no path
    edits: tuple[Edit, ...] | None = ()  # of `*args`, `**kwargs` before it; None: not known

    @property
    def text(self) -> str:
        """The call, as in source."""
        callee = _ZERO_ARGUMENTS.sub("super()", self.callee)
        return f"{callee}({', '.join(each.text for each in self.passed)})"


@lru_cache(maxsize=1024)
def forwards(code: Code, *, widely: bool = False) -> tuple[Forward, ...]:
    """The calls by which a function passes on its `*args` or `**kwargs`, in code order.

    Calls of a free variable are among them even if they pass on neither.

    Nothing is run: the calls are read from the texts that the symbolic stack has for them.

    Args:
        code: Of the function.
        widely: Also calls of a parameter or of an attribute of the first one, and calls that pass
            on `*args` or `**kwargs` as a whole, or unpack another parameter.
    """
    starred = starred_of(code)
    if not starred and not code.freevars and not (widely and code.argcount):
        return ()
    try:
        drawn = graph(code)
        frames = run(drawn, Expression())
    except CodeError:
        return ()
    wanted = _wide(code, starred) if widely else _narrow(code, starred)
    calls = list(_calls(code, frames, wanted))
    if not calls:
        return ()
    changed = written(code) | _changed(code, frames, starred)
    by_text: dict[str, list[tuple[int, ast.Call]]] = {}
    for index, node in calls:
        by_text.setdefault(ast.unparse(node), []).append((index, node))
    seen = _Seen(code, drawn, frames, starred, changed)
    return tuple(_forward(seen, group) for group in by_text.values())


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a function when its calls are described."""

    code: Code
    graph: Graph
    frames: Frames[Text]
    starred: dict[str, str]
    changed: frozenset[str]


def starred_of(code: Code) -> dict[str, str]:
    """Names of `*args` and `**kwargs`: name -> "*" or "**"."""
    at = code.argcount + code.kwonlyargcount
    found = {}
    for flag, stars in ((0x4, "*"), (0x8, "**")):
        if code.flags & flag:
            found[code.varnames[at]] = stars
            at += 1
    return found


_Wanted = Callable[[ast.Call], bool]


def _calls(code: Code, frames: Frames[Text], wanted: _Wanted) -> Iterator[tuple[int, ast.Call]]:
    """Instructions that make such a call, and the call as a tree."""
    by_code = table(code.version).by_code
    columns = code.instructions
    for index, opcode in enumerate(columns.opcodes):
        row = by_code[opcode]
        if row is None or row.shows != "{call}":
            continue
        frame = frames[index + 1] if index + 1 < len(columns) else None
        node = None if frame is None or not len(frame.stack) else parsed(str(frame[-1]))
        if isinstance(node, ast.Call) and wanted(node):
            yield index, node


def _narrow(code: Code, starred: dict[str, str]) -> _Wanted:
    """Calls that unpack the function's own stars, and calls of its free variables."""
    return lambda node: any(_stars(node, starred)) or root_of(node.func) in code.freevars


def _wide(code: Code, starred: dict[str, str]) -> _Wanted:
    parameters = set(code.varnames[: code.argcount + code.kwonlyargcount]) | set(starred)
    variables = parameters | set(code.freevars)
    first = set(code.varnames[:1]) if code.argcount else set()

    def wanted(node: ast.Call) -> bool:
        func, values = node.func, [*node.args, *(each.value for each in node.keywords)]
        values = [each.value if isinstance(each, ast.Starred) else each for each in values]
        if root_of(func) in variables:
            return True
        if isinstance(func, ast.Attribute) and root_of(func.value) in first:
            return True
        return any(root_of(each) in starred for each in values) or any(_stars(node, starred))

    return wanted


def root_of(node: ast.expr) -> str | None:
    """The variable that an expression is; None if it is anything else."""
    return node.id if isinstance(node, ast.Name) else None


def _stars(node: ast.Call, starred: dict[str, str]) -> Iterator[str]:
    for argument in node.args:
        if isinstance(argument, ast.Starred) and _name(argument.value, starred) == "*":
            yield ast.unparse(argument.value)
    for keyword in node.keywords:
        if keyword.arg is None and _name(keyword.value, starred) == "**":
            yield ast.unparse(keyword.value)


def _name(node: ast.expr, starred: dict[str, str]) -> str | None:
    return starred.get(node.id) if isinstance(node, ast.Name) else None


@lru_cache(maxsize=1024)
def spread_stars(code: Code) -> frozenset[str]:
    """Those of `*args` and `**kwargs` that the code uses for more than returning or testing them.

    They may be passed on, and whoever gets them may refuse them.
    """
    starred = starred_of(code)
    found = read_stars(code)
    if not found or found & set(code.cellvars):
        return frozenset(found)
    by_code = table(code.version).by_code
    try:
        frames = run(graph(code), Expression())
    except CodeError:
        return frozenset(found)
    spread: set[str] = set()
    for index, opcode in enumerate(code.instructions.opcodes):
        row, frame = by_code[opcode], frames[index]
        if row is None or frame is None:
            continue
        if row.name in _RAISES:
            return frozenset(found)  # it may look at them and refuse
        if row.shows == "{call}":
            after = frames[index + 1] if index + 1 < len(code.instructions) else None
            taken: Iterable[str] = _called_with(after, starred)
        else:
            taken = _taken(row, frame)
        spread.update(starred.keys() & set(taken))
    return frozenset(spread)


def _taken(row: Opcode, frame: Frame[Text]) -> Iterable[str]:
    """What an instruction that is not a call pops, unless it only returns or tests it."""
    if not row.pop_slots or row.ends == "return" or row.name in _HARMLESS or row.tests:
        return []
    return [str(text) for text in frame.stack[-len(row.pop_slots) :]]


_RAISES = frozenset({"RAISE_VARARGS"})
_HARMLESS = frozenset({"POP_TOP", "GET_ITER", "TO_BOOL", "COPY", "SWAP", "LOAD_FAST", "PUSH_NULL"})
_MEASURES = frozenset({"len", "print", "bool", "list", "tuple", "sorted", "repr", "str", "id"})


def _called_with(after: Frame[Text] | None, starred: dict[str, str]) -> Iterator[str]:
    """Names of stars in a call's arguments, unless it only measures or shows them.

    Args:
        after: The state that the call leaves, with its text on top; None if it does not return.
        starred: Names of `*args` and `**kwargs`.
    """
    node = None if after is None else parsed(str(after[-1]))
    if isinstance(node, ast.Call) and root_of(node.func) in _MEASURES:
        return
    for each in ast.walk(node) if node is not None else ():
        if isinstance(each, ast.Name) and each.id in starred:
            yield each.id


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


@lru_cache(maxsize=1024)
def written(code: Code) -> frozenset[str]:
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
    return frozenset(found)


def _changed(code: Code, frames: Frames[Text], starred: dict[str, str]) -> set[str]:
    """Those of `*args` and `**kwargs` whose items the code changes, or may."""
    return {name for _, name in _changes(code, frames, starred)}


def _changes(
    code: Code, frames: Frames[Text], starred: dict[str, str]
) -> Iterator[tuple[int, str]]:
    """Instructions that change the items of `*args` and `**kwargs`, or may, and which of them."""
    by_code = table(code.version).by_code
    for index, opcode in enumerate(code.instructions.opcodes):
        row, frame = by_code[opcode], frames[index]
        if row is not None and frame is not None:
            changed = _changed_by(code, index, row, frame)
            if changed in starred:
                yield index, changed


def _changed_by(code: Code, index: int, row: Opcode, frame: Frame[Text]) -> str | None:
    """The text of the value whose items an instruction changes, or may."""
    if row.name in ("STORE_SUBSCR", "DELETE_SUBSCR"):
        at = [slot.name for slot in reversed(row.pop_slots)].index("container")
        return str(frame[-1 - at])
    if row.access[:1] == ("read attribute",):
        changes = len(frame.stack) and code.instructions.argval(index) in _CHANGING
        return str(frame[-1]) if changes else None
    return str(frame[-1]) if row.name == "DICT_UPDATE" else None  # {**kwargs, ...}


def _forward(seen: _Seen, group: list[tuple[int, ast.Call]]) -> Forward:
    code, starred, changed = seen.code, seen.starred, seen.changed
    indexes = [index for index, _ in group]
    node = group[0][1]
    passed = tuple(_passed(code, node, changed))
    stars = set(_stars(node, starred))
    others = any(each.kind in ("*", "**") and each.parameter is None for each in passed)
    managers = managers_of(seen.graph, indexes)
    return Forward(
        callee=ast.unparse(node.func),
        passed=passed,
        always=managers == (),
        stars=tuple(sorted(starred[name] for name in stars)),
        exact=not stars & changed and not others,
        offsets=tuple(code.instructions.offsets[index] for index in indexes),
        line=code.instructions[indexes[0]].line_number,
        managers=managers,
        swallowed=managers is None and is_swallowed(seen.graph, indexes),
        edits=_edits(seen, indexes) if stars & changed else (),
    )


def _passed(code: Code, node: ast.Call, changed: frozenset[str]) -> Iterator[Passed]:
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


# Changes of **kwargs


def _edits(seen: _Seen, indexes: list[int]) -> tuple[Edit, ...] | None:
    """What changes `**kwargs` before a call on every path to it, in order; None: not known."""
    if len(indexes) != 1 or not _keeps_stars(seen):
        return None
    drawn, at = seen.graph, indexes[0]
    above = find_dominators(drawn)
    found = []
    for index, name in _changes(seen.code, seen.frames, seen.starred):
        edit = _edit_at(seen, index, name)
        block = drawn.block_of(index).index
        sure = index < at and dominates(above, block, drawn.block_of(at).index)
        if edit is None or not sure or _repeats(drawn, block):
            return None
        found.append(edit)
    return tuple(found)


def _keeps_stars(seen: _Seen) -> bool:
    """True if nothing but items of `**kwargs` changes: no other star, and no star is rebound."""
    names = {name for name, stars in seen.starred.items() if stars == "**"}
    touched = seen.changed & set(seen.starred)
    return touched <= names and not touched & written(seen.code)


def _repeats(drawn: Graph, block: int) -> bool:
    """True if control may come back to the block."""
    pending = [edge.target for edge in drawn.blocks[block].edges]
    seen: set[int] = set()
    while pending:
        number = pending.pop()
        if number == block:
            return True
        if number not in seen:
            seen.add(number)
            pending.extend(edge.target for edge in drawn.blocks[number].edges)
    return False


def _edit_at(seen: _Seen, index: int, name: str) -> Edit | None:
    """The edit that begins at an instruction, if its key is a constant."""
    frame = seen.frames[index]
    row = table(seen.code.version).by_code[seen.code.instructions.opcodes[index]]
    if frame is None or row is None:
        return None
    if row.access[:1] == ("read attribute",):
        return _edit_by_method(seen, index, name)
    return _edit_by_item(row, frame, name)


def _edit_by_item(row: Opcode, frame: Frame[Text], name: str) -> Edit | None:
    """`kwargs["key"] = value`, `del kwargs["key"]`."""
    slots = [slot.name for slot in reversed(row.pop_slots)]
    texts = {slot: str(frame[-1 - at]) for at, slot in enumerate(slots)}
    key = _text_constant(texts.get("sub", ""))
    if key is None:
        return None
    new = [text for slot, text in texts.items() if slot not in ("sub", "container")]
    return Edit(name, "set" if new else "remove", key, new[0] if new else "")


def _edit_by_method(seen: _Seen, index: int, name: str) -> Edit | None:
    """`kwargs.pop("key")`, `kwargs.setdefault("key", value)`."""
    method = seen.code.instructions.argval(index)
    for later in range(index + 1, min(index + _FURTHEST, len(seen.code.instructions))):
        frame = seen.frames[later]
        text = "" if frame is None or not len(frame.stack) else str(frame[-1])
        if text.startswith(f"{name}.{method}("):
            return _edit_by_call(parsed(text), name, str(method))
    return None


def _edit_by_call(node: ast.expr | None, name: str, method: str) -> Edit | None:
    if not isinstance(node, ast.Call) or node.keywords or not node.args:
        return None
    key = _text_constant(ast.unparse(node.args[0]))
    verb = {"pop": "remove", "setdefault": "default"}.get(method)
    if key is None or verb is None:
        return None
    return Edit(name, verb, key, ast.unparse(node.args[1]) if node.args[1:] else "None")


_FURTHEST = 40  # instructions from the attribute of a method to its call


def _text_constant(text: str) -> str | None:
    node = parsed(text)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
