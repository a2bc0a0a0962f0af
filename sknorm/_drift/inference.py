"""Comparing two samples of which little is known of the first: intervals that keep their promise.

All that is known of the training data is its number, mean, variance and range, whatever its
distribution. Two choices keep the rate of false alarms within its promise there (the simulation is
``benchmarks/drift.py``, its table in the docs):

- A shift is measured against the larger of the two standard deviations, with the degrees of freedom
  of the smaller sample. With skewed data, a sample whose mean is far off has either a large or a
  small deviation, by the side that it is off to; the larger of the two covers both.
- The sampling variance of a standard deviation depends on the fourth moment, which is not kept.
  It is at most the variance times the square of the range about the mean. Where a single value may
  make up a tenth of the squares, nothing is said of the spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import betaln

Array = NDArray[np.float64]

TESTS = 3  # per feature: shift, spread and missing values
HEAVY = 0.1  # the largest part of the squares that one value may make up
LEAST_KURTOSIS = 3.0
MOST = 1e9  # values that shares are compared of; missing ones may have nearly all of the weight
MISSING = 0.05  # the smallest difference between shares of missing values that matters


@dataclass(frozen=True, eq=False)
class Samples:
    """Training data and new data, per feature; NaN where something is not known.

    ``gap`` is the difference of the means in standard deviations of the training data, and of the
    new data; ``reach`` are the squares of the largest deviation from the mean, in variances.
    """

    effective: tuple[Array, Array]
    gap: tuple[Array, Array]
    ratio: Array
    reach: tuple[Array, Array]
    total: tuple[Array, Array]
    missing: tuple[Array, Array]


def compare(samples: Samples, alpha: float, threshold: float) -> dict[str, Any]:
    """Return estimates, intervals, adjusted p-values and verdicts, per feature."""
    level = alpha / (TESTS * samples.ratio.size)
    smallest = _smallest_p(*samples.effective)
    with np.errstate(all="ignore"):
        shift, shift_half, shift_p = _shift(samples, level)
        log_ratio, log_half, spread_p = _spread(samples, level)
        before, after = (m / t for m, t in zip(samples.missing, samples.total, strict=True))
        missing_p = _missing(samples)
        size = {
            "shifted": np.abs(shift) >= threshold,
            "wider": log_ratio >= threshold,
            "narrower": log_ratio <= -threshold,
            "more missing": after - before >= MISSING,
            "fewer missing": before - after >= MISSING,
        }
        clear = dict.fromkeys(("wider", "narrower"), np.maximum(spread_p, smallest) < level)
        clear |= dict.fromkeys(("more missing", "fewer missing"), missing_p < level)
        clear["shifted"] = np.maximum(shift_p, smallest) < level
        p_value = np.fmin(np.fmin(np.maximum(shift_p, smallest), missing_p), _known(spread_p))
        return {
            "shift": shift,
            "shift_low": shift - shift_half,
            "shift_high": shift + shift_half,
            "spread_ratio": np.exp(log_ratio),
            "spread_low": np.exp(log_ratio - log_half),
            "spread_high": np.exp(log_ratio + log_half),
            "missing": after,
            "missing_before": before,
            "p_value": np.minimum(1.0, p_value * TESTS * samples.ratio.size),
            "verdict": _verdicts({name: size[name] & clear[name] for name in size}, samples),
        }


def _known(values: Array) -> Array:
    return np.where(np.isnan(values), 1.0, values)


def _smallest_p(before: Array, after: Array) -> Array:
    """Return the smallest p-value of samples of these sizes: that of one way to split them."""
    log_ways = -betaln(before + 1.0, after + 1.0) - np.log(before + after + 1.0)
    smallest: Array = np.minimum(1.0, 2.0 * np.exp(-log_ways))
    return smallest


def _degrees(samples: Samples) -> Array:
    """Return the degrees of freedom of the smaller sample, at least 1."""
    return np.maximum(np.minimum(*samples.effective) - 1.0, 1.0)


def _shift(samples: Samples, level: float) -> tuple[Array, Array, Array]:
    before, after = samples.effective
    by_training, by_new = samples.gap
    least = np.where(np.abs(by_new) < np.abs(by_training), by_new, by_training)
    noise = np.sqrt(1.0 / before + 1.0 / after)
    degrees = _degrees(samples)
    score = np.abs(least) / noise
    # Half of the interval, in standard deviations of the training data.
    half = stats.t.isf(level / 2.0, degrees) * noise * np.fmax(samples.ratio, 1.0)
    p = 2.0 * stats.t.sf(score, degrees)
    enough = np.minimum(before, after) >= 2
    nothing = by_training == 0.0
    p = np.where(nothing, 1.0, np.where(enough, p, np.nan))
    return by_training, np.where(enough, half, np.nan), p


def _spread(samples: Samples, level: float) -> tuple[Array, Array, Array]:
    before, after = samples.effective
    heaviest = np.maximum(samples.reach[0] / before, samples.reach[1] / after)
    kurtosis = np.maximum(np.maximum(*samples.reach), LEAST_KURTOSIS)
    noise = 0.5 * np.sqrt((kurtosis - 1.0) * (1.0 / (before - 1.0) + 1.0 / (after - 1.0)))
    log_ratio = np.log(samples.ratio)
    degrees = _degrees(samples)
    can_tell = (heaviest <= HEAVY) & np.isfinite(log_ratio) & (np.minimum(before, after) >= 2)
    p = 2.0 * stats.t.sf(np.abs(log_ratio) / noise, degrees)
    half = stats.t.isf(level / 2.0, degrees) * noise
    return log_ratio, np.where(can_tell, half, np.nan), np.where(can_tell, p, np.nan)


def _missing(samples: Samples) -> Array:
    """Return p-values of Fisher's exact test, twice that of the smaller side."""
    parts = []
    for total, missing, effective in zip(
        samples.total, samples.missing, samples.effective, strict=True
    ):
        worth = np.where(total > missing, effective / np.maximum(total - missing, 1e-300), 1.0)
        size = np.rint(np.minimum(np.where(np.isfinite(total), total * worth, 0.0), MOST))
        parts.append((size, np.rint(size * np.where(total > 0, missing / total, 0.0))))
    (n0, k0), (n1, k1) = parts
    known = np.isfinite(samples.missing[0]) & (n0 > 0) & (n1 > 0)
    n0, k0, n1, k1 = (np.where(known, values, 1.0) for values in (n0, k0, n1, k1))
    law = stats.hypergeom(n0 + n1, k0 + k1, n1)
    p = np.minimum(1.0, 2.0 * np.minimum(law.cdf(k1), law.sf(k1 - 1.0)))
    return np.where(known, np.where(k0 + k1 > 0, p, 1.0), 1.0)


def _verdicts(found: dict[str, NDArray[np.bool_]], samples: Samples) -> NDArray[np.object_]:
    enough = np.minimum(*samples.effective) >= 2
    texts = np.empty(enough.size, dtype=object)
    for k in range(enough.size):
        changes = [name for name, is_so in found.items() if is_so[k]]
        nothing = "no drift shown" if enough[k] else "too few values"
        texts[k] = " and ".join(changes) or nothing
    return texts
