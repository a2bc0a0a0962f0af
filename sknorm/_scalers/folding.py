"""Scalers folded into the model behind them: one step less at each prediction."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknorm._scalers.coefficients import check_range, slope_and_offset

Array = NDArray[np.float64]
# Linear models outside of sklearn.linear_model.
LINEAR = ("LinearSVC", "LinearSVR", "LinearDiscriminantAnalysis")


def fold(pipeline: Any, *, tolerance: float = 1e-6) -> Pipeline:
    r"""Return a pipeline that predicts the same without the scalers before its model.

    A linear model, or the first layer of an MLP, of scaled features :math:`z_j = a_j x_j + d_j` is
    one of the features themselves, with weights :math:`w_j a_j` and intercept
    :math:`b + \sum_j w_j d_j`. The copy takes sparse input where the scaler had to center it.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        A fitted pipeline whose last step is a linear model of scikit-learn or an MLP, behind one or
        more scalers of each feature by itself: BatchStatScaler, PowerNormScaler, SquashingScaler
        (with ``squash=None``), StandardScaler, RobustScaler, MinMaxScaler (without ``clip``) or
        MaxAbsScaler.
    tolerance : float, default=1e-6
        How far rounding may put off a scaled feature, in its own units: a feature whose mean is
        many standard deviations from 0 loses digits in ``a x + d``.

    Returns
    -------
    folded : sklearn.pipeline.Pipeline
        A copy, which shares nothing with the pipeline, of the steps before the scalers and the
        model. It is for predictions: training of the model cannot go on from it.

    Raises
    ------
    NotFittedError
        If the pipeline is not fitted.
    TypeError
        If the last step is no such model, or the step before it no such scaler.
    ValueError
        If more digits would be lost than ``tolerance`` allows, or a weight would be beyond what its
        type holds.

    See Also
    --------
    raw_coefficients : The coefficients of a linear model, in the units of the data.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknorm import BatchStatScaler, fold
    >>> X, y = [[1.0, 200.0], [2.0, 100.0], [3.0, 300.0]], [0, 0, 1]
    >>> pipeline = make_pipeline(BatchStatScaler(), LogisticRegression()).fit(X, y)
    >>> folded = fold(pipeline)
    >>> list(folded.named_steps), folded.predict(X)
    (['logisticregression'], array([0, 0, 1]))
    """
    if not isinstance(pipeline, Pipeline):
        raise TypeError(f"fold needs a Pipeline, got a {type(pipeline).__name__}.")
    check_is_fitted(pipeline)
    *before, (name, model) = pipeline.steps
    model = deepcopy(model)
    weights = _Weights(name, model)
    n_folded = 0
    while before:
        step, scaler = before[-1]
        if scaler is not None and scaler != "passthrough":
            if n_folded and not _is_scaler(step, scaler, weights.n_features):
                break
            slope, offset = slope_and_offset(step, scaler, weights.n_features)
            _check_digits(step, scaler, offset, weights.dtype, tolerance)
            weights.fold(step, scaler, slope, offset)
            _take_names(model, scaler)
            n_folded += 1
        before.pop()
    if not n_folded:
        raise TypeError("There is no scaler before the model, so there is nothing to fold.")
    return Pipeline([*deepcopy(before), (name, model)])


class _Weights:
    """The weights of a model that features are multiplied with, and what is added then."""

    def __init__(self, step: str, model: Any) -> None:
        self._model = model
        self._is_mlp = hasattr(model, "coefs_") and hasattr(model, "intercepts_")
        is_linear = hasattr(model, "coef_") and hasattr(model, "intercept_") and _is_linear(model)
        if not (self._is_mlp or is_linear):
            raise TypeError(
                f"The last step {step!r} is a {type(model).__name__}, into which no scaler can be "
                "folded. fold needs a linear model of scikit-learn, MLPClassifier or MLPRegressor."
            )
        if is_linear and sparse.issparse(model.coef_):
            model.densify()
        weights = model.coefs_[0] if self._is_mlp else model.coef_
        self.n_features: int = weights.shape[0 if self._is_mlp else -1]
        self.dtype: Any = weights.dtype

    def fold(self, step: str, scaler: Any, slope: Array, offset: Array) -> None:
        """Let the weights take the features before ``slope * x + offset``, those of a scaler."""
        model = self._model
        given = model.coefs_[0].T if self._is_mlp else np.asarray(model.coef_)
        intercept = np.asarray(model.intercepts_[0] if self._is_mlp else model.intercept_)
        weights = given.astype(np.float64)
        with np.errstate(all="ignore"):
            added = (intercept.astype(np.float64) + weights @ offset).astype(self.dtype)
            products = (weights * slope).astype(self.dtype)
        check_range(step, scaler, (given, products), (intercept, added))
        if self._is_mlp:
            model.coefs_[0], model.intercepts_[0] = np.ascontiguousarray(products.T), added
        else:
            model.coef_, model.intercept_ = products, added.item() if added.ndim == 0 else added


def _is_linear(model: Any) -> bool:
    """Tell whether a model's predictions are of ``X @ coef_.T + intercept_`` and nothing else."""
    return any(
        cls.__module__.startswith("sklearn.linear_model")
        or (cls.__name__ in LINEAR and cls.__module__.startswith("sklearn."))
        for cls in type(model).__mro__
    )


def _is_scaler(step: str, scaler: Any, n_features: int) -> bool:
    try:
        slope_and_offset(step, scaler, n_features)
    except TypeError:
        return False
    return True


def _check_digits(step: str, scaler: Any, offset: Array, dtype: Any, tolerance: float) -> None:
    with np.errstate(under="ignore"):
        lost = np.abs(offset) * np.finfo(dtype).eps
    if not (lost <= tolerance).all():
        worst = int(np.argmax(np.where(np.isnan(lost), np.inf, lost)))
        names = getattr(scaler, "feature_names_in_", None)
        feature = worst if names is None else repr(names[worst])
        raise ValueError(
            f"Folding step {step!r} would lose digits: feature {feature} is about "
            f"{abs(offset[worst]):.3g} of its scales from 0, which puts its scaled values off by "
            f"{lost[worst]:.2g} in {np.dtype(dtype).name}. Keep the scaler, or allow that by "
            "tolerance."
        )


def _take_names(model: Any, scaler: Any) -> None:
    """Give the model the names of the features that it gets now, or none."""
    if hasattr(scaler, "feature_names_in_"):
        model.feature_names_in_ = scaler.feature_names_in_.copy()
    elif hasattr(model, "feature_names_in_"):
        del model.feature_names_in_
