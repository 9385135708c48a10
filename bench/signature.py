"""`signature` over whole packages: agreement with `inspect`, witnesses confirmed, time against it.

    python bench/signature.py [PACKAGE ...]

No function of the packages is called: witnesses are confirmed by `inspect.signature(...).bind`
and by calls of stubs with the same parameters.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from types import FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from coscope.facts.signatures.reported import reported  # noqa: E402
from coscope.facts.signatures.signatures import signature  # noqa: E402
from tests.facts.signatures.comparing_signatures import callables_of, compare, unconfirmed  # noqa: E402
from tests.facts.signatures.stub_chain import stub_of  # noqa: E402

PACKAGES = ("argparse", "asyncio", "click", "collections", "json", "rich", "typing")
MODULES = 40  # of each package, at most
ROUNDS = 5


def modules_of(name: str) -> Iterator[ModuleType]:
    """A package and its modules that can be imported."""
    package = importlib.import_module(name)
    yield package
    names = [
        each.name for each in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}.")
    ]
    for each in [n for n in names if ".test" not in n and "__main__" not in n][:MODULES]:
        try:
            yield importlib.import_module(each)
        except (Exception, SystemExit):  # what is missing on this machine
            continue


def measure(name: str, every: list[Any], seen: set[int]) -> Counter[str]:
    """Counts over one package; its functions go to `every`."""
    counts: Counter[str] = Counter()
    for module in modules_of(name):
        for thing in callables_of(module):
            own = getattr(thing, "__module__", "")
            if id(thing) in seen or not isinstance(own, str) or not own.startswith(name):
                continue
            seen.add(id(thing))
            try:
                counts[compare(thing)] += 1
            except Exception as error:  # inspect itself ran code that raised
                counts[f"inspect raised {type(error).__name__}"] += 1
            if isinstance(thing, FunctionType | type):
                every.append(thing)
                count_witnesses(thing, counts)
    return counts


def count_witnesses(thing: Any, counts: Counter[str]) -> None:
    """Count what is told of one function."""
    found = signature(thing)
    counts["functions and classes"] += 1
    counts["with witnesses"] += bool(found.witnesses)
    counts["reported admits, code rejects"] += any(w.reported is None for w in found.witnesses)
    counts["witnesses"] += len(found.witnesses)
    if found.witnesses and stub_of(list(found.chain)) is None:
        counts["witnesses without stubs"] += len(found.witnesses)
    wrong = unconfirmed(found)
    counts["witnesses contradicted"] += len(wrong)
    for each in wrong[:2]:
        print("   ", each)


def seconds(work: Any, things: list[Any]) -> float:
    """Median time of a pass over all things."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for thing in things:
            try:
                work(thing)
            except (TypeError, ValueError):
                continue
        times.append(time.perf_counter() - start)
    return median(times)


def main() -> None:
    every: list[Any] = []
    seen: set[int] = set()
    total: Counter[str] = Counter()
    for name in sys.argv[1:] or PACKAGES:
        counts = measure(name, every, seen)
        total += counts
        print(name, dict(counts))
    print("all", dict(total))
    functions = [each for each in every if isinstance(each, FunctionType)][:5000]
    ours, theirs = seconds(reported, functions), seconds(inspect.signature, functions)
    ratio = f"{ours / theirs:.2f}"
    print(f"reported: {ratio} of the time of inspect.signature, {len(functions)} functions")


if __name__ == "__main__":
    main()
