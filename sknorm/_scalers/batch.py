"""Batch normalization: statistics per channel, over samples and positions."""

from __future__ import annotations

import warnings
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import dispatch
from sknorm._scalers import known, parameters, state
from sknorm._scalers.base import stack_level
from sknorm._scalers.channel import ChannelScaler
from sknorm._scalers.typed import Switch
from sknorm._statistics.moments import Moments, root_in_unit

Array = NDArray[np.float64]

# To find columns that are not sparse, so many rows of a CSR array are enough.
ROWS_LOOKED_AT = 1000


class BatchStatScaler(ChannelScaler):
    r"""Standardize each feature or channel with its mean and variance (batch normalization).

    .. math:: z = \gamma \, \frac{x - \mathrm{mean}}{\sqrt{\mathrm{var} + \epsilon}} + \beta

    A drop-in for :class:`sklearn.preprocessing.StandardScaler`, which the defaults reproduce, with
    running statistics, merging, tensors, and statistics that are right for every finite input.
    The formula is that of batch normalization at inference [1]_.

    Axis 1 is the feature or channel axis. Axes after it are positions: statistics are over samples
    and positions, as in ``torch.nn.BatchNorm1d`` and ``BatchNorm2d``.

    Parameters
    ----------
    with_mean : bool or "auto", default="auto"
        Whether to subtract the mean. "auto" does so for dense input and not for sparse input,
        which stays sparse; what was decided in fit holds in transform. Without the mean, the
        division is still by the standard deviation about the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.
    eps : float, default=0.0
        Added to the variance, in units of the squared data. 0 keeps the output independent of the
        data's unit; 1e-5 gives torch's numbers.
    ddof : float, default=0
        Degrees of freedom: the squared deviations are divided by the number of values less this.
        1 gives the unbiased variance, as in pandas and R.
    momentum : float in (0, 1] or None, default=None
        The weight of the newest batch in ``partial_fit``, as in torch. None gives every value seen
        the same weight.
    n_channels : int or None, default=None
        Read 2-D input as this many channels of ``n_features / n_channels`` neighboring columns
        each, the flattened form of ``(n_samples, n_channels, n_positions)``. None means one channel
        per column.
    channels : list of lists of str or int, array-like of shape (n_features,) or None, default=None
        Which features make a channel, with one mean and one scale: lists of names or positions,
        such as ``[["x1", "x2"], ["y"]]``, or one label per feature.
    gamma, beta : float or array-like of shape (n_channels,), default=None
        Factor and beta applied last; None means 1 and 0.
    on_constant : {"ignore", "warn"}, default="ignore"
        Whether ``fit`` warns of constant features, by name.
    copy : bool, default=True
        Whether transform leaves its input untouched. False writes the result into it where its
        dtype allows that.
    n_jobs : int or None, default=None
        Number of threads, as joblib counts them. It changes no result.

    Attributes
    ----------
    mean_ : ndarray of shape (n_channels,) or None
        Mean of each channel. None with ``with_mean=False`` and ``with_std=False``.
    var_ : ndarray of shape (n_channels,) or None
        Variance of each channel with ``ddof`` degrees of freedom less; inf where it exceeds the
        largest float64, which does not harm ``scale_``; NaN where no more than ``ddof`` values
        were seen, and then ``scale_`` is 1. None with ``with_std=False``.
    scale_ : ndarray of shape (n_channels,) or None
        Divisor applied to each channel in ``transform``. 1 for channels whose variance is
        within rounding error of zero.
    n_samples_seen_ : int, float or ndarray of shape (n_channels,)
        The number of values behind each channel's statistics (the sum of their weights, if there
        were any); one number when it is the same for all channels.
    constant_features_ : ndarray of shape (n_constant,)
        Positions of the features whose variance is within rounding error of zero.
    n_features_in_ : int
        Size of axis 1 in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had any that are all strings.

    See Also
    --------
    PowerNormScaler : Divides by the root mean square, about zero.
    LayerScaler : Statistics of one sample, over its features.

    Notes
    -----
    A running variance keeps the variance between batches,
    ``(1 - m) var + m batch_var + m (1 - m) (batch_mean - mean)**2``: that of the mixture of both
    distributions. So batches of one row work, and drift is not understated. torch drops the last
    term and stores the unbiased variance.

    A channel whose standard deviation is below 1.1e-15 (five times the machine epsilon) of its mean
    counts as constant: it varies by the rounding of its values. StandardScaler's bound is the
    number of samples times the machine epsilon, so that there a channel may become constant by
    more of the same rows. Where a channel is constant, a value that differs from it in transform is
    centered and not scaled.

    The public attributes are the state: set by hand they make a fitted scaler, and edited ones are
    what transform uses and what partial_fit goes on from.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by
       Reducing Internal Covariate Shift", ICML 2015, arXiv:1502.03167.

    Examples
    --------
    >>> from sknorm import BatchStatScaler
    >>> X = [[1.0, 200.0], [2.0, 300.0], [3.0, 400.0]]
    >>> scaler = BatchStatScaler().fit(X)
    >>> scaler.mean_
    array([  2., 300.])
    >>> scaler.transform([[2.0, 300.0]])
    array([[0., 0.]])

    The same statistics from parts that were fitted apart:

    >>> part = BatchStatScaler().fit(X[:1])
    >>> part.merge(BatchStatScaler().fit(X[1:])).mean_
    array([  2., 300.])
    """

    _statistics = ("mean_", "var_", "scale_")

    mean_: Array | None
    var_: Array | None

    def __init__(
        self,
        *,
        with_mean: Switch = "auto",
        with_std: bool = True,
        eps: float = 0.0,
        ddof: float = 0,
        momentum: float | None = None,
        n_channels: int | None = None,
        channels: Any = None,
        gamma: Any = None,
        beta: Any = None,
        on_constant: Literal["ignore", "warn"] = "ignore",
        copy: bool = True,
        n_jobs: int | None = None,
    ) -> None:
        self.with_mean = with_mean
        self.with_std = with_std
        self.eps = eps
        self.ddof = ddof
        self.momentum = momentum
        self.n_channels = n_channels
        self.channels = channels
        self.gamma = gamma
        self.beta = beta
        self.on_constant = on_constant
        self.copy = copy
        self.n_jobs = n_jobs

    @classmethod
    def from_statistics(
        cls,
        *,
        mean: Any = None,
        var: Any = None,
        scale: Any = None,
        n_samples: Any = None,
        feature_names: Any = None,
        **params: Any,
    ) -> Self:
        """Return a scaler fitted by known statistics.

        Parameters
        ----------
        mean : array-like of shape (n_features,) or float, default=None
            The mean of each feature; None means not to center.
        var : array-like of shape (n_features,) or float, default=None
            The variance of each feature, with the ``ddof`` of ``params``.
        scale : array-like of shape (n_features,) or float, default=None
            The divisor of each feature, in place of the variance. None of both means not to scale.
        n_samples : int, float or array-like of shape (n_features,), default=None
            The number of values behind the statistics. Without it, ``partial_fit`` and ``merge``
            cannot go on from them.
        feature_names : array-like of str of shape (n_features,), default=None
            The names of the features.
        **params : dict
            Parameters of the scaler.

        Returns
        -------
        scaler : BatchStatScaler
            The fitted scaler.

        Raises
        ------
        ValueError
            If lengths differ, a value is NaN, infinite or, but for means, negative, a scale is 0,
            there are no statistics, or both ``var`` and ``scale``.

        Examples
        --------
        >>> from sknorm import BatchStatScaler
        >>> scaler = BatchStatScaler.from_statistics(
        ...     mean=[1.0, 200.0], var=[4.0, 100.0], feature_names=["x", "y"]
        ... )
        >>> scaler.transform([[220.0]], columns=["y"])
        array([[2.]])
        """
        if mean is None and var is None and scale is None:
            raise ValueError(
                "There are no statistics. Give mean, and var or scale, or one of them."
            )
        if var is not None and scale is not None:
            raise ValueError("Give var or scale, not both: scale is the root of var, plus eps.")
        scales = var is not None or scale is not None
        centers = "auto" if mean is not None else False
        scaler = cls(**({"with_mean": centers, "with_std": scales} | params))
        scaler._check_params()
        if scale is not None and scaler.eps:
            raise ValueError("scale has eps in it already. Give var, or leave eps at 0.")
        named = {"mean": mean, "var": var, "scale": scale, "n_samples": n_samples}
        found = known.statistics(named, scaler.n_channels)
        n_channels = next(values.size for values in found.values() if values is not None)
        scaler.mean_, scaler.var_, scaler.scale_ = found["mean"], found["var"], found["scale"]
        if var is not None:
            center = np.zeros(n_channels) if mean is None else found["mean"]
            scaler.scale_ = known.divisors(scaler, center, found["var"])
        elif scale is not None:
            scaler.var_ = known.square_of(found["scale"])
        known.set_count(scaler, found["n_samples"])
        known.set_features(scaler, n_channels, feature_names)
        return scaler

    @classmethod
    def from_estimator(cls, estimator: Any, **params: Any) -> Self:
        """Return a scaler that does what another, fitted one does.

        Parameters
        ----------
        estimator : StandardScaler, RobustScaler or torch.nn.BatchNorm1d, 2d or 3d
            A fitted scaler, or a layer with running statistics, which is used as in evaluation.
            Nothing is imported: what counts is its attributes.
        **params : dict
            Parameters of the scaler, in place of those that the other has.

        Returns
        -------
        scaler : BatchStatScaler
            The fitted scaler. From a StandardScaler it goes on in ``partial_fit`` and ``merge``;
            the others do not keep what that needs.

        Raises
        ------
        TypeError
            If the estimator is none of these.
        NotFittedError
            If it is not fitted.
        ValueError
            If a layer has no running statistics.

        Examples
        --------
        >>> from sklearn.preprocessing import StandardScaler
        >>> from sknorm import BatchStatScaler
        >>> fitted = StandardScaler().fit([[1.0], [3.0]])
        >>> BatchStatScaler.from_estimator(fitted).partial_fit([[5.0]]).mean_
        array([3.])
        """
        settings, learned, features = known.read_estimator(estimator)
        scaler = cls(**(settings | params))
        scaler._check_params()
        for name, value in (learned | features).items():
            setattr(scaler, name, value)
        return scaler

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.with_mean in (False, "auto")
        return tags

    def _check_params(self) -> None:
        super()._check_params()
        parameters.check_auto("with_mean", self.with_mean)
        parameters.check_flag("with_std", self.with_std)
        parameters.check_ddof(self.ddof)
        parameters.check_choice("on_constant", self.on_constant, ("ignore", "warn"))

    @property
    def constant_features_(self) -> NDArray[np.intp]:
        """Positions of the features whose variance is within rounding error of zero."""
        reader = state.snapshot(self)
        if not reader.__sklearn_is_fitted__():
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        constant = np.flatnonzero(reader._known_moments().constant)
        return np.flatnonzero(np.isin(reader._channel_of_each_feature(), constant))

    def _finish_fit(self) -> None:
        if self.on_constant == "warn":
            self._warn_of_constant_features()

    def _warn_of_constant_features(self) -> None:
        """Warn of features without any variance, by name."""
        places = self.constant_features_
        if not places.size:
            return
        names = [repr(name) for name in getattr(self, "feature_names_in_", [])]
        shown = ", ".join(names[k] if names else str(k) for k in places[:8])
        more = f" and {places.size - 8} more" if places.size > 8 else ""
        warnings.warn(
            f"Constant features: {shown}{more}. They are centered and not scaled, and tell a model "
            "nothing; drop them, or pass on_constant='ignore'.",
            stacklevel=stack_level(),
        )

    def _decide_centering(self, X: Any) -> bool:
        if self.with_mean == "auto":
            if sparse.issparse(X):
                _warn_of_dense_columns(X)
            return not sparse.issparse(X)
        return bool(self.with_mean)

    def _centers(self) -> bool:
        if self.with_mean == "auto":
            return getattr(self, "_centered", getattr(self, "mean_", None) is not None)
        return bool(self.with_mean)

    def _scales(self) -> bool:
        return bool(self.with_std)

    def _learn(self, moments: Moments) -> dict[str, Any]:
        learned: dict[str, Any] = {"mean_": None, "var_": None, "scale_": None}
        if self._centers() or self.with_std:
            learned["mean_"] = moments.mean
        if self.with_std:
            learned["var_"] = moments.var_of(self.ddof)
            learned["scale_"] = self._divisors(moments, self.eps, self.ddof)
        return learned

    def _public_moments(self, n_channels: int) -> tuple[Array | None, Array | None]:
        mean, var = getattr(self, "mean_", None), getattr(self, "var_", None)
        return (
            None if mean is None else state.read_attribute(self, "mean_", n_channels),
            None if var is None else state.read_attribute(self, "var_", n_channels),
        )

    def _scale(self, moments: Moments, eps: float, ddof: float) -> Array:
        var = moments.unit_var_of(ddof)
        # One value has no variance with ddof=1: it counts as constant.
        unknown = np.isnan(var) & (moments.count > 0)
        return root_in_unit(var, moments, eps, moments.constant | unknown)

    def _lost_degrees(self) -> float:
        return self.ddof


def _warn_of_dense_columns(X: Any) -> None:
    """Warn where a sparse array has a column that is stored for the most part.

    It may be one that was dense before a step such as ColumnTransformer stacked it with sparse
    ones, whose output is sparse or dense by its density.
    """
    n_rows = min(X.shape[0], ROWS_LOOKED_AT)
    rows = dispatch.check_structure(X[:n_rows]) if X.format == "csr" else X
    if rows.format == "csr":
        stored = np.bincount(rows.indices, minlength=X.shape[1])
    else:
        stored, n_rows = np.diff(rows.indptr), X.shape[0]
    dense = np.flatnonzero(2 * stored > n_rows)
    if dense.size:
        warnings.warn(
            f"X is sparse, so with_mean='auto' does not center it, although feature {dense[0]} has "
            "mostly nonzero values. Pass with_mean=False to divide only, or dense input (such as "
            "sparse_threshold=0 in ColumnTransformer) to center.",
            stacklevel=stack_level(),
        )
