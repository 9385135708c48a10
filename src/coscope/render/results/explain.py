"""An explanation as document and page: frames, outermost first, then the failure in words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from coscope.explanations.model import Diagnosis, Operand, Origin, Related, SourceLine, Stop
from coscope.render.document.report import header
from coscope.render.document.shared import value_entry
from coscope.render.pages.sheet import Piece, Sheet
from coscope.render.pages.wording import wrapped
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import explain as schema


def document(result: Diagnosis) -> schema.ExplainDocument:
    """The document of docs/schema.md, "explain"."""
    return document_of_all([result])


def document_of_all(results: list[Diagnosis]) -> schema.ExplainDocument:
    """The document of several exceptions."""
    return {
        **header(),
        "command": "explain",
        "exceptions": [_exception(result) for result in results],
        "error": None,
    }


def _exception(result: Diagnosis) -> schema.ExplainException:
    return {
        "type": clean(result.type_name),
        "message": clean(result.message),
        "words": [clean(each) for each in result.words],
        "frames": [_stop(stop) for stop in result.stops],
        "added": [clean(each) for each in result.added],
        "related": [_related(related) for related in result.related],
        "notes": [clean(each) for each in result.notes],
    }


def _related(related: Related) -> schema.ExplainRelated:
    return {"relation": related.relation, "exception": _exception(related.explanation)}


def _stop(stop: Stop) -> schema.ExplainStop:
    return {
        "file": clean(stop.file),
        "line": stop.line,
        "function": clean(stop.function),
        "kind": stop.kind,
        "library": stop.library,
        "opname": stop.opname,
        "argrepr": clean(stop.argrepr),
        "offset": stop.offset,
        "span": None if stop.span is None else list(stop.span),
        "expression": stop.expression and clean(stop.expression),
        "lines": [_line(line) for line in stop.lines],
        "stack": [clean(each) for each in stop.stack],
        "operands": [_operand(each) for each in stop.operands],
        "notes": [clean(each) for each in stop.notes],
        "repeated": stop.repeated,
    }


def _line(line: SourceLine) -> schema.ExplainLine:
    return {
        "number": line.number,
        "text": clean(line.text),
        "start": line.start,
        "stop": line.stop,
    }


def _operand(operand: Operand) -> schema.ExplainOperand:
    return {
        "text": clean(operand.text),
        "role": operand.role,
        "value": value_entry(operand.value),
        "when": operand.when,
        "origins": [_origin(each) for each in operand.origins],
    }


def _origin(origin: Origin) -> schema.ExplainOrigin:
    return {
        "how": origin.how,
        "line": origin.line,
        "text": origin.text and clean(origin.text),
        "recorded": origin.recorded,
    }


# The page


def sheet(found: schema.ExplainDocument, pen: Pen) -> Sheet:
    """The page."""
    page = Sheet(pen)
    for number, exception in enumerate(found["exceptions"]):
        if number:
            page.blank()
        _add_exception(page, exception)
    return page


_BETWEEN = {
    "cause": "It is the direct cause of the following exception:",
    "context": "While it was handled, another exception was raised:",
}


def _add_exception(page: Sheet, found: schema.ExplainException) -> None:
    for related in found["related"]:
        if related["relation"] in _BETWEEN:
            _add_exception(page, related["exception"])
            page.blank()
            page.add((_BETWEEN[related["relation"]], "faint"))
            page.blank()
    for frame in found["frames"]:
        _add_frame(page, frame)
    page.blank()
    message = found["message"]
    first, *rest = message.split("\n") if message else [""]
    page.add((found["type"], "error"), (f": {first}" if first else "", "plain"))
    for line in rest[:20]:
        page.add((line, "plain"))
    for note in found["added"]:
        for line in note.split("\n"):
            page.add((line, "plain"))
    for sentence in found["words"]:
        page.extend(wrapped(page.pen, sentence, "  ", "plain"))
    for note in found["notes"]:
        page.extend(wrapped(page.pen, f"Note: {note}.", "  ", "warning"))
    _add_members(page, found["related"])


def _add_members(page: Sheet, related: list[schema.ExplainRelated]) -> None:
    members = [each["exception"] for each in related if each["relation"] == "member"]
    for number, member in enumerate(members, 1):
        inner = Sheet(Pen(page.pen.width - 2, page.pen.ascii))
        _add_exception(inner, member)
        page.blank()
        page.add((f"member {number} of {len(members)}", "heading"))
        bar = "| " if page.pen.ascii else "│ "
        for line in inner.clipped():
            page.add((bar, "frame"), *line)


def _add_frame(page: Sheet, frame: schema.ExplainStop) -> None:
    detailed = frame["opname"] is not None or bool(frame["lines"])
    if detailed:
        page.blank()
    place = f"{_short(frame['file'])}:{frame['line'] if frame['line'] is not None else '?'}"
    pieces: list[Piece] = [
        (place, "name" if detailed else "faint"),
        (f" in {frame['function']}", "title" if detailed else "faint"),
    ]
    if frame["repeated"]:
        pieces.append((f"  and {frame['repeated']:,} more calls like it", "warning"))
    if frame["opname"] is not None:
        _add_right(page, pieces, f"{frame['opname']} {frame['argrepr']}".strip())
    page.add(*pieces)
    if not detailed:
        return
    _add_source(page, frame)
    if not frame["lines"] and frame["expression"]:
        page.add(("      ", "plain"), (frame["expression"], "mark"))
    stack = [_one_line(each) for each in frame["stack"] if each != "NULL" and each[:1] != "~"]
    if len(stack) > 1 and frame["operands"]:
        shown = page.pen.separator.join(stack)
        page.add(("  stack  ", "faint"), (shown, "stack"))
    for operand in frame["operands"]:
        _add_operand(page, operand)
    for note in frame["notes"]:
        page.extend(wrapped(page.pen, note, "  ", "warning"))


def _short(file: str) -> str:
    """A path from the current folder, where that is shorter."""
    if not os.path.isabs(file):
        return file
    try:
        relative = os.path.relpath(file)
    except (ValueError, OSError):
        return file
    return file if relative.startswith("..") else relative


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _add_right(page: Sheet, pieces: list[Piece], text: str) -> None:
    """Put a short text at the right edge of the line, if it fits."""
    used = sum(cells(page.pen.clean(each)) for each, _ in pieces)
    room = page.pen.width - used - cells(text)
    if room >= 2:
        pieces += [(" " * room, "plain"), (text, "faint")]


def _add_source(page: Sheet, frame: schema.ExplainStop) -> None:
    bar = " | " if page.pen.ascii else " │ "
    width = max((len(str(line["number"])) for line in frame["lines"]), default=0)
    under = "^" if page.pen.ascii else "━"
    for line in frame["lines"]:
        number = str(line["number"]).rjust(width + 2)
        text = line["text"].expandtabs(4)
        page.add((number, "line number"), (bar, "frame"), (text, "source"))
        start, stop = line["start"], line["stop"]
        if start is None or stop is None:
            continue
        before = cells(page.pen.clean(line["text"][:start].expandtabs(4)))
        covered = max(1, cells(page.pen.clean(line["text"][start:stop])))
        page.add(
            (" " * (width + 2), "plain"),
            (bar, "frame"),
            (" " * before, "plain"),
            (under * covered, "error"),
        )


def _add_operand(page: Sheet, operand: schema.ExplainOperand) -> None:
    pen = page.pen
    text = pen.fit(_one_line(operand["text"]), 40)
    pieces: list[Piece] = [("  ", "plain"), (text, "name"), (" = ", "plain")]
    if operand["value"] is None:
        pieces.append(("not known", "faint"))
    else:
        pieces.append((operand["value"]["text"], "value"))
        if operand["when"] == "now":
            pieces.append((" (now)", "faint"))
    words = "; ".join(_words(each) for each in operand["origins"])
    if words:
        pieces.append((f"   {words}", "faint"))
    page.add(*pieces)


_HOW = {
    "argument": "an argument",
    "enclosing": "of an enclosing function",
    "unassigned": "not assigned",
    "loop": "an item of ",
    "unpacked": "unpacked from ",
    "with": "given by ",
}


def _words(origin: schema.ExplainOrigin) -> str:
    how = _HOW.get(origin["how"], "")
    if origin["how"] in ("argument", "enclosing", "unassigned"):
        return how
    text = origin["text"] or ""
    mark = "ran last: " if origin["recorded"] else ""
    if origin["how"] in ("loop", "unpacked", "with"):
        return f"{mark}line {origin['line']}: {how}{text or 'a value'}"
    if not text:
        return f"{mark}line {origin['line']}"
    return f"{mark}line {origin['line']}: {text}"
