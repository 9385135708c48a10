"""Ranges of versions, as the fixtures of rules write them."""

from __future__ import annotations

from coscope.opcodes import VERSIONS


def holds_for(versions: str, version: str) -> bool:
    """True if a version is in a range: "" for all, or parts with commas between.

    >>> [each for each in ("3.8", "3.12", "3.14") if holds_for("-3.10, 3.12-3.13", each)]
    ['3.8', '3.12']
    """
    return not versions or any(version in _range(part.strip()) for part in versions.split(","))


def _range(part: str) -> tuple[str, ...]:
    first, dash, last = part.partition("-")
    start = VERSIONS.index(first) if first else 0
    stop = VERSIONS.index(last or VERSIONS[-1]) if dash else start
    return VERSIONS[start : stop + 1]
