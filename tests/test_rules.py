"""Rules are found by looking, and each has a page."""

from __future__ import annotations

import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from coscope.errors import InternalError
from coscope.rules import Rule, _docstring, discover
from coscope.verifier.report import Violation
from coscope.verifier.subject import Subject
from tests.verifier.building import built

CHECKS = "coscope.verifier.checks"
RULES = discover(CHECKS)
EACH = pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])

PAGE = '"""A title.\n\nThe page.\n\n    an example\n"""\n\n'


def _package(folder: Path, name: str, **files: str) -> str:
    """A package with these modules, which can be imported."""
    place = folder / name
    place.mkdir()
    (place / "__init__.py").write_text('"""Rules."""\n')
    for file, text in files.items():
        (place / f"{file}.py").write_text(text)
    return name


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def test_rules_are_found_by_code(importable: Path) -> None:
    check = "def check(subject):\n    return ()\n"
    name = _package(
        importable,
        "rules_found",
        b_first=f"{PAGE}CODE = 'X1'\n{check}",
        a_second=f"{PAGE}CODE = 'X2'\n{check}",
        neither=PAGE,
    )

    assert [("X1", "A title"), ("X2", "A title")] == [
        (rule.code, rule.title) for rule in discover(name)
    ]
    assert "The page.\n\n    an example" == discover(name)[0].page


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (f"{PAGE}CODE = 'X1'\ndef check(subject): ...\n", "are both X1"),
        (f"{PAGE}CODE = 'X2'\n", "no function `check`"),
        ("CODE = 'X2'\ndef check(subject): ...\n", "no docstring"),
    ],
)
def test_rules_that_cannot_be(importable: Path, second: str, message: str) -> None:
    name = _package(
        importable,
        f"rules_refused_{len(second)}",
        first=f"{PAGE}CODE = 'X1'\ndef check(subject): ...\n",
        second=second,
    )

    with pytest.raises(InternalError, match=message):
        discover(name)


def test_codes_are_those_of_the_file_names() -> None:
    assert 40 < len(RULES)
    assert [] == [
        rule.code for rule in RULES if not rule.module.startswith(f"{CHECKS}.{rule.code.lower()}_")
    ]


@EACH
def test_a_rule_has_a_page_with_an_example(rule: Rule) -> None:
    example = [line for line in rule.page.splitlines() if line.startswith("    ")]
    text = re.sub(r"(?m)^ {4}.*$", "", rule.page).strip()

    assert 15 < len(rule.title) < 100
    assert not rule.title.endswith(".")
    assert 100 < len(text), "what it says, and what the interpreter does there"
    assert example, "a crashing example"


@EACH
def test_a_check_has_nothing_against_plain_code(rule: Rule) -> None:
    code = built("3.13", ("RESUME", 0), ("LOAD_CONST", 0), "RETURN_VALUE")
    violations: list[Violation] = list(rule.check(Subject(code)))

    assert [] == violations


@pytest.mark.parametrize("text", [None, PAGE])
def test_a_docstring_that_python_dropped_comes_from_the_source(text: str | None) -> None:
    class Loader:
        @staticmethod
        def get_source(name: str) -> str | None:
            return text

    module = ModuleType("dropped")
    module.__spec__ = ModuleSpec("dropped", Loader())  # type: ignore[arg-type]

    assert _docstring(module) == (None if text is None else text.strip().strip('"'))


def test_without_a_source_there_is_no_docstring() -> None:
    module = ModuleType("dropped")
    module.__spec__ = ModuleSpec("dropped", None)

    assert _docstring(module) is None
