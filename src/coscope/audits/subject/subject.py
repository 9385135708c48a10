"""What rules look at: one file, and in it one code object; each fact is computed once, when asked.

`Unit` is a file (or a module that was imported), `Subject` one of its code objects. A rule asks a
subject for facts; what it has to say it makes with `Subject.finding`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeVar

from coscope.audits.options import Options
from coscope.audits.subject.calls import Call, calls_in
from coscope.audits.subject.loops import LoopFacts, jumps_back, loops_in
from coscope.errors import CodeError
from coscope.flow import Frames, Graph, build, run
from coscope.flow.domains.expression import expressions
from coscope.flow.domains.makers import Maker
from coscope.flow.domains.origin import Origin, Origins
from coscope.flow.effects import Effect
from coscope.flow.texts import Text
from coscope.model import NOWHERE, Code, Evidence, Finding, Instructions, Source, Span, Step
from coscope.opcodes import Table, table
from coscope.readers.from_function import from_code_object

if TYPE_CHECKING:
    from coscope.audits.subject.objects import Live
    from coscope.audits.subject.world import World

Fact = TypeVar("Fact")


class _EveryOrigin(Origin):
    """Records instructions that only store what they take, too, and which of two values it is."""

    watches_moves = True

    def values(self, index: int, effect: Effect, operands: Sequence[Origins]) -> Sequence[Origins]:
        made = super().values(index, effect, operands)
        if len(made) > 1:
            return [frozenset([Maker(index, slot)]) for slot in range(len(made))]
        return made


class Unit:
    """One file, or one module that was imported.

    Attributes:
        file: As findings name it.
        code: Its module's code object; of a module without source None.
        source: Its text, if it can be had. Both are made when they are first asked for.
        version: Of CPython, "3.13": the one that compiled it.
        compiled: It was read from a compiled file, so that its code may be anybody's.
        options: Limits of the rules.
        warm: Live code of it has run before it was read.
        given: What `code` is, or is a copy of: live code objects are copied when they are needed.
    """

    def __init__(
        self,
        file: str,
        code: Code | CodeType | None,
        source: Source | Callable[[], Source] | None,
        version: str,
        options: Options | None = None,
        *,
        compiled: bool = False,
        warm: bool = False,
    ) -> None:
        self.file = file
        self.given = code
        self._copies: dict[int, object] = {}  # by the id() of what `given` holds
        self._source = source
        self.version = version
        self.options = options or Options()
        self.compiled = compiled
        self.world: World | None = None  # of a live audit: all functions of the package
        self.warm = warm
        self.runs: dict[tuple[str, int], str] = {}  # by qualified name and first line: see `ran`
        self._facts: dict[object, Any] = {}

    def ran(self, subject: Subject) -> str:
        """How often code of the file was seen to run, in words; "" if nobody watched it."""
        return self.runs.get((subject.code.qualname, subject.code.firstlineno), "")

    def fact(self, make: Callable[[Unit], Fact]) -> Fact:
        """What `make(unit)` gives, computed once."""
        if make not in self._facts:
            self._facts[make] = make(self)
        found: Fact = self._facts[make]
        return found

    @cached_property
    def code(self) -> Code | None:
        """The module's code object."""
        return None if self.given is None else self.model_of(self.given)

    def model_of(self, code: Code | CodeType) -> Code:
        """A code object of the file as the model has it; of each there is one copy."""
        return code if isinstance(code, Code) else from_code_object(code, self._copies)

    @cached_property
    def surface(self) -> Code | None:
        """The module's code object, for its names and instructions alone: without nested code."""
        if not isinstance(self.given, CodeType):
            return self.given
        consts = self.given.co_consts
        left = tuple(None if type(each) is CodeType else each for each in consts)
        return from_code_object(self.given.replace(co_consts=left))

    @cached_property
    def source(self) -> Source | None:
        """The text of the file."""
        return self._source() if callable(self._source) else self._source

    @cached_property
    def codes(self) -> tuple[Code, ...]:
        """Every code object of the file, as `Code.walk` goes."""
        return () if self.code is None else tuple(self.code.walk())

    @cached_property
    def parents(self) -> dict[int, Code]:
        """The code object around each nested one, by the `id()` of the nested one."""
        found: dict[int, Code] = {}
        for outer in self.codes:
            for constant in outer.consts:
                if isinstance(constant, Code):
                    found[id(constant)] = outer
        return found

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None if there is no source that this interpreter parses."""
        if self.source is None:
            return None
        try:
            return ast.parse("\n".join(self.source.lines))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


class Subject:
    """One code object.

    Attributes:
        code: The code object.
        unit: Its file.
        live: The object that was found with it; None in a static audit.
        around: The code object around it, where that is known already.
    """

    def __init__(
        self,
        code: Code,
        unit: Unit,
        live: Live | None = None,
        around: Code | CodeType | None = None,
    ) -> None:
        self.code = code
        self.unit = unit
        self.live = live
        self._around = around
        self._facts: dict[object, Any] = {}

    def fact(self, make: Callable[[Subject], Fact]) -> Fact:
        """What `make(subject)` gives, computed once: for facts that several rules share."""
        if make not in self._facts:
            self._facts[make] = make(self)
        found: Fact = self._facts[make]
        return found

    @property
    def version(self) -> str:
        """Of CPython: "3.13"."""
        return self.code.version

    @property
    def options(self) -> Options:
        """Limits of the rules."""
        return self.unit.options

    @cached_property
    def rules(self) -> Table:
        """The opcode table of the version."""
        return table(self.code.version)

    @cached_property
    def parent(self) -> Code | None:
        """The code object around this one; None for a module, or if it is not known."""
        if self._around is not None:
            return self.unit.model_of(self._around)
        return self.unit.parents.get(id(self.code))

    @property
    def instructions(self) -> Instructions:
        """The columns: `offsets`, `opcodes`, `opargs`, `positions`, `argval(index)`."""
        return self.code.instructions

    @cached_property
    def opnames(self) -> list[str]:
        """The name of each instruction's opcode."""
        names = [row.name if row else "" for row in self.rules.by_code]
        return [names[opcode] for opcode in self.instructions.opcodes]

    def where(self, *opnames: str) -> list[int]:
        """Indexes of the instructions with one of these opcodes; names unknown here are none."""
        rows = self.rules.opcodes
        wanted = {rows[name].code for name in opnames if name in rows}
        opcodes = self.instructions.opcodes
        return [index for index, opcode in enumerate(opcodes) if opcode in wanted]

    @cached_property
    def graph(self) -> Graph | None:
        """The control-flow graph; None for code that no compiler wrote."""
        try:
            return build(self.code)
        except CodeError:
            return None

    @property
    def jumps_back(self) -> bool:
        """True if it may have loops, judged by the bytes alone."""
        return jumps_back(self.code)

    @cached_property
    def loops(self) -> tuple[LoopFacts, ...]:
        """Its loops, outer ones first; () where nothing jumps back, or flow is not known."""
        if not self.jumps_back or self.graph is None:
            return ()
        return loops_in(self.graph)

    def loop_at(self, index: int) -> LoopFacts | None:
        """The innermost loop that an instruction is in."""
        inside = [loop for loop in self.loops if index in loop.indexes]
        return max(inside, key=lambda loop: loop.depth, default=None)

    @cached_property
    def frames(self) -> Frames[Text] | None:
        """The expressions on the stack before each instruction; None if flow is not known."""
        if self.graph is None:
            return None
        try:
            return expressions(self.graph)
        except CodeError:
            return None

    def stack(self, index: int) -> tuple[Text, ...]:
        """The expressions on the stack before an instruction, deepest first; () if not known."""
        frame = None if self.frames is None or index >= len(self.frames) else self.frames[index]
        return () if frame is None else frame.stack

    @cached_property
    def takers(self) -> dict[int, tuple[Effect, tuple[Origins, ...]]]:
        """By instruction: its effect, and which instructions made the values that it takes.

        `effect.operand(origins, "args")` picks those of a slot by the name in the opcode table.
        """
        if self.graph is None:
            return {}
        domain = _EveryOrigin()
        try:
            run(self.graph, domain)
        except CodeError:
            return {}
        return domain.takers

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Its calls in code order, with the instructions that made callee and arguments."""
        return calls_in(self.code, self.takers)

    def span(self, index: int) -> Span:
        """The source range of an instruction."""
        try:
            return self.instructions.positions[index]
        except CodeError:
            return NOWHERE

    def text(self, span: Span) -> str | None:
        """The source text of a range on one line; None if there is none."""
        source = self.unit.source
        if source is None or span.lineno is None or span.lineno > len(source.lines):
            return None
        if span.end_lineno != span.lineno or span.col_offset is None:
            return None
        line = source.lines[span.lineno - 1].encode("utf-8", "surrogatepass")
        return line[span.col_offset : span.end_col_offset].decode("utf-8", "replace")

    def seen(self, index: int, text: str | None = None) -> Evidence:
        """An instruction as evidence; without a text its name and operand."""
        columns = self.instructions
        if text is None:
            text = f"{columns.opname(index)} {columns.argrepr(index)}".rstrip()
        return Evidence(text, columns.offsets[index], self.span(index).lineno)

    def finding(
        self,
        rule: str,
        message: str,
        at: int | Span | None = None,
        *,
        confidence: str = "likely",
        severity: str = "",
        evidence: Iterable[Evidence | str] = (),
        why: str = "",
        instead: str = "",
        flow: Iterable[Step] = (),
    ) -> Finding:
        """What a rule has to say.

        Args:
            rule: Its code.
            message: One clause, without a full stop. It does not name the line.
            at: The instruction, or the source range; None: the line that defines the code.
            confidence: One of `model.CONFIDENCES`.
            severity: One of `model.SEVERITIES`; the rule's own if not given.
            evidence: What it rests on, in reading order.
            why: Why it matters on this version.
            instead: What to write instead.
            flow: The way of the value that it is about, from its source on.
        """
        offset = None
        if isinstance(at, Span):
            span = at
        elif at is not None:
            span, offset = self.span(at), self.instructions.offsets[at]
        else:
            span = definition(self.unit.source, self.code)
        held = tuple(Evidence(each) if isinstance(each, str) else each for each in evidence)
        return Finding(
            rule=rule,
            message=message,
            severity=severity,
            code=self.code.qualname,
            file=self.unit.file,
            span=span,
            offset=offset,
            confidence=confidence,
            evidence=held,
            why=why,
            instead=instead,
            version=self.version,
            target=None if self.live is None else self.live.target,
            flow=tuple(flow),
        )


_DEF = re.compile(r"\s*((?:async\s+)?def\s+(\w+)[^#]*?)\s*(?:#|$)")
_DECORATORS = 50  # lines above a `def` that are looked at


def definition(source: Source | None, code: Code) -> Span:
    """The first line of a definition, below its decorators; without source the first line."""
    first = code.firstlineno
    lines = () if source is None else source.lines[first - 1 : first - 1 + _DECORATORS]
    for number, line in enumerate(lines, first):
        found = _DEF.match(line)
        if found is not None and found[2] == code.name:
            start, end = (len(line[:at].encode("utf-8", "replace")) for at in found.span(1))
            return Span(number, number, start, end)
    return Span(first)


def covering(spans: Sequence[Span]) -> Span:
    """The range from the first to the last of some ranges; NOWHERE if one has no columns."""
    if not spans or any(None in span for span in spans):
        return spans[0] if spans else NOWHERE
    start = min((span.lineno or 0, span.col_offset or 0) for span in spans)
    end = max((span.end_lineno or 0, span.end_col_offset or 0) for span in spans)
    return Span(start[0], end[0], start[1], end[1])
