"""The document of `explain-opcode`

`coscope explain-opcode --json`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from coscope.render.schemas.shared import Header, Version

OpcodeForm = Annotated[str, {"enum": ["base", "internal", "specialized", "instrumented"]}]


class OpcodeDocument(Header):
    """What `coscope explain-opcode --json` prints."""

    command: Literal["explain-opcode"]
    target: str  # the opcode's name, empty for all opcodes
    opcodes: list[OpcodeExplained]  # in alphabetical order
    error: None  # as in every document that is not an error


class OpcodeExplained(TypedDict):
    """One opcode."""

    name: str
    versions: list[Version]  # that have it, oldest first; 3.8 is the oldest that is known
    meanings: list[
        OpcodeMeaning
    ]  # in the versions that were asked for, oldest first; one where they agree
    forms: list[OpcodeFormSaid]  # what the interpreter writes over it while it runs


class OpcodeMeaning(TypedDict):
    """What it does in some versions."""

    versions: list[Version]
    sentence: str
    takes: list[StackSlot]  # what it pops, deepest first
    leaves: list[StackSlot]  # what it pushes; a slot named as in `takes` is the same value
    leaves_on_jump: list[StackSlot] | None  # what it pushes where it jumps, if that differs
    argument: str  # what its argument means
    base: str | None  # the opcode that it is a form of
    form: OpcodeForm


class StackSlot(TypedDict):
    """One value on the stack, or a group of them."""

    name: str
    count: str  # arithmetic on `oparg`; "1" for a single value
    condition: str | None  # there only if this arithmetic on `oparg` is not zero


class OpcodeFormSaid(TypedDict):
    """A form of an opcode."""

    name: str
    form: OpcodeForm  # "specialized" or "instrumented"
    versions: list[Version]
    sentence: str
