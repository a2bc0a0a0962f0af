"""What stands for numbers in containers of anything: objects, text, masks, columns of data frames.

scikit-learn's checks convert most of it, but not alike for all containers, and without the name of
the column where they cannot. Here each container is read column by column where that is needed;
missing values become NaN, and float32 stays float32. Arrays of numbers pass as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._scalers.frames import Columns, column_reader, columns_of, is_frame
from sknorm._scalers.objects import NotNumbersError, numbers_of
from sknorm._sources import kinds

AnyArray = NDArray[Any]
WAYS_OUT = {
    "text": "Encode text first, for example with OneHotEncoder in a ColumnTransformer.",
    "dates": "Turn dates and durations into numbers first, for example into days since a date.",
    "objects": "Convert its features to numbers first.",
    "complex": "Pass real and imaginary parts as features of their own.",
}


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
    refuse_unread(X, name)
    if isinstance(X, np.ma.MaskedArray):
        return _unmasked(X, name)
    if isinstance(X, (list, tuple)):
        X = _array_of_rows(X)
    elif hasattr(X, "__array__") and not isinstance(X, np.ndarray) and not hasattr(X, "columns"):
        X = np.asarray(X)
    if isinstance(X, np.ndarray):
        return _array(X, name)
    columns = columns_of(X)
    return X if columns is None else _stack(columns)


def as_weights(values: Any, name: str) -> Any:
    """Return weights in a container of any library as an array of numbers, if they are."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        row = int(np.flatnonzero(np.ma.getmaskarray(values))[0])
        raise ValueError(f"{name} is masked in row {row}. Give each row a weight; 0 leaves it out.")
    column_of = column_reader(values)
    return as_numbers(values, name) if column_of is None else _labeled(column_of, values, name)


def refuse_unread(X: Any, name: str) -> None:
    """Refuse a container whose values have to be read first, with how to do that."""
    if (way_out := _way_out(X)) is not None:
        raise TypeError(
            f"{name} is a {type(X).__module__}.{type(X).__name__}, whose values cannot be read as "
            f"they are. Pass {way_out.replace('X', name)} instead."
        )
    if isinstance(X, Iterator):
        raise TypeError(
            f"{name} is an iterator ({type(X).__name__}), which can be read only once. Pass "
            f"list({name}) instead."
        )


def _way_out(X: Any) -> str | None:
    """Return what to pass instead of a container whose values have to be read first."""
    if (way_out := kinds.way_out(X)) is not None:
        return way_out
    if isinstance(X, np.matrix):
        return "numpy.asarray(X)"
    if isinstance(X, Mapping) and not hasattr(X, "shape"):
        return "pandas.DataFrame(X)"
    return "a list of its rows" if isinstance(X, Set) else None


def _array_of_rows(X: Any) -> Any:
    """Return rows as an array, or as they are where scikit-learn says best what is wrong."""
    if any(hasattr(row, "__dlpack__") and not isinstance(row, np.ndarray) for row in X[:1]):
        return X
    if any(is_frame(row) for row in X[:1]):
        raise TypeError(
            f"X is a {type(X).__name__} of {len(X)} data frames. Pass iter(X), which takes each as "
            "a batch, or one frame of all rows, such as pandas.concat(X)."
        )
    try:
        return np.asarray(X)
    except (ValueError, TypeError, OverflowError):
        _refuse_ragged(X)
        return X


def _refuse_ragged(rows: Any) -> None:
    """Refuse rows of several lengths, and say which is the first to differ."""
    lengths = [len(row) if isinstance(row, (list, tuple, np.ndarray)) else None for row in rows]
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            first, other = ("no list" if n is None else f"length {n}" for n in (lengths[0], length))
            raise ValueError(
                f"X has rows of different lengths (an inhomogeneous shape): row 0 has {first}, row "
                f"{row} has {other}. Give each row a value for each feature, or NaN."
            )


def _unmasked(X: Any, name: str) -> AnyArray:
    """Return a masked array with NaN where it is masked."""
    mask = np.ma.getmaskarray(X)
    values: AnyArray = _array(np.asarray(X.data), name)
    if not mask.any():
        return values
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    return np.where(mask, np.array(np.nan, dtype), values.astype(dtype, copy=False))


def _array(X: AnyArray, name: str) -> AnyArray:
    """Return an array as real numbers."""
    if X.dtype.kind in "biuf":
        return X
    if X.ndim != 2:
        return _labeled(numbers_of, X, name)
    try:
        return numbers_of(X)
    except NotNumbersError:
        return _stack([(f"feature {k}", partial(numbers_of, X[:, k])) for k in range(X.shape[1])])


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
    kinds = {error.kind for error in bad.values()}
    what = "a real number" if kinds == {"complex"} else "numeric"
    message = f"{label} has {first.found}{where}, which is not {what}."
    if name == "X" and label != "X":
        shown = ", ".join(list(bad)[:20]) + (", …" if len(bad) > 20 else "")
        message = f"These features of X are not numeric: {shown}. {message}"
    if "complex" in kinds:  # in scikit-learn's words
        message = f"Complex data not supported. {message}"
    ways_out = " ".join(WAYS_OUT[kind] for kind in WAYS_OUT if kind in kinds)
    raise (TypeError if kinds == {"objects"} else ValueError)(f"{message} {ways_out}")
