"""`Text`: the text of one value on the stack, and how tightly it binds."""

from __future__ import annotations

from typing import NamedTuple

from coscope.model import Code, Constant, FrozenSet, Opaque, Slice

LIMIT = 100  # characters of a text
_LONGEST_STRING = 48  # characters of a string constant that are shown
_LONGEST_INT = 128  # bits of an int constant that is shown whole
_LONGEST_NAME = 60

# How tightly an expression binds: Python's precedence, loosest first.
# Source: The Python Language Reference, "Operator precedence".
LOOSE, TERNARY, OR, AND, NOT, COMPARED = 1, 4, 5, 6, 7, 8
UNARY, POWER, AWAITED, NUMBER, ATOM = 15, 16, 17, 18, 19

OPERATORS = {
    **dict.fromkeys(["<", "<=", "==", "!=", ">", ">=", "is", "is not", "in", "not in"], COMPARED),
    "|": 9,
    "^": 10,
    "&": 11,
    "<<": 12,
    ">>": 12,
    "+": 13,
    "-": 13,
    **dict.fromkeys(["*", "/", "//", "%", "@"], 14),
    "**": POWER,
}


class Display(NamedTuple):
    """A list, tuple, set or dict written out."""

    brackets: str  # "[]", "()", "{}" or "{:}" for a dict
    items: tuple[str, ...]  # as they are between the commas

    def text(self) -> str:
        """The display as Python."""
        if self.brackets == "{}" and not self.items:
            return "set()"
        inside = ", ".join(self.items)
        if self.brackets == "()" and len(self.items) == 1:
            inside += ","
        return f"{self.brackets[0]}{inside}{self.brackets[-1]}"


class Literal(NamedTuple):
    """A constant."""

    value: Constant


class Fields(NamedTuple):
    """Part of an f-string or t-string: what is between the quotes."""

    body: str


class Converted(NamedTuple):
    """`str(x)`, `repr(x)`, `ascii(x)` made for an f-string."""

    field: str  # x!s


class Bounds(NamedTuple):
    """A slice, as it is written in an index."""

    inside: str  # 1:2


class Alternatives(NamedTuple):
    """One of several values, depending on the path."""

    texts: tuple[str, ...]


class Settled(NamedTuple):
    """A value that differs from one turn of a loop to the next."""

    block: int


Origin = Display | Literal | Fields | Converted | Bounds | Alternatives | Settled | None


class Text(str):
    """Text of a value: at most `LIMIT` characters, on one line.

    Attributes:
        rank: How tightly the expression binds: it needs parentheses where more is asked.
        origin: What it was made from, where a larger expression can use that.
        implied: An implicit self: the text of the method already has it.
    """

    __slots__ = ("implied", "origin", "rank")

    rank: int
    origin: Origin
    implied: bool

    def __new__(
        cls, text: str, rank: int = ATOM, origin: Origin = None, implied: bool = False
    ) -> Text:
        made = super().__new__(cls, text if len(text) <= LIMIT else text[: LIMIT - 1] + "…")
        made.rank = rank
        made.origin = origin
        made.implied = implied
        return made

    @property
    def cut(self) -> bool:
        """True if it may not be the whole expression, so that equal texts prove nothing."""
        return len(self) >= LIMIT

    def within(self, rank: int) -> str:
        """In parentheses, if it binds less tightly than `rank`."""
        return f"({self})" if self.rank < rank else str(self)

    @property
    def items(self) -> tuple[str, ...] | None:
        """The items, if it is a display or a constant tuple or frozenset."""
        if isinstance(self.origin, Display):
            return self.origin.items
        if isinstance(self.origin, Literal):
            value = self.origin.value
            if isinstance(value, FrozenSet):
                return tuple(sorted(constant(item) for item in value.items[:LIMIT]))
            if isinstance(value, tuple):
                return tuple(constant(item) for item in value[:LIMIT])
        return None


NULL = Text("NULL")


def shown_name(name: str) -> str:
    """A name as text; what no source could hold is escaped."""
    shown = name if name.isprintable() else repr(name)[1:-1]
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"


def constant(value: Constant, depth: int = 3) -> str:
    """A constant, short and safe.

    >>> constant((1, "a")), constant(1 << 200)
    ("(1, 'a')", '0x10000000…')
    """
    kind = type(value)
    if kind is str or kind is bytes:
        short = value[:_LONGEST_STRING]
        return repr(short) if len(short) == len(value) else f"{repr(short)[:-1]}…{repr(short)[-1]}"
    if kind is int:
        return _integer(value)
    if kind in (bool, float, complex, type(None)):
        return repr(value)
    if value is Ellipsis:
        return "..."
    if value is StopIteration:
        return "StopIteration"
    if isinstance(value, Code):
        return f"<code {shown_name(value.name)}>"
    if isinstance(value, Opaque):
        return f"<{shown_name(value.type_name)}>"
    return _container(value, depth)


def _integer(value: int) -> str:
    bits = value.bit_length()
    if bits <= _LONGEST_INT:
        return repr(value)
    sign = "-" if value < 0 else ""
    return f"{sign}{hex(abs(value) >> 4 * ((bits + 3) // 4 - 8))}…"


_SORTED = 1_000  # items of a frozenset that are sorted


def _container(value: Constant, depth: int) -> str:
    if isinstance(value, Slice):
        parts = (value.start, value.stop, value.step)
        return f"slice({', '.join(constant(part, depth - 1) for part in parts)})"
    if isinstance(value, FrozenSet):  # in an order that does not depend on the hash seed
        texts = {id(item): constant(item, max(depth - 1, 0)) for item in value.items[:_SORTED]}
        items = tuple(sorted(value.items, key=lambda item: texts.get(id(item), "")))
        return f"frozenset({{{_items(items, depth)}}})" if items else "frozenset()"
    if not isinstance(value, tuple):
        return f"<{type(value).__name__}>"
    inside = _items(value, depth)
    return f"({inside},)" if len(value) == 1 else f"({inside})"


def _items(items: tuple[Constant, ...], depth: int) -> str:
    """The items with commas between them, as many as there is room for."""
    shown = []
    size = 0
    for item in items:
        if depth == 0 or size > LIMIT:
            shown.append("…")
            break
        shown.append(constant(item, depth - 1))
        size += len(shown[-1])
    return ", ".join(shown)


def literal(value: Constant) -> Text:
    """The text of a constant that is loaded."""
    rank = ATOM
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        rank = UNARY if value < 0 or str(value)[:1] == "-" else NUMBER
    return Text(constant(value), rank, Literal(value))
