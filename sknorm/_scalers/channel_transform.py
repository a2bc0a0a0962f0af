"""Applying the statistics per channel: to all features, or to some."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sknorm._backends.structure import Indices
from sknorm._compat import as_frame, as_numpy, wrap_output
from sknorm._scalers import parameters, state, validation
from sknorm._scalers.channel_layout import ChannelLayout
from sknorm._scalers.columns import Positions, find_columns, is_single
from sknorm._scalers.frames import is_frame, take_columns
from sknorm._scalers.typed import maps_rows


class ChannelTransform(ChannelLayout):
    """What scalers with statistics per channel have in common once they are fitted.

    Outputs get their container here, and not by scikit-learn's wrapper around ``transform``: that
    knows only the names of all features.
    """

    # Whether transform takes the columns of a frame one by one.
    _takes_columns: ClassVar[bool] = True

    if TYPE_CHECKING:

        @maps_rows
        def fit_transform(self, X: Any, /, y: Any = None, **fit_params: Any) -> Any: ...

    @maps_rows
    def transform(self, X: Any, copy: bool | None = None, *, columns: Any = None) -> Any:
        """Normalize X with the statistics learned.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data.
        copy : bool, default=None
            Whether to leave X untouched; None means the parameter ``copy``.
        columns : str, int, slice, mask or list of str or int, default=None
            The features that X consists of, in this order; None means all. Of a data frame with
            other columns too, these are taken. With a single name or position, X may have one
            dimension, and then so has the result.

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
            where the result would not be; if there is no such column.
        """
        reader = self._fitted()
        if columns is not None:
            return _of_some(reader, "transform", X, copy, columns)
        result, _ = reader._normalized(X, parameters.resolve_copy(reader, copy))
        return wrap_output(reader, result, X)

    def _normalized(self, X: Any, copy: bool) -> tuple[Any, NDArray[np.bool_] | None]:
        """Return X normalized, and which columns have NaN, or None where that is not known."""
        scaler: Any = self
        checked = validation.check_input(
            self, X, reset=False, indices=Indices.of(copy), by_column=self._takes_columns
        )
        result = scaler._apply(checked, copy, inverse=False)
        return result, getattr(checked, "missing", None)

    @maps_rows
    def inverse_transform(self, X: Any, copy: bool | None = None, *, columns: Any = None) -> Any:
        """Undo :meth:`transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            Normalized data.
        copy : bool, default=None
            Whether to leave X untouched; None means the parameter ``copy``.
        columns : str, int, slice, mask or list of str or int, default=None
            The features that X consists of, as in :meth:`transform`: predictions of one feature
            get back its unit by its name.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of the shape of X
            The data in its original units, in the container that ``set_output`` chose.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            As for :meth:`transform`; if ``gamma`` is 0 somewhere; or if X is a data frame whose
            names are not those of the features in their order.
        """
        reader = self._fitted()
        if columns is not None:
            return _of_some(reader, "inverse_transform", X, copy, columns)
        copy = parameters.resolve_copy(reader, copy)
        checked = validation.check_output(reader, X, indices=Indices.of(copy))
        result = reader._apply(checked, copy, inverse=True)
        return as_frame(reader, result, X, reader.get_feature_names_out)

    def select(self, columns: Any) -> Self:
        """Return a fitted scaler of some features.

        Parameters
        ----------
        columns : str, int, slice, mask or list of str or int
            The features, by name or position, in the order that they are to have.

        Returns
        -------
        scaler : object
            A scaler with the statistics and the settings of these features. It shares nothing with
            this one.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            If there is no such feature, one is named twice, or ``n_channels`` is set and only a
            part of a channel's features is named.
        """
        reader = self._fitted()
        n_features = reader._n_features()
        names = getattr(reader, "feature_names_in_", None)
        part: Self = _cut(reader, find_columns(columns, n_features, names), n_features)
        return part

    def _fitted(self) -> Any:
        """Return a reader of the state, where there is one."""
        reader: Any = state.snapshot(self)
        if not reader.__sklearn_is_fitted__():
            check_is_fitted(reader)
        return reader


def _of_some(reader: Any, method: str, X: Any, copy: bool | None, columns: Any) -> Any:
    """Call a method of a scaler of some features.

    Of an array, it is the columns asked for that say which features it has: it needs no names.
    """
    part = reader.select(columns)
    if is_frame(X):
        names = getattr(part, "feature_names_in_", None)
        return getattr(part, method)(X if names is None else take_columns(X, list(names)), copy)
    bare = state.draft(part, forget=False)
    bare.__dict__.pop("feature_names_in_", None)
    bare.__dict__.pop("_sklearn_output_config", None)
    bare.set_output(transform="default")
    if is_single(columns) and len(getattr(X, "shape", None) or np.shape(X)) == 1:
        column = X[:, None] if hasattr(X, "__array_namespace__") else np.asarray(X)[:, None]
        return getattr(bare, method)(column, copy)[:, 0]
    return as_frame(part, getattr(bare, method)(X, copy), X, part.get_feature_names_out)


def _cut(reader: Any, positions: Positions, n_features: int) -> Any:
    """Return a copy of a fitted scaler with some of its features."""
    part = state.draft(reader, forget=False)
    part.__dict__ = {
        name: deepcopy(value) if isinstance(value, (dict, np.ndarray, list)) else value
        for name, value in part.__dict__.items()
    }
    n_channels = reader._n_known()
    channels = reader._cut_channels(part, positions, n_features, n_channels)
    for name in (*reader._statistics, "n_samples_seen_", "_moments", "_sketches", "_training"):
        value = getattr(reader, name, None)
        array = None if value is None else as_numpy(value)
        if array is not None and array.ndim and array.shape[-1] == n_channels:
            setattr(part, name, array[..., channels].copy())
    for name in ("gamma", "beta"):
        array = np.asarray(getattr(reader, name))
        if array.ndim:
            setattr(part, name, array[channels].copy())
    if hasattr(reader, "feature_names_in_"):
        part.feature_names_in_ = reader.feature_names_in_[positions]
    if hasattr(reader, "n_features_in_"):
        part.n_features_in_ = positions.size
    return part
