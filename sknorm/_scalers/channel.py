"""The base of the scalers with statistics per channel: fitting, merging and applying them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from sknorm._backends import dispatch
from sknorm._backends.structure import Indices
from sknorm._compat import (
    CallbackSupportMixin,
    as_numpy,
    notify_callbacks,
    with_callbacks,
)
from sknorm._exports import onnx
from sknorm._scalers import packed, parameters, state, validation
from sknorm._scalers.affine_map import affine_of, check_invertible, gamma_and_beta
from sknorm._scalers.base import DocLinkMixin, refuse_dense_result
from sknorm._scalers.channel_transform import ChannelTransform
from sknorm._scalers.drift_check import (
    DriftMixin,
    training_of,
)
from sknorm._scalers.merging import fold_in
from sknorm._scalers.onnx_methods import OnnxMixin
from sknorm._scalers.plain_state import PlainStateMixin
from sknorm._scalers.seen import Seen, SeenMixin
from sknorm._scalers.sourced import reads_sources
from sknorm._scalers.typed import Counts
from sknorm._sources.formula import Formula
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]


@reads_sources
class ChannelScaler(
    DocLinkMixin,
    PlainStateMixin,
    OnnxMixin,
    SeenMixin,
    ChannelTransform,
    DriftMixin,
    CallbackSupportMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base of the scalers whose statistics are over samples and positions, per channel.

    Subclasses say which attributes are learned from the moments (``_learn``) and what these say of
    them (``_public_moments``), which parameters they have (``_check_params``), and what values are
    divided by, in the moments' units (``_scale``).
    """

    _statistics: ClassVar[tuple[str, ...]]

    eps: float
    momentum: float | None
    n_channels: int | None
    channels: Any
    gamma: Any
    beta: Any
    copy: bool
    n_jobs: int | None
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    n_samples_seen_: Counts
    scale_: Array | None
    _moments: Array
    _centered: bool
    _eps: float
    _ddof: float

    @state.all_or_nothing
    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Compute the statistics of each channel, forgetting what was learned before.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data. NaN is a missing value and left out.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples; None gives each the weight 1.

        Returns
        -------
        self : object
            The fitted scaler.

        Raises
        ------
        ValueError
            If X is not numeric, has infinite values, has the wrong number of dimensions, or is
            sparse where it would have to be centered; if the weights do not fit X; if a parameter
            is out of range. The scaler is left as it was.
        """
        with notify_callbacks(self, X, y, sample_weight):
            return self._learn_from(X, sample_weight, forget=True)

    @state.all_or_nothing
    @with_callbacks
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Update the statistics with a batch; the first batch sets them.

        With ``momentum=None`` the result is that of ``fit`` on all batches together, however the
        data is split. With a momentum, the batch is mixed into the running statistics.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The batch. NaN is a missing value and left out.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples; None gives each the weight 1.

        Returns
        -------
        self : object
            The updated scaler.

        Raises
        ------
        ValueError
            As for :meth:`fit`, and if X has another number of features than the first batch. The
            scaler is left as it was.
        """
        with notify_callbacks(self, X, y, sample_weight):
            return self._learn_from(X, sample_weight, forget=False)

    @state.all_or_nothing
    def merge(self, *others: Self) -> Self:
        """Fold in the statistics of scalers fitted on other rows.

        The result is that of one scaler fitted on all rows, whatever the order. With a momentum,
        the running statistics are pooled, each with the number of values that it has seen.

        Parameters
        ----------
        *others : scalers of the same class and settings
            Fitted on other rows of the same features. They are not changed.

        Returns
        -------
        self : object
            The scaler itself, which need not be fitted before.

        Raises
        ------
        NotFittedError
            If one of the others is not fitted.
        ValueError
            If one of the others is of another class, width or setting. Nothing is merged then.
        """
        return fold_in(self, others)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with its arrays in one table."""
        return packed.pack(super().__getstate__(), self._known_divisors)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state, of which the scale may have to be found again."""
        super().__setstate__(packed.unpack(state))
        if packed.TABLE in state and "scale_" not in vars(self):
            self.scale_ = self._known_divisors()

    def __sklearn_is_fitted__(self) -> bool:
        names = ("_unsettled", "_moments", *self._statistics)
        return any(getattr(self, name, None) is not None for name in names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        return tags

    def _check_params(self) -> None:
        parameters.check_not_negative("eps", self.eps)
        parameters.check_momentum(self.momentum)
        parameters.check_n_jobs(self.n_jobs)
        parameters.check_flag("copy", self.copy)

    def _decide_centering(self, X: Any) -> bool:
        """Tell whether a first batch like X is to be centered."""
        return False

    def _centers(self) -> bool:
        """Tell whether transform subtracts the mean."""
        return False

    def _scales(self) -> bool:
        """Tell whether transform divides by the scale."""
        return True

    def _learn(self, moments: Moments) -> dict[str, Any]:
        """Return the learned attributes, which are arrays per channel or None."""
        raise NotImplementedError

    def _public_moments(self, n_channels: int) -> tuple[Array | None, Array | None]:
        """Return the mean and the variance that the learned attributes stand for."""
        raise NotImplementedError

    def _scale(self, moments: Moments, eps: float, ddof: float) -> Array:
        """Return the divisor of each channel, in the moments' units."""
        raise NotImplementedError

    def _divisors(self, moments: Moments, eps: float, ddof: float) -> Array:
        """Return the divisor of each channel; inf where it exceeds the largest number."""
        with np.errstate(over="ignore", under="ignore"):
            divisors: Array = np.ldexp(self._scale(moments, eps, ddof), moments.exponent)
        return divisors

    def _lost_degrees(self) -> float:
        """Return what the number of values is lessened by in the variance."""
        return 0.0

    def _degrees_of_mean(self) -> float:
        """Return how many degrees of freedom the mean takes from the variance."""
        return 1.0

    def _read_moments(self, moments: Moments) -> Moments:
        """Return the moments of a batch, about what the scaler takes them."""
        return moments

    def _learn_from(self, X: Any, sample_weight: Any, *, forget: bool) -> Self:
        """Replace the state by that after one more batch."""
        prepared = state.draft(self, forget=forget)
        prepared._become(prepared._seen_with(X, sample_weight))
        if forget:
            prepared._finish_fit()
        return state.commit(self, vars(prepared))

    def _read(self, X: Any, sample_weight: Any, first: bool) -> Seen:
        """Return what there is to know of a batch."""
        X = validation.check_input(self, X, reset=first, indices=Indices.LATER, by_column=True)
        if first:
            self._centered = self._decide_centering(X)
        if sparse.issparse(X):
            self._refuse_sparse()
            X = dispatch.without_duplicates(X)
        weights = validation.check_weights(sample_weight, X.shape[0])
        codes, n_channels = self._channels_of(X)
        with validation.locate_nonfinite(self, X):
            raw = self._raw_moments(X, weights, codes, n_channels)
        moments = self._read_moments(raw)
        kept = training_of(X, weights, codes, raw, with_moments=not self._learns_moments)
        return Seen(moments, kept, weights is not None)

    def _known_moments(self, n_channels: int | None = None) -> Moments:
        """Return the statistics so far: the public attributes, and what agrees with them."""
        n_channels = self._n_known() if n_channels is None else n_channels
        count = state.read_attribute(self, "n_samples_seen_", n_channels)
        mean, var = self._public_moments(n_channels)
        return state.unpack(self._stored(), count, mean, var, self._known_ddof())

    def _known_divisors(self) -> Array:
        """Return the divisors that follow from the statistics so far."""
        eps = getattr(self, "_eps", self.eps)
        return self._divisors(self._known_moments(), eps, self._known_ddof())

    def _stored(self) -> Array | None:
        """Return the digits that the public attributes cannot hold, where there are any."""
        stored = getattr(self, "_moments", None)
        return stored if stored is None or type(stored) is np.ndarray else as_numpy(stored)

    def _known_ddof(self) -> float:
        """Return the degrees of freedom that the public variance lacks."""
        return float(getattr(self, "_ddof", self._lost_degrees()))

    def _set_moments(self, moments: Moments, weighted: bool) -> None:
        """Set the learned attributes."""
        gamma_and_beta(self, moments.count.size)
        counts = moments.count if weighted else np.rint(moments.count).astype(np.int64)
        learned = {"n_samples_seen_": counts, **self._learn(moments)}
        has_mean = "mean_" not in learned or learned["mean_"] is not None
        for name, value in learned.items():
            setattr(self, name, value)
        if (counts == counts[0]).all():
            self.n_samples_seen_ = counts[0].item()
        self._moments = state.pack(moments, has_mean=has_mean)
        self._eps, self._ddof = float(self.eps), float(self._lost_degrees())

    def _refuse_sparse(self) -> None:
        """Raise where sparse input would become dense."""
        refuse_dense_result(
            centers=self._centers(),
            beta=self.beta,
            parameter="with_mean",
            divides_by="the scale",
        )

    def _apply(self, X: Any, copy: bool, *, inverse: bool) -> Any:
        if sparse.issparse(X):
            self._refuse_sparse()
        codes, n_channels = self._channels_of(X)
        affine_map = affine_of(self, n_channels)
        if inverse:
            check_invertible(affine_map)
        if codes is not None:
            affine_map = affine_map.take(codes)
        elif n_channels != X.shape[1]:
            affine_map = affine_map.repeat(X.shape[1] // n_channels)
        with validation.locate_nonfinite(self, X):
            return self._map(X, affine_map, copy, inverse=inverse)

    def _formula(self, *, inverse: bool) -> Formula:
        """Return what transform does with each feature."""
        affine_map = affine_of(self, self._n_known())
        if inverse:
            check_invertible(affine_map)
        return Formula(affine_map.take(self._channel_of_each_feature()), inverse=inverse)

    def _to_onnx(self, graph: onnx.Graph, shape: list[Any]) -> None:
        onnx.affine(graph, self._formula(inverse=False).affine, len(shape) - 2)

    def _map(self, X: Any, affine_map: Affine, copy: bool, *, inverse: bool) -> Any:
        """Return X after a map with a channel for each feature."""
        return dispatch.affine(X, affine_map, inverse=inverse, copy=copy, n_jobs=self.n_jobs)
