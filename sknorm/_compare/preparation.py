"""What comes before the normalizer: the preparation of a table, and what it hands on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, get_tags

from sknorm._compare.candidates import find_step
from sknorm._scalers.flattener import Flattener

SAMPLE = 200


def with_preparation(estimator: Any, step: str | None, X: Any) -> tuple[Any, str | None]:
    """Return an estimator that takes a table with text, dates or gaps, or channels and positions.

    And the step of the normalizer in it. Pipelines with steps of their own, other than what the
    normalizer takes the place of, prepare the data themselves.
    """
    steps = list(getattr(estimator, "steps", None) or [("model", estimator)])
    if step is not None or len(steps) - 1 - (find_step(steps) is not None):
        return estimator, step
    model = steps[-1][1]
    if len(X.shape) > 2:
        parts = [("norm", "passthrough"), ("flatten", Flattener()), ("model", model)]
        return Pipeline(parts), "norm"
    if not _needs_preparation(X, estimator):
        return estimator, step
    from sknorm._tables.pipeline import NORMALIZER_STEP, make_table_pipeline

    return make_table_pipeline("passthrough", model), NORMALIZER_STEP


def _needs_preparation(X: Any, estimator: Any) -> bool:
    """Tell whether a data frame has columns that are no numbers, or gaps that nothing takes."""
    if not hasattr(X, "columns") or not hasattr(X, "shape"):
        return False
    arrays = [np.asarray(X[name]) for name in X.columns]
    if any(array.dtype.kind not in "biuf" for array in arrays):
        return True
    has_gaps = any(array.dtype.kind == "f" and bool(np.isnan(array).any()) for array in arrays)
    return has_gaps and not get_tags(estimator).input_tags.allow_nan


def what_is_normalized(estimator: Any, step: str, X: Any, y: Any) -> Any:
    """Return what reaches the normalizer, of a few rows, where steps before it change what it is.

    Text that is counted reaches it as a sparse matrix, which scalers do not center by default.
    """
    before = _steps_before(estimator, step)
    if not before:
        return X
    reaching = _hand_on(before, X, y)
    if len(X.shape) > 2 and len(reaching.shape) == 2:
        warnings.warn(
            f"X has channels and positions, and a step before {step!r} flattens them, so that the "
            "normalizers cannot tell the channels apart: put the normalizer first, and a Flattener "
            "behind it.",
            UserWarning,
            stacklevel=3,
        )
    return reaching


def _hand_on(before: list[Any], X: Any, y: Any) -> Any:
    rows = np.unique(np.linspace(0, X.shape[0] - 1, min(SAMPLE, X.shape[0])).astype(int))
    sample, target = _safe_indexing(X, rows), _safe_indexing(y, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for transformer in before:
                sample = clone(transformer).fit_transform(sample, target)
        except Exception:  # The fits will say it, each for itself.
            return X
    return sample


def _steps_before(estimator: Any, step: str) -> list[Any]:
    owner = step.partition("__")[0]
    before = []
    for name, transformer in list(getattr(estimator, "steps", []))[:-1]:
        if name == owner:
            break
        if transformer not in (None, "passthrough"):
            before.append(transformer)
    return before
