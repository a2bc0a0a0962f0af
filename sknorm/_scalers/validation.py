"""The one place where input is checked: arrays and weights, and what errors say of them."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sknorm._backends import dispatch
from sknorm._backends.frame_columns import FrameColumns, fits
from sknorm._backends.layout import NATIVE, output_dtype
from sknorm._backends.protocol import NonFiniteError
from sknorm._backends.structure import Indices
from sknorm._compat import (
    array_namespace,
    as_numpy,
    asks_for_dataframe,
    device,
    widest_float,
)
from sknorm._scalers.containers import as_numbers, as_weights
from sknorm._scalers.feature_names import check_frame_names, check_names_out
from sknorm._scalers.frames import column_chunks, is_frame, memory_of, plain_matrix
from sknorm._sources.tensors import is_tensor

Array = NDArray[np.float64]

CHECKS: dict[str, Any] = {
    "accept_sparse": ("csr", "csc"),
    "dtype": "numeric",
    "ensure_all_finite": False,
    "allow_nd": True,
}


def check_input(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    indices: Indices = Indices.NOW,
    by_column: bool = False,
    is_flattened: bool = False,
) -> Any:
    """Return X as an array of numbers or a canonical CSR or CSC array; values are not looked at.

    Numbers keep their dtype, so that a large integer array is never converted as a whole.
    ``indices`` says when those of a sparse array are checked, ``by_column`` that the columns of
    a frame may stay where they are, and ``is_flattened`` that the result has two dimensions.
    """
    if _is_plain(estimator, X):
        if reset:
            estimator.n_features_in_ = X.shape[1]
            return X
        if X.shape[1] == getattr(estimator, "n_features_in_", X.shape[1]):
            return X
    if is_tensor(X):
        return _check_tensor(estimator, X, reset=reset)
    if is_frame(X):
        X = _check_frame(estimator, X, reset=reset, by_column=by_column)
    else:
        X = as_numbers(dispatch.check_structure(X, indices))
        X = validate_data(estimator, X, reset=reset, **CHECKS)
    if sparse.issparse(X):
        return _stored_floats(X)
    _check_not_empty(X)
    if X.ndim > 2 and not is_flattened and (library := asks_for_dataframe(estimator)):
        raise ValueError(
            f"X has {X.ndim} dimensions, and a {library} data frame has only two. Use "
            "set_output(transform='default'), or reshape X to (n_samples, n_features) and name "
            "the number of channels or groups."
        )
    return X


def _check_frame(estimator: Any, X: Any, *, reset: bool, by_column: bool) -> Any:
    """Return the numbers in a frame, whose names are checked."""
    _check_not_empty(X)
    chunks = column_chunks(X) if by_column else None
    numbers: Any
    if chunks is not None and fits(chunks):
        numbers = FrameColumns(chunks, memory_of(X))
    else:
        numbers = plain_matrix(X)
    if numbers is None:
        numbers = check_array(as_numbers(X), **CHECKS, estimator=estimator, input_name="X")
    check_frame_names(estimator, X, reset=reset)
    return numbers


def _is_plain(estimator: Any, X: Any) -> bool:
    """Tell whether X is a matrix of floats to or from no data frame, which needs no more checks.

    scikit-learn's checks take twenty times as long as transforming one row.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype in NATIVE
        and X.shape[0] > 0
        and X.shape[1] > 0
        and not hasattr(estimator, "feature_names_in_")
    )


def check_output(
    estimator: Any,
    X: Any,
    extra: int = 0,
    indices: Indices = Indices.NOW,
    any_width: bool = False,
) -> Any:
    """Return the output of a transform, checked as input is but for feature names."""
    given = X
    if is_tensor(X):
        X = _as_floating(_check_axes(X))
    else:
        X = as_numbers(dispatch.check_structure(X, indices))
        X = check_array(X, **CHECKS, estimator=estimator, input_name="X")
    expected = getattr(estimator, "n_features_in_", X.shape[1] - extra) + extra
    is_other = X.shape[1] != expected
    if is_other and not any_width:
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting {expected} "
            "features as input."
        )
    _check_not_empty(X)
    if not is_other:
        check_names_out(estimator, given)
    if sparse.issparse(X):
        return _stored_floats(X)
    return X


def _check_not_empty(X: Any) -> None:
    if 0 in X.shape[1:]:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={tuple(X.shape)}) while a minimum of 1 is "
            "required: an axis after the first is empty."
        )


def _check_tensor(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return an array of another library as floats, if it is one of samples and their features."""
    X = _check_axes(X)
    _check_not_empty(X)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return _as_floating(X)


def _check_axes(X: Any) -> Any:
    """Refuse what has no rows or no axis of features, as scikit-learn does of NumPy's arrays."""
    shape = tuple(X.shape)
    if len(shape) < 2:
        raise ValueError(
            f"Expected 2D array, got {len(shape)}D array instead. Reshape your data with "
            "X.reshape(-1, 1) if it has a single feature, or X.reshape(1, -1) if it is one sample."
        )
    if shape[0] == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is required."
        )
    if array_namespace(X).isdtype(X.dtype, "complex floating"):
        raise ValueError("Complex data not supported: X has complex values. Pass real ones.")
    return X


def _as_floating(X: Any) -> Any:
    """Return an array of another namespace as floats, as NumPy's integers become them."""
    xp = array_namespace(X)
    if xp.isdtype(X.dtype, "real floating"):
        return X
    return xp.astype(X, widest_float(xp, device(X)))


def _stored_floats(X: Any) -> Any:
    """Return a sparse array whose stored values are native floats."""
    if X.dtype not in NATIVE:
        X = X.astype(np.float32 if X.dtype == np.float16 else output_dtype(X.dtype))
    return X


def check_weights(sample_weight: Any, n_samples: int) -> Array | None:
    """Return one finite weight >= 0 per sample, or None."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, float(sample_weight))
    if is_tensor(sample_weight):
        sample_weight = as_numpy(sample_weight)
    if isinstance(sample_weight, (str, bytes)):
        raise ValueError(
            f"sample_weight is {sample_weight!r}: pass a number, or one number for each row of X. "
            "The name of a column is none."
        )
    weights: Array = check_array(
        as_weights(sample_weight, "sample_weight"),
        ensure_2d=False,
        dtype=np.float64,
        order="C",
        input_name="sample_weight",
    )
    weights = np.require(weights, requirements=["C", "A"])
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array. Expected "
            f"either a scalar value or a 1D array of length {n_samples}."
        )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}: one weight for "
            "each row of X."
        )
    if (negative := np.flatnonzero(weights < 0)).size:
        raise ValueError(
            f"Negative values in data passed to `sample_weight`: row {negative[0]} has weight "
            f"{weights[negative[0]]}. Give each row a weight >= 0."
        )
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number: with all of them 0, "
            "there is nothing to compute statistics from."
        )
    return weights


class locate_nonfinite:  # noqa: N801
    """Turn ``NonFiniteError`` into an error that says which value of X is meant."""

    def __init__(self, estimator: Any, X: Any, *, allow_nan: bool = True) -> None:
        self._what = estimator, X, allow_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is NonFiniteError:
            raise ValueError(_describe_bad_value(*self._what)) from None


def _describe_bad_value(estimator: Any, X: Any, allow_nan: bool) -> str:
    value, row, feature, position = _find_bad_value(X, allow_nan)
    names = getattr(estimator, "feature_names_in_", None)
    # Where columns were set aside, their positions among all of X.
    positions = getattr(estimator, "_positions", None)
    place = feature if positions is None else positions[feature]
    where = f"feature {place}" + (f" ({names[feature]!r})" if names is not None else "")
    where += f", row {row}" + (f", position {position}" if position else "")
    if np.isnan(value):
        return (
            f"Input X contains NaN: {where}. {type(estimator).__name__} does not accept missing "
            "values encoded as NaN natively. Fill them first, for example with SimpleImputer, or "
            "drop these rows."
        )
    dtype = output_dtype(np.dtype(np.float64) if not hasattr(X.dtype, "kind") else X.dtype)
    return (
        f"Input X contains infinity or a value too large for {dtype!r}: {where}. Replace it, or "
        "mark it as missing with NaN where that is allowed."
    )


def _find_bad_value(X: Any, allow_nan: bool) -> tuple[float, int, int, tuple[int, ...]]:
    """Return the first offending value, its row, feature and position."""
    xp = array_namespace(X.data if sparse.issparse(X) else X)

    if isinstance(X, FrameColumns):
        X = X.matrix()

    def is_bad(values: Any) -> Any:
        if isinstance(values, np.ndarray) and values.dtype not in NATIVE:
            with np.errstate(over="ignore"):
                values = values.astype(output_dtype(values.dtype))
        return xp.isinf(values) if allow_nan else ~xp.isfinite(values)

    if sparse.issparse(X):
        first = int(np.argmax(is_bad(X.data)))
        coordinates = X.tocoo()
        return X.data[first], coordinates.row[first], coordinates.col[first], ()
    index: tuple[int, ...] = ()
    part = X
    # One axis at a time, and one sample at a time, so that no mask of the size of X is made.
    for sample in range(X.shape[0]):
        if bool(xp.any(is_bad(X[sample, ...]))):
            part, index = is_bad(X[sample, ...]), (sample,)
            break
    flat = int(xp.argmax(xp.astype(xp.reshape(part, (-1,)), xp.int64)))
    inner = tuple(int(i) for i in np.unravel_index(flat, tuple(X.shape[1:])))
    value = float(X[(*index, *inner)])
    return value, index[0], inner[0], inner[1:]
