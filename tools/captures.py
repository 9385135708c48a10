"""Compare the verdicts of `capture` with what pickle and cloudpickle do, over installed packages.

    python tools/captures.py [--objects COUNT] MODULE...

The objects are what the modules' namespaces and those of their classes hold, and the contents of
cells. A seeded sample of them is asked for likely verdicts and for tried ones; both are compared
with `dumps`. Pickling runs the packages' own code.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from coscope.facts.shipping.captures import capture

SEED = 5


def objects_in(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The objects that a module holds, each with a name."""
    for name, thing in list(vars(module).items()):
        yield name, thing
        if issubclass(type(thing), type):
            for inner, held in list(vars(thing).items()):
                yield f"{name}.{inner}", held
        if type(thing) is FunctionType:
            for variable, cell in zip(
                thing.__code__.co_freevars, thing.__closure__ or (), strict=True
            ):
                try:
                    yield f"{name} cell {variable}", cell.cell_contents
                except ValueError:  # an empty cell
                    continue


def takes(tool: ModuleType, thing: Any) -> bool:
    """What the tool really does."""
    try:
        tool.dumps(thing)
    except Exception:
        return False
    return True


def compare(name: str, thing: Any, tools: list[ModuleType], tally: Counter[str]) -> None:
    """Count agreement and difference of one object's verdicts; print what differs."""
    real = [takes(tool, thing) for tool in tools]
    for way, tries in (("likely", False), ("tried", True)):
        verdicts = capture(thing, pickle=tries).verdicts
        for verdict, fact in zip(verdicts, real, strict=True):
            answer = "unknown" if verdict.takes is None else "right"
            if verdict.takes is not None and verdict.takes != fact:
                answer = "WRONG"
                print(f"{name}: {way}, {verdict.tool}: {verdict.takes}, {verdict.text}")
            tally[f"{way} {answer}"] += 1
        if tries and any(v.takes is False and not v.path for v in verdicts):
            tally["refused without a path"] += 1


def main() -> int:
    """Print the counts; exit status 1 if any verdict is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("modules", nargs="+")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    tools = [importlib.import_module(name) for name in ("pickle", "cloudpickle")]
    found: dict[int, tuple[str, Any]] = {}
    for module_name in given.modules:
        for name, thing in objects_in(importlib.import_module(module_name)):
            if not issubclass(type(thing), str):
                found.setdefault(id(thing), (f"{module_name}.{name}", thing))
    sample = list(found.values())
    random.Random(SEED).shuffle(sample)
    sample = sample[: given.objects]
    tally: Counter[str] = Counter()
    for name, thing in sample:
        compare(name, thing, tools, tally)
    print(f"{len(sample)} of {len(found)} objects, CPython {sys.version.split()[0]}")
    for words, count in sorted(tally.items()):
        print(f"  {words}: {count:,}")
    return 1 if any("WRONG" in words for words in tally) else 0


if __name__ == "__main__":
    sys.exit(main())
