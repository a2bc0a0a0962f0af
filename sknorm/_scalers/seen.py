"""What scalers with statistics per channel know of the rows that they have seen.

They learn a batch, or parts of the data that are merged, by this, and then make their attributes of
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from sknorm._compat import as_numpy
from sknorm._scalers import state
from sknorm._scalers.affine_map import gamma_and_beta
from sknorm._scalers.drift_check import keep, kept_of, merged_training, pooled_training
from sknorm._scalers.merging import MergeMixin, check_same_features
from sknorm._statistics.moments import Moments
from sknorm._statistics.training import Training


@dataclass(frozen=True, eq=False)
class Seen:
    """The statistics of rows, of which the attributes of a scaler are made.

    ``training`` is what is kept beside the moments, or None where it is not known of all rows;
    ``is_weighted`` says that the counts are sums of weights.
    """

    moments: Moments
    training: Training | None
    is_weighted: bool

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return self.moments.count.size

    def with_batch(self, batch: Seen, momentum: float | None) -> Seen:
        """Return what is known after one more batch, in which what was before fades by momentum."""
        counts = self.moments.count, batch.moments.count
        if momentum is None:
            moments = self.moments.merge(batch.moments)
        else:
            moments = self.moments.decay(batch.moments, float(momentum))
        training = merged_training(self.training, batch.training, counts, momentum)
        return Seen(moments, training, self.is_weighted or batch.is_weighted)

    @classmethod
    def merge_all(cls, parts: list[Seen]) -> Seen:
        """Return what is known of the rows of several."""
        return cls(
            Moments.merge_all([part.moments for part in parts]),
            pooled_training([(part.training, part.moments.count) for part in parts]),
            any(part.is_weighted for part in parts),
        )


class SeenMixin(MergeMixin):
    """Learning by what is known of the rows.

    Scalers say what there is to know of a batch (``_read``), which moments their attributes stand
    for (``_known_moments``), and make attributes of moments (``_set_moments``).
    """

    momentum: float | None
    n_samples_seen_: Any
    _centered: bool
    _centers: Callable[[], bool]
    _check_params: Callable[[], None]
    _known_moments: Callable[..., Moments]
    _n_known: Callable[[], int]
    _read: Callable[..., Seen]
    _set_moments: Callable[..., None]
    __sklearn_is_fitted__: Callable[[], bool]
    # What was learned by parts, of which there are no attributes yet.
    _unsettled: Seen

    def _seen_with(self, X: Any, sample_weight: Any) -> Seen:
        """Return what is known of all rows so far and one more batch."""
        self._check_params()
        first = not self.__sklearn_is_fitted__()
        batch = self._read(X, sample_weight, first)
        return batch if first else self._seen(batch.n_channels).with_batch(batch, self.momentum)

    def _seen(self, n_channels: int | None = None) -> Seen:
        """Return what is known of all rows so far."""
        if hasattr(self, "_unsettled"):
            return self._unsettled
        n_channels = self._n_known() if n_channels is None else n_channels
        moments, kept = self._known_moments(n_channels), kept_of(self, n_channels)
        return Seen(moments, kept, is_weighted=as_numpy(self.n_samples_seen_).dtype.kind == "f")

    def _become(self, seen: Seen) -> None:
        """Set the learned attributes to what is known of all rows."""
        self._set_moments(seen.moments, seen.is_weighted)
        keep(self, seen.training)

    def _take_over(self, whole: Self) -> None:
        """Take over the statistics of one more batch, which another scaler was fitted on."""
        if not self.__sklearn_is_fitted__():
            state.take_over(self, whole)
            return
        check_same_features(self, whole)
        more = whole._seen()
        self._become(self._seen(more.n_channels).with_batch(more, self.momentum))

    def _learn_more(self, X: Any, sample_weight: Any) -> None:
        """Learn from one more part, without making attributes of it."""
        self._unsettled = seen = self._seen_with(X, sample_weight)
        gamma_and_beta(self, seen.n_channels)

    def _settle(self) -> None:
        """Make the attributes of what was learned by parts."""
        if hasattr(self, "_unsettled"):
            self._become(self._unsettled)
            del self._unsettled

    def _join(self, parts: list[Any]) -> None:
        """Take over what several scalers have learned, of the same features and settings."""
        self._centered = parts[0]._centers()
        self._become(Seen.merge_all([part._seen() for part in parts]))

    def _merge_copies(self, parts: list[Any]) -> Self:
        """Fold in what copies of this scaler have learned by parts."""
        for part in parts[1:]:
            check_same_features(parts[0], part)
        state.take_over(self, parts[0])
        self._unsettled = Seen.merge_all([part._seen() for part in parts])
        return self
