"""docs/llms.txt names every page of the documentation that a user reads."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("click")

from coscope.cli.group import COMMANDS
from tools.llms_text import PAGE, ROOT, text


def test_every_command_is_there_and_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", text())
    written = {path.stem for path in (ROOT / "docs" / "commands").glob("*.md")}

    assert {f"commands/{name}.md" for name in COMMANDS if name in written} <= set(links)
    own = [link for link in links if "://" not in link]
    assert PAGE.is_file()
    assert [] == [link for link in own if not (ROOT / "docs" / link).is_file()]
