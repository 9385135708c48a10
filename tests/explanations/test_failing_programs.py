"""120 raising programs: the failing expression, the values, and that nothing of the user's runs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import coscope
from coscope.readers.values import text_of
from tests.explanations.failing import KINDS, Program, programs
from tests.explanations.hostile import CALLED, Hostile, HostileError, HostileStr, armed

PROGRAMS = programs()


class Seen:
    """What the interpreter itself says when an exception is raised: the locals of each frame."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.locals: dict[int, dict[str, object]] = {}  # by id of the frame, kept by the traceback
        self.texts: dict[int, dict[str, str]] = {}

    def follow(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        if event == "exception" and id(frame) not in self.locals:
            found = dict(frame.f_locals)
            self.locals[id(frame)] = found
            self.texts[id(frame)] = {name: text_of(value) for name, value in found.items()}
        return self.follow


def raised_by(program: Program, folder: Path) -> tuple[BaseException, Seen]:
    file = folder / f"{program.name}.py"
    if not program.executed:
        file.write_text(program.source, encoding="utf-8")
    name = "<made>" if program.executed else str(file)
    namespace: dict[str, Any] = {"__name__": "made", "hostile_global": Hostile()}
    seen = Seen(name)
    before = sys.gettrace()
    try:
        code = compile(program.source, name, "exec", dont_inherit=True)
        sys.settrace(seen.follow)
        try:
            exec(code, namespace)
            if "run" in namespace:
                namespace["run"]()
        finally:
            sys.settrace(before)
    except Exception as error:
        return error, seen
    raise AssertionError("nothing was raised")


def test_there_are_120_of_40_kinds_in_14_contexts() -> None:
    assert (120, 40) == (len(PROGRAMS), len(KINDS))
    assert 14 == len({program.context for program in PROGRAMS})


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_failing_expression_is_right(program: Program, tmp_path: Path) -> None:
    error, _ = raised_by(program, tmp_path)
    expected = program.kind.raised
    while type(error).__name__ == "RuntimeError" and error.__cause__ is not None:
        error = error.__cause__  # StopIteration that left a generator or coroutine
    found = coscope.explain(error)
    stop = found.stops[-1]

    assert expected == found.type_name
    assert () == found.notes
    assert stop.span is not None
    assert (program.start, program.stop) == (
        (stop.span.lineno, stop.span.col_offset),
        (stop.span.end_lineno, stop.span.end_col_offset),
    )
    assert program.executed or stop.expression == _marked(program)


def _marked(program: Program) -> str:
    line = program.source.splitlines()[program.start[0] - 1]
    return line[program.start[1] : program.stop[1]]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_values_are_right_or_not_known(program: Program, tmp_path: Path) -> None:
    error, seen = raised_by(program, tmp_path)
    while type(error).__name__ == "RuntimeError" and error.__cause__ is not None:
        error = error.__cause__
    found = coscope.explain(error)
    entry = error.__traceback__
    assert entry is not None
    while entry.tb_next is not None:
        entry = entry.tb_next
    then = seen.texts.get(id(entry.tb_frame), {})
    wrong = [
        (operand.text, operand.value.text, then[operand.text])
        for operand in found.stops[-1].operands
        if operand.value is not None and operand.text in then
        if operand.value.text != then[operand.text]
    ]
    told = {each.text: each.value.text for each in found.stops[-1].operands if each.value}
    wrong += [
        (text, told[text], value)
        for text, value in program.kind.values
        if text in told and told[text] != value
    ]

    assert [] == wrong


def test_most_values_are_known(tmp_path: Path) -> None:
    """What "right or not known" allows is not used much."""
    wanted = known = 0
    for program in PROGRAMS:
        error, _ = raised_by(program, tmp_path)
        if not program.kind.values or type(error).__name__ == "RuntimeError":
            continue
        stop = coscope.explain(error).stops[-1]
        texts = {each.text for each in stop.operands if each.value is not None}
        wanted += len(program.kind.values)
        known += sum(name in texts for name, _ in program.kind.values)

    assert known >= 0.95 * wanted, (known, wanted)


HOSTILE = (
    "hostile.anything",
    "hostile.size + None",
    "hostile + 1",
    "hostile < hostile",
    "hostile[0]",
    "hostile()",
    "[1][hostile]",
    "{'a': hostile, hostile_text: 1}['b']",
    "{hostile_text: 1}[('a', hostile)]",
    "int(hostile)",
    "None.x, hostile",
    "len(hostile)",
    "(lambda a: a)(hostile, hostile)",
    "next(hostile)",
    "[x for x in hostile]",
    "[None.x for item in [hostile]]",
    "hostile_global.a.b.c",
    "raising(hostile)",
)


@pytest.mark.parametrize("expression", HOSTILE)
def test_nothing_of_the_user_runs(expression: str, tmp_path: Path) -> None:
    def raising(thing: object) -> None:
        raise HostileError(thing, hostile_text)

    hostile, hostile_text = Hostile(), HostileStr("a")
    held = {"hostile": hostile, "list": [hostile], "password": HostileStr("secret!")}
    file = tmp_path / "program.py"
    lines = "def run(hostile, hostile_text, held, raising):\n    self = hostile\n"
    file.write_text(f"{lines}    return {expression}\n", encoding="utf-8")
    namespace: dict[str, Any] = {"hostile_global": hostile, "Hostile": Hostile}
    exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), namespace)
    try:
        namespace["run"](hostile, hostile_text, held, raising)
    except Exception as error:
        with armed():
            found = coscope.explain(error)
            str(found)
            found.to_json()
    else:
        pytest.fail("nothing was raised")

    assert [] == CALLED
    assert () == found.notes
