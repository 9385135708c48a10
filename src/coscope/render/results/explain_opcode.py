"""Opcodes in plain words, as a document and as pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from coscope.opcodes import VERSIONS
from coscope.opcodes.sentences import Explanation
from coscope.opcodes.slots import Slot
from coscope.render.document.report import header
from coscope.render.pages.sheet import Line, Piece, Sheet
from coscope.render.text.measured import Pen

if TYPE_CHECKING:
    from coscope.render.schemas import explain_opcode as schema

_PROSE = 88  # cells: longer lines of prose are hard to read


def document(
    found: Explanation | Iterable[Explanation], target: str | None = None
) -> schema.OpcodeDocument:
    """The document of docs/schema.md, "explain-opcode"."""
    each = [found] if isinstance(found, Explanation) else list(found)
    return {
        **header(),
        "command": "explain-opcode",
        "target": each[0].name if target is None else target,
        "opcodes": list(map(_explained, each)),
        "error": None,
    }


def sheet(found: schema.OpcodeDocument, pen: Pen) -> Sheet:
    """The page of one opcode, or the list of many."""
    return _page(found["opcodes"][0], pen) if found["target"] else _list(found, pen)


def _explained(found: Explanation) -> schema.OpcodeExplained:
    return {
        "name": found.name,
        "versions": list(found.versions),
        "meanings": [
            {
                "versions": list(each.versions),
                "sentence": each.sentence,
                "takes": list(map(_slot, each.takes)),
                "leaves": list(map(_slot, each.leaves)),
                "leaves_on_jump": None
                if each.leaves_on_jump is None
                else list(map(_slot, each.leaves_on_jump)),
                "argument": each.argument,
                "base": each.base,
                "form": each.form,
            }
            for each in found.meanings
        ],
        "forms": [
            {
                "name": each.name,
                "form": each.form,
                "versions": list(each.versions),
                "sentence": each.sentence,
            }
            for each in found.forms
        ],
    }


def _slot(slot: Slot) -> schema.StackSlot:
    return {"name": slot.name, "count": slot.count, "condition": slot.condition}


def _page(found: schema.OpcodeExplained, pen: Pen) -> Sheet:
    page = Sheet(pen)
    newest = found["meanings"][-1]
    of = f"a form of {newest['base']}, " if newest["base"] else ""
    page.extend(_named(pen, (found["name"], "title"), f"{of}{_since(found['versions'])}"))
    for meaning in reversed(found["meanings"]):
        if len(found["meanings"]) > 1:
            page.heading(f"CPython {_span(meaning['versions'])}")
        else:
            page.blank()
        page.extend(_prose(pen, meaning["sentence"], ""))
        page.extend(_effect(meaning, pen))
    for form in ("specialized", "instrumented"):
        page.extend(_forms(found, form, page))
    return page


def _effect(meaning: schema.OpcodeMeaning, pen: Pen) -> Iterator[Line]:
    """What it takes, leaves and means by its argument."""
    rows = [("takes", _slots(meaning["takes"])), ("leaves", _slots(meaning["leaves"]))]
    if meaning["leaves_on_jump"] is not None:
        rows.append(("  when it jumps", _slots(meaning["leaves_on_jump"])))
    rows.append(("argument", meaning["argument"]))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        for at, line in enumerate(wrap(text, pen.width - width - 4)):
            yield [(f"  {'' if at else name:{width}}  ", "faint"), (line, "value")]


def _forms(found: schema.OpcodeExplained, form: str, page: Sheet) -> Iterator[Line]:
    rows = [each for each in found["forms"] if each["form"] == form]
    if rows:
        page.heading("Specialised forms" if form == "specialized" else "When it is monitored")
    for each in rows:
        yield from _named(page.pen, (f"  {each['name']}", "name"), _span(each["versions"]))
        yield from _prose(page.pen, each["sentence"], "    ")


def _named(pen: Pen, name: Piece, note: str) -> Iterator[Line]:
    """A name and a note beside it, or below it where there is no room."""
    if len(name[0]) + len(note) + 2 <= pen.width:
        yield [name, (f"  {note}", "faint")]
        return
    yield [name]
    for line in wrap(note, pen.width - 4):
        yield [(f"    {line}", "faint")]


def _prose(pen: Pen, text: str, indent: str) -> Iterator[Line]:
    for line in wrap(text, min(pen.width, _PROSE) - len(indent), break_on_hyphens=False):
        yield [(indent + line, "plain")]


def _list(found: schema.OpcodeDocument, pen: Pen) -> Sheet:
    """What is no form of another opcode; the forms are on the page of their base."""
    page = Sheet(pen)
    shown = [each for each in found["opcodes"] if each["meanings"][-1]["base"] is None]
    width = max(len(each["name"]) for each in shown)
    for each in shown:
        page.add(
            (f"{each['name']:{width}}  ", "name"),
            (f"{_span(each['versions']):14}", "faint"),
            (each["meanings"][-1]["sentence"], "plain"),
        )
    page.blank()
    page.add(("coscope explain-opcode NAME", "value"), (" explains one of them", "faint"))
    return page


def _slots(slots: Sequence[schema.StackSlot]) -> str:
    """Slots from the deepest to the top.

    >>> _slots([{"name": "args", "count": "oparg", "condition": None}])
    'args * oparg'
    """
    texts = []
    for slot in slots:
        count = "" if slot["count"] == "1" else f" * {slot['count']}"
        condition = f" if {slot['condition']}" if slot["condition"] else ""
        texts.append(f"{slot['name']}{count}{condition}")
    return f"{', '.join(texts)}  (top on the right)" if len(texts) > 1 else "".join(texts) or "-"


def _span(versions: Sequence[str]) -> str:
    """The versions from the first to the last; no opcode that was dropped has come back."""
    return versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"


def _since(versions: Sequence[str]) -> str:
    since = f"{versions[0]} or earlier" if versions[0] == VERSIONS[0] else versions[0]
    until = "" if versions[-1] == VERSIONS[-1] else f", until {versions[-1]}"
    return f"since CPython {since}{until}"
