"""The reference path for NumPy: this module is a :class:`Kernels`, as the compiled one is.

Each function does what the loop of its name does, by the readable ``reference``, on a few values
at a time: memory stays flat, and plain sums stay exact enough.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import reference
from sknorm._backends.layout import AnyArray
from sknorm._backends.protocol import FINE, MISSING, NON_FINITE, NORMS, NonFiniteError
from sknorm._backends.reference_sparse import (
    affine_sparse,
    csc_moments,
    csr_moments,
    layer_norm_csr,
    multiply_groups_csc,
    multiply_sparse,
    normalize_csc,
    normalize_csr,
    square_sums_csc,
)
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments
from sknorm._statistics.squash import NUMBERS, Squash

__all__ = [
    "affine",
    "affine_sparse",
    "channel_moments",
    "collect_near",
    "column_moments",
    "copy_indices",
    "count_codes",
    "csc_moments",
    "csr_moments",
    "finite",
    "group_moments",
    "indices_are_below",
    "integer_moments",
    "is_canonical",
    "layer_norm",
    "layer_norm_csr",
    "multiply_groups_csc",
    "multiply_sparse",
    "normalize",
    "normalize_csc",
    "normalize_csr",
    "pointers_rise",
    "sort_codes",
    "split_float32",
    "square_sums_csc",
    "squash",
    "take_samples",
]

Array = NDArray[np.float64]
Arguments = ParamSpec("Arguments")

BLOCK = 1 << 16  # values at a time


def _tells_nonfinite(function: Callable[Arguments, None]) -> Callable[Arguments, bool]:
    """Make a function return whether a value was not finite, instead of raising it."""

    @functools.wraps(function)
    def tell(*args: Arguments.args, **kwargs: Arguments.kwargs) -> bool:
        try:
            with np.errstate(all="ignore"):
                function(*args, **kwargs)
        except NonFiniteError:
            return True
        return False

    return tell


def _blocks(x: AnyArray, first: int = 0, last: int | None = None) -> Iterator[tuple[slice, slice]]:
    """Yield slices of the outer and the inner axis that hold about BLOCK values each."""
    outer, middle, inner = x.shape
    last = inner if last is None else last
    columns = min(last - first, max(1, BLOCK // max(1, middle)))
    rows = max(1, BLOCK // max(1, middle * columns))
    for i in range(0, outer, rows):
        for j in range(first, last, columns or 1):
            yield slice(i, min(i + rows, outer)), slice(j, min(j + columns, last))


# What sparse arrays are made of


def pointers_rise(indptr: AnyArray, n_stored: int) -> bool:
    """Tell whether pointers rise from 0 to the number of stored values."""
    if not indptr.size or indptr[0] != 0 or indptr[-1] != n_stored:
        return False
    return not (indptr[1:] < indptr[:-1]).any()


def indices_are_below(indices: AnyArray, n_minor: int) -> bool:
    """Tell whether indices are in 0 .. n_minor - 1."""
    return not indices.size or bool(indices.min() >= 0 and indices.max() < n_minor)


def copy_indices(indices: AnyArray, out: AnyArray, n_minor: int) -> bool:
    """Copy indices; tell whether they are in 0 .. n_minor - 1."""
    out[...] = indices
    return indices_are_below(out, n_minor)


def is_canonical(indptr: AnyArray, indices: AnyArray) -> bool:
    """Tell whether the indices of each segment rise."""
    falls = np.flatnonzero(indices[1:] <= indices[:-1]) + 1
    return bool(np.isin(falls, indptr).all())


# Dense arrays, as three axes


def finite(x: AnyArray, allow_nan: bool) -> bool:
    """Tell whether no value is infinite, and none NaN unless that is allowed."""
    pieces = (x[first : first + BLOCK] for first in range(0, x.size, BLOCK))
    return not any(np.any(np.isinf(v) if allow_nan else ~np.isfinite(v)) for v in pieces)


@_tells_nonfinite
def channel_moments(
    x: AnyArray, weight: AnyArray | None, weight_is_inner: bool, table: AnyArray
) -> None:
    """Merge the values of each channel (the middle axis) into its accumulators."""
    moments = Moments.from_accumulators(table)
    for outer, inner in _blocks(x):
        part = None
        if weight is not None:
            part = weight[inner] if weight_is_inner else weight[outer]
            part = part.reshape((1, 1, -1) if weight_is_inner else (-1, 1, 1))
        moments = moments.merge(reference.channel_moments(x[outer, :, inner], part))
    table[...] = moments.accumulators()


def column_moments(
    pieces: list[AnyArray], first: AnyArray, weight: AnyArray | None, table: AnyArray
) -> bool:
    """Merge the values of one channel, which are in pieces, into its accumulators."""
    infinite, row = False, 0
    for piece in pieces:
        own = None if weight is None else weight[row : row + piece.size]
        infinite |= channel_moments(piece[None, None], own, True, table)
        row += piece.size
    return infinite


def integer_moments(x: AnyArray, weight: AnyArray | None, table: AnyArray) -> bool:
    """Merge the values of one channel into its accumulators."""
    return channel_moments(x.astype(np.float64)[None, None], weight, True, table)


def take_samples(x: AnyArray, order: AnyArray, out: AnyArray) -> None:
    """Copy the samples at some places."""
    np.take(x, order, axis=0, out=out)


def count_codes(codes: AnyArray, counts: AnyArray) -> bool:
    """Add up how often each code comes."""
    if not indices_are_below(codes, counts.size):
        return False
    counts += np.bincount(codes, minlength=counts.size)
    return True


def sort_codes(codes: AnyArray, starts: AnyArray, order: AnyArray) -> bool:
    """Find the order that sorts codes, equal ones as they come, of which the starts are known."""
    counts = np.zeros(starts.size - 1, np.int64)
    if not count_codes(codes, counts) or not np.array_equal(counts, np.diff(starts)):
        return False
    order[:] = np.argsort(codes, kind="stable")
    return True


@_tells_nonfinite
def group_moments(
    x: AnyArray,
    order: AnyArray,
    starts: AnyArray,
    weight: AnyArray | None,
    table: AnyArray,
    pooled: AnyArray | None,
    fresh: bool,
) -> None:
    """Merge samples, which the order has from each start to the next, into those of their groups.

    A group of which the table has zeros has no value yet, as all have where it is ``fresh``. What
    they have then is merged into ``pooled``.
    """
    table[:, ~table[0].any(axis=1)] = Moments.zero(1).table[:, None]
    step = max(1, BLOCK // max(1, math.prod(x.shape[1:])))
    for start in range(0, order.size, step):
        some = order[start : start + step]
        part = None if weight is None else weight[some].reshape(-1, 1, 1)
        first = int(np.searchsorted(starts, start, side="right")) - 1
        last = int(np.searchsorted(starts, start + some.size, side="left"))
        within = starts[first : last + 1].clip(start, start + some.size) - start
        own = table[:, first:last]
        found = reference.group_moments(x[some], within, part)
        own[...] = Moments.of_groups(own).merge(found).by_group(x.shape[1])
    if pooled is not None:
        total = Moments.of_groups(table).of_all_groups(x.shape[1])
        pooled[...] = Moments.from_accumulators(pooled).merge(total).accumulators()


def affine(
    x: AnyArray,
    out: AnyArray,
    shift: AnyArray,
    scale: AnyArray,
    gamma: AnyArray | None,
    beta: AnyArray | None,
    power: AnyArray | None,
    parts: AnyArray | None,
    inverse: bool,
    multiply: bool,
) -> int:
    """Rescale each channel (the middle axis)."""
    affine_map = Affine(shift, 1.0 / scale if multiply else scale, gamma, beta)
    found = FINE

    @_tells_nonfinite
    def rescale(part: Any) -> None:
        out[part] = reference.affine(x[part], affine_map, inverse=inverse, power=power)

    for outer, inner in _blocks(x):
        part = outer, slice(None), inner
        if np.isnan(x[part]).any():
            found = MISSING
        if rescale(part):
            return NON_FINITE
    return found


def split_float32(shift: AnyArray, times: AnyArray, parts: AnyArray) -> AnyArray | None:
    """Return None: everything is computed in float64."""
    return None


def squash(
    x: AnyArray,
    out: AnyArray,
    center: AnyArray,
    times: AnyArray,
    gamma: AnyArray,
    beta: AnyArray,
    power: AnyArray,
    bound: float,
    kind: int,
    inverse: bool,
) -> None:
    """Squash each channel (the middle axis), or the way back. Infinity ends at the bound."""
    name = next(name for name, number in NUMBERS.items() if number == kind)
    squash_map = Squash(center, times, gamma, beta, power, bound, name)
    for outer, inner in _blocks(x):
        part = outer, slice(None), inner
        out[part] = reference.squash(x[part], squash_map, inverse=inverse)


def collect_near(
    x: AnyArray,
    first: int,
    low: AnyArray,
    high: AnyArray,
    counts: AnyArray,
    finite: AnyArray,
    near: AnyArray,
    filled: AnyArray,
) -> None:
    """Count the values of some channels, and collect those between bounds."""
    n_targets, width = low.shape
    for outer, inner in _blocks(x):
        values = x[outer, first : first + width, inner].astype(np.float64)
        values = np.moveaxis(values, 1, 0).reshape(width, -1)
        values[~np.isfinite(values)] = np.nan
        finite += np.count_nonzero(~np.isnan(values), axis=1)
        for t in range(n_targets):
            lower, upper = low[t][:, None], high[t][:, None]
            for row, holds in enumerate((values < lower, values <= lower, values <= upper)):
                counts[t, row] += np.count_nonzero(holds, axis=1)
            for c in range(width):
                kept = values[c][(lower[c] < values[c]) & (values[c] < upper[c])]
                start = min(int(filled[t, c]), near.shape[2])
                stop = min(start + kept.size, near.shape[2])
                near[t, c, start:stop] = kept[: stop - start]
                filled[t, c] += kept.size


@_tells_nonfinite
def normalize(
    x: AnyArray, out: AnyArray, norms: AnyArray | None, kind: int, first: int, last: int
) -> None:
    """Divide each vector along the middle axis, in a range of the inner, by its norm."""
    norm = next(name for name, number in NORMS.items() if number == kind)
    for outer, inner in _blocks(x, first, last):
        part = outer, slice(None), inner
        out[part], found = reference.normalize(x[part], norm)
        if norms is not None:
            norms[outer, inner] = found


@_tells_nonfinite
def layer_norm(
    x: AnyArray,
    out: AnyArray,
    center: bool,
    scale: bool,
    eps: float,
    gamma: AnyArray | None,
    beta: AnyArray | None,
    first: int,
    last: int,
) -> None:
    """Normalize each vector along the middle axis, in a range of the inner."""
    layer: dict[str, Any] = {"center": center, "scale": scale, "eps": eps}
    for outer, inner in _blocks(x, first, last):
        if gamma is not None and beta is not None:
            groups = np.arange(outer.start, outer.stop) % gamma.shape[0]
            layer |= {"gamma": gamma[groups], "beta": beta[groups]}
        part = outer, slice(None), inner
        out[part] = reference.layer_norm(x[part], **layer)
