"""The verdict: above 2%, above twice the noise of the null run, and with the whole interval."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coscope.tuner.statistics import Gain, gain, interval, percentile, student

Rounds = list[list[tuple[float, float, float]]]

RATIOS = st.lists(st.floats(0.5, 2.0), min_size=1, max_size=20)
PROCESSES = st.lists(
    st.lists(st.tuples(*[st.floats(0, 1e-5)] * 2), min_size=1, max_size=9),
    min_size=1,
    max_size=9,
)


def _processes(ratio: float, noise: float, seed: int = 7, count: int = 7) -> Rounds:
    """Rounds whose noise lies half in the process and half in the round."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        forms = [chance.gauss(1, noise / 2) for _ in range(3)]
        found.append(
            [
                (
                    1e-6 * forms[0] * chance.gauss(1, noise),
                    1e-6 * forms[1] * chance.gauss(1, noise) / ratio,
                    1e-6 * forms[2] * chance.gauss(1, noise),
                )
                for _ in range(40)
            ]
        )
    return found


@pytest.mark.parametrize(
    ("ratio", "noise", "verified"),
    [
        (1.5, 0.01, True),
        (1.05, 0.004, True),
        (1.015, 0.001, False),
        (1.05, 0.2, False),
        (0.9, 0.01, False),
    ],
)
def test_a_gain_is_verified_where_it_stands_out(ratio: float, noise: float, verified: bool) -> None:
    found = gain(_processes(ratio, noise))

    assert verified is found.verified
    assert found.low <= found.ratio <= found.high


def test_a_loss_is_told() -> None:
    assert gain(_processes(0.8, 0.01)).slower
    assert not gain(_processes(1.0, 0.01)).slower


def test_the_threshold_is_2_percent_or_twice_the_noise() -> None:
    assert Gain(1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0).threshold == 0.02
    assert Gain(1.0, 1.0, 1.0, 1.0, 0.05, 1.0, 1.0).threshold == 0.1


def test_one_process_verifies_nothing() -> None:
    assert not gain(_processes(3.0, 0.0, count=1)).verified


def test_two_disturbed_processes_move_nothing() -> None:
    processes = _processes(1.2, 0.002)
    disturbed = [[(9 * before, after, null) for before, after, null in processes[0]]]
    disturbed += [[(before, 9 * after, null) for before, after, null in processes[1]]]

    found = gain([*disturbed, *processes[2:]])

    assert 1.19 < found.low < found.high < 1.21


def test_the_interval_holds_the_ratio_19_times_of_20() -> None:
    held = 0
    for seed in range(300):
        found = gain(_processes(1.1, 0.02, seed))
        held += found.low <= 1.1 <= found.high

    assert 0.92 <= held / 300 <= 0.99


def test_no_gain_is_verified_once_in_50_times_at_most() -> None:
    noises = (0.002, 0.02, 0.1)
    verified = [
        gain(_processes(1.0, noise, seed)).verified for noise in noises for seed in range(99)
    ]

    assert sum(verified) <= len(verified) // 50


@given(PROCESSES)
def test_what_the_null_run_gives_is_never_verified(
    processes: list[list[tuple[float, float]]],
) -> None:
    found = gain([[(before, null, null) for before, null in rounds] for rounds in processes])

    assert not found.verified


@given(RATIOS)
def test_the_interval_holds_its_centre_and_the_centre_is_among_the_values(
    ratios: list[float],
) -> None:
    centre, low, high = interval(ratios)

    assert low <= centre * (1 + 1e-12)
    assert centre <= high * (1 + 1e-12)
    assert min(ratios) * (1 - 1e-12) <= centre <= max(ratios) * (1 + 1e-12)


@given(RATIOS)
def test_exchanging_the_forms_inverts_the_interval(ratios: list[float]) -> None:
    centre, low, high = interval(ratios)
    inverse = interval([1 / each for each in ratios])

    if low > 0:
        assert [1 / centre, 1 / high, 1 / low] == pytest.approx(inverse)


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_among_the_values(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) <= max(values)


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (7, 2.365)]
)
def test_student_is_that_of_the_tables(degrees: int, quantile: float) -> None:
    assert quantile == pytest.approx(student(degrees), rel=0.01)
