"""The qualified name of a function finds another object, or nothing.

`pickle` writes a function as module and qualified name, and refuses where they do not lead back to
it: "it's not the same object as ...", "attribute lookup failed". So does everything that ships
functions by name: multiprocessing, task queues, concurrent futures. The rule runs only where
pickling is asked for (`--pickle`, or `pickle = true` in `[tool.coscope]`), because a name is not
always meant for it.

    def traced(fn):
        @functools.wraps(fn)
        def wrapper(*args): ...
        return wrapper

    _load = load = traced(load)           fine: load.__qualname__ finds the wrapper
    fetch = traced(load)                  fetch.__qualname__ is "load": another object

Modules that are not loaded, or answer for their names by code, are not asked.

Proved: following module and qualified name, as `pickle` does, does not lead to the function, now.

Give it the name under which it is found: `fetch.__qualname__ = "fetch"`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

from coscope.audits.subject.subject import Subject
from coscope.facts.shipping.references import PICKLE, found_at, goes_by_name, name_of
from coscope.model import Finding
from coscope.readers.attributes import MISSING, member
from coscope.readers.values import text_of

CODE = "SIG109"
SEVERITY = "warning"
LIVE = True


def check(subject: Subject) -> Iterator[Finding]:
    live = subject.live
    if not subject.options.pickle or live is None or live.name is None:
        return
    thing = live.thing
    if type(thing) is not FunctionType or goes_by_name(thing, PICKLE):
        return
    module, qualname = name_of(thing)
    if module is not None and not _is_plain(module):
        return
    other = found_at(module, qualname) if module is not None else MISSING
    what = "nothing" if other is MISSING else text_of(other)
    yield subject.finding(
        CODE,
        f"{live.name} cannot be pickled: {module}.{qualname} finds {what}",
        confidence="proved",
        evidence=[f"__module__ is {module}, __qualname__ is {qualname}"],
        why="pickle writes a function by its name, and looks it up before it does",
        instead="set __module__ and __qualname__ to where it is found",
    )


def _is_plain(name: str) -> bool:
    """True for a loaded module that finds its names in its dictionary alone."""
    module = dict.get(sys.modules, name)
    return type(module) is ModuleType and "__getattr__" not in member(
        ModuleType, "__dict__", module
    )
