"""One code object with the makers of its values, and the file around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Any, TypeVar

from coscope.audits.dynamic.flows.sources import MUTATORS, SOURCE_NAMES
from coscope.audits.prefilter.glances import first_pair, is_class_body, name_of, nested_in
from coscope.audits.subject.calls import Call, Takers, calls_in, enters
from coscope.audits.subject.names import module_bindings, module_imports
from coscope.audits.subject.subject import Subject, Unit
from coscope.errors import CodeError
from coscope.flow import run
from coscope.flow.domains.makers import NOTHING, Makers, MakersDomain
from coscope.flow.dominators import find_dominators
from coscope.flow.effects import Effect
from coscope.model import Code
from coscope.opcodes import Opcode, table

Fact = TypeVar("Fact")

_GROWING = frozenset({"list", "set", "dict"})  # slots of containers that an instruction grows


class Scope:
    """One code object: what makes its values, and what calls it has.

    Attributes:
        subject: The code object.
        file: Its file.
    """

    def __init__(self, subject: Subject, file: File) -> None:
        self.subject = subject
        self.file = file
        self.code = subject.code
        self.meanings: dict[int, frozenset[str]] = {}  # of makers, filled by `meaning.py`
        self.rows = table(self.code.version).by_code
        self._facts: dict[object, Any] = {}

    def fact(self, make: Callable[[Scope], Fact]) -> Fact:
        """What `make(scope)` gives, computed once."""
        if make not in self._facts:
            self._facts[make] = make(self)
        found: Fact = self._facts[make]
        return found

    @cached_property
    def takers(self) -> Takers:
        """By instruction: its effect, and the makers of what it takes; {} if flow is not known."""
        if self.subject.graph is None:
            return {}
        domain = MakersDomain(self.code, _written_inside(self.code))
        try:
            run(self.subject.graph, domain)
        except CodeError:
            return {}
        return domain.takers

    @cached_property
    def calls(self) -> dict[int, Call]:
        """Its calls by instruction."""
        return {call.index: call for call in calls_in(self.code, self.takers)}

    @cached_property
    def dominators(self) -> tuple[int | None, ...]:
        """The immediate dominator of each block."""
        assert self.subject.graph is not None
        return find_dominators(self.subject.graph)

    def row(self, index: int) -> Opcode | None:
        """The table's row of an instruction."""
        return self.rows[self.code.instructions.opcodes[index]]

    def name(self, index: int) -> str:
        """The name that an instruction uses."""
        value = self.code.instructions.argval(index)
        return str(value[0] if isinstance(value, tuple) else value)

    def access(self, index: int) -> str:
        """How an instruction uses its name: a word of the tables, or ""."""
        row = self.row(index)
        return row.access[-1] if row is not None and row.access else ""

    def is_constant(self, index: int) -> bool:
        """True if an instruction loads a constant."""
        return self.code.instructions.opcodes[index] in self.subject.rules.constants

    def behind(self, makers: Makers) -> Makers:
        """The makers of a value, where it is only copied from another variable those of that."""
        if not any(maker >= 0 and self.row_access(maker)[:5] == "write" for maker in makers):
            return makers
        found: set[int] = set()
        pending, seen = set(makers), set()
        while pending:
            maker = pending.pop()
            copied = maker >= 0 and self.row_access(maker)[:5] == "write" and maker in self.takers
            if copied and maker not in seen:
                seen.add(maker)
                pending |= self.takers[maker][1][-1]
            elif not copied:
                found.add(maker)
        return frozenset(found)

    def row_access(self, index: int) -> str:
        """How an instruction first uses its name: a word of the tables, or ""."""
        row = self.row(index)
        return row.access[0] if row is not None and row.access else ""

    def constant(self, makers: Makers) -> object:
        """The constant that a value is; the class `Scope` if it is not one."""
        makers = self.behind(makers)
        if len(makers) == 1:
            (index,) = makers
            if index >= 0 and self.is_constant(index):
                return self.code.instructions.argval(index)
        return Scope

    def made_code(self, index: int) -> Code | None:
        """The code object of a function that an instruction makes."""
        row = self.row(index)
        while row is not None and row.name == "SET_FUNCTION_ATTRIBUTE":
            taken = self.takers.get(index)
            made_by = () if taken is None else taken[0].operand(taken[1], "func")
            held = [at for group in made_by for at in group]
            if len(held) != 1 or held[0] < 0:
                return None
            index = held[0]
            row = self.row(index)
        if row is None or row.name != "MAKE_FUNCTION" or index not in self.takers:
            return None
        for makers in self.takers[index][1]:
            value = self.constant(makers)
            if isinstance(value, Code):
                return value
        return None

    def owner(self, index: int) -> Makers:
        """The makers of that whose attribute an instruction reads."""
        taken = self.takers.get(index)
        if taken is None:
            return NOTHING
        return taken[1][-1] if self.row_name(index).startswith("LOAD_SUPER") else taken[1][0]

    def row_name(self, index: int) -> str:
        """The name of an instruction's opcode."""
        row = self.row(index)
        return "" if row is None else row.name

    def entered(self, index: int) -> int | None:
        """The instruction that a `with` statement's call of `__enter__` belongs to."""
        row = self.row(index)
        if row is None or row.shows != "{call}" or index not in self.takers:
            return None
        return enters(self.code, self.subject.rules, index, self.takers)

    @cached_property
    def results(self) -> list[tuple[int, Makers]]:
        """What it returns or yields, and where."""
        found: list[tuple[int, Makers]] = []
        for index in range(len(self.code.instructions)):
            name = self.row_name(index)
            if name in ("RETURN_VALUE", "YIELD_VALUE") and index in self.takers:
                found.append((index, self.takers[index][1][-1]))
            elif name == "RETURN_CONST":
                found.append((index, frozenset([index])))
        return found

    @cached_property
    def growth(self) -> dict[int, list[tuple[int, Makers]]]:
        """By the maker of a container or an object: what is put into it, and where."""
        found: dict[int, list[tuple[int, Makers]]] = {}
        for index, (effect, operands) in self.takers.items():
            for holders, values in self._puts(index, effect, operands):
                for holder in self.behind(holders):
                    held = found.setdefault(holder, [])
                    held += [(index, value) for value in values]
        return found

    def _puts(
        self, index: int, effect: Effect, operands: tuple[Makers, ...]
    ) -> Iterator[tuple[Makers, list[Makers]]]:
        name = effect.row.name
        if name in ("STORE_SUBSCR", "STORE_SLICE", "STORE_ATTR"):
            yield operands[1], [operands[0]]
        elif index in self.calls:
            call = self.calls[index]
            for at in call.callee:
                if at >= 0 and self.access(at) == "read attribute" and self.name(at) in MUTATORS:
                    given = [*call.positional, *(value for _, value in call.keywords)]
                    yield self.owner(at), given
        else:
            for slot, start, count in effect.pops:
                if slot in _GROWING and count == 1 and start < len(operands) - 1:
                    last = 2 if name == "MAP_ADD" else 1  # between there may be iterators
                    yield operands[start], list(operands[-last:])

    def parameters(self) -> dict[str, int]:
        """The names of the parameters, those with asterisks too, and their slots."""
        code = self.code
        count = code.argcount + code.kwonlyargcount
        count += bool(code.flags & 0x4) + bool(code.flags & 0x8)
        return {name: slot for slot, name in enumerate(code.localsplusnames[:count])}

    def is_method(self) -> bool:
        """True for a function that is made in the body of a class."""
        parent = self.subject.parent
        return parent is not None and parent.kind == "class body" and bool(self.code.argcount)

    def stores(self, name: str, *accesses: str) -> list[tuple[int, Makers]]:
        """What instructions assign to a name, by those that do."""
        held = self._stores.get(name, ())
        return [(index, makers) for access, index, makers in held if access in accesses]

    @cached_property
    def _stores(self) -> dict[str, list[tuple[str, int, Makers]]]:
        """By name: how it is assigned, by which instruction, and what."""
        found: dict[str, list[tuple[str, int, Makers]]] = {}
        for index, (effect, operands) in self.takers.items():
            access = effect.row.access
            if not access or not access[0].startswith("write"):
                continue
            value = self.code.instructions.argval(index)
            names = value if isinstance(value, tuple) else (value,)
            stored = len(operands)
            for each, verb in zip(names, access, strict=False):
                stored -= 1
                if verb.startswith("write") and stored >= 0:
                    found.setdefault(str(each), []).append((verb, index, operands[stored]))
        return found


class File:
    """The code objects of one file, and what they know of one another."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.imports = module_imports(unit)
        self.bindings = module_bindings(unit)
        self._scopes: dict[int, Scope] = {}
        self._kept: list[Code] = []  # so that no id() is used again
        self._stores: dict[str, list[tuple[Scope, int, Makers]]] = {}
        self._attributes: dict[tuple[int, str, bool], list[tuple[Scope, int, Makers]]] = {}

    def scope_of(self, code: Code) -> Scope:
        """The scope of a code object."""
        found = self._scopes.get(id(code))
        if found is None:
            found = self._scopes[id(code)] = Scope(Subject(code, self.unit), self)
            self._kept.append(code)
        return found

    def scope_of_subject(self, subject: Subject) -> Scope:
        """The scope of a subject that is there already."""
        found = self._scopes.get(id(subject.code))
        if found is None:
            found = self._scopes[id(subject.code)] = Scope(subject, self)
            self._kept.append(subject.code)
        return found

    @cached_property
    def codes(self) -> tuple[Code, ...]:
        """Every code object of the file."""
        return self.unit.codes

    @cached_property
    def module(self) -> Scope | None:
        """The module's own code."""
        return None if self.unit.code is None else self.scope_of(self.unit.code)

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names that the module binds by one `def` or `class` statement and in no other way."""
        surface = self.unit.given
        inside = () if surface is None else nested_in(surface)
        return frozenset(name for name in map(name_of, inside) if self.bindings.get(name) == 1)

    @cached_property
    def classes(self) -> frozenset[str]:
        """The names of the class statements at the module's top level."""
        surface = self.unit.given
        inside = () if surface is None else nested_in(surface)
        return frozenset(name_of(each) for each in inside if is_class_body(each))

    @cached_property
    def _global_writers(self) -> dict[str, list[Code]]:
        """By global: the functions that assign it."""
        found: dict[str, list[Code]] = {}
        for code in self.codes:
            store = table(code.version).opcodes["STORE_GLOBAL"].code
            if store in code.code[::2] and code.kind not in ("module", "class body"):
                for name in code.names:
                    found.setdefault(name, []).append(code)
        return found

    def imported(self, name: str) -> str | None:
        """What a global name means, if imports alone bind it."""
        return self.imports.get(name)

    def stored(self, name: str) -> list[tuple[Scope, int, Makers]]:
        """What is assigned to a global anywhere in the file."""
        if name not in self._stores:
            self._stores[name] = list(self._assigned(name))
        return self._stores[name]

    def _assigned(self, name: str) -> Iterator[tuple[Scope, int, Makers]]:
        if self.module is not None and name in self.bindings:
            for index, makers in self.module.stores(name, "write name", "write global"):
                yield self.module, index, makers
        for code in self._global_writers.get(name, ()):
            scope = self.scope_of(code)
            for index, makers in scope.stores(name, "write global"):
                yield scope, index, makers

    def class_of(self, code: Code) -> Code | None:
        """The class body around a method, or around a function inside of one."""
        parents = self.unit.parents
        outer = parents.get(id(code))
        while outer is not None and outer.kind != "class body":
            outer = parents.get(id(outer))
        return outer

    def attribute_stores(
        self, body: Code, name: str, grown: bool = True
    ) -> list[tuple[Scope, int, Makers]]:
        """What the methods of a class put into an attribute of `self`, and the class body.

        Args:
            body: Of the class.
            name: Of the attribute.
            grown: With what is put into the container that the attribute holds.
        """
        key = id(body), name, grown
        if key in self._attributes:
            return self._attributes[key]
        found: list[tuple[Scope, int, Makers]] = []
        pending = [each for each in body.consts if isinstance(each, Code)]
        if name in body.names and not any(each.name == name for each in pending):
            inside = self.scope_of(body)
            found += [(inside, at, makers) for at, makers in inside.stores(name, "write name")]
        while pending:
            code = pending.pop()
            if code.kind != "class body":
                pending += [each for each in code.consts if isinstance(each, Code)]
            if name in code.names and (_stores_attribute(code, name) or (grown and _grows(code))):
                found += self._attribute_puts(self.scope_of(code), name, grown)
        self._attributes[key] = found
        return found

    def _attribute_puts(
        self, scope: Scope, name: str, grown: bool
    ) -> Iterator[tuple[Scope, int, Makers]]:
        """Assignments to `self.name`, and what is put into the container that it holds."""
        for index, (effect, operands) in scope.takers.items():
            if effect.row.name == "STORE_ATTR" and scope.name(index) == name:
                yield scope, index, operands[0]
        for holder, puts in scope.growth.items() if grown else ():
            read = holder >= 0 and scope.access(holder) == "read attribute"
            if read and scope.name(holder) == name:
                yield from ((scope, index, makers) for index, makers in puts)

    def calls_of(
        self, code: Code, most: int, *, everywhere: bool
    ) -> tuple[list[tuple[Scope, Call]], bool]:
        """The calls of a function by its name, and True if the name is used in no other way.

        Args:
            code: Of the function.
            most: Calls that are looked at.
            everywhere: Also in code that has no name of a source.
        """
        name = code.name
        found: list[tuple[Scope, Call]] = []
        closed = True
        for other in self.codes:
            if name not in other.names:
                continue
            if not everywhere and SOURCE_NAMES.isdisjoint(other.names):
                continue
            scope = self.scope_of(other)
            callees: set[int] = set()
            for call in scope.calls.values():
                if call.path is not None and call.path.rpartition(".")[2] == name:
                    callees |= call.callee
                    found.append((scope, call))
            closed = closed and not self._other_uses(scope, name, callees)
            if len(found) > most:
                return found[:most], False
        return found, closed

    def _other_uses(self, scope: Scope, name: str, callees: set[int]) -> bool:
        """True if a name is read, but not as what is called."""
        at = scope.code.names.index(name)
        columns = scope.code.instructions
        return any(
            index not in callees
            and scope.access(index).startswith("read")
            and scope.name(index) == name
            for index, opcode in enumerate(columns.opcodes)
            if opcode in _named(scope.code.version) and columns.opargs[index] >> 2 <= at
        )


@cache
def _named(version: str) -> frozenset[int]:
    """The opcodes that read a name or an attribute."""
    rows = table(version).by_code
    return frozenset(
        row.code
        for row in rows
        if row and row.access and row.access[0].startswith("read") and row.operand[:4] == "name"
    )


def file_of(unit: Unit) -> File:
    """The file of a unit, made once: `unit.fact(file_of)`."""
    return File(unit)


def _stores_attribute(code: Code, name: str) -> bool:
    """True if an instruction may assign to an attribute of this name."""
    store = table(code.version).opcodes["STORE_ATTR"].code
    low = code.names.index(name) & 0xFF
    return first_pair(code.code, store, low) >= 0


def _grows(code: Code) -> bool:
    """True if an instruction may put something into a container."""
    store = table(code.version).opcodes["STORE_SUBSCR"].code
    return not MUTATORS.isdisjoint(code.names) or store in code.code[::2]


def _written_inside(code: Code) -> set[str]:
    """The cell variables that nested code assigns."""
    wanted = set(code.cellvars)
    if not wanted:
        return wanted
    found: set[str] = set()
    store = table(code.version).opcodes["STORE_DEREF"].code
    for inner in code.walk():
        if inner is code or wanted.isdisjoint(inner.freevars):
            continue
        columns = inner.instructions
        for index, opcode in enumerate(columns.opcodes):
            if opcode == store:
                found.add(str(columns.argval(index)))
    return wanted & found
