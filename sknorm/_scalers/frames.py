"""The columns of data frames of pandas, polars and Arrow as arrays of numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers.objects import NotNumbersError, numbers_of, show

AnyArray = NDArray[Any]
# The columns of a frame: what errors call them, and what reads them as numbers.
Columns = list[tuple[str, Callable[[], AnyArray]]]

FRAMES = {
    ("pandas", "DataFrame"),
    ("polars", "DataFrame"),
    ("pyarrow", "Table"),
    ("pyarrow", "RecordBatch"),
}


def is_frame(X: Any) -> bool:
    """Tell whether X is a data frame of a library whose columns are read here."""
    return any(_is_named(X, *name) for name in FRAMES)


def take_columns(X: Any, names: list[str]) -> Any:
    """Return a frame of the columns of these names, where X is one that has them all, else X."""
    if not is_frame(X):
        return X
    is_arrow = not _is_named(X, "pandas", "DataFrame") and hasattr(X, "schema")
    known = X.schema.names if is_arrow and not hasattr(X, "get_column") else X.columns
    if not set(names) <= set(known):
        return X
    return X[names] if _is_named(X, "pandas", "DataFrame") else X.select(names)


def columns_of(X: Any) -> Columns | None:
    """Return the columns of a frame that has others than plain numbers."""
    if _is_named(X, "pandas", "DataFrame"):
        return _pandas(X)
    if _is_named(X, "polars", "DataFrame"):
        return _polars(X)
    return _arrow(X) if is_frame(X) else None


def column_reader(values: Any) -> Callable[[Any], AnyArray] | None:
    """Return what reads a column of one of these libraries as numbers, if it is one."""
    for root, name, reader in COLUMN_READERS:
        if _is_named(values, root, name):
            return reader
    return None


def _is_named(X: Any, root: str, name: str) -> bool:
    """Tell whether X is of a class of this library and name, which is then imported already."""
    return root in sys.modules and any(
        cls.__name__ == name and cls.__module__.partition(".")[0] == root for cls in type(X).__mro__
    )


def _label(name: Any) -> str:
    return show(name).rpartition(" (")[0]


def _pandas(X: Any) -> Columns | None:
    """Return the columns of a frame that has others than NumPy's numbers."""
    dtypes = list(X.dtypes)
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biufc" for dtype in dtypes):
        return None
    is_sparse = [type(dtype).__name__ == "SparseDtype" for dtype in dtypes]
    if all(is_sparse) and all(dtype.kind in "biuf" and dtype.fill_value == 0 for dtype in dtypes):
        return None
    return [
        (_label(name), partial(_pandas_column, X.iloc[:, k])) for k, name in enumerate(X.columns)
    ]


def _pandas_column(column: Any) -> AnyArray:
    dtype = column.dtype
    if type(dtype).__name__ in ("PeriodDtype", "IntervalDtype"):
        raise NotNumbersError("dates", str(dtype))
    if isinstance(dtype, np.dtype) or type(dtype).__name__ == "SparseDtype":
        return numbers_of(np.asarray(column))
    if dtype.kind in "Mm":
        raise NotNumbersError("dates", str(dtype))
    if dtype.kind in "biuf" and hasattr(dtype, "numpy_dtype"):
        kept = dtype.kind == "f"
        target = dtype.numpy_dtype if kept else np.dtype(np.float64)
        values: AnyArray = column.to_numpy(dtype=target, na_value=np.nan)
        return values
    return numbers_of(np.asarray(column, dtype=object))


def _polars(X: Any) -> Columns | None:
    """Return the columns of a frame that has others than floats and integers."""
    if all(dtype.is_numeric() and not dtype.is_decimal() for dtype in X.dtypes):
        return None
    return [(repr(name), partial(_polars_column, X[name])) for name in X.columns]


def _polars_column(column: Any) -> AnyArray:
    dtype = column.dtype
    if dtype.is_temporal():
        raise NotNumbersError("dates", str(dtype))
    if dtype.is_numeric() and not dtype.is_decimal():
        values: AnyArray = column.to_numpy()
        return values
    return numbers_of(np.array(column.to_list(), dtype=object))


def _arrow(X: Any) -> Columns | None:
    """Return the columns of an Arrow table that has others than floats and integers."""
    types = sys.modules["pyarrow"].types
    if all(types.is_floating(kind) or types.is_integer(kind) for kind in X.schema.types):
        return None
    return [
        (repr(name), partial(_arrow_column, X.column(k))) for k, name in enumerate(X.schema.names)
    ]


def _arrow_column(column: Any) -> AnyArray:
    types = sys.modules["pyarrow"].types
    if types.is_temporal(column.type):
        raise NotNumbersError("dates", str(column.type))
    if types.is_floating(column.type) or types.is_integer(column.type):
        values: AnyArray = column.to_numpy(zero_copy_only=False)
        return values
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return numbers_of(values)


COLUMN_READERS = (
    ("pandas", "Series", _pandas_column),
    ("polars", "Series", _polars_column),
    ("pyarrow", "Array", _arrow_column),
    ("pyarrow", "ChunkedArray", _arrow_column),
)
