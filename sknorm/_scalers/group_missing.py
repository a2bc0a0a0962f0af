"""How many values are missing in each group: kept where there are any."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers import drift
from sknorm._statistics.moments import Moments, scale_weights
from sknorm._statistics.training import missing_values

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def missing_of(
    X: Any, weights: Array | None, channels: Any, codes: Codes, moments: Moments, n_channels: int
) -> Array | None:
    """Return the number or weight of missing values of each channel in each group, side by side.

    ``moments`` are those of the others. It is None where no value is missing.
    """
    count = moments.table[0]
    if weights is None and count.sum() == math.prod(X.shape):
        return None
    if weights is not None:
        weights, _ = scale_weights(weights)
    rows = np.bincount(codes, weights, minlength=count.size // n_channels)
    sizes = drift.sizes_of(channels, X.shape[1], n_channels)
    missing = missing_values(drift.total_of(X, rows[:, None], sizes).ravel(), count)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(missing, moments.weight_exponent) if missing.any() else None


def of_some(missing: Array | None, groups: Codes, n_channels: int) -> Array:
    """Return the numbers of some groups, side by side."""
    if missing is None:
        return np.zeros(groups.size * n_channels)
    return missing.reshape(-1, n_channels)[groups].ravel()


def joined(
    known: Array | None, more: Array | None, places: Codes, n_channels: int, size: int
) -> Array | None:
    """Return the numbers of groups with those of others, of which each has its place among these.

    ``size`` is that of the result.
    """
    if known is None and more is None:
        return None
    table = np.zeros((size // n_channels, n_channels))
    if known is not None:
        table.ravel()[: known.size] = known
    if more is not None:
        table[places] += more.reshape(-1, n_channels)
    return table.ravel()
