"""Count, mean and variance of each group, and what a scaler makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers import state
from sknorm._scalers.group_missing import joined, missing_of
from sknorm._scalers.group_statistics import merged_moments, tiled
from sknorm._scalers.keys import Coded
from sknorm._scalers.moments_of import moments_with_pooled
from sknorm._scalers.plain_state import is_plain
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments
from sknorm._statistics.shrinkage import Prior

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

# Statistics that are computed with at a time: more leave the caches, and take twice as long.
BLOCK = 1 << 15


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

    @classmethod
    def with_pooled(
        cls, pooled: Any, X: Any, channels: Codes | None, n_channels: int, coded: Coded
    ) -> tuple[Self, Moments]:
        """Return the statistics of the groups in an array, and the moments of all of its rows."""
        own, every = moments_with_pooled(
            X, channels, n_channels, (coded.numbers, coded.counts), pooled.n_jobs
        )
        missing = None
        if every.count.sum() != math.prod(X.shape):
            missing = missing_of(X, None, channels, coded.codes, own, n_channels)
        return cls(own, n_channels, pooled._degrees_of_mean(), False, missing), every

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return int(self.moments.table.shape[1]) // self.n_channels

    def merge(self, other: Self, places: Codes, pooled: Any, momentum: float | None = None) -> Self:
        """Return these with those of other groups, of which each has its place among these."""
        moments = merged_moments(self.moments, other.moments, places, self.n_channels, momentum)
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
        gamma, beta = tiled(pooled, self.n_channels, groups.size)
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


class OnePass:
    """The groups of a batch, whose statistics are found on the way to those of all rows.

    The pooled scaler calls it where it would look for its own.
    """

    found: MomentGroups | None = None

    def __init__(self, coded: Coded) -> None:
        self._coded = coded

    def read(self, pooled: Any, X: Any, channels: Codes | None, n_channels: int) -> Moments:
        """Return the moments of all rows."""
        found = MomentGroups.with_pooled(pooled, X, channels, n_channels, self._coded)
        self.found, every = found
        return every


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
