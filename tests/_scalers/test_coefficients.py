"""Coefficients of linear models in the units of the data."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from sknorm import (
    BatchStatScaler,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
    raw_coefficients,
)

rng = np.random.default_rng(0)
FRAME = pd.DataFrame(rng.normal(size=(90, 3)) * [1, 10, 100] + [0, 5, 900], columns=list("abc"))
Y = FRAME @ [3.0, -0.2, 0.01] + 7
LABELS = np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
SCALERS = [
    BatchStatScaler(),
    BatchStatScaler(with_mean=False),
    BatchStatScaler(with_std=False, gamma=[1.0, 2.0, 3.0], beta=1.0),
    BatchStatScaler(channels=[["a", "c"], ["b"]]),
    PowerNormScaler(gamma=2.0),
    SquashingScaler(squash=None, quantile_range=(10, 70)),
    StandardScaler(),
    StandardScaler(with_mean=False),
    RobustScaler(),
    RobustScaler(with_scaling=False),
    MinMaxScaler((-3, 1)),
    MaxAbsScaler(),
    "passthrough",
]


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_the_model_of_the_data_predicts_the_same(scaler):
    model = make_pipeline(scaler, Ridge()).fit(FRAME, Y)
    coef, intercept, names = raw_coefficients(model)
    assert isinstance(intercept, float)
    np.testing.assert_allclose(FRAME @ coef + intercept, model.predict(FRAME), rtol=1e-10)
    assert list(names) == list("abc")


def test_sparse_coefficients_and_steps_of_nothing():
    model = make_pipeline(None, BatchStatScaler(), LogisticRegression()).fit(FRAME, LABELS > 0)
    expected = raw_coefficients(model)
    model[-1].sparsify()
    found = raw_coefficients(model)
    np.testing.assert_array_equal(found.coef, expected.coef)
    assert list(found.feature_names) == list("abc")


def test_several_scalers_classes_and_outputs():
    model = make_pipeline(RobustScaler(), BatchStatScaler(gamma=2.0), LogisticRegression())
    coef, intercept, _ = raw_coefficients(model.fit(FRAME, LABELS))
    assert coef.shape == (3, 3)
    expected = model.decision_function(FRAME)
    np.testing.assert_allclose(FRAME.to_numpy() @ coef.T + intercept, expected, atol=1e-9)
    model = make_pipeline(BatchStatScaler(), LinearRegression())
    coef, intercept, _ = raw_coefficients(model.fit(FRAME, np.column_stack([Y, 2 * Y])))
    np.testing.assert_allclose(coef, [[3.0, -0.2, 0.01], [6.0, -0.4, 0.02]])
    np.testing.assert_allclose(intercept, [7.0, 14.0])


def test_coefficients_of_extreme_features():
    x = FRAME.to_numpy() * [1e200, 1e-200, 1.0]
    model = make_pipeline(BatchStatScaler(), LinearRegression()).fit(x, Y)
    np.testing.assert_allclose(raw_coefficients(model).coef, [3e-200, -2e199, 0.01], rtol=1e-8)


@pytest.mark.parametrize("names", [None, list("abc")])
def test_coefficients_beyond_the_largest_number_are_refused(names):
    x = pd.DataFrame(FRAME.to_numpy() * [1.0, 1e-320, 1.0], columns=names or range(3))
    model = make_pipeline(BatchStatScaler(), LinearRegression()).fit(x, Y)
    feature = "1" if names is None else "'b'"
    with pytest.raises(ValueError, match=rf"coefficient of feature {feature} is beyond.*float64"):
        raw_coefficients(model)
    scaler = BatchStatScaler.from_statistics(mean=np.full(3, 50.0), scale=np.full(3, 1e-307))
    model = make_pipeline(scaler, LinearRegression())
    model[-1].fit(FRAME, Y)
    with pytest.raises(ValueError, match="the intercept is beyond"):
        raw_coefficients(model)


def test_what_has_no_such_coefficients_is_refused():
    for scaler in (LayerScaler(), SquashingScaler(), PCA(), MinMaxScaler(clip=True)):
        with pytest.raises(TypeError, match="Step '"):
            raw_coefficients(make_pipeline(scaler, Ridge()).fit(FRAME, Y))
    network = make_pipeline(BatchStatScaler(), KNeighborsRegressor()).fit(FRAME, Y)
    with pytest.raises(TypeError, match="no coef_"):
        raw_coefficients(network)
    with pytest.raises(NotFittedError):
        raw_coefficients(make_pipeline(BatchStatScaler(), Ridge()))
    with pytest.raises(TypeError, match="needs a Pipeline"):
        raw_coefficients(Ridge().fit(FRAME, Y))
