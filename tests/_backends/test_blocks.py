"""Data large enough to be worked on in blocks gives what its parts give on their own."""

from fractions import Fraction

import numpy as np
import pytest

from sknorm import BatchStatScaler, L1Normalizer, L2Normalizer, LayerScaler, MaxNormalizer

N_ROWS = 90_000  # with 50 float64, more than the loops write through the caches
ESTIMATORS = [
    BatchStatScaler(),
    BatchStatScaler(gamma=2.0, beta=1.0),
    LayerScaler(),
    LayerScaler(n_groups=5, gamma=3.0),
    LayerScaler(with_mean=False, eps=1e-3),
    L1Normalizer(),
    L2Normalizer(),
    MaxNormalizer(),
]


def data(dtype, order):
    x = np.random.default_rng(0).normal(3, 2, (N_ROWS * 8 // np.dtype(dtype).itemsize, 50))
    return np.array(x, dtype=dtype, order=order)


@pytest.mark.parametrize("special", [None, 0.0, "huge"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_parts_give_the_same_bits_as_the_whole(estimator, order, dtype, special):
    x = data(dtype, order)
    if special is not None:
        # A row that the fast loops leave to the careful ones.
        x[len(x) // 3] = np.finfo(dtype).max / 4 if special == "huge" else special
    estimator.fit(x[:1000])
    z = estimator.transform(x)
    assert z.flags.c_contiguous == (order == "C")
    for rows in (slice(0, 997), slice(len(x) // 3 - 5, len(x) // 3 + 600), slice(-1003, None)):
        part = np.array(x[rows], order=order)
        np.testing.assert_array_equal(z[rows], estimator.transform(part))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_in_place_gives_the_same_bits(estimator, order):
    x = data(np.float64, order)
    estimator.fit(x[:1000])
    z = estimator.transform(x)
    result = estimator.set_params(copy=False).transform(x)
    estimator.set_params(copy=True)
    assert result is x
    np.testing.assert_array_equal(x, z)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("place", [0, N_ROWS // 2, N_ROWS - 1])
def test_infinity_is_found_anywhere(estimator, order, place):
    x = data(np.float64, order)
    estimator.fit(x[:1000])
    x[place, 49] = -np.inf
    with pytest.raises(ValueError, match="infinity"):
        estimator.transform(x)


@pytest.mark.parametrize("scale", [1e-310, 1e-305, 1e300, 1e306])
def test_float32_with_a_scale_that_has_no_inverse(scale):
    scaler = BatchStatScaler().fit(np.array([[-1.0], [1.0]]) * scale)
    values = np.array([[0.0], [1.0], [-1.0]], dtype=np.float32)
    with np.errstate(over="ignore"):
        want = (values.astype(np.float64) / scale).astype(np.float32)
    np.testing.assert_array_equal(scaler.transform(values), want)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_positions", [1, 7, 8, 9, 15, 16, 50, 256, 257])
@pytest.mark.parametrize("n_channels", [1, 3, 70])
def test_channels_with_runs_of_any_length(n_channels, n_positions, dtype, weighted):
    rng = np.random.default_rng(0)
    x = rng.normal(5, 2, (33, n_channels, n_positions)).astype(dtype)
    x[20, 0, -1] = np.nan
    x[:, -1] = 1e25
    weight = rng.integers(0, 4, len(x)).astype(float) if weighted else np.ones(len(x))
    scaler = BatchStatScaler().fit(x, sample_weight=weight if weighted else None)
    each = np.broadcast_to(weight[:, None, None], x.shape)
    for channel in range(n_channels):
        values, w = x[:, channel].astype(np.float64), each[:, channel]
        w = np.where(np.isnan(values), 0, w)
        values = np.where(np.isnan(values), 0, values)
        mean = np.average(values, weights=w)
        np.testing.assert_allclose(scaler.mean_[channel], mean, rtol=1e-14)
        if channel < n_channels - 1:
            var = np.average((values - mean) ** 2, weights=w)
            np.testing.assert_allclose(scaler.var_[channel], var, rtol=1e-13)
    if n_channels > 1:
        assert scaler.var_[-1] == 0


CONVERTED = {
    "int64": lambda x: x.astype(np.int64),
    "int16, F": lambda x: np.asfortranarray(x.astype(np.int16)),
    "float16": lambda x: x.astype(np.float16),
    "big-endian": lambda x: x.astype(">f8"),
    "big-endian integers": lambda x: np.asfortranarray(x.astype(">i4")),
    "unsigned": lambda x: np.asfortranarray(x.astype(np.uint16)),
    "columns of every other row": lambda x: np.asfortranarray(np.repeat(x, 2, axis=0).astype(int))[
        ::2
    ],
    "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "of a wider array": lambda x: np.hstack([x, x])[:, : x.shape[1]],
    "positions": lambda x: x.astype(np.int32)[:, :, None].repeat(3, axis=2),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_columns", [1, 3, 7, 8, 40])
@pytest.mark.parametrize("form", CONVERTED)
def test_blocks_that_are_converted_are_exact(form, n_columns, weighted):
    """Integers whose sums are known exactly, in several blocks of an odd number of rows."""
    rng = np.random.default_rng(0)
    whole = rng.integers(900, 1100, (200_003 // n_columns, n_columns))
    weight = rng.integers(0, 4, len(whole)) if weighted else None
    x = CONVERTED[form](whole.astype(np.float64))
    scaler = BatchStatScaler().fit(x, sample_weight=weight)
    each = np.ones(len(whole), dtype=np.int64) if weight is None else weight
    n = int(each.sum())
    for column in range(n_columns):
        total, squares = (int(np.dot(each, whole[:, column] ** power)) for power in (1, 2))
        mean = Fraction(total, n)
        var = Fraction(squares, n) - mean**2
        np.testing.assert_allclose(scaler.mean_[column], float(mean), rtol=4e-16)
        np.testing.assert_allclose(scaler.var_[column], float(var), rtol=1e-15)


@pytest.mark.parametrize("n_rows", [100, 20_001])
def test_true_and_false_are_1_and_0(n_rows):
    x = np.asfortranarray(np.random.default_rng(0).random((n_rows, 3)) < 0.3)
    scaler = BatchStatScaler().fit(x)
    np.testing.assert_allclose(scaler.mean_, x.sum(axis=0) / n_rows, rtol=1e-15)
