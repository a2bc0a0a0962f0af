"""Columns of text and of objects as the places of their values among those that differ.

The libraries of data frames find those faster than Python does: ten times for text.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dispatch
from sknorm._scalers.frames import objects, of_library

AnyArray = NDArray[Any]
Codes = NDArray[np.intp]
DENSE = 4  # numbers are looked up in a table where it has at most so many entries per row


@dataclass(frozen=True, eq=False)
class Encoded:
    """A column: ``codes`` are places among ``values``, which may not all occur, or occur again."""

    codes: Codes
    values: list[Any]

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def array(self) -> AnyArray:
        """The column as an array of objects."""
        array: AnyArray = objects(self.values)[self.codes]
        return array


def encode(column: Any) -> Encoded | None:
    """Return a column of text, categories or objects encoded, if its library does that."""
    encoder = of_library(column, ENCODERS)
    return None if encoder is None else encoder(column)


def encode_objects(column: AnyArray) -> Encoded | None:
    """Return an array of objects or text encoded, by pandas where that is imported already."""
    return _factorized(column.astype(object, copy=False)) if "pandas" in sys.modules else None


def _of_pandas(column: Any) -> Encoded | None:
    if isinstance(column.dtype, np.dtype) and column.dtype != object:
        return None
    return None if column.dtype.kind in "Mm" else _factorized(column)


def _factorized(column: Any) -> Encoded | None:
    try:
        codes, values = sys.modules["pandas"].factorize(column)
    except TypeError:  # values that cannot be keys, of which more is said elsewhere
        return None
    return _with_missing(codes, codes < 0, list(values))


def _of_polars(column: Any) -> Encoded | None:
    polars = sys.modules["polars"]
    if column.dtype not in (polars.String, polars.Categorical, polars.Enum):
        return None
    categories = column.cast(polars.Categorical) if column.dtype == polars.String else column
    # 0 is what is missing. Others are numbers among all categories that the process knows.
    codes = categories.to_physical().cast(polars.Int64).fill_null(-1).to_numpy() + 1
    places, used = renumber(codes, int(codes.max(initial=0)) + 1)
    first = np.empty(used.size, dtype=np.intp)
    first[places[::-1]] = np.arange(places.size)[::-1]  # the last one that is written stays
    return Encoded(places, column.gather(first).to_list())


def _of_arrow(column: Any) -> Encoded | None:
    types = sys.modules["pyarrow"].types
    is_text = types.is_string(column.type) or types.is_large_string(column.type)
    if not is_text and not types.is_dictionary(column.type):
        return None
    encoded = column if types.is_dictionary(column.type) else column.dictionary_encode()
    if hasattr(encoded, "combine_chunks"):
        encoded = encoded.combine_chunks()
    missing = np.asarray(encoded.indices.is_null())
    codes = encoded.indices.fill_null(0).to_numpy()
    return _with_missing(codes, missing, encoded.dictionary.to_pylist())


def renumber(numbers: Codes, size: int) -> tuple[Codes, Codes]:
    """Return numbers below ``size`` without gaps, in their order, and those that there are."""
    if size > DENSE * numbers.size + 1024:
        used, codes = np.unique(numbers, return_inverse=True)
        return codes.reshape(-1), used
    counts = dispatch.counts(numbers, size)
    return without_gaps(numbers, counts), np.flatnonzero(counts)


def without_gaps(numbers: Codes, counts: Codes) -> Codes:
    """Return numbers, which come so often, as places among those that there are."""
    there = counts > 0
    if there.all():
        return numbers
    codes: Codes = (np.cumsum(there) - 1)[numbers]
    return codes


def _with_missing(codes: Any, missing: AnyArray, values: list[Any]) -> Encoded:
    """Return an encoded column with None for what is missing."""
    places = np.where(missing, len(values), codes).astype(np.intp, copy=False)
    return Encoded(places, [*values, None])


ENCODERS = (
    ("pandas", "Series", _of_pandas),
    ("polars", "Series", _of_polars),
    ("pyarrow", "Array", _of_arrow),
    ("pyarrow", "ChunkedArray", _of_arrow),
)
