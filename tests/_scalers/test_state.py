"""The public attributes are the state of the scalers with statistics, whole at any time."""

import pickle
import sys
import threading
from fractions import Fraction

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import dense, exact_moments, some
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from sknorm import BatchStatScaler, L2Normalizer, LayerScaler, PowerNormScaler

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4)) * [1.0, 1e-3, 1e5, 2.0] + [0.0, 5.0, -1e6, 300.0]
CHANNEL = [BatchStatScaler, PowerNormScaler]
FORMS = [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_array]


def state_of(scaler):
    """Return all that a scaler holds, as bytes."""
    return pickle.dumps(scaler)


# Each fit is a new start


@pytest.mark.parametrize(
    "scaler", [BatchStatScaler(), PowerNormScaler(), LayerScaler(), L2Normalizer()], ids=repr
)
def test_fit_forgets_the_namespace_and_names_of_an_earlier_fit(scaler):
    torch, pd = pytest.importorskip("torch"), pytest.importorskip("pandas")
    scaler = clone(scaler)
    with config_context(array_api_dispatch=True):
        scaler.fit(torch.asarray(X))
        z = scaler.fit(X).transform(X)
        np.testing.assert_array_equal(z, clone(scaler).fit(X).transform(X))
        scaler.fit(pd.DataFrame(X, columns=list("abcd"))).fit(X)
        assert not hasattr(scaler, "feature_names_in_")
        scaler.fit(torch.asarray(X)).transform(torch.asarray(X))


@pytest.mark.parametrize("scaler", [LayerScaler(), L2Normalizer()], ids=repr)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_a_fit_that_raises_leaves_a_normalizer_of_rows_as_it_was(scaler, method):
    scaler = clone(scaler).fit(X)
    before = scaler.__dict__
    with pytest.raises(ValueError, match="infinity"):
        getattr(scaler, method)(np.full((3, 2), np.inf))
    assert scaler.__dict__ is before
    assert scaler.n_features_in_ == 4


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize(
    "scaler", [LayerScaler(), L2Normalizer(), L2Normalizer(keep_norm=True)], ids=repr
)
def test_fit_transform_of_a_normalizer_of_rows_is_fit_and_transform(scaler, form):
    pd = pytest.importorskip("pandas")
    x = form(X)
    z = clone(scaler).fit_transform(x)
    np.testing.assert_array_equal(dense(z), dense(clone(scaler).fit(x).transform(x)))
    frame = pd.DataFrame(X, columns=list("abcd"))
    one, two = (clone(scaler).set_output(transform="pandas") for _ in range(2))
    pd.testing.assert_frame_equal(one.fit_transform(frame), two.fit(frame).transform(frame))
    assert one.__dict__.keys() == two.__dict__.keys()
    assert list(one.feature_names_in_) == list("abcd")


# Set by hand


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray])
def test_attributes_set_by_hand_make_a_fitted_scaler(form):
    ours, theirs = BatchStatScaler(), StandardScaler()
    for scaler in (ours, theirs):
        scaler.mean_, scaler.scale_ = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0, 8.0, 0.5])
        scaler.var_, scaler.n_features_in_ = scaler.scale_**2, 4
    x = form(X)
    np.testing.assert_array_equal(ours.transform(x), theirs.transform(x))
    np.testing.assert_allclose(ours.inverse_transform(x), theirs.inverse_transform(x), rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "form"), [("mean_square_", np.asarray), ("scale_", sparse.csr_array)]
)
def test_power_norm_set_by_hand(name, form):
    scaler = PowerNormScaler()
    scaler.scale_ = [2.0, 4.0, 8.0, 0.5]
    setattr(scaler, name, np.array([2.0, 4.0, 8.0, 0.5]))
    z = scaler.transform(form(X))
    np.testing.assert_allclose(z.toarray() if sparse.issparse(z) else z, X / scaler.scale_)


def test_a_scaler_without_any_attribute_is_not_fitted():
    for cls in CHANNEL:
        with pytest.raises(NotFittedError):
            cls().transform(X)


def test_what_is_missing_is_named():
    scaler = BatchStatScaler()
    scaler.mean_ = np.zeros(4)
    with pytest.raises(ValueError, match="scale_"):
        scaler.transform(X)
    with pytest.raises(ValueError, match="n_samples_seen_"):
        scaler.partial_fit(X)
    assert scaler.set_params(with_std=False).transform(X).shape == X.shape


def test_partial_fit_goes_on_from_statistics_set_by_hand():
    whole = BatchStatScaler().fit(X)
    ours = BatchStatScaler()
    half = BatchStatScaler().fit(X[:30])
    ours.mean_, ours.var_, ours.scale_ = half.mean_.copy(), half.var_.copy(), half.scale_.copy()
    ours.n_samples_seen_, ours.n_features_in_ = 30, 4
    ours.partial_fit(X[30:])
    np.testing.assert_allclose(ours.mean_, whole.mean_, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(ours.var_, whole.var_, rtol=1e-13)
    assert ours.n_samples_seen_ == 60


VALUES = {
    "a number": lambda value: float(value[0]),
    "an array of one": lambda value: value[:1],
    "a list": list,
    "big-endian": lambda value: value.astype(">f8"),
    "float32": lambda value: value.astype(np.float32),
    "integers": lambda value: np.ceil(value).astype(int),
    "strided": lambda value: np.repeat(value, 3)[::3],
    "reversed": lambda value: value[::-1].copy()[::-1],
    "read-only": lambda value: np.broadcast_to(value[0], value.shape),
    "a subclass": lambda value: np.ma.masked_array(value),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_attributes_are_broadcast_as_numpy_does(value, form, dtype):
    scaler = BatchStatScaler(with_mean=False).fit(X)
    scaler.scale_ = value(scaler.scale_)
    z = scaler.transform(form(X.astype(dtype)))
    expected = X.astype(dtype) / np.asarray(scaler.scale_)
    rtol = 1e-14 if dtype == np.float64 else 1e-6
    np.testing.assert_allclose(z.toarray() if sparse.issparse(z) else z, expected, rtol=rtol)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cls", CHANNEL)
@pytest.mark.parametrize(
    "value",
    [np.ones(3), np.ones(5), np.ones((4, 1)), np.ones(0), "text", ["a"] * 4, np.ones(4, complex)],
    ids=repr,
)
def test_attributes_that_do_not_fit_are_refused(cls, value, dtype, form):
    scaler = cls(with_mean=False) if cls is BatchStatScaler else cls()
    scaler.fit(X)
    scaler.scale_ = value
    for method in (scaler.transform, scaler.inverse_transform):
        with pytest.raises(ValueError, match="scale_"):
            method(form(X.astype(dtype)))


@pytest.mark.parametrize("name", ["mean_", "var_", "n_samples_seen_"])
def test_statistics_that_do_not_fit_are_refused_in_partial_fit(name):
    scaler = BatchStatScaler().fit(X)
    setattr(scaler, name, np.ones(3))
    before = state_of(scaler)
    with pytest.raises(ValueError, match=name):
        scaler.partial_fit(X)
    assert state_of(scaler) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("mean_", np.inf), ("var_", -1.0), ("var_", np.nan), ("n_samples_seen_", -3)],
)
def test_statistics_that_cannot_be_are_refused_in_partial_fit(name, value):
    scaler = BatchStatScaler().fit(X)
    setattr(scaler, name, np.full(4, value))
    before = state_of(scaler)
    with pytest.raises(ValueError, match=name):
        scaler.partial_fit(X)
    assert state_of(scaler) == before


# Edited


@pytest.mark.parametrize("in_place", [True, False])
def test_edited_attributes_are_followed(in_place):
    scaler = BatchStatScaler().fit(X)
    mean = scaler.mean_ if in_place else scaler.mean_.copy()
    mean[2], scaler.scale_[1] = 7.0, 3.0
    scaler.mean_ = mean
    expected = (X - scaler.mean_) / scaler.scale_
    np.testing.assert_allclose(scaler.transform(X), expected, rtol=1e-15)
    np.testing.assert_allclose(scaler.inverse_transform(expected), X, rtol=1e-14)


@pytest.mark.parametrize("weight", [1.0, 0.5])
@pytest.mark.parametrize("name", ["mean_", "var_", "n_samples_seen_"])
def test_partial_fit_goes_on_from_edited_statistics(name, weight):
    first, second = X[:30, :1], X[30:, :1]
    scaler = BatchStatScaler().fit(first, sample_weight=np.full(30, weight))
    edited = {"mean_": np.array([2.5]), "var_": np.array([9.0]), "n_samples_seen_": 7}
    setattr(scaler, name, edited[name])
    count, mean, var = scaler.n_samples_seen_, scaler.mean_[0], scaler.var_[0]
    scaler.partial_fit(second, sample_weight=np.full(30, weight))
    n, m, v, _ = exact_moments(second[:, 0], np.full(30, weight))
    total = Fraction(count) + n
    expected_mean = (Fraction(mean) * Fraction(count) + m * n) / total
    between = (Fraction(mean) - m) ** 2 * Fraction(count) * n / total
    expected_var = (Fraction(var) * Fraction(count) + v * n + between) / total
    np.testing.assert_allclose(scaler.mean_, [float(expected_mean)], rtol=1e-14)
    np.testing.assert_allclose(scaler.var_, [float(expected_var)], rtol=1e-14)


def test_partial_fit_of_power_norm_goes_on_from_edited_statistics():
    scaler = PowerNormScaler().fit(X[:30])
    scaler.mean_square_ = np.full(4, 9.0)
    scaler.partial_fit(X[30:])
    expected = (9.0 * 30 + (X[30:] ** 2).sum(axis=0)) / 60
    np.testing.assert_allclose(scaler.mean_square_, expected, rtol=1e-14)
    np.testing.assert_allclose(scaler.scale_, np.sqrt(expected), rtol=1e-14)


def test_merge_reads_the_edited_attributes():
    a, b = BatchStatScaler().fit(X[:30]), BatchStatScaler().fit(X[30:])
    b.mean_[0] += 100.0
    a.merge(b)
    np.testing.assert_allclose(a.mean_[0], X[:, 0].mean() + 50.0, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1.0])
def test_edits_of_one_channel_leave_the_digits_of_the_others(scale):
    x = X * scale
    scaler, edited = BatchStatScaler().fit(x[:30]), BatchStatScaler().fit(x[:30])
    edited.mean_[3] = 0.0
    for one in (scaler, edited):
        one.partial_fit(x[30:])
    np.testing.assert_array_equal(edited.mean_[:3], scaler.mean_[:3])
    np.testing.assert_array_equal(edited.scale_[:3], scaler.scale_[:3])
    assert edited.mean_[3] != scaler.mean_[3]


@pytest.mark.parametrize("columns", [[2], [0, 3], slice(1, 3)])
def test_a_scaler_cut_to_some_columns(columns):
    scaler = BatchStatScaler().fit(X[:30])
    z = scaler.transform(X)[:, columns]
    for name in ("mean_", "scale_", "var_"):
        setattr(scaler, name, getattr(scaler, name)[columns])
    scaler.n_features_in_ = scaler.mean_.size
    np.testing.assert_array_equal(scaler.transform(X[:, columns]), z)
    np.testing.assert_allclose(scaler.inverse_transform(z), X[:, columns], rtol=1e-13)
    scaler.partial_fit(X[30:, columns])
    whole = BatchStatScaler().fit(X[:, columns])
    np.testing.assert_allclose(scaler.var_, whole.var_, rtol=1e-13)
    merged = BatchStatScaler().merge(scaler)
    np.testing.assert_allclose(merged.mean_, whole.mean_, rtol=1e-13)


# Parameters after fit


def test_with_mean_and_with_std_after_fit():
    scaler = BatchStatScaler().fit(X)
    mean, scale = scaler.mean_, scaler.scale_
    np.testing.assert_allclose(scaler.set_params(with_mean=False).transform(X), X / scale)
    np.testing.assert_allclose(scaler.inverse_transform(X), X * scale)
    assert scaler.transform(sparse.csr_array(X)).format == "csr"
    scaler.set_params(with_mean=True, with_std=False)
    np.testing.assert_allclose(scaler.transform(X), X - mean)
    scaler.set_params(with_std=True, with_mean="auto")
    np.testing.assert_allclose(scaler.transform(X), (X - mean) / scale)


def test_with_std_after_a_fit_without_is_refused():
    scaler = BatchStatScaler(with_std=False).fit(X).set_params(with_std=True)
    with pytest.raises(ValueError, match="scale_"):
        scaler.transform(X)
    scaler.partial_fit(X)
    np.testing.assert_allclose(scaler.scale_, X.std(axis=0), rtol=1e-12)


def test_eps_after_fit_is_refused_until_scale_fits_it():
    for cls in CHANNEL:
        scaler = cls().fit(X).set_params(eps=0.5)
        with pytest.raises(ValueError, match="eps"):
            scaler.transform(X)
        square = scaler.var_ if cls is BatchStatScaler else scaler.mean_square_
        scaler.scale_ = np.sqrt(square + 0.5)
        expected = cls(eps=0.5).fit(X).transform(X)
        np.testing.assert_allclose(scaler.transform(X), expected, rtol=1e-14)
        scaler = cls().fit(X).set_params(eps=0.5).partial_fit(X)
        np.testing.assert_allclose(scaler.transform(X), expected, rtol=1e-12)


def test_eps_after_fit_is_refused_where_one_channel_is_still_that_of_the_old_one():
    scaler = BatchStatScaler().fit(X).set_params(eps=0.5)
    scaler.scale_[:3] = np.sqrt(scaler.var_[:3] + 0.5)
    with pytest.raises(ValueError, match="eps"):
        scaler.transform(X)
    scaler.scale_[3] = 7.0
    assert scaler.transform(X).shape == X.shape


def test_eps_after_fit_that_changes_no_divisor_is_taken():
    scaler = BatchStatScaler().fit(X)
    expected = scaler.transform(X)
    np.testing.assert_array_equal(scaler.set_params(eps=1e-300).transform(X), expected)


def test_gamma_edited_in_place_after_fit():
    gamma = np.ones(4)
    scaler = BatchStatScaler(gamma=gamma).fit(X)
    before = scaler.transform(X)
    gamma[1] = 5.0
    np.testing.assert_allclose(scaler.transform(X), before * [1, 5, 1, 1], rtol=1e-15)


# What is kept


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cls", CHANNEL)
def test_nothing_derived_is_kept(cls, form):
    scaler = cls().fit(form(X))
    before, key = state_of(scaler), joblib.hash(scaler)
    scaler.transform(form(X))
    scaler.inverse_transform(form(X))
    assert state_of(scaler) == before
    assert joblib.hash(scaler) == key
    assert state_of(pickle.loads(before)) == before
    assert joblib.hash(cls().fit(form(X))) == key


@pytest.mark.parametrize("scale", [1.0, 1e-200])
def test_the_state_is_arrays_and_numbers(scale):
    scaler = BatchStatScaler(momentum=0.1).fit(X * scale, sample_weight=np.arange(60) * 1e300)
    for name, value in vars(scaler).items():
        assert value is None or type(value) in (np.ndarray, int, float, bool, str), name


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("n_features", [10, 1000])
def test_a_pickle_is_no_more_than_three_times_that_of_standard_scaler(n_features, missing):
    """Beside its own, it has the digits that merging needs, and the range for check_drift."""
    x = rng.normal(size=(30, n_features))
    if missing:
        x[0, 0] = np.nan
    ours, theirs = BatchStatScaler().fit(x), StandardScaler().fit(x)
    assert len(pickle.dumps(ours)) <= 3 * len(pickle.dumps(theirs))


def test_fit_forgets_its_own_and_nothing_else():
    torch = pytest.importorskip("torch")
    import sklearn

    scaler = BatchStatScaler().set_output(transform="pandas")
    scaler.my_tag_ = "mine"
    scaler.fit(X * 1e-200, sample_weight=np.arange(60))
    scaler.fit(X)
    assert state_of(scaler) != state_of(BatchStatScaler().fit(X))
    assert scaler.my_tag_ == "mine"
    assert hasattr(scaler.transform(X), "columns")
    scaler = BatchStatScaler()
    with sklearn.config_context(array_api_dispatch=True):
        scaler.fit(torch.asarray(X))
    scaler.fit(X)
    assert state_of(scaler) == state_of(BatchStatScaler().fit(X))
    np.testing.assert_array_equal(scaler.transform(X), BatchStatScaler().fit_transform(X))


# One assignment


@pytest.fixture
def often_switched():
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def transforms_while(scaler, point, write):
    """Return what other threads get from transform, or raise in it, while one writes."""
    stop, seen = threading.Event(), []

    def read():
        while not stop.is_set():
            try:
                seen.append(scaler.transform(point))
                scaler.inverse_transform(point)
            except BaseException as error:
                seen.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for k in range(300):
        write(k)
    stop.set()
    for reader in readers:
        reader.join()
    return seen


@pytest.mark.usefixtures("often_switched")
@pytest.mark.parametrize("method", ["fit", "partial_fit", "merge"])
@pytest.mark.parametrize("cls", CHANNEL)
def test_each_transform_sees_one_state(cls, method):
    batches = [np.array([[0.0] * 3, [2.0 * 10**k] * 3]) for k in range(6)]
    scaler = cls(momentum=1.0).fit(batches[0])
    others = [cls(momentum=1.0).fit(batch) for batch in batches]
    point = np.full((1, 3), 7.0)
    given = others if method == "merge" else batches
    seen = transforms_while(scaler, point, lambda k: getattr(scaler, method)(given[k % 6]))
    assert seen
    for z in seen:
        assert isinstance(z, np.ndarray), z
        # All three columns are alike in any whole state.
        assert np.ptp(z) == 0
    if method != "merge":
        allowed = np.ravel([cls().fit(batch).transform(point)[0, 0] for batch in batches])
        assert all(np.isclose(z[0, 0], allowed, rtol=1e-12).any() for z in seen)


@pytest.mark.parametrize("params", [{"gamma": [1.0, 2.0]}, {"beta": [1.0, 2.0]}])
@pytest.mark.parametrize("cls", CHANNEL)
def test_a_merge_that_raises_has_merged_nothing(cls, params):
    a, b, new = cls().fit(X), cls().fit(X + 1), cls(**params)
    for scaler in (a, b):
        scaler.set_params(**params)
    before, other = state_of(a), state_of(b)
    for target in (a, new):
        with pytest.raises(ValueError, match=next(iter(params))):
            target.merge(b)
    assert (state_of(a), state_of(b)) == (before, other)
    assert not new.__sklearn_is_fitted__()


@pytest.mark.parametrize("hook", ["setup", "on_fit_task_begin", "on_fit_task_end", "teardown"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_callback_that_raises_leaves_the_state(method, hook):
    pytest.importorskip("sklearn.callback")

    class Failing:
        def setup(self, *args, **kwargs):
            self.called("setup")

        def teardown(self, *args, **kwargs):
            self.called("teardown")

        def on_fit_task_begin(self, *args, **kwargs):
            self.called("on_fit_task_begin")

        def on_fit_task_end(self, *args, **kwargs):
            self.called("on_fit_task_end")

        def called(self, name):
            if name == hook:
                raise KeyError(name)

    for scaler in (BatchStatScaler(), BatchStatScaler().fit(X)):
        names = {name for name in vars(scaler) if name.endswith("_")}
        before = {name: vars(scaler)[name] for name in names}
        scaler.set_callbacks(Failing())
        with pytest.raises(KeyError, match=hook):
            getattr(scaler, method)(X + 1)
        assert {name for name in vars(scaler) if name.endswith("_")} == names
        assert all(vars(scaler)[name] is before[name] for name in names)


# Numbers


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("unit", [1e-312, 1e-300, 1e-100, 1e100, 1e300, 1e307])
@pytest.mark.parametrize("cls", CHANNEL)
def test_weights_matter_relative_to_each_other(cls, unit, form):
    weights = rng.integers(1, 10, 60).astype(float)
    expected = cls().fit(form(X), sample_weight=weights)
    scaler = cls().fit(form(X), sample_weight=weights * unit)
    np.testing.assert_allclose(
        scaler.scale_, expected.scale_, rtol=1e-9 if unit < 1e-305 else 1e-13
    )
    halves = cls().fit(form(X)[:30], sample_weight=weights[:30] * unit)
    halves.partial_fit(form(X)[30:], sample_weight=weights[30:] * unit)
    if np.isfinite(halves.n_samples_seen_):
        np.testing.assert_allclose(halves.scale_, scaler.scale_, rtol=1e-9)


def test_heavy_rows_outweigh_light_ones_in_a_stream():
    scaler = BatchStatScaler().fit(X[:30], sample_weight=np.full(30, 1e-300))
    scaler.partial_fit(X[30:], sample_weight=np.full(30, 1e300))
    np.testing.assert_allclose(scaler.scale_, X[30:].std(axis=0), rtol=1e-12)


@pytest.mark.parametrize("momentum", [1e-320, 1e-300, 1e-20])
def test_a_tiny_momentum_keeps_what_it_weighs(momentum):
    x = np.array([[-1.0], [1.0]] * 50_000) * 1e100
    scaler = BatchStatScaler(momentum=momentum).fit(np.zeros((2, 1)))
    scaler.partial_fit(x)
    np.testing.assert_allclose(scaler.var_, [momentum * 1e200], rtol=1e-3)


@pytest.mark.parametrize("gamma", [1e300, 1e-300, 1e-310, -1e290])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_gamma_of_any_size_is_the_same_on_sparse(form, gamma, scale):
    x = X * scale
    for cls in CHANNEL:
        scaler = cls(gamma=gamma, **({"with_mean": False} if cls is BatchStatScaler else {})).fit(x)
        dense, found = scaler.transform(x), scaler.transform(form(x))
        np.testing.assert_allclose(found.toarray(), dense, rtol=1e-14)
        dense, found = scaler.inverse_transform(dense), scaler.inverse_transform(found)
        np.testing.assert_allclose(found.toarray(), dense, rtol=1e-14)


@pytest.mark.parametrize("n", [2, 10, 100, 20_000])
@pytest.mark.parametrize(
    ("center", "step"),
    [(1_700_000_000_000_000_000, 1_000_000), (1e15, 8.0), (1e13, 5.0), (-1e10, 2)],
)
def test_more_of_the_same_rows_do_not_make_a_feature_constant(center, step, n):
    x = (center + np.tile([-step, step], n // 2))[:, None]
    np.testing.assert_allclose(np.abs(BatchStatScaler().fit_transform(x)), 1.0, rtol=1e-3)
    weighted = BatchStatScaler().fit(x, sample_weight=np.full(len(x), 1e6))
    np.testing.assert_allclose(np.abs(weighted.transform(x)), 1.0, rtol=1e-3)


@some
@given(st.floats(-1e300, 1e300), st.integers(1, 3000), st.integers(0, 9))
def test_equal_values_are_constant(value, n, seed):
    weights = np.random.default_rng(seed).uniform(0.1, 9, n)
    for weight in (None, weights):
        scaler = BatchStatScaler().fit(np.full((n, 1), value), sample_weight=weight)
        scaler.partial_fit(np.full((n + 1, 1), value))
        assert scaler.scale_[0] == 1.0
        assert scaler.mean_[0] == value


def test_eps_of_a_channel_with_a_unit_of_its_own():
    x = np.array([[1e-200], [3e-200]])
    z = BatchStatScaler(eps=1e-400 + 4e-300).fit_transform(x)
    np.testing.assert_allclose(z, [[-1e-200 / 2e-150], [1e-200 / 2e-150]], rtol=1e-12)
    z = PowerNormScaler(eps=4e-300).fit_transform(x)
    np.testing.assert_allclose(z, [[0.5e-50], [1.5e-50]], rtol=1e-12)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("cls", CHANNEL)
def test_a_channel_without_values_is_the_same_dense_and_sparse(cls, weighted):
    x = np.array([[1.0, np.nan, 0.0], [0.0, np.nan, 0.0], [3.0, np.nan, 7.0], [4.0, 0.1, 0.0]])
    weights = [0.1, 0.7, 0.3, 0.0] if weighted else None
    x[3, 1] = 0.1 if weighted else np.nan
    params = {"with_mean": False} if cls is BatchStatScaler else {}
    fitted = [cls(**params).fit(form(x), sample_weight=weights) for form in FORMS]
    for scaler in fitted:
        assert np.isnan(scaler.scale_[1])
        np.testing.assert_allclose(scaler.scale_, fitted[0].scale_, rtol=1e-14)
        np.testing.assert_allclose(scaler.n_samples_seen_, fitted[0].n_samples_seen_)


# Centering that depends on the container


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
def test_auto_warns_of_columns_that_are_not_sparse(form):
    x = sparse.random_array((200, 5), density=0.1, rng=0).toarray()
    assert BatchStatScaler().fit(form(x)).mean_ is not None
    x[:, 3] = 300.0 + rng.normal(size=200)
    with pytest.warns(UserWarning, match="sparse.*feature 3.*with_mean=False"):
        BatchStatScaler().fit(form(x))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
def test_auto_does_not_warn_of_sparse_columns(form):
    x = sparse.random_array((200, 5), density=0.1, rng=0)
    BatchStatScaler().fit(form(x))
    BatchStatScaler(with_mean=False).fit(form(X))
