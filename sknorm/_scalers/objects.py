"""Arrays of objects, text and dates as numbers, or what they are if they are none."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]

DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
DATE_NAMES = {"NaTType", "Period", "Interval"}


class NotNumbersError(Exception):
    """Values are no numbers: of what kind they are, what was found, and in which row."""

    def __init__(self, kind: str, found: str, row: int | None = None) -> None:
        super().__init__(found)
        self.kind, self.found, self.row = kind, found, row


def numbers_of(values: AnyArray) -> AnyArray:
    """Return an array of any dtype as one of numbers, missing values as NaN."""
    kind = values.dtype.kind
    if kind in "biuf":
        return values
    if kind == "c":
        raise NotNumbersError("complex", str(values.dtype))
    if kind in "Mm":
        raise NotNumbersError("dates", str(values.dtype))
    if kind == "V":
        raise NotNumbersError("objects", f"records of dtype {values.dtype}")
    if kind == "O":
        values = _without_missing(values)
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise _first_bad(values) from None


def _without_missing(values: AnyArray) -> AnyArray:
    """Return objects with NaN for pandas.NA; dates have a float, but are no numbers."""
    types = {type(value) for value in values.flat}
    if any(issubclass(cls, DATES) or cls.__name__ in DATE_NAMES for cls in types):
        raise _first_bad(values)
    if any(cls.__name__ == "NAType" for cls in types):
        missing = np.array([type(value).__name__ == "NAType" for value in values.flat], dtype=bool)
        values = values.copy()
        values[missing.reshape(values.shape)] = np.nan
    return values


def _first_bad(values: AnyArray) -> NotNumbersError:
    """Return an error about the first value that is no number."""
    for position, value in enumerate(values.flat):
        row = position // max(1, values[0].size if values.ndim > 1 else 1)
        if isinstance(value, DATES) or type(value).__name__ in DATE_NAMES:
            return NotNumbersError("dates", show(value), row)
        try:
            if value is not None:
                float(value)
        except Exception as error:
            if isinstance(value, (str, bytes)):
                return NotNumbersError("text", show(value), row)
            return NotNumbersError("objects", f"{show(value)}: {error}", row)
    return NotNumbersError("objects", f"values of dtype {values.dtype}")


def show(value: Any) -> str:
    """Return the beginning of a value's text and its type; no ``repr`` that raises stops it."""
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return f"{text[:60]} ({type(value).__name__})"
