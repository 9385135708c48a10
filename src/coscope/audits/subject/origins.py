"""Where a value comes from, inside of one function: constants, parameters, globals, calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coscope.audits.subject.calls import enters
from coscope.audits.subject.subject import Subject
from coscope.flow.domains.makers import Maker
from coscope.flow.domains.origin import Origins
from coscope.opcodes import Opcode

_MOST = 64  # instructions that one value is followed through

# What is made of its operands alone, so that it is as constant as they are.
_BUILT = frozenset(
    (
        *("BINARY_OP", "BINARY_ADD", "BINARY_MODULO", "BINARY_MULTIPLY", "INPLACE_ADD"),
        *("BINARY_SUBSCR", "BINARY_SLICE", "UNARY_NEGATIVE"),
        *("BUILD_STRING", "BUILD_TUPLE", "BUILD_LIST", "BUILD_SLICE"),
        *("LIST_EXTEND", "LIST_TO_TUPLE"),
        *("FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC", "CONVERT_VALUE"),
    )
)


_TEXTS = (str, bytes, tuple)


@dataclass(frozen=True, slots=True)
class Origin:
    """One place from which a value, or a part of it, comes."""

    kind: str  # "constant", "parameter", "global", "cell", "call", "attribute", "context", "other"
    text: str  # "the parameter source", "the result of f(x)"
    index: int | None = None  # of the instruction; None for a parameter


def sources_of(subject: Subject, made_by: Origins) -> tuple[Origin, ...]:
    """The places from which a value comes, in code order, each once.

    Locals are followed to everything that the function assigns to them, strings and tuples to
    their parts. "context" is what `with` gives for `as`.
    """
    walk = _Walk(subject)
    walk.follow(made_by)
    found = dict.fromkeys(walk.found)
    return tuple(sorted(found, key=lambda each: -1 if each.index is None else each.index))


class _Walk:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.found: list[Origin] = []
        self.seen: set[tuple[int, int]] = set()
        self.names: set[tuple[str, int]] = set()

    def follow(self, made_by: Origins) -> None:
        """Add what the makers of a value made it of."""
        for index in sorted(made_by):
            if index < 0 or len(self.seen) >= _MOST:
                self.found.append(Origin("other", "more than can be followed"))
            elif (index, getattr(index, "slot", 0)) not in self.seen:
                self.seen.add((index, getattr(index, "slot", 0)))
                self._instruction(index)

    def _instruction(self, index: int) -> None:
        subject = self.subject
        row = subject.rules.by_code[subject.instructions.opcodes[index]]
        if row is None:
            return
        access = row.access or ("",)
        if row.code in subject.rules.constants:
            self.found.append(Origin("constant", subject.instructions.argrepr(index), index))
        elif access[-1] == "read local":
            for name in self._locals(index, row):
                self._local(name, index)
        elif access[0] in _KINDS:
            kind = _KINDS[access[0]]
            self.found.append(Origin(kind, f"the {kind} {self._text(index)}", index))
        elif row.name in _BUILT and index in subject.takers:
            for operand in self._parts(index, row, subject.takers[index][1]):
                self.follow(operand)
        elif row.shows == "{call}":
            self._call(index)
        else:
            self._other(index, row)

    def _other(self, index: int, row: Opcode) -> None:
        text = self._text(index)
        if row.name in ("SETUP_WITH", "BEFORE_WITH"):
            self.found.append(Origin("context", f"what {text} gives", index))
        else:
            self.found.append(Origin("other", text, index))

    def _call(self, index: int) -> None:
        subject = self.subject
        entered = enters(subject.code, subject.rules, index, subject.takers)
        if entered is None:
            self.found.append(Origin("call", f"the result of {self._text(index)}", index))
        else:
            self.found.append(Origin("context", f"what {self._text(index)} gives", entered))

    def _parts(self, index: int, row: Opcode, operands: tuple[Origins, ...]) -> tuple[Origins, ...]:
        """The operands that the result is made of: no index of an item, no count of a product."""
        operation = self.subject.instructions.argrepr(index)
        if row.name in ("BINARY_SUBSCR", "BINARY_SLICE") or operation == "[]":
            return operands[:1]
        if row.name == "BINARY_MULTIPLY" or operation in ("*", "*="):
            return tuple(each for each in operands if self._is_text(each))[:1] or operands
        return operands

    def _is_text(self, made_by: Origins) -> bool:
        """True if it is a text or sequence that the source has."""
        columns = self.subject.instructions
        constants = self.subject.rules.constants
        made = [at for at in made_by if at >= 0]
        return bool(made) and all(
            columns.opcodes[at] in constants and type(columns.argval(at)) in _TEXTS for at in made
        )

    def _locals(self, index: int, row: Opcode) -> Iterator[str]:
        names = self.subject.instructions.argval(index)
        held = names if isinstance(names, tuple) else (names,)
        if isinstance(index, Maker) and row.operand == "local pair":
            held = held[index.slot : index.slot + 1]
        yield from (name for a, name in zip(row.access, held, strict=False) if a == "read local")

    def _local(self, name: str, index: int) -> None:
        if (name, index) in self.names:
            return
        self.names.add((name, index))
        code = self.subject.code
        count = code.argcount + code.kwonlyargcount
        count += bool(code.flags & 0x4) + bool(code.flags & 0x8)
        reaching = _reaching(self.subject, name, index)
        if name in code.varnames[:count] and -1 in reaching:
            self.found.append(Origin("parameter", f"the parameter {name}"))
        for store, value in stores_of(self.subject, name):
            if store not in reaching:
                continue
            if value is None:
                self.found.append(Origin("other", f"the variable {name}", store))
            else:
                self.follow(value)

    def _text(self, index: int) -> str:
        stack = self.subject.stack(index + 1)
        return str(stack[-1]) if stack else self.subject.instructions.argrepr(index)


def _reaching(subject: Subject, name: str, index: int) -> frozenset[int]:
    """The stores to a local whose value an instruction may find; -1: that of the call itself."""
    stores = [at for at, _ in stores_of(subject, name)]
    graph = subject.graph
    if graph is None:
        return frozenset([-1, *stores])
    found: set[int] = set()
    pending = [(graph.block_of(index).index, index, True)]
    seen: set[tuple[int, bool]] = set()
    while pending:
        number, stop, whole = pending.pop()
        start = graph.blocks[number].start
        inside = [at for at in stores if start <= at < stop]
        # An exception may come before the last store, or after it.
        found.update(inside[-1:] if whole else inside)
        if inside and whole:
            continue
        if number == 0:
            found.add(-1)
        for edge in graph.arrivals[number]:
            key = edge.source, edge.kind != "exception"
            if key not in seen:
                seen.add(key)
                pending.append((edge.source, graph.blocks[edge.source].stop, key[1]))
    return frozenset(found)


_KINDS = {
    "read global": "global",
    "read name": "global",
    "read name or global": "global",
    "read name or cell": "cell",
    "read cell": "cell",
    "read attribute": "attribute",
}


def stores_of(subject: Subject, name: str) -> Iterator[tuple[int, Origins | None]]:
    """Every instruction that assigns a local, and what made the value; None if not known."""
    columns = subject.instructions
    rows = subject.rules.by_code
    for index, opcode in enumerate(columns.opcodes):
        row = rows[opcode]
        if row is None or "write local" not in row.access:
            continue
        writes = _written_locals(columns.argval(index), row)
        taken = subject.takers.get(index)
        if taken is None or name not in writes:
            continue
        # The first name of a pair takes what lies on top.
        at = len(taken[1]) - 1 - writes.index(name)
        yield index, taken[1][at] if 0 <= at < len(taken[1]) else None


def _written_locals(names: object, row: Opcode) -> list[object]:
    """The locals that an instruction assigns, from its operand: one name, or a pair of names."""
    held = names if isinstance(names, tuple) else (names,)
    return [name for name, a in zip(held, row.access, strict=False) if a == "write local"]
