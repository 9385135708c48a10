"""Which sheet is laid out for which command: card, listing, graph, tree, error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coscope.render.pages.card_sheet import add_card, add_code, version
from coscope.render.pages.graph_sheet import add_graph
from coscope.render.pages.sheet import Sheet
from coscope.render.pages.tree_sheet import add_tree
from coscope.render.text.measured import Pen

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def card_sheet(document: schema.Document, pen: Pen) -> Sheet:
    """The card of each code object with detail; for a file the tree of its code objects first."""
    sheet = Sheet(pen)
    detailed = [code for code in document["codes"] if code["detail"] is not None]
    if document.get("class_shown") is not None:
        add_class(sheet, document)
    elif len(detailed) != 1:
        add_file(sheet, document)
    for code in detailed:
        sheet.blank()
        add_card(sheet, document, code)
    return sheet


def listing_sheet(document: schema.Document, pen: Pen) -> Sheet:
    """The bytecode alone."""
    sheet = Sheet(pen)
    for code in document["codes"]:
        if code["detail"] is not None:
            add_code(sheet, document, code, title=code["qualname"])
    return sheet


def graph_sheet(document: schema.Document, pen: Pen) -> Sheet:
    """The control-flow graph of each code object with detail."""
    sheet = Sheet(pen)
    for code in document["codes"]:
        if code["detail"] is not None:
            add_graph(sheet, code)
    return sheet


def add_file(sheet: Sheet, document: schema.Document) -> None:
    """Add the tree of a file's code objects."""
    codes = document["codes"]
    top = codes[0]
    count = f"{len(codes)} code object" + ("" if len(codes) == 1 else "s")
    note = f"  {count}, {version(top)}"
    path = document["source"]["file"] if document["source"] else top["file"]
    sheet.add((sheet.pen.fit(path, sheet.pen.width - len(note), "end"), "title"), (note, "faint"))
    for warning in document["warnings"]:
        sheet.add(("  warning: ", "warning"), (warning, "plain"))
    sheet.blank()
    add_tree(sheet, codes)


def add_class(sheet: Sheet, document: schema.Document) -> None:
    """Add the tree of the functions that a class defines, each with what names it."""
    shown, codes = document["class_shown"], document["codes"]
    count = sum(code["parent"] is None for code in codes)
    note = f"  class, {count} Python function" + ("" if count == 1 else "s")
    sheet.add((sheet.pen.fit(shown["name"], sheet.pen.width - len(note)), "title"), (note, "faint"))
    if shown["bases"]:
        sheet.add(("  inherits from ", "faint"), (", ".join(shown["bases"]), "plain"))
    for warning in document["warnings"]:
        sheet.add(("  warning: ", "warning"), (warning, "plain"))
    sheet.blank()
    if codes:
        add_tree(sheet, codes, top=None)
    else:
        sheet.add(("  It defines no Python function itself.", "plain"))
