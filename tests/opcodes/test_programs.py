"""Programs that make every opcode of 3.8 to 3.11, compiled by those interpreters.

What `dis.stack_effect` cannot tell shows here: that the tables' jumps, ends and block stack lead to
the very stack size that the compiler of that version stored.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest

from coscope.codec.unmarshal import load
from coscope.flow.domains.conditions import graph
from coscope.flow.domains.depth import needed
from coscope.flow.domains.expression import expressions
from coscope.model import Code
from coscope.opcodes import table
from tests.interpreters import require

OLD = pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11"])

PROGRAMS = Path(__file__).parent / "programs"
FROM = {"3.8": ["3.8"], "3.9": ["3.8"], "3.10": ["3.8", "3.10"], "3.11": ["3.8", "3.10", "3.11"]}

# Opcodes that no compiled code holds, and why.
NEVER_EMITTED = {
    "3.8": {"NOP"},  # the peephole optimizer removes them
    "3.9": {"NOP"},
    "3.10": set(),
    "3.11": {"CACHE"},  # follows an instruction, is none
}

COMPILE = """
import marshal, sys
paths = sys.argv[1:]
made = [compile(open(path, encoding="utf-8").read(), path, "exec") for path in paths]
made.append(compile("shown", "prompt", "single"))
sys.stdout.buffer.write(marshal.dumps(made))
"""


@cache
def codes_of(version: str) -> tuple[Code, ...]:
    """Every code object of the programs, compiled by that version."""
    paths = [str(PROGRAMS / f"emits-{name}.txt") for name in FROM[version]]
    run = subprocess.run(
        [str(require(version)), "-I", "-S", "-c", COMPILE, *paths],
        capture_output=True,
        check=True,
        timeout=60,
    )
    modules = load(run.stdout, table(version))
    items = modules if isinstance(modules, tuple) else modules.items
    return tuple(code for module in items for code in module.walk())


@OLD
def test_the_programs_make_every_opcode_that_is_ever_emitted(version: str) -> None:
    made = {instruction.opname for code in codes_of(version) for instruction in code.instructions}
    told = {row.name for row in table(version).opcodes.values() if row.form == "base"}

    assert told - NEVER_EMITTED[version] == made


@OLD
def test_the_stack_size_is_the_one_that_the_compiler_stored(version: str) -> None:
    stored = {code.qualname: code.stacksize for code in codes_of(version)}

    assert stored == {code.qualname: needed(graph(code)) for code in codes_of(version)}


def test_without_dead_code_everything_is_reachable_in_3_11() -> None:
    """The compiler of 3.11 leaves no dead code, so an opcode that wrongly ends would show."""
    dead = [
        (code.qualname, block.name)
        for code in codes_of("3.11")
        for block in graph(code).blocks
        if not block.reachable
    ]

    assert [] == dead


@OLD
def test_every_value_on_every_stack_has_a_text_that_does_not_give_up(version: str) -> None:
    given_up = []
    for code in codes_of(version):
        frames = expressions(graph(code))
        for instruction in code.instructions:
            frame = frames[instruction.index]
            if frame is not None and any(not text or "?" in text for text in frame):
                given_up.append((code.qualname, instruction.offset, instruction.opname))

    assert [] == given_up


@OLD
def test_what_a_function_returns_is_written_as_in_its_source(version: str) -> None:
    """Of each kind of call, display, operator and format, at the end of a function."""
    expected = {
        "arithmetic": "(c, d, e)",
        "in_place": "a",
        "functions": "(inner, remover, <lambda>)",
        "calls": "f(*a, key=b)",
        "texts": "(f'{a} and {b!r}, {a:>10} and {b!s:>{a}}', f'{a}')",
        "containers": "(display, pairs, starred, part, {1, b}, [1, b])",
    }
    shown = {}
    for code in codes_of(version):
        if code.name in expected:
            last = len(code.instructions) - 1
            frame = expressions(graph(code))[last]
            shown[code.name] = None if frame is None else "".join(frame)

    assert expected == shown
