"""Mutate genuine functions, ask the verifier, run what it accepts: no accepted mutant may crash.

    python tools/mutants.py --count 1000000 --jobs 2            under this interpreter
    python tools/mutants.py --python python3.12 --count 20000   under another one
    python tools/mutants.py --pyodide FOLDER --count 100000     inside Pyodide
    python tools/mutants.py --without VER403 --count 20000      must find crashes: the check works
    python tools/mutants.py --without VER403:LIST_APPEND ...    the same of one opcode
    python tools/mutants.py --guided --count 20000              mutants of mutants, by coverage
    python tools/mutants.py --only 31415                        one mutant again

Mutant N of a seed is the same at every run of a version. Chunks of mutants run in processes of
their own; every fourth under PYTHONMALLOC=debug, which sees damage that a release build survives.
A crash is run again alone, made smaller and printed; the exit status is 1 if there was one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

CHUNK = 5_000  # mutants of one process
BATCH = 200  # accepted mutants of one child
DEBUGGED = 4  # every so-manieth chunk runs under PYTHONMALLOC=debug
COLUMNS = ("mutants", "refused", "accepted", "crashes", "hangs", "errors", "complaints", "excused")
ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    if options.chunk is not None:
        start, stop = options.chunk
        made = chunk(options.seed, start, stop, tuple(options.without), options.guided)
        print(json.dumps(made))
        return 0
    if options.only is not None:
        found = chunk(options.seed, options.only, options.only + 1, tuple(options.without))
        print(json.dumps(found, indent=1))
        return bool(found["found"])
    if options.pyodide is not None:
        from mutation import inside

        summary = inside.from_outside(options)
    else:
        summary = _all(options)
    if options.json:
        Path(options.json).write_text(json.dumps(summary, indent=1), encoding="utf-8")
    print(table(summary))
    return bool(summary["found"])


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", "-j", type=int, default=1)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--pyodide", help="folder with node_modules/pyodide")
    parser.add_argument("--without", action="append", default=[], metavar="VER403[:OPNAME]")
    parser.add_argument("--json", help="write the summary to this file")
    parser.add_argument("--guided", action="store_true", help="mutate what led to new branches")
    parser.add_argument("--only", type=int, help="run one mutant")
    parser.add_argument("--chunk", type=int, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def chunk(
    seed: int, start: int, stop: int, without: tuple[str, ...] = (), guided: bool = False
) -> dict[str, Any]:
    """Make, judge and run the mutants from `start` to `stop` in this process."""
    from mutation import batch, corpus, minimise
    from mutation.guided import Guided
    from mutation.judge import Judge
    from mutation.mutate import mutant
    from mutation.pool import Pool

    units = corpus.load()
    pool = Pool(units)
    judge = Judge([code for unit in units for code in unit.code.walk()], without)
    counts: dict[str, Counter[str]] = {}
    rules: Counter[str] = Counter()
    found = []
    accepted = []
    source = Guided(pool, seed, start) if guided else None
    for index in range(start, stop):
        one = mutant(pool, seed, index) if source is None else source.draw(index)
        count = counts.setdefault(one.kind, Counter())
        count["mutants"] += 1
        violation = judge.refused(one.code)
        if source is not None:
            source.judged(violation is None)
        if violation is None:
            accepted.append(one)
            count["accepted"] += 1
        else:
            rules[violation.rule] += 1
            count["refused"] += 1
        if len(accepted) < BATCH and index + 1 < stop:
            continue
        for at, outcome in enumerate(batch.run_all(accepted)):
            count = counts[accepted[at].kind]
            if outcome.status in (0, batch.DAMAGED):
                count["crashes"] += 1
                culprit = minimise.blame(accepted[: at + 1], judge)
                found.append(_told(culprit, outcome.signal, outcome.said))
            elif outcome.status != batch.RAN:
                count[_COLUMN[outcome.status]] += 1
        accepted = []
    return {"kinds": counts, "rules": rules, "found": found}


_COLUMN = {
    2: "hangs",
    3: "errors",
    4: "complaints",
    6: "excused",
}  # by status, see mutation/batch.py


def _told(culprit: Any, signal: int, said: str) -> dict[str, Any]:
    """A crash as data: who, and what it looks like."""
    from mutation.minimise import listing, part_of

    last = culprit.mutants[-1]
    return {
        "mutants": [one.index for one in culprit.mutants],
        "confirmed": culprit.confirmed,
        "signal": signal,
        "assertion": said,
        "kind": last.kind,
        "steps": last.steps,
        "unit": last.unit.name,
        "path": last.part.path,
        "listing": listing(part_of(last)),
    }


def _all(options: argparse.Namespace) -> dict[str, Any]:
    """Run every chunk in processes; a progress line on stderr."""
    stop = options.start + options.count
    pending = deque(range(options.start, stop, CHUNK))
    running: list[tuple[int, subprocess.Popen[str]]] = []
    summary: dict[str, Any] = {"kinds": {}, "rules": Counter(), "found": [], "seed": options.seed}
    started = time.monotonic()
    done = 0
    while pending or running:
        while pending and len(running) < options.jobs:
            first = pending.popleft()
            running.append((first, _process(options, first, min(stop, first + CHUNK))))
        first, process = running.pop(0)
        output, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"the process of the mutants from {first} ended: {process.returncode}")
        merge(summary, json.loads(output))
        done += min(stop, first + CHUNK) - first
        rate = done / (time.monotonic() - started)
        progress = f"{done:,} of {options.count:,}, {rate:,.0f}/s, {len(summary['found'])} crashes"
        print(f"\r{progress}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    summary["seconds"] = round(time.monotonic() - started, 1)
    return summary


def _process(options: argparse.Namespace, first: int, stop: int) -> subprocess.Popen[str]:
    command = [options.python, __file__, "--seed", str(options.seed)]
    command += ["--chunk", str(first), str(stop)]
    if options.guided:
        command.append("--guided")
    for rule in options.without:
        command += ["--without", rule]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src")])}
    if first // CHUNK % DEBUGGED == DEBUGGED - 1:
        environment["PYTHONMALLOC"] = "debug"
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def merge(summary: dict[str, Any], more: dict[str, Any]) -> None:
    """Add the counts of a chunk."""
    for kind, counts in more["kinds"].items():
        kept = summary["kinds"].setdefault(kind, Counter())
        kept.update(counts)
    summary["rules"].update(more["rules"])
    for crash in more["found"]:
        print(f"\n{json.dumps(crash, indent=1)}", file=sys.stderr)
    summary["found"] += more["found"]


def table(summary: dict[str, Any]) -> str:
    """The counts by kind."""
    lines = [f"{'':28}" + "".join(f"{column:>11}" for column in COLUMNS)]
    total: Counter[str] = Counter()
    for kind, counts in sorted(summary["kinds"].items()):
        total.update(counts)
        lines.append(f"{kind:28}" + "".join(f"{counts.get(c, 0):>11,}" for c in COLUMNS))
    lines.append(f"{'all':28}" + "".join(f"{total[column]:>11,}" for column in COLUMNS))
    refused = ", ".join(f"{rule} {count:,}" for rule, count in summary["rules"].most_common())
    return "\n".join([*lines, f"first violation: {refused}"])


if __name__ == "__main__":
    sys.exit(main())
