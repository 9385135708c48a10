"""Every block of the course, the traps, the guides and the home page prints what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("click")

import docs_blocks
import interpreters

DOCS = Path(__file__).resolve().parents[2] / "docs"
RUN = sorted(
    [
        *(DOCS / "learn").glob("*.md"),
        *(DOCS / "guide").glob("*.md"),
        DOCS / "traps.md",
        DOCS / "index.md",
    ]
)
NAMES = [path.relative_to(DOCS).as_posix() for path in RUN]

one_host = pytest.mark.skipif(
    sys.version_info[:2] != (3, 13) or sys.platform != "linux",
    reason="the pages show CPython 3.13; others are named in their commands",
)


@one_host
@pytest.mark.parametrize("page", NAMES)
def test_a_page_shows_what_its_blocks_print(page: str) -> None:
    for version in docs_blocks.versions_in(DOCS / page):
        if interpreters.find(version) is None:
            pytest.skip(f"there is no CPython {version} on this machine")

    assert [] == docs_blocks.check(DOCS / page)


def test_a_block_that_prints_something_else_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```pycon\n>>> 1 + 1\n3\n```\n\n    ```console\n    $ echo a\n    b\n    ```\n")
    first, second = docs_blocks.check(page)

    assert ":2\n" in first
    assert "2\n" in first
    assert "$ echo a\na\n" in second


def test_blessing_writes_what_is_printed_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "words\n\n    ```console\n    $ echo a\n    b\n    ```\n\n```text\nkept\n```\n"
    page.write_text(text)
    docs_blocks.check(page, bless=True)

    assert text.replace("    b\n", "    a\n") == page.read_text()
    assert [] == docs_blocks.check(page)


def test_a_line_of_dots_stands_for_any_lines() -> None:
    assert docs_blocks.matches("a\n...\nd\n", "a\nb\nc\nd\n")
    assert not docs_blocks.matches("a\n...\nd\n", "a\nb\nc\n")
    assert not docs_blocks.matches("a\n", "a\nb\n")


def test_a_python_block_that_raises_is_no_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nraise KeyError('x')\n```\n")

    with pytest.raises(KeyError):
        docs_blocks.check(page)


LESSONS = [name for name in NAMES if name.startswith("learn/") and "index" not in name]


@pytest.mark.parametrize("page", LESSONS)
def test_a_lesson_has_a_question_an_example_an_exercise_and_its_answer(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")

    assert text.splitlines()[2].startswith("**")
    assert text.splitlines()[2].endswith("?**")
    assert "$ coscope" in text
    assert "## Exercise" in text
    assert '??? question "Answer"' in text


def test_there_are_fifteen_lessons_and_twenty_five_traps() -> None:
    traps = (DOCS / "traps.md").read_text(encoding="utf-8")

    assert 15 == len(LESSONS)
    assert 25 == traps.count("\n## ") == traps.count('??? question "Answer"')
    assert 25 == sum("$ coscope" in part for part in traps.split("\n## ")[1:])
