"""What differs between two code objects in what they do, and what differs only in how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType

from coscope.errors import InputError, TargetError
from coscope.facts.dependencies.depends import held_by_target
from coscope.facts.differences.alignment import Alignment, Row, Written, aligned
from coscope.facts.fingerprints.canonical import canonical_of
from coscope.facts.fingerprints.fingerprints import digest_of
from coscope.facts.names.scopes import contents_of
from coscope.model import Code, Flags, Function
from coscope.readers import Target, locate
from coscope.readers.attributes import MISSING, mro_of, namespace_of
from coscope.readers.docstrings import docstring_of
from coscope.readers.from_function import HOST_RELEASE, HOST_VERSION, exact_tuple
from coscope.readers.from_object import leads_to_python
from coscope.readers.values import name_of_class, text_of
from coscope.result import Result

# What may differ without any effect, in the order in which it is reported.
HARMLESS = ("lines", "file name", "docstrings", "local names", "qualified names", "layout", "bytes")


@dataclass(frozen=True, slots=True)
class Read:
    """One of the two that were compared."""

    name: str  # qualified name
    file: str
    version: str  # "3.13"
    release: str | None  # "3.13.0" where known
    codes: int  # code objects, nested ones too
    warnings: tuple[str, ...] = ()  # what its reader warned of


@dataclass(frozen=True, slots=True)
class Fact:
    """One property that differs."""

    what: str  # "flags", "parameters", "constants", "default of x", "cell rate"
    left: str  # "" if only the other has it
    right: str


@dataclass(frozen=True, slots=True)
class CodeDifference:
    """A pair of code objects that differ in what they do."""

    left: str  # qualified name
    right: str
    facts: tuple[Fact, ...]
    rows: tuple[Row, ...] = field(repr=False)  # differing instructions and those around them


@dataclass(frozen=True, slots=True)
class Difference(Result):
    """What `diff` found."""

    left: Read
    right: Read
    codes: tuple[CodeDifference, ...]  # pairs that differ, in the order of the left one's code
    removed: tuple[str, ...]  # qualified names of code objects that only the left one has
    added: tuple[str, ...]
    harmless: tuple[str, ...]  # of HARMLESS: differs, and changes nothing
    unknown: tuple[str, ...]  # defaults and cells that cannot be compared by content

    @property
    def same(self) -> bool:
        """True if the two do the same."""
        return not (self.codes or self.removed or self.added)

    @property
    def verdict(self) -> str:
        """ "identical", "same behaviour" or "different"."""
        if not self.same:
            return "different"
        return "same behaviour" if self.harmless else "identical"

    @property
    def text(self) -> str:
        """The verdict in words, such as "same behaviour, lines moved"."""
        if self.verdict != "same behaviour":
            return self.verdict
        words = [_WORDS.get(each, f"{each} changed") for each in self.harmless]
        return f"same behaviour, {', '.join(words)}"


_WORDS = {"lines": "lines moved", "bytes": "bytes differ without effect"}


def diff(
    a: object,
    b: object,
    *,
    python: str | tuple[str, str] | None = None,
    code_version: str | None = None,
) -> Difference:
    """Compare two functions or files by what their code does.

    Instructions are aligned without lines and offsets, and jumps compared by where they lead.
    Nested code is matched by its name. Of live functions the defaults and cells are compared too.

    Args:
        a: Whatever `coscope.read` takes, or what it gave.
        b: The other one; it may be the same file for two interpreters.
        python: Compile source files by other interpreters: "3.12,3.13" for `a` and `b`, or one
            for both. See `coscope.read`.
        code_version: Files are code objects without a header, of this CPython: "3.12".

    Raises:
        TargetError, SourceError, InterpreterError, PycError: See `coscope.read`.
        CodeError: A code object is not an instruction sequence of its version.
        InputError: `python` names more than two interpreters.

    >>> diff(lambda x: x + 1, lambda x: x + 1).same
    True
    >>> [fact.right for fact in diff(lambda x: x + 1, lambda x: x + True).codes[0].facts]
    ['bool True']
    """
    first, second = _pythons(python)
    left = locate(a, python=first, code_version=code_version)
    right = locate(b, python=second, code_version=code_version)
    work = _Comparison()
    if left.cls is not None or right.cls is not None:
        return _of_classes(left, right, work)
    state = (_state(left), _state(right))
    work.run_live(left.function, right.function, state)
    return work.answer(_read_of(left.function), _read_of(right.function))


def _compare_methods(
    work: _Comparison,
    names: tuple[str, str],
    ours: Mapping[str, Function],
    theirs: Mapping[str, Function],
) -> None:
    """Methods of two classes by name: those that one alone has, and those that differ."""
    work.removed += [f"{names[0]}.{name}" for name in ours if name not in theirs]
    work.added += [f"{names[1]}.{name}" for name in theirs if name not in ours]
    for name in ours:
        if name in theirs:
            pair = _Comparison()
            pair.run_live(ours[name], theirs[name])
            work.take(pair, name)


def _of_classes(left: Target, right: Target, work: _Comparison) -> Difference:
    """Two classes: their functions by name, then what else they hold."""
    one, other = left.cls, right.cls
    if one is None or other is None:
        found = [text_of(each.thing) if each.live else "code" for each in (left, right)]
        raise TargetError("a class is compared with another class only", found=" and ".join(found))
    names = name_of_class(one), name_of_class(other)
    ours = {method.name: method.function for method in left.methods}
    theirs = {method.name: method.function for method in right.methods}
    _compare_methods(work, names, ours, theirs)
    values = dict(_values_in(one)), dict(_values_in(other))
    facts = tuple(_differing(*values, work.unknown))
    if facts:
        work.codes.insert(0, CodeDifference(*names, facts, ()))
    return work.answer(
        _read_of_class(names[0], list(ours.values())),
        _read_of_class(names[1], list(theirs.values())),
    )


Values = dict[str, object]  # what is compared by content, by name


def _pythons(python: str | tuple[str, str] | None) -> tuple[str | None, str | None]:
    if python is None:
        return None, None
    names = [part.strip() for part in python.split(",")] if isinstance(python, str) else python
    if len(names) not in (1, 2) or not all(names):
        raise InputError("python names one or two interpreters", expected="A,B", found=python)
    return names[0], names[-1]


def _read_of(function: Function) -> Read:
    code = function.code
    count = sum(1 for _ in code.walk())
    return Read(
        function.qualname, code.filename, code.version, code.release, count, function.warnings
    )


def _read_of_class(name: str, functions: list[Function]) -> Read:
    """A class that was compared, by the functions that it defines."""
    reads = [_read_of(function) for function in functions]
    first = reads[0] if reads else Read(name, "", HOST_VERSION, HOST_RELEASE, 0)
    return replace(first, name=name, codes=sum(each.codes for each in reads))


class _Comparison:
    """Pairs of code objects, from the outermost inwards."""

    def __init__(self) -> None:
        self.codes: list[CodeDifference] = []
        self.removed: list[str] = []
        self.added: list[str] = []
        self.harmless: set[str] = set()
        self.unknown: list[str] = []

    def run(self, left: Code, right: Code) -> None:
        """Compare two code objects and what is nested in them."""
        pending = [(left, right)]
        while pending:
            one, other = pending.pop()
            self._compare(one, other)
            pending.extend(reversed(list(self._pairs(one, other))))

    def run_live(
        self, left: Function, right: Function, state: tuple[Values, Values] = ({}, {})
    ) -> None:
        """Compare two functions: code, defaults, cells, and what is bound to them."""
        self.run(left.code, right.code)
        facts = (
            *_differing(*state, self.unknown),
            *_live_facts(left, right, self.unknown),
        )
        if facts:
            self.add_facts(left.code, right.code, facts)

    def take(self, other: _Comparison, name: str) -> None:
        """Add what was found of another pair."""
        self.codes += other.codes
        self.removed += other.removed
        self.added += other.added
        self.harmless |= other.harmless
        self.unknown += [f"{name}: {each}" for each in other.unknown]

    def answer(self, left: Read, right: Read) -> Difference:
        """Everything that was found."""
        return Difference(
            left=left,
            right=right,
            codes=tuple(self.codes),
            removed=tuple(self.removed),
            added=tuple(self.added),
            harmless=tuple(each for each in HARMLESS if each in self.harmless),
            unknown=tuple(self.unknown),
        )

    def add_facts(self, left: Code, right: Code, facts: tuple[Fact, ...]) -> None:
        """Add facts about the outermost pair."""
        if self.codes and self.codes[0].left == left.qualname:
            known = self.codes.pop(0)
            facts, rows = (*known.facts, *facts), known.rows
        else:
            rows = ()
        self.codes.insert(0, CodeDifference(left.qualname, right.qualname, facts, rows))

    def _compare(self, left: Code, right: Code) -> None:
        one, other = _written(left), _written(right)
        forms = one.canonical, other.canonical
        if (
            forms[0].rows == forms[1].rows
            and forms[0].targets == forms[1].targets
            and forms[0].guards == forms[1].guards
            and forms[0].head == forms[1].head
        ):
            self.harmless.update(_harmless(left, right))
            return
        alignment = Alignment(one, other)
        rows = alignment.shown()
        facts = tuple(_facts(one, other, alignment))
        if rows or facts:
            self.codes.append(CodeDifference(left.qualname, right.qualname, facts, rows))
        else:
            self.harmless.update(_harmless(left, right))

    def _pairs(self, left: Code, right: Code) -> Iterator[tuple[Code, Code]]:
        """Nested code of one name, in order; where one side has more of it, the most alike."""
        groups = _by_name(left), _by_name(right)
        for name in dict.fromkeys([*groups[0], *groups[1]]):
            ones, others = groups[0].get(name, []), groups[1].get(name, [])
            if len(ones) == len(others):
                yield from zip(ones, others, strict=True)
                continue
            texts = tuple(map(_text, ones)), tuple(map(_text, others))
            for _, i1, i2, j1, j2 in aligned(*texts):
                yield from zip(ones[i1:i2], others[j1:j2], strict=False)
                common = min(i2 - i1, j2 - j1)
                self.removed += _alone(ones, texts[0], i1 + common, i2, texts[1])
                self.added += _alone(others, texts[1], j1 + common, j2, texts[0])


def _alone(
    codes: list[Code], texts: tuple[str, ...], start: int, stop: int, others: tuple[str, ...]
) -> list[str]:
    """Names of the code objects that have no like on the other side.

    The compiler makes one code object of two equal lambdas on one line.
    """
    return [codes[at].qualname for at in range(start, stop) if texts[at] not in others]


def _by_name(code: Code) -> dict[str, list[Code]]:
    found: dict[str, list[Code]] = defaultdict(list)
    for const in code.consts:
        if isinstance(const, Code):
            found[const.name].append(const)
    return found


def _written(code: Code) -> Written:
    return Written(code, canonical_of(code, lambda inner: f"code {inner.name!a}"))


def _text(code: Code) -> str:
    return canonical_of(code, _text).text


def _exchanged(what: str, ours: Iterable[object], theirs: Iterable[object]) -> Iterator[Fact]:
    gone = ", ".join(str(each) for each in ours if each not in theirs)
    come = ", ".join(str(each) for each in theirs if each not in ours)
    if gone or come:
        yield Fact(what, gone, come)


def _facts(left: Written, right: Written, alignment: Alignment) -> Iterator[Fact]:
    """Parameters, flags, constants, names and protected regions that differ."""
    one, other = left.canonical, right.canonical
    if one.head[0] != other.head[0]:
        yield Fact("parameters", _parameters(left.code), _parameters(right.code))
    if one.head[1] != other.head[1]:
        flags = Flags(left.code.flags), Flags(right.code.flags)
        yield Fact("flags", _without(flags[0], flags[1]), _without(flags[1], flags[0]))
    yield from _exchanged("constants", one.constants, other.constants)
    yield from _exchanged("names", one.names, other.names)
    if left.code.freevars != right.code.freevars:
        yield Fact("free variables", *(", ".join(w.code.freevars) for w in (left, right)))
    if not alignment.same_guards:
        yield Fact("protected regions", *(_guards(each) for each in (left, right)))


def _without(flags: Flags, others: Flags) -> str:
    return ", ".join(name for name in flags.names if name not in others.names)


def _guards(written: Written) -> str:
    return ", ".join(
        f"{written.block(g.start)} to {written.block(g.stop - 1)} by {written.block(g.target)}"
        for g in written.canonical.guards
    )


def _parameters(code: Code) -> str:
    """The parameters as in a signature, without defaults."""
    names = list(code.varnames)
    shown = names[: code.argcount]
    if code.posonlyargcount:
        shown.insert(code.posonlyargcount, "/")
    at = code.argcount + code.kwonlyargcount
    keyword = names[code.argcount : at]
    if code.flags & 0x4:
        shown.append(f"*{names[at] if at < len(names) else ''}")
        at += 1
    elif keyword:
        shown.append("*")
    shown += keyword
    if code.flags & 0x8:
        shown.append(f"**{names[at] if at < len(names) else ''}")
    return f"({', '.join(shown)})"


def _harmless(left: Code, right: Code) -> Iterator[str]:
    """What differs between two code objects that do the same."""
    if left.firstlineno != right.firstlineno or left.linetable != right.linetable:
        yield "lines"
    if left.filename != right.filename:
        yield "file name"
    if _doc(left) != _doc(right):
        yield "docstrings"
    if left.varnames != right.varnames:
        yield "local names"
    if left.qualname != right.qualname:
        yield "qualified names"
    if left.version == right.version:
        yield from _in_bytes(left, right)


def _in_bytes(left: Code, right: Code) -> Iterator[str]:
    if len(left.code) != len(right.code):
        yield "layout"
    elif _raw(left) != _raw(right) and _doc(left) == _doc(right):
        yield "bytes"


def _raw(code: Code) -> tuple[object, ...]:
    """What is stored and shows in no behaviour: the order of constants and names, spare stack."""
    return (code.code, code.names, len(code.consts), code.stacksize, code.exceptiontable)


def _doc(code: Code) -> object:
    index = docstring_of(code)
    return None if index is None else code.consts[index]


def _live_facts(left: Function, right: Function, unknown: list[str]) -> Iterator[Fact]:
    """Defaults and cells of live functions that differ."""
    one, other = left.object, right.object
    if type(one) is not FunctionType or type(other) is not FunctionType or one is other:
        return
    yield from _differing(dict(_held(one)), dict(_held(other)), unknown)


def _differing(ours: Values, theirs: Values, unknown: list[str]) -> Iterator[Fact]:
    """Values of one name that differ by their content."""
    for what in dict.fromkeys([*ours, *theirs]):
        values = ours.get(what, MISSING), theirs.get(what, MISSING)
        if values[0] is values[1]:
            continue
        if MISSING in map(_is_missing, values):
            yield Fact(what, *("" if v is MISSING else text_of(v) for v in values))
            continue
        digests = [digest_of(value) for value in values]
        if digests[0][0] != digests[1][0]:
            yield Fact(what, *map(text_of, values))
        elif not all(complete for _, complete in digests):
            unknown.append(what)


def _state(target: Target) -> Values:
    """What the steps from a live target to its function hold: `__self__`, a partial's arguments."""
    if not target.live or target.carries_code:
        return {}
    return {held.name: held.object for held in held_by_target(target.thing)}


# Names in a class's dictionary that say nothing of what it does, or are compared otherwise.
_ABOUT = frozenset(
    (
        "__module__",
        "__qualname__",
        "__doc__",
        "__dict__",
        "__weakref__",
        "__firstlineno__",
        "__static_attributes__",
    )
)


def _values_in(cls: type) -> Iterator[tuple[str, object]]:
    """What a class holds beside its functions: its bases, and values under their names."""
    yield "bases", tuple(name_of_class(base) for base in mro_of(cls)[1:])
    for name, value in list(namespace_of(cls).items()):
        plain = type(value) in (MemberDescriptorType, GetSetDescriptorType)
        if type(name) is str and name not in _ABOUT and not plain and not leads_to_python(value):
            yield f"attribute {name}", value


def _is_missing(value: object) -> object:
    return MISSING if value is MISSING else None


def _held(function: FunctionType) -> Iterator[tuple[str, object]]:
    co = function.__code__
    values = exact_tuple(function.__defaults__)
    names = co.co_varnames[: co.co_argcount][-len(values) :] if values else ()
    for name, value in zip(names, values, strict=False):
        yield f"default of {name}", value
    kwdefaults = {} if function.__kwdefaults__ is None else function.__kwdefaults__
    for name, value in list(dict.items(kwdefaults)):
        yield f"default of {name}", value
    for name, value in zip(co.co_freevars, contents_of(function), strict=False):
        yield f"cell {name}", value
