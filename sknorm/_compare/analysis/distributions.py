"""How features are distributed before and after each normalizer, as quantiles."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from sknorm._compare.fitting.task import FAILURES

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_FEATURES = 6
MAX_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Distributions:
    """Quantiles of shape (n_features, 5) for each normalizer; None where it failed.

    ``names`` are those of the features, where they have any, else "feature 3".
    """

    features: tuple[int, ...]
    names: tuple[str, ...]
    quantiles: dict[str, NDArray[np.float64] | None]


def feature_distributions(
    pipelines: dict[str, Any], step: str, X: Any, y: Any
) -> Distributions | None:
    """Return the quantiles of a few features, from the widest to the narrowest.

    None where the normalizer is inside another step, so that what comes out of it cannot be seen.
    """
    step = step.partition("__")[0]
    if any(step not in dict(getattr(pipeline, "steps", [])) for pipeline in pipelines.values()):
        return None
    rows = np.arange(X.shape[0])
    if len(rows) > MAX_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MAX_ROWS, replace=False))
    X, y = _safe_indexing(X, rows), _safe_indexing(y, rows)
    outputs = {name: _output(pipeline, step, X, y) for name, pipeline in pipelines.items()}
    known = [output for output in outputs.values() if output is not None]
    if not known:
        return None
    n_features = min(output.shape[1] for output in known)
    features = _choose(known[0], n_features)
    names = _names(next(iter(pipelines.values())), step, X, y, n_features)
    return Distributions(
        features,
        tuple(names[place] for place in features),
        {name: _quantiles(output, features) for name, output in outputs.items()},
    )


def _names(pipeline: Any, step: str, X: Any, y: Any, n_features: int) -> list[str]:
    """Return the names of the features that a pipeline's normalizer gives."""
    numbered = [f"feature {place}" for place in range(n_features)]
    places = [name for name, _ in pipeline.steps]
    before = pipeline[: places.index(step) + 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if all(part in (None, "passthrough") for _, part in before.steps):
                names = list(X.columns)
            else:
                names = list(clone(before).fit(X, y).get_feature_names_out())
        except FAILURES:
            return numbered
    return [str(name) for name in names] if len(names) >= n_features else numbered


def _output(pipeline: Any, step: str, X: Any, y: Any) -> Any:
    """Return what reaches the step after the normalizer."""
    with warnings.catch_warnings():
        # The same warnings were counted in the runs.
        warnings.simplefilter("ignore")
        try:
            for name, transformer in pipeline.steps[:-1]:
                if transformer is not None and transformer != "passthrough":
                    X = clone(transformer).fit_transform(X, y)
                if name == step:
                    break
        except FAILURES:
            return None
    X = X if sparse.issparse(X) else np.asarray(X)
    return X if X.dtype.kind in "biuf" else None


def _choose(output: Any, n_features: int) -> tuple[int, ...]:
    """Return features spread evenly over the ranking by width."""
    spread = np.array([np.nanstd(_values(output, place)) for place in range(n_features)])
    # One-hot columns are not normalized, and all alike.
    many = [len(np.unique(_values(output, place))) > 2 for place in range(n_features)]
    kept = np.flatnonzero(many) if any(many) else np.arange(n_features)
    ranked = kept[np.argsort(spread[kept])[::-1]]
    places = np.unique(np.linspace(0, len(kept) - 1, min(MAX_FEATURES, len(kept))).round())
    return tuple(int(ranked[int(place)]) for place in places)


def _values(output: Any, feature: int) -> NDArray[np.float64]:
    column = output[:, [feature]].toarray() if sparse.issparse(output) else output[:, feature]
    return np.asarray(column, dtype=np.float64).ravel()


def _quantiles(output: Any, features: tuple[int, ...]) -> NDArray[np.float64] | None:
    if output is None:
        return None
    return np.array([np.nanquantile(_values(output, place), QUANTILES) for place in features])
