"""How fast functions are patched and instrumented, and how fast what was made is called.

    pip install bytecode==0.19.1 wrapt
    python bench/patch.py first      the first patch of one constant, against `bytecode`
    python bench/patch.py hooks      an entry hook in every function of packages, against `bytecode`
    python bench/patch.py calls      copies and hooks when called, against wraps, wrapt and mock

CPU time in one process. `first` prints two groups: with an empty cache of verdicts, as at the very
first run on a machine, and with the verdicts that an earlier process kept. `bytecode` decodes,
edits and encodes, and verifies nothing.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any
from unittest import mock

import coscope

MODULES = (
    *("argparse", "ast", "asyncio.base_events", "configparser", "difflib", "email.message"),
    *("functools", "json.decoder", "json.encoder", "logging", "pathlib", "random", "shutil"),
    *("statistics", "tarfile", "textwrap", "threading", "typing", "unittest.case", "zipfile"),
)
SIZES = (20, 60, 200, 1 << 30)  # instructions


def functions(names: tuple[str, ...] = MODULES) -> list[FunctionType]:
    """Functions and methods of modules."""
    found: list[FunctionType] = []
    for name in names:
        module = importlib.import_module(name)
        for value in list(vars(module).values()):
            inner = vars(value).values() if isinstance(value, type) else (value,)
            found += [
                each
                for each in inner
                if isinstance(each, FunctionType) and each.__module__ == module.__name__
            ]
    return list({id(each): each for each in found}.values())


# The first patch


def constant_of(function: FunctionType) -> int | None:
    """An int that the function states; the first that can be patched."""
    from dis import get_instructions

    for instruction in get_instructions(function):
        value = instruction.argval
        if instruction.opname in ("LOAD_CONST", "LOAD_SMALL_INT") and type(value) is int:
            return value
    return None


def by_coscope(function: FunctionType, value: int) -> FunctionType:
    return coscope.patch(function, constants={value: value + 7})


def by_bytecode(function: FunctionType, value: int) -> FunctionType:
    import bytecode

    code = bytecode.Bytecode.from_code(function.__code__)
    for each in code:
        loads = isinstance(each, bytecode.Instr) and each.name in ("LOAD_CONST", "LOAD_SMALL_INT")
        if loads and type(each.arg) is int and each.arg == value:
            each.arg = value + 7
    return FunctionType(
        code.to_code(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


def first() -> None:
    """Two processes: one with an empty cache, and one after it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        for title in ("empty cache", "verdicts kept"):
            print(f"{title}:", flush=True)
            command = [sys.executable, __file__, "measure-first"]
            subprocess.run(command, env=environment, check=True)


def measure_first() -> None:
    """The median of the ratios and the sums, by size; each function once."""
    from dis import get_instructions

    by_coscope(plain, 30)  # imports, tables and the file of verdicts are not the patch
    groups: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
    for function in functions():
        value = constant_of(function)
        if value is None:
            continue
        count = sum(1 for _ in get_instructions(function))
        try:
            start = time.perf_counter_ns()
            by_coscope(function, value)
            ours = time.perf_counter_ns() - start
        except coscope.PatchError:
            continue
        start = time.perf_counter_ns()
        by_bytecode(function, value)
        theirs = time.perf_counter_ns() - start
        groups[next(size for size in SIZES if count <= size)].append((ours, theirs))
    for size, pairs in groups.items():
        ratio = statistics.median(theirs / ours for ours, theirs in pairs)
        total = sum(theirs for _, theirs in pairs) / sum(ours for ours, _ in pairs)
        middle = statistics.median(ours for ours, _ in pairs) / 1000
        print(
            f"  up to {size if size < 1 << 30 else 'any number of'} instructions, {len(pairs)} "
            f"functions: {middle:.0f} us; bytecode takes {ratio:.1f} times as long "
            f"(median), {total:.1f} times in all",
            flush=True,
        )


# Instrumenting


def hook(*args: object) -> None:
    """Called on entry."""


def hooks(count: int) -> None:
    """So many functions of the library get a hook, by coscope and by `bytecode`."""
    names = [*MODULES, *(f"asyncio.{each}" for each in ("tasks", "streams", "events", "queues"))]
    names += ["xml.dom.minidom", "xml.etree.ElementTree", "http.client", "http.server", "ssl"]
    names += ["turtle", "pydoc", "optparse", "mailbox", "imaplib", "smtplib", "ftplib", "pdb"]
    names += ["pickletools", "tokenize", "inspect", "dataclasses", "enum", "ipaddress", "decimal"]
    names += ["_pydecimal", "datetime", "_pydatetime", "fractions", "pickle", "subprocess", "uuid"]
    found = []
    for name in names:
        try:
            found += functions((name,))
        except ImportError:
            continue
    found = list({id(each): each for each in found}.values())[:count]
    rounds = [_hooked_once(found) for _ in range(3)]
    ours, theirs = min(a for a, _ in rounds), min(b for _, b in rounds)
    print(
        f"{len(found)} functions: coscope {ours:.2f} s, bytecode {theirs:.2f} s of CPU, "
        f"ratio {ours / theirs:.2f}"
    )


def _hooked_once(found: list[FunctionType]) -> tuple[float, float]:
    from coscope.patcher.verdicts import forget

    forget()
    patch = coscope.instrument(found, on_entry=hook)
    start = time.process_time()
    patch.start()
    ours = time.process_time() - start
    patch.stop()
    start = time.process_time()
    for function in found:
        _by_bytecode(function)
    return ours, time.process_time() - start


def _by_bytecode(function: FunctionType) -> Any:
    from bytecode import Bytecode, Instr

    code = Bytecode.from_code(function.__code__)
    resume = next(
        at for at, each in enumerate(code) if isinstance(each, Instr) and each.name == "RESUME"
    )
    line = function.__code__.co_firstlineno
    null, load = Instr("PUSH_NULL", lineno=line), Instr("LOAD_CONST", hook, lineno=line)
    made = [load, null] if sys.version_info >= (3, 13) else [null, load]
    made += [Instr("LOAD_CONST", function, lineno=line)]
    if sys.version_info < (3, 12):
        made.append(Instr("PRECALL", 1, lineno=line))
    made += [Instr("CALL", 1, lineno=line), Instr("POP_TOP", lineno=line)]
    code[resume + 1 : resume + 1] = made
    return code.to_code()


# Calls


def plain(x: int) -> int:
    return x + 30


def nothing(x: int) -> None:
    return None


def calls(rounds: int) -> None:
    """Paired rounds, shuffled; the median of the ratios to the plain function."""
    import wrapt

    @functools.wraps(plain)
    def wrapped(*args: int, **kwargs: int) -> int:
        nothing(*args, **kwargs)
        return plain(*args, **kwargs)

    @wrapt.decorator
    def around(function: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        nothing(*args, **kwargs)
        return function(*args, **kwargs)

    forms: dict[str, Callable[[int], object]] = {
        "plain": plain,
        "a copy of coscope": coscope.patch(plain, constants={30: 31}),
        "an entry hook of coscope": coscope.edit(plain).on_entry(nothing, ("x",)).build(),
        "functools.wraps": wrapped,
        "wrapt": around(plain),
        "mock with wraps=": mock.Mock(wraps=plain),
    }
    spend = {name: _caller(form) for name, form in forms.items()}
    for each in spend.values():
        each(3_000)
    ratios: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(rounds):
        order = list(forms)
        random.shuffle(order)
        taken = {name: spend[name](2_000 if name.startswith("mock") else 30_000) for name in order}
        for name in order:
            ratios[name].append(taken[name] / taken["plain"])
    for name, found in ratios.items():
        print(f"  {name}: {statistics.median(found):.3f} times a plain call")


def _caller(form: Callable[[int], object]) -> Callable[[int], float]:
    """A loop of its own for each form; nanoseconds for one call."""
    space: dict[str, Any] = {"form": form, "clock": time.thread_time_ns}
    exec(
        "def spend(count):\n"
        "    f = form\n"
        "    start = clock()\n"
        "    for i in range(count):\n"
        "        f(i); f(i); f(i); f(i); f(i); f(i); f(i); f(i); f(i); f(i)\n"
        "    return (clock() - start) / (10 * count)\n",
        space,
    )
    found: Callable[[int], float] = space["spend"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Patching against its rivals.")
    parser.add_argument("what", choices=["first", "measure-first", "hooks", "calls"])
    parser.add_argument("--count", type=int, default=2000, help="functions to instrument")
    parser.add_argument("--rounds", type=int, default=25)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.what == "first":
        first()
    elif given.what == "measure-first":
        measure_first()
    elif given.what == "hooks":
        hooks(given.count)
    else:
        calls(given.rounds)


if __name__ == "__main__":
    main()
