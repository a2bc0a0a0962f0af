"""Statistics and transforms per group of samples, whatever the number of groups.

Samples are taken in the order of their groups, a block at a time, so that one loop over the block
serves all groups in it. The channels of all groups are kept side by side, as if they were that
many channels: ``group * n_channels + channel``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

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
from sknorm._statistics.moments import ROWS, Moments

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

PART = 1 << 16  # stored values of a sparse array that are transformed at a time
# What transforms one block, as if its values were of one sample with as many channels, by what
# indexes the table of groups and features: the group of each sample, or that and the feature of
# each value.
Transform = Callable[[AnyArray, tuple[Codes, ...]], AnyArray]


def sort_by_code(codes: Codes, n_codes: int) -> tuple[Codes, Codes]:
    """Return the order that sorts codes, equal ones as they come, and where each code starts."""
    pointers = np.arange(codes.size + 1)
    rows = sparse.csr_array((np.ones(codes.size, np.int8), codes, pointers), (codes.size, n_codes))
    columns = rows.tocsc()  # a counting sort, ten times as fast as argsort
    return columns.indices, columns.indptr


def moments(x: Any, weight: Array | None, codes: Codes, n_groups: int, kernels: Kernels) -> Moments:
    """Return the statistics of each channel in each group."""
    if sparse.issparse(x):
        return _sparse_moments(x, weight, codes, n_groups, kernels)
    return _dense_moments(x, weight, codes, n_groups, kernels)


def _dense_moments(
    x: AnyArray, weight: Array | None, codes: Codes, n_groups: int, kernels: Kernels
) -> Moments:
    n_channels, n_positions = x.shape[1], math.prod(x.shape[2:])
    table = np.zeros((ROWS, n_groups * n_channels))
    done, nothing = 0, Moments.zero(1).table
    order, starts = sort_by_code(codes, n_groups)
    order = order.astype(np.int64, copy=False)
    for rows in sample_blocks(x):
        values = samples(x, order[rows], kernels).reshape(-1, n_channels, n_positions)
        part = None if weight is None else weight[order[rows]]
        first = int(np.searchsorted(starts, rows.start, side="right")) - 1
        last = int(np.searchsorted(starts, rows.stop, side="left"))
        own = (starts[first : last + 1].clip(rows.start, rows.stop) - rows.start).astype(np.int64)
        stop = last * n_channels
        table[6:, done:stop] = nothing[6:]  # where it is still in the cache
        if kernels.group_moments(values, own, part, table[:, first * n_channels : stop]):
            raise NonFiniteError
        done = stop
    table[6:, done:] = nothing[6:]
    return Moments(table)


def samples(x: AnyArray, order: NDArray[np.int64], kernels: Kernels) -> AnyArray:
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
    stored = _dense_moments(x.data[:, None, None], stored_weight, own, n_virtual, kernels)
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
    return _dense_moments(zeros, weight, codes, n_codes, kernels).table


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
