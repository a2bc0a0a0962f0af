"""Tensors that are no arrays of NumPy go through their library in blocks, and give the same."""

import os
import subprocess
import sys

import numpy as np
import pytest
from inputs import GAPS, LEARNERS, NORMS, ROW_WISE, ROWS
from sklearn.base import clone

from sknorm import BatchStatScaler, L2Normalizer, LayerScaler, PowerNormScaler, SquashingScaler
from sknorm._backends import dispatch, tensor_blocks

X = ROWS[:61]
every = pytest.mark.parametrize("estimator", [*LEARNERS, *ROW_WISE, *NORMS], ids=repr)


@pytest.fixture
def small_blocks(monkeypatch):
    """Cut everything into blocks of a few rows."""
    monkeypatch.setattr(tensor_blocks, "BLOCK_VALUES", 12)
    monkeypatch.setattr(tensor_blocks, "MOST_BLOCKS", 1000)


def on_device(x):
    strict = pytest.importorskip("array_api_strict")
    return strict.asarray(np.array(x), device=strict.Device("device1"))


def to_numpy(tensor):
    if hasattr(tensor, "detach"):
        return tensor.detach().double().numpy()
    strict = pytest.importorskip("array_api_strict")
    return np.asarray(strict.asarray(tensor, device=strict.Device("CPU_DEVICE")))


def followed(x):
    return pytest.importorskip("torch").tensor(np.array(x), requires_grad=True)


@every
@pytest.mark.parametrize("kind", [on_device, followed])
def test_numbers(estimator, kind, small_blocks):
    rows = X if estimator in NORMS else GAPS[:61]
    given, expected = kind(rows), clone(estimator).fit(rows)
    found = clone(estimator).fit(given)
    scaled, wanted = found.transform(given), expected.transform(rows)
    assert len(tensor_blocks.slices(given)) == 21
    np.testing.assert_allclose(to_numpy(scaled), wanted, rtol=1e-12, atol=1e-12)
    if hasattr(found, "inverse_transform"):
        back = found.inverse_transform(scaled)
        np.testing.assert_allclose(
            to_numpy(back), expected.inverse_transform(wanted), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("weighted", [False, True])
def test_statistics(weighted, small_blocks):
    weights = np.random.default_rng(0).uniform(size=61) if weighted else None
    for rows in (GAPS[:61], GAPS[:60].reshape(5, 4, 12), GAPS[:60].reshape(3, 80)):
        own = None if weights is None else weights[: len(rows)]
        found = BatchStatScaler().fit(on_device(rows), sample_weight=own)
        expected = BatchStatScaler().fit(rows, sample_weight=own)
        np.testing.assert_allclose(found.mean_, expected.mean_, rtol=1e-13)
        np.testing.assert_allclose(found.var_, expected.var_, rtol=1e-13)


@pytest.mark.parametrize(
    "estimator",
    [
        BatchStatScaler(gamma=2.0, beta=0.5),
        SquashingScaler(),
        LayerScaler(n_groups=2, eps=1e-3),
        LayerScaler(keep_statistics=True),
        L2Normalizer(keep_norm=True),
    ],
    ids=repr,
)
def test_first_and_second_derivatives(estimator, small_blocks):
    torch = pytest.importorskip("torch")
    scaler = clone(estimator).fit(X)
    rows = torch.tensor(np.random.default_rng(1).normal(size=(7, 4)), requires_grad=True)
    assert len(tensor_blocks.slices(rows)) > 2
    if getattr(estimator, "keep_statistics", False):  # which are constants, as in fit
        assert torch.autograd.gradcheck(lambda t: scaler.transform(t)[:, :0], (rows,))
        return
    assert torch.autograd.gradcheck(scaler.transform, (rows,))
    assert torch.autograd.gradgradcheck(scaler.transform, (rows,))


def test_gradients_in_blocks_are_those_of_the_whole(monkeypatch):
    torch = pytest.importorskip("torch")
    scaler = LayerScaler(eps=1e-5).fit(X)
    weight = torch.tensor(np.random.default_rng(0).normal(size=X.shape))
    whole = followed(X)
    (scaler.transform(whole) * weight).sum().backward()
    monkeypatch.setattr(tensor_blocks, "BLOCK_VALUES", 12)
    monkeypatch.setattr(tensor_blocks, "MOST_BLOCKS", 1000)
    parts = followed(X)
    result = scaler.transform(parts)
    assert "Checkpointed" in type(result.grad_fn).__name__
    (result * weight).sum().backward()
    torch.testing.assert_close(parts.grad, whole.grad, rtol=1e-12, atol=1e-14)
    through = torch.func.grad(lambda t: (scaler.transform(t) * weight).sum())(torch.tensor(X))
    torch.testing.assert_close(through, whole.grad, rtol=1e-12, atol=1e-14)


def test_what_torch_makes_of_small_tensors_still_works():
    torch = pytest.importorskip("torch")
    scaler, rows = LayerScaler(eps=1e-3).fit(X), torch.tensor(X[:5])
    expected = torch.autograd.functional.jacobian(scaler.transform, rows)
    for found in (
        torch.func.jacrev(scaler.transform)(rows),
        torch.autograd.functional.jacobian(scaler.transform, rows, vectorize=True),
    ):
        torch.testing.assert_close(found, expected)


def test_infinity_in_a_later_block_is_named(small_blocks):
    for place, kind in ((40, on_device), (60, followed)):
        rows = X.copy()
        rows[place, 2] = np.inf
        for scaler in (BatchStatScaler(), LayerScaler(), L2Normalizer()):
            with pytest.raises(ValueError, match=rf"infinity.*row {place}|row {place}.*inf"):
                scaler.fit(kind(rows))


def test_no_gradient_is_followed_where_none_is_asked_for():
    torch = pytest.importorskip("torch")
    scaler = BatchStatScaler().fit(followed(X))
    with torch.no_grad():
        result = scaler.transform(followed(X))
    assert not result.requires_grad
    np.testing.assert_array_equal(result.numpy(), scaler.transform(X))


PROGRAM = """
import gc, re, sys, warnings
from pathlib import Path
import numpy as np, torch, array_api_strict as strict
import sknorm

def status(name):
    text = Path("/proc/self/status").read_text()
    return int(re.search(name + r":\\s*(\\d+)", text)[1]) * 1024

def rise(call):
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    result = call()
    return status("VmHWM") - before

rows = torch.randn(200_000, 100)
kinds = {
    "gradients": (rows.clone().requires_grad_(), rows.numel() * 4),
    "bfloat16": (rows.to(torch.bfloat16), rows.numel() * 2),
    "device": (strict.asarray(rows.numpy(), device=strict.Device("device1")), rows.numel() * 4),
}
x, size = kinds[sys.argv[1]]
for cls in map(lambda name: getattr(sknorm, name), sys.argv[2:]):
    scaler = cls().fit(x[:1000, :])
    print(rise(lambda: cls().fit(x)) / size, rise(lambda: scaler.transform(x)) / size)
"""


# What is freed goes back to the system at once, so that what is counted is what is in use.
AT_ONCE = {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts of Linux")
@pytest.mark.skipif(not dispatch.uses_kernels(np.empty(0)), reason="the reference takes more")
@pytest.mark.parametrize("kind", ["gradients", "bfloat16", "device"])
def test_the_peak_is_twice_the_input(kind):
    """It has the input and the result; before, it was up to 28 times the input."""
    pytest.importorskip("torch")
    pytest.importorskip("array_api_strict")
    names = [c.__name__ for c in (BatchStatScaler, PowerNormScaler, LayerScaler, L2Normalizer)]
    text = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, *names],
        env=os.environ | AT_ONCE, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rises = [list(map(float, line.split())) for line in text.splitlines()]
    assert len(rises) == len(names)
    for name, (fitting, result) in zip(names, rises, strict=True):
        assert fitting < 0.5, name
        assert 0.5 < result < 1.4, name


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "bfloat16"])
@pytest.mark.parametrize(
    "estimator", [BatchStatScaler(), SquashingScaler(), LayerScaler(), L2Normalizer()], ids=repr
)
def test_floats_that_numpy_lacks(estimator, name):
    torch = pytest.importorskip("torch")
    dtype = getattr(torch, name)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 3))).to(dtype)
    found = clone(estimator).fit_transform(x)
    assert found.dtype == dtype
    expected = clone(estimator).fit_transform(x.double().numpy())
    rounding = torch.finfo(dtype).eps / 2 * np.maximum(np.abs(expected), 0.1)
    assert (np.abs(found.double().numpy() - expected) <= rounding).all()
