"""Rule files, their pages under docs/rules and `coscope rule` are about the same rules."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import rule_pages
from coscope.audits.selection import all_rules
from coscope.cli import rulebook
from coscope.rules import Rule, discover
from tests.audits.marking import fixtures, marks_of
from tests.audits.warm.test_warm import BREAKERS

FOLDER = Path(__file__).parent


def test_every_page_is_what_its_rule_says() -> None:
    """If not: python tools/rule_pages.py."""
    assert [] == rule_pages.stale()


def test_rules_pages_and_fixtures_are_about_the_same_codes() -> None:
    """Of what runs tell the fixtures are programs, of bad bytecode the bytes of a test."""
    marked = {mark.rule for file in fixtures(FOLDER / "fixtures") for mark in marks_of(file)}
    programs = {code for _, codes in BREAKERS.values() for code in codes}
    codes = {rule.code for rule in all_rules()}

    assert codes == {page.stem for page in rule_pages.FOLDER.glob("*.md")} - {"README"}
    assert codes == marked | programs | {"DYN201"}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_that_proves_says_what_and_under_which_assumption(rule: Rule) -> None:
    source = Path(str(sys.modules[rule.module].__file__)).read_text(encoding="utf-8")
    proves = '"proved"' in source or "unspecialized import findings" in source

    assert proves == bool(re.search(r"^Proved[:,]", rule.page, re.MULTILINE))


def test_the_rule_command_knows_the_same_rules() -> None:
    known = {rule.code for package in rulebook.PACKAGES for rule in discover(package)}

    assert {rule.code for rule in all_rules()} == {c for c in known if not c.startswith("VER")}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_page_has_an_example_and_says_what_to_do(rule: Rule) -> None:
    assert re.fullmatch("(CLO|DYN|PERF|SIG)[0-9]{3}", rule.code)
    assert "\n    " in f"\n{rule.page}"
    assert len(rule.page.split()) > 30
