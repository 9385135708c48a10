"""Functions of a module with postponed annotations (PEP 563)."""

# mypy: ignore-errors

from __future__ import annotations

import typing
from typing import TYPE_CHECKING

from tests.facts.signatures import annotated

if typing.TYPE_CHECKING or TYPE_CHECKING:
    from fractions import Fraction

if TYPE_CHECKING:
    from decimal import Decimal


class Later: ...


def fn(a: int, b: Later, c: Decimal) -> None: ...


def other(a: Later) -> None: ...


wrapped_elsewhere = annotated.wrap(other)


def both(a: Fraction) -> None: ...
