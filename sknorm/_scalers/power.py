"""Power normalization: the root mean square per channel, over samples and positions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers import known
from sknorm._scalers.channel import ChannelScaler
from sknorm._scalers.state import read_attribute
from sknorm._statistics.moments import Moments, root_in_unit

Array = NDArray[np.float64]


class PowerNormScaler(ChannelScaler):
    r"""Divide each feature or channel by its root mean square (power normalization).

    .. math:: z = \gamma \, \frac{x}{\sqrt{\mathrm{mean\_square} + \epsilon}} + \beta

    The mean is not subtracted, so zero stays zero and sparse input stays sparse. Power
    normalization was introduced for transformers, whose batch means vary too much to be useful
    [1]_; with a momentum, ``mean_square_`` is its running quadratic mean.

    Axis 1 is the feature or channel axis. Axes after it are positions: statistics are over samples
    and positions.

    Parameters
    ----------
    eps : float, default=0.0
        Added to the mean of squares, in units of the squared data. 0 keeps the output independent
        of the data's unit; the paper's code has 1e-5.
    momentum : float in (0, 1] or None, default=None
        The weight of the newest batch in ``partial_fit``; the paper's code has 0.1. None gives
        every value seen the same weight.
    n_channels : int or None, default=None
        Read 2-D input as this many channels of ``n_features / n_channels`` neighboring columns
        each. None means one channel per column.
    channels : list of lists of str or int, array-like of shape (n_features,) or None, default=None
        Which features make a channel, with one scale: lists of names or positions, such as
        ``[["x1", "x2"], ["y"]]``, or one label per feature.
    gamma, beta : float or array-like of shape (n_channels,), default=None
        Factor and beta applied last; None means 1 and 0.
    copy : bool, default=True
        Whether transform leaves its input untouched. False writes the result into it where its
        dtype allows that.
    n_jobs : int or None, default=None
        Number of threads, as joblib counts them. It changes no result.

    Attributes
    ----------
    mean_square_ : ndarray of shape (n_channels,)
        The (running) mean of squares of each channel; inf where it exceeds the largest float64,
        which does not harm ``scale_``.
    scale_ : ndarray of shape (n_channels,)
        Divisor applied to each channel in ``transform``. 1 for channels of zeros.
    n_samples_seen_ : int, float or ndarray of shape (n_channels,)
        The number of values behind each channel's statistics (the sum of their weights, if there
        were any); one number when it is the same for all channels.
    n_features_in_ : int
        Size of axis 1 in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had any that are all strings.

    See Also
    --------
    BatchStatScaler : Subtracts the mean and divides by the standard deviation.

    Notes
    -----
    The paper's code first divides each row by its own root mean square; put a
    ``LayerScaler(with_mean=False)`` before this scaler for that.

    References
    ----------
    .. [1] S. Shen, Z. Yao, A. Gholami, M. W. Mahoney and K. Keutzer, "PowerNorm: Rethinking Batch
       Normalization in Transformers", ICML 2020, arXiv:2003.07845.

    Examples
    --------
    >>> from sknorm import PowerNormScaler
    >>> scaler = PowerNormScaler().fit([[3.0, 0.0], [4.0, 10.0]])
    >>> scaler.mean_square_
    array([12.5, 50. ])
    >>> scaler.transform([[0.0, 10.0]]).round(3)
    array([[0.   , 1.414]])
    """

    _statistics = ("mean_square_", "scale_")

    mean_square_: Array

    def __init__(
        self,
        *,
        eps: float = 0.0,
        momentum: float | None = None,
        n_channels: int | None = None,
        channels: Any = None,
        gamma: Any = None,
        beta: Any = None,
        copy: bool = True,
        n_jobs: int | None = None,
    ) -> None:
        self.eps = eps
        self.momentum = momentum
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
        mean_square: Any = None,
        scale: Any = None,
        n_samples: Any = None,
        feature_names: Any = None,
        **params: Any,
    ) -> Self:
        """Return a scaler fitted by known statistics.

        Parameters
        ----------
        mean_square : array-like of shape (n_features,) or float, default=None
            The mean of squares of each feature.
        scale : array-like of shape (n_features,) or float, default=None
            The divisor of each feature, in place of the mean of squares.
        n_samples : int, float or array-like of shape (n_features,), default=None
            The number of values behind the statistics. Without it, ``partial_fit`` and ``merge``
            cannot go on from them.
        feature_names : array-like of str of shape (n_features,), default=None
            The names of the features.
        **params : dict
            Parameters of the scaler.

        Returns
        -------
        scaler : PowerNormScaler
            The fitted scaler.

        Raises
        ------
        ValueError
            If lengths differ, a value is NaN, infinite or negative, a scale is 0, or not just one
            of ``mean_square`` and ``scale`` is given.

        Examples
        --------
        >>> from sknorm import PowerNormScaler
        >>> PowerNormScaler.from_statistics(mean_square=[4.0, 100.0]).transform([[1.0, 5.0]])
        array([[0.5, 0.5]])
        """
        if (mean_square is None) == (scale is None):
            raise ValueError("Give mean_square or scale: one of them.")
        scaler = cls(**params)
        scaler._check_params()
        if scale is not None and scaler.eps:
            raise ValueError("scale has eps in it already. Give mean_square, or leave eps at 0.")
        named = {"mean_square": mean_square, "scale": scale, "n_samples": n_samples}
        found = known.statistics(named, scaler.n_channels)
        if scale is None:
            square = found["mean_square"]
            scaler.scale_ = known.divisors(scaler, np.zeros_like(square), square)
        else:
            scaler.scale_, square = found["scale"], known.square_of(found["scale"])
        scaler.mean_square_ = square
        known.set_count(scaler, found["n_samples"])
        known.set_features(scaler, square.size, feature_names)
        return scaler

    def _learn(self, moments: Moments) -> dict[str, Any]:
        return {
            "mean_square_": moments.var,
            "scale_": self._divisors(moments, self.eps, 0.0),
        }

    def _public_moments(self, n_channels: int) -> tuple[Array | None, Array | None]:
        return np.zeros(n_channels), read_attribute(self, "mean_square_", n_channels)

    _learns_moments = False

    def _degrees_of_mean(self) -> float:
        return 0.0

    def _read_moments(self, moments: Moments) -> Moments:
        return moments.about_zero()

    def _scale(self, moments: Moments, eps: float, ddof: float) -> Array:
        square = moments.unit_var
        return root_in_unit(square, moments, eps, square == 0.0)
