"""A function is kept beyond the round of a loop that assigns a variable which it reads.

A closure holds a variable, not its value at the time. All functions that the loop makes in one
call share the cell of the variable; those that are kept in a container until the loop is over find
what its last round assigned, each of them.

    def handlers(names):
        found = []
        for name in names:
            found.append(lambda: print(name))     each prints the last name
        return found

The rule follows the function from where it is made: into a list, set or dictionary that the loop
did not make itself, by a method, a subscript or a comprehension. A function that is only called in
the round, or handed to a call, to `sorted` or `map`, is left alone: it may be done before the next
round. So is one that is returned, and one after which the loop always ends.

CLO101 finds the same on live functions, whichever way they were kept.

Proved: the loop assigns the variable again, on some path, after the function was kept, and the
function reads it. Assumed: the container is read after the loop, and the loop has more than one
round.

Bind the value: `lambda name=name: print(name)`, `functools.partial(print, name)`, or make the
function by calling another one with the value as argument.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.closure.functions import function_made
from coscope.audits.prefilter.glances import Glance, cells_of, free_of, nested_in
from coscope.audits.subject.calls import Call
from coscope.audits.subject.loops import LoopFacts
from coscope.audits.subject.origins import stores_of
from coscope.audits.subject.subject import Subject
from coscope.facts.names.uses import uses_of
from coscope.flow.domains.origin import Origins
from coscope.flow.graph import Block
from coscope.model import Code, Finding

CODE = "CLO109"
SEVERITY = "warning"
CELLS = True
LOOPS = True

# Methods by which a container keeps an argument.
_KEEPS = frozenset({"append", "appendleft", "add", "insert", "setdefault", "push", "put"})
_DISPLAYS = ("LIST_APPEND", "SET_ADD", "MAP_ADD")
_BUILDS = frozenset({"BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP"})


def may_find(seen: Glance) -> bool:
    cells = frozenset(cells_of(seen.code))
    return any(not cells.isdisjoint(free_of(each)) for each in nested_in(seen.code))


def check(subject: Subject) -> Iterator[Finding]:
    if subject.graph is None or not subject.loops:
        return
    assigned = _assigned(subject)
    if not assigned:
        return
    reported: set[tuple[int, str]] = set()
    for index, made_by, what in _kept(subject):
        for inner, maker in _functions(subject, made_by):
            loop = _loop_of(subject, maker, index)
            if loop is None:
                continue
            for name in _read_late(subject, inner, loop, assigned, index):
                if (maker, name) in reported:
                    continue
                reported.add((maker, name))
                yield subject.finding(
                    CODE,
                    f"{_shown(inner)} is kept beyond the round of the loop that assigns {name}, "
                    "which it reads",
                    maker,
                    confidence="proved",
                    evidence=[
                        subject.seen(assigned[name][0]),
                        subject.seen(index, what),
                    ],
                    why=f"each of these functions finds the {name} of the last round",
                    instead=f"bind the value: {name}={name} as a default, or functools.partial",
                )


def _shown(code: Code) -> str:
    return code.name if code.name.isidentifier() else "a function"


def _assigned(subject: Subject) -> dict[str, list[int]]:
    """Cell variable -> instructions of this code that assign it."""
    found: dict[str, list[int]] = {}
    own = set(subject.code.cellvars)
    for name, _, use in uses_of(subject.code):
        if name in own and use.access == "write cell":
            found.setdefault(name, []).append(subject.instructions.at(use.offset).index)
    return found


def _read_late(
    subject: Subject, inner: Code, loop: LoopFacts, assigned: dict[str, list[int]], index: int
) -> Iterator[str]:
    """Variables that a function reads and that the loop assigns again after it was kept."""
    for name in inner.freevars:
        writes = [at for at in assigned.get(name, ()) if at in loop.indexes]
        if writes and _reads(inner, name) and any(_leads(subject, index, at) for at in writes):
            yield name


def _reads(code: Code, name: str) -> bool:
    """True if the code, or code nested in it, reads the variable."""
    return any(
        used == name and use.access.startswith("read")
        for each in code.walk()
        if name in each.freevars
        for used, _, use in uses_of(each)
    )


def _leads(subject: Subject, start: int, goal: int) -> bool:
    """True if control can reach an instruction from right after another one."""
    graph = subject.graph
    assert graph is not None
    first, last = graph.block_of(start), graph.block_of(goal).index
    if first.index == last and goal > start:
        return True
    pending = _successors(first)
    seen: set[int] = set()
    while pending:
        number = pending.pop()
        if number == last:
            return True
        if number not in seen:
            seen.add(number)
            pending.extend(_successors(graph.blocks[number]))
    return False


def _successors(block: Block) -> list[int]:
    """The blocks that control goes to from a block, but for handlers of exceptions."""
    return [edge.target for edge in block.edges if edge.kind != "exception"]


def _loop_of(subject: Subject, maker: int, kept: int) -> LoopFacts | None:
    """The innermost loop that makes the function and keeps it, for functions it makes anew."""
    around = [x for x in subject.loops if maker in x.indexes and kept in x.indexes]
    return max(around, key=lambda loop: loop.depth, default=None)


def _kept(subject: Subject) -> Iterator[tuple[int, Origins, str]]:
    """Where a value is kept in a container: the instruction, what made the value, and how."""
    yield from _kept_by_calls(subject)
    yield from _kept_by_comprehensions(subject)
    yield from _kept_by_subscripts(subject)


def _kept_by_calls(subject: Subject) -> Iterator[tuple[int, Origins, str]]:
    for call in subject.calls:
        name = _keeper(call)
        if name is not None and _is_older(subject, call.path or "", call.index):
            for argument in (*call.positional, *(value for _, value in call.keywords)):
                yield call.index, argument, f"{call.path}(...) keeps it"


def _kept_by_comprehensions(subject: Subject) -> Iterator[tuple[int, Origins, str]]:
    for index in subject.where(*_DISPLAYS):
        taken = subject.takers.get(index)
        if taken is not None and taken[1] and _is_comprehension(subject, index):
            yield index, taken[1][-1], "the comprehension keeps it"


def _kept_by_subscripts(subject: Subject) -> Iterator[tuple[int, Origins, str]]:
    for index in subject.where("STORE_SUBSCR"):
        taken = subject.takers.get(index)
        if taken is None:
            continue
        value, held = (taken[0].operand(taken[1], name) for name in ("value", "container"))
        path = _path_of(subject, held[0]) if held else None
        if value and path is not None and _is_older(subject, path, index):
            yield index, value[0], f"{path}[...] keeps it"


def _keeper(call: Call) -> str | None:
    name = (call.path or "").rpartition(".")[2]
    return name if name in _KEEPS and "." in (call.path or "") else None


def _is_comprehension(subject: Subject, index: int) -> bool:
    """True if the items go to a list that was there before the loop."""
    loop = subject.loop_at(index)
    return loop is not None and any(
        at not in loop.indexes for at in subject.where("BUILD_LIST", "BUILD_SET", "BUILD_MAP")
    )


def _path_of(subject: Subject, origins: Origins) -> str | None:
    """The variable that a value was read from."""
    if len(origins) != 1 or min(origins) < 0:
        return None
    (index,) = origins
    return _variable_read(subject, index, "read")


def _variable_read(subject: Subject, index: int, access: str) -> str | None:
    """The variable that an instruction reads; where it reads two, that of the value's slot."""
    row = subject.rules.by_code[subject.instructions.opcodes[index]]
    names = subject.instructions.argval(index)
    names = names if isinstance(names, tuple) else (names,)
    at = getattr(index, "slot", 0)
    if row is None or at >= len(row.access) or at >= len(names):
        return None
    name = names[at]
    return name if type(name) is str and row.access[at].startswith(access) else None


def _is_older(subject: Subject, path: str, index: int) -> bool:
    """True if the loop around an instruction does not assign the container's variable."""
    root = path.partition(".")[0]
    loop = subject.loop_at(index)
    if loop is None:
        return False
    columns = subject.instructions
    for at in loop.indexes:
        row = subject.rules.by_code[columns.opcodes[at]]
        if row is None or not any(access.startswith("write") for access in row.access):
            continue
        names = columns.argval(at)
        if root in (names if isinstance(names, tuple) else (names,)):
            return False
    return True


def _functions(subject: Subject, made_by: Origins) -> Iterator[tuple[Code, int]]:
    """The nested functions that a value certainly is or holds, and where each is made."""
    made = function_made(subject, made_by)
    if made is not None:
        yield made, min(made_by)
        return
    if len(made_by) != 1 or min(made_by) < 0:
        return
    (index,) = made_by
    if subject.opnames[index] in _BUILDS:
        taken = subject.takers.get(index)
        for each in taken[1] if taken is not None else ():
            yield from _direct(subject, each)
        return
    yield from _through_local(subject, index)


def _direct(subject: Subject, made_by: Origins) -> Iterator[tuple[Code, int]]:
    made = function_made(subject, made_by)
    if made is not None:
        yield made, min(made_by)
    elif len(made_by) == 1 and min(made_by) >= 0:
        yield from _through_local(subject, min(made_by))


def _through_local(subject: Subject, index: int) -> Iterator[tuple[Code, int]]:
    """A local variable that is assigned once: `def each(): ...`, then `found.append(each)`."""
    name = _variable_read(subject, index, "read local")
    if name is None:
        return
    stores = list(stores_of(subject, name))
    if len(stores) == 1 and stores[0][1] is not None:
        made = function_made(subject, stores[0][1])
        if made is not None:
            yield made, min(stores[0][1])
