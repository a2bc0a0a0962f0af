"""Coefficients of a linear model behind scalers, in the units of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknorm._compat import as_numpy
from sknorm._scalers.affine_map import affine_of
from sknorm._scalers.channel import ChannelScaler
from sknorm._scalers.squashing import SquashingScaler
from sknorm._statistics.affine import Affine

Array = NDArray[np.float64]


class RawCoefficients(NamedTuple):
    """What :func:`raw_coefficients` returns."""

    coef: Array
    intercept: float | Array
    feature_names: NDArray[np.object_]


def raw_coefficients(pipeline: Any) -> RawCoefficients:
    r"""Return the coefficients of a linear model behind scalers, in the units of the data.

    A model of scaled features, :math:`y = b + \sum_j c_j z_j` with :math:`z_j = a_j x_j + d_j`, is
    one of the features themselves, with coefficients :math:`c_j a_j` and intercept
    :math:`b + \sum_j c_j d_j`.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        A fitted pipeline whose last step is a linear model, with ``coef_`` and ``intercept_``. All
        steps before it scale each feature by itself: BatchStatScaler, PowerNormScaler,
        SquashingScaler (with ``squash=None``), StandardScaler, RobustScaler, MinMaxScaler (without
        ``clip``), MaxAbsScaler, or "passthrough".

    Returns
    -------
    coefficients : RawCoefficients
        A named tuple of ``coef``, of the shape of ``coef_``; ``intercept``, of the shape of
        ``intercept_``; and ``feature_names``, those of fit, or x0, x1 and so on.

    Raises
    ------
    NotFittedError
        If the pipeline is not fitted.
    TypeError
        If the last step is no linear model, or a step before it is none of these scalers.
    ValueError
        If a coefficient in the units of the data is beyond what float64 holds.

    See Also
    --------
    BatchStatScaler.inverse_transform : Gives scaled values back their units.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknorm import BatchStatScaler, raw_coefficients
    >>> X, y = [[1.0, 100.0], [2.0, 300.0], [3.0, 200.0]], [12.0, 24.0, 33.0]
    >>> model = make_pipeline(BatchStatScaler(), LinearRegression()).fit(X, y)
    >>> coef, intercept, names = raw_coefficients(model)
    >>> coef.round(6), round(intercept, 6), list(names)
    (array([10.  ,  0.01]), 1.0, ['x0', 'x1'])
    """
    if not isinstance(pipeline, Pipeline):
        raise TypeError(
            f"raw_coefficients needs a Pipeline of scalers and a linear model, got a "
            f"{type(pipeline).__name__}."
        )
    check_is_fitted(pipeline)
    *scalers, (last, model) = pipeline.steps
    if not (hasattr(model, "coef_") and hasattr(model, "intercept_")):
        raise TypeError(
            f"The last step {last!r} is a {type(model).__name__}, which has no coef_ and "
            "intercept_. raw_coefficients needs a linear model."
        )
    weights = model.coef_.toarray() if sparse.issparse(model.coef_) else as_numpy(model.coef_)
    coef = weights.astype(np.float64)
    intercept = np.asarray(model.intercept_, dtype=np.float64)
    for name, scaler in reversed(scalers):
        if scaler is None or scaler == "passthrough":
            continue
        factor, offset = slope_and_offset(name, scaler, coef.shape[-1])
        with np.errstate(all="ignore"):
            added, products = intercept + coef @ offset, coef * factor
        check_range(name, scaler, (coef, products), (intercept, added))
        coef, intercept = products, added
    names = _names(pipeline, coef.shape[-1])
    return RawCoefficients(coef, intercept.item() if intercept.ndim == 0 else intercept, names)


def slope_and_offset(name: str, scaler: Any, n_features: int) -> tuple[Array, Array]:
    """Return what a scaler multiplies each feature with, and adds then."""
    if isinstance(scaler, ChannelScaler):
        return _of_channels(scaler, n_features, affine_of)
    if isinstance(scaler, SquashingScaler) and scaler.squash is None:
        return _of_channels(scaler, n_features, SquashingScaler._affine)
    kind = type(scaler).__name__ if type(scaler).__module__.startswith("sklearn.") else ""
    one, zero = np.ones(n_features), np.zeros(n_features)
    if kind == "MinMaxScaler" and not scaler.clip:
        return scaler.scale_, scaler.min_
    if kind in ("StandardScaler", "RobustScaler", "MaxAbsScaler"):
        center = getattr(scaler, "center_" if kind == "RobustScaler" else "mean_", None)
        if kind == "StandardScaler" and not scaler.with_mean:
            center = None
        factor = one if scaler.scale_ is None else 1.0 / scaler.scale_
        return factor, zero if center is None else -center * factor
    raise TypeError(
        f"Step {name!r} is a {type(scaler).__name__}, behind which a coefficient is of no one "
        "feature's own unit. Only scalers of each feature by itself may stand before the model."
    )


def check_range(step: str, scaler: Any, coef: tuple[Any, Any], intercept: tuple[Any, Any]) -> None:
    """Refuse coefficients, before and after, that have become larger than their type holds."""
    lost, also_lost = (np.isfinite(old) & ~np.isfinite(new) for old, new in (coef, intercept))
    if not (lost.any() or also_lost.any()):
        return
    what = "the intercept"
    if lost.any():
        place = int(np.flatnonzero(lost.reshape(-1, lost.shape[-1]).any(axis=0))[0])
        names = getattr(scaler, "feature_names_in_", None)
        what = f"the coefficient of feature {place if names is None else repr(names[place])}"
    raise ValueError(
        f"Without step {step!r}, {what} is beyond what {coef[1].dtype} holds. Multiply features "
        "of such a unit by a constant before fit."
    )


def _of_channels(
    scaler: Any, n_features: int, map_of: Callable[[Any, int], Affine]
) -> tuple[Array, Array]:
    reader = scaler._fitted()
    affine_map = map_of(reader, reader._n_known()).take(reader._channel_of_each_feature())
    if affine_map.scale.size != n_features:
        raise TypeError(
            f"The {type(scaler).__name__} scales {affine_map.scale.size} channels, but the model "
            f"has {n_features} features."
        )
    gamma = 1.0 if affine_map.gamma is None else affine_map.gamma
    beta = 0.0 if affine_map.beta is None else affine_map.beta
    power = affine_map.power(inverse=False)
    with np.errstate(all="ignore"):
        slope = gamma / affine_map.scale
        offset = beta - affine_map.shift * slope
        return slope if power is None else slope * power, offset


def _names(pipeline: Any, n_features: int) -> NDArray[np.object_]:
    steps = [step for _, step in pipeline.steps if step is not None and step != "passthrough"]
    names = getattr(steps[0], "feature_names_in_", None)
    if names is None:
        names = [f"x{k}" for k in range(n_features)]
    return np.asarray(names, dtype=object)
