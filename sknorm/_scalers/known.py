"""Scalers made from statistics that are known already, not from data."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sknorm._scalers.parameters import real_numbers
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]


def statistics(named: dict[str, Any], n_channels: Any) -> dict[str, Any]:
    """Return statistics as float64 arrays of one length, a number serving for all channels.

    Names say what must hold: ``mean`` is finite, ``scale`` above 0, all others are at least 0.
    """
    arrays = {name: _numbers(name, value) for name, value in named.items() if value is not None}
    lengths = {name: array.size for name, array in arrays.items() if array.ndim}
    if n_channels is not None:
        lengths = {"n_channels": int(n_channels)} | lengths
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(
            f"Statistics must have one value per feature each, but lengths are {said}."
        )
    length = next(iter(lengths.values()), 1)
    return {
        name: None if value is None else np.broadcast_to(arrays[name], (length,)).copy()
        for name, value in named.items()
    }


def _numbers(name: str, value: Any) -> Array:
    array = real_numbers(name, value)
    if array.ndim > 1 or array.size == 0:
        raise ValueError(
            f"{name} must be a number or have one value per feature, got shape {array.shape}."
        )
    bad = ~np.isfinite(array)
    wanted = "finite"
    if name == "scale":
        bad, wanted = bad | (array <= 0), "finite and above 0: it is what values are divided by"
    elif name != "mean":
        bad, wanted = bad | (array < 0), "finite and at least 0"
    if bad.any():
        place = int(np.argmax(bad))
        where = f" for feature {place}" if array.ndim else ""
        raise ValueError(f"{name} is {array.ravel()[place]}{where}. It must be {wanted}.")
    return array


def divisors(scaler: Any, mean: Array, square: Array) -> Array:
    """Return what a scaler divides by where the mean and the variance are known."""
    moments = Moments.from_var(np.ones_like(square), mean, square)
    found: Array = scaler._divisors(moments, scaler.eps, 0.0)
    return found


def square_of(scale: Array) -> Array:
    """Return the square of a scale; inf where it exceeds the largest number."""
    with np.errstate(over="ignore", under="ignore"):
        square: Array = scale * scale
    return square


def set_features(scaler: Any, n_channels: int, feature_names: Any) -> None:
    """Set the number of features and their names, as fit does."""
    flattened = scaler.n_channels is not None or scaler.channels is not None
    if feature_names is None:
        if not flattened:
            scaler.n_features_in_ = n_channels
        return
    names = np.asarray(list(feature_names), dtype=object)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < names.size:
        raise ValueError("feature_names must be strings, each given once.")
    if not flattened and names.size != n_channels:
        raise ValueError(
            f"feature_names has {names.size} names, but there are statistics of {n_channels} "
            "features."
        )
    scaler.n_features_in_, scaler.feature_names_in_ = int(names.size), names


def set_count(scaler: Any, n_samples: Array | None) -> None:
    """Set the number of values seen, where it is known: as fit does, one number if it is one."""
    if n_samples is None:
        return
    whole = np.array_equal(n_samples, np.rint(n_samples))
    counts = n_samples.astype(np.int64) if whole else n_samples
    scaler.n_samples_seen_ = counts[0].item() if (counts == counts[0]).all() else counts


def read_estimator(estimator: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the parameters, the attributes and the features that another's state stands for."""
    for names, read in READERS:
        # Scalers with a gamma are ours, of which a squash or a gamma would be lost.
        if all(hasattr(estimator, name) for name in names) and not hasattr(estimator, "gamma"):
            return read(estimator)
    if not isinstance(estimator, type) and hasattr(estimator, "fit"):
        check_is_fitted(estimator)
    raise TypeError(
        f"Cannot take statistics from a {type(estimator).__name__}: it is no fitted "
        "StandardScaler, RobustScaler or torch.nn.BatchNorm. Pass them to from_statistics."
    )


def read_layer(layer: Any) -> dict[str, Any]:
    """Return the parameters that a layer of torch, which normalizes each sample, stands for."""
    if hasattr(layer, "num_groups"):  # GroupNorm
        params: dict[str, Any] = {"n_groups": int(layer.num_groups)}
    elif hasattr(layer, "num_features") and hasattr(layer, "track_running_stats"):
        if layer.track_running_stats or "Instance" not in type(layer).__name__:
            raise TypeError(
                f"A {type(layer).__name__} with running statistics is no layer of one sample's. "
                "Use BatchStatScaler.from_estimator."
            )
        params = {"n_groups": int(layer.num_features)}
    elif hasattr(layer, "normalized_shape"):  # LayerNorm, and RMSNorm, which has no bias
        params = {} if hasattr(layer, "bias") else {"with_mean": False}
    else:
        raise TypeError(
            f"A {type(layer).__name__} is none of torch's LayerNorm, GroupNorm, InstanceNorm and "
            "RMSNorm."
        )
    eps = layer.eps  # RMSNorm has None for the smallest distance of its dtype
    params["eps"] = _epsilon_of(layer) if eps is None else float(eps)
    for ours, theirs in (("gamma", "weight"), ("beta", "bias")):
        values = getattr(layer, theirs, None)
        if values is not None:
            params[ours] = _from_tensor(values)
    return params


def _epsilon_of(layer: Any) -> float:
    name = str(layer.weight.dtype) if layer.weight is not None else "float32"
    return float(np.finfo(name.rpartition(".")[2]).eps)


def _features_of(estimator: Any) -> dict[str, Any]:
    known = ("n_features_in_", "feature_names_in_")
    return {name: getattr(estimator, name) for name in known if hasattr(estimator, name)}


def _copies(estimator: Any, *names: str) -> dict[str, Any]:
    return {
        name: None if getattr(estimator, name) is None else np.array(getattr(estimator, name))
        for name in names
    }


def _standard_scaler(scaler: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    params = {"with_mean": bool(scaler.with_mean), "with_std": bool(scaler.with_std)}
    learned = _copies(scaler, "mean_", "var_", "scale_", "n_samples_seen_")
    seen = learned["n_samples_seen_"]
    learned["n_samples_seen_"] = seen.item() if seen.ndim == 0 else seen
    return params, learned, _features_of(scaler)


def _robust_scaler(scaler: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    params = {"with_mean": bool(scaler.with_centering), "with_std": bool(scaler.with_scaling)}
    learned = _copies(scaler, "center_", "scale_")
    learned = {"mean_": learned["center_"], "var_": None, "scale_": learned["scale_"]}
    return params, learned, _features_of(scaler)


def _torch_batch_norm(layer: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    if layer.running_mean is None:
        raise ValueError(
            f"This {type(layer).__name__} has no running statistics (track_running_stats=False)."
        )
    mean, var = _from_tensor(layer.running_mean), _from_tensor(layer.running_var)
    momentum = layer.momentum if isinstance(layer.momentum, Real) else None
    eps = float(layer.eps)
    params: dict[str, Any] = {"with_mean": True, "eps": eps, "momentum": momentum}
    for ours, theirs in (("gamma", "weight"), ("beta", "bias")):
        values = getattr(layer, theirs, None)
        params[ours] = None if values is None else _from_tensor(values)
    learned = {"mean_": mean, "var_": var, "scale_": np.sqrt(var + eps)}
    return params, learned, {"n_features_in_": mean.size}


def _from_tensor(values: Any) -> Array:
    return np.array(values.detach().cpu().tolist(), dtype=np.float64)


READERS = (
    (("running_mean", "running_var", "eps"), _torch_batch_norm),
    (("center_", "scale_", "with_centering"), _robust_scaler),
    (("mean_", "var_", "scale_", "n_samples_seen_", "with_mean"), _standard_scaler),
)
