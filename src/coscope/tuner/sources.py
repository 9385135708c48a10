"""One function in the text of its file, and changes of that text that leave all else as it is."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Known:
    """What the process that has the live function reports about the names that it uses."""

    free: frozenset[str] = frozenset()  # its free variables
    modules: frozenset[str] = frozenset()  # global names that are modules
    suppress: frozenset[str] = frozenset()  # global names of contextlib.suppress
    constructors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of global names that are classes: the parameters that they take by position."""
    bound: frozenset[str] = frozenset()  # global names that the module binds, as far as known


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters that are replaced."""

    start: int
    stop: int
    text: str


@dataclass(frozen=True)
class Source:
    """A function in its file."""

    text: str  # of the whole file
    function: Def
    known: Known = Known()

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts

    def offset(self, line: int, column: int) -> int:
        """Offset in the text of a line (from 1) and a column in UTF-8 bytes, as `ast` has them."""
        start = self._starts[line - 1]
        text = self.text[start : self._starts[line] - 1]
        return start + len(text.encode()[:column].decode())

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Offset of a node's first character."""
        return self.offset(node.lineno, node.col_offset)

    def stop(self, node: ast.expr | ast.stmt) -> int:
        """Offset behind a node's last character."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.end_lineno, node.end_col_offset)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The text of a node."""
        return self.text[self.start(node) : self.stop(node)]

    def indent(self, node: ast.stmt) -> str | None:
        """The text before a statement on its line; None if that is another statement."""
        start = self._starts[first_line(node) - 1]
        before = self.text[start : self.offset(first_line(node), node.col_offset)]
        return before if not before.strip() else None

    def lines(self, node: ast.stmt) -> tuple[int, int] | None:
        """Offsets of the lines that a statement has for itself; None if it shares them."""
        assert node.end_lineno is not None
        stop = self._starts[node.end_lineno]
        after = self.text[self.stop(node) : stop].strip()
        if self.indent(node) is None or (after and not after.startswith("#")):
            return None
        return self._starts[first_line(node) - 1], min(stop, len(self.text))

    def before_body(self, lines: Iterable[str]) -> Edit | None:
        """Insert lines before the body, behind its docstring; None if it shares a line."""
        body = [] if isinstance(self.function, ast.Lambda) else self.function.body
        statements = [each for each in body if not _is_text(each) or each is not body[0]]
        if not statements or first_line(statements[0]) <= self.function.lineno:
            return None
        indent = self.indent(statements[0])
        if indent is None:
            return None
        at = self._starts[first_line(statements[0]) - 1]
        return Edit(at, at, "".join(f"{indent}{line}\n" for line in lines))

    def nodes(self) -> Iterator[ast.AST]:
        """The nodes of the function's body, those of nested scopes left out."""
        body = self.function.body
        for each in body if isinstance(body, list) else [body]:
            yield each
            if not isinstance(each, _SCOPES):
                yield from own(each)

    def names(self) -> set[str]:
        """Every name that occurs anywhere in the function."""
        found = set()
        for node in ast.walk(self.function):
            for part in ("id", "arg", "name", "asname", "rest"):
                name = getattr(node, part, None)
                if isinstance(name, str):
                    found.add(name)
            if isinstance(node, ast.Global | ast.Nonlocal):
                found.update(node.names)
        return found

    def bound(self) -> set[str]:
        """Names that the function, or a scope in it, may bind."""
        found = set()
        for node in ast.walk(self.function):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Global | ast.Nonlocal):
                found.update(node.names)
            else:
                for part in ("name", "rest"):
                    name = getattr(node, part, None)
                    if isinstance(name, str) and node is not self.function:
                        found.add(name)
        return found


def source_of(text: str, name: str, line: int, known: Known = Known()) -> Source | None:
    """Find a function by its name and the first line of its code; None if it is not certain.

    Args:
        text: Of the whole file.
        name: `co_name`.
        line: `co_firstlineno`: that of the first decorator, if there is one.
        known: What is known of the names.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:  # the file is for another version
        return None
    wanted = ast.Lambda if name == "<lambda>" else ast.FunctionDef | ast.AsyncFunctionDef
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, wanted)
        and first_line(node) == line
        and getattr(node, "name", name) == name
    ]
    return Source(text, found[0], known) if len(found) == 1 else None


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made, which do not overlap."""
    for edit in sorted(edits, key=lambda each: (each.start, each.stop), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.stop :]
    return text


def difference(before: str, after: str, file: str) -> str:
    """A unified diff, as `patch` and `git apply` take it."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), file, file, n=1
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def first_line(node: ast.stmt | ast.expr) -> int:
    """The line on which a node begins, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    lines: list[int] = [each.lineno for each in [node, *decorators]]
    return min(lines)


def own(node: ast.AST, without: tuple[type[ast.AST], ...] = ()) -> Iterator[ast.AST]:
    """The nodes inside of a node, those of nested scopes and of the given types left out."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES + without):
            yield from own(child, without)


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
