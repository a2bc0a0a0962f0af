"""Statistics per group of rows, with a policy for groups that fit has not seen."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknorm._compat import as_frame
from sknorm._drift.report import DriftReport
from sknorm._scalers import keys, parameters, state
from sknorm._scalers.base import DocLinkMixin
from sknorm._scalers.group_columns import join, positions, with_groups
from sknorm._scalers.group_state import GroupState
from sknorm._scalers.merging import fold_in
from sknorm._scalers.onnx_methods import OnnxMixin
from sknorm._scalers.plain_state import PlainStateMixin, as_fields, from_fields
from sknorm._scalers.sourced import reads_sources
from sknorm._scalers.typed import maps_rows


@reads_sources
class GroupScaler(
    DocLinkMixin,
    PlainStateMixin,
    OnnxMixin,
    GroupState,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
):
    r"""Scale each row with the statistics of its group.

    Shops, sites, patients, sensors or tickers have levels and spreads of their own. Here the rows
    of each key are scaled with their own statistics, all of them in one pass over the data.

    Small groups, whose own statistics are uncertain, are drawn towards what is typical of the
    groups (empirical Bayes): the mean :math:`\bar x_g` of :math:`n_g` values and their variance
    :math:`s_g^2` become

    .. math::

        \tilde s_g^2 = \frac{d_0 s_0^2 + d_g s_g^2}{d_0 + d_g}, \qquad
        \tilde x_g = \bar x_g + \frac{v_g}{v_g + \tau^2} (\mu - \bar x_g), \qquad
        v_g = \tilde s_g^2 / n_g

    where :math:`d_g = n_g - 1`. The typical variance :math:`s_0^2` and its worth :math:`d_0` follow
    from the mean and the variance of :math:`\log s_g^2` over the groups [1]_, the variance
    :math:`\tau^2` and the mean :math:`\mu` of the groups' means from the method of moments [2]_.

    Parameters
    ----------
    scaler : BatchStatScaler, PowerNormScaler or SquashingScaler, default=None
        The scaler whose statistics are to differ by group, with its settings. It is cloned; None
        means ``BatchStatScaler()``.
    by : str, int or list of str or int, default=None
        The columns of X that are the key, by name or position. Keys may be numbers, text or dates.
        With None, they are the argument ``groups`` of the methods.
    unseen : {"pooled", "error", "nan"}, default="pooled"
        What becomes of rows in groups that were not in fit: scaled with the statistics of all rows,
        refused, or NaN.
    shrinkage : {"auto", "none"} or float, default="auto"
        How groups are drawn towards the others. "auto" does so by the formulas above; "none" takes
        the statistics of each group as they are; a number adds to each group as many values that
        are distributed as all rows are.
    keep_by : bool, default=True
        Whether the columns of the key are in the result, as they are, in their places.

    Attributes
    ----------
    groups_ : ndarray of shape (n_groups,)
        The keys, which are tuples where there are several columns. None is the key of rows where
        it is missing.
    pooled_ : estimator
        The scaler fitted on all rows.
    mean_, var_, mean_square_, center_, scale_ : ndarray of shape (n_groups, n_channels)
        The statistics that the groups are scaled with, as far as the scaler has them.
    n_samples_seen_ : ndarray of shape (n_groups, n_channels)
        The number of values, or the sum of their weights, of each group.
    n_features_in_ : int
        The number of columns in fit, the key among them.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had any that are all strings.

    See Also
    --------
    BatchStatScaler : Statistics of all rows.
    LayerScaler : Statistics of each row.

    Notes
    -----
    A missing key (None, NaN among text, NaT) is a group of its own. Among numbers, NaN is an error,
    as it may as well be a number that was lost. Dates and durations of pandas, polars, Arrow, NumPy
    and Python are the same keys where they are equal, those with a time zone by their time in UTC;
    ``groups_`` has them as NumPy does, in nanoseconds.

    Of SquashingScaler, medians and the logarithms of interquartile ranges are drawn, as normally
    distributed between groups, with the sampling errors that normally distributed values have. Of
    PowerNormScaler, mean squares are drawn as variances are, with :math:`d_g = n_g`.

    Weights count as numbers of rows, also in how far a group is drawn: scale them so that one row
    has the weight 1.

    A fit keeps nine numbers per group and feature, and one more where values are missing. Of data
    frames, and of arrays in Fortran order, eight columns at a time are copied for it. What is
    typical of the groups is computed when it is first needed, by ``transform``.

    References
    ----------
    .. [1] G. K. Smyth, "Linear Models and Empirical Bayes Methods for Assessing Differential
       Expression in Microarray Experiments", Statistical Applications in Genetics and Molecular
       Biology 3 (2004), section 6.2.
    .. [2] R. DerSimonian and R. Kacker, "Random-effects model for meta-analysis of clinical trials:
       An update", Contemporary Clinical Trials 28 (2007), 105-114: the method in two steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknorm import GroupScaler
    >>> X = pd.DataFrame(
    ...     {"site": ["a", "a", "b", "b"], "height": [1.0, 3.0, 100.0, 300.0]}
    ... )
    >>> scaler = GroupScaler(by="site", shrinkage="none").set_output(transform="pandas")
    >>> scaler.fit_transform(X)
      site  height
    0    a    -1.0
    1    a     1.0
    2    b    -1.0
    3    b     1.0
    """

    def __init__(
        self,
        scaler: Any = None,
        by: Any = None,
        *,
        unseen: Literal["pooled", "error", "nan"] = "pooled",
        shrinkage: Any = "auto",
        keep_by: bool = True,
    ) -> None:
        self.scaler = scaler
        self.by = by
        self.unseen = unseen
        self.shrinkage = shrinkage
        self.keep_by = keep_by

    @state.all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None) -> Self:
        """Compute the statistics of each group, forgetting what was learned before.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data, with the columns of the key if ``by`` names any.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples; None gives each the weight 1.
        groups : array-like of shape (n_samples,) or (n_samples, n_keys), default=None
            The key of each row, where ``by`` is None.

        Returns
        -------
        self : object
            The fitted scaler.

        Raises
        ------
        ValueError
            If there is no such column, a key of numbers is NaN, both or neither of ``by`` and
            ``groups`` are given, or as for the scaler's ``fit``. The scaler is left as it was.
        TypeError
            If ``scaler`` has no statistics that could differ by group.
        """
        self._learn_from(X, sample_weight, groups, forget=True)
        return self

    @state.all_or_nothing
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None
    ) -> Self:
        """Update the statistics with a batch, which may have new groups.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The batch.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples. A SquashingScaler takes none here.
        groups : array-like of shape (n_samples,) or (n_samples, n_keys), default=None
            The key of each row, where ``by`` is None.

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
        self._learn_from(X, sample_weight, groups, forget=False)
        return self

    @state.all_or_nothing
    def merge(self, *others: Self) -> Self:
        """Fold in the statistics of scalers fitted on other rows, of the same groups or others.

        Parameters
        ----------
        *others : GroupScalers of the same settings
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
        return fold_in(self, others)

    @maps_rows
    @state.all_or_nothing
    def fit_transform(
        self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None
    ) -> Any:
        """Fit, and transform the same X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples.
        groups : array-like of shape (n_samples,) or (n_samples, n_keys), default=None
            The key of each row, where ``by`` is None.

        Returns
        -------
        X_out : {ndarray, sparse matrix, DataFrame}
            As of :meth:`transform`.
        """
        parts = self._learn_from(X, sample_weight, groups, forget=True)
        return self._fitted()._scaled(parts, X)

    @maps_rows
    def transform(self, X: Any, groups: Any = None) -> Any:
        """Scale each row with the statistics of its group.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data.
        groups : array-like of shape (n_samples,) or (n_samples, n_keys), default=None
            The key of each row, where ``by`` is None.

        Returns
        -------
        X_out : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features_out)
            The result. An array is of floats, or of objects where a key is kept that is not a
            number; ``set_output(transform="pandas")`` gives each column a type of its own.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            As for the scaler's ``transform``; if there is a group that was not in fit, and
            ``unseen`` is "error".
        """
        reader = self._fitted()
        return reader._scaled(reader._parts(X, groups, reset=False), X)

    @maps_rows
    def inverse_transform(self, X: Any, groups: Any = None) -> Any:
        """Undo :meth:`transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features_out) or \
                (n_samples, n_channels, *positions)
            Scaled data, as transform gives it.
        groups : array-like of shape (n_samples,) or (n_samples, n_keys), default=None
            The key of each row, where X does not have it: with ``by=None`` or ``keep_by=False``.

        Returns
        -------
        X_out : {ndarray, sparse matrix, DataFrame} of the shape of X
            The data in its original units.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            As for :meth:`transform`, or if ``gamma`` is 0 somewhere.
        """
        reader = self._fitted()
        if reader.by is not None and not reader.keep_by:
            if groups is None:
                raise ValueError("X does not have the key, as keep_by is False. Pass it as groups.")
            parts = with_groups(X, groups)
        else:
            parts = reader._parts(X, groups, reset=False, inverse=True)
        result = reader._apply(parts, inverse=True)
        if parts.positions:
            return join(reader, result, parts, X)
        return as_frame(reader, result, X, reader.get_feature_names_out)

    def check_drift(
        self,
        X: Any,
        sample_weight: Any = None,
        groups: Any = None,
        *,
        alpha: float = 0.05,
        threshold: float = 0.2,
    ) -> DriftReport:
        """Compare new data with what the scaler was fitted on, group by group.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            New data.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples; None gives each the weight 1.
        groups : array-like of shape (n_samples,) or (n_samples, n_keys), default=None
            The key of each row, where ``by`` is None.
        alpha : float, default=0.05
            The rate of false alarms, over all features of all groups.
        threshold : float, default=0.2
            The smallest change that gets a verdict, as in :meth:`BatchStatScaler.check_drift`.

        Returns
        -------
        report : DriftReport
            The table, one row per group in X and feature; groups that were not in fit are in
            ``new_groups``.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            If X does not fit, or has no group that was in fit.
        """
        reader: Self = self._fitted()
        parameters.check_drift_settings(alpha, threshold)
        return reader._drift_of(reader._new_data(X, sample_weight, groups), (alpha, threshold))

    def scaler_of(self, key: Any) -> Any:
        """Return a fitted scaler with the statistics of one group.

        Parameters
        ----------
        key : object
            One of ``groups_``, or a date of any library that is the same; None is the group whose
            key is missing.

        Returns
        -------
        scaler : estimator
            A scaler of the class of ``scaler``, which does with the features (without the key) what
            this one does with the rows of the group.

        Raises
        ------
        NotFittedError
            If the scaler is not fitted.
        ValueError
            If there is no such group.
        """
        reader = self._fitted()
        number = keys.find(key, reader._numbers)
        if number is None:
            shown = ", ".join(map(repr, list(reader._numbers)[:8]))
            more = ", …" if len(reader._numbers) > 8 else ""
            raise ValueError(f"There is no group {key!r}. The groups are {shown}{more}.")
        return reader._scaler_of(number)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features of the result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the features in fit; None takes those known, or ``x0``, ``x1`` ….

        Returns
        -------
        names : ndarray of str
            The names, without those of the key if ``keep_by`` is False.
        """
        check_is_fitted(self)
        names: NDArray[np.object_] = super().get_feature_names_out(input_features)
        if self.by is None or self.keep_by:
            return names
        return names[positions(self, names.size)[1]]

    def _not_onnx(self) -> str | None:
        return (
            "which statistics a row gets depends on its group, which ONNX would have to look up in "
            "a table. Convert scaler_of(key), the scaler of one group."
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return the state as arrays and numbers, of no classes but the scalers'."""
        state = dict(super().__getstate__())
        if "_group_statistics" in state:
            state["_group_statistics"] = as_fields(state["_group_statistics"])
            state["_numbers"] = list(state["_numbers"])  # which are 0, 1, …
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        state = dict(state)
        if "_group_statistics" in state:
            state["_group_statistics"] = from_fields(state["_group_statistics"])
            state["_numbers"] = keys.Numbering(state["_numbers"])
        super().__setstate__(state)

    def _set_learned(self, learned: dict[str, Any]) -> None:
        """Take over what a plain state has."""
        super()._set_learned(learned)
        if "_numbers" in learned:
            self._numbers = keys.Numbering(list(learned["_numbers"]))

    def __sklearn_is_fitted__(self) -> bool:
        return "_group_statistics" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = self._scaler().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.string = self.by is not None
        tags.input_tags.three_d_array = self.by is None
        tags.transformer_tags.preserves_dtype = inner.transformer_tags.preserves_dtype
        return tags
