"""The `shows` texts of the opcode tables: compiled once, filled in for each instruction."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from coscope.errors import InternalError
from coscope.flow.texts import forms
from coscope.flow.texts.scene import Scene
from coscope.flow.texts.text import (
    ATOM,
    AWAITED,
    LOOSE,
    NOT,
    NULL,
    OPERATORS,
    UNARY,
    Display,
    Text,
)

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_FIELD = re.compile(
    r"(?P<comma>, )?(?P<name>\w+)(?P<part>\.\d)?(?P<mark>[!,])?(?::(?P<form>[\w ]+))?"
)

# What an operand needs behind these words, and how tightly the whole then binds.
_PREFIXES = {
    "-": (UNARY, UNARY),
    "+": (UNARY, UNARY),
    "not ": (NOT, NOT),
    "await ": (AWAITED + 1, AWAITED),
    "yield from ": (LOOSE, LOOSE),
}
_DISPLAYS = {("[", "]"): "[]", ("(", ")"): "()", ("{", "}"): "{}"}


class _Field(NamedTuple):
    name: str
    comma: bool  # ", " before it, nothing if absent
    part: int | None  # of the operand
    mark: str  # "!" in parentheses where needed, "," trailing comma
    form: tuple[str, ...]  # name of a form, and its further slots
    rank: int  # what a marked field needs
    place: str  # "", "index" between brackets, "bound" beside the colon in them


class Template:
    """A compiled text."""

    __slots__ = ("_display", "_implied", "_operator", "_pieces", "_rank")

    def __init__(self, text: str) -> None:
        self._implied = text.startswith("~")
        self._pieces = _pieces(text[1:] if self._implied else text)
        self._operator = self._find_operator()
        self._display = self._find_display()
        self._rank = self._find_rank()

    def fill(self, scene: Scene, number: int = 0) -> Text:
        """The text for one instruction; `number` is the index in a pushed group, from the top."""
        if len(self._pieces) == 1:
            return self._fill_only(self._pieces[0], scene, number)
        if self._display:
            return _display(self._display, self._pieces[1], scene)
        if self._operator is not None:
            return self._operation(scene)
        pieces: list[str] = []
        for piece in self._pieces:
            shown = piece if isinstance(piece, str) else _shown(piece, scene, number)
            if shown.startswith(".") and pieces and pieces[-1].endswith("."):
                shown = shown[1:]  # from . import x
            pieces.append(shown)
        return Text("".join(pieces), self._rank)

    def _fill_only(self, only: str | _Field, scene: Scene, number: int) -> Text:
        """The text of a template that is one piece."""
        if isinstance(only, str):
            return NULL if only == "NULL" else Text(only, self._rank)
        made = self._whole(only, scene, number)
        return Text(made, made.rank, made.origin, True) if self._implied else made

    def _whole(self, field: _Field, scene: Scene, number: int) -> Text:
        """The text of a template that is one field: the value itself, if it is one."""
        if field.name == "call":
            return forms.call(scene)
        if field.form and field.name == "operand" and field.form[0] in forms.OF_OPERAND:
            return forms.OF_OPERAND[field.form[0]](scene)
        if field.form and field.name != "operand":
            return forms.OF_SLOTS[field.form[0]](scene, (field.name, *field.form[1:]))
        if field.name == "operand":
            return _operand(field, scene)
        values = scene.group(field.name)
        return values[0] if len(values) == 1 else Text(_shown(field, scene, number))

    def _operation(self, scene: Scene) -> Text:
        """`left operator right`, with parentheses only where they are needed."""
        left, middle, right = self._pieces[0], self._operator, self._pieces[-1]
        assert isinstance(left, _Field)
        assert isinstance(right, _Field)
        assert middle is not None
        symbol = middle.strip() if isinstance(middle, str) else _shown(middle, scene, 0)
        return forms.operation(scene.one(left.name), symbol, scene.one(right.name))

    def _find_operator(self) -> str | _Field | None:
        kinds = [piece if isinstance(piece, str) else "" for piece in self._pieces]
        if kinds == ["", " ", "", " ", ""]:
            return self._pieces[2]
        if len(kinds) == 3 and kinds[0] == kinds[2] == "" and kinds[1].strip() in _SYMBOLS:
            return kinds[1]
        return None

    def _find_display(self) -> str:
        if len(self._pieces) != 3:
            return ""
        first, field, last = self._pieces
        if isinstance(field, str):
            return ""
        brackets = _DISPLAYS.get((str(first), str(last)), "")
        if brackets == "{}" and field.form and field.form[0] in ("pairs", "double starred"):
            return "{:}"
        return brackets

    def _find_rank(self) -> int:
        first = self._pieces[0]
        if isinstance(first, str):
            for prefix, (_, rank) in _PREFIXES.items():
                if first == prefix:
                    return rank
        return ATOM


_SYMBOLS = frozenset(OPERATORS) | {f"{symbol}=" for symbol in OPERATORS}


def _pieces(text: str) -> tuple[str | _Field, ...]:
    """Cut a text into literals and fields."""
    cut: list[str] = []  # literals and raw fields in turn, starting with a literal
    literal = ""
    at = 0
    for match in _PIECE.finditer(text):
        literal += text[at : match.start()]
        at = match.end()
        if match[1] is None:
            literal += match[0][0]
        else:
            cut += [literal, match[1]]
            literal = ""
    cut.append(literal + text[at:])
    pieces: list[str | _Field] = []
    for number, piece in enumerate(cut):
        if number % 2:
            pieces.append(_field(piece, cut[number - 1], cut[number + 1]))
        elif piece:
            pieces.append(piece)
    return tuple(pieces)


def _field(text: str, before: str, after: str) -> _Field:
    match = _FIELD.fullmatch(text)
    if match is None:
        raise InternalError(f"opcode table: cannot read the field {{{text}}}")
    rank = ATOM
    if after[:1] not in (".", "[", "("):
        rank = next((need for word, (need, _) in _PREFIXES.items() if before == word), ATOM)
    return _Field(
        name=match["name"],
        comma=bool(match["comma"]),
        part=int(match["part"][1:]) if match["part"] else None,
        mark=match["mark"] or "",
        form=_form(match["form"] or ""),
        rank=rank,
        place=_place(before, after),
    )


def _place(before: str, after: str) -> str:
    """What a field is in a subscription: "index", a "bound" of a slice, or "" outside of one."""
    opens, closes = before.endswith("["), after.startswith("]")
    if opens and closes:
        return "index"
    return "bound" if (opens and after == ":") or (before == ":" and closes) else ""


def _form(text: str) -> tuple[str, ...]:
    """The form's name, and the further slots that it uses."""
    return (text,) if text == "double starred" else tuple(text.split())


def _operand(field: _Field, scene: Scene) -> Text:
    argument = scene.argument
    if isinstance(argument, tuple):
        return argument[field.part or 0]
    return argument


def _shown(field: _Field, scene: Scene, number: int) -> str:
    """The text of one field inside a template."""
    name = field.name
    if name == "operand":
        return str(_operand(field, scene))
    if name == "oparg":
        return str(scene.effect.oparg)
    if name == "n":
        return str(number)
    if field.form:
        return str(forms.OF_SLOTS[field.form[0]](scene, (name, *field.form[1:])))
    values = scene.group(name)
    if field.mark == "!" and values:
        return values[0].within(field.rank)
    if field.place and values:
        return _indexed(values[0], field.place)
    text = ", ".join(values[: forms.MOST_ITEMS])
    return f", {text}" if field.comma and text else text


def _indexed(value: Text, place: str) -> str:
    """A value between the brackets of an index."""
    if place == "bound":
        return "" if value == "None" else str(value)
    return forms.inside(value)


def _display(brackets: str, field: str | _Field, scene: Scene) -> Text:
    assert isinstance(field, _Field)
    if field.form:
        items = forms.items_of(scene, (field.name, *field.form[1:]), field.form[0])
    else:
        items = tuple(map(str, scene.group(field.name)[: forms.MOST_ITEMS]))
    made = Display(brackets, items)
    return Text(made.text(), ATOM, made)


@lru_cache(maxsize=1024)
def compiled(text: str) -> Template:
    """The template of a `shows` text."""
    return Template(text)
