"""PowerNormScaler: its formula, streaming, merging and channels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import matrices, ordinary, some, splits, with_nan, with_zeros
from scipy import sparse

from sknorm import BatchStatScaler, PowerNormScaler


@pytest.mark.parametrize("eps", [0.0, 1e-5, 3.0])
@pytest.mark.parametrize(("gamma", "beta"), [(None, None), (2.0, -1.0), (np.arange(6.0), 0.5)])
def test_formula(eps, gamma, beta):
    x = ordinary()
    scaler = PowerNormScaler(eps=eps, gamma=gamma, beta=beta).fit(x)
    mean_square = (x**2).mean(axis=0)
    np.testing.assert_allclose(scaler.mean_square_, mean_square, rtol=1e-13)
    np.testing.assert_allclose(scaler.scale_, np.sqrt(mean_square + eps), rtol=1e-13)
    expected = (1 if gamma is None else gamma) * x / np.sqrt(mean_square + eps) + (beta or 0)
    np.testing.assert_allclose(scaler.transform(x), expected, rtol=1e-13)
    if gamma is None or np.all(gamma):
        np.testing.assert_allclose(scaler.inverse_transform(expected), x, rtol=1e-12)


def test_zeros_stay_zero():
    x = np.zeros((4, 2))
    scaler = PowerNormScaler().fit(x)
    np.testing.assert_array_equal(scaler.scale_, 1)
    np.testing.assert_array_equal(scaler.transform(x), 0)


def test_constants_become_one():
    np.testing.assert_array_equal(PowerNormScaler().fit_transform(np.full((5, 1), -14.62)), -1)


@some
@given(matrices(min_rows=2), st.integers(-300, 300))
def test_the_unit_of_the_data_changes_nothing(x, power):
    z = PowerNormScaler().fit_transform(x)
    np.testing.assert_array_equal(PowerNormScaler().fit_transform(np.ldexp(x, power)), z)


@some
@given(matrices(min_rows=2, max_rows=20), st.data())
def test_any_split_into_batches_equals_the_whole(x, data):
    weights = np.array(data.draw(st.lists(st.integers(1, 9), min_size=len(x), max_size=len(x))))
    rows = data.draw(splits(len(x)))
    whole = PowerNormScaler().fit(x, sample_weight=weights)
    streamed, parts = PowerNormScaler(), []
    for r in rows:
        streamed.partial_fit(x[r], sample_weight=weights[r])
        parts.append(PowerNormScaler().fit(x[r], sample_weight=weights[r]))
    merged = PowerNormScaler().merge(*data.draw(st.permutations(parts)))
    for scaler in (streamed, merged):
        np.testing.assert_allclose(scaler.mean_square_, whole.mean_square_, rtol=1e-13)
        np.testing.assert_allclose(scaler.n_samples_seen_, weights.sum())


def test_momentum_is_the_plain_recurrence_of_the_mean_of_squares():
    batches = [with_nan(ordinary(seed=i), seed=i) for i in range(4)]
    scaler = PowerNormScaler(momentum=0.1)
    running = np.nanmean(batches[0] ** 2, axis=0)
    scaler.partial_fit(batches[0])
    for batch in batches[1:]:
        scaler.partial_fit(batch)
        running = 0.9 * running + 0.1 * np.nanmean(batch**2, axis=0)
    np.testing.assert_allclose(scaler.mean_square_, running, rtol=1e-12)


def test_missing_values_are_left_out_and_kept():
    x = with_nan(ordinary())
    scaler = PowerNormScaler().fit(x)
    np.testing.assert_allclose(scaler.mean_square_, np.nanmean(x**2, axis=0), rtol=1e-13)
    np.testing.assert_array_equal(np.isnan(scaler.transform(x)), np.isnan(x))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_matrix])
def test_n_channels_is_the_flattened_form_of_positions(form):
    x = with_zeros(ordinary(30, 20)).reshape(30, 4, 5)
    deep = PowerNormScaler(gamma=np.arange(1.0, 5.0)).fit(x)
    flat = PowerNormScaler(n_channels=4, gamma=np.arange(1.0, 5.0)).fit(form(x.reshape(30, 20)))
    np.testing.assert_allclose(flat.mean_square_, deep.mean_square_, rtol=1e-13)
    z = flat.transform(form(x.reshape(30, 20)))
    z = z.toarray() if sparse.issparse(z) else z
    np.testing.assert_allclose(z, deep.transform(x).reshape(30, 20), rtol=1e-13)


def test_it_is_batch_norm_where_the_mean_is_zero():
    x = np.r_[ordinary(), -ordinary()]
    np.testing.assert_allclose(
        PowerNormScaler().fit_transform(x), BatchStatScaler().fit_transform(x), rtol=1e-11
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_without_copy_the_result_is_the_input(dtype):
    x = ordinary().astype(dtype)
    expected = PowerNormScaler().fit_transform(x)
    assert expected.dtype == dtype
    result = PowerNormScaler(copy=False).fit(x).transform(x)
    assert result is x
    np.testing.assert_array_equal(result, expected)
