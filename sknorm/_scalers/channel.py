"""What the scalers with statistics per channel share: fitting, merging and applying them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknorm._backends import dispatch
from sknorm._backends.reference import asarray_like
from sknorm._compat import CallbackSupportMixin, as_numpy, fit_task, with_callbacks
from sknorm._scalers import parameters, validation
from sknorm._scalers.base import DocLinkMixin
from sknorm._scalers.merging import check_mergeable
from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import Moments

Array = NDArray[np.float64]


class ChannelScaler(
    DocLinkMixin, CallbackSupportMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Base of the scalers whose statistics are over samples and positions, per channel.

    Subclasses say what is learned from the moments (``_learn``), which parameters they have
    (``_check_params``), and what is subtracted and divided by in the moments' units (``_shift``
    and ``_scale``).
    """

    eps: float
    momentum: float | None
    n_channels: int | None
    gamma: Any
    beta: Any
    copy: bool
    n_jobs: int | None
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    n_samples_seen_: Any
    _moments: Moments
    _weighted: bool
    _found_rescaling: tuple[Affine, tuple[Any, ...]]
    _centered: bool

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
        with fit_task(self, X, y, sample_weight), validation.rollback_on_error(self):
            for name in [name for name in vars(self) if name.endswith("_") or name == "_moments"]:
                delattr(self, name)
            return self._update(X, sample_weight)

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
        with fit_task(self, X, y, sample_weight), validation.rollback_on_error(self):
            return self._update(X, sample_weight)

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Normalize X with the statistics learned.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data.
        copy : bool, default=None
            Whether to leave X untouched; None means the parameter ``copy``.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of the shape of X
            The result, in the container, memory order and floating dtype of X.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            If X has another number of features than in fit, has infinite values, or is sparse
            where the result would not be.
        """
        check_is_fitted(self)
        return self._apply(validation.check_input(self, X, reset=False), copy, inverse=False)

    def inverse_transform(self, X: Any, copy: bool | None = None) -> Any:
        """Undo :meth:`transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            Normalized data.
        copy : bool, default=None
            Whether to leave X untouched; None means the parameter ``copy``.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of the shape of X
            The data in its original units.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            As for :meth:`transform`, and if ``gamma`` is 0 somewhere.
        """
        check_is_fitted(self)
        return self._apply(validation.check_output(self, X), copy, inverse=True)

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
        fitted = [self, *others] if hasattr(self, "_moments") else list(others)
        for other in others:
            check_is_fitted(other)
            check_mergeable(self, other)
            check_mergeable(fitted[0], other, fitted=True)
        if not fitted:
            return self
        first = fitted[0]
        moments = first._moments
        for other in fitted[1:]:
            moments = moments.merge(other._moments)
        self.n_features_in_ = first.n_features_in_
        if hasattr(first, "feature_names_in_"):
            self.feature_names_in_ = first.feature_names_in_
        self._centered = first._centered
        self._weighted = any(scaler._weighted for scaler in fitted)
        self._set_moments(moments, None)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_moments")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        tags.array_api_support = True
        return tags

    def _check_params(self) -> None:
        parameters.check_eps(self.eps)
        parameters.check_momentum(self.momentum)
        parameters.check_n_jobs(self.n_jobs)
        parameters.check_flag("copy", self.copy)

    def _decide_centering(self, X: Any) -> bool:
        """Tell whether a first batch like X is to be centered."""
        return False

    def _learn(self, moments: Moments) -> dict[str, Any]:
        """Return the learned attributes, which are arrays per channel or None."""
        raise NotImplementedError

    def _shift(self, moments: Moments) -> Array:
        """Return what is subtracted, in the moments' units."""
        raise NotImplementedError

    def _scale(self, moments: Moments) -> Array:
        """Return what is divided by, in the moments' units."""
        raise NotImplementedError

    def _update(self, X: Any, sample_weight: Any) -> Self:
        self._check_params()
        first = not hasattr(self, "_moments")
        X = validation.check_input(self, X, reset=first)
        if first:
            self._centered, self._weighted = self._decide_centering(X), False
        if sparse.issparse(X):
            self._refuse_sparse()
            X = validation.sum_duplicates(X, copy=True)
        weights = validation.check_weights(sample_weight, X.shape[0])
        n_channels = self._channels_of(X)
        with validation.locate_nonfinite(self, X):
            batch = dispatch.channel_moments(X, weights, self.n_jobs)
        if n_channels != X.shape[1]:
            batch = batch.pool(n_channels)
        self._weighted = self._weighted or weights is not None
        self._set_moments(batch if first else self._combine(batch), X)
        return self

    def _combine(self, batch: Moments) -> Moments:
        self._check_width(batch.count.size)
        if self.momentum is None:
            return self._moments.merge(batch)
        return self._moments.decay(batch, float(self.momentum))

    def _check_width(self, n_channels: int) -> None:
        """Refuse another number of channels than that of the statistics."""
        known = self._moments.count.size
        if n_channels != known:
            raise ValueError(
                f"n_channels={self.n_channels} gives {n_channels} channels, but this "
                f"{type(self).__name__} has statistics of {known}. Use fit to start anew."
            )

    def _set_moments(self, moments: Moments, like: Any) -> None:
        """Set the state and the learned attributes, these in the namespace of an array."""
        self._moments = moments
        counts = moments.count if self._weighted else np.rint(moments.count).astype(np.int64)
        all_equal = bool(np.all(counts == counts[0]))
        learned = {"n_samples_seen_": counts, **self._learn(moments)}
        for name, value in learned.items():
            setattr(self, name, None if value is None else asarray_like(value, like))
        if all_equal:
            self.n_samples_seen_ = counts[0].item()
        self._found_rescaling = self._find_affine(), self._ingredients()

    def _channels_of(self, X: Any) -> int:
        """Return the number of channels that X is read with."""
        n_features = int(X.shape[1])
        if self.n_channels is None:
            return n_features
        if X.ndim > 2 and self.n_channels != n_features:
            raise ValueError(
                f"n_channels={self.n_channels!r}, but axis 1 of X, its channel axis, has "
                f"{n_features}. n_channels is for flattened input of shape (n_samples, "
                "n_features); leave it at None here."
            )
        return parameters.check_divisor("n_channels", self.n_channels, n_features, "features")

    def _affine(self, n_channels: int) -> tuple[Array, Array]:
        """Return gamma and beta, one a channel."""
        shapes: list[tuple[int, ...]] = [(n_channels,)]
        gamma = parameters.check_affine("gamma", self.gamma, 1.0, shapes)
        return gamma, parameters.check_affine("beta", self.beta, 0.0, shapes)

    def _refuse_sparse(self) -> None:
        """Raise where sparse input would become dense."""
        if self._centered:
            raise ValueError(
                "Cannot center sparse matrices: pass `with_mean=False` (or 'auto', and fit on "
                "sparse data) to divide by the scale only, or X.toarray() to center a dense copy."
            )
        if self.beta is not None and np.any(np.asarray(self.beta)):
            raise ValueError(
                "beta is not 0, which would make sparse output dense. Use beta=None, or "
                "X.toarray()."
            )

    def _apply(self, X: Any, copy: bool | None, *, inverse: bool) -> Any:
        if sparse.issparse(X):
            self._refuse_sparse()
        copy = self.copy if copy is None else copy
        parameters.check_flag("copy", copy)
        affine_map = self._affine_map()
        if inverse and not affine_map.gamma.all():
            channel = int(np.argmin(np.abs(affine_map.gamma)))
            raise ValueError(
                f"gamma is 0 for channel {channel}: what it was cannot be told from the output. "
                "inverse_transform needs gamma != 0."
            )
        n_channels = self._channels_of(X)
        self._check_width(n_channels)
        if n_channels != X.shape[1]:
            affine_map = affine_map.repeat(X.shape[1] // n_channels)
        with validation.locate_nonfinite(self, X):
            return dispatch.affine(X, affine_map, inverse=inverse, copy=copy, n_jobs=self.n_jobs)

    def _affine_map(self) -> Affine:
        """Return what transform does: as found in fit, unless its ingredients were replaced."""
        found, ingredients = self._found_rescaling
        now = self._ingredients()
        if all(a is b for a, b in zip(now, ingredients, strict=True)):
            return found
        return self._find_affine()

    def _ingredients(self) -> tuple[Any, ...]:
        return getattr(self, "mean_", None), self.scale_, self.gamma, self.beta

    def _find_affine(self) -> Affine:
        """Return what follows from the learned attributes.

        Channels in a unit of their own follow from the moments instead: float64 in the data's
        unit may be unable to hold their statistics.
        """
        moments = self._moments
        exponent = moments.exponent
        shift, scale = self._public_shift_and_scale()
        if not exponent.any():
            return Affine(shift, scale, *self._affine(moments.count.size))
        own_unit = exponent != 0
        shift = np.where(own_unit, self._shift(moments), shift)
        scale = np.where(own_unit, self._scale(moments), scale)
        return Affine(shift, scale, *self._affine(moments.count.size), exponent)

    def _public_shift_and_scale(self) -> tuple[Array, Array]:
        n_channels = self._moments.count.size
        shift = as_numpy(self.mean_) if self._centered else np.zeros(n_channels)
        scale = np.ones(n_channels) if self.scale_ is None else as_numpy(self.scale_)
        return shift, scale
