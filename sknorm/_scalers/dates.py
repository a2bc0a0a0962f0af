"""Dates and durations as keys: one value for each, whatever library it comes from."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers.frames import objects

# Nanoseconds of dates near enough for them: the years 1684 to 2255.
NEAR = 1000 << 53
# Attoseconds in each of NumPy's units, of years and months on average.
LENGTHS = {"Y": 31556952 * 10**18, "M": 2629746 * 10**18, "W": 604800 * 10**18}
LENGTHS |= {"D": 86400 * 10**18, "h": 3600 * 10**18, "m": 60 * 10**18, "generic": 1}
LENGTHS |= {
    unit: 10 ** (18 - 3 * k) for k, unit in enumerate(("s", "ms", "us", "ns", "ps", "fs", "as"))
}
# The dates and durations that all data frames take.
UNITS = ("D", "ms", "us", "ns")
Moment = np.datetime64 | np.timedelta64


def is_date(value: Any) -> bool:
    """Tell whether a value that is not missing is a date or a duration."""
    kinds = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64)
    return isinstance(value, kinds)


def date_key(value: Any) -> Moment | None:
    """Return a date or a duration as NumPy has it; None if it is NaT.

    It is in nanoseconds, or in microseconds if it is far from today, and one with a time zone in
    UTC, so that equal ones have equal hashes. What neither holds stays as it is.
    """
    moment = _moment(value)
    if np.isnat(moment):
        return None
    nano = _in_unit(moment, "ns")
    if nano is not None and abs(int(nano.astype(np.int64))) < NEAR:
        return nano
    micro = _in_unit(moment, "us")
    return moment if micro is None else micro


def _in_unit(moment: Moment, unit: str) -> Moment | None:
    """Return a moment in a unit, or None if that does not hold it."""
    try:
        found: Moment = moment.astype(f"{moment.dtype.kind}8[{unit}]")
        return found if found.astype(moment.dtype) == moment else None
    except OverflowError:  # NumPy before 2.5 gives another date
        return None


def date_order(moment: Moment) -> int:
    """Return what keys are sorted by: NumPy cannot compare dates of two units far apart."""
    unit, step = np.datetime_data(moment.dtype)
    return int(moment.astype(np.int64)) * step * LENGTHS[unit]


def _moment(value: Any) -> Moment:
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return value
    if getattr(value, "tzinfo", None) is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    for name in ("to_datetime64", "to_timedelta64"):  # of pandas, which has nanoseconds
        if hasattr(value, name):
            moment: Moment = getattr(value, name)()
            return moment
    if isinstance(value, datetime.timedelta):
        return np.timedelta64(value)
    return np.datetime64(value)


def as_objects(keys: NDArray[Any]) -> NDArray[Any]:
    """Return keys for an array of objects, where dates stay dates: NumPy makes numbers of some."""
    return objects(list(keys)) if keys.dtype.kind in "Mm" else keys


def as_frame_column(keys: NDArray[Any]) -> NDArray[Any]:
    """Return keys as an array that any data frame takes for a column, dates in a unit it knows."""
    kind = keys.dtype.kind
    if kind not in "Mm":
        return keys
    unit = np.datetime_data(keys.dtype)[0]
    is_known = unit in UNITS and (kind == "M" or unit != "D")
    return keys if is_known else keys.astype(f"{kind}8[us]")
