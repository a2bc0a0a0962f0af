"""Every estimator against exact rational arithmetic, for every finite input."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    DENSE,
    any_floats,
    assert_near,
    assert_ulps,
    conditioning_of,
    exact_moments,
    exact_scores,
    few,
    matrices,
    root,
    splits,
)
from scipy import sparse

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)

BIG = float(np.finfo(np.float64).max)
TINY = float(np.finfo(np.float64).smallest_subnormal)
RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=300)

COLUMNS = {
    "1e300": NORMAL * 1e300,
    "1e-300": NORMAL * 1e-300,
    "1e200 and -1e200": np.array([1e200, -1e200]),
    "both ends": np.array([BIG, -BIG, BIG]),
    "max and 0": np.array([BIG, 0.0, 0.0]),
    "subnormal": np.arange(50) * TINY,
    "subnormal and normal": np.r_[np.arange(5) * TINY, 2.3e-308, 1e-307],
    "all magnitudes": np.array([1e300, 1e-300, 1.0, -1e200, 1e-200]),
    "uniform": np.linspace(0, 1, 1000) ** 3,
    "one outlier, first": np.r_[1e8, NORMAL],
    "one outlier, last": np.r_[NORMAL, 1e8],
    "outlier at the end of the range": np.r_[NORMAL, BIG],
    "zeros and one": np.r_[np.zeros(700), 1.0],
    "one and zeros": np.r_[1.0, np.zeros(700)],
    "offset 1e8": 1e8 + NORMAL,
    "offset 1e8, sorted": np.sort(1e8 + RNG.normal(size=3000)),
    "offset 1e-8": 1e-8 + 1e-16 * NORMAL,
    "offset 1e208": 1e208 + 1e200 * NORMAL,
    "two levels": np.r_[np.full(600, 1e8), np.full(600, -1e8)] + RNG.normal(size=1200),
    "alternating": np.tile([1e8, -1e8], 700) + RNG.normal(size=1400),
    "ramp": np.arange(1500) + 0.1,
}
CHUNKS = {"whole": None, "chunks of 100": 100, "single rows": 1}
FORMATS = {"csr": sparse.csr_array, "csc": sparse.csc_array}


def fitted(x, chunk=None, weights=None, scaler=None):
    """Fit on x, in chunks of so many rows."""
    scaler = BatchStatScaler() if scaler is None else scaler
    if chunk is None:
        return scaler.fit(x, sample_weight=weights)
    for first in range(0, x.shape[0], chunk):
        part = slice(first, first + chunk)
        scaler.partial_fit(x[part], sample_weight=None if weights is None else weights[part])
    return scaler


def column(name, chunk):
    """Return a column, only its ends where each row is a batch."""
    x = COLUMNS[name][:, None]
    return np.r_[x[:150], x[150:][-150:]] if chunk == 1 else x


def check_column(scaler, x, exact, near=1e-14, dtype=np.float64):
    """Check the statistics and the output of a fitted scaler against exact moments."""
    _, mean, var, _ = exact
    size = Fraction(float(np.nanmax(np.abs(x))))
    # The mean of values that cancel is as right as the values are large.
    tolerance = max(abs(mean) * Fraction(near), root(var) * Fraction(near), Fraction(TINY))
    assert abs(Fraction(scaler.mean_.item()) - mean) <= min(tolerance, size)
    assert_near(scaler.var_, [var], near)
    assert_near(scaler.scale_, [root(var)], near)
    scores = exact_scores(x, mean, root(var))
    conditioning = conditioning_of(mean, root(var), dtype)
    assert_ulps(scaler.transform(x), scores, conditioning=conditioning)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_exact(name, chunk):
    x = column(name, chunk)
    check_column(fitted(x, chunk), x, exact_moments(x))


@pytest.mark.parametrize("name", ["offset 1e8", "offset 1e8, sorted", "ramp", "uniform", "1e300"])
@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_a_mean_that_does_not_cancel_is_right_to_1e_14(name, chunk):
    x = np.abs(column(name, chunk))
    assert_near(fitted(x, chunk).mean_, [exact_moments(x)[1]])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_exact_beside_others(name, order):
    column = COLUMNS[name]
    others = [np.resize(values, column.size) for values in (NORMAL, COLUMNS["1e300"])]
    x = np.array(np.stack([others[0], column, others[1]], axis=1), order=order)
    scaler, alone = BatchStatScaler().fit(x), BatchStatScaler().fit(column[:, None])
    exact = exact_moments(column)
    assert_near(scaler.scale_[1:2], [root(exact[2])])
    scores = exact_scores(column, exact[1], root(exact[2]))
    conditioning = conditioning_of(exact[1], root(exact[2]))
    assert_ulps(scaler.transform(x)[:, 1], scores, conditioning=conditioning)
    rounding = min(1e-15 * np.abs(column).max(), BIG)
    np.testing.assert_allclose(scaler.mean_[1], alone.mean_[0], rtol=1e-15, atol=rounding)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("chunk", [None, 100])
@pytest.mark.parametrize("name", COLUMNS)
def test_sparse_columns_are_exact(name, chunk, form):
    column = np.where(np.arange(COLUMNS[name].size) % 3 == 2, 0.0, COLUMNS[name])
    x = form(np.stack([column, np.roll(column, 1), column * 0], axis=1)).tocsr()
    scaler = fitted(x, chunk)
    x = form(x)
    var = exact_moments(column)[2]
    assert_near(scaler.scale_, [root(var), root(var), Fraction(1)])
    scores = exact_scores(column, 0, root(var))
    assert_ulps(scaler.transform(x).toarray()[:, 0], scores)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("name", COLUMNS)
def test_weighted_columns_with_missing_values_are_exact(name, chunk):
    x = column(name, chunk)
    x = np.where(np.arange(len(x))[:, None] % 7 == 6, np.nan, x)
    weights = np.random.default_rng(1).integers(1, 9, size=len(x)) / 7
    exact = exact_moments(x, weights)
    scaler = fitted(x, chunk, weights)
    check_column(scaler, x, exact)
    assert_near(scaler.n_samples_seen_, [exact[0]])


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("name", COLUMNS)
def test_quadratic_means_are_exact(name, chunk):
    x = column(name, chunk)
    square = exact_moments(x)[3]
    scaler = fitted(x, chunk, scaler=PowerNormScaler())
    assert_near(scaler.mean_square_, [square])
    assert_near(scaler.scale_, [root(square)])
    assert_ulps(scaler.transform(x), exact_scores(x, 0, root(square)))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", COLUMNS)
def test_layers_are_exact(name, order):
    row = COLUMNS[name]
    x = np.array([row, row[::-1], NORMAL[np.arange(row.size) % 300]], order=order)
    for scaler, about_zero in ((LayerScaler(), False), (LayerScaler(with_mean=False), True)):
        z = scaler.fit_transform(x)
        for values, result in zip(x, z, strict=True):
            _, mean, var, square = exact_moments(values)
            shift, scale = (0, root(square)) if about_zero else (mean, root(var))
            scores = exact_scores(values, shift, scale)
            assert_ulps(result, scores, conditioning=conditioning_of(shift, scale))


def exact_norm(row, cls):
    sizes = [abs(Fraction(float(v))) for v in row]
    norms = {L1Normalizer: sum, MaxNormalizer: max, L2Normalizer: lambda s: root(sum(map(sq, s)))}
    return norms[cls](sizes)


def sq(value):
    return value * value


@pytest.mark.parametrize("form", ["C", "F", "csr"])
@pytest.mark.parametrize("cls", [L1Normalizer, L2Normalizer, MaxNormalizer])
@pytest.mark.parametrize("name", COLUMNS)
def test_norms_are_exact(name, cls, form):
    rows = np.array([COLUMNS[name], COLUMNS[name][::-1]])
    x = sparse.csr_array(rows) if form == "csr" else np.array(rows, order=form)
    z = cls().fit_transform(x)
    z = z.toarray() if form == "csr" else z
    for values, result in zip(rows, z, strict=True):
        exact = exact_scores(values, 0, exact_norm(values, cls))
        assert_ulps(result, exact)
        # Nothing cancels, so small entries are as right as large ones.
        assert_near(result, exact, 1e-13)


CONSTANTS = [14.62, 1e-300, 1e300, 0.1, TINY, BIG, -BIG, 0.0, -1e8 / 3]


@pytest.mark.parametrize("n", [1, 7, 100, 5000])
@pytest.mark.parametrize("value", CONSTANTS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_constants_become_exactly_zero(value, n, order):
    x = np.array(np.full((n, 3), value), order=order)
    scaler = BatchStatScaler().fit(x)
    np.testing.assert_array_equal(scaler.mean_, value)
    np.testing.assert_array_equal(scaler.var_, 0)
    np.testing.assert_array_equal(scaler.scale_, 1)
    for z in (scaler.transform(x), fitted(x, 50).transform(x), LayerScaler().fit_transform(x.T)):
        np.testing.assert_array_equal(z, 0)


@pytest.mark.parametrize("n", [3, 700, 20_000])
@pytest.mark.parametrize("scale", [1e-290, 1e-13, 1.0, 1e13, 1e290])
def test_what_exceeds_the_rounding_bound_is_not_constant(n, scale):
    relative = 4 * min(n, 10_000) * np.finfo(float).eps
    x = scale * (1 + relative * (np.arange(n) % 2))[:, None]
    z = BatchStatScaler().fit_transform(x)
    assert z.max() - z.min() > 1.9
    unit = np.unique(x)
    np.testing.assert_allclose(LayerScaler().fit_transform(unit[None]), [[-1, 1]], rtol=1e-3)


any_matrix = matrices(any_floats(np.float64), max_rows=8, max_columns=3)
any_matrix_32 = matrices(any_floats(np.float32), max_rows=8, max_columns=3, dtype=np.float32)


def check_any(x, form, rows=None):
    """Check every estimator on a matrix of anything finite."""
    scaler = BatchStatScaler()
    for part in rows or [slice(None)]:
        scaler.partial_fit(form(x[part]))
    z = scaler.transform(form(x))
    assert z.dtype == x.dtype
    for channel, values in enumerate(x.T):
        _, mean, var, _ = exact_moments(values)
        scale = root(var)
        if scale <= max(4 * len(x) * abs(mean), 2**-1000) * Fraction(float(np.finfo(float).eps)):
            continue
        scores = exact_scores(values, mean, scale)
        conditioning = conditioning_of(mean, scale, x.dtype)
        assert_ulps(z[:, channel], scores, conditioning=conditioning)
    check_any_rows(x, form)


def check_any_rows(x, form):
    for cls in (L1Normalizer, L2Normalizer, MaxNormalizer):
        for values, result in zip(x, cls().fit_transform(form(x)), strict=True):
            assert_ulps(result, exact_scores(values, 0, exact_norm(values, cls)))
    for values, result in zip(x, LayerScaler(with_mean=False).fit_transform(form(x)), strict=True):
        assert_ulps(result, exact_scores(values, 0, root(exact_moments(values)[3])))
    z = PowerNormScaler().fit_transform(form(x))
    for values, result in zip(x.T, z.T, strict=True):
        assert_ulps(result, exact_scores(values, 0, root(exact_moments(values)[3])))


@pytest.mark.parametrize("form", ["C", "F", "strided"])
def test_every_finite_float64_is_right(form):
    @few
    @given(any_matrix, st.data())
    def check(x, data):
        check_any(x, DENSE[form], data.draw(splits(len(x))))

    check()


@pytest.mark.parametrize("form", ["C", "F", "swapped"])
def test_every_finite_float32_is_right(form):
    @few
    @given(any_matrix_32, st.data())
    def check(x, data):
        check_any(x, DENSE[form], data.draw(splits(len(x))))

    check()


def num_acc(first, low, high):
    return np.r_[first, np.tile([low, high], 500)]


# NIST Statistical Reference Datasets, univariate: data, certified mean and standard deviation.
NIST = {
    "NumAcc1": (np.array([10000001.0, 10000003.0, 10000002.0]), 10000002, 1),
    "NumAcc2": (num_acc(1.2, 1.1, 1.3), 1.2, 0.1),
    "NumAcc3": (num_acc(1000000.2, 1000000.1, 1000000.3), 1000000.2, 0.1),
    "NumAcc4": (num_acc(10000000.2, 10000000.1, 10000000.3), 10000000.2, 0.1),
}


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize(("x", "mean", "std"), NIST.values(), ids=NIST)
def test_nist_certified_values(x, mean, std, chunk):
    scaler = fitted(x[:, None], chunk)
    n = len(x)
    assert scaler.mean_.item() == pytest.approx(mean, rel=1e-15)
    # The values cannot be written in binary: that alone costs eps * mean / std.
    rounding = 1e-15 + np.finfo(float).eps * mean / std if n > 3 else 1e-15
    assert math.sqrt(scaler.var_.item() * n / (n - 1)) == pytest.approx(std, rel=rounding)
    assert_near(scaler.mean_, [exact_moments(x)[1]])
    assert_near(scaler.var_, [exact_moments(x)[2]])
