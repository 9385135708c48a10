"""Safe, measured text: escapes what a terminal could obey, and shortens to terminal cells."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

# Characters of our own drawing and of the expression domain, and what replaces them in ASCII.
ASCII = {
    "φ": "phi",
    "…": "...",
    "→": "->",
    "←": "<-",
    "▸": ">",
    "─": "-",
    "━": "=",
    "│": "|",
    "┆": ":",
    "├": "|",
    "└": "`",
    "┌": ",",
    "┬": "+",
    "╭": "+",
    "╮": "+",
    "╰": "+",
    "╯": "+",
    "·": "-",
    "≠": "!=",
    "×": "x",
    "↺": "loop",
    "∅": "empty",
    "●": "*",
}
_TO_ASCII = str.maketrans(ASCII)


def escape(text: str) -> str:
    """Write every character that does not print as its Python escape.

    Control characters, terminal escape sequences, bidirectional overrides, lone surrogates and
    unassigned code points come out as text, so that a name from an untrusted file can neither
    move the cursor nor hide what it says.

    >>> escape("a\\x1b[2Jb\\u202e\\ud800")
    'a\\\\x1b[2Jb\\\\u202e\\\\ud800'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def without_surrogates(text: str) -> str:
    """Write lone surrogates as `\\udXXX`, so that the text has an UTF-8 form."""
    if type(text) is str and text.isascii():
        return text  # the same object, which a document may hold many times
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_ascii(text: str) -> str:
    """Write the text in ASCII: our own signs by name, other characters by their escape.

    >>> to_ascii("φ(a, é)")
    'phi(a, \\\\xe9)'
    """
    if text.isascii():
        return text
    return text.translate(_TO_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def cells(text: str) -> int:
    """Terminal cells that the text takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_cell(c) for c in text)


def _cell(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int, *, keep: str = "start", ellipsis: str = "…") -> str:
    """Cut the text to a number of cells and show by an ellipsis where it was cut.

    Args:
        text: One line.
        width: Cells, at most.
        keep: "start", "end" or "both": the part that stays.
        ellipsis: The mark of the cut.

    >>> shorten("abcdefghij", 5), shorten("abcdefghij", 5, keep="end")
    ('abcd…', '…ghij')
    """
    if cells(text) <= width:
        return text
    room = width - cells(ellipsis)
    if room <= 0:
        return ellipsis[: max(0, width)]
    if keep == "start":
        return _first(text, room) + ellipsis
    if keep == "end":
        return ellipsis + _last(text, room)
    tail = room // 3
    return _first(text, room - tail) + ellipsis + _last(text, tail)


def _first(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    used = 0
    for at, character in enumerate(text):
        used += _cell(character)
        if used > width:
            return text[:at]
    return text


def _last(text: str, width: int) -> str:
    return _first(text[::-1], width)[::-1] if width else ""


class Pen:
    """How text is put on the page: its width in cells, and Unicode or ASCII."""

    def __init__(self, width: int = 100, ascii: bool = False) -> None:  # noqa: A002
        self.width = max(60, width)
        self.ascii = ascii
        self.ellipsis = "..." if ascii else "…"
        self.separator = " ; " if ascii else " │ "
        self.arrow = "->" if ascii else "→"

    def clean(self, text: str) -> str:
        """One safe line of what may be hostile text."""
        text = escape(text)
        return to_ascii(text) if self.ascii else text

    def fit(self, text: str, width: int, keep: str = "start") -> str:
        """Clean text of at most `width` cells."""
        return shorten(self.clean(text), width, keep=keep, ellipsis=self.ellipsis)

    def pad(self, text: str, width: int, keep: str = "start") -> str:
        """Clean text of exactly `width` cells."""
        text = self.fit(text, width, keep)
        return text + " " * (width - cells(text))
