"""Against torch's layers, on NumPy arrays of the same numbers; eps as in torch, 1e-5."""

import numpy as np
import pytest
from oracles import DENSE

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)

torch = pytest.importorskip("torch")
functional = torch.nn.functional

EPS = 1e-5
SHAPES = [(12, 6), (12, 6, 4), (12, 6, 4, 3)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=["2d", "3d", "4d"])
both_dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def data(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(2, 3, size=shape).astype(dtype)


def affine(size, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=size), rng.normal(size=size)


def check(ours, theirs, dtype=np.float64):
    assert ours.dtype == dtype
    tolerance = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


def batch_norm(shape, **options):
    kinds = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}
    return kinds[len(shape)](shape[1], eps=EPS, **options).double()


@every_shape
@both_dtypes
@pytest.mark.parametrize("order", ["C", "F"])
def test_batch_norm_of_a_training_batch(shape, dtype, order):
    x = data(shape, dtype)
    layer = batch_norm(shape).to(torch.from_numpy(x).dtype)
    ours = BatchStatScaler(eps=EPS).fit_transform(DENSE[order](x))
    check(ours, layer(torch.from_numpy(x)), dtype)


@every_shape
def test_batch_norm_in_evaluation_with_gamma_and_beta(shape):
    x, new = data(shape), data(shape, seed=2)
    gamma, beta = affine(shape[1])
    scaler = BatchStatScaler(eps=EPS, gamma=gamma, beta=beta).fit(x)
    layer = batch_norm(shape).eval()
    layer.load_state_dict(
        {
            "weight": torch.from_numpy(gamma),
            "bias": torch.from_numpy(beta),
            "running_mean": torch.from_numpy(scaler.mean_),
            "running_var": torch.from_numpy(scaler.var_),
            "num_batches_tracked": torch.tensor(1),
        }
    )
    check(scaler.transform(new), layer(torch.from_numpy(new)))


@every_shape
@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0])
def test_momentum_is_torchs_but_for_the_documented_variance(shape, momentum):
    batches = [data(shape, seed=seed) + seed for seed in range(4)]
    axes = (0, *range(2, len(shape)))
    n = batches[0].size // shape[1]
    scaler = BatchStatScaler(momentum=momentum).fit(batches[0])
    layer = batch_norm(shape, momentum=momentum)
    layer.running_mean[:] = torch.from_numpy(batches[0].mean(axis=axes))
    layer.running_var[:] = torch.from_numpy(batches[0].var(axis=axes))
    between = np.zeros(shape[1])
    for batch in batches[1:]:
        # What torch drops: the variance between batches. It also stores the unbiased variance.
        jump = batch.mean(axis=axes) - scaler.mean_
        unbiased = momentum * batch.var(axis=axes) / (n - 1)
        between = (1 - momentum) * between + momentum * (1 - momentum) * jump**2 - unbiased
        layer(torch.from_numpy(batch))
        scaler.partial_fit(batch)
    np.testing.assert_allclose(scaler.mean_, layer.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(scaler.var_, layer.running_var.numpy() + between, rtol=1e-11)


def test_batches_of_one_row_keep_the_variance_that_torch_loses():
    rows = data((400, 3))
    scaler = BatchStatScaler(momentum=0.05)
    for row in rows:
        scaler.partial_fit(row[None])
    assert np.all(scaler.var_ > 0.3 * rows.var(axis=0))
    assert np.all(scaler.var_ < 3 * rows.var(axis=0))


def test_no_momentum_is_the_exact_mean_of_all_where_torchs_batches_are_alike():
    batches = [data((12, 6), seed=seed) for seed in range(3)]
    layer = torch.nn.BatchNorm1d(6, momentum=None).double()
    scaler = BatchStatScaler()
    for batch in batches:
        layer(torch.from_numpy(batch))
        scaler.partial_fit(batch)
    np.testing.assert_allclose(scaler.mean_, layer.running_mean.numpy(), rtol=1e-12)


@every_shape
@both_dtypes
@pytest.mark.parametrize("order", ["C", "F"])
def test_layer_norm(shape, dtype, order):
    x = data(shape, dtype)
    gamma, beta = affine(shape[1:])
    theirs = functional.layer_norm(
        torch.from_numpy(x).double(),
        shape[1:],
        torch.from_numpy(gamma),
        torch.from_numpy(beta),
        EPS,
    )
    scaler = LayerScaler(eps=EPS, gamma=gamma, beta=beta)
    check(scaler.fit_transform(DENSE[order](x)), theirs, dtype)


@every_shape
@both_dtypes
@pytest.mark.parametrize("n_groups", [1, 2, 3])
def test_group_norm(shape, dtype, n_groups):
    x = data(shape, dtype)
    gamma, beta = affine(shape[1])
    theirs = functional.group_norm(
        torch.from_numpy(x).double(),
        n_groups,
        torch.from_numpy(gamma),
        torch.from_numpy(beta),
        EPS,
    )
    scaler = LayerScaler(n_groups=n_groups, eps=EPS, gamma=gamma, beta=beta)
    check(scaler.fit_transform(x), theirs, dtype)


@pytest.mark.parametrize("shape", [(12, 6, 4), (12, 6, 4, 3)])
@both_dtypes
def test_instance_norm(shape, dtype):
    x = data(shape, dtype)
    gamma, beta = affine(6)
    theirs = functional.instance_norm(
        torch.from_numpy(x).double(),
        weight=torch.from_numpy(gamma),
        bias=torch.from_numpy(beta),
        eps=EPS,
    )
    scaler = LayerScaler(n_groups=6, eps=EPS, gamma=gamma, beta=beta)
    check(scaler.fit_transform(x), theirs, dtype)
    flat = LayerScaler(n_groups=6, eps=EPS).fit_transform(x.reshape(12, -1))
    plain = functional.instance_norm(torch.from_numpy(x).double(), eps=EPS)
    check(flat, plain.reshape(12, -1), dtype)


def test_instance_norm_1d_of_2d_input_is_one_sample():
    x = data((6, 20))
    theirs = torch.nn.InstanceNorm1d(6, eps=EPS)(torch.from_numpy(x))
    check(LayerScaler(n_groups=6, eps=EPS).fit_transform(x[None])[0], theirs)


@every_shape
@both_dtypes
@pytest.mark.parametrize("order", ["C", "F"])
def test_rms_norm(shape, dtype, order):
    x = data(shape, dtype)
    gamma, _ = affine(shape[1:])
    theirs = functional.rms_norm(
        torch.from_numpy(x).double(), shape[1:], torch.from_numpy(gamma), EPS
    )
    scaler = LayerScaler(with_mean=False, eps=EPS, gamma=gamma)
    check(scaler.fit_transform(DENSE[order](x)), theirs, dtype)


@every_shape
@both_dtypes
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("cls", "p"), [(L1Normalizer, 1.0), (L2Normalizer, 2.0), (MaxNormalizer, float("inf"))]
)
def test_normalize(shape, dtype, order, cls, p):
    x = data(shape, dtype)
    theirs = functional.normalize(torch.from_numpy(x), p=p, dim=1)
    check(cls().fit_transform(DENSE[order](x)), theirs, dtype)


@every_shape
def test_power_norm_is_batch_norm_of_zero_mean(shape):
    x = data(shape)
    x = np.concatenate([x, -x])
    theirs = batch_norm(shape)(torch.from_numpy(x))
    check(PowerNormScaler(eps=EPS).fit_transform(x), theirs)


def test_layer_norm_far_from_zero_where_torch_loses_digits():
    x = (2000 + 1e-3 * np.random.default_rng(0).normal(size=(4, 64))).astype(np.float32)
    exact = functional.layer_norm(torch.from_numpy(x).double(), (64,), eps=0.0).numpy()
    ours = LayerScaler().fit_transform(x)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, exact, rtol=1e-6, atol=1e-6)
