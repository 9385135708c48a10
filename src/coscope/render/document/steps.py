"""What a basic block does, in a few lines: its stores, calls, returns and raises.

The texts come from the symbolic stack, so they need no source and hold for every version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from coscope.model import Code
from coscope.opcodes import Opcode, table

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema

# Written with the names of the slots that the opcode pops; see the opcode tables.
_SHOWN = {
    "STORE_SUBSCR": "{container}[{sub}] = {value}",
    "STORE_SLICE": "{container}[{start}:{stop}] = {value}",
    "DELETE_SUBSCR": "del {container}[{sub}]",
    "STORE_ATTR": "{owner}.{operand} = {value}",
    "DELETE_ATTR": "del {owner}.{operand}",
    "YIELD_VALUE": "yield {value}",
    "LIST_APPEND": "append {value}",
    "SET_ADD": "add {value}",
    "MAP_ADD": "add {key}: {value}",
    "RETURN_VALUE": "return {value}",
    "RERAISE": "raise again",
    "IMPORT_STAR": "import *",
}
_STORES = ("write local", "write cell", "write global", "write name")
_DELETES = ("delete local", "delete cell", "delete global", "delete name")

Frames = Sequence[Sequence[str] | None]


def steps(code: Code, start: int, stop: int, frames: Frames) -> list[schema.BlockStep]:
    """What the instructions [start, stop) do that can be seen from outside the stack.

    Returns:
        Entries {offset, line, text}, in order.
    """
    columns = code.instructions
    rows = table(code.version).by_code
    found: list[schema.BlockStep] = []
    for at in range(start, stop):
        row, frame = rows[columns.opcodes[at]], frames[at]
        if row is None or frame is None:
            continue
        for text in _texts(code, row, at, start, frames):
            line = columns.positions[at].lineno
            found.append({"offset": columns.offsets[at], "line": line, "text": text})
    return found


def _texts(code: Code, row: Opcode, at: int, start: int, frames: Frames) -> Iterator[str]:
    columns = code.instructions
    frame = frames[at] or ()
    name = row.base or row.name
    if name in _SHOWN:
        slots = _popped(row, columns.opargs[at], frame)
        yield _SHOWN[name].format(operand=columns.argrepr(at), **slots)
    elif name == "POP_TOP" and _is_result(code, at, start, frames):
        yield frame[-1]
    elif row.ends == "return":
        yield f"return {columns.argrepr(at) or (frame[-1] if frame else '')}"
    elif row.ends == "raise":
        count = columns.opargs[at]
        raised = " from ".join(frame[len(frame) - count :])
        yield f"raise {raised}".rstrip()
    else:
        yield from _accesses(code, row, at, frame)


def _popped(row: Opcode, oparg: int, frame: Sequence[str]) -> dict[str, str]:
    """Text of each popped slot by name; slots that hold several values are left out."""
    found = {}
    depth = 0
    for slot in reversed(row.pop_slots):
        size = slot.size(oparg)
        depth += size
        if size == 1 and depth <= len(frame):
            found[slot.name] = frame[-depth]
    return found


def _accesses(code: Code, row: Opcode, at: int, frame: Sequence[str]) -> Iterator[str]:
    """Stores and deletions of names, the pairs of 3.13 one by one."""
    columns = code.instructions
    names = columns.argval(at) if row.operand == "local pair" else (columns.argrepr(at),)
    depth = 0
    for name, access in zip(names, row.access, strict=False):
        if access in _STORES:
            depth += 1
            value = frame[-depth] if depth <= len(frame) else ""
            if _is_in_place(name, value):
                yield value
            elif name != value:  # else the end of an inlined comprehension, which hid the name
                yield f"{name} = {value}"
        elif access in _DELETES:
            yield f"del {name}"


def _is_in_place(name: str, value: str) -> bool:
    """True for `total += 1`, which says already where it is stored."""
    start, operator, _ = value.partition("= ")
    return bool(operator) and start.startswith(f"{name} ") and start[-1] in "+-*/%&|^@><"


def _is_result(code: Code, at: int, start: int, frames: Frames) -> bool:
    """True if the discarded value was made for its effect: by a call or await just before."""
    before, frame = frames[at - 1] if at > start else None, frames[at]
    if before is None or not frame:
        return False
    row = table(code.version).by_code[code.instructions.opcodes[at - 1]]
    made = row is not None and bool(row.push_slots) and not row.access
    return made and frame[-1].endswith(")") and frame[-1] not in before
