"""A function is called, or leaves, while a variable that it reads has no value.

A nested function finds a variable of the code around it when it runs, not when it is made. If no
path to its call assigns the variable, the call raises NameError; if no path to its return does,
each later call raises it. The rule follows every path through the code; it looks at functions that
read the variable on each of their own paths, and whose variable no nested code assigns.

    def load(path):
        def name():
            return prefix + path
        first = name()                      NameError: prefix comes later
        prefix = "data/"
        return first

An `except ... as error` takes its variable away when it ends, also when it returns:

        except OSError as error:
            return lambda: print(error)     error has no value any more

Silent: a call or a read whose exception the same code may handle. On CPython 3.8 and 3.9 a path
through a `finally` is not always followed, and the rule may be silent.

Proved: at this place in the source the variable is unassigned on every path, through handlers and
in each copy that the compiler made of the place; so the call does not return, and reading the
variable raises NameError. Assumed: nothing assigns the variable from outside, by a frame or a
cell. If code of the file names a means for that (`cell_contents`, `f_locals`, `currentframe`) or
assigns a `__code__`, the rule is silent; a debugger or a function of another file may still do it.

Assign the variable before, or bind its value: `lambda error=error: print(error)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from coscope.audits.closure.functions import (
    certain_read,
    changes_code,
    function_made,
    looks_in,
    swallows,
)
from coscope.audits.prefilter.cells import assigned_late
from coscope.audits.prefilter.glances import Glance, is_class_body
from coscope.audits.subject.origins import stores_of
from coscope.audits.subject.subject import Subject
from coscope.errors import CodeError
from coscope.facts.names.uses import uses_of
from coscope.flow.domains.assigned import Assigned, assigned
from coscope.flow.domains.origin import Origins
from coscope.flow.frames import Frames
from coscope.model import Code, Finding, Span

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
    if not nested or looks_in(subject.unit) or changes_code(subject.unit):
        return
    ways = _Ways(subject)
    for what, leaves in _places(subject):
        at = [(index, made_by) for index, made_by in leaves if ways.leads_to(index)]
        inners = [_function(subject, made_by) for _, made_by in at]
        inner = inners[0] if inners else None
        if inner is None or any(each is not inner for each in inners):
            continue
        late = [
            name
            for name in nested.get(id(inner), ())
            if not any(ways.has_value(index, name) for index, _ in at)
        ]
        if late and not (what == "is called" and swallows(subject, at[0][0])):
            yield from islice(_findings(subject, inner, late, at[0][0], what), 1)


def _places(subject: Subject) -> Iterator[tuple[str, list[tuple[int, Origins]]]]:
    """What is called or returned, by its place in the source.

    Of a short end of a function, and of what comes after a `finally`, the compiler makes several
    copies: each is on other paths, and what is said of the place must be true for all of them.
    """
    found: dict[tuple[str, Span], list[tuple[int, Origins]]] = {}
    for index, made_by, what in _leaves(subject):
        found.setdefault((what, subject.span(index)), []).append((index, made_by))
    for (what, _), leaves in found.items():
        yield what, leaves


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
        if read is not None and not swallows(own, read):
            yield subject.finding(
                CODE,
                f"{_shown(inner)} {what} while {name}, which it reads, has no value",
                index,
                confidence="proved",
                evidence=[
                    own.seen(read),
                    f"{name} is unassigned on every path to this {subject.opnames[index]}",
                ],
                why="reading it raises NameError",
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

    def leads_to(self, index: int) -> bool:
        """True if some path leads to the instruction, or nothing is known."""
        self.has_value(index, "")
        return self._known is None or self._known[1][index] is not None

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
