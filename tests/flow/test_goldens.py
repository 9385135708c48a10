"""Every opcode of every version, with the symbolic stack before it, as golden files.

The code was compiled by the very interpreters (tools/goldens.py), so this runs on any host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coscope.flow import build
from coscope.flow.domains.depth import needed
from coscope.flow.domains.expression import expressions
from coscope.model import Code
from coscope.opcodes import VERSIONS, table
from coscope.readers.from_pyc import from_pyc

GOLDENS = Path(__file__).parent / "goldens"
DEEPEST = 6  # values of a stack that a golden line shows

# Opcodes that no compiler of that version emits, and why.
NEVER = {
    "CACHE": "inline cache; never an instruction of its own",
    "RESERVED": "number 17, where specialisation of BINARY_OP ends up if it goes wrong",
    "INTERPRETER_EXIT": "in the interpreter's own trampoline frame only",
    "EXIT_INIT_CHECK": "in the interpreter's own code that follows __init__ only",
    "ENTER_EXECUTOR": "written over JUMP_BACKWARD by the JIT's optimiser",
    "TRACE_RECORD": "in the JIT's dispatch table only",
    "INSTRUMENTED_LINE": "written over other opcodes by sys.monitoring",
    "INSTRUMENTED_INSTRUCTION": "written over other opcodes by sys.monitoring",
}
NEVER_IN = {
    "3.8": {"NOP": "removed again by the peephole optimiser"},
    "3.9": {"NOP": "removed again by the peephole optimiser"},
}


def snippets(version: str) -> list[Code]:
    """The module code objects that this version compiled, by file name."""
    paths = sorted((GOLDENS / "data" / version).glob("*.pyc"))
    return [from_pyc(path).code for path in paths]


def lines(code: Code) -> Iterator[str]:
    """The instructions and stacks of one code object."""
    yield f"[case] {code.filename} {code.qualname}"
    graph = build(code)
    for instruction, frame in zip(code.instructions, expressions(graph), strict=True):
        block = graph.block_of(instruction.index)
        name = block.name if block.start == instruction.index else ""
        shown = f"{instruction.opname} {instruction.argrepr}".strip()
        if frame is None:
            stack = "unreachable"
        else:
            more = "… · " if len(frame) > DEEPEST else ""
            stack = more + " · ".join(frame.top(DEEPEST))
        yield f"{name:4}{instruction.offset:4} {shown:32.60} | {stack}".rstrip()
    yield ""


@pytest.mark.parametrize("version", VERSIONS)
def test_the_symbolic_stack(version: str, golden: Callable[[Path, str], None]) -> None:
    head = f"# CPython {version}: the stack before each instruction, deepest value first."
    text = [
        head,
        "# Written by `pytest --bless` from what coscope shows; reviewed in the diff.",
        "",
    ]
    for module in snippets(version):
        for code in module.walk():
            text += lines(code)

    golden(GOLDENS / f"cpython-{version}.txt", "\n".join(text))


@pytest.mark.parametrize("version", VERSIONS)
def test_each_opcode_occurs(version: str) -> None:
    seen = {
        instruction.opname
        for module in snippets(version)
        for code in module.walk()
        for instruction in code.instructions
    }
    rows = {row.name for row in table(version).opcodes.values() if row.form == "base"}
    never = rows & (NEVER.keys() | NEVER_IN.get(version, {}).keys())

    assert rows - never == seen


@pytest.mark.parametrize("version", VERSIONS)
def test_no_value_is_without_a_text(version: str) -> None:
    empty = [
        (code.filename, code.qualname, index)
        for module in snippets(version)
        for code in module.walk()
        for index, frame in enumerate(expressions(build(code)))
        if frame is not None and any(not text or "?" in text for text in frame)
    ]

    assert [] == empty


@pytest.mark.parametrize("version", VERSIONS)
def test_the_stack_needed_is_the_one_declared(version: str) -> None:
    above = [
        (code.filename, code.qualname, needed(build(code)), code.stacksize)
        for module in snippets(version)
        for code in module.walk()
        if needed(build(code)) > code.stacksize
    ]

    assert [] == above
