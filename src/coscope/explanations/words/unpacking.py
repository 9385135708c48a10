"""Unpacking: how many values there were, and how many were wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coscope.explanations.case import Case
from coscope.explanations.kinds import is_exactly


def wrong_count(case: Case) -> Iterator[str]:
    """Too many or too few values, or something that is not iterable."""
    if not case.row.name.startswith("UNPACK") or not case.innermost:
        return
    if not (case.is_a(ValueError) or case.is_a(TypeError)):
        return
    taken = case.operand("sequence", "seq", "iterable") or next(iter(case.operands), None)
    wanted = re.search(r"expected (?:at least )?(\d+)", case.message)
    if taken is None:
        return
    if case.is_a(TypeError):
        if taken.known is not None:
            thing = case.described(taken.known.thing)
            yield f"{case.named(taken)} is {thing}, which cannot be unpacked."
    elif taken.known is not None and is_exactly(taken.known.thing, list, tuple, dict, set, str):
        count = len(taken.known.thing)  # type: ignore[arg-type]
        names = wanted[1] if wanted else "another number of"
        yield (
            f"{case.named(taken)} is {case.described(taken.known.thing)}: "
            f"{count} value{'' if count == 1 else 's'} for {names} names."
        )
    elif wanted:
        got = re.search(r"got (\d+)", case.message)
        given = got[1] if got else "more"
        values = "1 value" if given == "1" else f"{given} values"
        yield f"{case.named(taken)} gives {values} for {wanted[1]} names."
    else:
        return
    origin = case.since(taken)
    if origin is not None:
        yield origin
    if _iterates_over_dict(case, taken.text):
        yield "Iterating over a dict gives its keys; `.items()` gives pairs."


def _iterates_over_dict(case: Case, text: str) -> bool:
    del text
    for taken in case.operands:
        for node in taken.node.operands:
            for each in node.options or (node,):
                inner = each.operands[0] if each.operands else each
                known = case.scene.value(inner)
                if known is not None and type(known.thing) is dict:
                    return True
    return False
