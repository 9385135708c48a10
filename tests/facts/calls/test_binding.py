"""`call`: every message of CPython, and the way from any callable to its slots."""

from __future__ import annotations

import abc
import collections
import copy
import functools
import json
import operator
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coscope.cli.arguments import literals
from coscope.errors import TargetError
from coscope.facts.calls import wording
from coscope.facts.calls.binding import Binding, call, explain
from coscope.opcodes import table
from coscope.readers import read
from tests import interpreters

HOST = call(lambda: 0).stages[0].function.code.version
SUGGESTS = {"3.11": False, "3.12": False, "3.13": True, "3.14": True, "3.15": True}[HOST]


def real_error(fn: Any, /, *args: Any, **kwargs: Any) -> str | None:
    """What CPython says when the call really happens."""
    try:
        fn(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return None


def texts(binding: Binding) -> list[str]:
    return [step.text for step in binding.steps]


# Messages, one signature for all


def area(alpha, beta=1, /, gamma=2, *, delta, epsilon=3):  # type: ignore[no-untyped-def]
    return alpha


def pair(left, right):  # type: ignore[no-untyped-def]
    return left


def many(a, b, c, d):  # type: ignore[no-untyped-def]
    return a


def named(*, one, two, three):  # type: ignore[no-untyped-def]
    return one


def nothing():  # type: ignore[no-untyped-def]
    return None


Q = "got an unexpected keyword argument"
CASES: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str | None]] = [
    (area, (1,), {"delta": 2}, None),
    (area, (), {}, "area() missing 1 required positional argument: 'alpha'"),
    (area, (1,), {}, "area() missing 1 required keyword-only argument: 'delta'"),
    (
        area,
        (1, 2, 3, 4, 5),
        {},
        "area() takes from 1 to 3 positional arguments but 5 were given",
    ),
    (
        area,
        (1, 2, 3, 4),
        {"delta": 1},
        "area() takes from 1 to 3 positional arguments but 4 positional arguments "
        "(and 1 keyword-only argument) were given",
    ),
    (
        area,
        (1, 2, 3, 4),
        {"delta": 1, "epsilon": 2},
        "area() takes from 1 to 3 positional arguments but 4 positional arguments "
        "(and 2 keyword-only arguments) were given",
    ),
    (
        area,
        (1,),
        {"beta": 2, "delta": 1},
        "area() got some positional-only arguments passed as keyword arguments: 'beta'",
    ),
    (
        area,
        (),
        {"zz": 0, "beta": 2, "alpha": 1},
        "area() got some positional-only arguments passed as keyword arguments: 'alpha, beta'",
    ),
    (area, (1, 2, 3), {"gamma": 4}, "area() got multiple values for argument 'gamma'"),
    (area, (1,), {"zzzzzz": 4}, f"area() {Q} 'zzzzzz'"),
    (pair, (), {}, "pair() missing 2 required positional arguments: 'left' and 'right'"),
    (pair, (1,), {"left": 2}, "pair() got multiple values for argument 'left'"),
    (pair, (1, 2, 3), {}, "pair() takes 2 positional arguments but 3 were given"),
    (many, (), {}, "many() missing 4 required positional arguments: 'a', 'b', 'c', and 'd'"),
    (many, (1,), {"c": 1}, "many() missing 2 required positional arguments: 'b' and 'd'"),
    (many, (1,), {}, "many() missing 3 required positional arguments: 'b', 'c', and 'd'"),
    (nothing, (1,), {}, "nothing() takes 0 positional arguments but 1 was given"),
    (
        named,
        (),
        {},
        "named() missing 3 required keyword-only arguments: 'one', 'two', and 'three'",
    ),
    (named, (), {"one": 1}, "named() missing 2 required keyword-only arguments: 'two' and 'three'"),
    (
        named,
        (1,),
        {"one": 1},
        "named() takes 0 positional arguments but 1 positional argument "
        "(and 1 keyword-only argument) were given",
    ),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "message"), CASES)
def test_the_message_is_cpythons(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], message: str | None
) -> None:
    binding = call(function, *args, **kwargs)

    assert message == binding.error
    assert message == real_error(function, *args, **kwargs)


@pytest.mark.parametrize(
    "keyword", ["gama", "Gamma", "epsilom", "dleta", "gämma", "alpha1", "\ud800"]
)
def test_a_misspelled_keyword_is_suggested_where_the_version_does(keyword: str) -> None:
    binding = explain(area, [1], {keyword: 1})

    assert real_error(area, 1, **{keyword: 1}) == binding.error
    assert SUGGESTS is table(HOST).wording.suggests


def test_a_keyword_that_is_no_string_is_refused() -> None:
    binding = explain(area, [1], [(1, 2)])

    assert "keywords must be strings" == binding.error


def test_a_keyword_given_twice_is_refused_before_the_call() -> None:
    binding = explain(area, [1], [("delta", 2), ("delta", 3)])

    assert f"{__name__}.area() got multiple values for keyword argument 'delta'" == binding.error


def test_counts_that_do_not_fit_the_defaults_are_taken_as_cpython_takes_them() -> None:
    def short(a):  # type: ignore[no-untyped-def]
        return a

    short.__defaults__ = (1, 2, 3)

    assert 3 == call(short).values["a"]
    assert real_error(short, 1, 2) == call(short, 1, 2).error
    assert "short() takes from -2 to 1" in str(call(short, 1, 2).error).replace(
        "test_counts_that_do_not_fit_the_defaults_are_taken_as_cpython_takes_them.<locals>.", ""
    )


# Slots


def test_every_slot_says_where_its_value_comes_from() -> None:
    def full(a, b=2, /, c=3, *rest, d, e=5, **others):  # type: ignore[no-untyped-def]
        return a

    binding = call(full, 10, 20, 30, 40, 50, d=60, z=70)

    assert [
        (0, "a", "positional-only", "10", "argument 1"),
        (1, "b", "positional-only", "20", "argument 2"),
        (2, "c", "positional-or-keyword", "30", "argument 3"),
        (3, "d", "keyword-only", "60", "keyword 'd'"),
        (4, "e", "keyword-only", "5", "the default"),
        (5, "rest", "*args", "(40, 50)", "2 arguments left over"),
        (6, "others", "**kwargs", "{'z': 70}", "1 unknown keyword"),
    ] == [(s.slot, s.name, s.kind, s.value and s.value.text, s.origin) for s in binding.slots]
    assert ["positional"] * 3 + ["left over", "keyword", "unknown keyword", "default", "enter"] == [
        step.kind for step in binding.steps
    ]


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ((), {}, "alpha: no argument and no default"),
        ((1,), {}, "delta: no keyword argument and no default"),
        ((1, 2, 3, 4), {}, "3 slots for 4 positional arguments, and there is no *args"),
        ((1,), {"beta": 2}, "beta is positional-only (before the '/')"),
        ((1, 2, 3), {"gamma": 4}, "keyword 'gamma' is for slot 2, which argument 3 fills"),
        (
            (1,),
            {"zz": 4},
            "no parameter has the name zz, and there is no **kwargs: "
            "those that can be given are gamma, delta, epsilon",
        ),
    ],
)
def test_a_refused_call_says_why(args: tuple[Any, ...], kwargs: dict[str, Any], why: str) -> None:
    last = call(area, *args, **kwargs).steps[-2:]

    assert [("check", why), "error"] == [(last[0].kind, last[0].text), last[1].kind]


def test_the_slots_of_a_refused_call_are_those_filled_before_the_error() -> None:
    binding = call(pair, 1, 2, 3)

    assert [1, 2] == list(binding.values.values())
    assert "error" == binding.steps[-1].kind


# The way to the function


class Shape:
    def __init__(self, width, height=1):  # type: ignore[no-untyped-def]
        self.width = width

    def scale(self, by):  # type: ignore[no-untyped-def]
        return by

    @classmethod
    def square(cls, side):  # type: ignore[no-untyped-def]
        return side

    @staticmethod
    def plain(x):  # type: ignore[no-untyped-def]
        return x

    def __call__(self, x, y):  # type: ignore[no-untyped-def]
        return x


class Single:
    def __new__(cls, *args):  # type: ignore[no-untyped-def]
        return object.__new__(cls)

    def __init__(self, only):  # type: ignore[no-untyped-def]
        self.only = only


class Bare:
    pass


class Abstract(abc.ABC):
    @abc.abstractmethod
    def one(self) -> None: ...

    @abc.abstractmethod
    def two(self) -> None: ...


class Meta(type):
    def __call__(cls, thing):  # type: ignore[no-untyped-def]
        return thing


class ByMeta(metaclass=Meta):
    pass


@functools.lru_cache
def cached(a, b):  # type: ignore[no-untyped-def]
    return a


class ByPartial:
    __call__ = functools.partial(pair, 1)


class ByMethod:
    __call__ = Shape(1).scale


class ByInstance:
    __call__ = Shape(1)


class ByStatic:
    __call__ = staticmethod(pair)


class ByClass:
    @classmethod
    def __call__(cls, a):  # type: ignore[no-untyped-def]
        return a


class ByNone:
    __call__ = None


def ways() -> Iterator[tuple[str, Any, tuple[Any, ...], dict[str, Any]]]:
    shape = Shape(1)
    partial = functools.partial(pair, 1)
    yield "bound method", shape.scale, (), {}
    yield "bound method by keyword", shape.scale, (), {"self": 1}
    yield "class method", Shape.square, (1, 2), {}
    yield "static method", shape.plain, (1, 2), {}
    yield "instance", shape, (1,), {}
    yield "instance whose call is a partial", ByPartial(), (2, 3), {}
    yield "instance whose call is a bound method", ByMethod(), (1, 2), {}
    yield "instance whose call is an instance", ByInstance(), (1,), {}
    yield "instance whose call is a static method", ByStatic(), (1,), {}
    yield "instance whose call is a class method", ByClass(), (1, 2), {}
    yield "instance whose call is None", ByNone(), (), {}
    yield "class", Shape, (), {}
    yield "class, accepted", Shape, (1,), {}
    yield "class with __new__", Single, (1, 2), {}
    yield "class without a constructor", Bare, (1,), {}
    yield "class without a constructor, by keyword", Bare, (), {"a": 1}
    yield "abstract class", Abstract, (), {}
    yield "abstract class with arguments", Abstract, (1,), {}
    yield "metaclass", ByMeta, (), {}
    yield "partial", partial, (2, 3), {}
    yield "partial by keyword", partial, (), {"left": 2}
    yield "partial of a partial", functools.partial(partial, 2), (3,), {}
    yield "partial replaced", functools.partial(pair, right=2), (1,), {"right": 3}
    yield "partial of a class", functools.partial(Shape, 1), (2, 3), {}
    yield "cache", cached, (1,), {}
    yield "number", 5, (), {}
    yield "instance that is not callable", Bare(), (1,), {}
    yield "C type that is not callable", collections.deque(), (), {}
    yield "module with a function of its name", copy, (), {}
    yield "static method object", staticmethod(pair), (1,), {}
    yield "class method object", classmethod(pair), (1,), {}
    yield "lambda", lambda x: x, (), {}


@pytest.mark.filterwarnings("ignore:functools.partial will be a method descriptor")
@pytest.mark.parametrize(
    ("fn", "args", "kwargs"), [w[1:] for w in ways()], ids=[w[0] for w in ways()]
)
def test_any_callable_is_followed_as_cpython_follows_it(
    fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    binding = call(fn, *args, **kwargs)

    assert real_error(fn, *args, **kwargs) == binding.error


def test_the_steps_name_the_way() -> None:
    shape = Shape(1)

    assert "bound method" in texts(call(shape.scale, 1))[0]
    assert "the bound object fills slot 0, self" == texts(call(shape.scale, 1))[1]
    assert shape is call(shape.scale, 1).values["self"]
    assert "the new instance fills slot 0, self" == texts(call(Shape, 1))[2]
    assert ["Single.__new__", "Single.__init__"] == [
        stage.function.qualname for stage in call(Single, 1).stages
    ]
    assert Shape is call(Shape.square, 1).values["cls"]
    assert (
        "functools.partial adds 1 to the call of pair"
        == texts(call(functools.partial(pair, 1), 2))[0]
    )


@pytest.mark.skipif(not hasattr(functools, "Placeholder"), reason="3.14")
def test_the_placeholders_of_a_partial_are_filled_first() -> None:
    hole = getattr(functools, "Placeholder")  # noqa: B009
    partial = functools.partial(many, hole, 2, hole, 4)

    assert {"a": 1, "b": 2, "c": 3, "d": 4} == call(partial, 1, 3).values
    assert real_error(partial, 1) == call(partial, 1).error


@pytest.mark.parametrize("fn", [len, dict, "".join, operator.itemgetter(1), list[int]])
def test_whether_c_code_takes_a_call_is_left_open(fn: Any) -> None:
    binding = call(fn, [])

    assert ("if", None, ()) == (binding.outcome, binding.error, binding.stages)
    assert binding.steps[-1].kind == "if"


class Lying:
    """Whatever it is asked for in Python, it raises."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    def __call__(self, x):  # type: ignore[no-untyped-def]
        raise AssertionError

    __repr__ = __eq__ = __hash__ = __call__  # type: ignore[assignment]


def test_nothing_of_the_user_runs() -> None:
    lying = Lying()

    binding = call(lying, Lying())

    assert binding.accepted
    assert lying is binding.values["self"]
    assert "raises" not in str(binding)


# Targets


def test_a_name_is_imported_and_bound_as_attribute_access_binds_it() -> None:
    assert call("json:dumps", 1, indent=2).accepted
    assert (
        "JSONEncoder.encode() missing 1 required positional argument: 'o'"
        == call("json:JSONEncoder.encode", 1).error
    )
    assert "fromkeys" in str(call("collections:Counter.fromkeys", 1).target)
    assert call("collections:Counter.fromkeys", 1).accepted


def test_a_file_is_bound_without_running_it(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("raise SystemExit\ndef f(a, *, b): pass\n")

    binding = call(f"{file}::f", 1)

    assert "f() missing 1 required keyword-only argument: 'b'" == binding.error
    assert binding.object is None
    assert "decorators are not applied" in binding.warnings[0]


def test_defaults_of_a_file_are_read_as_written(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("class K:\n    @undefined\n    def f(self, a, b=1 / 0, *, c, d=[2]): pass\n")

    binding = call(f"{file}::K.f", 1, 2, c=3)

    assert [("b", "1 / 0"), ("d", "[2]")] == [
        (s.name, s.value.text) for s in binding.slots if s.value and s.origin == "the default"
    ]
    assert "K.f() missing 1 required positional argument: 'a'" == call(f"{file}::K.f", 1, c=3).error


def test_what_read_gives_is_taken() -> None:
    assert "pair() missing 1 required positional argument: 'right'" == call(read(pair), 1).error


def test_what_read_leaves_out_is_said() -> None:
    binding = call(read(Shape(1).scale), 1)

    assert "Shape.scale() missing 1 required positional argument: 'by'" == binding.error
    assert "bound method.__func__" in binding.warnings[0]


def test_wrappers_are_followed_where_asked() -> None:
    @functools.wraps(pair)
    def wrapper(*args, **kwargs):  # type: ignore[no-untyped-def]
        return pair(*args, **kwargs)

    message = "pair() missing 1 required positional argument: 'right'"

    assert [2, 1] == [len(explain(wrapper, [1], unwrap=way).stages) for way in (False, True)]
    assert [message] * 2 == [explain(wrapper, [1], unwrap=way).error for way in (False, True)]


def test_partials_in_a_circle_are_an_error() -> None:
    partial = functools.partial(pair)
    partial.__setstate__((partial, (), {}, {}))  # type: ignore[attr-defined]

    with pytest.raises(TargetError):
        call(partial)
    partial.__setstate__((pair, (), {}, {}))  # type: ignore[attr-defined]


# Words of other versions


def test_before_310_the_plain_name_stands_in_a_message() -> None:
    assert ["name", "qualname"] == [table(v).wording.function for v in ("3.9", "3.10")]


OLD = """
class K:
    def f(self, a, b=1, *, key, other=2): pass

def g(alpha, beta, /, gamma): pass
"""
OLD_CALLS = (
    ("K.f", "0"),
    ("K.f", "0, 1, 2, 3"),
    ("K.f", "0, 1, 2, 3, key=4"),
    ("K.f", "0, 1, kye=2"),
    ("K.f", "0, 1, a=2"),
    ("K.f", "0, 1"),
    ("K.f", "0, 1, key=2"),
    ("g", "1, beta=2"),
    ("g", "1, 2, gama=2"),
    ("g", ""),
)
_ASK = """
import json, sys
namespace = {}
exec(open(sys.argv[1]).read(), namespace)
for name, text in json.loads(sys.argv[2]):
    try:
        eval(name + "(" + text + ")", namespace)
        print("null")
    except TypeError as error:
        print(json.dumps(str(error)))
"""


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_a_file_is_bound_in_the_words_of_its_version(version: str, tmp_path: Path) -> None:
    python = interpreters.require(version)
    file = tmp_path / "old.py"
    file.write_text(OLD)
    words = [str(python), "-c", _ASK, str(file), json.dumps(OLD_CALLS)]
    answer = subprocess.run(words, capture_output=True, encoding="utf-8", check=True).stdout

    for (name, text), line in zip(OLD_CALLS, answer.splitlines(), strict=True):
        given = literals(text)
        binding = explain(f"{file}::{name}", given.positional, given.keywords, python=str(python))

        assert json.loads(line) == binding.error


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("widht", ["height", "width"], "width"),
        ("Width", ["width"], "width"),
        ("w", ["width"], None),
        ("width", ["width"], None),  # itself is never suggested
        ("abcdef", ["abcdeg", "abcdeh"], "abcdeg"),  # the first of equal ones
        ("x" * 100, ["x" * 99 + "y"], "x" * 99 + "y"),  # common ends are cut off first
        ("ab" * 30, ["ba" * 30], None),  # too long to be compared
        ("key", ["key1"] * 750, None),  # too many to be compared
        ("\ud800", ["a"], None),
    ],
)
def test_suggestions_are_those_of_cpython(
    name: str, candidates: list[str], expected: str | None
) -> None:
    assert expected == wording.suggestion(candidates, name)


# As a result


def test_it_prints_and_dumps() -> None:
    binding = call(area, 1, 2, 3, 4, delta=5)

    document = binding.to_json()

    assert binding.error == document["raises"]["message"]
    assert ["alpha", "beta", "gamma", "delta", "epsilon"] == [
        slot["name"] for slot in document["stages"][0]["slots"]
    ]
    assert str(binding).startswith("area(1, 2, 3, 4, delta=5)   raises TypeError\n")
    html = binding._repr_mimebundle_(["text/html"])["text/html"].split("</style>")[1]

    assert "<" not in re.sub(r"</?(div|pre|span|b)\b[^>]*>", "", html)
