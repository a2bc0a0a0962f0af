"""The statistics of a set of values per channel, as an immutable value that merges.

``fit`` is ``partial_fit`` from :meth:`Moments.zero`; ``partial_fit``, ``merge`` and everything
else that combines statistics reduce with the same :meth:`Moments.merge`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._statistics import double_double

Array = NDArray[np.float64]

ROWS = 9  # of the table of moments

# Channels whose magnitude lies within 2**-SAFE_EXPONENT .. 2**SAFE_EXPONENT are not scaled
# (exponent 0): there no square or sum of squares leaves the range of float64.
SAFE_EXPONENT = 350
# Powers of two beyond this have no finite reciprocal.
EXPONENT_LIMIT = 1020
# The exponent of nothing, or of zeros only: any other wins when the two are merged.
EMPTY = -5000.0
EPSILON = float(np.finfo(np.float64).eps)
# A channel whose standard deviation is below this part of its mean is constant but for the
# rounding of its values. scikit-learn's bound grows with the number of samples, as the error of a
# naive sum does. Ours does not grow, and a channel must not become constant because more of the
# same rows are seen.
CONSTANT = 5.0 * EPSILON
# The statistics of one sample are plain sums, whose bound grows with their length up to here.
MOST_SAMPLES_IN_BOUND = 10_000.0
# Weights beyond 2**-WEIGHT_EXPONENT .. 2**WEIGHT_EXPONENT are scaled, so that no product of a
# weight and a square leaves the range of float64.
WEIGHT_EXPONENT = 200


def is_constant(count: Any, mean: Any, var: Any, xp: Any = np) -> Any:
    """Tell whether the variance of one sample is within rounding error of zero."""
    bound = xp.clip(count, 1.0, MOST_SAMPLES_IN_BOUND) * EPSILON * mean
    return var <= bound * bound


def scale_weights(weights: Array) -> tuple[Array, int]:
    """Return weights in a safe range, and the power of two that was divided out of them."""
    exponent = int(np.frexp(weights.max())[1])
    if abs(exponent) <= WEIGHT_EXPONENT:
        return weights, 0
    with np.errstate(under="ignore"):
        return np.ldexp(weights, -exponent), exponent


def unit_exponent(magnitude: Array) -> Array:
    """Return the power of two that a channel of this largest magnitude is kept in."""
    _, exponent = np.frexp(magnitude)
    exponent = np.clip(exponent, -EXPONENT_LIMIT, EXPONENT_LIMIT).astype(np.float64)
    exponent[np.abs(exponent) <= SAFE_EXPONENT] = 0.0
    return np.where(magnitude == 0.0, EMPTY, exponent)


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean, sum of squared deviations, least and greatest value per channel.

    The columns of ``table`` are channels; its rows are ``count``, ``mean`` and ``m2``, each
    as a double-double number, ``exponent``, and the least and the greatest value. The channel's
    values are ``2 ** exponent`` times those that ``mean`` and ``m2`` describe, so that columns at
    1e300 or 1e-300 keep their digits; the extremes are as they are, infinite where not known.
    Likewise ``count`` and ``m2`` are in units of ``2 ** weight_exponent``, which is 0 but for
    extreme weights.
    """

    table: Array
    weight_exponent: int = 0

    @classmethod
    def zero(cls, n_channels: int) -> Moments:
        """Return the statistics of no values."""
        table = np.zeros((ROWS, n_channels))
        table[6:] = [[EMPTY], [np.inf], [-np.inf]]
        return cls(table)

    @classmethod
    def zeros_only(cls, count: Array, count_low: Array) -> Moments:
        """Return the statistics of zeros, of this many (or this weight) per channel."""
        moments = cls.zero(count.size)
        moments.table[0], moments.table[1] = count, count_low
        moments.table[7:, count > 0] = 0.0
        return moments

    @classmethod
    def from_var(cls, count: Array, mean: Array, var: Array) -> Moments:
        """Return the statistics of values of which no more is known."""
        filled = count > 0
        mean, var = np.where(filled, mean, 0.0), np.where(filled, var, 0.0)
        exponent = unit_exponent(np.maximum(np.abs(mean), np.sqrt(var)))
        unit = np.where(exponent == EMPTY, 0.0, exponent).astype(np.int64)
        nothing = np.zeros_like(count)
        weight_exponent = int(np.frexp(count.max(initial=0.0))[1])
        if abs(weight_exponent) <= WEIGHT_EXPONENT:
            weight_exponent = 0
        count = np.ldexp(count, -weight_exponent)
        mean, m2 = np.ldexp(mean, -unit), np.ldexp(var, -2 * unit) * count
        table = np.stack([count, nothing, mean, nothing, m2, nothing, exponent])
        return cls.without_extremes(table, weight_exponent)

    @classmethod
    def from_deviation(cls, count: Array, mean: Array, deviation: Array) -> Moments:
        """Return the statistics of values of which the standard deviation is known."""
        filled = count > 0
        mean, deviation = np.where(filled, mean, 0.0), np.where(filled, deviation, 0.0)
        exponent = unit_exponent(np.maximum(np.abs(mean), deviation))
        unit = np.where(exponent == EMPTY, 0.0, exponent).astype(np.int64)
        nothing = np.zeros_like(mean)
        m2 = np.ldexp(deviation, -unit) ** 2 * count
        table = np.stack([count, nothing, np.ldexp(mean, -unit), nothing, m2, nothing, exponent])
        return cls.without_extremes(table)

    @classmethod
    def without_extremes(cls, table: Array, weight_exponent: int = 0) -> Moments:
        """Return the statistics in the first rows of a table, which lacks the extremes."""
        unknown = np.full((2, table.shape[1]), [[np.inf], [-np.inf]])
        return cls(np.concatenate([table, unknown]), weight_exponent)

    @classmethod
    def of_groups(cls, table: Array) -> Moments:
        """Return the statistics in a table whose last two axes are groups and their channels."""
        return cls(table.reshape(ROWS, -1))

    def by_group(self, n_channels: int) -> Array:
        """Return the table with two axes for the channels of groups, which are side by side."""
        return self.table.reshape(ROWS, -1, n_channels)

    def of_all_groups(self, n_channels: int) -> Moments:
        """Return the statistics of all groups, whose channels are side by side."""
        by_channel = self.by_group(n_channels).swapaxes(1, 2)
        return replace(self, table=by_channel.reshape(ROWS, -1)).pool(n_channels)

    @classmethod
    def from_accumulators(cls, accumulators: Array) -> Moments:
        """Return the statistics in accumulators that the kernels have filled."""
        return cls(np.ascontiguousarray(accumulators.T))

    def accumulators(self) -> Array:
        """Return a copy with one row per channel, in which the kernels work."""
        return np.array(self.table.T, order="C")

    def columns_of(self, groups: NDArray[np.intp], n_channels: int) -> Moments:
        """Return the statistics of some groups, of those whose channels are side by side."""
        table = self.by_group(n_channels)[:, groups]
        return replace(self, table=table.reshape(ROWS, -1))

    @property
    def count(self) -> Array:
        """The number of values, or the sum of their weights; inf beyond the largest float64."""
        if not self.weight_exponent:
            return self._count
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(self._count, self.weight_exponent)

    @property
    def _count(self) -> Array:
        """The number of values in units of ``2 ** weight_exponent``."""
        count: Array = self.table[0]
        return count

    @cached_property
    def exponent(self) -> NDArray[np.int64]:
        """The power of two that scales each channel, 0 for nearly all data."""
        exponent = self.table[6]
        return np.where(exponent == EMPTY, 0.0, exponent).astype(np.int64)

    @cached_property
    def unit_mean(self) -> Array:
        """The mean in units of ``2 ** exponent``; NaN where there are no values."""
        return np.where(self._count > 0, self.table[2], np.nan)

    @cached_property
    def unit_var(self) -> Array:
        """The biased variance in units of ``4 ** exponent``; NaN where there are no values."""
        count = self.table[0]
        known = count > 0
        if known.all():
            var: Array = np.maximum(self.table[4], 0.0) / count
            return var
        filled = np.where(known, count, 1.0)
        return np.where(known, np.maximum(self.table[4], 0.0) / filled, np.nan)

    def unit_var_of(self, ddof: float) -> Array:
        """The variance with fewer degrees of freedom, in units of ``4 ** exponent``.

        It is NaN where there are no more values than ``ddof``.
        """
        if ddof == 0:
            return self.unit_var
        degrees = self._count - np.ldexp(float(ddof), -self.weight_exponent)
        known = degrees > 0
        return np.where(known, np.maximum(self.table[4], 0.0) / np.where(known, degrees, 1), np.nan)

    def var_of(self, ddof: float) -> Array:
        """The variance with fewer degrees of freedom; inf beyond the largest float64."""
        var = self.unit_var_of(ddof)
        if not self.exponent.any():
            return var
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(var, 2 * self.exponent)

    @property
    def mean(self) -> Array:
        """The mean."""
        with np.errstate(under="ignore"):
            return np.ldexp(self.unit_mean, self.exponent)

    @property
    def var(self) -> Array:
        """The biased variance; inf where it is beyond the largest float64."""
        return self.var_of(0.0)

    @cached_property
    def constant(self) -> NDArray[np.bool_]:
        """Whether the variance is within the rounding error of the values of zero."""
        bound = CONSTANT * self.unit_mean
        constant: NDArray[np.bool_] = self.unit_var <= bound * bound
        return constant

    def about_zero(self) -> Moments:
        """Return the statistics about zero: the mean is 0, and the variance the mean square."""
        mean, nothing = (self.table[2], self.table[3]), np.zeros_like(self._count)
        square = double_double.multiply(mean, mean)
        square = double_double.multiply(square, (self.table[0], self.table[1]))
        table = self.table.copy()
        table[4:6] = double_double.add(square, (self.table[4], self.table[5]))
        table[2:4] = nothing
        return replace(self, table=table)

    def merge(self, other: Moments) -> Moments:
        """Return the statistics of the union (Chan, Golub and LeVeque 1983, equation 2.1)."""
        if not self._count.any():
            return other
        if not other._count.any():
            return self
        a, b = self.in_common_unit(other)
        # The mean moves from that of the larger part: from the smaller, digits would cancel.
        swap = b[0] > a[0]
        if swap.any():
            a, b = np.where(swap, b, a), np.where(swap, a, b)
        merged = np.empty_like(a)
        merged[6] = a[6]
        merged[7], merged[8] = np.minimum(a[7], b[7]), np.maximum(a[8], b[8])
        # Count and m2 are rows 0 and 4, their low parts 1 and 5.
        merged[0:5:4], merged[1:6:4] = double_double.add((a[0:5:4], a[1:6:4]), (b[0:5:4], b[1:6:4]))
        delta = double_double.subtract((b[2], b[3]), (a[2], a[3]))[0]
        step = delta * (b[0] / np.where(merged[0] > 0, merged[0], 1.0))
        change = np.stack([step, delta * step * a[0]])
        merged[2:5:2], merged[3:6:2] = double_double.add(
            (np.stack([a[2], merged[4]]), np.stack([a[3], merged[5]])),
            (change, np.zeros_like(change)),
        )
        return Moments(merged, max(self.weight_exponent, other.weight_exponent))

    @classmethod
    def merge_all(cls, parts: list[Moments]) -> Moments:
        """Return the statistics of the union of several, neighbors first."""
        first = parts[0]
        if any(part.weight_exponent != first.weight_exponent for part in parts):
            return reduce(Moments.merge, parts)
        n_channels = first.table.shape[1]
        side_by_side = np.stack([part.table for part in parts], axis=2).reshape(ROWS, -1)
        return replace(first, table=side_by_side).pool(n_channels)

    def decay(self, batch: Moments, momentum: float) -> Moments:
        """Return the running statistics after one more batch, which weighs ``momentum``.

        They are those of a mixture of the two distributions, so the variance keeps the
        between-batch term ``m (1 - m) (batch_mean - mean) ** 2``.
        """
        mixed = self.with_count(1.0 - momentum).merge(batch.with_count(momentum))
        first, second = self.in_common_unit(batch)
        weight_exponent = max(self.weight_exponent, batch.weight_exponent)
        return replace(mixed.with_count(first[0] + second[0]), weight_exponent=weight_exponent)

    def tile(self, n_times: int) -> Moments:
        """Return the statistics of all channels again and again."""
        return replace(self, table=np.tile(self.table, n_times))

    def with_count(self, count: Array | float) -> Moments:
        """Return the same mean and variance, as if from another number of values."""
        filled = self._count > 0
        table = self.table.copy()
        table[0], table[1] = np.where(filled, count, 0.0), 0.0
        # Divided first: the ratio of the counts may be too small for float64.
        table[4:6] = table[4:6] / np.where(filled, self._count, 1.0) * table[0]
        return Moments(table)

    def in_weight_unit(self, weight_exponent: int) -> Moments:
        """Return the same statistics with weights in another unit, where that is not smaller."""
        if weight_exponent <= self.weight_exponent:
            return self
        return Moments(self._in_unit(self.table[6], weight_exponent), weight_exponent)

    def pool(self, n_channels: int) -> Moments:
        """Merge runs of neighboring columns, leaving ``n_channels``."""
        table = self.table.reshape(ROWS, n_channels, -1)
        while table.shape[2] > 1:
            half = table.shape[2] // 2
            left, right = table[:, :, :half], table[:, :, half : 2 * half]
            merged = Moments(left.reshape(ROWS, -1)).merge(Moments(right.reshape(ROWS, -1)))
            table = np.concatenate(
                [merged.table.reshape(ROWS, n_channels, half), table[:, :, 2 * half :]], axis=2
            )
        return replace(self, table=np.ascontiguousarray(table[:, :, 0]))

    def pool_by(self, codes: NDArray[np.intp], n_channels: int) -> Moments:
        """Merge the columns of each code, leaving ``n_channels``: neighbors, again and again."""
        order = np.argsort(codes, kind="stable")
        codes, table = codes[order], self.table[:, order]
        while codes.size > n_channels:
            first = np.flatnonzero(np.diff(codes, prepend=-1))
            place = np.arange(codes.size) - np.repeat(first, np.diff(first, append=codes.size))
            left = np.flatnonzero((place % 2 == 0) & (np.append(codes[1:], -1) == codes))
            merged = Moments(table[:, left]).merge(Moments(table[:, left + 1]))
            table[:, left] = merged.table
            kept = np.delete(np.arange(codes.size), left + 1)
            codes, table = codes[kept], table[:, kept]
        return replace(self, table=np.ascontiguousarray(table))

    def in_common_unit(self, other: Moments) -> tuple[Array, Array]:
        """Return both tables, each channel and the weights in the larger of the two units."""
        same = self.weight_exponent == other.weight_exponent
        if same and (self.table[6] == other.table[6]).all():
            return self.table, other.table
        unit = np.maximum(self.table[6], other.table[6])
        weight_exponent = max(self.weight_exponent, other.weight_exponent)
        return self._in_unit(unit, weight_exponent), other._in_unit(unit, weight_exponent)

    def _in_unit(self, exponent: Array, weight_exponent: int) -> Array:
        """Return the table in the given units, none smaller than its own."""
        weight_change = max(self.weight_exponent - weight_exponent, -4000)
        if not weight_change and np.array_equal(self.table[6], exponent):
            return self.table
        change = np.maximum(self.table[6] - exponent, -2000.0).astype(np.int64)
        scaled = self.table.copy()
        with np.errstate(under="ignore"):
            scaled[:2] = np.ldexp(self.table[:2], weight_change)
            scaled[2:4] = np.ldexp(self.table[2:4], change)
            scaled[4:6] = np.ldexp(self.table[4:6], 2 * change + weight_change)
        scaled[6] = exponent
        return scaled


def root_in_unit(square: Array, moments: Moments, eps: float, constant: NDArray[np.bool_]) -> Array:
    """Return ``sqrt(square + eps)`` in the moments' units; where constant, 1 in the data's unit."""
    exponent, eps = moments.exponent, float(eps)
    if not exponent.any():
        return np.where(constant, 1.0, np.sqrt(square + eps))
    one = np.ldexp(1.0, -exponent)
    with np.errstate(over="ignore", under="ignore"):
        far = np.hypot(np.sqrt(square), np.sqrt(eps) * one)
    return np.where(constant, one, np.where(exponent == 0, np.sqrt(square + eps), far))
