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

from sknorm._scalers.frames import is_named, objects

AnyArray = NDArray[Any]
FEW_PER_ROW = 4  # entries of a table of codes, beyond which they are sorted


@dataclass(frozen=True, eq=False)
class Encoded:
    """A column: ``codes`` are places among ``values``, which may not all occur, or occur again."""

    codes: NDArray[np.intp]
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
    if is_named(column, "pandas", "Series"):
        return _of_pandas(column)
    if is_named(column, "polars", "Series"):
        return _of_polars(column)
    if is_named(column, "pyarrow", "Array") or is_named(column, "pyarrow", "ChunkedArray"):
        return _of_arrow(column)
    return None


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
    first, places = _first_of_each(codes)
    return Encoded(places, column.gather(first).to_list())


def _first_of_each(codes: AnyArray) -> tuple[AnyArray, NDArray[np.intp]]:
    """Return the rows in which codes are first, and the places of all rows' codes among these."""
    size = int(codes.max(initial=0)) + 1
    if size > FEW_PER_ROW * codes.size + 1024:
        _, rows, places = np.unique(codes, return_index=True, return_inverse=True)
        return rows, places.reshape(-1)
    first = np.full(size, -1)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    used = np.flatnonzero(first >= 0)
    place = np.zeros(size, dtype=np.intp)
    place[used] = np.arange(used.size)
    return first[used], place[codes]


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


def _with_missing(codes: Any, missing: AnyArray, values: list[Any]) -> Encoded:
    """Return an encoded column with None for what is missing."""
    places = np.where(missing, len(values), codes).astype(np.intp, copy=False)
    return Encoded(places, [*values, None])
