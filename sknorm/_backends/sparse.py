"""The operations on CSR and CSC arrays, of which only the stored values are looked at."""

from __future__ import annotations

import math
from copy import copy as copy_object
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import structure, threads
from sknorm._backends.protocol import MALFORMED, NON_FINITE, NORMS, Kernels, NonFiniteError
from sknorm._statistics import double_double
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments
from sknorm._statistics.squash import Squash

Array = NDArray[np.float64]
AnyArray = NDArray[Any]

# Statistics of CSR arrays are merged from pieces of this many stored values, whatever the number
# of n_threads, so that this changes no bit of them.
PIECE = 1 << 23
SQUASHED = 1 << 14  # stored values that are squashed at a time


def moments(x: Any, weight: Array | None, kernels: Kernels, n_jobs: int | None) -> Moments:
    """Return the statistics of the columns, zeros that are not stored included."""
    of_stored = _csr_moments if x.format == "csr" else _csc_moments
    stored = of_stored(x, weight, kernels, n_jobs)
    return stored.merge(_implicit_zeros(x, weight, stored))


def _csr_moments(x: Any, weight: Array | None, kernels: Kernels, n_jobs: int | None) -> Moments:
    def piece(rows: slice) -> Moments:
        table = Moments.zero(x.shape[1]).accumulators()
        part = None if weight is None else weight[rows]
        pointers = x.indptr[rows.start : rows.stop + 1]
        _check_status(x, kernels.csr_moments(x.data, x.indices, pointers, part, table))
        return Moments.from_accumulators(table)

    n_pieces = -(-x.data.size // PIECE)
    pieces = threads.slices(x.shape[0], n_pieces)
    n_threads = threads.n_threads(n_jobs, x.data.size)
    result = Moments.zero(x.shape[1])
    for part in threads.run(piece, pieces, n_threads):
        result = result.merge(part)
    return result


def _csc_moments(x: Any, weight: Array | None, kernels: Kernels, n_jobs: int | None) -> Moments:
    table = Moments.zero(x.shape[1]).accumulators()

    def piece(columns: slice) -> None:
        parts = x.data, x.indices, x.indptr[columns.start : columns.stop + 1]
        _check_status(x, kernels.csc_moments(*parts, x.shape[0], weight, table[columns]))

    n_threads = threads.n_threads(n_jobs, x.data.size)
    threads.run(piece, threads.slices(x.shape[1], n_threads), n_threads)
    return Moments.from_accumulators(table)


def _check_status(x: Any, status: int) -> None:
    """Raise what a loop returned that was not FINE."""
    if status == MALFORMED:
        structure.describe(x)
    if status == NON_FINITE:
        raise NonFiniteError


def coordinates(x: Any) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the row and the column of each stored value."""
    minor, major = x.indices, np.repeat(np.arange(x.indptr.size - 1), np.diff(x.indptr))
    return (major, minor) if x.format == "csr" else (minor, major)


def _implicit_zeros(x: Any, weight: Array | None, stored: Moments) -> Moments:
    """Return the statistics of the zeros that are not stored."""
    n_rows, n_columns = x.shape
    if weight is None:
        entries = stored.count
        if entries.sum() != x.data.size:
            missing = np.isnan(x.data)
            entries = entries + np.bincount(coordinates(x)[1][missing], minlength=n_columns)
        return Moments.zeros_only(n_rows - entries, np.zeros(n_columns))
    rows, columns = coordinates(x)
    missing = np.isnan(x.data)
    lost = np.bincount(columns[missing], weight[rows[missing]], minlength=n_columns).astype(float)
    total = math.fsum(weight)
    rest = math.fsum([*weight, -total])
    everything = np.full(n_columns, total), np.full(n_columns, rest)
    seen = double_double.add((stored.table[0], stored.table[1]), (lost, np.zeros(n_columns)))
    count, low = double_double.subtract(everything, seen)
    # Rounding must not make something of zeros that are in rows of weight 0 only.
    counts = weight > 0
    full = np.bincount(columns[counts[rows]], minlength=n_columns) == np.count_nonzero(counts)
    empty = full | (count <= 0)
    return Moments.zeros_only(np.where(empty, 0.0, count), np.where(empty, 0.0, low))


def affine(
    x: Any,
    affine_map: Affine,
    kernels: Kernels,
    *,
    inverse: bool,
    copy: bool,
    n_jobs: int | None,
) -> Any:
    """Return the array with its stored values rescaled, by a map that keeps 0 at 0."""
    out = np.empty_like(x.data) if copy else x.data
    power = affine_map.power(inverse=inverse)
    indices = x.indices if x.format == "csr" else None
    scale = affine_map.scale
    gamma = np.ones_like(scale) if affine_map.gamma is None else affine_map.gamma
    with np.errstate(all="ignore"):
        factor = scale / gamma if inverse else gamma / scale
    if power is None and _leave_range(factor, gamma):
        power = np.ones_like(scale)

    def piece(major: slice) -> bool:
        pointers = x.indptr[major.start : major.stop + 1]
        own = major if indices is None else slice(None)
        bad: bool
        if power is None:
            bad = kernels.multiply_sparse(x.data, out, pointers, indices, factor[own])
        else:
            bad = kernels.affine_sparse(
                x.data, out, pointers, indices, scale[own], gamma[own], power[own], inverse
            )
        return bad

    n_threads = threads.n_threads(n_jobs, x.data.size)
    if any(threads.run(piece, threads.slices(x.indptr.size - 1, n_threads), n_threads)):
        raise NonFiniteError
    return _with_data(x, out, copy=copy)


def squash(x: Any, squash_map: Squash, kernels: Kernels, *, inverse: bool, copy: bool) -> Any:
    """Return the array with its stored values squashed, by a map that keeps 0 at 0."""
    out = np.empty_like(x.data) if copy else x.data
    channels = coordinates(x)[1]
    for first in range(0, x.data.size, SQUASHED):
        block = slice(first, first + SQUASHED)
        values, result = x.data[None, block, None], out[None, block, None]
        kernels.squash(values, result, *squash_map.take(channels[block]).arguments(), inverse)
    return _with_data(x, out, copy=copy)


def _leave_range(factors: Array, gamma: Array) -> bool:
    """Tell whether a quotient of gamma and scale lies beyond the normal numbers."""
    size = np.abs(factors)
    return bool(((size >= 1e300) | ((size <= 1e-300) & (gamma != 0.0))).any())


def normalize(
    x: Any, norm: str, kernels: Kernels, *, copy: bool, n_jobs: int | None
) -> tuple[Any, Array]:
    """Return the array with its rows divided by their norms, and the norms."""
    if x.format == "csc":
        return _normalize_vectors_csc(x, norm, kernels, copy=copy, n_jobs=n_jobs)
    norms = np.zeros(x.shape[0])
    out = np.empty_like(x.data) if copy else x.data

    def piece(rows: slice) -> bool:
        pointers = x.indptr[rows.start : rows.stop + 1]
        bad: bool = kernels.normalize_csr(x.data, out, pointers, norms[rows], NORMS[norm])
        return bad

    n_threads = threads.n_threads(n_jobs, x.data.size)
    if any(threads.run(piece, threads.slices(x.shape[0], n_threads), n_threads)):
        raise NonFiniteError
    return _with_data(x, out, copy=copy), norms


def _normalize_vectors_csc(
    x: Any, norm: str, kernels: Kernels, *, copy: bool, n_jobs: int | None
) -> tuple[Any, Array]:
    """Divide the rows of a CSC array by their norms as it is, or where that takes care, as CSR."""
    # The loop walks down all columns together, which needs rising indices: looked at, not believed.
    if kernels.is_canonical(x.indptr, x.indices):
        norms = np.zeros(x.shape[0])
        out = np.empty_like(x.data) if copy else x.data
        if kernels.normalize_csc(x.data, out, x.indices, x.indptr, norms, NORMS[norm]):
            return _with_data(x, out, copy=copy), norms
    result, norms = normalize(x.tocsr(), norm, kernels, copy=copy, n_jobs=n_jobs)
    result = result.tocsc()
    return result if copy else _with_data(x, result.data, copy=False), norms


def layer_norm(
    x: Any,
    n_groups: int,
    kernels: Kernels,
    *,
    scale: bool,
    eps: float,
    gamma: Array | None,
    copy: bool,
    n_jobs: int | None,
) -> Any:
    """Return the array with each row's groups divided by their root mean square."""
    if x.format == "csc":
        options = {"scale": scale, "eps": eps, "gamma": gamma, "copy": copy, "n_jobs": n_jobs}
        return _normalize_layers_csc(x, n_groups, kernels, **options)
    out = np.empty_like(x.data) if copy or gamma is not None else x.data

    def piece(rows: slice) -> bool:
        pointers = x.indptr[rows.start : rows.stop + 1]
        parts = x.data, out, x.indices, pointers
        return kernels.layer_norm_csr(*parts, x.shape[1], n_groups, scale, eps)

    n_threads = threads.n_threads(n_jobs, x.data.size)
    if any(threads.run(piece, threads.slices(x.shape[0], n_threads), n_threads)):
        raise NonFiniteError
    if gamma is not None:
        out *= gamma.ravel()[x.indices].astype(out.dtype)
    return _with_data(x, out, copy=copy)


def _normalize_layers_csc(x: Any, n_groups: int, kernels: Kernels, **options: Any) -> Any:
    """Normalize the layers of a CSC array as it is, or where that takes care, as CSR."""
    size = x.shape[1] // n_groups
    sums = np.zeros((x.shape[0], n_groups))
    filled = np.zeros(sums.shape, dtype=np.int32)
    parts = x.data, x.indices, x.indptr
    if not options["scale"] or not kernels.square_sums_csc(*parts, size, sums, filled):
        result = layer_norm(x.tocsr(), n_groups, kernels, **options).tocsc()
        return result if options["copy"] else _with_data(x, result.data, copy=False)
    factor = 1.0 / np.sqrt(np.where(filled > 0, sums / size + options["eps"], 1.0))
    fresh = options["copy"] or options["gamma"] is not None
    out = np.empty_like(x.data) if fresh else x.data
    kernels.multiply_groups_csc(x.data, out, x.indices, x.indptr, size, factor)
    if options["gamma"] is not None:
        out *= np.repeat(options["gamma"].ravel(), np.diff(x.indptr)).astype(out.dtype)
    return _with_data(x, out, copy=options["copy"])


def _with_data(x: Any, data: AnyArray, *, copy: bool) -> Any:
    """Return the array with other stored values, in place or not: then its indices are its own."""
    if not copy:
        if data is not x.data:
            x.data[:] = data
        return x
    result = copy_object(x)
    result.data = data
    return result
