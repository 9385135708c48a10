"""The listing: source interleaved with bytecode, each instruction beside what it covers.

    30 │ return x * z + y
       │        x            B0    2  LOAD_DEREF   0 x
       │            z              4  LOAD_FAST    0 z        x
       │        x * z              6  BINARY_OP    5 *        x │ z

The marked source is exactly under its place in the line while there is room. At the right is the
stack before the instruction, its top last; after a warm run, the form that was executed last: see
`warm_listing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from coscope.render.document.shared import detail_of
from coscope.render.pages.sheet import Line, Piece, Sheet
from coscope.render.text.excerpt import piece
from coscope.render.text.measured import Pen, cells

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


_OPNAME = 20  # cells, at most; a longer name pushes its operand to the right
_LEAST_MARK = 18  # cells: narrower, the marked source says too little
_READABLE = 16  # cells of a mark that still say what it is
_LEAST_FORM = 12  # cells of a form


class Page:
    """The source lines as they are set: without their common indentation, which may be halved."""

    def __init__(
        self, pen: Pen, lines: dict[str, str], instructions: list[schema.Instruction]
    ) -> None:
        self.pen = pen
        self.lines = lines
        shown = {str(i["line"]) for i in instructions} & lines.keys()
        texts = [_untabbed(lines[number]) for number in shown]
        self.indent = min((_indentation(text) for text in texts if text.strip()), default=0)
        self.step = 1  # cells of indentation in the source for one on the page

    def line(self, number: int | None) -> str | None:
        """A source line as set, or None if it is not at hand."""
        text = self.lines.get(str(number))
        if text is None:
            return None
        text = _untabbed(text)
        own = _indentation(text)
        return " " * max(0, (own - self.indent) // self.step) + text[own:]

    def covered(self, instruction: schema.Instruction) -> tuple[str, int]:
        """What an instruction covers, on one line, and the cell where it starts."""
        text = instruction["source"]
        line = self.lines.get(str(instruction["line"]))
        if not text or line is None:
            return "", 0
        first, *more = text.split("\n")
        before = _untabbed(piece(line, 0, instruction["positions"][2]))
        own = min(_indentation(_untabbed(line)), len(before))
        at = max(0, (own - self.indent) // self.step) + cells(self.pen.clean(before[own:]))
        return self.pen.clean(_untabbed(first)) + (f" {self.pen.ellipsis}" if more else ""), at


class LastColumn(Protocol):
    """The column at the right of each instruction."""

    needed: int  # cells, for all of its texts in full
    least: int  # cells, that it gets in any case
    first: bool  # it gets what it needs, and the marked source what is left

    def wanted(self, instruction: schema.Instruction) -> int:
        """Cells that it takes in full beside an instruction."""
        ...

    def pieces(self, instruction: schema.Instruction, room: int) -> Iterator[Piece]:
        """What is beside an instruction, in a given number of cells."""
        ...

    def below(self, instruction: schema.Instruction, room: int) -> Iterator[Piece]:
        """Lines under an instruction, from the column of its block on."""
        ...


@dataclass(frozen=True, slots=True)
class Widths:
    """Cells of each column."""

    number: int  # line numbers
    mark: int  # 0: no positions, so nothing is marked
    offset: int
    opname: int
    arg: int
    operation: int  # opname, arg and what it means
    last: int


def add_listing(
    sheet: Sheet, entry: schema.Code, source: dict[str, str] | None, last: LastColumn | None = None
) -> None:
    """Add the listing of one code object; its lines are made when they are written.

    Args:
        sheet: Where to.
        entry: The code object's entry of the document, with its detail.
        source: Lines of the file by number, or None.
        last: The column at the right; the stack, if not given.
    """
    sheet.defer(lambda: _lines(sheet.pen, entry, source, last))


def _lines(
    pen: Pen, entry: schema.Code, source: dict[str, str] | None, last: LastColumn | None
) -> Iterator[Line]:
    instructions = detail_of(entry)["instructions"]
    page = Page(pen, source or {}, instructions)
    last = last or _Stacks(pen, detail_of(entry))
    widths = _share(pen, instructions, page, last)
    line: int | None = -1
    block = mark = None
    shown: set[int | None] = set()
    for instruction in instructions:
        number = None
        if instruction["line"] != line:
            line, mark = instruction["line"], None
            text = page.line(line)
            if text is None:
                number = line
            else:
                role = "faint" if line in shown else "source"
                text = pen.fit(text, pen.width - widths.number - 3)
                yield [*_gutter(widths, line), (text, role)]
                shown.add(line)
        label = instruction["block"] if instruction["block"] != block else ""
        block = instruction["block"]
        again, mark = instruction["positions"] == mark, instruction["positions"]
        operation, rest = _of_line(pen, widths, instruction, last)
        yield [
            *_gutter(widths, number),
            *_mark(pen, widths, page.covered(instruction), "faint" if again else "mark"),
            *_operation(pen, widths, operation, instruction, label),
            *last.pieces(instruction, rest),
        ]
        beside = widths.mark + 2 if widths.mark else 0
        room = pen.width - widths.number - 3 - beside
        for text, role in last.below(instruction, room):
            yield [*_gutter(widths, None), (" " * beside, "plain"), (text, role)]


def _gutter(widths: Widths, line: int | None) -> Line:
    number = "" if line is None else str(line)
    return [(f"{number:>{widths.number}} ", "line number"), ("│ ", "frame")]


def _mark(pen: Pen, widths: Widths, covered: tuple[str, int], role: str) -> Iterator[Piece]:
    """What the instruction covers, under its place in the source line."""
    room = widths.mark
    if not room:
        return
    text, at = covered
    if at + cells(text) > room:
        text, at = _squeezed(pen, text, at, room)
    yield " " * at, "plain"
    yield text, role
    yield " " * (room - at - cells(text) + 2), "plain"


def _squeezed(pen: Pen, text: str, at: int, room: int) -> tuple[str, int]:
    """A mark that does not fit in its place: cut at its end, or moved to the left."""
    if room - at > _READABLE:
        return pen.fit(text, room - at), at
    lead = pen.ellipsis
    if cells(lead) + cells(text) <= room:
        return lead + text, room - cells(lead) - cells(text)
    return pen.fit(text, room), 0


def _of_line(
    pen: Pen, widths: Widths, instruction: schema.Instruction, last: LastColumn
) -> tuple[int, int]:
    """Cells of the operation and of the last column on one line: neither is cut where both fit.

    A jump's target is never cut, whatever the last column loses.
    """
    name = max(widths.opname, cells(pen.clean(instruction["opname"])))
    arg = "" if instruction["arg"] is None else str(instruction["arg"])
    digits = max(widths.arg - (name - widths.opname), len(arg))
    wanted = name + 1 + digits + 1 + cells(pen.clean(operand(instruction)[0]))
    beside, both = last.wanted(instruction), widths.operation + widths.last
    if wanted + beside <= both:
        operation = max(wanted, min(widths.operation, both - beside))
    else:
        operation = max(widths.operation, wanted if instruction["jump"] is not None else 0)
    operation = min(operation, both)
    return operation, both - operation


def _operation(
    pen: Pen, widths: Widths, size: int, instruction: schema.Instruction, label: str
) -> Iterator[Piece]:
    yield f"{label:<4}", "block"
    yield f"{instruction['offset']:>{widths.offset}}  ", "offset"
    arg = "" if instruction["arg"] is None else str(instruction["arg"])
    opname = pen.clean(instruction["opname"])
    name = pen.pad(opname, max(widths.opname, cells(opname)))
    number = " " + arg.rjust(max(0, widths.arg - (cells(name) - widths.opname)))
    room = size - cells(name) - cells(number) - 1
    yield pen.fit(name, size), "opcode"
    if room >= 0:
        yield number, "faint"
        shown, role = operand(instruction)
        yield " " + pen.pad(shown, room), role
    yield "  ", "plain"


def operand(instruction: schema.Instruction) -> Piece:
    """What the oparg means, a jump by the name of its block."""
    if instruction["jump"] is not None:
        return f"to {instruction['jump']}", "jump"
    return instruction["argrepr"], "operand"


class _Stacks:
    """The stack before each instruction."""

    least = 16
    first = False

    def __init__(self, pen: Pen, detail: schema.Detail) -> None:
        self.pen = pen
        # Where the stack is not known at all, a warning says so once, not each line.
        self.nowhere = "" if detail["stack"]["needed"] is None else "unreachable"
        self.between = len(pen.separator)
        self.needed = max(map(self.wanted, detail["instructions"]), default=0)

    def wanted(self, instruction: schema.Instruction) -> int:
        """Cells of all values on the stack."""
        stack = instruction["stack"]
        if stack is None:
            return cells(self.nowhere)
        values = sum(cells(self.pen.clean(text)) for text in stack)
        return values + self.between * max(0, len(stack) - 1)

    def pieces(self, instruction: schema.Instruction, room: int) -> Iterator[Piece]:
        """The stack, deepest first; what does not fit is cut at its deep end."""
        pen, stack = self.pen, instruction["stack"]
        if stack is None:
            yield self.nowhere, "faint"
            return
        if not stack:
            return
        top = pen.fit(stack[-1], room, keep="both")
        room -= cells(top)
        rest = ""
        for text in reversed(stack[:-1]):
            rest = pen.clean(text) + pen.separator + rest
            if cells(rest) > room:
                break
        if rest and room > cells(pen.separator):
            yield pen.fit(rest, room, keep="end"), "stack"
        yield top, "top"

    def below(self, instruction: schema.Instruction, room: int) -> Iterator[Piece]:
        """Nothing."""
        return iter(())


def _share(
    pen: Pen, instructions: list[schema.Instruction], page: Page, last: LastColumn
) -> Widths:
    """Share the page's width between the columns, by what they would need."""
    number = _widest(3, (str(i["line"]) for i in instructions if i["line"]))
    offset = _widest(4, (str(i["offset"]) for i in instructions[-1:]))
    opname = min(_OPNAME, _widest(8, (pen.clean(i["opname"]) for i in instructions)))
    arg = _widest(1, (str(i["arg"]) for i in instructions if i["arg"] is not None))
    needed = _widest(8, (pen.clean(operand(i)[0]) for i in instructions))
    operation = opname + arg + 2 + min(needed, pen.width * 16 // 100)
    room = pen.width - (number + 3) - 4 - (offset + 2) - operation - 2
    mark = _widest_mark(page, instructions)
    if not mark or room < _LEAST_MARK + last.least + 2:
        least = _LEAST_FORM if last.first else last.least
        return Widths(
            number=number,
            mark=0,
            offset=offset,
            opname=opname,
            arg=arg,
            operation=operation,
            last=max(least, room),
        )
    room -= 2
    if mark + last.needed > room:
        page.step = 2
        least = max(_LEAST_MARK, room * (8 if last.first else 11) // 20)
        mark = min(_widest_mark(page, instructions), max(room - last.needed, least))
    return Widths(
        number=number,
        mark=mark,
        offset=offset,
        opname=opname,
        arg=arg,
        operation=operation,
        last=room - mark,
    )


def _widest(least: int, texts: Iterable[str]) -> int:
    """Width of the widest text, at least `least`."""
    return max([least, *map(cells, texts)])


def _widest_mark(page: Page, instructions: list[schema.Instruction]) -> int:
    """Width of the marked source, from the first column of the line on."""
    return max([0, *(at + cells(text) for text, at in map(page.covered, instructions))])


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _untabbed(text: str) -> str:
    return text.replace("\t", "    ").replace("\f", "")
