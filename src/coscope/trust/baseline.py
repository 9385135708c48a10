"""Baselines: signs that are known, not to be reported again."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from coscope.audits.running.small_files import read_text, write_text
from coscope.errors import InputError
from coscope.trust.model import FileTrust, Sign, TrustReport

VERSION = 1
_HINT = "--write-baseline writes one."


class Mark(NamedTuple):
    """What a sign is known by. The message says what was found, so that other bytes are new."""

    rule: str
    file: str  # relative to the baseline, "/" between folders
    code: str
    message: str


class Baseline:
    """Signs that are known, and how many of each."""

    def __init__(self, marks: Counter[Mark], folder: Path) -> None:
        self.marks = marks
        self.folder = folder

    def without(self, report: TrustReport) -> tuple[tuple[FileTrust, ...], tuple[Sign, ...], int]:
        """Files and other signs without those that are known, and how many that were."""
        left = self.marks.copy()
        count = 0

        def new(signs: tuple[Sign, ...]) -> tuple[Sign, ...]:
            nonlocal count
            kept = []
            for each in signs:
                mark = mark_of(each, self.folder)
                if left[mark] > 0:
                    left[mark] -= 1
                    count += 1
                else:
                    kept.append(each)
            return tuple(kept)

        files = tuple(replace(each, signs=new(each.signs)) for each in report.files)
        others = new(report.others)
        return files, others, count


def mark_of(each: Sign, folder: Path) -> Mark:
    """What a sign is known by, in a baseline of this folder."""
    archive, colons, member = each.file.partition("::")
    try:
        archive = os.path.relpath(archive, folder)
    except ValueError:  # on another drive
        archive = os.path.abspath(archive)
    file = archive.replace(os.sep, "/") + colons + member
    return Mark(each.kind, file, each.code or "", each.message)


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        InputError: There is no such file, or it is none.
    """
    text = read_text(path, "the baseline")
    try:
        held = json.loads(text)
        if held["version"] != VERSION:
            raise ValueError(f"it has version {held['version']}")
        marks: Counter[Mark] = Counter()
        for each in held["signs"]:
            words = (each["rule"], each["file"], each["code"], each["message"])
            if not all(type(word) is str for word in words) or type(each["count"]) is not int:
                raise ValueError("a field has the wrong type")
            marks[Mark(*words)] += each["count"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"this is no baseline of trust: {what}", file=path, hint=_HINT) from error
    return Baseline(marks, path.resolve().parent)


def write_baseline(report: TrustReport, path: Path) -> int:
    """Write all signs to a file; how many there are.

    Raises:
        InputError: The file cannot be written.
    """
    folder = path.resolve().parent
    marks = Counter(mark_of(each, folder) for each in report.signs)
    entries = [{**mark._asdict(), "count": marks[mark]} for mark in sorted(marks)]
    text = json.dumps({"version": VERSION, "signs": entries}, indent=1) + "\n"
    try:
        write_text(path, text)
    except OSError as error:
        raise InputError(f"cannot write the baseline: {error.strerror}", file=path) from error
    return sum(marks.values())
