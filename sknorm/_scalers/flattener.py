"""The step from channels and positions to columns."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknorm._compat import as_frame
from sknorm._exports import onnx
from sknorm._scalers import state, validation
from sknorm._scalers.base import DocLinkMixin
from sknorm._scalers.onnx_methods import OnnxMixin
from sknorm._scalers.sourced import reads_sources
from sknorm._scalers.typed import maps_rows


@reads_sources
class Flattener(DocLinkMixin, OnnxMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Lay out channels and positions as columns, for models that take two dimensions.

    It comes behind the normalizer: in front of it, the normalizer could not tell which columns are
    of one channel.

    Attributes
    ----------
    shape_ : tuple of int
        The shape of a sample in ``fit``.
    n_features_in_ : int
        The number of channels.
    feature_names_in_ : ndarray of str
        The names of the channels, where X has names.

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

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the shape of a sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_channels) or \
                (n_samples, n_channels, *positions)
            The data.
        y : None
            Ignored.

        Returns
        -------
        self : Flattener
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is not numeric, or has no channels. What was learned before stays.
        """
        prepared = state.draft(self, forget=True)
        X = validation.check_input(prepared, X, reset=True, is_flattened=True)
        prepared.shape_ = tuple(X.shape[1:])
        return state.commit(self, vars(prepared))

    @maps_rows
    def transform(self, X: Any) -> Any:
        """Return the data with one row per sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_channels) or \
                (n_samples, n_channels, *positions)
            The data.

        Returns
        -------
        X_out : array of shape (n_samples, n_channels * n_positions)
            Channel by channel. It shares the memory of X where that is a contiguous array.

        Raises
        ------
        ValueError
            If samples have another shape than in fit.
        """
        reader = self._fitted()
        X = validation.check_input(reader, X, reset=False, is_flattened=True)
        if tuple(X.shape[1:]) != reader.shape_:
            raise ValueError(
                f"X has samples of shape {tuple(X.shape[1:])}; in fit it was {reader.shape_}."
            )
        return X if X.ndim == 2 else X.reshape((X.shape[0], math.prod(reader.shape_)))

    @maps_rows
    def inverse_transform(self, X: Any) -> Any:
        """Return the data with channels and positions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_channels * n_positions)
            The data with one row per sample.

        Returns
        -------
        X_out : array of shape (n_samples, n_channels, *positions)
            The data as it was. It shares the memory of X where that is a contiguous array.

        Raises
        ------
        ValueError
            If X has another number of columns than the result of :meth:`transform`.
        """
        reader = self._fitted()
        given, more = X, math.prod(reader.shape_) - reader.n_features_in_
        X = validation.check_output(reader, X, extra=more)
        if len(reader.shape_) == 1:
            return as_frame(reader, X, given, super().get_feature_names_out)
        return X.reshape((X.shape[0], *reader.shape_))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return names by channel and position.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the channels; None means those seen in fit, or x0, x1, …

        Returns
        -------
        names : ndarray of str
            Such as ``x0_3``: channel 0, position 3.
        """
        channels = super().get_feature_names_out(input_features)
        positions = ["_".join(map(str, index)) for index in np.ndindex(*self.shape_[1:])]
        names = [f"{c}_{p}" if p else str(c) for c in channels for p in positions]
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        return tags

    def _fitted(self) -> Self:
        """Return a reader of the state as it is now."""
        reader = state.snapshot(self)
        check_is_fitted(reader)
        return reader

    def _shape_in_onnx(self, shape: list[Any]) -> list[Any]:
        return [shape[0], math.prod(self.shape_)]

    def _to_onnx(self, graph: onnx.Graph, shape: list[Any]) -> None:
        rows = graph.integers([-1, math.prod(self.shape_)])
        graph.finish(graph.node("Reshape", graph.start(wide=False), rows))
