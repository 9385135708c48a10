"""What went into a fingerprint, piece by piece, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from coscope.facts.fingerprints.literals import digest

ARROW = " -> "
_LONGEST = 160  # characters of a value that are kept; a longer one is replaced by its digest


class Component(NamedTuple):
    """One input of a part: what it is called there, and its canonical text or digest."""

    label: str  # "code", "default of x", "global LIMIT", "cell rate"
    value: str  # "int 3", "sha256:...", "library numpy 2.1.0", "-> helper" (another part)


@dataclass(frozen=True, slots=True)
class Part:
    """One function, class or mutable object that counts."""

    path: str  # from the target, "" for the target itself: "<lambda> -> helper -> CONFIG"
    kind: str  # "function", "class", "list", "instance of app.Config"
    components: tuple[Component, ...]
    owner: str = ""  # path of the part by which it was first reached


@dataclass(frozen=True, slots=True)
class Unknown:
    """An input that its content does not identify. It counts by its type or name alone."""

    path: str
    type_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two fingerprints."""

    path: str  # of the part
    label: str  # of the component; "" for a whole part
    old: str | None  # None: it was not there
    new: str | None  # None: it is gone


def changes(old: Iterable[Part], new: Iterable[Part]) -> Iterator[Change]:
    """What differs, in the order of the newer parts.

    A part that is new because a component leads to it, or gone with one, is not reported by
    itself: the component shows it.
    """
    before = {part.path: part for part in old}
    after = {part.path: part for part in new}
    for path, part in after.items():
        if path in before:
            yield from _changes_of(before[path], part)
        elif part.owner not in after.keys() - before.keys():
            yield Change(path, "", None, part.kind)
    for path, part in before.items():
        if path not in after and part.owner not in before.keys() - after.keys():
            yield Change(path, "", part.kind, None)


def _changes_of(old: Part, new: Part) -> Iterator[Change]:
    if old.kind != new.kind:
        yield Change(new.path, "", old.kind, new.kind)
        return
    before, after = dict(old.components), dict(new.components)
    for label in dict.fromkeys([*after, *before]):
        if before.get(label) != after.get(label):
            yield Change(new.path, label, before.get(label), after.get(label))


def kept(text: str) -> str:
    """A component's value as it is kept: whole if it is short, else its beginning and digest."""
    return text if len(text) <= _LONGEST else f"{text[:40]}... sha256:{digest(text)}"
