"""Arrays in files, of h5py and zarr, of which rows are read by slices: learned from in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sknorm._compat import root_of
from sknorm._sources.learning import Reader
from sknorm._sources.source import Source
from sknorm._sources.streams import learn_in_turn

BLOCK_BYTES = 8 << 20


class StoredArray(Source):
    """An array in a file. What is made of its rows is made of all of them, in memory."""

    is_stored = True

    def __init__(self, X: Any) -> None:
        self.kind = f"the {root_of(X)} {type(X).__name__}"
        self._X = X
        if X.shape is None or len(X.shape) < 2:
            shape = () if X.shape is None else X.shape
            raise ValueError(
                f"Expected 2D array, got {len(shape)}D array instead: X is {self.kind} of shape "
                f"{shape}. Pass X[:].reshape(-1, 1) if it has a single feature."
            )
        self.n_features = int(X.shape[1])

    def example(self) -> Any:
        """Return a row of the right shape, whatever is in it."""
        return np.zeros((1, *self._X.shape[1:]))

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        weights = None if sample_weight is None else self._weights(sample_weight)
        return learn_in_turn(reader, self._blocks(), weights=weights)

    def read(self) -> Any:
        """Return all of the array, in memory."""
        return self._X[...]

    def _blocks(self) -> Iterator[Any]:
        """Yield rows in order, whole chunks of the file at a time where these are no larger."""
        n_rows, *sample = self._X.shape
        size = max(1, BLOCK_BYTES // max(1, int(np.prod(sample)) * self._X.dtype.itemsize))
        chunk = self._X.chunks[0] if self._X.chunks else 1
        size = max(size // chunk * chunk, min(size, chunk))
        for first in range(0, n_rows, size):
            yield self._X[first : first + size]

    def _weights(self, sample_weight: Any) -> Any:
        n_rows = self._X.shape[0]
        weights = np.asarray(sample_weight)
        if weights.ndim == 0:
            return np.broadcast_to(weights, n_rows)
        if weights.shape != (n_rows,):
            raise ValueError(
                f"sample_weight.shape == {weights.shape}, expected ({n_rows},): one weight for "
                "each row of X."
            )
        return weights
