"""Some features of a fitted scaler: columns of transform, of inverse_transform, and select."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from oracles import dense
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sknorm import (
    BatchStatScaler,
    GroupScaler,
    L2Normalizer,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
)

rng = np.random.default_rng(0)
NAMES = ["a", "b", "c", "d"]
X = rng.normal(size=(30, 4)) * [1.0, 1e-3, 1e5, 2.0] + [0.0, 5.0, -1e6, 300.0]
FRAME = pd.DataFrame(X, columns=NAMES)
CHANNEL = [
    BatchStatScaler(),
    BatchStatScaler(gamma=[1.0, 2.0, 3.0, 4.0], beta=[4.0, 3.0, 2.0, 1.0], ddof=1),
    PowerNormScaler(gamma=[1.0, 2.0, 3.0, 4.0]),
]
EACH = pytest.mark.parametrize("scaler", CHANNEL, ids=repr)
CHOICES = [
    (["c", "a"], [2, 0]),
    ([2, -4], [2, 0]),
    (slice(1, 3), [1, 2]),
    ([False, True, False, True], [1, 3]),
    (np.array([3, 1]), [3, 1]),
    (pd.Index(["d"]), [3]),
    ("b", [1]),
    (np.int64(2), [2]),
]


@EACH
@pytest.mark.parametrize(("columns", "places"), CHOICES, ids=[str(c) for c, _ in CHOICES])
def test_columns_are_those_of_the_whole(scaler, columns, places):
    scaler.fit(FRAME)
    z = scaler.transform(FRAME)
    np.testing.assert_array_equal(scaler.transform(X[:, places], columns=columns), z[:, places])
    frame = FRAME.iloc[:, places]
    np.testing.assert_array_equal(scaler.transform(frame, columns=columns), z[:, places])
    np.testing.assert_array_equal(scaler.transform(FRAME, columns=columns), z[:, places])
    back = scaler.inverse_transform(z[:, places], columns=columns)
    np.testing.assert_array_equal(back, scaler.inverse_transform(z)[:, places])
    part = scaler.select(columns)
    assert list(part.get_feature_names_out()) == [NAMES[k] for k in places]
    np.testing.assert_array_equal(part.transform(frame), z[:, places])


@EACH
@pytest.mark.filterwarnings("ignore:X is sparse")
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
def test_columns_of_sparse(scaler, form):
    scaler = clone(scaler).set_params(beta=None).fit(form(X))
    z = dense(scaler.transform(form(X)))
    np.testing.assert_array_equal(dense(scaler.transform(form(X[:, [3]]), columns=[3])), z[:, [3]])


@pytest.mark.parametrize("container", [np.asarray, pd.Series, pl.Series, list])
def test_one_feature_may_have_one_dimension(container):
    scaler = BatchStatScaler().fit(FRAME)
    z = scaler.transform(FRAME)[:, 1]
    one = scaler.transform(container(list(X[:, 1])), columns="b")
    np.testing.assert_array_equal(one, z)
    assert one.ndim == 1
    back = scaler.inverse_transform(container(list(z)), columns=1)
    np.testing.assert_allclose(back, X[:, 1], rtol=1e-15)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_keep_the_names_of_the_columns(library):
    scaler = BatchStatScaler().fit(FRAME).set_output(transform=library)
    z = scaler.transform(FRAME, columns=["d", "b"])
    assert list(z.columns) == ["d", "b"]
    assert list(scaler.transform(X[:, [3, 1]], columns=["d", "b"]).columns) == ["d", "b"]
    back = scaler.inverse_transform(z, columns=["d", "b"])
    assert list(back.columns) == ["d", "b"]
    np.testing.assert_allclose(np.asarray(back), X[:, [3, 1]], rtol=1e-15)


def test_slices():
    scaler = BatchStatScaler().fit(FRAME)
    for columns, names in (
        (slice("b", "c"), ["b", "c"]),
        (slice("c", None), ["c", "d"]),
        (slice(None, "b"), ["a", "b"]),
        (slice(-2, None), ["c", "d"]),
        (slice(None, None, -2), ["d", "b"]),
    ):
        assert list(scaler.select(columns).feature_names_in_) == names
    with pytest.raises(ValueError, match="no feature 'z'"):
        scaler.select(slice("z", None))
    for nothing in (slice(2, 2), slice("c", "a"), [False] * 4, []):
        with pytest.raises(ValueError, match="names no feature"):
            scaler.select(nothing)


LIBRARIES = [
    lambda frame: frame,
    pl.DataFrame,
    pa.Table.from_pandas,
    pa.RecordBatch.from_pandas,
]


@pytest.mark.parametrize("form", LIBRARIES, ids=["pandas", "polars", "Table", "RecordBatch"])
@pytest.mark.parametrize(
    "scaler",
    [
        BatchStatScaler(),
        PowerNormScaler(),
        SquashingScaler(),
        LayerScaler(keep_statistics=True),
        L2Normalizer(keep_norm=True),
        GroupScaler(by="a"),
    ],
    ids=repr,
)
def test_reordered_frames_are_refused(scaler, form):
    scaler = clone(scaler).fit(form(FRAME)).set_output(transform="pandas")
    assert list(scaler.feature_names_in_) == NAMES
    swapped = ["b", "a", *NAMES[2:]]
    with pytest.raises(ValueError, match="same order"):
        scaler.transform(form(FRAME[swapped]))
    scaled = scaler.transform(form(FRAME))
    scaler.inverse_transform(form(scaled))
    with pytest.raises(ValueError, match="same order"):
        scaler.inverse_transform(form(scaled[[*swapped, *list(scaled)[4:]]]))


@EACH
def test_a_selection_goes_on_by_itself(scaler):
    scaler.fit(FRAME)
    before = pickle.dumps(scaler)
    part = scaler.select(["c", "b"])
    frame = FRAME[["c", "b"]]
    part.partial_fit(frame)
    whole = pickle.loads(before).partial_fit(FRAME)
    np.testing.assert_allclose(part.scale_, whole.scale_[[2, 1]], rtol=1e-15)
    part.set_output(transform="pandas").gamma = 2.0
    part.scale_[:] = 1.0
    assert pickle.dumps(scaler) == before


def test_a_selection_keeps_units_and_counts_of_its_own():
    x = np.array([[1e200, 1.0, np.nan], [-1e200, 3.0, 2.0], [3e200, 5.0, 4.0]])
    scaler = BatchStatScaler().fit(x)
    z = scaler.transform(x)
    for places in ([0], [2, 0], [1, 2]):
        part = scaler.select(places)
        np.testing.assert_array_equal(part.transform(x[:, places]), z[:, places])
        known = pickle.loads(pickle.dumps(scaler)).partial_fit(x)
        part.partial_fit(x[:, places])
        np.testing.assert_allclose(part.scale_, known.scale_[places], rtol=1e-15)
        count = np.broadcast_to(part.n_samples_seen_, len(places))
        np.testing.assert_array_equal(count, known.n_samples_seen_[places])


def test_whole_channels_of_flattened_input():
    x = rng.normal(size=(20, 6))
    scaler = BatchStatScaler(n_channels=3).fit(x)
    z = scaler.transform(x)
    places = [4, 5, 0, 1]
    np.testing.assert_array_equal(scaler.transform(x[:, places], columns=places), z[:, places])
    assert scaler.select(places).n_channels == 2
    for bad in ([0], [1, 0], [1, 2]):
        with pytest.raises(ValueError, match="whole channels"):
            scaler.select(bad)


def test_channels_of_deep_input():
    x = rng.normal(size=(5, 4, 3))
    scaler = PowerNormScaler().fit(x)
    part = scaler.transform(x[:, [3, 1]], columns=[3, 1])
    np.testing.assert_array_equal(part, scaler.transform(x)[:, [3, 1]])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("z", "no feature 'z'. The features are 'a', 'b', 'c', 'd'"),
        (["a", "zz"], "no feature 'zz'"),
        ([4], "no feature 4: positions are 0 .. 3"),
        ([-5], "no feature -5"),
        (["a", 0], "'a' more than once"),
        ([], "names no feature"),
        ([True, False], "mask of 2 values, but there are 4"),
        (1.0, "by name or position, got 1.0"),
        ([None], "by name or position, got None"),
    ],
)
def test_columns_that_are_not_there_are_named(columns, message):
    scaler = BatchStatScaler().fit(FRAME)
    for call in (scaler.select, lambda c: scaler.transform(X, columns=c)):
        with pytest.raises(ValueError, match=message):
            call(columns)


def test_a_near_name_is_suggested():
    frame = pd.DataFrame(X[:, :2], columns=["price", "weight"])
    with pytest.raises(ValueError, match="Did you mean 'price'"):
        BatchStatScaler().fit(frame).select("prices")


def test_names_need_names():
    scaler = BatchStatScaler().fit(X)
    with pytest.raises(ValueError, match="knows no names"):
        scaler.transform(X, columns=["a"])
    with pytest.raises(NotFittedError):
        BatchStatScaler().select([0])
    with pytest.raises(ValueError, match="X has 4 features, but BatchStatScaler is expecting 2"):
        scaler.transform(X, columns=[0, 1])


@pytest.mark.parametrize("column", [b"a", [b"a"], 1.0, None, [None]])
def test_what_is_neither_a_name_nor_a_position_is_refused(column):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    with pytest.raises(ValueError, match="given by name or position, got"):
        BatchStatScaler().fit(frame).select(column)
