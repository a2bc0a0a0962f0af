"""Taking the keys of groups out of the columns of X, and putting them back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import validate_data

from sknorm._backends import dispatch
from sknorm._compat import array_namespace, asks_for_dataframe, beside
from sknorm._scalers.columns import find_columns
from sknorm._scalers.containers import as_numbers, refuse_unread
from sknorm._scalers.dates import as_frame_column, as_objects
from sknorm._scalers.encoded import Encoded
from sknorm._scalers.feature_names import check_columns, check_frame_names, check_names_out
from sknorm._scalers.frames import columns_at, is_frame, without_columns
from sknorm._scalers.keys import Coded, Column, factorize, given_keys, read_keys

AnyArray = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Parts:
    """The keys of the rows of X, and what is to be scaled."""

    keys: list[Column]
    names: list[str]  # what errors call the keys
    values: Any
    positions: list[int]  # of the keys in X
    kept: list[int]  # of the values in X

    @cached_property
    def coded(self) -> Coded:
        """The keys, and which of them each row has."""
        return factorize(self.keys, self.names)

    @cached_property
    def key_arrays(self) -> list[AnyArray]:
        """The keys of the rows as arrays."""
        return [key.array if isinstance(key, Encoded) else key for key in self.keys]


def with_groups(X: Any, groups: Any) -> Parts:
    """Return the parts of X whose keys are not among its columns."""
    n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_samples == 0:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    keys = given_keys(groups, n_samples)
    names = ["groups"] if len(keys) == 1 else [f"groups, column {k}," for k in range(len(keys))]
    return Parts(keys, names, X, [], [])


def split(estimator: Any, X: Any, *, reset: bool, inverse: bool = False) -> Parts:
    """Return the parts of X, some columns of which are keys.

    With ``inverse``, X is a result, of which arrays have lost the names.

    Raises
    ------
    ValueError
        If there is no such column, or no other.
    """
    X = _as_rows(X)
    _check_table(X)
    if inverse:
        check_columns(estimator, None, X.shape[1])
        check_names_out(estimator, X)
    elif is_frame(X):
        check_frame_names(estimator, X, reset=reset)
    else:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    places, kept = positions(estimator, X.shape[1])
    names = getattr(estimator, "feature_names_in_", None)
    shown = [f"feature {k if names is None else names[k]!r}" for k in places]
    return Parts(read_keys(X, places), shown, _without(X, places, kept), places, kept)


def positions(estimator: Any, n_features: int) -> tuple[list[int], list[int]]:
    """Return where the columns are that are keys, and those that are not."""
    names = getattr(estimator, "feature_names_in_", None)
    places = [int(k) for k in find_columns(estimator.by, n_features, names, "by")]
    kept = [k for k in range(n_features) if k not in places]
    if not kept:
        raise ValueError(
            f"by names all of the {n_features} feature(s) of X, so that 0 feature(s) are left to "
            "be scaled (a minimum of 1 is required)."
        )
    return places, kept


def _check_table(X: Any) -> None:
    if len(X.shape) != 2:
        raise ValueError(
            f"X has {len(X.shape)} dimension(s), and by names columns of a table of 2. Reshape "
            "your data, or pass the key of each row as groups and leave by at None."
        )
    for axis, what in enumerate(("sample(s)", "feature(s)")):
        if X.shape[axis] == 0:
            raise ValueError(
                f"Found array with 0 {what} (shape={tuple(X.shape)}) while a minimum of 1 is "
                "required."
            )
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError("Complex data not supported. Pass X.real and X.imag side by side.")


def _as_rows(X: Any) -> Any:
    """Return X as it is, or rows of lists as an array, with the types that they have."""
    refuse_unread(X, "X")
    if isinstance(X, np.ma.MaskedArray):
        return as_numbers(X)
    if hasattr(X, "shape"):
        return dispatch.check_structure(X)
    array = np.asarray(X)
    return np.asarray(X, dtype=object) if array.dtype.kind in "US" else array


def _without(X: Any, positions: list[int], kept: list[int]) -> Any:
    if is_frame(X):
        return without_columns(X, positions)
    if kept == list(range(kept[0], kept[-1] + 1)) and not sparse.issparse(X):
        return X[:, kept[0] : kept[-1] + 1]
    if sparse.issparse(X) or isinstance(X, np.ndarray):
        return X[:, kept]
    xp = array_namespace(X)
    return xp.stack([X[:, k] for k in kept], axis=1)


def join(estimator: Any, result: Any, parts: Parts, X: Any) -> Any:
    """Return scaled values with the keys where they were in X, in the container asked for."""
    order = np.argsort(parts.kept + parts.positions)
    if asks_for_dataframe(estimator) and isinstance(result, np.ndarray):
        return _join_frame(estimator, result, parts, X, order.tolist())
    if sparse.issparse(result):
        keys = sparse.csc_array(np.column_stack([numbers(key) for key in parts.key_arrays]))
        joined = sparse.hstack([result, keys.astype(result.dtype)], format="csc")[:, order]
        return type(result)(joined.asformat(result.format))
    if not isinstance(result, np.ndarray):
        xp = array_namespace(result)
        keys = [X[:, k : k + 1] for k in parts.positions]
        columns = xp.concat([result, *(xp.astype(key, result.dtype) for key in keys)], axis=1)
        return xp.stack([columns[:, int(k)] for k in order], axis=1)
    dtype = _common_dtype(result.dtype, parts.key_arrays)
    shape = result.shape[0], len(order)
    joined = np.empty(shape, dtype=dtype, order="F" if result.flags.f_contiguous else "C")
    joined[:, parts.kept] = result
    for position, key in zip(parts.positions, parts.key_arrays, strict=True):
        joined[:, position] = numbers(key) if dtype.kind == "f" else as_objects(key)
    return joined


def numbers(key: AnyArray) -> AnyArray:
    """Return keys as numbers, which those of an array of objects may be too."""
    return key.astype(np.float64) if key.dtype == object else key


def _common_dtype(dtype: Any, keys: list[AnyArray]) -> Any:
    """Return the dtype that holds values and keys: a float that keeps the keys, or objects."""
    for candidate in (dtype, np.dtype(np.float64)):
        if all(_fits(key, candidate) for key in keys):
            return candidate
    return np.dtype(object)


def _fits(key: AnyArray, dtype: Any) -> bool:
    if key.dtype.kind not in "iufb":
        return False
    with np.errstate(over="ignore"):
        return bool((key.astype(dtype).astype(key.dtype) == key).all())


def _join_frame(estimator: Any, result: AnyArray, parts: Parts, X: Any, order: list[int]) -> Any:
    names = list(estimator.get_feature_names_out())
    own = [names[k] for k in parts.positions]
    pieces = [(result, [names[k] for k in parts.kept])]
    same_library = type(X).__module__.partition(".")[0] == asks_for_dataframe(estimator)
    if is_frame(X) and same_library:
        pieces.append((columns_at(X, parts.positions), own))
    else:
        pieces += [
            (as_frame_column(key)[:, None], [name])
            for key, name in zip(parts.key_arrays, own, strict=True)
        ]
    return beside(estimator, pieces, X, order)
