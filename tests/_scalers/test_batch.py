"""BatchStatScaler: its formula, streaming, merging, weights, missing values and channels."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    DENSE,
    assert_state,
    few,
    matrices,
    ordinary,
    snapshot,
    some,
    splits,
    with_nan,
)
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from sknorm import BatchStatScaler

LEARNED = ("mean_", "var_", "scale_")


def assert_same_statistics(a, b, rtol=1e-13):
    for name in LEARNED:
        scale = np.abs(a.mean_) + a.scale_ if name == "mean_" else 0
        tolerance = rtol * (np.abs(getattr(b, name)) + scale)
        assert np.all(np.abs(getattr(a, name) - getattr(b, name)) <= tolerance), name
    np.testing.assert_allclose(a.n_samples_seen_, b.n_samples_seen_, rtol=1e-14)


def constant(x):
    """Tell whether a column of the batch is too nearly constant for two sums to agree on it."""
    return np.any(np.nanstd(x, axis=0) <= 1e-12 * np.nanmax(np.abs(x), axis=0))


# The formula


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_numbers_are_those_of_standard_scaler(with_mean, with_std):
    x = ordinary()
    ours = BatchStatScaler(with_mean=with_mean, with_std=with_std).fit(x)
    theirs = StandardScaler(with_mean=with_mean, with_std=with_std).fit(x)
    for name in LEARNED:
        a, b = getattr(ours, name), getattr(theirs, name)
        if with_mean or with_std or name != "mean_":
            assert (a is None) == (b is None)
        if a is not None and b is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12)
    assert ours.n_samples_seen_ == theirs.n_samples_seen_
    assert type(ours.n_samples_seen_) is int
    np.testing.assert_allclose(ours.transform(x), theirs.transform(x), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("eps", [0.0, 1e-5, 3.0])
@pytest.mark.parametrize("gamma", [None, 2.0, "array"])
@pytest.mark.parametrize("beta", [None, -1.0, "array"])
def test_formula(eps, gamma, beta):
    x = ordinary()
    per_channel = np.linspace(-2, 3, x.shape[1])
    gamma, beta = (per_channel if isinstance(v, str) else v for v in (gamma, beta))
    z = BatchStatScaler(eps=eps, gamma=gamma, beta=beta).fit_transform(x)
    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    expected = expected * (1 if gamma is None else gamma) + (0 if beta is None else beta)
    np.testing.assert_allclose(z, expected, rtol=1e-10, atol=1e-11)


def test_scale_is_what_is_divided_by():
    x = ordinary()
    scaler = BatchStatScaler(eps=0.5).fit(x)
    np.testing.assert_allclose(scaler.scale_, np.sqrt(scaler.var_ + 0.5), rtol=1e-15)


def test_constants_get_beta_and_are_not_blown_up():
    x = np.full((5, 2), 14.62)
    scaler = BatchStatScaler(beta=[1.0, -2.0]).fit(x)
    np.testing.assert_array_equal(scaler.scale_, 1)
    np.testing.assert_array_equal(scaler.transform(x), np.tile([1.0, -2.0], (5, 1)))
    np.testing.assert_allclose(scaler.transform(x + 0.5), np.tile([1.5, -1.5], (5, 1)))


@some
@given(matrices(min_rows=2), st.integers(-300, 300), st.floats(1e-3, 1e3))
def test_the_unit_of_the_data_changes_nothing(x, power, factor):
    z = BatchStatScaler().fit_transform(x)
    if constant(x):
        return
    # Far from 1 other loops do the work, which add up in another order.
    other = BatchStatScaler().fit_transform(np.ldexp(x, power))
    assert np.all(np.abs(other - z) <= 4 * np.spacing(np.maximum(1, np.abs(z))))
    offset = np.abs(x).max(axis=0) / x.std(axis=0)
    scaled = BatchStatScaler().fit_transform(x * factor)
    assert np.all(np.abs(scaled - z) <= 1e-14 * offset * np.maximum(1, np.abs(z)))


@some
@given(matrices(min_rows=2), st.sampled_from([{}, {"gamma": -3.0, "beta": 2.0}, {"eps": 1.0}]))
def test_inverse_undoes(x, params):
    scaler = BatchStatScaler(**params).fit(x)
    z = scaler.transform(x)
    back = scaler.inverse_transform(z)
    size = np.abs(x).max(axis=0) + scaler.scale_ * np.maximum(1, np.abs(z).max(axis=0))
    assert np.all(np.abs(back - x) <= 1e-14 * size)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_dtypes(dtype):
    x = (np.abs(ordinary(offset=False)) * 3 % 5).astype(dtype)
    z = BatchStatScaler().fit_transform(x)
    assert z.dtype == (dtype if np.dtype(dtype).kind == "f" else np.float64)
    expected = BatchStatScaler().fit_transform(x.astype(np.float64))
    atol = 4 * np.finfo(z.dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(z, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("form", DENSE.values(), ids=DENSE)
def test_the_memory_layout_changes_neither_numbers_nor_the_input(form):
    x = form(with_nan(ordinary(600, 5)))
    before = np.array(x)
    scaler = BatchStatScaler().fit(before)
    assert_same_statistics(BatchStatScaler().fit(x), scaler, 1e-14)
    z = scaler.transform(x)
    np.testing.assert_array_equal(z, scaler.transform(before))
    scaler.inverse_transform(x)
    np.testing.assert_array_equal(x, before)
    if isinstance(x, np.ndarray):
        assert z.dtype.isnative
        assert not np.shares_memory(x, z)


@pytest.mark.parametrize("form", ["C", "F"])
def test_the_result_has_the_order_of_the_input(form):
    x = DENSE[form](ordinary())
    assert BatchStatScaler().fit_transform(x).flags[f"{form}_CONTIGUOUS"]


@pytest.mark.parametrize("form", ["C", "F", "strided", "backwards", "unaligned"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_without_copy_the_result_is_the_input(form, dtype):
    x = DENSE[form](ordinary().astype(dtype))
    original = np.array(x)
    scaler = BatchStatScaler(copy=False).fit(x)
    np.testing.assert_array_equal(x, original)
    z = scaler.transform(x)
    assert z is x
    expected = BatchStatScaler().fit_transform(original)
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(z, expected, rtol=tolerance, atol=tolerance)
    assert scaler.inverse_transform(x) is x
    assert BatchStatScaler().fit(original).transform(x, copy=False) is x


@pytest.mark.parametrize("form", ["read_only", "swapped", "list"])
def test_what_cannot_be_overwritten_is_not(form):
    x = DENSE[form](ordinary())
    before = np.array(x)
    z = BatchStatScaler(copy=False).fit_transform(x)
    assert z is not x
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(z, BatchStatScaler().fit_transform(before), rtol=1e-12)


@pytest.mark.parametrize("copy", [True, False])
def test_weights_and_affine_parameters_are_untouched(copy):
    arrays = [np.random.default_rng(i).random(n) for i, n in enumerate((40, 6, 6))]
    before = [a.copy() for a in arrays]
    weights, gamma, beta = arrays
    scaler = BatchStatScaler(gamma=gamma, beta=beta, copy=copy)
    scaler.fit(ordinary(), sample_weight=weights).partial_fit(ordinary(), sample_weight=weights)
    scaler.inverse_transform(scaler.transform(ordinary()))
    assert scaler.gamma is gamma
    for now, then in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_scores_do_not_change_with_the_array_that_set_them():
    x, gamma = ordinary(), np.ones(6)
    scaler = BatchStatScaler(gamma=gamma).fit(x)
    z, mean = scaler.transform(x), scaler.mean_.copy()
    x += 100
    np.testing.assert_array_equal(scaler.mean_, mean)
    np.testing.assert_array_equal(scaler.transform(x - 100).round(6), z.round(6))
    scaler.set_params(gamma=2 * gamma)
    np.testing.assert_allclose(scaler.transform(x - 100), 2 * z, rtol=1e-6, atol=1e-9)


# Batches, merging and order


@some
@given(matrices(min_rows=2, max_rows=20), st.data())
def test_any_split_into_batches_equals_the_whole(x, data):
    x = with_nan(x) if data.draw(st.booleans(), label="NaN") else x
    weights = None
    if data.draw(st.booleans(), label="weighted"):
        weights = data.draw(st.lists(st.integers(1, 9), min_size=len(x), max_size=len(x)))
        weights = np.array(weights) / 4
    if np.any(np.isnan(x).all(axis=0)) or constant(x):
        return
    rows = data.draw(splits(len(x)))
    parts = [(x[r], None if weights is None else weights[r]) for r in rows]
    whole = BatchStatScaler().fit(x, sample_weight=weights)

    streamed = BatchStatScaler()
    for part, weight in parts:
        streamed.partial_fit(part, sample_weight=weight)
    assert_same_statistics(streamed, whole)

    fitted = [BatchStatScaler().fit(part, sample_weight=weight) for part, weight in parts]
    before = [snapshot(scaler) for scaler in fitted]
    merged = BatchStatScaler().merge(*data.draw(st.permutations(fitted)))
    assert_same_statistics(merged, whole)
    for scaler, state in zip(fitted, before, strict=True):
        assert_state(scaler, state)

    pairwise = functools.reduce(lambda a, b: clone(a).merge(b, a), fitted)
    assert_same_statistics(pairwise, whole)


def test_sizes_of_batches_across_the_blocks_of_the_kernels():
    x = ordinary(5000, 3)
    whole = BatchStatScaler().fit(x)
    for size in (1, 2, 255, 256, 257, 511, 512, 513, 2047, 2049, 4999):
        scaler = BatchStatScaler()
        for first in range(0, len(x), size) if size > 99 else [0]:
            scaler.partial_fit(x[first : first + size] if size > 99 else x)
        assert_same_statistics(scaler, whole)
        some_rows = BatchStatScaler().fit(x[:size])
        np.testing.assert_allclose(some_rows.mean_, x[:size].mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(some_rows.var_, x[:size].var(axis=0), rtol=1e-10)


def test_weights_are_repetitions():
    x, counts = with_nan(ordinary()), np.arange(40) % 4
    weighted = BatchStatScaler().fit(x, sample_weight=counts)
    assert_same_statistics(weighted, BatchStatScaler().fit(np.repeat(x, counts, axis=0)))


@pytest.mark.parametrize("factor", [1e-200, 1e-3, 1e3, 1e200])
def test_the_unit_of_the_weights_does_not_matter(factor):
    x, weights = ordinary(), np.random.default_rng(1).random(40)
    a = BatchStatScaler().fit(x, sample_weight=weights)
    b = BatchStatScaler().fit(x, sample_weight=weights * factor)
    for name in LEARNED:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-13)


def test_one_weight_for_all_rows_is_no_weight():
    x = ordinary()
    assert_same_statistics(BatchStatScaler().fit(x, sample_weight=1.0), BatchStatScaler().fit(x))


@pytest.mark.parametrize("value", [0.0, np.nan, 1e20, np.finfo(float).max])
@pytest.mark.parametrize("row", [0, 20])
@pytest.mark.parametrize(
    "form", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_array]
)
def test_rows_of_weight_zero_do_not_count(value, row, form):
    x, weights = ordinary(), np.ones(40)
    x[row], weights[row] = value, 0
    scaler = BatchStatScaler().fit(form(x), sample_weight=weights)
    assert_same_statistics(scaler, BatchStatScaler().fit(np.delete(x, row, axis=0)))


def test_missing_values_are_left_out_and_kept():
    x = with_nan(ordinary())
    scaler = BatchStatScaler().fit(x)
    np.testing.assert_allclose(scaler.mean_, np.nanmean(x, axis=0), rtol=1e-13)
    np.testing.assert_allclose(scaler.var_, np.nanvar(x, axis=0), rtol=1e-11)
    np.testing.assert_array_equal(scaler.n_samples_seen_, (~np.isnan(x)).sum(axis=0))
    np.testing.assert_array_equal(np.isnan(scaler.transform(x)), np.isnan(x))


def test_fit_forgets_and_partial_fit_does_not():
    a, b = ordinary(seed=1), ordinary(30, 4, seed=2)
    scaler = BatchStatScaler().partial_fit(a)
    assert scaler.fit(b).n_samples_seen_ == 30
    assert_same_statistics(scaler, BatchStatScaler().fit(b))
    assert scaler.partial_fit(b).n_samples_seen_ == 60


# Momentum


def recurrence(batches, momentum):
    """Return running mean and variance, the plain way."""
    mean, var = batches[0].mean(axis=0), batches[0].var(axis=0)
    for batch in batches[1:]:
        new, spread = batch.mean(axis=0), batch.var(axis=0)
        var = (1 - momentum) * var + momentum * spread
        var = var + momentum * (1 - momentum) * (new - mean) ** 2
        mean = (1 - momentum) * mean + momentum * new
    return mean, var


@few
@given(st.floats(0.01, 1.0), st.integers(1, 6), st.integers(1, 20))
def test_momentum_is_the_plain_recurrence(momentum, n_batches, size):
    batches = [ordinary(size, 3, seed=i) for i in range(n_batches)]
    scaler = BatchStatScaler(momentum=momentum)
    for batch in batches:
        scaler.partial_fit(batch)
    mean, var = recurrence(batches, momentum)
    np.testing.assert_allclose(scaler.mean_, mean, rtol=1e-11)
    np.testing.assert_allclose(scaler.var_, var, rtol=1e-10, atol=1e-18)
    assert scaler.n_samples_seen_ == n_batches * size


def test_momentum_one_keeps_the_last_batch_only():
    scaler = BatchStatScaler(momentum=1.0).partial_fit(ordinary(seed=1))
    last = BatchStatScaler().fit(ordinary(seed=2))
    scaler.partial_fit(ordinary(seed=2))
    for name in LEARNED:
        np.testing.assert_allclose(getattr(scaler, name), getattr(last, name), rtol=1e-14)


def test_momentum_with_weights_and_missing_values():
    batches = [with_nan(ordinary(seed=i), seed=i) for i in range(3)]
    batches[1][:, 2] = np.nan
    weights = [np.random.default_rng(i).random(40) for i in range(3)]
    scaler, alone = BatchStatScaler(momentum=0.3), []
    for batch, weight in zip(batches, weights, strict=True):
        scaler.partial_fit(batch, sample_weight=weight)
        alone.append(BatchStatScaler().fit(batch, sample_weight=weight))
    for channel in range(6):
        seen = [s for s in alone if not np.isnan(s.mean_[channel])]
        mean, var = seen[0].mean_[channel], seen[0].var_[channel]
        for one in seen[1:]:
            step = one.mean_[channel] - mean
            var = 0.7 * var + 0.3 * one.var_[channel] + 0.21 * step**2
            mean = mean + 0.3 * step
        assert len(seen) == (2 if channel == 2 else 3)
        np.testing.assert_allclose(scaler.mean_[channel], mean, rtol=1e-12)
        np.testing.assert_allclose(scaler.var_[channel], var, rtol=1e-12)
    total = sum(np.where(np.isnan(b), 0, w[:, None]) for b, w in zip(batches, weights, strict=True))
    np.testing.assert_allclose(scaler.n_samples_seen_, total.sum(axis=0), rtol=1e-13)


# Channels and positions


@pytest.mark.parametrize("shape", [(8, 3, 4), (8, 3, 4, 5), (8, 1, 6), (8, 6, 1), (1, 2, 9)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_statistics_per_channel_over_samples_and_positions(shape, order):
    x = np.array(np.random.default_rng(0).normal(3, 2, size=shape), order=order)
    axes = (0, *range(2, len(shape)))
    scaler = BatchStatScaler().fit(x)
    np.testing.assert_allclose(scaler.mean_, x.mean(axis=axes), rtol=1e-13)
    np.testing.assert_allclose(scaler.var_, x.var(axis=axes), rtol=1e-13)
    mean, std = x.mean(axis=axes, keepdims=True), x.std(axis=axes, keepdims=True)
    np.testing.assert_allclose(scaler.transform(x), (x - mean) / std, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(x)), x, rtol=1e-13)
    assert scaler.n_features_in_ == shape[1]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_n_channels_reads_columns_as_channels_of_positions(weighted, dtype):
    x = with_nan(np.random.default_rng(0).normal(3, 2, size=(30, 4, 5))).astype(dtype)
    weights = np.random.default_rng(1).random(30) if weighted else None
    flat = BatchStatScaler(n_channels=4).fit(x.reshape(30, 20), sample_weight=weights)
    deep = BatchStatScaler().fit(x, sample_weight=weights)
    assert_same_statistics(flat, deep)
    tolerance = 1e-13 if dtype == np.float64 else 1e-6
    np.testing.assert_allclose(
        flat.transform(x.reshape(30, 20)).reshape(x.shape), deep.transform(x), atol=tolerance
    )
    assert flat.mean_.shape == flat.scale_.shape == (4,)
    assert flat.n_features_in_ == 20


def test_n_channels_with_momentum_and_affine():
    x = np.random.default_rng(0).normal(3, 2, size=(2, 30, 4, 5))
    options = {"momentum": 0.2, "gamma": np.arange(1.0, 5.0), "beta": np.arange(4.0)}
    flat, deep = BatchStatScaler(n_channels=4, **options), BatchStatScaler(**options)
    for batch in x:
        flat.partial_fit(batch.reshape(30, 20))
        deep.partial_fit(batch)
    assert_same_statistics(flat, deep)
    z = flat.transform(x[0].reshape(30, 20))
    np.testing.assert_allclose(z.reshape(30, 4, 5), deep.transform(x[0]), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(flat.inverse_transform(z), x[0].reshape(30, 20), rtol=1e-12)


def test_merge_returns_self_and_none_to_merge_changes_nothing():
    scaler = BatchStatScaler().fit(ordinary())
    before = snapshot(scaler)
    assert scaler.merge() is scaler
    assert_state(scaler, before)
    unfitted = BatchStatScaler()
    assert unfitted.merge() is unfitted
    with pytest.raises(NotFittedError):
        unfitted.transform(ordinary())
