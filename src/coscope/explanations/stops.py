"""Each frame of a traceback as a `Stop`: its source, its failing expression, its operands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

from coscope.errors import CodeError
from coscope.explanations.case import Case, Taken
from coscope.explanations.model import Operand, SourceLine, Stop
from coscope.explanations.origins import text_of_made
from coscope.explanations.standing import Standing, excerpt, source_for
from coscope.explanations.values import Known, leaves
from coscope.explanations.words.endings import tested
from coscope.flow.domains.made import Made
from coscope.model import Code, Source, Span
from coscope.readers.attributes import is_a
from coscope.readers.from_function import from_code_object
from coscope.readers.libraries import is_library

MOST_OPERANDS = 14
_CONTEXT = 1  # lines before the failing expression
_MOST_LINES = 7
_LONGEST_LINE = 200  # characters

NO_SOURCE = "the source is not at hand: this is read from the bytecode alone"


class Workshop:
    """What the frames of one explanation share: snapshots of code objects and their sources."""

    def __init__(self) -> None:
        self._codes: dict[int, tuple[CodeType, Code]] = {}
        self._sources: dict[int, tuple[Source | None, tuple[str, ...]]] = {}
        self._standings: dict[tuple[int, int], Standing] = {}

    def code(self, co: CodeType) -> Code:
        """A snapshot of a code object."""
        held = self._codes.get(id(co))
        if held is None:
            held = self._codes[id(co)] = co, from_code_object(co)
        return held[1]

    def source(self, co: CodeType) -> tuple[Source | None, tuple[str, ...]]:
        """The source of a code object, and what must be said about it."""
        if id(co) not in self._sources:
            self._sources[id(co)] = source_for(self.code(co))
        return self._sources[id(co)]

    def standing(self, co: CodeType, lasti: int, *, with_source: bool = True) -> Standing | None:
        """Where a frame of this code stands; None if the offset is not one of an instruction."""
        key = id(co), lasti
        found = self._standings.get(key)
        if found is None:
            code = self.code(co)
            index = instruction_at(code, lasti)
            if index is None:
                return None
            source = self.source(co)[0] if with_source else None
            found = self._standings[key] = Standing(code, index, source, co)
        return found


def instruction_at(code: Code, lasti: int) -> int | None:
    """The instruction in which an offset lies: 3.11 leaves a caller's in the caches behind it."""
    try:
        offsets = code.instructions.offsets
    except CodeError:
        return None
    index = bisect_right(offsets, lasti) - 1
    return index if index >= 0 else None


def small_stop(code: Code, line: int | None) -> Stop:
    """A frame of which only the place is said."""
    return Stop(code.filename, line, code.qualname, code.kind, is_library(code.filename))


def stop_of(case: Case, line: int | None, warnings: tuple[str, ...]) -> Stop:
    """A frame with its failing expression and the values that it took."""
    standing = case.standing
    code = standing.code
    operands = tuple(_operands(case))
    notes = [*warnings]
    if standing.source is None and not warnings:
        notes.append(NO_SOURCE)
    instructions = standing.instructions
    return Stop(
        file=code.filename,
        line=line,
        function=code.qualname,
        kind=code.kind,
        library=is_library(code.filename),
        opname=instructions.opname(standing.index),
        argrepr=instructions.argrepr(standing.index),
        offset=instructions.offsets[standing.index],
        span=standing.span,
        expression=expression_text(standing),
        lines=tuple(source_lines(standing, line)),
        stack=standing.stack(),
        operands=operands,
        notes=tuple(notes),
    )


def expression_text(standing: Standing) -> str | None:
    """The failing expression: its source, or what the symbolic stack makes of the instruction."""
    if standing.source is not None:
        return excerpt(standing.source.lines, standing.span)
    effect = standing.effect()
    texts = standing.texts
    after = standing.index + 1
    if effect.fresh and texts is not None and after < len(texts):
        frame = texts[after]
        if frame is not None and frame.top(effect.pushed):
            return str(frame.top(effect.pushed)[0])
    operands = standing.operand_texts(standing.index)
    return f"{standing.instructions.opname(standing.index)}({', '.join(operands)})"


def source_lines(standing: Standing, line: int | None) -> Iterator[SourceLine]:
    source = standing.source
    if source is None:
        return
    span = standing.span
    first = span.lineno if span.lineno is not None else line
    if first is None or not 1 <= first <= len(source.lines):
        return
    last = span.end_lineno if span.end_lineno is not None else first
    start = max(1, first - _CONTEXT, min(standing.code.firstlineno, first))
    for number in range(start, min(last, start + _MOST_LINES - 1, len(source.lines)) + 1):
        text = source.lines[number - 1]
        marks = _marks(text, number, span) if first <= number <= last else None
        begin, end = marks or (None, None)
        yield SourceLine(number, text[:_LONGEST_LINE], begin, end)


def _marks(text: str, number: int, span: Span) -> tuple[int, int] | None:
    """The part of a line that a span covers, in characters."""
    if span.lineno is None or span.col_offset is None or span.end_col_offset is None:
        return None
    data = text.encode("utf-8", "surrogatepass")
    start = span.col_offset if number == span.lineno else len(data) - len(data.lstrip())
    stop = span.end_col_offset if number == span.end_lineno else len(data.rstrip())
    before = len(data[:start].decode("utf-8", "replace"))
    covered = len(data[start:stop].decode("utf-8", "replace"))
    return (before, before + covered) if covered else None


# Operands

_NO_VALUES = ("null", "lasti", "rest", "kwnames", "exc", "previous")


def _operands(case: Case) -> Iterator[Operand]:
    """What the failing instruction took, then what that was made from."""
    shown: set[str] = set()
    count = 0
    for operand in _listed(case):
        if operand.text in shown or count >= MOST_OPERANDS:
            continue
        shown.add(operand.text)
        count += 1
        yield operand


def _listed(case: Case) -> Iterator[Operand]:
    direct = case.operands
    if case.row.name == "RAISE_VARARGS":
        test = tested(case)
        direct = [] if test is None else case.taken(test)
    direct = [each for each in direct if _is_shown(case, each)]
    if not case.innermost:  # what it took is a matter of the frame that it called
        direct = [each for each in direct if each.known is not None or each.node.variable]
    for taken in direct:
        yield _operand(case, taken, taken.role)
    seen: set[int] = {id(each.node) for each in direct}
    for taken in direct:
        for node in list(leaves(taken.node, seen))[: 4 * MOST_OPERANDS]:
            known = case.scene.value(node)
            text = _text_of(case, node)
            if text is None or (known is None and node.variable is None):
                continue
            inner = Taken("", text, node, known)
            if _is_shown(case, inner):
                yield _operand(case, inner, "")


def _text_of(case: Case, node: Made) -> str | None:
    return text_of_made(case.standing, node)


def _is_shown(case: Case, taken: Taken) -> bool:
    """False for what is no value of the program, for literals, and for functions by their name."""
    if any(word in taken.role for word in _NO_VALUES) and taken.role != "exc":
        return False
    if taken.text in ("NULL", "", "?") or taken.text.startswith(("~", "<lasti", "<exception")):
        return False
    node = taken.node
    if node.index >= 0 and node.variable is None and not node.operands:
        return False
    if taken.known is not None and callable_name(taken.known) == taken.text:
        return False
    return case.standing.graph is not None


def callable_name(known: Known) -> str | None:
    """The name of a function or class that is found under its own name."""
    thing = known.thing
    kind = type(thing)
    if kind is FunctionType or kind is BuiltinFunctionType:
        return thing.__name__  # type: ignore[attr-defined,no-any-return]
    if is_a(thing, type):
        return type.__dict__["__name__"].__get__(thing)  # type: ignore[no-any-return]
    if kind is ModuleType:
        name = dict.get(vars(thing), "__name__")
        return name if type(name) is str else None
    return None


def _operand(case: Case, taken: Taken, role: str) -> Operand:
    known = taken.known
    if known is None:
        return Operand(taken.text, role, None, None, case.origins(taken.node))
    value = case.redaction.value(taken.text, known.thing)
    return Operand(taken.text, role, value, known.when, case.origins(taken.node))
