"""Layer normalization and its family: statistics per sample, over features and positions."""

from __future__ import annotations

import math
import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from sknorm._backends import dispatch
from sknorm._backends.structure import Indices
from sknorm._compat import as_frame, available_if
from sknorm._exports import onnx
from sknorm._scalers import kept, known, parameters, state, validation
from sknorm._scalers.base import DocLinkMixin, refuse_dense_result, stack_level
from sknorm._scalers.layer_statistics import layer_statistics, undo_layer
from sknorm._scalers.onnx_methods import OnnxMixin
from sknorm._scalers.plain_state import PlainStateMixin
from sknorm._scalers.sourced import maps, reads_sources
from sknorm._scalers.typed import Switch, maps_rows

Array = NDArray[np.float64]


def _keeps_statistics(scaler: Any) -> bool:
    if not scaler.keep_statistics:
        raise AttributeError(
            "LayerScaler can only undo what it did with keep_statistics=True, which keeps the "
            "means and divisors as last columns."
        )
    return True


@reads_sources
class LayerScaler(
    DocLinkMixin, PlainStateMixin, OnnxMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    r"""Standardize each sample with its own mean and variance (layer normalization).

    .. math:: z = \gamma \, \frac{x - \mathrm{mean}}{\sqrt{\mathrm{var} + \epsilon}} + \beta

    The statistics are those of one sample, over all its features and positions, in groups:
    ``n_groups=1`` is layer normalization [1]_, ``n_groups=n_channels`` instance normalization [2]_,
    numbers between are group normalization [3]_, and ``with_mean=False`` is root mean square
    normalization [4]_. Nothing is learned.

    Features in different units do not belong in one layer: normalize columns first
    (:class:`BatchStatScaler`), or use this for features that are alike, such as spectra, counts,
    pixels or embeddings.

    Parameters
    ----------
    with_mean : bool or "auto", default="auto"
        Whether to subtract the mean. Without it, the division is by the root mean square. "auto"
        subtracts it from dense input and not from sparse input, which stays sparse; zeros that are
        not stored count.
    with_std : bool, default=True
        Whether to divide.
    n_groups : int, default=1
        Number of groups of neighboring channels (axis 1), each with statistics of its own. It
        must divide their number.
    eps : float, default=0.0
        Added to the variance, in units of the squared data. 0 keeps the output independent of the
        data's unit; 1e-5 gives torch's numbers.
    gamma, beta : float or array-like of shape (n_channels,) or X.shape[1:], default=None
        Factor and beta applied last; None means 1 and 0.
    keep_statistics : bool, default=False
        Whether to append the mean and the divisor of each group as last columns, named
        ``layer_mean`` and ``layer_scale``. They keep what normalizing takes away, and make
        ``inverse_transform`` possible, also of predictions of another length.
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
    BatchStatScaler : Statistics per feature, over samples.
    L2Normalizer : Divides each row by its length.

    Notes
    -----
    NaN is a missing value: left out of the statistics, kept in the output. A group of equal values
    (given rounding) becomes 0, or ``beta``.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
    .. [2] D. Ulyanov, A. Vedaldi and V. Lempitsky, "Instance Normalization: The Missing Ingredient
       for Fast Stylization", 2016, arXiv:1607.08022.
    .. [3] Y. Wu and K. He, "Group Normalization", ECCV 2018, arXiv:1803.08494.
    .. [4] B. Zhang and R. Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019,
       arXiv:1910.07467.

    Examples
    --------
    >>> from sknorm import LayerScaler
    >>> LayerScaler().fit_transform([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]).round(3)
    array([[-1.225,  0.   ,  1.225],
           [-1.225,  0.   ,  1.225]])
    >>> LayerScaler(with_mean=False).fit_transform([[3.0, 4.0]]).round(3)
    array([[0.849, 1.131]])

    With its statistics kept, a prediction for the next value of each series gets its level back:

    >>> scaler = LayerScaler(keep_statistics=True)
    >>> Z = scaler.fit_transform([[1.0, 3.0], [10.0, 30.0]])
    >>> Z
    array([[-1.,  1.,  2.,  1.],
           [-1.,  1., 20., 10.]])
    >>> scaler.inverse_transform([[3.0, *Z[0, 2:]], [3.0, *Z[1, 2:]]])
    array([[ 5.],
           [50.]])
    """

    def __init__(
        self,
        *,
        with_mean: Switch = "auto",
        with_std: bool = True,
        n_groups: int = 1,
        eps: float = 0.0,
        gamma: Any = None,
        beta: Any = None,
        keep_statistics: bool = False,
        copy: bool = True,
        n_jobs: int | None = None,
    ) -> None:
        self.with_mean = with_mean
        self.with_std = with_std
        self.n_groups = n_groups
        self.eps = eps
        self.gamma = gamma
        self.beta = beta
        self.keep_statistics = keep_statistics
        self.copy = copy
        self.n_jobs = n_jobs

    @classmethod
    def from_estimator(cls, layer: Any, **params: Any) -> Self:
        """Return a scaler that does what a layer of torch does.

        Parameters
        ----------
        layer : torch.nn.LayerNorm, GroupNorm, InstanceNorm1d, 2d or 3d, or RMSNorm
            The layer. Nothing is imported: what counts is its attributes.
        **params : dict
            Parameters of the scaler, in place of those that the layer has.

        Returns
        -------
        scaler : LayerScaler
            The scaler, which needs no fit. That of an InstanceNorm normalizes each channel of a
            sample by itself; that of a LayerNorm of several axes takes them as channels and
            positions.

        Raises
        ------
        TypeError
            If the layer is none of these.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> from sknorm import LayerScaler
        >>> layer = SimpleNamespace(num_groups=2, eps=1e-5, weight=None, bias=None)
        >>> LayerScaler.from_estimator(layer)
        LayerScaler(eps=1e-05, n_groups=2)
        """
        return cls(**(known.read_layer(layer) | params))

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the shape of X; nothing is learned.

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
            The scaler itself.

        Raises
        ------
        ValueError
            If X is not numeric, has infinite values, or is sparse where it would have to be
            centered; if a parameter does not fit. The scaler is left as it was.
        """
        prepared = state.draft(self, forget=True)
        X = validation.check_input(prepared, X, reset=True)
        prepared._check_params(X)
        with validation.locate_nonfinite(prepared, X):
            dispatch.check_finite(X, allow_nan=True)
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
            As for :meth:`fit` and :meth:`transform`. The scaler is left as it was.
        """
        copy = self._copies(None)
        prepared = state.draft(self, forget=True)
        X = validation.check_input(prepared, X, reset=True, indices=Indices.of(copy))
        result = prepared._apply(X, copy)
        state.commit(self, vars(prepared))
        return result

    @maps_rows
    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Normalize each sample of X.

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
            The result, in the container, memory order and floating dtype of X. With
            ``keep_statistics=True`` axis 1 is longer by ``2 * n_groups``: the means of the groups,
            then what they were divided by.

        Raises
        ------
        ValueError
            As for :meth:`fit`; if X has another number of features than in fit; or if statistics
            that are to be kept exceed the largest number of the dtype.
        """
        copy = self._copies(copy)
        X = validation.check_input(state.snapshot(self), X, reset=False, indices=Indices.of(copy))
        return self._apply(X, copy)

    def _apply(self, X: Any, copy: bool) -> Any:
        """Return checked X normalized."""
        gamma, beta = self._check_params(X)
        if sparse.issparse(X):
            X = dispatch.without_duplicates(X)
        self._warn_of_single_values(X)
        with validation.locate_nonfinite(self, X):
            statistics = self._statistics_of(X) if self.keep_statistics else None
            result = dispatch.layer_norm(
                X,
                self.n_groups,
                center=self._centers(X),
                scale=bool(self.with_std),
                eps=float(self.eps),
                gamma=gamma,
                beta=beta,
                copy=copy,
                n_jobs=self.n_jobs,
            )
        if statistics is None:
            return result
        return kept.append(result, statistics, "mean or scale", "keep_statistics")

    def _copies(self, copy: bool | None) -> bool:
        """Tell whether transform leaves X untouched: with more columns it does in any case."""
        parameters.check_flag("keep_statistics", self.keep_statistics)
        return parameters.resolve_copy(self, copy) or self.keep_statistics

    @maps_rows
    @available_if(_keeps_statistics)
    @maps
    def inverse_transform(self, X: Any) -> Any:
        """Undo :meth:`transform` by the statistics in the last columns, and drop those.

        Available with ``keep_statistics=True`` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_out + 2 * n_groups) or \
                (n_samples, n_out + 2 * n_groups, *positions)
            Output of :meth:`transform`, or values of that scale, such as predictions, with its
            last columns appended. ``n_out`` need not be the number of features in fit.

        Returns
        -------
        X_out : {ndarray, sparse matrix} of shape (n_samples, n_out) or \
                (n_samples, n_out, *positions)
            The values in their original units.

        Raises
        ------
        ValueError
            If X has too few columns, or their number is none of whole groups; if ``gamma`` is 0
            somewhere; if X is a data frame whose names are not those of
            :meth:`get_feature_names_out`.
        """
        n_kept = 2 * self.n_groups
        checked = validation.check_output(state.snapshot(self), X, extra=n_kept, any_width=True)
        n_out = checked.shape[1] - n_kept
        if n_out < 1 or n_out % self.n_groups:
            raise ValueError(
                f"X has {checked.shape[1]} features, but inverse_transform needs those of the "
                f"values (a multiple of n_groups={self.n_groups}) and {n_kept} of statistics "
                "after them."
            )
        element = (n_out, *(int(size) for size in checked.shape[2:]))
        gamma, beta = self._affine_of(element)
        if gamma is not None and not gamma.all():
            raise ValueError(
                "gamma is 0 for some values, so the input cannot be recovered. inverse_transform "
                "needs gamma != 0."
            )
        result = undo_layer(checked, self.n_groups, gamma, beta)
        if n_out != getattr(self, "n_features_in_", n_out):
            return result
        return as_frame(self, result, X, super().get_feature_names_out)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output features.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the input features; None means those seen in fit, or x0, x1, …

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names of the input features, and with ``keep_statistics=True`` those of the
            statistics: ``layer_mean`` and ``layer_scale``, with the number of the group where
            there are several.
        """
        names: NDArray[np.object_] = super().get_feature_names_out(input_features)
        if not self.keep_statistics:
            return names
        numbers = [""] if self.n_groups == 1 else [str(k) for k in range(self.n_groups)]
        taken = set(names)
        added = [
            kept.free_name(f"{name}{number}", taken)
            for name in ("layer_mean", "layer_scale")
            for number in numbers
        ]
        return np.append(names, np.array(added, dtype=object))

    def _not_onnx(self) -> str | None:
        if self.keep_statistics:
            return "keep_statistics=True is for inverse_transform, which is not converted."
        return None

    def _to_onnx(self, graph: onnx.Graph, shape: list[Any]) -> None:
        onnx.layer(graph, *self._onnx_layer(shape))

    def _onnx_layer(self, shape: list[Any]) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Return what is computed, and the shape of a sample."""
        element = (self.n_features_in_, *shape[2:])
        if None in element:
            raise ValueError(
                f"The input has the shape {shape}, and LayerScaler needs to know all but the "
                "number of samples. Give the others in initial_types."
            )
        gamma, beta = self._affine_of(element)
        layer: dict[str, Any] = {
            "center": self.with_mean is not False,
            "scale": bool(self.with_std),
        }
        layer |= {"n_groups": self.n_groups, "eps": float(self.eps), "gamma": gamma, "beta": beta}
        return layer, element

    @staticmethod
    def onnx_fused_converter(scope: Any, operator: Any, container: Any) -> None:
        """Convert to ONNX's own node LayerNormalization, as one of skl2onnx's custom conversions.

        ``skl2onnx.convert_sklearn(...,
        custom_conversion_functions={LayerScaler: LayerScaler.onnx_fused_converter})`` asks for it.
        That node is faster than the plain arithmetic of :meth:`onnx_converter`, and right in fewer
        cases: where a value is missing the group becomes NaN, and so does a constant group with
        ``eps=0``; ``eps`` is rounded to float32, and float32 values are computed in float32, which
        overflows from about 1e19 on.

        Parameters
        ----------
        scope, operator, container : object
            What skl2onnx passes on.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        NotImplementedError
            If it does not both center and scale, or the opset is below 17.
        """
        scaler = operator.raw_operator
        layer, element = scaler._onnx_layer(scaler._convertible(operator))
        onnx.fused_layer(onnx.Graph(scope, operator, container), layer, element)

    def _statistics_of(self, X: Any) -> Any:
        return layer_statistics(
            X,
            self.n_groups,
            center=self._centers(X),
            scale=bool(self.with_std),
            eps=float(self.eps),
            n_jobs=self.n_jobs,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = self.with_mean in (False, "auto")
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        tags.requires_fit = False
        return tags

    def _warn_of_single_values(self, X: Any) -> None:
        """Warn where each group is one value, which centering turns into 0 whatever it is."""
        if self._centers(X) and math.prod(X.shape[1:]) == self.n_groups:
            warnings.warn(
                f"Each of the n_groups={self.n_groups} groups is a single value, so centering "
                "turns all of them into 0 (plus beta). Use fewer groups, or with_mean=False.",
                stacklevel=stack_level(),
            )

    def _centers(self, X: Any) -> bool:
        return not sparse.issparse(X) if self.with_mean == "auto" else bool(self.with_mean)

    def _check_params(self, X: Any) -> tuple[Array | None, Array | None]:
        """Return gamma and beta with one row per group, or None where both are left out."""
        parameters.check_auto("with_mean", self.with_mean)
        parameters.check_flag("with_std", self.with_std)
        parameters.check_not_negative("eps", self.eps)
        parameters.check_n_jobs(self.n_jobs)
        parameters.check_flag("copy", self.copy)
        parameters.check_divisor("n_groups", self.n_groups, int(X.shape[1]), "features (axis 1)")
        gamma, beta = self._affine_of(tuple(int(size) for size in X.shape[1:]))
        if sparse.issparse(X):
            refuse_dense_result(
                centers=self._centers(X),
                beta=beta,
                parameter="with_mean",
                divides_by="the root mean square",
            )
        return gamma, beta

    def _affine_of(self, element: tuple[int, ...]) -> tuple[Array | None, Array | None]:
        """Return gamma and beta with one row per group, or None where both are left out."""
        if self.gamma is None and self.beta is None:
            return None, None
        gamma = self._per_element("gamma", self.gamma, 1.0, element)
        return gamma, self._per_element("beta", self.beta, 0.0, element)

    def _per_element(
        self, name: str, value: Any, default: float, element: tuple[int, ...]
    ) -> Array:
        array = parameters.check_affine(name, value, default, [element, element[:1]])
        array = array.reshape(array.shape + (1,) * (len(element) - array.ndim))
        full = np.broadcast_to(array, element).copy()
        return full.reshape(self.n_groups, math.prod(element) // self.n_groups)
