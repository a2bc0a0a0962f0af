"""Features that share one mean and one scale, by the parameter ``channels``."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import dense, some
from scipy import sparse
from sklearn.base import clone

from sknorm import BatchStatScaler, PowerNormScaler

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 5)) * [1, 10, 100, 1, 10] + [0, 5, -9, 1e3, 0]
FRAME = pd.DataFrame(X, columns=list("abcde"))
FORMS = [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_array]


@some
@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(0, 99))
def test_each_channel_is_as_its_values_in_one_column(labels, seed):
    x = np.random.default_rng(seed).normal(3, 2, (20, len(labels)))
    order = list(dict.fromkeys(labels))
    scaler = BatchStatScaler(channels=labels).fit(x)
    assert scaler.mean_.shape == (len(order),)
    z = scaler.transform(x)
    for k, label in enumerate(order):
        own = np.flatnonzero(np.array(labels) == label)
        single = BatchStatScaler().fit(x[:, own].reshape(-1, 1))
        np.testing.assert_allclose(scaler.mean_[k], single.mean_[0], rtol=1e-15)
        np.testing.assert_allclose(scaler.scale_[k], single.scale_[0], rtol=1e-15)
        np.testing.assert_allclose(z[:, own], (x[:, own] - scaler.mean_[k]) / scaler.scale_[k])
    np.testing.assert_allclose(scaler.inverse_transform(z), x, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("cls", [BatchStatScaler, PowerNormScaler])
def test_blocks_labels_and_n_channels_agree(cls, form):
    x = form(X[:, :4])
    neighbors = dense(cls(n_channels=2).fit(x).transform(x))
    for channels in ([[0, 1], [2, 3]], [[1, 0], (3, -1 - 1)], ["l", "l", "r", "r"], [7, 7, 2, 2]):
        scaler = cls(channels=channels).fit(x)
        np.testing.assert_allclose(dense(scaler.transform(x)), neighbors, rtol=1e-14, atol=1e-14)


def test_names_streams_and_merging():
    channels = [["a", "e"], ["c"], ["d", "b"]]
    scaler = BatchStatScaler(channels=channels).fit(FRAME)
    for k, names in enumerate(channels):
        np.testing.assert_allclose(scaler.mean_[k], FRAME[names].to_numpy().mean(), rtol=1e-14)
        np.testing.assert_allclose(scaler.scale_[k], FRAME[names].to_numpy().std(), rtol=1e-14)
    stream = clone(scaler).partial_fit(FRAME[:7]).partial_fit(FRAME[7:])
    merged = clone(scaler).merge(*(clone(scaler).fit(part) for part in (FRAME[:9], FRAME[9:])))
    for other in (stream, merged):
        np.testing.assert_allclose(other.mean_, scaler.mean_, rtol=1e-15)
        np.testing.assert_allclose(other.var_, scaler.var_, rtol=1e-15)
    part = scaler.select(["c", "b", "a"])
    z = scaler.transform(FRAME)[:, [2, 1, 0]]
    np.testing.assert_array_equal(part.transform(FRAME[["c", "b", "a"]]), z)
    assert part.n_features_in_ == 3


def test_channels_of_deep_input():
    x = rng.normal(5, 3, (6, 4, 3))
    scaler = BatchStatScaler(channels=[[0, 2], [1], [3]]).fit(x)
    np.testing.assert_allclose(scaler.mean_, [x[:, [0, 2]].mean(), x[:, 1].mean(), x[:, 3].mean()])
    z = (x - scaler.mean_[[0, 1, 0, 2], None]) / scaler.scale_[[0, 1, 0, 2], None]
    np.testing.assert_allclose(scaler.transform(x), z)


def test_gamma_is_per_channel_and_constants_are_features():
    x = np.column_stack([X, np.full(40, 3.0)])
    scaler = BatchStatScaler(channels=[[0, 1], [5], [2, 3, 4]], gamma=[1.0, 2.0, 3.0]).fit(x)
    np.testing.assert_array_equal(scaler.constant_features_, [5])
    plain = BatchStatScaler(channels=[[0, 1], [5], [2, 3, 4]]).fit(x)
    expected = plain.transform(x) * np.array([1, 1, 3, 3, 3, 2])
    np.testing.assert_allclose(scaler.transform(x), expected)


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ([["a"], ["b", "c", "d"]], "leaves out feature 'e'"),
        ([["a", "b"], ["a", "c", "d", "e"]], "has feature 'a' in channel 0 and again in channel 1"),
        ([["a", "b", "c", "d", "f"]], "no feature 'f'"),
        ([[0, 1], [], [2, 3, 4]], "Channel 1 of channels has no features"),
        ([1, 2], "2 labels, but X has 5"),
        ([[0], 1, 2, 3, 4], "mixes"),
        ([], "must be lists"),
        (3, "must be lists"),
        ("abcde", "must be lists"),
    ],
)
def test_channels_that_do_not_fit_are_refused(channels, message):
    scaler = BatchStatScaler().fit(FRAME)
    before = scaler.__dict__
    with pytest.raises(ValueError, match=message):
        scaler.set_params(channels=channels).fit(FRAME)
    assert scaler.mean_ is before["mean_"]


def test_channels_and_n_channels_exclude_each_other():
    with pytest.raises(ValueError, match="Leave one of them at None"):
        BatchStatScaler(channels=[0, 0, 0, 1, 1], n_channels=5).fit(X)
