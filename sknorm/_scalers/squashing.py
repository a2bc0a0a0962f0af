"""Robust scaling with a smooth clip: median, interquartile range, and a squash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from sknorm._backends import dispatch
from sknorm._backends.quantiles import Quantiles
from sknorm._compat import CallbackSupportMixin, notify_callbacks, with_callbacks
from sknorm._exports import onnx
from sknorm._scalers import known, parameters, state, validation
from sknorm._scalers.affine_map import check_invertible, gamma_and_beta
from sknorm._scalers.base import DocLinkMixin, refuse_dense_result
from sknorm._scalers.blocks import Codes
from sknorm._scalers.channel_transform import ChannelTransform
from sknorm._scalers.drift_check import (
    DriftMixin,
    keep,
    training_of,
)
from sknorm._scalers.moments_of import finite_moments_of
from sknorm._scalers.onnx_methods import OnnxMixin
from sknorm._scalers.plain_state import PlainStateMixin
from sknorm._scalers.sketched import SketchMixin
from sknorm._scalers.sourced import reads_sources
from sknorm._scalers.typed import Counts, Switch
from sknorm._sources.formula import Formula
from sknorm._statistics.affine import Affine
from sknorm._statistics.squash import NUMBERS, Squash

Array = NDArray[np.float64]

LARGEST = float(np.finfo(np.float64).max)


@reads_sources
class SquashingScaler(
    DocLinkMixin,
    PlainStateMixin,
    OnnxMixin,
    ChannelTransform,
    DriftMixin,
    SketchMixin,
    CallbackSupportMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
):
    r"""Center with the median, scale with the interquartile range, and clip smoothly.

    .. math::

        z = \frac{x - \mathrm{median}}{q_{75} - q_{25}}, \qquad
        y = \gamma \, \frac{z}{\sqrt{1 + (z / B)^2}} + \beta

    Values near the median are scaled robustly, and outliers, however far, stay within :math:`\pm B`
    and in their order. It is the input scaling of RealMLP [1]_, and a drop-in replacement for
    ``skrub.SquashingScaler``. With ``squash=None`` it is one for
    :class:`sklearn.preprocessing.RobustScaler`.

    Axis 1 is the feature or channel axis. Axes after it are positions: statistics are over samples
    and positions.

    Parameters
    ----------
    max_absolute_value : float, default=3.0
        The bound :math:`B` of results, before ``gamma`` and ``beta``.
    quantile_range : tuple of two floats, default=(25.0, 75.0)
        The percentiles whose distance is divided by.
    squash : {"soft", "tanh", "clip"} or None, default="soft"
        How results are drawn into the bound: by the formula above; by
        :math:`B \tanh(z / B)`, the form of dynamic tanh [2]_; by cutting them off; or not at all.
    with_centering : bool or "auto", default="auto"
        Whether to subtract the median. "auto" does so for dense input and not for sparse input,
        which stays sparse; the choice made in fit is reused in transform.
    with_scaling : bool, default=True
        Whether to divide.
    unit_variance : bool, default=False
        Whether to scale so that normally distributed values get variance 1.
    n_channels : int or None, default=None
        Read 2-D input as this many channels of ``n_features / n_channels`` neighboring columns
        each. None means one channel per column.
    channels : list of lists of str or int, array-like of shape (n_features,) or None, default=None
        Which features make a channel, with one median and one scale: lists of names or positions,
        such as ``[["x1", "x2"], ["y"]]``, or one label per feature.
    gamma, beta : float or array-like of shape (n_channels,), default=None
        Factor and beta applied last; None means 1 and 0.
    copy : bool, default=True
        Whether transform leaves its input untouched. False writes the result into it where its
        dtype allows that.
    n_jobs : int or None, default=None
        Number of threads, as joblib counts them. It changes no result.

    Attributes
    ----------
    center_ : ndarray of shape (n_channels,) or None
        Median of the finite values of each channel. None without centering.
    scale_ : ndarray of shape (n_channels,) or None
        Divisor of each channel: the distance of the two quantiles; where that is 0, half the
        distance of the largest and the least value; where that is 0 too, infinity, so that all
        values become 0. With ``squash=None`` it is 1 where the two quantiles are equal, as in
        RobustScaler. None without scaling.
    n_samples_seen_ : int or ndarray of shape (n_channels,)
        The number of finite values behind each channel's statistics; one number when it is the
        same for all channels.
    n_features_in_ : int
        Size of axis 1 in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had any that are all strings.

    See Also
    --------
    BatchStatScaler : Centers with the mean and divides by the standard deviation.

    Notes
    -----
    NaN is a missing value: left out of the statistics, kept in the output. Infinite values are left
    out too, and become :math:`\pm B`; with ``squash=None`` they are refused.

    Quantiles are exact, and without weights interpolated linearly, as in NumPy. With weights, they
    are the averaged inverse of the weighted distribution function, as in scikit-learn: a weight of
    2 counts as the value twice. A fit needs, beside the data, about an eighth of the size of 128
    features; transform needs the result.

    ``inverse_transform`` is exact to rounding for values near the median. Near the bound, the
    squash maps far apart values to neighboring ones, and their rounding is magnified by
    :math:`(1 + (z / B)^2)^{3/2}`. At the bound it gives infinity; what was cut off by "clip" stays
    cut off.

    RobustScaler takes distances below 2.2e-15 for 0, whatever the unit of the data. Here only equal
    quantiles are.

    References
    ----------
    .. [1] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by Default: Strong Pre-Tuned MLPs
       and Boosted Trees on Tabular Data", NeurIPS 2024, arXiv:2407.04491.
    .. [2] J. Zhu, X. Chen, K. He, Y. LeCun and Z. Liu, "Transformers without Normalization",
       CVPR 2025, arXiv:2503.10622.

    Examples
    --------
    >>> from sknorm import SquashingScaler
    >>> X = [[1.0], [2.0], [3.0], [4.0], [1e9]]
    >>> scaler = SquashingScaler().fit(X)
    >>> scaler.center_, scaler.scale_
    (array([3.]), array([2.]))
    >>> scaler.transform(X).ravel().round(3)
    array([-0.949, -0.493,  0.   ,  0.493,  3.   ])
    """

    _statistics = ("center_", "scale_")
    _learns_moments = False
    _takes_columns = False
    _moments_of = staticmethod(finite_moments_of)

    center_: Array | None
    scale_: Array | None
    n_samples_seen_: Counts
    _centered: bool

    def __init__(
        self,
        max_absolute_value: float = 3.0,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        *,
        squash: Literal["soft", "tanh", "clip"] | None = "soft",
        with_centering: Switch = "auto",
        with_scaling: bool = True,
        unit_variance: bool = False,
        n_channels: int | None = None,
        channels: Any = None,
        gamma: Any = None,
        beta: Any = None,
        copy: bool = True,
        n_jobs: int | None = None,
    ) -> None:
        self.max_absolute_value = max_absolute_value
        self.quantile_range = quantile_range
        self.squash = squash
        self.with_centering = with_centering
        self.with_scaling = with_scaling
        self.unit_variance = unit_variance
        self.n_channels = n_channels
        self.channels = channels
        self.gamma = gamma
        self.beta = beta
        self.copy = copy
        self.n_jobs = n_jobs

    @classmethod
    def from_statistics(
        cls,
        *,
        center: Any = None,
        scale: Any = None,
        n_samples: Any = None,
        feature_names: Any = None,
        **params: Any,
    ) -> Self:
        """Return a scaler fitted by known statistics.

        Parameters
        ----------
        center : array-like of shape (n_features,) or float, default=None
            The median of each feature; None means not to center.
        scale : array-like of shape (n_features,) or float, default=None
            The divisor of each feature; None means not to scale.
        n_samples : int, float or array-like of shape (n_features,), default=None
            The number of values behind the statistics.
        feature_names : array-like of str of shape (n_features,), default=None
            The names of the features.
        **params : dict
            Parameters of the scaler.

        Returns
        -------
        scaler : SquashingScaler
            The fitted scaler. ``partial_fit`` and ``merge`` cannot go on from it.

        Raises
        ------
        ValueError
            If lengths differ, a value is NaN or infinite, a scale is not above 0, or there are no
            statistics.

        Examples
        --------
        >>> from sknorm import SquashingScaler
        >>> scaler = SquashingScaler.from_statistics(center=[1.0, 0.0], scale=2.0, squash=None)
        >>> scaler.transform([[3.0, 3.0]])
        array([[1. , 1.5]])
        """
        if center is None and scale is None:
            raise ValueError("There are no statistics. Give center, scale, or both.")
        centers: bool | str = "auto" if center is not None else False
        settings = {"with_centering": centers, "with_scaling": scale is not None} | params
        scaler = cls(**settings)
        scaler._check_params()
        named = {"mean": center, "scale": scale, "n_samples": n_samples}
        found = known.statistics(named, scaler.n_channels)
        scaler.center_, scaler.scale_ = found["mean"], found["scale"]
        known.set_count(scaler, found["n_samples"])
        known.set_features(scaler, scaler._n_known(), feature_names)
        return scaler

    @classmethod
    def from_estimator(cls, estimator: Any, **params: Any) -> Self:
        """Return a scaler that does what a fitted RobustScaler does.

        Parameters
        ----------
        estimator : RobustScaler
            A fitted scaler. Nothing is imported: what counts is its attributes.
        **params : dict
            Parameters of the scaler, in place of those that the other has; ``squash="soft"`` adds
            a smooth clip.

        Returns
        -------
        scaler : SquashingScaler
            The fitted scaler.

        Raises
        ------
        TypeError
            If the estimator has no center and scale.
        NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> from sklearn.preprocessing import RobustScaler
        >>> from sknorm import SquashingScaler
        >>> fitted = RobustScaler().fit([[1.0], [3.0], [5.0]])
        >>> SquashingScaler.from_estimator(fitted).transform([[7.0]])
        array([[2.]])
        """
        settings, learned, features = known.read_estimator(estimator)
        if not hasattr(estimator, "center_"):
            raise TypeError(
                f"A {type(estimator).__name__} has no center_: it is no RobustScaler. Take it over "
                "with BatchStatScaler.from_estimator."
            )
        params = {
            "squash": None,
            "with_centering": settings["with_mean"],
            "with_scaling": settings["with_std"],
            "quantile_range": tuple(estimator.quantile_range),
            "unit_variance": bool(estimator.unit_variance),
        } | params
        scaler = cls(**params)
        scaler._check_params()
        scaler.center_, scaler.scale_ = learned["mean_"], learned["scale_"]
        for name, value in features.items():
            setattr(scaler, name, value)
        return scaler

    @state.all_or_nothing
    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Compute the quantiles of each channel, forgetting what was learned before.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data. NaN is a missing value and left out, and so is infinity.
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
            If X is not numeric, has the wrong number of dimensions, or is sparse where it would
            have to be centered; if it has infinite values and ``squash`` is None; if the weights
            do not fit X; if a parameter is out of range. The scaler is left as it was.
        """
        with notify_callbacks(self, X, y, sample_weight):
            prepared = state.draft(self, forget=True)
            prepared._learn_from(X, sample_weight)
            return state.commit(self, vars(prepared))

    def __sklearn_is_fitted__(self) -> bool:
        return any(hasattr(self, name) for name in self._statistics)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = self.with_centering in (False, "auto")
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        return tags

    def _check_params(self) -> None:
        parameters.check_positive("max_absolute_value", self.max_absolute_value)
        if self.squash is not None:
            parameters.check_choice("squash", self.squash, tuple(NUMBERS))
        parameters.check_auto("with_centering", self.with_centering)
        for name in ("with_scaling", "unit_variance", "copy"):
            parameters.check_flag(name, getattr(self, name))
        parameters.check_quantile_range(self.quantile_range, self.unit_variance)
        parameters.check_n_jobs(self.n_jobs)

    def _read(self, X: Any, *, first: bool) -> tuple[Any, Codes | None, int]:
        """Return checked X, the channel of each feature, if not itself, and how many there are."""
        self._check_params()
        X = validation.check_input(self, X, reset=first)
        if first:
            is_auto = self.with_centering == "auto"
            self._centered = not sparse.issparse(X) if is_auto else bool(self.with_centering)
        if sparse.issparse(X):
            self._refuse_sparse()
            X = dispatch.without_duplicates(X)
        if self.squash is None:
            with validation.locate_nonfinite(self, X):
                dispatch.check_finite(X, allow_nan=True)
        codes, n_channels = self._channels_of(X)
        if codes is None and n_channels != X.shape[1]:
            codes = np.repeat(np.arange(n_channels), X.shape[1] // n_channels)
        gamma_and_beta(self, n_channels)
        return X, codes, n_channels

    def _levels(self) -> list[float]:
        """Return the quantiles that are needed: the median, the lower and the upper one."""
        return [0.5, *(float(percent) / 100.0 for percent in self.quantile_range)]

    def _learn_from(self, X: Any, sample_weight: Any) -> None:
        X, codes, n_channels = self._read(X, first=True)
        weights = validation.check_weights(sample_weight, X.shape[0])
        found = dispatch.quantiles(X, self._levels(), codes, n_channels, weights, self.n_jobs)
        self._set(found, lambda flat: dispatch.extents(X, codes, flat, weights))
        raw = self._raw_moments(X, weights, codes, n_channels)
        keep(self, training_of(X, weights, codes, raw, with_moments=True))

    def _set(self, found: Quantiles, extents: Callable[[Codes], Any]) -> None:
        """Set the learned attributes."""
        scale = self._divisors(found.values, extents)
        self.center_ = found.values[0] + 0.0 if self._centers() else None
        self.scale_ = scale if self.with_scaling else None
        counts = found.count
        same = (counts == counts[0]).all()
        self.n_samples_seen_ = int(counts[0]) if same else counts

    def _divisors(self, quantiles: Array, extents: Callable[[Codes], Any]) -> Array:
        """Return the divisor of each channel."""
        _, low, high = quantiles
        with np.errstate(over="ignore", invalid="ignore"):
            scale: Array = np.minimum(high - low, LARGEST)
        flat = scale == 0.0
        if self.squash is None:
            scale = np.where(flat, 1.0, scale)
        if self.unit_variance:
            lower, upper = self.quantile_range
            scale = scale / (ndtri(upper / 100.0) - ndtri(lower / 100.0))
        if self.squash is None:
            return scale
        if flat.any():
            least, largest = extents(np.flatnonzero(flat))
            half = largest * 0.5 - least * 0.5
            scale[flat] = np.where(half > 0.0, half, np.inf)
        return scale

    def _centers(self) -> bool:
        if self.with_centering == "auto":
            return getattr(self, "_centered", getattr(self, "center_", None) is not None)
        return bool(self.with_centering)

    def _refuse_sparse(self) -> None:
        """Raise where sparse input would become dense."""
        refuse_dense_result(
            centers=self._centers(),
            beta=self.beta,
            parameter="with_centering",
            divides_by="the scale",
        )

    def _apply(self, X: Any, copy: bool, *, inverse: bool) -> Any:
        if sparse.issparse(X):
            self._refuse_sparse()
            X = dispatch.without_duplicates(X)  # the squash of a sum is not that of its parts
        codes, n_channels = self._channels_of(X)
        if codes is None:
            codes = np.repeat(np.arange(n_channels), X.shape[1] // n_channels)
        affine_map = self._affine(n_channels).in_safe_units()
        if inverse:
            check_invertible(affine_map)
        if codes.size != n_channels or self.channels is not None:
            affine_map = affine_map.take(codes)
        with validation.locate_nonfinite(self, X):
            return self._map(X, affine_map, copy, inverse=inverse)

    def _formula(self, *, inverse: bool) -> Formula:
        """Return what transform does with each feature."""
        affine_map = self._affine(self._n_known()).in_safe_units()
        if inverse:
            check_invertible(affine_map)
        affine_map = affine_map.take(self._channel_of_each_feature())
        return Formula(affine_map, self.squash, float(self.max_absolute_value), inverse)

    def _to_onnx(self, graph: onnx.Graph, shape: list[Any]) -> None:
        squash = None if self.squash is None else (self.squash, float(self.max_absolute_value))
        onnx.affine(graph, self._formula(inverse=False).affine, len(shape) - 2, squash)

    def _map(self, X: Any, affine_map: Affine, copy: bool, *, inverse: bool) -> Any:
        """Return X after a map with a channel for each feature, and the squash."""
        options: dict[str, Any] = {"inverse": inverse, "copy": copy, "n_jobs": self.n_jobs}
        if self.squash is None:
            return dispatch.affine(X, affine_map, **options)
        squash_map = Squash.of(affine_map, float(self.max_absolute_value), str(self.squash))
        return dispatch.squash(X, squash_map, **options)

    def _affine(self, n_channels: int) -> Affine:
        """Return the map before the squash, with the gamma and beta after it."""
        gamma, beta = gamma_and_beta(self, n_channels)
        center, scale = np.zeros(n_channels), np.ones(n_channels)
        if self._centers():
            center = state.read_attribute(self, "center_", n_channels)
        if self.with_scaling:
            scale = state.read_attribute(self, "scale_", n_channels)
        return Affine(center, scale, gamma, beta)
