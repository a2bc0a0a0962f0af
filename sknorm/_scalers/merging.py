"""Whether the statistics of two scalers can be merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, TypeVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknorm._scalers import state

# Parameters that do not change what the statistics and the output mean.
EXECUTION_PARAMS = {"copy", "n_jobs"}


Scaler = TypeVar("Scaler")


def fold_in(scaler: Scaler, others: Iterable[Any], *, with_settings: bool = True) -> Scaler:
    """Return a scaler with the statistics of others folded in, and take them over.

    ``with_settings`` says that the settings are compared, which copies of one scaler share.
    """
    merged: Any = state.draft(scaler, forget=False)
    parts = [merged] if merged.__sklearn_is_fitted__() else []
    settings = merged.get_params() if with_settings else {}
    for other in others:
        check_is_fitted(other)
        _check_settings(merged, settings, other)
        parts.append(state.snapshot(other))
        check_same_features(parts[0], parts[-1])
    if not parts:
        return scaler
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(parts[0], name):
            setattr(merged, name, getattr(parts[0], name))
    merged._join(parts)
    return state.commit(scaler, vars(merged))


class MergeMixin:
    """What scalers have that learn from parts of the data, and merge.

    They say how they take over what several have learned (``_join``), and what one has learned of
    one more batch (``_take_over``).

    Copies of them learn from parts of the data. What they learn by ``_learn_more`` is theirs once
    ``_settle`` was called.
    """

    def _learn_more(self, X: Any, sample_weight: Any) -> None:
        """Learn from one more part, about which nobody asks before ``_settle`` is called."""
        scaler: Any = self
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        scaler.partial_fit(X, **weighted)

    def _settle(self) -> None:
        """Make the attributes of what was learned by parts."""

    def _finish_fit(self) -> None:
        """Do what is due after a fit."""

    def _merge_copies(self, parts: list[Any]) -> Self:
        """Fold in what copies of this scaler have learned."""
        return fold_in(self, parts, with_settings=False)


def _check_settings(scaler: Any, settings: dict[str, Any], other: Any) -> None:
    """Refuse a scaler of another class or setting."""
    name = type(scaler).__name__
    if type(other) is not type(scaler):
        raise ValueError(
            f"Cannot merge a {type(other).__name__} into a {name}: their statistics differ in kind."
        )
    theirs = other.get_params() if settings else {}
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
    except (ValueError, AttributeError):  # lists of unequal length; NumPy 2.1 of text and numbers
        return bool(a == b)
