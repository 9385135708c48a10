"""A process that scans parts: a line of JSON on standard input for each, one on standard output."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from coscope.corpus.part import scan_part
from coscope.corpus.tasks import Part, Task
from coscope.errors import CoscopeError


def to_line(part: Part) -> bytes:
    """A part as one line."""
    return json.dumps(asdict(part)).encode() + b"\n"


def from_line(line: bytes) -> Part:
    """The part that `to_line` wrote."""
    held = json.loads(line)
    held["tasks"] = tuple(Task(**task) for task in held["tasks"])
    held["details"] = tuple(held["details"])
    return Part(**held)


def main() -> None:
    """Scan until standard input ends, as it does when the parent is gone."""
    for line in sys.stdin.buffer:
        try:
            answer: object = scan_part(from_line(line))
        except CoscopeError as error:
            answer = {"error": str(error)}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
