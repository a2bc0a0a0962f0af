"""Counts of groups are written when they are first read, and are those of the values."""

import json
import pickle

import joblib
import numpy as np
import pytest

from sknorm import GroupScaler
from sknorm._statistics.counted_later import CountedLater
from sknorm._statistics.moments import Moments

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 12))
KEYS = rng.integers(0, 40, 300)
SPARSE = np.where(rng.random(X.shape) < 0.3, np.nan, X)
SPARSE[KEYS == 7] = np.nan
SPARSE[KEYS == 8, 3] = np.nan
SPARSE[KEYS == 9, 5] = 1e200


def counts_of(x):
    known = ~np.isnan(x)
    return np.array([known[key == KEYS].sum(axis=0) for key in np.unique(KEYS)])


def moments_of(scaler):
    return scaler._group_statistics.moments


@pytest.mark.parametrize("x", [X, SPARSE], ids=["full", "missing"])
def test_counts_are_those_of_the_values(x):
    scaler = GroupScaler().fit(x, groups=KEYS)
    np.testing.assert_array_equal(scaler.n_samples_seen_, counts_of(x))
    known = moments_of(scaler).table
    plain = Moments(known.copy())
    np.testing.assert_array_equal(plain.count.reshape(-1, 12), counts_of(x))
    assert moments_of(scaler).table is known


@pytest.mark.parametrize("later", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("x", [X, SPARSE], ids=["full", "missing"])
def test_a_state_is_the_same_before_and_after(x, later):
    scaler = GroupScaler().fit(x, groups=KEYS)
    if later:
        scaler.transform(x, groups=KEYS)
    other = GroupScaler().fit(x[::-1], groups=KEYS[::-1] + 5)
    expected = moments_of(GroupScaler().fit(x, groups=KEYS)).table
    for again in (
        pickle.loads(pickle.dumps(scaler)),
        GroupScaler.from_dict(json.loads(json.dumps(scaler.to_dict()))),
        scaler,
    ):
        np.testing.assert_array_equal(moments_of(again).table, expected)
        merged = again.merge(other)
        both = np.concatenate([x, x[::-1]]), np.concatenate([KEYS, KEYS[::-1] + 5])
        whole = GroupScaler().fit(both[0], groups=both[1])
        order = np.argsort(merged.groups_)
        np.testing.assert_array_equal(
            merged.n_samples_seen_[order], whole.n_samples_seen_[np.argsort(whole.groups_)]
        )


def test_arrays_that_are_loaded_may_be_read_only(tmp_path):
    scaler = GroupScaler().fit(X, groups=KEYS)
    joblib.dump(scaler, tmp_path / "scaler")
    loaded = joblib.load(tmp_path / "scaler", mmap_mode="r")
    assert not moments_of(loaded).table.flags.writeable
    expected = scaler.transform(X, groups=KEYS)
    np.testing.assert_array_equal(loaded.transform(X, groups=KEYS), expected)


def test_a_fit_does_not_write_them():
    scaler = GroupScaler().fit(X, groups=KEYS)
    assert isinstance(moments_of(scaler), CountedLater)
    assert "table" not in vars(moments_of(scaler))
