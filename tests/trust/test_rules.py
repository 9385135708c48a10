"""The rules of `trust` are documented, each once, as the table in the code has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from coscope.model import SEVERITIES
from coscope.trust.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "commands" / "trust.md"
START, END = "<!-- rules -->\n", "<!-- end of rules -->"


def _table() -> str:
    rows = [
        f"| {each.code} | {each.severity} | **{each.title}.** {each.page} |"
        for each in KINDS.values()
    ]
    return "\n".join(["| rule | severity | means |", "|---|---|---|", *rows, ""])


def test_the_page_lists_every_rule(request: pytest.FixtureRequest) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    listed, _, after = rest.partition(END)
    if request.config.getoption("--bless"):
        PAGE.write_text(before + START + _table() + END + after, encoding="utf-8", newline="\n")
        listed = _table()

    assert listed == _table()


def test_severities_are_known() -> None:
    assert {each.severity for each in KINDS.values()} <= set(SEVERITIES)
