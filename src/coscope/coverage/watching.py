"""Inside of the command that `coscope coverage` runs: notes each instruction once.

`sys.monitoring` reports an instruction; the callback asks never to be told of it again, so that
code that has run once runs at full speed.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType
from typing import Any

from coscope.inside import write_report
from coscope.opcodes import Opcode, table
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.libraries import is_library
from coscope.readers.live_code import code_bytes

Spans = set[tuple[int, int, int, int]]  # first line, column, last line, column; columns in bytes

_TOOLS = (3, 4, 5, 2, 0)  # 1 is that of coverage.py, which may run beside


class Watch:
    """What one process executes of the watched files."""

    def __init__(self, sources: list[str]) -> None:
        self.sources = [os.path.realpath(source) for source in sources]
        # By identity: the code object, offsets that ran, its bytes before they were instrumented.
        self._held: dict[int, tuple[CodeType, set[int], bytes]] = {}
        self._files: dict[str, bool] = {}
        self._tool = 0

    def wants(self, filename: str) -> bool:
        """True for a file that is watched."""
        found = self._files.get(filename)
        if found is None:
            found = self._files[filename] = self._wants(filename)
        return found

    def _wants(self, filename: str) -> bool:
        if filename.startswith("<") or not filename.endswith(".py"):
            return False
        path = os.path.realpath(filename)
        within = any(
            path == source or path.startswith(source.rstrip(os.sep) + os.sep)
            for source in self.sources
        )
        return within and not is_library(path)

    def start(self) -> None:
        """Begin.

        Raises:
            RuntimeError: Every tool id of `sys.monitoring` is taken.
        """
        monitoring: Any = vars(sys)["monitoring"]
        tool = next((each for each in _TOOLS if monitoring.get_tool(each) is None), None)
        if tool is None:
            raise RuntimeError("every tool id of sys.monitoring is taken")
        monitoring.use_tool_id(tool, "coscope coverage")
        events, disable = monitoring.events, monitoring.DISABLE
        held = self._held

        def started(co: CodeType, offset: int) -> object:
            if self.wants(co.co_filename) and id(co) not in held:
                held[id(co)] = co, set(), code_bytes(co, HOST_VERSION)
                monitoring.set_local_events(tool, co, events.INSTRUCTION)
            return disable

        def executing(co: CodeType, offset: int) -> object:
            held[id(co)][1].add(offset)
            return disable

        monitoring.register_callback(tool, events.PY_START, started)
        monitoring.register_callback(tool, events.INSTRUCTION, executing)
        monitoring.set_events(tool, events.PY_START)
        self._tool = tool

    def stop(self) -> None:
        """End; what was seen stays."""
        monitoring: Any = vars(sys)["monitoring"]
        monitoring.set_events(self._tool, 0)
        for co, _, _ in self._held.values():
            monitoring.set_local_events(self._tool, co, 0)
        for event in (monitoring.events.PY_START, monitoring.events.INSTRUCTION):
            monitoring.register_callback(self._tool, event, None)
        monitoring.free_tool_id(self._tool)

    @contextmanager
    def started(self) -> Iterator[None]:
        """Watch what runs inside of the block."""
        self.start()
        try:
            yield
        finally:
            self.stop()

    def report(self) -> dict[str, object]:
        """By file: the spans of instructions that ran, and of all that there are."""
        ran: dict[str, Spans] = {}
        every: dict[str, Spans] = {}
        for co, offsets, code in list(self._held.values()):
            file = os.path.realpath(co.co_filename)
            spans = _spans(co, code)
            found = ran.setdefault(file, set())
            found.update(spans[offset] for offset in offsets if offset in spans)
            for inner in _nested(co):
                held = self._held.get(id(inner))
                plain = code_bytes(inner, HOST_VERSION) if held is None else held[2]
                every.setdefault(file, set()).update(_spans(inner, plain).values())
        return {
            "files": {
                file: {"ran": sorted(found), "all": sorted(every[file])}
                for file, found in ran.items()
            }
        }


def _nested(co: CodeType) -> Iterator[CodeType]:
    pending = [co]
    while pending:
        code = pending.pop()
        yield code
        pending += [each for each in code.co_consts if type(each) is CodeType]


def _spans(co: CodeType, code: bytes) -> dict[int, tuple[int, int, int, int]]:
    """By byte offset: the range of an instruction, in whole numbers.

    A jump is left out: the compiler gives it the range of what it jumps over.
    """
    jumps = _jumps(HOST_VERSION)
    found = {}
    for at, (line, end_line, column, end_column) in enumerate(co.co_positions()):
        if line is None or end_line is None or column is None or end_column is None:
            continue
        if code[2 * at] not in jumps:
            found[2 * at] = (line, column, end_line, end_column)
    return found


@cache
def _jumps(version: str) -> frozenset[int]:
    """Opcodes that jump, or do nothing. A conditional jump has a test or a load beside it."""
    return frozenset(
        row.code for row in table(version).by_code if row is not None and _is_silent(row)
    )


def _is_silent(row: Opcode) -> bool:
    does = row.pops or row.pushes or row.access or "const" in row.operand
    return row.jump is not None or not does


def begin(settings: dict[str, Any]) -> None:
    """Start to watch; when the process ends, write what was seen."""
    if not hasattr(sys, "monitoring"):
        write_report(settings, {"error": "this CPython has no sys.monitoring"})
        return
    watch = Watch(settings["sources"])
    watch.start()
    reported = []

    def finish() -> None:
        if os.getpid() not in reported:
            reported.append(os.getpid())
            write_report(settings, watch.report())

    def forked() -> None:
        util = sys.modules.get("multiprocessing.util")
        if util is not None:  # its processes end without what `atexit` holds
            util.register_after_fork(watch, lambda _: util.Finalize(None, finish, exitpriority=0))

    atexit.register(finish)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forked)
