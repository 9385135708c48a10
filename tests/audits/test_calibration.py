"""What an operation loses at least, measured by a clock that moves as the tests say."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coscope.audits import calibration
from coscope.audits.calibration import Difference, Pair, at_pace, differences, lower_bound, quiet
from coscope.audits.selection import all_rules
from coscope.readers.from_function import HOST_VERSION

COUNTED = Pair("work(slow)", "work(fast)", begin="pass")
NANOSECONDS = st.floats(-1e3, 1e3)


class _Clock:
    """Stands still, but for what the operations say that they take."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def work(self, nanoseconds: int) -> None:
        self.now += nanoseconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Every loop of a calibration has `work`, `slow` and `fast`; the yardstick takes 9 us."""
    clock = _Clock()
    make = calibration._loop
    names = {"work": clock.work, "slow": 130, "fast": 30}

    def loop(statement: str, begin: str, namespace: dict[str, object]) -> Callable[[int], object]:
        if statement.startswith("a ="):
            return lambda count: clock.work(9000)
        return make(statement, begin, {**namespace, **names})

    monkeypatch.setattr(calibration, "_loop", loop)
    return clock


def test_the_difference_is_that_of_one_operation(clock: _Clock) -> None:
    assert [(100.0, 9000.0)] * 15 == differences(COUNTED, clock=clock)


def test_a_statement_may_do_several_operations(clock: _Clock) -> None:
    pair = Pair("work(slow); work(slow)", "work(fast); work(fast)", operations=2)

    assert {(100.0, 9000.0)} == set(differences(pair, clock=clock))


def test_what_is_the_same_differs_by_nothing(clock: _Clock) -> None:
    assert {0.0} == {each.nanoseconds for each in differences(Pair("x", "x", "x = 1"), clock=clock)}


def test_a_pair_takes_five_milliseconds_about(clock: _Clock) -> None:
    differences(COUNTED, clock=clock)

    assert 2_000_000 < clock.now < 8_000_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for what was measured."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for held in (calibration.bound, calibration._Known.load):
        held.cache_clear()
    yield tmp_path
    for held in (calibration.bound, calibration._Known.load):
        held.cache_clear()


def _measured(monkeypatch: pytest.MonkeyPatch, *found: Difference) -> list[Pair]:
    """The pairs that are measured from now on, each of which gives the same."""
    asked: list[Pair] = []

    def measure(pair: Pair) -> list[Difference]:
        asked.append(pair)
        return [*found] * 15

    monkeypatch.setattr(calibration, "differences", measure)
    monkeypatch.setattr(calibration, "_quietest", lambda: 8000.0)
    return asked


def test_a_bound_is_measured_once_a_day(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _measured(monkeypatch, Difference(50.0, 16000.0))

    assert (25.0, None) == (COUNTED.lower_bound(HOST_VERSION), COUNTED.lower_bound("3.8"))
    for held in (calibration.bound, calibration._Known.load):
        held.cache_clear()
    assert 25.0 == COUNTED.lower_bound(HOST_VERSION)
    assert [COUNTED] == asked


@pytest.mark.parametrize("change", [{"since": 0}, {"who": []}, {"quiet": "?"}, {"values": 7}])
def test_what_another_day_or_machine_measured_is_no_bound(
    home: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    asked = _measured(monkeypatch, Difference(50.0, 8000.0))
    COUNTED.lower_bound(HOST_VERSION)
    (file,) = (home / "coscope").iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    for held in (calibration.bound, calibration._Known.load):
        held.cache_clear()
    COUNTED.lower_bound(HOST_VERSION)

    assert [COUNTED, COUNTED] == asked


def test_without_a_folder_to_write_to_it_is_measured_in_each_process(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "coscope").write_text("no folder")
    asked = _measured(monkeypatch, Difference(50.0, 8000.0))

    assert [50.0, 50.0] == [COUNTED.lower_bound(HOST_VERSION) for _ in range(2)]
    assert [COUNTED] == asked


@given(st.lists(NANOSECONDS, min_size=15, max_size=15))
def test_the_bound_has_three_differences_below_it(found: list[float]) -> None:
    bound = lower_bound(found)

    assert bound <= median(found)
    assert sum(each < bound for each in found) <= 3 <= sum(each <= bound for each in found) - 1


@given(
    st.lists(NANOSECONDS, min_size=15, max_size=15),
    st.floats(1, 1e5),
    st.floats(1, 1e5),
)
def test_another_pace_never_raises_a_bound(
    found: list[float], yardstick: float, quietest: float
) -> None:
    paced = at_pace([Difference(each, yardstick) for each in found], quietest)
    plain = lower_bound(found)

    assert plain / 4 * (1 - 1e-9) <= paced <= plain if plain > 0 else paced == plain


def test_what_doubles_all_times_doubles_no_bound() -> None:
    plain = [Difference(10.0 + at, 8000.0) for at in range(15)]
    disturbed = [Difference(2 * each.nanoseconds, 16000.0) for each in plain]

    assert 13.0 == at_pace(plain, 8000.0) == at_pace(disturbed, 8000.0)


def test_the_bound_is_above_the_median_once_in_40_times() -> None:
    chance = random.Random(11)
    above = sum(
        lower_bound([chance.gauss(10, 3) + chance.expovariate(1) - 0.69 for _ in range(15)]) > 10.2
        for _ in range(800)
    )

    assert above <= 20


def test_one_fault_is_not_the_quietest_time() -> None:
    assert 8000.0 == quiet([8000.0, 8001.0, 9.0, 9000.0])
    assert 9.0 == quiet([9.0])


def test_every_rule_that_is_measured_has_a_pair_that_runs() -> None:
    for rule in all_rules():
        pair = getattr(rule.lower_bound, "__self__", None)
        if isinstance(pair, Pair) and rule.code != "PERF203":
            clock = _Clock()
            assert 1 == len(differences(pair, 1, _ticking(clock)))


def _ticking(clock: _Clock) -> Callable[[], int]:
    """A clock that goes on by the time of a slice whenever it is read."""

    def read() -> int:
        clock.now += 150_000
        return clock.now

    return read
