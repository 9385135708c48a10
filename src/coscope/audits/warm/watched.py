"""The static rules about loops, for functions that were seen to run: the samples say how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from coscope.audits.options import Options
from coscope.audits.running.documents import to_entry
from coscope.audits.running.engine import read_unit, run_rule
from coscope.audits.selection import holds
from coscope.audits.subject.subject import Subject
from coscope.audits.warm.shares import index_of, instructions_a_round, samples_around
from coscope.errors import CoscopeError
from coscope.rules import Rule

_ENOUGH = 10  # samples of a function, from which its loops are looked at


class Watched(NamedTuple):
    """What the samples of all processes say of one function."""

    seconds: float
    places: dict[int, int]  # samples by offset in co_code, in bytes


Key = tuple[str, str, int]  # file, qualified name and first line of a function


def watched_in(told: Sequence[Mapping[str, Any]]) -> dict[Key, Watched]:
    """What the processes of a command have sampled, by function."""
    found: dict[Key, Watched] = {}
    for entry in told:
        for file, name, line, seconds, places in entry["watched"]:
            before = found.get((file, name, line), Watched(0.0, {}))
            held = dict(before.places)
            for offset, count in places:
                held[offset] = held.get(offset, 0) + count
            found[file, name, line] = Watched(before.seconds + seconds, held)
    return found


def static_entries(
    watched: Mapping[Key, Watched], rules: Sequence[Rule], options: Options, python: str | None
) -> Iterator[dict[str, Any]]:
    """What static rules that measure their cost find in these functions, as the processes report.

    The files are compiled, by the interpreter that ran; one that cannot be read is left out.
    """
    rules = [rule for rule in rules if rule.lower_bound and not (rule.live or rule.warm)]
    for file in dict.fromkeys(file for file, _, _ in watched):
        try:
            unit = read_unit(file, options, python=python)
            unit.runs = {
                (name, line): f"it was seen to run in {sum(held.places.values()):,} samples"
                for (each, name, line), held in watched.items()
                if each == file and sum(held.places.values()) >= _ENOUGH
            }
            for code in unit.codes if unit.runs else ():
                if (code.qualname, code.firstlineno) in unit.runs:
                    subject = Subject(code, unit)
                    yield from _entries(
                        subject, rules, watched[file, code.qualname, code.firstlineno]
                    )
        except CoscopeError:
            continue  # it is not there any more, or is no file: the run itself has its findings


def _entries(subject: Subject, rules: Sequence[Rule], held: Watched) -> Iterator[dict[str, Any]]:
    for rule in rules:
        if not holds(rule, subject.version):
            continue
        for finding in run_rule(rule, subject):
            yield {
                "finding": to_entry(finding),
                "loops": subject.loop_at(index_of(subject, finding)) is not None,
                "round": instructions_a_round(subject, finding),
                "samples": samples_around(subject, finding, held.places),
                "most": None,
                "seconds": held.seconds,
            }
