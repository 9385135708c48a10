"""What travels with a function, as a document and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from coscope.facts.shipping.captures import AttributeSize, Capture, Captured, Verdict
from coscope.facts.shipping.cargo import Step, path_text
from coscope.facts.shipping.culprits import Culprit
from coscope.render.document.report import header
from coscope.render.document.shared import value_entry
from coscope.render.pages.sheet import Line, Piece, Sheet, columns, measure
from coscope.render.pages.wording import bytes_text, size_entry, wrapped
from coscope.render.text.measured import Pen, cells
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import capture as schema

MOST_ATTRIBUTES = 8  # of an object, on the page


def document(result: Capture) -> schema.CaptureDocument:
    """The document of docs/schema.md, "capture"."""
    return {
        **header(),
        "command": "capture",
        "target": clean(result.name),
        "module": result.module and clean(result.module),
        "value": value_entry(result.value),
        "by_name": result.by_name,
        "pickled": result.pickled,
        "verdicts": [_verdict(verdict) for verdict in result.verdicts],
        "culprits": [_culprit(each) for each in result.culprits],
        "attributes": [_attribute(each) for each in result.attributes],
        "travelling_bytes": result.travelling,
        "listed_bytes": result.listed,
        "items": [_item(item) for item in result.items],
        "limits": {
            "seconds": result.budget,
            "objects": result.most_objects,
            "complete": result.complete,
        },
        "notes": [clean(note) for note in result.notes],
        "error": None,
    }


def _path(path: tuple[Step, ...]) -> schema.CapturePath:
    return {
        "path": [{"kind": step.kind, "name": clean(step.name)} for step in path],
        "chain": clean(path_text(path)),
    }


def _verdict(verdict: Verdict) -> schema.CaptureVerdict:
    return {
        "tool": verdict.tool,
        "takes": verdict.takes,
        "tried": verdict.tried,
        **_path(verdict.path),
        "culprit": value_entry(verdict.culprit),
        "reason": verdict.reason and clean(verdict.reason),
        "bytes": verdict.bytes,
    }


def _item(item: Captured) -> schema.CaptureItem:
    return {
        "kind": item.kind,
        "name": clean(item.name),
        **_path(item.path),
        "value": value_entry(item.value),
        "by_name": item.by_name,
        "travels": item.travels,
        "size": size_entry(item.size),
        "verdicts": [_verdict(verdict) for verdict in item.verdicts],
        "attributes": [_attribute(each) for each in item.attributes],
    }


def _culprit(culprit: Culprit) -> schema.CaptureCulprit:
    return {
        **_path(culprit.path),
        "value": value_entry(culprit.value),
        "tools": list(culprit.tools),
        "reason": clean(culprit.reason),
        "advice": culprit.advice,
    }


def _attribute(attribute: AttributeSize) -> schema.CaptureAttribute:
    return {
        "name": clean(attribute.name),
        "type": clean(attribute.type_name),
        "size": size_entry(attribute.size),
    }


def sheet(found: schema.CaptureDocument, pen: Pen) -> Sheet:
    """The page."""
    page = Sheet(pen)
    page.add(*_title(found))
    for verdict in found["verdicts"]:
        page.extend(_told(pen, verdict))
    for note in found["notes"]:
        page.extend(wrapped(pen, note, "  ", "warning"))
    if found["items"]:
        page.heading("Captured", _about(found))
        _add_items(page, found["items"], not found["by_name"])
    else:
        page.blank()
        page.add(("It captures nothing.", "plain"))
    if found["attributes"]:
        page.heading("Attributes", "size: deep, what two of them share counted for both")
        rows = [row[:3] for row in _attribute_rows(found["attributes"])]
        page.extend(columns(pen, rows, measure(pen, rows, pen.width - 2)))
    _add_culprits(page, found)
    _add_limits(page, found)
    return page


def _title(found: schema.CaptureDocument) -> Iterator[Piece]:
    module = f"{found['module']}." if found["module"] else ""
    yield f"{module}{found['target']}", "title"
    if found["by_name"]:
        yield "  travels as a name", "faint"
    else:
        yield f"  {bytes_text(found['travelling_bytes'])} travel with it", "faint"


_ANSWERS = {True: "takes it", False: "refuses it", None: "cannot be known"}
_ROLES = {True: "value", False: "error", None: "warning"}


def _told(pen: Pen, verdict: schema.CaptureVerdict) -> Iterator[Line]:
    """What one tool does with the target, and where it stumbles."""
    takes = verdict["takes"]
    likely = "likely " if takes is not None and not verdict["tried"] else ""
    line: Line = [
        (f"  {verdict['tool']:<13}", "name"),
        (likely + _ANSWERS[takes], _ROLES[takes]),
    ]
    if verdict["bytes"] is not None:
        line.append((f"  {bytes_text(verdict['bytes'])} written", "faint"))
    yield line
    if verdict["path"]:
        kind = "" if verdict["culprit"] is None else f": {verdict['culprit']['type']}"
        yield [(" " * 15, "plain"), (_chain(pen, verdict, pen.width - 15 - len(kind)), "plain")] + (
            [(kind, "type")] if kind else []
        )
    if verdict["reason"]:
        yield from wrapped(pen, verdict["reason"], " " * 15, "faint")


def _chain(pen: Pen, entry: schema.CapturePath, room: int, *, skip: str = "") -> str:
    text = str(entry["chain"]).removeprefix(skip)
    return pen.fit(text.replace("->", pen.arrow), room, "both")


def _about(found: schema.CaptureDocument) -> str:
    words = "size: deep, shared parts once"
    return words if found["pickled"] else f"{words}; verdicts inferred from types, --pickle tries"


def _add_items(page: Sheet, items: list[schema.CaptureItem], travelling: bool) -> None:
    pen = page.pen
    rows: list[tuple[Piece, ...]] = [
        tuple((word, "faint") for word in ("what", "value", "size", "pickle", "cloudpickle", ""))
    ]
    for item in items:
        skip = f"{item['path'][0]['name']} -> "
        what = str(item["chain"]).removeprefix(skip).replace("->", pen.arrow)
        words = [(_word(verdict), _ROLES[verdict["takes"]]) for verdict in item["verdicts"]]
        left = "" if item["travels"] or not travelling else "does not travel"
        rows.append(
            (
                (what, "name"),
                (pen.fit(item["value"]["text"], 26), "value"),
                _size(item),
                *words,
                (left, "faint"),
            )
        )
        rows += _attribute_rows(item["attributes"])
    if not any(row[-1][0] for row in rows):
        rows = [row[:-1] for row in rows]
    page.extend(columns(pen, rows, measure(pen, rows, pen.width - 2, least=11)))


def _attribute_rows(attributes: list[schema.CaptureAttribute]) -> Iterator[tuple[Piece, ...]]:
    """The largest attributes of an object, under its own row."""
    for each in attributes[:MOST_ATTRIBUTES]:
        size = each["size"]
        text = ("" if size["complete"] else "> ") + bytes_text(size["bytes"])
        first = (f"  .{each['name']}", "name"), (each["type"], "type"), (text, "plain")
        yield *first, *[("", "faint")] * 3
    left = len(attributes) - MOST_ATTRIBUTES
    if left > 0:
        yield (f"  and {left} smaller", "faint"), *[("", "faint")] * 5


def _word(verdict: schema.CaptureVerdict) -> str:
    return {True: "yes", False: "no", None: "unknown"}[verdict["takes"]]


def _size(item: schema.CaptureItem) -> Piece:
    if item["by_name"]:
        return "a name", "faint"
    size = item["size"]
    text = bytes_text(size["bytes"]) if size["complete"] else f"> {bytes_text(size['bytes'])}"
    if size["shared"]:
        all_of_it = size["shared"] == size["bytes"]
        text += " (shared)" if all_of_it else f" ({bytes_text(size['shared'])} shared)"
    return text, "plain"


def _add_culprits(page: Sheet, found: schema.CaptureDocument) -> None:
    """Everything that a tool refuses, the way to it, and what to do about it."""
    culprits = found["culprits"]
    more = _stumbles(found)
    if not culprits and not more:
        return
    page.heading("In the way", "everything that a tool refuses")
    for each in culprits:
        _add_chain(page, each, each["value"]["type"], each["tools"])
        page.extend(wrapped(page.pen, each["reason"], "    ", "faint"))
        page.extend(wrapped(page.pen, f"{page.pen.arrow} {each['advice']}", "    ", "plain"))
    for verdict, tools in more:
        kind = verdict["culprit"]["type"] if verdict["culprit"] else ""
        _add_chain(page, verdict, kind, tools)
        page.extend(wrapped(page.pen, verdict["reason"] or "", "    ", "faint"))


def _stumbles(found: schema.CaptureDocument) -> list[tuple[schema.CaptureVerdict, list[str]]]:
    """What trying to pickle stumbled over beside the culprits that types tell, by path."""
    known = {each["chain"] for each in found["culprits"]}
    whole = [(verdict, verdict["tool"]) for verdict in found["verdicts"]]
    parts = [(verdict, verdict["tool"]) for item in found["items"] for verdict in item["verdicts"]]
    chains: dict[str, tuple[schema.CaptureVerdict, list[str]]] = {}
    for verdict, tool in [*whole, *parts]:
        if verdict["takes"] is False and verdict["chain"] not in known:
            tools = chains.setdefault(verdict["chain"], (verdict, []))[1]
            if tool not in tools:
                tools.append(tool)
    return list(chains.values())


def _add_chain(page: Sheet, entry: schema.CapturePath, kind: str, tools: list[str]) -> None:
    by = ", ".join(tools)
    kind = f": {kind}" if kind else ""
    room = page.pen.width - 4 - cells(kind) - len(by) - 2
    page.add(
        ("  ", "plain"),
        (_chain(page.pen, entry, room), "plain"),
        (kind, "type"),
        (f"  {by}", "faint"),
    )


def _add_limits(page: Sheet, found: schema.CaptureDocument) -> None:
    limits = found["limits"]
    words = f"{limits['seconds']:g} s, {limits['objects']:,} objects"
    page.blank()
    if limits["complete"]:
        page.add((f"Limits: {words}; none was reached.", "faint"))
    else:
        page.add((f"A limit was reached ({words}): there is more than is shown.", "warning"))
