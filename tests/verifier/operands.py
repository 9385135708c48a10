"""For each typed operand of the tables, code in which it alone is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from coscope.model import Code, Region
from coscope.opcodes import Opcode, table
from coscope.opcodes.slots import Slot
from tests.verifier.building import CELL, FREE, LOCAL, built, size

Instruction = tuple[str, int]

_SLOTS = (("x", LOCAL), ("y", LOCAL), ("c", CELL))
# Opcodes that jump, end a frame or need surroundings of their own: they have cases by hand.
_BY_HAND = frozenset(
    {
        "SEND",
        "FOR_ITER",
        "KW_NAMES",
        "PRECALL",
        "YIELD_VALUE",
        "RETURN_GENERATOR",
        "STORE_DEREF",
        "LOAD_FROM_DICT_OR_DEREF",
        "LOAD_CLASSDEREF",
    }
)
# The opargs with which an opcode is written; 1 if it is not named here.
_OPARGS = {
    "BUILD_INTERPOLATION": (3,),
    "BUILD_SLICE": (2,),
    "COMPARE_OP": (2,),
    "CALL_FUNCTION_EX": (0, 1),
    "COPY": (3,),
    "MAKE_FUNCTION": (0, 1, 2, 4, 8),
    "RERAISE": (0, 1),
    "SET_FUNCTION_ATTRIBUTE": (1, 2, 4, 8),
}


class Wrong(NamedTuple):
    """One operand of one opcode, and code objects in which it is not what the table wants."""

    name: str  # "LIST_APPEND 1: list"
    opname: str
    codes: tuple[Code, ...]


class _Writer:
    """Writes code that pushes operands of certain kinds behind a caught exception."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.rows = table(version).opcodes
        self.consts: list[Any] = [None]
        self.ops: list[Instruction] = []
        self.depth = 2  # lasti and the exception
        self.raises = False  # the thread's exception is used
        self.drops = False  # what was given is dropped; else it is returned, so that it is used
        self.free = False  # nested code has a free variable

    def const(self, value: Any) -> None:
        self.consts.append(value)
        self.push("LOAD_CONST", len(self.consts) - 1)

    def push(self, name: str, oparg: int = 0) -> None:
        self.ops.append((name, oparg))
        self.depth += 1

    def right(self, slot: Slot, oparg: int) -> None:
        """Push what the table wants, such that the instruction gets far."""
        text = slot.type or "object"
        if slot.name in ("iterable", "callargs"):
            self.const((1, 2, 3))
            return
        if slot.name == "set":  # typed or not: SET_ADD looks for itself from 3.14
            self.push("BUILD_SET")
            return
        if slot.name in ("subject", "update", "class_dict", "mod_or_class_dict"):
            self.push("BUILD_MAP")
            return
        first = text.split()[0]
        length = oparg if "==" in text else 0
        if first in ("tuple", "names"):
            number = text.split()[-1]
            length = int(number) if number.isdigit() else length
            self.const(tuple("k" * (n + 1) for n in range(length)))
        elif first in ("null", "index"):
            self.push("PUSH_NULL")
        elif first == "callable":
            self.push("LOAD_BUILD_CLASS")
        elif first == "interpolations":
            self.const(())
        elif first in ("list", "exceptions"):
            self.push("BUILD_LIST")
        elif first == "dict":
            self.push("BUILD_MAP")
        elif first == "set":
            self.push("BUILD_SET")
        elif first == "exception":
            self.push("COPY", self.depth - 1)
        elif first == "lasti":
            self.push("COPY", self.depth)
        elif first == "iterator":
            self.const(())
            self.ops.append(("GET_ITER", 0))
        elif first in ("function", "finished"):
            self.const(self.nested())
            self.ops.append(("MAKE_FUNCTION", 0))
        elif first == "closure":
            self.cell()
            self.ops.append(("BUILD_TUPLE", 1))
        elif first == "cell":
            self.cell()
        elif first == "code":
            self.const(self.nested())
        elif first == "bool":
            self.const(True)
        elif first == "str":
            self.const("text")
        elif first == "alias":
            self.const("text")
            self.const(None)
            self.const(None)
            self.ops.append(("BUILD_TUPLE", 3))
            self.depth -= 2
        else:
            self.const(None)

    def nested(self) -> Code:
        """The code of a function that uses its defaults, or its closure."""
        if self.free:
            ops = [("COPY_FREE_VARS", 1), ("RESUME", 0), ("LOAD_DEREF", 0), ("RETURN_VALUE", 0)]
            return built(self.version, *ops, slots=[("c", FREE)], flags=0x13)
        return built(self.version, *_end(), argcount=1, kwonlyargcount=1)

    def cell(self) -> None:
        self.push("LOAD_CLOSURE" if "LOAD_CLOSURE" in self.rows else "LOAD_FAST", 2)

    def code(self) -> Code:
        """The code object: an exception is raised and caught, then the instructions run."""
        start = [("MAKE_CELL", 2), ("RESUME", 0), ("RAISE_VARARGS", 0)]
        pops = [("POP_TOP", 0)] * self.depth
        if pops and not self.drops:
            pops[0] = ("STORE_FAST", 0)
        raising, caught = size(self.version, *start[:-1]), size(self.version, *start)
        region = Region(raising, caught, caught, 0, True)
        tail = [("LOAD_FAST", 0), ("RETURN_VALUE", 0)]
        if self.raises:
            pops, tail = [("RAISE_VARARGS", 0)], []
        return built(
            self.version, *start, *self.ops, *pops, *tail, regions=[region], slots=_SLOTS,
            consts=tuple(self.consts), stacksize=40,
        )  # fmt: skip


def _end() -> tuple[Instruction, ...]:
    return ("RESUME", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)


def wrong_operands(version: str) -> Iterator[Wrong]:
    """Every typed operand of every opcode for which code can be written by rule."""
    for row in table(version).opcodes.values():
        if row.form != "base" or row.jump or row.needs or row.name in _BY_HAND:
            continue
        for oparg in _OPARGS.get(row.name, (1,)):
            if row.operand.startswith("intrinsic"):
                continue
            yield from _of(version, row, row.name, oparg, row.pop_slots)
    rules = table(version)
    for number in (1, 2):
        name = f"CALL_INTRINSIC_{number}"
        names = rules.lists.get(f"intrinsic_{number}", ())
        for oparg, intrinsic in enumerate(names):
            trusting = rules.intrinsics.get(intrinsic)
            if trusting is not None and trusting.needs is None:
                yield from _of(version, rules.opcodes[name], intrinsic, oparg, trusting.pop_slots)


def _of(
    version: str, row: Opcode, name: str, oparg: int, slots: tuple[Slot, ...]
) -> Iterator[Wrong]:
    for at, slot in enumerate(slots):
        text = slot.type or "object"
        anything = text.startswith("any") or ("null" in text and text != "null")
        if not slot.size(oparg) or anything:
            continue
        codes = tuple(
            _code(version, row, oparg, slots, at, candidate, drops)
            for candidate in _candidates(slot.type, oparg)
            for drops in (False, True)
        )
        yield Wrong(f"{name} {oparg} {slot.name}: {slot.type or 'object'}", row.name, codes)


def _candidates(word: str | None, oparg: int) -> list[Any]:
    """Values that are not of the kind, those first whose fields harm most."""
    text = word or "object"
    if text.split()[0] in ("object", "callable"):
        return [_NULL]
    found: list[Any] = [12345678901, 1.5e300, "text" * 20, None, b"", _NULL]
    if text == "null":
        found.remove(_NULL)
    if text == "names":
        return [12345678901, 1.5e300, (1, 2), *found]
    if text.startswith("names >="):
        return [12345678901, 1.5e300, (), (1, 2), *found]
    if text.startswith("names"):
        return [12345678901, 1.5e300, tuple("abcdefgh"), (1, 2), *found]
    if text.startswith("tuple"):
        return [*found, (1, 2, 3, 4, 5, 6, 7), ()] if "==" in text else found
    if text == "str" or "none" in text:
        return [12345678901, 1.5e300, (), _NULL]
    return found


_NULL = object()


def _code(
    version: str, row: Opcode, oparg: int, slots: tuple[Slot, ...], wrong: int, value: Any,
    drops: bool,
) -> Code:  # fmt: skip
    writer = _Writer(version)
    writer.drops = drops
    writer.free = row.name in ("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE") and oparg == 8
    for at, slot in enumerate(slots):
        for _ in range(slot.size(oparg)):
            if at != wrong:
                writer.right(slot, oparg)
            elif value is _NULL:
                writer.push("PUSH_NULL")
            else:
                writer.const(value)
    writer.ops.append((row.name, oparg))
    writer.raises = row.name in ("PUSH_EXC_INFO", "POP_EXCEPT")
    if row.ends is not None:
        writer.depth = 0
    else:
        writer.depth += row.pushed(oparg) - row.popped(oparg)
    return writer.code()
