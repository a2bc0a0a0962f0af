"""Moments and the double-double arithmetic under them, against exact fractions."""

import dataclasses
import functools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import any_floats, assert_near, exact_moments, few, matrices, some, splits

from sknorm._backends import dispatch
from sknorm._statistics import double_double
from sknorm._statistics.moments import EMPTY, SAFE_EXPONENT, Moments, is_constant, unit_exponent

moderate = st.floats(-1e150, 1e150, allow_subnormal=False)


def arrays(*values):
    return tuple(np.array([v]) for v in values)


def value_of(double_double):
    return Fraction(double_double[0].item()) + Fraction(double_double[1].item())


def moments_of(x, weight=None):
    return dispatch.channel_moments(np.asarray(x, dtype=np.float64), weight)


def columns(x):
    return [exact_moments(column) for column in np.asarray(x).T]


# DoubleDouble arithmetic


@some
@given(moderate, moderate)
def test_two_sum_is_exact(a, b):
    high, low = double_double.two_sum(*arrays(a, b))
    assert value_of((high, low)) == Fraction(a) + Fraction(b)
    assert high.item() == a + b


@pytest.mark.parametrize(
    ("operation", "sign"), [(double_double.add, 1), (double_double.subtract, -1)]
)
def test_double_double_sums_have_30_digits(operation, sign):
    @some
    @given(moderate, moderate, moderate, moderate)
    def check(a, b, c, d):
        first, second = double_double.two_sum(*arrays(a, b)), double_double.two_sum(*arrays(c, d))
        exact = value_of(first) + sign * value_of(second)
        bound = (abs(value_of(first)) + abs(value_of(second))) * Fraction(1, 2**100)
        result = operation(first, second)
        assert abs(value_of(result) - exact) <= bound + Fraction(5e-324)
        assert result[0].item() == result[0].item() + result[1].item()

    check()


@some
@given(moderate, moderate, moderate, moderate)
def test_double_double_products_have_30_digits(a, b, c, d):
    first, second = double_double.two_sum(*arrays(a, b)), double_double.two_sum(*arrays(c, d))
    exact = value_of(first) * value_of(second)
    # Beyond these, errors of products leave the range of float64.
    assume(exact == 0 or Fraction(1e-250) < abs(exact) < Fraction(1e280))
    result = double_double.multiply(first, second)
    assert abs(value_of(result) - exact) <= abs(exact) * Fraction(1, 2**99)


def test_double_double_keeps_what_a_float_drops():
    total = arrays(1.0, 0.0)
    for _ in range(1000):
        total = double_double.add(total, arrays(1e-20, 0.0))
    assert abs(value_of(total) - 1 - 1000 * Fraction(1e-20)) < 1e-28


# Merging


@some
@given(matrices(), st.data())
def test_any_split_merges_to_the_whole(x, data):
    batches = [moments_of(x[rows]) for rows in data.draw(splits(len(x)))]
    batches = data.draw(st.permutations(batches))
    merged = functools.reduce(Moments.merge, batches)
    assert_near(merged.var, [var for _, _, var, _ in columns(x)])
    np.testing.assert_array_equal(merged.count, len(x))
    scale = np.abs(x).max(axis=0)
    exact = np.array([float(mean) for _, mean, _, _ in columns(x)])
    assert np.all(np.abs(merged.mean - exact) <= 1e-15 * scale)


@some
@given(matrices(any_floats(np.float64), max_rows=6, max_columns=3), st.data())
def test_any_split_merges_to_the_whole_for_all_magnitudes(x, data):
    parts = [moments_of(x[rows]) for rows in data.draw(splits(len(x)))]
    merged = functools.reduce(Moments.merge, parts)
    for channel, (_, mean, _, square) in enumerate(columns(x)):
        unit = Fraction(2) ** int(merged.exponent[channel])
        size = Fraction(float(np.abs(x[:, channel]).max()))
        got = Fraction(merged.unit_mean[channel].item()) * unit
        assert abs(got - mean) <= size * Fraction(1e-15) + Fraction(5e-324)
        got = Fraction(merged.about_zero().unit_var[channel].item()) * unit * unit
        assert abs(got - square) <= size**2 * Fraction(1e-14) + Fraction(5e-324)


@pytest.mark.parametrize("outlier_first", [True, False])
def test_an_outlier_takes_no_digits_from_the_mean_of_the_many(outlier_first):
    many, outlier = np.linspace(1.0, 2.0, 100_000)[:, None], np.array([[1e18]])
    parts = [moments_of(outlier), moments_of(many)]
    a, b = parts if outlier_first else parts[::-1]
    _, mean, var, _ = exact_moments(np.concatenate([many, outlier])[:, 0])
    assert_near(a.merge(b).mean, [mean])
    assert_near(a.merge(b).var, [var])


def test_zero_is_neutral():
    some_moments = moments_of([[1.0, -3.0], [2.0, 5.0]])
    for merged in (
        Moments.zero(2).merge(some_moments),
        some_moments.merge(Moments.zero(2)),
        Moments.zero(2).merge(Moments.zero(2)).merge(some_moments),
    ):
        np.testing.assert_array_equal(merged.table, some_moments.table)


def test_a_channel_without_values_is_nan_until_it_has_some():
    nothing = moments_of([[np.nan, 1.0]])
    np.testing.assert_array_equal(nothing.count, [0, 1])
    assert np.isnan(nothing.mean[0])
    assert np.isnan(nothing.var[0])
    np.testing.assert_array_equal(nothing.merge(moments_of([[4.0, np.nan]])).mean, [4, 1])
    np.testing.assert_array_equal(moments_of([[4.0, np.nan]]).merge(nothing).mean, [4, 1])


def test_merging_changes_neither_part():
    a, b = moments_of([[1e300, 1.0], [2e300, 2.0]]), moments_of([[1e-300, 5.0]])
    before = a.table.copy(), b.table.copy()
    a.merge(b)
    a.decay(b, 0.3)
    a.pool(1)
    np.testing.assert_array_equal(a.table, before[0])
    np.testing.assert_array_equal(b.table, before[1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        a.table = before[0]


@few
@given(matrices(min_rows=1))
def test_pooling_columns_is_stacking_their_rows(x):
    x = np.concatenate([x, x * 3 + 1, x - 7], axis=1)
    pooled = moments_of(x).pool(3)
    stacked = x.reshape(len(x), 3, -1).transpose(0, 2, 1).reshape(-1, 3)
    whole = moments_of(stacked)
    np.testing.assert_array_equal(pooled.count, whole.count)
    np.testing.assert_allclose(pooled.mean, whole.mean, rtol=1e-14, atol=1e-15 * np.abs(x).max())
    assert_near(pooled.var, [var for _, _, var, _ in columns(stacked)])


@few
@given(st.floats(0.01, 1.0), matrices(min_rows=2))
def test_decay_is_the_mixture_of_both(momentum, x):
    old, new = x[: len(x) // 2], x[len(x) // 2 :]
    mixed = moments_of(old).decay(moments_of(new), momentum)
    weights = np.r_[
        np.full(len(old), (1 - momentum) / len(old)), np.full(len(new), momentum / len(new))
    ]
    mean = np.average(x, axis=0, weights=weights)
    var = np.average((x - mean) ** 2, axis=0, weights=weights)
    scale = np.abs(x).max(axis=0)
    assert np.all(np.abs(mixed.mean - mean) <= 1e-13 * scale)
    assert np.all(np.abs(mixed.var - var) <= 1e-13 * scale**2)
    np.testing.assert_array_equal(mixed.count, len(x))


# Units


@pytest.mark.parametrize("value", [1e300, 1e-300, 5e-324, np.finfo(float).max, 1e200, 1e-200])
def test_channels_far_from_one_are_kept_in_a_unit_of_their_own(value):
    moments = moments_of([[value], [-value], [value]])
    assert moments.exponent.item() != 0
    assert_near(moments.mean, [Fraction(value) / 3])
    square = Fraction(4) ** int(moments.exponent[0])
    assert_near(moments.unit_var, [Fraction(value) ** 2 * 8 / 9 / square])


def test_the_larger_unit_wins():
    merged = moments_of([[1e-300], [3e-300]]).merge(moments_of([[1e300], [3e300]]))
    assert_near(merged.mean, [(Fraction(1e300) + Fraction(3e300)) / 4])
    assert np.isinf(merged.var).all()


def test_exponents():
    exponents = unit_exponent(
        np.array([0.0, 1.0, 2.0**SAFE_EXPONENT, 2.0**-SAFE_EXPONENT, 1e300, 5e-324])
    )
    np.testing.assert_array_equal(exponents[:2], [EMPTY, 0])
    np.testing.assert_array_equal(exponents[4:], [997, -1020])


@pytest.mark.parametrize("scale", [1e-13, 1.0, 1e13])
def test_the_bound_on_constants_is_relative(scale):
    mean, var = np.array([scale]), np.array([(1e-10 * scale) ** 2])
    assert not is_constant(np.array([100.0]), mean, var)
    assert is_constant(np.array([100.0]), mean, var * 1e-12)
    assert is_constant(np.array([100.0]), mean * 0, var * 0)
