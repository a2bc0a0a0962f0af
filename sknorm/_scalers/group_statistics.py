"""What the statistics of groups have in common, of whatever kind they are.

Each is an immutable value, with the channels of all groups side by side:
``group * n_channels + channel``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers.affine_map import gamma_and_beta
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


class GroupStatistics(Protocol):
    """The statistics of some groups. ``pooled`` is the scaler of all rows."""

    @property
    def n_groups(self) -> int: ...

    @property
    def moments(self) -> Moments:
        """The moments of the values, about their means."""

    @property
    def missing(self) -> Array | None:
        """The number or weight of missing values, None where there are none."""

    def merge(self, other: Self, places: Codes, pooled: Any, momentum: float | None = None) -> Self:
        """Return these with those of other groups, of which each has its place among these."""

    def learned(self, groups: Codes, pooled: Any, shrinkage: Any) -> dict[str, Any]:
        """Return the fitted attributes of some groups, side by side."""

    def affine_map(self, groups: Codes, pooled: Any, shrinkage: Any) -> Affine:
        """Return the map of some groups, side by side; -1 is that of all rows."""


def merged_moments(
    known: Moments, more: Moments, places: Codes, n_channels: int, momentum: float | None
) -> Moments:
    """Return the moments of groups with those of others, which have their places among these."""
    n_new = max(0, (int(places.max()) + 1) * n_channels - known.table.shape[1])
    table = np.concatenate([known.table, Moments.zero(n_new).table], axis=1)
    known = replace(known, table=table)
    columns = channel_places(places, n_channels)
    own = replace(known, table=table[:, columns])
    merged = own.merge(more) if momentum is None else own.decay(more, float(momentum))
    known = known.in_weight_unit(merged.weight_exponent)
    table = known.table.copy()
    table[:, columns] = merged.in_weight_unit(known.weight_exponent).table
    return replace(known, table=table)


def channel_places(groups: Codes, n_channels: int) -> Codes:
    """Return the places of the channels of some groups, among those of all."""
    columns: Codes = (groups[:, None] * n_channels + np.arange(n_channels)).ravel()
    return columns


def tiled(pooled: Any, n_channels: int, n_groups: int) -> tuple[Array | None, Array | None]:
    """Return gamma and beta once for each group, or None where they are 1 and 0."""
    gamma, beta = gamma_and_beta(pooled, n_channels)
    if gamma is None or beta is None:
        return None, None
    return np.tile(gamma, n_groups), np.tile(beta, n_groups)
