"""Mutants inside Pyodide, where there is no fork: verify and run in one process of Node.

The number of each mutant goes to a file of the host before it runs. If Node dies (a wasm trap) or
no longer moves (a hang), it is started again behind that mutant.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from coscope.verifier.report import contract_of
from mutation import corpus
from mutation.exercise import Damage, Stop, exercise
from mutation.judge import Judge
from mutation.mutate import Mutant, mutant
from mutation.pool import Pool

HANGS = 20.0  # seconds without a new mutant
MILLISECONDS = 100.0  # then Stop is raised, again and again
ROOT = Path(__file__).resolve().parents[2]


def from_outside(options: argparse.Namespace) -> dict[str, Any]:
    """Start Node, and again after each crash, until every mutant has had its turn."""
    stop = options.start + options.count
    at = options.start
    found: list[dict[str, Any]] = []
    kinds: dict[str, Counter[str]] = {}
    rules: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        while at < stop:
            (place / "at").write_text(str(at))
            (place / "done").write_text("{}")
            ended = _node(options, place, at, stop)
            done = json.loads((place / "done").read_text() or "{}")
            for kind, counts in done.get("kinds", {}).items():
                kinds.setdefault(kind, Counter()).update(counts)
            rules.update(done.get("rules", {}))
            found += done.get("found", [])
            if ended == "done":
                break
            if (place / "failed").exists():
                raise SystemExit((place / "failed").read_text())
            last = int((place / "at").read_text() or at)
            print(f"\nmutant {last}: {ended}", file=sys.stderr)
            if ended == "crash":
                said = (place / "said").read_text(errors="replace")[:2000]
                found.append({"mutants": [last], "confirmed": False, "kind": "?", "said": said})
            column = "crashes" if ended == "crash" else "hangs"
            kinds.setdefault("stopped inside", Counter())[column] += 1
            at = last + 1
    return {"kinds": kinds, "rules": rules, "found": found, "seed": options.seed}


def _node(options: argparse.Namespace, place: Path, at: int, stop: int) -> str:
    """Run one Node; "done", "crash", "hang", or "overflow" of Node's stack."""
    command = [
        "node", str(ROOT / "tools" / "pyodide_run.mjs"), options.pyodide,
        "--mount", f"{ROOT}=/coscope", "--mount", f"{place}=/place",
        "--path", "/coscope/src", "--path", "/coscope/tools",
        "-m", "mutation.inside", str(options.seed), str(at), str(stop), *options.without,
    ]  # fmt: skip
    with (place / "said").open("wb") as said:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
        )
    seen, since = "", time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        now = (place / "at").read_text()
        if now != seen:
            seen, since = now, time.monotonic()
            print(f"\rmutant {now}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - since > HANGS:
            subprocess.run(["kill", "-9", "--", f"-{process.pid}"], check=False)
            process.wait()
            return "hang"
    if process.returncode == 0:
        return "done"
    # Freeing a list in a list in a list, and so on, takes more stack than Node has: plain Python
    # does the same to it (`x = [x]` two million times).
    deep = b"Maximum call stack size exceeded" in (place / "said").read_bytes()
    return "overflow" if deep else "crash"


def inside(seed: int, start: int, stop: int, without: tuple[str, ...]) -> None:
    """Verify and run mutants in this process."""
    units = corpus.load()
    pool = Pool(units)
    judge = Judge([code for unit in units for code in unit.code.walk()], without)
    kinds: dict[str, Counter[str]] = {}
    rules: Counter[str] = Counter()
    found: list[dict[str, Any]] = []
    _set_alarm()
    within = importlib.import_module("js").within
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(250)
    sys.unraisablehook = lambda unraisable: None
    for index in range(start, stop):
        one = mutant(pool, seed, index)
        count = kinds.setdefault(one.kind, Counter())
        count["mutants"] += 1
        violation = judge.refused(one.code)
        if violation is not None:
            rules[violation.rule] += 1
            count["refused"] += 1
            continue
        count["accepted"] += 1
        with open("/place/at", "w") as file:
            file.write(str(index))
        try:
            _run(one, within)
        except Damage:
            count["crashes"] += 1
            found.append({"mutants": [index], "confirmed": True, "kind": one.kind})
        except Stop:
            count["hangs"] += 1
        except (ValueError, TypeError, SystemError):
            count["errors"] += 1
        if not index % 20:
            _write(kinds, rules, found)
    _write(kinds, rules, found)


# What Pyodide asks from time to time for the number of a signal: SIGINT once time is up.
_ALARM = """({
    get 0() { return Date.now() > globalThis.until ? (globalThis.until = Date.now() + 20, 2) : 0; },
    set 0(value) {},
})"""


def _set_alarm() -> None:
    js, pyodide = importlib.import_module("js"), importlib.import_module("pyodide_js")
    js.eval("globalThis.until = Infinity; globalThis.within = t => { until = Date.now() + t; }")
    signal.signal(signal.SIGINT, _stop)
    pyodide.setInterruptBuffer(js.eval(_ALARM))


_running = False


def _stop(number: int, frame: FrameType | None) -> None:
    if _running:
        raise Stop


def _run(one: Mutant, within: Callable[[float], None]) -> None:
    global _running
    within(MILLISECONDS)
    try:
        _running = True
        exercise(one.unit, one.code, contract_of(one.code).called, one.index)
    except (Damage, Stop, ValueError, TypeError, SystemError):
        raise
    except BaseException:
        return
    finally:
        _running = False
        within(math.inf)


def _write(kinds: dict[str, Counter[str]], rules: Counter[str], found: list[Any]) -> None:
    with open("/place/done", "w") as file:
        json.dump({"kinds": kinds, "rules": rules, "found": found}, file)


if __name__ == "__main__":
    try:
        inside(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), tuple(sys.argv[4:]))
    except Exception:  # ours, not a mutant's: say so, for it must not look like a trap
        with open("/place/failed", "w") as report:
            traceback.print_exc(file=report)
        raise
