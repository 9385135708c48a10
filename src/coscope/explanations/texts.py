"""Finds tracebacks in any text: a log, the output of CI, with or without a prefix on each line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_MOST_ENTRIES = 2_000  # of one traceback
_MOST_TRACEBACKS = 50

_HEAD = re.compile(r"Traceback \(most recent call last\):\s*$")
_ENTRY = re.compile(r'  File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<name>.+?))?\s*$')
_REPEATED = re.compile(r"  \[Previous line repeated (\d+) more times?\]")
_LAST = re.compile(r"(?P<type>[^\W\d][\w.]*)(?:: (?P<message>.*))?$")
_CARETS = re.compile(r"[ ~^]*[~^][ ~^]*$")
_PYTEST_PLACE = re.compile(r"^(?P<file>[^\s:][^:\n]*\.py):(?P<line>\d+): (?P<what>in \S+|\w+)?\s*$")
_PYTEST_ERROR = re.compile(r"^E   +(?P<type>[^\W\d][\w.]*(?:Error|Exception|Exit|Interrupt|\w+))"
                           r"(?:: (?P<message>.*))?$")  # fmt: skip
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(slots=True)
class Entry:
    """One entry of a traceback text."""

    file: str
    line: int
    name: str | None
    text: str | None = None  # the line of source, without indentation
    start: int | None = None  # of the marked part in `text`, characters
    stop: int | None = None
    repeated: int = 0


@dataclass(slots=True)
class Found:
    """One traceback of a text."""

    entries: list[Entry] = field(default_factory=list)  # outermost first
    type_name: str = ""
    message: str = ""


def tracebacks_in(text: str) -> list[Found]:
    """The tracebacks of a text, in their order.

    >>> text = '''[12:00] Traceback (most recent call last):
    ... [12:00]   File "a.py", line 3, in total
    ... [12:00]     return order.sum
    ... [12:00]            ^^^^^^^^^
    ... [12:00] AttributeError: 'NoneType' object has no attribute 'sum'
    ... '''
    >>> [(found.type_name, found.entries[0].text, found.entries[0].start)
    ...  for found in tracebacks_in(text)]
    [('AttributeError', 'return order.sum', 7)]
    """
    lines = _COLOURS.sub("", text).replace("\r", "").split("\n")
    found: list[Found] = []
    at = 0
    while at < len(lines) and len(found) < _MOST_TRACEBACKS:
        if _HEAD.search(lines[at]):
            at, traceback = _read(lines, at + 1)
            if traceback.entries or traceback.type_name:
                found.append(traceback)
        else:
            at += 1
    return found or list(_from_pytest(lines))


def _read(lines: Sequence[str], at: int) -> tuple[int, Found]:
    """One traceback, from the line after its head."""
    found = Found()
    width = 0  # of what stands before each line
    while at < len(lines):
        match = _ENTRY.search(lines[at])
        if match is not None and len(found.entries) < _MOST_ENTRIES:
            width = match.start()
            entry = Entry(match["file"], int(match["line"]), match["name"])
            found.entries.append(entry)
            at = _read_source(lines, at + 1, width, entry)
            continue
        line = lines[at][width:]
        repeated = _REPEATED.match(line)
        if repeated is not None and found.entries:
            found.entries[-1].repeated = int(repeated[1])
        elif _HEAD.search(lines[at]):
            return at, found
        elif line[:1].strip():
            last = _LAST.match(line.rstrip())
            if last is not None:
                found.type_name, found.message = last["type"], last["message"] or ""
            return at + 1, found
        at += 1
    return at, found


def _read_source(lines: Sequence[str], at: int, width: int, entry: Entry) -> int:
    """The line of source below an entry, and the marks below that."""
    if at >= len(lines) or _ENTRY.search(lines[at]):
        return at
    line = lines[at][width:]
    if not line.startswith("    ") or not line.strip():
        return at
    entry.text = line.strip()
    if at + 1 < len(lines) and _CARETS.match(lines[at + 1][width:]):
        marks = lines[at + 1][width:].rstrip()
        first = len(marks) - len(marks.lstrip())
        entry.start, entry.stop = first - 4, len(marks) - 4
        return at + 2
    return at + 1


def _from_pytest(lines: Sequence[str]) -> Iterator[Found]:
    """The failures of pytest's own form, `file.py:12: AttributeError`."""
    found = Found()
    message: tuple[str, str] | None = None
    for line in lines:
        error = _PYTEST_ERROR.match(line)
        if error is not None and message is None:
            message = error["type"], error["message"] or ""
        place = _PYTEST_PLACE.match(line)
        if place is None or len(found.entries) >= _MOST_ENTRIES:
            continue
        what = place["what"] or ""
        name = what[3:] if what.startswith("in ") else None
        found.entries.append(Entry(place["file"], int(place["line"]), name))
        if what and not what.startswith("in ") and message is not None:
            found.type_name, found.message = message
            yield found
            found, message = Found(), None
