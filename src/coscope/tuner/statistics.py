"""What paired measurements say: the gain, its interval, and what no change at all gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

LEAST = 0.02  # a smaller gain is never held for verified
_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Gain:
    """How many times faster the second form is; 1.0: no difference."""

    ratio: float  # median of before / after, round by round
    low: float  # of its 95% interval
    high: float
    null: float  # the null run's ratio
    noise: float  # 90th percentile of how far blocks of the null run are from 1
    before: float  # nanoseconds of one call, median
    after: float

    @property
    def threshold(self) -> float:
        """The least gain that counts: 2%, or twice the noise of the null run."""
        return max(LEAST, 2 * self.noise)

    @property
    def verified(self) -> bool:
        """True if the whole interval lies above the threshold."""
        return self.low - 1 > 0 and self.ratio - 1 > self.threshold

    @property
    def slower(self) -> bool:
        """True if it is slower by more than the threshold."""
        return self.high < 1 and 1 - self.ratio > self.threshold


def gain(rounds: Sequence[dict[str, float]]) -> Gain:
    """The gain that rounds of the worker tell."""
    ratios = [each["before"] / each["after"] for each in rounds]
    nulls = [each["before"] / each["null"] for each in rounds]
    low, high = interval(ratios)
    size = max(1, len(nulls) // _BLOCKS)
    blocks = sorted(
        abs(median(nulls[at : at + size]) - 1) for at in range(0, len(nulls) - size + 1, size)
    )
    return Gain(
        median(ratios),
        low,
        high,
        median(nulls),
        blocks[min(len(blocks) - 1, int(0.9 * len(blocks)))],
        median(each["before"] for each in rounds) * 1e9,
        median(each["after"] for each in rounds) * 1e9,
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of the median, by ranks: it takes no distribution for granted.

    >>> interval(range(1, 101))
    (40, 61)
    """
    ordered = sorted(values)
    half = 1.96 * sqrt(len(ordered)) / 2
    low = max(0, int(len(ordered) / 2 - half) - 1)
    high = min(len(ordered) - 1, int(len(ordered) / 2 + half) + 1)
    return ordered[low], ordered[high]
