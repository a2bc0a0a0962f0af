"""Quantiles of a stream: what SquashingScaler keeps of batches, and how that merges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sknorm._backends import dispatch
from sknorm._backends.quantiles import Quantiles
from sknorm._compat import notify_callbacks, with_callbacks
from sknorm._scalers import state
from sknorm._scalers.drift_check import (
    keep,
    kept_of,
    merged_training,
    pooled_training,
    training_of,
)
from sknorm._scalers.merging import MergeMixin, fold_in
from sknorm._statistics.sketches import Sketches
from sknorm._statistics.training import Training


class SketchMixin(MergeMixin):
    """``partial_fit`` and ``merge`` by quantile sketches.

    Scalers read their input by ``_read``, say which quantiles they need by ``_levels``, and take
    those by ``_set``.
    """

    _sketches: NDArray[np.uint8]
    _centered: bool
    _read: Callable[..., Any]
    _raw_moments: Callable[..., Any]
    _levels: Callable[[], list[float]]
    _set: Callable[..., None]
    __sklearn_is_fitted__: Callable[[], bool]

    @state.all_or_nothing
    @with_callbacks
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Update the quantiles with a batch; the first batch sets them.

        They come from quantile sketches (KLL), which the package ``datasketches`` keeps: ranks are
        right to 0.35% of the number of values (with a confidence of 99%), and each channel takes
        at most 20 kB, however many the values.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The batch. NaN is a missing value and left out, and so is infinity.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The updated scaler.

        Raises
        ------
        ImportError
            If ``datasketches`` is not installed.
        ValueError
            As for :meth:`fit`; if X has another number of features than the first batch; or if
            the scaler was fitted by ``fit``, which keeps no sketches. The scaler is left as it was.
        """
        with notify_callbacks(self, X, y, None):
            prepared = state.draft(self, forget=False)
            prepared._update_from(X)
            return state.commit(self, vars(prepared))

    @state.all_or_nothing
    def merge(self, *others: Self) -> Self:
        """Fold in the quantile sketches of scalers fitted on other rows.

        Parameters
        ----------
        *others : scalers of the same class and settings
            Fitted by ``partial_fit`` on other rows of the same features. They are not changed.

        Returns
        -------
        self : object
            The scaler itself, which need not be fitted before.

        Raises
        ------
        ImportError
            If ``datasketches`` is not installed.
        NotFittedError
            If one of the others is not fitted.
        ValueError
            If one of the others is of another class, width or setting, or was fitted by ``fit``,
            which keeps no sketches. Nothing is merged then.
        """
        return fold_in(self, others)

    def _join(self, parts: list[Any]) -> None:
        """Take over what several scalers have learned, of the same features and settings."""
        sketches = parts[0]._known_sketches()
        for part in parts[1:]:
            sketches = sketches.merge(part._known_sketches())
        self._centered = parts[0]._centers()
        counts = [state.read_attribute(part, "n_samples_seen_", part._n_known()) for part in parts]
        self._set_sketches(sketches)
        kept = [(kept_of(part, n.size), n) for part, n in zip(parts, counts, strict=True)]
        keep(self, pooled_training(kept))

    def _take_over(self, whole: Self) -> None:
        """Take over what another scaler has learned of one more batch."""
        if self.__sklearn_is_fitted__():
            self.merge(whole)
        else:
            state.take_over(self, whole)

    def _update_from(self, X: Any) -> None:
        first = not self.__sklearn_is_fitted__()
        X, codes, n_channels = self._read(X, first=first)
        before = None if first else self._known_sketches()
        raw = self._raw_moments(X, None, codes, n_channels)
        kept = training_of(X, None, codes, raw, with_moments=True)
        whole: Training | None = kept
        if before is not None:
            counts = state.read_attribute(self, "n_samples_seen_", n_channels)
            known = kept_of(self, n_channels)
            whole = merged_training(known, kept, (counts, raw.count))
        sketches = Sketches.of(dispatch.channel_values(X, codes, n_channels))
        self._set_sketches(sketches if before is None else before.merge(sketches))
        keep(self, whole)

    def _known_sketches(self) -> Sketches:
        packed = getattr(self, "_sketches", None)
        if packed is None:
            raise ValueError(
                "This SquashingScaler was fitted by fit, which keeps no sketches to go on from. "
                "Fit it by partial_fit, also on the first batch."
            )
        return Sketches(packed)

    def _set_sketches(self, sketches: Sketches) -> None:
        count, values, extent = sketches.summary(self._levels())
        self._set(Quantiles(count, values), lambda flat: extent[:, flat])
        self._sketches = sketches.packed
