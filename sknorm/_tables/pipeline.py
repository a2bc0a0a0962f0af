"""A table, a normalizer and a model in one pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sknorm._tables.encoder import TableEncoder

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# The step of the pipeline that a normalizer takes.
NORMALIZER_STEP = "quantities__norm"


def make_table_pipeline(normalizer: Any, model: Any, *, decimal: str | None = None) -> Pipeline:
    """Return a pipeline from a data frame with text, dates and gaps to a model.

    A :class:`TableEncoder` turns the table into numbers. The normalizer gets the quantities among
    them, numbers and dates; what was text stays as it is encoded. All is fitted on the rows that
    the pipeline is fitted on.

    Parameters
    ----------
    normalizer : transformer or "passthrough"
        What normalizes the quantities.
    model : classifier or regressor
        The model.
    decimal : {".", ","}, default=None
        Decimal sign of numbers that are text; None finds it in the table.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        With the steps "table", "quantities" and "model".

    See Also
    --------
    TableEncoder : What it does to the columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sknorm import BatchStatScaler
    >>> from sknorm.tables import make_table_pipeline
    >>> table = pd.DataFrame({"size": [50, 70, 90, 110], "city": ["Bern", "Genf", "Bern", "Genf"]})
    >>> pipeline = make_table_pipeline(BatchStatScaler(), LogisticRegression())
    >>> pipeline.fit(table, [0, 0, 1, 1]).predict(table)
    array([0, 0, 1, 1])
    """
    import numpy as np
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.pipeline import Pipeline

    quantities = make_column_selector(dtype_include=np.float64)
    return Pipeline(
        [
            ("table", TableEncoder(decimal=decimal)),
            (
                "quantities",
                ColumnTransformer(
                    [("norm", normalizer, quantities)],
                    remainder="passthrough",
                    verbose_feature_names_out=False,
                ),
            ),
            ("model", model),
        ]
    )
