"""Exceptions that are raised while another one is handled: in `except`, `finally`, `__exit__`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import TracebackType

from coscope.explanations.case import built_in
from coscope.explanations.standing import Standing, parsed
from coscope.explanations.stops import Workshop
from coscope.readers.values import name_of_class


def where_handled(
    workshop: Workshop, error: BaseException, context: BaseException
) -> Iterator[str]:
    """Say in which handler the exception was raised, if the other failed in the same function."""
    first = {id(entry.tb_frame): entry for entry in _entries(context)}
    for entry in _entries(error):
        earlier = first.get(id(entry.tb_frame))
        if earlier is None or earlier.tb_lasti == entry.tb_lasti:
            continue
        standing = workshop.standing(entry.tb_frame.f_code, entry.tb_lasti)
        if standing is None:
            continue
        other = name_of_class(type(context))
        how = _how(standing)
        yield (
            f"It was raised at line {entry.tb_lineno}{how}, while the {other} "
            f"of line {earlier.tb_lineno} was handled."
        )
        return


def _entries(error: BaseException) -> Iterator[TracebackType]:
    entry = built_in(BaseException, "__traceback__", error)
    for _ in range(1000):
        if type(entry) is not TracebackType:
            return
        yield entry
        entry = entry.tb_next


def _how(standing: Standing) -> str:
    if standing.instructions.opname(standing.index) == "WITH_EXCEPT_START":
        return ", by the `__exit__` of its context manager"
    line = standing.instructions.positions[standing.index].lineno
    tree = None if standing.source is None else parsed(standing.source)
    if tree is None or line is None:
        return ""
    found = ""
    smallest = 10**9
    for node in ast.walk(tree):
        if isinstance(node, ast.Try | ast.TryStar):
            for word, part in (("finally", node.finalbody), ("except", node.handlers)):
                if not part:
                    continue
                start, stop = part[0].lineno, part[-1].end_lineno or part[-1].lineno
                if start <= line <= stop and stop - start < smallest:
                    smallest = stop - start
                    found = f" in the `{word}` block"
    return found
