"""The verdict: above 2%, above twice the noise, and with the whole interval."""

from __future__ import annotations

import random

import pytest

from coscope.tuner.statistics import Gain, gain, interval


def _rounds(ratio: float, noise: float, count: int = 100) -> list[dict[str, float]]:
    chance = random.Random(7)
    return [
        {
            "before": chance.gauss(1, noise) * 1e-6,
            "after": chance.gauss(1, noise) * 1e-6 / ratio,
            "null": chance.gauss(1, noise) * 1e-6,
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("ratio", "noise", "verified"),
    [
        (1.5, 0.01, True),
        (1.05, 0.005, True),
        (1.015, 0.001, False),
        (1.05, 0.2, False),
        (0.9, 0.01, False),
    ],
)
def test_a_gain_is_verified_where_it_stands_out(ratio: float, noise: float, verified: bool) -> None:
    found = gain(_rounds(ratio, noise))

    assert verified is found.verified
    assert found.low <= found.ratio <= found.high


def test_a_loss_is_told() -> None:
    assert gain(_rounds(0.8, 0.01)).slower
    assert not gain(_rounds(1.0, 0.01)).slower


def test_the_threshold_is_never_below_2_percent() -> None:
    assert Gain(1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0).threshold == 0.02
    assert Gain(1.0, 1.0, 1.0, 1.0, 0.05, 1.0, 1.0).threshold == 0.1


def test_the_interval_holds_the_median_19_times_of_20() -> None:
    chance = random.Random(3)
    held = 0
    for _ in range(400):
        low, high = interval([chance.gauss(0, 1) for _ in range(60)])
        held += low <= 0 <= high

    assert 0.93 <= held / 400 <= 1.0
