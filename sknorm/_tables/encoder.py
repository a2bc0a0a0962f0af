"""A table as numbers: gaps filled, dates split, text encoded; what is a quantity stays apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknorm._tables.cells import refuse_containers
from sknorm._tables.columns import ColumnEncoder, choose_encoder
from sknorm._tables.convert import (
    Notes,
    find_decimal,
    find_format,
    hours_in,
    text_columns,
)
from sknorm._tables.errors import TableError, load
from sknorm._tables.types import with_usual_types

if TYPE_CHECKING:
    import pandas


class TableEncoder(TransformerMixin, BaseEstimator):
    r"""Turn a data frame with text, dates and gaps into numbers.

    Each column becomes what suits it: numbers stay as they are, in raw units; dates become days
    since 1970, year, month, day, weekday and hour (skrub's ``DatetimeEncoder``); text of few values
    is one-hot encoded, other text goes through skrub's ``StringEncoder``; gaps in numbers and dates
    are filled with the median, and missing text is a value of its own. Text that is numbers or
    dates is read as such. Constant and empty columns are left out, and so are keys: text of which
    nearly every row has its own value, without blanks.

    What was numbers or dates comes out as float64, one-hot columns as int8 and encoded text as
    float32, so that a normalizer can be applied to the quantities alone: see
    :func:`~sknorm.tables.make_table_pipeline`.

    Parameters
    ----------
    max_categories : int, default=20
        Text of at most so many values is one-hot encoded.
    n_components : int, default=30
        Columns that other text is encoded in.
    decimal : {".", ","}, default=None
        Decimal sign of numbers that are text; None finds it in the table.

    Attributes
    ----------
    feature_names_in_ : ndarray of str
        The columns of the table.
    n_features_in_ : int
        Their number.
    notes_ : list of str
        What was done to the columns, in sentences.

    See Also
    --------
    make_table_pipeline : Puts it before a normalizer and a model.
    read_table : Reads a table from a file.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknorm.tables import TableEncoder
    >>> frame = pd.DataFrame({"size": [50.0, None, 90.0], "city": ["Bern", "Genf", "Bern"]})
    >>> encoder = TableEncoder()
    >>> encoder.fit_transform(frame)
       size  city_Genf
    0  50.0          0
    1  70.0          1
    2  90.0          0
    >>> print(*encoder.notes_, sep="\n")
    Missing values, filled with the median of the training rows: size (1).
    One-hot encoded: city.
    """

    def __init__(
        self, max_categories: int = 20, n_components: int = 30, decimal: str | None = None
    ) -> None:
        self.max_categories = max_categories
        self.n_components = n_components
        self.decimal = decimal

    def fit(self, X: Any, y: Any = None) -> TableEncoder:
        """Learn what each column is, its values and its median.

        Parameters
        ----------
        X : data frame of shape (n_samples, n_columns)
            The table.
        y : None
            Ignored.

        Returns
        -------
        self : TableEncoder
            The fitted encoder.

        Raises
        ------
        TableError
            If a column is neither numbers nor dates nor text, or no column is left.
        """
        said = Notes()
        frame = as_pandas(X)
        decimal = self.decimal
        for _, column in frame.items():
            refuse_containers(column)
        text = text_columns(frame)
        if decimal is None:
            decimal = find_decimal(frame, text, None)
        encoders: dict[str, ColumnEncoder] = {}
        for name, column in frame.items():
            is_text = name in text
            found = find_format(name, column, decimal, said) if is_text else hours_in(column, said)
            encoders[name] = choose_encoder(
                name, column, found, self.max_categories, self.n_components, said
            )
        self._encoders = encoders
        self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        self.n_features_in_ = frame.shape[1]
        self.notes_ = said.sentences()
        if not len(self.get_feature_names_out()):
            raise TableError(f"No column is left to learn from. {' '.join(self.notes_)}")
        return self

    def transform(self, X: Any) -> pandas.DataFrame:
        """Return the table as numbers.

        Parameters
        ----------
        X : data frame of shape (n_samples, n_columns)
            A table with the columns of the one in ``fit``, in any order.

        Returns
        -------
        frame : pandas.DataFrame of shape (n_samples, n_features_out)
            float64 where there was a quantity, int8 where one-hot encoded, float32 for other text.
            Text that is no number in a column of numbers counts as missing.
        """
        check_is_fitted(self)
        frame = as_pandas(X)
        missing = [name for name in self.feature_names_in_ if name not in frame.columns]
        if missing:
            raise ValueError(f"The table has no column {missing[0]!r}, which it had in fit.")
        parts = []
        for name, encoder in self._encoders.items():
            refuse_containers(frame[name])
            parts.append(encoder.transform(frame[name]))
        return load("pandas").concat([part for part in parts if part.shape[1]], axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns that come out.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str
            The names.
        """
        check_is_fitted(self)
        names = [name for encoder in self._encoders.values() for name in encoder.names_out]
        return np.asarray(names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_encoders")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


def as_pandas(X: Any) -> pandas.DataFrame:
    """Return a data frame of any library as one of pandas, its columns named by strings."""
    pandas = load("pandas")
    if isinstance(X, pandas.DataFrame):
        frame = X
    elif hasattr(X, "to_dict") and hasattr(X, "columns"):
        # polars, which needs pyarrow for more.
        frame = pandas.DataFrame(X.to_dict(as_series=False))
    elif hasattr(X, "to_pandas"):
        frame = X.to_pandas()
    else:
        array = np.asarray(X)
        if array.ndim != 2:
            raise TableError(
                f"A table must be a data frame; got {type(X).__name__}. Pass pandas.DataFrame(X), "
                "or X.collect() of a lazy frame."
            )
        names = [f"column {place + 1}" for place in range(array.shape[1])]
        frame = pandas.DataFrame(array, columns=names)
    if not len(frame):
        raise TableError("Found array with 0 sample(s): a table needs a row.")
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise TableError(f"The table has more than one column called {repeated[0]!r}: rename them.")
    return with_usual_types(frame.set_axis([str(name) for name in frame.columns], axis=1))
