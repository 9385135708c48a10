"""A page of text before it has colours: lines of pieces, each piece with a role.

The card, the listing and the graph are laid out once, as sheets. `to_terminal` gives the roles
colours; without colours a sheet is plain text, which needs nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from coscope.render.text.measured import Pen, cells, shorten

# Text and its role. A role says what the text is, never how it looks.
Piece = tuple[str, str]
Line = list[Piece]
Deferred = Callable[[], Iterable[Line]]  # lines that are made whenever they are written

ROLES = (
    "plain",
    "frame",  # lines of boxes and arrows
    "heading",
    "title",
    "kind",
    "faint",
    "name",
    "value",
    "type",
    "line number",
    "source",
    "mark",  # the expression that an instruction covers
    "block",
    "offset",
    "opcode",
    "operand",
    "jump",
    "stack",
    "top",  # of the stack
    "specialized",  # what the interpreter made of an instruction: what fits,
    "missing",  # what does not fit,
    "generic",  # nothing
    "warning",
    "error",
)


class Sheet:
    """Lines of pieces, and the pen that they were laid out with."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen
        self.lines: list[Line | Deferred] = []
        self._pieces: dict[Piece, Piece] = {}  # equal ones are the same object
        self.cut_paths: dict[str, str] = {}  # the path of a file as far as it is shown -> all of it

    def add(self, *pieces: Piece) -> None:
        """Append one line; its text is made safe here, whatever it came from."""
        shared = self._pieces
        self.lines.append([shared.setdefault(piece, piece) for piece in self._cleaned(pieces)])

    def defer(self, lines: Deferred) -> None:
        """Append lines that are many, and need not all be there at once; at least one."""
        self.lines.append(lines)

    def _cleaned(self, pieces: Iterable[Piece]) -> Line:
        return [(self.pen.clean(text), role) for text, role in pieces if text]

    def _every(self) -> Iterator[Line]:
        for line in self.lines:
            if callable(line):
                yield from map(self._cleaned, line())
            else:
                yield line

    def blank(self) -> None:
        """Append an empty line, never two of them."""
        if self.lines and self.lines[-1]:
            self.lines.append([])

    def heading(self, text: str, note: str = "") -> None:
        """Begin a section."""
        self.blank()
        self.add((text, "heading"), (f"  {note}" if note else "", "faint"))

    def extend(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.add(*line)

    def clipped(self) -> Iterator[Line]:
        """The lines, none of them wider than the page."""
        return map(self._clip, self._every())

    def _clip(self, line: Line) -> Line:
        line = list(line)
        while line and not line[-1][0].strip():
            line.pop()
        if line:
            line[-1] = (line[-1][0].rstrip(), line[-1][1])
        room = self.pen.width
        kept: Line = []
        for text, role in line:
            size = cells(text)
            if size > room:
                kept.append((shorten(text, room, ellipsis=self.pen.ellipsis), role))
                break
            kept.append((text, role))
            room -= size
        return kept

    def texts(self) -> Iterator[str]:
        """The lines as text without roles, each with its line feed."""
        for line in self.clipped():
            yield "".join(text for text, _ in line).rstrip() + "\n"

    def __str__(self) -> str:
        return "".join(self.texts())


def columns(
    pen: Pen,
    rows: Iterable[tuple[Piece, ...]],
    widths: Iterable[int],
    indent: int = 2,
    gap: int = 2,
) -> list[Line]:
    """Set rows in columns: each cell padded or shortened to its width, the last never padded."""
    sizes = list(widths)
    lines = []
    for row in rows:
        line: Line = [(" " * indent, "plain")]
        for at, (text, role) in enumerate(row):
            if at == len(row) - 1:
                line.append((pen.fit(text, sizes[at]), role))
            else:
                line.append((pen.pad(text, sizes[at]), role))
                line.append((" " * gap, "plain"))
        lines.append(line)
    return lines


def measure(
    pen: Pen, rows: Iterable[tuple[Piece, ...]], room: int, gap: int = 2, least: int = 6
) -> list[int]:
    """Widths for columns that share `room` cells: each as wide as its widest cell while all fit.

    Where they do not, the widest column gives way first.
    """
    table = list(rows)
    if not table:
        return []
    count = len(table[0])
    sizes = [max(cells(pen.clean(row[at][0])) for row in table) for at in range(count)]
    room -= gap * (count - 1)
    while sum(sizes) > room and max(sizes) > least:
        sizes[sizes.index(max(sizes))] -= 1
    return sizes
