"""`coscope.explain`: words, origins, chains, bounds, secrets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import coscope
from coscope.errors import InputError
from coscope.explanations.explaining import BUDGET
from coscope.explanations.secrets import is_secret


def explained(function: Callable[[], object]) -> coscope.Diagnosis:
    try:
        function()
    except BaseException as error:
        return coscope.explain(error)
    raise AssertionError("nothing was raised")


def test_where_a_none_came_from() -> None:
    def fail(orders: Any, key: str) -> Any:
        order = orders.get(key)
        return order.total

    found = explained(lambda: fail({"a": 1}, "b"))
    line = fail.__code__.co_firstlineno + 1

    assert found.words == (
        "`order` is None, which has no attribute `total`.",
        f"`order` is None since line {line}: `orders.get(key)`.",
        "`get` returns None if the key is missing and no default is given.",
    )


def test_an_argument_is_followed_to_where_it_came_from() -> None:
    def price(order: Any) -> Any:
        return order.total

    def checkout(cart: Any, order: Any) -> Any:
        return price(order)

    def main() -> Any:
        first = {}.get(1)  # type: ignore[var-annotated]
        return checkout([], first)

    words = explained(main).words
    line = main.__code__.co_firstlineno

    assert any("checkout passed it at line" in each and "`order`" in each for each in words)
    assert any("main passed it at line" in each and "`first`" in each for each in words)
    assert words[-1] == f"`first` is None since line {line + 1}: `{{}}.get(1)`."


def test_origins_depend_on_the_path() -> None:
    def fail(flag: bool) -> Any:
        value: Any = 3
        if flag:
            value = dict.get({}, 1)
        return value.name

    (operand,) = explained(lambda: fail(True)).stops[-1].operands
    line = fail.__code__.co_firstlineno

    # `3` cannot have given None.
    assert [(line + 3, "dict.get({}, 1)")] == [(each.line, each.text) for each in operand.origins]


def test_what_a_finally_block_replaced_is_not_known() -> None:
    def fail() -> Any:
        value: Any = [1]
        try:
            return value["a"]
        finally:
            value = {"a": 1}

    (operand,) = explained(fail).stops[-1].operands

    assert ("value", None, None) == (operand.text, operand.value, operand.when)


def test_what_a_walrus_replaced_is_not_known() -> None:
    def fail(value: Any) -> Any:
        return value + (value := [2])

    operands = explained(lambda: fail("a")).stops[-1].operands

    assert [("value", None)] == [(each.text, each.value) for each in operands if each.role == "lhs"]


def test_a_cell_may_have_changed() -> None:
    def fail() -> Any:
        value: Any = 1

        def inner() -> Any:
            return value + "a"

        return inner()

    (operand,) = explained(fail).stops[-1].operands

    assert ("value", "now") == (operand.text, operand.when)


def _a() -> Any:
    if sys.platform == "none":
        late = 1
    return late


def _near_key() -> Any:
    data = {"alpha": 1, "beta": 2}
    return data["alhpa"]


def _other_type() -> Any:
    data = {1: "a"}
    return data["1"]


def _deleted() -> Any:
    value = 1
    del value
    return value  # noqa: F821


def _end_of_except() -> Any:
    try:
        raise ValueError
    except ValueError as error:
        print(error)
    return error  # noqa: F821


def _cell() -> Any:
    def inner() -> Any:
        return later

    inner()
    later = 1
    return later


def _wrong() -> Any:
    def target(a: int, *, key: int) -> int:
        return a + key

    return target(1, 2)  # type: ignore[call-arg,misc]


def _recursion(n: int = 0) -> Any:
    return _recursion(n + 1)


def _generator() -> Any:
    def items() -> Any:
        yield next(iter(()))

    return list(items())


def _unpacked() -> Any:
    pairs = {"a": 1}
    for key, value in pairs:  # type: ignore[str-unpack]
        print(key, value)


def _finally() -> Any:
    try:
        1 / 0  # noqa: B018
    finally:
        {}["x"]  # type: ignore[var-annotated]


def _assertion() -> Any:
    count = len([1, 2])
    assert count == 3


def _zero() -> Any:
    divisor = 0
    return 1 / divisor


def _library() -> Any:
    import json

    text = "{"
    return json.loads(text)


WORDS: list[tuple[Callable[[], Any], str]] = [
    (_a, "`late` is assigned at line"),
    (_near_key, "Similar keys that it has: 'alpha'."),
    (_other_type, "It has 1, of type int."),
    (_deleted, "`value` was deleted at line"),
    (_end_of_except, "the name of `except ... as` ends with its block"),
    (_cell, "`later` is a variable of an enclosing function, which has not assigned it yet."),
    (_wrong, "takes 1 positional argument but 2 were given."),
    (_recursion, "_recursion was called again and again"),
    (_generator, "A `next()` inside the generator found nothing"),
    (_unpacked, "Iterating over a dict gives its keys; `.items()` gives pairs."),
    (_finally, "in the `finally` block, while the ZeroDivisionError of line"),
    (_zero, "The divisor `divisor` is 0."),
    (_library, "which your code called: `json.loads(text)`."),
]


@pytest.mark.parametrize(
    ("function", "sentence"), WORDS, ids=lambda each: getattr(each, "__name__", "")
)
def test_plain_words(function: Callable[[], Any], sentence: str) -> None:
    found = explained(function)

    assert () == found.notes
    assert sentence in " ".join(found.words)


def test_causes_and_groups() -> None:
    def fail() -> None:
        try:
            raise ExceptionGroup("many", [ValueError("a"), KeyError("b")])
        except ExceptionGroup as error:
            raise RuntimeError("late") from error

    found = explained(fail)
    (cause,) = found.related

    assert ("cause", "ExceptionGroup") == (cause.relation, cause.explanation.type_name)
    members = [(each.relation, each.explanation.type_name) for each in cause.explanation.related]
    assert [("member", "ValueError"), ("member", "KeyError")] == members
    assert "many (2 sub-exceptions)" == cause.explanation.message


def test_a_recursion_is_shown_once() -> None:
    found = explained(_recursion)

    assert 6 > len(found.stops)
    assert 100 < max(stop.repeated for stop in found.stops)


def test_causes_that_form_a_circle_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert 1 == len(coscope.explain(first).related)


def test_secrets_are_hidden_everywhere() -> None:
    def fail(config: Any) -> Any:
        api_key = config["api_key"]
        return api_key + 1

    found = explained(lambda: fail({"api_key": "sk-live-123456", "user": "ann"}))

    assert "sk-live-123456" not in str(found)
    assert "sk-live" not in str(found.to_json())
    assert "<redacted>" in str(found)


def test_names_of_secrets() -> None:
    secret = ["password", "DB_PASSWORD", "apiKey", "auth-token", "sessionid", "pass"]
    plain = ["passenger", "monkey", "key", "author", "tokenizer", "compass"]

    assert (secret, []) == (list(filter(is_secret, secret)), list(filter(is_secret, plain)))


def test_a_secret_that_is_cut_is_hidden_too() -> None:
    def fail(config: Any) -> Any:
        return config.missing

    secret = "0123456789abcdef" * 20
    text = str(explained(lambda: fail({"other": 1, "nested": {"password": secret}})))

    assert "0123456789" not in text


def test_what_is_no_exception_is_refused() -> None:
    with pytest.raises(InputError):
        coscope.explain("text")  # type: ignore[arg-type]


def test_the_exception_that_is_being_handled() -> None:
    try:
        raise KeyError("a")
    except KeyError:
        assert "KeyError" == coscope.explain().type_name


def test_without_time_the_places_are_left() -> None:
    try:
        _zero()
    except ZeroDivisionError as error:
        found = coscope.explain(error, budget=-1.0)

    assert "_zero" == found.stops[-1].function
    assert any("time was used up" in note for note in found.notes)
    assert BUDGET > 0


def test_a_failure_of_ours_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise OSError("broken")

    monkeypatch.setattr("coscope.explanations.explaining.stop_of", broken)
    found = explained(_zero)

    assert "ZeroDivisionError" == found.type_name
    assert any("OSError: broken" in note for note in found.notes)
    assert "_zero" == found.stops[-1].function


def test_syntax_errors_have_a_place() -> None:
    found = explained(lambda: compile("a = (1,\nb = = 2\n", "made.py", "exec"))

    assert "made.py" == found.stops[-1].file
    assert found.stops[-1].lines


def test_code_without_source_says_so() -> None:
    namespace: dict[str, Any] = {}
    exec("def fail(a):\n    return a.b + 1\n", namespace)
    stop = explained(lambda: namespace["fail"](None)).stops[-1]

    assert ("a.b", ()) == (stop.expression, stop.lines)
    assert any("bytecode alone" in note for note in stop.notes)


def test_the_forms() -> None:
    bundle = explained(_zero)._repr_mimebundle_()

    assert {"text/plain", "text/html", "application/vnd.coscope+json"} == set(bundle)
    assert "ZeroDivisionError" in str(bundle["text/html"])
