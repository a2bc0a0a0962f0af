"""Vector norms: each row divided by its length."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from sknorm._backends import dispatch
from sknorm._backends.layout import output_dtype
from sknorm._backends.sparse import coordinates
from sknorm._backends.structure import Indices
from sknorm._compat import array_namespace, as_frame, available_if
from sknorm._exports import onnx
from sknorm._scalers import kept, parameters, state, validation
from sknorm._scalers.base import DocLinkMixin
from sknorm._scalers.onnx_methods import OnnxMixin
from sknorm._scalers.plain_state import PlainStateMixin
from sknorm._scalers.sourced import maps, reads_sources
from sknorm._scalers.typed import maps_rows


def _keeps_norm(normalizer: Any) -> bool:
    if not normalizer.keep_norm:
        raise AttributeError(
            f"{type(normalizer).__name__} can only undo what it did with keep_norm=True, which "
            "keeps the norm as a last column."
        )
    return True


@reads_sources
class RowNormalizer(
    DocLinkMixin, PlainStateMixin, OnnxMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Base of the normalizers, which differ in their norm."""

    _norm: ClassVar[str]

    def __init__(
        self, *, keep_norm: bool = False, copy: bool = True, n_jobs: int | None = None
    ) -> None:
        self.keep_norm = keep_norm
        self.copy = copy
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and X; nothing is learned.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The normalizer itself.

        Raises
        ------
        ValueError
            If X is not numeric or has infinite or missing values, or a parameter is out of range.
            The normalizer is left as it was.
        """
        prepared, X = self._read(X, Indices.NOW)
        with validation.locate_nonfinite(prepared, X, allow_nan=False):
            dispatch.check_finite(X, allow_nan=False)
        return state.commit(self, vars(prepared))

    @maps_rows
    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Normalize X after checking the parameters, in one pass: as ``fit`` and ``transform``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data.
        y : None
            Ignored.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of the shape of X
            The result of :meth:`transform`.

        Raises
        ------
        ValueError
            As for :meth:`fit` and :meth:`transform`. The normalizer is left as it was.
        """
        copy = self._copies(None)
        prepared, X = self._read(X, Indices.of(copy))
        result = prepared._apply(X, copy)
        state.commit(self, vars(prepared))
        return result

    @maps_rows
    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Divide each row of X by its norm; rows whose norm is 0 stay as they are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data. Sparse formats other than CSR and CSC are converted to CSR.
        copy : bool, default=None
            Whether to leave X untouched; None means the parameter ``copy``.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of the shape of X
            The result, in the container, memory order and floating dtype of X. With
            ``keep_norm=True`` axis 1 is longer by one.

        Raises
        ------
        ValueError
            As for :meth:`fit`; if X has another number of features than in fit; or if a norm that
            is to be kept exceeds the largest number of the dtype.
        """
        copy = self._copies(copy)
        X = validation.check_input(state.snapshot(self), X, reset=False, indices=Indices.of(copy))
        return self._apply(X, copy)

    def _copies(self, copy: bool | None) -> bool:
        """Check the parameters, and tell whether transform leaves X untouched."""
        self._check_params()
        # With a column more the result is another array in any case: X is not overwritten.
        return parameters.resolve_copy(self, copy) or self.keep_norm

    def _read(self, X: Any, indices: Indices) -> tuple[Self, Any]:
        """Return a normalizer as fit on X leaves it, and X, whose values are not checked yet."""
        prepared = state.draft(self, forget=True)
        prepared._check_params()
        return prepared, validation.check_input(prepared, X, reset=True, indices=indices)

    def _apply(self, X: Any, copy: bool) -> Any:
        """Return checked X normalized."""
        if sparse.issparse(X):
            X = dispatch.without_duplicates(X)
        with validation.locate_nonfinite(self, X, allow_nan=False):
            result, norms = dispatch.normalize(
                X, self._norm, keep=self.keep_norm, copy=copy, n_jobs=self.n_jobs
            )
        if not self.keep_norm:
            return result
        norms = array_namespace(norms).expand_dims(norms, axis=1)
        return kept.append(result, norms, f"{self._norm} norm", "keep_norm")

    @maps_rows
    @available_if(_keeps_norm)
    @maps
    def inverse_transform(self, X: Any) -> Any:
        """Undo :meth:`transform`: multiply by the norm in the last column, and drop it.

        Available with ``keep_norm=True`` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features + 1) or \
                (n_samples, n_channels + 1, *positions)
            Output of :meth:`transform`.

        Returns
        -------
        X_out : {ndarray, sparse matrix}
            The data in its original size, without the last column.

        Raises
        ------
        ValueError
            If X has not one column more than in fit, or is a data frame whose names are not those
            of :meth:`get_feature_names_out` in their order.
        """
        result = self._times_norm(validation.check_output(self, X, extra=1))
        return as_frame(self, result, X, super().get_feature_names_out)

    def _to_onnx(self, graph: onnx.Graph, shape: list[Any]) -> None:
        onnx.norm(graph, self._norm, self.keep_norm)

    def _times_norm(self, X: Any) -> Any:
        """Return X without its last column, multiplied by it."""
        if sparse.issparse(X):
            norms = X[:, [-1]].toarray().ravel()
            result = X[:, :-1].astype(output_dtype(X.dtype))
            factors = norms[coordinates(result)[0]]
            result.data = (result.data * factors).astype(result.dtype, copy=False)
            return result
        if isinstance(X, np.ndarray):
            X = X.astype(output_dtype(X.dtype), copy=False)
        return X[:, :-1, ...] * X[:, -1:, ...]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output features.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the input features; None means those seen in fit, or x0, x1, …

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names of the input features, and with ``keep_norm=True`` that of the norm, which
            ends in a number where a feature has it already.
        """
        names: NDArray[np.object_] = super().get_feature_names_out(input_features)
        if self.keep_norm:
            name = kept.free_name(f"{self._norm}_norm", set(names))
            names = np.append(names, np.array([name], dtype=object))
        return names

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        tags.requires_fit = False
        return tags

    def _check_params(self) -> None:
        parameters.check_flag("keep_norm", self.keep_norm)
        parameters.check_flag("copy", self.copy)
        parameters.check_n_jobs(self.n_jobs)


class L1Normalizer(RowNormalizer):
    r"""Divide each row by the sum of its magnitudes.

    .. math:: z_j = x_j \Big/ \sum_k |x_k|

    The same as ``sklearn.preprocessing.Normalizer(norm="l1")``, but right for every finite row:
    dense rows of tiny values are normalized too, and sums do not overflow. With positions after
    axis 1, each position's vector along axis 1 is normalized, as in
    ``torch.nn.functional.normalize``.

    Parameters
    ----------
    keep_norm : bool, default=False
        Whether to append the norm as a last column, named ``l1_norm``. It keeps the magnitude that
        normalizing takes away, and makes ``inverse_transform`` possible.
    copy : bool, default=True
        Whether transform leaves its input untouched. False writes the result into it where its
        dtype allows that.
    n_jobs : int or None, default=None
        Number of threads, as joblib counts them. It changes no result.

    Attributes
    ----------
    n_features_in_ : int
        Size of axis 1 in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had any that are all strings.

    See Also
    --------
    L2Normalizer : Divides by the Euclidean length.
    MaxNormalizer : Divides by the largest magnitude.

    Examples
    --------
    >>> from sknorm import L1Normalizer
    >>> L1Normalizer().fit_transform([[1.0, -3.0], [0.0, 0.0]])
    array([[ 0.25, -0.75],
           [ 0.  ,  0.  ]])
    """

    _norm = "l1"


class L2Normalizer(RowNormalizer):
    r"""Divide each row by its Euclidean length.

    .. math:: z_j = x_j \Big/ \sqrt{\sum_k x_k^2}

    The same as ``sklearn.preprocessing.Normalizer()``, but right for every finite row: squares
    neither overflow nor underflow. With positions after axis 1, each position's vector along
    axis 1 is normalized, as in ``torch.nn.functional.normalize``.

    Parameters
    ----------
    keep_norm : bool, default=False
        Whether to append the norm as a last column, named ``l2_norm``. It keeps the magnitude that
        normalizing takes away, and makes ``inverse_transform`` possible.
    copy : bool, default=True
        Whether transform leaves its input untouched. False writes the result into it where its
        dtype allows that.
    n_jobs : int or None, default=None
        Number of threads, as joblib counts them. It changes no result.

    Attributes
    ----------
    n_features_in_ : int
        Size of axis 1 in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had any that are all strings.

    See Also
    --------
    L1Normalizer : Divides by the sum of magnitudes.
    LayerScaler : Divides by the standard deviation or the root mean square.

    Examples
    --------
    >>> from sknorm import L2Normalizer
    >>> L2Normalizer().fit_transform([[3.0, 4.0], [3e200, 4e200]])
    array([[0.6, 0.8],
           [0.6, 0.8]])
    >>> L2Normalizer(keep_norm=True).fit_transform([[3.0, 4.0]])
    array([[0.6, 0.8, 5. ]])
    """

    _norm = "l2"


class MaxNormalizer(RowNormalizer):
    r"""Divide each row by its largest magnitude.

    .. math:: z_j = x_j \Big/ \max_k |x_k|

    The same as ``sklearn.preprocessing.Normalizer(norm="max")``, but dense rows of tiny values are
    normalized too. With positions after axis 1, each position's vector along axis 1 is normalized.

    Parameters
    ----------
    keep_norm : bool, default=False
        Whether to append the norm as a last column, named ``max_norm``. It keeps the magnitude that
        normalizing takes away, and makes ``inverse_transform`` possible.
    copy : bool, default=True
        Whether transform leaves its input untouched. False writes the result into it where its
        dtype allows that.
    n_jobs : int or None, default=None
        Number of threads, as joblib counts them. It changes no result.

    Attributes
    ----------
    n_features_in_ : int
        Size of axis 1 in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had any that are all strings.

    See Also
    --------
    L1Normalizer : Divides by the sum of magnitudes.
    L2Normalizer : Divides by the Euclidean length.

    Examples
    --------
    >>> from sknorm import MaxNormalizer
    >>> MaxNormalizer().fit_transform([[1.0, -4.0]])
    array([[ 0.25, -1.  ]])
    """

    _norm = "max"
