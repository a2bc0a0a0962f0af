"""What is kept of the data that a scaler was fitted on, beside its own statistics, per channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Training:
    """The range of the data, how much was missing, and what their number is worth.

    The columns of ``table`` are channels. Its rows are the least and the greatest value, the number
    (or weight) of missing values, and the number of values of equal weight that tell as much as
    these (Kish's effective sample size); for scalers that learn other statistics, also the mean
    and the standard deviation.
    """

    table: Array

    @classmethod
    def of(cls, moments: Moments, total: Array, worth: float, *, with_moments: bool) -> Self:
        """Return what is kept of values with these moments.

        ``total`` is the number or weight of the values and those that are missing, and ``worth``
        what a unit of it is worth, both in the moments' unit of weight.
        """
        count, extremes = moments.table[0], moments.table[7:9]
        if worth == 1.0 and not with_moments and (total == count).all():
            return cls(extremes.copy())
        missing = missing_values(total, count)
        with np.errstate(over="ignore", under="ignore"):
            rows = [*extremes, np.ldexp(missing, moments.weight_exponent), count * worth]
        if with_moments:
            rows += [moments.mean, np.ldexp(np.sqrt(moments.unit_var), moments.exponent)]
        return cls(np.stack(rows))

    def with_counts(self, count: Array) -> Training:
        """Return the same with all rows; ``count`` is that of the values."""
        if len(self.table) > 2:
            return self
        return Training(np.stack([*self.table, np.zeros_like(count), count]))

    @property
    def minimum(self) -> Array:
        """The least value; infinite where there is none."""
        row: Array = self.table[0]
        return row

    @property
    def maximum(self) -> Array:
        """The greatest value; minus infinity where there is none."""
        row: Array = self.table[1]
        return row

    @property
    def missing(self) -> Array:
        """The number or weight of missing values."""
        row: Array = self.table[2]
        return row

    @property
    def effective(self) -> Array:
        """The number of values of equal weight that would tell as much."""
        row: Array = self.table[3]
        return row

    def merge(self, other: Training, count: Array, other_count: Array) -> Training:
        """Return what is kept of the union; the counts are those of the values of each."""
        if len(self.table) == len(other.table) == 2:
            return Training(_union(self.table, other.table))
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            share = count / np.maximum(count + other_count, 1e-300)
        share = np.where(np.isnan(share), 0.5, share)  # of counts beyond the largest number
        return self.with_counts(count)._mixed(other.with_counts(other_count), share, 1.0 - share)

    def decay(self, batch: Training, momentum: float, count: Array, new_count: Array) -> Training:
        """Return what is kept after one more batch, which weighs ``momentum``."""
        both = (count > 0) & (new_count > 0)
        share = np.where(both, momentum, (new_count > 0).astype(np.float64))
        return self.with_counts(count)._mixed(batch.with_counts(new_count), 1.0 - share, share)

    def _mixed(self, other: Training, share: Array, rest: Array) -> Training:
        a, b = self.table, other.table
        table = np.empty_like(a)
        table[:2] = _union(a, b)
        table[2] = a[2] + b[2]
        table[3] = 1.0 / np.maximum(_noise(share, a[3]) + _noise(rest, b[3]), 1e-300)
        table[3] = np.where(a[3] + b[3] > 0, table[3], 0.0)
        if len(table) > 4:
            own = Moments.from_deviation(share, a[4], a[5])
            merged = own.merge(Moments.from_deviation(rest, b[4], b[5]))
            table[4] = merged.mean
            table[5] = np.ldexp(np.sqrt(merged.unit_var), merged.exponent)
        return Training(table)


def missing_values(total: Array, count: Array) -> Array:
    """Return the number or weight of values that are missing, without the rounding of weights."""
    missing = np.maximum(total - count, 0.0)
    missing[missing <= 1e-12 * total] = 0.0
    return missing


def _union(a: Array, b: Array) -> Array:
    """Return the range that has both ranges."""
    return np.stack([np.minimum(a[0], b[0]), np.maximum(a[1], b[1])])


def _noise(share: Array, effective: Array) -> Array:
    """Return the part of the variance of a mean that so many values with this share have."""
    return np.where(share > 0, share**2 / np.maximum(effective, 1e-300), 0.0)
