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
    function = live.function
    if "__class__" not in function.__code__.co_freevars or function.__closure__ is None:
        return
    at = function.__code__.co_freevars.index("__class__")
    held = World.contents(function.__closure__[at])
    if not is_a(held, type) or any(held is base for base in mro_of(live.owner)):
        return
    columns = subject.instructions
    found = [
        index  # to 3.11 super() looks at its caller's cell, and the code loads super alone
        for index in subject.where("LOAD_DEREF", "LOAD_GLOBAL")
        if columns.argval(index) in ("__class__", "super")
    ]
    if not found or live.thing is not function:
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
