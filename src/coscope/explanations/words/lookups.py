"""KeyError and IndexError: what was looked for, what was there, what resembles it."""

from __future__ import annotations

from collections.abc import Iterator

from coscope.explanations.case import Case, built_in, near
from coscope.explanations.kinds import is_exactly
from coscope.explanations.model import THEN
from coscope.explanations.secrets import is_secret
from coscope.explanations.values import Known, plain_key, same_key
from coscope.readers.values import text_of

_SHOWN = 8  # keys that are listed
_LOOKED_AT = 10_000


def missing_key(case: Case) -> Iterator[str]:
    """A dict without the key."""
    if not case.is_a(KeyError) or not case.innermost:
        return
    args = built_in(BaseException, "args", case.error)
    if type(args) is not tuple or len(args) != 1:
        return
    key = args[0]
    container = case.operand("container", "lhs", "owner")
    if container is None or container.known is None:
        yield f"The key {text_of(key)} is missing{_in(case)}."
        return
    thing = container.known.thing
    sub = case.operand("sub", "rhs")
    if sub is not None and sub.known is None and type(thing) is dict:
        case.scene.facts[id(sub.node)] = Known(key, THEN)
    if type(thing) is not dict:
        yield f"{case.named(container)} is {case.described(thing)}, without the key {text_of(key)}."
        return
    yield f"{case.named(container)} is {case.described(thing)}, without the key {text_of(key)}."
    keys = list(thing)[:_LOOKED_AT]
    if plain_key(key) and any(same_key(held, key) for held in keys):
        yield "It has the key now: it was changed after the failure."
        return
    yield from _near_keys(case, key, keys)
    origin = None if sub is None or sub.node.variable is None else case.since(sub)
    if origin is not None:
        yield origin


def _in(case: Case) -> str:
    container = case.operand("container", "lhs")
    return f" in {case.named(container)}" if container is not None else ""


def _near_keys(case: Case, key: object, keys: list[object]) -> Iterator[str]:
    other = _of_other_type(key, keys)
    if other is not None:
        yield f"It has {text_of(other)}, of type {type(other).__name__}."
        return
    texts = [each for each in keys if type(each) is str]
    similar = near(key, texts) if type(key) is str else []
    if similar:
        yield f"Similar keys that it has: {', '.join(map(repr, similar))}."
    elif keys and len(keys) <= _SHOWN:
        shown = ", ".join(text_of(each, 30) for each in keys if not is_secret(each))
        yield f"Its keys: {shown}."


def _of_other_type(key: object, keys: list[object]) -> object:
    """A key that reads the same but is of another type: 1 and '1', b'a' and 'a'."""
    text = key.decode("utf-8", "replace") if type(key) is bytes else text_of(key).strip("'\"")
    for held in keys:
        if type(held) is type(key) or not plain_key(held):
            continue
        other = held.decode("utf-8", "replace") if type(held) is bytes else text_of(held)
        if other.strip("'\"") == text:
            return held
    return None


def outside_range(case: Case) -> Iterator[str]:
    """An index beyond the end of a sequence."""
    if not case.is_a(IndexError) or not case.innermost:
        return
    container = case.operand("container", "lhs")
    sub = case.operand("sub", "rhs")
    if container is None or sub is None or container.known is None:
        yield from _popped(case)
        return
    thing = container.known.thing
    if not is_exactly(thing, list, tuple, str, bytes, bytearray):
        return
    count = len(thing)  # type: ignore[arg-type]
    index = "" if sub.known is None else f" {case.value(sub)}"
    yield f"{case.named(container)} is {case.described(thing)}; the index{index} is out of range."
    if count == 0:
        origin = case.since(container)
        if origin is not None:
            yield origin
        return
    yield f"Valid indexes are {-count} to {count - 1}."
    if sub.known is not None and sub.known.thing == count and type(sub.known.thing) is int:
        yield "Indexes begin at 0: this one is just past the end."
    origin = case.since(sub) if sub.node.variable is not None else None
    if origin is not None:
        yield origin


def _popped(case: Case) -> Iterator[str]:
    """`pop` of an empty list or deque."""
    if case.message in ("pop from empty list", "pop from an empty deque"):
        yield "Nothing is left in it to pop."
