"""Which rules run: for which versions they hold, and which of them the user wants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from coscope.audits import PACKAGES
from coscope.errors import InputError, InternalError
from coscope.opcodes import VERSIONS
from coscope.rules import Rule, discover


@cache
def holds_for(versions: str, version: str) -> bool:
    """Say whether a rule holds for a version of CPython.

    Args:
        versions: "" for all, or parts with commas between: "3.11", "3.12-3.13", "3.11-", "-3.10".
        version: "3.13".

    Raises:
        InternalError: A part names no version with an opcode table.

    >>> [each for each in ("3.8", "3.12", "3.14") if holds_for("-3.10, 3.12-3.13", each)]
    ['3.8', '3.12']
    """
    return not versions or any(version in _range(part.strip()) for part in versions.split(","))


def _range(part: str) -> tuple[str, ...]:
    first, dash, last = part.partition("-")
    try:
        start = VERSIONS.index(first) if first else 0
        stop = VERSIONS.index(last or VERSIONS[-1]) if dash else start
    except ValueError as error:
        raise InternalError(f"{part!r} names no range of CPython versions") from error
    return VERSIONS[start : stop + 1]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every audit rule, by code."""
    found = [rule for package in PACKAGES for rule in discover(package)]
    return tuple(sorted(found, key=lambda rule: rule.code))


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user selected, by the beginnings of codes; the longest one that fits decides."""

    select: tuple[str, ...] = ()  # () selects all
    ignore: tuple[str, ...] = ()

    def wants(self, code: str) -> bool:
        """True if a rule shall run.

        >>> Selection(select=("PERF",), ignore=("PERF3",)).wants("PERF301")
        False
        >>> Selection(select=("PERF301",), ignore=("PERF",)).wants("PERF301")
        True
        """
        yes = max((len(each) for each in self.select if code.startswith(each)), default=-1)
        no = max((len(each) for each in self.ignore if code.startswith(each)), default=-1)
        if not self.select:
            yes = 0
        return yes > no

    def rules(self) -> tuple[Rule, ...]:
        """The rules that shall run.

        Raises:
            InputError: One of the words begins no rule's code.
        """
        rules = all_rules()
        for word in (*self.select, *self.ignore):
            if not any(rule.code.startswith(word) for rule in rules):
                raise InputError(
                    f"no rule begins with {word!r}",
                    found=", ".join(sorted({_family(rule.code) for rule in rules})),
                    hint='"coscope rule" lists all of them.',
                )
        return tuple(rule for rule in rules if self.wants(rule.code))


def selected(select: Iterable[str], ignore: Iterable[str]) -> Selection:
    """A selection from words as users write them: in any case, several with commas between."""
    return Selection(_words(select), _words(ignore))


def _words(texts: Iterable[str]) -> tuple[str, ...]:
    words = [word.strip().upper() for text in texts for word in text.split(",")]
    return tuple(dict.fromkeys(word for word in words if word))


def _family(code: str) -> str:
    return code.rstrip("0123456789")
