"""Follows an argument to the calls that passed it on, as far as the values say so."""

from __future__ import annotations

from collections.abc import Sequence

from coscope.explanations.case import Case, Taken

_LONGEST = 4  # calls that are followed


def passed_by(case: Case, callers: Sequence[Case]) -> list[str]:
    """Sentences on where the argument came from that the failing instruction took.

    Args:
        case: The frame that failed.
        callers: The frames around it that are known, outermost first.
    """
    taken = next((each for each in case.operands if _is_argument(case, each)), None)
    found: list[str] = []
    for caller in list(reversed(callers))[:_LONGEST]:
        if taken is None or taken.known is None:
            return found
        passed = _passed(caller, taken.known.thing)
        if passed is None:
            return found
        line = caller.standing.instructions.positions[caller.standing.index].lineno
        found.append(
            f"{caller.standing.code.qualname} passed it at line {line}: {caller.named(passed)}."
        )
        if not _is_argument(caller, passed):
            since = caller.since(passed)
            return found if since is None else [*found, since]
        taken = passed
    return found


def _is_argument(case: Case, taken: Taken) -> bool:
    """True for a variable that holds what the caller passed."""
    if taken.known is None or taken.node.variable is None:
        return False
    return [each.how for each in case.origins(taken.node)] == ["argument"]


def _passed(caller: Case, thing: object) -> Taken | None:
    """The one argument of the caller's call that is the object; None if there are several."""
    same = [
        each
        for each in caller.operands
        if each.role == "args" and each.known is not None and each.known.thing is thing
    ]
    return same[0] if len(same) == 1 else None
