"""The statistics of each group that GroupScaler keeps, and what its scaler makes of them.

There is a class per kind of statistics. Each is an immutable value, with the channels of all groups
side by side: ``group * n_channels + channel``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dispatch
from sknorm._scalers import state
from sknorm._scalers.affine_map import gamma_and_beta
from sknorm._scalers.channel import ChannelScaler
from sknorm._scalers.group_missing import joined, missing_of
from sknorm._scalers.plain_state import is_plain
from sknorm._scalers.squashing import SquashingScaler
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments
from sknorm._statistics.shrinkage import Prior, QuantilePrior
from sknorm._statistics.sketches import Sketches

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

# Statistics that are computed with at a time: more leave the caches, and take twice as long.
BLOCK = 1 << 15


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


@is_plain
@dataclass(frozen=True, eq=False)
class MomentGroups:
    """Count, mean and variance per channel and group."""

    moments: Moments
    n_channels: int
    lost: float
    weighted: bool
    missing: Array | None = None

    @classmethod
    def of(cls, pooled: Any, X: Any, weights: Array | None, codes: Codes, n_groups: int) -> Self:
        """Return the statistics of the groups in X."""
        channels, n_channels = pooled._channels_of(X)
        moments = pooled._raw_moments(X, weights, channels, n_channels, (codes, n_groups))
        missing = missing_of(X, weights, channels, codes, moments, n_channels)
        return cls(moments, n_channels, pooled._degrees_of_mean(), weights is not None, missing)

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return int(self.moments.table.shape[1]) // self.n_channels

    def merge(self, other: Self, places: Codes, pooled: Any, momentum: float | None = None) -> Self:
        """Return these with those of other groups, of which each has its place among these."""
        moments = _merged(self.moments, other.moments, places, self.n_channels, momentum)
        size = moments.table.shape[1]
        missing = joined(self.missing, other.missing, places, self.n_channels, size)
        weighted = self.weighted or other.weighted
        return replace(self, moments=moments, weighted=weighted, missing=missing)

    def learned(self, groups: Codes, pooled: Any, shrinkage: Any) -> dict[str, Any]:
        """Return the fitted attributes of some groups, side by side."""
        parts = [self._learned(piece, pooled, shrinkage) for piece in self._pieces(groups)]
        return {
            name: None if value is None else np.concatenate([part[name] for part in parts])
            for name, value in parts[0].items()
        }

    def _learned(self, groups: Codes, pooled: Any, shrinkage: Any) -> dict[str, Any]:
        count = self._take(groups, pooled).count
        counts = count if self.weighted else np.rint(count).astype(np.int64)
        final = self._final(groups, pooled, shrinkage)
        return {**_biased(pooled)._learn(final), "n_samples_seen_": counts}

    def _pieces(self, groups: Codes) -> list[Codes]:
        """Return groups in pieces whose statistics stay in a cache."""
        size = max(1, BLOCK // self.n_channels)
        return [groups[first : first + size] for first in range(0, groups.size, size)]

    def affine_map(self, groups: Codes, pooled: Any, shrinkage: Any) -> Affine:
        """Return the map of some groups, side by side; -1 is that of all rows."""
        return Affine.side_by_side(
            [self._affine_map(piece, pooled, shrinkage) for piece in self._pieces(groups)]
        )

    def _affine_map(self, groups: Codes, pooled: Any, shrinkage: Any) -> Affine:
        final = self._final(groups, pooled, shrinkage)
        exponent = final.exponent
        gamma, beta = _tiled(pooled, self.n_channels, groups.size)
        shift = final.unit_mean if pooled._centers() else np.zeros(exponent.size)
        if pooled._scales():
            scale = _biased(pooled)._scale(final, pooled.eps, 0.0)
        else:
            scale = np.ldexp(1.0, -exponent)
        return Affine(shift, scale, gamma, beta, exponent if exponent.any() else None)

    @cached_property
    def prior(self) -> Prior:
        """What the groups tell of a new one."""
        return Prior.of(self._read(self.moments), self.n_channels, self.lost)

    def _read(self, moments: Moments) -> Moments:
        """Return moments about what the scaler takes them."""
        return moments if self.lost else moments.about_zero()

    def _take(self, groups: Codes, pooled: Any) -> Moments:
        """Return the moments of some groups, and of all rows where a group is -1."""
        own = self.moments.columns_of(groups, self.n_channels)
        if (groups < 0).any():
            everything = pooled._known_moments(self.n_channels)
            everything = everything.in_weight_unit(self.moments.weight_exponent)
            own.by_group(self.n_channels)[:, groups < 0] = everything.table[:, None]
        return own

    def _final(self, groups: Codes, pooled: Any, shrinkage: Any) -> Moments:
        """Return the moments that some groups are scaled with: m2 is the variance x the count."""
        ddof = pooled._lost_degrees()
        own = self._read(self._take(groups, pooled))
        if shrinkage == "auto":
            drawn = self.prior.apply(own, ddof)
        elif shrinkage == "none":
            return _with_ddof(own, ddof)
        else:
            everything = pooled._known_moments(self.n_channels).with_count(float(shrinkage))
            drawn = _with_ddof(own.merge(everything.tile(groups.size)), ddof)
        if not (groups < 0).any():
            return drawn
        is_pooled = np.repeat(groups < 0, self.n_channels)
        return Moments(np.where(is_pooled, _with_ddof(own, ddof).table, drawn.table))


def _merged(
    known: Moments, more: Moments, places: Codes, n_channels: int, momentum: float | None
) -> Moments:
    """Return the moments of groups with those of others, which have their places among these."""
    n_new = max(0, (int(places.max()) + 1) * n_channels - known.table.shape[1])
    table = np.concatenate([known.table, Moments.zero(n_new).table], axis=1)
    known = replace(known, table=table)
    columns = _columns(places, n_channels)
    own = replace(known, table=table[:, columns])
    merged = own.merge(more) if momentum is None else own.decay(more, float(momentum))
    known = known.in_weight_unit(merged.weight_exponent)
    table = known.table.copy()
    table[:, columns] = merged.in_weight_unit(known.weight_exponent).table
    return replace(known, table=table)


def _columns(groups: Codes, n_channels: int) -> Codes:
    """Return the places of the channels of some groups, among those of all."""
    columns: Codes = (groups[:, None] * n_channels + np.arange(n_channels)).ravel()
    return columns


def _with_ddof(moments: Moments, ddof: float) -> Moments:
    """Return moments whose biased variance is that with these degrees of freedom."""
    if ddof == 0:
        return moments
    table = moments.table.copy()
    table[4] = np.nan_to_num(moments.unit_var_of(ddof)) * table[0]
    return replace(moments, table=table)


def _biased(pooled: Any) -> Any:
    """Return the scaler for variances that are final already."""
    scaler = state.draft(pooled, forget=False)
    if hasattr(scaler, "ddof"):
        scaler.ddof = 0.0
    return scaler


def _tiled(pooled: Any, n_channels: int, n_groups: int) -> tuple[Array | None, Array | None]:
    gamma, beta = gamma_and_beta(pooled, n_channels)
    if gamma is None or beta is None:
        return None, None
    return np.tile(gamma, n_groups), np.tile(beta, n_groups)


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
        columns = _columns(places, self.n_channels)
        merged = Sketches(self.sketches).merge_into(Sketches(other.sketches), columns, size)
        moments = _merged(self.moments, other.moments, places, self.n_channels, None)
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
        return Affine(center, scale, *_tiled(pooled, self.n_channels, groups.size))

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


def statistics_class(scaler: Any) -> type[MomentGroups] | type[QuantileGroups]:
    """Return the class of the statistics that a scaler learns.

    Raises
    ------
    TypeError
        If the scaler has no statistics of features.
    """
    if isinstance(scaler, ChannelScaler):
        return MomentGroups
    if isinstance(scaler, SquashingScaler):
        return QuantileGroups
    raise TypeError(
        "scaler must be a BatchStatScaler, PowerNormScaler or SquashingScaler, whose statistics "
        f"differ by group, got {scaler!r}."
    )
