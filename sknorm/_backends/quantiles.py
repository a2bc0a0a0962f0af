"""Exact quantiles of each channel, without sorting the data.

A sample of the rows says between which bounds each quantile lies, but for bad luck. One pass over
the data counts the values on either side of the bounds, and collects the few between them, of
which one is the order statistic that is looked for (Floyd and Rivest 1975). Where it lies outside
after all, that channel is selected from whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import threads
from sknorm._backends.layout import NATIVE, AnyArray, as_floats, channel_view, sample_blocks
from sknorm._backends.protocol import Kernels

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

SAMPLE = 8192, 1 << 16  # values per channel, a sixteenth of them between these
TILE = 128  # channels at a time: what is collected is an eighth of the data of these, or less
# Of the rank in the sample, between a quantile and its bounds. One in 140 lies outside, and is
# selected from its whole channel: wider bounds would take longer for all.
DEVIATIONS = 2.7
SEED = 0


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Per channel, the number of finite values and the quantiles asked for; NaN of none."""

    count: NDArray[np.int64]
    values: Array  # one row per level


def quantiles(
    x: Any,
    levels: list[float],
    kernels: Kernels,
    *,
    codes: Codes | None,
    n_channels: int,
    weight: Array | None,
    n_jobs: int | None,
) -> Quantiles:
    """Return the quantiles (0 to 1) of the finite values of each channel.

    ``codes`` are the channels of the features (axis 1), where they are not all different. Without
    weights, quantiles between two values are interpolated linearly. With weights, they are the
    averaged inverse of the weighted distribution function.
    """
    if (
        codes is None
        and weight is None
        and isinstance(x, np.ndarray)
        and _n_values(x) > 2 * SAMPLE[0]
    ):
        return _by_sample(x, levels, kernels, n_jobs)
    codes = np.arange(n_channels) if codes is None else codes
    count, found = np.zeros(n_channels, dtype=np.int64), np.empty((len(levels), n_channels))
    for channel, values, weights in channels(x, codes, np.arange(n_channels), weight):
        count[channel] = values.size
        if weights is None:
            found[:, channel] = _interpolated(values, levels)
        else:
            found[:, channel] = weighted_quantiles(values, weights, levels)
    return Quantiles(count, found)


def extents(x: Any, codes: Codes, wanted: Codes, weight: Array | None) -> tuple[Array, Array]:
    """Return the least and the largest finite values of some channels; NaN where there is none."""
    low, high = np.full((2, wanted.size), math.nan)
    for k, (_, values, _) in enumerate(channels(x, codes, wanted, weight)):
        if values.size:
            low[k], high[k] = values.min(), values.max()
    return low, high


def _n_values(x: AnyArray) -> int:
    """Return the number of values per channel."""
    return int(x.shape[0] * math.prod(x.shape[2:]))


def channels(
    x: Any, codes: Codes, wanted: Codes, weight: Array | None
) -> Iterator[tuple[int, Array, Array | None]]:
    """Yield some channels with their finite values, as one array, and the weights of those."""
    for channel, values, weights, _ in channel_samples(x, codes, wanted, weight):
        yield channel, values, weights


def channel_samples(
    x: Any, codes: Codes, wanted: Codes, weight: Array | None
) -> Iterator[tuple[int, Array, Array | None, NDArray[np.bool_]]]:
    """Yield some channels with their finite values, the weights of those, and which these are.

    Which they are is told for all samples of the first position, then of the next.
    """
    columns = x.tocsc() if sparse.issparse(x) else None
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], wanted, side="left")
    stops = np.searchsorted(codes[order], wanted, side="right")
    for channel, start, stop in zip(wanted.tolist(), starts, stops, strict=True):
        own = order[start:stop]
        if columns is not None:
            values = np.concatenate([_dense_column(columns, k) for k in own])
        else:
            with np.errstate(over="ignore"):
                values = np.asarray(x[:, own], dtype=np.float64)
            values = np.moveaxis(values, 0, -1).reshape(-1)  # samples last, as for sparse columns
        kept = np.isfinite(values)
        weights = None
        if weight is not None:
            weights = np.tile(weight, values.size // weight.size)
            kept &= weights > 0
            weights = weights[kept]
        yield channel, values[kept], weights, kept


def _dense_column(columns: Any, k: int) -> Array:
    values = np.zeros(columns.shape[0])
    stored = slice(columns.indptr[k], columns.indptr[k + 1])
    np.add.at(values, columns.indices[stored], columns.data[stored])
    return values


def _ranks(count: int, level: float) -> tuple[int, int, float]:
    """Return the ranks between which a quantile lies, and how far it is from the first."""
    place = (count - 1) * level
    first = math.floor(place)
    return first, min(first + 1, count - 1), place - first


def between(a: Array, b: Array, part: Array, levels: list[float]) -> Array:
    """Return quantiles between two values each, interpolated as NumPy does it.

    A median between two values is their mean.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        step = b - a
        value = np.where(part >= 0.5, b - step * (1.0 - part), a + step * part)
        value = np.where((part == 0.5) & (np.array(levels) == 0.5), (a + b) * 0.5, value)
        far = ~np.isfinite(step) | ~np.isfinite(value)
        apart = a * (1.0 - part) + b * part
    result: Array = np.where(far, apart, value)
    return result


def _interpolated(values: Array, levels: list[float]) -> Array:
    if not values.size:
        return np.full(len(levels), np.nan)
    ranks = [_ranks(values.size, level) for level in levels]
    found = _at_ranks(values, {rank for *pair, _ in ranks for rank in pair})
    first, second = np.array([[found[rank] for rank in pair] for *pair, _ in ranks]).T
    return between(first, second, np.array([part for *_, part in ranks]), levels)


def _at_ranks(values: Array, ranks: Iterable[int]) -> dict[int, float]:
    """Return the values of some ranks.

    NumPy finds one of them several times as fast as two at once. Of neighbors, the lower one is the
    greatest of what is below the upper one.
    """
    found: dict[int, float] = {}
    for rank in sorted(set(ranks), reverse=True):
        if values.size == rank + 1:
            found[rank] = float(values.max())
        else:
            values = np.partition(values, rank)
            found[rank] = float(values[rank])
            values = values[:rank]
    return found


def weighted_quantiles(values: Array, weights: Array, levels: list[float]) -> Array:
    """Return the averaged inverse of the weighted distribution function."""
    if not values.size:
        return np.full(len(levels), np.nan)
    order = np.argsort(values, kind="stable")
    values, total = values[order], np.cumsum(weights[order])
    share = np.array(levels) * total[-1]
    # Sums that differ from a share by their rounding only are equal to it.
    slack = 4.0 * np.finfo(np.float64).eps * total[-1]
    lower = np.searchsorted(total, share - slack, side="left").clip(0, values.size - 1)
    upper = np.searchsorted(total, share + slack, side="right").clip(0, values.size - 1)
    first, last = values[lower], values[np.maximum(lower, upper)]
    first = np.where(np.array(levels) == 0.0, values[0], first)
    last = np.where(np.array(levels) == 0.0, values[0], last)
    return between(first, last, np.full(len(levels), 0.5), levels)


# By a sample


def _by_sample(x: AnyArray, levels: list[float], kernels: Kernels, n_jobs: int | None) -> Quantiles:
    n_channels = x.shape[1]
    count, found = np.zeros(n_channels, dtype=np.int64), np.empty((len(levels), n_channels))
    sample = _sorted_sample(x)

    def tile(channels: slice) -> None:
        pass_ = _Pass(x, channels, sample[:, channels], levels)
        pass_.run(kernels)
        count[channels] = pass_.finite
        for k in range(channels.start, channels.stop):
            found[:, k] = pass_.quantiles(k - channels.start)

    tiles = threads.slices(n_channels, -(-n_channels // TILE))
    threads.run(tile, tiles, threads.n_threads(n_jobs, x.size))
    return Quantiles(count, found)


def _sorted_sample(x: AnyArray) -> Array:
    """Return the sorted values of some samples and positions per channel; NaN are the last."""
    rng = np.random.default_rng(SEED)
    n_positions = math.prod(x.shape[2:])
    size = min(max(SAMPLE[0], _n_values(x) // 16), SAMPLE[1])
    n_rows = min(x.shape[0], max(1, size // n_positions))
    edges = np.linspace(0, x.shape[0], n_rows + 1)
    rows = (edges[:-1] + rng.random(n_rows) * np.diff(edges)).astype(np.intp)
    with np.errstate(over="ignore"):
        values = x[rows].astype(np.float64)
    values = np.moveaxis(values, 1, -1).reshape(-1, x.shape[1])
    if len(values) > 2 * size:
        values = values[rng.integers(0, len(values), size)]
    values[~np.isfinite(values)] = np.nan
    return np.sort(values, axis=0)


class _Pass:
    """One pass over some channels of the data, and what was found of them."""

    def __init__(self, x: AnyArray, channels: slice, sample: Array, levels: list[float]) -> None:
        self._x, self._channels, self._levels = x, channels, levels
        width = sample.shape[1]
        self._low, self._high = _bounds(sample, levels)
        share = DEVIATIONS / math.sqrt(max(1, len(sample)))
        room = min(_n_values(x), int(1.25 * share * _n_values(x)) + 1024)
        self._counts = np.zeros((len(levels), 3, width), dtype=np.int64)
        self._near = np.empty((len(levels), width, room))
        self._filled = np.zeros((len(levels), width), dtype=np.int64)
        self.finite = np.zeros(width, dtype=np.int64)

    def run(self, kernels: Kernels) -> None:
        """Count and collect."""
        view = channel_view(self._x) if self._x.dtype in NATIVE else None
        if view is not None:
            self._collect(view, kernels, self._channels.start)
            return
        for block in sample_blocks(self._x):
            part = channel_view(as_floats(self._x[block][:, self._channels]))
            assert part is not None
            self._collect(part, kernels, 0)

    def _collect(self, view: AnyArray, kernels: Kernels, first: int) -> None:
        kernels.collect_near(
            view, first, self._low, self._high, self._counts, self.finite, self._near, self._filled
        )

    def quantiles(self, k: int) -> Array:
        """Return the quantiles of one of the channels."""
        count = int(self.finite[k])
        if not count:
            return np.full(len(self._levels), np.nan)
        ranks = [_ranks(count, level) for level in self._levels]
        pairs = [self._statistics(t, k, ranks[t][:2]) for t in range(len(ranks))]
        if any(pair is None for pair in pairs):
            codes, own = np.arange(self._x.shape[1]), np.array([self._channels.start + k])
            _, values, _ = next(channels(self._x, codes, own, None))
            return _interpolated(values, self._levels)
        first, second = np.array(pairs, dtype=np.float64).T
        parts = np.array([part for _, _, part in ranks])
        return between(first, second, parts, self._levels)

    def _statistics(self, t: int, k: int, ranks: tuple[int, int]) -> tuple[float, float] | None:
        """Return the values of two ranks, or None where one is not between the bounds."""
        below, to_low, to_high = self._counts[t, :, k]
        filled = int(self._filled[t, k])
        inner = [rank - int(to_low) for rank in ranks if to_low <= rank < to_low + filled]
        if inner and filled > self._near.shape[2]:
            return None
        near = _at_ranks(self._near[t, k, :filled], inner)
        found = []
        for rank in ranks:
            if not below <= rank < to_high:
                return None
            if rank < to_low:
                found.append(float(self._low[t, k]))
            elif rank < to_low + filled:
                found.append(near[rank - to_low])
            else:
                found.append(float(self._high[t, k]))
        return found[0], found[1]


def _bounds(sample: Array, levels: list[float]) -> tuple[Array, Array]:
    """Return what the values of each quantile lie between, by all that a sample tells."""
    count = np.count_nonzero(~np.isnan(sample), axis=0)
    low, high = (np.empty((len(levels), sample.shape[1])) for _ in range(2))
    columns = np.arange(sample.shape[1])
    for t, level in enumerate(levels):
        margin = DEVIATIONS * np.sqrt(count * level * (1.0 - level)) + 2.0
        place = level * (count - 1)
        first, last = np.floor(place - margin), np.ceil(place + 1.0 + margin)
        inside = sample[first.clip(0, np.maximum(count - 1, 0)).astype(np.intp), columns]
        low[t] = np.where((first < 0) | (count == 0), -np.inf, inside)
        inside = sample[last.clip(0, np.maximum(count - 1, 0)).astype(np.intp), columns]
        high[t] = np.where((last >= count) | (count == 0), np.inf, inside)
    return low, high
