"""Mutants of mutants: what takes the verifier where it has not been is kept and mutated again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from types import CodeType
from typing import Any

from coscope.errors import CoscopeError
from mutation.body import Infeasible
from mutation.corpus import Part, Unit
from mutation.mutate import ALL, Mutant, apply, draw
from mutation.pool import Pool

_WATCHED = ("coscope/verifier/", "coscope/flow/")
_KEPT = 4_000  # mutants, the last that led somewhere new
_TOOL = 5
_TRIES = 50


class Coverage:
    """Which branches and lines of the verifier have run, as `sys.monitoring` says (3.12+)."""

    def __init__(self) -> None:
        self.seen: set[tuple[CodeType, int, int]] = set()
        self.new = 0
        monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self.off = monitoring.DISABLE
        events = monitoring.events
        self.branches = getattr(events, "BRANCH_LEFT", 0) | getattr(events, "BRANCH_RIGHT", 0)
        monitoring.use_tool_id(_TOOL, "guided")
        both = self.branches != 0
        for event in (events.LINE, *self._branch_events(events)):
            monitoring.register_callback(
                _TOOL, event, self._line if event == events.LINE else self._branch(both)
            )
        wanted = events.LINE | (self.branches or events.BRANCH)
        monitoring.set_events(_TOOL, wanted)

    @staticmethod
    def _branch_events(events: Any) -> list[int]:
        if hasattr(events, "BRANCH_LEFT"):
            return [events.BRANCH_LEFT, events.BRANCH_RIGHT]
        return [events.BRANCH]

    def _line(self, code: CodeType, line: int) -> object:
        if any(part in code.co_filename for part in _WATCHED):
            self._note((code, line, -1))
        return self.off

    def _branch(self, each_way: bool) -> Callable[[CodeType, int, int], object]:
        def branch(code: CodeType, source: int, target: int) -> object:
            if not any(part in code.co_filename for part in _WATCHED):
                return self.off
            self._note((code, source, target))
            return self.off if each_way else None

        return branch

    def _note(self, place: tuple[CodeType, int, int]) -> None:
        if place not in self.seen:
            self.seen.add(place)
            self.new += 1


class Guided:
    """Draws mutants of the corpus and of mutants that were worth keeping."""

    def __init__(self, pool: Pool, seed: int, start: int) -> None:
        self.pool = pool
        self.random = Random(f"guided {seed} {start}")
        self.coverage = Coverage() if hasattr(sys, "monitoring") else None
        self.kept: list[tuple[Unit, Part]] = []
        self.last: tuple[Unit, Part] | None = None

    def draw(self, index: int) -> Mutant:
        """The next mutant."""
        random = self.random
        for _ in range(_TRIES):
            from_kept = self.kept and random.random() < 0.7
            unit, part = random.choice(self.kept if from_kept else self.pool.parts)
            kind = random.choice(ALL)
            steps = draw(random, kind)
            try:
                changed = apply(random, part, steps, self.pool)
            except (Infeasible, IndexError, KeyError, ValueError, CoscopeError):
                continue
            self.last = unit, Part(changed, part.path)
            return Mutant(index, kind, steps, unit, part, unit.with_part(part, changed))
        return self.draw(index)

    def judged(self, accepted: bool) -> None:
        """What became of the last mutant: is it worth keeping?"""
        coverage = self.coverage
        led = coverage is not None and coverage.new > 0
        if coverage is not None:
            coverage.new = 0
        if self.last is not None and (led or (accepted and self.random.random() < 0.05)):
            self.kept.append(self.last)
            del self.kept[:-_KEPT]
