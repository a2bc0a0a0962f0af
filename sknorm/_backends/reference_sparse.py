"""The kernels of the reference path for the stored values of CSR and CSC arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends.layout import AnyArray
from sknorm._backends.protocol import FINE, MALFORMED, NON_FINITE, NORMS, NonFiniteError
from sknorm._statistics import double_double
from sknorm._statistics.moments import EXPONENT_LIMIT, Moments, unit_exponent

Array = NDArray[np.float64]

BLOCK = 1 << 12  # stored values at a time: few enough for plain sums


def _segments(indptr: AnyArray, values: slice) -> NDArray[np.intp]:
    """Return the segment (row of CSR, column of CSC) of each of some stored values."""
    places = np.arange(values.start, values.stop)
    return np.searchsorted(indptr, places, side="right") - 1


def _blocks(indptr: AnyArray, size: int = BLOCK) -> Iterator[slice]:
    """Yield slices of stored values, cut at multiples of the size: whatever the segments are."""
    first, last = int(indptr[0]), int(indptr[-1])
    while first < last:
        stop = min(first - first % size + size, last)
        yield slice(first, stop)
        first = stop


def _blocks_of_segments(indptr: AnyArray) -> Iterator[slice]:
    """Yield slices of segments with at most BLOCK stored values, or of one with more."""
    first, n_segments = 0, indptr.size - 1
    while first < n_segments:
        end = int(np.searchsorted(indptr, indptr[first] + BLOCK, side="right")) - 1
        last = min(max(first + 1, end), first + BLOCK, n_segments)
        yield slice(first, last)
        first = last


def csr_moments(
    data: AnyArray, indices: AnyArray, indptr: AnyArray, weight: AnyArray | None, table: AnyArray
) -> int:
    """Merge the stored values of each column of a CSR array into its accumulators."""
    moments = Moments.from_accumulators(table)
    for block in _blocks(indptr, max(BLOCK, 4 * len(table))):  # merging is paid per column
        columns = indices[block]
        if columns.min() < 0 or columns.max() >= len(table):
            return MALFORMED
        part = None if weight is None else weight[_segments(indptr, block)]
        try:
            found = _stored_moments(data[block], columns, part, len(table))
        except NonFiniteError:
            return NON_FINITE
        moments = moments.merge(found)
    table[...] = moments.accumulators()
    return FINE


def csc_moments(
    data: AnyArray,
    indices: AnyArray,
    indptr: AnyArray,
    n_rows: int,
    weight: AnyArray | None,
    table: AnyArray,
) -> int:
    """Merge the stored values of each column of a CSC array into its accumulators."""
    for block in _blocks(indptr):
        rows, columns = indices[block], _segments(indptr, block)
        if rows.min() < 0 or rows.max() >= n_rows:
            return MALFORMED
        part = None if weight is None else weight[rows]
        own = slice(columns[0], columns[-1] + 1)
        try:
            found = _stored_moments(data[block], columns - own.start, part, own.stop - own.start)
        except NonFiniteError:
            return NON_FINITE
        table[own] = Moments.from_accumulators(table[own]).merge(found).accumulators()
    return FINE


def _stored_moments(
    x: AnyArray, channels: NDArray[np.integer], weight: Array | None, n_channels: int
) -> Moments:
    """Return the statistics per channel of some stored values."""
    x = x.astype(np.float64)
    if np.isinf(x).any():
        raise NonFiniteError
    present = ~np.isnan(x)
    if weight is not None:
        present &= weight > 0
    names, codes = np.unique(channels[present], return_inverse=True)
    weight = None if weight is None else weight[present]
    order = np.argsort(codes, kind="stable")
    x, codes = x[present][order], codes[order]
    weight = np.ones_like(x) if weight is None else weight[order]
    moments = Moments.zero(n_channels)
    if not x.size:
        return moments
    starts = np.flatnonzero(np.diff(codes, prepend=-1))

    def total(values: Array) -> Array:
        return np.bincount(codes, weights=values, minlength=names.size).astype(np.float64)

    moments.table[7, names] = np.minimum.reduceat(x, starts)
    moments.table[8, names] = np.maximum.reduceat(x, starts)
    exponent = unit_exponent(np.maximum.reduceat(np.abs(x), starts))
    unit = np.where(exponent < -EXPONENT_LIMIT, 0.0, exponent).astype(np.int64)
    x = np.ldexp(x, -unit[codes])
    count = total(weight)
    filled = np.where(count > 0, count, 1.0)
    shift: Array = x[starts]
    shift = shift + total(weight * (x - shift[codes])) / filled
    deviation = x - shift[codes]
    s1, s2 = total(weight * deviation), total(weight * deviation * deviation)
    moments.table[0, names] = count
    moments.table[2:4, names] = double_double.two_sum(shift, s1 / filled)
    moments.table[4, names] = np.maximum(0.0, s2 - s1 * (s1 / filled))
    moments.table[6, names] = exponent
    return moments


def affine_sparse(
    data: AnyArray,
    out: AnyArray,
    indptr: AnyArray,
    channels: AnyArray | None,
    scale: AnyArray,
    gamma: AnyArray,
    power: AnyArray | None,
    inverse: bool,
) -> bool:
    """Rescale stored values whose channel is their index, or, without indices, their segment."""
    infinite = False
    for block in _blocks(indptr):
        c = _segments(indptr, block) if channels is None else channels[block]
        unit = 1.0 if power is None else power[c]
        x = data[block].astype(np.float64)
        infinite |= bool(np.isinf(x).any())
        with np.errstate(all="ignore"):
            if inverse:
                out[block] = x / gamma[c] * scale[c] * unit
            else:
                out[block] = x * unit / scale[c] * gamma[c]
    return infinite


def multiply_sparse(
    data: AnyArray, out: AnyArray, indptr: AnyArray, indices: AnyArray | None, factor: AnyArray
) -> bool:
    """Multiply stored values by the factor of their index, or, without indices, their segment."""
    infinite = False
    for block in _blocks(indptr):
        c = _segments(indptr, block) if indices is None else indices[block]
        infinite |= bool(np.isinf(data[block]).any())
        with np.errstate(all="ignore"):
            out[block] = data[block] * factor[c]
    return infinite


def normalize_csr(
    data: AnyArray, out: AnyArray, indptr: AnyArray, norms: AnyArray, kind: int
) -> bool:
    """Divide the stored values of each CSR row by their norm."""
    for rows in _blocks_of_segments(indptr):
        values = slice(int(indptr[rows.start]), int(indptr[rows.stop]))
        x = data[values].astype(np.float64)
        if not np.isfinite(x).all():
            return True
        lengths = np.diff(indptr[rows.start : rows.stop + 1])
        filled = lengths > 0
        starts = (indptr[rows] - values.start)[filled]
        norms[rows] = 0.0
        if not starts.size:
            continue
        _, exponent = np.frexp(np.maximum.reduceat(np.abs(x), starts))
        exponent = np.clip(exponent, -EXPONENT_LIMIT, EXPONENT_LIMIT)
        x = np.ldexp(x, -np.repeat(exponent, lengths[filled]))
        if kind == NORMS["max"]:
            found = np.maximum.reduceat(np.abs(x), starts)
        elif kind == NORMS["l1"]:
            found = np.add.reduceat(np.abs(x), starts)
        else:
            found = np.sqrt(np.add.reduceat(x * x, starts))
        with np.errstate(all="ignore"):
            out[values] = x / np.repeat(np.where(found > 0, found, 1.0), lengths[filled])
            norms[rows.start + np.flatnonzero(filled)] = np.ldexp(found, exponent)
    return False


def normalize_csc(
    data: AnyArray,
    out: AnyArray,
    indices: AnyArray,
    indptr: AnyArray,
    norms: AnyArray,
    kind: int,
) -> bool:
    """Return False: it is done row by row."""
    return False


def layer_norm_csr(
    data: AnyArray,
    out: AnyArray,
    indices: AnyArray,
    indptr: AnyArray,
    n_columns: int,
    n_groups: int,
    scale: bool,
    eps: float,
) -> bool:
    """Divide the stored values of each group of a CSR row by their root mean square."""
    size = n_columns // n_groups
    for rows in _blocks_of_segments(indptr):
        values = slice(int(indptr[rows.start]), int(indptr[rows.stop]))
        wide = data[values].astype(np.float64)
        if np.isinf(wide).any():
            return True
        if scale:
            code = _segments(indptr, values) * n_groups + indices[values] // size
            wide = _root_mean_square_normalized(
                wide, np.unique(code, return_inverse=True)[1], size, eps
            )
        with np.errstate(all="ignore"):
            out[values] = wide
    return False


def _root_mean_square_normalized(x: Array, code: Any, size: int, eps: float) -> Array:
    """Return the values of groups, of this size with their zeros, by their root mean squares."""
    missing = np.isnan(x)
    filled = np.where(missing, 0.0, x)
    magnitude = np.zeros(code.max(initial=-1) + 1)
    np.maximum.at(magnitude, code, np.abs(filled))
    _, exponent = np.frexp(magnitude)
    unit = np.ldexp(1.0, -np.clip(exponent, -EXPONENT_LIMIT, EXPONENT_LIMIT))
    filled = filled * unit[code]
    count = size - np.bincount(code, weights=missing, minlength=magnitude.size)
    square_sum = np.bincount(code, weights=filled * filled, minlength=magnitude.size)
    mean_square = square_sum / np.where(count > 0, count, 1.0)
    divide = np.hypot(np.sqrt(mean_square), math.sqrt(eps) * unit)
    with np.errstate(all="ignore"):
        result = filled / np.where(divide > 0, divide, 1.0)[code]
    return np.where(missing, np.nan, result)


def square_sums_csc(
    data: AnyArray,
    indices: AnyArray,
    indptr: AnyArray,
    size: int,
    sums: AnyArray,
    filled: AnyArray,
) -> bool:
    """Return False: it is done row by row."""
    return False


def multiply_groups_csc(
    data: AnyArray,
    out: AnyArray,
    indices: AnyArray,
    indptr: AnyArray,
    size: int,
    factor: AnyArray,
) -> None:
    """Multiply the stored values of a CSC array by the factor of their row and group."""
    for block in _blocks(indptr):
        groups = _segments(indptr, block) // size
        out[block] = data[block] * factor[indices[block], groups]
