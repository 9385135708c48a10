"""From positions of instructions to expressions: those that ran, those that never did.

An expression ran if some instruction inside its range did. The copies that the compiler makes of a
block have the positions of one and the same source, so they count as one.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Place = tuple[int, int]  # line from 1, column in bytes
Range = tuple[int, int, int, int]  # first line, column, last line, column


@dataclass(frozen=True, slots=True)
class Missed:
    """An expression that never ran, though what it is a part of did."""

    line: int
    column: int  # bytes
    end_line: int
    end_column: int
    kind: str  # one of KINDS
    text: str  # its source on one line, shortened


KINDS = (
    "right side of and",
    "right side of or",
    "branch of a conditional",
    "filter of a comprehension",
    "element of a comprehension",
    "iterable of a comprehension",
    "body of a lambda",
    "operand of a chained comparison",
    "message of an assert",
    "other",
)


@dataclass(slots=True, eq=False)
class Node:
    """A statement or expression with its range."""

    tree: ast.AST
    start: Place
    stop: Place
    parent: Node | None
    children: list[Node] = field(default_factory=list)  # by where they start
    measured: bool = False  # some instruction lies in it
    ran: bool = False

    @property
    def is_expression(self) -> bool:
        """True for what is evaluated; not for the target of an assignment."""
        loaded = isinstance(getattr(self.tree, "ctx", None), ast.Load | None)
        return isinstance(self.tree, ast.expr) and loaded


def nodes_of(tree: ast.Module) -> Node:
    """The tree of statements and expressions, without annotations, which may never be evaluated."""
    root = Node(tree, (0, 0), (10**9, 0), None)
    pending: list[tuple[ast.AST, Node]] = [(each, root) for each in _children(tree)]
    while pending:
        each, parent = pending.pop()
        inner = parent
        line, column = getattr(each, "lineno", None), getattr(each, "col_offset", None)
        if isinstance(each, ast.stmt | ast.expr) and line is not None and column is not None:
            start = _decorated(each) or (line, column)
            stop = (each.end_lineno or line, each.end_col_offset or column)
            inner = Node(each, start, stop, parent)
            parent.children.append(inner)
        pending += [(child, inner) for child in _children(each)]
    for node in walk(root):
        node.children.sort(key=lambda child: child.start)
    return root


def _decorated(node: ast.AST) -> Place | None:
    """Where the first decorator stands: it comes before the statement that it belongs to."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return (decorators[0].lineno, decorators[0].col_offset) if decorators else None


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params") or isinstance(node, _TYPE_ALIAS):
            continue
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, ast.AST))


_TYPE_ALIAS: tuple[type, ...] = tuple(
    filter(None, [getattr(ast, "TypeAlias", None)])  # where the language has it
)


def walk(root: Node) -> Iterator[Node]:
    """All nodes below one, and itself."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += node.children


def mark(root: Node, ran: Iterable[Range], every: Iterable[Range]) -> None:
    """Note which nodes hold instructions, and which of these ran."""
    for span in every:
        for node in _around(root, span):
            node.measured = True
    for span in ran:
        for node in _around(root, span):
            node.measured = node.ran = True


def _around(root: Node, span: Range) -> Iterator[Node]:
    """The nodes whose range holds a span."""
    start, stop = span[:2], span[2:]
    node = root
    while True:
        yield node
        at = bisect_right(node.children, start, key=lambda child: child.start) - 1
        if at < 0:
            return
        child = node.children[at]
        if stop > child.stop:
            return
        node = child


def expressions_that_never_ran(root: Node) -> Iterator[Node]:
    """The largest expressions that never ran, inside of what did."""
    for node in walk(root):
        parent = node.parent
        if parent is None or parent.parent is None or not parent.ran:
            continue
        if node.is_expression and node.measured and not node.ran:
            yield node


def missed_in(root: Node, lines: list[str]) -> list[Missed]:
    """What is reported: without the messages of asserts, and without lines that say so."""
    found = []
    for node in expressions_that_never_ran(root):
        kind = kind_of(node)
        if kind == "message of an assert" or is_excluded(lines, node):
            continue
        text = text_of(lines, node)
        found.append(Missed(*node.start, *node.stop, kind, text))
    return sorted(found, key=lambda each: (each.line, each.column))


_PRAGMA = "pragma: no cover"


def is_excluded(lines: list[str], node: Node) -> bool:
    """True if the first line of what is around says `# pragma: no cover`, as for coverage.py."""
    at: Node | None = node
    while at is not None and at.parent is not None:
        line = getattr(at.tree, "lineno", 0)
        if 0 < line <= len(lines) and _PRAGMA in lines[line - 1]:
            return True
        at = at.parent
    return False


def kind_of(node: Node) -> str:
    """In which place of a larger expression one stands, where that decides whether it runs."""
    tree = node.tree
    parent = None if node.parent is None else node.parent.tree
    if isinstance(parent, ast.BoolOp):
        return "right side of and" if isinstance(parent.op, ast.And) else "right side of or"
    if isinstance(parent, ast.IfExp):
        return "branch of a conditional"
    if isinstance(parent, ast.Lambda):
        return "body of a lambda" if tree is parent.body else "other"
    if isinstance(parent, ast.Compare) and tree in parent.comparators[1:]:
        return "operand of a chained comparison"
    if isinstance(parent, ast.Assert):
        return "message of an assert" if tree is parent.msg else "other"
    if isinstance(parent, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        if any(tree in generator.ifs for generator in parent.generators):
            return "filter of a comprehension"
        if any(tree is generator.iter for generator in parent.generators):
            return "iterable of a comprehension"
        return "element of a comprehension"
    return "other"


_LONGEST = 120  # characters


def text_of(lines: list[str], node: Node) -> str:
    """The source of a node on one line, shortened."""
    (first, start), (last, stop) = node.start, node.stop
    parts = [line.encode("utf-8", "surrogatepass") for line in lines[first - 1 : last]]
    if not parts:
        return ""
    parts[-1] = parts[-1][:stop]
    parts[0] = parts[0][start:]
    text = b" ".join(part.strip() for part in parts).decode("utf-8", "replace")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
