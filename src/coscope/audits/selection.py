"""Which rules run: for which versions they hold, and which of them the user wants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from coscope.audits import PACKAGES
from coscope.errors import InputError, InternalError
from coscope.opcodes import VERSIONS, table
from coscope.opcodes.behaviour import BEHAVIOURS
from coscope.rules import Rule, discover

_NOT = "not "  # before a behaviour: it holds for versions that do not behave so


def holds(rule: Rule, version: str, release: str | None = None) -> bool:
    """Say whether a rule holds for a version of CPython.

    Args:
        rule: The rule.
        version: "3.13".
        release: "3.13.5", if it is known.
    """
    return held(version, release, behaviour=rule.behaviour, warm=rule.warm)


@cache
def held(
    version: str, release: str | None = None, *, behaviour: str = "", warm: bool = False
) -> bool:
    """The same of a behaviour ("": of every version); warm: only where the version specialises."""
    rules = table(version)
    if warm and not rules.specializes:
        return False
    named = behaviour.removeprefix(_NOT)
    return not behaviour or rules.behaves(named, release) == (named == behaviour)


def versions_of(rule: Rule) -> str:
    """The versions for which a rule holds, as pages write them; "" for all of them.

    >>> from coscope.rules import Rule
    >>> versions_of(Rule("X", "", "", print, "", behaviour="hidden_defaults_cost"))
    '3.10, 3.12-3.13'
    """
    holding = [held(each, behaviour=rule.behaviour, warm=rule.warm) for each in VERSIONS]
    if all(holding):
        return ""
    runs = [list(run) for yes, run in groupby(range(len(VERSIONS)), holding.__getitem__) if yes]
    return ", ".join(_range(run[0], run[-1]) for run in runs)


def _range(first: int, last: int) -> str:
    start = VERSIONS[first] if first else ""
    stop = VERSIONS[last] if last < len(VERSIONS) - 1 else ""
    return start if start == stop else f"{start}-{stop}"


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every audit rule, by code.

    Raises:
        InternalError: A rule names a behaviour that no table knows.
    """
    found = [rule for package in PACKAGES for rule in discover(package)]
    for rule in found:
        if rule.behaviour and rule.behaviour.removeprefix(_NOT) not in BEHAVIOURS:
            raise InternalError(f"{rule.module}: no behaviour is named {rule.behaviour!r}")
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
        >>> Selection(ignore=("P",)).wants("PERF301")
        False
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
