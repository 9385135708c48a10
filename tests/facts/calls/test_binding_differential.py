"""Random signatures and calls: they bind as CPython binds them when it really calls."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coscope
from coscope.facts.calls.binding import Binding, explain

CALLS = 10  # of each signature
SAMPLE = 2_000  # pairs of a signature and a call
ALL = 100_000

# Names near to one another, so that keywords are misspelled, and one that is not ASCII.
NAMES = ("a", "b", "key", "keys", "kye", "Key", "width", "widht", "height", "weight", "größe", "_x")
OTHERS = ("widths", "KEY", "zz", "grösse", "hieght", "args", "self", "cls", "", "not a name")
SORTS = ("function", "method", "static", "class", "instance", "partial", "new")

Signature = tuple[str, str]  # sort, source text between the parentheses


class Marker:
    """A value that is equal to nothing else and may be asked for nothing."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a value was compared")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise AssertionError("a value was shown by its own code")


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    names = list(draw(st.permutations(NAMES)))
    sizes = st.sampled_from((0, 0, 1, 1, 2, 3, 4))
    only, plain, keyword = draw(sizes), draw(sizes), draw(sizes)
    defaults = draw(st.integers(0, only + plain))
    star, stars = draw(st.booleans()), draw(st.booleans())
    parts = []
    for index in range(only + plain):
        default = "=DEFAULTS.pop()" if index >= only + plain - defaults else ""
        parts.append(names.pop() + default)
        if index == only - 1:
            parts.append("/")
    if star:
        parts.append("*rest")
    elif keyword:
        parts.append("*")
    parts += [names.pop() + draw(st.sampled_from(("", "=DEFAULTS.pop()"))) for _ in range(keyword)]
    if stars:
        parts.append("**others")
    return draw(st.sampled_from(SORTS)), ", ".join(parts)


def calls_of(parameters: tuple[str, ...]) -> st.SearchStrategy[tuple[int, tuple[str, ...]]]:
    """How many positional arguments, and the keywords: names of parameters, or not."""
    keyword = st.sampled_from((*parameters, *parameters, *NAMES, *OTHERS))
    return st.tuples(
        st.sampled_from((0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 9)),
        st.lists(keyword, max_size=5, unique=True).map(tuple),
    )


class Made:
    """A callable of the signature, which keeps the locals of each call."""

    def __init__(self, signature: Signature) -> None:
        sort, text = signature
        self.kept: list[dict[str, Any]] = []
        namespace: dict[str, Any] = {
            "DEFAULTS": [Marker() for _ in range(12)],
            "keep": self.kept.append,
        }
        first = {"method": "self", "class": "self", "instance": "self", "new": "cls"}.get(sort)
        name = {"class": "__init__", "instance": "__call__", "new": "__new__"}.get(sort, "given")
        listed = ", ".join(filter(None, (first, text)))
        lines = [f"def {name}({listed}): keep(locals())"]
        if sort in ("method", "class", "instance", "new", "static"):
            decorated = ["@staticmethod"] if sort == "static" else []
            lines = ["class Owner:", *(f"    {line}" for line in decorated + lines)]
        exec("\n".join(lines), namespace)
        self.callable = self._callable(sort, namespace)

    def _callable(self, sort: str, namespace: dict[str, Any]) -> Callable[..., Any]:
        owner = namespace.get("Owner")
        if owner is None:
            given: Callable[..., Any] = namespace["given"]
            if sort == "partial":
                return functools.partial(given, Marker(), key=Marker(), zz=Marker())
            return given
        if sort in ("class", "new"):
            made: Callable[..., Any] = owner
            return made
        return owner() if sort == "instance" else owner().given  # type: ignore[no-any-return]


def same(expected: Any, actual: Any) -> bool:
    """The same object, or *args or **kwargs with the same objects in the same order."""
    if type(expected) is tuple and type(actual) is tuple and len(expected) == len(actual):
        return all(map(same, expected, actual))
    if type(expected) is dict and type(actual) is dict and list(expected) == list(actual):
        return all(map(same, expected.values(), actual.values()))
    return expected is actual


def check(made: Made, count: int, keywords: tuple[str, ...]) -> str | None:
    """Compare one call; give the error of both."""
    args = [Marker() for _ in range(count)]
    kwargs = {name: Marker() for name in keywords}

    binding = explain(made.callable, args, kwargs)

    made.kept.clear()
    error = None
    try:
        made.callable(*args, **kwargs)
    except TypeError as raised:
        error = str(raised)
    assert error == binding.error
    if error is None:
        (frame,) = made.kept
        compare_frames(frame, binding)
    return error


def compare_frames(frame: dict[str, Any], binding: Binding) -> None:
    bound = binding.values
    assert list(frame) == list(bound)
    for name, value in frame.items():
        fresh = type(value).__name__ == "Owner" and bound[name] is None  # made by the real call
        assert fresh or same(value, bound[name])


def check_signature(data: st.DataObject) -> list[str | None]:
    signature = data.draw(signatures())
    made = Made(signature)
    parameters = tuple(
        part.split("=")[0] for part in signature[1].split(", ") if part[:1] not in ("/", "*", "")
    )
    several = data.draw(st.lists(calls_of(parameters), min_size=CALLS, max_size=CALLS))
    return [check(made, count, keywords) for count, keywords in several]


def run(pairs: int) -> Counter[str]:
    """Compare that many pairs; give how often each outcome came."""
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=pairs // CALLS,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def every_pair(data: st.DataObject) -> None:
        outcomes.update(outcome(error) for error in check_signature(data))

    every_pair()
    return outcomes


OUTCOMES = (
    "accepted",
    "missing 1 required positional",
    "missing 2 required positional",
    "missing 3 required positional",
    "missing 1 required keyword-only",
    "missing 2 required keyword-only",
    "unexpected keyword argument",
    "multiple values for argument",
    "positional-only arguments passed as keyword",
    "(and 1 keyword-only argument)",
    "takes from",
    "positional argument but",
    "positional arguments but",
)


def outcome(error: str | None) -> str:
    return next((text for text in OUTCOMES if text in (error or "accepted")), "other")


def test_a_sample_of_calls_binds_as_they_do() -> None:
    outcomes = run(SAMPLE)

    assert set(OUTCOMES[:10]) <= set(outcomes)


@pytest.mark.exhaustive
def test_a_hundred_thousand_calls_bind_as_they_do() -> None:
    outcomes = run(ALL)

    print(sum(outcomes.values()), dict(outcomes))  # for docs/measurements.md: run with -s
    assert set() == set(OUTCOMES) - set(outcomes)
    assert sum(outcomes.values()) >= ALL


def test_the_comparison_would_see_a_wrong_message() -> None:
    made = Made(("function", "a, b"))

    binding = explain(made.callable, [1])

    assert "given() missing 1 required positional argument: 'b'" == binding.error
    assert coscope.read(made.callable).code.argcount == 2
