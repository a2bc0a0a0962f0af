"""Quantile sketches, one per channel, as an immutable value that merges.

They are KLL sketches (Karnin, Lang and Liberty 2016) of Apache DataSketches: of any number of
values they keep some thousand, which tell ranks to within ``rank_error()`` of that number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIZE = 800  # the parameter k of KLL
LENGTH = 4  # bytes that hold the length of a sketch


def _library() -> Any:
    try:
        import datasketches
    except ImportError as error:
        raise ImportError(
            "partial_fit and merge of SquashingScaler keep quantile sketches, for which they need "
            "the package datasketches: pip install 'sknorm[sketch]'. fit does without."
        ) from error
    return datasketches


def rank_error() -> float:
    """Return how far a rank may be off, in parts of all values, with a confidence of 99%."""
    sketch = _library().kll_doubles_sketch(SIZE)
    return float(sketch.normalized_rank_error(False))


@dataclass(frozen=True, eq=False)
class Sketches:
    """Sketches of the values of each channel.

    They are packed into the columns of ``packed``: the length of a sketch, and its bytes.
    """

    packed: NDArray[np.uint8]

    @classmethod
    def of(cls, channels: Iterable[Array]) -> Sketches:
        """Return the sketches of the finite values of each channel."""
        sketches = []
        for values in channels:
            sketch = _library().kll_doubles_sketch(SIZE)
            sketch.update(np.ascontiguousarray(values))
            sketches.append(sketch)
        return cls._pack(sketches)

    @classmethod
    def _pack(cls, sketches: list[Any]) -> Sketches:
        parts = [np.frombuffer(sketch.serialize(), dtype=np.uint8) for sketch in sketches]
        longest = max(part.size for part in parts)
        packed = np.zeros((LENGTH + longest, len(parts)), dtype=np.uint8)
        for channel, part in enumerate(parts):
            length = np.array([part.size], dtype="<u4").view(np.uint8)
            packed[:LENGTH, channel] = length
            packed[LENGTH : LENGTH + part.size, channel] = part
        return cls(packed)

    def _unpack(self) -> list[Any]:
        kind = _library().kll_doubles_sketch
        found = []
        for channel in range(self.packed.shape[1]):
            column = np.ascontiguousarray(self.packed[:, channel])
            length = int(column[:LENGTH].view("<u4")[0])
            found.append(kind.deserialize(column[LENGTH : LENGTH + length].tobytes()))
        return found

    def merge(self, other: Sketches) -> Sketches:
        """Return the sketches of the union."""
        merged = self._unpack()
        for sketch, more in zip(merged, other._unpack(), strict=True):
            sketch.merge(more)
        return self._pack(merged)

    def merge_into(self, other: Sketches, places: NDArray[np.intp], size: int) -> Sketches:
        """Return sketches of ``size`` channels: these, and those of the other at its places."""
        merged = self._unpack()
        merged += [_library().kll_doubles_sketch(SIZE) for _ in range(size - len(merged))]
        for place, more in zip(places, other._unpack(), strict=True):
            merged[place].merge(more)
        return self._pack(merged)

    def summary(self, levels: list[float]) -> tuple[NDArray[np.int64], Array, Array]:
        """Return the counts, the quantiles (one row per level), and the least and largest value."""
        sketches = self._unpack()
        count = np.array([sketch.n for sketch in sketches], dtype=np.int64)
        values = np.full((len(levels), len(sketches)), np.nan)
        extent = np.full((2, len(sketches)), np.nan)
        for channel, sketch in enumerate(sketches):
            if count[channel]:
                values[:, channel] = sketch.get_quantiles(levels, True)
                extent[:, channel] = sketch.get_min_value(), sketch.get_max_value()
        return count, values, extent
