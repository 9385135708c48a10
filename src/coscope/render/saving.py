"""An answer as a file: the form follows from the ending of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from coscope.errors import InputError
from coscope.render.formats import formats_of, written
from coscope.render.pages.sheet import Sheet
from coscope.render.text.measured import Pen

ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".svg": "svg",
    ".md": "markdown",
    ".json": "json",
    ".txt": "text",
    ".mmd": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
}
_EVERY = ("html", "svg", "markdown", "json", "text")  # forms of every answer that has a page

Layout = Callable[[Any, Pen], Sheet]


def form_of(command: str, name: str) -> str:
    """The form that the ending of a file's name asks for.

    Raises:
        InputError: There is no such form, or not of this command's answer.

    >>> form_of("show", "card.svg")
    'svg'
    """
    dot = name.rfind(".")
    form = ENDINGS.get(name[dot:].lower()) if dot >= 0 else None
    drawn = formats_of(command)
    known = [end for end, each in ENDINGS.items() if each in _EVERY or each in drawn]
    if form is None or not (form in _EVERY or form in drawn):
        raise InputError(
            f"no form of the answer ends like {name!r}", hint=f"Endings: {', '.join(known)}."
        )
    return form


def saved(command: str, form: str, document: Mapping[str, Any], layout: Layout, pen: Pen) -> str:
    """The text of the file.

    Args:
        command: Whose answer it is.
        form: What `form_of` gave.
        document: Of the command.
        layout: Makes its page.
        pen: Of the page.
    """
    if form == "json":
        from coscope.render.to_json import to_json

        return to_json(document)
    sheet = layout(document, pen)
    title = f"coscope {command} {document.get('target', '')}".strip()
    if form == "text":
        return str(sheet)
    if form == "markdown":
        return _markdown(command, document, sheet, title)
    if form == "html":
        from coscope.render.to_html import to_page

        return to_page(title, sheet, _drawings(command, document))
    if form in formats_of(command):
        return written(command, form, document)
    from coscope.render.drawings.sheet_svg import sheet_to_svg

    return sheet_to_svg(sheet, title)


def _drawings(command: str, document: Mapping[str, Any]) -> list[str]:
    """What is drawn above a page: the diagram of its command."""
    return [written(command, "svg", document)] if "svg" in formats_of(command) else []


def _markdown(command: str, document: Mapping[str, Any], sheet: Sheet, title: str) -> str:
    """A page as GitHub and other renderers of Markdown show it: text as it is, graphs drawn."""
    parts = [f"# {_escaped(title)}", ""]
    if "mermaid" in formats_of(command):
        parts += _fenced("mermaid", written(command, "mermaid", document))
    return "\n".join([*parts, *_fenced("text", str(sheet))])


def _fenced(language: str, text: str) -> list[str]:
    """A block of code; its fence is longer than any in the text."""
    longest = max((len(run) for run in _backticks(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text.rstrip("\n"), fence, ""]


def _backticks(text: str) -> list[str]:
    import re

    return re.findall("`+", text)


def _escaped(text: str) -> str:
    import re

    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", text)
