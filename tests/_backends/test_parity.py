"""The compiled loops and their readable twin agree, and each serves what it should."""

import inspect

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    DENSE,
    SPARSE,
    any_floats,
    by_reference,
    dense,
    few,
    matrices,
    needs_kernels,
    ordinary,
    some,
    with_nan,
    with_zeros,
)
from scipy import sparse

from sknorm import (
    BatchStatScaler,
    GroupScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
    SquashingScaler,
)
from sknorm._backends import dispatch, protocol, reference_kernels
from sknorm._backends.protocol import FINE, MALFORMED, NON_FINITE
from sknorm._statistics import moments

pytestmark = needs_kernels

DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int16, np.uint8, bool]
NORMS = {"l1": L1Normalizer(), "l2": L2Normalizer(), "max": MaxNormalizer()}
ESTIMATORS = {
    "batch": BatchStatScaler(),
    "batch-uncentered": BatchStatScaler(with_mean=False, eps=0.5),
    "batch-affine": BatchStatScaler(gamma=2.0, beta=-1.0),
    "batch-channels": BatchStatScaler(n_channels=1),
    "power": PowerNormScaler(),
    "layer": LayerScaler(),
    "layer-rms": LayerScaler(with_mean=False, eps=0.5),
    "layer-center": LayerScaler(with_std=False),
    "layer-affine": LayerScaler(gamma=2.0, beta=-1.0),
    **NORMS,
}
STAYS_SPARSE = ("batch-uncentered", "batch-channels", "power", "layer-rms", *NORMS)
all_estimators = pytest.mark.parametrize("name", ESTIMATORS)
sparse_estimators = pytest.mark.parametrize("name", STAYS_SPARSE)


def run(estimator, x, inverse=False):
    """Return the output, dense, and the learned statistics."""
    fitted = estimator.fit(x)
    z = fitted.transform(x)
    learned = {name: getattr(fitted, name, None) for name in ("mean_", "var_", "mean_square_")}
    back = fitted.inverse_transform(z) if inverse else z
    return dense(z), dense(back), learned, z


def check(estimator, x, inverse=False):
    z, back, learned, kind = run(estimator, x, inverse)
    z2, back2, learned2, kind2 = by_reference(lambda: run(estimator, x, inverse))
    assert type(kind) is type(kind2)
    assert z.dtype == z2.dtype
    eps = np.finfo(z.dtype).eps
    if not sparse.issparse(kind):
        assert z.flags.c_contiguous == z2.flags.c_contiguous
        assert z.flags.f_contiguous == z2.flags.f_contiguous
    values = dense(x).astype(np.float64)
    size = np.nanmax(np.abs(values), axis=0, initial=0)
    np.testing.assert_allclose(z, z2, rtol=16 * eps, atol=16 * eps * largest(z))
    np.testing.assert_allclose(back, back2, rtol=16 * eps, atol=16 * eps * (size.max() + 1))
    for name, value in learned.items():
        if value is not None:
            power = 1 if name == "mean_" else 0
            atol = 1e-15 * size.max() if power else 0
            np.testing.assert_allclose(value, learned2[name], rtol=1e-13, atol=atol)


def largest(z):
    return float(np.nanmax(np.abs(z.astype(np.float64)), initial=1))


# The same numbers


@all_estimators
@pytest.mark.parametrize("form", DENSE)
def test_dense(name, form):
    @few
    @given(
        st.sampled_from(DTYPES), st.integers(1, 70), st.integers(1, 9), st.booleans(), st.integers()
    )
    def both(dtype, n_rows, n_columns, missing, seed):
        x = ordinary(n_rows, n_columns, seed=abs(seed) % 2**32)
        kind = np.dtype(dtype).kind
        x = np.clip(x, -6e4, 6e4) if kind == "f" else np.clip(np.abs(x), 0, 200)
        x = with_nan(x) if missing and kind == "f" and name not in NORMS else x
        check(ESTIMATORS[name], DENSE[form](x.astype(dtype)))

    both()


@sparse_estimators
@pytest.mark.parametrize("form", SPARSE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse(name, form, dtype):
    x = with_zeros(ordinary(70, 9))
    x = np.where(x == 0, x, with_nan(x)) if name not in NORMS else x
    inverse = name.startswith(("batch", "power"))
    check(ESTIMATORS[name], SPARSE[form](x.astype(dtype)), inverse)


@all_estimators
@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 2), (1, 1, 7), (3, 1, 1), (2, 300, 5)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_positions(name, shape, order, dtype):
    if name == "batch-channels" and shape[1] != 1:
        name = "batch"
    x = np.random.default_rng(0).normal(3, 2, size=shape).astype(dtype)
    z, *_ = run(ESTIMATORS[name], np.array(x, order=order))
    z2, *_ = by_reference(lambda: run(ESTIMATORS[name], np.array(x, order=order)))
    np.testing.assert_allclose(z, z2, rtol=16 * np.finfo(dtype).eps, atol=16 * np.finfo(dtype).eps)


@all_estimators
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(2100, 3), (3, 2100), (513, 257), (600, 1), (1, 600)])
def test_sizes_beyond_the_blocks(name, order, dtype, shape):
    x = np.random.default_rng(0).normal(3, 2, size=shape).astype(dtype)
    check(ESTIMATORS[name], np.array(x, order=order))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", ["C", "F", "strided"])
@pytest.mark.parametrize("name", ["layer-rms", "power", *NORMS])
def test_every_finite_value(name, form, dtype):
    @some
    @given(matrices(any_floats(dtype), dtype=dtype))
    def both(x):
        x = DENSE[form](x)
        z, *_ = run(ESTIMATORS[name], x)
        z2, *_ = by_reference(lambda: run(ESTIMATORS[name], x))
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(z, z2, rtol=16 * eps, atol=8 * eps)

    both()


@pytest.mark.parametrize("form", ["C", "F", "csr", "csc"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_and_missing_values(form, dtype):
    forms = {**DENSE, "csr": sparse.csr_array, "csc": sparse.csc_array}

    @some
    @given(matrices(min_rows=2, max_rows=30), st.integers(0, 9))
    def both(x, seed):
        x = forms[form](with_nan(x, seed).astype(dtype))
        weights = np.random.default_rng(seed).integers(1, 9, x.shape[0]) / 3

        def statistics():
            scaler = BatchStatScaler(with_mean=False).fit(x, sample_weight=weights)
            return scaler._known_moments()

        ours, theirs = statistics(), by_reference(statistics)
        size = np.nanmax(np.abs(dense(x)), axis=0, initial=0)
        np.testing.assert_allclose(ours.count, theirs.count, rtol=1e-14)
        np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-14, atol=1e-15 * size.max())
        atol = 1e-15 * float(size.max()) ** 2
        np.testing.assert_allclose(ours.var, theirs.var, rtol=1e-13, atol=atol)

    both()


def test_constants_are_kept_equal():
    expected = (
        moments.SAFE_EXPONENT,
        moments.EXPONENT_LIMIT,
        moments.EMPTY,
        moments.MOST_SAMPLES_IN_BOUND,
    )
    assert dispatch._compiled.constants() == expected


# Which of the two ran

KERNELS = [name for name in vars(protocol.Kernels) if not name.startswith("_")]
KINDS = {
    **{f"{form}-{np.dtype(d).name}": (form, d) for form in DENSE for d in DTYPES},
    **{f"{form}-{np.dtype(d).name}": (form, d) for form in SPARSE for d in (np.float64, np.int64)},
}


@pytest.fixture
def ran(monkeypatch):
    """Return the names of the kernels that were called, by path."""
    called = {"compiled": set(), "reference": set()}

    def spy(module, name, path):
        function = getattr(module, name)

        def wrapper(*args, **kwargs):
            called[path].add(name)
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, wrapper)

    for name in KERNELS:
        spy(reference_kernels, name, "reference")
        spy(dispatch._compiled, name, "compiled")
    return called


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("forced", [False, True])
def test_which_path_ran(kind, forced, ran, monkeypatch):
    form, dtype = KINDS[kind]
    x = np.abs(with_zeros(ordinary())).clip(0, 100).astype(dtype)
    x = DENSE[form](x) if form in DENSE else SPARSE[form](x)
    monkeypatch.setenv("SKNORM_FORCE_REFERENCE", "1" if forced else "0")
    for name in ESTIMATORS if form in DENSE else STAYS_SPARSE:
        ran["compiled"].clear()
        ran["reference"].clear()
        run(ESTIMATORS[name], x, inverse=name.startswith(("batch", "power")))
        if forced:
            assert ran["reference"]
            assert not ran["compiled"]
        else:
            assert ran["compiled"] - {"finite"}
            assert not ran["reference"]


def test_every_compiled_loop_is_reached(ran):
    x = with_zeros(ordinary())
    for form in (np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_array):
        for name in STAYS_SPARSE:
            run(ESTIMATORS[name], form(x))
            run(ESTIMATORS[name], form(np.ldexp(x, -900)))
            run(ESTIMATORS[name], form(x.astype(np.float32)))
    many = np.random.default_rng(0).normal(size=(20_000, 2))
    SquashingScaler().fit(many).transform(many)
    BatchStatScaler().fit(np.asfortranarray(100 * many).astype(int))
    BatchStatScaler().fit(pl.DataFrame(many))
    GroupScaler().fit_transform(x, groups=np.arange(len(x)))
    assert set(KERNELS) == ran["compiled"]


@pytest.mark.parametrize(("value", "uses"), [("1", False), ("0", True), ("", True)])
def test_the_environment_variable_is_read_at_each_call(value, uses, monkeypatch):
    monkeypatch.setenv("SKNORM_FORCE_REFERENCE", value)
    assert dispatch.uses_kernels(np.empty(0)) is uses
    assert dispatch.uses_kernels(sparse.csr_array((1, 1))) is uses
    assert not dispatch.uses_kernels([1.0])


@pytest.mark.parametrize(
    "path", [dispatch._compiled, reference_kernels], ids=["compiled", "reference"]
)
def test_both_paths_have_the_kernels_of_the_protocol(path):
    for name in KERNELS:
        wanted = list(inspect.signature(getattr(protocol.Kernels, name)).parameters)[1:]
        assert list(inspect.signature(getattr(path, name)).parameters) == wanted, name
    assert {*reference_kernels.__all__} == {*KERNELS}


def test_numbers_of_the_status_are_kept_equal():
    x = sparse.csr_array([[1.0, np.inf], [0.0, 2.0]])
    statuses = []
    for data, indices in ((np.ones(3), x.indices), (x.data, x.indices), (x.data, x.indices + 5)):
        for kernels in (dispatch._compiled, reference_kernels):
            table = moments.Moments.zero(2).accumulators()
            statuses.append(kernels.csr_moments(data, indices, x.indptr, None, table))
    assert statuses == [s for s in (FINE, NON_FINITE, MALFORMED) for _ in range(2)]
