"""Median and divisor of each group, and what a scaler makes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dispatch
from sknorm._scalers import state
from sknorm._scalers.group_missing import joined, missing_of
from sknorm._scalers.group_statistics import channel_places, merged_moments, tiled
from sknorm._scalers.plain_state import is_plain
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments
from sknorm._statistics.shrinkage import QuantilePrior
from sknorm._statistics.sketches import Sketches

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@is_plain
@dataclass(frozen=True, eq=False)
class QuantileGroups:
    """Median and divisor per channel and group; sketches of the values where they were streamed."""

    count: NDArray[np.int64]
    center: Array
    scale: Array
    flat: NDArray[np.bool_]  # where both quantiles are one value
    n_channels: int
    moments: Moments  # of the finite values, for check_drift
    sketches: NDArray[np.uint8] | None = None
    missing: Array | None = None  # likewise, with infinite ones

    @classmethod
    def of(cls, pooled: Any, X: Any, weights: Array | None, codes: Codes, n_groups: int) -> Self:
        """Return the statistics of the groups in X."""
        channels, n_channels = pooled._channels_of(X)
        moments = pooled._raw_moments(X, weights, channels, n_channels, (codes, n_groups))
        missing = missing_of(X, weights, channels, codes, moments, n_channels)
        if channels is None:
            channels = np.repeat(np.arange(n_channels), X.shape[1] // n_channels)
        if getattr(pooled, "_sketches", None) is not None:
            values = dispatch.values_by_group(X, codes, n_groups, channels, n_channels)
            sketches = Sketches.of(values)
            return cls._of_sketches(pooled, sketches, n_channels, moments, missing)
        found, extent = dispatch.quantiles_by_group(
            X, pooled._levels(), codes, n_groups, channels, n_channels, weights
        )
        own = cls._of(pooled, found.count, found.values, extent, n_channels, moments)
        return replace(own, missing=missing)

    @classmethod
    def _of_sketches(
        cls,
        pooled: Any,
        sketches: Sketches,
        n_channels: int,
        moments: Moments,
        missing: Array | None,
    ) -> Self:
        found = cls._of(pooled, *sketches.summary(pooled._levels()), n_channels, moments)
        return replace(found, sketches=sketches.packed, missing=missing)

    @classmethod
    def _of(
        cls,
        pooled: Any,
        count: Any,
        values: Array,
        extent: Array,
        n_channels: int,
        moments: Moments,
    ) -> Self:
        scale = pooled._divisors(values, lambda flat: extent[:, flat])
        flat = ~(values[2] > values[1])
        return cls(count, values[0] + 0.0, scale, flat, n_channels, moments)

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return self.center.size // self.n_channels

    def merge(self, other: Self, places: Codes, pooled: Any, momentum: float | None = None) -> Self:
        """Return these with those of other groups, of which each has its place among these."""
        if self.sketches is None or other.sketches is None:
            raise ValueError(
                "This GroupScaler was fitted by fit, which keeps no sketches of quantiles to go on "
                "from. Fit it by partial_fit, also on the first batch."
            )
        size = max(self.n_groups, int(places.max()) + 1) * self.n_channels
        columns = channel_places(places, self.n_channels)
        merged = Sketches(self.sketches).merge_into(Sketches(other.sketches), columns, size)
        moments = merged_moments(self.moments, other.moments, places, self.n_channels, None)
        missing = joined(self.missing, other.missing, places, self.n_channels, size)
        return type(self)._of_sketches(pooled, merged, self.n_channels, moments, missing)

    def learned(self, groups: Codes, pooled: Any, shrinkage: Any) -> dict[str, Any]:
        """Return the fitted attributes of some groups, side by side."""
        center, scale = self._final(groups, pooled, shrinkage)
        return {
            "center_": center if pooled._centers() else None,
            "scale_": scale if pooled.with_scaling else None,
            "n_samples_seen_": self._take(groups)[0],
        }

    def affine_map(self, groups: Codes, pooled: Any, shrinkage: Any) -> Affine:
        """Return the map of some groups, side by side; -1 is that of all rows."""
        center, scale = self._final(groups, pooled, shrinkage)
        if not pooled._centers():
            center = np.zeros_like(center)
        if not pooled.with_scaling:
            scale = np.ones_like(scale)
        gamma, beta = tiled(pooled, self.n_channels, groups.size)
        return Affine(center, scale, gamma, beta).in_safe_units()

    @cached_property
    def prior(self) -> QuantilePrior:
        """What the groups tell of a new one."""
        return QuantilePrior.of(*self._tables())

    def _tables(self) -> tuple[Any, Any, Any, Any]:
        """Return counts, centers, divisors and where both quantiles are one, a row per group."""
        shape = -1, self.n_channels
        count, center = self.count.reshape(shape), self.center.reshape(shape)
        return count, center, self.scale.reshape(shape), self.flat.reshape(shape)

    def _take(self, groups: Codes) -> tuple[Any, Any, Any, Any]:
        count, center, scale, flat = (table[groups].ravel() for table in self._tables())
        return count, center, scale, flat

    def _final(self, groups: Codes, pooled: Any, shrinkage: Any) -> tuple[Array, Array]:
        """Return the centers and divisors of some groups."""
        count, center, scale, flat = self._take(groups)
        all_center, all_scale = _statistics_of(pooled, self.n_channels, groups.size)
        if shrinkage == "auto":
            center, scale = self.prior.apply(count, center, scale, flat)
        elif shrinkage != "none":
            center = _mixed(count, center, float(shrinkage), all_center)
            known = np.where(flat | (count == 0), 0, count)
            drawn = _mixed(known, scale, float(shrinkage), all_scale)
            scale = np.where(np.isfinite(drawn), drawn, scale)
        is_pooled = np.repeat(groups < 0, self.n_channels)
        return np.where(is_pooled, all_center, center), np.where(is_pooled, all_scale, scale)


def _statistics_of(pooled: Any, n_channels: int, n_times: int) -> tuple[Array, Array]:
    """Return the median and the divisor of all rows, once for each group."""
    plain = state.draft(pooled, forget=False)
    plain.gamma = plain.beta = None
    affine_map = plain._affine(n_channels).tile(n_times)
    return affine_map.shift, affine_map.scale


def _mixed(count: Array, own: Array, more: float, others: Array) -> Array:
    """Return the mean of own values, as many as there are, and of others."""
    share = np.where(count > 0, count / (count + more) if more else 1.0, 0.0)
    with np.errstate(invalid="ignore"):
        mixed: Array = own * share + others * (1.0 - share)
    return np.where(share == 0.0, others, np.where(share == 1.0, own, mixed))
