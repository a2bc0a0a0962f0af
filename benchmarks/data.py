"""The data that the cases run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

# With --small the longest axis is this many times shorter.
SMALLER = 500
PIECE = 1 << 20


@dataclass(frozen=True)
class Dense:
    """Normal values around 3, with standard deviation 2, some of them missing."""

    shape: tuple[int, ...]
    dtype: str = "float64"
    order: str = "C"
    missing: float = 0.0
    fixed: bool = False

    def make(self, *, small: bool) -> np.ndarray:
        shape = self.shape if self.fixed or not small else shorter(self.shape)
        X = np.empty(shape, self.dtype, order=self.order)
        rng = np.random.default_rng(0)
        values = X.ravel(order="K")
        # Piece by piece, so that hardly more than the data is ever in memory.
        for first in range(0, values.size, PIECE):
            part = values[first : first + PIECE]
            part[...] = rng.standard_normal(part.size, self.dtype) * 2 + 3
            if self.missing:
                part[rng.random(part.size) < self.missing] = np.nan
        return X


@dataclass(frozen=True)
class Sparse:
    """Values in (0, 1] at a given share of random places."""

    shape: tuple[int, int]
    density: float
    format: str

    def make(self, *, small: bool) -> Any:
        n_rows, n_columns = shorter(self.shape) if small else self.shape
        rng = np.random.default_rng(0)
        size = n_rows * n_columns
        places = np.unique(rng.integers(0, size, int(size * self.density)))
        ends = np.searchsorted(places, np.arange(n_rows + 1) * n_columns).astype(np.int32)
        columns = (places % n_columns).astype(np.int32)
        values = 1 - rng.random(places.size)
        X = sparse.csr_array((values, columns, ends), shape=(n_rows, n_columns))
        return X.asformat(self.format)


def shorter(shape: tuple[int, ...]) -> tuple[int, ...]:
    longest = shape.index(max(shape))
    return (*shape[:longest], shape[longest] // SMALLER, *shape[longest + 1 :])


def available_bytes() -> int:
    """Return how much memory is free, or a large number where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            sizes = dict(line.split(":") for line in lines)
        return int(sizes["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return 1 << 62
