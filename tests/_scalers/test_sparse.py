"""CSR and CSC, in every form they come in, agree with the dense array of the same numbers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    KINDS,
    SPARSE,
    assert_untouched,
    few,
    matrices,
    ordinary,
    parts,
    splits,
    with_nan,
    with_zeros,
)
from scipy import sparse
from sklearn.base import clone

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)

ESTIMATORS = {
    "batch": BatchStatScaler(with_mean=False),
    "batch-channels": BatchStatScaler(with_mean=False, n_channels=2, gamma=[2.0, -1.0], eps=0.1),
    "power": PowerNormScaler(),
    "power-channels": PowerNormScaler(n_channels=3, gamma=[1.0, 2.0, 3.0]),
    "layer": LayerScaler(with_mean=False),
    "layer-groups": LayerScaler(with_mean=False, n_groups=2, eps=0.1, gamma=np.arange(1.0, 7.0)),
    "l1": L1Normalizer(),
    "l2": L2Normalizer(),
    "max": MaxNormalizer(),
}
ROWS = ("l1", "l2", "max")
all_estimators = pytest.mark.parametrize("name", ESTIMATORS)
all_forms = pytest.mark.parametrize("form", SPARSE.values(), ids=SPARSE)


def data(name, dtype=np.float64):
    x = with_zeros(ordinary()).astype(dtype)
    return x if name in ROWS else np.where(x == 0, x, with_nan(x))


@all_estimators
@all_forms
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_and_dense_agree_and_the_input_is_untouched(name, form, dtype):
    x = data(name, dtype)
    s = form(x)
    before = parts(s)
    estimator = ESTIMATORS[name]
    expected = estimator.fit(x).transform(x)
    z = estimator.fit(s).transform(s)
    assert_untouched(s, before)
    assert sparse.issparse(z)
    assert z.dtype == dtype
    assert isinstance(z, sparse.sparray) == isinstance(s, sparse.sparray)
    assert z.format == s.format
    np.testing.assert_allclose(z.toarray(), expected, rtol=20 * np.finfo(dtype).eps)
    assert not any(np.shares_memory(a, b) for a, b in zip(arrays_of(z), arrays_of(s), strict=True))


def arrays_of(x):
    return x.data, x.indices, x.indptr


@pytest.mark.parametrize("name", ["batch", "batch-channels", "power", "power-channels"])
@all_forms
def test_inverse_undoes_and_leaves_its_input(name, form):
    x = data(name)
    estimator = ESTIMATORS[name].fit(x)
    z = form(estimator.transform(x))
    before = parts(z)
    np.testing.assert_allclose(estimator.inverse_transform(z).toarray(), x, rtol=1e-14)
    assert_untouched(z, before)


@all_estimators
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint16, bool])
def test_other_dtypes(name, kind, dtype):
    x = (np.abs(with_zeros(ordinary(offset=False))) % 7).astype(dtype)
    s = kind(x)
    z = ESTIMATORS[name].fit(s).transform(s)
    assert z.dtype == np.float64
    expected = ESTIMATORS[name].fit(x.astype(np.float64)).transform(x.astype(np.float64))
    np.testing.assert_allclose(z.toarray(), expected, rtol=1e-14)


@all_estimators
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_without_copy_the_result_is_the_input(name, kind, dtype):
    s = kind(data(name, dtype))
    expected = ESTIMATORS[name].fit(s).transform(s).toarray()
    estimator = ESTIMATORS[name]
    result = estimator.fit(s).transform(s, copy=False)
    assert result is s
    np.testing.assert_array_equal(s.toarray(), expected)


@all_estimators
@pytest.mark.parametrize("shape", [(3, 6), (1, 6), (40, 6)])
def test_nothing_stored(name, shape):
    s = sparse.csr_array(shape)
    estimator = ESTIMATORS[name].fit(s)
    z = estimator.transform(s)
    assert z.nnz == 0
    assert z.shape == shape
    np.testing.assert_array_equal(getattr(estimator, "scale_", 1.0)[0] if name == "batch" else 1, 1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_batches_in_any_container_equal_the_whole(kind, weighted):
    @few
    @given(matrices(min_rows=2, max_rows=20), st.data())
    def check(x, data):
        x = with_nan(with_zeros(np.vstack([x, x + 1]), share=0.3))
        weights = np.random.default_rng(0).integers(1, 5, len(x)) / 2 if weighted else None
        whole = BatchStatScaler(with_mean=False).fit(x, sample_weight=weights)
        streamed = BatchStatScaler(with_mean=False)
        for rows in data.draw(splits(len(x))):
            weight = None if weights is None else weights[rows]
            streamed.partial_fit(kind(x[rows]), sample_weight=weight)
        size = np.nanmax(np.abs(x), axis=0)
        assert np.all(np.abs(streamed.mean_ - whole.mean_) <= 1e-14 * size)
        assert np.all(np.abs(streamed.var_ - whole.var_) <= 1e-13 * size**2)
        np.testing.assert_allclose(streamed.n_samples_seen_, whole.n_samples_seen_, rtol=1e-14)

    check()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_momentum_and_channels_agree_with_dense(kind, weighted):
    options = {"with_mean": False, "momentum": 0.3, "n_channels": 3}
    scalers = BatchStatScaler(**options), BatchStatScaler(**options)
    for seed in range(3):
        x = with_nan(with_zeros(ordinary(seed=seed)), seed=seed)
        weights = np.random.default_rng(seed).random(40) if weighted else None
        scalers[0].partial_fit(x, sample_weight=weights)
        scalers[1].partial_fit(kind(x), sample_weight=weights)
    for name in ("mean_", "var_", "scale_", "n_samples_seen_"):
        a, b = (getattr(scaler, name) for scaler in scalers)
        np.testing.assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_implicit_zeros_are_counted(kind, weighted):
    x = np.zeros((100_000, 2))
    x[[5, 70_000], [0, 1]] = 3.0, -1e-3
    weights = np.random.default_rng(0).random(100_000) if weighted else None
    a = BatchStatScaler(with_mean=False).fit(x, sample_weight=weights)
    b = BatchStatScaler(with_mean=False).fit(kind(x), sample_weight=weights)
    np.testing.assert_allclose(a.mean_, b.mean_, rtol=1e-13)
    np.testing.assert_allclose(a.var_, b.var_, rtol=1e-13)
    np.testing.assert_allclose(a.n_samples_seen_, b.n_samples_seen_, rtol=1e-14)


def test_columns_that_are_full_of_equal_values_are_constant():
    x = np.array([[14.62, 14.62], [14.62, 0.0], [14.62, 0.0]])
    for kind in KINDS:
        scaler = BatchStatScaler().fit(kind(x))
        assert scaler.scale_[0] == 1
        assert scaler.scale_[1] != 1
        np.testing.assert_array_equal(scaler.var_[0], 0)


@pytest.mark.parametrize("cls", [L1Normalizer, L2Normalizer, MaxNormalizer])
@all_forms
def test_the_norm_is_kept_in_sparse_output_too(cls, form):
    x = with_zeros(ordinary())
    normalizer = cls(keep_norm=True).fit(form(x))
    z = normalizer.transform(form(x))
    np.testing.assert_allclose(z.toarray(), normalizer.transform(x), rtol=1e-14)
    np.testing.assert_allclose(normalizer.inverse_transform(z).toarray(), x, rtol=1e-14)


@pytest.mark.parametrize("kind", [sparse.coo_array, sparse.lil_matrix, sparse.dok_array])
@all_estimators
def test_other_sparse_formats_are_converted(name, kind):
    x = with_zeros(ordinary())
    z = ESTIMATORS[name].fit(kind(x)).transform(kind(x))
    np.testing.assert_allclose(z.toarray(), ESTIMATORS[name].fit(x).transform(x), rtol=1e-14)


def test_auto_leaves_sparse_input_uncentered():
    x = with_zeros(ordinary())
    for form in (sparse.csr_array, sparse.csc_matrix):
        auto, never = BatchStatScaler(), BatchStatScaler(with_mean=False)
        z = auto.fit(form(x)).transform(form(x)).toarray()
        np.testing.assert_allclose(z, never.fit(x).transform(x), rtol=1e-13)
        np.testing.assert_allclose(auto.transform(x), z, rtol=1e-13)
        root_mean_square = LayerScaler(with_mean=False).fit_transform(x)
        z = LayerScaler().fit_transform(form(x)).toarray()
        np.testing.assert_allclose(z, root_mean_square, rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_all_magnitudes(kind):
    x = with_zeros(ordinary()) * 10.0 ** np.array([300, 5, -300, 200, -200, 0])
    for name in ("batch", "power", "layer", *ROWS):
        estimator = ESTIMATORS[name]
        z = estimator.fit(kind(x)).transform(kind(x)).toarray()
        np.testing.assert_allclose(z, estimator.fit(x).transform(x), rtol=1e-13)
        assert np.isfinite(z).all()


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("special", [1e-300, 1e300, np.nan, 0.0, 1.0])
@pytest.mark.parametrize("params", [{}, {"n_groups": 2, "eps": 0.1, "gamma": 3.0}])
def test_layers_of_csc_are_those_of_csr_whatever_the_values(params, special, copy):
    x = with_zeros(ordinary(300, 8))
    x[0] *= special
    a, b = sparse.csc_array(x), sparse.csr_array(x)
    scaler = LayerScaler(copy=copy, **params)
    result = scaler.fit_transform(a)
    assert result.format == "csc"
    assert (result is a) != copy
    np.testing.assert_allclose(result.toarray(), scaler.transform(b).toarray(), rtol=1e-14)


def words(n_rows=12_000, n_columns=12, seed=0):
    """Return CSR in which a few columns are nearly full, as of words in texts."""
    rng = np.random.default_rng(seed)
    share = np.minimum(0.97, 2 / np.arange(1, n_columns + 1))
    x = np.where(rng.random((n_rows, n_columns)) < share, rng.normal(1e4, 1, n_columns), 0)
    return x + (x != 0) * rng.normal(size=x.shape)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x,
        lambda x: x[np.lexsort(x.T)],  # whole columns come late
        lambda x: np.where(x == x[:1], 1e9, x),  # first values far from the others
        lambda x: np.where(np.arange(len(x))[:, None] < 4000, x, x + 1e8 * (x != 0)),
        lambda x: np.where(x == x[1500:1501], np.nan, x),
    ],
    ids=["random", "sorted", "far", "drift", "missing"],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_statistics_of_columns_with_many_values(change, dtype):
    x = change(words()).astype(dtype)
    scaler = BatchStatScaler(with_mean=False).fit(sparse.csr_array(x))
    for j in range(x.shape[1]):
        values = [Fraction(v.item()) for v in x[:, j] if not np.isnan(v)]
        mean = sum(values) / len(values)
        var = sum((v - mean) ** 2 for v in values) / len(values)
        np.testing.assert_allclose(scaler.mean_[j], float(mean), rtol=1e-14)
        np.testing.assert_allclose(scaler.var_[j], float(var), rtol=1e-14)


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("special", [None, 0.0, "tiny", "huge"])
@pytest.mark.parametrize("name", ROWS)
def test_norms_of_csc_are_those_of_csr_whatever_the_values(name, special, dtype, copy):
    rng = np.random.default_rng(0)
    x = np.where(rng.random((40_000, 7)) < 0.3, rng.normal(size=(40_000, 7)), 0).astype(dtype)
    if special is not None:
        limits = {"tiny": np.finfo(dtype).smallest_subnormal, "huge": np.finfo(dtype).max / 2}
        x[39_990] = limits.get(special, special)
    a, b = sparse.csc_array(x), sparse.csr_array(x)
    before = a.copy()
    estimator = clone(ESTIMATORS[name]).set_params(copy=copy)
    z = estimator.fit_transform(a)
    assert z.format == "csc"
    assert (z is a) == (not copy)
    expected = estimator.set_params(copy=True).transform(b).toarray()
    np.testing.assert_allclose(z.toarray(), expected, rtol=4 * np.finfo(dtype).eps)
    if copy:
        np.testing.assert_array_equal(a.data, before.data)


@pytest.mark.parametrize("name", ROWS)
def test_infinity_in_csc_is_found_before_anything_is_written(name):
    x = np.random.default_rng(0).normal(size=(40_000, 3))
    a = sparse.csc_array(x)
    estimator = clone(ESTIMATORS[name]).set_params(copy=False).fit(a)
    a.data[-1] = np.nan
    before = a.data.copy()
    with pytest.raises(ValueError, match="NaN"):
        estimator.transform(a)
    np.testing.assert_array_equal(a.data, before)


@pytest.mark.parametrize("name", ROWS)
def test_kept_norms_of_csc_undo(name):
    s = sparse.csc_array(data(name))
    estimator = clone(ESTIMATORS[name]).set_params(keep_norm=True).fit(s)
    z = estimator.transform(s)
    back = estimator.inverse_transform(z)
    assert z.format == back.format == "csc"
    np.testing.assert_allclose(back.toarray(), s.toarray(), rtol=1e-15)
