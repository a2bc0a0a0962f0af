"""GroupScaler: each group as a scaler of its rows alone has it, keys of all kinds, policies."""

import datetime
import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import few
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from sknorm import BatchStatScaler, GroupScaler, LayerScaler, PowerNormScaler, SquashingScaler

SCALERS = [
    BatchStatScaler(),
    BatchStatScaler(ddof=1, eps=1e-3),
    BatchStatScaler(with_mean=False),
    BatchStatScaler(with_std=False),
    BatchStatScaler(gamma=2.0, beta=[1.0, 2.0, 3.0, 4.0]),
    BatchStatScaler(n_channels=2, gamma=[2.0, 3.0]),
    BatchStatScaler(channels=[[0, 3], [1, 2]]),
    PowerNormScaler(),
    SquashingScaler(),
    SquashingScaler(squash=None, unit_variance=True, quantile_range=(10, 80)),
    SquashingScaler(squash="tanh", n_channels=2),
]
every_scaler = pytest.mark.parametrize("scaler", SCALERS, ids=repr)
rng = np.random.default_rng(0)
N = 240
KEYS = rng.integers(0, 6, N)
VALUES = rng.normal(KEYS[:, None] * 10, 1.0 + KEYS[:, None], (N, 4))
SITES = np.array(["Oslo", "Bern", "Rome", "Paris", "Lima", "Wien"], dtype=object)[KEYS]
FRAME = pd.DataFrame({"site": SITES, **{f"x{k}": VALUES[:, k] for k in range(4)}})


def one_by_one(scaler, x, keys, **options):
    """Return what a scaler does when it is fitted on each group by itself."""
    out = np.empty(x.shape)
    for key in np.unique(keys):
        rows = keys == key
        own = {name: value[rows] for name, value in options.items()}
        out[rows] = clone(scaler).fit(x[rows], **own).transform(x[rows])
    return out


@every_scaler
def test_each_group_is_scaled_by_its_own(scaler):
    found = GroupScaler(scaler, shrinkage="none").fit_transform(VALUES, groups=KEYS)
    np.testing.assert_allclose(found, one_by_one(scaler, VALUES, KEYS), rtol=1e-12, atol=1e-12)


@every_scaler
def test_weights(scaler):
    weights = rng.integers(0, 4, N).astype(float)
    fitted = GroupScaler(scaler, shrinkage="none").fit(VALUES, None, weights, groups=KEYS)
    expected = one_by_one(scaler, VALUES, KEYS, sample_weight=weights)
    found = fitted.transform(VALUES, groups=KEYS)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@every_scaler
@pytest.mark.parametrize("shrinkage", ["none", "auto", 5.0])
def test_inverse(scaler, shrinkage):
    fitted = GroupScaler(scaler, shrinkage=shrinkage)
    scaled = fitted.fit_transform(VALUES, groups=KEYS)
    back = fitted.inverse_transform(scaled, groups=KEYS)
    np.testing.assert_allclose(back, VALUES, rtol=1e-9, atol=1e-9)


@every_scaler
@pytest.mark.parametrize("shrinkage", ["none", "auto", 5.0])
def test_scaler_of_a_group_does_the_same(scaler, shrinkage):
    fitted = GroupScaler(scaler, by="site", shrinkage=shrinkage, keep_by=False).fit(FRAME)
    scaled = fitted.transform(FRAME)
    for key in fitted.groups_:
        rows = (FRAME["site"] == key).to_numpy()
        own = fitted.scaler_of(key)
        assert type(own) is type(scaler)
        found = own.transform(FRAME.loc[rows].drop(columns="site"))
        np.testing.assert_allclose(found, scaled[rows], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, ">f8"])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_dtypes_and_orders(dtype, order):
    x = VALUES.astype(dtype)
    x = np.repeat(x, 2, axis=1)[:, ::2] if order == "strided" else np.asarray(x, order=order)
    before = x.copy()
    found = GroupScaler(shrinkage="none").fit_transform(x, groups=KEYS)
    np.testing.assert_array_equal(x, before)
    expected = BatchStatScaler().fit_transform(x)
    assert found.dtype == expected.dtype
    tolerance = 8 * np.finfo(found.dtype).eps
    whole = one_by_one(BatchStatScaler(), x.astype(np.float64), KEYS)
    np.testing.assert_allclose(found.astype(float), whole, rtol=tolerance, atol=4 * tolerance)


@pytest.mark.parametrize("shape", [(60, 3, 5), (60, 2, 3, 4), (60, 2, 300)])
def test_tensors(shape):
    x, keys = rng.normal(3, 2, shape), rng.integers(0, 4, 60)
    found = GroupScaler(shrinkage="none").fit_transform(x, groups=keys)
    np.testing.assert_allclose(found, one_by_one(BatchStatScaler(), x, keys), atol=1e-12)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("scaler", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse(kind, scaler, weighted):
    x = np.where(rng.random((N, 5)) < 0.4, rng.normal(3, 2, (N, 5)), 0.0)
    x[:, 4] = 7.0  # stored in each row
    x[3, 2] = np.nan
    options = {"sample_weight": rng.random(N)} if weighted else {}
    fitted = GroupScaler(scaler, shrinkage="none").fit(kind(x), groups=KEYS, **options)
    found = fitted.transform(kind(x), groups=KEYS)
    assert type(found) is kind
    dense = clone(scaler)
    dense.set_params(
        **{k: False for k in dense.get_params() if k in ("with_mean", "with_centering")}
    )
    expected = one_by_one(dense, x, KEYS, **options)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-12, atol=1e-12)
    by_column = GroupScaler(scaler, by=5, shrinkage="none")
    joined = by_column.fit_transform(kind(np.column_stack([x, KEYS])), **options)
    np.testing.assert_allclose(joined.toarray()[:, :5], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(joined.toarray()[:, 5], KEYS)


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-290])
def test_extreme_numbers(scale):
    found = GroupScaler(shrinkage="none").fit_transform(VALUES * scale, groups=KEYS)
    np.testing.assert_allclose(found, one_by_one(BatchStatScaler(), VALUES, KEYS), atol=1e-9)
    drawn = GroupScaler().fit_transform(VALUES * scale, groups=KEYS)
    plain = GroupScaler().fit_transform(VALUES, groups=KEYS)
    np.testing.assert_allclose(drawn, plain, rtol=1e-9, atol=1e-9)


def test_groups_of_very_different_magnitudes():
    x = np.where(KEYS[:, None] == 0, VALUES * 1e250, VALUES)
    found = GroupScaler(shrinkage="none").fit_transform(x, groups=KEYS)
    np.testing.assert_allclose(found, one_by_one(BatchStatScaler(), x, KEYS), atol=1e-9)
    assert np.isfinite(GroupScaler().fit_transform(x, groups=KEYS)).all()


def test_missing_values_and_groups_without_any():
    x = VALUES.copy()
    x[KEYS == 2, 1] = np.nan
    x[::7, 0] = np.nan
    found = GroupScaler(shrinkage="none").fit_transform(x, groups=KEYS)
    with np.errstate(all="ignore"):
        expected = one_by_one(BatchStatScaler(), x, KEYS)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    fitted = GroupScaler().fit(x, groups=KEYS)
    place = list(fitted.groups_).index(2)
    assert np.isfinite(fitted.mean_[place, 1])  # what is typical of the others
    assert np.isfinite(fitted.transform(VALUES, groups=KEYS)).all()


@pytest.mark.parametrize("scaler", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()])
@pytest.mark.parametrize("shrinkage", ["none", "auto"])
def test_streams_merges_and_new_groups(scaler, shrinkage):
    order = np.argsort(KEYS + rng.random(N) * 3)  # later batches have new groups
    x, keys = VALUES[order], KEYS[order]
    stream = GroupScaler(scaler, shrinkage=shrinkage)
    parts = []
    for rows in np.array_split(np.arange(N), 7):
        stream.partial_fit(x[rows], groups=keys[rows])
        parts.append(clone(stream).partial_fit(x[rows], groups=keys[rows]))
    whole = clone(stream).fit(x, groups=keys)
    merged = clone(stream).merge(*parts[::-1])
    assert set(merged.groups_) == set(whole.groups_) == set(stream.groups_)
    tolerance = 0.2 if isinstance(scaler, SquashingScaler) else 1e-12
    if isinstance(scaler, SquashingScaler):  # quantiles of sketches are values of the data
        tolerance = 0.6
    for fitted in (stream, merged):
        a, b = fitted.transform(x, groups=keys), whole.transform(x, groups=keys)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_fit_forgets_groups():
    fitted = GroupScaler().fit(VALUES, groups=KEYS).fit(VALUES[:5], groups=np.full(5, 99))
    assert list(fitted.groups_) == [99]


def test_momentum_per_group():
    scaler = BatchStatScaler(momentum=0.25)
    fitted, alone = GroupScaler(scaler, shrinkage="none"), {}
    for rows in np.array_split(np.arange(N), 5):
        present = KEYS[rows] < 4 if rows[0] else KEYS[rows] >= 0  # some are not in each batch
        x, keys = VALUES[rows][present], KEYS[rows][present]
        fitted.partial_fit(x, groups=keys)
        for key in np.unique(keys):
            alone.setdefault(key, clone(scaler)).partial_fit(x[keys == key])
    for key, expected in alone.items():
        place = list(fitted.groups_).index(key)
        np.testing.assert_allclose(fitted.mean_[place], expected.mean_, rtol=1e-13)
        np.testing.assert_allclose(fitted.var_[place], expected.var_, rtol=1e-13)


# Keys


def as_frames(keys):
    columns = {"x0": VALUES[:, 0], "key": keys, "x1": VALUES[:, 1]}
    yield pd.DataFrame(columns)
    yield pl.DataFrame(columns, strict=False)
    yield pa.Table.from_pandas(pd.DataFrame(columns))


@pytest.mark.parametrize(
    "keys",
    [
        SITES,
        np.where(KEYS == 1, None, SITES),
        KEYS,
        KEYS.astype(np.int8),
        KEYS.astype(float),
        KEYS % 2 == 0,
        np.datetime64("2026-01-01") + KEYS.astype("m8[D]"),
        KEYS * 10**15,
    ],
    ids=["text", "missing", "int", "int8", "float", "bool", "dates", "large"],
)
def test_kinds_of_keys_in_frames(keys):
    labels = pd.factorize(keys, use_na_sentinel=False)[0]
    expected = one_by_one(BatchStatScaler(), VALUES[:, :2], labels)
    for frame in as_frames(keys):
        fitted = GroupScaler(by="key", shrinkage="none", keep_by=False).fit(frame)
        np.testing.assert_allclose(fitted.transform(frame), expected, atol=1e-12)
        assert len(fitted.groups_) == len(np.unique(labels))
        assert pickle.loads(pickle.dumps(fitted)).transform(frame).shape == expected.shape
        for key in fitted.groups_:
            assert fitted.scaler_of(key).mean_.shape == (2,)


@pytest.mark.parametrize(
    "keys",
    [
        pd.Series(SITES).astype("category"),
        pd.Series(np.where(KEYS == 1, None, SITES)).astype("category"),
        pd.Series(KEYS).astype("Int64").where(KEYS != 2),
        pd.Series(SITES).astype("string").where(KEYS != 3),
        pd.Series(pd.to_datetime("2026-01-01", utc=True) + pd.to_timedelta(KEYS, "D")),
        pd.Series([np.nan if k == 2 else f"k{k}" for k in KEYS], dtype=object),
    ],
    ids=["category", "category with none", "Int64", "string", "zoned", "NaN among text"],
)
def test_extension_types_of_keys(keys):
    labels = pd.factorize(keys, use_na_sentinel=False)[0]
    frame = pd.DataFrame({"key": keys, "x": VALUES[:, 0]})
    fitted = GroupScaler(by=["key"], shrinkage="none", keep_by=False)
    expected = one_by_one(BatchStatScaler(), VALUES[:, :1], labels)
    np.testing.assert_allclose(fitted.fit_transform(frame), expected, atol=1e-12)
    assert (None in list(fitted.groups_)) == bool(keys.isna().any())


DAYS = pd.Timestamp("2026-01-01") + pd.to_timedelta(KEYS, "D")
DAY_FRAME = pd.DataFrame({"key": DAYS, "x": VALUES[:, 0]})
ZONED = DAY_FRAME.assign(key=DAYS.tz_localize("UTC").tz_convert("Asia/Tokyo"))
POLARS_DAYS = pl.DataFrame(DAY_FRAME)
FORMS_OF_DATES = {
    "pandas": DAY_FRAME,
    "pandas microseconds": DAY_FRAME.astype({"key": "datetime64[us]"}),
    "pandas of Arrow": DAY_FRAME.astype({"key": "timestamp[ms][pyarrow]"}),
    "pandas, zoned": ZONED,
    "objects": DAY_FRAME.assign(key=np.array(DAYS.to_pydatetime(), dtype=object)),
    "objects, days": DAY_FRAME.assign(key=np.array([day.date() for day in DAYS], dtype=object)),
    "polars": POLARS_DAYS,
    "polars milliseconds": POLARS_DAYS.cast({"key": pl.Datetime("ms")}),
    "polars days": POLARS_DAYS.cast({"key": pl.Date}),
    "polars, zoned": pl.DataFrame(ZONED),
    "Arrow": pa.Table.from_pandas(DAY_FRAME),
    "Arrow days": POLARS_DAYS.cast({"key": pl.Date}).to_arrow(),
    "Arrow, zoned": pa.Table.from_pandas(ZONED),
    "Arrow batch": pa.RecordBatch.from_pandas(DAY_FRAME),
}


@pytest.mark.parametrize("form", FORMS_OF_DATES)
@pytest.mark.parametrize("other", ["pandas", "Arrow days", "polars, zoned", "objects"])
def test_dates_are_one_key_whatever_has_them(form, other):
    fitted = GroupScaler(by="key", unseen="error", keep_by=False).fit(FORMS_OF_DATES[form])
    expected = GroupScaler(by="key", keep_by=False).fit_transform(DAY_FRAME)
    np.testing.assert_array_equal(fitted.transform(FORMS_OF_DATES[other]), expected)
    day = DAYS[0].to_pydatetime()
    for key in (day, day.date(), np.datetime64(day), pd.Timestamp(day), fitted.groups_[KEYS[0]]):
        assert fitted.scaler_of(key).n_samples_seen_ == (KEYS[0] == KEYS).sum()


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
@pytest.mark.parametrize("form", FORMS_OF_DATES)
@pytest.mark.parametrize("unit", ["ns", "s"])
def test_dates_stay_dates_in_results(form, output, unit):
    frame = FORMS_OF_DATES[form]
    if form == "pandas":
        frame = frame.astype({"key": f"datetime64[{unit}]"})
    fitted = GroupScaler(by="key").set_output(transform=output)
    scaled = fitted.fit_transform(frame)
    keys = scaled[:, 0] if output == "default" else scaled["key"]
    if output == "polars" and form not in ("pandas, zoned", "objects", "objects, days"):
        assert keys.dtype.is_temporal()
    if form == "pandas, zoned":
        keys = [key.tz_convert(None) for key in keys]
    elif keys[0] is not None and getattr(keys[0], "tzinfo", None):
        keys = keys.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    assert [pd.Timestamp(key) for key in keys] == list(DAYS)
    back = np.asarray(fitted.inverse_transform(scaled))[:, 1].astype(float)
    np.testing.assert_allclose(back, VALUES[:, 0], rtol=1e-12)


@pytest.mark.parametrize("form", ["pandas", "polars", "Arrow"])
def test_a_missing_date_is_a_group(form):
    frame = FORMS_OF_DATES[form]
    days = DAY_FRAME.key.where(KEYS != 1)
    if form == "pandas":
        frame = frame.assign(key=days)
    elif form == "polars":
        frame = frame.with_columns(pl.Series("key", days))
    else:
        frame = pa.Table.from_pandas(DAY_FRAME.assign(key=days))
    fitted = GroupScaler(by="key", unseen="error").fit(frame)
    assert len(fitted.groups_) == len(set(KEYS))
    assert fitted.scaler_of(None).n_samples_seen_ == (KEYS == 1).sum()
    fitted.transform(DAY_FRAME.assign(key=days))


def test_one_date_far_away_leaves_the_others_as_they_are():
    days = np.array(DAYS, dtype="datetime64[us]")
    fitted = GroupScaler(unseen="error").fit(VALUES, groups=days)
    days[0] = np.datetime64("9999-12-31")
    far = GroupScaler(unseen="error").fit(VALUES, groups=days)
    far.transform(VALUES[1:], groups=np.array(DAYS)[1:])
    far.transform(VALUES[:1], groups=np.array([datetime.date(9999, 12, 31)]))
    fitted.transform(VALUES[1:], groups=days[1:])
    assert far.groups_[-1] == days[0]
    assert list(far.groups_) == [*sorted(np.unique(days)[:-1]), days[0]]


@pytest.mark.parametrize("kind", ["M8", "m8"])
@pytest.mark.parametrize(("unit", "number"), [("s", 1 << 60), ("D", 1 << 50), ("ps", 1), ("fs", 7)])
def test_dates_that_other_units_do_not_hold(kind, unit, number):
    numbers = np.array([number, 1 - number, number + 3, number] * 3)
    keys = numbers.astype(f"{kind}[{unit}]")
    values = VALUES[: keys.size]
    found = GroupScaler(unseen="error").fit(values, groups=keys)
    assert list(found.groups_) == sorted(set(keys))
    expected = GroupScaler().fit_transform(values, groups=numbers)
    np.testing.assert_array_equal(found.transform(values, groups=keys), expected)


@pytest.mark.parametrize("form", ["us", "ns", "D"])
def test_durations_are_keys(form):
    lengths = KEYS.astype(f"m8[{form}]")
    fitted = GroupScaler(unseen="error").fit(VALUES, groups=lengths)
    as_objects = [pd.Timedelta(length) for length in lengths]
    fitted.transform(VALUES, groups=np.array(as_objects, dtype=object))
    again = GroupScaler.from_dict(json.loads(json.dumps(fitted.to_dict())))
    again.transform(VALUES, groups=lengths)


def test_dates_are_told_in_json():
    fitted = GroupScaler(by="key").fit(DAY_FRAME)
    again = GroupScaler.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert list(again.groups_) == list(fitted.groups_)
    np.testing.assert_array_equal(again.transform(DAY_FRAME), fitted.transform(DAY_FRAME))


def test_several_columns():
    frame = FRAME.assign(year=KEYS % 2 + 2000, month=rng.integers(1, 4, N))
    by = ["site", "year", "month"]
    fitted = GroupScaler(by=by, shrinkage="none", keep_by=False).fit(frame)
    labels = frame.groupby(by, sort=False).ngroup().to_numpy()
    expected = one_by_one(BatchStatScaler(), VALUES, labels)
    np.testing.assert_allclose(fitted.transform(frame), expected, atol=1e-12)
    assert set(fitted.groups_) == set(frame[by].itertuples(index=False, name=None))
    given_as_array = GroupScaler(shrinkage="none").fit(VALUES, groups=frame[by])
    found = given_as_array.transform(VALUES, groups=frame[by].to_numpy())
    np.testing.assert_allclose(found, expected, atol=1e-12)


@few
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_any_groups(n, n_groups, seed):
    own = np.random.default_rng(seed)
    x, keys = own.normal(own.normal(0, 100), 1, (n, 3)), own.integers(-5, n_groups, n)
    found = GroupScaler(shrinkage="none").fit(x, groups=keys)
    for place, key in enumerate(found.groups_):
        expected = BatchStatScaler().fit(x[keys == key])
        np.testing.assert_allclose(found.mean_[place], expected.mean_, rtol=1e-14)
        np.testing.assert_allclose(found.var_[place], expected.var_, rtol=1e-12, atol=1e-24)
        np.testing.assert_array_equal(found.n_samples_seen_[place], (keys == key).sum())
    assert np.isfinite(GroupScaler().fit_transform(x, groups=keys)).all()


@pytest.mark.parametrize("by", ["numbers", "dates", "text"])
@pytest.mark.parametrize("form", [pd.Series, pl.Series, pa.array, lambda k: pa.chunked_array([k])])
def test_keys_may_be_a_column_of_a_library(by, form):
    keys = {"numbers": KEYS, "dates": DAYS, "text": SITES}[by]
    missing = pd.Series(keys).where(KEYS != 1, None)
    # Of numbers with gaps, pandas makes floats.
    for column in (pd.Series(keys), missing)[: 1 if by == "numbers" else 2]:
        found = GroupScaler().fit(VALUES, groups=form(column))
        other = GroupScaler().fit(VALUES, groups=column)
        assert list(found.groups_) == list(other.groups_)
        np.testing.assert_array_equal(found.mean_, other.mean_)


@pytest.mark.parametrize(
    "form", [pl.Series, pa.array, lambda keys: np.ma.masked_array(KEYS, [k is None for k in keys])]
)
def test_missing_integers_are_a_group(form):
    keys = np.where(KEYS == 1, None, KEYS).tolist()
    fitted = GroupScaler().fit(VALUES, groups=form(keys))
    assert list(fitted.groups_) == [*sorted(set(KEYS) - {1}), None]


@pytest.mark.parametrize("scaler", [BatchStatScaler(), PowerNormScaler()], ids=repr)
@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_units_of_their_own(scaler, unit):
    x = VALUES * [unit, 1.0, unit, 1.0]
    fitted = GroupScaler(scaler, shrinkage="none").fit(x, groups=KEYS)
    scaled = fitted.transform(x, groups=KEYS)
    np.testing.assert_allclose(scaled, one_by_one(scaler, x, KEYS), rtol=1e-12, atol=1e-12)
    back = fitted.inverse_transform(scaled, groups=KEYS)
    np.testing.assert_allclose(back, x, rtol=1e-9)


@every_scaler
def test_inverse_takes_the_array_that_transform_gave(scaler):
    frame = pd.DataFrame(VALUES, columns=list("abcd")).assign(key=KEYS)
    fitted = GroupScaler(scaler, by="key").fit(frame)
    back = fitted.inverse_transform(fitted.transform(frame))  # without a warning about names
    np.testing.assert_allclose(back, frame, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="6 features"):
        fitted.inverse_transform(np.ones((3, 6)))


@pytest.mark.parametrize("names", [[0, 1, 2], ["x0", "x1", "x2"], ["a", "a", "b"]])
def test_frames_without_names_of_their_own(names):
    values = np.column_stack([KEYS, VALUES[:, 0], VALUES[:, 1]])
    frame = pd.DataFrame(values).set_axis(names, axis=1)
    scaler = GroupScaler(by=1).set_output(transform="pandas")
    expected = GroupScaler(by=1).fit_transform(values)
    scaled = scaler.fit_transform(frame)
    np.testing.assert_array_equal(scaled, expected)
    np.testing.assert_allclose(scaler.inverse_transform(scaled), values, rtol=1e-9)
    if names[0] == names[1]:
        with pytest.raises(ValueError, match="2 features are called 'a'"):
            GroupScaler(by="a").fit(frame)


def test_no_rows_and_no_keys():
    fitted = GroupScaler().fit(VALUES, groups=KEYS)
    for method in (fitted.fit, fitted.partial_fit, fitted.transform, fitted.check_drift):
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            method(VALUES[:0], groups=KEYS[:0])
    for key in ([1], {}, np.ones(2), ([1],), "nowhere"):
        with pytest.raises(ValueError, match="no group"):
            fitted.scaler_of(key)


INTEGERS = [np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)]


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers_as_far_apart_as_they_can_be(dtype):
    limits = np.iinfo(dtype)
    own = np.random.default_rng(6)
    few = own.integers(limits.min, limits.max, 20_000, dtype=dtype, endpoint=True)
    ends = np.array([limits.min, limits.max, limits.max - 1, limits.min + 3], dtype=dtype)
    for keys in (few, np.resize(ends, 20_000), np.resize(ends[1:3], 20_000)):
        found = GroupScaler(shrinkage="none").fit(np.ones((20_000, 1)), groups=keys)
        values, counts = np.unique(keys, return_counts=True)
        assert found.groups_.tolist() == values.tolist()
        np.testing.assert_array_equal(found.n_samples_seen_[:, 0], counts)


def test_keys_of_different_types_are_one_where_they_are_equal():
    fitted = GroupScaler(shrinkage="none").fit(VALUES, groups=KEYS)
    for keys in (KEYS.astype(float), KEYS.astype(object), KEYS.tolist(), pd.Series(KEYS)):
        expected = fitted.transform(VALUES, groups=KEYS)
        np.testing.assert_array_equal(fitted.transform(VALUES, groups=keys), expected)


# Policies


@pytest.mark.parametrize("scaler", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()])
@pytest.mark.parametrize("shrinkage", ["auto", "none", 2])
def test_unseen_groups(scaler, shrinkage):
    fitted = GroupScaler(scaler, shrinkage=shrinkage).fit(VALUES, groups=KEYS)
    keys = np.where(KEYS == 0, 77, KEYS)
    rows = keys == 77
    known = fitted.transform(VALUES, groups=KEYS)
    found = fitted.transform(VALUES, groups=keys)
    pooled = clone(scaler).fit(VALUES).transform(VALUES)
    np.testing.assert_allclose(found[rows], pooled[rows], rtol=1e-12)
    np.testing.assert_array_equal(found[~rows], known[~rows])
    lost = fitted.set_params(unseen="nan").transform(VALUES, groups=keys)
    assert np.isnan(lost[rows]).all()
    np.testing.assert_array_equal(lost[~rows], known[~rows])
    with pytest.raises(ValueError, match=rf"Row {np.argmax(rows)} is of group 77"):
        fitted.set_params(unseen="error").transform(VALUES, groups=keys)


def test_unseen_groups_of_sparse_input_are_not_made_nan():
    x = sparse.csr_array(np.abs(VALUES))
    fitted = GroupScaler(unseen="nan").fit(x, groups=KEYS)
    with pytest.raises(ValueError, match="no longer sparse"):
        fitted.transform(x, groups=KEYS + 100)


def test_keys_are_kept_in_their_places():
    x = np.insert(VALUES, 2, KEYS, axis=1)
    fitted = GroupScaler(by=2, shrinkage="none")
    found = fitted.fit_transform(x)
    np.testing.assert_array_equal(found[:, 2], KEYS)
    expected = one_by_one(BatchStatScaler(), VALUES, KEYS)
    np.testing.assert_allclose(np.delete(found, 2, axis=1), expected, atol=1e-12)
    np.testing.assert_allclose(fitted.inverse_transform(found), x, atol=1e-12)
    assert list(fitted.get_feature_names_out()) == ["x0", "x1", "x2", "x3", "x4"]
    left_out = GroupScaler(by=-3, shrinkage="none", keep_by=False)
    np.testing.assert_array_equal(left_out.fit_transform(x), np.delete(found, 2, axis=1))
    assert list(left_out.get_feature_names_out()) == ["x0", "x1", "x3", "x4"]
    back = left_out.inverse_transform(np.delete(found, 2, axis=1), groups=KEYS)
    np.testing.assert_allclose(back, VALUES, atol=1e-12)


def test_kept_numbers_lose_no_digit():
    table = pd.DataFrame({"key": KEYS, "x": VALUES[:, 0].astype(np.float32)})
    dtypes = {2**60: object, 2**30: np.float64, 0: np.float32}
    for first, dtype in dtypes.items():
        found = GroupScaler(by="key").fit_transform(table.assign(key=first + KEYS))
        assert found.dtype == dtype
        assert (found[:, 0] == first + KEYS).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("keep", [True, False])
def test_frames_out(library, keep):
    for frame in (FRAME, pl.from_pandas(FRAME), VALUES):
        by = 1 if frame is VALUES else "site"
        x = np.insert(VALUES, 1, KEYS, axis=1) if frame is VALUES else frame
        scaler = GroupScaler(by=by, shrinkage="none", keep_by=keep)
        found = scaler.set_output(transform=library).fit_transform(x)
        assert type(found).__module__.startswith(library)
        assert list(found.columns) == list(scaler.get_feature_names_out())
        expected = one_by_one(BatchStatScaler(), VALUES, KEYS)
        names = [n for n in found.columns if n != (f"x{by}" if frame is VALUES else by)]
        np.testing.assert_allclose(found[names].to_numpy(), expected, atol=1e-12)
        if keep and frame is not VALUES:
            assert list(found["site"]) == list(SITES)
            back = scaler.inverse_transform(found)
            assert list(back.columns) == list(FRAME.columns)
            np.testing.assert_allclose(back[names].to_numpy(), VALUES, atol=1e-9)


def test_index_and_types_of_a_frame_stay():
    frame = FRAME.set_index(np.arange(N) * 3)[["x0", "site", "x1"]]
    frame["site"] = frame["site"].astype("category")
    found = GroupScaler(by="site").set_output(transform="pandas").fit_transform(frame)
    assert list(found.columns) == ["x0", "site", "x1"]
    pd.testing.assert_index_equal(found.index, frame.index)
    pd.testing.assert_series_equal(found["site"], frame["site"])


def test_text_in_an_array_gives_objects():
    found = GroupScaler(by="site", shrinkage="none").fit_transform(FRAME)
    assert found.dtype == object
    assert list(found[:, 0]) == list(SITES)
    rows = FRAME.to_numpy().tolist()
    again = GroupScaler(by=0, shrinkage="none").fit_transform(rows)
    np.testing.assert_array_equal(found[:, 1:].astype(float), again[:, 1:].astype(float))


# In pipelines


def test_groups_by_routing():
    with config_context(enable_metadata_routing=True):
        scaler = GroupScaler().set_fit_request(groups=True, sample_weight=True)
        scaler.set_transform_request(groups=True)
        model = Pipeline(
            [("scale", scaler), ("ridge", Ridge().set_fit_request(sample_weight=True))]
        )
        weights = rng.random(N)
        model.fit(VALUES, VALUES[:, 0], groups=KEYS, sample_weight=weights)
        found = model.predict(VALUES, groups=KEYS)
    scaled = GroupScaler().fit(VALUES, None, weights, KEYS).transform(VALUES, KEYS)
    expected = Ridge().fit(scaled, VALUES[:, 0], sample_weight=weights).predict(scaled)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_grid_search_over_its_parameters():
    model = make_pipeline(GroupScaler(by="site", keep_by=False), Ridge())
    grid = {
        "groupscaler__shrinkage": ["auto", "none", 3.0],
        "groupscaler__scaler": [BatchStatScaler(), SquashingScaler()],
    }
    search = GridSearchCV(model, grid, cv=3).fit(FRAME, VALUES[:, 0])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_frame_goes_on_to_a_one_hot_encoder():
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    scaler = GroupScaler(by="site").set_output(transform="pandas")
    encode = make_column_transformer((OneHotEncoder(), ["site"]), remainder="passthrough")
    found = make_pipeline(scaler, encode, Ridge()).fit(FRAME, VALUES[:, 0]).predict(FRAME)
    assert found.shape == (N,)


# Bad input


@pytest.mark.parametrize(
    ("scaler", "x", "options", "message"),
    [
        (GroupScaler(by="nope"), FRAME, {}, "no feature 'nope'"),
        (GroupScaler(by="sites"), FRAME, {}, "Did you mean 'site'"),
        (GroupScaler(by=9), VALUES, {}, "There is no feature 9"),
        (GroupScaler(by="site"), VALUES, {}, "given by name"),
        (GroupScaler(by=[1, 1]), VALUES, {}, "by has feature 1 more than once"),
        (GroupScaler(by=[0, 1, 2, 3]), VALUES, {}, "by names all of the 4"),
        (GroupScaler(by=0), FRAME, {"groups": KEYS}, "by and groups both"),
        (GroupScaler(), VALUES, {}, "needs the group of each row"),
        (GroupScaler(), VALUES, {"groups": KEYS[:-1]}, "groups has 239 keys, but X has 240"),
        (GroupScaler(), VALUES, {"groups": 5}, "one key per row"),
        (GroupScaler(), VALUES, {"groups": [[]] * N}, "groups has 0 keys|groups must"),
        (GroupScaler(by=0, unseen="drop"), VALUES, {}, "unseen must be"),
        (GroupScaler(by=0, shrinkage="strong"), VALUES, {}, "shrinkage must be"),
        (GroupScaler(by=0, shrinkage=-1), VALUES, {}, "shrinkage must be a finite number >= 0"),
        (GroupScaler(by=0, shrinkage=np.inf), VALUES, {}, "shrinkage must be a finite number"),
        (GroupScaler(by=0, keep_by="yes"), VALUES, {}, "keep_by must be True or False"),
        (GroupScaler(by=0), VALUES[:, :, None], {}, "3 dimension"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_refused(scaler, x, options, message):
    with pytest.raises(ValueError, match=message):
        scaler.fit(x, **options)
    assert not hasattr(scaler, "pooled_")


def test_scalers_without_statistics_are_refused():
    for scaler in (LayerScaler(), Ridge(), "batch"):
        with pytest.raises(TypeError, match="must be a BatchStatScaler"):
            GroupScaler(scaler, by=0).fit(VALUES)


def test_a_key_of_floats_with_nan_is_refused():
    x = VALUES.copy()
    x[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"feature 1 is a key of numbers, and it is nan in row 7"):
        GroupScaler(by=1).fit(x)
    frame = FRAME.assign(year=np.where(KEYS == 3, np.nan, 2000.0))
    row = int(np.argmax(KEYS == 3))
    with pytest.raises(ValueError, match=rf"'year' is a key of numbers, .* in row {row}"):
        GroupScaler(by=["site", "year"]).fit(frame)


def test_unhashable_keys_are_refused():
    groups = np.empty(N, dtype=object)
    groups[:] = [[1]] * N
    with pytest.raises(ValueError, match="list in row 0, which is no key"):
        GroupScaler().fit(VALUES, groups=groups)


def test_infinity_is_named_by_its_place_in_x():
    x = np.insert(VALUES, 1, KEYS, axis=1)
    fitted = GroupScaler(by=1).fit(x)
    x[5, 3] = np.inf
    with pytest.raises(ValueError, match="feature 3, row 5"):
        GroupScaler(by=1).fit(x)
    with pytest.raises(ValueError, match="feature 3, row 5"):
        fitted.transform(x)
    frame = FRAME.assign(x2=x[:, 3])
    with pytest.raises(ValueError, match=r"feature 3 \('x2'\), row 5"):
        GroupScaler(by="site").fit(frame)


def test_a_failed_call_changes_nothing():
    fitted = GroupScaler().fit(VALUES, groups=KEYS)
    before = pickle.dumps(fitted)
    bad = VALUES.copy()
    bad[0, 0] = np.inf
    for call in (
        lambda: fitted.fit(bad, groups=KEYS),
        lambda: fitted.partial_fit(bad, groups=KEYS),
        lambda: fitted.partial_fit(VALUES[:, :2], groups=KEYS),
        lambda: fitted.partial_fit(VALUES, None, np.full(N, -1.0), groups=KEYS),
        lambda: fitted.merge(GroupScaler(shrinkage=3).fit(VALUES, groups=KEYS)),
        lambda: fitted.merge(GroupScaler(PowerNormScaler()).fit(VALUES, groups=KEYS)),
        lambda: fitted.merge(GroupScaler(BatchStatScaler(eps=1)).fit(VALUES, groups=KEYS)),
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            call()
        assert pickle.dumps(fitted) == before


def test_quantiles_of_fit_do_not_go_on():
    fitted = GroupScaler(SquashingScaler()).fit(VALUES, groups=KEYS)
    with pytest.raises(ValueError, match="Fit it by partial_fit"):
        fitted.partial_fit(VALUES, groups=KEYS)
    with pytest.raises(ValueError, match="no sample_weight"):
        GroupScaler(SquashingScaler()).partial_fit(VALUES, None, np.ones(N), groups=KEYS)


def test_unknown_group_and_attribute():
    fitted = GroupScaler().fit(VALUES, groups=KEYS)
    with pytest.raises(ValueError, match=r"There is no group 'x'. The groups are 0, 1"):
        fitted.scaler_of("x")
    with pytest.raises(AttributeError, match="center_"):
        fitted.center_  # noqa: B018
    assert not hasattr(GroupScaler(), "mean_")


def test_copy_false_writes_into_x():
    x = VALUES.copy()
    fitted = GroupScaler(BatchStatScaler(copy=False)).fit(x, groups=KEYS)
    found = fitted.transform(x, groups=KEYS)
    assert found is x
    bad = VALUES.copy()
    bad[3, 3] = np.inf
    kept = bad.copy()
    with pytest.raises(ValueError, match="feature 3, row 3"):
        fitted.transform(bad, groups=KEYS)
    np.testing.assert_array_equal(bad, kept)


def test_no_clone_per_group():
    """A hundred thousand groups take no longer than a few."""
    keys = np.arange(100_000)
    x = np.random.default_rng(0).normal(size=(100_000, 2))
    found = GroupScaler(shrinkage="none").fit_transform(x, groups=keys)
    np.testing.assert_array_equal(found, 0.0)


@pytest.mark.parametrize("scaler", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()])
def test_torch(scaler):
    torch = pytest.importorskip("torch")
    x = np.insert(VALUES, 1, KEYS, axis=1)
    expected = GroupScaler(scaler, by=1).fit_transform(x)
    with config_context(array_api_dispatch=True):
        fitted = GroupScaler(scaler, by=1).fit(torch.asarray(x))
        found = fitted.transform(torch.asarray(x))
        assert type(found) is torch.Tensor
        given_apart = GroupScaler(scaler).fit(torch.asarray(VALUES), groups=torch.asarray(KEYS))
        apart = given_apart.transform(torch.asarray(VALUES), groups=torch.asarray(KEYS))
        back = fitted.inverse_transform(found)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        apart.numpy(), np.delete(expected, 1, axis=1), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(back.numpy(), x, rtol=1e-9, atol=1e-9)


def test_containers_that_have_to_be_read_first_are_refused():
    with pytest.raises(TypeError, match="cannot be read as they are"):
        GroupScaler(by="site").fit(FRAME.to_dict("list"))


def test_merging_into_an_unfitted_scaler_knows_the_key():
    parts = [GroupScaler(by="site", keep_by=False).fit(FRAME[:120])]
    merged = GroupScaler(by="site", keep_by=False).merge(*parts)
    assert list(merged.get_feature_names_out()) == ["x0", "x1", "x2", "x3"]
    merged.set_output(transform="pandas")
    assert list(merged.transform(FRAME).columns) == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize("scaler", [BatchStatScaler(), PowerNormScaler(), SquashingScaler()])
@pytest.mark.parametrize("shrinkage", ["auto", 5.0])
@pytest.mark.parametrize("exponent", [-1000, -700, 600, 1000])
def test_units_do_not_matter(scaler, shrinkage, exponent):
    groups = rng.integers(0, 30, 900)
    spread, shift = np.exp(rng.normal(size=30)), rng.normal(size=30)
    x = rng.normal(size=(900, 3)) * spread[groups, None] + shift[groups, None]
    found, expected = (
        GroupScaler(scaler, shrinkage=shrinkage)
        .fit(rows, groups=groups)
        .transform(rows, groups=groups)
        for rows in (np.ldexp(x, exponent), x)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


WIDE = rng.normal(1e3, 2.0, (3000, 11)) * 10.0 ** np.arange(-5, 6)
WIDE[:, 3] = 7.0
KEYS_WITH_GAPS = np.repeat(np.arange(5, 1505), 2)[rng.permutation(3000)] ** 2 % 4001
POOLED = {
    "C": WIDE,
    "F": np.asfortranarray(WIDE),
    "float32": WIDE.astype(np.float32),
    "narrow": WIDE[:, 2:5].copy(),
    "slice": np.tile(WIDE, 2)[:, 4:15],
    "backwards": WIDE[::-1],
    "integers": WIDE.astype(np.int64),
    "missing": np.where(rng.random(WIDE.shape) < 0.3, np.nan, WIDE),
    "mostly missing": np.where(rng.random(WIDE.shape) < 0.97, np.nan, WIDE),
    "zeros": np.where(rng.random(WIDE.shape) < 0.5, 0.0, WIDE),
    "extreme": WIDE * 1e290,
    "positions": WIDE.reshape(1500, 2, 11),
    "channels": WIDE.reshape(1500, 11, 2),
    "frame": pd.DataFrame(WIDE),
    "frame of integers": pd.DataFrame(WIDE.astype(np.int64))
    .assign(**{"11": 0.5})
    .rename(columns=str),
    "frame in chunks": pl.concat([pl.DataFrame(WIDE[:77]), pl.DataFrame(WIDE[77:])], rechunk=False),
    "narrow frame": pd.DataFrame(WIDE[:, :3]),
}


OF_POOLED = [BatchStatScaler(), PowerNormScaler(), BatchStatScaler(n_channels=1, ddof=1)]


# Arrays with positions have their channels on axis 1, and take no n_channels.
@pytest.mark.parametrize(
    ("name", "scaler"),
    [
        (name, scaler)
        for name, x in POOLED.items()
        for scaler in OF_POOLED
        if len(x.shape) == 2 or scaler.get_params().get("n_channels") is None
    ],
    ids=str,
)
def test_the_pooled_scaler_is_one_of_all_rows(name, scaler):
    """Its statistics are found in one pass with those of the groups."""
    x = POOLED[name]
    keys = KEYS_WITH_GAPS[: len(x)]
    found = GroupScaler(scaler).fit(x, groups=keys)
    pooled, expected = found.pooled_, clone(scaler).fit(x)
    assert found.groups_.tolist() == np.unique(keys).tolist()
    assert vars(pooled).keys() == vars(expected).keys()
    np.testing.assert_array_equal(pooled.n_samples_seen_, expected.n_samples_seen_)
    for attribute in ("mean_", "var_", "mean_square_", "scale_"):
        if hasattr(expected, attribute):
            got, wanted = getattr(pooled, attribute), getattr(expected, attribute)
            np.testing.assert_allclose(got, wanted, rtol=2e-14)
    probe = x[:50]
    np.testing.assert_allclose(
        pooled.transform(probe), expected.transform(probe), rtol=1e-9, atol=1e-9
    )
    more = GroupScaler(scaler).fit(x[:400], groups=keys[:400]).partial_fit(x, groups=keys)
    expected = clone(scaler).fit(x[:400]).partial_fit(x)
    np.testing.assert_allclose(more.pooled_.scale_, expected.scale_, rtol=2e-14)


@pytest.mark.parametrize("order", ["C", "F"])
def test_threads_change_no_bit_of_groups(order):
    x = np.asarray(rng.normal(size=(400_000, 12)), order=order)
    keys = rng.integers(0, 30_000, len(x))
    one, two = (GroupScaler(BatchStatScaler(n_jobs=k)).fit(x, groups=keys) for k in (1, 2))
    for name in ("mean_", "var_", "scale_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        np.testing.assert_array_equal(getattr(one.pooled_, name), getattr(two.pooled_, name))


def test_changing_the_groups_that_a_fit_has_shown_changes_no_result():
    expected = GroupScaler(shrinkage="none").fit_transform(VALUES, groups=KEYS)
    scaler = GroupScaler(shrinkage="none").fit(VALUES, groups=KEYS)
    scaler.groups_[:] = 0
    np.testing.assert_array_equal(scaler.transform(VALUES, groups=KEYS), expected)


def test_large_groups_of_values_that_are_converted():
    """They are copied a block at a time, and groups go on from one to the next."""
    x = rng.integers(-1000, 1000, (40_000, 9))
    keys = rng.integers(0, 3, len(x))
    found = GroupScaler(shrinkage="none").fit(x, groups=keys)
    expected = [BatchStatScaler().fit(x[keys == key].astype(float)) for key in range(3)]
    exact = np.stack([x[keys == key].sum(axis=0) / (keys == key).sum() for key in range(3)])
    np.testing.assert_allclose(found.mean_, exact, rtol=1e-15, atol=1e-15 * np.abs(x).max())
    np.testing.assert_allclose(found.var_, [one.var_ for one in expected], rtol=1e-13)
    np.testing.assert_array_equal(found.n_samples_seen_[:, 0], np.bincount(keys))


def test_missing_keys_are_one_group_without_pandas(monkeypatch):
    monkeypatch.setattr("sknorm._scalers.keys.encode_objects", lambda column: None)
    keys = np.array(["a", float("nan"), None, float("nan"), "a", pd.NA], dtype=object)
    found = GroupScaler().fit(VALUES[:6], groups=keys)
    assert found.groups_.tolist() == ["a", None]
