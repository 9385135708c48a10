"""Everything in an object that keeps it from being pickled, each with its path and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import NamedTuple

from coscope.facts.shipping.cargo import Step, Walk, parts_of, path_text
from coscope.facts.shipping.clocks import Clock
from coscope.facts.shipping.picklability import PARTS, REFUSES, opinion_of
from coscope.facts.shipping.references import CLOUDPICKLE, TOOLS
from coscope.model import Value
from coscope.readers.attributes import is_a
from coscope.readers.values import type_name_of, value_of

MOST_CULPRITS = 200  # that are listed
_MOST_OBJECTS = 100_000  # looked at


@dataclass(frozen=True, slots=True)
class Culprit:
    """One object that a tool refuses, whatever else there is."""

    path: tuple[Step, ...]  # from the target
    value: Value
    tools: tuple[str, ...]  # those that refuse it
    reason: str
    advice: str  # what to do about it

    @property
    def text(self) -> str:
        """The path and the type: "task -> closure 'pool' -> attribute lock: _thread.lock"."""
        return f"{path_text(self.path)}: {self.value.type_name}"


class Culprits(NamedTuple):
    """What `culprits_of` found."""

    found: tuple[Culprit, ...]  # nearest to the target first
    complete: bool  # False: a limit stopped the search


def culprits_of(thing: object, path: tuple[Step, ...], clock: Clock) -> Culprits:
    """Look through all parts of an object for those that pickle or cloudpickle refuses by type.

    Nothing of the object runs. What only running it can show is not among them.

    Args:
        thing: Any object.
        path: The steps to it.
        clock: The time for it.
    """
    found: dict[int, Culprit] = {}
    complete = True
    for tool in TOOLS:
        walk = Walk(thing, path)
        for at, part in walk:
            if (not at & 63 and clock.over()) or at >= _MOST_OBJECTS or len(found) >= MOST_CULPRITS:
                complete = False
                break
            opinion = opinion_of(part, tool)
            if opinion.answer == REFUSES:
                found[id(part)] = _with(found.get(id(part)), part, tool, walk.path(at), opinion[1])
            by_value = opinion.answer == REFUSES and type(part) is FunctionType
            if opinion.answer == PARTS or by_value:  # what would be next in the way of a function
                for step, inner in parts_of(part, CLOUDPICKLE if by_value else tool):
                    walk.meet(at, step, inner)
    culprits = sorted(found.values(), key=lambda culprit: len(culprit.path))
    return Culprits(tuple(culprits), complete)


def _with(
    known: Culprit | None, part: object, tool: str, path: tuple[Step, ...], reason: str
) -> Culprit:
    """A culprit that one more tool refuses."""
    if known is not None:
        return Culprit(known.path, known.value, (*known.tools, tool), known.reason, known.advice)
    return Culprit(path, value_of(part), (tool,), reason, advice_for(part))


# Type -> what to do. The names are those of the types' own modules.
_MAKE_THERE = "make it in the function that runs, or leave it out in __getstate__"
_ADVICE = {
    "_thread.lock": f"a lock guards one process only: {_MAKE_THERE}",
    "_thread.RLock": f"a lock guards one process only: {_MAKE_THERE}",
    "_thread._local": f"thread-local data belongs to its process: {_MAKE_THERE}",
    "_contextvars.ContextVar": "read its value before, and pass the value",
    "_contextvars.Context": "read its values before, and pass the values",
    "async_generator": "pass what it is made from, and call the function where it runs",
    "coroutine": "pass the function and its arguments, and call it where it runs",
    "frame": "pass the values that you need of it",
    "generator": "pass a list of its items, or what it is made from",
    "mmap.mmap": "pass the path, and map the file where the function runs",
    "select.epoll": _MAKE_THERE,
    "socket.socket": "pass the address, and connect where the function runs",
    "sqlite3.Connection": "pass the path of the database, and connect where the function runs",
    "sqlite3.Cursor": "pass the query, and connect where the function runs",
    "ssl.SSLContext": _MAKE_THERE,
    "ssl.SSLSocket": "pass the address, and connect where the function runs",
    "traceback": "pass its text: traceback.format_exception(error)",
    "weakref.ReferenceType": "pass the object itself, or its key",
    "weakref.WeakKeyDictionary": "pass a dict of the same items",
    "weakref.WeakValueDictionary": "pass a dict of the same items",
}
_FILES = ("_io.", "codecs.Stream", "tempfile._Temporary")


def advice_for(thing: object) -> str:
    """What to do about an object that a tool refuses, by its type."""
    if type(thing) is FunctionType:
        return "define it at the top of its module under its own name, or ship it with cloudpickle"
    if is_a(thing, type):
        return "define the class at the top of its module, or ship it with cloudpickle"
    if is_a(thing, ModuleType):
        return "import it inside the function that uses it, or ship it with cloudpickle"
    name = type_name_of(thing)
    if name.startswith(_FILES):
        return "pass the path, and open the file where the function runs"
    if name.startswith("multiprocessing.queues."):
        return "pass it when the process is started: Process(args=(queue,)), or use a Manager"
    return _ADVICE.get(name, _MAKE_THERE)
