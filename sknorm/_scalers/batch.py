"""Batch normalization: statistics per channel, over samples and positions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import dispatch
from sknorm._scalers import parameters
from sknorm._scalers.channel import ChannelScaler
from sknorm._scalers.state import read_attribute
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
    momentum : float in (0, 1] or None, default=None
        The weight of the newest batch in ``partial_fit``, as in torch. None gives every value seen
        the same weight.
    n_channels : int or None, default=None
        Read 2-D input as this many channels of ``n_features / n_channels`` neighboring columns
        each, the flattened form of ``(n_samples, n_channels, n_positions)``. None means one channel
        per column.
    gamma, beta : float or array-like of shape (n_channels,), default=None
        Factor and beta applied last; None means 1 and 0.
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
        Biased variance (ddof=0) of each channel; inf where it exceeds the largest float64, which
        does not harm ``scale_``. None with ``with_std=False``.
    scale_ : ndarray of shape (n_channels,) or None
        Divisor applied to each channel in ``transform``. 1 for channels whose variance is
        within rounding error of zero.
    n_samples_seen_ : int, float or ndarray of shape (n_channels,)
        The number of values behind each channel's statistics (the sum of their weights, if there
        were any); one number when it is the same for all channels.
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

    mean_: Any
    var_: Any

    def __init__(
        self,
        *,
        with_mean: bool | str = "auto",
        with_std: bool = True,
        eps: float = 0.0,
        momentum: float | None = None,
        n_channels: int | None = None,
        gamma: Any = None,
        beta: Any = None,
        copy: bool = True,
        n_jobs: int | None = None,
    ) -> None:
        self.with_mean = with_mean
        self.with_std = with_std
        self.eps = eps
        self.momentum = momentum
        self.n_channels = n_channels
        self.gamma = gamma
        self.beta = beta
        self.copy = copy
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.with_mean in (False, "auto")
        return tags

    def _check_params(self) -> None:
        super()._check_params()
        parameters.check_with_mean(self.with_mean)
        parameters.check_flag("with_std", self.with_std)

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
            learned["var_"] = moments.var
            learned["scale_"] = np.ldexp(self._scale(moments, self.eps), moments.exponent)
        return learned

    def _public_moments(self, n_channels: int) -> tuple[Array | None, Array | None]:
        mean, var = getattr(self, "mean_", None), getattr(self, "var_", None)
        return (
            None if mean is None else read_attribute(self, "mean_", n_channels),
            None if var is None else read_attribute(self, "var_", n_channels),
        )

    def _scale(self, moments: Moments, eps: float) -> Array:
        return root_in_unit(moments.unit_var, moments, eps, moments.constant)


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
            stacklevel=2,
        )
