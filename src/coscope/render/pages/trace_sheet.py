"""The page of a run: a line for each instruction, with what changed before it and the stack."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from coscope.render.pages.sheet import Line, Sheet
from coscope.render.text.measured import Pen, cells

if TYPE_CHECKING:
    from coscope.render.schemas import call as schema


_NAMED = 22  # cells of the locals that changed, at most
_DEEPEST = 8  # levels of indentation


def add_trace(sheet: Sheet, trace: schema.Trace) -> None:
    """Add what was executed, and how it ended."""
    entries = trace["entries"]
    if entries:
        sheet.heading("Trace", "instruction, locals that changed before it, symbolic stack")
        rows = _Rows(sheet.pen, entries)
        for entry in entries:
            sheet.add(*rows.line(entry))
    sheet.heading("Outcome")
    sheet.add(*_outcome(trace))
    if trace["note"]:
        for line in wrap(sheet.pen.clean(trace["note"]), sheet.pen.width - 2):
            sheet.add((f"  {line}", "faint"))


class _Rows:
    """Lays out entries in order, and remembers the locals last shown of each frame."""

    def __init__(self, pen: Pen, entries: list[schema.TraceEntry]) -> None:
        self.pen = pen
        self.shown: dict[int, dict[str, str]] = {}
        instructions = [e for e in entries if e["kind"] == "instruction"]
        self.number = max([4, *(len(str(e["line"] or "")) for e in instructions)])
        self.offset = max([4, *(len(str(e["offset"])) for e in instructions)])
        wide = [cells(pen.clean(_operation(e))) for e in instructions]
        self.operation = min(max([20, *wide]), pen.width * 36 // 100)
        self.locals = min(_NAMED, pen.width // 4)

    def line(self, entry: schema.TraceEntry) -> Line:
        """One entry as a line."""
        indent = "  " * min(entry["depth"], _DEEPEST)
        if entry["kind"] == "instruction":
            return self._instruction(entry, indent)
        number = "" if entry["line"] is None else str(entry["line"])
        before = f"{number:>{self.number}}  {'':>{self.offset}}  {indent}"
        text, role = _told(entry)
        return [(before, "line number"), (text, role)]

    def _instruction(self, entry: schema.TraceEntry, indent: str) -> Line:
        pen = self.pen
        number = "" if entry["line"] is None else str(entry["line"])
        room = max(12, self.operation - len(indent))
        name = pen.fit(entry["opname"], room)
        rest = pen.pad(f" {entry['argrepr']}", max(0, room - cells(name)))
        line: Line = [
            (f"{number:>{self.number}}  ", "line number"),
            (f"{entry['offset']:>{self.offset}}  ", "offset"),
            (indent, "plain"),
            (name, "opcode"),
            (rest if room > cells(name) else "", "operand"),
            ("  ", "plain"),
            (pen.pad(self._changed(entry), self.locals), "value"),
            ("  ", "plain"),
        ]
        left = pen.width - sum(cells(pen.clean(text)) for text, _ in line)
        return [*line, *self._stack(entry["stack"], max(8, left))]

    def _changed(self, entry: schema.TraceEntry) -> str:
        """Locals that are new or other than when the frame was last shown, and those gone."""
        before = self.shown.get(entry["frame"], {})
        now = entry["locals"]
        self.shown[entry["frame"]] = now
        changes = [f"{name}={text}" for name, text in now.items() if before.get(name) != text]
        changes += [f"del {name}" for name in before if name not in now]
        return ", ".join(changes)

    def _stack(self, stack: list[str] | None, room: int) -> Line:
        """The stack, deepest first; what does not fit is cut at its deep end."""
        if not stack:
            return []
        top = self.pen.fit(stack[-1], room, keep="both")
        left = room - cells(top)
        rest = "".join(self.pen.clean(text) + self.pen.separator for text in stack[:-1])
        if rest and left > cells(self.pen.separator):
            return [(self.pen.fit(rest, left, keep="end"), "stack"), (top, "top")]
        return [(top, "top")]


def _operation(entry: schema.TraceEntry) -> str:
    return f"{'  ' * min(entry['depth'], _DEEPEST)}{entry['opname']} {entry['argrepr']}"


def _told(entry: schema.TraceEntry) -> tuple[str, str]:
    """The text of an entry that is not an instruction, and its role."""
    text = entry["text"]
    depth = f", depth {entry['depth']}" if entry["depth"] else ""
    match entry["kind"]:
        case "enter":
            return f"→ {entry['code']}  (frame {entry['frame']}{depth})", "block"
        case "fold":
            count = entry["count"]
            return f"… {count} more {text if count > 1 else text.removesuffix('s')}", "faint"
        case "suspend":
            return f"← suspends with {text}", "jump"
        case "resume":
            return f"→ {entry['code']} goes on  (frame {entry['frame']}{depth})", "block"
        case "throw":
            return f"→ {entry['code']} goes on with {text}", "error"
        case "raise":
            return f"raises {text}", "error"
        case "return":
            return f"← returns {text}", "jump"
    return f"← ends by {text}", "error"


def _outcome(trace: schema.Trace) -> Line:
    count = f"{trace['executed']:,} instruction" + ("" if trace["executed"] == 1 else "s")
    value = trace["value"]
    text = "" if value is None else value["text"]
    match trace["outcome"]:
        case "returned":
            return [
                ("  returned ", "plain"),
                (text, "value"),
                (f"  after {count}", "faint"),
            ]
        case "raised":
            return [("  raised ", "error"), (text, "error"), (f"  after {count}", "faint")]
        case "refused":
            return [("  the call did not bind, and nothing was run", "warning")]
    bound = f"the bound of {trace['steps']:,} steps"
    return [(f"  stopped at {bound}, after {count}; --steps sets it", "warning")]
