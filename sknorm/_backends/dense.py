"""The transforms of NumPy arrays, cut into the pieces that the loops take.

Arrays of native floats with a view of three axes (see ``layout``) go to the kernels whole, or in
one piece per thread; all others go through blocks of samples, which are converted one at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import threads
from sknorm._backends.layout import (
    NATIVE,
    AnyArray,
    as_floats,
    channel_view,
    group_view,
    is_writable,
    output_dtype,
    sample_blocks,
)
from sknorm._backends.protocol import NON_FINITE, NORMS, Kernels, NonFiniteError
from sknorm._statistics.affine import Affine
from sknorm._statistics.squash import Squash

Array = NDArray[np.float64]
View = Callable[[AnyArray], AnyArray | None]
# What a loop does later, from a view into another, with a number of threads: all that it needs is
# allocated by then. It tells whether a value was not finite.
Loop = Callable[[AnyArray, AnyArray, int], Callable[[], bool]]

# Matrices with fewer columns than this are rescaled several rows at a time, as one wide row.
NARROW = 256
TIMES = 8


def check_finite(x: AnyArray, kernels: Kernels, *, allow_nan: bool) -> None:
    """Raise NonFiniteError where a value is infinite, or NaN where that is not allowed."""
    if x.dtype.kind != "f":
        return
    if x.dtype in NATIVE and x.flags.forc and x.flags.aligned:
        if not kernels.finite(x.ravel(order="K"), allow_nan):
            raise NonFiniteError
        return
    for block in sample_blocks(x):
        values = as_floats(x[block])
        if np.any(np.isinf(values) if allow_nan else ~np.isfinite(values)):
            raise NonFiniteError


def affine(
    x: AnyArray,
    affine_map: Affine,
    kernels: Kernels,
    *,
    inverse: bool,
    copy: bool,
    n_jobs: int | None,
) -> AnyArray:
    """Return x with each channel (axis 1) rescaled."""
    loop = partial(_affine, kernels, affine_map, inverse)
    return _transform(x, channel_view, loop, kernels, copy=copy, allow_nan=True, n_jobs=n_jobs)


def _affine(
    kernels: Kernels,
    affine_map: Affine,
    inverse: bool,
    view: AnyArray,
    out: AnyArray,
    n_threads: int,
) -> Callable[[], bool]:
    """Return what rescales a view, in pieces."""
    rows, channels, length = view.shape
    prepared = partial(affine_arguments, kernels, affine_map, inverse, view.dtype)
    if rows == 1 and n_threads > 1:
        pieces = threads.slices(channels, n_threads)
        work = [(view[:, piece], out[:, piece], prepared(piece)) for piece in pieces]
    else:
        times = TIMES if length == 1 and channels < NARROW and rows >= TIMES else 1
        whole = rows - rows % times
        shape = (whole // times, channels * times, length)
        wide, wide_out = view[:whole].reshape(shape), out[:whole].reshape(shape)
        arguments = prepared(times=times)
        pieces = threads.slices(shape[0], n_threads)
        work = [(wide[piece], wide_out[piece], arguments) for piece in pieces]
        if whole < rows:
            work.append((view[whole:], out[whole:], prepared()))
    return lambda: (
        NON_FINITE in threads.run(lambda part: kernels.affine(*part[:2], *part[2]), work, n_threads)
    )


def affine_arguments(
    kernels: Kernels,
    affine_map: Affine,
    inverse: bool,
    dtype: np.dtype[Any],
    channels: slice | None = None,
    times: int = 1,
) -> tuple[Any, ...]:
    """Return what the loop takes for some channels, or for several rows as one."""
    own = affine_map if channels is None else affine_map.take(channels)
    own = own if times == 1 else own.tile(times)
    power = own.power(inverse=inverse)
    multiply = dtype == np.float32 and not inverse and affine_map.is_invertible
    scale = 1.0 / own.scale if multiply else own.scale
    parts = None
    if multiply and own.gamma is None and power is None:
        parts = kernels.split_float32(own.shift, scale, np.empty((3, scale.size), np.float32))
    return own.shift, scale, own.gamma, own.beta, power, parts, inverse, multiply


def squash(
    x: AnyArray,
    squash_map: Squash,
    kernels: Kernels,
    *,
    inverse: bool,
    copy: bool,
    n_jobs: int | None,
) -> AnyArray:
    """Return x with each channel (axis 1) centered, scaled and drawn into an interval."""
    loop = partial(_squash, kernels, squash_map, inverse)
    return _transform(x, channel_view, loop, kernels, copy=copy, allow_nan=None, n_jobs=n_jobs)


def _squash(
    kernels: Kernels,
    squash_map: Squash,
    inverse: bool,
    view: AnyArray,
    out: AnyArray,
    n_threads: int,
) -> Callable[[], bool]:
    def part(rows: slice, channels: slice) -> bool:
        own = squash_map.take(channels).arguments()
        kernels.squash(view[rows, channels], out[rows, channels], *own, inverse)
        return False

    everything = slice(0, view.shape[0]), slice(0, view.shape[1])
    if view.shape[0] == 1:
        pieces = [(everything[0], piece) for piece in threads.slices(view.shape[1], n_threads)]
    else:
        pieces = [(piece, everything[1]) for piece in threads.slices(view.shape[0], n_threads)]
    return lambda: any(threads.run(lambda piece: part(*piece), pieces, n_threads))


def normalize(
    x: AnyArray, norm: str, kernels: Kernels, *, keep: bool, copy: bool, n_jobs: int | None
) -> tuple[AnyArray, Array | None]:
    """Return x with its vectors along axis 1 divided by their norms, and, to keep, the norms."""
    found: list[Array] | None = [] if keep else None
    loop = partial(_normalize, kernels, NORMS[norm], found)
    result = _transform(x, channel_view, loop, kernels, copy=copy, allow_nan=False, n_jobs=n_jobs)
    if found is None:
        return result, None
    norms = found[0] if len(found) == 1 else np.concatenate(found)
    return result, norms.reshape(x.shape[0], *x.shape[2:])


def _normalize(
    kernels: Kernels,
    kind: int,
    found: list[Array] | None,
    view: AnyArray,
    out: AnyArray,
    n_threads: int,
) -> Callable[[], bool]:
    def work() -> bool:
        norms = None if found is None else np.empty((view.shape[0], view.shape[2]))
        if norms is not None and found is not None:
            found.append(norms.ravel())

        def part(rows: slice, inner: slice) -> bool:
            own = None if norms is None else norms[rows]
            return kernels.normalize(view[rows], out[rows], own, kind, inner.start, inner.stop)

        return _run_within(part, view, n_threads)()

    return work


def layer_norm(
    x: AnyArray,
    n_groups: int,
    kernels: Kernels,
    *,
    center: bool,
    scale: bool,
    eps: float,
    gamma: Array | None,
    beta: Array | None,
    copy: bool,
    n_jobs: int | None,
) -> AnyArray:
    """Return x with each sample's groups of channels normalized."""
    layer: dict[str, Any] = {"center": center, "scale": scale, "eps": eps}
    layer |= {"gamma": gamma, "beta": beta}
    view_of = partial(group_view, n_groups=n_groups)
    loop = partial(_layer_norm, kernels, n_groups, layer)
    return _transform(x, view_of, loop, kernels, copy=copy, allow_nan=True, n_jobs=n_jobs)


def _layer_norm(
    kernels: Kernels,
    n_groups: int,
    layer: dict[str, Any],
    view: AnyArray,
    out: AnyArray,
    n_threads: int,
) -> Callable[[], bool]:
    def part(rows: slice, inner: slice) -> bool:
        return kernels.layer_norm(
            view[rows],
            out[rows],
            layer["center"],
            layer["scale"],
            layer["eps"],
            layer["gamma"],
            layer["beta"],
            inner.start,
            inner.stop,
        )

    return _run_within(part, view, n_threads, unit=n_groups)


def _run_within(
    part: Callable[[slice, slice], bool], view: AnyArray, n_threads: int, unit: int = 1
) -> Callable[[], bool]:
    """Return what runs a loop over vectors along the middle axis, in pieces of rows or of lanes."""
    rows, _, inner = view.shape
    everything = slice(0, rows), slice(0, inner)
    if n_threads == 1:
        pieces = [everything]
    elif rows >= n_threads * unit:
        pieces = [(piece, everything[1]) for piece in threads.slices(rows, n_threads, unit)]
    else:
        pieces = [(everything[0], piece) for piece in threads.slices(inner, n_threads, 64)]
    return lambda: any(threads.run(lambda piece: part(*piece), pieces, n_threads))


def _transform(
    x: AnyArray,
    view_of: View,
    loop: Loop,
    kernels: Kernels,
    *,
    copy: bool,
    allow_nan: bool | None,
    n_jobs: int | None,
) -> AnyArray:
    """Apply a transform, whole where there is a view for it, else by blocks of samples.

    Without copy, the result is x itself if its dtype is that of results. Then values are checked
    before anything is written, unless ``allow_nan`` is None: all are allowed.
    """
    dtype = output_dtype(x.dtype)
    in_place = not copy and x.dtype == dtype and is_writable(x)
    if in_place and allow_nan is not None:
        check_finite(x, kernels, allow_nan=allow_nan)
    out = x if in_place else np.empty_like(x, dtype=dtype, subok=False)
    if x.dtype in NATIVE:
        view, out_view = view_of(x), view_of(out)
        if view is not None and out_view is not None:
            if loop(view, out_view, threads.n_threads(n_jobs, x.size))():
                raise NonFiniteError
            return out
    _loop_by_blocks(x, out, view_of, loop)
    return out


def _loop_by_blocks(x: AnyArray, out: AnyArray, view_of: View, loop: Loop) -> None:
    """Run a loop on contiguous copies of blocks of samples.

    All is allocated before the first result is written: out may be x.
    """
    blocks = list(sample_blocks(x))
    if not blocks:
        return
    first = as_floats(x[blocks[0]])
    order = "C" if first.flags.c_contiguous else "F"
    stores = first.ravel(order="K"), np.empty(first.size, first.dtype)
    steps: dict[int, tuple[AnyArray, AnyArray, Callable[[], bool]]] = {}
    for rows in {block.stop - block.start for block in blocks}:
        shape = (rows, *x.shape[1:])
        values, result = (
            store[: math.prod(shape)].reshape(shape, order=order)  # type: ignore[call-overload]
            for store in stores
        )
        work = loop(_view(values, view_of), _view(result, view_of), 1)
        steps[rows] = values, result, work
    with np.errstate(all="ignore"):
        for block in blocks:
            values, result, work = steps[block.stop - block.start]
            values[...] = x[block]
            if work():
                raise NonFiniteError
            out[block] = result


def _view(block: AnyArray, view_of: View) -> AnyArray:
    """Return the view of a contiguous block, which there always is."""
    view = view_of(block)
    assert view is not None
    return view
