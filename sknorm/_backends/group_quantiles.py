"""Exact quantiles of each channel in each group of samples, by sorting one channel at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends.groups import sort_by_code
from sknorm._backends.protocol import Kernels
from sknorm._backends.quantiles import Quantiles, between, channel_samples, weighted_quantiles

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def quantiles(
    x: Any,
    levels: list[float],
    codes: Codes,
    n_groups: int,
    channels: Codes,
    n_channels: int,
    weight: Array | None,
    kernels: Kernels,
) -> tuple[Quantiles, Array]:
    """Return the quantiles of the finite values, side by side by group, and their extents.

    ``channels`` are those of the features (axis 1). The extents are two rows: the least and the
    largest values.
    """
    count = np.zeros((n_groups, n_channels), dtype=np.int64)
    found = np.full((len(levels), n_groups, n_channels), np.nan)
    extent = np.full((2, n_groups, n_channels), np.nan)
    wanted = np.arange(n_channels)
    for channel, values, weights, kept in channel_samples(x, channels, wanted, weight):
        own_codes = codes[np.flatnonzero(kept) % codes.size]
        values, weights, starts = _sorted(values, weights, own_codes, n_groups, kernels)
        size = np.diff(starts)
        filled = np.flatnonzero(size)
        count[:, channel] = size
        first, last = starts[:-1][filled], starts[1:][filled] - 1
        extent[:, filled, channel] = values[first], values[last]
        if weights is not None:
            for group in filled:
                own = slice(starts[group], starts[group + 1])
                found[:, group, channel] = weighted_quantiles(values[own], weights[own], levels)
            continue
        for k, level in enumerate(levels):
            place = (size[filled] - 1) * level
            lower = np.floor(place).astype(np.intp)
            a, b = values[first + lower], values[np.minimum(first + lower + 1, last)]
            found[k, filled, channel] = between(a, b, place - lower, [level])
    return Quantiles(count.ravel(), found.reshape(len(levels), -1)), extent.reshape(2, -1)


def values(
    x: Any, codes: Codes, n_groups: int, channels: Codes, n_channels: int, kernels: Kernels
) -> list[Array]:
    """Return the finite values of each channel in each group, side by side."""
    found: list[list[Array]] = []
    for _, own, _, kept in channel_samples(x, channels, np.arange(n_channels), None):
        own_codes = codes[np.flatnonzero(kept) % codes.size]
        by_group, starts = sort_by_code(own_codes, n_groups, kernels)
        found.append(np.split(own[by_group], starts[1:-1]))
    return [own[group] for group in range(n_groups) for own in found]


def _sorted(
    values: Array, weights: Array | None, codes: Codes, n_groups: int, kernels: Kernels
) -> tuple[Array, Array | None, Codes]:
    """Return values in the order of their groups, and within those of their size."""
    order = np.argsort(values, kind="stable" if weights is not None else None)
    by_group, starts = sort_by_code(codes[order], n_groups, kernels)
    order = order[by_group]
    return values[order], None if weights is None else weights[order], starts.astype(np.intp)
