"""The one place that chooses between the compiled loops and the reference.

The type of the array decides: NumPy arrays, and CSR and CSC arrays, go to the compiled kernels
where those could be built and ``SKNORM_FORCE_REFERENCE`` is not set, else to those of the
reference; everything else, such as a torch tensor, goes to the reference whole. Arrays arrive
validated; ``NonFiniteError`` says that the values were not. Results have the container, shape,
memory order and floating dtype of the input.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import (
    dense,
    dense_moments,
    frame_columns,
    group_quantiles,
    groups,
    loader,
    reference,
    reference_kernels,
    structure,
    tensor_blocks,
)
from sknorm._backends import quantiles as exact_quantiles
from sknorm._backends import sparse as sparse_arrays
from sknorm._backends.frame_columns import FrameColumns
from sknorm._backends.protocol import Kernels, NonFiniteError
from sknorm._backends.quantiles import Quantiles
from sknorm._backends.structure import Indices
from sknorm._compat import array_namespace, as_numpy, device
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments
from sknorm._statistics.squash import Squash

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

_compiled, BUILD = loader.load()
_reference: Kernels = reference_kernels
HAS_KERNELS = _compiled is not None


def uses_kernels(x: Any) -> bool:
    """Tell whether the compiled loops serve arrays of this type."""
    if not HAS_KERNELS or os.environ.get("SKNORM_FORCE_REFERENCE", "0") not in ("", "0"):
        return False
    return isinstance(x, (np.ndarray, FrameColumns)) or sparse.issparse(x)


def _kernels_for(x: Any) -> Kernels:
    return _compiled if _compiled is not None and uses_kernels(x) else _reference


def check_structure(x: Any, indices: Indices = Indices.NOW) -> Any:
    """Return a sparse array of any kind as a plain CSR or CSC array, if its parts are right.

    What is not sparse is returned as it is. Whoever lets indices be checked later may pass the
    array to nothing but ``channel_moments``; whoever wants a result that is not in place must let
    them be copied.
    """
    return structure.plain(x, _kernels_for(x), indices) if sparse.issparse(x) else x


def without_duplicates(x: Any) -> Any:
    """Return a checked sparse array with each element stored at most once, else x itself."""
    return structure.without_duplicates(x, _kernels_for(x))


def channel_moments(x: Any, weight: Array | None = None, n_jobs: int | None = None) -> Moments:
    """Return the statistics of each channel (axis 1), each sample with its weight."""
    x = frame_columns.apart(x)
    if isinstance(x, np.ndarray):
        return dense_moments.moments(x, weight, _kernels_for(x), n_jobs)
    if sparse.issparse(x):
        return sparse_arrays.moments(x, weight, _kernels_for(x), n_jobs)
    if isinstance(x, FrameColumns):
        return frame_columns.moments(x, weight, _kernels_for(x), n_jobs)
    return _tensor_moments(tensor_blocks.without_gradient(x), weight)


def _tensor_moments(x: Any, weight: Array | None) -> Moments:
    """Return the statistics of each channel of an array of another library, in blocks.

    Few long samples are cut between channels.
    """
    xp = array_namespace(x)

    def of_block(block: Any, weight: Array | None) -> Moments:
        own = weight
        if weight is not None:
            own = xp.reshape(xp.asarray(weight, device=device(x)), (-1, 1, 1))
        return reference.channel_moments(xp.reshape(block, (*block.shape[:2], -1)), own)

    if x.shape[0] < x.shape[1]:
        parts = [of_block(x[:, part, ...], weight) for part in tensor_blocks.slices(x, axis=1)]
        return Moments(np.concatenate([part.table for part in parts], axis=1))
    rows = tensor_blocks.slices(x)
    return Moments.merge_all(
        [of_block(x[part, ...], None if weight is None else weight[part]) for part in rows]
    )


def group_moments(
    x: Any,
    codes: Codes,
    n_groups: int,
    weight: Array | None = None,
    n_jobs: int | None = None,
) -> Moments:
    """Return the statistics of each channel in each group of samples, side by side."""
    x = _in_host_memory(x)
    return groups.moments(x, weight, codes, n_groups, _kernels_for(x), n_jobs)


def group_and_pooled_moments(
    x: NDArray[Any] | FrameColumns, codes: Codes, counts: Codes, n_jobs: int | None
) -> tuple[Moments, Moments]:
    """Return the statistics of each channel in each group of samples, side by side, and in all.

    Codes that no sample has are no groups.
    """
    return groups.moments_and_pooled(x, codes, counts, _kernels_for(x), n_jobs)


def counts(codes: Codes, n_codes: int) -> Codes:
    """Return how often each code comes."""
    return groups.count(codes, n_codes, _kernels_for(codes))


def affine(
    x: Any, affine_map: Affine, *, inverse: bool, copy: bool, n_jobs: int | None = None
) -> Any:
    """Return x with each channel (axis 1) rescaled."""
    options: dict[str, Any] = {"inverse": inverse, "copy": copy, "n_jobs": n_jobs}
    x = frame_columns.apart(x)
    if isinstance(x, np.ndarray):
        return dense.affine(x, affine_map, _kernels_for(x), **options)
    if sparse.issparse(x):
        x = _writable(x, copy=copy)
        check_in_place(x.data, copy=copy, allow_nan=True)
        return sparse_arrays.affine(x, affine_map, _kernels_for(x), **options)
    if isinstance(x, FrameColumns):
        return frame_columns.affine(x, affine_map, _kernels_for(x), inverse=inverse, n_jobs=n_jobs)
    return _by_rows(x, lambda v: reference.affine(v, affine_map, inverse=inverse))


def squash(
    x: Any, squash_map: Squash, *, inverse: bool, copy: bool, n_jobs: int | None = None
) -> Any:
    """Return x with each channel (axis 1) centered, scaled and drawn into an interval."""
    if isinstance(x, np.ndarray):
        kernels = _kernels_for(x)
        return dense.squash(x, squash_map, kernels, inverse=inverse, copy=copy, n_jobs=n_jobs)
    if sparse.issparse(x):
        x = _writable(x, copy=copy)
        return sparse_arrays.squash(x, squash_map, _kernels_for(x), inverse=inverse, copy=copy)
    return _by_rows(x, lambda v: reference.squash(v, squash_map, inverse=inverse))


def quantiles(
    x: Any,
    levels: list[float],
    codes: Codes | None,
    n_channels: int,
    weight: Array | None,
    n_jobs: int | None,
) -> Quantiles:
    """Return the quantiles of the finite values of each channel."""
    x = _in_host_memory(x)
    options: dict[str, Any] = {"n_channels": n_channels, "weight": weight, "n_jobs": n_jobs}
    return exact_quantiles.quantiles(x, levels, _kernels_for(x), codes=codes, **options)


def quantiles_by_group(
    x: Any,
    levels: list[float],
    codes: Codes,
    n_groups: int,
    channels: Codes,
    n_channels: int,
    weight: Array | None,
) -> tuple[Quantiles, Array]:
    """Return the quantiles, and the extents, of each channel in each group of samples."""
    x = _in_host_memory(x)
    kernels = _kernels_for(x)
    return group_quantiles.quantiles(
        x, levels, codes, n_groups, channels, n_channels, weight, kernels
    )


def values_by_group(
    x: Any, codes: Codes, n_groups: int, channels: Codes, n_channels: int
) -> list[Array]:
    """Return the finite values of each channel in each group, side by side."""
    x = _in_host_memory(x)
    return group_quantiles.values(x, codes, n_groups, channels, n_channels, _kernels_for(x))


def channel_values(x: Any, codes: Codes | None, n_channels: int) -> Iterator[Array]:
    """Yield the finite values of each channel, as one array."""
    x = _in_host_memory(x)
    codes = np.arange(n_channels) if codes is None else codes
    return (
        values for _, values, _ in exact_quantiles.channels(x, codes, np.arange(n_channels), None)
    )


def extents(
    x: Any, codes: Codes | None, wanted: Codes, weight: Array | None
) -> tuple[Array, Array]:
    """Return the least and the largest finite values of some channels, of what has a weight."""
    x = _in_host_memory(x)
    codes = np.arange(x.shape[1]) if codes is None else codes
    return exact_quantiles.extents(x, codes, wanted, weight)


def by_group(x: Any, codes: Codes, function: groups.Transform, *, copy: bool) -> Any:
    """Return x with each sample transformed by a function of its values and their groups."""
    if sparse.issparse(x):
        x = _writable(x, copy=copy)
    if not copy:
        check_finite(x, allow_nan=True)
    return groups.transform(x, codes, function, copy=copy)


def entries(table: NDArray[Any], index: tuple[Codes, ...]) -> NDArray[Any]:
    """Return the entries of a table at an index of rows, or of rows and columns, side by side."""
    if len(index) == 1 and table.dtype == np.float64:
        order = index[0].astype(np.int64, copy=False)
        return groups.take(table, order, _kernels_for(table)).ravel()
    return table[index].ravel()


def normalize(
    x: Any, norm: str, *, keep: bool, copy: bool, n_jobs: int | None = None
) -> tuple[Any, Any]:
    """Return x with its vectors along axis 1 divided by their norms, and the norms.

    The norms have the shape of x without axis 1; dense ones that are not to be kept are None.
    """
    if isinstance(x, np.ndarray):
        kernels = _kernels_for(x)
        return dense.normalize(x, norm, kernels, keep=keep, copy=copy, n_jobs=n_jobs)
    if sparse.issparse(x):
        x = _writable(x, copy=copy)
        check_in_place(x.data, copy=copy, allow_nan=False)
        return sparse_arrays.normalize(x, norm, _kernels_for(x), copy=copy, n_jobs=n_jobs)
    xp = array_namespace(x)

    def function(block: Any) -> tuple[Any, ...]:
        out, norms = reference.normalize(xp.reshape(block, (*block.shape[:2], -1)), norm)
        out = xp.reshape(out, block.shape)
        return (out, xp.reshape(norms, (block.shape[0], *x.shape[2:]))) if keep else (out,)

    results = tensor_blocks.by_rows(x, function)
    return results if keep else (*results, None)


def layer_norm(
    x: Any,
    n_groups: int,
    *,
    center: bool,
    scale: bool,
    eps: float,
    gamma: Array | None,
    beta: Array | None,
    copy: bool,
    n_jobs: int | None = None,
) -> Any:
    """Return x with each sample's groups of channels normalized.

    ``gamma`` and ``beta`` have one row per group, or are None.
    """
    layer: dict[str, Any] = {"scale": scale, "eps": eps, "gamma": gamma}
    if sparse.issparse(x):
        x = _writable(x, copy=copy)
        check_in_place(x.data, copy=copy, allow_nan=True)
        kernels = _kernels_for(x)
        return sparse_arrays.layer_norm(x, n_groups, kernels, copy=copy, n_jobs=n_jobs, **layer)
    layer |= {"center": center, "beta": beta}
    if isinstance(x, np.ndarray):
        kernels = _kernels_for(x)
        return dense.layer_norm(x, n_groups, kernels, copy=copy, n_jobs=n_jobs, **layer)
    xp = array_namespace(x)

    def function(block: Any) -> tuple[Any]:
        view = xp.reshape(block, (block.shape[0] * n_groups, -1, 1))
        return (xp.reshape(reference.layer_norm(view, **layer), block.shape),)

    return tensor_blocks.by_rows(x, function)[0]


def blocks(x: Any) -> Iterator[Any]:
    """Yield the samples of x: of other libraries in blocks, which are all that need be computed."""
    if isinstance(x, np.ndarray) or sparse.issparse(x):
        yield x
        return
    for rows in tensor_blocks.slices(x):
        yield x[rows, ...]


def check_finite(x: Any, *, allow_nan: bool) -> None:
    """Refuse infinite values (and NaN where that is not allowed), a block of samples at a time."""
    if sparse.issparse(x):
        check_finite(x.data, allow_nan=allow_nan)
    elif isinstance(x, np.ndarray):
        dense.check_finite(x, _kernels_for(x), allow_nan=allow_nan)
    else:
        xp, x = array_namespace(x), tensor_blocks.without_gradient(x)
        for rows in tensor_blocks.slices(x):
            if bool(xp.any(xp.isinf(x[rows, ...]) if allow_nan else ~xp.isfinite(x[rows, ...]))):
                raise NonFiniteError


def without_infinity(x: Any) -> Any:
    """Return a copy in the memory of the host with NaN in place of infinity."""
    x = _in_host_memory(x).copy()
    values = x.data if sparse.issparse(x) else x
    values[np.isinf(values)] = np.nan
    return x


def _in_host_memory(x: Any) -> Any:
    return x if isinstance(x, np.ndarray) or sparse.issparse(x) else as_numpy(x)


def _writable(x: Any, *, copy: bool) -> Any:
    """Return a sparse array that may be written to, if it is to be."""
    return x if copy or x.data.flags.writeable else x.copy()


def check_in_place(x: NDArray[Any], *, copy: bool, allow_nan: bool) -> None:
    """Refuse values that are not finite before they are overwritten."""
    if not copy:
        check_finite(x, allow_nan=allow_nan)


def _by_rows(x: Any, function: Callable[[Any], Any]) -> Any:
    """Return an array of another library after a function of its blocks in three axes."""
    xp = array_namespace(x)

    def of_block(block: Any) -> tuple[Any]:
        view = xp.reshape(block, (*block.shape[:2], -1))
        return (xp.reshape(function(view), block.shape),)

    return tensor_blocks.by_rows(x, of_block)[0]
