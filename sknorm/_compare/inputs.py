"""What a comparison is given, checked before any fit is made."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import indexable
from sklearn.utils.multiclass import type_of_target

Split = tuple[NDArray[np.intp], NDArray[np.intp]]

__all__ = [
    "Split",
    "check_data",
    "check_estimator",
    "check_number",
    "check_scorer",
    "check_target_loss",
    "draw_seed",
    "make_splits",
]


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
    X = X if hasattr(X, "shape") else np.asarray(X)
    y = y if hasattr(y, "shape") else np.asarray(y)
    if len(y.shape) == 2 and y.shape[1] == 1:
        # A column is one target, as scikit-learn takes it.
        y = np.asarray(y).ravel()
    X, y = indexable(X, y)
    _check_complete(y)
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


def check_scorer(estimator: Any, scoring: Any) -> Any:
    """Return the scorer, which gives one number for each fit."""
    from sklearn.metrics import check_scoring

    if scoring is not None and not isinstance(scoring, str) and not callable(scoring):
        raise TypeError(
            "scoring must be one metric, as a name or a function of (estimator, X, y); got "
            f"{scoring!r}."
        )
    return check_scoring(estimator, scoring)


def draw_seed(rng: np.random.RandomState) -> int:
    """Return a seed."""
    return int(rng.randint(np.iinfo(np.int32).max))


def make_splits(estimator: Any, X: Any, y: Any, cv: Any, seed: int) -> list[Split]:
    """Return the folds: shuffled (and stratified for classifiers) where cv is a number."""
    from sklearn.model_selection import KFold, StratifiedKFold, check_cv

    if isinstance(cv, numbers.Integral) and not isinstance(cv, bool):
        n_folds = check_number("cv", cv, minimum=2)
        if X.shape[0] < n_folds:
            raise ValueError(
                f"X has {X.shape[0]} samples, which is fewer than {n_folds} folds: ask for fewer "
                "folds, or give more samples."
            )
        stratify = is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass")
        if stratify:
            _check_classes(y, n_folds)
        kind = StratifiedKFold if stratify else KFold
        cv = kind(n_folds, shuffle=True, random_state=seed)
    splitter = check_cv(cv, y, classifier=is_classifier(estimator))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = [(np.asarray(train), np.asarray(test)) for train, test in splitter.split(X, y)]
    if len(splits) < 2:
        raise ValueError(f"cv makes {len(splits)} split; an interval needs at least 2.")
    return splits


def _check_classes(y: Any, n_folds: int) -> None:
    distinct, counts = np.unique(np.asarray(y), return_counts=True)
    classes = distinct.tolist()
    if counts.max() < n_folds:
        raise ValueError(
            f"No class of y has a member for each of {n_folds} folds (the largest, "
            f"{classes[counts.argmax()]!r}, has {counts.max()}): ask for fewer folds, or merge "
            "rare classes."
        )
    if counts.min() < n_folds:
        warnings.warn(
            f"The class {classes[counts.argmin()]!r} of y has {counts.min()} of {counts.sum()} "
            f"rows, so that some of {n_folds} folds have none of it.",
            UserWarning,
            stacklevel=4,
        )
