"""Which contents a scan has to read, and how they are divided into parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from coscope.codec.pyc import version_of
from coscope.corpus.inputs import Inputs, Place
from coscope.corpus.schema import SCHEMA_VERSION
from coscope.corpus.tasks import PYC, Part, Task
from coscope.errors import CoscopeError

FILES = 250  # contents of one part: some ten seconds, so that a lost one costs little


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the rows of a content, beside its bytes."""

    coscope: str  # version
    python: str  # release that compiles: "3.13.0"
    interpreter: str | None  # its path; None: this one
    optimize: int = 0
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The contents of a scan."""

    keys: dict[tuple[str, str], int]  # by path and member: the key of the content there
    tasks: dict[str, dict[int, Task]]  # by partition, by key, in the order of their places
    unread: dict[int, Place]  # by key: what could not even be hashed


def plan_of(inputs: Inputs, settings: Settings) -> Plan:
    """Give each content its key and its partition."""
    plan = Plan({}, {}, {})
    for place in inputs.places:
        key = key_of(place, settings)
        plan.keys[place.path, place.member] = key
        if place.sha256:
            task = Task(key, place.path, place.member, place.sha256, place.kind)
            plan.tasks.setdefault(partition_of(place, settings), {}).setdefault(key, task)
        else:
            plan.unread[key] = place
    return plan


def key_of(place: Place, settings: Settings) -> int:
    """The key of a content: 63 bits, so that every store can hold it."""
    what = [str(SCHEMA_VERSION), settings.coscope, *settings.details, place.kind]
    if place.sha256:
        what.append(place.sha256)
    else:
        what += [place.path, place.member, place.reason]
    if place.kind != PYC:
        what += [settings.python, str(settings.optimize)]
    digest = sha256("\0".join(what).encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def partition_of(place: Place, settings: Settings) -> str:
    """The release that compiles a source, or the version that wrote a .pyc."""
    if place.kind != PYC:
        return settings.python
    try:
        return version_of(place.magic)[0]
    except CoscopeError:
        return "unknown"


def parts_of(
    tasks: Iterable[Task], folder: Path, python: str, settings: Settings, size: int = FILES
) -> Iterator[Part]:
    """Divide contents into parts. A part is named by what is in it."""
    waiting: list[Task] = []
    for task in tasks:
        waiting.append(task)
        if len(waiting) == size:
            yield make_part(waiting, folder, python, settings)
            waiting = []
    if waiting:
        yield make_part(waiting, folder, python, settings)


def make_part(
    tasks: Sequence[Task], folder: Path, python: str, settings: Settings, died: bool = False
) -> Part:
    """One part of some contents."""
    name = sha256(b"".join(b"%d;" % task.file for task in tasks)).hexdigest()[:24]
    return Part(
        folder=str(folder),
        name=name,
        python=python,
        interpreter=settings.interpreter,
        optimize=settings.optimize,
        details=settings.details,
        tasks=tuple(tasks),
        died=died,
    )
