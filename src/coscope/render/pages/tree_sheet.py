"""The tree of code objects, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.render.pages.sheet import Line, Sheet
from coscope.render.text.measured import cells

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


_NOTED = {"GENERATOR", "COROUTINE", "ASYNC_GENERATOR", "ITERABLE_COROUTINE"}


def add_tree(
    sheet: Sheet, codes: list[schema.Code], top: int | None = 0, root: bool = True
) -> None:
    """Add one line for each code object under `top`, with `top` itself if `root`.

    Without `top` there are several trees, one for each function of a class.
    """
    children: dict[int | None, list[schema.Code]] = {}
    for code in codes:
        children.setdefault(code["parent"], []).append(code)
    rows: list[tuple[str, schema.Code]] = []
    if root and top is not None:
        rows.append(("", codes[top]))
    pending = _below(children, top, "")
    while pending:
        lead, stem, code = pending.pop()
        rows.append((lead, code))
        pending.extend(_below(children, code["index"], stem))
    sheet.extend(_lines(sheet, rows))


def _below(
    children: dict[int | None, list[schema.Code]], index: int | None, stem: str
) -> list[tuple[str, str, schema.Code]]:
    """The children of one code object, last first: (what leads the line, the stem below, code)."""
    found = children.get(index, [])
    rows = []
    for at, code in enumerate(found):
        last = at == len(found) - 1
        rows.append((stem + ("└ " if last else "├ "), stem + ("  " if last else "│ "), code))
    return rows[::-1]


def _lines(sheet: Sheet, rows: list[tuple[str, schema.Code]]) -> list[Line]:
    pen = sheet.pen
    names = [_name(code) for _, code in rows]
    widest = max(
        (cells(lead) + cells(pen.clean(n)) for (lead, _), n in zip(rows, names, strict=True)),
        default=0,
    )
    name_width = min(widest, pen.width * 9 // 20)
    kind_width = max((len(code["kind"]) for _, code in rows), default=0)
    range_width = max((len(_range(code)) for _, code in rows), default=0)
    count_width = max((len(str(code["instruction_count"])) for _, code in rows), default=0)
    lines = []
    for (lead, code), name in zip(rows, names, strict=True):
        lines.append(
            [
                ("  " + lead, "frame"),
                (pen.pad(name, max(8, name_width - cells(lead))) + "  ", "name"),
                (f"{code['kind']:<{kind_width}}  ", "kind"),
                (f"{_range(code):>{range_width}}  ", "line number"),
                (f"{code['instruction_count']:>{count_width}} instrs", "plain"),
                (_notes(code), "faint"),
            ]
        )
    return lines


def _name(code: schema.Code) -> str:
    """The last part of the qualified name; the tree shows the rest."""
    return str(code["name"])


def _range(code: schema.Code) -> str:
    first, last = code["first_line"], code["last_line"]
    return str(first) if first == last else f"{first}-{last}"


def _notes(code: schema.Code) -> str:
    """What is of note beside the kind: free variables, and flags that the kind hides."""
    notes = []
    flags = set(code["flags"]["names"]) & _NOTED
    words = {flag.lower().replace("_", " ") for flag in flags}
    words -= {word for word in words if word in code["kind"]}
    if code["kind"].endswith("generator expression"):
        words.clear()
    notes += sorted(words)
    target = code.get("target")
    if target is not None:
        notes.append(target)
    if code["freevars"]:
        notes.append(f"free: {', '.join(code['freevars'])}")
    return "  " + "; ".join(notes) if notes else ""
