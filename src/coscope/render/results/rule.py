"""Rules as a document and as pages: what a rule says is the docstring of its file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any

from coscope.render.report import SCHEMA_VERSION, producer_version
from coscope.render.sheet import Line, Sheet
from coscope.render.text import Pen
from coscope.rules import Rule

Entry = dict[str, Any]

_EXAMPLE = "    "  # what an example is indented by
_ITEM = "- "
_PROSE = 88  # cells: longer lines of prose are hard to read


def document(rules: Iterable[Rule], target: str) -> Entry:
    """The document of docs/schema.md, "rule"."""
    return {
        "schema_version": SCHEMA_VERSION,
        "producer": {
            "name": "coscope",
            "version": producer_version(),
            "python": sys.version.split()[0],
        },
        "command": "rule",
        "target": target,
        "rules": [{"code": rule.code, "title": rule.title, "page": rule.page} for rule in rules],
        "error": None,
    }


def list_sheet(found: Entry, pen: Pen) -> Sheet:
    """All rules by code, each with its title."""
    page = Sheet(pen)
    for rule in found["rules"]:
        page.add((rule["code"], "name"), (f"  {rule['title']}", "plain"))
    page.blank()
    page.add(("coscope rule CODE", "value"), (" explains one of them", "faint"))
    return page


def page_sheet(found: Entry, pen: Pen) -> Sheet:
    """The page of one rule: prose is wrapped, what is indented by four is kept as it stands."""
    page = Sheet(pen)
    rule = found["rules"][0]
    page.add((f"{rule['code']}  ", "name"), (rule["title"], "title"))
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
            page.add((line, "source"))
        else:
            prose.append(line)
    page.extend(_paragraph(pen, prose))
    return page


def _paragraph(pen: Pen, lines: list[str]) -> Iterator[Line]:
    """Lines of prose, wrapped anew; what stands in backticks is marked."""
    hanging = " " * len(_ITEM) if lines and lines[0].startswith(_ITEM) else ""
    width = min(pen.width, _PROSE) - len(hanging)
    quoted = False
    for at, text in enumerate(wrap(" ".join(line.strip() for line in lines), width)):
        line: Line = [(hanging if at else "", "plain")]
        for number, part in enumerate(text.split("`")):
            if number:
                line.append(("`", "faint"))
                quoted = not quoted
            line.append((part, "value" if quoted else "plain"))
        yield line
