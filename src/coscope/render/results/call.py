"""`call`: the document and the page of a binding, and of a run that followed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.facts.calls.binding import Binding
from coscope.facts.calls.entries import Entry
from coscope.facts.calls.parameters import BindingStep, Slot, Stage
from coscope.facts.calls.tracing import Trace
from coscope.model import Function
from coscope.render.document.report import header
from coscope.render.document.shared import value_entry
from coscope.render.pages.sheet import Line, Piece, Sheet, columns, measure
from coscope.render.pages.trace_sheet import add_trace
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean
from coscope.result import Result

if TYPE_CHECKING:
    from coscope.render.schemas import call as schema


def document(result: Result) -> schema.CallDocument:
    """The document of a `Binding` or a `Trace`; see docs/schema.md, "call"."""
    assert isinstance(result, Binding | Trace)
    binding = result.binding if isinstance(result, Trace) else result
    function = binding.function
    return {
        **header(),
        "command": "call",
        "target": clean(binding.target),
        "arguments": _arguments(binding),
        "accepted": binding.accepted,
        "outcome": binding.outcome,
        "raises": _raises(binding),
        "function": None if function is None else _function(function),
        "steps": [_step(step) for step in binding.steps],
        "stages": [_stage(stage) for stage in binding.stages],
        "conditions": [clean(condition) for condition in binding.conditions],
        "warnings": [clean(warning) for warning in binding.warnings],
        "trace": _trace(result) if isinstance(result, Trace) else None,
    }


def _arguments(binding: Binding) -> schema.CallArguments:
    return {
        "positional": [value_entry(given.value) for given in binding.arguments.positional],
        "keywords": [
            {"name": clean(_keyword(key)), "value": value_entry(given.value)}
            for key, given in binding.arguments.keywords
        ],
    }


def _step(step: BindingStep) -> schema.CallStep:
    return {
        "kind": step.kind,
        "text": clean(step.text),
        "slot": step.slot,
        "name": None if step.name is None else clean(step.name),
        "value": None if step.value is None else value_entry(step.value),
    }


def _raises(binding: Binding) -> schema.CallRaises | None:
    if binding.error is None:
        return None
    return {"type": "TypeError", "message": clean(binding.error), "when": binding.when}


def _keyword(key: object) -> str:
    from coscope.readers.values import exact_text, text_of

    return exact_text(key) if isinstance(key, str) else text_of(key)


def _function(function: Function) -> schema.CallFunction:
    code = function.code
    return {
        "qualname": clean(function.qualname),
        "module": None if function.module is None else clean(function.module),
        "file": clean(code.filename),
        "line": code.firstlineno,
        "version": code.version,
        "release": code.release,
    }


def _stage(stage: Stage) -> schema.CallStage:
    return {
        "function": _function(stage.function),
        "slots": [_slot(slot) for slot in stage.slots],
        "raises": None if stage.error is None else clean(stage.error),
    }


def _slot(slot: Slot) -> schema.CallSlot:
    return {
        "slot": slot.slot,
        "name": clean(slot.name),
        "kind": slot.kind,
        "value": None if slot.value is None else value_entry(slot.value),
        "origin": None if slot.origin is None else clean(slot.origin),
    }


def _trace(trace: Trace) -> schema.Trace:
    return {
        "outcome": trace.outcome,
        "value": None if trace.value is None else value_entry(trace.value),
        "executed": trace.executed,
        "steps": trace.steps,
        "rounds": trace.rounds,
        "note": None if trace.note is None else clean(trace.note),
        "entries": [_entry(entry) for entry in trace.entries],
    }


def _entry(entry: Entry) -> schema.TraceEntry:
    return {
        "kind": entry.kind,
        "frame": entry.frame,
        "depth": entry.depth,
        "code": clean(entry.code),
        "offset": entry.offset,
        "line": entry.line,
        "opname": entry.opname,
        "argrepr": clean(entry.argrepr),
        "locals": {clean(name): clean(text) for name, text in entry.locals},
        "stack": None if entry.stack is None else [clean(text) for text in entry.stack],
        "text": clean(entry.text),
        "count": entry.count,
    }


def sheet(document: schema.CallDocument, pen: Pen) -> Sheet:
    """What was called, the steps, the slots of each function; of a run the slots and the trace."""
    sheet = Sheet(pen)
    _add_title(sheet, document)
    if document["trace"] is None or not document["accepted"]:
        _add_steps(sheet, document["steps"])
    for stage in document["stages"]:
        _add_slots(sheet, stage)
    if document["trace"] is not None:
        add_trace(sheet, document["trace"])
    return sheet


def _add_title(sheet: Sheet, document: schema.CallDocument) -> None:
    pen = sheet.pen
    given = document["arguments"]
    words = [value["text"] for value in given["positional"]]
    words += [f"{each['name']}={each['value']['text']}" for each in given["keywords"]]
    verdict = _verdict(document)
    room = pen.width - cells(verdict) - 3
    text = pen.fit(f"{document['target']}({', '.join(words)})", room)
    role = {"binds": "value", "raises": "error", "if": "warning"}[document["outcome"]]
    sheet.add((text, "title"), ("   ", "plain"), (verdict, role))
    _add_outcome(sheet, document)
    if document["function"] is not None:
        _add_function(sheet, document["function"])
    for warning in document["warnings"]:
        sheet.add(("  warning: ", "warning"), (warning, "plain"))


def _add_outcome(sheet: Sheet, document: schema.CallDocument) -> None:
    """What is raised, and what the outcome depends on."""
    pen = sheet.pen
    if document["raises"] is not None:
        for line in _wrapped(pen, document["raises"]["message"], pen.width - 2):
            sheet.add(("  ", "plain"), (line, "error"))
    for condition in document["conditions"]:
        first, *more = _wrapped(pen, condition, pen.width - 7)
        sheet.add(("  if: ", "warning"), (first, "plain"))
        for line in more:
            sheet.add(("      ", "plain"), (line, "plain"))


def _add_function(sheet: Sheet, function: schema.CallFunction) -> None:
    pen = sheet.pen
    module = f"{function['module']}." if function["module"] else ""
    release = function["release"] or f"{function['version']}.x"
    where = f"{function['file']}, line {function['line']}"
    name = f"  {module}{function['qualname']}  "
    about = f"  CPython {release}"
    room = pen.width - cells(pen.clean(name)) - cells(about)
    sheet.add((name, "name"), (pen.fit(where, room, "end"), "faint"), (about, "faint"))


def _verdict(document: schema.CallDocument) -> str:
    raised = document["raises"]
    if raised is None:
        return "binds" if document["outcome"] == "binds" else "only running it can tell"
    later = {"awaited": " when it is awaited", "iterated": " when it is iterated"}
    return f"raises TypeError{later.get(raised['when'], '')}"


def _wrapped(pen: Pen, text: str, width: int) -> list[str]:
    """The text on as many lines as it needs, broken between words."""
    lines = [""]
    for word in pen.clean(text).split(" "):
        if lines[-1] and cells(lines[-1]) + 1 + cells(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


_ROLES = {
    "check": "warning",
    "error": "error",
    "if": "warning",
    "note": "faint",
    "through": "kind",
    "enter": "value",
}


def _add_steps(sheet: Sheet, steps: list[schema.CallStep]) -> None:
    if not steps:
        return
    sheet.heading("Steps", "in CPython's order")
    pen = sheet.pen
    number = len(str(len(steps)))
    for at, step in enumerate(steps, 1):
        value = step["value"]
        told: Line = [] if value is None else [("  ", "plain"), (value["text"], "value")]
        lines = _wrapped(pen, step["text"], pen.width - number - 4)
        sheet.add(
            (f"  {at:>{number}}  ", "faint"), (lines[0], _ROLES.get(step["kind"], "plain")), *told
        )
        for line in lines[1:]:
            sheet.add((" " * (number + 4), "plain"), (line, _ROLES.get(step["kind"], "plain")))


def _add_slots(sheet: Sheet, stage: schema.CallStage) -> None:
    """Parameters by slot, and what they hold."""
    if not stage["slots"]:
        return
    failed = stage["raises"] is not None
    note = "when the error was raised" if failed else "before the first instruction"
    sheet.heading(f"Slots of {stage['function']['qualname']}", note)
    rows: list[tuple[Piece, ...]] = []
    for slot in stage["slots"]:
        value = slot["value"]
        rows.append(
            (
                (f"{slot['slot']:>3}", "faint"),
                (slot["name"], "name"),
                (slot["kind"], "kind"),
                ("nothing", "warning") if value is None else (value["text"], "value"),
                (slot["origin"] or "", "faint"),
            )
        )
    sheet.extend(columns(sheet.pen, rows, measure(sheet.pen, rows, sheet.pen.width - 2)))
