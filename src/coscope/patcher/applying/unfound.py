"""What is said of a constant that no chosen instruction loads, or that is part of another one."""

from __future__ import annotations

from collections.abc import Iterator

from coscope.errors import AmbiguousEdit, ConstantNotFound, PatchError, Refused, hidden_for
from coscope.model import Code, Constant, FrozenSet
from coscope.patcher.applying.finding import Found
from coscope.patcher.applying.literals import Load, loads_of
from coscope.patcher.applying.matching import Exchange, is_equal
from coscope.patcher.applying.pools import key
from coscope.patcher.edits.model import ANYWHERE, ReplaceConstant
from coscope.patcher.edits.selection import short

__tracebackhide__ = hidden_for

_MOST_LINES = 8


def folded(code: Code, old: Constant, holding: list[Load]) -> AmbiguousEdit:
    """The error for a constant that is part of others."""
    first = holding[0]
    return AmbiguousEdit(
        f"{short(old)} is also part of the constant {short(first.value)}, which the compiler made",
        code=code.qualname,
        line=code.instructions.positions[first.use.at][0],
        found=f"{len(holding)} such load{'s' if len(holding) > 1 else ''}",
        hint=(
            "Say folded='replace' to change it there too, folded='leave' to leave it, "
            "or choose instructions with `where`."
        ),
    )


def not_found(code: Code, edit: ReplaceConstant, found: Found, docstring: int | None) -> PatchError:
    """The error for a constant that no chosen instruction loads."""
    exchange, ours = found.exchange, found.ours
    old = exchange.old
    if docstring is not None and exchange.matches(code.consts[docstring]):
        return Refused(
            f"{short(old)} is the docstring",
            code=code.qualname,
            found=f"no other use of constant {docstring}",
            hint="Set the function's __doc__ instead.",
        )
    every = list(loads_of(code))
    similar = {key(load.value): load.value for load in ours if _is_similar(load.value, old)}
    containers = {key(load.value): load.value for load in ours if exchange.is_held_by(load.value)}
    nested = _nested_with(code, exchange)
    among = "chosen instruction" if len(ours) < len(every) else "instruction"
    left = (*found.made, *found.unsure)
    elsewhere = [load for load in every if exchange.matches(load.value) and load not in ours]
    problem = ConstantNotFound(
        f"no {among} of {code.name!r} loads {short(old)}"
        + (" as a literal of the source" if left else ""),
        code=code.qualname,
        line=edit.where.line,
        found=_left(code, found),
        hint=_elsewhere(code, edit, old, elsewhere)
        or (_COMPILERS if left else _advice(similar, containers, nested)),
    )
    problem.value = old
    problem.similar = tuple(similar.values())
    problem.containers = tuple(containers.values())
    problem.nested = nested
    problem.free_variables = code.freevars
    return problem


_COMPILERS = "The compiler made these loads for itself; compiler_made=True changes them too."


def _left(code: Code, found: Found) -> str | None:
    left = (*found.made, *found.unsure)
    if not left:
        return None
    s = "" if len(left) == 1 else "s"
    return f"{len(left)} load{s} that the compiler made, {lines_text(code, left)}"


def _elsewhere(code: Code, edit: ReplaceConstant, old: Constant, loads: list[Load]) -> str | None:
    """Where it is loaded, if `where` or `index` chooses other instructions."""
    if not loads or (edit.where == ANYWHERE and edit.index is None):
        return None
    return f"{short(old)} is loaded {lines_text(code, loads)}."


def lines_text(code: Code, loads: list[Load] | tuple[Load, ...]) -> str:
    """The lines of some loads, in words."""
    spans = code.instructions.positions
    lines = sorted({line for load in loads if (line := spans[load.use.at][0]) is not None})
    if not lines:
        return "without a line"
    shown = ", ".join(map(str, lines[:_MOST_LINES])) + (", ..." if lines[_MOST_LINES:] else "")
    return f"on line{'s' if len(lines) > 1 else ''} {shown}"


def _nested_with(code: Code, exchange: Exchange) -> tuple[str, ...]:
    """Names of the nested code objects that load the constant."""
    return tuple(
        inner.qualname
        for inner in _inside(code)
        if any(exchange.matches(load.value) for load in loads_of(inner))
    )


def _inside(code: Code) -> Iterator[Code]:
    """The code objects nested in a code object, each once."""
    seen = {id(code)}
    pending = [code]
    while pending:
        for constant in pending.pop().consts:
            if isinstance(constant, Code) and id(constant) not in seen:
                seen.add(id(constant))
                pending.append(constant)
                yield constant


def _is_similar(value: Constant, old: Constant) -> bool:
    """True for what somebody may have meant: 1.0 for 1, 30 for "30", b"a" for "a"."""
    if is_equal(value, old):
        return True
    kinds = {type(value), type(old)}
    if kinds == {int, str} or kinds == {float, str}:
        return str(value) == str(old)
    if kinds == {bytes, str}:
        text, data = (value, old) if type(value) is str else (old, value)
        return bool(str(text).encode("utf-8", "surrogatepass") == data)
    return False


def _advice(
    similar: dict[str, Constant], containers: dict[str, Constant], nested: tuple[str, ...]
) -> str | None:
    if similar:
        values = ", ".join(f"{type(value).__name__} {short(value)}" for value in similar.values())
        numbers = not any(type(value) in (str, bytes) for value in similar.values())
        return f"It loads {values}, which " + (
            "matches with loose=True." if numbers else "is of another type."
        )
    if containers:
        first = next(iter(containers.values()))
        kind = " (a set or list in the source may be one)" if isinstance(first, FrozenSet) else ""
        return (
            f"It is part of the constant {short(first)}{kind}: replace that, or say "
            "folded='replace'."
        )
    if nested:
        return f"{nested[0]!r} does: say nested=True, or give its qualified name as `code`."
    return None
