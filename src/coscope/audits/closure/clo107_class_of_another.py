"""`super()` of a method looks at a class that the method's class does not descend from.

`super()` and `__class__` read a cell that the class statement fills. A decorator that makes a new
class and moves the methods over, as `dataclass(slots=True)` does up to CPython 3.13, leaves the
old class in the cell: `super()` then raises "TypeError: super(type, obj): obj must be an instance
or subtype of type", as long as nobody mends the cell.

    @dataclass(slots=True)
    class Point(Base):
        x: int
        def area(self):
            return super().area()       TypeError up to 3.13

Write `super(Point, self)`, or take `slots=True` away. CPython 3.14 mends the cell (gh-90562).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType

from coscope.audits.subject.subject import Subject
from coscope.audits.subject.world import World
from coscope.model import Finding
from coscope.readers.attributes import is_a, mro_of
from coscope.readers.values import name_of_class

CODE = "CLO107"
SEVERITY = "error"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    live = subject.live
    if live is None or live.function is None or not live.in_class:
        return
    held = _class_held(live.function)
    if held is None or any(held is base for base in mro_of(live.owner)):
        return
    found = _uses_of_super(subject)
    if not found or live.thing is not live.function:
        return
    same = name_of_class(held) == name_of_class(live.owner)
    yield subject.finding(
        CODE,
        f"super() in {live.name} looks at another class than {name_of_class(live.owner)}",
        found[0],
        confidence="proved",
        evidence=[
            f"the cell of __class__ holds {name_of_class(held)} at {id(held):#x}",
            f"the method is in {name_of_class(live.owner)} at {id(live.owner):#x}"
            + (", a class of the same name" if same else ""),
        ],
        why="super() raises TypeError for instances of a class that does not descend from it",
        instead="name the class: super(Class, self)",
    )


def _class_held(function: FunctionType) -> type | None:
    """The class that the cell of `__class__` holds; None if there is no such cell or class."""
    names = function.__code__.co_freevars
    if "__class__" not in names or function.__closure__ is None:
        return None
    held = World.contents(function.__closure__[names.index("__class__")])
    return held if is_a(held, type) else None


def _uses_of_super(subject: Subject) -> list[int]:
    """Where code looks at its class.

    Up to 3.11 super() looks at its caller's cell, and the code itself loads only `super`.
    """
    columns = subject.instructions
    return [
        index
        for index in subject.where("LOAD_DEREF", "LOAD_GLOBAL")
        if columns.argval(index) in ("__class__", "super")
    ]
