"""Does edited code behave as before? The standard library's own tests, every function edited.

    python tools/behaviour.py [--edit nops] [--edit calls] [--seconds 600] [MODULE ...]

For each test module a process runs it as it is, and another one with every Python file that it
imports edited, verified and made live by `patcher/rebuild.py`: with a NOP before each instruction
("nops"), so that every jump, region and position moves; or with a counting call at each entry and
exit ("calls"). The same tests must pass. By hand: all of MODULES, on each version.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import subprocess
import sys
import unittest
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.machinery import SourceFileLoader
from typing import Any, NamedTuple

EDITS = ("nops", "calls")

MODULES = [
    "test_abc", "test_argparse", "test_asyncgen", "test_asyncio.test_locks",
    "test_asyncio.test_queues", "test_asyncio.test_tasks", "test_base64", "test_bisect",
    "test_calendar", "test_cmd", "test_collections", "test_colorsys", "test_configparser",
    "test_contextlib", "test_contextlib_async", "test_copy", "test_copyreg", "test_coroutines",
    "test_csv", "test_dataclasses", "test_decimal", "test_difflib", "test_enum",
    "test_except_star", "test_exception_group", "test_fnmatch", "test_fractions",
    "test_functools", "test_generators", "test_genexps", "test_getopt", "test_glob",
    "test_graphlib", "test_heapq", "test_html", "test_htmlparser", "test_ipaddress",
    "test_json", "test_keyword", "test_listcomps", "test_named_expressions",
    "test_numeric_tower", "test_operator", "test_optparse", "test_ordered_dict", "test_patma",
    "test_pprint", "test_quopri", "test_raise", "test_random", "test_reprlib", "test_scope",
    "test_setcomps", "test_shlex", "test_statistics", "test_string", "test_super",
    "test_textwrap", "test_typing", "test_userdict", "test_userlist", "test_userstring",
    "test_uuid", "test_weakref", "test_weakset", "test_with", "test_yield_from",
]  # fmt: skip


class Outcome(NamedTuple):
    """What came of one test module."""

    run: int
    failed: tuple[str, ...]
    why: tuple[str, ...]
    counted: int  # calls of the hook
    edited: int  # code objects

    def __str__(self) -> str:
        return f"{self.run} tests, {len(self.failed)} failed, {self.edited} code objects edited"


# In the worker

_counter = itertools.count()
_edited = 0

# The hook: counts, takes an outcome, and has no frame of its own that a test of tracing would see.
count = partial(next, _counter)


def edit_imports(edit: str) -> None:
    """Let the import system edit whatever source it compiles from now on."""
    from coscope.model import Code, Opaque
    from coscope.patcher.apply import apply
    from coscope.patcher.edits import ANYWHERE, Do, Insert, InsertCall, Literal
    from coscope.patcher.edits import Outcome as Leaving
    from coscope.patcher.rebuild import admit
    from coscope.readers.from_function import from_code_object

    hook = Literal(Opaque("functools.partial", id(count)))
    nops = Insert(where=ANYWHERE, instructions=(Do("NOP"),), inseparable="skip")
    calls = (
        InsertCall(call=hook, at="entry"),
        InsertCall(call=hook, args=(Leaving(),), at="exit"),
    )
    wanted = [replace(each, nested=True) for each in ((nops,) if edit == "nops" else calls)]

    def edited(data: Any, path: Any) -> Any:
        global _edited
        plain = compile(data, path, "exec", dont_inherit=True)
        code: Code = from_code_object(plain)
        _edited += sum(1 for _ in code.walk())
        changed = apply(code, wanted)
        objects = {id(count): count}
        return admit(changed, plain, closure=(), defaults=(), original=code, objects=objects).co

    def get_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        return edited(self.get_data(path), path)

    edited("def f(): yield 1", "<warm up>")  # what editing needs is loaded before it is edited
    setattr(SourceFileLoader, "get_code", get_code)  # noqa: B010
    setattr(SourceFileLoader, "source_to_code", lambda self, data, path, **_: edited(data, path))  # noqa: B010


def work(edit: str, module: str) -> None:
    """Run one test module, and write what came of it as the last line of standard output."""
    name = f"test.{module}"
    if edit != "none":
        import coscope  # noqa: F401

        edit_imports(edit)
    # What is loaded already is loaded again, edited, for the tests.
    top = module.split(".")[0].removeprefix("test_")
    for loaded in list(sys.modules):
        if loaded.split(".")[0] == top and loaded not in ("sys", "builtins"):
            del sys.modules[loaded]
    suite = unittest.defaultTestLoader.loadTestsFromName(name)
    result = unittest.TextTestRunner(io.StringIO(), verbosity=0).run(suite)
    bad = [*result.failures, *result.errors]
    found = {
        "run": result.testsRun,
        "failed": sorted({str(test) for test, _ in bad}),
        "why": [text[-800:] for _, text in bad][:5],
        "counted": next(_counter),
        "edited": _edited,
    }
    sys.stdout.write(f"\n{json.dumps(found)}\n")


# In the driver


def outcome(edit: str, module: str, seconds: float) -> Outcome | str:
    """Run a test module in a process of its own; a text if it does not come to an end."""
    command = [sys.executable, "-W", "ignore", __file__, "--worker", edit, module]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return f"no end in {seconds:.0f} s"
    try:
        found = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return f"status {done.returncode}: {done.stderr[-600:]}"
    return Outcome(
        found["run"], tuple(found["failed"]), tuple(found["why"]), found["counted"], found["edited"]
    )


def compare(
    module: str, edits: tuple[str, ...], seconds: float, say: Callable[[str], object] = print
) -> bool:
    """True if the same tests pass with each edit as without."""
    plain = outcome("none", module, seconds)
    if isinstance(plain, str):
        say(f"{module:28} not comparable, as it is: {plain}")
        return True
    if not plain.run or any("_FailedTest" in test for test in plain.failed):
        say(f"{module:28} not comparable, this CPython does not have it")
        return True
    same = True
    for edit in edits:
        found = outcome(edit, module, 10 * seconds)
        if isinstance(found, str):
            same = False
            say(f"{module:28} {edit:6} BROKEN: {found}")
            continue
        more = sorted(set(found.failed) - set(plain.failed))
        counted = f", {found.counted} calls" if edit == "calls" else ""
        good = not more and found.run == plain.run
        same = same and good
        verdict = "same" if good else f"DIFFERENT from {plain.run} tests"
        say(f"{module:28} {edit:6} {verdict}: {found}{counted}")
        for test in more:
            say(f"    {test}")
        for why in found.why if more else ():
            say("        " + why.replace("\n", "\n        "))
    return same


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--edit", action="append", choices=EDITS)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--worker", nargs=2, metavar=("EDIT", "MODULE"))
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    if options.worker:
        work(*options.worker)
        return 0
    modules = options.modules or MODULES
    edits = tuple(options.edit or EDITS)
    bad = [module for module in modules if not compare(module, edits, options.seconds)]
    print(f"{len(modules)} modules on CPython {sys.version.split()[0]}, {len(bad)} differ: {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
