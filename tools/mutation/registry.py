"""The kinds of mutation, by name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from coscope.model import Code
from mutation.body import Body
from mutation.pool import Pool

Change = Callable[[Random, Body, Pool], None]
FieldChange = Callable[[Random, Code, Pool], Code]

BODY_KINDS: dict[str, Change] = {}  # change a body, which is then laid out
FIELD_KINDS: dict[str, FieldChange] = {}  # change the fields of a code object as they are


def body_kind(name: str) -> Callable[[Change], Change]:
    """Register a kind that changes a body."""

    def note(change: Change) -> Change:
        BODY_KINDS[name] = change
        return change

    return note


def field_kind(name: str) -> Callable[[FieldChange], FieldChange]:
    """Register a kind that changes fields or bytes."""

    def note(change: FieldChange) -> FieldChange:
        FIELD_KINDS[name] = change
        return change

    return note
