"""What runs in the measured process, here in this one, by a clock that the functions move."""

from __future__ import annotations

import inspect
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from coscope.tuner.inside.command import begin, install
from coscope.tuner.inside.forms import Fault, Place, copy_of, form_of, text_of
from coscope.tuner.inside.main import answer_to
from coscope.tuner.inside.measuring import Lines
from coscope.tuner.inside.results import same
from coscope.tuner.inside.timing import Clocks, by_turns, calls_of, clock_of

CLOCK = {"clock": "ticking:now", "wall": "ticking:now"}


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module `ticking`, loaded anew: forms are put into its functions."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield __import__("ticking")
    sys.modules.pop("ticking", None)


def _changed(function: FunctionType, old: str, new: str) -> str:
    text = text_of(function)
    assert text is not None
    start = sum(len(line) + 1 for line in text.split("\n")[: function.__code__.co_firstlineno - 1])
    return text[:start] + text[start:].replace(old, new, 1)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("ticking:quick", "quick"),
        ("ticking:Shelf.search", "search"),
        ("ticking:Shelf.private", "private"),
        ("ticking:Deeper.private", "private"),
        ("ticking:cached", "cached"),
        ("ticking:unnamed", "<lambda>"),
        ("ticking:made", "made"),
    ],
)
def test_a_function_is_found_under_what_decorators_made(
    ticking: ModuleType, target: str, name: str
) -> None:
    assert name == Place(target).function().__name__


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("ticking:Shelf", "is a class"),
        ("ticking:nothing", "has no nothing"),
        ("ticking:Shelf.nothing.more", "has no Shelf.nothing"),
        ("math:sqrt", "not written in Python"),
        ("builtins:str.join", "not written in Python"),
        ("math:pi", "not a Python function"),
    ],
)
def test_what_is_no_function_is_a_fault(ticking: ModuleType, target: str, told: str) -> None:
    with pytest.raises(Fault, match=told):
        Place(target).function()


def test_a_form_has_the_names_cells_and_lines_of_the_original(ticking: ModuleType) -> None:
    function = Place("ticking:Deeper.private").function()
    form = form_of(function, _changed(function, "tick(5)", "tick(6)"))

    assert ("__class__",) == form.co_freevars == function.__code__.co_freevars
    assert 6 in form.co_consts

    function = Place("ticking:Shelf.private").function()
    assert "_Shelf__size" in form_of(function, _changed(function, "tick(5)", "tick(6)")).co_names


def test_a_function_without_source_has_no_form(ticking: ModuleType) -> None:
    with pytest.raises(Fault, match="no source"):
        form_of(ticking.made, "")


def test_a_function_that_was_changed_since_has_no_form(ticking: ModuleType) -> None:
    text = text_of(ticking.quick)
    ticking.quick.__code__ = ticking.quick.__code__.replace(co_consts=(None, 11))

    with pytest.raises(Fault, match="does not give the code"):
        form_of(ticking.quick, text or "")


class _Plain:
    def __init__(self, value: object) -> None:
        self.value = value


class _Slots:
    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class _Refuses:
    def __eq__(self, other: object) -> bool:
        raise TypeError

    __hash__ = None  # type: ignore[assignment]


def _circle() -> list[Any]:
    found: list[Any] = [1]
    found.append(found)
    return found


def _deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (1, 1, True),
        (1, True, False),
        (1, 1.0, False),
        (0.0, -0.0, False),
        (NAN, float("nan"), True),
        ([1, "a", (2.5,)], [1, "a", (2.5,)], True),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": [1]}, {"a": [2]}, False),
        ({1, 2}, {2, 1}, True),
        ({1, 2}, {1, 3}, False),
        ({_Plain(1)}, {_Plain(1)}, None),
        (_Plain([1]), _Plain([1]), True),
        (_Plain([1]), _Plain([2]), False),
        (_Slots(1), _Slots(1), True),
        (_Slots(1), _Slots(2), False),
        (_Plain(1), _Slots(1), False),
        (_Refuses(), _Refuses(), None),
        (object(), object(), None),
        ([object(), 1], [object(), 2], False),
        (_circle(), _circle(), True),
        (len, len, True),
        (str, int, None),
    ],
)
def test_results_are_compared_by_type_content_and_order(
    one: object, other: object, told: bool | None
) -> None:
    assert told is same(one, other)


def test_what_is_nested_too_deeply_is_not_compared() -> None:
    assert None is same(_deep(), _deep())


def test_a_slice_takes_about_as_long_as_it_should(ticking: ModuleType) -> None:
    clocks = Clocks("ticking:now", "ticking:now")

    def run(calls: int) -> None:
        ticking.tick(10 * calls)

    assert 20 <= calls_of(run, clocks) <= 40
    assert 1 == calls_of(lambda calls: ticking.tick(5000 * calls), clocks)


def test_the_order_within_rounds_is_by_chance_and_given_by_the_seed(ticking: ModuleType) -> None:
    clocks = Clocks("ticking:now", "ticking:now")
    order: list[int] = []

    def measured(seed: int) -> list[int]:
        order.clear()
        installs = [lambda which=which: order.append(which) for which in range(3)]
        runs = [lambda calls, which=which: ticking.tick(calls * (which + 1)) for which in range(3)]
        rounds = by_turns(runs, installs, 5, 40, seed, clocks)
        assert [[1e-6, 2e-6, 3e-6]] * 40 == [[round(each, 9) for each in row] for row in rounds]
        return list(order)

    first = measured(1)

    assert all({0, 1, 2} == set(first[at : at + 3]) for at in range(0, 120, 3))
    assert {0, 1, 2} == set(first[::3])
    assert first == measured(1)
    assert first != measured(2)


def test_lines_are_counted_in_nested_code_too(ticking: ModuleType) -> None:
    function = Place("ticking:Shelf.search").function()
    lines = Lines(function.__code__)
    first = function.__code__.co_firstlineno

    assert [True, False] == lines.watch(lambda: function(ticking.WORDS))
    assert 1 == lines.entered
    assert 1 == lines.times[first + 2]
    assert lines.times[first + 3] >= 1


def test_a_generator_that_goes_on_is_one_call(ticking: ModuleType) -> None:
    lines = Lines(ticking.series.__code__)
    lines.watch(lambda: list(ticking.series(5)))

    assert 1 == lines.entered


def _ask(what: str, **request: object) -> dict[str, Any]:
    return answer_to({"do": what, "target": "ticking:search", "setup": "", **CLOCK, **request})


def test_one_call_is_counted_and_timed(ticking: ModuleType) -> None:
    answer = _ask("count", call="search(WORDS)")
    first = ticking.search.__code__.co_firstlineno

    assert 1 == answer["entered"]
    assert 2 == answer["lines"][str(first + 4)]
    # 5 us, 8 comparisons until "h" is found, and 9 until all are passed.
    assert (22e-6, 1.0) == (pytest.approx(answer["seconds"]), answer["busy"])


def test_a_call_may_use_any_names(ticking: ModuleType) -> None:
    answer = _ask("count", call="search(n) or search(result)", setup="n = result = WORDS; _ = 1")

    assert answer["entered"] >= 1


def test_the_forms_are_measured_by_turns(ticking: ModuleType) -> None:
    after = _changed(ticking.search, '("a", ', '("h", "a", ')
    answer = _ask("measure", call="search(WORDS)", after=after, rounds=4, seed=0)

    assert (True, True) == (answer["same"], answer["steady"])
    expected = pytest.approx([22e-6, 16e-6, 22e-6])
    assert [expected] * 4 == answer["rounds"]


def test_a_form_with_another_result_is_not_measured(ticking: ModuleType) -> None:
    after = _changed(ticking.search, "found = 0", "found = 1")
    answer = _ask("measure", call="search(WORDS)", after=after, rounds=4, seed=0)

    assert (False, True, []) == (answer["same"], answer["steady"], answer["rounds"])


def test_what_a_setup_made_must_be_the_same_too(ticking: ModuleType) -> None:
    request = {"target": "ticking:tidy", "call": "tidy(values)", "setup": "values = [3, 2]"}
    after = _changed(ticking.tidy, "sorted(values)", "(values.sort(), values)[1]")
    answer = _ask("measure", **request, after=after, rounds=4, seed=0)

    assert False is answer["same"]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"call": "broken(7)", "target": "ticking:broken"}, "ValueError: no 7"),
        ({"call": "leaves()", "target": "ticking:leaves"}, "SystemExit: 3"),
        ({"call": "nothing"}, "NameError"),
        ({"call": "1"}, "does not run ticking:search; runs of it: none"),
        ({"call": "cached(7)", "target": "ticking:cached"}, "only its first call does"),
        ({"call": "series(3)", "target": "ticking:series"}, "generator"),
        ({"call": "task(3)", "target": "ticking:task"}, "coroutine"),
        ({"call": "search(WORDS)", "setup": "1 / 0"}, "ZeroDivisionError"),
    ],
)
def test_a_call_that_cannot_be_measured_is_an_error(
    ticking: ModuleType, request_: dict[str, Any], told: str
) -> None:
    assert told in _ask("count", **request_)["error"]


def test_an_error_tells_where_it_was_raised(ticking: ModuleType) -> None:
    answer = _ask("count", call="broken(7)", target="ticking:broken")
    line = ticking.broken.__code__.co_firstlineno + 2

    assert answer["raised"].endswith(f"ticking.py:{line}")


def test_a_meter_gives_each_form_its_turn(ticking: ModuleType) -> None:
    original = ticking.quick.__code__
    slower = form_of(ticking.quick, _changed(ticking.quick, "tick(10)", "tick(30)"))
    meter = install(ticking.quick, [copy_of(original), slower], 1, None, clock_of("ticking:now"))

    assert [2] * 5 == [ticking.quick(values="ab") for _ in range(5)]
    told = meter.told()
    assert (5, [pytest.approx(20e-6), pytest.approx(90e-6)]) == (told["calls"], told["seconds"])


def test_a_meter_times_outermost_calls_of_each_thread(ticking: ModuleType) -> None:
    def deep(n: int) -> int:
        ticking.tick(1)
        return n and namespace["deep"](n - 1)

    namespace = {"deep": deep}
    meter = install(deep, [copy_of(deep.__code__)], 0, None, clock_of("ticking:now"))
    for _ in range(2):
        thread = threading.Thread(target=deep, args=(4,))
        try:
            thread.start()
        except RuntimeError:
            pytest.skip("threads cannot be started here")
        thread.join()

    assert (2, [pytest.approx(10e-6)]) == (meter.told()["calls"], meter.told()["seconds"])


def test_a_measured_function_has_its_signature_and_defaults(ticking: ModuleType) -> None:
    form = copy_of(ticking.unsteady.__code__)
    install(ticking.unsteady, [form], 0, None, clock_of("ticking:now"))

    assert ["values", "_seen"] == list(inspect.signature(ticking.unsteady).parameters)
    assert [1, 2] == [ticking.unsteady(0), ticking.unsteady(0)]


def test_a_command_puts_the_forms_into_a_module_that_is_imported_later(
    ticking: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[Any] = []
    monkeypatch.setattr("atexit.register", ends.append)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    sys.modules.pop("ticking")
    begin(
        {
            "target": "later:f",
            "forms": [None, None, None],
            "shift": 0,
            "count": False,
            "clock": "ticking:now",
            "results": str(tmp_path),
        }
    )
    (tmp_path / "later.py").write_text("import ticking\ndef f(n): ticking.tick(n)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    later = __import__("later")
    for n in (1, 2, 3, 4):
        later.f(n)
    sys.modules.pop("later")
    (end,) = ends
    end()
    (file,) = tmp_path.glob("*.json")
    told = json.loads(file.read_text())

    assert None is told["error"]
    assert pytest.approx([5e-6, 2e-6, 3e-6]) == told["seconds"]
    assert "_Loader" != type(later.__loader__).__name__
