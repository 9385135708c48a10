"""What a change of constants left: loads of the compiler's own, and literals that nothing loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from types import FunctionType

from coscope.errors import CoscopeError, hidden_for
from coscope.model import Code, Source
from coscope.patcher.applying.apply import chosen_codes, tree_of
from coscope.patcher.applying.finding import Found, find
from coscope.patcher.applying.literals import Load, Sources, loads_of
from coscope.patcher.applying.matching import Exchange
from coscope.patcher.applying.unfound import lines_text
from coscope.patcher.edits.model import ANYWHERE, AnyEdit, AtOnce, ReplaceConstant
from coscope.patcher.edits.selection import short
from coscope.readers.from_function import file_of, source_that_ran
from coscope.readers.stated import Place, Statement, place_of, stated

__tracebackhide__ = hidden_for


def sources_of(function: FunctionType, code: Code) -> Sources:
    """What gives the source of a live function, once it is asked for and if it is the one."""
    file = file_of(function, code)

    @cache
    def source() -> Source | None:
        return source_that_ran(code, file)[0]

    return source


def remarks(code: Code, edits: Iterable[AnyEdit], sources: Sources) -> tuple[str, ...]:
    """What edits of constants left as it was, in words.

    Args:
        code: Before the edits.
        edits: They could be made.
        sources: Gives its source.
    """
    told: dict[str, None] = {}
    for edit in edits:
        for each in edit.edits if isinstance(edit, AtOnce) else (edit,):
            if isinstance(each, ReplaceConstant):
                told |= dict.fromkeys(_remarks(code, each, sources))
    return tuple(told)


def _remarks(code: Code, edit: ReplaceConstant, sources: Sources) -> Iterator[str]:
    order = tree_of(code)
    try:
        chosen = chosen_codes(order, edit)
    except CoscopeError:  # an edit before this one made what it names
        return
    for each in order:
        if id(each) in chosen:
            found = find(each, edit, sources)
            yield from _left(each, found)
            source = sources()
            if source is not None and edit.where == ANYWHERE and edit.index is None:
                yield from _not_loaded(each, edit, found, source)


def _left(code: Code, found: Found) -> Iterator[str]:
    old = short(found.exchange.old)
    for loads, why in (
        (found.made, "the compiler made {}"),
        (found.unsure, "nothing tells whether the source states {}"),
    ):
        if loads:
            one = len(loads) == 1
            yield (
                f"{len(loads)} load{'' if one else 's'} of {old} in {code.qualname} "
                f"{'is' if one else 'are'} left, {lines_text(code, loads)}: "
                f"{why.format('it' if one else 'them')}; compiler_made=True changes "
                f"{'it' if one else 'them'} too"
            )


def _not_loaded(code: Code, edit: ReplaceConstant, found: Found, source: Source) -> Iterator[str]:
    """Literals of the source that the edit did not reach."""
    changed = [*found.hit, *(found.holding if edit.folded == "replace" else ())]
    spans = code.instructions.positions
    reached = {place for load in changed if (place := place_of(spans[load.use.at]))}
    places = stated(source, code, found.exchange.matches)
    if edit.folded == "replace":
        yield from _made_more(code, found, places)
    # A `return None` out of a `with` block has a position that is not its own.
    elsewhere = bool(
        {place_of(spans[load.use.at]) for load in found.hit} - {p.place for p in places}
    )
    for statement in places:
        if statement.place in reached and statement.decides:
            text = _cut(statement.text)
            yield (
                f"{short(found.exchange.old)} in `{text}` on line {statement.place[0]} decided, "
                "when it was compiled, what is evaluated: that is as it was"
            )
        if statement.place in reached or (statement.returned and elsewhere):
            continue
        inside = any(_within(statement.place, place) for place in reached)
        if inside and not statement.operand:
            continue
        yield f"{short(found.exchange.old)} {where_else(code, statement, found.exchange)}"


def _made_more(code: Code, found: Found, places: list[Statement]) -> Iterator[str]:
    """Constants that hold the literal more often than the source states it: `(1,) * 3`."""
    spans = code.instructions.positions
    for load in found.holding:
        span = place_of(spans[load.use.at])
        if span is not None:
            stated_here = sum(_within(each.place, span) for each in places)
            if stated_here < found.exchange.count_in(load.value):
                yield (
                    f"the constant {short(load.value)} on line {span[0]} held "
                    f"{short(found.exchange.old)} more often than the source states it"
                )


def where_else(code: Code, statement: Statement, exchange: Exchange) -> str:
    """Where a source states a literal that is not loaded as such, and what became of it."""
    text = f" in `{_cut(statement.text)}`" if statement.text else ""
    place = f"also stands{text} on line {statement.place[0]}"
    folded = folded_into(code, statement, exchange)
    if folded is not None:
        return f"{place}, which the compiler folded into {short(folded.value)}: patch that one"
    if statement.tested:
        return f"{place}, a test that loads nothing: it is as it was"
    return f"{place}, where no instruction loads it: that is as it was"


def folded_into(code: Code, statement: Statement, exchange: Exchange) -> Load | None:
    """The load of the smallest constant that the compiler made of a literal and others."""
    spans = code.instructions.positions
    found: list[tuple[int, Load]] = []
    for load in loads_of(code):
        span = place_of(spans[load.use.at])
        if span is None or exchange.matches(load.value) or isinstance(load.value, Code):
            continue
        if _within(statement.place, span) and _within(span, statement.around):
            found.append((span[3] - span[2] if span[0] == span[1] else 1 << 16, load))
    return min(found, key=lambda each: each[0])[1] if found else None


def _within(inner: Place, outer: Place) -> bool:
    first, last, start, stop = inner
    top, bottom, left, right = outer
    return (top, left) <= (first, start) and (last, stop) <= (bottom, right)


def stated_folded(
    code: Code, exchange: Exchange, source: Source
) -> Iterator[tuple[Statement, Load | None]]:
    """Where a source states a literal that no instruction loads as such, and what is loaded."""
    for statement in stated(source, code, exchange.matches):
        yield statement, folded_into(code, statement, exchange)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 50 else f"{line[:47]}..."
