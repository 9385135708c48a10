"""`depends` over every function of a package, against `inspect.getclosurevars`, in one run.

    python bench/depends.py [PACKAGE] [--rounds N] [--functions N]

Imports every module of the package that can be imported. Prints for each job, from the medians over
the rounds, functions a second of CPU time and the ratio to the peer; above 1 coscope is faster.

The peer looks up every name in `co_names`, attributes too, of the function's own code. `depends`
takes what the names of the function and its nested code are bound to, and tells later which of them
are globals: with `bound`, what the peer tells, but without attributes; with `items`, every row with
its path, kind, offsets and object.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import inspect
import io
import pkgutil
import statistics
import sys
import warnings
from collections.abc import Callable
from time import process_time
from types import FunctionType
from typing import Any

from coscope.facts.dependencies.depends import depends


def functions_of(package: str) -> list[FunctionType]:
    """Every live function of the package's modules, in a stable order."""
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(
        getattr(module, "__path__", ()), f"{package}.", lambda _: None
    ):
        if not {"tests", "testing", "conftest", "__main__"} & set(found.name.split(".")):
            with contextlib.suppress(Exception, SystemExit):
                importlib.import_module(found.name)
    functions = [
        thing
        for thing in gc.get_objects()
        if type(thing) is FunctionType
        and str(thing.__globals__.get("__name__")).partition(".")[0] == package
    ]
    return sorted(functions, key=lambda f: (f.__code__.co_filename, f.__code__.co_firstlineno))


def peer(function: FunctionType) -> Any:
    """inspect.getclosurevars"""
    try:
        return inspect.getclosurevars(function)
    except ValueError:  # an empty cell
        return None


def alone(function: FunctionType) -> Any:
    """depends(f): the objects, rows to follow"""
    return depends(function)


def bound(function: FunctionType) -> Any:
    """depends(f).bound: globals and builtins by name"""
    return depends(function).bound


def rows(function: FunctionType) -> Any:
    """depends(f).items: every row"""
    return depends(function).items


def everything(function: FunctionType) -> Any:
    """rows, attributes, constants, dynamic, failures"""
    found = depends(function)
    return found.items, found.attributes, found.constants, found.dynamic, found.failures


def seconds(job: Callable[[FunctionType], Any], functions: list[FunctionType]) -> float:
    """CPU seconds of one round, garbage collected before it."""
    gc.collect()
    start = process_time()
    for function in functions:
        job(function)
    return process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", nargs="?", default="pip")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--functions", type=int, help="no more than so many")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        functions = functions_of(options.package)[: options.functions]
    gc.freeze()  # the package itself is not garbage to be looked at in every collection
    jobs = (peer, alone, bound, rows, everything)
    times: dict[str, list[float]] = {job.__name__: [] for job in jobs}
    for job in jobs:
        seconds(job, functions[:200])  # tables are read once
    for _ in range(options.rounds):
        for job in jobs:
            times[job.__name__].append(seconds(job, functions))
    release = ".".join(map(str, sys.version_info[:3]))
    print(f"CPython {release}, {len(functions)} functions of {options.package}, ", end="")
    print(f"median of {options.rounds} rounds")
    for job in jobs:
        found = times[job.__name__]
        ratio = statistics.median(p / t for p, t in zip(times["peer"], found, strict=True))
        rate = len(functions) / statistics.median(found)
        print(f"  {job.__doc__:52} {rate:10,.0f} functions/s  {ratio:6.2f} x")


if __name__ == "__main__":
    main()
