"""A document without what its own source text repeats: lines, and the text under instructions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from coscope.model import Span
from coscope.render.text.excerpt import excerpt

LEFT_OUT = "excerpts"  # key that says that they were left out

Json = Any  # strict JSON data


def without_excerpts(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document without them, if it has its whole source text and they are parts of it."""
    made = dict(document)
    lines = _lines_of(made)
    if lines is None or not all(_is_excerpt(each, lines) for each in _instructions(made)):
        return made
    source = made["source"]
    if any(lines[int(number) - 1 :][:1] != [text] for number, text in source["lines"].items()):
        return made
    made["source"] = {**source, "lines": [int(number) for number in source["lines"]]}
    made["codes"] = [_shorter(code) for code in made["codes"]]
    made[LEFT_OUT] = True
    return made


def with_excerpts(document: dict[str, Json]) -> dict[str, Json]:
    """The same document with them, if they were left out."""
    if not document.pop(LEFT_OUT, False):
        return document
    lines = _lines_of(document) or []
    for each in _instructions(document):
        each["line"] = each["positions"][0]
        each["source"] = excerpt(lines, Span(*each["positions"]))
    source = document["source"]
    source["lines"] = {str(number): lines[number - 1] for number in source["lines"]}
    return document


def _lines_of(document: Mapping[str, Json]) -> list[str] | None:
    source = document.get("source")
    if not isinstance(source, Mapping) or "text" not in source:
        return None
    return str(source["text"]).split("\n")[:-1]


def _instructions(document: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    for code in document.get("codes", ()):
        if code.get("detail") is not None:
            yield from code["detail"]["instructions"]


def _is_excerpt(instruction: Mapping[str, Json], lines: list[str]) -> bool:
    positions = instruction["positions"]
    return bool(
        instruction["line"] == positions[0]
        and instruction["source"] == excerpt(lines, Span(*positions))
    )


def _shorter(code: Mapping[str, Json]) -> dict[str, Json]:
    if code.get("detail") is None:
        return dict(code)
    instructions = [
        {key: value for key, value in each.items() if key not in ("line", "source")}
        for each in code["detail"]["instructions"]
    ]
    return {**code, "detail": {**code["detail"], "instructions": instructions}}
