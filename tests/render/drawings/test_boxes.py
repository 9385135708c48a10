"""Diagrams of boxes: Mermaid, DOT and SVG."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from coscope.facts.closures.closures import closure
from coscope.render.drawings.boxes import Arrow, Box, Boxes, boxes_to_dot, boxes_to_mermaid
from coscope.render.drawings.closure_boxes import closure_boxes
from coscope.render.drawings.to_svg import boxes_to_svg
from coscope.render.results import document_of

NASTY = 'a"<b>&\x1b[2J\ud800|]\\'
NASTY_BOXES = Boxes(
    NASTY,
    (Box("b0", 0, "code", (NASTY,)), Box("b1", 1, "empty cell", (NASTY, "x"))),
    (Arrow("b0", "b1", NASTY, True), Arrow("b1", "b0"), Arrow("b0", "b0", "self")),
)
SVG = "{http://www.w3.org/2000/svg}"


def made() -> Any:
    total = [1]

    def add(x: int) -> None:
        nonlocal total
        total = [x]

    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    def task() -> Any:
        return total, even, add, later

    if not total:
        later = 1
    return task, add


def drawing() -> Boxes:
    task, _ = made()
    return closure_boxes(document_of(closure(task)))


def labels(diagram: Boxes) -> set[tuple[str, str, str]]:
    names = {box.name: box.lines[0] for box in diagram.boxes}
    return {(names[a.source], names[a.target], a.label) for a in diagram.arrows}


def test_a_diagram_shows_owner_cells_and_the_functions_in_them() -> None:
    found = labels(drawing())
    functions = {name: f"made.<locals>.{name}" for name in ("task", "add", "even", "odd")}

    assert {
        ("made", "cell total", f"makes, writes, line {line_of('total = [1]')}"),
        ("made", "cell later", f"makes, writes, line {line_of('later = 1')}"),
        (functions["task"], "cell even", "[1]"),
        ("cell even", functions["even"], "holds"),
        (functions["even"], "cell odd", ""),
        ("cell odd", functions["odd"], "holds"),
    } <= found
    assert ["empty cell"] == [b.kind for b in drawing().boxes if b.lines[0] == "cell later"]


def line_of(text: str) -> int:
    code = made.__code__
    with open(code.co_filename, encoding="utf-8") as file:
        lines = file.read().split("\n")
    return next(
        number
        for number, line in enumerate(lines, 1)
        if line.strip() == text and number > code.co_firstlineno
    )


def test_a_cell_that_two_functions_hold_has_one_box() -> None:
    diagram = drawing()
    cells = [box.lines[0] for box in diagram.boxes if "cell" in box.kind]

    assert ["cell add", "cell even", "cell later", "cell odd", "cell total"] == sorted(cells)


@pytest.mark.parametrize("diagram", [NASTY_BOXES, drawing()], ids=["nasty", "closure"])
def test_svg_is_well_formed_and_has_every_box_and_arrow(diagram: Boxes) -> None:
    text = boxes_to_svg(diagram)
    root = ElementTree.fromstring(text)

    assert len(diagram.boxes) == len(root.findall(f"{SVG}g"))
    assert len(diagram.arrows) == len(root.findall(f"{SVG}path"))
    assert "<script" not in text


def test_svg_boxes_of_a_column_do_not_overlap() -> None:
    root = ElementTree.fromstring(boxes_to_svg(drawing()))
    places = [rect.attrib for rect in root.iter(f"{SVG}rect")]
    spans: dict[float, list[tuple[float, float]]] = {}
    for place in places:
        top = float(place["y"])
        spans.setdefault(float(place["x"]), []).append((top, top + float(place["height"])))

    assert [] == [
        (above, below)
        for column in spans.values()
        for above, below in zip(sorted(column), sorted(column)[1:], strict=False)
        if above[1] > below[0]
    ]


def test_mermaid_escapes_what_it_would_read() -> None:
    text = boxes_to_mermaid(NASTY_BOXES)
    label = text.split("\n")[1]

    assert "a#quot;#lt;b#gt;#amp;" in label
    assert "\x1b" not in text


@pytest.mark.skipif(sys.platform == "emscripten", reason="starts a process")
def test_graphviz_reads_the_dot() -> None:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("no Graphviz here")
    for diagram in (NASTY_BOXES, drawing()):
        done = subprocess.run(
            [program, "-Tplain"], input=boxes_to_dot(diagram).encode(), capture_output=True
        )

        assert (0, b"") == (done.returncode, done.stderr)
