"""Every form in which an answer can be written besides its page: the one list of them.

Commands take their `--format` choices and help from here, and a test holds the documentation
to it.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple


class Format(NamedTuple):
    """One form of an answer."""

    name: str  # what --format takes
    what: str  # in a help text
    writers: dict[str, str]  # command -> "module:function" that writes a document; none: a page


_DRAWINGS = "coscope.render.drawings"

FORMATS = (
    Format("text", "text", {"graph": "", "closure": "", "audit": "", "trust": ""}),
    Format(
        "json",
        "the JSON document",
        {"audit": "coscope.render.to_json:to_json", "trust": "coscope.render.to_json:to_json"},
    ),
    Format(
        "mermaid",
        "a Mermaid flowchart",
        {
            "graph": f"{_DRAWINGS}.to_mermaid:to_mermaid",
            "closure": f"{_DRAWINGS}.closure_forms:to_mermaid",
        },
    ),
    Format(
        "dot",
        "Graphviz DOT",
        {
            "graph": f"{_DRAWINGS}.to_dot:to_dot",
            "closure": f"{_DRAWINGS}.closure_forms:to_dot",
        },
    ),
    Format(
        "svg",
        "SVG",
        {
            "graph": f"{_DRAWINGS}.graph_svg:to_svg",
            "closure": f"{_DRAWINGS}.closure_forms:to_svg",
        },
    ),
    Format(
        "sarif",
        "SARIF 2.1.0",
        {
            "audit": "coscope.render.to_sarif:to_sarif",
            "trust": "coscope.render.trust_forms:to_sarif",
        },
    ),
    Format(
        "github",
        "GitHub annotations",
        {
            "audit": "coscope.render.to_sarif:to_github",
            "trust": "coscope.render.trust_forms:to_github",
        },
    ),
)


def formats_of(command: str) -> tuple[str, ...]:
    """The names that a command's `--format` takes; text is the first.

    >>> formats_of("graph")
    ('text', 'mermaid', 'dot', 'svg')
    """
    return tuple(each.name for each in FORMATS if command in each.writers)


def help_of(command: str) -> str:
    """The forms of a command in words.

    >>> help_of("graph")
    'Text, a Mermaid flowchart, Graphviz DOT, or SVG.'
    """
    words = [each.what for each in FORMATS if command in each.writers]
    text = f"{', '.join(words[:-1])}, or {words[-1]}."
    return text[0].upper() + text[1:]


def written(command: str, name: str, *arguments: object) -> str:
    """An answer in one of its forms.

    Args:
        command: Whose answer it is.
        name: One of `formats_of(command)`, except "text", which is a page.
        arguments: What the writer takes: the document, and for SARIF the rules.
    """
    form = next(each for each in FORMATS if each.name == name)
    module, _, function = form.writers[command].partition(":")
    text: str = getattr(import_module(module), function)(*arguments)
    return text
