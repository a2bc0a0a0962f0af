"""Scalers and MLPs as torch's modules, and the way back: the same numbers."""

import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from sknorm import (
    BatchStatScaler,
    Flattener,
    L2Normalizer,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
    to_torch,
)

torch = pytest.importorskip("torch")
nn = torch.nn
rng = np.random.default_rng(0)
GAMMA, BETA = rng.normal(size=6), rng.normal(size=6)
X = rng.normal(3.0, 2.0, size=(20, 6))
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def outputs(module, x):
    assert not module.training
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


SCALERS = [
    (BatchStatScaler(), "BatchNorm"),
    (BatchStatScaler(gamma=GAMMA, beta=BETA, eps=1e-5), "BatchNorm"),
    (BatchStatScaler(with_mean=False), "BatchNorm"),
    (PowerNormScaler(eps=1e-3), "BatchNorm"),
    (LayerScaler(eps=1e-5), ""),
    (LayerScaler(eps=1e-5, gamma=GAMMA, beta=BETA), ""),
    (LayerScaler(eps=1e-5, n_groups=3, gamma=GAMMA, beta=0.5), "GroupNorm"),
    (LayerScaler(eps=1e-5, n_groups=6), "GroupNorm"),
]


@pytest.mark.parametrize("n_dim", [2, 3, 4, 5])
@pytest.mark.parametrize(("scaler", "kind"), SCALERS, ids=repr)
@pytest.mark.filterwarnings("ignore:Each of the n_groups")
def test_scalers(scaler, kind, n_dim):
    if n_dim == 2 and scaler.get_params().get("n_groups") == 6:
        return
    x = rng.normal(3.0, 2.0, size=(20, 6, 4, 3, 2)[:n_dim])
    fitted = clone(scaler).fit(x)
    module = to_torch(fitted, n_dim=n_dim)
    assert kind in type(module).__name__
    np.testing.assert_allclose(outputs(module, x), fitted.transform(x), rtol=1e-12, atol=1e-12)


def test_flattened_channels_missing_values_and_constants():
    x = X.copy()
    x[:, 1], x[3, 2] = 7.0, np.nan
    for scaler in (BatchStatScaler(n_channels=3), BatchStatScaler(channels=[0, 1, 0, 1, 2, 2])):
        fitted = scaler.fit(x)
        found = outputs(to_torch(fitted), x)
        np.testing.assert_allclose(found, fitted.transform(x), rtol=1e-12, atol=1e-12)


def test_images_are_flattened_for_a_model():
    x = rng.normal(3.0, 2.0, size=(20, 3, 4, 2))
    y = np.arange(20) % 3
    model = MLPClassifier(hidden_layer_sizes=4, max_iter=5)
    pipeline = make_pipeline(BatchStatScaler(), Flattener(), BatchStatScaler(eps=0.1), model)
    module = to_torch(pipeline.fit(x, y), n_dim=4)
    assert [type(layer).__name__ for layer in module][:3] == [
        "BatchNorm2d",
        "Flatten",
        "BatchNorm1d",
    ]
    np.testing.assert_allclose(outputs(module, x), pipeline.predict_proba(x), rtol=1e-10)


LAYERS = [
    nn.LayerNorm(6),
    nn.LayerNorm(6, eps=1e-3, elementwise_affine=False),
    nn.GroupNorm(3, 6),
    nn.GroupNorm(2, 6, affine=False),
    nn.InstanceNorm1d(6),
    nn.InstanceNorm2d(6, affine=True, eps=1e-3),
    nn.RMSNorm(6, eps=1e-3),
    nn.RMSNorm(6),
    nn.LayerNorm((6, 4)),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_layers_to_scalers(layer):
    layer = layer.double().eval()
    for parameter in layer.parameters():
        nn.init.uniform_(parameter)
    n_dim = {"InstanceNorm1d": 3, "InstanceNorm2d": 4}.get(type(layer).__name__, 2)
    n_dim = 3 if getattr(layer, "normalized_shape", ()) == (6, 4) else n_dim
    x = rng.normal(size=(5, 6, 4, 3)[:n_dim])
    found = LayerScaler.from_estimator(layer).fit(x).transform(x)
    np.testing.assert_allclose(found, outputs(layer, x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(6), nn.Linear(2, 3), 7], ids=repr)
def test_other_layers_are_refused(layer):
    with pytest.raises(
        TypeError, match=r"BatchStatScaler\.from_estimator|none of torch's LayerNorm"
    ):
        LayerScaler.from_estimator(layer)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("task", ["classes", "two classes", "labels", "regression", "targets"])
def test_pipelines(task, activation):
    x, y = load_wine(return_X_y=True)
    target = {
        "classes": y,
        "two classes": y == 1,
        "labels": np.column_stack([y == 1, x[:, 0] > 13]),
        "regression": x[:, 0],
        "targets": x[:, :2],
    }[task]
    model = MLPRegressor if task in ("regression", "targets") else MLPClassifier
    mlp = model(hidden_layer_sizes=(7, 5), activation=activation, max_iter=20, random_state=0)
    pipeline = make_pipeline(BatchStatScaler(), LayerScaler(eps=1e-5), "passthrough", mlp)
    pipeline.fit(x, target)
    module = to_torch(pipeline)
    assert isinstance(module, nn.Sequential)
    found = outputs(module, x)
    if task == "two classes":
        found = np.column_stack([1 - found, found])
    expected = pipeline.predict(x) if model is MLPRegressor else pipeline.predict_proba(x)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (SquashingScaler(), TypeError, "no layer for a SquashingScaler"),
        (L2Normalizer(), TypeError, "no layer for a L2Normalizer"),
        (PCA(2), TypeError, "no layer for a PCA"),
        (LayerScaler(), ValueError, "eps=0, torch gives NaN"),
        (LayerScaler(eps=1e-5, with_std=False), ValueError, "with_std=False"),
        (LayerScaler(eps=1e-5, with_mean=False, beta=1.0), ValueError, "no bias"),
        (LayerScaler(eps=1e-5, with_mean=False, n_groups=2), ValueError, "RMSNorm has no groups"),
    ],
    ids=repr,
)
def test_what_torch_has_not(estimator, error, message):
    with pytest.raises(error, match=message):
        to_torch(estimator.fit(X))


def test_bad_input():
    with pytest.raises(NotFittedError):
        to_torch(BatchStatScaler())
    with pytest.raises(ValueError, match="n_dim must be 2"):
        to_torch(BatchStatScaler().fit(X), n_dim=7)
    with pytest.raises(ValueError, match="keeps variances"):
        to_torch(BatchStatScaler().fit(X * 1e200))


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        to_torch(BatchStatScaler().fit(X))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("cls", [BatchStatScaler, LayerScaler, SquashingScaler])
def test_parameters_of_a_layer_as_gamma_and_beta(cls, dtype):
    gamma = nn.Parameter(torch.tensor([1.0, 2.0, 0.5, 3.0, -1.0, 4.0], dtype=dtype))
    result = cls(gamma=gamma, beta=gamma).fit_transform(X)
    expected = cls(gamma=gamma.detach().double().numpy(), beta=gamma.tolist()).fit_transform(X)
    np.testing.assert_array_equal(result, expected)
