"""AttributeError: what the object is, where it came from, which names it has."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from coscope.explanations.case import Case, Taken, built_in, listed, near
from coscope.readers.attributes import is_a
from coscope.readers.members import names_in


def missing_attribute(case: Case) -> Iterator[str]:
    """The owner is None, another type than expected, or the name is misspelt."""
    if not case.is_a(AttributeError):
        return
    name = built_in(AttributeError, "name", case.error)
    owner = case.operand("owner") if case.innermost else None
    wanted = f"`{name}`" if type(name) is str and name else "that name"
    if owner is None or owner.known is None:
        thing = built_in(AttributeError, "obj", case.error)
        if type(name) is str and name and thing is not None:
            yield from _near(name, thing)
        return
    thing = owner.known.thing
    yield f"{case.named(owner)} is {case.described(thing)}, which has no attribute {wanted}."
    origin = case.since(owner)
    if origin is not None:
        yield origin
    if thing is None:
        yield from _from_get(case, owner)
    elif type(name) is str:
        yield from _near(name, thing)


def _near(name: str, thing: object) -> Iterator[str]:
    similar = near(name, names_in(thing))
    if similar:
        yield f"Similar names that it has: {listed(similar)}."
    if is_a(thing, ModuleType) and "__spec__" in vars(ModuleType)["__dict__"].__get__(thing):
        spec = vars(ModuleType)["__dict__"].__get__(thing)["__spec__"]
        if getattr(spec, "_initializing", False) is True:
            yield "The module is still being imported: the import is circular."


def _from_get(case: Case, owner: Taken) -> Iterator[str]:
    """`dict.get` gives None for a missing key: the commonest way to a None."""
    origins = case.origins(owner.node)
    texts = [each.text or "" for each in origins] or [owner.text]
    if len(texts) == 1 and ".get(" in texts[0] and texts[0].endswith(")"):
        yield "`get` returns None if the key is missing and no default is given."
    if len(texts) == 1 and any(f".{word}(" in texts[0] for word in _MATCHERS):
        yield "A match returns None if the pattern does not match."
    if len(texts) == 1 and any(texts[0].endswith(f".{word}") for word in _IN_PLACE):
        yield "Methods that change a list in place return None."


_MATCHERS = ("match", "search", "fullmatch")
_IN_PLACE = ("sort()", "reverse()", "clear()")
