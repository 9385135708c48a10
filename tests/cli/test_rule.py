"""`coscope rule` as a user meets it."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("click")

from click.testing import CliRunner, Result

from coscope.cli.group import coscope
from coscope.cli.rulebook import PACKAGES
from coscope.render.results.rule import document, page_sheet
from coscope.render.text.measured import Pen
from coscope.rules import Rule, discover
from tests.render.documents import schema

RULES = [rule for package in PACKAGES for rule in discover(package)]


def run(*words: str) -> Result:
    return CliRunner().invoke(coscope, ["rule", *words])


def test_without_a_code_all_rules_are_listed() -> None:
    lines = run("--width", "200").stdout.splitlines()

    assert [f"{rule.code}  {rule.title}" for rule in RULES] == lines[: len(RULES)]
    assert len(RULES) > 10


@pytest.mark.parametrize("code", [RULES[0].code, RULES[0].code.lower()])
def test_a_code_gives_the_page_of_its_file(code: str) -> None:
    result = run(code, "--width", "200")

    assert 0 == result.exit_code
    assert f"{RULES[0].code}  {RULES[0].title}" == result.stdout.splitlines()[0]
    assert RULES[0].page.split() == result.stdout.split()[len(RULES[0].title.split()) + 1 :]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_is_shown_whole(rule: Rule, width: int) -> None:
    page = str(page_sheet(document([rule], rule.code), Pen(width)))
    longest = max(len(line) for line in page.splitlines())

    assert longest <= width
    assert rule.page.split() == page.split()[-len(rule.page.split()) :]


PAGE = """\
The first paragraph, of lines that are
filled anew. It names `co_stacksize`.

- an item that goes on
  in a second line
- another

    LOAD_CONST 1        kept
      as it stands
    LOAD_CONST 2        too long for the page, and so continued

The end."""

SHOWN = """\
VER999  A title

The first paragraph, of lines that are filled anew. It names
`co_stacksize`.

- an item that goes on in a second line
- another

    LOAD_CONST 1        kept
      as it stands
    LOAD_CONST 2        too long for the page, and so
                        continued

The end.
"""


def test_prose_is_filled_and_examples_are_kept() -> None:
    rule = Rule("VER999", "A title", PAGE, print, "nowhere")

    assert SHOWN == str(page_sheet(document([rule], rule.code), Pen(60)))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ERV301", "Did you mean VER301"),
        ("VER3", "These begin so: VER301, VER302"),
        ("zebra", '"coscope rule" lists all of them.'),
        ("", '"coscope rule" lists all of them.'),
        ("\x1b[2J", '"coscope rule" lists all of them.'),
    ],
)
def test_an_unknown_code_is_one_line(code: str, expected: str) -> None:
    result = run(code)

    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
    assert result.stderr.startswith("coscope: error: there is no rule ")
    assert expected in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("words", [[], [RULES[0].code]])
def test_the_document_is_as_its_schema_says(words: list[str]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    found = json.loads(run(*words, "--json").stdout)
    wanted = {"$ref": "#/$defs/rule_document", "$defs": schema()["$defs"]}
    expected = words or [rule.code for rule in RULES]

    assert [] == list(jsonschema.Draft202012Validator(wanted).iter_errors(found))
    assert expected == [rule["code"] for rule in found["rules"]]


def test_pages_are_ascii_on_request() -> None:
    assert [] == [rule.code for rule in RULES if not run(rule.code, "--ascii").stdout.isascii()]
