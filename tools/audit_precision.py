"""Draw findings of the static audit with a fixed seed, for a check by hand.

    python tools/audit_precision.py FOLDER... [--seed 6] [--count 100] [--select PERF]

Each finding of a rule has the same chance as those of any other rule of the same size: the draw is
by rule in turn, so that a rule with many findings does not hide one with few. Prints a table of
Markdown: rule, place, message, the source line; a column for the verdict is left empty.
"""

from __future__ import annotations

import argparse
import random
import warnings
from collections.abc import Iterator
from pathlib import Path

from coscope.audits.engine import audit_file
from coscope.audits.selection import Selection
from coscope.errors import CoscopeError
from coscope.model import Finding


def findings(folders: list[Path], select: tuple[str, ...]) -> Iterator[tuple[str, Finding]]:
    """Every finding, and its file below the folder; tests are left out."""
    rules = Selection(select=select).rules()
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            inside = file.relative_to(folder)
            if {"test", "tests", "idlelib", "site-packages"} & set(inside.parts):
                continue
            try:
                audited = audit_file(str(file), rules)
            except CoscopeError:
                continue  # it does not compile on this version
            for finding in audited.findings:
                yield str(inside), finding


def drawn(found: list[tuple[str, Finding]], count: int, seed: int) -> list[tuple[str, Finding]]:
    """So many findings, by rule in turn."""
    chance = random.Random(seed)
    by_rule: dict[str, list[tuple[str, Finding]]] = {}
    for place, finding in found:
        by_rule.setdefault(finding.rule, []).append((place, finding))
    for held in by_rule.values():
        chance.shuffle(held)
    chosen: list[tuple[str, Finding]] = []
    while len(chosen) < count and any(by_rule.values()):
        for rule in sorted(by_rule):
            if by_rule[rule] and len(chosen) < count:
                chosen.append(by_rule[rule].pop())
    return sorted(chosen, key=lambda each: (each[1].rule, each[0], each[1].line or 0))


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--select", action="append", default=[])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    found = list(findings(given.folders, tuple(given.select)))
    counts: dict[str, int] = {}
    for _, finding in found:
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
    print(f"{len(found)} findings: {', '.join(f'{k} {v}' for k, v in sorted(counts.items()))}\n")
    print("| rule | place | finding | source | true |\n|---|---|---|---|---|")
    for place, finding in drawn(found, given.count, given.seed):
        cells = (
            finding.rule,
            f"{place}:{finding.line}",
            finding.message,
            f"`{_line(finding)}`",
            "",
        )
        print(f"| {' | '.join(cells)} |")


def _line(finding: Finding) -> str:
    if finding.file is None or finding.line is None:
        return ""
    lines = Path(finding.file).read_text(encoding="utf-8", errors="replace").splitlines()
    text = lines[finding.line - 1].strip() if finding.line <= len(lines) else ""
    return text[:70].replace("|", "\\|").replace("`", "'")


if __name__ == "__main__":
    main()
