"""Dask's arrays: a scaler is fitted on each block of rows, and fitted scalers merge in a tree."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from sknorm._sources.learning import Reader
from sknorm._sources.source import Source, Work
from sknorm._sources.streams import located, within

# How many parts are merged at once.
FAN_IN = 16


class DaskArray(Source):
    """An array of Dask, dense or of sparse blocks, with axes after that of the features or not."""

    is_in_turn = False

    def __init__(self, X: Any) -> None:
        self.kind = "the Dask array"
        if X.ndim < 2:
            raise ValueError(
                f"Expected 2D array, got {X.ndim}D array instead: X is a Dask array of shape "
                f"{X.shape}. Reshape your data with X.reshape(-1, 1) if it has a single feature."
            )
        if X.dtype.kind not in "biuf":
            raise ValueError(
                f"X is a Dask array of dtype {X.dtype}, which is not numeric. Convert it with "
                "X.astype(float)."
            )
        # Rows are what blocks are of: each has all of the features and positions.
        whole = dict.fromkeys(range(1, X.ndim), -1)
        self._X = X if all(size == 1 for size in X.numblocks[1:]) else X.rechunk(whole)
        self.n_features = int(X.shape[1])

    def example(self) -> Any:
        """Return a row of the right shape, whatever is in it."""
        return np.zeros((1, *self._X.shape[1:]))

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        whole = merged(self._parts(reader, sample_weight), reader).compute()
        return np.asarray(whole, dtype=object).item()

    def apply(self, work: Work) -> Any:
        """Return an array of the same chunks of rows, of which nothing is computed yet."""
        row = work.of_block.example(np.ones((1, *self._X.shape[1:]), dtype=self._X.dtype))
        meta = self._X._meta
        is_sparse = not isinstance(meta, np.ndarray)
        meta = meta.astype(row.dtype) if is_sparse else np.empty((0,) * row.ndim, dtype=row.dtype)
        chunks = (self._X.chunks[0], *((size,) for size in row.shape[1:]))
        token = tokenize(self._X.name, work)
        return self._X.map_blocks(
            partial(_apply, work.of_block, row.shape[1:], row.dtype),
            dtype=row.dtype, chunks=chunks, meta=meta, name=f"sknorm-{token}",
            drop_axis=list(range(row.ndim, self._X.ndim)),
            new_axis=list(range(self._X.ndim, row.ndim)) or None,
        )  # fmt: skip

    def _parts(self, reader: Reader, sample_weight: Any) -> Any:
        """Return an array of one fitted scaler per block of rows."""
        array = importlib.import_module("dask.array")
        axes = tuple(range(self._X.ndim))
        # Not public: what ``block_id`` of map_blocks is made of, which blockwise has not.
        places = importlib.import_module("dask.layers").ArrayBlockIdDep(self._X.chunks)
        operands = [self._X, axes, places, axes]
        if sample_weight is not None:
            operands += self._weights(sample_weight)
        return array.blockwise(
            partial(_learn, reader), (0,), *operands, dtype=object, concatenate=False,
            adjust_chunks={0: 1}, align_arrays=False, meta=np.empty((0,), dtype=object),
            name=f"sknorm-fit-{tokenize(self._X.name, reader, _name_of(sample_weight))}",
        )  # fmt: skip

    def _weights(self, sample_weight: Any) -> list[Any]:
        """Return weights in the chunks of the rows, and their axis, which a number has not."""
        if np.ndim(sample_weight) == 0:
            return [float(sample_weight), None]
        is_lazy = hasattr(sample_weight, "dask")
        weights: Any = sample_weight if is_lazy else np.asarray(sample_weight)
        rows = self._X.chunks[0]
        n_rows, n_weights = float(sum(rows)), weights.shape[0]
        if weights.ndim != 1 or (n_weights != n_rows and np.isfinite([n_weights, n_rows]).all()):
            raise ValueError(
                f"sample_weight.shape == {weights.shape}, expected ({n_rows:.0f},): one weight for "
                "each row of X."
            )
        if np.isfinite([n_weights, n_rows]).all():
            if is_lazy:
                return [weights.rechunk((rows,)), (0,)]
            return [importlib.import_module("dask.array").from_array(weights, chunks=(rows,)), (0,)]
        if not is_lazy:
            raise ValueError(
                "The sizes of X's chunks are not known, so weights cannot be split like it. Call "
                "X.compute_chunk_sizes() first, or give weights as a Dask array."
            )
        if weights.numblocks[0] != self._X.numblocks[0]:
            raise ValueError(
                f"X has {self._X.numblocks[0]} chunks of rows and sample_weight has "
                f"{weights.numblocks[0]}, of unknown sizes. Call compute_chunk_sizes() on both "
                "first."
            )
        return [weights, (0,)]


def merged(parts: Any, reader: Reader) -> Any:
    """Return the scaler that has seen what an array of fitted scalers has, as a Dask array."""
    array = importlib.import_module("dask.array")
    join = partial(_merge, reader)
    return array.reduction(
        parts, chunk=_as_it_is, combine=join, aggregate=join, axis=0, dtype=object,
        concatenate=False, split_every=FAN_IN, meta=np.empty((), dtype=object),
        name=f"sknorm-merge-{tokenize(parts.name)}",
    )  # fmt: skip


def tokenize(*values: Any) -> str:
    """Return the same text for the same values, in any process."""
    token: str = importlib.import_module("dask.base").tokenize(*values)
    return token


def _name_of(values: Any) -> Any:
    return getattr(values, "name", values)


def _learn(reader: Reader, block: Any, place: Any, weights: Any = None) -> Any:
    while isinstance(block, list):  # of the one block along each of the other axes
        (block,) = block
    part = np.empty(1, dtype=object)
    where = within(f"block {place[0]}")
    part[0] = located(lambda block: reader.part(block, weights), block, where)
    return part


def _as_it_is(parts: Any, axis: Any, keepdims: Any) -> Any:
    return parts


def _merge(reader: Reader, parts: Any, axis: Any, keepdims: Any) -> Any:
    flat = [part.item() for part in _flatten(parts)]
    whole = np.empty((1,) if keepdims else (), dtype=object)
    whole[...] = reader.merge(flat)
    return whole


def _flatten(parts: Any) -> Iterable[Any]:
    if isinstance(parts, list):
        for part in parts:
            yield from _flatten(part)
    else:
        yield parts


def _apply(
    of_block: Any, shape: tuple[int, ...], dtype: Any, block: Any, block_id: Any = None
) -> Any:
    if not block.shape[0]:
        return np.empty((0, *shape), dtype=dtype)
    return located(of_block, block, within(f"block {block_id[0]}"))
