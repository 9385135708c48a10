"""What a function returns, as texts of the symbolic stack."""

from __future__ import annotations

from functools import lru_cache

from coscope.errors import CodeError
from coscope.flow import run
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.expression import Expression
from coscope.model import Code
from coscope.opcodes import table


@lru_cache(maxsize=256)
def results_of(code: Code) -> tuple[str, ...]:
    """The expressions that the code returns; a local variable as what is assigned to it.

    Empty where the code cannot be followed.
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
        top = str(frame[-1]) if frame is not None and len(frame.stack) else None
        if row.access[:1] == ("write local",) and top is not None:
            name = columns.argval(index)
            for each in name if isinstance(name, tuple) else (name,):
                stored.setdefault(str(each), []).append(top)
        if row.ends == "return":
            found.append(top if row.pop_slots and top is not None else repr(columns.argval(index)))
    parameters = code.varnames[: code.argcount + code.kwonlyargcount]
    results: list[str] = []
    for text in found:
        known = text in stored and text not in parameters
        results += stored[text] if known else [text]
    return tuple(results)
