"""The canonical form of a code object: what it does, apart from how it was written.

docs/internals/fingerprints.md describes it. A change here changes fingerprints: raise `SCHEME`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from coscope.codec import decode_regions
from coscope.facts.fingerprints.literals import Nested, atom_key, constant_key, digest
from coscope.model import FAST_CELL, FAST_FREE, Code, Constant, Opaque
from coscope.opcodes import Opcode, table
from coscope.readers.docstrings import docstring_of

SCHEME = 2  # version of the canonical form and of everything that is put into a fingerprint

# Code that names one of these can see its own local names, or pass on its flags.
REVEALING = frozenset(
    ("locals", "vars", "eval", "exec", "compile", "dir", "_getframe", "currentframe")
)

_NESTED, _NOFREE, _HAS_DOCSTRING, _METHOD = 0x10, 0x40, 0x4000000, 0x8000000
_FUTURE = 0x1FE0000
_NEWLOCALS = 0x2


class Guard(NamedTuple):
    """A protected region, in rows."""

    start: int  # row, inclusive
    stop: int  # row, exclusive
    target: int  # row
    depth: int  # stack slots kept
    keeps_lasti: bool


@dataclass(frozen=True, slots=True)
class Canonical:
    """One code object, in rows: the nested ones are texts in it."""

    head: tuple[str, ...]  # parameters, flags, docstring if it counts
    rows: tuple[str, ...]  # "LOAD_GLOBAL 'x' 1"; of a jump without its target
    targets: dict[int, int]  # row of a jump -> row that it leads to
    guards: tuple[Guard, ...]
    sources: tuple[int, ...]  # of each row, the index of its instruction
    constants: tuple[str, ...]  # in order of the first use, without code
    names: tuple[str, ...]  # in order of the first use: globals, attributes, imports, cells

    @property
    def text(self) -> str:
        """Everything, one line for each row."""
        lines = list(self.rows)
        for row, target in self.targets.items():
            lines[row] = f"{lines[row]} to {target}"
        guards = [
            f"guard {g.start} {g.stop} to {g.target} {g.depth} {g.keeps_lasti}" for g in self.guards
        ]
        return "\n".join([*self.head, *lines, *guards])


# Sorts of instructions.
_FIXED, _SKIP, _CONST, _NAME, _LOCAL, _PAIR, _CELL, _JUMP, _RETURN, _NUMBER, _BARE, _COMMON = range(
    12
)


class _Plan(NamedTuple):
    """How to write the instructions of one version."""

    sorts: bytes  # by opcode
    names: tuple[str, ...]  # by opcode
    flags: tuple[int, ...]  # mask of the flag bits below a name's index
    pairs: tuple[tuple[str, str], ...]
    literals: dict[int, str]  # constants that all code shares, by oparg
    fixed: dict[tuple[int, int], str]  # of opcode and oparg, filled as they are met


def _flags(row: Opcode | None) -> int:
    """The bits of an oparg below the index of a name."""
    return 0 if row is None else (1 << int(row.operand.partition(">>")[2] or 0)) - 1


def _pair(row: Opcode | None) -> tuple[str, str]:
    """What an opcode for two locals does with each, as two opcodes would be called."""
    if row is None or row.operand != "local pair":
        return "", ""
    return _LOCALS[row.access[0]], _LOCALS[row.access[1]]


@cache
def _plan(version: str) -> _Plan:
    rows = table(version).by_code
    return _Plan(
        bytes(_sort(row) for row in rows),
        tuple(f"<{number}>" if row is None else _name(row) for number, row in enumerate(rows)),
        tuple(_flags(row) for row in rows),
        tuple(_pair(row) for row in rows),
        {n: str(atom_key(value)) for n, value in table(version).common_literals.items()},
        {},
    )


# Forms of one access that differ only in what the compiler could prove.
_LOCALS = {
    "read local": "LOAD_FAST",
    "write local": "STORE_FAST",
    "delete local": "DELETE_FAST",
    "save local": "LOAD_FAST_AND_CLEAR",
}
_BY_OPERAND = {
    "const": _CONST,
    "const names": _CONST,
    "small int": _NUMBER,
    "common constant": _COMMON,
    "local": _LOCAL,
    "local pair": _PAIR,
    "deref": _CELL,
    "jump": _JUMP,
    "jump source": _BARE,
    "none": _BARE,
}


_WITHOUT_EFFECT = ("NOP", "NOT_TAKEN", "EXTENDED_ARG", "CACHE")
_OPPOSITE = {"true": "false", "false": "true", "none": "not none", "not none": "none"}
_INVERTED = {
    f"POP_JUMP_IF_{one}": f"POP_JUMP_IF_{other}"
    for one, other in (
        (each.upper().replace(" ", "_"), opposite.upper().replace(" ", "_"))
        for each, opposite in _OPPOSITE.items()
    )
}


def _sort(row: Opcode | None) -> int:
    if row is None:
        return _FIXED
    if row.name in _WITHOUT_EFFECT:
        return _SKIP
    if row.operand == "const" and row.ends == "return":
        return _RETURN
    return _NAME if row.operand[:4] == "name" else _BY_OPERAND.get(row.operand, _FIXED)


def _only_jumps(row: Opcode) -> bool:
    return row.ends == "jump" and row.operand == "jump" and not row.pops and row.blocks is None


def _name(row: Opcode) -> str:
    if _only_jumps(row):
        return "JUMP"
    if row.operand == "jump" and row.tests in _OPPOSITE and row.name.startswith("POP_JUMP"):
        return f"POP_JUMP_IF_{row.tests.upper().replace(' ', '_')}"
    if row.operand == "local" and row.access:
        return _LOCALS[row.access[0]]
    return "LOAD_CONST" if row.operand == "small int" else row.name


def canonical_of(
    code: Code,
    nested: Nested,
    *,
    docstrings: bool = False,
    local_names: bool = False,
) -> Canonical:
    """Write a code object in its canonical form.

    Args:
        code: Of any version.
        nested: The text used for a code object among the constants.
        docstrings: Let docstrings count.
        local_names: Let the names of locals count, even where no name suggests that the code
            looks at them.

    Raises:
        CodeError: The bytes are not an instruction sequence of their version.
    """
    names_count = local_names or not REVEALING.isdisjoint(code.names)
    writer = _Writer(code, nested, names_count)
    writer.write(frozenset() if docstrings else frozenset(("__doc__",)))
    targets = writer.straightened(writer.resolved())
    rows = writer.rows
    head = tuple(_head(code, docstrings, names_count))
    guards = tuple(writer.guards()) if code.exceptiontable else ()
    return Canonical(
        head=head,
        rows=tuple(rows),
        targets=targets,
        guards=guards,
        sources=tuple(writer.sources),
        constants=tuple([text for text in writer.constants if not text.startswith("code ")]),
        names=tuple(writer.names),
    )


def _head(code: Code, docstrings: bool, names_count: bool) -> Iterator[str]:
    """The parameters, the flags that matter, and a function's docstring if it counts."""
    flags = code.flags & ~(_NESTED | _NOFREE | _HAS_DOCSTRING | _METHOD)
    if not names_count:
        flags &= ~_FUTURE
    variadic = bool(flags & 0x4) + bool(flags & 0x8)
    given = code.varnames[: code.argcount + code.kwonlyargcount + variadic]
    counts = f"{code.posonlyargcount} {code.argcount} {code.kwonlyargcount}"
    yield f"parameters {counts} {' '.join(map(ascii, given))}"
    yield f"flags {flags:#x}"
    if docstrings and flags & _NEWLOCALS:
        index = docstring_of(code)
        yield "docstring " + ("None" if index is None else ascii(code.consts[index]))


class _Writer:
    """The rows of one code object in the making."""

    def __init__(self, code: Code, nested: Nested, names_count: bool) -> None:
        self.code = code
        self.nested = nested
        self.names_count = names_count
        self.columns = code.instructions
        self.rows: list[str] = []
        self.sources: list[int] = []
        self.jumps: list[int] = []  # rows
        self.locals: dict[int, str] = {}  # slot -> how it is written
        self.texts: dict[int, str] = {}  # index of a constant -> its text
        self.constants: dict[str, None] = {}
        self.names: dict[str, None] = {}
        self.memo: dict[int, str] = {}

    def write(self, ignored: frozenset[str]) -> None:
        """Write every instruction; `ignored` names what a class body or module stores in vain."""
        code, columns = self.code, self.columns
        plan = _plan(code.version)
        sorts, names, fixed = plan.sorts, plan.names, plan.fixed
        rows, slots = self.rows, self.locals
        add_row, add_source = rows.append, self.sources.append
        dropped = () if code.flags & _NEWLOCALS else set(self._about_itself(ignored))
        for at, (opcode, oparg) in enumerate(zip(columns.opcodes, columns.opargs, strict=True)):
            sort = sorts[opcode]
            if sort == _SKIP or at in dropped:
                continue
            if sort == _LOCAL:
                row = f"{names[opcode]} {slots.get(oparg) or self._local(oparg)}"
            elif sort == _BARE:
                row = names[opcode]
            elif sort == _FIXED:
                row = fixed.get((opcode, oparg)) or self._fixed(at, (opcode, oparg), fixed)
            elif sort == _NAME:
                name = columns.argval(at)
                self.names[name] = None
                row = f"{names[opcode]} {name!a} {oparg & plan.flags[opcode]}"
            elif sort == _CONST:
                row = f"{names[opcode]} {self.texts.get(oparg) or self._constant(oparg)}"
            elif sort == _JUMP:
                self.jumps.append(len(rows))
                row = names[opcode]
            elif sort == _CELL:
                name = columns.argval(at)
                self.names[name] = None
                row = f"{names[opcode]} cell {name!a}"
            elif sort == _NUMBER:
                row = f"{names[opcode]} int {oparg}"
                self.constants[f"int {oparg}"] = None
            elif sort == _COMMON:
                row = self._common(at, (opcode, oparg), plan)
            else:
                add_row(self._first_of_two(oparg, sort, plan.pairs[opcode]))
                add_source(at)
                row = self._second_of_two(oparg, sort, plan.pairs[opcode])
            add_row(row)
            add_source(at)

    def _first_of_two(self, oparg: int, sort: int, pair: tuple[str, str]) -> str:
        if sort == _PAIR:
            return f"{pair[0]} {self._local(oparg >> 4)}"
        return f"LOAD_CONST {self._constant(oparg)}"

    def _second_of_two(self, oparg: int, sort: int, pair: tuple[str, str]) -> str:
        return f"{pair[1]} {self._local(oparg & 15)}" if sort == _PAIR else "RETURN_VALUE"

    def _common(self, at: int, key: tuple[int, int], plan: _Plan) -> str:
        """A literal that all code shares is written as if the code had it; a builtin by name."""
        text = plan.literals.get(key[1])
        if text is None:
            return plan.fixed.get(key) or self._fixed(at, key, plan.fixed)
        self.constants[text] = None
        return f"LOAD_CONST {text}"

    def _fixed(self, at: int, key: tuple[int, int], fixed: dict[tuple[int, int], str]) -> str:
        """An instruction whose meaning does not depend on the code around it."""
        text = self.columns.argrepr(at)
        name = _plan(self.code.version).names[key[0]]
        row = f"{name} {text}" if text else f"{name} {key[1]}"
        if len(fixed) < 10_000:
            fixed[key] = row
        return row

    def _local(self, slot: int) -> str:
        """A parameter by position, a cell by name, another local in order of the first use."""
        known = self.locals.get(slot)
        if known is None:
            known = self.locals[slot] = self._local_text(slot)
        return known

    def _local_text(self, slot: int) -> str:
        code = self.code
        names = code.localsplusnames
        if not 0 <= slot < len(names):
            return f"slot {slot}"
        kinds = code.localspluskinds
        if slot < len(kinds) and kinds[slot] & (FAST_CELL | FAST_FREE):
            return f"cell {names[slot]!a}"
        if self.names_count:
            return f"local {names[slot]!a}"
        variadic = bool(code.flags & 0x4) + bool(code.flags & 0x8)
        if slot < code.argcount + code.kwonlyargcount + variadic:
            return f"parameter {slot}"
        return f"local {len(self.locals)}"

    def _constant(self, index: int) -> str:
        known = self.texts.get(index)
        if known is None:
            if 0 <= index < len(self.code.consts):
                value = self.code.consts[index]
                if type(value) is str and value == self.code.qualname and not self._is_function():
                    value = self.code.name  # a class says where it was defined
                known = constant_key(value, self.nested, self.memo)
            else:
                known = f"<const {index}: out of range>"
            self.texts[index] = known
            self.constants[known] = None
        return known

    def _is_function(self) -> bool:
        return bool(self.code.flags & _NEWLOCALS)

    def _about_itself(self, ignored: frozenset[str]) -> Iterator[int]:
        """Instructions by which a class body or module stores facts about its own source.

        From 3.13 a class stores `__firstlineno__`, and `__static_attributes__` in an order that
        depends on the hash seed.
        """
        ignored |= {"__firstlineno__", "__static_attributes__"}
        if ignored.isdisjoint(self.code.names):
            return
        columns = self.columns
        plan = _plan(self.code.version)
        last = None
        for at, opcode in enumerate(columns.opcodes):
            if plan.sorts[opcode] == _SKIP:
                continue
            if (
                last is not None
                and plan.names[opcode] == "STORE_NAME"
                and columns.argval(at) in ignored
                and plan.names[columns.opcodes[last]] == "LOAD_CONST"
            ):
                yield last
                yield at
            last = at

    def resolved(self) -> dict[int, int]:
        """The rows to which jumps lead, other jumps on the way followed."""
        if not self.jumps:
            return {}
        columns, rows = self.columns, self.rows
        direct = {row: self._row_at(columns.jump_target(self.sources[row])) for row in self.jumps}
        found = {}
        for row, target in direct.items():
            passed = {row}
            while target in direct and rows[target] == "JUMP" and target not in passed:
                passed.add(target)
                target = direct[target]
            found[row] = target
        return found

    def straightened(self, targets: dict[int, int]) -> dict[int, int]:
        """Write a test that jumps over a jump as the opposite test, as the source may have it.

        Which of the two the compiler writes depends on lines.
        """
        rows = self.rows
        dropped = [
            row + 1
            for row in self.jumps
            if rows[row] in _INVERTED
            and rows[row + 1 : row + 2] == ["JUMP"]
            and targets[row] in (row + 2, self._beyond(row + 2, targets))
        ]
        if dropped:
            reached = set(targets.values())
            dropped = [row for row in dropped if row not in reached]
        if not dropped:
            return targets
        for row in dropped:
            rows[row - 1] = _INVERTED[rows[row - 1]]
            targets[row - 1] = targets.pop(row)
        for row in reversed(dropped):
            del rows[row], self.sources[row]
        return {
            row - bisect_left(dropped, row): target - bisect_left(dropped, target)
            for row, target in targets.items()
        }

    def _beyond(self, row: int, targets: dict[int, int]) -> int | None:
        """Where a plain jump leads; None of another row."""
        return targets.get(row) if self.rows[row : row + 1] == ["JUMP"] else None

    def _row_at(self, offset: int | None) -> int:
        """The row that begins with the instruction at a byte offset, or with the next written."""
        if offset is None:
            return len(self.rows)
        return bisect_left(self.sources, bisect_left(self.columns.offsets, offset))

    def guards(self) -> Iterator[Guard]:
        """The protected regions that hold rows; neighbours with one handler are one region."""
        found: list[Guard] = []
        for region in decode_regions(self.code.exceptiontable, name=self.code.qualname):
            start, stop = self._row_at(region.start), self._row_at(region.stop)
            target = self._row_at(region.target)
            if start < stop:
                found.append(Guard(start, stop, target, region.depth, region.keeps_lasti))
        merged: list[Guard] = []
        for guard in found:
            if merged and merged[-1].stop == guard.start and merged[-1][2:] == guard[2:]:
                merged[-1] = merged[-1]._replace(stop=guard.stop)
            else:
                merged.append(guard)
        yield from merged


class Digested(NamedTuple):
    """A code object with its canonical form and the digest of that."""

    code: Code
    canonical: Canonical
    digest: str  # of the text, which names the digests of nested code


def digested(root: Code, *, docstrings: bool = False, local_names: bool = False) -> list[Digested]:
    """The code object and every nested one with its digest; the innermost first, the root last.

    A digest covers what is nested in it. What is shared is written once.

    Raises:
        CodeError: The bytes of one are not an instruction sequence of their version.
    """
    digests: dict[int, str] = {}
    found = []
    for code in reversed(list(root.walk())):
        if id(code) in digests:
            continue
        written = canonical_of(
            code,
            lambda inner: f"code {inner.name!a} {digests[id(inner)]}",
            docstrings=docstrings,
            local_names=local_names,
        )
        digests[id(code)] = digest(written.text)
        found.append(Digested(code, written, digests[id(code)]))
    return found


def opaque_constants(root: Code) -> Iterator[tuple[Code, Opaque]]:
    """Constants that no compiler emits."""
    pending: list[tuple[Code, Constant]] = [(root, const) for const in root.consts]
    while pending:
        code, value = pending.pop()
        if isinstance(value, Opaque):
            yield code, value
        elif isinstance(value, Code):
            pending.extend([(value, const) for const in value.consts])
        elif type(value) is tuple:
            pending.extend([(code, item) for item in value])
