"""Whole pages of committed .pyc files, so that they are the same on every host."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("click")

from click.testing import CliRunner

from coscope.cli.group import coscope

HERE = Path(__file__).parent

PAGES = {
    "cards": (
        "show sample-3.13.pyc::outer.inner",
        "show sample-3.13.pyc::outer",
        "show sample-3.12.pyc::load",
        "show sample-3.13.pyc::Order.stream",
        "show sample-3.13.pyc::wide",
        "show sample-3.8.pyc::Order.total",
        "show sample-3.13.pyc::choose --fields",
        "show sample-3.12.pyc::choose --width 60",
        "show sample-3.12.pyc::choose --width 160",
    ),
    "ascii": (
        "show sample-3.13.pyc --ascii",
        "show sample-3.13.pyc::wide --ascii",
        "show sample-3.12.pyc::outer.inner --ascii",
        "graph sample-3.12.pyc::load --ascii",
    ),
    "files": (
        "show sample-3.13.pyc",
        "show sample-3.12.pyc --width 80",
        "show sample-3.8.pyc",
        "show sample-3.12.pyc::<module>",
    ),
    "listings": ("dis sample-3.13.pyc::choose", "dis sample-3.8.pyc::load"),
    "graphs": (
        "graph sample-3.13.pyc::choose",
        "graph sample-3.8.pyc::choose",
        "graph sample-3.13.pyc::load",
        "graph sample-3.13.pyc::choose --format mermaid",
        "graph sample-3.13.pyc::choose --format dot",
        "graph sample-3.13.pyc::load --format mermaid",
        "graph sample-3.13.pyc::load --format dot",
        "graph sample-3.13.pyc::Order --all --format mermaid",
        "graph sample-3.13.pyc::Order --all --format dot",
    ),
}


def _of_any_release(text: str) -> str:
    """A page without the warning that the sample was compiled by another micro release."""
    return re.sub(r"^ *warning: this release compiles the source to other bytecode.*\n", "", text,
                  flags=re.MULTILINE)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_pages(page: str, golden: Callable[[Path, str], None]) -> None:
    cases = []
    for case in PAGES[page]:
        words = case.split() if "--width" in case else [*case.split(), "--width", "100"]
        result = CliRunner().invoke(coscope, words)
        cases.append(f"[case] {case}\n[out]\n{_of_any_release(result.output)}")

    golden(HERE / "golden" / f"{page}.txt", "\n".join(cases))


@pytest.mark.parametrize("page", PAGES)
def test_no_line_is_wider_than_its_page(page: str) -> None:
    from coscope.render.text.measured import cells

    if page == "graphs":
        pytest.skip("Mermaid and DOT have no width")
    text = (HERE / "golden" / f"{page}.txt").read_text(encoding="utf-8")
    wide = []
    for case in text.split("[case] ")[1:]:
        command, _, page_text = case.partition("\n[out]\n")
        words = command.split()
        width = int(words[words.index("--width") + 1]) if "--width" in words else 100
        wide += [line for line in page_text.splitlines() if cells(line) > width]

    assert [] == wide


def test_the_ascii_pages_are_ascii() -> None:
    text = (HERE / "golden" / "ascii.txt").read_text(encoding="utf-8")

    assert text.isascii()
