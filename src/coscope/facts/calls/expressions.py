"""Texts of expressions, as the symbolic stack has them, as trees."""

from __future__ import annotations

import ast


def parsed(text: str) -> ast.expr | None:
    """An expression text as a tree; None if it holds what is not source."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
