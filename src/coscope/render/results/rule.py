"""Rules as a document and as pages: what a rule says is the docstring of its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from coscope.render.document.report import header
from coscope.render.pages.sheet import Line, Sheet
from coscope.render.text.measured import Pen
from coscope.rules import Rule

if TYPE_CHECKING:
    from coscope.render.schemas import rule as schema


_EXAMPLE = "    "  # what an example is indented by
_ITEM = "- "
_PROSE = 88  # cells: longer lines of prose are hard to read


def document(rules: Iterable[Rule], target: str) -> schema.RuleDocument:
    """The document of docs/schema.md, "rule"."""
    return {
        **header(),
        "command": "rule",
        "target": target,
        "rules": [{"code": rule.code, "title": rule.title, "page": rule.page} for rule in rules],
        "error": None,
    }


def list_sheet(found: schema.RuleDocument, pen: Pen) -> Sheet:
    """All rules by code, each with its title."""
    page = Sheet(pen)
    for rule in found["rules"]:
        page.extend(_titled(pen, rule, "plain"))
    page.blank()
    page.add(("coscope rule CODE", "value"), (" explains one of them", "faint"))
    return page


def page_sheet(found: schema.RuleDocument, pen: Pen) -> Sheet:
    """The page of one rule: prose is wrapped, what is indented by four is kept as it is."""
    page = Sheet(pen)
    rule = found["rules"][0]
    page.extend(_titled(pen, rule, "title"))
    page.blank()
    prose: list[str] = []
    for line in rule["page"].splitlines():
        ends = not line.strip() or line.startswith((_EXAMPLE, _ITEM))
        if ends:
            page.extend(_paragraph(pen, prose))
            prose = []
        if not line.strip():
            page.blank()
        elif line.startswith(_EXAMPLE):
            page.extend(_example(pen, line))
        else:
            prose.append(line)
    page.extend(_paragraph(pen, prose))
    return page


def _titled(pen: Pen, rule: schema.Rule, role: str) -> Iterator[Line]:
    """Code and title, the title over as many lines as it takes."""
    code = f"{rule['code']}  "
    for at, text in enumerate(wrap(rule["title"], pen.width - len(code), break_on_hyphens=False)):
        yield [(" " * len(code) if at else code, "name"), (text, role)]


def _example(pen: Pen, line: str) -> Iterator[Line]:
    """A line of an example: unchanged where there is room, and never cut."""
    remark = re.search(r"\S {2,}(?=\S)", line)  # what is on the right explains the left
    at = remark.end() if remark and remark.end() < pen.width // 2 else 2 * len(_EXAMPLE)
    for text in wrap(line, pen.width, subsequent_indent=" " * at, break_on_hyphens=False):
        yield [(text, "source")]


def _paragraph(pen: Pen, lines: list[str]) -> Iterator[Line]:
    """Lines of prose, wrapped anew; what is in backticks is marked."""
    hanging = " " * len(_ITEM) if lines and lines[0].startswith(_ITEM) else ""
    width = min(pen.width, _PROSE) - len(hanging)
    quoted = False
    joined = " ".join(line.strip() for line in lines)
    for at, text in enumerate(wrap(joined, width, break_on_hyphens=False)):
        line: Line = [(hanging if at else "", "plain")]
        for number, part in enumerate(text.split("`")):
            if number:
                line.append(("`", "faint"))
                quoted = not quoted
            line.append((part, "value" if quoted else "plain"))
        yield line
