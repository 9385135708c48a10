"""Ways through a function's code that lead around a call, or swallow the TypeError it raises."""

from __future__ import annotations

import ast
import builtins
import re

from coscope.facts.calls.expressions import parsed
from coscope.flow import Edge, Graph

_EXIT = re.compile(r"(?P<manager>.+)\.__a?exit__\(<exception>\)")
_MATCH = re.compile(r"isinstance\(<exception>, (?P<classes>.+)\)")


def managers_of(drawn: Graph, indexes: list[int]) -> tuple[str, ...] | None:
    """See `Forward.managers`: what may lead from the entry to a return around these calls.

    The TypeError that the call raises, swallowed by a handler that takes it, is a way around it.
    """
    if not _leads_around(drawn, indexes, swallowing=True, found=None):
        return ()
    found: list[str] = []
    if _leads_around(drawn, indexes, swallowing=False, found=found):
        return None
    return tuple(dict.fromkeys(found))


def _leads_around(
    drawn: Graph, indexes: list[int], *, swallowing: bool, found: list[str] | None
) -> bool:
    """True if a way from the entry comes to a return, or a yield, without these calls.

    Args:
        drawn: The graph, labelled.
        indexes: Of the calls.
        swallowing: Whether `__exit__` of a context manager may end the TypeError.
        found: Is given the context managers that are met while the error is under way.
    """
    calls = {drawn.block_of(index).index for index in indexes}
    pending = [(0, False)]
    seen: set[tuple[int, bool]] = set()
    while pending:
        number, raised = pending.pop()
        if (number, raised) in seen:
            continue
        seen.add((number, raised))
        block = drawn.blocks[number]
        if number in calls:
            pending.extend((edge.target, True) for edge in block.edges if edge.kind == "exception")
            continue
        row = drawn.table.by_code[drawn.code.instructions.opcodes[block.stop - 1]]
        if row is not None and row.ends == "return":
            return True
        for edge in block.edges:
            if raised and not _is_taken(edge, swallowing, found):
                continue
            pending.append((edge.target, raised))
    return False


def is_swallowed(drawn: Graph, indexes: list[int]) -> bool:
    """True if a TypeError that these calls raise comes to an end in the code on every way."""
    pending = [drawn.block_of(index).index for index in indexes]
    calls, seen = set(pending), set[int]()
    while pending:
        number = pending.pop()
        if number in seen:
            continue
        seen.add(number)
        block = drawn.blocks[number]
        row = drawn.table.by_code[drawn.code.instructions.opcodes[block.stop - 1]]
        raises = number in calls or (row is not None and row.ends == "raise")
        ways = [edge.target for edge in block.edges if edge.kind == "exception"] if raises else []
        if raises and not ways:
            return False
        if not raises:
            ways = [
                edge.target
                for edge in block.edges
                if edge.kind != "exception" and _is_taken(edge, False, None)
            ]
        pending.extend(ways)
    return True


def _is_taken(edge: Edge, swallowing: bool, found: list[str] | None) -> bool:
    """Whether control may go this way while a TypeError is under way."""
    if edge.kind not in ("true", "false") or edge.label is None:
        return True
    leaves = _EXIT.search(edge.label)
    if leaves is not None:
        if found is not None:
            found.append(leaves["manager"].removeprefix("await "))
        return swallowing or edge.kind == "false"
    match = _MATCH.fullmatch(edge.label)
    takes = None if match is None else _takes_type_error(match["classes"])
    return takes is None or takes is (edge.kind == "true")


def _takes_type_error(classes: str) -> bool | None:
    """Whether `except` of these classes takes a TypeError; None: not all are Python's own."""
    node = parsed(classes)
    each = node.elts if isinstance(node, ast.Tuple) else [node]
    named = [vars(builtins).get(one.id) if isinstance(one, ast.Name) else None for one in each]
    kinds = [one for one in named if isinstance(one, type) and issubclass(one, BaseException)]
    if any(issubclass(TypeError, one) for one in kinds):
        return True
    return False if len(kinds) == len(named) else None
