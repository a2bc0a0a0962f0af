"""The method ``check_drift`` of the scalers with statistics per channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._backends.frame_columns import FrameColumns
from sknorm._compat import as_numpy
from sknorm._drift.report import DriftReport
from sknorm._scalers import drift, parameters, state, validation
from sknorm._scalers.blocks import Codes
from sknorm._scalers.drift import Sample
from sknorm._scalers.moments_of import Groups, moments_of
from sknorm._sources.learning import Reader
from sknorm._statistics.moments import Moments, scale_weights
from sknorm._statistics.training import Training

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NewData:
    """What a comparison needs to know of new data, per channel.

    ``outside`` is the number of values outside the training range, NaN where that is not known.
    """

    moments: Moments
    training: Training
    outside: Array

    def merge(self, other: NewData) -> NewData:
        """Return the same of all rows of both."""
        counts = self.moments.count, other.moments.count
        return NewData(
            self.moments.merge(other.moments),
            self.training.merge(other.training, *counts),
            self.outside + other.outside,
        )


@dataclass(frozen=True)
class DriftReader(Reader):
    """What looks at parts of new data, by a fitted scaler."""

    scaler: Any

    def read(self, so_far: Any, block: Any, sample_weight: Any) -> Any:
        """Return what is known after one more block."""
        new = self.scaler._new_data(block, sample_weight)
        return new if so_far is None else so_far.merge(new)

    def join(self, known: list[Any]) -> Any:
        """Return what is known of several parts."""
        return reduce(lambda a, b: a.merge(b), known)


class DriftMixin:
    """Tell whether new data is still what a scaler was fitted on.

    Scalers say how the moments of a batch are found (``_moments_of``), and whether those are their
    statistics (``_learns_moments``) or have to be kept beside them.
    """

    _learns_moments = True
    _moments_of: Callable[..., Moments] = staticmethod(moments_of)
    _training: Array
    n_jobs: int | None

    def check_drift(
        self,
        X: Any,
        sample_weight: Any = None,
        *,
        alpha: float = 0.05,
        threshold: float = 0.2,
    ) -> DriftReport:
        """Compare new data with what the scaler was fitted on.

        Nothing of the training data is kept for this but its number, moments and range. Per
        feature, the means, the standard deviations and the shares of missing values are compared.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            New data.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples; None gives each the weight 1.
        alpha : float, default=0.05
            The rate of false alarms: the chance that any feature gets a verdict although nothing
            has changed, however many features there are.
        threshold : float, default=0.2
            The smallest change that gets a verdict: a shift of the mean by this many standard
            deviations of the training data, or a standard deviation that differs by the factor
            ``exp(threshold)``. Scaled values are off by that much then; 0.2 is what is called a
            small effect [1]_.

        Returns
        -------
        report : DriftReport
            The table, one row per feature (per channel where features share one).

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            If X does not fit, or the scaler does not know how many values it was fitted on.

        References
        ----------
        .. [1] J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd edition (1988).
        """
        reader: Any = self._fitted()  # type: ignore[attr-defined]
        parameters.check_drift_settings(alpha, threshold)
        report: DriftReport = reader._drift_of(
            reader._new_data(X, sample_weight), (alpha, threshold)
        )
        return report

    def _new_data(self, X: Any, sample_weight: Any) -> NewData:
        """Return what a comparison needs to know of new data."""
        reader: Any = self
        X, weights = drift.read_new(reader, X, sample_weight)
        codes, n_channels = reader._channels_of(X)
        known = reader._before(n_channels)[1]
        with validation.locate_nonfinite(reader, X):
            moments = reader._raw_moments(X, weights, codes, n_channels)
        training = training_of(X, weights, codes, moments).with_counts(moments.count)
        channel_of, one_group = reader._channel_of_each_feature()[None], np.zeros(X.shape[0], int)
        outside = drift.outside(X, known, moments.count, channel_of, one_group, weights)
        return NewData(moments, training, outside)

    def _drift_of(self, new: NewData, settings: tuple[float, float]) -> DriftReport:
        """Return the report on new data."""
        n_channels = new.outside.size
        before = self._before(n_channels)
        labels = {"feature": labels_of(self, n_channels)}
        share = drift.share_of(new.outside, new.moments.count)
        return drift.report(before, (new.moments, new.training), share, labels, settings)

    def _raw_moments(
        self,
        X: Any,
        weights: Array | None,
        codes: Codes | None,
        n_channels: int,
        groups: Groups | None = None,
    ) -> Moments:
        """Return the moments about the mean of each channel, or of each in each group."""
        one_pass: Any = getattr(self, "_one_pass", None)
        if one_pass is not None and groups is None and isinstance(X, (np.ndarray, FrameColumns)):
            every: Moments = one_pass.read(self, X, codes, n_channels)
            return every
        return self._moments_of(X, weights, codes, n_channels, groups, self.n_jobs)

    def _before(self, n_channels: int) -> Sample:
        """Return what is known of the training data."""
        counts = getattr(self, "n_samples_seen_", None)
        training = kept_of(self, n_channels)
        if counts is None or (training is None and not self._learns_moments):
            raise ValueError(
                f"This {type(self).__name__} was not fitted on data, so there is nothing to "
                "compare with. Fit it; a BatchStatScaler may have from_statistics(n_samples=...)."
            )
        count = state.read_attribute(self, "n_samples_seen_", n_channels)
        if training is not None:
            training = training.with_counts(count)
        if self._learns_moments:
            moments = self._known_moments(n_channels)  # type: ignore[attr-defined]
        else:
            assert training is not None
            moments = Moments.from_deviation(count, *training.table[4:6])
        return moments, unknown_training(count) if training is None else training


def training_of(
    X: Any, weights: Array | None, codes: Any, moments: Moments, *, with_moments: bool = False
) -> Training:
    """Return what is kept of data with these moments."""
    n_channels = moments.table.shape[1]
    if weights is not None:
        weights, _ = scale_weights(weights)
    rows = float(X.shape[0]) if weights is None else float(weights.sum())
    total = drift.total_of(X, rows, drift.sizes_of(codes, X.shape[1], n_channels))
    return Training.of(moments, total, drift.worth_of(weights), with_moments=with_moments)


def unknown_training(count: Array) -> Training:
    """Return what is known of training data where nothing was kept but its number."""
    unknown = np.full((3, count.size), [[np.inf], [-np.inf], [np.nan]])
    return Training(np.stack([*unknown, count]))


def labels_of(scaler: Any, n_channels: int, positions: list[int] | None = None) -> NDArray[Any]:
    """Return the names or positions of the features, or the numbers of the channels.

    ``positions`` are those of the features where others stand between them.
    """
    if scaler._n_features() != n_channels or scaler.channels is not None:
        return np.arange(n_channels)
    names = getattr(scaler, "feature_names_in_", None)
    if names is not None:
        return np.asarray(names, dtype=object)
    return np.asarray(positions) if positions else np.arange(n_channels)


def keep(scaler: Any, training: Training | None) -> None:
    """Set what is kept of the training data, or that nothing is."""
    if training is None:
        scaler.__dict__.pop("_training", None)
        return
    scaler._training = training.table


def kept_of(scaler: Any, n_channels: int) -> Training | None:
    """Return what a scaler has kept of the training data, if it has, of these channels.

    Where public attributes were cut by hand, what is kept is of others.
    """
    table = getattr(scaler, "_training", None)
    if table is None:
        return None
    table = as_numpy(table).astype(np.float64, copy=False)
    return Training(table) if table.shape[1] == n_channels else None


def merged_training(
    known: Training | None,
    batch: Training | None,
    counts: tuple[Array, Array],
    momentum: float | None = None,
) -> Training | None:
    """Return what is kept after one more batch, where all is known.

    The counts are those of the values before, and of the batch.
    """
    if known is None or batch is None:
        return None
    if momentum is None:
        return known.merge(batch, *counts)
    return known.decay(batch, float(momentum), *counts)


def pooled_training(parts: list[tuple[Training | None, Array]]) -> Training | None:
    """Return what is kept of several parts, each with its counts, where all of it is known."""
    whole, count = parts[0]
    for own, more in parts[1:]:
        whole, count = merged_training(whole, own, (count, more)), count + more
    return whole


def worth_of_training(scaler: Any, n_channels: int, weight_exponent: int) -> Any:
    """Return how many values of equal weight a unit of weight of the training data is worth.

    The unit is ``2 ** weight_exponent``.
    """
    count = state.read_attribute(scaler, "n_samples_seen_", n_channels)
    known = kept_of(scaler, n_channels)
    if known is None:
        return 1.0
    known = known.with_counts(count)
    count = np.ldexp(count, -weight_exponent)
    return np.where(count > 0, known.effective / np.where(count > 0, count, 1.0), 1.0)
