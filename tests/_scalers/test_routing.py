"""Weights reach the scalers by metadata routing, through pipelines and column transformers."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from sknorm import BatchStatScaler, PowerNormScaler, SquashingScaler

rng = np.random.default_rng(0)
FRAME = pd.DataFrame(rng.normal(size=(50, 3)), columns=list("abc"))
WEIGHTS = rng.integers(0, 5, 50).astype(float)


@pytest.mark.parametrize("cls", [BatchStatScaler, PowerNormScaler, SquashingScaler])
def test_weights_reach_a_scaler_in_nested_pipelines(cls):
    with config_context(enable_metadata_routing=True):
        scaler = cls().set_fit_request(sample_weight=True)
        inner = Pipeline([("scale", scaler)])
        columns = ColumnTransformer([("some", inner, ["a", "c"])], remainder="passthrough")
        model = Pipeline(
            [("columns", columns), ("ridge", Ridge().set_fit_request(sample_weight=False))]
        )
        model.fit(FRAME, FRAME["b"], sample_weight=WEIGHTS)
    fitted = model[0].named_transformers_["some"][0]
    expected = cls().fit(FRAME[["a", "c"]], sample_weight=WEIGHTS)
    np.testing.assert_array_equal(fitted.scale_, expected.scale_)
    assert not np.array_equal(fitted.scale_, cls().fit(FRAME[["a", "c"]]).scale_)
