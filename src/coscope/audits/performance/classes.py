"""The classes that a module defines at its top level, as far as its own code proves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from coscope.audits.subject.calls import Call, dotted
from coscope.audits.subject.names import callee_of, module_bindings, resolved
from coscope.audits.subject.subject import Subject, Unit
from coscope.errors import CodeError
from coscope.model import Code
from coscope.opcodes import table

ENUMS = frozenset(
    f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum")
)
_ABSTRACT = frozenset({"abc.ABC", "typing.Protocol"})
_NAMED_TUPLES = frozenset({"typing.NamedTuple"})


@dataclass(frozen=True, slots=True)
class ClassFact:
    """One class statement."""

    name: str
    bases: tuple[str, ...]  # dotted, through imports; "?" of one that is no name
    metaclass: str | None  # dotted; None without that keyword
    decorators: tuple[tuple[str, tuple[str, ...]], ...]  # dotted, and the keywords of its call
    body: Code

    def method(self, name: str) -> Code | None:
        """A function of its body."""
        for constant in self.body.consts:
            if isinstance(constant, Code) and constant.name == name:
                return constant
        return None

    @property
    def slots(self) -> bool:
        """True if it has `__slots__`, of its own or made by its decorator."""
        made = any("slots" in keywords for _, keywords in self.decorators)
        return made or "__slots__" in self.body.names

    @property
    def dataclass(self) -> bool:
        """True if it is decorated with `dataclasses.dataclass`."""
        return any(name == "dataclasses.dataclass" for name, _ in self.decorators)


def classes_of(unit: Unit) -> Mapping[str, ClassFact]:
    """The classes that the module binds once and never otherwise, by name."""
    return unit.fact(_classes)


def _classes(unit: Unit) -> dict[str, ClassFact]:
    if unit.code is None or table(unit.version).opcodes["LOAD_BUILD_CLASS"].code not in set(
        unit.code.code[::2]
    ):
        return {}
    subject = Subject(unit.code, unit)
    bound = unit.fact(module_bindings)
    rebound = unit.fact(_rebound)
    found = {}
    for fact in _statements(subject):
        if bound.get(fact.name) == 1 and fact.name not in rebound:
            found[fact.name] = fact
    return found


def _rebound(unit: Unit) -> frozenset[str]:
    """The globals that functions of the module assign or delete."""
    assert unit.code is not None
    found: set[str] = set()
    for code in unit.code.walk():
        rows = table(code.version).opcodes
        stores = {rows["STORE_GLOBAL"].code, rows["DELETE_GLOBAL"].code}
        if not stores.isdisjoint(code.code[::2]):
            columns = code.instructions
            found.update(
                str(columns.argval(at)) for at, op in enumerate(columns.opcodes) if op in stores
            )
    return frozenset(found)


def _statements(subject: Subject) -> Iterator[ClassFact]:
    calls = {call.index: call for call in subject.calls}
    opnames = subject.opnames
    for call in calls.values():
        if not all(at >= 0 and opnames[at] == "LOAD_BUILD_CLASS" for at in call.callee):
            continue
        fact = _class(subject, call, calls)
        if fact is not None:
            yield fact


def _class(subject: Subject, call: Call, calls: Mapping[int, Call]) -> ClassFact | None:
    if call.starred or len(call.positional) < 2 or not call.callee:
        return None
    body = _made_of(subject, min(call.positional[0]))
    name = _constant(subject, min(call.positional[1]))
    if body is None or type(name) is not str:
        return None
    bases = tuple(_dotted(subject, each) or "?" for each in call.positional[2:])
    metaclass = None
    for keyword, made_by in call.keywords:
        if keyword == "metaclass":
            metaclass = _dotted(subject, made_by) or "?"
    return ClassFact(name, bases, metaclass, tuple(_decorators(subject, call.index, calls)), body)


def _decorators(
    subject: Subject, made: int, calls: Mapping[int, Call]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is called with the class, innermost first."""
    for call in calls.values():
        if len(call.positional) == 1 and call.positional[0] == {made} and not call.keywords:
            maker = calls.get(min(call.callee)) if len(call.callee) == 1 else None
            name = callee_of(subject, maker or call)
            keywords = tuple(keyword for keyword, _ in maker.keywords) if maker else ()
            yield name or "?", keywords
            yield from _decorators(subject, call.index, calls)


# Bases that decide nothing about the attributes of instances.
_PLAIN = frozenset({"object", "abc.ABC", "typing.Generic", "typing.Protocol"})
KNOWN, UNKNOWN, OVERRIDDEN = "known", "unknown", "overridden"
FOREIGN = "{} has a base, decorator or metaclass that is not of this file"


def ruled_by(unit: Unit, fact: ClassFact, *methods: str) -> str:
    """Whether something else than `object` rules what a class does by one of its special methods.

    Args:
        unit: The file of the class.
        fact: The class.
        methods: Names such as "__getattribute__".

    Returns:
        OVERRIDDEN if the class or a base in this file has one of the methods; UNKNOWN if a base
        from another file, a decorator or a metaclass may bring one; else KNOWN.
    """
    pending, seen, found = [fact], {fact.name}, KNOWN
    while pending:
        each = pending.pop()
        if not _methods_of(each).isdisjoint(methods):
            return OVERRIDDEN
        if each.metaclass not in (None, "type", "abc.ABCMeta"):
            found = UNKNOWN
        if any(name != "dataclasses.dataclass" for name, _ in each.decorators):
            found = UNKNOWN
        for base in each.bases:
            inner = classes_of(unit).get(base)
            if inner is None and base not in _PLAIN:
                found = UNKNOWN
            elif inner is not None and base not in seen:
                seen.add(base)
                pending.append(inner)
    return found


def _methods_of(fact: ClassFact) -> frozenset[str]:
    """The names that a class body assigns, methods among them."""
    return frozenset(fact.body.names)


def _made_of(subject: Subject, index: int) -> Code | None:
    """The code of the function that an instruction makes."""
    taken = subject.takers.get(index)
    if index < 0 or taken is None:
        return None
    for made_by in taken[1]:
        for at in made_by:
            constant = _constant(subject, at)
            if isinstance(constant, Code):
                return constant
    return None


def _constant(subject: Subject, index: int) -> object:
    columns = subject.instructions
    known = index >= 0 and columns.opcodes[index] in subject.rules.constants
    return columns.argval(index) if known else None


def _dotted(subject: Subject, made_by: frozenset[int]) -> str | None:
    root, path = dotted(subject.code, made_by, subject.takers)
    return resolved(subject, path, root) or path


def _below(unit: Unit, roots: frozenset[str]) -> frozenset[str]:
    """The module's classes that have one of these among their bases, directly or not."""
    facts = classes_of(unit)
    found: set[str] = set()
    for _ in facts:
        more = {
            fact.name
            for fact in facts.values()
            if fact.name not in found and any(base in roots or base in found for base in fact.bases)
        }
        if not more:
            break
        found |= more
    return frozenset(found)


def class_names(unit: Unit) -> frozenset[str]:
    """The names of the class statements at the module's top level; told without any analysis."""
    return unit.fact(_class_names)


def _class_names(unit: Unit) -> frozenset[str]:
    consts = () if unit.code is None else unit.code.consts
    return frozenset(
        each.name for each in consts if isinstance(each, Code) and each.kind == "class body"
    )


def enums_of(unit: Unit) -> frozenset[str]:
    """The module's Enum classes."""
    return unit.fact(_enums)


def _enums(unit: Unit) -> frozenset[str]:
    return _below(unit, ENUMS) if _mentions(unit, "Enum", "Flag") else frozenset()


def abstract_of(unit: Unit) -> frozenset[str]:
    """The module's classes whose class is `abc.ABCMeta`."""
    return unit.fact(_abstracts)


def _abstracts(unit: Unit) -> frozenset[str]:
    if not _mentions(unit, "ABC", "Protocol"):
        return frozenset()
    own = {fact.name for fact in classes_of(unit).values() if fact.metaclass == "abc.ABCMeta"}
    return _below(unit, _ABSTRACT | own) | own


def with_metaclass(unit: Unit) -> Mapping[str, str]:
    """The module's classes whose class is not `type`, Enum classes apart, and why."""
    return unit.fact(_with_metaclass)


def _with_metaclass(unit: Unit) -> dict[str, str]:
    found = dict.fromkeys(abstract_of(unit), "abc.ABCMeta")
    if unit.code is not None and "metaclass" in _words(unit.code):
        for fact in classes_of(unit).values():
            if fact.metaclass not in (None, "?", "type"):
                found[fact.name] = str(fact.metaclass)
    for name in enums_of(unit):
        found.pop(name, None)
    return found


def _words(code: Code) -> frozenset[str]:
    found: set[str] = set()
    for constant in code.consts:
        if isinstance(constant, tuple):
            found.update(each for each in constant if type(each) is str)
    return frozenset(found)


def _mentions(unit: Unit, *parts: str) -> bool:
    return unit.code is not None and any(part in name for name in unit.code.names for part in parts)


@cache
def _reads_local(version: str) -> bytes:
    """By opcode: 1 if it pushes a local as the last thing."""
    rows = table(version).by_code
    return bytes(
        row is not None and bool(row.access) and row.access[-1] == "read local" for row in rows
    )


def plain_attributes(fact: ClassFact) -> frozenset[str]:
    """The names to which a class body assigns a constant, and nothing else."""
    body = fact.body
    try:
        columns = body.instructions
    except CodeError:
        return frozenset()
    rows = table(body.version)
    store = rows.opcodes["STORE_NAME"].code
    plain: dict[str, bool] = {}
    for index, opcode in enumerate(columns.opcodes):
        if opcode != store:
            continue
        constant = index > 0 and columns.opcodes[index - 1] in rows.constants
        name = str(columns.argval(index))
        plain[name] = constant and plain.get(name, True)
    dunder = {name for name in plain if name.startswith("__")}
    return frozenset(name for name, is_plain in plain.items() if is_plain) - dunder


def stored_on_self(fact: ClassFact) -> frozenset[str]:
    """The attributes that methods of a class store to their first parameter."""
    found: set[str] = set()
    for code in fact.body.consts:
        if isinstance(code, Code) and code.argcount and code.kind != "class body":
            found.update(_stored(code))
    return frozenset(found)


def _stored(code: Code) -> Iterator[str]:
    try:
        columns = code.instructions
    except CodeError:
        return
    rows = table(code.version)
    reads = _reads_local(code.version)
    store, load = rows.opcodes["STORE_ATTR"].code, rows.opcodes["LOAD_ATTR"].code
    copies = {rows.opcodes[name].code for name in ("COPY", "DUP_TOP") if name in rows.opcodes}
    opcodes = columns.opcodes
    for index in range(1, len(opcodes)):
        # `self.x = 1` loads self just before the store, `self.x += 1` copies it before the load.
        if opcodes[index] == store and reads[opcodes[index - 1]]:
            at = index - 1
        elif opcodes[index] == load and index > 1 and opcodes[index - 1] in copies:
            at = index - 2
        else:
            continue
        owner = columns.argval(at) if reads[opcodes[at]] else None
        owner = owner[-1] if isinstance(owner, tuple) else owner
        if owner == code.varnames[0]:
            yield str(columns.argval(index))


def calls_something(code: Code) -> bool:
    """True if a function calls anything; bytes of caches may make it say so in error."""
    return not _call_opcodes(code.version).isdisjoint(code.code[::2])


@cache
def _call_opcodes(version: str) -> frozenset[int]:
    rows = table(version).by_code
    return frozenset(row.code for row in rows if row is not None and row.shows == "{call}")


def class_around(subject: Subject) -> ClassFact | None:
    """The module's class in whose body a method stands."""
    parent = subject.parent
    if parent is None:
        return None
    fact = classes_of(subject.unit).get(parent.name)
    return fact if fact is not None and fact.body is parent else None
