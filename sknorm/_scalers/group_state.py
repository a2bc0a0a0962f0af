"""Fitting and applying the statistics of groups: what is below the methods of GroupScaler."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sknorm._backends import dispatch
from sknorm._drift.report import DriftReport
from sknorm._scalers import group_drift, parameters, state, validation
from sknorm._scalers.affine_map import check_invertible
from sknorm._scalers.batch import BatchStatScaler
from sknorm._scalers.channel import ChannelScaler
from sknorm._scalers.frames import is_frame
from sknorm._scalers.group_columns import Parts, join, split, with_groups
from sknorm._scalers.group_drift import NewGroups
from sknorm._scalers.group_statistics import GroupStatistics
from sknorm._scalers.keys import Keys, Numbering, as_list
from sknorm._scalers.merging import MergeMixin
from sknorm._scalers.moment_groups import MomentGroups, OnePass
from sknorm._scalers.quantile_groups import QuantileGroups
from sknorm._scalers.squashing import SquashingScaler
from sknorm._statistics.affine import Affine

Codes = NDArray[np.intp]

# What the scalers learn, of which there is a row per group here.
LEARNED = ("mean_", "var_", "mean_square_", "center_", "scale_", "n_samples_seen_")


class GroupState(MergeMixin):
    """The statistics of groups, and what is done with them."""

    scaler: Any
    by: Any
    unseen: str
    shrinkage: Any
    keep_by: bool
    groups_: NDArray[Any]
    pooled_: Any
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _numbers: Numbering
    _group_statistics: GroupStatistics

    def __getattr__(self, name: str) -> Any:
        known = self.__dict__
        if name in LEARNED and "_group_statistics" in known:
            statistics = known["_group_statistics"]
            everything = np.arange(statistics.n_groups)
            learned = statistics.learned(everything, known["pooled_"], known["shrinkage"])
            if name in learned:
                value = learned[name]
                return None if value is None else value.reshape(statistics.n_groups, -1)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _scaler(self) -> Any:
        return BatchStatScaler() if self.scaler is None else self.scaler

    def _centers(self) -> bool:
        centers: bool = self.pooled_._centers()
        return centers

    def _fitted(self) -> Self:
        """Return a reader of the state, where there is one."""
        reader = state.snapshot(self)
        check_is_fitted(reader)
        reader._check_params()
        return reader

    def _check_params(self) -> None:
        parameters.check_choice("unseen", self.unseen, ("pooled", "error", "nan"))
        parameters.check_flag("keep_by", self.keep_by)
        parameters.check_shrinkage(self.shrinkage)

    def _parts(self, X: Any, groups: Any, *, reset: bool, inverse: bool = False) -> Parts:
        """Return the keys of the rows of X, and its values."""
        if self.by is not None:
            if groups is not None:
                raise ValueError(
                    "by and groups both say which group a row is of. Leave one of them at None."
                )
            return split(self, X, reset=reset, inverse=inverse)
        if groups is None:
            raise ValueError(
                "GroupScaler needs the group of each row. Name the columns that are the key, "
                "GroupScaler(by='site'), or pass groups; in a Pipeline, request that first: "
                ".set_fit_request(groups=True).set_transform_request(groups=True)."
            )
        return with_groups(X, groups)

    def _learn_from(self, X: Any, sample_weight: Any, groups: Any, *, forget: bool) -> Parts:
        """Replace the state by that after one more batch; return the parts of X."""
        prepared = state.draft(self, forget=forget)
        parts = prepared._update(X, sample_weight, groups, forget=forget)
        state.commit(self, vars(prepared))
        return parts

    def _update(self, X: Any, sample_weight: Any, groups: Any, *, forget: bool) -> Parts:
        self._check_params()
        kind = _statistics_class(self._scaler())
        first = not self.__sklearn_is_fitted__()
        parts = self._parts(X, groups, reset=first)
        coded = parts.coded
        keys = coded.keys
        pooled = clone(self._scaler()) if first else state.draft(self.pooled_, forget=False)
        pooled._positions = parts.kept or None
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        if weighted and not forget and not hasattr(pooled, "momentum"):
            raise ValueError(
                "partial_fit of SquashingScaler takes no sample_weight. Use fit, or leave it out."
            )
        pooled._one_pass = one_pass = None
        if kind is MomentGroups and not weighted:
            pooled._one_pass = one_pass = OnePass(coded)
        (pooled.fit if forget else pooled.partial_fit)(parts.values, **weighted)
        batch: Any = None if one_pass is None else one_pass.found
        if batch is None:
            values = _checked(pooled, parts.values)
            codes, weights = coded.codes, validation.check_weights(sample_weight, values.shape[0])
            if weights is not None:
                codes, keys = _of_weight(codes, keys, weights)
            batch = kind.of(pooled, values, weights, codes, len(keys))
        del pooled._positions, pooled._one_pass
        self.pooled_ = pooled
        if not parts.positions:
            self._take_features_of(pooled)
        if first:
            self._set_groups(Numbering(keys), batch)
        else:
            self._add(keys, batch, getattr(pooled, "momentum", None))
        return parts

    def _join(self, parts: list[Any]) -> None:
        """Take over what several scalers have learned, of the same features and settings."""
        self.pooled_ = state.draft(parts[0].pooled_, forget=False)
        self.pooled_.merge(*(part.pooled_ for part in parts[1:]))
        self._set_groups(parts[0]._numbers, parts[0]._group_statistics)
        for part in parts[1:]:
            self._add(list(part._numbers), part._group_statistics, None)

    def _take_over(self, whole: Self) -> None:
        """Take over what another scaler has learned of one more batch."""
        if self.__sklearn_is_fitted__():
            self.merge(whole)
            return
        state.take_over(self, whole)
        self.pooled_ = state.draft(whole.pooled_, forget=False)
        # Its momentum was left out, for the batch.
        self.pooled_.set_params(**self._scaler().get_params(deep=False))

    def _take_features_of(self, pooled: Any) -> None:
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(pooled, name):
                setattr(self, name, getattr(pooled, name))

    def _add(self, keys: Keys, more: Any, momentum: float | None) -> None:
        """Merge the statistics of groups that are known or new."""
        numbers, places = self._numbers.with_more(keys)
        merged = self._group_statistics.merge(more, places, self.pooled_, momentum)
        self._set_groups(numbers, merged)

    def _set_groups(self, numbers: Numbering, statistics: GroupStatistics) -> None:
        self._numbers, self._group_statistics = numbers, statistics
        self.groups_ = numbers.array()

    def _scaled(self, parts: Parts, X: Any) -> Any:
        """Return the values of X scaled, with the keys if those are to be kept."""
        result = self._apply(parts, inverse=False)
        return join(self, result, parts, X) if parts.positions and self.keep_by else result

    def _apply(self, parts: Parts, *, inverse: bool) -> Any:
        """Return the values of some rows, scaled or back in their units."""
        pooled = state.draft(self.pooled_, forget=False)
        pooled._positions = parts.kept or None
        codes, keys = parts.coded.codes, parts.coded.keys
        numbers = self._numbers.of(keys)
        values = _checked(pooled, parts.values, inverse=inverse)
        if sparse.issparse(values):
            pooled._refuse_sparse()
        affine_map = self._map_of(numbers, keys, codes, sparse.issparse(values))
        if inverse:
            check_invertible(affine_map)
        n_channels = affine_map.shift.size // len(keys)
        channels, _ = pooled._channels_of(values)
        if channels is None:
            channels = np.repeat(np.arange(n_channels), values.shape[1] // n_channels)
        rows = affine_map.by_row(np.arange(len(keys))[:, None] * n_channels + channels)

        def scale(flat: Any, index: tuple[Codes, ...]) -> Any:
            own = rows.map(lambda table: dispatch.entries(table, index))
            return pooled._map(flat, own, True, inverse=inverse)

        copy = pooled.copy or bool(parts.positions)
        with validation.locate_nonfinite(pooled, values):
            return dispatch.by_group(values, codes, scale, copy=copy)

    def _new_data(self, X: Any, sample_weight: Any, groups: Any = None) -> NewGroups:
        """Return what a comparison with the training data needs to know of X."""
        parts = self._parts(X, groups, reset=False)
        pooled = state.draft(self.pooled_, forget=False)
        pooled._positions = parts.kept or None
        values = _checked(pooled, parts.values)
        return group_drift.read(self, pooled, parts, values, sample_weight)

    def _drift_of(self, new: NewGroups, settings: tuple[float, float]) -> DriftReport:
        """Return the report on new data."""
        return group_drift.report(self, new, settings)

    def _map_of(self, numbers: Codes, keys: Keys, codes: Codes, is_sparse: bool) -> Affine:
        """Return the map of some groups, side by side, by the policy for those not seen."""
        unseen = numbers < 0
        if unseen.any() and self.unseen != "pooled":
            which = int(np.argmax(unseen))
            row, key = int(np.argmax(codes == which)), as_list(keys)[which]
            if self.unseen == "error":
                raise ValueError(
                    f"Row {row} is of group {key!r}, which was not in fit. Use unseen='pooled' to "
                    "scale such rows with the statistics of all rows, or 'nan'."
                )
            if is_sparse:
                raise ValueError(
                    f"Row {row} is of group {key!r}, which was not in fit: with unseen='nan', all "
                    "of its values, zeros too, would be NaN, and X no longer sparse. Use 'pooled'."
                )
        statistics = self._group_statistics
        affine_map = statistics.affine_map(numbers, self.pooled_, self.shrinkage)
        if self.unseen == "nan" and unseen.any():
            lost = np.repeat(unseen, affine_map.scale.size // unseen.size)
            return replace(affine_map, scale=np.where(lost, np.nan, affine_map.scale))
        return affine_map

    def _scaler_of(self, number: int) -> Any:
        scaler = state.draft(self.pooled_, forget=False)
        for name in ("_moments", "_sketches", "_training"):
            scaler.__dict__.pop(name, None)
        group = np.array([number])
        learned = self._group_statistics.learned(group, self.pooled_, self.shrinkage)
        for name, value in learned.items():
            setattr(scaler, name, value)
        counts = learned["n_samples_seen_"]
        if (counts == counts[0]).all():
            scaler.n_samples_seen_ = counts[0].item()
        return scaler


def _of_weight(codes: Codes, keys: Keys, weights: NDArray[np.float64]) -> tuple[Codes, Keys]:
    """Return the codes and keys without the groups whose rows all have the weight 0."""
    there = np.zeros(len(keys), dtype=bool)
    there[codes[weights > 0]] = True
    place = np.where(there, np.cumsum(there) - 1, 0)
    if isinstance(keys, np.ndarray):
        return place[codes], keys[there]
    return place[codes], [key for key, is_there in zip(keys, there, strict=True) if is_there]


def _checked(pooled: Any, values: Any, *, inverse: bool = False) -> Any:
    """Return values as the scaler takes them: numbers, and each of a sparse array once.

    With ``inverse``, they are results, whose names may be those of ``set_output``.
    """
    reader = pooled
    if not is_frame(values) and hasattr(pooled, "feature_names_in_"):
        reader = state.draft(pooled, forget=False)
        del reader.feature_names_in_
    if inverse:
        values = validation.check_output(reader, values)
    else:
        values = validation.check_input(reader, values, reset=False)
    return dispatch.without_duplicates(values) if sparse.issparse(values) else values


def _statistics_class(scaler: Any) -> type[MomentGroups] | type[QuantileGroups]:
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
