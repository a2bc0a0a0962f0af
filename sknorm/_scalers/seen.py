"""What scalers with statistics per channel know of the rows that they have seen."""

from __future__ import annotations

from dataclasses import dataclass

from sknorm._scalers.drift_check import merged_training, pooled_training
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
