"""Does edited code behave as before? The standard library's own tests, every function edited.

    python tools/behaviour.py [--edit nops] [--edit calls] [--seconds 120] [MODULE ...]

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
import os
import select
import signal
import subprocess
import sys
import time
import unittest
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any, NamedTuple, NoReturn

EDITS = ("nops", "calls")

MODULES = [
    "test_json", "test_dataclasses", "test_functools", "test_textwrap", "test_configparser",
    "test_enum", "test_contextlib", "test_contextlib_async", "test_asyncio.test_locks",
    "test_asyncio.test_queues", "test_generators", "test_asyncgen", "test_coroutines", "test_abc",
    "test_bisect", "test_cmd", "test_collections", "test_colorsys", "test_copy", "test_csv",
    "test_difflib", "test_except_star", "test_exception_group", "test_exceptions", "test_fnmatch",
    "test_frame", "test_genexps", "test_getopt", "test_glob", "test_graphlib", "test_heapq",
    "test_html", "test_htmlparser", "test_keyword", "test_listcomps", "test_named_expressions",
    "test_numeric_tower", "test_operator", "test_optparse", "test_ordered_dict", "test_patma",
    "test_pprint", "test_raise", "test_reprlib", "test_scope", "test_setcomps", "test_shlex",
    "test_string", "test_super", "test_sys_settrace", "test_sys_setprofile", "test_traceback",
    "test_typing", "test_userdict", "test_userlist", "test_with", "test_yield_from", "test_bdb",
    "test_inspect", "test_argparse", "test_fractions", "test_ipaddress", "test_tokenize",
    "test_statistics", "test_decimal",
]  # fmt: skip

# Tests that look at what an edit cannot leave as it is: module, test, edit, what it looks at.
_LINE = "a tracer is told of the `def` line when an exception meets the exit hook"
_LIMIT = "on 3.11 a call of a C function, such as the hook, counts for the recursion limit"
INHERENT = [
    ("test_sys_settrace", "test_07_raise", "calls", _LINE),
    ("test_sys_settrace", "test_13_genexp", "calls", _LINE),
    ("test_sys_settrace", "test_20_async_for_loop", "calls", _LINE),
    (
        "test_sys_settrace",
        "test_20_async_for_loop",
        "nops",
        "a NOP before END_ASYNC_FOR, of whose line alone tracers are not told",
    ),
    (
        "test_sys_settrace",
        "test_no_line_event_after_creating_generator",
        "nops",
        "3.13 tells C tracers of a generator's end in a loop, unless FOR_ITER starts a line",
    ),
    (
        "test_sys_setprofile",
        "test_unfinished_generator",
        "calls",
        "to be closed, a generator with an exit hook goes on, so that the hook is called",
    ),
    ("test_bdb", "test_next_until_return_in_generator", "calls", _LINE),
    ("test_traceback", "test_recursive_traceback_cpython_internal", "calls", _LIMIT),
    ("test_traceback", "test_recursive_traceback_python", "calls", _LIMIT),
    ("test_bdb", "test_skip", "", "it steps into the loader that this tool puts in"),
]  # fmt: skip


class Outcome(NamedTuple):
    """What came of one test module."""

    run: int
    failed: tuple[str, ...]
    why: tuple[str, ...]
    counted: int  # calls of the hook
    edited: int  # code objects
    seconds: float  # of CPU

    def __str__(self) -> str:
        return f"{self.run} tests, {len(self.failed)} failed, {self.edited} code objects edited"


# In the worker

_counter = itertools.count()
_edited = 0
_kept: dict[tuple[Any, Any], tuple[CodeType, int]] = {}  # path and source -> edited, how many in it

# The hook: counts, takes an outcome, and has no frame of its own that a test of tracing would see.
count = partial(next, _counter)


def edit_imports(edit: str) -> None:
    """Let the import system edit whatever source it compiles from now on."""
    from coscope.model import Code, Opaque
    from coscope.patcher.applying.apply import apply
    from coscope.patcher.edits.model import ANYWHERE, Do, Insert, InsertCall, Literal
    from coscope.patcher.edits.model import Outcome as Leaving
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
        if (path, data) not in _kept:
            plain = compile(data, path, "exec", dont_inherit=True)
            code: Code = from_code_object(plain)
            changed = apply(code, wanted)
            objects = {id(count): count}
            made = admit(changed, plain, closure=(), defaults=(), original=code, objects=objects)
            _kept[path, data] = made.co, sum(1 for _ in code.walk())
        co, number = _kept[path, data]
        _edited += number
        return co

    def get_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        return edited(self.get_data(path), path)

    edited("def f(): yield 1", "<warm up>")  # what editing needs is loaded before it is edited
    setattr(SourceFileLoader, "get_code", get_code)  # noqa: B010
    setattr(SourceFileLoader, "source_to_code", lambda self, data, path, **_: edited(data, path))  # noqa: B010


def work(module: str) -> dict[str, Any]:
    """Run one test module, and tell what came of it."""
    # What is loaded already is loaded again, edited, for the tests.
    top = module.split(".")[0].removeprefix("test_")
    for loaded in list(sys.modules):
        if loaded.split(".")[0] == top and loaded not in ("sys", "builtins"):
            del sys.modules[loaded]
    suite = unittest.defaultTestLoader.loadTestsFromName(f"test.{module}")
    result = unittest.TextTestRunner(io.StringIO(), verbosity=0).run(suite)
    bad = [*result.failures, *result.errors]
    return {
        "run": result.testsRun,
        "failed": sorted({str(test) for test, _ in bad}),
        "why": [text[-800:] for _, text in bad][:5],
        "counted": next(_counter),
        "edited": _edited,
        "seconds": time.process_time(),
    }


def serve(edit: str) -> None:
    """Run each test module that is asked for in a child of its own, and write what came of it.

    The source files that children edited are edited here after them, so that later ones need not.
    """
    if edit != "none":
        import coscope  # noqa: F401

        edit_imports(edit)
    for line in sys.stdin:
        module, seconds = line.split()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _answer(module, writing)
        os.close(writing)
        with open(reading, "rb") as answer:
            text, late = _heard(answer.fileno(), float(seconds))
        if late:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        found = json.loads(text) if text and not (late or code) else {}
        for path in found.pop("files", ()):
            SourceFileLoader("file", path).get_code("file")
        told = f"no end in {float(seconds):.0f} s" if late else f"status {code}"
        sys.stdout.write(json.dumps(found or told) + "\n")
        sys.stdout.flush()


def _answer(module: str, writing: int) -> NoReturn:
    """In the child: run the tests and write what came of it, then end without any clean-up."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    status = 1
    try:
        before = set(_kept)
        found = work(module)
        made = [str(path) for path, _ in _kept.keys() - before]
        found["files"] = [path for path in made if "test_" not in path and os.path.exists(path)]
        with open(writing, "wb") as answer:
            answer.write(json.dumps(found).encode())
        status = 0
    finally:
        os._exit(status)


def _heard(reading: int, seconds: float) -> tuple[bytes, bool]:
    """All that comes before the end, and whether the time was up."""
    end = time.monotonic() + seconds
    text = b""
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return text, True
        piece = os.read(reading, 1 << 16)
        if not piece:
            return text, False
        text += piece


# In the driver


class Server:
    """A process that runs test modules with one edit."""

    def __init__(self, edit: str) -> None:
        command = [sys.executable, "-W", "ignore", __file__, "--serve", edit]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def outcome(self, module: str, seconds: float) -> Outcome | str:
        """What came of a test module; a text if it did not come to an end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{module} {seconds}\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        if isinstance(found, str):
            return found
        fields = ("run", "failed", "why", "counted", "edited", "seconds")
        return Outcome(*(found[name] for name in fields))


def compare(
    module: str,
    servers: dict[str, Server],
    seconds: float,
    say: Callable[[str], object] = print,
) -> list[str]:
    """What became of each edit, in one word: same, inherent, different, broken or nothing."""
    plain = servers["none"].outcome(module, seconds)
    if isinstance(plain, str):
        say(f"{module:28} not comparable, as it is: {plain}")
        return []
    if not plain.run or any("_FailedTest" in test for test in plain.failed):
        say(f"{module:28} not comparable, this CPython does not have it")
        return []
    words = []
    for edit, server in servers.items():
        if edit == "none":
            continue
        found = server.outcome(module, 10 * seconds)
        if isinstance(found, str):
            words.append("broken")
            say(f"{module:28} {edit:6} BROKEN: {found}")
            continue
        more = sorted(set(found.failed) - set(plain.failed))
        known = {test: why for test in more for why in _inherent(module, edit, test)}
        words.append("same" if found.run == plain.run and not more else "different")
        if words[-1] == "different" and found.run == plain.run and len(known) == len(more):
            words[-1] = "inherent"
        counted = f", {found.counted} calls" if edit == "calls" else ""
        say(f"{module:28} {edit:6} {words[-1]}: {found}{counted}, {found.seconds:.0f} s")
        for test in more:
            say(f"    {test}: {known.get(test, 'UNEXPLAINED')}")
        for why in found.why if words[-1] == "different" else ():
            say("        " + why.replace("\n", "\n        "))
    return words


def _inherent(module: str, edit: str, test: str) -> Iterator[str]:
    for place, name, of, why in INHERENT:
        if (place, of) in ((module, edit), (module, "")) and test.startswith(f"{name} "):
            yield why


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--edit", action="append", choices=EDITS)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--serve", metavar="EDIT")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return 0
    modules = options.modules or MODULES
    servers = {edit: Server(edit) for edit in ("none", *(options.edit or EDITS))}
    words = {module: compare(module, servers, options.seconds) for module in modules}
    for server in servers.values():
        server.process.communicate()
    total = Counter(word for each in words.values() for word in each)
    compared = sum(1 for each in words.values() if each)
    print(f"{compared} modules compared on CPython {sys.version.split()[0]}: {dict(total)}")
    bad = [module for module, each in words.items() if {"different", "broken"} & {*each}]
    print(f"unexplained: {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
