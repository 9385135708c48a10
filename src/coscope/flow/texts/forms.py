"""Forms that a plain template cannot write: calls, displays, f-strings, functions, intrinsics."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from coscope.flow.texts.scene import Scene
from coscope.flow.texts.text import (
    ATOM,
    COMPARED,
    LOOSE,
    OPERATORS,
    POWER,
    UNARY,
    Bounds,
    Converted,
    Display,
    Fields,
    Literal,
    Text,
    constant,
    shown_name,
)
from coscope.model import Code, Slice

MOST_ITEMS = 40  # items of a display or call that are looked at; the text is cut long before
_KEYWORD = re.compile(r"'(\w+)': (.*)", re.DOTALL)
_FOR = " for …"  # the rest of a comprehension

Slots = tuple[str, ...]


# Operators


def operation(left: Text, symbol: str, right: Text) -> Text:
    """`left symbol right`; parentheses only where Python needs them."""
    if symbol == "[]":
        return Text(f"{left.within(ATOM)}[{inside(right)}]")
    if symbol == "exception match":  # 3.8 compares types with COMPARE_OP
        return Text(f"issubclass({left}, {right})")
    rank = OPERATORS.get(symbol, LOOSE)
    if rank == POWER:
        return Text(f"{left.within(POWER + 1)} ** {right.within(UNARY)}", POWER)
    tighter = rank + (rank in (COMPARED, LOOSE))
    return Text(f"{left.within(tighter)} {symbol} {right.within(rank + 1)}", rank)


def inside(index: Text) -> str:
    """A value between the brackets of an index."""
    origin = index.origin
    if isinstance(origin, Bounds):
        return origin.inside
    if isinstance(origin, Literal) and isinstance(origin.value, Slice):
        return bounds(origin.value)
    if index.startswith("(") and index.items and len(index.items) > 1:
        return ", ".join(index.items)
    return str(index)


def bounds(value: Slice) -> str:
    """A constant slice, as written in an index."""
    return _bounds([constant(part) for part in (value.start, value.stop, value.step)])


def _bounds(parts: Sequence[str]) -> str:
    start, stop, *step = ["" if part == "None" else part for part in parts]
    return ":".join([start, stop, *filter(None, step)])


def slice_of(scene: Scene, slots: Slots) -> Text:
    """BUILD_SLICE."""
    parts = [text for slot in slots for text in scene.group(slot)]
    return Text(f"slice({', '.join(parts)})", ATOM, Bounds(_bounds(parts)))


def binary(scene: Scene, slots: Slots) -> Text:
    """`{lhs:binary rhs}`: BINARY_OP where subscription is one of its operators."""
    return operation(scene.one(slots[0]), str(scene.argument), scene.one(slots[1]))


def inverted(scene: Scene, slots: Slots) -> Text:
    """`{value:inverted}`."""
    return Text(f"~{scene.one(slots[0]).within(UNARY)}", UNARY)


# Calls


def call(scene: Scene) -> Text:
    """`{call}`: the call written out."""
    callee, arguments = _callee(scene)
    arguments += _keyworded(scene)
    for text in scene.group("callargs"):
        items = text.items
        arguments += [f"*{text.within(COMPARED)}"] if items is None else items
    for text in scene.group("kwargs"):
        if text != "NULL":
            arguments += _keywords(text)
    if callee == "<build_class>":
        return _class(arguments)
    return Text(f"{callee.within(ATOM)}({', '.join(arguments)})")


def _callee(scene: Scene) -> tuple[Text, list[str]]:
    """What is called, and the first argument, if it is in the place of self."""
    group = scene.group
    pair = [*group("method_or_null"), *group("callable"), *group("null")]
    pair += [*group("self_or_callable"), *group("self_or_null")]
    if len(pair) < 2:
        return pair[0], []
    first, second = pair[0], pair[1]
    if first == "NULL":
        return second, []
    if second == "NULL" or second.implied:
        return first, []
    return first, [str(second)]


def _keyworded(scene: Scene) -> list[str]:
    values = list(scene.group("args"))[: 4 * MOST_ITEMS]
    names = scene.keywords or ()
    for text in scene.group("kwnames"):
        if isinstance(text.origin, Literal) and isinstance(text.origin.value, tuple):
            names = tuple(shown_name(str(name)) for name in text.origin.value)
    first = max(0, len(scene.group("args")) - len(names))
    shown: list[str] = list(values[:first])
    return shown + [f"{name}={value}" for name, value in zip(names, values[first:], strict=False)]


def _keywords(mapping: Text) -> list[str]:
    """The mapping of a `**` argument, its items written as keywords where they can be."""
    if mapping.items is None:
        return [f"**{mapping.within(COMPARED)}"]
    shown = []
    for item in mapping.items:
        match = _KEYWORD.fullmatch(item)
        if match:
            shown.append(f"{match[1]}={match[2]}")
        else:
            shown.append(item if item.startswith("**") else f"**{{{item}}}")
    return shown


def _class(arguments: Sequence[str]) -> Text:
    """A class statement: the arguments are its body, its name and its bases."""
    name = arguments[1].strip("'\"") if len(arguments) > 1 else "class"
    return Text(
        f"<class {name}({', '.join(arguments[2:])})>" if arguments[2:] else f"<class {name}>"
    )


def function(scene: Scene, slots: Slots) -> Text:
    """`{code:function}`: the function made from a code object."""
    code = scene.one(slots[0])
    name = str(code)
    if isinstance(code.origin, Literal) and isinstance(code.origin.value, Code):
        name = shown_name(code.origin.value.name)
    return Text(name if name.startswith("<") else f"<function {name}>")


# Displays


def items_of(scene: Scene, slots: Slots, form: str) -> tuple[str, ...]:
    """The items of a display whose template has a form."""
    values = scene.group(slots[0])
    if form == "pairs":
        return _pairs(scene, values, slots[1:])
    stars = "**" if form == "double starred" else "*"
    items: list[str] = []
    for value in values[:MOST_ITEMS]:
        inner = value.items
        items += [f"{stars}{value.within(COMPARED)}"] if inner is None else inner
    return tuple(items[:MOST_ITEMS])


def _pairs(scene: Scene, values: Sequence[Text], keys: Slots) -> tuple[str, ...]:
    if keys:
        names = scene.one(keys[0]).items or ()
        return tuple(f"{name}: {value}" for name, value in zip(names, values, strict=False))
    pairs = zip(values[: 2 * MOST_ITEMS : 2], values[1 : 2 * MOST_ITEMS : 2], strict=False)
    return tuple(f"{key}: {value}" for key, value in pairs)


def pairs(scene: Scene, slots: Slots) -> Text:
    """`{values:pairs}`, `{values:pairs keys}`."""
    return Text(", ".join(items_of(scene, slots, "pairs")))


def starred(scene: Scene, slots: Slots) -> Text:
    """`{values:starred}` (3.8): each of the values unpacked."""
    return Text(", ".join(items_of(scene, slots, "starred")))


def double_starred(scene: Scene, slots: Slots) -> Text:
    """`{values:double starred}` (3.8): each of the mappings unpacked."""
    return Text(", ".join(items_of(scene, slots, "double starred")))


def extended(scene: Scene, slots: Slots) -> Text:
    """`{list:extend iterable}`: the display grown by all items of another.

    In a comprehension (PEP 798, 3.15) it grows so in every turn.
    """
    display, more = scene.one(slots[0]), scene.one(slots[1])
    if not isinstance(display.origin, Display):
        return display
    stars = "**" if display.origin.brackets == "{:}" else "*"
    if _in_a_loop(scene):
        return _filled(display.origin, f"{stars}{more.within(COMPARED)}")
    items = None if is_comprehension(more) else more.items
    grown = (f"{stars}{more.within(COMPARED)}",) if items is None else items
    return _grown(display.origin, grown)


def _in_a_loop(scene: Scene) -> bool:
    """True if an iterator lies above the display: a `match` statement has the keys there."""
    above = scene.group("rest")
    return bool(above) and (above[-1] == "<index>" or above[-1].startswith("aiter("))


def appended(scene: Scene, slots: Slots) -> Text:
    """`{list:append value}`, `{dict:append key value}`: the display grown by one item.

    The display is on top only in a long literal; in a comprehension it lies below the iterators,
    and grows by one item in every turn.
    """
    display = scene.one(slots[0])
    if not isinstance(display.origin, Display):
        return display
    item = ": ".join(scene.one(slot) for slot in slots[1:])
    if scene.effect.oparg > 1:
        return _filled(display.origin, item)
    return _grown(display.origin, (item,))


def _filled(display: Display, item: str) -> Text:
    """A display that a comprehension fills with such items."""
    made = Display(display.brackets, (item + _FOR,))
    return Text(made.text() if len(item) < 80 else made.text()[:80] + "…", ATOM, made)


def to_tuple(scene: Scene, slots: Slots) -> Text:
    """`{list:tuple}`: the tuple made from a list display."""
    return _tuple(scene.one(slots[0]))


def _tuple(values: Text) -> Text:
    if values.items is None:
        return Text(f"tuple({values})")
    return _grown(Display("()", values.items), ())


def _grown(display: Display, items: Sequence[str]) -> Text:
    made = Display(display.brackets, (*display.items, *items)[:MOST_ITEMS])
    return Text(made.text(), ATOM, made)


def is_comprehension(text: Text) -> bool:
    """True for a display that a comprehension fills."""
    origin = text.origin
    return isinstance(origin, Display) and origin.items[:1] != () and origin.items[0].endswith(_FOR)


# Strings


def formatted(scene: Scene, slots: Slots) -> Text:
    """`{value:format}`, `{value:format fmt_spec}`: an f-string of one replacement field."""
    value = scene.one(slots[0])
    field = value.origin.field if isinstance(value.origin, Converted) else _in_field(value)
    if scene.effect.row.operand == "format" and scene.effect.oparg & 3:
        field += "!" + "-sra"[scene.effect.oparg & 3]
    for spec in (text for slot in slots[1:] for text in scene.group(slot)):
        field += ":" + _body(spec)
    return _quoted("f", f"{{{field}}}")


def converted(scene: Scene, slots: Slots) -> Text:
    """CONVERT_VALUE: `{value:convert}`."""
    value, word = scene.one(slots[0]), str(scene.argument)
    return Text(f"{word}({value})", ATOM, Converted(f"{_in_field(value)}!{word[:1]}"))


def string(scene: Scene, slots: Slots) -> Text:
    """`{pieces:string}`: the pieces of an f-string, joined."""
    pieces = scene.group(slots[0])[:MOST_ITEMS]
    return _quoted("f", "".join(map(_body, pieces)))


def interpolation(scene: Scene, slots: Slots) -> Text:
    """`{value:interpolation spec}`: one field of a t-string (3.14+)."""
    field = _in_field(scene.one(slots[0]))
    conversion = scene.effect.oparg >> 2
    if 0 < conversion < 4:
        field += "!" + "-sra"[conversion]
    for spec in (text for slot in slots[1:] for text in scene.group(slot)):
        field += ":" + _body(spec)
    return _quoted("t", f"{{{field}}}")


def template(scene: Scene, slots: Slots) -> Text:
    """`{strings:template interpolations}`: a t-string (3.14+)."""
    strings = scene.one(slots[0])
    fields = scene.one(slots[1])
    texts: list[str] = []
    if isinstance(strings.origin, Literal) and isinstance(strings.origin.value, tuple):
        texts = [_body(Text("", ATOM, Literal(text))) for text in strings.origin.value[:MOST_ITEMS]]
    inner = [item[2:-1] if item.startswith("t") else item for item in fields.items or ()]
    body = "".join(part for pair in zip(texts, [*inner, ""], strict=False) for part in pair)
    return _quoted("t", body)


def _in_field(value: Text) -> str:
    text = value.within(LOOSE + 1)
    return f" {text}" if text.startswith("{") else text


def _body(piece: Text) -> str:
    """What a piece is inside the quotes."""
    if isinstance(piece.origin, Fields):
        return piece.origin.body
    if isinstance(piece.origin, Literal) and isinstance(piece.origin.value, str):
        text = piece.origin.value[: 2 * MOST_ITEMS]
        return repr(text)[1:-1].replace("{", "{{").replace("}", "}}")
    return f"{{{_in_field(piece)}}}"


def _quoted(prefix: str, body: str) -> Text:
    quote = '"' if "'" in body and '"' not in body else "'"
    return Text(f"{prefix}{quote}{body}{quote}", ATOM, Fields(body))


# Yield, intrinsics and imports


def yielded(scene: Scene, slots: Slots) -> Text:
    """`{value:yield}`: what YIELD_VALUE leaves: the value sent."""
    value = scene.one(slots[0])
    if value.startswith("<yielded by "):  # inside await and yield from
        return Text("<sent>")
    return Text(f"(yield {value})")


def intrinsic(scene: Scene) -> Text:
    """`{operand:intrinsic}`: what CALL_INTRINSIC_1 and _2 call."""
    name = str(scene.argument).removeprefix("INTRINSIC_")
    first, *more = scene.operands
    if name == "LIST_TO_TUPLE":
        return _tuple(first)
    if name == "UNARY_POSITIVE":
        return Text(f"+{first.within(UNARY)}", UNARY)
    if name in _SAME:
        return first
    if name in _CALLS:
        return _call(_CALLS[name], first, *more)
    words = name.lower().replace("_", " ")
    return Text(f"<{words} of {', '.join(scene.operands)}>")


# They give back their (first) operand: wrapped, completed, or (an exception) perhaps replaced.
_SAME = frozenset(
    {
        "ASYNC_GEN_WRAP",
        "SET_FUNCTION_TYPE_PARAMS",
        "SET_TYPEPARAM_DEFAULT",
        "STOPITERATION_ERROR",
    }
)
_CALLS = {
    "PRINT": "sys.displayhook",
    "TYPEVAR": "TypeVar",
    "PARAMSPEC": "ParamSpec",
    "TYPEVARTUPLE": "TypeVarTuple",
    "TYPEVAR_WITH_BOUND": "TypeVar",
    "TYPEVAR_WITH_CONSTRAINTS": "TypeVar",
    "TYPEALIAS": "TypeAliasType",
}


def _call(function: str, *arguments: Text) -> Text:
    return Text(f"{function}({', '.join(arguments)})")


def module(scene: Scene) -> Text:
    """`{operand:module}`: what IMPORT_NAME gives: without names to import, the top package."""
    name = str(scene.argument)
    level = scene.one("level").origin
    dots = level.value if isinstance(level, Literal) and isinstance(level.value, int) else 0
    if scene.one("fromlist") == "None":
        name = name.partition(".")[0]
    return Text("." * min(dots, 9) + name)


def operator_of(scene: Scene) -> Text:
    """`{operand:is}`, `{operand:in}`: the operator; the table of operands knows the words."""
    assert isinstance(scene.argument, Text)
    return scene.argument


OF_OPERAND: dict[str, Callable[[Scene], Text]] = {
    "intrinsic": intrinsic,
    "module": module,
    "is": operator_of,
    "in": operator_of,
}
OF_SLOTS: dict[str, Callable[[Scene, Slots], Text]] = {
    "append": appended,
    "binary": binary,
    "convert": converted,
    "extend": extended,
    "format": formatted,
    "function": function,
    "interpolation": interpolation,
    "inverted": inverted,
    "pairs": pairs,
    "slice": slice_of,
    "starred": starred,
    "double starred": double_starred,
    "string": string,
    "template": template,
    "tuple": to_tuple,
    "yield": yielded,
}
