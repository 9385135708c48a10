"""The verifier's answer, as fast as a million mutants need it.

`refused` looks at each code object as `coscope.verify` does, leaves out the genuine ones that a
mutant shares with the corpus, and stops at the first violation. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from coscope.model import Code
from coscope.rules import discover
from coscope.verifier import Violation
from coscope.verifier.subject import Subject


class Judge:
    """Accepts or refuses mutants.

    Attributes:
        without: Rules, as "VER403" or "VER403:LIST_APPEND", whose violations do not count.
    """

    def __init__(self, genuine: Iterable[Code], without: Iterable[str] = ()) -> None:
        self.without = frozenset(without)
        self.checks: list[Callable[[Subject], Iterator[Violation]]] = [
            rule.check for rule in discover("coscope.verifier.checks")
        ]
        self.known = {id(code): code for code in genuine}

    def refused(self, code: Code) -> Violation | None:
        """The first violation that counts, None if the code object is accepted."""
        known = self.known
        for inner in code.walk():
            if known.get(id(inner)) is inner:
                continue
            subject = Subject(inner)
            for check in self.checks:
                for violation in check(subject):
                    if not self.without or not self.excused(violation):
                        return violation
            if not self.without and (subject.graph is None or subject.frames is None):
                raise AssertionError(f"{inner.qualname} is accepted, but was not followed")
        return None

    def excused(self, violation: Violation) -> bool:
        """True if this run is to find out what happens without the check."""
        rule = violation.rule
        return rule in self.without or f"{rule}:{violation.opname}" in self.without
