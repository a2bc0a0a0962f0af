"""What stands for numbers in containers of anything: objects, text, masks, columns of data frames.

scikit-learn's checks convert most of it, but not alike for all containers, and without the name of
the column where they cannot. Here each container is read column by column where that is needed;
missing values become NaN, and float32 stays float32. Arrays of numbers pass as they are.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

AnyArray = NDArray[Any]
# The columns of a frame: what errors call them, and what reads them as numbers.
Columns = list[tuple[str, Callable[[], AnyArray]]]

# Containers that hold no values yet, or hold them elsewhere, by the library and name of a class.
NOT_YET_READ = {
    ("polars", "LazyFrame"): "X.collect()",
    ("pyarrow", "Dataset"): "X.to_table()",
    ("pyarrow", "Scanner"): "X.to_table()",
    ("pyarrow", "RecordBatchReader"): "X.read_all()",
    ("pyspark", "DataFrame"): "X.toPandas()",
    ("dask", "DataFrame"): "X.compute()",
    ("dask_expr", "DataFrame"): "X.compute()",
    ("dask", "Array"): "X.compute()",
    ("ibis", "Table"): "X.to_pandas()",
    ("duckdb", "DuckDBPyRelation"): "X.df()",
    ("_duckdb", "DuckDBPyRelation"): "X.df()",
    ("ray", "Dataset"): "X.to_pandas()",
    ("datasets", "Dataset"): "X.to_pandas()",
    ("xarray", "Dataset"): "X.to_dataframe()",
    ("tensorflow", "Dataset"): "np.array(list(X.as_numpy_iterator()))",
    ("torch", "Dataset"): "an array of its samples",
    ("torch", "DataLoader"): "an array of its samples",
    ("builtins", "dict"): "pandas.DataFrame(X)",
    ("builtins", "set"): "a list of its rows",
    ("builtins", "frozenset"): "a list of its rows",
}
FRAMES = {
    ("pandas", "DataFrame"),
    ("polars", "DataFrame"),
    ("pyarrow", "Table"),
    ("pyarrow", "RecordBatch"),
}
DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
DATE_NAMES = {"NaTType", "Period", "Interval"}
WAYS_OUT = {
    "text": "Encode text first, for example with OneHotEncoder in a ColumnTransformer.",
    "dates": "Turn dates and durations into numbers first, for example into days since a date.",
    "objects": "Convert its features to numbers first.",
}


class NotNumbersError(Exception):
    """Values are no numbers: of what kind they are, what was found, and in which row."""

    def __init__(self, kind: str, found: str, row: int | None = None) -> None:
        super().__init__(found)
        self.kind, self.found, self.row = kind, found, row


def as_numbers(X: Any, name: str = "X") -> Any:
    """Return X, or, where it is made of anything but numbers, the array that it stands for.

    Raises
    ------
    TypeError
        If X is a container whose values have to be read first, with how to do that; or if a value
        is an object that is no number.
    ValueError
        If a value is text that is no number, or a date or a duration.
    """
    if type(X) is np.ndarray and X.dtype.kind in "biuf":
        return X
    if sparse.issparse(X):
        return X
    _refuse_unread(X, name)
    if isinstance(X, np.ma.MaskedArray):
        return _unmasked(X, name)
    if isinstance(X, (list, tuple)):
        X = _array_of_rows(X)
    if isinstance(X, np.ndarray):
        return _array(X, name)
    columns = _columns_of(X)
    return X if columns is None else _stack(columns)


def is_frame(X: Any) -> bool:
    """Tell whether X is a data frame of a library whose columns are read here."""
    return any(_is_named(X, *name) for name in FRAMES)


def _columns_of(X: Any) -> Columns | None:
    """Return the columns of a frame that has others than plain numbers."""
    if _is_named(X, "pandas", "DataFrame"):
        return _pandas(X)
    if _is_named(X, "polars", "DataFrame"):
        return _polars(X)
    return _arrow(X) if is_frame(X) else None


def as_weights(values: Any, name: str) -> Any:
    """Return weights in a container of any library as an array of numbers, if they are."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        row = int(np.flatnonzero(np.ma.getmaskarray(values))[0])
        raise ValueError(f"{name} is masked in row {row}. Give each row a weight; 0 leaves it out.")
    for root, column_of in (("pandas", _pandas_column), ("polars", _polars_column)):
        if _is_named(values, root, "Series"):
            return _labeled(column_of, values, name)
    if _is_named(values, "pyarrow", "Array") or _is_named(values, "pyarrow", "ChunkedArray"):
        return _labeled(_arrow_column, values, name)
    return as_numbers(values, name)


def _refuse_unread(X: Any, name: str) -> None:
    for cls in type(X).__mro__:
        root = cls.__module__.partition(".")[0]
        way_out = NOT_YET_READ.get((root, cls.__name__))
        if (
            way_out is None
            and isinstance(X, Mapping)
            and cls is type(X)
            and not hasattr(X, "shape")
        ):
            way_out = f"pandas.DataFrame({name})"
        if way_out is not None:
            whole = f"{cls.__module__}.{cls.__name__}"
            raise TypeError(
                f"{name} is a {whole}, whose values cannot be read as they are. Pass "
                f"{way_out.replace('X', name)} instead."
            )
    if isinstance(X, Iterator):
        raise TypeError(
            f"{name} is an iterator ({type(X).__name__}), which can be read only once. Pass "
            f"list({name}) instead."
        )


def _array_of_rows(X: Any) -> Any:
    """Return rows as an array, or as they are where they are ragged: scikit-learn refuses those."""
    if any(hasattr(row, "__dlpack__") and not isinstance(row, np.ndarray) for row in X[:1]):
        return X
    try:
        return np.asarray(X)
    except (ValueError, TypeError, OverflowError):
        return X


def _unmasked(X: Any, name: str) -> AnyArray:
    """Return a masked array with NaN where it is masked."""
    mask = np.ma.getmaskarray(X)
    values: AnyArray = _array(np.asarray(X.data), name)
    if not mask.any():
        return values
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    return np.where(mask, np.array(np.nan, dtype), values.astype(dtype, copy=False))


def _array(X: AnyArray, name: str) -> AnyArray:
    """Return an array as numbers; complex ones are refused by scikit-learn."""
    if X.dtype.kind in "biufc":
        return X
    if X.ndim != 2:
        return _labeled(_numbers, X, name)
    try:
        return _numbers(X)
    except NotNumbersError:
        return _stack([(f"feature {k}", partial(_numbers, X[:, k])) for k in range(X.shape[1])])


def _numbers(values: AnyArray) -> AnyArray:
    """Return an array of any dtype as one of numbers, missing values as NaN."""
    kind = values.dtype.kind
    if kind in "biufc":
        return values
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
            return NotNumbersError("dates", _show(value), row)
        try:
            if value is not None:
                float(value)
        except Exception as error:
            if isinstance(value, (str, bytes)):
                return NotNumbersError("text", _show(value), row)
            return NotNumbersError("objects", f"{_show(value)}: {error}", row)
    return NotNumbersError("objects", f"values of dtype {values.dtype}")


def _show(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return f"{text[:60]} ({type(value).__name__})"


def _labeled(column_of: Callable[[Any], AnyArray], column: Any, label: str) -> AnyArray:
    try:
        return column_of(column)
    except NotNumbersError as error:
        _refuse({label: error}, label)


def _stack(columns: Columns) -> AnyArray:
    """Return the columns of a frame as one array, or say of all at once which are no numbers."""
    found, bad = [], {}
    for label, read in columns:
        try:
            found.append(read())
        except NotNumbersError as error:
            bad[label] = error
    if bad:
        _refuse(bad, "X")
    stacked = np.empty((found[0].size, len(found)), dtype=np.result_type(*found), order="F")
    for k, values in enumerate(found):
        stacked[:, k] = values
    return stacked


def _refuse(bad: dict[str, NotNumbersError], name: str) -> NoReturn:
    """Raise an error that names the features, what was found and what to do."""
    label, first = next(iter(bad.items()))
    where = "" if first.row is None else f" in row {first.row}"
    message = f"{label} has {first.found}{where}, which is not numeric."
    if name == "X":
        shown = ", ".join(list(bad)[:20]) + (", …" if len(bad) > 20 else "")
        message = f"These features of X are not numeric: {shown}. {message}"
    kinds = {error.kind for error in bad.values()}
    ways_out = " ".join(WAYS_OUT[kind] for kind in WAYS_OUT if kind in kinds)
    raise (TypeError if kinds == {"objects"} else ValueError)(f"{message} {ways_out}")


def _is_named(X: Any, root: str, name: str) -> bool:
    """Tell whether X is of a class of this library and name, which is then imported already."""
    return root in sys.modules and any(
        cls.__name__ == name and cls.__module__.partition(".")[0] == root for cls in type(X).__mro__
    )


def _label(name: Any) -> str:
    return _show(name).rpartition(" (")[0]


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
        return _numbers(np.asarray(column))
    if dtype.kind in "Mm":
        raise NotNumbersError("dates", str(dtype))
    if dtype.kind in "biuf" and hasattr(dtype, "numpy_dtype"):
        kept = dtype.kind == "f"
        target = dtype.numpy_dtype if kept else np.dtype(np.float64)
        values: AnyArray = column.to_numpy(dtype=target, na_value=np.nan)
        return values
    return _numbers(np.asarray(column, dtype=object))


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
    return _numbers(np.array(column.to_list(), dtype=object))


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
    return _numbers(values)
