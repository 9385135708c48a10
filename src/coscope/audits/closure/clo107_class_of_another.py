"""A method looks at a class that is not the one it is found in, by `super()` or `__class__`.

`super()` and `__class__` read a cell that the class statement fills. A decorator that makes a new
class and moves the methods over, as `dataclass(slots=True)` does up to CPython 3.13, leaves the
old class in the cell: `super()` then raises "TypeError: super(type, obj): obj must be an instance
or subtype of type", as long as nobody mends the cell. attrs mends those of plain methods, and does
not find the one that a decorated method holds.

    @dataclass(slots=True)
    class Point(Base):
        x: int
        def area(self):
            return super().area()       TypeError up to 3.13

Where the method only names `__class__`, nothing is raised: it gets the class that was replaced, so
that `isinstance(self, __class__)` is false. That is a warning.

Proved: the class does not descend from the class in the cell. Assumed: the method is
called through the class in which it was found, and nobody fills the cell later.

Write `super(Point, self)`, or take `slots=True` away. CPython 3.14 mends the cell (gh-90562).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from types import FunctionType

from coscope.audits.subject.objects import Live
from coscope.audits.subject.subject import Subject, Unit
from coscope.audits.subject.world import World
from coscope.facts.dependencies.following import held_by
from coscope.model import Finding
from coscope.readers.attributes import is_a, mro_of
from coscope.readers.from_function import from_function
from coscope.readers.values import name_of_class

CODE = "CLO107"
SEVERITY = "error"
LIVE = True

_MOST = 20  # objects that are looked at for the functions of one method


def check(subject: Subject) -> Iterator[Finding]:
    live = subject.live
    if live is None or not live.in_class:
        return
    for function in _functions_in(live):
        held = _class_held(function)
        if held is not None and not any(held is base for base in mro_of(live.owner)):
            yield from _findings(_subject_of(function, subject, live), live, held)


def _findings(subject: Subject, live: Live, held: type) -> Iterator[Finding]:
    owner = name_of_class(live.owner)
    same = name_of_class(held) == owner
    raises, found = _uses(subject)
    if not found:
        return
    word = "super()" if raises else "__class__"
    yield subject.finding(
        CODE,
        f"{word} in {live.name} looks at another class than {owner}",
        found[0],
        severity="error" if raises else "warning",
        confidence="proved",
        evidence=[
            f"the cell of __class__ holds {name_of_class(held)} at {id(held):#x}",
            f"the method is in {owner} at {id(live.owner):#x}"
            + (", a class of the same name" if same else ""),
        ],
        why="super() raises TypeError for instances of a class that does not descend from it"
        if raises
        else "__class__ is the class that was replaced: no instance is one of it",
        instead="name the class: super(Class, self)" if raises else "name the class, or type(self)",
    )


def _functions_in(live: Live) -> Iterator[FunctionType]:
    """The function that a class holds, and those inside of it that its class statement made.

    A decorated method is held by the closure of its wrapper, a property's by the property.
    """
    pending, seen = [live.thing], set[int]()
    while pending and len(seen) < _MOST:
        thing = pending.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if type(thing) is FunctionType and (thing is live.thing or _is_method_of(thing, live)):
            yield thing
        parts = [part for _, part in held_by(thing)]
        if type(thing) is FunctionType:
            parts += [World.contents(cell) for cell in thing.__closure__ or ()]
        pending += [part for part in parts if type(part) in _HOLDERS]


_HOLDERS = (FunctionType, staticmethod, classmethod, property, type(lru_cache(len)))


def _is_method_of(function: FunctionType, live: Live) -> bool:
    """True if it was defined in a class statement of the owner's name, under the held name."""
    around, _, name = function.__code__.co_qualname.rpartition(".")
    owner = type.__dict__["__qualname__"].__get__(live.owner)
    return around == owner and name == live.name


def _subject_of(function: FunctionType, subject: Subject, live: Live) -> Subject:
    if function is live.function:
        return subject
    read = from_function(function)
    unit = Unit(read.code.filename, None, read.source, subject.version, subject.options)
    return Subject(read.code, unit, live)


def _class_held(function: FunctionType) -> type | None:
    """The class that the cell of `__class__` holds; None if there is no such cell or class."""
    names = function.__code__.co_freevars
    if "__class__" not in names or function.__closure__ is None:
        return None
    held = World.contents(function.__closure__[names.index("__class__")])
    return held if is_a(held, type) else None


def _uses(subject: Subject) -> tuple[bool, list[int]]:
    """Where code looks at its class, and whether by `super()`, which then raises.

    Up to 3.11 super() looks at its caller's cell, and the code itself loads only `super`. With two
    arguments it names its class.
    """
    columns = subject.instructions
    reads = [at for at in subject.where("LOAD_DEREF") if columns.argval(at) == "__class__"]
    calls = [
        call.index
        for call in subject.calls
        if call.path == "super" and not (call.positional or call.keywords or call.starred)
    ]
    supers = [
        at
        for at in subject.where("LOAD_SUPER_ATTR")
        if at in subject.takers and not subject.takers[at][1][1].isdisjoint(reads)
    ]
    return bool(calls or supers), sorted(calls or supers) or reads
