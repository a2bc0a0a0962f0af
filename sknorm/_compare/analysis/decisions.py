"""What an interval of a difference decides: better, worse, equivalent, or nothing yet."""

from __future__ import annotations

import math

import numpy as np

from sknorm._compare.analysis.intervals import Interval, half_width

BETTER, WORSE, EQUIVALENT, UNDECIDED = "better", "worse", "equivalent", "undecided"
MAX_REPEATS = 30
# Of the span from chance to a perfect score; or of a score that is at most 1.
ROPE = 0.01


def decide(interval: Interval, rope: float, ranks: Interval | None = None) -> str:
    """Return what an interval says, with differences up to the rope taken as none.

    The interval of the signed ranks of the differences decides too, where it agrees with the mean:
    a few that are far off hide in the mean what nearly all show.
    """
    if math.isnan(interval.low):
        return UNDECIDED
    if -rope <= interval.low and interval.high <= rope:
        return EQUIVALENT
    shown = [interval] if ranks is None else [interval, ranks]
    if interval.estimate > 0 and any(one.low > 0 for one in shown):
        return BETTER
    if interval.estimate < 0 and any(one.high < 0 for one in shown):
        return WORSE
    return UNDECIDED


def repeats_to_decide(
    estimate: float, deviation: float, n_splits: int, test_ratio: float, level: float, rope: float
) -> int | None:
    """Return how often the folds would have to be drawn for a decision, if the estimate stays.

    None where no number would do: the training sets overlap, so that the interval does not get
    narrower than what the test ratio leaves. Only more rows help there.
    """
    if not np.isfinite([estimate, deviation]).all():
        return None
    for repeats in range(2, MAX_REPEATS + 1):
        n = n_splits * repeats
        half = half_width(deviation, n, test_ratio, level)
        if decide(Interval(estimate, estimate - half, estimate + half), rope) != UNDECIDED:
            return repeats
    return None
