"""The document of `rule`

`coscope rule --json`.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from coscope.render.schemas.shared import Header


class RuleDocument(Header):
    """What `coscope rule --json` prints."""

    command: Literal["rule"]
    target: str  # the code, empty for all rules
    rules: list[Rule]  # in order of their codes
    error: None  # as in every document that is not an error


class Rule(TypedDict):
    """One rule."""

    code: str  # `VER104`
    title: str  # what a violation of it is, one line
    page: str  # the rest: paragraphs, and examples that are indented by four
