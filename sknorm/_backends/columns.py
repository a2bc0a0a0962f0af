"""The columns of a frame as they lie in memory: statistics and maps without a matrix of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dense, dense_moments, threads
from sknorm._backends.dense_moments import PIECE
from sknorm._backends.layout import NATIVE, AnyArray, sample_blocks
from sknorm._backends.protocol import Kernels, NonFiniteError
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]


# Integers and the like are converted in blocks of so many, which stay in a cache.
BLOCK = 1 << 16


class Columns:
    """A matrix of floats whose columns are arrays of their own, of one length."""

    ndim = 2

    def __init__(self, arrays: list[AnyArray]) -> None:
        self.arrays = arrays
        self.shape = arrays[0].size, len(arrays)
        dtype = np.result_type(*{array.dtype for array in arrays})
        self.dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)

    def matrix(self) -> AnyArray:
        """Return the columns side by side."""
        whole = np.empty(self.shape, dtype=self.dtype, order="F")
        for place, array in enumerate(self.arrays):
            whole[:, place] = array
        return whole


def moments(x: Columns, weight: Array | None, kernels: Kernels, n_jobs: int | None) -> Moments:
    """Return the statistics of each column, each sample with its weight."""

    def of_column(array: AnyArray) -> Array:
        if array.size > PIECE:
            return dense_moments.moments(array[:, None], weight, kernels, 1).table
        step = array.size if array.dtype in NATIVE else BLOCK
        parts = [slice(first, first + step) for first in range(0, array.size, step)]
        accumulators = Moments.zero(len(parts)).accumulators()
        for place, part in enumerate(parts):
            values = array[part] if array.dtype in NATIVE else array[part].astype(np.float64)
            own = None if weight is None else weight[part]
            view, table = values.reshape(1, 1, -1), accumulators[place : place + 1]
            if kernels.channel_moments(view, own, True, table):
                raise NonFiniteError
        found = Moments.from_accumulators(accumulators)
        return found.table if len(parts) == 1 else found.pool(1).table

    n_threads = threads.n_threads(n_jobs, x.shape[0] * x.shape[1])
    return Moments(np.concatenate(threads.run(of_column, x.arrays, n_threads), axis=1))


def affine(
    x: Columns, affine_map: Affine, kernels: Kernels, *, inverse: bool, n_jobs: int | None
) -> AnyArray:
    """Return a matrix of each column rescaled."""
    out = np.empty(x.shape, dtype=x.dtype, order="F")

    def column(place: int) -> None:
        own = affine_map.take(slice(place, place + 1))
        arguments = dense.affine_arguments(kernels, own, inverse, x.dtype)
        array, result = x.arrays[place], out[:, place]
        rows = [slice(None)] if array.dtype == x.dtype else sample_blocks(array[:, None])
        for part in rows:
            values = array[part].astype(x.dtype, copy=False)
            if kernels.affine(values.reshape(1, 1, -1), result[part].reshape(1, 1, -1), *arguments):
                raise NonFiniteError

    places = range(len(x.arrays))
    threads.run(column, places, threads.n_threads(n_jobs, out.size))
    return out


def fits(arrays: list[AnyArray]) -> bool:
    """Tell whether columns lie in memory as the loops take them, at least those of floats."""
    return all(
        array.dtype not in NATIVE or (array.flags.c_contiguous and array.flags.aligned)
        for array in arrays
    )
