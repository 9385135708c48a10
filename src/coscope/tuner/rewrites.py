"""Source-level changes that a rule's finding asks for, where one can be made and keeps the result.

A rewrite takes the `def` statement and changes it in place. From 3.11 on none of them is a hoist.
"""

from __future__ import annotations

import ast
import builtins
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coscope.audits.selection import holds_for

Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One change."""

    rule: str  # whose finding it answers
    versions: str  # of CPython, for which it is tried
    text: str  # what it does, one clause
    apply: Callable[[Def], bool]  # changes the statement; False if there is nothing to change


def rewritten(source: str, rewrite: Rewrite) -> str | None:
    """The source of a function after a change; None if it changes nothing.

    Args:
        source: The `def` statement alone, not indented; its decorators are left out.
        rewrite: One of `rewrites_for`.
    """
    tree = ast.parse(source)
    (function,) = tree.body
    assert isinstance(function, Def)
    if not rewrite.apply(function):
        return None
    return ast.unparse(ast.fix_missing_locations(tree))


def plain(source: str) -> str:
    """The `def` statement as `rewritten` would write it without a change, decorators left out."""
    tree = ast.parse(source)
    (function,) = tree.body
    assert isinstance(function, Def)
    function.decorator_list = []
    return ast.unparse(tree)


def rewrites_for(version: str) -> list[Rewrite]:
    """The changes that may pay on a version."""
    return [each for each in _REWRITES if holds_for(each.versions, version)]


def _loops(function: Def) -> Iterator[ast.For | ast.While]:
    """The loops of the function itself."""
    for node in _own(function):
        if isinstance(node, ast.For | ast.While):
            yield node


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes inside of a node, those of nested scopes left out."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _own(child)


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class _Membership(ast.NodeTransformer):
    """`x in ("a", ...)` to `x in {"a", ...}` where all items are constants and there are many."""

    changed = False

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        held = node.comparators[-1]
        if not isinstance(node.ops[-1], ast.In | ast.NotIn) or not isinstance(held, ast.Tuple):
            return node
        if len(held.elts) >= 8 and all(isinstance(each, ast.Constant) for each in held.elts):
            node.comparators[-1] = ast.Set(held.elts)
            self.changed = True
        return node


class _Format(ast.NodeTransformer):
    """`"{}: {}".format(a, b)` to an f-string where every field is one argument in order."""

    changed = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        callee = node.func
        if not isinstance(callee, ast.Attribute) or callee.attr != "format" or node.keywords:
            return node
        text = callee.value
        if not isinstance(text, ast.Constant) or type(text.value) is not str:
            return node
        if not all(isinstance(each, ast.Name) for each in node.args):
            return node  # an expression may have quotes, which an f-string of 3.11 may not
        try:
            parts = list(string.Formatter().parse(text.value))
        except ValueError:
            return node
        fields = [part for part in parts if part[1] is not None]
        if len(fields) != len(node.args) or any(part[1] or part[2] or part[3] for part in fields):
            return node
        values: list[ast.expr] = []
        arguments = iter(node.args)
        for before, name, _, _ in parts:
            if before:
                values.append(ast.Constant(before))
            if name is not None:
                values.append(ast.FormattedValue(next(arguments), -1))
        self.changed = True
        return ast.JoinedStr(values)


def _by(transformer: type[_Membership] | type[_Format]) -> Callable[[Def], bool]:
    def apply(function: Def) -> bool:
        made = transformer()
        made.visit(function)
        return made.changed

    return apply


def _move_imports(function: Def) -> bool:
    """Imports that stand in a loop: before the first statement of the function."""
    moved: list[ast.stmt] = []
    for loop in _loops(function):
        kept: list[ast.stmt] = []
        for statement in loop.body:
            is_import = isinstance(statement, ast.Import | ast.ImportFrom)
            (moved if is_import else kept).append(statement)
        loop.body[:] = kept or [ast.Pass()]
    function.body[:0] = moved
    return bool(moved)


def _unhoist_append(function: Def) -> bool:
    """`append = out.append` before a loop: the method call in its place."""
    for statement in function.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target, value = statement.targets[0], statement.value
        if not isinstance(target, ast.Name) or not isinstance(value, ast.Attribute):
            continue
        if value.attr != "append" or not isinstance(value.value, ast.Name):
            continue
        uses = [node for node in _own(function) if isinstance(node, ast.Name)]
        uses = [node for node in uses if node.id == target.id and node is not target]
        called = [node for node in _own(function) if isinstance(node, ast.Call)]
        if len(uses) != len([call for call in called if call.func in uses]):
            continue
        for call in called:
            if call.func in uses:
                call.func = ast.Attribute(
                    ast.Name(value.value.id, ast.Load()), "append", ast.Load()
                )
        function.body.remove(statement)
        return bool(uses)
    return False


def _hoist_globals(function: Def) -> bool:
    """Builtins, and `module.name` calls, that loops use: locals before the function's body."""
    assigned = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    assigned |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    hoist = _Hoist(assigned)
    for loop in _loops(function):
        hoist.loop(loop)
    function.body[:0] = [
        ast.Assign([ast.Name(name, ast.Store())], value) for name, value in hoist.made.values()
    ]
    return bool(hoist.made)


class _Hoist(ast.NodeTransformer):
    def __init__(self, assigned: set[str]) -> None:
        self.assigned = assigned
        self.made: dict[str, tuple[str, ast.expr]] = {}

    def loop(self, loop: ast.For | ast.While) -> None:
        """Change the names that a loop's body calls."""
        loop.body[:] = [self.visit(statement) for statement in loop.body]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node  # a nested scope would get cells

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_FunctionDef  # type: ignore[assignment]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        callee = node.func
        text = ast.unparse(callee)
        root = text.partition(".")[0]
        named = isinstance(callee, ast.Name) and text in _BUILTINS and text not in _FRAME
        dotted = isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name)
        if root in self.assigned or not (named or dotted):
            return node
        name, _ = self.made.setdefault(text, (f"_{text.replace('.', '_')}", callee))
        node.func = ast.Name(name, ast.Load())
        return node


_BUILTINS = frozenset(vars(builtins))
_FRAME = frozenset({"locals", "globals", "vars", "dir", "eval", "exec", "super"})  # see the frame


_REWRITES = (
    Rewrite("PERF311", "", "search a set of the constants", _by(_Membership)),
    Rewrite("PERF308", "", "an f-string instead of format", _by(_Format)),
    Rewrite("PERF306", "", "import before the loop", _move_imports),
    Rewrite("PERF201", "3.11-", "call the method append itself", _unhoist_append),
    Rewrite("PERF101", "-3.10", "locals for builtins and module attributes", _hoist_globals),
)
