"""Baselines: known findings, not to be reported again; they stay known as lines move.

A baseline is a JSON file. Each entry names a rule, a file (relative to the baseline, with "/"), the
qualified name of the code, the text of the line, and how many such findings there are. Lines and
columns are not part of it: a finding is known as long as the line's text and its place in the code
stay.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from coscope.audits.running.small_files import read_text
from coscope.errors import InputError
from coscope.model import Finding

VERSION = 1

LineOf = Callable[[Finding], str]


class Mark(NamedTuple):
    """What a finding is known by."""

    rule: str
    file: str
    code: str
    text: str


def mark_of(finding: Finding, line: str, folder: Path) -> Mark:
    """What a finding is known by.

    Args:
        finding: The finding.
        line: Text of its line; empty if there is none.
        folder: Of the baseline.
    """
    file = finding.file or ""
    try:
        file = os.path.relpath(file, folder)
    except ValueError:  # on another drive
        file = os.path.abspath(file)
    text = " ".join(line.split()) or finding.message
    return Mark(finding.rule, file.replace(os.sep, "/"), finding.code, text)


def read_baseline(path: Path) -> Counter[Mark]:
    """The findings of a baseline: how many of each.

    Raises:
        InputError: There is no such file, or it is not a baseline.
    """
    try:
        held = json.loads(read_text(path, "the baseline"))
        if held["version"] != VERSION:
            raise InputError(
                "the baseline has another format",
                file=path,
                expected=f"version {VERSION}",
                found=held["version"],
                hint="Write it anew with --write-baseline.",
            )
        marks: Counter[Mark] = Counter()
        for each in held["findings"]:
            words = (each["rule"], each["file"], each["code"], each["text"])
            if not all(type(word) is str for word in words) or type(each["count"]) is not int:
                raise TypeError("a field has the wrong type")
            if each["count"] < 1:
                raise ValueError("a count is below 1")
            marks[Mark(*words)] += each["count"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"this is no baseline: {what}", file=path, hint="--write-baseline writes one."
        ) from error
    return marks


def without_known(
    findings: Iterable[Finding], known: Counter[Mark], folder: Path, line_of: LineOf
) -> tuple[list[Finding], int]:
    """The findings that a baseline does not have, and how many it has."""
    left = known.copy()
    new = []
    count = 0
    for finding in findings:
        mark = mark_of(finding, line_of(finding), folder)
        if left[mark] > 0:
            left[mark] -= 1
            count += 1
        else:
            new.append(finding)
    return new, count


def baseline_text(findings: Iterable[Finding], folder: Path, line_of: LineOf) -> str:
    """A baseline of all findings, in a stable order, as text."""
    marks = Counter(mark_of(finding, line_of(finding), folder) for finding in findings)
    entries = [{**mark._asdict(), "count": marks[mark]} for mark in sorted(marks)]
    return json.dumps({"version": VERSION, "findings": entries}, indent=1) + "\n"
