"""What a template or form writes about: one instruction with what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from coscope.flow.effects import Effect
from coscope.flow.texts.text import NULL, Text


class Scene(NamedTuple):
    """One instruction and what it takes, as the templates see it."""

    effect: Effect
    operands: Sequence[Text]
    argument: Text | tuple[Text, ...]  # the shown operand of the instruction
    keywords: tuple[str, ...] | None  # keyword names of a call that another instruction set

    def group(self, name: str) -> Sequence[Text]:
        """The values of a popped slot."""
        return self.effect.operand(self.operands, name)

    def one(self, name: str) -> Text:
        """The value of a popped slot that is single."""
        values = self.group(name)
        return values[0] if values else NULL
