"""Whether the statistics of two scalers can be merged."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknorm._scalers import state

# Parameters that do not change what the statistics and the output mean.
EXECUTION_PARAMS = {"copy", "n_jobs"}


def parts_of(merged: Any, others: tuple[Any, ...]) -> list[Any]:
    """Return readers of the fitted scalers to merge, checked: the one that they merge into first.

    ``merged`` is a draft of that one, which takes over the features of the first.
    """
    parts = [merged] if merged.__sklearn_is_fitted__() else []
    settings = merged.get_params()
    for other in others:
        check_is_fitted(other)
        _check_settings(merged, settings, other)
        parts.append(state.snapshot(other))
        check_same_features(parts[0], parts[-1])
    for name in ("n_features_in_", "feature_names_in_"):
        if parts and hasattr(parts[0], name):
            setattr(merged, name, getattr(parts[0], name))
    return parts


def _check_settings(scaler: Any, settings: dict[str, Any], other: Any) -> None:
    """Refuse a scaler of another class or setting."""
    name = type(scaler).__name__
    if type(other) is not type(scaler):
        raise ValueError(
            f"Cannot merge a {type(other).__name__} into a {name}: their statistics differ in kind."
        )
    theirs = other.get_params()
    for parameter, value in settings.items():
        name_of_own = parameter.rpartition("__")[2]
        if name_of_own not in EXECUTION_PARAMS and not _same(value, theirs.get(parameter)):
            raise ValueError(
                f"Cannot merge {name}s with different settings: {parameter} is {value!r} here and "
                f"{theirs[parameter]!r} there. Fit them with the same settings."
            )


def check_same_features(scaler: Any, other: Any) -> None:
    """Refuse a scaler fitted on other features, or one that centers where this does not."""
    name = type(scaler).__name__
    if scaler.n_features_in_ != other.n_features_in_:
        raise ValueError(
            f"Cannot merge {name}s of {scaler.n_features_in_} and {other.n_features_in_} features. "
            "Fit them on rows of the same table."
        )
    mine: Any = getattr(scaler, "feature_names_in_", None)
    theirs: Any = getattr(other, "feature_names_in_", None)
    if mine is not None and theirs is not None and not np.array_equal(mine, theirs):
        position = int(np.argmax(mine != theirs))
        raise ValueError(
            f"Cannot merge {name}s whose features have different names: feature {position} is "
            f"{mine[position]!r} here and {theirs[position]!r} there."
        )
    if scaler._centers() != other._centers():
        raise ValueError(
            f"Cannot merge a {name} fitted on dense data with one fitted on sparse data: only the "
            "first centers. Set with_mean=False for both."
        )


def _same(a: Any, b: Any) -> bool:
    if a is b or a is None or b is None:
        return a is b
    if hasattr(a, "get_params"):  # whose parameters are compared by themselves
        return type(a) is type(b)
    try:
        return bool(np.array_equal(np.asarray(a), np.asarray(b)))
    except ValueError:  # lists of unequal length
        return bool(a == b)
