"""Columns of unusual types as such of usual ones: numbers, dates, durations, text."""

from __future__ import annotations

import datetime
import importlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sknorm._tables.cells import as_float, types_in
from sknorm._tables.errors import load

if TYPE_CHECKING:
    import pandas


def with_usual_types(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return a table whose columns are of the types that the rest of this package knows.

    Arrow's types become those of pandas, and periods the time they begin.
    """
    columns = {name: _usual(column) for name, column in frame.items()}
    if all(column is frame[name] for name, column in columns.items()):
        return frame
    return load("pandas").DataFrame(columns, index=frame.index)


def _usual(column: pandas.Series) -> pandas.Series:
    pandas = load("pandas")
    if isinstance(column.dtype, pandas.ArrowDtype):
        column = _out_of_arrow(column)
    types = types_in(column)
    if any(issubclass(kind, (datetime.timedelta, pandas.Period)) for kind in types):
        column = column.infer_objects()
    if any(issubclass(kind, Fraction) for kind in types):
        return column.map(lambda cell: as_float(cell) if isinstance(cell, Fraction) else cell)
    return column.dt.to_timestamp() if isinstance(column.dtype, pandas.PeriodDtype) else column


def _out_of_arrow(column: pandas.Series) -> pandas.Series:
    """Return a column that Arrow keeps as pandas has it by default."""
    values: Any = importlib.import_module("pyarrow").array(column.array)
    found: pandas.Series = values.to_pandas()
    return found.set_axis(column.index).rename(column.name)
