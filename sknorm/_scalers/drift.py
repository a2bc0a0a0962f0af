"""Comparing new data with what a scaler was fitted on: what both are, and the report of it."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import dispatch
from sknorm._compat import as_numpy
from sknorm._drift.inference import Samples, compare
from sknorm._drift.report import DriftReport
from sknorm._scalers import validation
from sknorm._statistics.moments import Moments
from sknorm._statistics.training import Training

Array = NDArray[np.float64]
Sample = tuple[Moments, Training]

BLOCK = 1 << 16  # values at a time


def check_settings(alpha: Any, threshold: Any) -> None:
    """Refuse a rate that is not between 0 and 1, and a threshold that is no size."""
    if not _is_number(alpha) or not 0 < float(alpha) < 1:
        raise ValueError(f"alpha must be a number between 0 and 1, got {alpha!r}.")
    if not _is_number(threshold) or not 0 <= float(threshold) < np.inf:
        raise ValueError(
            f"threshold must be a number of standard deviations, at least 0, got {threshold!r}."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def worth_of(weights: Array | None) -> float:
    """Return how many values of equal weight a unit of weight is worth (Kish)."""
    if weights is None:
        return 1.0
    return float(weights.sum() / (weights**2).sum())


def total_of(X: Any, weights: Array | None, sizes: Array) -> Array:
    """Return the number or weight of values per channel, of so many features each."""
    n_positions = int(np.prod(X.shape[2:])) if len(X.shape) > 2 else 1
    rows = float(X.shape[0]) if weights is None else float(weights.sum())
    return rows * n_positions * sizes


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
        samples = Samples(
            effective=(old_training.effective, new_training.effective),
            gap=_gaps(before, after),
            ratio=_ratio(before, after),
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


def _in_common_unit(before: Sample, after: Sample) -> tuple[Sample, Sample]:
    old, new = (Moments(table) for table in before[0]._in_common_unit(after[0]))
    return (old, before[1]), (new, after[1])


def _gaps(before: Sample, after: Sample) -> tuple[Array, Array]:
    """Return the difference of the means in deviations of each."""
    a, b = _in_common_unit(before, after)
    gap = b[0].unit_mean - a[0].unit_mean
    # Means of equal values are equal but for their rounding.
    alike = np.abs(gap) <= 4.0 * np.finfo(np.float64).eps * np.abs(a[0].unit_mean)
    gap = np.where(alike, 0.0, gap)
    return _divided(gap, _deviation(*a)), _divided(gap, _deviation(*b))


def _divided(gap: Array, deviation: Array) -> Array:
    return np.where(gap == 0.0, 0.0 * deviation, gap / deviation)


def _ratio(before: Sample, after: Sample) -> Array:
    a, b = (_deviation(*sample) for sample in _in_common_unit(before, after))
    return np.where((a == 0.0) & (b == 0.0), 1.0, b / a)


def _reach(moments: Moments, training: Training) -> Array:
    """Return the square of the largest deviation from the mean, in variances."""
    exponent = moments.exponent
    low, high = (np.ldexp(v, -exponent) for v in (training.minimum, training.maximum))
    mean, deviation = moments.unit_mean, _deviation(moments, training)
    reach = np.maximum(high - mean, mean - low) / deviation
    squares: Array = np.where(np.isfinite(low) & np.isfinite(high), reach**2, np.nan)
    return squares


def count_outside(
    X: Any, low: Array, high: Array, channels: NDArray[np.intp], n_channels: int, weights: Any
) -> Array:
    """Return the weight of the values below or above the bounds of their features, per channel."""
    if sparse.issparse(X):
        return _count_outside_sparse(X, low, high, channels, n_channels, weights)
    X = X if isinstance(X, np.ndarray) else as_numpy(X)
    found = np.zeros(n_channels)
    for rows, outside in _outside(X, low[None], high[None], None, weights):
        del rows
        np.add.at(found, channels, outside.sum(axis=0))
    return found


def _outside(
    X: NDArray[Any], low: Array, high: Array, codes: Any, weights: Any
) -> Iterator[tuple[slice, Array]]:
    """Yield samples with the weight of their values outside of bounds, per feature.

    The bounds have a row for all samples, or one per group, of which codes are the samples'.
    """
    step = max(1, BLOCK // max(1, int(np.prod(X.shape[1:]))))
    for first in range(0, X.shape[0], step):
        rows = slice(first, first + step)
        values = X[rows].astype(np.float64, copy=False)
        values = values.reshape(len(values), X.shape[1], -1)
        own = slice(None) if codes is None else codes[rows]
        below, above = low[own][:, :, None], high[own][:, :, None]
        outside = ((values < below) | (values > above)).sum(axis=2, dtype=np.float64)
        yield rows, outside if weights is None else outside * weights[rows, None]


def outside_by_group(
    X: Any,
    training: Training,
    count: Array,
    channel_of: NDArray[np.intp],
    codes: NDArray[np.intp],
    weights: Array | None,
) -> Array:
    """Return the share of values outside the training range of their group.

    ``channel_of`` has a row per group of X and a column per feature; -1 are those of new groups.
    """
    if sparse.issparse(X):
        X = X.toarray()  # a check, which is made now and then, and not transform
    X = X if isinstance(X, np.ndarray) else as_numpy(X)
    low, high = (
        np.where(channel_of >= 0, bound[channel_of], side)
        for bound, side in ((training.minimum, -np.inf), (training.maximum, np.inf))
    )
    found = np.zeros(count.size)
    for rows, outside in _outside(X, low, high, codes, weights):
        own = channel_of[codes[rows]]
        np.add.at(found, own[own >= 0], outside[own >= 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Array = found / count
    return share


def of_groups(moments: Moments, worth: Any) -> Training:
    """Return what is known of the data of groups, whose ranges are in their moments."""
    count = moments.count
    table = np.empty((4, count.size))
    table[0], table[1] = moments.table[7], moments.table[8]
    n_times = count.size // np.size(worth)
    table[2], table[3] = np.nan * count, count * np.tile(worth, n_times)
    return Training(table)


def _count_outside_sparse(
    X: Any, low: Array, high: Array, channels: NDArray[np.intp], n_channels: int, weights: Any
) -> Array:
    coordinates = X.tocoo()
    rows, columns = coordinates.row, coordinates.col
    weight = np.ones(X.shape[0]) if weights is None else weights
    below, above = low, high
    data = coordinates.data.astype(np.float64)
    outside = (data < below[columns]) | (data > above[columns])
    found = np.bincount(channels[columns], weight[rows] * outside, minlength=n_channels)
    stored = np.bincount(columns, weight[rows], minlength=X.shape[1])
    zeros = np.maximum(weight.sum() - stored, 0.0) * ((below > 0.0) | (above < 0.0))
    return np.asarray(found + np.bincount(channels, zeros, minlength=n_channels), dtype=np.float64)


def outside_share(
    X: Any,
    training: Training,
    count: Array,
    channels: NDArray[np.intp],
    weights: Array | None,
) -> Array:
    """Return the share of values outside the training range, NaN where that is not known."""
    known = training.minimum <= training.maximum
    low = np.where(known, training.minimum, -np.inf)[channels]
    high = np.where(known, training.maximum, np.inf)[channels]
    found = count_outside(X, low, high, channels, count.size, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, found / count, np.nan)


def read_new(reader: Any, X: Any, sample_weight: Any) -> tuple[Any, Array | None]:
    """Return new data and its weights, checked."""
    X = validation.check_input(reader, X, reset=False)
    if sparse.issparse(X):
        X = dispatch.without_duplicates(X)
    return X, validation.check_weights(sample_weight, X.shape[0])
