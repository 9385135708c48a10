"""What a row of an opcode table says, and the table of one CPython version."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from coscope.opcodes.behaviour import Releases, Specialization, Wording
from coscope.opcodes.slots import Slot, evaluate, parse

# What an oparg means (`operand =`). `codec/operands.py` turns it into argval and argrepr.
OPERANDS = (
    "none",  # the opcode takes no argument
    "count",  # a number without further meaning (sizes, depths, indices into the stack)
    "const",  # index into consts
    "const names",  # index into consts: tuple of keyword names (KW_NAMES)
    "small int",  # the integer itself (3.14 LOAD_SMALL_INT)
    "name",  # index into names
    "name>>1",  # index into names above one flag bit
    "name>>2",  # index into names above two flag bits
    "local",  # fast local slot
    "local pair",  # two fast local slots: oparg >> 4, oparg & 15
    "deref",  # to 3.10: index into cellvars + freevars; 3.11+: fast local slot
    "jump",  # see `jump`
    "jump source",  # no jump: code units back to where one came from (3.14+ END_ASYNC_FOR)
    "compare",  # index into the table's `compare`, above `compare_shift` flag bits
    "invert",  # 1: the negated form (IS_OP, CONTAINS_OP)
    "binary",  # index into `binary` (BINARY_OP)
    "intrinsic 1",  # index into `intrinsic_1`
    "intrinsic 2",
    "convert",  # index into `convert` (CONVERT_VALUE)
    "format",  # FORMAT_VALUE: conversion in bits 0 and 1, 4: a format spec is on the stack
    "function flags",  # MAKE_FUNCTION, SET_FUNCTION_ATTRIBUTE
    "special",  # index into `special` (LOAD_SPECIAL)
    "common constant",  # index into `common_constants`
    "resume",  # RESUME: where, in bits 0 and 1
    "extended",  # EXTENDED_ARG
)

# How an opcode jumps (`jump =`). The unit is the table's `jump_unit`.
JUMPS = ("forward", "backward", "absolute")

# What happens after it (`ends =`): control never reaches the next instruction.
ENDS = ("jump", "return", "raise")

# Under which condition it jumps (`tests =`), said of the value on top.
TESTS = (
    "true",
    "false",
    "none",
    "not none",
    "exhausted",  # the iterator has no next value (FOR_ITER)
    "finished",  # the generator or awaitable has returned (SEND)
    "not exception match",  # the exception is of none of the types (3.9, 3.10)
)

# What it does to the block stack of the frame (`blocks =`), to 3.10.
BLOCKS = (
    "push finally",
    "push with",
    "push async with",
    "pop",
    "pop handler",  # the block that the interpreter pushes when it enters a handler
    "call finally",  # none: enters a finally block, which returns behind it (3.8)
)

# How a name of the operand is used (`access =`).
ACCESS = (
    *(f"{verb} {kind}" for kind in ("local", "cell", "global", "name", "attribute")
      for verb in ("read", "write", "delete")),
    "save local",  # LOAD_FAST_AND_CLEAR
    "make cell",
    "capture cell",  # LOAD_CLOSURE: the cell itself, for a nested function
    "read name or global",
    "read name or cell",
    "import name",
    "import attribute",
    "import star",
)  # fmt: skip

# What an instruction requires of its code object (`needs =`).
NEEDS = (
    "generator",  # its flags say generator, coroutine or async generator
    "async generator",  # its flags say so
    "locals",  # the frame has a mapping of its locals: a module's or a class's code
)

# What is known of the pushed value beyond its type (`makes =`): `flow/domains/kind.py`.
MAKES = (
    "constant",  # what the constant is
    "tuple",  # of so many values, of cells, ...
    "copy",  # COPY: the value has two places from now on
    "append",  # LIST_APPEND: a list of exceptions stays one only if it gets an exception
    "iteration",  # GET_ITER (3.15): the value and its index belong together
    "paired",  # FOR_ITER, SEND (3.15): the index has to be that of the value below it
    "function",  # MAKE_FUNCTION
    "attribute",  # SET_FUNCTION_ATTRIBUTE
    "comparison",  # COMPARE_OP: of two ints a bool, which is then not converted
    "call",  # the callable may be a function that only some arguments may reach
)


@dataclass(frozen=True)
class Opcode:
    """One row: an opcode of one CPython version."""

    name: str
    code: int  # 0 to 255
    pops: tuple[str, ...] = ()  # slots, deepest first, as written in the table
    pushes: tuple[str, ...] = ()  # a slot named as in `pops` is the same value, moved
    jump_pushes: tuple[str, ...] | None = None  # pushes on the path of the jump, if they differ
    caches: int = 0  # code units of inline cache after the instruction
    operand: str = "none"  # one of OPERANDS
    bounds: str | None = None  # of the oparg: "at least 1", "0 to 2", "2 or 3", "1, 2, 4 or 8"
    jump: str | None = None  # one of JUMPS
    ends: str | None = None  # one of ENDS
    access: tuple[str, ...] = ()  # of ACCESS, one for each name of the operand
    raises: bool = True  # False: cannot raise, so no exceptional edge starts here
    keeps: bool = False  # True: when it raises, the slots that it pops are still on the stack
    tests: str | None = None  # condition of the jump, one of TESTS
    blocks: str | None = None  # to 3.10, one of BLOCKS
    dis_effect: str | None = None  # `dis.stack_effect` of oparg, where it is not what slots say
    shows: Any = None  # text, or {slot: text}: how the expression domain writes what is pushed
    needs: str | None = None  # one of NEEDS
    makes: str | None = None  # one of MAKES
    # Pushed slot -> the popped slot that it may be, with that slot's reference or lack of one.
    hands_on: dict[str, str] = field(default_factory=dict)
    next: tuple[
        str, ...
    ] = ()  # opcodes, one of which must follow at once; the interpreter skips it
    bonds: tuple[str, ...] = ()  # opcodes that the interpreter expects there, where one follows
    after: tuple[str, ...] = ()  # the only opcodes that may come before it (RETURN_GENERATOR)
    lands: tuple[str, ...] = ()  # opcodes that must be at the jump's target, in this order
    base: str | None = None  # of a specialised or instrumented form
    form: str = (
        "base"  # "base", "specialized", "instrumented", or "internal": compilers never emit it
    )

    @cached_property
    def pop_slots(self) -> tuple[Slot, ...]:
        return tuple(map(parse, self.pops))

    @cached_property
    def push_slots(self) -> tuple[Slot, ...]:
        return tuple(map(parse, self.pushes))

    @cached_property
    def jump_push_slots(self) -> tuple[Slot, ...]:
        return self.push_slots if self.jump_pushes is None else tuple(map(parse, self.jump_pushes))

    @property
    def takes_argument(self) -> bool:
        return self.operand != "none"

    def popped(self, oparg: int) -> int:
        """Stack slots taken."""
        return sum(slot.size(oparg) for slot in self.pop_slots)

    def pushed(self, oparg: int, jump: bool = False) -> int:
        """Stack slots left, on the path of the jump or without it."""
        slots = self.jump_push_slots if jump else self.push_slots
        return sum(slot.size(oparg) for slot in slots)

    def effect(self, oparg: int, jump: bool = False) -> int:
        """Net stack effect, as `dis.stack_effect(code, oparg, jump=jump)`.

        Equals `pushed - popped`, but for the rows with a `dis_effect`, which say why.
        """
        if self.dis_effect is not None:
            return evaluate(self.dis_effect, oparg)
        return self.pushed(oparg, jump) - self.popped(oparg)


@dataclass(frozen=True)
class Intrinsic:
    """What an intrinsic function takes and gives, where it is more than objects."""

    pops: tuple[str, ...]  # as in `Opcode`
    pushes: tuple[str, ...] = ("res",)
    needs: str | None = None  # one of NEEDS
    makes: str | None = None  # one of MAKES

    @cached_property
    def pop_slots(self) -> tuple[Slot, ...]:
        return tuple(map(parse, self.pops))

    @cached_property
    def push_slots(self) -> tuple[Slot, ...]:
        return tuple(map(parse, self.pushes))


@dataclass(frozen=True)
class CompilerMade:
    """`[compiler_made]`: the loads of constants that no literal of the source stands for."""

    around: tuple[str, ...]  # patterns of instructions around such a load
    at: tuple[str, ...]  # opcodes at whose very position no literal of the source can be
    future_annotations: tuple[str, ...]  # patterns under `from __future__ import annotations`


@dataclass(frozen=True)
class Table:
    """Everything that coscope knows of one CPython version."""

    version: str  # "3.13"
    checked: str  # micro version at which it was checked
    magics: tuple[int, ...]  # every magic number used while the version was developed, ascending
    release_magics: tuple[int, ...]  # those of final releases
    instructions: str  # codec of co_code: "wordcode"
    jump_unit: int  # bytes: 1 to 3.9, 2 from 3.10
    lines: str  # codec of the line table: "lnotab", "ranges", "locations"
    exceptions: str  # "block stack" or "varint"
    layout: str  # order of a marshalled code object's fields: "cells apart", "localsplus"
    source_hash: str  # of hash-based .pyc files: "siphash-2-4", "siphash-1-3"
    deref: str  # what a deref oparg counts: "cells" or "localsplus"
    behaviours: dict[str, bool | Releases]  # by the names of `behaviour.BEHAVIOURS`
    wording: Wording
    compiler_made: CompilerMade
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)  # compare, binary, special, ...
    numbers: dict[str, int] = field(default_factory=dict)  # compare_shift, ...
    opcodes: dict[str, Opcode] = field(default_factory=dict)  # by name, every form
    intrinsics: dict[str, Intrinsic] = field(default_factory=dict)  # by name, those that trust
    contract: dict[str, str] = field(default_factory=dict)  # by argument name: what it must be
    # Positional-only arguments whose comparison genuine code tests without TO_BOOL.
    unconverted: tuple[str, ...] = ()
    specialization: Specialization | None = None  # None: it does not specialise, or unknown how

    def behaves(self, name: str, release: str | None = None) -> bool:
        """True if a behaviour is this version's.

        Args:
            name: One of `behaviour.BEHAVIOURS`.
            release: "3.13.5", where releases differ; if it is not known, that which was checked.
        """
        held = self.behaviours[name]
        return held if isinstance(held, bool) else held.hold(release or self.checked)

    @cached_property
    def by_code(self) -> tuple[Opcode | None, ...]:
        """256 entries, indexed by opcode number."""
        rows: list[Opcode | None] = [None] * 256
        for row in self.opcodes.values():
            rows[row.code] = row
        return tuple(rows)

    @cached_property
    def constants(self) -> frozenset[int]:
        """Numbers of the opcodes that load a literal of the source; their argval is its value."""
        kinds = {"const", "small int"}
        if self.numbers.get("common_constants_are_values"):
            kinds.add("common constant")  # from 3.15 on None, True, False, "" and -1 are among them
        return frozenset(row.code for row in self.by_code if row and row.operand in kinds)

    @cached_property
    def common_literals(self) -> dict[int, object]:
        """What LOAD_COMMON_CONSTANT loads, by oparg, where that is a literal of the source (3.15).

        The others are builtins that the compiler needs, such as `all` and AssertionError.
        """
        words = self.lists.get("common_constants", ())
        values = {"None": None, "True": True, "False": False, "''": "", "-1": -1}
        return {oparg: values[word] for oparg, word in enumerate(words) if word in values}

    @cached_property
    def steps(self) -> bytes:
        """Code units from an instruction to the next, by opcode number; 1 if undefined."""
        return bytes(1 + (row.caches if row else 0) for row in self.by_code)

    @cached_property
    def borrows(self) -> bool:
        """Values on the stack may be borrowed from locals."""
        return any(name.startswith("LOAD_FAST_BORROW") for name in self.opcodes)

    @cached_property
    def specializes(self) -> bool:
        """The interpreter rewrites instructions to specialised forms while it runs them."""
        return any(row.form == "specialized" for row in self.opcodes.values())

    @cached_property
    def extended_arg(self) -> int:
        """Number of EXTENDED_ARG."""
        return self.opcodes["EXTENDED_ARG"].code
