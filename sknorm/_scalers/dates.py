"""Dates and durations as keys: one value for each, whatever library it comes from."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers.frames import objects

# Microseconds that nanoseconds reach too: the years 1684 to 2255.
NANOSECONDS_UP_TO = 1 << 53
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
    UTC, so that equal ones have equal hashes.
    """
    moment = _moment(value)
    if np.isnat(moment):
        return None
    name = "datetime64" if isinstance(moment, np.datetime64) else "timedelta64"
    micro: Moment = moment.astype(f"{name}[us]")
    is_near = abs(int(micro.astype(np.int64))) < NANOSECONDS_UP_TO
    near: Moment = moment.astype(f"{name}[ns]") if is_near else micro
    return near


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
