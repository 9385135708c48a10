"""How `signature` compares with `inspect.signature`, and with real calls of stubs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from coscope.facts.signatures.reported import reported
from coscope.facts.signatures.shapes import Shape
from coscope.facts.signatures.signatures import Signatures
from tests.facts.signatures.stub_chain import real_error

KINDS = ("positional-only", "positional-or-keyword", "*args", "keyword-only", "**kwargs")
EMPTY = inspect.Parameter.empty  # as a default it is one that inspect cannot tell


def callables_of(module: Any) -> Iterator[Any]:
    """What a module and the classes in it hold that can be called."""
    for value in list(vars(module).values()):
        if callable(value):
            yield value
        if isinstance(value, type):
            yield from filter(callable, list(vars(value).values()))


def parameters_of(thing: Any) -> Any:
    """The answer of `inspect.signature`; None if it has none."""
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [(p.name, KINDS[p.kind], None if p.default is EMPTY else id(p.default)) for p in found]


def ours(shape: Shape) -> Any:
    found = []
    for parameter in shape.parameters:
        default = parameter.default
        told = None if default is None or default.object is EMPTY else id(default.object)
        found.append((parameter.name, parameter.kind, told))
    return found


def without_identities(parameters: Any) -> Any:
    """Defaults of a text signature are made anew for each reader."""
    return parameters and [(name, kind, default is None) for name, kind, default in parameters]


def compare(thing: Any) -> str:
    """How the two answers about one callable compare."""
    answer = reported(thing)
    expected = parameters_of(thing)
    if answer.shape is None:
        if expected is None:
            return "equal"
        left_open = ("is computed by", "would be asked of", "would have to run")
        if any(each in (answer.problem or "") for each in left_open):
            return "left open"
        return "missing"
    from_text = any(source.startswith("text signature") for source in answer.sources)
    if expected is None:  # inspect evaluates the names in such a text, and may fail
        return "text shown" if from_text else "inspect has none"
    actual = ours(answer.shape)
    if from_text:
        actual, expected = without_identities(actual), without_identities(expected)
    return "equal" if actual == expected else "different"


def unconfirmed(found: Signatures) -> list[str]:
    """Witnesses that `inspect` or a call of stubs contradicts."""
    wrong = []
    for witness in found.witnesses:
        positional, keywords = witness.values
        try:
            inspect.signature(found.object).bind(*positional, **keywords)
            said = None
        except TypeError as error:
            said = str(error)
        real = real_error(found, positional, keywords)
        if (said is None) != (witness.reported is None) or (
            real is not ... and (real is None) != (witness.code is None)
        ):
            wrong.append(f"{found.target}({witness.arguments}): {said}; {real}; {witness}")
    return wrong
