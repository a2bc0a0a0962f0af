"""Which rows are trained on and which are left out, in each fold."""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.multiclass import type_of_target

from sknorm._compare.inputs import check_number, draw_seed
from sknorm._compare.names import class_name, counted

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def make_splits(
    estimator: Any, X: Any, y: Any, cv: Any, groups: Any, n_repeats: int, rng: np.random.RandomState
) -> list[Split]:
    """Return the splits: where cv is a number, shuffled folds, drawn as often as asked.

    Stratified for classifiers, and with the rows of a group together where there are groups.
    """
    is_number = isinstance(cv, numbers.Integral) and not isinstance(cv, bool)
    if not is_number and n_repeats > 1:
        raise ValueError(
            f"n_repeats={n_repeats} draws the folds anew, which needs cv to be a number of folds; "
            "got a splitter: use one that repeats, such as RepeatedKFold."
        )
    if not is_number:
        return _split(estimator, X, y, cv, groups)
    _check_folds(estimator, X, y, cv, groups)
    return [
        split
        for _ in range(n_repeats)
        for split in _split(estimator, X, y, _folds(estimator, y, cv, groups, rng), groups)
    ]


def _folds(estimator: Any, y: Any, n_folds: int, groups: Any, rng: Any) -> Any:
    from sklearn import model_selection

    stratify = is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass")
    name = f"{'Stratified' if stratify else ''}{'KFold' if groups is None else 'GroupKFold'}"
    return getattr(model_selection, name)(n_folds, shuffle=True, random_state=draw_seed(rng))


def _split(estimator: Any, X: Any, y: Any, cv: Any, groups: Any) -> list[Split]:
    from sklearn.model_selection import check_cv

    splitter = check_cv(cv, y, classifier=is_classifier(estimator))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            splits = [
                (np.asarray(train), np.asarray(test))
                for train, test in splitter.split(X, y, groups)
            ]
    except ValueError as error:
        if groups is None and "groups" in str(error):
            raise ValueError(
                f"{type(cv).__name__} needs to know which rows belong together: pass groups=..., "
                "one value per row, or the splits themselves, cv=list(splitter.split(X, y, "
                "groups))."
            ) from error
        raise
    if len(splits) < 2:
        raise ValueError(f"cv makes {len(splits)} split; an interval needs at least 2.")
    return splits


def _check_folds(estimator: Any, X: Any, y: Any, cv: Any, groups: Any) -> None:
    n_folds = check_number("cv", cv, minimum=2)
    if X.shape[0] < n_folds:
        raise ValueError(
            f"X has {X.shape[0]} samples, which is fewer than {n_folds} folds: ask for fewer "
            "folds, or give more samples."
        )
    if groups is not None and len(np.unique(groups)) < n_folds:
        raise ValueError(
            f"There are {len(np.unique(groups))} groups, which is fewer than {n_folds} folds: "
            "ask for fewer folds."
        )
    if is_classifier(estimator) and type_of_target(y) in ("binary", "multiclass"):
        _check_classes(y, n_folds)


def _check_classes(y: Any, n_folds: int) -> None:
    distinct, counts = np.unique(np.asarray(y), return_counts=True)
    classes = [class_name(value) for value in distinct.tolist()]
    if counts.max() < n_folds:
        raise ValueError(
            f"No class of y has a member for each of {n_folds} folds (the largest, "
            f"{classes[counts.argmax()]!r}, has {counts.max()}): ask for fewer folds, or merge "
            "rare classes."
        )
    if counts.min() < n_folds:
        warnings.warn(
            f"The class {classes[counts.argmin()]!r} of y has {counts.min()} of "
            f"{counted(int(counts.sum()), 'row')}, so that some of {n_folds} folds have none.",
            UserWarning,
            stacklevel=5,
        )


def check_groups(groups: Any, n_rows: int) -> Any:
    """Return the groups, one for each row and none of them missing."""
    if groups is None:
        return None
    values = np.asarray(groups)
    if values.shape != (n_rows,):
        raise ValueError(
            f"groups must have one value for each of the {n_rows} rows; got shape {values.shape}."
        )
    missing = [
        place for place, value in enumerate(values.tolist()) if value is None or value != value
    ]
    if missing:
        raise ValueError(f"groups has no value in row {missing[0]}: give each row a group.")
    return np.unique(values.astype(str), return_inverse=True)[1]


def describe_splits(cv: Any, groups: Any) -> str:
    """Return how the rows were dealt, if that is not at random."""
    name = type(cv).__name__
    if groups is not None:
        return "with the rows of a group together"
    return "each later than its training rows" if name == "TimeSeriesSplit" else ""
