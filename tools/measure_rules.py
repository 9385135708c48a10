"""Measure the pair of each performance rule on every CPython of this machine, into its page.

python tools/measure_rules.py            measure, and rewrite the tables in the docstrings
python tools/measure_rules.py PERF301    of one rule
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from coscope.audits.calibration import Pair
from coscope.errors import CoscopeError
from coscope.readers.from_interpreter import find
from coscope.rules import Rule, discover
from coscope.tuner.processes import Processes

VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
HEAD = """\
Measured: nanoseconds that each operation loses, median on one machine. The builds of 3.8 to 3.13
are without PGO, those of 3.14.10 and 3.15.2 are Debian's, with it."""
RUNS = 5  # processes for each version


def main() -> None:
    """Measure, and rewrite the files."""
    wanted = sys.argv[1:]
    pairs: dict[str, tuple[Rule, Pair]] = {}
    for rule in discover("coscope.audits.performance"):
        pair = getattr(rule.lower_bound, "__self__", None)
        if isinstance(pair, Pair) and (not wanted or rule.code in wanted):
            pairs[rule.code] = rule, pair
    measured: dict[str, dict[str, float]] = {code: {} for code in pairs}
    for version in VERSIONS:
        for code, value in _measure(version, {code: pair for code, (_, pair) in pairs.items()}):
            measured[code][version] = value
    for code, (rule, _) in pairs.items():
        _write(rule, measured[code])
        print(code, measured[code])


def _measure(version: str, pairs: dict[str, Pair]) -> list[tuple[str, float]]:
    try:
        python = find(version).path
    except CoscopeError:
        return []
    processes = Processes(python)
    fields = Pair.__dataclass_fields__
    asked = {code: {name: getattr(pair, name) for name in fields} for code, pair in pairs.items()}
    found: dict[str, list[float]] = {}
    for _ in range(RUNS):
        told: dict[str, Any] = processes.ask("calibrate", pairs=asked)["differences"]
        for code, differences in told.items():
            if isinstance(differences, list):
                found.setdefault(code, []).append(median(differences))
    return [(code, round(median(values), 1)) for code, values in found.items()]


def _write(rule: Rule, values: dict[str, float]) -> None:
    file = Path(import_module(rule.module).__file__ or "")
    text = file.read_text(encoding="utf-8")
    shown = [f"{values[version]:g}" if version in values else "-" for version in VERSIONS]
    table = f"\n{HEAD}\n\n    CPython {''.join(f'{version:>7}' for version in VERSIONS)}"
    table += f"\n    ns      {''.join(f'{value:>7}' for value in shown)}\n"
    head, quotes, rest = text[3:].partition('"""')
    head = re.sub(r"\nMeasured: nanoseconds that each operation loses.*", "", head, flags=re.DOTALL)
    file.write_text(f'"""{head.rstrip()}\n{table}{quotes}{rest}', encoding="utf-8")


if __name__ == "__main__":
    main()
