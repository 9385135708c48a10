"""`signature`: what is reported, what binds, calls on which the two differ, and the chain."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from coscope.facts.signatures.counterexamples import Witness
from coscope.facts.signatures.shapes import refusal
from coscope.facts.signatures.signatures import Signatures, signature
from tests.facts.signatures import wrapped as w
from tests.render.documents import schema

ANYTHING = "(*args, **kwargs)"

# Target, reported, binding, the binding is all that its code says.
CASES: list[tuple[Any, str | None, str | None, bool]] = [
    (w.plain, "(a, b=2, /, c=3, *, d, e=5)", "(a, b=2, /, c=3, *, d, e=5)", True),
    (w.faithful_pair, "(a, b)", "(a, b)", True),
    (w.bare_pair, ANYTHING, "(a, b)", True),
    (w.injected, "(a, b)", "(b)", True),
    (w.twice_injected, "(a, b)", "()", True),
    (w.shifted, "(a, b)", "(first, a, b)", True),
    (w.either_pair, "(a, b)", "(a, b)", True),
    (w.popping, "(a, b)", "(a, b)", False),
    (w.slicing, "(a, b)", "(a, b)", False),
    (w.overriding, "(a, b)", "(a)", False),
    (w.cleaning, "(a, b)", "(b)", True),
    (w.swallowing, "(a, b)", "(b)", False),
    (w.conditional, "(a, b)", "(b)", False),
    (w.only, "(a, b)", "(value)", False),
    (w.more, "(a, b)", "(a, b, *, timeout=10)", True),
    (w.positional, "(a, b)", "(a, b, /)", True),
    (w.named, "(a, b)", "(*, a, b)", True),
    (w.ignoring, "(a, b)", ANYTHING, True),
    (w.with_token, "(a, token, b=1)", "(a, *, b=1)", True),
    (w.with_token_last, "(a, *, token, b=1)", "(a, *, b=1)", True),
    (w.sized, "(size=10)", "(size=20)", True),
    (w.fetch, "(url)", "(url)", True),
    (w.awaited, "(conn, url)", "(url)", True),
    (w.items, "(count)", "(count)", True),
    (w.managed, "(a, *, b=1)", "(*args, **kwds)", False),
    (w.cached, "(a, b=1)", "(a, b=1)", True),
    (w.dispatched, "(a, b=1)", "(*args, **kw)", False),
    (w.Method.plain, "(self, a, b=1)", "(self, a, b=1)", True),
    (w.Method().plain, "(a, b=1)", "(a, b=1)", True),
    (w.Method().injected, "(a)", "()", True),
    (w.Method().kept, "(a)", "(a)", True),
    (w.Method.of_class, "(a)", "(a)", True),
    (w.Method.static, "(a)", "(a)", True),
    (w.Method().on, ANYTHING, "(a, b=1)", True),
    (w.decorated_by_class, "(a, b)", "(b)", True),
    (w.Decorator, "(fn)", "(fn)", True),
    (w.Base, "(a, *, b=1)", "(a, *, b=1)", True),
    (w.Derived, ANYTHING, "(a, *, b=1)", True),
    (w.Derived.__init__, "(self, *args, **kwargs)", "(self, a, *, b=1)", False),
    (w.Further, "(extra, *args, **kwargs)", "(extra, a, *, b=1)", True),
    (w.Rootless, ANYTHING, "()", True),
    (w.Made, "(a)", "(a)", True),
    (w.MadeTwice, "(a, b=1)", "(a, b=1)", False),
    (w.OfMeta, ANYTHING, "(a)", True),
    (w.Data, "(a, b=1, *, c=2)", "(a, b=1, *, c=2)", True),
    (w.Tuple, "(a, b=1)", "(a, b=1)", True),
    (w.Named, "(a, b)", "(a, b)", True),
    (w.untrue, "(a, b)", "(a)", True),
    (w.true, "(*args)", "(*args)", False),
    (w.odd, None, "(a)", True),
    (w.computed, None, "(a)", True),
    (w.partial, "(b=2, /, c=3, *, d=4, e=5)", "(b=2, /, c=3, *, d=4, e=5)", True),
    (w.partial_of_injected, "(b)", "()", True),
    (w.partial_by_name, "(*, a=1, b)", "(*, a=1, b)", True),
    (w.misfit, None, None, False),
    (len, "(obj, /)", None, False),
]


def _name(case: Any) -> str | None:
    return getattr(case, "__qualname__", None) if callable(case) else None


@pytest.mark.parametrize(("target", "reported", "binding", "exact"), CASES, ids=_name)
def test_reported_beside_binding(
    target: Any, reported: str | None, binding: str | None, exact: bool
) -> None:
    found = signature(target)
    texts = [None if s is None else s.text for s in (found.reported, found.binding)]

    assert [reported, binding, exact] == [*texts, found.exact]


def _finish(result: Any) -> None:
    """Run a coroutine that awaits nothing but others of its kind."""
    if inspect.iscoroutine(result):
        with pytest.raises(StopIteration):
            result.send(None)


def real_error(target: Any, witness: Witness) -> str | None:
    """What CPython says when the call really happens."""
    positional, keywords = witness.values
    try:
        _finish(target(*positional, **keywords))
    except TypeError as error:
        return str(error)
    return None


def said_by_inspect(target: Any, witness: Witness) -> bool:
    positional, keywords = witness.values
    try:
        inspect.signature(target).bind(*positional, **keywords)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("target", [case[0] for case in CASES], ids=_name)
def test_every_witness_is_reproduced_by_a_real_call(target: Any) -> None:
    for witness in signature(target).witnesses:
        assert witness.code == real_error(target, witness)
        assert said_by_inspect(target, witness) == (witness.reported is None)
        assert (witness.reported is None) != (witness.code is None)


def calls(found: Signatures) -> set[str]:
    return {witness.arguments for witness in found.witnesses}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (w.plain, set()),
        (w.faithful_pair, set()),
        (w.bare_pair, {"", "unexpected=1"}),
        (w.only, {"1, 2", "a=1, b=2"}),
        (w.ignoring, {"", "1"}),
        (w.Derived, {"", "unexpected=1", "1, 2"}),
        (w.Rootless, {"1"}),
        (w.MadeTwice, {"1, 2", "1, b=2"}),
        (w.untrue, {"1", "1, 2", "a=1, b=2"}),
        (w.popping, set()),
        (w.conditional, {"1"}),  # whether it calls or not, it takes this
        (w.swallowing, {"1"}),
        (w.managed, set()),
        (w.Abstract, set()),
        (w.Derived.__init__, set()),  # another class may come next in the order of a subclass
        (w.Method.__eq__, set()),
    ],
    ids=_name,
)
def test_witnesses(target: Any, expected: set[str]) -> None:
    found = signature(target)

    assert expected & calls(found) == expected
    assert bool(expected) == bool(found.witnesses)
    assert found.agree == (not found.witnesses)


def test_what_a_coroutine_rejects_is_told_when_it_is_awaited() -> None:
    found = [each for each in signature(w.awaited).witnesses if each.code is not None]

    assert {"awaited"} == {each.when for each in found}


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (w.odd, "unexpected object 7 in __signature__ attribute"),
        (w.computed, "__signature__ is computed by a function, which is not run"),
        (w.misfit, "the partial object has incorrect arguments"),
        (7, "7 is not a callable object"),
    ],
)
def test_why_nothing_is_reported(target: Any, problem: str) -> None:
    found = signature(target)

    assert (None, problem) == (found.reported, found.problem)


def changes(target: Any, at: int = 0) -> tuple[str, ...]:
    return signature(target).chain[at].changes


MISSING = "functools.wraps is missing: name, documentation and signature are its own"
UNSEEN = "its code is not seen to call what __wrapped__ names"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (w.faithful_pair, ()),
        (w.bare_pair, (MISSING, "the name pair becomes wrapper")),
        (w.injected, ("it adds 'connection' to the call",)),
        (w.positional, ()),
        (w.shifted, ()),
        (w.popping, ("it changes the arguments before it passes them on",)),
        (
            w.conditional,
            ("it adds 1 to the call", "some paths through its code return without the call"),
        ),
        (w.ignoring, (UNSEEN,)),
        (w.only, ("fn(value) is refused: missing a required argument: 'b'",)),
        (w.sized, ("the default of size is 20, inside 10",)),
        (
            w.fetch,
            ("a coroutine function becomes a function: inspect.iscoroutinefunction says no",),
        ),
        (w.awaited, ("it adds 1 to the call",)),
        (w.items, ("a generator function becomes a function",)),
        (
            w.managed,
            ("a generator function becomes a function, which is what the decorator is for", UNSEEN),
        ),
    ],
    ids=_name,
)
def test_what_a_link_loses_or_changes(target: Any, expected: tuple[str, ...]) -> None:
    assert expected == changes(target)


def test_a_wrapped_that_is_not_what_the_code_calls() -> None:
    fn = w.bare(w.pair)  # type: ignore[no-untyped-call]
    fn.__wrapped__ = w.plain
    told = "__wrapped__ names plain, but its code calls another callable"

    assert told in changes(fn)


def test_the_chain_of_two_decorators_leads_to_the_function() -> None:
    chain = signature(w.twice_injected).chain

    assert [w.twice_injected, w.twice_injected.__wrapped__, w.pair] == [
        each.object for each in chain
    ]
    assert ["", *["calls fn('connection', *args, **kwargs)"] * 2] == [each.how for each in chain]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (w.cached, ["functools.lru_cache", "function"]),
        (w.partial, ["functools.partial", "function"]),
        (w.Method().plain, ["bound method", "function"]),
        (w.Derived, ["class", "function", "bound method", "function"]),
        (w.OfMeta, ["class", "function", "builtin", "function"]),
        (w.Rootless, ["class", "function", "builtin"]),
        (
            w.decorated_by_class,
            ["instance of tests.facts.signatures.wrapped.Decorator", "function", "function"],
        ),
        (vars(w.Method)["static"], ["staticmethod", "function"]),
        (vars(w.Method)["value"], ["property", "function"]),
        (len, ["builtin"]),
    ],
    ids=_name,
)
def test_kinds_of_links(target: Any, expected: list[str]) -> None:
    assert expected == [link.kind for link in signature(target).chain]


def test_flavours_along_the_chain() -> None:
    assert ["coroutine", "coroutine"] == [x.flavour for x in signature(w.awaited).chain]
    assert ["function", "generator"] == [x.flavour for x in signature(w.items).chain]


def test_a_builtin_has_no_code_object() -> None:
    found = signature(len)

    assert ("text signature of len",) == found.sources
    assert found.binding is None
    assert ["there is no code object: it is written in C, and only its text is known"] == [
        *found.warnings
    ]


def test_an_abstract_class_is_said_to_be_one() -> None:
    assert "abstract" in " ".join(signature(w.Abstract).warnings)


def test_wrappers_in_a_circle_end() -> None:
    def fn(*args: Any) -> None: ...

    fn.__wrapped__ = fn  # type: ignore[attr-defined]
    found = signature(fn)

    assert "wrapper loop when unwrapping" == found.problem
    assert 1 == len(found.chain)


class Hostile:
    """Fails the test if anything of it runs."""

    def __call__(self, a: int) -> None:
        raise AssertionError("called")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise AssertionError("shown")


def test_nothing_of_the_callable_runs() -> None:
    found = signature(Hostile())
    problem = "would be asked of tests.facts.signatures.test_signatures.Hostile.__getattr__"

    assert problem in (found.problem or "")
    assert found.binding is not None
    assert "(a)" == found.binding.text


def test_hostile_defaults_and_annotations_are_not_run() -> None:
    hostile = Hostile()

    def fn(a: Any = hostile, *, b: Any = hostile) -> None: ...

    fn.__annotations__ = {"a": hostile}
    found = signature(w.faithful(fn))  # type: ignore[no-untyped-call]

    assert found.agree
    assert str(found)


def test_a_file_is_told_without_running_it() -> None:
    found = signature(f"{Path(w.__file__)}::plain")

    assert found.binding is not None
    assert "(a, b, /, c, *, d, e)" == found.binding.text
    assert found.reported is None


def test_a_live_name_is_imported() -> None:
    found = signature("tests.facts.signatures.wrapped:injected")

    assert "tests.facts.signatures.wrapped:injected" == found.target
    assert not found.agree


def test_the_page_and_the_document() -> None:
    found = signature(w.injected)
    document = found.to_json()

    assert "signature" == document["command"]
    assert "(b)" == document["binding"]["shape"]["text"]
    assert {"reported", "code", "arguments"} <= set(document["witnesses"][0])
    assert "the code rejects calls that are reported as accepted" in str(found)
    assert max(map(len, str(found).splitlines())) <= 100
    assert "<span" in found._repr_mimebundle_()["text/html"]


def test_partialmethod_and_lru_cache_as_inspect_has_them() -> None:
    for target in (w.Method.part, w.Method().part, functools.lru_cache(w.pair)):
        found = signature(target)

        assert found.reported is not None
        assert len(inspect.signature(target).parameters) == len(found.reported.parameters)


@pytest.mark.parametrize("target", [case[0] for case in CASES], ids=_name)
def test_every_document_keeps_to_the_schema(target: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    whole = schema()
    part = {"$ref": "#/$defs/signature_document", "$defs": whole["$defs"]}
    found = json.loads(json.dumps(signature(target).to_json()))

    assert [] == [e.message for e in jsonschema.Draft202012Validator(part).iter_errors(found)]


def small_calls(names: list[str]) -> list[tuple[int, tuple[str, ...]]]:
    """Calls with up to four positional arguments and up to two keywords."""
    keywords = [(), *((name,) for name in names), *itertools.combinations(names, 2)]
    return [(count, given) for count in range(5) for given in keywords]


@pytest.mark.parametrize("target", [case[0] for case in CASES if case[3]], ids=_name)
def test_an_exact_binding_admits_what_really_binds(target: Any) -> None:
    found = signature(target)
    assert found.binding is not None
    names = ["a", "b", "d", "unexpected", *(p.name for p in found.binding.parameters)]
    wrong = []
    for count, given in small_calls(list(dict.fromkeys(names))):
        witness = Witness(count, given, None, None, None, "called")
        admitted = refusal(found.binding, count, given) is None
        if admitted != (real_error(target, witness) is None):
            wrong.append(witness.arguments)

    assert [] == wrong


@pytest.mark.parametrize("target", [case[0] for case in CASES if case[1]], ids=_name)
def test_a_shape_admits_what_inspect_binds(target: Any) -> None:
    shape = signature(target).reported
    assert shape is not None
    names = ["a", "b", "d", "unexpected", *(p.name for p in shape.parameters)]
    for count, given in small_calls(list(dict.fromkeys(names))):
        witness = Witness(count, given, None, None, None, "called")

        assert said_by_inspect(target, witness) == (refusal(shape, count, given) is None)


def test_an_unpacked_parameter_is_the_caller_s_choice() -> None:
    def pick(*items: object, key: object = None) -> object:
        return items, key

    def listed(items: tuple[object, ...], **named: object) -> object:
        return pick(*items, **named)

    def chosen(named: dict[str, object], *items: object) -> object:
        return pick(*items, **named)

    assert () == signature(listed).witnesses
    assert () == signature(chosen).witnesses
