"""What is known about code before it is decoded: by C calls over its names and bytes.

For most code objects a glance shows that no rule can find anything in them, so they are neither
copied into the model nor decoded. A glance may say yes in error, but never no.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator
from functools import cache, cached_property
from operator import attrgetter
from types import CodeType
from typing import Any, NamedTuple

from coscope.codec.operands import operands
from coscope.model import Code
from coscope.opcodes import Opcode, table
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.live_code import code_bytes

_OF_LIVE = attrgetter("co_names", "co_cellvars", "co_consts")
_OF_MODEL = attrgetter("names", "cellvars", "consts")


class Overview:
    """One file: its module's code object, live and just compiled, or of the model."""

    def __init__(self, module: CodeType | Code, version: str) -> None:
        self.module = module
        self.version = version
        self.kind: type = type(module)
        self.fields = _OF_LIVE if self.kind is CodeType else _OF_MODEL
        self.shape = _shape(version)
        self._constants: dict[int, frozenset[str]] = {}  # by the id() of a class body

    def may_loop(self, code: CodeType | Code) -> bool:
        """True if one of the code's bytes is an opcode that jumps back, or may."""
        bytecode = bytecode_of(code)
        for opcode in self.shape.back:  # noqa: SIM110 - asked of every code object, any() is slow
            if opcode in bytecode:
                return True
        return False

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that the module's own code uses."""
        return frozenset(self.fields(self.module)[0])

    @cached_property
    def roots(self) -> frozenset[str]:
        """Those and, of dotted ones, the first parts: with what it imports among them."""
        return first_parts(self.names)

    @cached_property
    def classes(self) -> frozenset[str]:
        """The names of the class statements at the module's top level."""
        return frozenset(name_of(each) for each in nested_in(self.module) if is_class_body(each))

    @cached_property
    def words(self) -> frozenset[str]:
        """The texts in tuples among the module's constants, as keywords of calls are."""
        consts = self.fields(self.module)[2]
        tuples = [each for each in consts if type(each) is tuple]
        return frozenset(word for each in tuples for word in each if type(word) is str)

    def constants_of(self, body: CodeType | Code) -> frozenset[str]:
        """The names that a class body may assign right after it has loaded a constant."""
        found = self._constants.get(id(body))
        if found is None:
            lows = _stored_constants(bytecode_of(body), self.version)
            held = enumerate(names_of(body))
            found = self._constants[id(body)] = frozenset(
                name for at, name in held if at & 0xFF in lows
            )
        return found

    def mentions(self, *parts: str) -> bool:
        """True if one of the module's names has one of these in it."""
        return any(part in name for name in self.names for part in parts)


class Glance:
    """One code object of a file.

    Attributes:
        code: Live, or of the model.
        file: Its file.
        parent: The code object around it.
        names: The names that it uses.
        consts: Its constants.
    """

    __slots__ = (
        *("bytecode", "code", "consts", "file", "names", "parent"),
        *("_inside", "_loops", "_tight", "_units"),
    )

    def __init__(
        self,
        code: CodeType | Code,
        file: Overview,
        parent: CodeType | Code | None,
        names: tuple[str, ...],
        consts: tuple[Any, ...],
    ) -> None:
        self.code = code
        self.file = file
        self.parent = parent
        self.names = names
        self.consts = consts
        self.bytecode = bytecode_of(code)
        self._units: bytes | None = None
        self._loops: list[_Loop] | None = None
        self._inside: bytes | None = None
        self._tight: bytes | None = None

    @property
    def units(self) -> bytes:
        """The first byte of each code unit: every opcode is among them."""
        if self._units is None:
            self._units = self.bytecode[::2]
        return self._units

    @property
    def loops(self) -> list[_Loop]:
        """What lies between each jump back and its target: every loop is among them."""
        if self._loops is None:
            straight = not exceptions_of(self.code)
            shape = self.file.shape
            self._loops = _loops_in(self.bytecode, self.units, shape, straight)
        return self._loops

    def inside(self, tight: bool) -> bytes:
        """The units in loops; tight: in those that may be without a call."""
        found = self._tight if tight else self._inside
        if found is None:
            units, loops = self.units, self.loops
            if len(loops) == 1 and (loops[0].tight or not tight):
                found = units[loops[0].start : loops[0].stop]
            else:
                parts = [units[each.start : each.stop] for each in loops if each.tight or not tight]
                found = b"".join(parts)
            if tight:
                self._tight = found
            else:
                self._inside = found
        return found

    def target_of(self, at: int) -> int:
        """The code unit to which the jump in a code unit leads."""
        return _target(self.bytecode, self.units, at, self.file.shape)

    def spans(self, tight: bool) -> list[tuple[int, int]]:
        """Where its loops are, in bytes; tight: those that may be without a call."""
        return [(2 * each.start, 2 * each.stop) for each in self.loops if each.tight or not tight]

    def whole(self) -> list[tuple[int, int]]:
        """Where it is as a whole, in bytes."""
        return [(0, len(self.bytecode))]

    def names_a_class(self, tight: bool = False) -> bool:
        """True if a loop looks up a name of a class statement at the module's top level."""
        classes = self.file.classes
        if classes.isdisjoint(self.names):
            return False
        return uses(self, lookups(self.file.version), classes, self.spans(tight))

    def defaults(self) -> frozenset[str]:
        """The names to which the class body around it may assign a constant."""
        if self.parent is None or not self.is_method():
            return frozenset()
        return self.file.constants_of(self.parent)

    def is_method(self) -> bool:
        """True if it is made in the body of a class and has a first parameter."""
        if self.parent is None or first_parameter_of(self.code) is None:
            return False
        return is_class_body(self.parent)


def uses(
    seen: Glance,
    opnames: Iterable[str],
    names: Container[str],
    spans: Iterable[tuple[int, int]],
    *,
    plain: bool = False,
) -> bool:
    """True if an instruction with one of these opcodes may use one of these names.

    Args:
        seen: The code.
        opnames: Of opcodes whose operand is a name.
        names: Those that are looked for.
        spans: Where, in bytes.
        plain: Only with all flag bits in the oparg zero: LOAD_ATTR that is not a method's.
    """
    rows = table(seen.file.version).opcodes
    wanted = [(rows[name].code, _flag_bits(rows[name])) for name in opnames if name in rows]
    pairs = [
        bytes((opcode, (index << bits & 0xFF) + flags))  # of a long oparg the low byte
        for index, name in enumerate(seen.names)
        if name in names
        for opcode, bits in wanted
        for flags in range(1 if plain else 1 << bits)
    ]
    return holds_bytes(seen, pairs, spans)


def holds_bytes(seen: Glance, pairs: Collection[bytes], spans: Iterable[tuple[int, int]]) -> bool:
    """True if opcode and low byte of the oparg of some instruction may be one of these pairs."""
    bytecode = seen.bytecode
    return any(bytecode.find(pair, *span) >= 0 for span in spans for pair in pairs)


def follow(seen: Glance, opnames: tuple[str, ...], tight: bool) -> bool:
    """True if instructions with these opcodes follow one another in a loop."""
    pattern = _row_of(seen.file.version, opnames)
    return any(
        pattern.search(seen.units, loop.start, loop.stop) is not None
        for loop in seen.loops
        if loop.tight or not tight
    )


@cache
def _row_of(version: str, opnames: tuple[str, ...]) -> re.Pattern[bytes]:
    rows = table(version).opcodes
    if any(name not in rows for name in opnames):
        return re.compile(b"(?!)")
    each = (re.escape(bytes([rows[name].code])) + b"." * rows[name].caches for name in opnames)
    return re.compile(b"".join(each), re.DOTALL)


def _stored_constants(bytecode: bytes, version: str) -> set[int]:
    """The low bytes of the opargs of STORE_NAME where a constant is loaded just before it."""
    rules = table(version)
    store = rules.opcodes["STORE_NAME"].code
    loads = rules.constants
    units, found = bytecode[::2], set()
    at = units.find(store)
    while at >= 0:
        before = at - 1
        while before >= 0 and units[before] == rules.extended_arg:
            before -= 1
        if before >= 0 and units[before] in loads:
            found.add(bytecode[2 * at + 1])
        at = units.find(store, at + 1)
    return found


def _flag_bits(row: Opcode) -> int:
    return int(row.operand.partition(">>")[2] or 0)


@cache
def lookups(version: str) -> tuple[str, ...]:
    """The opcodes that look a name up as a global or a builtin."""
    rows = table(version).by_code
    return tuple(row.name for row in rows if row and row.access and row.access[0] in _LOOKUPS)


_LOOKUPS = ("read global", "read name", "read name or global")


def first_pair(bytecode: bytes, opcode: int, oparg: int, start: int = 0) -> int:
    """The first code unit from `start` on with this opcode and low byte of the oparg, or -1."""
    pair = bytes((opcode, oparg))
    at = bytecode.find(pair, 2 * start)
    while at >= 0 and at & 1:
        at = bytecode.find(pair, at + 1)
    return at if at < 0 else at >> 1


def bytecode_of(code: CodeType | Code) -> bytes:
    """`co_code`."""
    return code_bytes(code, HOST_VERSION) if isinstance(code, CodeType) else code.code


def name_of(code: CodeType | Code) -> str:
    """`co_name`."""
    return code.co_name if isinstance(code, CodeType) else code.name


def free_of(code: CodeType | Code) -> tuple[str, ...]:
    """`co_freevars`."""
    return code.co_freevars if isinstance(code, CodeType) else code.freevars


def cells_of(code: CodeType | Code) -> tuple[str, ...]:
    """`co_cellvars`."""
    return code.co_cellvars if isinstance(code, CodeType) else code.cellvars


def names_of(code: CodeType | Code) -> tuple[str, ...]:
    """`co_names`."""
    return code.co_names if isinstance(code, CodeType) else code.names


def first_parameter_of(code: CodeType | Code) -> str | None:
    """The name of the first positional parameter."""
    if isinstance(code, CodeType):
        return code.co_varnames[0] if code.co_argcount else None
    return code.varnames[0] if code.argcount else None


def exceptions_of(code: CodeType | Code) -> bytes:
    """`co_exceptiontable`; of what has blocks instead (to 3.10) its bytecode."""
    if isinstance(code, CodeType):
        return code.co_exceptiontable
    return code.exceptiontable or (code.code if table(code.version).exceptions == _BLOCKS else b"")


_BLOCKS = "block stack"


def is_class_body(code: CodeType | Code) -> bool:
    """True for the code of a class statement."""
    flags = code.co_flags if isinstance(code, CodeType) else code.flags
    return not flags & _NEWLOCALS and name_of(code) != "<module>"


_NEWLOCALS = 0x2  # of every function, whatever its kind


def nested_in(code: CodeType | Code) -> list[Any]:
    """The code objects among the constants."""
    kind = type(code)
    consts = code.co_consts if isinstance(code, CodeType) else code.consts
    return [each for each in consts if type(each) is kind]


def first_parts(names: frozenset[str] | tuple[str, ...]) -> frozenset[str]:
    """Names, and of dotted ones the first parts."""
    return frozenset((*names, *(each.partition(".")[0] for each in names if "." in each)))


class _Loop(NamedTuple):
    """What lies between a jump back and its target, in code units.

    A jump back need not be one of a loop: handlers come after what follows their `try`.
    """

    start: int  # the target
    stop: int  # behind the jump
    tight: bool  # if it is a loop, it may be without a call


class _Shape(NamedTuple):
    """What finding the loops of one version needs."""

    back: tuple[int, ...]  # opcodes that jump back, or may
    jumps: dict[int, _Jump]  # of every opcode that jumps
    extended_arg: int
    marks: bytes  # by opcode: one of the letters below


class _Jump(NamedTuple):
    """How an opcode jumps: target in bytes = base + oparg * unit, counted from the instruction."""

    base: int
    unit: int
    absolute: bool  # counted from the start of the code


# BRANCH: control may go elsewhere; NEXT: FOR_ITER; END: it never reaches what follows.
PLAIN, CALL, BRANCH, NEXT, END = b".CBNE"


@cache
def _shape(version: str) -> _Shape:
    rules = table(version)
    rows = [row for row in rules.by_code if row is not None and row.jump is not None]
    meanings = operands(version)
    return _Shape(
        tuple(row.code for row in rows if row.jump in ("backward", "absolute")),
        {
            row.code: _Jump(held.jump_base, held.jump_unit, held.absolute)
            for row in rows
            for held in (meanings[row.code],)
        },
        rules.extended_arg,
        bytes(map(_mark, rules.by_code)),
    )


def _mark(row: Opcode | None) -> int:
    if row is None:
        return PLAIN
    if row.tests == "exhausted":
        return NEXT
    if row.jump is not None or row.ends is not None:
        return BRANCH if row.ends is None else END
    return CALL if row.shows == "{call}" or row.name == "YIELD_VALUE" else PLAIN


def _loops_in(bytecode: bytes, units: bytes, shape: _Shape, straight: bool) -> list[_Loop]:
    """Args: as `Glance` has them; straight: no exception leads from one place to another."""
    spans = list(_jumps_back(bytecode, units, shape))
    if not spans:
        return []
    marks = units.translate(shape.marks)
    return [
        _Loop(start, at + 1, not _calls_surely(marks, start, at, straight)) for start, at in spans
    ]


def _jumps_back(bytecode: bytes, units: bytes, shape: _Shape) -> Iterator[tuple[int, int]]:
    """Target and place of each jump back, in code units."""
    for opcode in shape.back:
        at = units.find(opcode)
        while at >= 0:
            start = _target(bytecode, units, at, shape)
            if start <= at:
                yield max(start, 0), at
            at = units.find(opcode, at + 1)


def _target(bytecode: bytes, units: bytes, at: int, shape: _Shape) -> int:
    """The code unit to which a jump leads."""
    base, unit, absolute = shape.jumps[units[at]]
    oparg, before, shift = bytecode[2 * at + 1], at - 1, 8
    while before >= 0 and units[before] == shape.extended_arg and shift < 32:
        oparg |= bytecode[2 * before + 1] << shift
        before, shift = before - 1, shift + 8
    return (base + oparg * unit + (0 if absolute else 2 * at)) // 2


def _calls_surely(marks: bytes, start: int, at: int, straight: bool) -> bool:
    """True if there is a call among the instructions that are a loop's, if the jump is one of it.

    Those are the last ones before the jump. The first ones at its target are, too, where no
    exception can lead from them into the loop again; with FOR_ITER, up to the branch behind it.
    """
    last = max(
        start,
        marks.rfind(BRANCH, start, at),
        marks.rfind(NEXT, start, at),
        marks.rfind(END, start, at),
    )
    if marks.find(CALL, last, at) >= 0:
        return True
    if not straight:
        return False
    branch, end = marks.find(BRANCH, start, at), marks.find(END, start, at)
    first = min(at if branch < 0 else branch, at if end < 0 else end)
    return marks.find(CALL, start, first) >= 0
