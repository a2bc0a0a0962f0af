"""Statistics and transforms per group of samples, whatever the number of groups.

Samples are read in the order of their groups, where they are if each lies in one piece. One loop
serves many groups, whose channels are kept side by side, as if they were that many channels:
``group * n_channels + channel``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import dense_moments, frame_columns, threads
from sknorm._backends.frame_columns import FrameColumns
from sknorm._backends.layout import (
    NATIVE,
    AnyArray,
    as_floats,
    is_writable,
    output_dtype,
    sample_blocks,
)
from sknorm._backends.protocol import Kernels, NonFiniteError
from sknorm._backends.sparse import coordinates
from sknorm._compat import array_namespace
from sknorm._statistics import double_double
from sknorm._statistics.counted_later import CountedLater
from sknorm._statistics.moments import ROWS, Moments

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Places = NDArray[np.int64]
Result = TypeVar("Result")

PIECE = 1 << 22  # values whose statistics are found at a time
PART = 1 << 16  # stored values of a sparse array that are transformed at a time
# What transforms one block, as if its values were of one sample with as many channels, by what
# indexes the table of groups and features: the group of each sample, or that and the feature of
# each value.
Transform = Callable[[AnyArray, tuple[Codes, ...]], AnyArray]


def count(codes: Codes, n_codes: int, kernels: Kernels) -> Places:
    """Return how often each code comes."""
    counts = np.zeros(n_codes, np.int64)
    if not kernels.count_codes(np.ascontiguousarray(codes, np.int64), counts):
        raise IndexError(f"a code is not in 0 .. {n_codes - 1}")
    return counts


def sort_by_code(codes: Codes, n_codes: int, kernels: Kernels) -> tuple[Places, Places]:
    """Return the order that sorts codes, equal ones as they come, and where each code starts."""
    return sort_counted(codes, count(codes, n_codes, kernels), kernels)


def sort_counted(codes: Codes, counts: Places, kernels: Kernels) -> tuple[Places, Places]:
    """Return what ``sort_by_code`` does, of codes that are counted already."""
    starts, order = np.zeros(counts.size + 1, np.int64), np.empty(codes.size, np.int64)
    np.cumsum(counts, out=starts[1:])
    if not kernels.sort_codes(np.ascontiguousarray(codes, np.int64), starts, order):
        raise IndexError("codes do not come as often as was counted")
    return order, starts


def moments(
    x: Any,
    weight: Array | None,
    codes: Codes,
    n_groups: int,
    kernels: Kernels,
    n_jobs: int | None = None,
) -> Moments:
    """Return the statistics of each channel in each group."""
    if sparse.issparse(x):
        return _sparse_moments(x, weight, codes, n_groups, kernels)
    found = _Groups(x, weight, *sort_by_code(codes, n_groups, kernels), kernels)
    found.read(n_jobs)
    return Moments.of_groups(found.table)


def moments_and_pooled(
    x: AnyArray | FrameColumns,
    codes: Codes,
    counts: Places,
    kernels: Kernels,
    n_jobs: int | None,
) -> tuple[Moments, Moments]:
    """Return the statistics of each channel in each group, and in all of them.

    Codes that no sample has are no groups.
    """
    order, starts = sort_counted(codes, counts, kernels)
    if not counts.all():
        starts = np.append(starts[:-1][counts > 0], starts[-1])
    found = _Groups(x, None, order, starts, kernels)
    pooled = found.read(n_jobs, pooled=x.shape[1] >= dense_moments.LANES)
    if pooled is not None:
        return CountedLater.of(found.table, np.diff(starts)), pooled
    if isinstance(x, FrameColumns):
        pooled = frame_columns.moments(x, None, kernels, n_jobs)
    else:
        pooled = dense_moments.moments(x, None, kernels, n_jobs)
    return Moments.of_groups(found.table), pooled


class _Groups:
    """The groups of the samples of a dense array, and a table of their statistics."""

    def __init__(
        self,
        x: AnyArray | FrameColumns,
        weight: Array | None,
        order: Places,
        starts: Places,
        kernels: Kernels,
    ) -> None:
        if order.size != x.shape[0]:
            raise IndexError(f"there are {order.size} codes for {x.shape[0]} samples")
        self.table = np.zeros((ROWS, starts.size - 1, x.shape[1]))
        self._x, self._weight, self._kernels = x, weight, kernels
        self._order, self._starts = order, starts

    def read(self, n_jobs: int | None, *, pooled: bool = False) -> Moments | None:
        """Fill the table; return the statistics of all groups if that is wanted and costs little.

        For that there are at least as many channels as the loops take at a time.
        """
        x = self._x
        if not isinstance(x, np.ndarray) or _is_by_column(x):
            parts = [
                self._read_rows(values[:, :, None], columns, n_jobs, pooled)
                for columns, values in _in_rows(x)
            ]
            found = [part.table for part in parts if part is not None]
            return Moments(np.concatenate(found, axis=1)) if found else None
        rows = _rows_in_one_piece(x)
        if rows is not None:
            return self._read_rows(rows, slice(0, x.shape[1]), n_jobs, pooled)
        self._read_blocks(x, n_jobs)
        return None

    def _read_rows(
        self, rows: AnyArray, channels: slice, n_jobs: int | None, pooled: bool
    ) -> Moments | None:
        """Read some channels, whose samples lie in one piece each."""

        def of_groups(groups: slice) -> Moments:
            every = Moments.zero(rows.shape[1]).accumulators() if pooled else None
            samples = slice(self._starts[groups.start], self._starts[groups.stop])
            table = self.table[:, groups, channels]
            self._add(
                rows, self._order[samples], groups, samples, self._weight, table, every, fresh=True
            )
            return Moments.zero(1) if every is None else Moments.from_accumulators(every)

        found = self._by_piece(of_groups, rows.size, n_jobs)
        return Moments.merge_all(found) if pooled else None

    def _by_piece(
        self, function: Callable[[slice], Result], n_values: int, n_jobs: int | None
    ) -> list[Result]:
        pieces = _pieces(self._starts, n_values)
        return threads.run(function, pieces, threads.n_threads(n_jobs, n_values))

    def _read_blocks(self, x: AnyArray, n_jobs: int | None) -> None:
        """Read samples that are copied before, a block at a time."""

        def of_groups(groups: slice) -> None:
            samples = slice(self._starts[groups.start], self._starts[groups.stop])
            self.table[:, groups] = Moments.zero(1).table[:, None]
            for block in sample_blocks(x[: samples.stop - samples.start]):
                of_block(slice(samples.start + block.start, samples.start + block.stop))

        def of_block(samples: slice) -> None:
            places = self._order[samples]
            values = take(x, places, self._kernels).reshape(places.size, x.shape[1], -1)
            weight = None if self._weight is None else self._weight[places]
            first = int(np.searchsorted(self._starts, samples.start, side="right")) - 1
            last = int(np.searchsorted(self._starts, samples.stop, side="left"))
            table = self.table[:, first:last]
            in_order = np.arange(places.size)
            self._add(
                values, in_order, slice(first, last), samples, weight, table, None, fresh=False
            )

        self._by_piece(of_groups, x.size, n_jobs)

    def _add(
        self,
        values: AnyArray,
        places: Places,
        groups: slice,
        samples: slice,
        weight: Array | None,
        table: Array,
        pooled: Array | None,
        *,
        fresh: bool,
    ) -> None:
        """Add those samples of some groups that are in a part of the order."""
        starts = self._starts[groups.start : groups.stop + 1].clip(samples.start, samples.stop)
        starts -= samples.start
        if self._kernels.group_moments(values, places, starts, weight, table, pooled, fresh):
            raise NonFiniteError


def _is_by_column(x: AnyArray) -> bool:
    """Tell whether the columns of a matrix are rather in one piece than its rows."""
    return x.ndim == 2 and x.shape[1] > 1 and abs(x.strides[0]) < abs(x.strides[1])


def _in_rows(x: AnyArray | FrameColumns) -> Iterator[tuple[slice, AnyArray]]:
    """Yield a few columns at a time, and a copy of them as native floats whose rows lie together.

    Of each row all of a line of memory is read at once then, which is scattered.
    """
    lanes = dense_moments.LANES
    ends = [*range(lanes, x.shape[1] - lanes + 1, lanes), x.shape[1]]
    for columns in itertools.starmap(slice, itertools.pairwise([0, *ends])):
        if isinstance(x, FrameColumns):
            yield columns, x.rows(columns)
        else:
            dtype = x.dtype if x.dtype in NATIVE else np.dtype(np.float64)
            yield columns, np.ascontiguousarray(x[:, columns], dtype)


def _pieces(starts: Places, n_values: int) -> list[slice]:
    """Cut groups into pieces that have about PIECE values each."""
    n_pieces = max(1, n_values // PIECE)
    wanted = np.linspace(0, starts[-1], n_pieces + 1)[1:-1]
    ends = np.unique([0, *np.searchsorted(starts, wanted), starts.size - 1])
    return [slice(*pair) for pair in itertools.pairwise(ends.tolist())]


def _rows_in_one_piece(x: AnyArray) -> AnyArray | None:
    """View x as (sample, channel, inner) where each sample lies in one piece, else None."""
    if x.dtype not in NATIVE or not x.flags.aligned:
        return None
    if x.flags.c_contiguous:
        return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    return x[:, :, None] if x.ndim == 2 and x.strides[1] == x.itemsize else None


def take(x: AnyArray, order: Places, kernels: Kernels) -> AnyArray:
    """Return the samples at some places, as contiguous native floats."""
    is_matrix = x.ndim == 2 or x.flags.c_contiguous
    if x.dtype not in NATIVE or not is_matrix or not x.flags.aligned:
        return np.ascontiguousarray(as_floats(x[order]))
    out = np.empty((order.size, *x.shape[1:]), dtype=x.dtype)
    kernels.take_samples(x.reshape(len(x), -1), order, out.reshape(len(out), -1))
    return out


def _sparse_moments(
    x: Any, weight: Array | None, codes: Codes, n_groups: int, kernels: Kernels
) -> Moments:
    """Return the statistics of stored values, merged with those of the zeros that are not stored.

    The stored values are those of one channel, in as many groups as there are channels in all.
    """
    n_channels = x.shape[1]
    n_virtual = n_groups * n_channels
    rows, columns = coordinates(x)
    own = codes[rows] * n_channels + columns
    stored_weight = None if weight is None else weight[rows]
    stored = moments(x.data[:, None, None], stored_weight, own, n_virtual, kernels)
    zeros = _zeros(codes, weight, n_groups, kernels)[:2].repeat(n_channels, axis=1)
    entries = _zeros(own, stored_weight, n_virtual, kernels)[:2]
    count, low = double_double.subtract((zeros[0], zeros[1]), (entries[0], entries[1]))
    # Rounding must not make something of zeros that are in rows of weight 0 only.
    counts = np.ones(codes.size) if weight is None else (weight > 0).astype(np.float64)
    n_rows = np.bincount(codes, counts, minlength=n_groups)
    n_stored = np.bincount(own, counts[rows], minlength=n_virtual)
    empty = (n_stored == n_rows.repeat(n_channels)) | (count <= 0)
    return stored.merge(Moments.zeros_only(np.where(empty, 0.0, count), np.where(empty, 0.0, low)))


def _zeros(codes: Codes, weight: Array | None, n_codes: int, kernels: Kernels) -> Array:
    """Return the table of as many zeros of each code as there are."""
    zeros = np.zeros((codes.size, 1))
    return moments(zeros, weight, codes, n_codes, kernels).table


def transform(x: Any, codes: Codes, function: Transform, *, copy: bool) -> Any:
    """Return x with each sample transformed as those of its group are."""
    if sparse.issparse(x):
        rows, columns = coordinates(x)
        result = x.copy() if copy else x
        for part in _parts(x.data.size):
            own: Any = codes[rows[part]], columns[part]
            result.data[part] = function(x.data[part].reshape(1, -1), own)[0]
        return result
    if not isinstance(x, np.ndarray):
        xp = array_namespace(x)
        flat = xp.reshape(x, (1, x.shape[0] * x.shape[1], *x.shape[2:]))
        return xp.reshape(function(flat, (codes,)), x.shape)
    dtype = output_dtype(x.dtype)
    in_place = not copy and x.dtype == dtype and is_writable(x)
    out = x if in_place else np.empty_like(x, dtype=dtype, subok=False)
    for part in sample_blocks(x):
        values = np.ascontiguousarray(x[part])
        flat = values.reshape(1, values.shape[0] * values.shape[1], *values.shape[2:])
        out[part] = function(flat, (codes[part],)).reshape(values.shape)
    return out


def _parts(size: int) -> list[slice]:
    return [slice(first, first + PART) for first in range(0, size, PART)]
