"""The statistics of layers, found for what keeps them, and what undoes a layer by them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import dispatch
from sknorm._backends.layout import output_dtype
from sknorm._backends.reference import asarray_like
from sknorm._backends.sparse import coordinates
from sknorm._compat import array_namespace, is_traced
from sknorm._statistics.moments import root_in_unit

Array = NDArray[np.float64]


def layer_statistics(
    X: Any, n_groups: int, *, center: bool, scale: bool, eps: float, n_jobs: int | None
) -> Any:
    """Return the means and the divisors of the groups of each sample, at each of X's positions."""
    if is_traced(X):
        raise TypeError(
            "The statistics of rows are computed by NumPy, of which no program can be made. Trace "
            "or export a LayerScaler with keep_statistics=False."
        )
    settings: dict[str, Any] = {"center": center, "scale": scale, "eps": eps, "n_jobs": n_jobs}
    parts = [_statistics(part, n_groups, **settings) for part in dispatch.blocks(X)]
    return asarray_like(np.concatenate(parts), X)


def _statistics(
    X: Any, n_groups: int, *, center: bool, scale: bool, eps: float, n_jobs: int | None
) -> Array:
    """Return the statistics of some samples.

    The groups of all samples are the channels of a transposed matrix.
    """
    n_rows = X.shape[0] * n_groups
    if sparse.issparse(X):
        rows = X.reshape((n_rows, X.shape[1] // n_groups)).tocsr()
        moments = dispatch.channel_moments(rows.T, None, n_jobs)
    else:
        rows = array_namespace(X).reshape(X, (n_rows, -1))
        moments = dispatch.channel_moments(rows.T, None, n_jobs)
    moments = moments if center else moments.about_zero()
    divisor = np.ones(n_rows)
    if scale:
        equal = moments.constant if center else moments.unit_var == 0.0
        divisor = np.ldexp(root_in_unit(moments.unit_var, moments, eps, equal), moments.exponent)
        divisor = np.where(moments.count > 0, divisor, 1.0)
    mean = np.where(moments.count > 0, moments.mean, 0.0) if center else np.zeros(n_rows)
    found = np.concatenate([v.reshape(-1, n_groups) for v in (mean, divisor)], axis=1)
    if X.ndim > 2:
        found = found.reshape(found.shape + (1,) * (X.ndim - 2))
        found = np.broadcast_to(found, found.shape[:2] + tuple(X.shape[2:])).copy()
    return found


def undo_layer(X: Any, n_groups: int, gamma: Array | None, beta: Array | None) -> Any:
    """Return values in their units, by the means and divisors in the last channels.

    ``gamma`` and ``beta`` have one row per group, or are None.
    """
    n_out = X.shape[1] - 2 * n_groups
    if sparse.issparse(X):
        return _undo_sparse(X, n_out, n_groups, gamma)
    xp = array_namespace(X)
    if isinstance(X, np.ndarray):
        X = X.astype(output_dtype(X.dtype), copy=False)
    mean, scale = X[:, n_out : n_out + n_groups, ...], X[:, n_out + n_groups :, ...]
    values = xp.reshape(X[:, :n_out, ...], (X.shape[0], n_groups, -1, *X.shape[2:]))
    if gamma is not None and beta is not None:
        shape = (1, *values.shape[1:])
        like = {name: _as_values(v.reshape(shape), X) for name, v in (("g", gamma), ("b", beta))}
        values = (values - like["b"]) / like["g"]
    mean, scale = xp.expand_dims(mean, axis=2), xp.expand_dims(scale, axis=2)
    # Beyond this, a product may overflow that the sum does not.
    far = bool(xp.any(scale > 0.01 * xp.finfo(X.dtype).max))
    half = 0.5 if far else 1.0
    with np.errstate(over="ignore"):  # by rounding, of the largest numbers
        values = (values * (scale * half) + mean * half) * (1.0 / half)
    return xp.reshape(values, (X.shape[0], n_out, *X.shape[2:]))


def _as_values(parameter: Array, X: Any) -> Any:
    """Return a parameter in the namespace and dtype of X."""
    if isinstance(X, np.ndarray):
        return parameter.astype(X.dtype)
    return array_namespace(X).astype(asarray_like(parameter, X), X.dtype, copy=False)


def _undo_sparse(X: Any, n_out: int, n_groups: int, gamma: Array | None) -> Any:
    result = X[:, :n_out].tocsr() if X.format == "csr" else X[:, :n_out].tocsc()
    kept = X[:, n_out:].toarray()
    if kept[:, :n_groups].any():
        raise ValueError(
            "X is sparse, but has means that are not 0, which would make the result dense. Pass "
            "X.toarray()."
        )
    rows, columns = coordinates(result)
    factor = kept[rows, n_groups + columns // (n_out // n_groups)]
    if gamma is not None:
        factor = factor / gamma.ravel()[columns]
    result.data = (result.data * factor).astype(output_dtype(result.dtype), copy=False)
    return result
