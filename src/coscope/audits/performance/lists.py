"""The locals of a function that hold lists, as its own code proves."""

from __future__ import annotations

from coscope.audits.subject.origins import stores_of
from coscope.audits.subject.subject import Subject


def new_lists(subject: Subject) -> frozenset[str]:
    """The locals, no parameters, to which nothing but a new list is assigned."""
    opnames = subject.opnames
    code = subject.code
    count = code.argcount + code.kwonlyargcount
    count += bool(code.flags & 0x4) + bool(code.flags & 0x8)
    found = set()
    for name in code.varnames[count:]:
        made = [origins for _, origins in stores_of(subject, name)]
        if made and all(
            origins is not None and all(at >= 0 and opnames[at] == "BUILD_LIST" for at in origins)
            for origins in made
        ):
            found.add(name)
    return frozenset(found)
