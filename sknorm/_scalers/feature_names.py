"""Whether the names of features are those that a scaler was fitted on, in their order."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from sklearn.utils.validation import validate_data

from sknorm._scalers.frames import as_table, column_names, is_frame


def check_frame_names(estimator: Any, X: Any, *, reset: bool) -> None:
    """Check the names and the number of columns, as scikit-learn does.

    It is slow where there are many of them, and is asked only where something does not fit.
    """
    names = column_names(X)
    if set(map(type, names)) == {str}:
        if reset:
            estimator.n_features_in_ = len(names)
            estimator.feature_names_in_ = np.array(names, dtype=object)
            return
        known = getattr(estimator, "feature_names_in_", None)
        if known is not None and known.tolist() == names:
            return
    validate_data(estimator, as_table(X), reset=reset, skip_check_array=True)


def check_columns(
    estimator: Any,
    names: list[str] | None,
    n_columns: int | None,
    expected: list[str] | None = None,
) -> None:
    """Refuse columns of other names than expected, or in another order, or of another number.

    ``names`` and ``n_columns`` are None where they are not known before the data is read.
    """
    if expected is None:
        known = getattr(estimator, "feature_names_in_", None)
        expected = None if known is None else list(known)
    n_expected = getattr(estimator, "n_features_in_", None) if expected is None else len(expected)
    if n_columns is not None and n_expected is not None and n_columns != n_expected:
        raise ValueError(
            f"X has {n_columns} features, but {type(estimator).__name__} is expecting "
            f"{n_expected} features as input{_missing(names, expected)}."
        )
    if names is not None and expected is not None and names != expected:
        _refuse_names("should match those that were passed during fit", names, expected)


def _refuse_names(what: str, names: list[Any], expected: list[Any]) -> NoReturn:
    k = next(k for k, name in enumerate(names) if name != expected[k])
    raise ValueError(
        f"The feature names {what}, in the same order: feature {k} is {names[k]!r}, and "
        f"{expected[k]!r} was expected."
    )


def _missing(names: list[str] | None, expected: list[str] | None) -> str:
    """Return which columns are missing, and which are new, in words."""
    if names is None or expected is None:
        return ""
    lists = {"missing": [n for n in expected if n not in names],
             "not in fit": [n for n in names if n not in expected]}  # fmt: skip
    said = [f"{what}: {', '.join(map(repr, some[:8]))}" for what, some in lists.items() if some]
    return f" ({'; '.join(said)})" if said else ""


def check_names_out(estimator: Any, X: Any) -> None:
    """Refuse a frame whose names are not those that transform gives, or not in their order."""
    names = column_names(X) if is_frame(X) else getattr(X, "columns", None)
    if names is None or not hasattr(estimator, "feature_names_in_"):
        return
    names = list(names)
    expected = list(estimator.get_feature_names_out())
    if not all(isinstance(name, str) for name in names) or names == expected:
        return
    _refuse_names("should be those of transform", names, expected)
