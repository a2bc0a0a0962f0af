"""The columns of a frame as they lie in memory: statistics and maps without a matrix of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dense, threads
from sknorm._backends.dense_moments import PIECE
from sknorm._backends.layout import NATIVE, AnyArray
from sknorm._backends.protocol import MISSING, NON_FINITE, Kernels, NonFiniteError
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]
Empty = Callable[..., AnyArray]  # returns new memory as ``numpy.empty`` does

# Integers and the like are converted in blocks of so many, which stay in a cache.
BLOCK = 1 << 17
# Columns of integers in Fortran order are converted one by one where they are as long as this,
# which is twice as fast as by blocks of a few rows of each.
LONG = 1 << 14
# Rows that are put together at a time, which stay in a cache.
ROWS = 1 << 12


class FrameColumns:
    """A matrix of floats whose columns are arrays of their own, each of one or more chunks.

    ``empty`` is where results get their memory. ``missing`` tells, after a map, which columns of
    the result have NaN; it is None where that is not known.
    """

    ndim = 2

    def __init__(self, chunks: list[list[AnyArray]], empty: Empty = np.empty) -> None:
        self.chunks = chunks
        self.empty = empty
        self.missing: NDArray[np.bool_] | None = None
        self.shape = sum(chunk.size for chunk in chunks[0]), len(chunks)
        dtype = np.result_type(*{chunk.dtype for column in chunks for chunk in column})
        self.dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)

    def matrix(self) -> AnyArray:
        """Return the columns side by side."""
        whole = np.empty(self.shape, dtype=self.dtype, order="F")
        for place, column in enumerate(self.chunks):
            for values, rows in _rows(column):
                whole[rows, place] = values
        return whole

    def rows(self, columns: slice) -> AnyArray:
        """Return some columns side by side, each row in one piece."""
        chosen = [c[0] if len(c) == 1 else np.concatenate(c) for c in self.chunks[columns]]
        whole = np.empty((self.shape[0], len(chosen)), dtype=self.dtype)
        for first in range(0, len(whole), ROWS):
            some = slice(first, first + ROWS)
            for place, values in enumerate(chosen):
                whole[some, place] = values[some]
        return whole


def apart(x: Any) -> Any:
    """Return the columns of a matrix where they are better worked on one by one, else x itself."""
    is_matrix = isinstance(x, np.ndarray) and x.ndim == 2 and x.shape[1] > 1
    if is_matrix and x.dtype.kind in "biu" and x.flags.f_contiguous and len(x) >= LONG:
        return FrameColumns([[x[:, place]] for place in range(x.shape[1])])
    return x


def _pieces(column: list[AnyArray], block: int) -> list[AnyArray]:
    """Return a column in pieces of at most PIECE values, of a block those to be converted."""
    pieces = []
    for chunk in column:
        size = PIECE if chunk.dtype in NATIVE else block
        if chunk.size <= size:
            pieces.append(chunk)
        else:
            pieces += [chunk[first : first + size] for first in range(0, chunk.size, size)]
    return pieces


def _integers(piece: AnyArray) -> AnyArray:
    """Return integers, or true and false, as the loops read them."""
    kind = np.dtype(np.uint8) if piece.dtype == bool else piece.dtype.newbyteorder("=")
    return np.require(piece, kind, ["C", "A"])


def _runs(column: list[AnyArray]) -> Iterator[tuple[list[AnyArray], slice]]:
    """Yield neighbors of one type with their rows: all of them, or a block of those to convert."""
    row = 0
    for dtype, run in groupby(column, key=attrgetter("dtype")):
        chunks = list(run)
        parts = [chunks] if dtype in NATIVE else ([piece] for piece in _pieces(chunks, BLOCK))
        for part in parts:
            size = sum(piece.size for piece in part)
            yield part, slice(row, row + size)
            row += size


def _rows(pieces: list[AnyArray]) -> Iterator[tuple[AnyArray, slice]]:
    """Yield each piece of a column with its rows."""
    row = 0
    for piece in pieces:
        yield piece, slice(row, row + piece.size)
        row += piece.size


def moments(x: FrameColumns, weight: Array | None, kernels: Kernels, n_jobs: int | None) -> Moments:
    """Return the statistics of each column, each sample with its weight."""
    table = Moments.zero(len(x.chunks)).accumulators()

    def column(place: int) -> None:
        accumulator = table[place : place + 1]
        for pieces, rows in _runs(x.chunks[place]):
            own = None if weight is None else weight[rows]
            if pieces[0].dtype in NATIVE:
                infinite = kernels.column_moments(pieces, pieces[0], own, accumulator)
            else:
                infinite = kernels.integer_moments(_integers(pieces[0]), own, accumulator)
            if infinite:
                raise NonFiniteError

    threads.run(column, range(len(x.chunks)), threads.n_threads(n_jobs, x.shape[0] * x.shape[1]))
    return Moments.from_accumulators(table)


def affine(
    x: FrameColumns, affine_map: Affine, kernels: Kernels, *, inverse: bool, n_jobs: int | None
) -> AnyArray:
    """Return a matrix of each column rescaled.

    The last columns come first: after a fit they are in the caches still.
    """
    out = x.empty(x.shape, dtype=x.dtype, order="F")
    missing = np.zeros(x.shape[1], dtype=bool)
    arguments = dense.affine_arguments(kernels, affine_map, inverse, x.dtype)

    def some_columns(columns: slice) -> None:
        for place in reversed(range(columns.start, columns.stop)):
            column(place)

    def column(place: int) -> None:
        own = tuple(_of_column(argument, place) for argument in arguments)
        for piece, rows in _rows(_pieces(x.chunks[place], BLOCK)):
            values = piece.astype(x.dtype, copy=False)[None, None]
            found = kernels.affine(values, out[rows, place][None, None], *own)
            if found == NON_FINITE:
                raise NonFiniteError
            missing[place] |= found == MISSING

    n_threads = threads.n_threads(n_jobs, out.size)
    # Threads that are in the same page of new memory wait for each other.
    threads.run(some_columns, threads.slices(x.shape[1], 4 * n_threads)[::-1], n_threads)
    x.missing = missing if _makes_no_nan(affine_map) else None
    return out


def _makes_no_nan(affine_map: Affine) -> bool:
    """Tell whether no number becomes NaN, as infinity may do that a gamma of 0 comes after."""
    scale = affine_map.scale
    is_plain = bool(np.isfinite(affine_map.shift).all() and np.isfinite(scale).all())
    return is_plain and affine_map.gamma is None and bool(scale.all())


def _of_column(argument: Any, place: int) -> Any:
    """Return what an argument has for a column, which must be in one piece."""
    if not isinstance(argument, np.ndarray):
        return argument
    return argument[..., place : place + 1].copy()


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
