"""The statistics of NumPy arrays, merged from the pieces that the loops take (see ``dense``)."""

from __future__ import annotations

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
    result = Moments.zero(x.shape[1])
    for block in sample_blocks(x):
        values = as_floats(x[block])
        part = None if weight is None else weight[block]
        view = channel_view(values)
        assert view is not None
        inner = samples_are_inner(values, view)
        result = result.merge(_view_moments(view, part, kernels, n_jobs, inner))
    return result


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
        part = weight if weight is None or inner else weight[piece]
        return _piece_moments(view[piece], part, kernels, inner)

    n_pieces = min(-(-view.size // PIECE), -(-view.shape[0] * view.shape[2] // PIECE_LENGTH))
    pieces = threads.slices(rows, n_pieces, LANES)
    found = threads.run(by_row, pieces, n_threads)
    result = found[0]
    for part in found[1:]:
        result = result.merge(part)
    return result


def _piece_moments(view: AnyArray, weight: Array | None, kernels: Kernels, inner: bool) -> Moments:
    rows, channels, length = view.shape
    if channels < LANES and length == 1 and weight is None and rows >= 2 * LANES:
        return _narrow_moments(view, kernels)
    table = Moments.zero(channels).accumulators()
    if kernels.channel_moments(view, weight, inner, table):
        raise NonFiniteError
    return Moments.from_accumulators(table)


def _narrow_moments(view: AnyArray, kernels: Kernels) -> Moments:
    """Return the statistics of a few columns, as of eight times as many that are then pooled."""
    rows, channels, _ = view.shape
    whole = rows - rows % LANES
    table = Moments.zero(channels * LANES).accumulators()
    wide = view[:whole].reshape(whole // LANES, channels * LANES, 1)
    rest = Moments.zero(channels).accumulators()
    bad = kernels.channel_moments(wide, None, False, table)
    if kernels.channel_moments(view[whole:], None, False, rest) or bad:
        raise NonFiniteError
    by_channel = table.reshape(LANES, channels, ROWS).transpose(1, 0, 2).reshape(-1, ROWS)
    return (
        Moments.from_accumulators(by_channel).pool(channels).merge(Moments.from_accumulators(rest))
    )
