"""What travels with a function: sizes, verdicts, and the path to the first culprit."""

from __future__ import annotations

import array
import builtins
import functools
import importlib.util
import io
import json
import pickle
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coscope.errors import TargetError
from coscope.facts.shipping.captures import Capture, Captured, Verdict, capture
from coscope.readers import read
from tests.facts.shipping import annotated_wrapper
from tests.facts.shipping.shipped import (
    LOCK,
    OBJECTS,
    Careful,
    Careless,
    Session,
    Slotted,
    circular,
    generator,
    local_class,
    make_default,
    make_reader_of_lock,
    make_task,
    plain,
    takes_lock,
    with_attribute,
)
from tests.readers.hostile import CALLS, HostileDict, HostileText, HostileType, hostile, recorder

CLOUDPICKLE = importlib.util.find_spec("cloudpickle") is not None
needs_cloudpickle = pytest.mark.skipif(not CLOUDPICKLE, reason="cloudpickle is not installed")
BIG = 100_000_000  # bytes


def verdict(found: Capture | Captured, tool: str) -> Verdict:
    (match,) = [each for each in found.verdicts if each.tool == tool]
    return match


def item(found: Capture, name: str) -> Captured:
    (match,) = [each for each in found.items if each.name == name]
    return match


def deep_lock() -> Session:
    return Session(session=Session(pool=Session(lock=threading.Lock())))


class Worker:
    """A method of it captures `self`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def work(self) -> Any:
        return self

    def task(self) -> Callable[[], Any]:
        return lambda: self.lock


# What is captured -> the path to what cloudpickle refuses.
PATHS: list[tuple[str, Callable[[], Any], str]] = [
    (
        "a lock three levels deep",
        lambda: make_task(deep_lock()),
        "task -> closure 'client' -> attribute session -> pool -> lock: _thread.lock",
    ),
    (
        "an open file",
        lambda: make_task(io.FileIO(__file__)),
        "task -> closure 'client': _io.FileIO",
    ),
    (
        "an open file, buffered, in a list",
        lambda: make_task([1, Path(__file__).open("rb")]),  # noqa: SIM115
        "task -> closure 'client' -> [1]: _io.BufferedReader",
    ),
    ("a generator", lambda: make_task(generator()), "task -> closure 'client': generator"),
    (
        "a generator under a key",
        lambda: make_task({"rows": generator()}),
        "task -> closure 'client' -> ['rows']: generator",
    ),
    (
        "self, by a bound method",
        lambda: Worker().work,
        "Worker.work -> self -> attribute lock: _thread.lock",
    ),
    (
        "self, by a closure",
        lambda: Worker().task(),
        "<lambda> -> closure 'self' -> attribute lock: _thread.lock",
    ),
    (
        "a default",
        lambda: make_default(threading.Lock()),
        "task -> default 'given': _thread.lock",
    ),
    (
        "a function attribute",
        with_attribute,
        "task -> attribute held -> [0]: _thread.lock",
    ),
    (
        "a global of a nested function",
        make_reader_of_lock,
        "<lambda> -> global 'LOCK': _thread.lock",
    ),
    (
        "an argument of a partial",
        lambda: functools.partial(plain, threading.Lock()),
        "partial -> argument 0: _thread.lock",
    ),
    (
        "a keyword of a partial",
        lambda: functools.partial(plain, x=Slotted(threading.Lock())),
        "partial -> keyword 'x' -> attribute handle: _thread.lock",
    ),
    ("a circle", circular, "Session -> attribute lock: _thread.lock"),
    (
        "an attribute of a local class",
        lambda: make_task(type("Local", (), {"lock": threading.Lock()})),
        "task -> closure 'client' -> member lock: _thread.lock",
    ),
]


@pytest.mark.parametrize(
    ("make", "path"), [case[1:] for case in PATHS], ids=[case[0] for case in PATHS]
)
@pytest.mark.parametrize("tried", [False, pytest.param(True, marks=needs_cloudpickle)])
def test_the_path_to_the_first_culprit(make: Callable[[], Any], path: str, tried: bool) -> None:
    found = verdict(capture(make(), pickle=tried), "cloudpickle")

    assert (False, tried, path) == (found.takes, tried, found.text)


@pytest.mark.parametrize("tried", [False, True])
def test_pickle_takes_no_module_and_says_which(tried: bool) -> None:
    found = verdict(capture(Session(codec=Session(used=json)), pickle=tried), "pickle")

    assert "Session -> attribute codec -> used: module" == found.text


@pytest.mark.parametrize("tried", [False, pytest.param(True, marks=needs_cloudpickle)])
def test_a_lambda_is_for_cloudpickle_only(tried: bool) -> None:
    found = capture({"key": lambda x: x}, pickle=tried)

    assert (False, True) == (verdict(found, "pickle").takes, verdict(found, "cloudpickle").takes)
    assert "dict -> ['key']: function" == verdict(found, "pickle").text


@pytest.mark.parametrize(
    "make",
    [lambda: bytearray(BIG), lambda: array.array("b", [0]) * BIG],
    ids=["bytearray", "array"],
)
def test_what_two_closures_share_is_counted_once(make: Callable[[], Any]) -> None:
    data = make()
    found = capture([make_task(data), make_task([data])])

    assert BIG < found.travelling < BIG + 10_000
    assert [True, True] == [each.size.bytes > BIG for each in found.items if each.name == "client"]


def test_a_numpy_array_that_two_closures_share_is_counted_once() -> None:
    numpy = pytest.importorskip("numpy")
    data = numpy.zeros(BIG // 8)
    found = capture([make_task(data), make_task({"data": data})])

    assert BIG < found.travelling < BIG + 10_000


def test_a_view_of_a_numpy_array_counts_its_own_elements() -> None:
    numpy = pytest.importorskip("numpy")
    found = capture(make_task(numpy.zeros(BIG // 8)[:1000]))

    assert 8000 < item(found, "client").size.bytes < 9000


def outcome(module: Any, thing: Any) -> bool:
    try:
        module.dumps(thing)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("name", OBJECTS)
def test_a_tried_verdict_is_what_the_tool_does(name: str) -> None:
    thing = OBJECTS[name]()
    tools = {"pickle": pickle}
    if CLOUDPICKLE:
        tools["cloudpickle"] = importlib.import_module("cloudpickle")
    expected = {tool: outcome(module, thing) for tool, module in tools.items()}
    found = {each.tool: each for each in capture(thing, pickle=True).verdicts}

    assert expected == {tool: found[tool].takes for tool in tools}
    assert {True} == {found[tool].tried for tool in tools}
    assert [] == [tool for tool in tools if not found[tool].takes and not found[tool].path]


@pytest.mark.parametrize("name", OBJECTS)
def test_a_likely_verdict_is_right_or_says_that_it_does_not_know(name: str) -> None:
    """Where an object's own code decides, or the stack's depth, nothing is claimed."""
    unknown = {"own state", "own state of a lock", "own refusal", "too deep"}
    thing = OBJECTS[name]()
    tools = {"pickle": pickle}
    if CLOUDPICKLE:
        tools["cloudpickle"] = importlib.import_module("cloudpickle")
    expected = {t: None if name in unknown else outcome(m, thing) for t, m in tools.items()}
    found = {each.tool: each for each in capture(thing).verdicts}

    assert expected == {tool: found[tool].takes for tool in tools}
    assert {False} == {each.tried for each in found.values()}


def test_what_own_code_makes_is_a_culprit_too() -> None:
    found = verdict(capture([1, Careless()], pickle=True), "pickle")

    assert "list -> [1] -> state: _thread.lock" == found.text
    assert "TypeError" in str(found.reason)


def test_own_code_is_trusted_when_it_was_tried() -> None:
    assert (None, True) == (
        verdict(capture(Careful()), "pickle").takes,
        verdict(capture(Careful(), pickle=True), "pickle").takes,
    )


def test_the_bytes_of_a_pickle_are_those_that_the_tool_writes() -> None:
    thing = {"a": [1, 2, 3], "b": Session(c="d" * 1000)}

    assert len(pickle.dumps(thing)) == verdict(capture(thing, pickle=True), "pickle").bytes


def test_every_way_of_capturing_is_listed() -> None:
    def make(outer: int) -> Any:
        def task(first: int, second: str = "s", *, third: float = 1.5) -> Any:
            return outer, LOCK, json, plain

        task.note = "n"  # type: ignore[attr-defined]
        return task

    found = capture(make(1))

    assert [
        ("closure", "outer"),
        ("default", "second"),
        ("keyword default", "third"),
        ("global", "LOCK"),
        ("global", "json"),
        ("global", "plain"),
        ("attribute", "note"),
    ] == [(each.kind, each.name) for each in found.items]


def test_what_a_helper_reads_is_listed_with_the_path_to_it() -> None:
    def make() -> Any:
        def helper() -> Any:
            return LOCK

        return lambda: helper()

    found = capture(make())

    assert [("helper",), ("helper", "LOCK")] == [
        tuple(step.name for step in each.path[1:]) for each in found.items
    ]


def test_modules_and_importable_functions_go_by_name() -> None:
    found = capture(make_task([json, json.dumps, Session]))

    assert 0 < item(found, "client").size.bytes < 200


def test_a_function_of_a_module_travels_as_a_name() -> None:
    found = capture(takes_lock)

    assert (True, 0) == (found.by_name, found.travelling)
    assert [False] == [each.travels for each in found.items]
    assert any("send the name alone" in note for note in found.notes)


def test_a_dotted_target_is_imported_and_a_read_one_is_taken() -> None:
    by_name = capture("json:dumps")

    assert ("dumps", "json") == (by_name.name, by_name.module)
    assert by_name.name == capture(read(json.dumps)).name


@pytest.mark.parametrize("target", ["x.py", "x.py::f", Path("x.pyc")])
def test_a_static_target_captures_nothing(target: Any) -> None:
    with pytest.raises(TargetError, match="is live"):
        capture(target)


def test_a_class_method_by_name_is_bound_as_it_would_be() -> None:
    found = capture("collections:Counter.fromkeys")

    assert ["self", "function"][:1] == [each.kind for each in found.items][:1]


def test_a_global_that_only_a_class_body_reads_is_a_trap() -> None:
    space: dict[str, Any] = {"__name__": "__main__", "LIMIT": 3}
    exec("def task():\n  class K:\n    size = LIMIT\n  return K", space)
    found = capture(space["task"])

    assert ["LIMIT"] == [each.name for each in found.items]
    assert [True] == ["leaves out global 'LIMIT'" in note for note in found.notes]


@needs_cloudpickle
def test_the_trap_is_real() -> None:
    cloudpickle = importlib.import_module("cloudpickle")
    space: dict[str, Any] = {"__name__": "__main__", "LIMIT": 3}
    exec("def task():\n  class K:\n    size = LIMIT\n  return K", space)

    with pytest.raises(NameError):
        pickle.loads(cloudpickle.dumps(space["task"]))()


@pytest.mark.parametrize("tried", [False, True])
def test_the_budget_is_kept(tried: bool) -> None:
    thing = [object() for _ in range(300_000)]
    ticks = []

    def tick(gone: int, allowed: int) -> None:
        ticks.append((gone, allowed))

    found = capture(thing, pickle=tried, budget=0.2, progress=tick)

    assert not found.complete
    assert (200, 200) == ticks[-1]


def test_code_that_stops_for_nothing_is_stopped_between_objects() -> None:
    class Slow:
        def __reduce__(self) -> Any:
            time.sleep(0.02)
            return (int, ())

    found = verdict(capture([Slow() for _ in range(500)], pickle=True, budget=0.3), "pickle")

    assert None is found.takes
    assert "not finished in the time given" in str(found.reason)


def nasty() -> Any:
    """An instance whose class records every hook that pickling or measuring might call."""
    names = ("__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__sizeof__")
    more = ("__eq__", "__hash__", "__repr__", "__dir__", "__getattr__", "__getattribute__")
    space: dict[str, Any] = {name: recorder(name) for name in (*names, *more)}
    space["__slots__"] = ("__dict__",)
    return object.__new__(HostileType("Nasty", (), space))


def hostile_things() -> Iterator[Any]:
    yield nasty()
    yield hostile()
    yield HostileDict(a=1)
    yield HostileText("text")
    yield [nasty(), {"key": nasty()}]
    yield types.SimpleNamespace(inside=nasty())


def test_nothing_of_what_is_captured_runs_unless_asked_for() -> None:
    CALLS.clear()
    for thing in hostile_things():
        for target in (make_task(thing), make_default(thing), functools.partial(plain, thing)):
            str(capture(target))
            capture(target).to_json()
        if not issubclass(type(thing), str):
            str(capture(thing))

    assert [] == CALLS


def test_nothing_is_imported_unless_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    real = builtins.__import__

    def spy(name: str, *rest: Any, **more: Any) -> Any:
        imported.append(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", spy)
    capture(make_task(local_class()))

    assert "cloudpickle" not in imported
    assert "pickle" not in {name for name in imported if name not in sys.modules}


def test_the_page_shows_size_verdict_and_path() -> None:
    text = str(capture(make_task(deep_lock())))

    assert "likely refuses it" in text
    assert "task → closure 'client' → attribute session → pool → lock: _thread.lock" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_document_is_strict_json() -> None:
    found = capture(make_task({"\ud800": [1]})).to_json()

    assert "capture" == json.loads(json.dumps(found, allow_nan=False))["command"]
    assert ["closure", "client"] == [found["items"][0]["kind"], found["items"][0]["name"]]


@pytest.mark.parametrize("thing", [annotated_wrapper.of_function, annotated_wrapper.of_method])
def test_what_makes_annotations_goes_by_the_name_of_its_owner(thing: Any) -> None:
    travels = pickle.loads(pickle.dumps(thing))  # pickle takes it, with __annotate__ by name (3.14)

    assert type(travels) is annotated_wrapper.Wrapper
    assert [True, True] == [verdict.takes for verdict in capture(thing).verdicts]
