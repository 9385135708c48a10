"""The listing: marks under their place, stacks cut at the deep end."""

from __future__ import annotations

import re

import pytest

from coscope.readers.from_source import from_source
from coscope.render.document.report import report
from coscope.render.pages.sheets import listing_sheet
from coscope.render.text.measured import Pen
from tests.render.documents import document


def listing(source: str, **options: int) -> list[str]:
    found = report(from_source(source, "x.py"))
    return str(listing_sheet(found, Pen(options.get("width", 100)))).splitlines()


def test_marks_stand_exactly_under_the_source() -> None:
    lines = str(listing_sheet(document("sample-3.13.pyc::outer.inner"), Pen(100))).splitlines()
    source = next(line for line in lines if "return x * z + y" in line and "RETURN" not in line)
    marks = [line for line in lines[lines.index(source) + 1 :] if "│" in line]
    under = {}
    for line in marks:
        operation = re.search(r"[A-Z]{3,}", line)
        assert operation is not None
        mark = line[: operation.start()].partition("│")[2].rstrip(" 0123456789")
        start = len(line.partition("│")[0]) + 1 + len(mark) - len(mark.lstrip())
        under[operation.group()] = source[start : start + len(mark.strip())]
        assert mark.strip() == under[operation.group()]

    assert "x * z + y" == under["BINARY"]


def test_wide_characters_before_a_mark_are_counted_as_two() -> None:
    lines = listing("日本 = 'é'; longer = 日本\n")
    source = next(line for line in lines if "longer = 日本" in line)
    load = next(line for line in lines if "LOAD_NAME" in line)

    assert cells_before(source, "日本\n") - 0 == cells_before(load, "日本 ")


def cells_before(line: str, text: str) -> int:
    from coscope.render.text.measured import cells

    at = (line + "\n").rindex(text) if text.endswith("\n") else line.index(text)
    return cells(line[:at])


def test_tabs_and_common_indentation_are_set_aside() -> None:
    lines = listing("if x:\n\ty = 1\n")

    assert any(line.endswith("│     y = 1") for line in lines)


def test_the_top_of_a_deep_stack_stays_visible() -> None:
    names = ", ".join(f"name_{n}" for n in range(25))
    lines = listing(f"f({names})\n")
    call = next(line for line in lines if " CALL" in line)

    assert call.endswith("name_24")
    assert "…" in call


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    lines = listing(
        "value = " + "[item.attribute for item in a_function(1, 2)(3)] * " * 3 + "1\n", width=width
    )

    assert max(map(len, lines)) <= width


def test_without_source_line_numbers_stand_in_the_gutter() -> None:
    found = document("sample-3.13.pyc::choose")
    found["source"] = None
    text = str(listing_sheet(found, Pen(100)))

    assert re.search(r"^ 17 │ +2  LOAD_FAST", text, re.MULTILINE)
    assert "no source text at hand" in text
