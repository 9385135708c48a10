"""`coscope tune` on whole functions, on every CPython of this machine from 3.8 on: the table.

python tools/tune_examples.py                     all of them
python tools/tune_examples.py defaults 3.13       of one example, on one version
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coscope.errors import InterpreterError
from coscope.tuner import Trial, tune

BY_HAND = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")  # versions that were measured by hand
VERSIONS = (*BY_HAND, "3.14", "3.15")
LEAST = 1.05  # what was measured by hand as 1.0 has two digits
NEW = ("3.11", "3.12", "3.13")
NUMBERS = "values = list(range(-50, 50))"
# A program's main loop: to 3.10 names and attributes are cached from the 1024th call on alone.
MANY = "values = list(range(-10_000, 10_000))"
HEAD = (
    "| example | CPython | predicted | measured | 95% interval | null | counts above |"
    " verdict | before | same sign |\n|---|---|--:|--:|--:|--:|--:|---|---|---|"
)


@dataclass(frozen=True)
class Example:
    """One function and the form that does the same."""

    name: str
    after: str
    text: str
    call: str
    setup: str = ""
    gains: tuple[str, ...] = BY_HAND  # versions on which the measurements by hand gained
    known: tuple[str, ...] = BY_HAND  # versions that they told of
    told: str = ""  # what they gave
    found_in: str = ""  # where the finding is, if not in the function itself


EXAMPLES = (
    Example(
        "classic",
        "classic_hoisted",
        "sqrt, abs, len and append hoisted",
        "classic(values)",
        MANY,
        ("3.8", "3.9", "3.10"),
        told="1.4 to 1.6 up to 3.10, else 0.94 to 0.99",
    ),
    Example(
        "defaults",
        "no_defaults",
        "defaults of a dataclass removed",
        "defaults(20_000)",
        "",
        ("3.12", "3.13"),
        told="1.0 up to 3.11, else 2.6 and 2.75",
        found_in="Defaults.turn",
    ),
    Example(
        "class_counter",
        "list_counter",
        "counter in a class, in a list",
        "class_counter(values)",
        NUMBERS,
        NEW,
        NEW,
        "1.9 to 3.2 from 3.11 on",
    ),
    Example(
        "lazy_module",
        "lazy_module_hoisted",
        "names of a module with `__getattr__` hoisted",
        "lazy_module(values)",
        NUMBERS,
        NEW,
        NEW,
        "2.4 to 3.6 from 3.11 on",
    ),
    Example(
        "keywords",
        "positions",
        "constructor keywords, positions",
        "keywords(100)",
        told="1.6 to 2.3",
    ),
    Example(
        "abstract",
        "concrete",
        "isinstance of Mapping, dict",
        "abstract(items)",
        "items = [1, 'a', 2.0, {}] * 25",
        told="2 to 2.7",
    ),
    Example(
        "members",
        "constants",
        "members of an Enum, constants",
        "members(colours)",
        "",
        NEW,
        NEW,
        "3.5 on 3.11, 1.5 from 3.12 on",
    ),
)


def main() -> None:
    """Measure what is asked for, row by row."""
    os.chdir(Path(__file__).parent)
    wanted = sys.argv[1:]
    print(HEAD, flush=True)
    same = told = 0
    for example in EXAMPLES:
        for version in VERSIONS:
            names = {example.name, version}
            if wanted and not names.issuperset(wanted):
                continue
            for row, agrees in _rows(example, version):
                print(row, flush=True)
                told += agrees is not None
                same += agrees is True
    print(f"\n{same} of {told} have the sign of the measurements by hand.")


def _rows(example: Example, version: str) -> Iterator[tuple[str, bool | None]]:
    target = f"whole_functions:{example.name}"
    try:
        trial = tune(
            target,
            example.call,
            setup=example.setup,
            against=f"whole_functions:{example.after}",
            python=version,
        )
        inner = trial
        if example.found_in:
            name = f"whole_functions:{example.found_in}"
            inner = tune(name, example.call, setup=example.setup, python=version)
    except InterpreterError as error:
        print(error, file=sys.stderr)
        return
    (change,) = trial.changes
    gain = change.gain
    if gain is None:
        raise SystemExit(f"{example.name} on {version}: {change.refused}")
    gains = change.verified and gain.ratio >= LEAST
    agrees = gains == (version in example.gains) if version in example.known else None
    verdict = "verified" if gain.verified else "slower" if gain.slower else "not worth it"
    cells = (
        example.text,
        trial.release,
        _predicted(inner),
        f"{gain.ratio:.2f}",
        f"{gain.low:.2f} to {gain.high:.2f}",
        f"{gain.null:.3f}",
        f"{100 * gain.threshold:.1f}%",
        verdict,
        example.told,
        {True: "yes", False: "**no**", None: "not known"}[agrees],
    )
    yield f"| {' | '.join(cells)} |", agrees


def _predicted(trial: Trial) -> str:
    """What all findings together gain at most, as a ratio."""
    shares = [each.share for each in trial.proposals if each.share is not None]
    left = 1 - sum(shares)
    if not shares:
        return "-"
    return f"{1 / left:.2f}" if left > 0.05 else "over 20"


if __name__ == "__main__":
    main()
