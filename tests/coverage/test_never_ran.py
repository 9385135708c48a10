"""Expression coverage against a brute-force instrumentation of the AST."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from coscope.coverage.measured import file_coverage
from coscope.coverage.never_ran import kind_of, mark, nodes_of, walk
from coscope.coverage.watching import Watch
from tests.coverage.programs import Maker, Place, brute_force, place_of

needs_monitoring = pytest.mark.skipif(
    not hasattr(sys, "monitoring"), reason="this CPython has no sys.monitoring"
)

PROGRAMS = 100


def watched(source: str, folder: Path) -> dict[str, Any]:
    """The report of a program that runs here, as its process would write it."""
    file = folder / "program.py"
    file.write_text(source, encoding="utf-8")
    watch = Watch([str(folder)])
    with watch.started():
        exec(compile(source, str(file), "exec", dont_inherit=True), {})
    (report,) = watch.report()["files"].values()  # type: ignore[attr-defined]
    return dict(report)


def measured_places(source: str, report: dict[str, Any]) -> tuple[set[Place], set[Place]]:
    """Of the expressions that have instructions: those that ran, and all."""
    root = nodes_of(ast.parse(source))
    mark(root, map(tuple, report["ran"]), map(tuple, report["all"]))
    nodes = [
        node
        for node in walk(root)
        if node.is_expression and node.measured
        if not isinstance(node.tree, ast.Starred | ast.FormattedValue)  # parts, not values
    ]
    ran = {place_of(node.tree) for node in nodes if node.ran}  # type: ignore[arg-type]
    return ran, {place_of(node.tree) for node in nodes}  # type: ignore[arg-type]


@needs_monitoring
@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_the_same_expressions_ran_as_by_brute_force(seed: int, tmp_path: Path) -> None:
    source = Maker(seed).program()
    ran, every = measured_places(source, watched(source, tmp_path))
    began = brute_force(source)

    assert (set(), set()) == (ran - began, (began & every) - ran), source


@needs_monitoring
def test_the_programs_miss_enough(tmp_path: Path) -> None:
    """Equal sets of nothing would prove nothing."""
    missed = 0
    for seed in range(PROGRAMS):
        source = Maker(seed).program()
        report = watched(source, tmp_path)
        path = str(tmp_path / "program.py")
        missed += len(file_coverage(path, _set(report["ran"]), _set(report["all"])).missed)

    assert 500 < missed


def _set(spans: list[Place]) -> set[Place]:
    return {(a, b, c, d) for a, b, c, d in spans}


EXAMPLE = """\
def f(a, b=None):
    x = a and b
    y = 1 if a else print(3)
    z = [i * 2 for i in range(3) if i > 5 and print(i)]
    w = b or print(1)
    assert a, print(a)
    v = lambda: x
    u = a or b  # pragma: no cover
    return 0 < len(z) < print(w, y, v, u)
f(1, 2)
"""


@needs_monitoring
def test_what_is_reported(tmp_path: Path) -> None:
    report = watched(EXAMPLE, tmp_path)
    path = str(tmp_path / "program.py")
    found = file_coverage(path, _set(report["ran"]), _set(report["all"]))

    assert [
        (3, "branch of a conditional", "print(3)"),
        (4, "element of a comprehension", "i * 2"),
        (4, "right side of and", "print(i)"),
        (5, "right side of or", "print(1)"),
        (7, "body of a lambda", "x"),
        (9, "operand of a chained comparison", "print(w, y, v, u)"),
    ] == [(each.line, each.kind, each.text) for each in found.missed]
    assert ((), (8,)) == (found.missing, found.excluded)


@needs_monitoring
@pytest.mark.parametrize("seed", range(0, PROGRAMS, 10))
def test_every_conditional_expression_is_measured(seed: int, tmp_path: Path) -> None:
    """What has no instruction of its own would be missed silently."""
    source = Maker(seed).program()
    report = watched(source, tmp_path)
    root = nodes_of(ast.parse(source))
    mark(root, map(tuple, report["ran"]), map(tuple, report["all"]))
    conditional = [
        node for node in walk(root) if node.is_expression and kind_of(node) not in ("other",)
    ]

    assert conditional
    assert [] == [ast.unparse(node.tree) for node in conditional if not node.measured]
