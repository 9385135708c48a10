"""Searches counterexamples of what CLO106 and CLO108 call proved, by real interpreters.

Programs drawn by seed are audited, then run by the interpreter that compiled them.

    python tools/closure_programs.py [--seeds FIRST STOP] [--python VERSION ...]

CLO108: where it says that a call cannot return, or a function that is returned cannot be called,
the program must never get past that place. CLO106: the assignment that nobody reads becomes one of
another value; whatever the program does must stay the same. Both are asked of all answers to the
conditions in a program, as far as there are at most 2**8 of them. Printed are the counterexamples,
and how many findings were put to the test; the exit status is 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import interpreters

_NAMES = ("a", "b", "c")
_MOST = 8  # conditions of one program
_FUNCTIONS = 60  # of one file


class Writer:
    """One function with nested ones, as lines."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.conditions = 0
        self.inner: list[str] = []
        self.left = self.random.choice((4, 6, 14))  # statements

    def write(self, seed: int) -> str:
        """The source."""
        self.put(0, f"def f{seed}(ask, note):")
        self.functions()
        self.block(1, 0)
        ends = (*_NAMES, "0", *(f"{name}()" for name in self.inner))
        self.put(1, f"return {self.random.choice(ends)}")
        return "\n".join(self.lines) + "\n"

    def put(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def functions(self) -> None:
        """Nested functions that read and assign the variables."""
        for number in range(self.random.randint(1, 3)):
            name = f"g{number}"
            read, other = self.random.choice(_NAMES), self.random.choice(_NAMES)
            self.put(1, f"def {name}():")
            for line in self.random.choice(
                (
                    [f"return {read}"],
                    [f"x = {read}", "return x"],
                    ["if ask():", f"    return {read}", f"return {other}"],
                    [f"return {read} if ask() else 0"],
                    ["try:", f"    return {read}", "except NameError:", "    return 0"],
                    ["try:", f"    return {read}", "finally:", "    note(0)"],
                    ["for _ in (1, 2):", f"    x = {read}", "return x"],
                    [f"return [{read} for _ in (1,)]"],
                    [f"nonlocal {other}", f"{other} = note(0)", "return 0"],
                    [f"nonlocal {other}", f"{other} = {read}", f"return {read}"],
                    [f"nonlocal {read}", f"{read} += 1", "return 0"],
                    ["def deep():", f"    return {read}", "return deep()"],
                    [
                        "def deep():",
                        f"    nonlocal {read}",
                        f"    {read} = 5",
                        "deep()",
                        "return 0",
                    ],
                )
            ):
                self.conditions += line.count("ask()")
                self.put(2, line)
            self.inner.append(name)
        for name in _NAMES:  # each is local to this function
            if self.random.random() < 0.3:
                self.put(1, f"{name} = {self.random.randint(1, 9)}")
        self.put(1, "if 0:  # the compiler drops it, and knows the names")
        self.put(2, " = ".join(_NAMES) + " = 0")

    def block(self, depth: int, loops: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            if self.left > 0:
                self.left -= 1
                self.statement(depth, loops)
        if not self.lines[-1].startswith("    " * depth):
            self.put(depth, "pass")

    def statement(self, depth: int, loops: int) -> None:
        choose, name = self.random.choice, self.random.choice(_NAMES)
        deep = depth < 5 and self.conditions < _MOST
        what = choose(("assign", "assign", "call", "call", "call", "return", "del", "deep", "deep"))
        if what == "deep" and deep:
            kinds = (self.branch, self.loop, self.attempt, self.attempt, self.handled, self.managed)
            choose(kinds)(depth, loops)
        elif what == "call" and choose((True, True, True, False)):
            self.put(depth, f"note({choose(self.inner)}())")
        elif what == "call":
            self.put(depth, f"return {choose(self.inner)}()")
        elif what == "return" and deep:
            self.put(depth, f"return {choose(self.inner)}")
        elif what == "del":
            self.put(depth, f"del {name}")
        elif loops and choose((True, False)):
            self.put(depth, choose(("break", "continue")))
        else:
            self.put(depth, f"{name} = {choose((*self.inner, '1', '2', 'ask'))}")

    def asked(self) -> str:
        self.conditions += 1
        return "ask()"

    def branch(self, depth: int, loops: int) -> None:
        self.put(depth, f"if {self.asked()}:")
        self.block(depth + 1, loops)
        if self.random.random() < 0.6:
            self.put(depth, "else:")
            self.block(depth + 1, loops)

    def loop(self, depth: int, loops: int) -> None:
        name = self.random.choice(_NAMES)
        self.put(depth, self.random.choice((f"for {name} in (1, 2):", f"while {self.asked()}:")))
        self.block(depth + 1, loops + 1)
        if self.random.random() < 0.3:
            self.put(depth, "else:")
            self.block(depth + 1, loops)

    def attempt(self, depth: int, loops: int) -> None:
        self.put(depth, "try:")
        self.put(depth + 1, f"note(1 // {self.asked()})")
        self.block(depth + 1, loops)
        kind = self.random.choice(("ZeroDivisionError", "ZeroDivisionError", "NameError"))
        name = self.random.choice(("", *(f" as {each}" for each in _NAMES)))
        self.put(depth, f"except {kind}{name}:")
        self.block(depth + 1, loops)
        if self.random.random() < 0.4:
            self.put(depth, "else:")
            self.block(depth + 1, loops)
        if self.random.random() < 0.3:
            self.put(depth, "finally:")
            self.block(depth + 1, 0)

    def handled(self, depth: int, loops: int) -> None:
        self.put(depth, "try:")
        self.block(depth + 1, loops)
        self.put(depth, "finally:")
        self.block(depth + 1, 0)

    def managed(self, depth: int, loops: int) -> None:
        how = self.random.choice(("suppress(NameError)", "suppress(ZeroDivisionError)"))
        self.put(depth, f"with {how}:")
        self.block(depth + 1, loops)


_RUN = """
import itertools, json, sys
from contextlib import suppress
def play(f, answers):
    answers, past, result = iter(answers), [], None
    def ask():
        return next(answers, 0)
    class Enough(BaseException): pass
    count = 0
    def note(value):
        nonlocal count
        count += 1
        if count > 60: raise Enough
        past.append((sys._getframe(1).f_lineno, getattr(value, "__name__", value)))
        return value
    def local(frame, event, value):
        if event == "return":
            left[:] = [frame.f_lineno]
        return local
    left = []
    try:
        sys.settrace(lambda frame, *_: local if frame.f_code is f.__code__ else None)
        try:
            result = f(ask, note)
        finally:
            sys.settrace(None)
        past.append((left[0], "returned"))
        if getattr(result, "__qualname__", "").startswith(f.__name__ + "."):
            result = result()
            past.append((left[0], "called"))
        return past, getattr(result, "__name__", result)
    except Enough:
        return past, "enough"
    except Exception as error:
        return past, type(error).__name__
def main(path):
    names = {"suppress": suppress}
    exec(compile(open(path).read(), path, "exec"), names)
    return {
        name: [play(f, each) for each in itertools.product((0, 1), repeat=8)]
        for name, f in names.items() if name[0] == "f" and name[1:].isdigit()
    }
print(json.dumps([main(path) for path in sys.argv[1:]], default=lambda each: type(each).__name__))
"""


def file_of(seeds: range) -> str:
    """A file of functions."""
    made = []
    for seed in seeds:
        text = Writer(seed).write(seed)
        try:
            compile(text, "made", "exec")
        except SyntaxError:
            continue  # such as `break` in a `finally` of an old or `del` of a captured variable
        made.append(text)
    return "\n".join(made)


def audited(path: Path, version: str) -> list[dict[str, object]]:
    """The findings of one file."""
    command = [sys.executable, "-m", "coscope", "audit", "--json", "--no-cache", "--no-config"]
    command += ["--select", "CLO106,CLO108", "--python", version, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: list[dict[str, object]] = json.loads(done.stdout)["findings"]
    return found


def played(python: str, *paths: Path) -> list[dict[str, list[list[object]]]]:
    """What each function of the files did, for all answers."""
    command = [python, "-I", "-W", "ignore", "-c", _RUN, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    found: list[dict[str, list[list[object]]]] = json.loads(done.stdout)
    return found


def wrong(folder: Path, seeds: range, version: str) -> tuple[int, list[str]]:
    """How many findings were put to the test, and those that some run contradicts."""
    python = interpreters.find(version)
    assert python is not None
    path, changed = folder / "made.py", folder / "changed.py"
    path.write_text(file_of(seeds), encoding="utf-8")
    findings = audited(path, version)
    lines = path.read_text(encoding="utf-8").splitlines()
    for each in findings:
        if each["rule"] == "CLO106":
            _assign_another(lines, int(str(each["line"])))
    changed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    before, after = played(str(python), path, changed)
    return len(findings), list(_contradicted(findings, before, after))


def _assign_another(lines: list[str], number: int) -> None:
    target, _, value = lines[number - 1].partition(" = ")
    if value:
        lines[number - 1] = f"{target} = ({value}, 'another')"


def _contradicted(
    findings: list[dict[str, object]],
    before: dict[str, list[list[object]]],
    after: dict[str, list[list[object]]],
) -> Iterator[str]:
    for each in findings:
        name, line = str(each["code"]).partition(".")[0], each["line"]
        runs = before[name]
        if each["rule"] == "CLO106":
            if runs != after[name]:
                yield f"{name}, line {line}: {each['message']}; but it is read"
            continue
        returned = "is returned" in str(each["message"])
        if any(_goes_on(past, int(str(line)), returned) for past in runs):
            yield f"{name}, line {line}: {each['message']}; but the call returns"


def _goes_on(run: list[object], line: int, returned: bool) -> bool:
    """True if the call in a line gave a value, or the function that it returned did when called."""
    past: list[list[object]] = run[0]  # type: ignore[assignment]
    return any(where == line and (value == "called" or not returned) for where, value in past)


def main() -> int:
    """Search."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 600))
    parser.add_argument("--python", nargs="*", default=["3.11", "3.12", "3.13"])
    given = parser.parse_args()
    tested, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for version in given.python:
            start, stop = given.seeds
            for first in range(start, stop, _FUNCTIONS):
                seeds = range(first, min(first + _FUNCTIONS, stop))
                count, contradicted = wrong(Path(folder), seeds, version)
                tested, failed = tested + count, failed + len(contradicted)
                for each in contradicted:
                    print(f"{version}: {each}")
    print(f"{tested} findings put to the test, {failed} contradicted")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
