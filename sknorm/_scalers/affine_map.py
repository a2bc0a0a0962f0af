"""The map that a fitted scaler's attributes and parameters stand for."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers import parameters, state
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]


def gamma_and_beta(scaler: Any, n_channels: int) -> tuple[Array | None, Array | None]:
    """Return gamma and beta, one per channel, or None where they are 1 and 0."""
    if scaler.gamma is None and scaler.beta is None:
        return None, None
    shapes: list[tuple[int, ...]] = [(n_channels,)]
    gamma = parameters.check_affine("gamma", scaler.gamma, 1.0, shapes)
    return gamma, parameters.check_affine("beta", scaler.beta, 0.0, shapes)


def check_invertible(affine_map: Affine) -> None:
    """Refuse a map that sends all values of a channel to one."""
    if affine_map.gamma is not None and not affine_map.gamma.all():
        channel = int(np.argmin(np.abs(affine_map.gamma)))
        raise ValueError(
            f"gamma is 0 for channel {channel}, so the input cannot be recovered. "
            "inverse_transform needs gamma != 0."
        )


def affine_of(scaler: Any, n_channels: int) -> Affine:
    """Return the map that transform applies.

    The public attributes count. Those of channels in a unit of their own, which float64 cannot
    hold, are found again from the moments where the two agree.
    """
    centers, scales = scaler._centers(), scaler._scales()
    gamma, beta = gamma_and_beta(scaler, n_channels)
    shift = state.read_attribute(scaler, "mean_", n_channels) if centers else np.zeros(n_channels)
    scale = state.read_attribute(scaler, "scale_", n_channels) if scales else np.ones(n_channels)
    eps, ddof = getattr(scaler, "_eps", scaler.eps), scaler._known_ddof()
    is_same = eps == scaler.eps and ddof == scaler._lost_degrees()
    stored = scaler._stored()
    in_unit = stored is not None and stored.shape == (8, n_channels)
    if not in_unit and is_same:
        return Affine(shift, scale, gamma, beta).in_safe_units()
    moments = scaler._known_moments(n_channels)
    exponent = moments.exponent
    with np.errstate(all="ignore"):
        unit_scale = scaler._scale(moments, eps, ddof) if scales else np.ldexp(1.0, -exponent)
        agrees = scale == np.ldexp(unit_scale, exponent)
        if not is_same and scales and _is_stale(scaler, agrees, unit_scale, moments):
            _refuse_stale(scaler, eps, ddof)
        if not exponent.any():
            return Affine(shift, scale, gamma, beta).in_safe_units()
        unit_scale = np.where(agrees, unit_scale, np.ldexp(scale, -exponent))
        unit_shift = moments.unit_mean if centers else shift
    return Affine(unit_shift, unit_scale, gamma, beta, exponent)


def _is_stale(scaler: Any, agrees: NDArray[np.bool_], unit_scale: Array, moments: Moments) -> bool:
    """Tell whether a divisor is that of earlier parameters, and differs from what it would be."""
    present = scaler._scale(moments, scaler.eps, scaler._lost_degrees())
    return bool((agrees & (unit_scale != present)).any())


def _refuse_stale(scaler: Any, eps: float, ddof: float) -> NoReturn:
    name, now, before = "eps", scaler.eps, eps
    if eps == scaler.eps:
        name, now, before = "ddof", scaler._lost_degrees(), ddof
    raise ValueError(
        f"{name} is {now}, but scale_ is that of {name}={before}. Fit again, or set scale_."
    )
