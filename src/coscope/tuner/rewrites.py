"""Changes of a function's text that answer a rule's finding, where one can be made.

Each keeps what the function does, as far as its text and the objects behind its global names show
that; the measurement compares results as well. From 3.11 on none of them is a hoist.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coscope.audits.selection import held
from coscope.tuner.f_strings import f_string
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
    """`"{}: {}".format(a, b)` to an f-string."""
    return formats(source, strictly=False)


def formats(source: Source, *, strictly: bool) -> list[Edit]:
    """Calls of `format` to f-strings; strictly: only where the order of evaluation cannot show."""
    found: list[Edit] = []
    for node in source.nodes():
        if not isinstance(node, ast.Call):
            continue
        text = f_string(source, node, strictly=strictly)
        if text is None:
            continue
        edit = Edit(source.start(node), source.stop(node), text)
        if not any(each.start < edit.stop and edit.start < each.stop for each in found):
            found.append(edit)  # not in one that is rewritten, too
    return found


def _move_imports(source: Source) -> list[Edit]:
    """Imports in a loop: moved before the first statement of the function."""
    moved, edits = [], []
    for loop in _loops(source):
        imports = [each for each in loop.body if isinstance(each, ast.Import | ast.ImportFrom)]
        for statement in imports:
            lines = source.lines(statement)
            text = source.segment(statement)
            if lines is None or "\n" in text:
                continue
            edits.append(Edit(*lines, ""))
            moved.append(text)
        if moved and len(imports) == len(loop.body):
            return []  # the loop would be left without a statement
    inserted = source.before_body(dict.fromkeys(moved)) if moved else None
    return [] if inserted is None else [*edits, inserted]


def _suppress(source: Source) -> list[Edit]:
    """`with suppress(KeyError):` in a loop: a try that passes over the same exceptions."""
    found = []
    for loop in _loops(source):
        for statement in own(loop):
            if isinstance(statement, ast.With) and len(statement.items) == 1:
                found += tried(source, statement)
    return list(dict.fromkeys(found))  # loops in loops have the same statements


def tried(source: Source, statement: ast.With) -> list[Edit]:
    """`with suppress(KeyError):` as a try that passes over the same exceptions; [] for others."""
    if len(statement.items) != 1:
        return []
    call = _suppressing(source, statement)
    if call is None:
        return []
    lines, indent = source.lines(statement), source.indent(statement)
    body = source.lines(statement.body[0])
    if lines is None or indent is None or body is None:
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


def _suppressing(source: Source, statement: ast.With) -> ast.Call | None:
    """The call of `contextlib.suppress` with names of exceptions, if that is all the `with` has."""
    (item,) = statement.items
    call = item.context_expr
    if item.optional_vars is not None or not isinstance(call, ast.Call) or call.keywords:
        return None
    named = bool(call.args) and all(isinstance(each, ast.Name) for each in call.args)
    return call if named and _is_suppress(source, call.func) else None


def _is_suppress(source: Source, callee: ast.expr) -> bool:
    """True if a name is `contextlib.suppress`, and no local variable hides it."""
    text = source.segment(callee)
    if text.partition(".")[0] in source.bound():
        return False
    if isinstance(callee, ast.Name):
        return callee.id in source.known.suppress
    is_dotted = isinstance(callee, ast.Attribute) and text == "contextlib.suppress"
    return is_dotted and "contextlib" in source.known.modules


def _positional(source: Source) -> list[Edit]:
    """`Point(x=a, y=b)` in a loop: by position, where the class takes them in that order."""
    found = []
    bound = source.bound()
    for loop in _loops(source):
        for call in own(loop):
            if not isinstance(call, ast.Call) or not _in_order(source, call, bound):
                continue
            for keyword in call.keywords:
                start = source.offset(keyword.lineno, keyword.col_offset)
                name = re.compile(rf"{keyword.arg}\s*=\s*").match(source.text, start)
                if name is None:
                    return []
                found.append(Edit(start, name.end(), ""))
    return list(dict.fromkeys(found))


def _in_order(source: Source, call: ast.Call, bound: set[str]) -> bool:
    """True if a class is called with keywords that are its next parameters, in their order."""
    if not isinstance(call.func, ast.Name) or call.func.id in bound or not call.keywords:
        return False
    takes = source.known.constructors.get(call.func.id)
    if takes is None or any(isinstance(each, ast.Starred) for each in call.args):
        return False
    names = [each.arg for each in call.keywords]
    return list(takes[len(call.args) :][: len(names)]) == names


def _unhoist_append(source: Source) -> list[Edit]:
    """`append = out.append` before a loop: the method call in its place."""
    if isinstance(source.function, ast.Lambda):
        return []
    for statement in source.function.body:
        taken = _append_taken(statement)
        lines = source.lines(statement)
        if taken is None or lines is None:
            continue
        target, value, owner = taken
        uses = _calls_only(source, target)
        # A list that is assigned later is another one, whose append was not taken.
        if not uses or _is_stored_after(source, owner, statement.lineno):
            continue
        method = source.segment(value)
        changed = [Edit(source.start(node), source.stop(node), method) for node in uses]
        return [Edit(*lines, ""), *changed]
    return []


def _append_taken(statement: ast.stmt) -> tuple[ast.Name, ast.Attribute, str] | None:
    """Of `a = out.append`: the target, the value, and "out"; None for any other statement."""
    match statement:
        case ast.Assign(
            targets=[ast.Name() as target],
            value=ast.Attribute(value=ast.Name(id=owner), attr="append") as value,
        ):
            return target, value, owner
    return None


def _names_in(source: Source, name: str) -> list[ast.Name]:
    """The places where a name occurs in the function, nested scopes included."""
    every = (node for node in ast.walk(source.function) if isinstance(node, ast.Name))
    return [node for node in every if node.id == name]


def _calls_only(source: Source, target: ast.Name) -> list[ast.Name]:
    """The other places of a name, if the function itself calls it at each; else none."""
    uses = [node for node in _names_in(source, target.id) if node is not target]
    called = {id(node.func) for node in source.nodes() if isinstance(node, ast.Call)}
    return uses if all(id(node) in called for node in uses) else []


def _is_stored_after(source: Source, name: str, line: int) -> bool:
    return any(
        node.lineno > line for node in _names_in(source, name) if not isinstance(node.ctx, ast.Load)
    )


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
