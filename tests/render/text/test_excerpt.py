"""The source text under a position, against `ast.get_source_segment`."""

from __future__ import annotations

import ast

import pytest

from coscope.model import Span
from coscope.render.text.excerpt import MAX_CHARACTERS, excerpt

SOURCE = """\
result = combine(
    first["é"],
    [each for each in rows
     if each],
    (yield_ or
     other),
)
one = two + three
"""


@pytest.mark.parametrize(
    "node",
    [each for each in ast.walk(ast.parse(SOURCE)) if hasattr(each, "lineno")],
    ids=lambda node: f"{type(node).__name__}{node.lineno}",
)
def test_an_excerpt_is_the_segment_of_the_node(node: ast.expr) -> None:
    span = Span(node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)

    assert excerpt(SOURCE.splitlines(), span) == ast.get_source_segment(SOURCE, node)


@pytest.mark.parametrize(
    "span",
    [(None, 1, 0, 1), (1, None, 0, 1), (1, 1, None, 1), (1, 1, 0, None), (0, 1, 0, 1), (1, 9, 0, 1),
     (2, 1, 0, 1), (1, 1, 3, 3)],
)  # fmt: skip
def test_what_is_no_place_in_the_text_has_no_excerpt(span: tuple[int | None, ...]) -> None:
    assert excerpt(SOURCE.splitlines(), span) is None


def test_a_long_excerpt_is_cut() -> None:
    text = excerpt(["x" * 700, "y" * 700], Span(1, 2, 0, 700))

    assert text is not None
    assert len(text) == MAX_CHARACTERS
