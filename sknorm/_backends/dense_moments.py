"""The statistics of NumPy arrays, merged from the pieces that the loops take (see ``dense``)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import threads
from sknorm._backends.layout import NATIVE, AnyArray, as_floats, channel_view, sample_blocks
from sknorm._backends.protocol import Kernels, NonFiniteError
from sknorm._statistics.moments import ROWS, Moments

Array = NDArray[np.float64]

# Statistics are merged from pieces of this many values, whatever the number of threads, so that
# this changes no bit of them.
PIECE = 1 << 23
PIECE_LENGTH = 1 << 13  # and of at least so many values per channel: merging is paid per channel
# The loops take this many columns, or positions of a channel, at a time. Where there are fewer,
# this many rows count as one.
LANES = 8


def moments(x: AnyArray, weight: Array | None, kernels: Kernels, n_jobs: int | None) -> Moments:
    """Return the statistics of each channel (axis 1), each sample with its weight."""
    view = channel_view(x) if x.dtype in NATIVE else None
    if view is not None and x.ndim > 2 and 1 < view.shape[2] < LANES:
        # As columns of a matrix, which are then pooled, runs of a few values are twice as fast.
        columns = view.reshape(view.shape[0], -1, 1)
        return _view_moments(columns, weight, kernels, n_jobs, False).pool(x.shape[1])
    if view is not None:
        return _view_moments(view, weight, kernels, n_jobs, samples_are_inner(x, view))
    return _block_moments(x, weight, kernels, n_jobs)


def samples_are_inner(x: AnyArray, view: AnyArray) -> bool:
    """Tell whether a view's innermost axis counts the samples (Fortran order)."""
    return x.ndim == 2 and view.shape[2] > 1


def _view_moments(
    view: AnyArray, weight: Array | None, kernels: Kernels, n_jobs: int | None, inner: bool
) -> Moments:
    """Return the statistics of a view: of pieces of samples, merged, or of pieces of channels."""
    n_threads = threads.n_threads(n_jobs, view.size)
    rows, channels, _ = view.shape
    if rows == 1 and channels > 1:
        table = Moments.zero(channels).accumulators()

        def by_channel(piece: slice) -> None:
            if kernels.channel_moments(view[:, piece], weight, inner, table[piece]):
                raise NonFiniteError

        threads.run(by_channel, threads.slices(channels, n_threads), n_threads)
        return Moments.from_accumulators(table)

    def by_row(piece: slice) -> Moments:
        sums = _Sums(channels, kernels)
        sums.add(view[piece], weight if weight is None or inner else weight[piece], inner)
        return sums.moments()

    return _merged(by_row, view.shape, n_threads)


def _block_moments(
    x: AnyArray, weight: Array | None, kernels: Kernels, n_jobs: int | None
) -> Moments:
    """Return the statistics of what has no view, of blocks of samples that are converted."""

    def by_row(piece: slice) -> Moments:
        samples, weights = x[piece], None if weight is None else weight[piece]
        sums = _Sums(x.shape[1], kernels)
        for block in sample_blocks(samples):
            values = as_floats(samples[block])
            view = channel_view(values)
            assert view is not None
            own = None if weights is None else weights[block]
            sums.add(view, own, samples_are_inner(values, view))
        return sums.moments()

    shape = (*x.shape[:2], math.prod(x.shape[2:]))
    return _merged(by_row, shape, threads.n_threads(n_jobs, x.size))


def _merged(
    by_row: Callable[[slice], Moments], shape: tuple[int, int, int], n_threads: int
) -> Moments:
    """Return the statistics of all rows, merged from those of pieces."""
    rows, channels, length = shape
    n_pieces = min(-(-rows * channels * length // PIECE), -(-rows * length // PIECE_LENGTH))
    found = threads.run(by_row, threads.slices(rows, n_pieces, LANES), n_threads)
    result = found[0]
    for part in found[1:]:
        result = result.merge(part)
    return result


class _Sums:
    """What the loops have added up of each channel; of a few columns, eight times as many."""

    def __init__(self, channels: int, kernels: Kernels) -> None:
        self._channels, self._kernels = channels, kernels
        self._table = Moments.zero(channels).accumulators()
        self._wide: AnyArray | None = None

    def add(self, view: AnyArray, weight: Array | None, inner: bool) -> None:
        """Add the values of a view."""
        rows, channels, length = view.shape
        if channels < LANES and length == 1 and weight is None and rows >= 2 * LANES:
            whole = rows - rows % LANES
            if self._wide is None:
                self._wide = Moments.zero(channels * LANES).accumulators()
            wide = view[:whole].reshape(whole // LANES, channels * LANES, 1)
            self._add_to(self._wide, wide, None, False)
            view = view[whole:]
        self._add_to(self._table, view, weight, inner)

    def _add_to(self, table: AnyArray, view: AnyArray, weight: Array | None, inner: bool) -> None:
        if self._kernels.channel_moments(view, weight, inner, table):
            raise NonFiniteError

    def moments(self) -> Moments:
        """Return the statistics of all that was added."""
        rest = Moments.from_accumulators(self._table)
        if self._wide is None:
            return rest
        by_channel = self._wide.reshape(LANES, self._channels, ROWS).transpose(1, 0, 2)
        table = by_channel.reshape(-1, ROWS)
        return Moments.from_accumulators(table).pool(self._channels).merge(rest)
