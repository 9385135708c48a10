"""Which instruction made a value: the origin domain."""

from __future__ import annotations

from coscope.flow import build
from coscope.flow.domains.origin import takers
from coscope.model import Code
from coscope.readers.from_source import from_source

# The compiler copies short ends of functions; a loop is none.
_NO_END = "while c: c = x"


def made_by(source: str, taker: str, slot: str) -> list[list[str | None]]:
    """What made the values that the first such instruction takes in a slot, as text."""
    (code,) = [code for code in from_source(source).code.walk() if code.qualname == "f"]
    index = next(i.index for i in code.instructions if i.opname.startswith(taker))
    effect, origins = takers(build(code))[index]
    given = effect.operand(origins, slot)
    return [sorted(shown(code, index) or "" for index in one) for one in given]


def shown(code: Code, index: int) -> str | None:
    return code.instructions.argrepr(index) if index >= 0 else None


def test_arguments_of_a_call() -> None:
    assert [["'a'"], ["'b'"]] == made_by("def f(g): return g('a', 'b')", "CALL", "args")


def test_values_that_meet_keep_their_origins_apart() -> None:
    source = f"def f(g, c):\n    x = g('a' if c else 'b')\n    {_NO_END}"

    assert [["'a'", "'b'"]] == made_by(source, "CALL", "args")


def test_too_many_origins_are_unknown() -> None:
    chosen = " if c else ".join(f"'{n}'" for n in range(12))

    source = f"def f(g, c):\n    x = g({chosen})\n    {_NO_END}"

    assert [[""]] == made_by(source, "CALL", "args")


def test_a_value_that_is_moved_keeps_its_origin() -> None:
    assert [["'a'"]] == made_by("def f(g, x): x[g('a')] += 1", "CALL", "args")
