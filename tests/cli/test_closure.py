"""`coscope closure` and its diagrams."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from tests.render.documents import schema

SOURCE = """
def make(limit):
    total = 0
    def task(x):
        nonlocal total
        total += x
        return total < limit
    return task
task = make(3)
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["closure", *words])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "closure_of_a_task.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_a_live_target_shows_what_its_cells_hold(file: Path) -> None:
    result = run(f"{file.stem}:task")

    assert 0 == result.exit_code
    assert "make limit ─→ task ─→ [0] int 3" in result.stdout
    assert "written by    make (line 3), make.<locals>.task (line 6)" in result.stdout


def test_a_file_is_not_executed(file: Path) -> None:
    result = run(f"{file}::make.task")

    assert 0 == result.exit_code
    assert "not live" in result.stdout
    assert "a cell, made when the owner runs" in result.stdout


def test_json_is_the_document(file: Path) -> None:
    found = json.loads(run(f"{file.stem}:task", "--json").stdout)

    assert ("closure", ["limit", "total"]) == (
        found["command"],
        [variable["name"] for variable in found["free"]],
    )


@pytest.mark.parametrize(
    ("form", "start"), [("mermaid", "flowchart LR"), ("dot", "digraph"), ("svg", "<svg")]
)
def test_the_diagram_comes_in_every_format(file: Path, form: str, start: str) -> None:
    result = run(f"{file.stem}:task", "--format", form)

    assert 0 == result.exit_code
    assert result.stdout.startswith(start)
    assert "cell total" in result.stdout


def test_svg_is_well_formed(file: Path) -> None:
    root = ElementTree.fromstring(run(f"{file.stem}:task", "--format", "svg").stdout)

    assert "cells of make.<locals>.task" == root.attrib["aria-label"]


def test_ascii_is_ascii(file: Path) -> None:
    assert run(f"{file.stem}:task", "--ascii").stdout.isascii()


def test_what_is_missing_is_told(file: Path) -> None:
    assert 2 == run(f"{file.stem}:missing").exit_code


def test_the_document_is_valid(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/closure_document", "$defs": schema()["$defs"]}
    )
    names = [f"{file.stem}:task", f"{file}::make.task", f"{file.stem}:make", "json:dumps"]

    assert [] == [
        error.message
        for name in names
        for error in validator.iter_errors(json.loads(run(name, "--json").stdout))
    ]


def test_who_shares_a_cell_is_listed_by_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "closure_of_sharers.py").write_text(
        "def make():\n"
        "    count = 0\n"
        "    def read(): return count\n"
        "    def add():\n        nonlocal count\n        count += 1\n"
        "    return read, add\n"
        "read, add = make()\n"
        "late = [lambda: number for number in range(3)]\n"
        "first = late[0]\n",
        encoding="utf-8",
    )

    other = run("closure_of_sharers:read").stdout
    same = run("closure_of_sharers:first").stdout

    assert "also held by  closure_of_sharers.make.<locals>.add" in other
    assert "other function" not in other
    assert "shared with   2 other functions of this code" in same
    assert "also held by" not in same


def test_the_drawing_says_how_large_each_value_is(file: Path) -> None:
    drawn = run(f"{file.stem}:task", "--format", "mermaid").stdout
    static = run(f"{file}::make.task", "--format", "mermaid").stdout

    assert f"int, {sys.getsizeof(3)} B" in drawn
    assert " B" not in static
