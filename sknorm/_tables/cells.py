"""The cells of a column as text or as plain numbers, whatever they are."""

from __future__ import annotations

import datetime
import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from sknorm._tables.errors import TableError, load
from sknorm._tables.missing import is_missing
from sknorm._tables.numerals import NumberFormat

if TYPE_CHECKING:
    import pandas

MIDNIGHT = datetime.time()
PLAIN_NUMBERS = NumberFormat("plain")
CONTAINERS = (list, dict, set, bytes, bytearray, np.ndarray)


# Blanks of any width, and what nobody sees, as web pages and old files leave it around text.
AROUND = "".join(filter(str.isspace, map(chr, range(0x3001))))
AROUND += "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def stripped(text: str) -> str:
    """Return text without blanks, or signs that nobody sees, at its ends."""
    return text.strip() if text.isascii() else text.strip(AROUND)


def as_text(column: pandas.Series) -> pandas.Series:
    """Return a column of stripped text, None where it is missing."""
    known = column.dropna().unique()
    # Days among text are written as days, not as midnights.
    days = any(issubclass(kind, datetime.datetime) for kind in types_in(column))
    has_times = days and any(getattr(cell, "time", datetime.time)() != MIDNIGHT for cell in known)
    distinct = {cell: _clean(cell, has_times) for cell in known}
    return column.map(distinct).astype("object").where(column.notna(), None)


def _clean(cell: Any, has_times: bool) -> str | None:
    if isinstance(cell, str):
        cell = stripped(cell)
        return None if is_missing(cell) else cell
    if cell is None or cell != cell:
        return None
    if isinstance(cell, datetime.datetime) and not has_times:
        return str(cell.date())
    # Integers become floats where others of their column are missing.
    is_whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if is_whole else str(cell)


def types_in(column: pandas.Series) -> set[type]:
    """Return the types of the cells of a column of objects; others have one, which is known."""
    cells = column.cat.categories if hasattr(column, "cat") else column
    return set(map(type, cells)) if cells.dtype == object else set()


def is_number(cell: Any) -> bool:
    """Tell whether a cell is a number, not text or a flag."""
    return isinstance(cell, Real) and not isinstance(cell, bool)


def as_float(cell: Any) -> float:
    """Return a number as a float, infinite if it is too large."""
    try:
        return float(cell)
    except OverflowError:  # of an integer
        return math.inf


def refuse_containers(column: pandas.Series) -> None:
    """Refuse a column whose cells hold several values each, or bytes.

    Raises
    ------
    TableError
        If it has such cells.
    """
    kind = container_in(column)
    if kind is not None:
        raise TableError(
            f"Column {column.name!r} has cells of {kind}, neither numbers, dates nor text: convert "
            "it, or leave it out."
        )


def container_in(column: pandas.Series) -> str | None:
    """Return a type of cells that are no single value, if there is one."""
    found = (kind.__name__ for kind in types_in(column) if issubclass(kind, CONTAINERS))
    return min(found, default=None)


def is_text(column: pandas.Series) -> bool:
    """Tell whether a column holds text, or objects of several kinds."""
    pandas = load("pandas")
    types = pandas.api.types
    is_category = isinstance(column.dtype, pandas.CategoricalDtype)
    return bool(
        is_category or types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype)
    )


def plain_values(column: pandas.Series) -> pandas.Series:
    """Return plain numbers as float64, and NaN for anything else: at the speed of pandas."""
    pandas = load("pandas")
    try:
        numbers = pandas.to_numeric(column, errors="coerce")
    except OverflowError:
        column = column.map(lambda cell: as_float(cell) if is_number(cell) else cell)
        numbers = pandas.to_numeric(column, errors="coerce")
    if numbers.dtype.kind == "c":
        raise TableError(f"Column {column.name!r} has complex numbers: split them.")
    known = numbers.notna().to_numpy()
    values = np.full(len(column), np.nan)
    # Python reads each number to the nearest float; pandas says which cells are numbers.
    cells = column.to_numpy(dtype=object)
    values[known] = cells[known].astype(float)
    # A minus sign, one behind, odd blanks, or digits of another script, are read by Python alone.
    rest = [cell if isinstance(cell, str) else "" for cell in cells[~known]]
    odd = {cell for cell in set(rest) if not cell.isascii() or cell.rstrip().endswith("-")}
    if odd:
        others = {cell: PLAIN_NUMBERS.parse(stripped(cell)) for cell in odd}
        values[~known] = np.array([others.get(cell) for cell in rest], dtype=float)
    return pandas.Series(values, index=column.index, name=column.name)
