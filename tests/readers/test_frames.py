"""Frames whose locals this CPython cannot read: gh-128396."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType
from typing import cast

import pytest

from coscope import trace
from coscope.readers.frames import crashes_when_read, frame_locals, hides_a_cell
from coscope.readers.from_function import HOST_VERSION

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

# To 3.11 a comprehension is a function of its own: it hides nothing.
INLINED = HOST_VERSION != "3.11"


def hidden(n: int) -> list[int]:
    def g() -> int:
        return k

    k: int = 1
    return [k * 2 for k in range(n)] + [g()]


def hidden_in_slot_300() -> CodeType:
    """As `hidden`, with so many locals before it that the slot takes an EXTENDED_ARG."""
    lines = [f"    v{at} = {at}" for at in range(300)]
    text = "\n".join(
        ["def f(n):", *lines, "    def g(): return k", "    k = 1", "    [k for k in range(n)]"]
    )
    return cast("CodeType", compile(text, "<test>", "exec").co_consts[0])


def free(k: int) -> Callable[[int], list[int]]:
    def inner(n: int) -> list[int]:
        return [k * 2 for k in range(n)] + [k]

    return inner


def captured_inside(n: int) -> int:
    k = 1
    fs = [(lambda: k) for k in range(n)]  # noqa: B023
    return len(fs) + k  # k is a cell in the comprehension alone


def plain(n: int) -> list[int]:
    def g() -> int:
        return m

    m: int = 1
    return [k * 2 for k in range(n)] + [g()]


def no_comprehension(n: int) -> int:
    def g() -> int:
        return n

    return g()


CODES: dict[str, tuple[CodeType, bool]] = {
    "hidden": (hidden.__code__, True),
    "free": (cast(FunctionType, free(1)).__code__, True),
    "captured inside": (captured_inside.__code__, True),
    "plain": (plain.__code__, False),
    "no comprehension": (no_comprehension.__code__, False),
}


@pytest.mark.parametrize("name", CODES)
def test_a_comprehension_that_hides_a_cell_is_seen_in_the_code(name: str) -> None:
    co, hides = CODES[name]

    assert (hides and INLINED) == hides_a_cell(co)


READS = """
import sys
def hidden(n):
    g = lambda: k
    k = 1
    return [(list(sys._getframe().f_locals.values()), k * 2) for k in range(n)], g()
for _ in range(50):
    hidden(300)
"""


def test_the_table_says_whether_this_interpreter_crashes() -> None:
    done = subprocess.run([sys.executable, "-c", READS], capture_output=True, timeout=60)

    assert crashes_when_read(hidden.__code__) == (done.returncode != 0)


def test_locals_that_can_be_read_are_read() -> None:
    value = 7

    assert value == dict(frame_locals(sys._getframe()))["value"]


# It is in a process of its own: where the locals were read all the same, it would end by a signal.
PROGRAM = """
def hidden(n):
    g = lambda: k
    k = 1
    return [k * 2 for k in range(n)], g()

if __name__ == "__main__":
    import time
    until = time.process_time() + 1
    while time.process_time() < until:
        hidden(300)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["call", "program:hidden", "3", "--trace"],
        ["show", "--warm", "program.py", "program.py::hidden"],
        ["audit", "--warm", "program.py", "program.py"],
    ],
    ids=lambda words: words[0],
)
def test_the_user_s_program_survives_and_the_page_says_what_was_not_read(
    program: Path, words: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coscope", *words],
        cwd=program,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    said = done.stdout + done.stderr

    assert 0 == done.returncode, said
    assert crashes_when_read(hidden.__code__) == ("gh-128396" in said)


def test_a_trace_shows_the_locals_of_code_that_hides_nothing() -> None:
    found = trace(plain, [1])

    assert found.note is None
    assert any(("n", "1") in entry.locals for entry in found.entries)


def test_a_cell_in_a_slot_beyond_255_is_found() -> None:
    code = hidden_in_slot_300()

    assert hides_a_cell(code) is INLINED
    # The same with another name in the comprehension.
    other = compile(
        "def f(n):\n"
        + "".join(f"    v{at} = {at}\n" for at in range(300))
        + "    def g(): return k\n    k = 1\n    [j for j in range(n)]\n",
        "<test>", "exec",
    ).co_consts[0]  # fmt: skip
    assert isinstance(other, CodeType)
    assert not hides_a_cell(other)
