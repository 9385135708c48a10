"""The legend explains everything that stands on a page."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from coscope.model import ARGUMENT_KINDS
from coscope.render.pages import card_sheet, cells_sheet, warm_listing
from coscope.render.pages.legend import ALL, LEGENDS, legend_sheet
from coscope.render.text.measured import Pen, cells

PAGES = Path(card_sheet.__file__).parent
TITLES = {title.strip() for section in ALL for title in section.title.split(",")}
LABELS = {label for section in ALL for label in section.labels}


def _headings(path: Path) -> list[str]:
    """The texts with which sections begin, where they are written out."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
             and node.func.attr == "heading"]  # fmt: skip
    return [node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant)]  # type: ignore[misc]


@pytest.mark.parametrize("module", [card_sheet, cells_sheet])
def test_every_heading_of_the_card_is_explained(module: object) -> None:
    found = _headings(Path(str(vars(module)["__file__"])))

    assert found
    assert [] == [heading for heading in found if heading not in TITLES]


def test_every_kind_of_local_is_explained() -> None:
    assert [] == [kind for kind in ARGUMENT_KINDS if kind not in LABELS]


def test_every_sign_of_a_warm_run_is_explained() -> None:
    assert [] == [sign for sign, _, _ in warm_listing._STATES.values() if sign not in LABELS]


@pytest.mark.parametrize("command", [*LEGENDS, ""])
@pytest.mark.parametrize("pen", [Pen(60), Pen(100), Pen(80, ascii=True)])
def test_a_legend_fits_its_page(command: str, pen: Pen) -> None:
    lines = str(legend_sheet(command, pen)).splitlines()

    assert lines
    assert max(map(cells, lines)) <= pen.width
    assert not pen.ascii or "\n".join(lines).isascii()


def test_the_words_beside_a_cell_are_explained() -> None:
    source = (PAGES / "cells_sheet.py").read_text("utf-8")
    labels = ["written by", "read by", "also held by", "note", "made from the same code"]

    assert [] == [label for label in labels if label not in source]
    assert [] == [label for label in labels if label not in LABELS]
