"""A function is called, or leaves, while a variable that it reads has no value.

A nested function finds a variable of the code around it when it runs, not when it is made. Where
control comes to its call on no way that has given the variable a value, the call raises NameError;
where it is returned so, each later call does. The rule follows every way through the code; it looks
at functions that read the variable on each of their own ways, and whose variable no nested code
assigns.

    def load(path):
        def name():
            return prefix + path
        first = name()                      NameError: prefix comes later
        prefix = "data/"
        return first

An `except ... as error` takes its variable away when it ends, also when it returns:

        except OSError as error:
            return lambda: print(error)     error has no value any more

To CPython 3.9 a way through a `finally` is not always followed, and the rule may be silent.

Assign the variable before, or bind its value: `lambda error=error: print(error)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from coscope.audits.closure.functions import certain_read, function_made
from coscope.audits.prefilter.cells import assigned_late
from coscope.audits.prefilter.glances import Glance, is_class_body
from coscope.audits.subject.origins import stores_of
from coscope.audits.subject.subject import Subject
from coscope.errors import CodeError
from coscope.facts.names.uses import uses_of
from coscope.flow.domains.assigned import Assigned, assigned
from coscope.flow.domains.origin import Origins
from coscope.flow.frames import Frames
from coscope.model import Code, Finding

CODE = "CLO108"
SEVERITY = "error"
CELLS = True

_LATER = 0x20 | 0x80 | 0x200  # generators and coroutines read nothing when they are called


def may_find(seen: Glance) -> bool:
    return seen.parent is not None and not is_class_body(seen.code) and assigned_late(seen)


def check(subject: Subject) -> Iterator[Finding]:
    code = subject.code
    if code.kind in ("module", "class body") or subject.graph is None:
        return
    nested = {
        id(each): names
        for each in code.consts
        if isinstance(each, Code) and (names := _late(subject, each))
    }
    if not nested:
        return
    ways = _Ways(subject)
    for index, made_by, what in _leaves(subject):
        inner = _function(subject, made_by)
        if inner is None:
            continue
        late = [name for name in nested.get(id(inner), ()) if not ways.has_value(index, name)]
        yield from islice(_findings(subject, inner, late, index, what), 1)


def _findings(
    subject: Subject, inner: Code, late: Iterable[str], index: int, what: str
) -> Iterator[Finding]:
    """A finding for each unassigned variable that the function certainly reads.

    Args:
        subject: The code that calls or returns the function.
        inner: The function's code.
        late: The variables that are unassigned at the instruction.
        index: Of the instruction.
        what: What it does with the function.
    """
    own = Subject(inner, subject.unit)
    for name in late:
        read = certain_read(own, name)
        if read is not None:
            yield subject.finding(
                CODE,
                f"{_shown(inner)} {what} while {name}, which it reads, has no value",
                index,
                confidence="proved",
                evidence=[
                    own.seen(read),
                    f"{name} is unassigned on every path to this {subject.opnames[index]}",
                ],
                why="the call raises NameError",
                instead=f"assign {name} before, or bind its value as a default",
            )


def _shown(code: Code) -> str:
    return code.name if code.name.isidentifier() else "the function"


def _late(subject: Subject, inner: Code) -> tuple[str, ...]:
    """The variables of the code around that a nested function reads, and that come or go late."""
    if inner.flags & _LATER or inner.kind == "class body":
        return ()
    wanted = set(inner.freevars) & set(subject.code.cellvars)
    wanted = {name for name in wanted if not name.startswith(("__class", "."))}
    given = set(_parameters(subject.code))
    for code in subject.code.walk():
        if not wanted:
            break
        for name, _, use in uses_of(code):
            changes = use.access in ("write cell", "delete cell")
            if changes and code is not subject.code:
                wanted.discard(name)
            elif use.access == "delete cell":
                given.discard(name)
    return tuple(sorted(wanted - given))


def _parameters(code: Code) -> tuple[str, ...]:
    """The names of all parameters, those with asterisks too."""
    count = code.argcount + code.kwonlyargcount
    return code.varnames[: count + bool(code.flags & 0x4) + bool(code.flags & 0x8)]


def _leaves(subject: Subject) -> Iterator[tuple[int, Origins, str]]:
    """Where a value is called or returned: the instruction, what made the value, and how."""
    for call in subject.calls:
        yield call.index, call.callee, "is called"
    for index in subject.where("RETURN_VALUE"):
        taken = subject.takers.get(index)
        if taken is not None and taken[1]:
            yield index, taken[1][0], "is returned"


def _function(subject: Subject, made_by: Origins) -> Code | None:
    """The nested function that a value certainly is, also through a local variable."""
    made = function_made(subject, made_by)
    if made is not None or len(made_by) != 1 or min(made_by) < 0:
        return made
    (index,) = made_by
    row = subject.rules.by_code[subject.instructions.opcodes[index]]
    name = subject.instructions.argval(index)
    if row is None or row.access != ("read local",) or type(name) is not str:
        return None
    stores = [origins for _, origins in stores_of(subject, name)]
    if len(stores) != 1 or stores[0] is None:
        return None
    return function_made(subject, stores[0])


class _Ways:
    """Which variables may have a value before an instruction; computed when first asked."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._known: tuple[Assigned, Frames[bool]] | None = None
        self._failed = False

    def has_value(self, index: int, name: str) -> bool:
        """False if the variable is unassigned on every path to the instruction."""
        graph = self.subject.graph
        if self._known is None and not self._failed and graph is not None:
            try:
                self._known = assigned(graph)
            except CodeError:
                self._failed = True
        if self._known is None:
            return True
        domain, frames = self._known
        frame = frames[index]
        bits = [bit for bit, held in domain.bits.items() if held == name]
        return frame is None or not bits or bool(frame.locals >> bits[0] & 1)
