"""Tensors of torch, JAX and array-api-strict: the numbers of NumPy, in the library they came in."""

import numpy as np
import pytest
from inputs import LEARNERS, NORMS, ROW_WISE, ROWS
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sknorm import BatchStatScaler, GroupScaler, L2Normalizer, LayerScaler, SquashingScaler

X = ROWS[:60]
every = pytest.mark.parametrize("estimator", [*LEARNERS, *ROW_WISE, *NORMS], ids=repr)


def torch_tensor(x):
    return pytest.importorskip("torch").asarray(np.array(x))


def strict_array(x):
    return pytest.importorskip("array_api_strict").asarray(np.array(x))


def strict_device(x):
    strict = pytest.importorskip("array_api_strict")
    return strict.asarray(np.array(x), device=strict.Device("device1"))


def jax_array(x):
    return pytest.importorskip("jax.numpy").asarray(np.array(x, dtype=np.float32))


KINDS = {"torch": torch_tensor, "strict": strict_array, "another device": strict_device}
each_kind = pytest.mark.parametrize("kind", KINDS)


def to_numpy(tensor):
    if hasattr(tensor, "detach"):
        return tensor.detach().numpy()
    strict = pytest.importorskip("array_api_strict")
    return np.asarray(strict.asarray(tensor, device=strict.Device("CPU_DEVICE")))


@each_kind
@every
@pytest.mark.parametrize("dispatch", [False, True])
def test_numbers_library_and_device(estimator, kind, dispatch):
    given = KINDS[kind](X)
    expected = clone(estimator).fit(X)
    with config_context(array_api_dispatch=dispatch):
        found = clone(estimator).fit(given)
        scaled = found.transform(given)
        at_once = clone(estimator).fit_transform(given)
    for result in (scaled, at_once):
        assert type(result) is type(given)
        assert result.dtype == given.dtype
        assert str(result.device) == str(given.device)
        numbers = to_numpy(result)
        np.testing.assert_allclose(numbers, expected.transform(X), rtol=1e-12, atol=1e-12)
    if hasattr(found, "inverse_transform"):
        back = found.inverse_transform(scaled)
        assert type(back) is type(given)
        expected_back = expected.inverse_transform(expected.transform(X))
        np.testing.assert_allclose(to_numpy(back), expected_back, rtol=1e-9, atol=1e-9)


@each_kind
@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_statistics_are_numpys_and_serve_every_library(estimator, kind):
    found = clone(estimator).fit(KINDS[kind](X))
    for name, value in vars(found).items():
        assert type(value).__module__.partition(".")[0] not in ("torch", "array_api_strict"), name
    expected = found.transform(X)
    assert type(expected) is np.ndarray
    for make in KINDS.values():
        np.testing.assert_allclose(to_numpy(found.transform(make(X))), expected, rtol=1e-12)


def test_host_tensors_are_not_copied():
    tensor = torch_tensor(X)
    scaled = BatchStatScaler(copy=False).fit(tensor).transform(tensor)
    assert scaled is tensor
    np.testing.assert_array_equal(tensor.numpy(), BatchStatScaler().fit_transform(X))


@pytest.mark.parametrize("estimator", [BatchStatScaler(), LayerScaler(), L2Normalizer()], ids=repr)
def test_tensors_are_left_alone(estimator):
    tensor = torch_tensor(X)
    clone(estimator).fit(tensor).transform(tensor)
    np.testing.assert_array_equal(tensor.numpy(), X)


def test_lazy_negation_and_strides():
    torch = pytest.importorskip("torch")
    expected = BatchStatScaler().fit_transform(-X)
    negative = torch._neg_view(torch_tensor(X))
    assert negative.is_neg()
    np.testing.assert_array_equal(BatchStatScaler().fit_transform(negative).numpy(), expected)
    every_other = torch_tensor(X)[::2, ::2]
    found = BatchStatScaler().fit_transform(every_other)
    np.testing.assert_array_equal(found.numpy(), BatchStatScaler().fit_transform(X[::2, ::2]))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int32", "bool"])
def test_dtypes(dtype):
    torch = pytest.importorskip("torch")
    tensor = torch_tensor(X / 1e4).to(getattr(torch, dtype))
    scaled = BatchStatScaler().fit_transform(tensor)
    kept = dtype if dtype in ("float32", "float16", "bfloat16") else "float64"
    assert scaled.dtype == getattr(torch, kept)
    wide = BatchStatScaler().fit_transform(tensor.double().numpy())
    tolerance = {"bfloat16": 2e-2, "float16": 2e-3, "float32": 1e-5}.get(dtype, 1e-12)
    np.testing.assert_allclose(scaled.double().numpy(), wide, rtol=tolerance, atol=tolerance)


def test_gradients_are_those_of_torchs_layers():
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    weight = torch_tensor(np.random.default_rng(0).normal(size=X.shape))

    def gradient(function):
        tensor = torch_tensor(X).requires_grad_()
        (function(tensor) * weight).sum().backward()
        return tensor.grad.numpy()

    ours = gradient(lambda t: LayerScaler(eps=1e-5).fit(t).transform(t))
    theirs = gradient(lambda t: functional.layer_norm(t, (4,), eps=1e-5))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    scaler = BatchStatScaler(eps=1e-5).fit(X)
    mean, var = torch_tensor(scaler.mean_), torch_tensor(scaler.var_)
    ours = gradient(scaler.transform)
    theirs = gradient(lambda t: functional.batch_norm(t, mean, var, eps=1e-5))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    ours = gradient(lambda t: L2Normalizer().fit(t).transform(t))
    np.testing.assert_allclose(ours, gradient(functional.normalize), rtol=1e-9, atol=1e-15)


def test_jax():
    jax = pytest.importorskip("jax")
    given = jax_array(X)
    for estimator in (BatchStatScaler(), LayerScaler(), SquashingScaler(), L2Normalizer()):
        fitted = estimator.fit(given)
        scaled = fitted.transform(given)
        assert isinstance(scaled, jax.Array)
        assert scaled.dtype == np.float32
        compiled = jax.jit(fitted.transform)(given)
        np.testing.assert_allclose(compiled, scaled, rtol=2e-5, atol=2e-6)
        np.testing.assert_array_equal(given, X.astype(np.float32))


def test_a_pipeline_of_tensors():
    tensor = torch_tensor(X)
    pipeline = make_pipeline(BatchStatScaler(), LayerScaler(), L2Normalizer()).fit(tensor)
    np.testing.assert_array_equal(pipeline.transform(tensor).numpy(), pipeline.transform(X))


def test_keys_and_weights_that_are_tensors():
    keys = np.arange(60) % 3
    expected = GroupScaler().fit(X, groups=keys).transform(X, groups=keys)
    tensors = torch_tensor(X), torch_tensor(keys)
    scaler = GroupScaler().fit(tensors[0], groups=tensors[1])
    np.testing.assert_array_equal(scaler.transform(tensors[0], groups=tensors[1]), expected)
    weights = np.arange(60.0)
    found = BatchStatScaler().fit(tensors[0], sample_weight=torch_tensor(weights))
    np.testing.assert_array_equal(found.mean_, BatchStatScaler().fit(X, None, weights).mean_)


@each_kind
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones(3), "Expected 2D array, got 1D"),
        (np.ones((0, 3)), "0 sample"),
        (np.ones((3, 0)), "0 feature"),
        (np.full((3, 4), np.inf), "infinity"),
        (np.ones((3, 4)) + 1j, "[Cc]omplex"),
    ],
)
def test_bad_tensors(kind, x, message):
    scaler = BatchStatScaler().fit(X)
    before = dict(vars(scaler))
    for method in (scaler.fit, scaler.partial_fit, scaler.transform):
        with pytest.raises(ValueError, match=message):
            method(KINDS[kind](x))
    assert vars(scaler) == before


def test_sparse_torch_tensors_are_refused_with_a_way_out():
    with pytest.raises(TypeError, match=r"sparse torch tensor.*to_dense"):
        BatchStatScaler().fit(torch_tensor(X).to_sparse())


@pytest.mark.filterwarnings("ignore")
def test_tensors_without_rows_of_values_are_refused_with_a_way_out():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="'meta', which has no values"):
        BatchStatScaler().fit(torch.ones(3, 2, device="meta"))
    ragged = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    with pytest.raises(TypeError, match="to_padded_tensor"):
        BatchStatScaler().fit(ragged)
    steps = torch.quantize_per_tensor(torch.ones(3, 2), 0.1, 0, torch.qint8)
    with pytest.raises(TypeError, match="dequantize"):
        BatchStatScaler().fit(steps)


class Memory:
    """What has memory, and no library that knows it."""

    def __init__(self, values):
        self._values = values
        self.shape, self.dtype = values.shape, values.dtype

    def __dlpack__(self, **options):
        return self._values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._values.__dlpack_device__()


def test_memory_of_no_library_becomes_an_array():
    found = BatchStatScaler().fit_transform(Memory(X.copy()))
    np.testing.assert_array_equal(found, BatchStatScaler().fit_transform(X))


def test_the_width_is_checked():
    scaler = BatchStatScaler().fit(torch_tensor(X))
    with pytest.raises(ValueError, match="3 features"):
        scaler.transform(torch_tensor(X[:, :3]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", ["trace", "export"])
@every
def test_torch_makes_a_program_of_transform(estimator, way):
    torch = pytest.importorskip("torch")

    class Scaled(torch.nn.Module):
        def forward(self, x):
            return fitted.transform(x)

    rows, others = torch.from_numpy(ROWS[:50]), torch.from_numpy(ROWS[50:100])
    fitted = clone(estimator).fit(rows)

    def program_of(rows):
        if way == "trace":
            return torch.jit.trace(fitted.transform, rows, check_trace=False)
        return torch.export.export(Scaled(), (rows,)).module()

    if getattr(estimator, "keep_statistics", False):
        with pytest.raises(TypeError, match="keep_statistics=False"):
            program_of(rows)
        return
    program = program_of(rows)
    np.testing.assert_allclose(program(others), fitted.transform(others), rtol=1e-12, atol=1e-13)
