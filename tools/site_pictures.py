"""Writes docs/pictures/: drawings and pages of coscope as SVG, for the site and for slides.

python tools/site_pictures.py     writes them, with CPython 3.13
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import FunctionType
from typing import Any

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

import coscope
from coscope.facts.closures.closures import closure
from coscope.readers import Snippet, locate
from coscope.render.document.targets import document_of
from coscope.render.formats import written
from coscope.render.pages.sheet import Sheet
from coscope.render.pages.sheets import card_sheet, graph_sheet, listing_sheet
from coscope.render.results.closure import document
from coscope.render.text.measured import Pen
from coscope.render.to_terminal import to_rich

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"

COUNTER = """\
def counter(start=0):
    total = start

    def advance(step=1):
        nonlocal total
        total += step
        return total

    def reset():
        nonlocal total
        total = start

    return advance, reset
"""
BUTTONS = """\
def make_buttons():
    buttons = []
    for number in range(3):
        def press():
            return number
        buttons.append(press)
    return buttons
"""
PRICE = "def price(order):\n    return order.count * (order.unit + 0.5)\n"
WITH = "def write(lock, text):\n    with lock:\n        text.append(1)\n"


def pictures() -> dict[str, str]:
    """The SVG of every picture by the name of its file."""
    advance, _ = _run(COUNTER, "counter")(10)
    presses = _run(BUTTONS, "make_buttons")()
    return {
        "counter.svg": _cells(advance),
        "buttons.svg": _cells(presses[0]),
        "card.svg": _page(
            COUNTER, "counter.advance", card_sheet, "coscope show counter.py::counter.advance"
        ),
        "stack.svg": _page(PRICE, "price", listing_sheet, "coscope dis price.py::price"),
        "with.svg": _page(WITH, "write", graph_sheet, "coscope graph guard.py::write"),
    }


def _run(source: str, name: str) -> Any:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, f"{name}.py", "exec"), names)
    function = names[name]
    assert type(function) is FunctionType
    return function


def _cells(function: FunctionType) -> str:
    return written("closure", "svg", document(closure(function)))


def _page(source: str, part: str, layout: Any, title: str) -> str:
    name = title.split()[-1].partition("::")[0]
    meant = locate(Snippet(source, name, part))
    sheet: Sheet = layout(document_of(meant, detail="first"), Pen(92))
    console = Console(file=io.StringIO(), width=92, record=True, force_terminal=True)
    for text in to_rich(sheet):
        console.print(text, soft_wrap=True)
    unique = f"coscope-{part.replace('.', '-')}"
    svg = console.export_svg(title=title, theme=SVG_EXPORT_THEME, unique_id=unique)
    # rich would fetch its letters from the network, and a picture must not ask anybody.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pictures().items():
        (FOLDER / name).write_text(text.rstrip() + "\n", encoding="utf-8", newline="\n")
    print(f"{len(pictures())} pictures of coscope {coscope.__version__}")


if __name__ == "__main__":
    main()
