"""Targets inside of archives: `x.whl::pkg/mod.py::f`, `a.zip::b.whl::pkg/mod.py:12`."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from coscope.errors import TargetError, TargetNotFound
from coscope.readers import archives
from coscope.readers.archives import ArchiveLimits

LIMITS = ArchiveLimits(member_bytes=256 * 2**20)
_DEEPEST = 5  # archives inside of one another
_SHOWN = 5  # members that a message names


class Inside(NamedTuple):
    """A member that was named, and what of it."""

    label: str  # archive::member
    data: bytes
    rest: str  # "", "f" of "::f", ":12" of a line


def member_of(archive: str, part: str) -> Inside:
    """Read the member that a target names.

    Args:
        archive: Path of the archive.
        part: What stands behind its "::".

    Raises:
        TargetNotFound: There is no such member; the message names similar ones.
        TargetError: The archive, or the member, cannot be read.
        LimitExceeded: One is too large.
    """
    with archives.opened(archive, LIMITS) as held:
        return _found(held, archive, part, 1)


def _found(held: archives.Archive, label: str, part: str, depth: int) -> Inside:
    names = {member.name for member in held.members}
    name, rest = _split(names, part)
    if name is None:
        raise _missing(label, part, names)
    label = f"{label}::{name}"
    data = held.read(name)
    if not rest or rest.startswith(":") or archives.kind_of(data) is None:
        return Inside(label, data, rest)
    if depth == _DEEPEST:
        raise TargetError(f"more than {_DEEPEST} archives are inside of one another", file=label)
    with archives.opened_in(data, label, LIMITS) as inner:
        return _found(inner, label, rest, depth + 1)


def _split(names: Iterable[str], part: str) -> tuple[str | None, str]:
    """The member and the rest: the longest name of a member that the part begins with."""
    for name in sorted(names, key=len, reverse=True):
        if part == name:
            return name, ""
        if part.startswith(f"{name}::"):
            return name, part[len(name) + 2 :]
        line = part[len(name) + 1 :]
        if part.startswith(f"{name}:") and line.replace(":", "", 1).isdecimal():
            return name, f":{line}"
    return None, ""


def _missing(label: str, part: str, names: set[str]) -> TargetNotFound:
    wanted = part.partition("::")[0]
    near = get_close_matches(wanted, names, n=_SHOWN) or sorted(
        name for name in names if wanted.rpartition("/")[2] in name
    )
    near = near or sorted(name for name in names if name.endswith((".py", ".pyc")))
    hint = f"It has {', '.join(near[:_SHOWN])}." if near else "It has no Python file."
    return TargetNotFound(f"there is no member {wanted}", file=label, hint=hint)
