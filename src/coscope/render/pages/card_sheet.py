"""The card of one code object, laid out as a sheet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of, name_groups
from coscope.render.pages.cells_sheet import add_cells
from coscope.render.pages.listing import add_listing
from coscope.render.pages.sheet import Line, Piece, Sheet, columns, measure
from coscope.render.pages.tree_sheet import add_tree
from coscope.render.pages.warm_listing import add_warm_listing, ran
from coscope.render.text.measured import Pen, cells

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


_MOST_ROWS = 24  # of one section; the document has them all


def add_card(sheet: Sheet, document: schema.Document, entry: schema.Code) -> None:
    """Add everything that the document says of one code object with detail."""
    detail = detail_of(entry)
    add_header(sheet, document, entry)
    for warning in detail["warnings"]:
        sheet.add(("  warning: ", "warning"), (warning, "plain"))
    add_locals(sheet, detail["locals"])
    add_cells(sheet, entry)
    add_names(sheet, detail["names"])
    add_constants(sheet, detail["constants"])
    add_code(sheet, document, entry)
    add_regions(sheet, detail["regions"])
    add_inlined(sheet, detail["inlined"])
    add_nested(sheet, document, entry)
    add_fields(sheet, detail["fields"])


def add_code(
    sheet: Sheet, document: schema.Document, entry: schema.Code, title: str = "Bytecode"
) -> None:
    """Add the listing under its heading."""
    source = _source_of(document, entry)
    note = "" if source and source["lines"] else "no source text at hand"
    if not detail_of(entry)["marked"]:
        note = note or "lines are recorded, columns are not"
    if detail_of(entry).get("warm") is not None:
        add_warm_listing(sheet, entry, source and source["lines"], title)
        return
    sheet.heading(title, note or "source, what each instruction covers, stack before it")
    add_listing(sheet, entry, source and source["lines"])


def _source_of(document: schema.Document, entry: schema.Code) -> schema.Source | None:
    """The document's source, unless the code object is from another file.

    A function of a class may come from another file than the others.
    """
    source = document["source"]
    if document.get("class_shown") is not None and source and entry["file"] != source["file"]:
        return None
    return source


def add_header(sheet: Sheet, document: schema.Document, entry: schema.Code) -> None:
    """Add the box that says who this is."""
    pen = sheet.pen
    stack = detail_of(entry)["stack"]
    facts = [
        _count(entry["bytes"], "byte"),
        _count(entry["instruction_count"], "instruction"),
        _count(len(detail_of(entry)["blocks"]), "block"),
        f"stack {stack['needed']} needed of {stack['declared']} declared",
    ]
    flags = entry["flags"]
    dot = " · "
    rows: list[tuple[Line, Piece]] = [
        ([(where(entry), "plain")], (version(entry), "plain")),
        ([(dot.join(facts), "plain")], ("", "plain")),
        ([(" ".join(flags["names"]) or "no flags", "faint")], (f"{flags['value']:#x}", "faint")),
    ]
    steps = document["via"] if entry["index"] == 0 else []
    run, warm = document.get("warm"), detail_of(entry).get("warm")
    if run is not None and warm is not None:
        rows.append(([(ran(run, warm), "plain")], ("", "plain")))
    if steps:
        rows.append(([("through ", "faint"), (", ".join(steps), "plain")], ("", "plain")))
    name = entry["qualname"]
    if entry["index"] == 0 and document["module"]:
        name = f"{document['module']}.{name}"
    box(sheet, (name, "title"), (entry["kind"], "kind"), rows)
    if entry["index"] == 0:
        for warning in document["warnings"]:
            sheet.add(("  warning: ", "warning"), (pen.fit(warning, pen.width - 11), "plain"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def where(entry: schema.Code) -> str:
    """File and lines of a code object."""
    first, last = entry["first_line"], entry["last_line"]
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    return f"{entry['file']}, {lines}"


def version(entry: schema.Code) -> str:
    """The CPython that compiled it, to the micro version where that is known."""
    return f"CPython {entry['release'] or entry['version'] + '.x'}"


def _path_in(text: str) -> str:
    """The path in what `where` gives."""
    return text.rpartition(", line")[0]


def box(sheet: Sheet, title: Piece, kind: Piece, rows: Iterable[tuple[Line, Piece]]) -> None:
    """Draw a box over the whole width: a title left, a word right, rows of the same form."""
    pen = sheet.pen
    word = pen.clean(kind[0])
    name = pen.fit(title[0], pen.width - cells(word) - 10, keep="end")
    rule = "─" * (pen.width - cells(name) - cells(word) - 8)
    sheet.add(
        ("╭─ ", "frame"),
        (name, title[1]),
        (f" {rule} ", "frame"),
        (word, kind[1]),
        (" ─╮", "frame"),
    )
    for left, right in rows:
        end = pen.clean(right[0])
        room = pen.width - 4 - (cells(end) + 2 if end else 0)
        used: Line = []
        for at, (text, role) in enumerate(left):
            keep = "end" if at == 0 and role == "plain" and "/" in text else "start"
            shown = pen.fit(text, room, keep)
            if keep == "end" and shown != text:
                sheet.cut_paths[_path_in(shown)] = _path_in(text)
            used.append((shown, role))
            room -= cells(shown)
        gap = " " * (room + (2 if end else 0))
        sheet.add(("│ ", "frame"), *used, (gap, "plain"), (end, right[1]), (" │", "frame"))
    sheet.add(("╰" + "─" * (pen.width - 2) + "╯", "frame"))


def add_locals(sheet: Sheet, found: list[schema.Local]) -> None:
    """Add the table of fast locals by slot."""
    if not found:
        return
    sheet.heading("Fast locals", "by slot")
    rows: list[tuple[Piece, ...]] = []
    for entry in found[:_MOST_ROWS]:
        default = entry["default"]
        shown: Piece = ("", "plain")
        if default is not None:
            shown = (f"= {default['text']}", "value")
        elif entry["cell"] and entry["kind"] != "cell":
            shown = ("captured by nested code", "faint")
        rows.append(
            (
                (f"{entry['slot']:>3}", "faint"),
                (entry["name"], "name"),
                (entry["kind"], "kind"),
                shown,
            )
        )
    _add_rows(sheet, rows, len(found))


def _add_rows(sheet: Sheet, rows: list[tuple[Piece, ...]], total: int) -> None:
    """Add a table, and say how many rows are left out."""
    sheet.extend(columns(sheet.pen, rows, measure(sheet.pen, rows, sheet.pen.width - 2)))
    if total > len(rows):
        sheet.add((f"  … {total - len(rows)} more; --json has them all", "faint"))


def add_names(sheet: Sheet, names: schema.DetailNames) -> None:
    """Add the names, grouped by what the opcodes do with them."""
    groups = [(group, found) for group, found in name_groups(names) if found]
    if not groups:
        return
    sheet.heading("Names", "by the opcode that uses them")
    label = max(len(group) for group, _ in groups)
    for group, found in groups:
        words = [_name(entry) for entry in found]
        for at, line in enumerate(_filled(sheet.pen, words, sheet.pen.width - label - 4)):
            sheet.add((f"  {group if at == 0 else '':<{label}}  ", "kind"), *line)


def _name(entry: schema.Name) -> Piece:
    """A name; what is done with it is said where it is more than reading."""
    verbs = [verb for verb in entry["access"] if verb != "read"]
    return entry["name"] + (f" ({', '.join(verbs)})" if verbs else ""), "name"


def _filled(pen: Pen, words: list[Piece], room: int, most: int = 6) -> list[Line]:
    """Words after words, in lines of at most `room` cells, `most` lines."""
    lines: list[Line] = [[]]
    used = 0
    for at, (text, role) in enumerate(words):
        shown = pen.fit(text, room)
        size = cells(shown) + (2 if used else 0)
        if used + size > room:
            if len(lines) == most:
                lines[-1].append((f"  … {len(words) - at} more", "faint"))
                break
            lines.append([])
            used, size = 0, cells(shown)
        lines[-1].append(("  " if used else "", "plain"))
        lines[-1].append((shown, role))
        used += size
    return lines


def add_constants(sheet: Sheet, constants: list[schema.ConstantUse]) -> None:
    """Add `co_consts` by index."""
    if not constants:
        return
    sheet.heading("Constants", "by index")
    rows: list[tuple[Piece, ...]] = [
        ((f"{c['index']:>3}", "faint"), (c["type"], "type"), (c["text"], "value"))
        for c in constants[:_MOST_ROWS]
    ]
    _add_rows(sheet, rows, len(constants))


def add_regions(sheet: Sheet, regions: list[schema.Region]) -> None:
    """Add the protected ranges and their handlers."""
    if not regions:
        return
    sheet.heading("Exception regions", "an exception raised inside goes to the handler")
    rows: list[tuple[Piece, ...]] = []
    for region in regions[:_MOST_ROWS]:
        first, last = region["first_block"], region["last_block"]
        inside = first or "" if first == last else f"{first}..{last}"
        keeps = f"keeps {_count(region['depth'], 'stack slot')}"
        rows.append(
            (
                (inside, "block"),
                (f"{region['start']} to {region['stop']}", "offset"),
                (f"→ handler {region['handler']}", "jump"),
                (keeps + (", pushes lasti" if region["lasti"] else ""), "faint"),
            )
        )
    _add_rows(sheet, rows, len(regions))


def add_inlined(sheet: Sheet, inlined: list[schema.DetailInlined]) -> None:
    """Say which comprehensions have no code object of their own."""
    if not inlined:
        return
    sheet.heading("Inlined comprehensions", "no code object of their own (PEP 709)")
    rows: list[tuple[Piece, ...]] = [
        (
            (f"line {i['line']}" if i["line"] else "", "line number"),
            (i["kind"], "kind"),
            (" ".join((i["source"] or "").split()), "mark"),
            (f"its own {', '.join(i['names'])}", "faint"),
        )
        for i in inlined[:_MOST_ROWS]
    ]
    _add_rows(sheet, rows, len(inlined))


def add_nested(sheet: Sheet, document: schema.Document, entry: schema.Code) -> None:
    """Add the tree of code objects inside this one, unless they have cards of their own."""
    codes = document["codes"]
    if sum(code["detail"] is not None for code in codes) == 1 and any(
        code["parent"] == entry["index"] for code in codes
    ):
        sheet.heading("Nested code")
        add_tree(sheet, codes, entry["index"], root=False)


def add_fields(sheet: Sheet, fields: list[schema.DetailField] | None) -> None:
    """Add the raw fields, one a line."""
    if fields is None:
        return
    for group in ("code object", "function"):
        rows: list[tuple[Piece, ...]] = [
            ((f["name"], "name"), (f["text"], "value")) for f in fields if f["of"] == group
        ]
        if rows:
            sheet.heading(f"Fields of the {group}")
            name = max(cells(row[0][0]) for row in rows)
            sheet.extend(columns(sheet.pen, rows, [name, sheet.pen.width - name - 4]))
