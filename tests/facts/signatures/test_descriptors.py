"""Signatures of what descriptors of functools give, of circles, and of untrue `__signature__`."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import pytest

from coscope.facts.signatures.signatures import signature


class K:
    def base(self, x, y=0):  # type: ignore[no-untyped-def]
        return x, y

    bound = functools.partialmethod(base, y=3)
    first = functools.partialmethod(base, 1)

    @functools.singledispatchmethod
    def chosen(self, arg, *, deep=False):  # type: ignore[no-untyped-def]
        return arg


k = K()


@pytest.mark.parametrize(
    "name", ["K.bound", "K.first", "K.chosen", "k.bound", "k.first", "k.chosen"]
)
def test_the_reported_signature_is_that_of_inspect(name: str) -> None:
    owner, _, attribute = name.partition(".")
    thing: Any = getattr(globals()[owner], attribute)
    found = signature(f"{__name__}:{name}")

    assert found.reported is not None
    assert str(inspect.signature(thing)) == found.reported.text


def test_a_circle_of_wrapped_is_said_once() -> None:
    def first(x: int) -> int:
        return x

    def second(x: int, y: int) -> int:
        return x + y

    first.__wrapped__ = second  # type: ignore[attr-defined]
    second.__wrapped__ = first  # type: ignore[attr-defined]

    found = signature(first)

    assert "wrapper loop when unwrapping" == found.problem
    assert 2 == len(found.sources)
    assert 30 > len(str(found).splitlines())
    with pytest.raises(ValueError, match="wrapper loop"):
        inspect.signature(first)


def untrue(*args: Any) -> Any:
    return args


untrue.__signature__ = inspect.signature(lambda a, b: None)  # type: ignore[attr-defined]


def test_an_untrue_signature_over_args_is_reported() -> None:
    found = signature(untrue)

    assert {"", "1", "a=1, b=2"} <= {each.arguments for each in found.witnesses}
    assert ((),) == (untrue(),)
    with pytest.raises(TypeError):
        inspect.signature(untrue).bind()


def test_a_call_that_shows_a_difference_names_what_it_calls() -> None:
    page = str(signature(f"{__name__}:K.bound"))

    assert "  K.bound(self=1, x=2)" in page.splitlines()
