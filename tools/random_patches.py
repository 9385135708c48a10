"""Random patches through the public API, each patched function run: does the interpreter survive?

    python tools/random_patches.py [--count 20000] [--batch 250] [--seed 1] [--jobs 1]

Every batch is a process of its own with limits on time and memory. A process that ends by a signal
is a crash, and its last patch is shown. Errors other than coscope's own are told too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import coscope
from coscope.opcodes import table
from coscope.patcher.edits import model as edits
from coscope.patcher.edits.model import ANYWHERE, Do, Literal, Mark, Outcome, Variable, Where

SECONDS = 240  # of a batch
MEMORY = 2 << 30  # bytes of address space of a batch
CALL = 0.3  # seconds that a patched function may run

GLOBAL = 7


def _plain(a: int, b: int = 2, *rest: int, c: int = 3, **more: int) -> Any:
    total = a + b * c + GLOBAL
    for each in rest:
        if each > 10:
            continue
        total += each
    return (total, len(rest), sorted(more), "text", (1, 2), {1, 2} if a in {1, 2, 3} else None)


def _handling(a: int, b: int = 0) -> Any:
    try:
        with contextlib.suppress(KeyError):
            value = [1, 2, 3][a] / b
            raise KeyError(value)
    except (ZeroDivisionError, IndexError) as error:
        return str(error)
    finally:
        a += 1
    return a


def _making(x: int, y: int = 5) -> Any:
    z = 42

    def inner(k: int) -> Any:
        nonlocal z
        z += k
        return [x * i + y + z for i in range(k)], f"{k:>4}{x!r}", lambda: z

    class Local:
        attribute = x

        def method(self) -> Any:
            return self.attribute, super().__repr__()[:1]

    return inner(3)[0], Local().method(), inner


def _generating(n: int = 3) -> Iterator[Any]:
    got = 0
    try:
        for i in range(n):
            got = (yield i + got) or 0
        yield from (x for x in "ab")
    finally:
        got = -1


async def _awaiting(n: int = 2) -> Any:
    async def one(i: int) -> int:
        return i

    return [await one(i) for i in range(n)]


def _matching(x: Any) -> Any:
    match x:
        case [a, *b]:
            return a, b
        case {"k": v, **rest}:
            return v, rest
        case int() | str():
            return "atom"
    return None


def functions() -> list[Callable[..., Any]]:
    """Fresh functions, so that no patch of one sequence is met by the next."""
    made = [_plain, _handling, _making, _generating, _awaiting, _matching]
    return [*made, _making(2)[2], _Methods().method, _Methods.static, lambda a=1, *, b=2: a + b]


class _Methods:
    """Something with methods."""

    def method(self, a: int = 1) -> Any:
        return a, self.__class__.__name__

    @staticmethod
    def static(a: int = 1) -> int:
        return -a if a else 1 << a


CONSTANTS: list[Any] = [
    0, 1, 2, 3, 5, 42, 7, -1, 255, 256, 1 << 70, True, False, None, 1.0, 0.0, -0.0, 2j, "", "text",
    "k", b"b", (), (1, 2), ("a", "b"), (None,), frozenset({1, 2}), ..., [1], {}, len, int,
]  # fmt: skip
NAMES = ["a", "b", "c", "x", "y", "z", "k", "len", "GLOBAL", "range", "nothing", "total", "self"]


class Chance:
    """Random edits."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        rules = table("{}.{}".format(*sys.version_info[:2]))
        self.rows = [row for row in rules.opcodes.values() if row.form == "base"]

    def constant(self) -> Any:
        return self.random.choice(CONSTANTS)

    def where(self) -> Where:
        pick = self.random.randrange(7)
        if pick == 0:
            return Where(nth=self.random.randrange(-3, 30))
        if pick == 1:
            return Where(opname=self.random.choice(self.rows).name)
        if pick == 2:
            return Where(name=self.random.choice(NAMES))
        if pick == 3:
            return Where(offset=2 * self.random.randrange(60))
        if pick == 4:
            return Where(opname="LOAD_CONST", nth=self.random.randrange(4))
        return Where(nth=self.random.randrange(60)) if pick == 5 else ANYWHERE

    def do(self) -> Do | Mark:
        if self.random.random() < 0.05:
            return Mark("m")
        row = self.random.choice(self.rows)
        arg: Any = None
        if row.jump is not None:
            arg = self.random.choice(["here", "m"])
        elif row.operand == "const":
            arg = self.constant()
        elif row.operand.startswith(("name", "local", "deref")):
            arg = self.random.choice(NAMES)
        elif row.operand != "none":
            arg = self.random.choice([0, 1, 2, 3, 4, 8, 255, 300, 1 << 20])
        return Do(row.name, arg, self.random.choice([0, 0, 0, 1]))

    def instructions(self) -> tuple[Do | Mark, ...]:
        if self.random.random() < 0.4:
            balanced: list[tuple[Do | Mark, ...]] = [
                (Do("NOP"),),
                (Do("LOAD_CONST", self.constant()), Do("POP_TOP")),
                (Do("LOAD_FAST", self.random.choice(NAMES)), Do("POP_TOP")),
                (Do("LOAD_CONST", self.constant()),),
                (Do("POP_TOP"), Do("LOAD_CONST", self.constant())),
                (Do("LOAD_CONST", 1), Do("POP_JUMP_IF_TRUE", "here")),
                (Do("DELETE_FAST", self.random.choice(NAMES)),),
            ]
            return self.random.choice(balanced)
        return tuple(self.do() for _ in range(self.random.randrange(1, 5)))

    def loaded(self) -> edits.Loaded:
        name = self.random.choice(NAMES)
        picks: list[edits.Loaded] = [Literal(self.constant()), Variable(name), Outcome()]
        return self.random.choice(picks)

    def edit(self) -> edits.AnyEdit:
        roll = self.random
        nested = roll.random() < 0.3
        made: list[Callable[[], edits.AnyEdit]] = [
            lambda: edits.ReplaceConstant(
                old=self.constant(), new=self.constant(), where=self.where(), nested=nested,
                loose=roll.random() < 0.3, folded=roll.choice(["refuse", "leave", "replace"]),
            ),
            lambda: edits.Rename(
                old=roll.choice(NAMES), new=roll.choice(NAMES), nested=nested, kind="any"
            ),
            lambda: edits.Insert(
                where=self.where(), instructions=self.instructions(), nested=nested,
                after=roll.random() < 0.3, landing=roll.random() < 0.7, inseparable="skip",
            ),
            lambda: edits.Replace(where=self.where(), instructions=self.instructions()),
            lambda: edits.Remove(where=self.where()),
            lambda: edits.InsertCall(
                call=self.loaded(), args=tuple(self.loaded() for _ in range(roll.randrange(3))),
                at=roll.choice(
                    ["entry", "return", "yield", "exception", "exit", "instruction", "never"]
                ),
                where=self.where(), nested=nested,
            ),
            lambda: edits.WrapCall(wrapper=self.loaded(), where=self.where()),
            lambda: edits.SetMetadata(
                name=roll.choice([None, "", "other"]), firstlineno=roll.choice([None, 0, 7, -1]),
                filename=roll.choice([None, "<x>"]), nested=nested,
            ),
        ]  # fmt: skip
        return roll.choice(made)()

    def changes(self) -> dict[str, Any]:
        """Keyword arguments of `patch`: most of them sound, some not."""
        roll = self.random
        possible: dict[str, Callable[[], Any]] = {
            "edits": lambda: [self.edit() for _ in range(roll.randrange(1, 4))],
            "constants": lambda: [(self.constant(), self.constant())],
            "names": lambda: {roll.choice(NAMES): roll.choice(NAMES)},
            "cells": lambda: {roll.choice(NAMES): self.constant()},
            "defaults": lambda: {roll.choice(NAMES): self.constant()},
            "kwdefaults": lambda: {roll.choice(NAMES): self.constant()},
            "globals": lambda: {roll.choice(NAMES): self.constant()},
            "where": self.where,
            "kind": lambda: roll.choice(["global", "attribute", "any", "none"]),
            "nested": lambda: True,
            "name": lambda: roll.choice(["other", 5]),
            "firstlineno": lambda: roll.choice([1, 0, 1 << 40, "x"]),
        }
        names = ["edits"] if roll.random() < 0.6 else []
        names += roll.sample(sorted(possible), roll.randrange(0, 3))
        made = {name: possible[name]() for name in names}
        if roll.random() < 0.03:
            made[roll.choice(sorted(possible))] = roll.choice([None, 5, [], "x", object()])
        return made


class TooLong(BaseException):
    """A patched function went on for too long."""


def _stop(*_: object) -> None:
    raise TooLong


def run(function: Any, chance: Chance) -> str:
    """Call a patched function, and go on with what it returns."""
    roll = chance.random
    args = [roll.choice([0, 1, 2, 3, "s", [1, 2], {"k": 1}]) for _ in range(roll.randrange(3))]
    signal.setitimer(signal.ITIMER_REAL, CALL)
    try:
        result = function(*args)
        if hasattr(result, "send"):
            for _ in range(6):
                result.send(None)
            result.close()
        elif type(result) is tuple and callable(result[-1]):
            result[-1](2)
        return "ran"
    except TooLong:
        return "ran for too long"
    except BaseException as error:
        return f"raised {'an exception' if isinstance(error, Exception) else type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def one(chance: Chance) -> str:
    """One sequence: patch, perhaps patch again, run."""
    roll = chance.random
    function: Any = roll.choice(functions())
    changes = chance.changes()
    how = roll.randrange(10)
    try:
        if how == 0:
            with coscope.patched(function, **changes):
                return run(function, chance)
        if how == 1:
            frozen = coscope.freeze(function, **{roll.choice(NAMES): chance.constant()})
            return run(frozen, chance)
        if how == 2:
            editor = coscope.edit(function)
            for load in editor.loads(roll.choice(NAMES)):
                load.replace(chance.constant())
            editor.on_exit(lambda *_: None, (Outcome(),))
            return run(editor.build(), chance)
        if how < 5:
            function = coscope.patch(function, share_cells=roll.random() < 0.2, **changes)
        else:
            function = _edited(function, chance)
    except coscope.CoscopeError as error:
        return f"refused: {type(error).__name__}"
    except Exception as error:
        return f"OTHER ERROR: {type(error).__name__}: {error}"[:150]
    told = [run(function, chance) for _ in range(3)]
    return told[0]


def _edited(function: Any, chance: Chance) -> Any:
    """Several edits, one patch each; those that are refused are left out, and others tried."""
    wanted = chance.random.randrange(1, 6)
    refused: coscope.CoscopeError | None = None
    for _ in range(20):
        try:
            function = coscope.patch(function, edits=[chance.edit()])
            wanted -= 1
        except coscope.CoscopeError as error:
            refused = error
        if not wanted:
            return function
    if refused is not None:
        raise refused
    return function


def batch(seed: int, count: int) -> None:
    """Work one batch off; a line on standard error before each sequence tells which one it is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _stop)
    found: Counter[str] = Counter()
    for number in range(seed, seed + count):
        sys.stderr.write(f"{number}\n")
        sys.stderr.flush()
        try:
            found[one(Chance(number))] += 1
        except TooLong:
            found["ran for too long"] += 1
    print(f"\n{json.dumps(found)}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--worker", action="store_true")
    options = parser.parse_args()
    if options.worker:
        batch(options.seed, options.count)
        return 0
    total: Counter[str] = Counter()
    seeds = range(options.seed, options.seed + options.count, options.batch)
    for at in range(0, len(seeds), options.jobs):
        started = [
            _started(seed, min(options.batch, options.seed + options.count - seed))
            for seed in seeds[at : at + options.jobs]
        ]
        for process in started:
            total += _result(process)
    for name, number in total.most_common():
        print(f"{number:8} {name}")
    bad = sum(number for name, number in total.items() if name.startswith(("CRASH", "OTHER")))
    print(f"{sum(total.values())} sequences on {sys.version.split()[0]}, {bad} bad")
    return 1 if bad else 0


def _started(seed: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--worker", f"--seed={seed}", f"--count={count}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def _result(process: subprocess.Popen[str]) -> Counter[str]:
    try:
        output, errors = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
        return Counter({f"CRASH: no end, sequence {_last(errors)}": 1})
    if process.returncode:
        return Counter({f"CRASH: status {process.returncode}, sequence {_last(errors)}": 1})
    # Patched functions may print too.
    return Counter(json.loads(output.splitlines()[-1]))


def _last(errors: str) -> str:
    numbers = [line for line in errors.splitlines() if line.isdecimal()]
    return numbers[-1] if numbers else "none"


if __name__ == "__main__":
    sys.exit(main())
