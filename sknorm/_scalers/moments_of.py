"""The moments of a batch, per channel, and per channel in each group."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dispatch
from sknorm._backends.protocol import NonFiniteError
from sknorm._scalers.blocks import Codes
from sknorm._statistics.moments import Moments, scale_weights

Array = NDArray[np.float64]
Groups = tuple[Codes, int]


def moments_of(
    X: Any,
    weights: Array | None,
    codes: Codes | None,
    n_channels: int,
    groups: Groups | None,
    n_jobs: int | None,
) -> Moments:
    """Return the moments of each channel; with groups, those of each in each group, side by side.

    ``codes`` are the channels of the features, where they are not runs of the same length, and
    ``groups`` the group of each sample and their number.

    Raises
    ------
    NonFiniteError
        If a value is infinite.
    """
    exponent = 0
    if weights is not None:
        weights, exponent = scale_weights(weights)
    if groups is None:
        moments = dispatch.channel_moments(X, weights, n_jobs)
    else:
        moments = dispatch.group_moments(X, *groups, weights, n_jobs)
    moments = _pooled(moments, codes, n_channels, 1 if groups is None else groups[1], X.shape[1])
    return replace(moments, weight_exponent=exponent) if exponent else moments


def moments_with_pooled(
    X: NDArray[Any],
    codes: Codes | None,
    n_channels: int,
    groups: tuple[Codes, Codes],
    n_jobs: int | None,
) -> tuple[Moments, Moments]:
    """Return the moments of each channel in each group, side by side, and of each in all of them.

    Each value is read once. ``groups`` are numbers, which may have gaps, of the samples' groups,
    and how many samples have each.

    Raises
    ------
    NonFiniteError
        If a value is infinite.
    """
    own, every = dispatch.group_and_pooled_moments(X, *groups, n_jobs)
    n_groups = int(np.count_nonzero(groups[1]))
    return (
        _pooled(own, codes, n_channels, n_groups, X.shape[1]),
        _pooled(every, codes, n_channels, 1, X.shape[1]),
    )


def _pooled(
    moments: Moments, codes: Codes | None, n_channels: int, n_groups: int, n_features: int
) -> Moments:
    """Return the moments of channels, of those of the features of each group."""
    if codes is not None:
        codes = (np.arange(n_groups)[:, None] * n_channels + codes).ravel()
        return moments.pool_by(codes, n_groups * n_channels)
    return moments if n_channels == n_features else moments.pool(n_groups * n_channels)


def finite_moments_of(X: Any, *args: Any) -> Moments:
    """Return what ``moments_of`` does, of the finite values."""
    try:
        return moments_of(X, *args)
    except NonFiniteError:
        return moments_of(dispatch.without_infinity(X), *args)
