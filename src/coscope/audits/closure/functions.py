"""What closure rules share: the functions that code makes, what they certainly read, and whether
other means than instructions reach their variables."""

from __future__ import annotations

from coscope.audits.subject.subject import Subject, Unit
from coscope.facts.names.uses import uses_of
from coscope.flow import Graph, dominates, find_dominators
from coscope.model import Code

_PARTS = 5  # SET_FUNCTION_ATTRIBUTE, once for each part of a function (3.13)


def function_made(subject: Subject, made_by: frozenset[int]) -> Code | None:
    """The code of the function that a value certainly is: no decorator, no other value."""
    for _ in range(_PARTS):
        if len(made_by) != 1:
            return None
        (maker,) = made_by
        given = subject.takers.get(maker) if maker >= 0 else None
        if given is None:
            return None
        name = subject.instructions.opname(maker)
        if name == "MAKE_FUNCTION":
            held = given[0].operand(given[1], "code")
            return _constant(subject, held[0]) if held else None
        if name != "SET_FUNCTION_ATTRIBUTE":
            return None
        held = given[0].operand(given[1], "function")
        if not held:
            return None
        made_by = held[0]
    return None


def _constant(subject: Subject, made_by: frozenset[int]) -> Code | None:
    found = [subject.instructions.argval(at) for at in made_by if at >= 0]
    return found[0] if len(found) == 1 and isinstance(found[0], Code) else None


def certain_read(subject: Subject, name: str) -> int | None:
    """An instruction that reads a free variable on every path to a return."""
    graph = subject.graph
    returns = [] if graph is None else _returning(subject, graph)
    if graph is None or not returns:
        return None
    above = find_dominators(graph)
    for used, _, use in uses_of(subject.code):
        if used != name or use.access != "read cell":
            continue
        index = subject.instructions.at(use.offset).index
        block = graph.block_of(index).index
        if all(dominates(above, block, each) for each in returns):
            return index
    return None


def _returning(subject: Subject, graph: Graph) -> list[int]:
    """The reachable blocks that end by a return."""
    return [
        block.index
        for block in graph.blocks
        if block.reachable
        and not block.edges
        and subject.opnames[block.stop - 1].startswith("RETURN")
    ]


def swallows(subject: Subject, index: int) -> bool:
    """True if an exception that an instruction raises may be handled in the same code: from its
    handler, or one around that, some path leads to a return or back to the code that follows."""
    graph = subject.graph
    if graph is None:
        return True
    pending = [edge.target for edge in graph.block_of(index).edges if edge.kind == "exception"]
    returns = set(_returning(subject, graph))
    seen: set[int] = set()
    while pending:
        block = pending.pop()
        if block in returns:
            return True
        if block not in seen:
            seen.add(block)
            pending += [edge.target for edge in graph.blocks[block].edges]
    return False


# By these, code reads or fills the variables of another frame or closure.
_LOOKS = frozenset(
    {
        *("cell_contents", "__closure__", "f_locals", "f_back", "tb_frame", "gi_frame", "cr_frame"),
        *("ag_frame", "_getframe", "_getframemodulename", "_current_frames", "currentframe"),
        *("getouterframes", "getinnerframes", "getclosurevars", "getgeneratorlocals", "settrace"),
        *("getcoroutinelocals", "setprofile", "pythonapi", "PyCell_Set", "PyCell_Get", "pdb"),
        *("get_referents", "cloudpickle", "dill"),
    }
)


def looks_in(unit: Unit) -> bool:
    """True if code of the file names a means to reach variables of other code: it may read or
    assign a variable where no instruction that knows it does."""
    return unit.fact(_looks_in)


def _looks_in(unit: Unit) -> bool:
    for code in unit.codes:
        words = {part for name in code.names for part in name.split(".")}
        words.update(each for each in code.consts if type(each) is str)
        tuples = (each for each in code.consts if type(each) is tuple)
        words.update(each for held in tuples for each in held if type(each) is str)
        if not words.isdisjoint(_LOOKS):
            return True
        if "inspect" in words and not words.isdisjoint({"stack", "trace"}):
            return True
    return False


def changes_code(unit: Unit) -> bool:
    """True if code of the file assigns the code object of a function."""
    return unit.fact(_changes_code)


def _changes_code(unit: Unit) -> bool:
    return any("__code__" in code.names or "__code__" in code.consts for code in unit.codes)
