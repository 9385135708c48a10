"""The site's pages: made from the tables, all in the menu, found by what people type."""

from __future__ import annotations

import re
import sys
from math import log
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the pages are made by one host")
def test_the_generated_pages_are_up_to_date() -> None:
    import reference_pages

    assert [] == reference_pages.stale()


def test_the_menu_leads_to_pages_and_to_all_lessons() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    named = set(re.findall(r"[\w./-]+\.md", CONFIG[CONFIG.index("\nnav:") :]))

    assert [] == sorted(named - pages)
    assert [] == sorted(page for page in pages - named if page.startswith(("learn/", "reference/")))


def test_every_command_has_a_page() -> None:
    pytest.importorskip("click")
    from coscope.cli.group import COMMANDS

    assert [] == [name for name in COMMANDS if not (DOCS / "commands" / f"{name}.md").exists()]


def test_nothing_of_the_site_asks_the_network() -> None:
    for path in [*(DOCS / "pictures").glob("*.svg"), DOCS / "site.css"]:
        text = path.read_text(encoding="utf-8")

        assert [] == re.findall(r"url\([\"']?https?:|@import|<script", text), path.name
    assert "font: false" in CONFIG


# What people type into a search box -> the page that helps.
SYMPTOMS = {
    "decorator breaks fastapi": "guide/decorator-breaks-fastapi.md",
    "wrapper() got an unexpected keyword argument": "guide/decorator-breaks-fastapi.md",
    "fastapi field required args kwargs 422": "guide/decorator-breaks-fastapi.md",
    "can't pickle local object": "guide/function-will-not-pickle.md",
    "cannot pickle '_thread.lock' object": "guide/function-will-not-pickle.md",
    "PicklingError lambda attribute lookup": "guide/function-will-not-pickle.md",
    "cannot pickle generator object multiprocessing": "guide/function-will-not-pickle.md",
    "what does my function depend on": "guide/what-does-it-depend-on.md",
    "stale cache ModuleNotFoundError worker": "guide/what-does-it-depend-on.md",
    "black reformat changed 200 files safe": "guide/is-this-reformat-safe.md",
    "is this commit of ruff format safe": "guide/is-this-reformat-safe.md",
    "make loop faster bind method to local": "guide/make-this-loop-faster.md",
    "bad magic number ImportError pyc": "guide/a-strange-pyc.md",
    "bad marshal data": "guide/a-strange-pyc.md",
    "patch hard coded timeout in test": "guide/patch-a-timeout.md",
    "mock patch literal 30 seconds test": "guide/patch-a-timeout.md",
    "baseline only new findings in CI pre-commit": "guide/audit-in-ci.md",
    "scan virtual environment before I rely on it": "guide/scan-an-environment.md",
    "unknown opcode SystemError": "guide/another-version.md",
    "all callbacks do the same lambda in loop": "guide/wrong-value-in-closure.md",
    "UnboundLocalError cannot access local variable": "guide/wrong-value-in-closure.md",
}


@pytest.mark.parametrize("query", SYMPTOMS)
def test_a_search_for_a_symptom_finds_its_guide(query: str) -> None:
    """By the usual weights of a full-text search (BM25, headings count more)."""
    found = _ranked(query)

    assert SYMPTOMS[query] in found[:3], found[:5]


def _ranked(query: str) -> list[str]:
    pages = [path for path in DOCS.rglob("*.md") if path.name not in ("opcodes.md", "schema.md")]
    texts = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in pages}
    bags = {name: _words(text) for name, text in texts.items()}
    heads = {
        name: set(_words(" ".join(re.findall(r"(?m)^#+ (.*)$", text))))
        for name, text in texts.items()
    }
    usual = sum(map(len, bags.values())) / len(bags)
    scores = dict.fromkeys(bags, 0.0)
    for word in dict.fromkeys(_words(query)):
        having = [name for name, words in bags.items() if word in words]
        for name in having:
            count = bags[name].count(word)
            weight = log(1 + len(bags) / len(having))
            long = 1.2 * (0.25 + 0.75 * len(bags[name]) / usual)
            scores[name] += weight * (2.2 * count / (count + long) + 2 * (word in heads[name]))
    return sorted(scores, key=lambda name: -scores[name])


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z_0-9]+", text.lower())
