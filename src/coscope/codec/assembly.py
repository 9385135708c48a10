"""Instructions <-> `co_code`, in a form that can be edited: prefixes folded, no labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from coscope.errors import CodeError
from coscope.model import Code
from coscope.opcodes import Table, table

_BYTES = 4  # of an oparg


class Operation(NamedTuple):
    """One instruction with its EXTENDED_ARG prefixes and inline caches."""

    opcode: int  # number, 0 to 255
    oparg: int = 0  # unsigned, prefixes included; also the unused byte of an opcode without one
    prefixes: int = 0  # EXTENDED_ARG prefixes to write at least; as many as needed are written
    caches: bytes | None = None  # what the cache bytes hold; None: zeros, as the compiler writes

    def units(self, rules: Table) -> int:
        """Code units that it takes: prefixes, the instruction itself and its caches."""
        return 1 + self.prefixes_written + rules.steps[self.opcode] - 1

    @property
    def prefixes_written(self) -> int:
        """EXTENDED_ARG prefixes that the oparg needs, or `prefixes` if that is more."""
        return max(self.prefixes, (max(1, self.oparg.bit_length()) - 1) // 8)


def decode_operations(code: Code) -> list[Operation]:
    """Decode `co_code` so that `encode_instructions` gives the same bytes, whatever they are.

    Raises:
        CodeError: The bytes end inside a code unit.
        UnknownVersion: There is no opcode table for the code's version.
    """
    raw = code.code
    if len(raw) % 2:
        raise CodeError(
            "the bytecode ends inside a code unit", code=code.qualname, offset=len(raw) - 1
        )
    rules = table(code.version)
    steps, extended_arg = rules.steps, rules.extended_arg
    operations = []
    at = first = 0  # bytes; `first` is where the prefixes start
    while at < len(raw):
        opcode = raw[at]
        after = at + 2 * steps[opcode]
        if opcode == extended_arg and after < len(raw):
            at = after
            continue
        caches: bytes | None = raw[at + 2 : after]
        if caches == bytes(after - at - 2):
            caches = None
        oparg = raw[at + 1] if at == first else int.from_bytes(raw[first + 1 : at + 2 : 2])
        operations.append(Operation(opcode, oparg, (at - first) // 2, caches))
        at = first = after
    return operations


def encode_instructions(operations: Iterable[Operation], rules: Table) -> bytes:
    """Encode operations as `co_code`.

    Each gets as few EXTENDED_ARG prefixes as its oparg needs, or as many as it asks for: the
    compiler writes more than needed where a jump became shorter after it was laid out.

    Args:
        operations: In the order of the code. Jumps are opargs like any other: who inserts or
            removes code lays them anew.
        rules: Table of the version.

    Raises:
        CodeError: An opcode is not a byte, or an oparg negative or longer than 32 bits.
    """
    code = bytearray()
    steps, extended_arg = rules.steps, rules.extended_arg
    for operation in operations:
        opcode, oparg, prefixes, caches = operation
        if not 0 <= opcode < 256 or oparg < 0 or oparg.bit_length() > 8 * max(_BYTES, prefixes + 1):
            raise CodeError("not an encodable instruction", offset=len(code), found=operation)
        if oparg > 255 or prefixes:
            count = operation.prefixes_written
            for byte in (oparg >> 8).to_bytes(count):
                code += bytes((extended_arg, byte))
        code += bytes((opcode, oparg & 255))
        code += bytes(2 * steps[opcode] - 2) if caches is None else caches
    return bytes(code)
