"""Two code objects side by side: instructions aligned, jumps compared by where they lead."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from coscope.facts.fingerprints.canonical import Canonical
from coscope.model import Code

_CONTEXT = 2  # equal rows shown around a difference
_EXACT = 3_000  # rows on both sides together, beyond which frequent rows are not aligned first


@dataclass(frozen=True, slots=True)
class Side:
    """One instruction of a pair."""

    text: str  # canonical, but for the names of locals; a jump names its target block
    block: str  # "B2", counted in the canonical form
    line: int | None
    offset: int  # bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the alignment."""

    kind: str  # "same", "removed", "added", "changed" (a jump that leads elsewhere) or "gap"
    left: Side | None = None
    right: Side | None = None


class Written:
    """A code object with its canonical form and its blocks."""

    def __init__(self, code: Code, canonical: Canonical) -> None:
        self.code = code
        self.canonical = canonical
        self._starts: list[int] | None = None

    def block(self, row: int) -> str:
        """Name of the block in which a row lies."""
        if self._starts is None:
            canonical = self.canonical
            after = {row + 1 for row in canonical.targets}
            handlers = {guard.target for guard in canonical.guards}
            self._starts = sorted({0, *canonical.targets.values(), *after, *handlers})
        return f"B{bisect_right(self._starts, row) - 1}"

    def side(self, row: int) -> Side:
        """One row as it is shown."""
        canonical, columns = self.canonical, self.code.instructions
        text = canonical.rows[row]
        at = canonical.sources[row]
        words = text.split(" ")
        if words[1:] and words[1] in ("local", "parameter"):
            names = columns.argval(at)
            second = type(names) is tuple and row > 0 and canonical.sources[row - 1] == at
            text = f"{words[0]} {names[second] if type(names) is tuple else names}"
        if row in canonical.targets:
            text = f"{text} to {self.block(canonical.targets[row])}"
        line = columns.positions[at].lineno
        return Side(text, self.block(row), line, columns.offsets[at])


Operation = tuple[str, int, int, int, int]  # as of difflib's get_opcodes


def aligned(left: tuple[str, ...], right: tuple[str, ...]) -> list[Operation]:
    """Align two lists of rows, as `difflib.SequenceMatcher.get_opcodes` gives it.

    >>> aligned(("a", "b", "c"), ("a", "x", "c"))
    [('equal', 0, 1, 0, 1), ('replace', 1, 2, 1, 2), ('equal', 2, 3, 2, 3)]
    """
    if left == right:
        return [("equal", 0, len(left), 0, len(right))]
    from difflib import SequenceMatcher  # only for code that differs

    head = _common(left, right)
    tail = _common(left[head:][::-1], right[head:][::-1])
    middle = left[head : len(left) - tail], right[head : len(right) - tail]
    large = len(middle[0]) + len(middle[1]) > _EXACT
    matcher = SequenceMatcher(None, *middle, autojunk=large)
    found: list[Operation] = [("equal", 0, head, 0, head)] if head else []
    found += [
        (tag, i1 + head, i2 + head, j1 + head, j2 + head)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
    ]
    if tail:
        found.append(("equal", len(left) - tail, len(left), len(right) - tail, len(right)))
    return found


def _common(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """How many rows are equal at the beginning."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


class Alignment:
    """The rows of two code objects, aligned."""

    def __init__(self, left: Written, right: Written) -> None:
        self.left = left
        self.right = right
        self.operations = aligned(left.canonical.rows, right.canonical.rows)
        self._partners: dict[int, int] = {}
        for tag, i1, i2, j1, j2 in self.operations:
            self._partners[i1] = j1
            if tag == "equal":
                self._partners.update(zip(range(i1, i2), range(j1, j2), strict=True))
        self._partners[len(left.canonical.rows)] = len(right.canonical.rows)

    def leads_elsewhere(self, row: int, other: int) -> bool:
        """True if two aligned jumps lead to rows that are not aligned."""
        target = self.left.canonical.targets.get(row)
        if target is None:
            return False
        return self._partners.get(target) != self.right.canonical.targets.get(other)

    @property
    def same_guards(self) -> bool:
        """True if the protected regions are aligned."""
        moved = [
            guard._replace(
                start=self._partners.get(guard.start, -1),
                stop=self._partners.get(guard.stop, -1),
                target=self._partners.get(guard.target, -1),
            )
            for guard in self.left.canonical.guards
        ]
        return moved == list(self.right.canonical.guards)

    def rows(self) -> Iterator[Row]:
        """Every row of both, in order."""
        for tag, i1, i2, j1, j2 in self.operations:
            if tag == "equal":
                for row, other in zip(range(i1, i2), range(j1, j2), strict=True):
                    kind = "changed" if self.leads_elsewhere(row, other) else "same"
                    yield Row(kind, self.left.side(row), self.right.side(other))
                continue
            yield from (Row("removed", self.left.side(row)) for row in range(i1, i2))
            yield from (Row("added", None, self.right.side(row)) for row in range(j1, j2))

    def shown(self) -> tuple[Row, ...]:
        """The rows that differ, with those around them; a "gap" where rows are left out."""
        every = list(self.rows())
        wanted = {
            near
            for at, row in enumerate(every)
            if row.kind != "same"
            for near in range(max(0, at - _CONTEXT), min(len(every), at + _CONTEXT + 1))
        }
        order = sorted(wanted)
        found: list[Row] = []
        for before, at in pairwise([-1, *order]):
            if at != before + 1:
                found.append(Row("gap"))
            found.append(every[at])
        if order and order[-1] != len(every) - 1:
            found.append(Row("gap"))
        return tuple(found)
