"""The readable twin of the loops over dense arrays, in the array API standard.

It serves the arrays that the kernels do not (torch, CuPy, array-api-strict), and, through
``reference_kernels``, machines without the compiled extension and the tests, as their oracle.
Arrays arrive as three axes, as in ``layout``. Statistics are accumulated in the most precise
float of the device.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends.protocol import NonFiniteError
from sknorm._compat import array_namespace, as_numpy, device, is_traced, widest_float
from sknorm._statistics import double_double
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import EXPONENT_LIMIT, Moments, is_constant, unit_exponent
from sknorm._statistics.squash import Squash

Array = NDArray[np.float64]


def _widen(x: Any) -> tuple[Any, Any]:
    """Return the namespace and x in its device's most precise float."""
    xp = array_namespace(x)
    return xp, xp.astype(x, widest_float(xp, device(x)), copy=False)


def _floats(x: Any) -> Array:
    """Copy a small array of statistics to NumPy."""
    return as_numpy(x).astype(np.float64, copy=False)


def asarray_like(values: Any, x: Any) -> Any:
    """Move learned statistics to the namespace and device of the input they were learned from."""
    if x is None or isinstance(x, np.ndarray) or sparse.issparse(x):
        return values
    xp = array_namespace(x)
    dtype = widest_float(xp, device(x)) if values.dtype.kind == "f" else None
    return xp.asarray(values, dtype=dtype, device=device(x))


def _like(values: Any, x: Any, xp: Any) -> Any:
    """Move small NumPy arrays to the namespace, dtype and device of x."""
    return xp.asarray(values, dtype=x.dtype, device=device(x))


def _refuse_infinity(x: Any, xp: Any, *, allow_nan: bool = True) -> None:
    if is_traced(x):
        return  # it has no values to look at
    bad = xp.isinf(x) if allow_nan else ~xp.isfinite(x)
    if xp.any(bad):
        raise NonFiniteError


def _sum(values: Any, axis: int, xp: Any) -> Any:
    """Sum along an axis, which is kept, pairwise: NumPy does that along contiguous memory only."""
    moved = xp.moveaxis(values, axis, -1)
    moved = np.ascontiguousarray(moved) if isinstance(moved, np.ndarray) else moved
    return xp.expand_dims(xp.sum(moved, axis=-1), axis=axis)


def channel_moments(x: Any, weight: Any = None) -> Moments:
    """Return the statistics per channel of (outer, channel, inner); weight has three axes too."""
    xp, x = _widen(x)
    _refuse_infinity(x, xp)
    missing = xp.isnan(x)
    if weight is not None:
        missing = missing | (weight == 0)
    x = xp.where(missing, xp.zeros_like(x), x)
    magnitude = _floats(xp.max(xp.abs(x), axis=(0, 2)))
    low = _floats(xp.min(xp.where(missing, xp.full_like(x, np.inf), x), axis=(0, 2)))
    high = _floats(xp.max(xp.where(missing, xp.full_like(x, -np.inf), x), axis=(0, 2)))
    exponent = unit_exponent(magnitude)
    unit = np.where(exponent < -EXPONENT_LIMIT, 0.0, exponent).astype(np.int64)

    def per_channel(values: Array) -> Any:
        return _like(values, x, xp)[None, :, None]

    def total(values: Any) -> Array:
        return _floats(_sum(_sum(values, 2, xp), 0, xp)[0, :, 0])

    x = x * per_channel(np.ldexp(1.0, -unit))
    weight = xp.ones_like(x) if weight is None else weight * xp.ones_like(x)
    weight = xp.where(missing, xp.zeros_like(x), weight)
    count = total(weight)
    filled = np.where(count > 0, count, 1.0)
    # A channel of equal values has this one, exactly, for its mean.
    shift = _floats(xp.max(xp.where(missing, xp.full_like(x, -np.inf), x), axis=(0, 2)))
    shift = np.where(np.isfinite(shift), shift, 0.0)
    shift = shift + total(weight * (x - per_channel(shift))) / filled
    deviation = x - per_channel(shift)
    s1, s2 = total(weight * deviation), total(weight * deviation * deviation)
    mean = double_double.two_sum(shift, s1 / filled)
    m2 = np.maximum(0.0, s2 - s1 * (s1 / filled))
    nothing = np.zeros_like(count)
    return Moments(np.stack([count, nothing, *mean, m2, nothing, exponent, low, high]))


def group_moments(x: NDArray[Any], starts: NDArray[np.int64], weight: Array | None) -> Moments:
    """Return the statistics per channel of runs of samples, which are from each start to the next.

    It does for all runs at once what ``channel_moments`` does for one.
    """
    x = x.astype(np.float64)
    _refuse_infinity(x, np)
    missing = np.isnan(x)
    if weight is not None:
        missing |= weight == 0
    lengths = np.diff(starts)
    filled_runs, n_channels = np.flatnonzero(lengths > 0), x.shape[1]
    if not filled_runs.size:
        return Moments.zero(lengths.size * n_channels)

    def reduce(function: Any, values: Any) -> Any:
        along = values if values.shape[2] == 1 else function.reduce(values, axis=2, keepdims=True)
        return function.reduceat(along[:, :, 0], starts[filled_runs], axis=0)

    def spread(values: Array) -> Array:
        return np.repeat(values, lengths[filled_runs], axis=0)[:, :, None]

    x = np.where(missing, 0.0, x)
    magnitude = reduce(np.maximum, np.abs(x))
    low = reduce(np.minimum, np.where(missing, np.inf, x))
    high = reduce(np.maximum, np.where(missing, -np.inf, x))
    exponent = unit_exponent(magnitude)
    unit = np.where(exponent < -EXPONENT_LIMIT, 0.0, exponent).astype(np.int64)
    x = x * spread(np.ldexp(1.0, -unit))
    weight = np.where(missing, 0.0, 1.0 if weight is None else weight)
    count = reduce(np.add, weight)
    filled = np.where(count > 0, count, 1.0)
    shift = reduce(np.maximum, np.where(missing, -np.inf, x))
    shift = np.where(np.isfinite(shift), shift, 0.0)
    shift = shift + reduce(np.add, weight * (x - spread(shift))) / filled
    deviation = x - spread(shift)
    s1, s2 = reduce(np.add, weight * deviation), reduce(np.add, weight * deviation * deviation)
    mean = double_double.two_sum(shift, s1 / filled)
    m2 = np.maximum(0.0, s2 - s1 * (s1 / filled))
    nothing = np.zeros_like(count)
    table = Moments.zero(lengths.size * n_channels).by_group(n_channels)
    table[:, filled_runs] = np.stack([count, nothing, *mean, m2, nothing, exponent, low, high])
    return Moments.of_groups(table)


def affine(x: Any, affine_map: Affine, *, inverse: bool, power: Any = None) -> Any:
    """Return x, whose middle axis is the channel, rescaled, in its own dtype.

    ``power`` is what values are multiplied with, unless the map has exponents of its own.
    """
    xp, wide = _widen(x)
    _refuse_infinity(wide, xp)
    shift, scale, gamma, beta = (
        default if values is None else _like(values, wide, xp)[None, :, None]
        for values, default in (
            (affine_map.shift, 0.0),
            (affine_map.scale, 1.0),
            (affine_map.gamma, 1.0),
            (affine_map.beta, 0.0),
        )
    )
    power = affine_map.power(inverse=inverse) if power is None else power
    factor = 1.0 if power is None else _like(power, wide, xp)[None, :, None]
    with np.errstate(all="ignore"):
        if inverse:
            result = (((wide - beta) / gamma) * scale + shift) * factor
        else:
            result = ((wide * factor - shift) / scale) * gamma + beta
        return xp.astype(result, x.dtype, copy=False)


def squash(x: Any, squash_map: Squash, *, inverse: bool) -> Any:
    """Return x, whose middle axis is the channel, squashed, or the way back, in its own dtype."""
    xp, wide = _widen(x)
    bound, name = squash_map.bound, squash_map.name
    center, times, gamma, beta, power = (
        _like(values, wide, xp)[None, :, None] for values in squash_map.arrays()
    )
    with np.errstate(all="ignore"):
        if inverse:
            z = _unsquash((wide - beta) / gamma, bound, name, xp)
            constant = (times == 0.0) & ~xp.isnan(z)
            z = xp.where(constant, xp.zeros_like(z), z / times)
            return xp.astype((z + center) / power, x.dtype, copy=False)
        z = _squash((wide * power - center) * times, bound, name, xp)
        z = xp.where(xp.isinf(wide), xp.copysign(xp.full_like(wide, bound), wide), z)
        return xp.astype(z * gamma + beta, x.dtype, copy=False)


def _squash(z: Any, bound: float, name: str, xp: Any) -> Any:
    if name == "tanh":
        return bound * xp.tanh(z / bound)
    if name == "clip":
        return xp.where(xp.isnan(z), z, xp.clip(z, -bound, bound))
    ratio = z / bound
    edge = xp.copysign(xp.full_like(z, bound), z)
    return xp.where(xp.abs(ratio) > 1e150, edge, z / xp.sqrt(1.0 + ratio * ratio))


def _unsquash(y: Any, bound: float, name: str, xp: Any) -> Any:
    if name == "clip":
        return y
    ratio = y / bound
    soft = xp.sqrt((1.0 - ratio) * (1.0 + ratio))
    z = bound * xp.atanh(ratio) if name == "tanh" else y / soft
    return xp.where(xp.abs(ratio) >= 1.0, xp.copysign(xp.full_like(y, xp.inf), y), z)


def _unit(x: Any, xp: Any) -> Any:
    """Return, per vector along the middle axis, a power of two that brings it to about 1."""
    magnitude = xp.max(xp.where(xp.isnan(x), xp.zeros_like(x), xp.abs(x)), axis=1, keepdims=True)
    if isinstance(x, np.ndarray):
        _, exponent = np.frexp(magnitude)
        return np.ldexp(1.0, -np.clip(exponent, -EXPONENT_LIMIT, EXPONENT_LIMIT))
    limit = EXPONENT_LIMIT if x.dtype == xp.float64 else 120
    positive = xp.where(magnitude > 0, magnitude, xp.ones_like(magnitude))
    exponent = xp.clip(xp.floor(xp.log2(positive)) + 1, -float(limit), float(limit))
    return xp.pow(xp.full_like(exponent, 2.0), -exponent)


def normalize(x: Any, norm: str) -> tuple[Any, Any]:
    """Return x divided by the norms of its vectors along the middle axis, and the norms."""
    xp, wide = _widen(x)
    _refuse_infinity(wide, xp, allow_nan=False)
    unit = _unit(wide, xp)
    wide = wide * unit
    if norm == "l1":
        norms = _sum(xp.abs(wide), 1, xp)
    elif norm == "l2":
        norms = xp.sqrt(_sum(wide * wide, 1, xp))
    else:
        norms = xp.max(xp.abs(wide), axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        result = wide / xp.where(norms > 0, norms, xp.ones_like(norms))
        return xp.astype(result, x.dtype, copy=False), (norms / unit)[:, 0, :]


def layer_norm(
    x: Any, *, center: bool, scale: bool, eps: float, gamma: Any = None, beta: Any = None
) -> Any:
    """Return x normalized along its middle axis; groups (outer) take their gammas in turn."""
    xp, wide = _widen(x)
    _refuse_infinity(wide, xp)
    missing = xp.isnan(wide)
    z = _layer_scores(xp.where(missing, xp.zeros_like(wide), wide), missing, center, scale, eps, xp)
    if gamma is not None:
        repeats = (x.shape[0] // gamma.shape[0], 1)
        z = z * xp.tile(_like(gamma, wide, xp), repeats)[:, :, None]
        z = z + xp.tile(_like(beta, wide, xp), repeats)[:, :, None]
    with np.errstate(all="ignore"):
        z = xp.where(missing, xp.full_like(z, np.nan), z)
        return xp.astype(z, x.dtype, copy=False)


def _layer_scores(x: Any, missing: Any, center: bool, scale: bool, eps: float, xp: Any) -> Any:
    """Return the centered and scaled values of x, in which missing values are 0."""
    if not (center or scale):
        return x
    unit = _unit(x, xp)
    x = x * unit
    present = xp.astype(~missing, x.dtype)
    count = _sum(present, 1, xp)
    count = xp.where(count > 0, count, xp.ones_like(count))

    def mean_of(values: Any) -> Any:
        return _sum(values * present, 1, xp) / count

    mean, rest = xp.zeros_like(count), xp.zeros_like(count)
    if center:
        mean = xp.max(xp.where(missing, xp.full_like(x, -np.inf), x), axis=1, keepdims=True)
        mean = xp.where(xp.isfinite(mean), mean, xp.zeros_like(mean))
        mean = mean + mean_of(x - mean)
        rest = mean_of(x - mean)
    deviation = x - mean
    var = mean_of(deviation * deviation) - rest * rest
    var = xp.where(var > 0, var, xp.zeros_like(var))
    divide = xp.ones_like(unit) * unit
    if scale:
        divide = _hypot(xp.sqrt(var), math.sqrt(eps) * unit, xp)
    constant = var == 0
    if center:
        constant = is_constant(count, mean, var, xp)
    one = xp.ones_like(divide)
    with np.errstate(all="ignore"):
        z = (deviation - rest) / xp.where(divide > 0, divide, one)
    return xp.where(constant, xp.zeros_like(z), z)


def _hypot(a: Any, b: Any, xp: Any) -> Any:
    """Return the root of the sum of squares, which neither overflow nor underflow."""
    large, small = xp.where(a > b, a, b), xp.where(a > b, b, a)
    ratio = small / xp.where(large > 0, large, xp.ones_like(large))
    return large * xp.sqrt(1.0 + ratio * ratio)
