"""Where a frame stands: its instruction, the failing expression, the values on the stack."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from types import CodeType

from coscope.errors import CodeError
from coscope.flow import Frames, Graph, build
from coscope.flow.domains.expression import expressions
from coscope.flow.domains.made import Made, Making, Variable, made
from coscope.flow.effects import Effect, effect_of
from coscope.flow.texts.text import Text
from coscope.model import Code, Instructions, Source, Span
from coscope.readers.from_function import source_that_ran

MOST_INSTRUCTIONS = 20_000  # of a code object whose flow is followed


class Standing:
    """One code object and the instruction at which it failed; the rest is made when asked for.

    Args:
        code: A snapshot of the code object.
        index: Of the instruction.
        source: Its text, if it is known to be what was compiled.
        live: The code object itself, if it is of this process.
    """

    def __init__(
        self,
        code: Code,
        index: int,
        source: Source | None = None,
        live: CodeType | None = None,
    ) -> None:
        self.code = code
        self.index = index
        self.source = source
        self.live = live

    @property
    def instructions(self) -> Instructions:
        return self.code.instructions

    def effect(self, index: int | None = None) -> Effect:
        """The effect of the failing instruction, or of another one."""
        at = self.index if index is None else index
        columns = self.code.instructions
        return effect_of(self.code.version, columns.opcodes[at], columns.opargs[at], False)

    @cached_property
    def graph(self) -> Graph | None:
        """The control-flow graph; None where it is not known, or too large."""
        if len(self.code.instructions) > MOST_INSTRUCTIONS:
            return None
        try:
            return build(self.code)
        except CodeError:
            return None

    @cached_property
    def making(self) -> tuple[Making, Frames[Made]] | None:
        try:
            return None if self.graph is None else made(self.graph)
        except CodeError:
            return None

    @cached_property
    def texts(self) -> Frames[Text] | None:
        """The symbolic stack before each instruction."""
        try:
            return None if self.graph is None else expressions(self.graph)
        except CodeError:
            return None

    def taken(self, index: int) -> tuple[Made, ...]:
        """What an instruction pops, deepest first; empty if it is not known."""
        if self.making is None:
            return ()
        domain, frames = self.making
        if index in domain.taken:
            return domain.taken[index]
        stack = frames[index]
        return () if stack is None else stack.top(self.effect(index).popped)

    def stack(self, index: int | None = None) -> tuple[str, ...]:
        """Texts of the values on the stack before an instruction, deepest first."""
        frame = None if self.texts is None else self.texts[self.index if index is None else index]
        return () if frame is None else tuple(map(str, frame))

    def touched(self, index: int) -> list[tuple[str, Variable]]:
        """The variables that an instruction reads and writes."""
        effect = self.effect(index)
        if self.making is None or not self.making[0].uses_locals(effect):
            return []
        return self.making[0].touched(index, effect)

    def name(self, variable: Variable) -> str:
        """The name of a variable."""
        space, key = variable
        if space == "slot" and isinstance(key, int):
            names = self.code.localsplusnames
            return names[key] if key < len(names) else f"<slot {key}>"
        return str(key)

    def operand_texts(self, index: int) -> tuple[str, ...]:
        """Texts of what an instruction pops, deepest first."""
        frame = None if self.texts is None else self.texts[index]
        return () if frame is None else tuple(map(str, frame.top(self.effect(index).popped)))

    def excerpt(self, index: int) -> str | None:
        """The source of an instruction, on one line; None without source or positions."""
        if self.source is None or not 0 <= index < len(self.instructions):
            return None
        return excerpt(self.source.lines, self.instructions.positions[index])

    @cached_property
    def span(self) -> Span:
        """The source range of the failing expression."""
        found = self.instructions.positions[self.index]
        if self.source is not None:
            found = whole_expression(self.source, found)
        if self.instructions.opname(self.index) in ("GET_ITER", "GET_AITER"):
            return self._iterated(found)
        return found

    def _iterated(self, found: Span) -> Span:
        """What a loop iterates over: 3.11 gives the instruction the range of a comprehension."""
        taken = self.taken(self.index)
        inner = self.instructions.positions[taken[-1].index] if taken else found
        ends = (inner.lineno, inner.col_offset, inner.end_lineno, inner.end_col_offset)
        whole = (found.lineno, found.col_offset, found.end_lineno, found.end_col_offset)
        if not taken or taken[-1].index < 0 or None in ends or None in whole:
            return found
        return inner if ends[:2] >= whole[:2] and ends[2:] <= whole[2:] else found

    # Which stores may have run

    @cached_property
    def _after(self) -> frozenset[int]:
        """Blocks that may have run since the failure: its handler's and what follows."""
        graph = self.graph
        if graph is None:
            return frozenset()
        block = graph.block_of(self.index)
        return frozenset(
            _reach(graph, [edge.target for edge in block.edges if edge.kind == "exception"])
        )

    def rewritten(self, variable: Variable, since: int, *, after: bool = True) -> bool:
        """True if a store may have run between an instruction and now.

        Args:
            variable: What is stored.
            since: Index of an instruction that ran before the failing one.
            after: Also those that may have run since the failure.
        """
        graph = self.graph
        if graph is None:
            return True
        for index in self._stores.get(variable, ()):
            block = graph.block_of(index).index
            if (after and block in self._after) or self._between(index, since):
                return True
        return False

    @cached_property
    def _stores(self) -> dict[Variable, list[int]]:
        found: dict[Variable, list[int]] = {}
        for index in range(len(self.instructions)):
            for access, variable in self.touched(index):
                if access.split()[0] in ("write", "delete", "save"):
                    found.setdefault(variable, []).append(index)
        return found

    def _between(self, index: int, since: int) -> bool:
        """True if a path leads from `since` over `index` to the failure, without `since` again."""
        graph = self.graph
        assert graph is not None
        first, last, store = (graph.block_of(at).index for at in (since, self.index, index))
        if first == last and since <= self.index:
            return first == store and since < index < self.index
        if store == first:
            return index > since
        if store == last and index >= self.index:
            return last in _reach(graph, _next(graph, last), without=first)
        ahead = _reach(graph, _next(graph, first), without=first)
        return store in ahead and (
            store == last or last in _reach(graph, _next(graph, store), without=first)
        )


def _next(graph: Graph, block: int) -> list[int]:
    return [edge.target for edge in graph.blocks[block].edges]


def _reach(graph: Graph, starts: Sequence[int], without: int | None = None) -> set[int]:
    """Blocks that control may come to."""
    found: set[int] = set()
    waiting = [start for start in starts if start != without]
    while waiting:
        block = waiting.pop()
        if block not in found:
            found.add(block)
            waiting += [each for each in _next(graph, block) if each != without]
    return found


def source_for(code: Code) -> tuple[Source | None, tuple[str, ...]]:
    """The source of a live code object; and what must be said about it."""
    source, warnings = source_that_ran(code)
    return source, tuple(warnings)


def excerpt(lines: Sequence[str], span: Span) -> str | None:
    """The text of a span on one line, its white space made single."""
    first, last, start, stop = span
    if first is None or last is None or start is None or stop is None:
        return None
    if not 1 <= first <= last <= len(lines) or last - first > 50:
        return None
    parts = [line.encode("utf-8", "surrogatepass") for line in lines[first - 1 : last]]
    parts[-1] = parts[-1][:stop]
    parts[0] = parts[0][start:]
    text = b" ".join(part.strip() for part in parts).decode("utf-8", "replace")
    return text or None


# From an instruction's position to the expression

_Nodes = dict[tuple[int, int], list[ast.AST]]  # by the end: line, column in bytes


@lru_cache(maxsize=8)
def parsed(source: Source) -> ast.Module | None:
    """The tree of a source; None if it does not parse."""
    try:
        return ast.parse("\n".join(source.lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=16)
def _nodes(source: Source) -> _Nodes:
    """Expressions and statements by where they end."""
    found: _Nodes = {}
    tree = parsed(source)
    if tree is None:
        return found
    for node in ast.walk(tree):
        line, column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
        if line is not None and column is not None:
            found.setdefault((line, column), []).append(node)
    return found


def whole_expression(source: Source, span: Span) -> Span:
    """The range of the expression to which an instruction belongs.

    The compiler moves the start of a method's load and call to the line of the method's name, so
    that tracebacks point there. The expression begins where its receiver does.
    """
    first, last, start, stop = span
    if first is None or last is None or start is None or stop is None:
        return span
    candidates = list(_ending(source, last, stop))
    for node in candidates:
        if isinstance(node, ast.Assert) and (node.lineno, node.col_offset) == (first, start):
            test = node.test  # 3.12 points at the whole statement
            return Span(test.lineno, test.end_lineno, test.col_offset, test.end_col_offset)
    if any((node.lineno, node.col_offset) == (first, start) for node in candidates):
        return span
    moved = [node for node in candidates if _has_moved_start(node, first, start)]
    if not moved:
        return span
    node = moved[0]
    return Span(node.lineno, last, node.col_offset, stop)


def _ending(source: Source, line: int, column: int) -> Iterator[ast.expr | ast.stmt]:
    for node in _nodes(source).get((line, column), ()):
        if isinstance(node, ast.expr | ast.stmt):
            yield node


def _has_moved_start(node: ast.AST, line: int, column: int) -> bool:
    attribute = node.func if isinstance(node, ast.Call) else node
    if not isinstance(attribute, ast.Attribute) or attribute.end_lineno != line:
        return False
    end = attribute.end_col_offset or 0
    return end - len(attribute.attr.encode()) == column
