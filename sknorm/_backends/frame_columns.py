"""The columns of a frame as they lie in memory: statistics and maps without a matrix of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dense, threads
from sknorm._backends.dense_moments import PIECE
from sknorm._backends.layout import NATIVE, AnyArray
from sknorm._backends.protocol import Kernels, NonFiniteError
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]

# Integers and the like are converted in blocks of so many, which stay in a cache.
BLOCK = 1 << 16


class FrameColumns:
    """A matrix of floats whose columns are arrays of their own, each of one or more chunks."""

    ndim = 2

    def __init__(self, chunks: list[list[AnyArray]]) -> None:
        self.chunks = chunks
        self.shape = sum(chunk.size for chunk in chunks[0]), len(chunks)
        dtype = np.result_type(*{chunk.dtype for column in chunks for chunk in column})
        self.dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)

    def matrix(self) -> AnyArray:
        """Return the columns side by side."""
        whole = np.empty(self.shape, dtype=self.dtype, order="F")
        for place, column in enumerate(self.chunks):
            for piece in _pieces(column, PIECE):
                whole[piece.rows, place] = piece.values
        return whole


class _Piece(NamedTuple):
    values: AnyArray
    rows: slice


def _pieces(column: list[AnyArray], block: int) -> Iterator[_Piece]:
    """Yield a column in pieces of at most PIECE values, of a block those to be converted."""
    row = 0
    for chunk in column:
        size = PIECE if chunk.dtype in NATIVE else block
        for first in range(0, chunk.size, size):
            values = chunk[first : first + size]
            yield _Piece(values, slice(row, row + values.size))
            row += values.size


def moments(x: FrameColumns, weight: Array | None, kernels: Kernels, n_jobs: int | None) -> Moments:
    """Return the statistics of each column, each sample with its weight.

    Those of the pieces of all columns are found side by side, and merged at once.
    """
    pieces = [list(_pieces(column, BLOCK)) for column in x.chunks]
    most = max(map(len, pieces))
    accumulators = Moments.zero(len(pieces) * most).accumulators()

    def column(place: int) -> None:
        for number, piece in enumerate(pieces[place]):
            values, own = piece.values, None if weight is None else weight[piece.rows]
            if values.dtype not in NATIVE:
                values = values.astype(np.float64)
            table = accumulators[place * most + number][None]
            if kernels.channel_moments(values.reshape(1, 1, -1), own, True, table):
                raise NonFiniteError

    n_threads = threads.n_threads(n_jobs, x.shape[0] * x.shape[1])
    threads.run(column, range(len(pieces)), n_threads)
    found = Moments.from_accumulators(accumulators)
    return found if most == 1 else found.pool(len(pieces))


def affine(
    x: FrameColumns, affine_map: Affine, kernels: Kernels, *, inverse: bool, n_jobs: int | None
) -> AnyArray:
    """Return a matrix of each column rescaled."""
    out = np.empty(x.shape, dtype=x.dtype, order="F")

    def column(place: int) -> None:
        own = affine_map.take(slice(place, place + 1))
        arguments = dense.affine_arguments(kernels, own, inverse, x.dtype)
        for piece in _pieces(x.chunks[place], BLOCK):
            values = piece.values.astype(x.dtype, copy=False).reshape(1, 1, -1)
            if kernels.affine(values, out[piece.rows, place].reshape(1, 1, -1), *arguments):
                raise NonFiniteError

    threads.run(column, range(x.shape[1]), threads.n_threads(n_jobs, out.size))
    return out


def fits(columns: list[list[AnyArray]]) -> bool:
    """Tell whether the loops take columns: real numbers, contiguous where they are native floats.

    Floats of other sizes become a matrix, which has a dtype of its own for them.
    """
    dtypes = {chunk.dtype for column in columns for chunk in column}
    if not all(dtype.kind in "biu" or dtype in NATIVE for dtype in dtypes):
        return False
    return all(
        chunk.dtype.kind in "biu" or (chunk.flags.c_contiguous and chunk.flags.aligned)
        for column in columns
        for chunk in column
    )
