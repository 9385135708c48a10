"""What a function returns, as texts of the symbolic stack."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from coscope.errors import CodeError
from coscope.flow import Frame, run
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.expression import Expression
from coscope.flow.texts import Text
from coscope.model import Code
from coscope.opcodes import Opcode, table


@lru_cache(maxsize=256)
def results_of(code: Code) -> tuple[str, ...]:
    """The expressions that the code returns; a local variable as what is assigned to it.

    Empty if the code cannot be followed.
    """
    try:
        drawn = graph(code)
        frames = run(drawn, Expression())
    except CodeError:
        return ()
    stored: dict[str, list[str]] = {}
    found: list[str] = []
    by_code = table(code.version).by_code
    columns = code.instructions
    for index, opcode in enumerate(columns.opcodes):
        row, frame = by_code[opcode], frames[index]
        if row is None or not drawn.block_of(index).reachable:
            continue
        top = _top(frame)
        if row.access[:1] == ("write local",) and top is not None:
            name = columns.argval(index)
            for each in name if isinstance(name, tuple) else (name,):
                stored.setdefault(str(each), []).append(top)
        if row.ends == "return":
            found.append(_returned(row, top, columns.argval(index)))
    return tuple(_followed(code, found, stored))


def _top(frame: Frame[Text] | None) -> str | None:
    return str(frame[-1]) if frame is not None and len(frame.stack) else None


def _returned(row: Opcode, top: str | None, operand: object) -> str:
    """What a return gives: the top of the stack, or its own operand (`RETURN_CONST`)."""
    return top if row.pop_slots and top is not None else repr(operand)


def _followed(code: Code, returned: list[str], stored: dict[str, list[str]]) -> Iterator[str]:
    """The returned expressions; in place of a local variable, everything assigned to it."""
    parameters = code.varnames[: code.argcount + code.kwonlyargcount]
    for text in returned:
        known = text in stored and text not in parameters
        yield from stored[text] if known else [text]
