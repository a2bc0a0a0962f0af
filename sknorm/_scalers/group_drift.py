"""Comparing new data with what a GroupScaler was fitted on, group by group."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._drift.report import DriftReport
from sknorm._scalers import drift, validation
from sknorm._scalers.drift_check import NewData, labels_of, worth_of_training
from sknorm._scalers.frames import objects
from sknorm._scalers.group_columns import Parts, positions
from sknorm._scalers.group_missing import missing_of, of_some
from sknorm._scalers.keys import as_list
from sknorm._statistics.moments import Moments, scale_weights
from sknorm._statistics.training import Training

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class NewGroups:
    """What a comparison needs to know of new data: of each group that was in fit, side by side.

    ``groups`` are the numbers of these in fit, ascending, and ``unseen`` the keys of the others.
    """

    groups: Codes
    data: NewData
    unseen: tuple[Hashable, ...]
    n_channels: int

    def merge(self, other: NewGroups) -> NewGroups:
        """Return the same of all rows of both."""
        groups = np.union1d(self.groups, other.groups)
        data = self._among(groups).merge(other._among(groups))
        unseen = tuple(dict.fromkeys(self.unseen + other.unseen))
        return NewGroups(groups, data, unseen, self.n_channels)

    def _among(self, groups: Codes) -> NewData:
        """Return what is known of more groups, of which the others have no values."""
        own = np.repeat(np.isin(groups, self.groups), self.n_channels)
        moments, training = self.data.moments, self.data.training
        table = Moments.zero(own.size).table
        table[:, own] = moments.table
        kept = np.repeat([[np.inf], [-np.inf], [0.0], [0.0]], own.size, axis=1)
        kept[:, own] = training.table
        outside = np.zeros(own.size)
        outside[own] = self.data.outside
        return NewData(replace(moments, table=table), Training(kept), outside)


def read(scaler: Any, pooled: Any, parts: Parts, values: Any, sample_weight: Any) -> NewGroups:
    """Return what a comparison needs to know of new data, whose values are checked."""
    codes, keys = parts.coded.codes, parts.coded.keys
    weights = validation.check_weights(sample_weight, values.shape[0])
    numbers = scaler._numbers.of(keys)
    known = np.flatnonzero(numbers >= 0)
    known = known[np.argsort(numbers[known])]
    channels, n_channels = pooled._channels_of(values)
    with validation.locate_nonfinite(pooled, values):
        every = pooled._raw_moments(values, weights, channels, n_channels, (codes, len(keys)))
    missing = missing_of(values, weights, channels, codes, every, n_channels)
    moments, lost = every.columns_of(known, n_channels), of_some(missing, known, n_channels)
    scaled = None if weights is None else scale_weights(weights)[0]
    training = drift.of_groups(moments, lost, drift.worth_of(scaled))
    before = _before(scaler, numbers[known], n_channels)[1]
    features = pooled._channel_of_each_feature()
    channel_of = np.full((len(keys), features.size), -1)
    channel_of[known] = np.arange(known.size)[:, None] * n_channels + features
    outside = drift.outside(values, before, moments.count, channel_of, codes, weights)
    unseen = tuple(as_list(keys)[k] for k in np.flatnonzero(numbers < 0))
    return NewGroups(numbers[known], NewData(moments, training, outside), unseen, n_channels)


def report(scaler: Any, new: NewGroups, settings: tuple[float, float]) -> DriftReport:
    """Return the report on new data.

    Raises
    ------
    ValueError
        If it has no group that was in fit.
    """
    if not new.groups.size:
        raise ValueError("X has no group that was in fit, so there is nothing to compare with.")
    keys = list(scaler._numbers)
    places = [] if scaler.by is None else positions(scaler, scaler.n_features_in_)[1]
    names = labels_of(scaler.pooled_, new.n_channels, places)
    labels = {
        "group": objects([key for g in new.groups for key in [keys[g]] * new.n_channels]),
        "feature": np.tile(names, new.groups.size),
    }
    data = new.data
    share = drift.share_of(data.outside, data.moments.count)
    before = _before(scaler, new.groups, new.n_channels)
    after = data.moments, data.training
    return drift.report(before, after, share, labels, settings, list(new.unseen))


def _before(scaler: Any, groups: Codes, n_channels: int) -> drift.Sample:
    """Return what is known of the training data of some groups."""
    statistics = scaler._group_statistics
    moments = statistics.moments.columns_of(groups, n_channels)
    missing = of_some(statistics.missing, groups, n_channels)
    worth = worth_of_training(scaler.pooled_, n_channels, moments.weight_exponent)
    return moments, drift.of_groups(moments, missing, worth)
