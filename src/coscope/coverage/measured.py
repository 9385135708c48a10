"""What a run covered: the reports of its processes, merged, against the sources."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from coscope.coverage.never_ran import (
    Missed,
    Node,
    Range,
    is_excluded,
    kind_of,
    mark,
    missed_in,
    nodes_of,
    walk,
)
from coscope.errors import CoscopeError, InterpreterError
from coscope.readers.from_source import read_bytes
from coscope.readers.sources import source_from
from coscope.result import Result


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """One file of which something ran."""

    path: str
    lines: tuple[str, ...]  # its source
    executed: tuple[int, ...]  # first lines of statements that ran
    missing: tuple[int, ...]  # of those that did not
    excluded: tuple[int, ...]  # by `# pragma: no cover`
    expressions: int  # that depend on a condition inside of an expression
    branches: tuple[tuple[int, bool], ...]  # of these: line, and whether it ran
    missed: tuple[Missed, ...]


@dataclass(frozen=True, slots=True)
class Coverage(Result):
    """What a command executed."""

    files: tuple[FileCoverage, ...]
    status: int  # exit status of the command
    processes: int  # that reported something
    notes: tuple[str, ...]


def measured(reports: Iterable[dict[str, Any]], status: int, failed: Iterable[str]) -> Coverage:
    """Merge the reports of the processes.

    Raises:
        InterpreterError: No process could measure anything.
    """
    given = list(reports)
    errors = [*dict.fromkeys(each["error"] for each in given if "error" in each), *failed]
    held = [each for each in given if "error" not in each]
    if not held:
        raise InterpreterError(
            "nothing was measured",
            found="; ".join(errors) or "no Python process of the command reported anything",
            hint="Run the command with a CPython that has sys.monitoring.",
        )
    ran: dict[str, set[Range]] = {}
    every: dict[str, set[Range]] = {}
    for report in held:
        for path, spans in report["files"].items():
            ran.setdefault(path, set()).update(tuple(each) for each in spans["ran"])
            every.setdefault(path, set()).update(tuple(each) for each in spans["all"])
    files = []
    notes = list(errors)
    for path in sorted(ran):
        try:
            files.append(file_coverage(path, ran[path], every[path]))
        except (CoscopeError, SyntaxError, ValueError) as error:
            notes.append(f"{path} cannot be read: {error}")
    return Coverage(tuple(files), status, len(held), tuple(notes))


def file_coverage(path: str, ran: set[Range], every: set[Range]) -> FileCoverage:
    """What ran of one file.

    Raises:
        CoscopeError: It cannot be read.
        SyntaxError: It does not parse.
    """
    lines = list(source_from(read_bytes(path), path).lines)
    root = nodes_of(ast.parse("\n".join(lines)))
    mark(root, ran, every)
    executed, missing, excluded = _statements(root, lines, ran)
    branches = [
        node for node in walk(root) if node.measured and node.is_expression and _depends(node)
    ]
    reached = [node for node in branches if node.parent is not None and node.parent.ran]
    counted = [node for node in reached if not is_excluded(lines, node)]
    return FileCoverage(
        path=path,
        lines=tuple(lines),
        executed=tuple(executed),
        missing=tuple(missing),
        excluded=tuple(excluded),
        expressions=len(counted),
        branches=tuple(sorted((node.start[0], node.ran) for node in counted)),
        missed=tuple(missed_in(root, lines)),
    )


def _depends(node: Node) -> bool:
    return kind_of(node) not in ("other", "message of an assert")


def _statements(
    root: Node, lines: list[str], ran: set[Range]
) -> tuple[list[int], list[int], list[int]]:
    """First lines of statements: those that ran, those that did not, those that are excluded."""
    executed: set[int] = set()
    missing: set[int] = set()
    excluded: set[int] = set()
    for node in walk(root):
        if not isinstance(node.tree, ast.stmt) or not node.measured:
            continue
        line = node.tree.lineno
        if is_excluded(lines, node):
            excluded.add(line)
        elif node.ran:
            executed.add(line)
        else:
            missing.add(line)
    return sorted(executed), sorted(missing - executed), sorted(excluded)


def shown_path(path: str) -> str:
    """A path from the current folder, where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return path
    return path if relative.startswith("..") else relative


def totals(found: Coverage) -> Iterator[tuple[str, int]]:
    """Counts over all files."""
    yield "executed", sum(len(file.executed) for file in found.files)
    yield "missing", sum(len(file.missing) for file in found.files)
    yield "expressions", sum(file.expressions for file in found.files)
    yield "missed", sum(len(file.missed) for file in found.files)
