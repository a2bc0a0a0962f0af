"""Folded pipelines: the predictions of the pipeline, without the scaler."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import (
    ElasticNet,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sknorm import (
    BatchStatScaler,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
    fold,
)

X, y = load_wine(return_X_y=True)
X = X[:, :12]
TARGETS = np.column_stack([X[:, 0] / 10, X[:, 4] / 100])
NAMES = [f"f{k}" for k in range(12)]
SCALERS = [
    BatchStatScaler(),
    BatchStatScaler(gamma=np.arange(1.0, 13), beta=0.5, eps=1e-3),
    BatchStatScaler(with_mean=False),
    BatchStatScaler(n_channels=4),
    BatchStatScaler(channels=[k % 3 for k in range(12)]),
    PowerNormScaler(),
    SquashingScaler(squash=None),
    StandardScaler(),
    RobustScaler(),
    MinMaxScaler(),
]
MODELS = [
    (LogisticRegression(max_iter=50), y),
    (LogisticRegression(max_iter=50), y == 1),
    (RidgeClassifier(), y),
    (SGDClassifier(random_state=0), y),
    (LinearSVC(max_iter=50), y),
    (LinearRegression(), TARGETS[:, 0]),
    (Ridge(fit_intercept=False), TARGETS),
    (ElasticNet(), TARGETS),
    (PoissonRegressor(), TARGETS[:, 0]),
    (MLPClassifier(hidden_layer_sizes=(9,), max_iter=15, random_state=0), y),
    (MLPClassifier(hidden_layer_sizes=(7,), max_iter=15, random_state=0), y == 1),
    (MLPRegressor(hidden_layer_sizes=(7, 3), max_iter=15, random_state=0), TARGETS),
]  # fmt: skip

METHODS = ("predict", "predict_proba", "decision_function", "predict_log_proba")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def compare(folded, pipeline, x, rtol=1e-9):
    for method in METHODS:
        if hasattr(pipeline, method):
            found, expected = getattr(folded, method)(x), getattr(pipeline, method)(x)
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
@pytest.mark.parametrize(("model", "target"), MODELS, ids=lambda value: type(value).__name__)
def test_predictions(scaler, model, target):
    pipeline = make_pipeline(clone(scaler), clone(model)).fit(X, target)
    before = pickle.dumps(pipeline)
    folded = fold(pipeline)
    assert len(folded.steps) == 1
    compare(folded, pipeline, X)
    assert pickle.dumps(pipeline) == before
    assert folded[-1] is not pipeline[-1]


@pytest.mark.parametrize("model", [LogisticRegression(), MLPClassifier(max_iter=15)], ids=repr)
def test_float32(model):
    x = (X - X.mean(axis=0) + 1).astype(np.float32)
    pipeline = make_pipeline(BatchStatScaler(), model).fit(x, y)
    folded = fold(pipeline)
    compare(folded, pipeline, x, rtol=1e-4)
    assert folded.predict_proba(x).dtype == pipeline.predict_proba(x).dtype


def test_names():
    frame = pd.DataFrame(X, columns=NAMES)
    pipeline = make_pipeline(BatchStatScaler(), LogisticRegression(max_iter=50)).fit(frame, y)
    folded = fold(pipeline)
    assert list(folded.feature_names_in_) == NAMES
    compare(folded, pipeline, frame)
    with pytest.raises(ValueError, match="feature names"):
        folded.predict(frame[NAMES[::-1]])


def test_sparse_input_of_a_centered_model():
    rows = np.where(np.median(X, axis=0) < X, X, 0.0)
    pipeline = make_pipeline(BatchStatScaler(), LogisticRegression(max_iter=50)).fit(rows, y)
    folded = fold(pipeline)
    for form in (sparse.csr_array, sparse.csr_matrix):
        np.testing.assert_array_equal(folded.predict(form(rows)), pipeline.predict(rows))


def test_steps_before_and_several_scalers():
    steps = [ColumnTransformer([("some", "passthrough", [0, 1, 2, 5])]), PCA(3, whiten=False)]
    pipeline = make_pipeline(*steps, StandardScaler(), "passthrough",
                             BatchStatScaler(gamma=2.0), Ridge()).fit(X, TARGETS[:, 0])  # fmt: skip
    folded = fold(pipeline)
    assert list(folded.named_steps) == ["columntransformer", "pca", "ridge"]
    compare(folded, pipeline, X)


def test_a_sparse_model():
    pipeline = make_pipeline(BatchStatScaler(), SGDClassifier(penalty="l1", random_state=0))
    pipeline.fit(X, y)
    pipeline[-1].sparsify()
    compare(fold(pipeline), pipeline, X)


def test_lost_digits_are_refused():
    far = X + np.array([0.0] * 3 + [1e12] + [0.0] * 8)
    frame = pd.DataFrame(far, columns=NAMES)
    pipeline = make_pipeline(BatchStatScaler(), Ridge()).fit(frame, y)
    with pytest.raises(ValueError, match=r"lose digits: feature 'f3'.*float64.*tolerance"):
        fold(pipeline)
    assert fold(pipeline, tolerance=1.0)
    x = X.astype(np.float32)
    pipeline = make_pipeline(BatchStatScaler(), MLPClassifier(max_iter=5)).fit(x, y)
    with pytest.raises(ValueError, match="float32"):
        fold(pipeline)


@pytest.mark.parametrize("model", [Ridge(), MLPRegressor(max_iter=5)], ids=repr)
def test_weights_beyond_the_largest_number_are_refused(model):
    x = X.astype(np.float32) * np.array([1.0, 1e-43] + [1.0] * 10, dtype=np.float32)
    pipeline = make_pipeline(BatchStatScaler(), model).fit(x, X[:, 0].astype(np.float32))
    before = pickle.dumps(pipeline)
    with pytest.raises(ValueError, match="feature 1 is beyond what float32 holds"):
        fold(pipeline, tolerance=np.inf)
    assert pickle.dumps(pipeline) == before


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((BatchStatScaler(), PCA(3), Ridge()), "'pca' is a PCA"),
        ((BatchStatScaler(), LayerScaler(), Ridge()), "'layerscaler' is a LayerScaler"),
        ((SquashingScaler(), Ridge()), "'squashingscaler'"),
        ((BatchStatScaler(), RandomForestClassifier()), "RandomForestClassifier, into which no"),
        ((BatchStatScaler(), SVC(kernel="linear")), "SVC, into which no"),
        ((PCA(3), Ridge()), "'pca' is a PCA"),
        ((Ridge(),), "no scaler before the model"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_folded(steps, message):
    pipeline = make_pipeline(*copy.deepcopy(steps)).fit(X, y)
    with pytest.raises(TypeError, match=message):
        fold(pipeline)


def test_an_unfitted_pipeline_and_no_pipeline():
    with pytest.raises(NotFittedError):
        fold(make_pipeline(BatchStatScaler(), Ridge()))
    with pytest.raises(TypeError, match="needs a Pipeline, got a Ridge"):
        fold(Ridge())
