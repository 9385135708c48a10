"""A running process as a document and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.attachment.model import Attached, SeenFrame, SeenFunction
from coscope.render.document.report import header
from coscope.render.document.shared import value_entry
from coscope.render.pages.sheet import Sheet
from coscope.render.text.measured import Pen
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import attach as schema


def document(result: Attached) -> schema.AttachDocument:
    """The document of docs/schema.md, "attach"."""
    return {
        **header(),
        "command": "attach",
        "pid": result.pid,
        "release": result.release,
        "executable": clean(result.executable),
        "milliseconds": round(result.milliseconds, 3),
        "threads": [
            {
                "identity": thread.identity,
                "name": thread.name and clean(thread.name),
                "frames": [_frame(frame) for frame in thread.frames],
            }
            for thread in result.threads
        ],
        "functions": [_function(each) for each in result.functions],
        "notes": [clean(note) for note in result.notes],
        "error": None,
    }


def _frame(frame: SeenFrame) -> schema.AttachFrame:
    return {
        "file": clean(frame.file),
        "line": frame.line,
        "function": clean(frame.function),
        "opname": frame.opname,
        "argrepr": clean(frame.argrepr),
        "expression": frame.expression and clean(frame.expression),
        "stack": [clean(each) for each in frame.stack],
        "locals": [
            {"name": clean(name), "value": value_entry(value)} for name, value in frame.locals
        ],
        "instructions": frame.instructions,
        "specialized": frame.specialized,
    }


def _function(function: SeenFunction) -> schema.AttachFunction:
    return {
        "name": clean(function.name),
        "file": clean(function.file),
        "line": function.line,
        "instructions": function.instructions,
        "specialized": [
            {"offset": site.offset, "opname": site.opname, "executed": site.executed}
            for site in function.specialized
        ],
        "cells": [
            {"name": clean(name), "value": value_entry(value)} for name, value in function.cells
        ],
    }


def sheet(found: schema.AttachDocument, pen: Pen) -> Sheet:
    """The page: functions that were asked for, else the threads."""
    page = Sheet(pen)
    threads = len(found["threads"])
    page.add(
        (f"process {found['pid']}", "title"),
        (f"  CPython {found['release']}, {threads} thread{'' if threads == 1 else 's'}", "plain"),
        (f"  {found['executable']}  {found['milliseconds']:.0f} ms", "faint"),
    )
    if found["functions"]:
        for function in found["functions"]:
            _add_function(page, function, len(found["functions"]) == 1)
        return page
    for thread in found["threads"]:
        page.heading(thread["name"] or "thread", str(thread["identity"]))
        for frame in thread["frames"]:
            _add_frame(page, frame, frame is thread["frames"][-1])
        if not thread["frames"]:
            page.add(("  no Python frame", "faint"))
    return page


def _add_frame(page: Sheet, frame: schema.AttachFrame, innermost: bool) -> None:
    place = f"  {frame['file']}:{frame['line'] if frame['line'] is not None else '?'}"
    page.add(
        (place, "name"),
        (f" in {frame['function']}", "plain"),
        (f"  {frame['opname'] or ''} {frame['argrepr']}".rstrip(), "faint"),
    )
    if frame["expression"]:
        page.add(("      ", "plain"), (" ".join(frame["expression"].split()), "mark"))
    if not innermost:
        return
    stack = [each for each in frame["stack"] if each != "NULL" and each[:1] != "~"]
    if stack:
        page.add(("      stack  ", "faint"), (page.pen.separator.join(stack), "stack"))
    for variable in frame["locals"]:
        _add_variable(page, variable)
    counts = f"{frame['specialized']} of {frame['instructions']} instructions specialized"
    page.add(("      ", "plain"), (counts, "faint"))


def _add_variable(page: Sheet, variable: schema.AttachLocal) -> None:
    value = variable["value"]
    page.add(
        ("      ", "plain"),
        (variable["name"], "name"),
        (" = ", "plain"),
        ("empty", "warning") if value is None else (value["text"], "value"),
    )


def _add_function(page: Sheet, function: schema.AttachFunction, alone: bool) -> None:
    counts = f"{len(function['specialized'])} of {function['instructions']} specialized"
    if not alone:
        page.add(
            (f"  {counts:<30}", "plain"),
            (function["name"], "name"),
            (f"  {function['file']}:{function['line']}", "faint"),
        )
        return
    page.heading(function["name"], f"{function['file']}:{function['line']}  {counts}")
    for cell in function["cells"]:
        _add_variable(page, cell)
    for site in function["specialized"]:
        page.add(
            (f"{site['offset']:>8}  ", "offset"),
            (f"{site['opname']:<28}", "opcode"),
            (site["executed"], "specialized"),
        )
