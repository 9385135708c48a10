"""Mutant number so-and-so: the same one at every run with the same seed and version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from coscope.errors import CoscopeError
from coscope.model import Code
from mutation import aimed_kinds, body_kinds, field_kinds
from mutation.body import Infeasible
from mutation.corpus import Part, Unit
from mutation.pool import Pool
from mutation.registry import BODY_KINDS, FIELD_KINDS

__all__ = ["ALL", "SEVERAL", "Mutant", "aimed_kinds", "body_kinds", "draw", "field_kinds", "mutant"]

SEVERAL = "several at once"

# How often each kind is drawn, where it is not twice. Those that keep structure matter most; those
# that change nothing that could harm are drawn once.
_WEIGHTS = {
    "names shuffled": 1,
    "slots reordered": 1,
    "first line": 1,
    "line table": 1,
    "prefix added": 1,
    "constants truncated": 1,
    "names truncated": 1,
    "code truncated": 1,
    "jump inserted": 1,
    "byte flip": 4,
    "oparg byte": 4,
    "opcode swapped": 6,
    "opcode swapped in place": 4,
    "instruction removed": 3,
    "instruction inserted": 6,
    "splice": 4,
    "balanced splice": 6,
    "random run inserted": 16,
    "same effect": 6,
    "producer exchanged": 10,
    "stack shuffled": 10,
    "guard added": 4,
    "guard changed": 4,
    "handler range": 3,
    "handler depth": 3,
    "contract broken": 4,
    "closure size": 4,
    "nested code exchanged": 4,
    "function attributes": 4,
    **dict.fromkeys(aimed_kinds.AIMED, 5),
}
_KEEPING = (
    "balanced splice", "balanced run removed", "balanced run repeated", "balanced run moved",
    "random run inserted", "same effect", "producer exchanged", "local exchanged", "local deleted",
    "constant of another type", "stack shuffled", "guard added", "guard changed",
    "jump redirected at depth", "oparg likely", "closure size", "contract broken",
    "borrow made", "borrow outlived", "borrow handed on", "cell slot written",
    "comprehension's cell", "SEND protocol", "idiom of another function", "function made again",
)  # fmt: skip
ALL = (*FIELD_KINDS, *BODY_KINDS, SEVERAL)
_DRAWN = [kind for kind in ALL for _ in range(_WEIGHTS.get(kind, 16 if kind == SEVERAL else 2))]
_TRIES = 50


@dataclass
class Mutant:
    """A changed code object of a unit, and how it came about."""

    index: int
    kind: str
    steps: tuple[str, ...]  # kinds applied, in order
    unit: Unit
    part: Part
    code: Code  # of the unit


def mutant(pool: Pool, seed: int, index: int) -> Mutant:
    """Make the mutant of this number."""
    random = Random(seed << 40 | index)
    for _ in range(_TRIES):
        unit, part = random.choice(pool.parts)
        kind = random.choice(_DRAWN)
        steps = draw(random, kind)
        try:
            changed = apply(random, part, steps, pool)
        except (Infeasible, IndexError, CoscopeError):
            continue
        return Mutant(index, kind, steps, unit, part, unit.with_part(part, changed))
    raise AssertionError("no mutation is feasible")


def draw(random: Random, kind: str) -> tuple[str, ...]:
    """The steps of a mutation of this kind."""
    if kind != SEVERAL:
        return (kind,)
    steps: Sequence[str] = random.choices(_KEEPING, k=random.randint(2, 4))
    if random.random() < 0.2:
        steps = [*steps, random.choice(list(FIELD_KINDS))]
    return tuple(steps)


def apply(random: Random, part: Part, steps: Sequence[str], pool: Pool) -> Code:
    """Apply kinds of mutation: first those of instructions, then those of fields."""
    code = part.code
    inner = [step for step in steps if step in BODY_KINDS]
    if inner:
        body = part.body.copy()
        for step in inner:
            BODY_KINDS[step](random, body, pool)
        # Without some room most of what is inserted would be refused for the stack size alone.
        code = body.laid_out(spare=random.choice((0, 0, 2, 8)))
    for step in steps:
        if step in FIELD_KINDS:
            code = FIELD_KINDS[step](random, code, pool)
    return replace(code) if code is part.code else code
