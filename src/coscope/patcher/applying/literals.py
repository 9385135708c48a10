"""Loads of constants: which stand for a literal of the source, and which the compiler makes.

The level of an import, what `__exit__` gets, what a bare `return` returns: no literal says these.
The tables hold, by version, what is around such a load. Besides, a literal has a position of its
own: nothing lies inside it, and `None` is four columns wide. What bytecode alone cannot settle is
"unsure": `pass` at the end of a function is as wide as `None`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from coscope.flags import FUTURE_ANNOTATIONS
from coscope.model import Code, Constant, Source, Span
from coscope.opcodes import table
from coscope.patcher.edits.selection import Use
from coscope.readers.stated import carried, spans_of

SOURCE, MADE, UNSURE = "source", "made", "unsure"

Sources = Callable[[], Source | None]  # the proved source, worked out when it is first asked for

_WORDS = {None: "None", True: "True", False: "False"}
_LAMBDA = "<lambda>"


class Load(NamedTuple):
    """An instruction that loads a constant."""

    use: Use
    slot: int | None  # index in consts; None: the value is in the instruction itself
    value: Constant


@dataclass(frozen=True, slots=True)
class Loading:
    """How one version loads constants, by opcode number."""

    pooled: frozenset[int]  # from consts
    named: frozenset[int]  # KW_NAMES
    small: frozenset[int]  # LOAD_SMALL_INT
    fixed: frozenset[int]  # LOAD_COMMON_CONSTANT, where it loads values
    every: frozenset[int]


@cache
def loading(version: str) -> Loading:
    """How a version loads constants."""
    rules = table(version)
    by_operand: dict[str, set[int]] = {}
    for row in rules.opcodes.values():
        by_operand.setdefault(row.operand, set()).add(row.code)
    valued = rules.numbers.get("common_constants_are_values", 0)
    pooled, named, small, fixed = (
        frozenset(by_operand.get(operand, ()))
        for operand in ("const", "const names", "small int", "common constant")
    )
    if not valued:
        fixed = frozenset()
    return Loading(pooled, named, small, fixed, pooled | named | small | fixed)


def loads_of(code: Code) -> Iterator[Load]:
    """Every instruction that loads a constant."""
    columns = code.instructions
    kinds = loading(code.version)
    every, consts = kinds.every, code.consts
    prefix, prefixes = table(code.version).extended_arg, 0
    for at, opcode in enumerate(columns.opcodes):
        if opcode == prefix:
            prefixes += 1
            continue
        if opcode not in every:
            continue
        use = Use(at - prefixes, at)
        oparg = columns.opargs[at]
        if opcode in kinds.small:
            yield Load(use, None, oparg)
        elif opcode in kinds.fixed:
            yield Load(use, None, columns.argval(at))
        elif 0 <= oparg < len(consts):
            yield Load(use, oparg, consts[oparg])


# Patterns of the tables


class _Beside(NamedTuple):
    """One instruction of a pattern."""

    opcodes: frozenset[int]
    arguments: frozenset[str]  # empty: any
    same: bool  # at the very position of the load


class _Pattern(NamedTuple):
    before: tuple[_Beside, ...]  # the nearest first
    after: tuple[_Beside, ...]


class _Patterns(NamedTuple):
    around: tuple[_Pattern, ...]
    future: tuple[_Pattern, ...]
    at: frozenset[int]
    makes: frozenset[int]  # MAKE_FUNCTION
    returns: frozenset[int]
    slices: frozenset[int]
    passed: frozenset[int]  # NOP, and prefixes


@cache
def _patterns(version: str) -> _Patterns:
    rules = table(version)
    made = rules.compiler_made
    number = {name: row.code for name, row in rules.opcodes.items()}
    return _Patterns(
        around=tuple(_pattern(text, version) for text in made.around),
        future=tuple(_pattern(text, version) for text in made.future_annotations),
        at=frozenset(number[name] for name in made.at),
        makes=frozenset({number["MAKE_FUNCTION"]}),
        returns=frozenset(row.code for row in rules.opcodes.values() if row.ends == "return"),
        slices=frozenset({number["BUILD_SLICE"]}),
        passed=frozenset({number["NOP"], rules.extended_arg}),
    )


def _pattern(text: str, version: str) -> _Pattern:
    words = text.split()
    at = words.index("@")
    items = [_beside(word, version) for word in words if word != "@"]
    return _Pattern(tuple(reversed(items[:at])), tuple(items[at:]))


def _beside(word: str, version: str) -> _Beside:
    body = word.removesuffix("=")
    names, _, rest = body.partition("(")
    arguments = frozenset(rest[:-1].split("|")) if rest else frozenset()
    opcodes: set[int] = set()
    for name in names.split("|"):
        if name == "LOAD":
            opcodes |= loading(version).every
        elif name.endswith("*"):
            rows = table(version).opcodes.values()
            opcodes |= {row.code for row in rows if row.name.startswith(name[:-1])}
        else:
            opcodes.add(table(version).opcodes[name].code)
    return _Beside(frozenset(opcodes), arguments, body != word)


class Sorter:
    """Sorts the loads of one code object: "source", "made" or "unsure".

    Args:
        code: The code object.
        source: Gives its source, where that is at hand; asked only where bytecode cannot settle it.
    """

    def __init__(self, code: Code, source: Sources | None = None) -> None:
        self.code = code
        self.columns = code.instructions
        self.patterns = _patterns(code.version)
        self._source = source
        self._spans: Sequence[Span] | None = None
        self._carried: frozenset[int] | None = None

    def sort(self, load: Load) -> str:
        """Where the load comes from."""
        if self._names_keywords(load) or self._is_around(load):
            return MADE
        value = load.value
        if value is None or type(value) is bool:
            return self._sorted_word(load)
        if type(value) is str and self._is_nowhere(load):
            return MADE
        if type(value) in (str, tuple) and self._is_at(load):
            return MADE if self._has_columns(load) else self._witnessed(load)
        return SOURCE

    def is_names(self, load: Load) -> bool:
        """True for a tuple that the compiler made of names: keywords, imports, a pattern."""
        if self._names_keywords(load) or self._is_around(load):
            return True
        if type(load.value) is not tuple or not self._is_at(load):
            return False
        return self._is_at(load, self.patterns.at - self.patterns.makes) or self._describes(load)

    # Bytecode

    def _names_keywords(self, load: Load) -> bool:
        return self.columns.opcodes[load.use.at] in loading(self.code.version).named

    @property
    def spans(self) -> Sequence[Span]:
        """Source position of each instruction."""
        if self._spans is None:
            self._spans = self.columns.positions
        return self._spans

    def _has_columns(self, load: Load) -> bool:
        return None not in tuple(self.spans[load.use.at])

    def _is_nowhere(self, load: Load) -> bool:
        """True for a position of no width, as a piece of a folded `%` format has it."""
        first, last, start, stop = self.spans[load.use.at]
        return start is not None and (first, start) == (last, stop)

    def _is_around(self, load: Load) -> bool:
        future = self.patterns.future if self.code.flags & FUTURE_ANNOTATIONS else ()
        return any(self._fits(pattern, load) for pattern in (*self.patterns.around, *future))

    def _fits(self, pattern: _Pattern, load: Load) -> bool:
        at = load.use.at
        return self._go(pattern.after, at, 1) and self._go(pattern.before, at, -1)

    def _go(self, wanted: tuple[_Beside, ...], start: int, step: int) -> bool:
        opcodes, at = self.columns.opcodes, start
        for beside in wanted:
            at += step
            while 0 <= at < len(opcodes) and opcodes[at] in self.patterns.passed:
                at += step
            if not 0 <= at < len(opcodes) or opcodes[at] not in beside.opcodes:
                return False
            if beside.arguments and not beside.arguments & {
                str(self.columns.argval(at)),
                self.columns.argrepr(at),
            }:
                return False
            if beside.same and self.spans[at] != self.spans[start]:
                return False
        return True

    def _is_at(self, load: Load, among: frozenset[int] | None = None) -> bool:
        """True if an instruction that only the compiler puts there has the load's position."""
        opcodes = self.columns.opcodes
        wanted = self.patterns.at if among is None else among
        if wanted.isdisjoint(opcodes):
            return False
        mine, spans = self.spans[load.use.at], self.spans
        if mine[0] is None:
            return False
        return any(opcode in wanted and spans[at] == mine for at, opcode in enumerate(opcodes))

    def _describes(self, load: Load) -> bool:
        """True for a tuple of parameter names, or of them and annotations: no defaults."""
        code = self.code
        following = [each for each in loads_of(code) if each.use.at > load.use.at]
        made = next((each.value for each in following if isinstance(each.value, Code)), None)
        value = load.value
        if made is None or type(value) is not tuple:
            return True
        if set(made.varnames[:1]) & set(table(code.version).unconverted):
            return True  # the format of a function that the compiler made
        known = {*made.varnames, "return"}
        words = all(type(each) is str for each in value)
        future = bool(code.flags & FUTURE_ANNOTATIONS)
        return words and (set(value) <= known or (future and set(value[::2]) <= known))

    def _sorted_word(self, load: Load) -> str:
        """Sort a load of None, True or False: a word of a known width that holds nothing else."""
        first, last, start, stop = self.spans[load.use.at]
        returned = self._is_returned(load)
        if first is None or last is None or start is None or stop is None:
            return self._witnessed(load)
        value = load.value
        assert value is None or type(value) is bool
        fits = first == last and stop - start == len(_WORDS[value])
        if returned and self.code.name != _LAMBDA:
            # Where a `with` or a `finally` is left, a `return None` has another position.
            settled = not fits and not self.code.exceptiontable
            return MADE if settled else self._witnessed(load)
        return SOURCE if fits and not self._is_shared(load) else MADE

    def _is_returned(self, load: Load) -> bool:
        opcodes, at = self.columns.opcodes, load.use.at
        if opcodes[at] in self.patterns.returns:
            return True
        at += 1
        while at < len(opcodes) and opcodes[at] in self.patterns.passed:
            at += 1
        return at < len(opcodes) and opcodes[at] in self.patterns.returns

    def _is_shared(self, load: Load) -> bool:
        """True if something lies inside the position of the load, so that it is no word."""
        first, last, start, stop = self.spans[load.use.at]
        if start is None or stop is None:
            return False
        closed = self.patterns.at | self.patterns.slices
        for at, span in enumerate(self.spans):
            if span[0] != first or span[1] != last or span[2] is None or span[3] is None:
                continue
            if start <= span[2] and span[3] <= stop:
                if (span[2], span[3]) != (start, stop):
                    if span[2] < span[3]:
                        return True
                elif self.columns.opcodes[at] in closed:
                    return True
        return False

    # The source as a witness

    def _witnessed(self, load: Load) -> str:
        source = self._source() if self._source is not None else None
        if source is None:
            return UNSURE
        if self._is_returned(load):
            if self._carried is None:
                numbers = carried(source, self.code, load.value)
                self._carried = numbers if numbers is not None else frozenset({-1})
            if -1 not in self._carried:
                return SOURCE if load.use.number in self._carried else MADE
        span = self.spans[load.use.at]
        if None in tuple(span):
            return UNSURE
        return SOURCE if tuple(span) in spans_of(source, load.value) else MADE
