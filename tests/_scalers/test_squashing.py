"""SquashingScaler: a drop-in for skrub's and for RobustScaler, on everything that they take."""

import math
import pickle
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import skrub
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import dense, few, some
from scipy import sparse, stats
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.utils.stats import _weighted_percentile

from sknorm import GroupScaler, SquashingScaler
from sknorm._backends import quantiles
from sknorm._statistics.sketches import rank_error

# Distances below 2.2e-15 count as 0 in RobustScaler.
NUMBERS = st.floats(-1e6, 1e6).map(lambda v: round(v, 3)) | st.sampled_from(
    [0.0, 1.0, np.nan, np.inf, -np.inf]
)
SQUASHES = ["soft", "tanh", "clip", None]
FUNCTIONS = {
    "soft": lambda z, b: z / np.sqrt(1 + (z / b) ** 2),
    "tanh": lambda z, b: b * np.tanh(z / b),
    "clip": lambda z, b: np.clip(z, -b, b),
    None: lambda z, b: z,
}


def columns(n, seed=0):
    """Return columns of all kinds: ties, tails, constant ones, missing and infinite values."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=n)
    return np.column_stack(
        [
            normal * 7 + 100,
            rng.integers(0, 3, n),
            rng.exponential(size=n) ** 5,
            np.full(n, 3.0),
            np.where(rng.random(n) < 0.8, 0.0, normal),
            np.where(rng.random(n) < 0.3, np.nan, normal),
            np.sort(normal),
            np.tile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], n // 6 + 1)[:n],
            np.full(n, np.nan),
        ]
    )


def with_infinity(x, seed=0):
    x = x.copy()
    rng = np.random.default_rng(seed)
    hit = rng.random(x.shape) < 0.1
    x[hit] = rng.choice([np.inf, -np.inf], np.count_nonzero(hit))
    return x


# Drop-in for skrub's


@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:invalid value", "ignore:overflow")
@pytest.mark.parametrize(
    "params",
    [{}, {"max_absolute_value": 1.5}, {"quantile_range": (10, 60)}, {"quantile_range": (30, 30)}],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 50, 1000, 40_000])
def test_the_numbers_of_skrub(n, dtype, params):
    x = columns(n)
    if np.dtype(dtype).kind == "f":
        x = with_infinity(x)
    else:
        x = np.nan_to_num(x).clip(-1e9, 1e9)
    x = x.astype(dtype)
    ours, theirs = SquashingScaler(**params).fit(x), skrub.SquashingScaler(**params).fit(x)
    z, expected = ours.transform(x), theirs.transform(x)
    assert z.dtype == expected.dtype
    eps = np.finfo(z.dtype).eps
    np.testing.assert_allclose(z, expected, rtol=32 * eps, atol=32 * eps)


@few
@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=NUMBERS))
@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:invalid value", "ignore:overflow")
def test_any_numbers_as_skrub(x):
    expected = skrub.SquashingScaler().fit(x).transform(x)
    z = SquashingScaler().fit(x).transform(x)
    np.testing.assert_allclose(z, expected, rtol=1e-13, atol=1e-13)


# Drop-in for RobustScaler

ROBUST = [
    {},
    {"unit_variance": True},
    {"with_centering": False},
    {"with_scaling": False},
    {"quantile_range": (10.0, 60.0)},
    {"quantile_range": (0.0, 100.0)},
    {"quantile_range": (30.0, 30.0)},
]


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@pytest.mark.parametrize("params", ROBUST, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("n", [1, 2, 7, 50, 40_000])
def test_the_numbers_of_robust_scaler(n, dtype, params):
    x = columns(n)[:, :8]
    x = (x if np.dtype(dtype).kind == "f" else np.nan_to_num(x).clip(-1e9, 1e9)).astype(dtype)
    ours = SquashingScaler(squash=None, **params).fit(x)
    # With float32, theirs rounds the median and the scale, which is another matter.
    wide = x.astype(np.float64)
    theirs = RobustScaler(**params).fit(wide)
    eps = np.finfo(ours.transform(x).dtype).eps
    np.testing.assert_allclose(
        ours.transform(x), theirs.transform(wide), rtol=16 * eps, atol=8 * eps
    )
    for name in ("center_", "scale_"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=16 * eps)
    back = ours.inverse_transform(ours.transform(x))
    size = np.nanmax(np.abs(wide), axis=0)
    assert not (np.abs(back - wide) > 8 * eps * size).any()


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
def test_sparse_as_robust_scaler(form):
    x = columns(200)[:, [0, 1, 4]] * (np.random.default_rng(1).random((200, 3)) < 0.6)
    ours = SquashingScaler(squash=None).fit(form(x))
    theirs = RobustScaler(with_centering=False).fit(form(x).tocsc())
    np.testing.assert_allclose(ours.scale_, theirs.scale_, rtol=1e-15)
    z = ours.transform(form(x))
    assert type(z) is type(form(x))
    np.testing.assert_allclose(dense(z), dense(theirs.transform(form(x))), rtol=1e-15)


# What they have not


@pytest.mark.parametrize("squash", SQUASHES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_formula_and_inverse(squash, dtype, order):
    x = np.array(columns(500)[:, :3], dtype, order=order)
    before = x.copy()
    scaler = SquashingScaler(2.0, squash=squash, gamma=[1.0, 2.0, 3.0], beta=0.5).fit(x)
    z = scaler.transform(x)
    assert z.dtype == dtype
    assert z.flags[f"{order}_CONTIGUOUS"]
    wide = before.astype(np.float64)
    inner = FUNCTIONS[squash]((wide - scaler.center_) / scaler.scale_, 2.0)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(z, inner * [1, 2, 3] + 0.5, rtol=8 * eps, atol=8 * eps)
    back = scaler.inverse_transform(z)
    size = np.abs(wide - scaler.center_) / scaler.scale_
    near = size < (2.0 if squash == "clip" else 4.0)
    # The squash magnifies the rounding of z, by how flat it is there.
    slope = {
        "soft": (1 + (size / 2) ** 2) ** 1.5,
        "tanh": np.cosh(np.minimum(size, 9) / 2) ** 2,
    }.get(squash, 1.0)
    slack = 16 * eps * (np.abs(wide) + scaler.scale_ * slope * 4)
    assert (np.abs(back - wide) <= slack)[near].all()
    np.testing.assert_array_equal(x, before)
    scaler.set_params(copy=False).transform(x)
    np.testing.assert_array_equal(x, z)


@pytest.mark.parametrize("squash", SQUASHES[:3])
def test_the_order_of_values_and_the_bound_are_kept(squash):
    x = np.array([-np.inf, -1e308, -1e9, -5, -1, 0, 1, 2, 5, 1e9, 1e308, np.inf, np.nan])[:, None]
    z = SquashingScaler(squash=squash).fit(x).transform(x)[:, 0]
    assert np.isnan(z[-1])
    assert (np.diff(z[:-1]) >= 0).all()
    assert (np.diff(z[3:9]) > 0).all() or squash == "clip"
    assert z[0] == -3
    assert z[-2] == 3
    back = SquashingScaler(squash=squash).fit(x).inverse_transform([[3.0], [-3.0], [np.nan]])
    expected = [[np.inf], [-np.inf], [np.nan]]
    if squash != "clip":
        np.testing.assert_array_equal(back, expected)


@pytest.mark.parametrize("unit", [1e-300, 1e-100, 1.0, 1e100, 1e290])
@pytest.mark.parametrize("squash", SQUASHES)
def test_the_unit_of_the_data_does_not_matter(squash, unit):
    # Without a squash, columns whose quantiles are equal are not scaled, as in RobustScaler.
    x = columns(60)[:, [0, 1, 2, 4] if squash else [0, 1, 2]]
    expected = SquashingScaler(squash=squash).fit(x).transform(x)
    scaler = SquashingScaler(squash=squash).fit(x * unit)
    np.testing.assert_allclose(scaler.transform(x * unit), expected, rtol=1e-12, atol=1e-12)
    back = scaler.inverse_transform(expected)[:, :2]
    if squash != "clip":
        np.testing.assert_allclose(back / unit, x[:, :2], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("unit", [1e300, 1e-312])
def test_differences_and_quotients_beyond_the_range(unit):
    x = np.array([[-1.6e8], [-1.5e8], [-1.4e8], [-1.3e8], [1.7e8]])
    expected = SquashingScaler().fit(x).transform(x)
    scaler = SquashingScaler().fit(x * unit)
    tolerance = 1e-13 if unit > 1 else 1e-2  # subnormal numbers have few digits
    np.testing.assert_allclose(scaler.transform(x * unit), expected, rtol=tolerance, atol=1e-15)
    back = scaler.inverse_transform(expected)
    np.testing.assert_allclose(back / unit, x, rtol=tolerance)


@pytest.mark.parametrize("unit", [1e308, 1e-308, 1e-320, 1.0])
@pytest.mark.parametrize("grouped", [False, True])
def test_every_finite_number_is_right_without_a_squash(unit, grouped):
    x = np.array([[-1.79], [-0.4], [0.1], [0.3], [0.6], [0.7], [1.79]]) * unit
    scaler = SquashingScaler(squash=None).fit(x)
    exact = [
        (Fraction(v) - Fraction(scaler.center_[0])) / Fraction(scaler.scale_[0]) for v in x[:, 0]
    ]
    z = scaler.transform(x)
    if grouped:
        twice, keys = np.vstack([x, x]), np.repeat([1, 2], 7)
        both = GroupScaler(scaler, shrinkage="none").fit_transform(twice, groups=keys)
        np.testing.assert_array_equal(both, np.vstack([z, z]))
    np.testing.assert_allclose(z[:, 0], [float(v) for v in exact], rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(scaler.inverse_transform(z), x, rtol=1e-14)


def test_scales_beyond_the_range():
    x = np.array([[-1.7e308], [-1e308], [0.0], [1e308], [1.7e308]])
    z = SquashingScaler().fit(x).transform(x)
    y = x / 1e308
    expected = SquashingScaler().fit(y).transform(y)
    np.testing.assert_allclose(z, expected, rtol=0.2)  # the scale itself exceeds float64
    assert (np.diff(z[:, 0]) > 0).all()


@some
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=12),
    st.lists(st.integers(0, 4), min_size=12, max_size=12),
)
def test_weights_are_repetitions(values, weights):
    weights = np.array(weights[: len(values)])
    if not weights.any():
        weights[0] = 1
    x = np.array(values, dtype=float)[:, None]
    scaler = SquashingScaler(quantile_range=(20, 70)).fit(x, sample_weight=weights)
    repeated = np.repeat(x, weights, axis=0)
    one = np.ones(len(repeated))
    again = SquashingScaler(quantile_range=(20, 70)).fit(repeated, sample_weight=one)
    np.testing.assert_array_equal(scaler.center_, again.center_)
    np.testing.assert_array_equal(scaler.scale_, again.scale_)
    assert scaler.center_[0] == _weighted_percentile(x, weights.astype(float), 50, average=True)


@pytest.mark.parametrize("seed", range(8))
def test_weighted_quantiles_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    x, weights = rng.normal(size=(101, 3)), rng.random(101)
    scaler = SquashingScaler(squash=None, quantile_range=(10, 80)).fit(x, sample_weight=weights)
    low, middle, high = (
        _weighted_percentile(x, weights, percent, average=True) for percent in (10, 50, 80)
    )
    np.testing.assert_array_equal(scaler.center_, middle)
    np.testing.assert_array_equal(scaler.scale_, high - low)


def test_channels():
    rng = np.random.default_rng(0)
    deep = rng.normal(size=(30, 4, 5)) * [[1.0], [2], [3], [4]]
    scaler = SquashingScaler().fit(deep)
    for k in range(4):
        single = SquashingScaler().fit(deep[:, k].reshape(-1, 1))
        np.testing.assert_allclose([scaler.center_[k], scaler.scale_[k]],
            [single.center_[0], single.scale_[0]])  # fmt: skip
    flat = deep.reshape(30, 20)
    flattened = SquashingScaler(n_channels=4).fit(flat)
    np.testing.assert_array_equal(flattened.scale_, scaler.scale_)
    z = scaler.transform(deep)
    np.testing.assert_array_equal(flattened.transform(flat).reshape(deep.shape), z)
    labels = np.repeat([0, 1, 2, 3], 5)
    for form in (np.asarray, np.asfortranarray):
        labeled = SquashingScaler(channels=labels).fit(form(flat))
        np.testing.assert_array_equal(labeled.transform(form(flat)), flattened.transform(flat))
    part = labeled.select([3, 2, 10])
    np.testing.assert_array_equal(
        part.transform(flat[:, [3, 2, 10]]), labeled.transform(flat)[:, [3, 2, 10]]
    )


def test_frames_names_and_columns():
    frame = pd.DataFrame(columns(50)[:, :3], columns=list("abc"))
    scaler = SquashingScaler().set_output(transform="pandas").fit(frame)
    z = scaler.transform(frame)
    assert list(z.columns) == list("abc")
    np.testing.assert_allclose(scaler.inverse_transform(z), frame, rtol=1e-11, atol=1e-14)
    pd.testing.assert_frame_equal(scaler.transform(frame[["c", "a"]], columns=["c", "a"]),
        z[["c", "a"]])  # fmt: skip


@pytest.mark.parametrize("squash", SQUASHES)
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_is_as_dense_without_centering(form, squash):
    rng = np.random.default_rng(0)
    x = columns(120)[:, [0, 2, 5]] * (rng.random((120, 3)) < 0.7)
    scaler = SquashingScaler(squash=squash, gamma=2.0).fit(form(x))
    plain = SquashingScaler(squash=squash, gamma=2.0, with_centering=False).fit(x)
    np.testing.assert_array_equal(scaler.scale_, plain.scale_)
    z = scaler.transform(form(x))
    assert type(z) is type(form(x))
    np.testing.assert_allclose(dense(z), plain.transform(x), rtol=1e-14)
    back = scaler.inverse_transform(z)
    np.testing.assert_allclose(dense(back), dense(plain.inverse_transform(plain.transform(x))))
    with pytest.raises(ValueError, match="with_centering=False"):
        SquashingScaler(with_centering=True).fit(form(x))
    with pytest.raises(ValueError, match="beta is not 0"):
        SquashingScaler(beta=1.0).fit(form(x))


def test_sparse_columns_are_found_once(monkeypatch):
    """Each with equal quantiles, whose least and largest values are needed as well."""
    x = sparse.random_array((60, 50), density=0.1, rng=np.random.default_rng(0), format="csr")
    calls = []
    convert = sparse.csr_array.tocsc
    monkeypatch.setattr(
        sparse.csr_array, "tocsc", lambda self, *args: calls.append(1) or convert(self, *args)
    )
    scaler = SquashingScaler().fit(x)
    assert len(calls) <= 2
    dense_x = x.toarray()
    half = (dense_x.max(axis=0) - dense_x.min(axis=0)) / 2
    flat = np.ptp(np.percentile(dense_x, [25, 75], axis=0), axis=0) == 0
    np.testing.assert_array_equal(scaler.scale_[flat], np.where(half > 0, half, np.inf)[flat])
    assert flat.sum() > 40


def test_array_api():
    torch = pytest.importorskip("torch")
    x = with_infinity(columns(60)[:, :6])
    expected = SquashingScaler().fit(x)
    with config_context(array_api_dispatch=True):
        scaler = SquashingScaler().fit(torch.asarray(x))
        z = scaler.transform(torch.asarray(x))
        back = scaler.inverse_transform(z)
    assert isinstance(z, torch.Tensor)
    np.testing.assert_allclose(z.numpy(), expected.transform(x), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(
        back.numpy(), expected.inverse_transform(expected.transform(x)), rtol=1e-12
    )


# Streams


def test_sketches_keep_their_rank_error():
    x = columns(60_000)[:, [0, 2, 5]]
    stream = SquashingScaler(quantile_range=(10, 90))
    for batch in np.array_split(x, 23):
        stream.partial_fit(batch)
    merged = SquashingScaler(quantile_range=(10, 90)).merge(
        *(clone(stream).partial_fit(part) for part in np.array_split(x, 4))
    )
    bound = 3 * rank_error()
    assert rank_error() < 0.0035
    for scaler in (stream, merged):
        np.testing.assert_array_equal(scaler.n_samples_seen_, np.sum(~np.isnan(x), axis=0))
        for k in range(3):
            values = np.sort(x[~np.isnan(x[:, k]), k])
            rank = np.searchsorted(values, scaler.center_[k]) / values.size
            assert abs(rank - 0.5) < bound
        low, high = np.nanquantile(x, [0.1 - bound, 0.9 + bound], axis=0)
        inner_low, inner_high = np.nanquantile(x, [0.1 + bound, 0.9 - bound], axis=0)
        assert (inner_high - inner_low <= scaler.scale_).all()
        assert (scaler.scale_ <= high - low).all()


def test_small_streams_are_exact_and_states_are_small_and_whole():
    x = columns(201)[:, [0, 1, 3, 4]]
    stream = SquashingScaler().partial_fit(x[:50]).partial_fit(x[50:])
    whole = SquashingScaler().fit(x)
    np.testing.assert_allclose(stream.center_, whole.center_, rtol=1e-15)
    np.testing.assert_allclose(stream.scale_, whole.scale_, rtol=0.1)
    assert np.isinf(stream.scale_[2])
    again = pickle.loads(pickle.dumps(stream))
    assert again.partial_fit(x).n_samples_seen_ == 402
    assert stream.n_samples_seen_ == 201
    assert stream.select([1, 0]).partial_fit(x[:, [1, 0]]).n_samples_seen_ == 402
    large = SquashingScaler().partial_fit(np.random.default_rng(0).normal(size=(100_000, 2)))
    assert len(pickle.dumps(large)) < 2 * 20_000 + 2000


def test_fit_keeps_no_sketches():
    x = columns(20)[:, :2]
    fitted = SquashingScaler().fit(x)
    before = fitted.__dict__
    for call in (fitted.partial_fit, lambda x: SquashingScaler().partial_fit(x).merge(fitted)):
        with pytest.raises(ValueError, match="keeps no sketches"):
            call(x)
    assert fitted.__dict__ is before
    with pytest.raises(NotFittedError):
        SquashingScaler().merge(SquashingScaler())
    with pytest.raises(ValueError, match="different settings: max_absolute_value"):
        SquashingScaler().merge(SquashingScaler(2.0).partial_fit(x))
    with pytest.raises(ValueError, match="expecting 2"):
        SquashingScaler().partial_fit(x).partial_fit(x[:, :1])


def test_without_datasketches_only_streams_are_missing(tmp_path):
    code = (
        "import sys; sys.modules['datasketches'] = None\n"
        "from sknorm import SquashingScaler\n"
        "X = [[1.0], [2.0], [4.0]]\n"
        "print(SquashingScaler().fit(X).center_)\n"
        "try: SquashingScaler().partial_fit(X)\n"
        "except ImportError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
        cwd=tmp_path, check=True)  # fmt: skip
    assert "[2.]" in result.stdout
    assert "pip install" in result.stdout


# Bad luck and bad input


def test_a_misleading_sample_costs_time_only(monkeypatch):
    x = columns(40_000)
    expected = SquashingScaler().fit(x)
    monkeypatch.setattr(quantiles, "DEVIATIONS", 0.0)  # most quantiles miss their bounds
    found = SquashingScaler().fit(x)
    np.testing.assert_array_equal(found.center_, expected.center_)
    np.testing.assert_array_equal(found.scale_, expected.scale_)


def test_a_sample_that_tells_nothing_costs_time_only(monkeypatch):
    x = columns(40_000)[:, [0, 2, 4, 5]]
    expected = SquashingScaler().fit(x)
    far = np.repeat([[-1e30] * 4, [1e30] * 4], 4096, axis=0)  # all values lie between the bounds
    monkeypatch.setattr(quantiles, "_sorted_sample", lambda x: far)
    found = SquashingScaler().fit(x)
    np.testing.assert_array_equal(found.center_, expected.center_)
    np.testing.assert_array_equal(found.scale_, expected.scale_)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_threads_change_nothing(n_jobs):
    x = np.random.default_rng(0).normal(size=(30_000, 300))
    scaler = SquashingScaler(n_jobs=n_jobs).fit(x)
    np.testing.assert_array_equal(scaler.center_, np.median(x, axis=0))
    low, high = np.percentile(x, [25, 75], axis=0)
    np.testing.assert_array_equal(scaler.scale_, high - low)
    z = FUNCTIONS["soft"]((x - scaler.center_) / scaler.scale_, 3.0)
    np.testing.assert_allclose(scaler.transform(x), z, rtol=1e-14, atol=1e-15)


def test_unit_variance_of_normal_values():
    x = stats.norm.ppf(np.linspace(0.001, 0.999, 9999))[:, None]
    scaler = SquashingScaler(squash=None, unit_variance=True, quantile_range=(5, 95)).fit(x)
    assert math.isclose(scaler.scale_[0], 1.0, rel_tol=1e-2)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_absolute_value": 0}, "max_absolute_value must be a finite number above 0"),
        ({"max_absolute_value": np.inf}, "max_absolute_value"),
        ({"max_absolute_value": "3"}, "max_absolute_value"),
        ({"quantile_range": (75.0, 25.0)}, "the first not above the second"),
        ({"quantile_range": (-1, 25.0)}, "Invalid quantile range: .* between 0 and 100"),
        ({"quantile_range": (25.0, 25.0), "unit_variance": True}, "quantile_range=.* 0 or infin"),
        ({"quantile_range": (0, 100), "unit_variance": True}, "quantile_range=.* 0 or infinite"),
        ({"quantile_range": np.array(2.0)}, "two percentiles"),
        ({"quantile_range": "ab"}, "two percentiles"),
        ({"quantile_range": [[1], [2]]}, "two percentiles"),
        ({"quantile_range": (1, 10**400)}, "two percentiles"),
        ({"quantile_range": (0.0, 101.0)}, "quantile_range"),
        ({"quantile_range": (1, 2, 3)}, "two percentiles"),
        ({"quantile_range": (np.nan, 2)}, "quantile_range"),
        ({"quantile_range": 5}, "quantile_range"),
        ({"squash": "hard"}, "squash must be 'soft', 'tanh' or 'clip'"),
        ({"squash": 1}, "squash"),
        ({"with_centering": "no"}, "with_centering must be True, False or 'auto'"),
        ({"with_scaling": 1}, "with_scaling must be"),
        ({"unit_variance": None}, "unit_variance must be"),
        ({"gamma": [1.0]}, "gamma has shape"),
        ({"n_jobs": 0}, "n_jobs"),
    ],
)
def test_parameters_out_of_range_are_refused(params, message):
    scaler = SquashingScaler().fit(columns(20)[:, :2])
    before = scaler.__dict__.copy()
    with pytest.raises(ValueError, match=message):
        scaler.set_params(**params).fit(columns(20)[:, :2])
    assert scaler.center_ is before["center_"]


def test_infinity_is_refused_without_a_squash():
    x = with_infinity(columns(50)[:, :2])
    with pytest.raises(ValueError, match="infinity"):
        SquashingScaler(squash=None).fit(x)
    scaler = SquashingScaler(squash=None).fit(columns(50)[:, :2])
    with pytest.raises(ValueError, match="infinity"):
        scaler.transform(x)
    with pytest.raises(ValueError, match="gamma is 0"):
        SquashingScaler(gamma=0.0).fit(columns(50)[:, :2]).inverse_transform(columns(5)[:, :2])


def test_attributes_set_by_hand_are_the_state():
    scaler = SquashingScaler()
    scaler.center_, scaler.scale_ = np.array([1.0, 2.0]), np.array([2.0, np.inf])
    z = scaler.transform([[3.0, 7.0], [np.inf, -np.inf]])
    np.testing.assert_allclose(z, [[1 / np.sqrt(1 + 1 / 9), 0.0], [3.0, -3.0]])
    scaler.scale_ = np.ones(3)
    with pytest.raises(ValueError, match=r"scale_ has shape \(3,\)"):
        scaler.transform([[3.0, 7.0]])


@pytest.mark.parametrize("squash", SQUASHES)
def test_without_center_and_scale_there_is_only_the_squash(squash):
    x = columns(20)[:, [1, 2]]
    scaler = SquashingScaler(squash=squash, with_centering=False, with_scaling=False).fit(x)
    np.testing.assert_allclose(scaler.transform(x), FUNCTIONS[squash](x, 3.0), rtol=1e-15)
    assert scaler.center_ is None
    assert scaler.scale_ is None
    np.testing.assert_array_equal(scaler.select([1]).transform(x[:, [1]])[:, 0],
        scaler.transform(x)[:, 1])  # fmt: skip


def test_known_statistics():
    x = columns(60)[:, [0, 2]]
    fitted = SquashingScaler().fit(x)
    scaler = SquashingScaler.from_statistics(
        center=fitted.center_, scale=fitted.scale_, n_samples=60, feature_names=["a", "b"]
    )
    np.testing.assert_array_equal(scaler.transform(pd.DataFrame(x, columns=["a", "b"])),
        fitted.transform(x))  # fmt: skip
    assert scaler.n_samples_seen_ == 60
    part = SquashingScaler.from_statistics(scale=[1.0, 2.0], squash=None)
    np.testing.assert_array_equal(part.transform([[2.0, 2.0]]), [[2.0, 1.0]])
    for known, message in (({}, "no statistics"), ({"scale": [0.0]}, "scale is 0.0"),
                           ({"center": [np.nan]}, "is nan")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            SquashingScaler.from_statistics(**known)


@pytest.mark.parametrize("params", ROBUST, ids=str)
def test_a_robust_scaler_is_taken_over(params):
    x = columns(50)[:, [0, 1, 2]]
    other = RobustScaler(**params).fit(x)
    scaler = SquashingScaler.from_estimator(other)
    np.testing.assert_allclose(scaler.transform(x), other.transform(x), rtol=1e-15)
    np.testing.assert_allclose(scaler.fit(x).transform(x), other.transform(x), rtol=1e-14,
        atol=1e-15)  # fmt: skip
    soft = SquashingScaler.from_estimator(other, squash="soft").transform(x)
    assert np.abs(soft).max() < 3
    for bad in (StandardScaler().fit(x), object()):
        with pytest.raises(TypeError, match=r"no center_|no fitted"):
            SquashingScaler.from_estimator(bad)
