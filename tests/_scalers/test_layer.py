"""LayerScaler: LayerNorm, GroupNorm, InstanceNorm and RMSNorm on samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import DENSE, matrices, ordinary, some, with_nan

from sknorm import LayerScaler

SHAPES = [(7, 6), (7, 6, 4), (7, 6, 4, 3), (1, 6), (300, 6)]


def plain(x, *, n_groups=1, center=True, scale=True, eps=0.0):
    """Normalize the groups of each sample the plain way."""
    groups = x.reshape(x.shape[0], n_groups, -1)
    shift = np.nanmean(groups, axis=2, keepdims=True) if center else 0.0
    deviation = groups - shift
    if scale:
        deviation = deviation / np.sqrt(np.nanmean(deviation**2, axis=2, keepdims=True) + eps)
    return deviation.reshape(x.shape)


def data(shape, nan=False):
    x = np.random.default_rng(0).normal(2, 3, size=shape)
    return with_nan(x) if nan else x


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_groups", [1, 2, 3])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("eps", [0.0, 0.1])
def test_formula(shape, n_groups, center, scale, eps):
    x = data(shape)
    options = {"n_groups": n_groups, "eps": eps}
    scaler = LayerScaler(with_mean=center, with_std=scale, **options)
    expected = plain(x, center=center, scale=scale, **options)
    for order in "CF":
        z = scaler.fit_transform(np.array(x, order=order))
        np.testing.assert_allclose(z, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("n_groups", [1, 2])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
def test_missing_values_are_left_out_and_kept(n_groups, center, order):
    x = np.array(data((50, 8), nan=True), order=order)
    z = LayerScaler(with_mean=center, n_groups=n_groups).fit_transform(x)
    expected = plain(x, center=center, n_groups=n_groups)
    np.testing.assert_allclose(z, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("center", [True, False])
def test_a_sample_that_is_all_missing_stays_so(center):
    x = np.array([[np.nan, np.nan], [1.0, np.nan], [1.0, 3.0]])
    z = LayerScaler(with_mean=center).fit_transform(x)
    np.testing.assert_array_equal(np.isnan(z), np.isnan(x))
    assert z[1, 0] == (0 if center else 1)


@pytest.mark.parametrize("gamma", [2.0, np.arange(6.0), np.arange(24.0).reshape(6, 4)])
@pytest.mark.parametrize("beta", [None, -1.0, -np.arange(6.0)])
@pytest.mark.parametrize("n_groups", [1, 3])
def test_gamma_and_beta_for_all_per_channel_or_per_element(gamma, beta, n_groups):
    x = data((5, 6, 4))
    z = LayerScaler(gamma=gamma, beta=beta, n_groups=n_groups).fit_transform(x)
    gain = gamma[:, None] if np.ndim(gamma) == 1 else gamma
    offset = 0 if beta is None else (beta[:, None] if np.ndim(beta) == 1 else beta)
    expected = plain(x, n_groups=n_groups) * gain + offset
    np.testing.assert_allclose(z, expected, rtol=1e-12, atol=1e-12)
    flat_gamma = gamma if np.ndim(gamma) == 0 else np.broadcast_to(gain, (6, 4)).ravel()
    flat_beta = beta if beta is None or np.ndim(beta) == 0 else np.repeat(beta, 4)
    flat = LayerScaler(gamma=flat_gamma, beta=flat_beta, n_groups=n_groups)
    for order in "CF":
        flattened = np.array(x.reshape(5, 24), order=order)
        result = flat.fit_transform(flattened).reshape(x.shape)
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("value", [14.62, 0.0, -1e-300, 1e300])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("beta", [None, 3.0])
def test_constant_samples_become_zero_or_beta(value, order, beta):
    x = np.array(np.full((9, 7), value), order=order)
    z = LayerScaler(beta=beta).fit_transform(x)
    np.testing.assert_array_equal(z, beta or 0)


@pytest.mark.parametrize("order", ["C", "F"])
def test_zeros_stay_zero_without_the_mean(order):
    x = np.array(np.zeros((9, 7)), order=order)
    np.testing.assert_array_equal(LayerScaler(with_mean=False).fit_transform(x), 0)


@some
@given(matrices(min_rows=1), st.integers(-300, 300), st.booleans())
def test_the_unit_of_the_data_changes_nothing(x, power, center):
    scaler = LayerScaler(with_mean=center)
    z = scaler.fit_transform(x)
    np.testing.assert_allclose(scaler.fit_transform(np.ldexp(x, power)), z, rtol=1e-14, atol=1e-15)


@some
@given(matrices(min_rows=2), st.data())
def test_a_sample_does_not_depend_on_the_others(x, data):
    z = LayerScaler().fit_transform(x)
    row = data.draw(st.integers(0, len(x) - 1))
    alone = LayerScaler().fit_transform(x[row : row + 1])
    np.testing.assert_array_equal(alone[0], z[row])


@pytest.mark.parametrize("form", DENSE.values(), ids=DENSE)
def test_the_memory_layout_changes_neither_numbers_nor_the_input(form):
    x = form(with_nan(ordinary(600, 5)))
    before = np.array(x)
    np.testing.assert_allclose(
        LayerScaler().fit_transform(x), LayerScaler().fit_transform(before), rtol=1e-13, atol=1e-14
    )
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("form", ["C", "F", "strided", "backwards"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_without_copy_the_result_is_the_input(form, dtype):
    x = DENSE[form](ordinary().astype(dtype))
    expected = LayerScaler().fit_transform(np.array(x))
    result = LayerScaler(copy=False).fit(x).transform(x)
    assert result is x
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int32, bool])
def test_dtypes(dtype):
    x = (np.abs(ordinary(offset=False)) * 3 % 5).astype(dtype)
    z = LayerScaler().fit_transform(x)
    assert z.dtype == (dtype if np.dtype(dtype).kind == "f" else np.float64)
    tolerance = 4 * np.finfo(z.dtype).eps
    expected = LayerScaler().fit_transform(x.astype(np.float64))
    np.testing.assert_allclose(z, expected, rtol=tolerance, atol=tolerance)


def test_nothing_is_learned_and_transform_needs_no_fit():
    x = ordinary()
    np.testing.assert_array_equal(LayerScaler().transform(x), LayerScaler().fit_transform(x))
    assert set(vars(LayerScaler().fit(x))) - set(LayerScaler().get_params()) == {"n_features_in_"}


def test_n_groups_on_flattened_input_is_that_of_positions():
    x = data((5, 6, 4))
    deep = LayerScaler(n_groups=6).fit_transform(x)
    flat = LayerScaler(n_groups=6).fit_transform(x.reshape(5, 24))
    np.testing.assert_array_equal(flat.reshape(x.shape), deep)
