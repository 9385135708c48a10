"""How a partial, or a partialmethod, puts its own arguments before and among those of a call."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from coscope.facts.calls.parameters import Arguments, Given
from coscope.facts.calls.reached import Reached, called
from coscope.readers.attributes import MISSING
from coscope.readers.values import text_of, value_of

PLACEHOLDER: object = getattr(functools, "Placeholder", MISSING)  # 3.14


def _added(held: Sequence[object], pairs: Sequence[tuple[object, object]]) -> str:
    """The arguments that a partial holds, as in a call."""
    words = [text_of(value) for value in held if value is not PLACEHOLDER]
    words += [f"{key}={text_of(value)}" for key, value in pairs]
    return ", ".join(words) or "nothing"


def partially_called(
    reached: Reached,
    function: object,
    held: Sequence[object],
    keywords: Mapping[object, object],
    arguments: Arguments,
    what: str = "functools.partial",
) -> Arguments | None:
    """The arguments with which the function of a partial is called; None: the call is refused."""
    given = list(arguments.positional)
    positional = []
    empty = sum(value is PLACEHOLDER for value in held)
    kind = what.rpartition(".")[2]
    if len(given) < empty:
        reached.fail(
            f"missing positional arguments in '{kind}' call; "
            f"expected at least {empty}, got {len(given)}"
        )
        return None
    for index, value in enumerate(held):
        if value is PLACEHOLDER:
            positional.append(given.pop(0))
        else:
            positional.append(Given(value_of(value), f"argument {index + 1} of the {kind}"))
    pairs: list[tuple[object, object]] = list(dict.items(keywords))  # type: ignore[arg-type]
    named: dict[object, Given] = {
        _key(key): Given(value_of(value), f"keyword {text_of(key)} of the {kind}")
        for key, value in pairs
    }
    replaced = [_key(key) for key, _ in arguments.keywords if _key(key) in named]
    named.update((_key(key), value) for key, value in arguments.keywords)
    text = f"{what} adds {_added(held, pairs)} to the call of {called(function)}"
    if replaced:
        text += f"; the call's own {', '.join(map(str, replaced))} replaces what it holds"
    reached.through(text)
    return Arguments((*positional, *given), tuple(named.items()))


def _key(key: object) -> object:
    """A keyword that can be looked up without a user's `__eq__` or `__hash__`."""
    return str.__str__(key) if isinstance(key, str) else id(key)
