"""Changes of a function's text that answer a rule's finding, where one can be made.

Each keeps what the function does, as far as that can be told from its text and from the objects
that its global names stand for; the measurement compares results besides. From 3.11 on none of
them is a hoist.
"""

from __future__ import annotations

import ast
import builtins
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coscope.audits.selection import held
from coscope.tuner.sources import Edit, Source, edited, own


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One change."""

    rule: str  # whose finding it answers
    behaviour: str  # of CPython, for which it is tried; "": for every version
    text: str  # what it does, one clause
    edits: Callable[[Source], list[Edit]]  # none: there is nothing to change


def rewritten(source: Source, rewrite: Rewrite) -> str | None:
    """The text of the file after a change; None if it changes nothing."""
    edits = rewrite.edits(source)
    return edited(source.text, edits) if edits else None


def rewrites_for(version: str) -> list[Rewrite]:
    """The changes that may pay on a version."""
    return [each for each in _REWRITES if held(version, behaviour=each.behaviour)]


def _loops(source: Source) -> Iterator[ast.For | ast.While]:
    """The loops of the function itself."""
    for node in source.nodes():
        if isinstance(node, ast.For | ast.While):
            yield node


def _membership(source: Source) -> list[Edit]:
    """`x in ("a", ...)` to `x in {"a", ...}` where all items are constants and there are many."""
    found = []
    for node in source.nodes():
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[-1], ast.In | ast.NotIn):
            continue
        held = node.comparators[-1]
        if not isinstance(held, ast.Tuple) or len(held.elts) < 8:
            continue
        if all(isinstance(each, ast.Constant) for each in held.elts):
            start, stop = source.start(held), source.stop(held)
            found.append(Edit(start, stop, "{" + source.text[start + 1 : stop - 1] + "}"))
    return found


def _format(source: Source) -> list[Edit]:
    """`"{}: {}".format(a, b)` to an f-string where every field is one name, in order."""
    found = []
    for node in source.nodes():
        if isinstance(node, ast.Call):
            text = _f_string(node)
            if text is not None:
                found.append(Edit(source.start(node), source.stop(node), text))
    return found


def _f_string(call: ast.Call) -> str | None:
    callee = call.func
    if not isinstance(callee, ast.Attribute) or callee.attr != "format" or call.keywords:
        return None
    text = callee.value
    if not isinstance(text, ast.Constant) or type(text.value) is not str:
        return None
    try:
        parts = list(string.Formatter().parse(text.value))
    except ValueError:
        return None
    fields = [part for part in parts if part[1] is not None]
    if len(fields) != len(call.args) or any(part[1] or part[3] for part in fields):
        return None
    if any("{" in (part[2] or "") or "\\" in (part[2] or "") for part in fields):
        return None
    pieces = []
    arguments = iter(call.args)
    for before, name, how, _ in parts:
        pieces.append(before.replace("{", "{{").replace("}", "}}"))
        if name is not None:
            argument = next(arguments)
            if not isinstance(argument, ast.Name):
                return None  # an expression may have quotes, which an f-string of 3.11 may not
            pieces.append("{" + argument.id + (f":{how}" if how else "") + "}")
    return f"f{''.join(pieces)!r}"


def _move_imports(source: Source) -> list[Edit]:
    """Imports that stand in a loop: before the first statement of the function."""
    moved, edits = [], []
    for loop in _loops(source):
        for statement in loop.body:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            lines = source.lines(statement)
            text = source.segment(statement)
            if lines is None or "\n" in text:
                continue
            edits.append(Edit(*lines, ""))
            moved.append(text)
        left = [each for each in loop.body if not isinstance(each, ast.Import | ast.ImportFrom)]
        if moved and not left:
            return []
    inserted = source.before_body(dict.fromkeys(moved)) if moved else None
    return [] if inserted is None else [*edits, inserted]


def _suppress(source: Source) -> list[Edit]:
    """`with suppress(KeyError):` in a loop: a try that passes over the same exceptions."""
    found = []
    for loop in _loops(source):
        for statement in own(loop):
            if isinstance(statement, ast.With) and len(statement.items) == 1:
                found += _tried(source, statement)
    return list(dict.fromkeys(found))  # loops in loops have the same statements


def _tried(source: Source, statement: ast.With) -> list[Edit]:
    (item,) = statement.items
    call = item.context_expr
    if item.optional_vars is not None or not isinstance(call, ast.Call) or call.keywords:
        return []
    name = call.func.attr if isinstance(call.func, ast.Attribute) else None
    is_dotted = name == "suppress" and source.segment(call.func) == "contextlib.suppress"
    is_plain = isinstance(call.func, ast.Name) and call.func.id in source.known.suppress
    if not (is_plain or (is_dotted and "contextlib" in source.known.modules)):
        return []
    if not call.args or not all(isinstance(each, ast.Name) for each in call.args):
        return []
    root = source.segment(call.func).partition(".")[0]
    lines, indent = source.lines(statement), source.indent(statement)
    body = source.lines(statement.body[0])
    if root in source.bound() or lines is None or indent is None or body is None:
        return []
    head = source.text[source.stop(call) : body[0]]
    if head.partition("#")[0].strip() != ":":
        return []
    names = [source.segment(each) for each in call.args]
    caught = names[0] if len(names) == 1 else f"({', '.join(names)})"
    stop = lines[1]
    end = "" if source.text[:stop].endswith("\n") else "\n"
    return [
        Edit(source.start(statement), source.stop(call), "try"),
        Edit(stop, stop, f"{end}{indent}except {caught}:\n{indent}    pass\n"),
    ]


def _positional(source: Source) -> list[Edit]:
    """`Point(x=a, y=b)` in a loop: by position, where the class takes them in that order."""
    found = []
    bound = source.bound()
    for loop in _loops(source):
        for call in own(loop):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            takes = source.known.constructors.get(call.func.id)
            starred = any(isinstance(each, ast.Starred) for each in call.args)
            if takes is None or call.func.id in bound or starred or not call.keywords:
                continue
            names = [each.arg for each in call.keywords]
            if list(takes[len(call.args) :][: len(names)]) != names:
                continue
            for keyword in call.keywords:
                start = source.offset(keyword.lineno, keyword.col_offset)
                name = re.compile(rf"{keyword.arg}\s*=\s*").match(source.text, start)
                if name is None:
                    return []
                found.append(Edit(start, name.end(), ""))
    return list(dict.fromkeys(found))


def _unhoist_append(source: Source) -> list[Edit]:
    """`append = out.append` before a loop: the method call in its place."""
    if isinstance(source.function, ast.Lambda):
        return []
    for statement in source.function.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target, value = statement.targets[0], statement.value
        if not isinstance(target, ast.Name) or not isinstance(value, ast.Attribute):
            continue
        if value.attr != "append" or not isinstance(value.value, ast.Name):
            continue
        lines = source.lines(statement)
        every = [node for node in ast.walk(source.function) if isinstance(node, ast.Name)]
        uses = [node for node in every if node.id == target.id and node is not target]
        called = {id(node.func) for node in source.nodes() if isinstance(node, ast.Call)}
        stores = [node for node in every if node.id == value.value.id]
        stores = [node for node in stores if not isinstance(node.ctx, ast.Load)]
        if lines is None or not uses or any(id(node) not in called for node in uses):
            continue
        if any(node.lineno > statement.lineno for node in stores):
            continue  # later it is another list, whose append was not taken
        method = source.segment(value)
        changed = [Edit(source.start(node), source.stop(node), method) for node in uses]
        return [Edit(*lines, ""), *changed]
    return []


def _hoist_globals(source: Source) -> list[Edit]:
    """Builtins, and functions of modules, that loops call: locals before the function's body."""
    taken = source.names() | set(vars(builtins))
    bound = source.bound() | source.known.free
    made: dict[str, str] = {}
    edits = {}
    for loop in _loops(source):
        for call in own(loop, _COMPREHENSIONS):
            callee = call.func if isinstance(call, ast.Call) else None
            text = None if callee is None else _hoistable(source, callee)
            if callee is None or text is None or text.partition(".")[0] in bound:
                continue
            name = made.get(text) or _fresh(text, taken)
            made[text] = name
            edits[source.start(callee)] = Edit(source.start(callee), source.stop(callee), name)
    inserted = source.before_body(f"{name} = {text}" for text, name in made.items())
    return [] if not made or inserted is None else [*edits.values(), inserted]


def _hoistable(source: Source, callee: ast.expr) -> str | None:
    """The text of a callee that is the same in all rounds, most likely."""
    if isinstance(callee, ast.Name):
        return callee.id if callee.id in _BUILTINS and callee.id not in _FRAME else None
    if isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name):
        return source.segment(callee) if callee.value.id in source.known.modules else None
    return None


def _fresh(text: str, taken: set[str]) -> str:
    name = f"_{text.replace('.', '_')}"
    while name in taken:
        name = f"_{name}"
    taken.add(name)
    return name


_BUILTINS = frozenset(vars(builtins))
# To 3.10 they are functions of their own, to which a local variable would be a cell.
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FRAME = frozenset({"locals", "globals", "vars", "dir", "eval", "exec", "super"})  # see the frame


_REWRITES = (
    Rewrite("PERF311", "", "search a set of the constants", _membership),
    Rewrite("PERF308", "", "an f-string instead of format", _format),
    Rewrite("PERF306", "", "import before the loop", _move_imports),
    Rewrite("PERF307", "", "try and except instead of suppress", _suppress),
    Rewrite("PERF305", "", "arguments of a class by position", _positional),
    Rewrite("PERF201", "bound_appends_cost", "call the method append itself", _unhoist_append),
    Rewrite(
        "PERF101", "globals_cost", "locals for builtins and functions of modules", _hoist_globals
    ),
)
