"""How many findings are true, and worth telling: a protocol that rules cannot be tuned to.

    python tools/precision_draw.py packages NAMES --seed N [--count 24] [--seen FILE...]
    python tools/precision_draw.py findings AUDIT.json --seed N [--count 100] > drawn.jsonl
    python tools/precision_draw.py estimate JUDGED.jsonl

`packages` draws names, by a seed, from a table of downloads: lines of name and rank with tabs, a
header first. As many come from ranks 1 to 100 as from 101 to 1,000 and from 1,001 to 5,000. Names
in the files after `--seen` are left out: of one release's draw nothing may be drawn again, and
nothing that anybody looked at before. `findings` draws from the document of `coscope audit --json`
(tests left out): every rule is a stratum, one finding of each stratum for certain, the rest in
proportion to its size, and each finding has the weight of those that it stands for. Whoever judges
adds `"true"`, `"worth"` (true or false) and `"why"` to each line. `estimate` prints both shares by
weight, each with a 95% interval, for all and for warnings alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

TIERS = ((1, 100), (101, 1_000), (1_001, 5_000))  # ranks
Row = dict[str, Any]


def packages(table: Path, seed: int, count: int, seen: Iterable[Path]) -> list[str]:
    """Names, drawn from each tier of ranks alike."""
    known = {line.strip().lower() for path in seen for line in path.read_text().splitlines()}
    tiers: list[list[str]] = [[] for _ in TIERS]
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            rank = next((value for key, value in row.items() if key and key.startswith("rank")), "")
            for tier, (first, last) in zip(tiers, TIERS, strict=True):
                if rank and first <= int(rank) <= last and row["name"].lower() not in known:
                    tier.append(row["name"])
    lots = random.Random(seed)
    each = count // len(TIERS)
    return [name for tier in tiers for name in lots.sample(sorted(tier), min(each, len(tier)))]


def drawn(findings: Sequence[Row], seed: int, count: int) -> list[Row]:
    """A stratified draw with weights; rules are the strata."""
    strata: dict[str, list[Row]] = defaultdict(list)
    for each in findings:
        file = (each["file"] or "").replace("\\", "/")
        if not any(part in ("tests", "test", "testing") for part in file.split("/")):
            strata[each["rule"]].append(each)
    total = sum(map(len, strata.values()))
    lots = random.Random(seed)
    found = []
    for rule, rows in sorted(strata.items()):
        size = max(1, min(len(rows), round(count * len(rows) / total)))
        for each in lots.sample(rows, size):
            found.append({**_short(each), "stratum": rule, "weight": len(rows) / size})
    return found


def _short(each: Row) -> Row:
    kept = ("rule", "severity", "confidence", "file", "line", "code", "message", "source")
    evidence = [fact["text"] for fact in each["evidence"]]
    return {**{key: each[key] for key in kept}, "evidence": evidence}


def estimate(rows: Sequence[Row], key: str) -> tuple[float, float, float]:
    """A share by weight, and its 95% interval (Wilson's, with the effective number of draws)."""
    weights = [row["weight"] for row in rows]
    total = sum(weights)
    share = sum(row["weight"] for row in rows if row[key]) / total
    size = total**2 / sum(weight**2 for weight in weights)  # Kish's effective number
    z = 1.96
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = (
        z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    )
    return share, max(0.0, middle - half), min(1.0, middle + half)


def _print_estimates(rows: Sequence[Row]) -> None:
    warnings = [row for row in rows if row["severity"] != "info"]
    for name, part in (("all", rows), ("warnings and errors", warnings)):
        for key in ("true", "worth") if part else ():
            share, low, high = estimate(part, key)
            print(
                f"{name}: {key} {share:.1%} by weight ({low:.0%} to {high:.0%}), {len(part)} drawn"
            )
    by_rule: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_rule[row["rule"]].append(row)
    print("| rule | findings | drawn | true | worth telling |\n|---|---|---|---|---|")
    for rule, part in sorted(by_rule.items()):
        true, worth = (sum(row[key] for row in part) for key in ("true", "worth"))
        print(f"| {rule} | {sum(r['weight'] for r in part):.0f} | {len(part)} | {true} | {worth} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    each = verbs.add_parser("packages")
    each.add_argument("table", type=Path)
    each.add_argument("--seen", type=Path, nargs="*", default=[])
    each.add_argument("--seed", type=int, required=True)
    each.add_argument("--count", type=int, default=24)
    each = verbs.add_parser("findings")
    each.add_argument("document", type=Path)
    each.add_argument("--seed", type=int, required=True)
    each.add_argument("--count", type=int, default=100)
    verbs.add_parser("estimate").add_argument("judged", type=Path)
    args = parser.parse_args()
    if args.verb == "packages":
        print("\n".join(packages(args.table, args.seed, args.count, args.seen)))
    elif args.verb == "findings":
        document = json.loads(args.document.read_text(encoding="utf-8"))
        for row in drawn(document["findings"], args.seed, args.count):
            sys.stdout.write(json.dumps(row) + "\n")
    else:
        lines = args.judged.read_text(encoding="utf-8").splitlines()
        _print_estimates([json.loads(line) for line in lines if line.strip()])


if __name__ == "__main__":
    main()
