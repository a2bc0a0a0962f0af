"""What a comparison is given, checked before any fit is made."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import indexable
from sklearn.utils.multiclass import type_of_target

from sknorm._compat import root_of
from sknorm._scalers.containers import as_numbers, refuse_unread
from sknorm._scalers.objects import show
from sknorm._sources.kinds import is_source


def check_estimator(estimator: Any) -> None:
    """Refuse anything that is not an unfitted-able classifier or regressor."""
    if isinstance(estimator, type):
        raise TypeError(
            f"estimator is the class {estimator.__name__}; pass an instance, "
            f"{estimator.__name__}()."
        )
    for method in ("fit", "predict", "get_params", "set_params"):
        if not hasattr(estimator, method):
            raise TypeError(
                f"estimator must be a classifier or regressor; {estimator!r} has no method "
                f"{method!r}."
            )
    if not (is_classifier(estimator) or is_regressor(estimator)):
        raise TypeError(f"estimator must be a classifier or a regressor; got {estimator!r}.")


def check_data(estimator: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Return X and y in a form that can be indexed by row; y is complete and not constant."""
    if y is None:
        raise ValueError("y is None: a comparison needs a target to score against.")
    X, y = _as_rows("X", X), _as_rows("y", y)
    # Texts are one a row, and numbers are several.
    if len(X.shape) < 2 and getattr(getattr(X, "dtype", None), "kind", "f") in "biuf":
        raise ValueError(
            f"Expected 2D array, got {len(X.shape)}D array instead: X has shape {X.shape}. Of a "
            "single feature, pass X.to_frame() of a series or X.reshape(-1, 1) of an array."
        )
    if isinstance(y, np.ma.MaskedArray) and np.ma.is_masked(y):
        row = int(np.flatnonzero(np.ma.getmaskarray(y))[0])
        raise ValueError(f"y is masked in row {row}: leave such rows out of X and y.")
    if len(y.shape) == 2 and y.shape[1] == 1:
        # A column is one target, as scikit-learn takes it.
        y = np.asarray(y).ravel()
    X, y = indexable(X, y)
    if X.shape[0] == 0:
        raise ValueError("X has no rows, so there is nothing to compare on.")
    _check_complete(y)
    if is_regressor(estimator):
        _check_numbers(estimator, np.asarray(y))
    distinct = np.unique(np.asarray(y)).tolist() if len(y.shape) == 1 else []
    if len(distinct) == 1:
        what = "has one class" if is_classifier(estimator) else "is constant"
        raise ValueError(
            f"y {what}, {distinct[0]!r}: there is nothing to predict, so nothing to compare."
        )
    kind = type_of_target(y)
    if is_classifier(estimator) and kind.startswith("continuous"):
        raise ValueError(
            f"y has continuous values, and {type(estimator).__name__} is a classifier: pass a "
            "regressor, or bin y into classes."
        )
    return X, y


def _as_rows(name: str, values: Any) -> Any:
    """Return what rows can be chosen of, in memory; refuse anything else."""
    if is_source(values):
        raise TypeError(
            f"{name} is a {type(values).__name__}, of which rows cannot be chosen for folds. "
            "Read it into an array or a data frame first; sknorm.tables.read_table reads files."
        )
    refuse_unread(values, name)
    if not hasattr(values, "shape"):
        values = np.asarray(values)
    if not len(values.shape):
        raise TypeError(f"{name} is {show(values.item())}: pass an array with a value per row.")
    if getattr(values, "dtype", None) is not None and getattr(values.dtype, "names", None):
        raise TypeError(f"{name} is an array of records: pass pandas.DataFrame({name}) instead.")
    if root_of(values) == "pyarrow" and hasattr(values, "column_names"):
        return values.to_pandas()
    if np.ma.isMaskedArray(values) and name == "X":
        return as_numbers(values)
    return values


def _check_numbers(estimator: Any, values: Any) -> None:
    """Refuse a target that is no number, where a regressor is to predict it."""
    what = {"M": "dates", "m": "durations", "c": "complex numbers"}.get(values.dtype.kind)
    if what is None:
        try:
            values.astype(np.float64)
        except (TypeError, ValueError):
            what = "text or objects"
    if what is not None:
        raise ValueError(
            f"y has {what}, and {type(estimator).__name__} is a regressor: make numbers of them, "
            "or pass a classifier."
        )


def _check_complete(y: Any) -> None:
    values = np.asarray(y)
    if values.dtype.kind == "f":
        bad = ~np.isfinite(values)
    else:
        # NaN is the only value that differs from itself; pandas' NA has no truth value.
        bad = np.array([_is_missing(value) for value in values.ravel()]).reshape(values.shape)
    if bad.any():
        first = int(np.flatnonzero(bad.reshape(len(values), -1).any(axis=1))[0])
        raise ValueError(
            f"y has {int(bad.sum())} missing or infinite values, the first in row {first}: leave "
            "those rows out of X and y."
        )


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:
        return True


def check_number(name: str, value: Any, *, minimum: int) -> int:
    """Return a whole number that is large enough."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < minimum:
        raise ValueError(f"{name} must be a whole number of at least {minimum}; got {value!r}.")
    return int(value)


def check_target_loss(value: Any) -> float | None:
    """Return the loss to reach as a number, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ValueError(f"target_loss must be a finite number or None; got {value!r}.")
    return float(value)


def check_weights(sample_weight: Any, n_rows: int) -> Any:
    """Return the weights of the rows as numbers, none of them negative."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=float)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must have one number for each of the {n_rows} rows; got shape "
            f"{weights.shape}."
        )
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(bad):
        raise ValueError(
            f"sample_weight must be finite and not negative; row {bad[0]} has {weights[bad[0]]}."
        )
    return weights


def draw_seed(rng: np.random.RandomState) -> int:
    """Return a seed."""
    return int(rng.randint(np.iinfo(np.int32).max))
