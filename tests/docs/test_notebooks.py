"""The teachers' notebooks run from their first cell to the last, and keep no output."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def _cells(name: str) -> list[dict[str, Any]]:
    cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_are_three() -> None:
    assert ["bytecode", "closures", "functions"] == NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As a kernel runs it: the last expression of a cell is displayed, here as text."""
    pytest.importorskip("rich")
    space: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(_cells(name), 1):
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"cell {number}", "exec"), space)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), space)

            assert str(shown).strip()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_keeps_no_output(name: str) -> None:
    assert [] == [cell for cell in _cells(name) if cell["outputs"] or cell["execution_count"]]
