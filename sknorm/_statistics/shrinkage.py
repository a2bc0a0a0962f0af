"""Drawing the statistics of small groups towards those of all: empirical Bayes.

Means are taken as normally distributed between groups, with the variance between groups by the
method of moments in two steps (DerSimonian and Kacker 2007). Variances are taken as scaled inverse
chi-squared (Smyth 2004, section 6.2), by the moments of their logarithms in the same two steps:
groups differ in size, so that their logarithms differ in what they are worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

from sknorm._statistics.moments import CONSTANT, EMPTY, Moments

Array = NDArray[np.float64]

# Groups further apart than this power of two are not compared: the smaller is 0 beside the larger.
FAR = 400


@dataclass(frozen=True, eq=False)
class Prior:
    """What the groups tell of a group of which nothing is known yet, per channel.

    ``mean`` and ``between`` are the mean and the variance of the groups' means, ``var`` the typical
    variance within a group, worth ``degrees`` values. They are in units of ``2 ** exponent``.
    """

    mean: Array
    between: Array
    var: Array
    degrees: Array
    exponent: Array
    lost: float  # degrees of freedom that the mean takes

    @classmethod
    def of(cls, moments: Moments, n_channels: int, lost: float) -> Prior:
        """Return what the moments of all channels of all groups tell."""
        exponent = _common_exponent(moments.table[6].reshape(-1, n_channels))
        count, mean, m2, near = _in_unit(moments, exponent)
        degrees = np.where(near, np.maximum(count - lost, 0.0), 0.0)
        var, worth = _typical_variance(m2, degrees)
        known = near & (count > 0)
        posterior = _posterior_variance(m2, degrees, var, worth)
        sampling = posterior / np.where(known, count, 1.0)
        center, between = _means_between(mean, sampling, known)
        return cls(center, between, var, worth, exponent, lost)

    def apply(self, moments: Moments, ddof: float) -> Moments:
        """Return the moments of groups, drawn towards the typical ones; m2 is variance x count."""
        n_channels = self.mean.size
        count, mean, m2, near = _in_unit(moments, self.exponent)
        degrees = np.maximum(count - self.lost, 0.0)
        own = m2 / np.where(count > ddof, count - ddof, 1.0)
        var = _posterior_variance(m2, degrees, self.var, self.degrees)
        filled = np.where(count > 0, count, 1.0)
        pull = np.where(count > 0, _share(var / filled, self.between), 1.0)
        var = np.where((self.degrees == 0) & (degrees > 0), own, var)
        table = moments.by_group(n_channels).copy()
        unit = np.broadcast_to(self.exponent, count.shape)
        low = np.where(pull == 0.0, table[3], 0.0)
        new = [
            filled,
            0.0 * count,
            mean + pull * (self.mean - mean),
            low,
            var * filled,
            0.0 * count,
        ]
        table[:6] = np.where(near, np.stack(new), table[:6])
        table[6] = np.where(near, unit, table[6])
        return Moments.of_groups(table)


# Of normally distributed values: the sampling variance of the median, times their number, in
# squared interquartile ranges; and by how much the logarithm of the interquartile range of n
# values is off in the mean, and its variance. Of few values, from 2 on, these are simulated
# (``benchmarks/shrinkage.py --constants``); of more, they fall with 1 / n.
MEDIAN_NOISE = 0.5 * np.pi / 1.3489795003921634**2
FEW_OFF = np.array([-1.279, -0.636, -0.486, -0.508, -0.361, -0.287, -0.257, -0.257])
FEW_NOISE = np.array([1.234, 0.414, 0.321, 0.489, 0.276, 0.201, 0.179, 0.203])
MANY_OFF, MANY_NOISE = -2.07, 1.38


def _log_range(count: Array) -> tuple[Array, Array]:
    """Return the mean error and the variance of the logarithm of an interquartile range."""
    few = np.clip(count - 2, 0, FEW_OFF.size - 1).astype(np.intp)
    is_few = count < FEW_OFF.size + 2
    many = np.maximum(count, 2)
    off = np.where(is_few, FEW_OFF[few], MANY_OFF / many)
    return off, np.where(is_few, FEW_NOISE[few], MANY_NOISE / many)


@dataclass(frozen=True, eq=False)
class QuantilePrior:
    """What the groups tell of the median and the spread of a group of which nothing is known.

    The medians and the logarithms of the spreads are taken as normally distributed between groups.
    ``center`` and ``between`` are in units of ``2 ** exponent``, in which squares are in range.
    """

    exponent: NDArray[np.int64]
    center: Array
    between: Array
    log_scale: Array
    log_between: Array

    @classmethod
    def of(
        cls, count: Array, center: Array, scale: Array, flat: NDArray[np.bool_]
    ) -> QuantilePrior:
        """Return what the groups (rows) tell, per channel."""
        spread = ~flat & np.isfinite(scale) & (scale > 0)
        filled = np.where(count > 0, count, 1)
        off, noise = _log_range(count)
        log_scale = np.log(np.where(spread, scale, 1.0)) - off
        typical, varies = _means_between(log_scale, noise, spread)
        typical = np.where(spread.any(axis=0), typical, np.inf)
        exponent = _largest_exponent(center, np.where(spread, scale, 0.0))
        prior = cls(exponent, center[0], center[0], typical, varies)
        drawn, center = prior._in_units(prior._spread(count, scale, spread), center)
        with np.errstate(under="ignore"):
            sampling = MEDIAN_NOISE * drawn**2 / filled
        known = (count > 0) & np.isfinite(center) & np.isfinite(sampling)
        middle, between = _means_between(np.where(known, center, 0.0), sampling, known)
        between = np.where(known.any(axis=0), between, np.inf)
        return cls(exponent, middle, between, typical, varies)

    def apply(
        self, count: Array, center: Array, scale: Array, flat: NDArray[np.bool_]
    ) -> tuple[Array, Array]:
        """Return the medians and divisors of groups, drawn towards the typical ones."""
        shape = -1, self.center.size
        count, center, scale = (values.reshape(shape) for values in (count, center, scale))
        flat = flat.reshape(shape)
        spread = ~flat & np.isfinite(scale) & (scale > 0)
        drawn = self._spread(count, scale, spread)
        filled = np.where(count > 0, count, 1)
        units, unit_center = self._in_units(drawn, center)
        with np.errstate(invalid="ignore", under="ignore"):
            pull = _share(MEDIAN_NOISE * units**2 / filled, self.between)
            middle = np.ldexp(unit_center + pull * (self.center - unit_center), self.exponent)
            typical = np.ldexp(self.center, self.exponent)
        own = np.where(np.isfinite(drawn) & (pull != 0.0), middle, center)
        return np.where(count > 0, own, typical).ravel(), drawn.ravel()

    def _in_units(self, *values: Array) -> list[Array]:
        """Return values in units of ``2 ** exponent``."""
        with np.errstate(over="ignore", under="ignore"):
            return [np.ldexp(value, -self.exponent) for value in values]

    def _spread(self, count: Array, scale: Array, known: NDArray[np.bool_]) -> Array:
        """Return divisors drawn towards the typical one, which those not known are."""
        off, noise = _log_range(count)
        log_scale = np.log(np.where(known, scale, 1.0)) - off
        pull = _share(noise, self.log_between)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            factor = np.exp(pull * (self.log_scale - log_scale) - off)
            drawn = np.where(known, scale * factor, np.exp(self.log_scale))
        return np.where(known & (pull == 0.0), scale, drawn)


def _largest_exponent(*values: Array) -> NDArray[np.int64]:
    """Return the largest power of two among finite values of each channel (columns)."""
    finite = np.stack([np.where(np.isfinite(value), value, 0.0) for value in values])
    exponent: NDArray[np.int64] = np.frexp(np.abs(finite).max(axis=(0, 1)))[1].astype(np.int64)
    return exponent


def _common_exponent(exponent: Array) -> Array:
    """Return the largest power of two among the groups of each channel; 0 where all are empty."""
    largest: Array = exponent.max(axis=0)
    return np.where(largest == EMPTY, 0.0, largest)


def _in_unit(moments: Moments, exponent: Array) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return counts, means and m2 by group and channel, and whether they are in reach."""
    n_channels = exponent.size
    table = moments.by_group(n_channels)
    count = moments.count.reshape(-1, n_channels)
    weight = np.ldexp(1.0, min(moments.weight_exponent, 1000))
    if (table[6] == exponent).all():
        near = np.ones(count.shape, dtype=bool)
        return count, table[2], _without_rounding(count, table[2], table[4] * weight), near
    own = np.where(table[6] == EMPTY, exponent, table[6])
    near = exponent - own < FAR
    change = np.maximum(own - exponent, -2000.0).astype(np.int64)
    with np.errstate(under="ignore"):
        mean = np.ldexp(table[2], change)
        m2 = np.ldexp(table[4], 2 * change) * weight
    return count, mean, _without_rounding(count, mean, m2), near


def _without_rounding(count: Array, mean: Array, m2: Array) -> Array:
    """Return sums of squares with 0 where they are nothing but the rounding of the values."""
    return np.where(m2 <= count * (CONSTANT * mean) ** 2, 0.0, m2)


def _share(a: Array, b: Array) -> Array:
    """Return ``a / (a + b)``: 1 where a is infinite, 0 where only b is, and 1 where both are 0."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = np.asarray(a / (a + b))
    share = np.where(np.isinf(b), 0.0, share)
    return np.where(np.isinf(a) | ((a == 0) & (b == 0)), 1.0, share)


def _posterior_variance(m2: Array, degrees: Array, var: Array, worth: Array) -> Array:
    """Return ``(worth * var + m2) / (worth + degrees)``."""
    share = _share(worth, degrees)
    own = m2 / np.where(degrees > 0, degrees, 1.0)
    return np.where(share == 1.0, var, own + share * (var - own))


def _typical_variance(m2: Array, degrees: Array) -> tuple[Array, Array]:
    """Return the typical variance within groups, and how many degrees of freedom it is worth.

    One group alone tells what is typical, but not how much: it is worth nothing next to others.
    """
    known = (degrees > 0) & (m2 > 0)
    n_known = known.sum(axis=0)
    half = np.where(known, degrees, 1.0) * 0.5
    log_var = np.log(np.where(known, m2, 1.0)) - np.log(2.0 * half)
    bias, noise = _per_value(half)
    mean, excess = _means_between(np.where(known, log_var + bias, 0.0), noise, known)
    varies = (n_known > 1) & (excess > 0)
    half_worth = _trigamma_inverse(np.where(varies, excess, 1.0))
    with np.errstate(under="ignore", over="ignore"):
        typical = np.exp(mean + digamma(half_worth) - np.log(half_worth))
    # Where variances are all alike, the best guess is the mean of them.
    total = np.where(known, degrees, 0.0).sum(axis=0)
    alike = (m2 * known / np.where(total > 0, total, 1.0)).sum(axis=0)
    var = np.where(varies, typical, alike)
    return var, np.where(varies, 2.0 * half_worth, np.where(n_known > 1, np.inf, 0.0))


def _per_value(half: Array) -> tuple[Array, Array]:
    """Return ``log(d / 2) - digamma(d / 2)`` and ``trigamma(d / 2)``, each value computed once."""
    twice = (2.0 * half).astype(np.intp)
    if twice.max(initial=0) < half.size and (twice == 2.0 * half).all():
        seen = np.zeros(twice.max(initial=0) + 1, dtype=bool)  # ten times as fast as np.unique
        seen[twice] = True
        values, places = 0.5 * np.flatnonzero(seen), (np.cumsum(seen) - 1)[twice]
    else:
        values, places = np.unique(half, return_inverse=True)
        places = places.reshape(half.shape)
    bias, noise = np.log(values) - digamma(values), polygamma(1, values)
    return bias[places], noise[places]


def _trigamma_inverse(values: Array) -> Array:
    """Return where trigamma has these values (Newton's method, as in Smyth 2004, appendix)."""
    found = 0.5 + 1.0 / values
    for _ in range(50):
        trigamma = polygamma(1, found)
        step = trigamma * (1.0 - trigamma / values) / polygamma(2, found)
        found = found + step
        if (np.abs(step) <= 1e-10 * found).all():
            break
    # Beyond these, the expansions of trigamma for large and small arguments are exact.
    found = np.where(values > 1e10, 1.0 / np.sqrt(values), found)
    return np.where(values < 1e-6, 1.0 / values, found)


def _means_between(mean: Array, sampling: Array, known: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the mean and the variance of the groups' means; infinite where it is not known."""
    n_known = known.sum(axis=0)
    weight = known.astype(np.float64)
    sampling = np.where(known, sampling, 0.0)
    for _ in range(2):
        total = np.maximum(weight.sum(axis=0), 1e-300)
        center = (weight * mean).sum(axis=0) / total
        squares = (weight * (mean - center) ** 2).sum(axis=0)
        expected = (weight * sampling).sum(axis=0) - (weight**2 * sampling).sum(axis=0) / total
        per_unit = total - (weight**2).sum(axis=0) / total
        between = np.maximum(squares - expected, 0.0) / np.where(per_unit > 0, per_unit, 1.0)
        weight = _precision(sampling + between, known)
    center = (weight * mean).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
    return center, np.where(n_known > 1, between, np.inf)


def _precision(variance: Array, known: NDArray[np.bool_]) -> Array:
    """Return weights proportional to the inverse of variances, of which the largest is 1."""
    least = np.where(known & (variance > 0), variance, np.inf).min(axis=0)
    least = np.where(np.isfinite(least), least, 1.0)
    return np.where(known, least / np.maximum(variance, least), 0.0)
