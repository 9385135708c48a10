"""Paths through a function's code that avoid a call, or swallow the TypeError it raises."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from coscope.facts.calls.expressions import parsed
from coscope.flow import Block, Edge, Graph

_EXIT = re.compile(r"(?P<manager>.+)\.__a?exit__\(<exception>\)")
_MATCH = re.compile(r"isinstance\(<exception>, (?P<classes>.+)\)")


def managers_of(drawn: Graph, indexes: list[int]) -> tuple[str, ...] | None:
    """See `Forward.managers`: what may lead from the entry to a return around these calls.

    If a handler swallows the TypeError that the call raises, that is a path around it.
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
    """True if a path from the entry reaches a return, or a yield, without these calls.

    Args:
        drawn: The graph, labelled.
        indexes: Of the calls.
        swallowing: Whether `__exit__` of a context manager may end the TypeError.
        found: Filled with the context managers that are met while the error is under way.
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
            if not raised or _is_taken(edge, swallowing, found):
                pending.append((edge.target, raised))
    return False


def is_swallowed(drawn: Graph, indexes: list[int]) -> bool:
    """True if the code handles a TypeError of these calls on every path."""
    pending = [drawn.block_of(index).index for index in indexes]
    calls, seen = set(pending), set[int]()
    while pending:
        number = pending.pop()
        if number in seen:
            continue
        seen.add(number)
        block = drawn.blocks[number]
        row = drawn.table.by_code[drawn.code.instructions.opcodes[block.stop - 1]]
        if number in calls or (row is not None and row.ends == "raise"):
            handlers = [edge.target for edge in block.edges if edge.kind == "exception"]
            if not handlers:
                return False
            pending.extend(handlers)
        else:
            pending.extend(_onward(block))
    return True


def _onward(block: Block) -> Iterator[int]:
    """Blocks to which control may go while a TypeError is handled and nothing raises again."""
    for edge in block.edges:
        if edge.kind != "exception" and _is_taken(edge, False, None):
            yield edge.target


def _is_taken(edge: Edge, swallowing: bool, found: list[str] | None) -> bool:
    """Whether control may take this edge while a TypeError is being handled."""
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
