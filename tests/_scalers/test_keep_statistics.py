"""LayerScaler with its statistics kept, and undone by them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import any_floats, dense, matrices, some
from scipy import sparse
from sklearn.base import clone

from sknorm import LayerScaler

rng = np.random.default_rng(0)
SETTINGS = [
    {},
    {"with_mean": False},
    {"with_std": False},
    {"eps": 0.1},
    {"gamma": 2.0, "beta": -1.0},
    {"n_groups": 3},
    {"n_groups": 3, "with_mean": False, "gamma": rng.uniform(1, 2, 6), "beta": rng.normal(size=6)},
]
SHAPES = [(7, 6), (5, 6, 4), (4, 6, 2, 3)]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_inverse_transform_undoes_transform(params, shape, dtype, order):
    x = np.array(rng.normal(50, 3, shape), dtype, order=order)
    before = x.copy(order="K")
    scaler = LayerScaler(keep_statistics=True, copy=False, **params)
    z = scaler.fit_transform(x)
    n_groups = params.get("n_groups", 1)
    assert z.dtype == dtype
    assert z.shape == (shape[0], 6 + 2 * n_groups, *shape[2:])
    plain = LayerScaler(**params).fit_transform(before)
    np.testing.assert_array_equal(z[:, :6], plain)
    tolerance = 64 * np.finfo(dtype).eps
    np.testing.assert_allclose(scaler.inverse_transform(z), before, rtol=tolerance)
    np.testing.assert_array_equal(x, before)


@some
@given(matrices(any_floats(np.float64).map(lambda v: v * 0.99)))
def test_the_statistics_are_those_of_the_rows(x):
    z = LayerScaler(keep_statistics=True).fit_transform(x)
    mean, scale = z[:, -2], z[:, -1]
    size = np.abs(x).max(axis=1)
    unit = np.ldexp(1.0, -np.frexp(size)[1].clip(-1020, 1020))
    expected = (x * unit[:, None]).mean(axis=1)
    np.testing.assert_allclose(mean * unit, expected, rtol=1e-12, atol=1e-12)
    back = LayerScaler(keep_statistics=True).fit(x).inverse_transform(z)
    np.testing.assert_allclose(back * unit[:, None], x * unit[:, None], rtol=1e-12, atol=4e-15)
    assert (scale >= 0).all()


def test_statistics_by_hand():
    x = np.array([[1.0, 3.0, 10.0, 30.0], [5.0, 5.0, -2.0, 2.0]])
    z = LayerScaler(n_groups=2, keep_statistics=True).fit_transform(x)
    np.testing.assert_array_equal(z[:, 4:], [[2, 20, 1, 10], [5, 0, 1, 2]])
    z = LayerScaler(n_groups=2, with_mean=False, keep_statistics=True).fit_transform(x)
    np.testing.assert_allclose(z[:, 4:] ** 2, [[0, 0, 5, 500], [0, 0, 25, 4]])


def test_missing_values():
    x = np.array([[1.0, np.nan, 3.0], [np.nan] * 3, [5.0, 5.0, 5.0]])
    scaler = LayerScaler(keep_statistics=True)
    z = scaler.fit_transform(x)
    np.testing.assert_array_equal(z[:, 3:], [[2, 1], [0, 1], [5, 1]])
    np.testing.assert_array_equal(scaler.inverse_transform(z), x)


@pytest.mark.parametrize("n_groups", [1, 3])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_stays_sparse(form, n_groups):
    x = form(sparse.random_array((20, 12), density=0.3, rng=rng))
    scaler = LayerScaler(n_groups=n_groups, gamma=2.0, keep_statistics=True)
    z = scaler.fit_transform(x)
    assert type(z) is type(x)
    same = clone(scaler).set_params(with_mean=False).fit_transform(x.toarray())
    np.testing.assert_allclose(dense(z), same, rtol=1e-14)
    back = scaler.inverse_transform(z)
    assert type(back) is type(x)
    np.testing.assert_allclose(dense(back), dense(x), rtol=1e-14)
    z = LayerScaler(keep_statistics=True).fit_transform(x.toarray())
    with pytest.raises(ValueError, match="means that are not 0"):
        LayerScaler(keep_statistics=True).inverse_transform(form(z))


def test_predictions_of_another_length_get_back_their_level():
    windows = np.cumsum(rng.normal(size=(30, 16)), axis=1) + 100
    scaler = LayerScaler(keep_statistics=True, eps=1e-5)
    z = scaler.fit_transform(windows)
    flat = np.hstack([np.zeros((30, 4)), z[:, 16:]])
    np.testing.assert_allclose(
        scaler.inverse_transform(flat), np.repeat(windows.mean(axis=1)[:, None], 4, axis=1)
    )


def test_names():
    frame = pd.DataFrame(rng.normal(size=(4, 2)), columns=["a", "layer_mean"])
    scaler = LayerScaler(keep_statistics=True).set_output(transform="pandas")
    z = scaler.fit_transform(frame)
    assert list(z.columns) == ["a", "layer_mean", "layer_mean_1", "layer_scale"]
    pd.testing.assert_frame_equal(scaler.inverse_transform(z), frame)
    with pytest.raises(ValueError, match="same order"):
        scaler.inverse_transform(z[z.columns[::-1]])
    several = LayerScaler(n_groups=2, keep_statistics=True).fit(frame)
    added = ["layer_mean0", "layer_mean1", "layer_scale0", "layer_scale1"]
    assert list(several.get_feature_names_out()) == ["a", "layer_mean", *added]
    assert list(LayerScaler(n_groups=2).fit(frame).get_feature_names_out()) == list(frame.columns)


@some
@given(st.integers(1, 3))
def test_what_cannot_be_undone_is_refused(n_groups):
    scaler = LayerScaler(n_groups=n_groups, keep_statistics=True)
    with pytest.raises(ValueError, match=f"needs those of the values .* and {2 * n_groups} of"):
        scaler.inverse_transform(np.ones((2, 2 * n_groups)))
    with pytest.raises(ValueError, match="gamma is 0"):
        scaler.set_params(gamma=0.0).inverse_transform(np.ones((2, 4 * n_groups)))
    assert not hasattr(LayerScaler(), "inverse_transform")
    with pytest.raises(ValueError, match="keep_statistics must be True or False"):
        LayerScaler(keep_statistics=1).fit_transform(np.ones((2, 4)))
    big = np.array([[60000.0, -60000.0, 60000.0]] * 2, dtype=np.float16)
    half = LayerScaler(with_mean=False, keep_statistics=True)
    assert np.isfinite(half.fit_transform(big)).all()


def test_statistics_beyond_the_dtype_are_refused_and_nothing_written():
    x = np.full((3, 4), 3e38, dtype=np.float32)
    x[:, ::2] *= -1
    before = x.copy()
    scaler = LayerScaler(eps=1e78, keep_statistics=True, copy=False)
    with pytest.raises(ValueError, match="mean or scale of row 0 exceeds the largest float32"):
        scaler.fit_transform(x)
    np.testing.assert_array_equal(x, before)
