"""Values on the way back to their sources, and what instructions and calls are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coscope.audits.dynamic.flows.meaning import meanings_of
from coscope.audits.dynamic.flows.scope import Scope
from coscope.audits.dynamic.flows.sources import kind_of_path
from coscope.audits.subject.calls import Call
from coscope.flow.domains.makers import Makers, slot_of_maker
from coscope.model import Code, Span

_DIRECTIVE = re.compile(r"%(?:\(\w*\))?[#0\- +]*[\d*]*(?:\.[\d*]+)?[hlL]?(\w)")
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """One value on the way back, and the one that is made of it.

    Attributes:
        scope: Where it is.
        maker: The instruction that makes it, or what a variable holds at first.
        above: The next one on the way to the sink; None for the argument itself.
        entered: The calls through which functions of the file were entered, the last one last.
        path: It is the name of the file that is read, not its content.
        chars: It becomes text by its code points: numbers are no longer harmless.
        callers: How many functions were left towards their callers.
        at: The instruction that hands it on to another function; None: one below does.
    """

    scope: Scope
    maker: int
    above: Place | None
    entered: tuple[tuple[Scope, Call], ...] = ()
    path: bool = False
    chars: bool = False
    callers: int = 0
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from.

    Attributes:
        kind: One of the kinds in `sources.py`.
        text: "the parameter x", "the result of f()".
        place: Where; the way to the sink begins there.
        reason: Why it is harmless or meant; "" if it is not.
        name: Of a parameter.
    """

    kind: str
    text: str
    place: Place
    reason: str = ""
    name: str = ""


def arguments(inside: Scope, call: Call, caller: Scope) -> dict[int, list[Makers]]:
    """What a call gives for each parameter of a function, by slot; an unknown place for starred."""
    names = inside.parameters()
    code = inside.code
    shift = 0
    if inside.is_method() and code.localsplusnames[0] in ("self", "cls", "mcs"):
        attributes = [at for at in call.callee if at >= 0]
        shift = any(caller.access(at) == "read attribute" for at in attributes)
    found: dict[int, list[Makers]] = {}
    rest = code.argcount + code.kwonlyargcount
    for at, makers in enumerate(call.positional, int(shift)):
        slot = at if at < code.argcount else (rest if code.flags & 0x4 else None)
        if slot is not None:
            found.setdefault(slot, []).append(makers)
    for name, makers in call.keywords:
        slot = names.get(name)
        if slot is None and code.flags & 0x8:
            slot = rest + bool(code.flags & 0x4)
        if slot is not None:
            found.setdefault(slot, []).append(makers)
    for makers in starred(caller, call):
        for slot in names.values():
            found.setdefault(slot, []).append(makers)
    return found


def starred(scope: Scope, call: Call) -> list[Makers]:
    """The tuple and the dict of a call with stars."""
    if not call.starred:
        return []
    effect, operands = scope.takers[call.index]
    return [*effect.operand(operands, "callargs"), *effect.operand(operands, "kwargs")]


def is_given(scope: Scope, call: Call, code: Code) -> bool:
    """True if a function is an argument of a call."""
    given = [*call.positional, *(value for _, value in call.keywords)]
    return any(_makes(scope, makers, code) for makers in given)


def _makes(scope: Scope, makers: Makers, code: Code) -> bool:
    return any(at >= 0 and scope.made_code(at) is code for at in makers)


def others(scope: Scope, call: Call, code: Code) -> Iterator[Makers]:
    """The other arguments of a call that is given a function, and its receiver."""
    given = [*call.positional, *(value for _, value in call.keywords)]
    yield from (makers for makers in given if not _makes(scope, makers, code))
    for at in call.callee:
        if at >= 0 and scope.access(at) == "read attribute":
            yield scope.owner(at)


def plain(path: str) -> str:
    """A meaning without the marks of parameters, calls and items."""
    return path.removeprefix("?").replace("()", "").replace("[]", "")


def is_module(meanings: Iterable[str]) -> bool:
    return any(each[:1] != "?" and "()" not in each for each in meanings)


def is_arithmetic(scope: Scope, index: int, operands: tuple[Makers, ...]) -> bool:
    """True for an operation that no text has."""
    name = scope.row_name(index)
    shown = scope.code.instructions.argrepr(index)
    if name in ("BINARY_SUBTRACT", "BINARY_POWER", "BINARY_TRUE_DIVIDE", "UNARY_NEGATIVE"):
        return True
    return name == "BINARY_OP" and shown.rstrip("=") in ("-", "**", "//", ">>", "<<", "@")


def picked(operands: tuple[Makers, ...], index: int, name: str, place: Place) -> tuple[Makers, ...]:
    """The operands that one of several results is made of."""
    slot = getattr(place.maker, "slot", None)
    if slot is None or name not in ("UNPACK_SEQUENCE", "UNPACK_EX") or not operands:
        return operands
    held = [at for at in operands[0] if at >= 0]
    scope = place.scope
    if len(held) == 1 and scope.row_name(held[0]) in ("BUILD_TUPLE", "BUILD_LIST"):
        parts = scope.takers[held[0]][1] if held[0] in scope.takers else ()
        width = len(parts)
        at = width - 1 - slot  # the first name of the row takes what lies on top
        if 0 <= at < width:
            return (parts[at],)
    return operands


def text_of(place: Place) -> str:
    """A value as the source has it, or as the bytecode tells it."""
    return text_at(place.scope, place.maker)


def text_at(scope: Scope, index: int, longest: int = 64) -> str:
    """The source text of what an instruction makes; its name without source."""
    if index < 0:
        slot = slot_of_maker(index)
        return "?" if slot is None else scope.code.localsplusnames[slot]
    span = scope.subject.span(index)
    found = scope.subject.text(span) or _lines_of(scope, span)
    if not found:
        stack = scope.subject.stack(index + 1)
        found = str(stack[-1]) if stack else scope.code.instructions.argrepr(index)
    found = " ".join(found.split())
    return found if len(found) <= longest else f"{found[: longest - 3]}..."


def _lines_of(scope: Scope, span: Span) -> str:
    """The source text of a range of several lines, as far as it is needed."""
    source = scope.subject.unit.source
    if source is None or span.lineno is None or span.col_offset is None:
        return ""
    last = min(span.end_lineno or span.lineno, span.lineno + 3)
    lines = [line.strip() for line in source.lines[span.lineno - 1 : last]]
    first = source.lines[span.lineno - 1].encode("utf-8", "surrogatepass") if lines else b""
    start = first[span.col_offset :].decode("utf-8", "replace").strip()
    return " ".join([start, *lines[1:]])


def owners_of(scope: Scope, call: Call) -> list[Makers]:
    """The receivers of a call of a method."""
    return [
        scope.owner(at)
        for at in sorted(call.callee)
        if at >= 0 and scope.access(at) == "read attribute"
    ]


def is_made(scope: Scope, makers: Makers, kind: str) -> bool:
    """True if a value is what a call gives that is a source of this kind itself."""
    return any(
        "()" in each and kind_of_path(plain(each)) == kind for each in meanings_of(scope, makers)
    )


def takes_numbers(scope: Scope, owners: list[Makers]) -> bool:
    """True for a constant template of which every field takes a number: "{:d}"."""
    template = scope.constant(owners[0]) if owners else None
    if not isinstance(template, str):
        return False
    fields = _FIELD.findall(template.replace("{{", "").replace("}}", ""))
    return bool(fields) and all(each[-1:] in tuple("dxXobeEfFgGn%") for each in fields)


def method_of(scope: Scope, call: Call) -> str | None:
    """The name of the method that is called; None for a function."""
    for at in call.callee:
        if at >= 0 and scope.access(at) == "read attribute":
            return scope.name(at)
    return None


def is_template_of_numbers(scope: Scope, operands: tuple[Makers, ...]) -> bool:
    """True for a constant template of `%` that takes numbers alone: "%d"."""
    template = scope.constant(operands[0])
    if not isinstance(template, str):
        return False
    kinds = set(_DIRECTIVE.findall(template.replace("%%", "")))
    return bool(kinds) and kinds <= set("diouxXeEfFgG")
