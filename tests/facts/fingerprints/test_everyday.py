"""Everyday values count by their content; what cannot be read is listed, never told as complete."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from coscope.facts.fingerprints.fingerprints import Fingerprint, fingerprint
from tests.facts.fingerprints.everyday_edits import LISTED, STATE, TOLD

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def module() -> Iterator[None]:
    """The modules of this file all have one name, and are loaded one at a time."""
    yield
    sys.modules.pop("edited", None)


def function_of(source: str) -> FunctionType:
    if "import numpy" in source or "import wrapt" in source:
        pytest.importorskip(source.split()[1])
    module = ModuleType("edited")
    module.__file__ = "/somewhere/edited.py"
    sys.modules["edited"] = module
    exec(compile(source, "/somewhere/edited.py", "exec"), vars(module))
    function: FunctionType = vars(module)["f"]
    return function


def _ids(pairs: list[tuple[str, str, str]]) -> list[str]:
    return [f"{name}-{at}" for at, (name, *_) in enumerate(pairs)]


def found(source: str) -> Fingerprint:
    return fingerprint(function_of(source))


@pytest.mark.parametrize(
    ("name", "before", "after"), TOLD, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(TOLD)]
)
def test_a_change_of_content_changes_the_text_and_nothing_else_does(
    name: str, before: str, after: str
) -> None:
    old, again, new = found(before), found(f"# moved\n\n{before}"), found(after)

    assert [True, False] == [old.value == again.value, old.value == new.value]
    assert old.complete or name == "wrapt"  # what else its C code keeps is not known


@pytest.mark.parametrize(
    ("name", "before", "after"), LISTED, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(LISTED)]
)
def test_what_c_code_keeps_is_listed(name: str, before: str, after: str) -> None:
    old = found(before)

    assert not old.complete
    assert not found(after).complete


@pytest.mark.parametrize(("name", "source"), STATE, ids=[name for name, _ in STATE])
def test_state_that_a_call_reads_is_listed(name: str, source: str) -> None:
    assert not found(source).complete


def test_a_kept_fingerprint_follows_a_change_in_an_everyday_value() -> None:
    function = function_of("import collections\nK = collections.deque([1])\ndef f(): return K\n")
    before = fingerprint(function)
    function.__globals__["K"].append(2)

    assert before.value != fingerprint(function).value


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.facts.fingerprints.everyday_edits import TOLD
from tests.facts.fingerprints.test_everyday import found
for name, before, _ in TOLD:
    if name not in ("numpy", "wrapt"):
        print(found(before).value)
"""


def test_processes_with_different_hash_seeds_agree() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(ROOT)],
            env={**os.environ, "PYTHONHASHSEED": str(seed * 7919 + 1)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=300,
        ).stdout
        for seed in range(4)
    ]

    assert 1 == len(set(outputs))
    assert 60 < outputs[0].count("\n")


DOCUMENTS = """
import json, re, sys
sys.path.insert(0, sys.argv[1])
import coscope
NAMES = {"alpha", "beta", 3, None, ("x", 1), b"q", 4.5}
def f(x, k=frozenset({"u", "v", 7}), s={"q", 9, "zz"}):
    return x in {"a", "b", "c", "d", 5}, NAMES, lambda: NAMES
for found in (coscope.depends(f), coscope.capture(f), coscope.signature(f), coscope.call(f, 1)):
    print(re.sub("0x[0-9a-f]+", "", json.dumps(found.to_json())))
print(coscope.show(f))
"""


def test_documents_do_not_depend_on_the_hash_seed() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", DOCUMENTS, str(ROOT)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=300,
        ).stdout
        for seed in (1, 2, 3)
    ]

    assert 1 == len(set(outputs))


REGISTERED = """
import functools
def out(self, arg): return arg + {0}
class K:
    def base(self, y): return y
    pm = functools.partialmethod(base, {1})
    @functools.singledispatchmethod
    def sd(self, arg): return arg
K.__dict__["sd"].register(int, out)
def use_pm(): return K().pm()
def use_sd(): return K().sd(1)
f = use_pm
"""


@pytest.mark.parametrize(
    ("name", "added", "held"),
    [("pm", False, True), ("sd", True, False), ("use_pm", True, True), ("use_sd", True, True)],
)
def test_what_is_registered_and_held_counts(name: str, added: bool, held: bool) -> None:
    """Of a whole class everything counts, of one descriptor what it holds."""

    def value(*numbers: int) -> Fingerprint:
        space = function_of(REGISTERED.format(*numbers)).__globals__
        return fingerprint(space[name] if name in space else vars(space["K"])[name])

    first = value(1, 13)

    assert first.complete
    assert [added, held] == [first.value != value(*n).value for n in ((2, 13), (1, 14))]
