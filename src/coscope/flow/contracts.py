"""What the compiler's own arguments (`.0`, `.defaults`) must be for the code to be safe."""

from __future__ import annotations

from coscope.model import Code
from coscope.opcodes import table

_ASYNC = 0x280  # CO_COROUTINE | CO_ASYNC_GENERATOR


def argument_kind(code: Code, slot: int) -> str | None:
    """What an argument must be, a word of the tables; None if any object will do.

    `.0` is not an iterator, but what `__aiter__` gave, where its first reader is GET_ANEXT.
    """
    rules = table(code.version)
    word = rules.contract.get(code.localsplusnames[slot])
    if word != "iterator" or not code.flags & _ASYNC:
        return word
    columns = code.instructions
    for index, opcode in enumerate(columns.opcodes):
        row = rules.by_code[opcode]
        if row is not None and row.operand == "local" and columns.opargs[index] == slot:
            after = columns.opcodes[index + 1] if index + 1 < len(columns) else 0
            row = rules.by_code[after]
            return None if row is not None and row.name == "GET_ANEXT" else word
    return word
