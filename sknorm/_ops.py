"""The one place that chooses between the compiled loops and the reference.

The type of the array decides: NumPy arrays, and CSR and CSC arrays, go to the kernels where
those could be built and ``SKNORM_FORCE_REFERENCE`` is not set; everything else, such as a torch
tensor, goes to the reference. Arrays arrive validated; ``NonFiniteError`` says that the values
were not.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from copy import copy as copy_object
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm import _compiled, _reference, _twofold
from sknorm._compat import array_namespace, device
from sknorm._layout import (
    NATIVE,
    AnyArray,
    as_floats,
    channel_view,
    group_view,
    output_dtype,
    sample_blocks,
)
from sknorm._moments import Moments
from sknorm._reference import NonFiniteError
from sknorm._rescaling import Rescaling

Array = NDArray[np.float64]
View = Callable[[AnyArray], AnyArray | None]

_kernels, BUILD = _compiled.load()
HAS_KERNELS = _kernels is not None
NORMS = {"l1": 1, "l2": 2, "max": 3}
# Narrow matrices are rescaled several rows at a time, as if they were one wide row.
NARROW = 256
TIMES = 8


def uses_kernels(x: Any) -> bool:
    """Tell whether the compiled loops serve arrays of this type."""
    forced = os.environ.get("SKNORM_FORCE_REFERENCE", "0") not in ("", "0")
    return HAS_KERNELS and not forced and (isinstance(x, np.ndarray) or sparse.issparse(x))


def _check(bad: bool) -> None:
    if bad:
        raise NonFiniteError


# Statistics per channel ------------------------------------------------------------------------


def column_moments(x: Any, weight: Array | None = None) -> Moments:
    """Return the statistics of each channel (axis 1), each sample with its weight."""
    if sparse.issparse(x):
        return _sparse_moments(x, weight)
    if not isinstance(x, np.ndarray):
        xp = array_namespace(x)
        view = xp.reshape(x, (x.shape[0], x.shape[1], -1))
        return _reference.column_moments(view, _reference_weight(weight, view, xp))
    if uses_kernels(x) and x.dtype in NATIVE and channel_view(x) is not None:
        return _view_moments(x, weight)
    moments = Moments.zero(x.shape[1])
    for block in sample_blocks(x):
        part = None if weight is None else weight[block]
        moments = moments.merge(_view_moments(as_floats(x[block]), part))
    return moments


def _reference_weight(weight: Array | None, view: Any, xp: Any) -> Any:
    if weight is None:
        return None
    weight = xp.asarray(weight, device=device(view))
    return xp.reshape(weight, (-1, 1, 1))


def _view_moments(x: AnyArray, weight: Array | None) -> Moments:
    """Return the statistics of an array of native floats that has a channel view."""
    view = channel_view(x)
    assert view is not None
    samples_are_inner = x.ndim == 2 and view.shape[2] > 1
    if not uses_kernels(x):
        if weight is not None:
            weight = weight.reshape((1, 1, -1) if samples_are_inner else (-1, 1, 1))
        return _reference.column_moments(view, weight)
    moments = Moments.zero(x.shape[1])
    table = np.ascontiguousarray(moments.table.T)
    _check(_kernels.column_moments(view, weight, samples_are_inner, table))
    return Moments(np.ascontiguousarray(table.T))


def _sparse_moments(x: Any, weight: Array | None) -> Moments:
    """Return the statistics of the columns of a CSR or CSC array, zeros that are not stored too."""
    n_columns = x.shape[1]
    if uses_kernels(x):
        function = _kernels.csr_moments if x.format == "csr" else _kernels.csc_moments
        table = np.ascontiguousarray(Moments.zero(n_columns).table.T)
        _check(function(x.data, x.indices, x.indptr, weight, table))
        stored = Moments(np.ascontiguousarray(table.T))
    else:
        rows, columns = _coordinates(x)
        stored_weight = None if weight is None else weight[rows]
        stored = _reference.stored_moments(x.data, columns, stored_weight, n_columns)
    return stored.merge(_implicit_zeros(x, weight, stored))


def _coordinates(x: Any) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the row and the column of each stored value."""
    major = np.repeat(np.arange(x.indptr.size - 1), np.diff(x.indptr))
    return (major, x.indices) if x.format == "csr" else (x.indices, major)


def _implicit_zeros(x: Any, weight: Array | None, stored: Moments) -> Moments:
    """Return the statistics of the zeros that are not stored."""
    n_rows, n_columns = x.shape
    if weight is None:
        entries = stored.count
        if entries.sum() != x.data.size:
            missing = np.isnan(x.data)
            entries = entries + np.bincount(_coordinates(x)[1][missing], minlength=n_columns)
        return Moments.zeros_only(n_rows - entries, np.zeros(n_columns))
    rows, columns = _coordinates(x)
    missing = np.isnan(x.data)
    lost: Array = np.bincount(columns[missing], weight[rows[missing]], minlength=n_columns)
    total = math.fsum(weight)
    rest = math.fsum([*weight, -total])
    everything = np.full(n_columns, total), np.full(n_columns, rest)
    seen = _twofold.add((stored.table[0], stored.table[1]), (lost, np.zeros(n_columns)))
    count, low = _twofold.subtract(everything, seen)
    full = np.bincount(columns, minlength=n_columns) == n_rows
    empty = full | (count <= 0)
    return Moments.zeros_only(np.where(empty, 0.0, count), np.where(empty, 0.0, low))


# Transforms: the result has the shape, memory order and dtype of the input -----------------------


def rescale(x: Any, rescaling: Rescaling, *, inverse: bool, copy: bool) -> Any:
    """Return x with each channel (axis 1) rescaled."""
    if sparse.issparse(x):
        return _rescale_sparse(x, rescaling, inverse=inverse, copy=copy)
    if not isinstance(x, np.ndarray):
        return _via_three_axes(x, lambda v: _reference.rescale(v, rescaling, inverse=inverse))

    def compiled(view: AnyArray, out: AnyArray) -> bool:
        rows, channels, inner = view.shape
        wide = rows - rows % TIMES if inner == 1 and channels < NARROW else 0
        shape = (wide // TIMES, channels * TIMES, 1)
        tiled = rescaling.tile(TIMES) if wide else rescaling
        bad = _run_rescale(view[:wide].reshape(shape), out[:wide].reshape(shape), tiled, inverse)
        return _run_rescale(view[wide:], out[wide:], rescaling, inverse) or bad

    def readable(view: AnyArray) -> Any:
        return _reference.rescale(view, rescaling, inverse=inverse)

    return _transform(x, channel_view, compiled, readable, copy=copy, allow_nan=True)


def _run_rescale(view: AnyArray, out: AnyArray, rescaling: Rescaling, inverse: bool) -> bool:
    return _kernels.rescale(
        view,
        out,
        rescaling.shift,
        rescaling.scale,
        rescaling.gain,
        rescaling.offset,
        rescaling.power(inverse=inverse),
        inverse,
    )


def _rescale_sparse(x: Any, rescaling: Rescaling, *, inverse: bool, copy: bool) -> Any:
    """Return a CSR or CSC array whose stored values are rescaled; the map keeps 0 at 0."""
    if not uses_kernels(x):
        values = _reference.rescale(
            x.data[None, :, None], rescaling.take(_coordinates(x)[1]), inverse=inverse
        )
        return _with_data(x, values[0, :, 0], copy=copy)
    _check_in_place(x.data, copy=copy, allow_nan=True)
    out = x.data if not copy else np.empty_like(x.data)
    channels = x.indices if x.format == "csr" else None
    bad = _kernels.rescale_compressed(
        x.data,
        out,
        channels,
        x.indptr,
        rescaling.scale,
        rescaling.gain,
        rescaling.power(inverse=inverse),
        inverse,
    )
    _check(bad)
    return _with_data(x, out, copy=copy)


def normalize_vectors(x: Any, norm: str, *, copy: bool) -> tuple[Any, Any]:
    """Return x with its vectors along axis 1 divided by their norms, and the norms.

    The norms have the shape of x without axis 1.
    """
    if sparse.issparse(x):
        return _normalize_csr(x, norm, copy=copy)
    if not isinstance(x, np.ndarray):
        xp = array_namespace(x)
        view = xp.reshape(x, (x.shape[0], x.shape[1], -1))
        out, norms = _reference.normalize_vectors(view, norm)
        return xp.reshape(out, x.shape), xp.reshape(norms, (x.shape[0], *x.shape[2:]))
    found: list[AnyArray] = []

    def compiled(view: AnyArray, out: AnyArray) -> bool:
        norms = np.empty((view.shape[0], view.shape[2]))
        found.append(norms.ravel())
        return _kernels.normalize_vectors(view, out, norms, NORMS[norm])

    def readable(view: AnyArray) -> Any:
        result, norms = _reference.normalize_vectors(view, norm)
        found.append(norms.ravel())
        return result

    result = _transform(x, channel_view, compiled, readable, copy=copy, allow_nan=False)
    return result, np.concatenate(found).reshape(x.shape[0], *x.shape[2:])


def _normalize_csr(x: Any, norm: str, *, copy: bool) -> tuple[Any, Array]:
    """Return a CSR array with its rows divided by their norms, and the norms."""
    if not uses_kernels(x):
        return _normalize_csr_reference(x, norm, copy=copy)
    _check_in_place(x.data, copy=copy, allow_nan=False)
    out = x.data if not copy else np.empty_like(x.data)
    norms = np.zeros(x.shape[0])
    _check(_kernels.normalize_vectors_csr(x.data, out, x.indptr, norms, NORMS[norm]))
    return _with_data(x, out, copy=copy), norms


def _normalize_csr_reference(x: Any, norm: str, *, copy: bool) -> tuple[Any, Array]:
    """Normalize dense blocks of rows: slow, but the same code as for dense arrays."""
    values, norms = np.empty_like(x.data), np.zeros(x.shape[0])
    for block in sample_blocks(np.broadcast_to(0.0, x.shape)):
        part = x[block]
        dense, block_norms = _reference.normalize_vectors(part.toarray()[:, :, None], norm)
        rows, columns = _coordinates(part)
        values[x.indptr[block.start] : x.indptr[block.stop]] = dense[rows, columns, 0]
        norms[block] = block_norms[:, 0]
    return _with_data(x, values, copy=copy), norms


def normalize_layers(
    x: Any,
    n_groups: int,
    *,
    centre: bool,
    scale: bool,
    eps: float,
    gain: Array | None,
    offset: Array | None,
    copy: bool,
) -> Any:
    """Return x with each sample's groups of channels normalized.

    ``gain`` and ``offset`` have one row a group, or are None.
    """
    options: dict[str, Any] = {"centre": centre, "scale": scale, "eps": eps}
    if sparse.issparse(x):
        return _normalize_layers_csr(x, n_groups, scale=scale, eps=eps, gain=gain, copy=copy)

    def readable(view: Any) -> Any:
        return _reference.normalize_layers(view, gain=gain, offset=offset, **options)

    if not isinstance(x, np.ndarray):
        xp = array_namespace(x)
        view = xp.reshape(x, (x.shape[0] * n_groups, -1, 1))
        return xp.reshape(readable(view), x.shape)

    def compiled(view: AnyArray, out: AnyArray) -> bool:
        return _kernels.normalize_layers(view, out, centre, scale, eps, gain, offset)

    def view_of(array: AnyArray) -> AnyArray | None:
        return group_view(array, n_groups)

    return _transform(x, view_of, compiled, readable, copy=copy, allow_nan=True)


def _normalize_layers_csr(
    x: Any, n_groups: int, *, scale: bool, eps: float, gain: Array | None, copy: bool
) -> Any:
    """Return a CSR array with each row's groups divided by their root mean square."""
    size = x.shape[1] // n_groups
    if uses_kernels(x):
        _check_in_place(x.data, copy=copy, allow_nan=True)
        out = x.data if not copy else np.empty_like(x.data)
        bad = _kernels.normalize_layers_csr(
            x.data, out, x.indices, x.indptr, x.shape[1], n_groups, scale, eps
        )
        _check(bad)
    else:
        rows, columns = _coordinates(x)
        out = _reference.normalize_layers_csr(
            x.data, rows, columns // size, (x.shape[0], n_groups), size, scale=scale, eps=eps
        )
    if gain is not None:
        out *= gain.ravel()[x.indices].astype(out.dtype)
    return _with_data(x, out, copy=copy)


# Shared ----------------------------------------------------------------------------------------


def _via_three_axes(x: Any, function: Callable[[Any], Any]) -> Any:
    xp = array_namespace(x)
    view = xp.reshape(x, (x.shape[0], x.shape[1], -1))
    return xp.reshape(function(view), x.shape)


def _transform(
    x: AnyArray,
    view_of: View,
    compiled: Callable[[AnyArray, AnyArray], bool],
    readable: Callable[[AnyArray], AnyArray],
    *,
    copy: bool,
    allow_nan: bool,
) -> AnyArray:
    """Apply a transform to a NumPy array, whole where the kernels can, else by blocks of samples.

    Without copy, the result is x itself if its dtype is that of results. Then values are checked
    before anything is written.
    """
    dtype = output_dtype(x.dtype)
    in_place = not copy and x.dtype == dtype and x.flags.writeable
    out = x if in_place else np.empty_like(x, dtype=dtype, subok=False)
    if in_place:
        _check_in_place(x, copy=False, allow_nan=allow_nan)
    view, out_view = view_of(x), view_of(out)
    if uses_kernels(x) and x.dtype in NATIVE and view is not None and out_view is not None:
        _check(compiled(view, out_view))
        return out
    for block in sample_blocks(x):
        values = as_floats(x[block])
        part = view_of(values)
        assert part is not None
        with np.errstate(all="ignore"):
            if uses_kernels(x):
                result = np.empty_like(values)
                result_view = view_of(result)
                assert result_view is not None
                _check(compiled(part, result_view))
                out[block] = result
            else:
                # The block is a copy: its view takes the result, and it has the block's shape.
                np.copyto(part, readable(part))
                out[block] = values
    return out


def check_finite(x: Any, *, allow_nan: bool) -> None:
    """Refuse infinite values (and NaN where that is not allowed), a block of samples at a time."""
    if sparse.issparse(x):
        _check_in_place(x.data, copy=False, allow_nan=allow_nan)
    elif not isinstance(x, np.ndarray):
        xp = array_namespace(x)
        _check(bool(xp.any(xp.isinf(x) if allow_nan else ~xp.isfinite(x))))
    elif x.dtype in NATIVE:
        _check_in_place(x, copy=False, allow_nan=allow_nan)
    elif x.dtype.kind == "f":
        for block in sample_blocks(x):
            _check_in_place(as_floats(x[block]), copy=False, allow_nan=allow_nan)


def _check_in_place(x: AnyArray, *, copy: bool, allow_nan: bool) -> None:
    """Refuse values that are not finite before they are overwritten."""
    if copy:
        return
    if uses_kernels(x) and x.dtype in NATIVE and x.flags.forc:
        _check(not _kernels.finite(x.ravel(order="K"), allow_nan))
    else:
        _check(bool(np.any(np.isinf(x) if allow_nan else ~np.isfinite(x))))


def _with_data(x: Any, data: AnyArray, *, copy: bool) -> Any:
    """Return the sparse array with other stored values."""
    if not copy:
        x.data[:] = data
        return x
    result = copy_object(x)
    result.data, result.indices, result.indptr = data, x.indices.copy(), x.indptr.copy()
    return result
