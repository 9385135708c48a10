"""What paired measurements say: the gain, its interval, and what no change at all gave.

Rounds come from several processes, since where a process happens to lie in memory makes a form
faster or slower for all of its life. Each process counts as one: its median, which a few disturbed
rounds do not move. Of these the lowest and highest are cut off, so that a disturbed process moves
nothing either; the interval is Student's, with the variance of the values so trimmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from statistics import NormalDist, median

LEAST = 0.02  # a smaller gain is never held for verified
_TICK = 1e-9  # seconds: what a clock shows as nothing takes that long
_CUT = 1 / 7  # of the processes, at each end
_Z = NormalDist().inv_cdf(0.975)

Round = Sequence[float]  # seconds of a call: before, after, null


@dataclass(frozen=True, slots=True)
class Gain:
    """How many times faster the second form is; 1.0: no difference."""

    ratio: float  # before / after
    low: float  # of its 95% interval
    high: float
    null: float  # the ratio of the null run
    noise: float  # 90th percentile of how far from 1 the null run of a process is
    before: float  # nanoseconds of one call, median
    after: float

    @property
    def threshold(self) -> float:
        """The least gain that counts: 2%, or twice the noise of the null run."""
        return max(LEAST, 2 * self.noise)

    @property
    def verified(self) -> bool:
        """True if it is above the threshold, and its whole interval above 1."""
        return self.low > 1 and self.ratio - 1 > self.threshold

    @property
    def slower(self) -> bool:
        """True if it is slower by more than the threshold."""
        return self.high < 1 and 1 - self.ratio > self.threshold


def gain(processes: Sequence[Sequence[Round]]) -> Gain:
    """The gain that the rounds of each process show."""
    ratios = [median(_ratio(each[0], each[1]) for each in rounds) for rounds in processes]
    nulls = [median(_ratio(each[0], each[2]) for each in rounds) for rounds in processes]
    ratio, low, high = interval(ratios)
    every = [each for rounds in processes for each in rounds]
    return Gain(
        ratio=ratio,
        low=low,
        high=high,
        null=interval(nulls)[0],
        noise=percentile([abs(each - 1) for each in nulls], 0.9),
        before=median(each[0] for each in every) * 1e9,
        after=median(each[1] for each in every) * 1e9,
    )


def _ratio(before: float, after: float) -> float:
    return max(before, _TICK) / max(after, _TICK)


def interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The trimmed mean of ratios, and its 95% interval, on the logarithmic scale.

    >>> [round(each, 3) for each in interval([1.99, 2.0, 2.01, 2.0, 2.0, 1.98, 3.0])]
    [2.0, 1.988, 2.012]
    """
    values = sorted(log(each) for each in ratios)
    cut = ceil(_CUT * len(values)) if len(values) > 4 else 0
    kept = values[cut : len(values) - cut]
    centre = sum(kept) / len(kept)
    if len(kept) < 2:
        return exp(centre), 0.0, float("inf")
    pulled = [min(max(each, kept[0]), kept[-1]) for each in values]  # the ends pulled in
    middle = sum(pulled) / len(pulled)
    scatter = sum((each - middle) ** 2 for each in pulled)
    half = student(len(kept) - 1) * sqrt(scatter / (len(kept) * (len(kept) - 1)))
    return exp(centre), exp(centre - half), exp(centre + half)


def student(degrees: int) -> float:
    """The 97.5% quantile of Student's distribution.

    Exact for one and two degrees of freedom, else by the expansion of Cornish and Fisher, which
    is good to 0.5% from three on.

    >>> [round(student(degrees), 2) for degrees in (1, 2, 4, 9, 100)]
    [12.71, 4.3, 2.77, 2.26, 1.98]
    """
    if degrees == 1:
        return 12.7062
    if degrees == 2:
        return 4.3027
    z, v = _Z, degrees
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def percentile(values: Sequence[float], share: float) -> float:
    """A percentile, between the values that it lies between.

    >>> percentile([4.0, 1.0, 2.0, 3.0], 0.5)
    2.5
    """
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low, high = floor(at), ceil(at)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])
