"""The columns of data frames of pandas, polars and Arrow as arrays of numbers."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers.objects import NotNumbersError, numbers_of, show

AnyArray = NDArray[Any]
Function = TypeVar("Function")
# The columns of a frame: what errors call them, and what reads them as numbers.
Columns = list[tuple[str, Callable[[], AnyArray]]]

MANY_ROWS = 4096
SMALL_CHUNK = 1024
FRAMES = {
    ("pandas", "DataFrame"),
    ("polars", "DataFrame"),
    ("pyarrow", "Table"),
    ("pyarrow", "RecordBatch"),
}


def is_frame(X: Any) -> bool:
    """Tell whether X is a data frame of a library whose columns are read here."""
    return any(_is_named(X, *name) for name in FRAMES)


def as_table(X: Any) -> Any:
    """Return a frame as one whose names scikit-learn reads: a record batch as a table."""
    if _is_named(X, "pyarrow", "RecordBatch"):
        return sys.modules["pyarrow"].Table.from_batches([X])
    return X


def take_columns(X: Any, names: list[str]) -> Any:
    """Return a frame of the columns of these names, where X is one that has each once, else X."""
    if not is_frame(X):
        return X
    own = column_names(X)
    count = Counter(own)
    if any(count[name] != 1 for name in names):
        return X
    place = {name: k for k, name in enumerate(own)}
    return columns_at(X, [place[name] for name in names])


def column_names(X: Any) -> list[Any]:
    """Return the names of a frame's columns."""
    return list(X.columns) if hasattr(X, "get_column") or hasattr(X, "iloc") else X.schema.names


def without_columns(X: Any, positions: list[int]) -> Any:
    """Return a frame without the columns at some positions."""
    return columns_at(X, [k for k in range(len(column_names(X))) if k not in positions])


def columns_at(X: Any, positions: list[int]) -> Any:
    """Return a frame of the columns at some positions."""
    if hasattr(X, "iloc"):
        return X.iloc[:, positions]
    # By name, polars would read some of them as patterns.
    return X[:, positions] if hasattr(X, "get_column") else X.select(positions)


def column_at(X: Any, position: int) -> Any:
    """Return a column of a frame, as its library has it."""
    if hasattr(X, "iloc"):
        return X.iloc[:, position]
    return X.to_series(position) if hasattr(X, "get_column") else X.column(position)


def raw_values(column: Any) -> AnyArray:
    """Return a column as an array, with None, NaN or NaT for what is missing."""
    if _is_named(column, "pandas", "Series"):
        is_plain = isinstance(column.dtype, np.dtype) or column.dtype.kind in "Mm"
        return np.asarray(column) if is_plain else np.asarray(column, dtype=object)
    if _is_named(column, "polars", "Series"):
        is_number = _is_polars_number(column.dtype) and not column.null_count()
        is_plain = is_number or column.dtype.is_temporal()
        return np.asarray(column.to_numpy()) if is_plain else objects(column.to_list())
    types = sys.modules["pyarrow"].types
    is_number = types.is_floating(column.type) or types.is_integer(column.type)
    if (is_number and not column.null_count) or types.is_temporal(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    return objects(column.to_pylist())


def objects(values: list[Any]) -> AnyArray:
    """Return a list as an array of its objects, whatever they are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def columns_of(X: Any) -> Columns | None:
    """Return the columns of a frame that has others than plain numbers."""
    if _is_named(X, "pandas", "DataFrame"):
        return _pandas(X)
    if _is_named(X, "polars", "DataFrame"):
        return _polars(X)
    return _arrow(X) if is_frame(X) else None


def plain_matrix(X: Any) -> AnyArray | None:
    """Return the array that a frame of pandas or polars is, if all columns are plain numbers."""
    if _is_named(X, "pandas", "DataFrame"):
        kinds = set(X.dtypes)
        plain = all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in kinds)
    elif _is_named(X, "polars", "DataFrame"):
        plain = all(map(_is_polars_number, set(X.dtypes)))
    else:
        return None
    values = np.asarray(X) if plain else None
    return values if values is not None and values.dtype.kind in "biuf" and values.size else None


def column_chunks(X: Any) -> list[list[AnyArray]] | None:
    """Return the columns of a frame of numbers where they lie, if that saves making a matrix.

    Of a few rows it does not, nor of a pandas frame that is one array.
    """
    if X.shape[0] < MANY_ROWS:
        return None
    try:
        if _is_named(X, "pandas", "DataFrame"):
            if _is_one_array(X):
                return None
            return [[_pandas_column(column)] for _, column in X.items()]
        if _is_named(X, "polars", "DataFrame"):
            numbers = {kind for kind in set(X.dtypes) if _is_polars_number(kind)}
            return [_polars_chunks(c, c.dtype in numbers) for c in X.iter_columns()]
        return [_arrow_chunks(column) for column in X.columns]
    except NotNumbersError:
        return None  # whoever reads them all says which


def _is_one_array(X: Any) -> bool:
    """Tell whether a pandas frame is a view of an array, which columns added to it are no part of.

    Before version 3, pandas does not tell: then it is taken to be one where there is one dtype.
    """
    if len(set(X.dtypes)) > 1 or not isinstance(X.dtypes.iloc[0], np.dtype):
        return False
    if int(sys.modules["pandas"].__version__.partition(".")[0]) < 3:
        return True
    try:
        np.asarray(X, copy=False)
    except ValueError:
        return False
    return True


def _polars_chunks(column: Any, is_number: bool) -> list[AnyArray]:
    if not is_number:
        return [_polars_column(column)]
    n_chunks = column.n_chunks()
    if n_chunks == 1:
        return [column.to_numpy()]
    chunks = column.get_chunks() if _worth_apart(n_chunks, len(column)) else [column]
    return [chunk.to_numpy() for chunk in chunks]


def _arrow_chunks(column: Any) -> list[AnyArray]:
    chunks = getattr(column, "chunks", None) or [column]
    chunks = chunks if _worth_apart(len(chunks), len(column)) else [column]
    return [_arrow_column(chunk) for chunk in chunks]


def memory_of(X: Any) -> Callable[..., AnyArray]:
    """Return what gives memory for results of a frame, as ``numpy.empty`` does.

    Arrow keeps what was freed, for the next batch. The C library gives that of large arrays back
    to the system, which clears it again.
    """
    return of_library(X, MEMORIES) or np.empty


def _arrow_empty(shape: tuple[int, ...], dtype: np.dtype[Any], order: Any) -> AnyArray:
    n_bytes = math.prod(shape) * dtype.itemsize
    buffer = sys.modules["pyarrow"].allocate_buffer(n_bytes)
    return np.frombuffer(buffer, dtype).reshape(shape, order=order)


def _worth_apart(n_chunks: int, n_rows: int) -> bool:
    """Tell whether chunks are so long that a copy to one array takes longer."""
    return n_rows >= SMALL_CHUNK * n_chunks


def column_reader(values: Any) -> Callable[[Any], AnyArray] | None:
    """Return what reads a column of one of these libraries as numbers, if it is one."""
    return of_library(values, COLUMN_READERS)


def of_library(values: Any, table: Iterable[tuple[str, str, Function]]) -> Function | None:
    """Return what a table of libraries, names of classes and functions has for values."""
    found = (function for root, name, function in table if _is_named(values, root, name))
    return next(found, None)


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
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in dtypes):
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
    if isinstance(dtype, np.dtype):
        return numbers_of(column.to_numpy())
    if type(dtype).__name__ == "SparseDtype":
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
    if all(map(_is_polars_number, X.dtypes)):
        return None
    return [(repr(name), partial(_polars_column, X[name])) for name in X.columns]


def _polars_column(column: Any) -> AnyArray:
    dtype = column.dtype
    if dtype.is_temporal():
        raise NotNumbersError("dates", str(dtype))
    if _is_polars_number(dtype):
        values: AnyArray = column.to_numpy()
        return values
    return numbers_of(objects(column.to_list()))


def _is_polars_number(dtype: Any) -> bool:
    """Tell whether a type is one of numbers that NumPy has too."""
    is_large = dtype.is_integer() and str(dtype).endswith("128")
    return bool(dtype.is_numeric() and not dtype.is_decimal() and not is_large)


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
    return numbers_of(objects(column.to_pylist()))


COLUMN_READERS = (
    ("pandas", "Series", _pandas_column),
    ("polars", "Series", _polars_column),
    ("pyarrow", "Array", _arrow_column),
    ("pyarrow", "ChunkedArray", _arrow_column),
)

MEMORIES = (("pyarrow", "Table", _arrow_empty), ("pyarrow", "RecordBatch", _arrow_empty))
