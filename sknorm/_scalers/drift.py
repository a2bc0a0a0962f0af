"""Comparing new data with what a scaler was fitted on: what both are, and the report of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import dispatch
from sknorm._backends.layout import sample_blocks
from sknorm._backends.sparse import coordinates
from sknorm._compat import as_numpy
from sknorm._drift.inference import Samples, compare
from sknorm._drift.report import DriftReport
from sknorm._scalers import validation
from sknorm._statistics.moments import Moments
from sknorm._statistics.training import Training

Array = NDArray[np.float64]
Sample = tuple[Moments, Training]


def worth_of(weights: Array | None) -> float:
    """Return how many values of equal weight a unit of weight is worth (Kish)."""
    if weights is None:
        return 1.0
    return float(weights.sum() / (weights**2).sum())


def total_of(X: Any, rows: Any, sizes: Array) -> Array:
    """Return the number or weight of values per channel, of so many features each.

    ``rows`` is the number or weight of the samples, or a column of those of each group.
    """
    total: Array = rows * math.prod(X.shape[2:]) * sizes
    return total


def sizes_of(codes: NDArray[np.intp] | None, n_features: int, n_channels: int) -> Array:
    """Return the number of features of each channel."""
    if codes is None:
        return np.full(n_channels, n_features / n_channels)
    return np.bincount(codes, minlength=n_channels).astype(np.float64)


def report(
    before: Sample,
    after: Sample,
    outside: Array,
    labels: dict[str, Any],
    settings: tuple[float, float],
    new_groups: Any = (),
) -> DriftReport:
    """Return the report of two samples, of the channels of which labels say what they are."""
    (old, old_training), (new, new_training) = before, after
    with np.errstate(all="ignore"):
        gaps, ratio = _gaps_and_ratio(before, after)
        samples = Samples(
            effective=(old_training.effective, new_training.effective),
            gap=gaps,
            ratio=ratio,
            reach=(_reach(*before), _reach(*after)),
            total=(old.count + old_training.missing, new.count + new_training.missing),
            missing=(old_training.missing, new_training.missing),
        )
    alpha, threshold = settings
    found = compare(samples, float(alpha), float(threshold))
    order = ("shift", "shift_low", "shift_high", "spread_ratio", "spread_low", "spread_high")
    table = labels | {"n": new.count} | {name: found[name] for name in order}
    table |= {"missing": found["missing"], "missing_before": found["missing_before"]}
    table |= {"outside": outside, "p_value": found["p_value"], "verdict": found["verdict"]}
    return DriftReport(table, float(alpha), float(threshold), new_groups)


def _deviation(moments: Moments, training: Training) -> Array:
    """Return the standard deviation, without bias, in units of ``2 ** exponent``."""
    effective = training.effective
    more = np.where(effective > 1.0, effective / (effective - 1.0), np.nan)
    return np.where(moments.constant, 0.0 * more, np.sqrt(moments.unit_var * more))


def _gaps_and_ratio(before: Sample, after: Sample) -> tuple[tuple[Array, Array], Array]:
    """Return the difference of the means in deviations of each, and the ratio of those."""
    old, new = (Moments(table) for table in before[0].in_common_unit(after[0]))
    gap = new.unit_mean - old.unit_mean
    # Means of equal values are equal but for their rounding.
    alike = np.abs(gap) <= 4.0 * np.finfo(np.float64).eps * np.abs(old.unit_mean)
    gap = np.where(alike, 0.0, gap)
    a, b = _deviation(old, before[1]), _deviation(new, after[1])
    ratio = np.where((a == 0.0) & (b == 0.0), 1.0, b / a)
    return (_divided(gap, a), _divided(gap, b)), ratio


def _divided(gap: Array, deviation: Array) -> Array:
    return np.where(gap == 0.0, 0.0 * deviation, gap / deviation)


def _reach(moments: Moments, training: Training) -> Array:
    """Return the square of the largest deviation from the mean, in variances."""
    exponent = moments.exponent
    low, high = (np.ldexp(v, -exponent) for v in (training.minimum, training.maximum))
    mean, deviation = moments.unit_mean, _deviation(moments, training)
    reach = np.maximum(high - mean, mean - low) / deviation
    squares: Array = np.where(np.isfinite(low) & np.isfinite(high), reach**2, np.nan)
    return squares


def share_of(outside: Array, count: Array) -> Array:
    """Return which share of values numbers of them are."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return outside / count


def outside(
    X: Any,
    training: Training,
    count: Array,
    channel_of: NDArray[np.intp],
    codes: NDArray[np.intp],
    weights: Array | None,
) -> Array:
    """Return the number of values outside the training range, NaN where that is not known.

    ``codes`` are the groups of the samples; ``channel_of`` has a row per group and a column per
    feature, in which -1 are those that are not asked for.
    """
    if not count.size:
        return np.zeros(0)
    known = training.minimum <= training.maximum
    asked = channel_of >= 0
    low = np.where(asked, np.where(known, training.minimum, -np.inf)[channel_of], -np.inf)
    high = np.where(asked, np.where(known, training.maximum, np.inf)[channel_of], np.inf)
    count_all = _count_sparse if sparse.issparse(X) else _count_dense
    numbers = count_all(X, low, high, codes, weights)
    found = np.bincount(channel_of[asked], numbers[asked], minlength=count.size)
    return np.where(known, found, np.nan)


def _count_dense(
    X: Any, low: Array, high: Array, codes: NDArray[np.intp], weights: Array | None
) -> Array:
    """Return the number or weight of finite values outside of bounds, per group and feature."""
    X = X if isinstance(X, np.ndarray) else as_numpy(X)
    found = np.zeros(low.shape)
    for rows in sample_blocks(X):
        values = X[rows].astype(np.float64, copy=False)
        values = values.reshape(len(values), X.shape[1], -1)
        own = codes[rows]
        below, above = low[own][:, :, None], high[own][:, :, None]
        outside = ((values < below) | (values > above)) & np.isfinite(values)
        outside = outside.sum(axis=2, dtype=np.float64)
        np.add.at(found, own, outside if weights is None else outside * weights[rows, None])
    return found


def _count_sparse(
    X: Any, low: Array, high: Array, codes: NDArray[np.intp], weights: Array | None
) -> Array:
    """Return the same of a sparse array, whose zeros may be outside too."""
    rows, columns = coordinates(X)
    weight = np.ones(X.shape[0]) if weights is None else weights
    own, data = codes[rows], X.data.astype(np.float64)
    outside = ((data < low[own, columns]) | (data > high[own, columns])) & np.isfinite(data)

    def total(values: Array) -> Array:
        places = own * X.shape[1] + columns
        sums: Array = np.bincount(places, values, minlength=low.size).astype(np.float64)
        return sums.reshape(low.shape)

    everything = np.bincount(codes, weight, minlength=len(low))[:, None]
    zeros = np.maximum(everything - total(weight[rows]), 0.0)
    found: Array = total(weight[rows] * outside) + zeros * ((low > 0.0) | (high < 0.0))
    return found


def of_groups(moments: Moments, missing: Array, worth: Any) -> Training:
    """Return what is known of the data of groups, whose ranges are in their moments.

    ``worth`` is what a unit of weight is worth, in the moments' unit of weight.
    """
    count = moments.table[0]
    table = np.empty((4, count.size))
    table[0], table[1] = moments.table[7], moments.table[8]
    n_times = count.size // np.size(worth)
    table[2], table[3] = missing, count * np.tile(worth, n_times)
    return Training(table)


def read_new(reader: Any, X: Any, sample_weight: Any) -> tuple[Any, Array | None]:
    """Return new data and its weights, checked."""
    X = validation.check_input(reader, X, reset=False)
    if sparse.issparse(X):
        X = dispatch.without_duplicates(X)
    return X, validation.check_weights(sample_weight, X.shape[0])
