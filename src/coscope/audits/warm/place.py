"""One site, and what is known of the values that come there: samples, globals, closure."""

from __future__ import annotations

import re
from types import CodeType, FunctionType, ModuleType
from typing import Any

from coscope.audits.subject.subject import Subject
from coscope.audits.warm.samples import seen_of
from coscope.audits.warm.specialization import Site
from coscope.readers.attributes import MISSING, class_attribute, is_a, member
from coscope.readers.values import name_of_class

_STORES = ("STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST")
_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LEAST_MIX = 0.1  # of the samples, that are of another type than the most frequent one
_ENOUGH = 10  # samples, from which a type that was not seen is held for one that does not come


class Place:
    """One site of a live function."""

    def __init__(
        self,
        subject: Subject,
        co: CodeType,
        function: FunctionType,
        cls: type | None,
        site: Site,
        index: int,
    ) -> None:
        self.subject, self.co, self.function, self.cls = subject, co, function, cls
        self.site, self.index = site, index
        stack = subject.stack(index)
        self.owner = str(stack[-1]) if stack else ""
        self.attribute = ""
        self.types: list[type] = []

    def is_sampled(self) -> bool:
        """True if a type of a local that was not seen hardly comes."""
        seen = seen_of(self.co)
        return seen is not None and seen.samples >= _ENOUGH

    def is_mixed(self) -> bool:
        """True if the owner was not of one and the same type nearly always."""
        seen = seen_of(self.co)
        times = list(seen.times.get(self.owner, {}).values()) if seen is not None else []
        return sum(times) - max(times, default=0) >= _LEAST_MIX * sum(times)

    def is_item(self) -> bool:
        """True if the owner is what the loop around the site goes through, and nothing else."""
        loop = self.subject.loop_at(self.index)
        if loop is None or loop.iterates is None:
            return False
        columns = self.subject.instructions
        stored = [
            index
            for index in self.subject.where(*_STORES)
            # Of two names in one instruction the second may be loaded: then it counts too much.
            if self.owner in columns.argrepr(index).split(", ")
        ]
        return len(stored) == 1 and stored[0] in loop.every_round

    def kinds(self, otherwise: str) -> str:
        names = [name_of_class(cls) for cls in self.types]
        return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else otherwise

    def local_types(self, name: str) -> list[type]:
        seen = seen_of(self.co)
        return list(seen.types.get(name, {}).values()) if seen is not None else []

    def owner_types(self) -> list[type]:
        found = self.local_types(self.owner) if self.owner in self.co.co_varnames else []
        first = self.co.co_varnames[:1] if self.co.co_argcount else ()
        if not found and self.cls is not None and self.owner in first:
            found = [self.cls]
        return [cls for cls in found if cls is not type(None)] or found

    def object_of_owner(self) -> Any:
        """The module or class that the owner's path leads to from a global name; else MISSING."""
        return self.resolved(self.owner) if _PATH.fullmatch(self.owner) else MISSING

    def resolved(self, path: str) -> object:
        first, *rest = path.split(".")
        co = self.co
        if first in co.co_varnames or first in co.co_cellvars:
            return MISSING
        thing: Any = MISSING
        if first in co.co_freevars:
            index = co.co_freevars.index(first)
            if co is self.function.__code__ and self.function.__closure__ is not None:
                try:
                    thing = self.function.__closure__[index].cell_contents
                except ValueError:  # the cell is empty
                    return MISSING
        else:
            live: Any = self.function  # mypy's stubs do not always know of __builtins__
            found = dict.get(self.function.__globals__, first, MISSING)
            thing = dict.get(live.__builtins__, first, MISSING) if found is MISSING else found
        for name in rest:
            if thing is MISSING:
                return MISSING
            if is_a(thing, ModuleType):
                thing = dict.get(member(ModuleType, "__dict__", thing), name, MISSING)
            elif is_a(thing, type):
                thing = class_attribute(thing, name)
            else:
                return MISSING
        return thing
