"""The arrays of a state in one table, which takes less room in a pickle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The learned arrays with one value for each channel, and tables of a few rows of those. Pickles
# tell them by their place: new ones come last.
ARRAYS = ("mean_", "var_", "mean_square_", "scale_", "_moments", "_training")
# What need not be kept where the others tell it.
DERIVED = "scale_"
# Where a pickle has the number of rows of each array, the rows of one value by their place, and the
# table of the others.
TABLE = "_table"


def pack(learned: dict[str, Any], derive: Callable[[], Array]) -> dict[str, Any]:
    """Return a state with its arrays in one table.

    ``derive`` returns the scale that the other arrays tell; it is left out if it has the same bits.
    """
    arrays = {name: learned[name] for name in ARRAYS if _is_table(learned.get(name))}
    if len({array.shape[-1] for array in arrays.values()}) != 1:
        return learned
    rest = {name: value for name, value in learned.items() if name not in arrays}
    if DERIVED in arrays and _is_told(arrays[DERIVED], derive):
        del arrays[DERIVED]
    n_rows = [len(np.atleast_2d(arrays[name])) if name in arrays else 0 for name in ARRAYS]
    table = np.vstack([arrays[name] for name in ARRAYS if name in arrays])
    return {**rest, TABLE: (n_rows, *_without_rows_of_one_value(table))}


def unpack(packed: dict[str, Any]) -> dict[str, Any]:
    """Return the state that was packed, without a scale that has to be derived."""
    learned = dict(packed)
    if TABLE not in learned:
        return learned
    n_rows, of_one_value, table = learned.pop(TABLE)
    for row, value in sorted(of_one_value.items()):
        table = np.insert(table, row, value, axis=0)
    ends = np.cumsum(n_rows)
    for name, length, end in zip(ARRAYS, n_rows, ends, strict=False):
        if length:
            learned[name] = np.array(table[end - 1] if length == 1 else table[end - length : end])
    return learned


def _without_rows_of_one_value(table: Array) -> tuple[dict[int, float], Array]:
    if table.shape[1] < 3:
        return {}, table
    bits = table.view(np.int64)
    is_one = (bits == bits[:, :1]).all(axis=1)
    return {int(row): float(table[row, 0]) for row in np.flatnonzero(is_one)}, table[~is_one]


def _is_table(value: Any) -> bool:
    is_plain = type(value) is np.ndarray and value.dtype == np.float64
    return is_plain and (value.ndim == 1 or (value.ndim == 2 and len(value) > 1))


def _is_told(scale: Array, derive: Callable[[], Array]) -> bool:
    try:
        with np.errstate(all="ignore"):
            found = derive()
    except ValueError:  # attributes set by hand may tell nothing
        return False
    return found.tobytes() == scale.tobytes()
