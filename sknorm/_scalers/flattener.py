"""The step from channels and positions to columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknorm._scalers.typed import maps_rows


class Flattener(TransformerMixin, BaseEstimator):
    """Lay out channels and positions as columns, for models that take two dimensions.

    It comes behind the normalizer: in front of it, the normalizer could not tell which columns are
    of one channel.

    Attributes
    ----------
    shape_ : tuple of int
        The shape of a sample in ``fit``.

    See Also
    --------
    BatchStatScaler : Normalizes per channel.
    LayerScaler : Normalizes per sample, or per sample and group of channels.

    Examples
    --------
    >>> import numpy as np
    >>> from sknorm import Flattener
    >>> Flattener().fit_transform(np.zeros((5, 3, 4))).shape
    (5, 12)
    """

    def fit(self, X: Any, y: Any = None) -> Flattener:
        """Learn the shape of a sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_channels, *positions)
            The data.
        y : None
            Ignored.

        Returns
        -------
        self : Flattener
            The fitted transformer.
        """
        self.shape_ = np.shape(X)[1:]
        return self

    @maps_rows
    def transform(self, X: Any) -> Any:
        """Return the data with one row per sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_channels, *positions)
            The data.

        Returns
        -------
        X : array of shape (n_samples, n_channels * n_positions)
            Channel by channel.
        """
        check_is_fitted(self)
        X = X if hasattr(X, "reshape") and hasattr(X, "shape") else np.asarray(X)
        if tuple(X.shape[1:]) != tuple(self.shape_):
            raise ValueError(f"X has samples of shape {X.shape[1:]}; in fit it was {self.shape_}.")
        return X.reshape((X.shape[0], -1))

    @maps_rows
    def inverse_transform(self, X: Any) -> Any:
        """Return the data with channels and positions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_channels * n_positions)
            The data with one row per sample.

        Returns
        -------
        X : array of shape (n_samples, n_channels, *positions)
            The data as it was.
        """
        check_is_fitted(self)
        return np.asarray(X).reshape((-1, *self.shape_))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return names by channel and position.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the channels.

        Returns
        -------
        names : ndarray of str
            Such as ``x0_3``: channel 0, position 3.
        """
        check_is_fitted(self)
        channels = (
            [f"x{place}" for place in range(self.shape_[0])]
            if input_features is None
            else list(input_features)
        )
        positions = ["_".join(map(str, index)) for index in np.ndindex(*self.shape_[1:])]
        names = [f"{c}_{p}" if p else str(c) for c in channels for p in positions]
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags
