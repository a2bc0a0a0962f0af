"""Scalers and MLPs as modules of torch, which is imported only when one is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknorm._scalers.channel import ChannelScaler
from sknorm._scalers.flattener import Flattener
from sknorm._scalers.layer import LayerScaler

if TYPE_CHECKING:
    from torch.nn import Module

Array = NDArray[np.floating[Any]]
BATCH_NORMS = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}
ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "logistic": "Sigmoid", "softmax": "Softmax"}


def to_torch(estimator: Any, *, n_dim: int = 2) -> Module:
    """Return a fitted scaler, MLP or pipeline of these as a module of torch.

    Parameters
    ----------
    estimator : estimator
        A fitted BatchStatScaler, PowerNormScaler, LayerScaler, Flattener, MLPClassifier or
        MLPRegressor, or a Pipeline of some of these.
    n_dim : int, default=2
        The number of axes of the input: 2 for ``(n_samples, n_features)``, 3 to 5 with positions.

    Returns
    -------
    module : torch.nn.Module
        A BatchNorm1d, 2d or 3d, LayerNorm, GroupNorm, RMSNorm or Flatten, or a Sequential, in
        evaluation mode and of float64. It gives what ``transform`` does; an MLP gives what
        ``predict`` of a regressor and ``predict_proba`` of a classifier do, but for one column of
        shares where there are two classes, and for the axis of a single target.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    TypeError
        If torch has no such layer.
    ValueError
        If torch's layer would give other numbers.

    See Also
    --------
    BatchStatScaler.from_estimator : The way back, from a BatchNorm.
    LayerScaler.from_estimator : The way back, from a LayerNorm and its kin.

    Examples
    --------
    >>> from sknorm import BatchStatScaler, to_torch
    >>> scaler = BatchStatScaler().fit([[1.0, 2.0], [3.0, 8.0]])
    >>> to_torch(scaler)  # doctest: +SKIP
    BatchNorm1d(2, eps=0.0, momentum=0.1, affine=True, track_running_stats=True)
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise ImportError(
            "to_torch needs torch, which is not installed: pip install torch."
        ) from error
    check_is_fitted(estimator)
    module: Module = _module(torch, estimator, n_dim).double().eval()
    return module


def _module(torch: Any, estimator: Any, n_dim: int) -> Any:
    if isinstance(estimator, Pipeline):
        layers: list[Any] = []
        for _, step in estimator.steps:
            if step is None or step == "passthrough":
                continue
            layers += _layers(torch, _module(torch, step, n_dim))
            n_dim = 2 if isinstance(step, Flattener) else n_dim
        return torch.nn.Sequential(*layers)
    if isinstance(estimator, Flattener):
        return torch.nn.Flatten()
    if isinstance(estimator, ChannelScaler):
        return _batch_norm(torch, estimator, n_dim)
    if isinstance(estimator, LayerScaler):
        return _layer_norm(torch, estimator, n_dim)
    if hasattr(estimator, "coefs_") and hasattr(estimator, "out_activation_"):
        return _mlp(torch, estimator)
    raise TypeError(
        f"torch has no layer for a {type(estimator).__name__}. to_torch takes BatchStatScaler, "
        "PowerNormScaler, LayerScaler, Flattener, MLPClassifier, MLPRegressor and pipelines of "
        "these."
    )


def _layers(torch: Any, module: Any) -> list[Any]:
    return list(module) if isinstance(module, torch.nn.Sequential) else [module]


def _batch_norm(torch: Any, scaler: Any, n_dim: int) -> Any:
    if n_dim not in BATCH_NORMS:
        raise ValueError(f"n_dim must be 2, 3, 4 or 5, got {n_dim!r}.")
    affine_map = scaler._formula(inverse=False).affine
    with np.errstate(over="ignore", under="ignore"):
        var = affine_map.scale**2
    if affine_map.exponent is not None or not (np.isfinite(var) & (var > 0)).all():
        raise ValueError(
            f"A {BATCH_NORMS[n_dim]} keeps variances, and those of this {type(scaler).__name__} "
            "are beyond what float64 holds. Divide X by a constant first."
        )
    size = affine_map.scale.size
    layer = getattr(torch.nn, BATCH_NORMS[n_dim])(size, eps=0.0).double()
    _set(torch, layer, "running_mean", affine_map.shift)
    _set(torch, layer, "running_var", var)
    _set(torch, layer, "weight", affine_map.gamma)
    _set(torch, layer, "bias", affine_map.beta)
    return layer


def _layer_norm(torch: Any, scaler: Any, n_dim: int) -> Any:
    if not scaler.with_std or scaler.keep_statistics:
        raise ValueError("torch has no layer for with_std=False or keep_statistics=True.")
    if not scaler.eps:
        raise ValueError(
            "With eps=0, torch gives NaN for constant rows, where LayerScaler gives 0. Set eps, "
            "for example to torch's 1e-5."
        )
    n_features, centers = scaler.n_features_in_, scaler.with_mean is not False
    gamma, beta = scaler._affine_of((n_features,))
    options = {"eps": float(scaler.eps)}
    if not centers and (scaler.n_groups != 1 or n_dim != 2):
        raise ValueError("torch's RMSNorm has no groups, and takes the last axes, not axis 1.")
    if not centers:
        layer = torch.nn.RMSNorm(n_features, **options).double()
        if beta is not None and beta.any():
            raise ValueError("torch's RMSNorm has no bias. Leave beta at None.")
    elif scaler.n_groups == 1 and n_dim == 2:
        layer = torch.nn.LayerNorm(n_features, **options).double()
    else:  # one group of all channels, too, has one gamma per channel
        layer = torch.nn.GroupNorm(scaler.n_groups, n_features, **options).double()
    _set(torch, layer, "weight", None if gamma is None else gamma.ravel())
    if centers:
        _set(torch, layer, "bias", None if beta is None else beta.ravel())
    return layer


def _mlp(torch: Any, model: Any) -> Any:
    layers = []
    names = [model.activation] * (len(model.coefs_) - 1) + [model.out_activation_]
    for weights, bias, name in zip(model.coefs_, model.intercepts_, names, strict=True):
        layer = torch.nn.Linear(*weights.shape).double()
        _set(torch, layer, "weight", np.ascontiguousarray(weights.T))
        _set(torch, layer, "bias", bias)
        layers.append(layer)
        if name != "identity":
            options = {"dim": 1} if name == "softmax" else {}
            layers.append(getattr(torch.nn, ACTIVATIONS[name])(**options))
    return torch.nn.Sequential(*layers)


def _set(torch: Any, layer: Any, name: str, values: Array | None) -> None:
    """Set a parameter or buffer of a layer, unless it stays at torch's default."""
    if values is not None:
        with torch.no_grad():
            getattr(layer, name).copy_(torch.from_numpy(np.array(values, dtype=np.float64)))
