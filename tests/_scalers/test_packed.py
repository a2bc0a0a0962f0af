"""Pickles hold the arrays of a state in one table, and not what follows from the others."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import some
from sklearn.base import clone

from sknorm import BatchStatScaler, GroupScaler, PowerNormScaler

CHANNEL = [BatchStatScaler, PowerNormScaler]
rng = np.random.default_rng(0)


def bits_of(scaler):
    """Return all that a scaler holds, to the last bit."""
    state = dict(vars(scaler))
    if "pooled_" in state:
        state["pooled_"] = bits_of(state["pooled_"])
    return {
        name: (value.shape, value.dtype, value.tobytes()) if type(value) is np.ndarray else value
        for name, value in state.items()
        if name != "_group_statistics"
    }


def check_ways_out(scaler):
    """Check that a pickle and copies are the scaler, to the last bit, and go on like it."""
    before = bits_of(scaler)
    text = io.BytesIO()
    joblib.dump(scaler, text)
    text.seek(0)
    for found in (
        pickle.loads(pickle.dumps(scaler)),
        joblib.load(text),
        copy.copy(scaler),
        copy.deepcopy(scaler),
    ):
        assert bits_of(found) == before
    assert bits_of(scaler) == before


@some
@given(
    st.sampled_from(CHANNEL),
    st.integers(1, 6),
    st.lists(st.sampled_from([0.0, -0.0, 1.0, 3.5, np.nan, 1e300, -1e300, 5e-324, 1e8]), min_size=1,
             max_size=24),
    st.sampled_from([None, 1.0, 0.3, 1e300, 1e-300]),
    st.booleans(),
    st.sampled_from([0.0, 1e-5, 1e300]),
)  # fmt: skip
def test_no_bit_is_lost(cls, n_features, values, weight, varied, eps):
    n_rows = -(-len(values) // n_features)
    x = np.resize(values, (n_rows, n_features)).astype(np.float64)
    if varied:
        x[:, 0] = np.arange(n_rows)
    weights = None if weight is None else weight * np.arange(1, n_rows + 1.0)
    scaler = cls(eps=eps).fit(x, sample_weight=weights)
    check_ways_out(scaler)
    again = pickle.loads(pickle.dumps(scaler))
    assert bits_of(again.partial_fit(x)) == bits_of(scaler.partial_fit(x))


@pytest.mark.parametrize(
    "scaler",
    [
        BatchStatScaler(),
        BatchStatScaler(with_std=False),
        BatchStatScaler(with_mean=False, with_std=False),
        BatchStatScaler(momentum=0.1, ddof=1, eps=1e-3),
        BatchStatScaler(n_channels=2, gamma=[2.0, 3.0]),
        PowerNormScaler(momentum=0.5),
        GroupScaler(by=0, shrinkage="none"),
    ],
    ids=repr,
)
def test_every_setting(scaler):
    x = rng.normal(size=(20, 4)) * [1.0, 1e-200, 1e200, 0.0]
    x[:, 0] = np.arange(20) // 7
    check_ways_out(clone(scaler))
    check_ways_out(scaler.fit(x))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale_", np.array([1.0, 2.0, 3.0])),
        ("scale_", np.array([2.0])),
        ("scale_", None),
        ("var_", np.array([-1.0, np.nan, np.inf])),
        ("mean_", np.zeros((1, 3))),
        ("mean_", np.arange(5.0)),
        ("var_", np.ones(3, dtype=np.float32)),
        ("_moments", None),
        ("n_samples_seen_", -3),
    ],
)
def test_what_was_set_by_hand_is_kept(name, value):
    scaler = BatchStatScaler().fit(rng.normal(size=(9, 3)))
    setattr(scaler, name, value)
    check_ways_out(scaler)
    scaler.eps = 0.5
    check_ways_out(scaler)


def test_known_statistics_are_kept():
    for scaler in (
        BatchStatScaler.from_statistics(mean=[1.0, 2.0], var=[3.0, 0.0]),
        BatchStatScaler.from_statistics(mean=[1.0, 2.0], scale=[0.1, 0.3], n_samples=7),
        PowerNormScaler.from_statistics(scale=[0.1, 0.7], eps=0.0),
    ):
        check_ways_out(scaler)


def test_a_pickle_of_this_form_is_read_for_ever():
    """Arrays are told by their place in the table: this state is not to be changed."""
    table = [[2.0, 3.0, 4.0], [1.0, 4.0, 9.0], [3.0, 12.0, 27.0], [1.0, 1.0, 1.0], [3.0, 5.0, 7.0]]
    packed = ([1, 1, 0, 0, 3, 2], {2: 0.0, 4: 0.0}, np.array(table))
    state = {
        **BatchStatScaler().get_params(), "n_features_in_": 3, "n_samples_seen_": 3,
        "_centered": True, "_eps": 0.0, "_ddof": 0.0,
        "_sknorm_version": BatchStatScaler().__getstate__()["_sknorm_version"], "_table": packed,
    }  # fmt: skip
    scaler = BatchStatScaler()
    scaler.__setstate__(state)
    np.testing.assert_array_equal(scaler.mean_, table[0])
    np.testing.assert_array_equal(scaler.var_, table[1])
    np.testing.assert_array_equal(scaler.scale_, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(scaler._moments, [[0.0] * 3, table[2], [0.0] * 3])
    np.testing.assert_array_equal(scaler._training, table[3:])
    found, expected = scaler.__getstate__().pop("_table"), packed
    assert found[:2] == ([1, 1, 0, 0, 3, 2], {2: 0.0, 4: 0.0, 5: 1.0})
    np.testing.assert_array_equal(found[2], np.delete(expected[2], 3, axis=0))


@pytest.mark.parametrize(("cls", "first"), [(BatchStatScaler, 121_992), (PowerNormScaler, 128_926)])
def test_pickles_are_half_of_what_they_were(cls, first):
    """The first version kept these bytes of a thousand features."""
    x = rng.normal(size=(500, 1000))
    for weights in (None, rng.uniform(size=500)):
        size = len(pickle.dumps(cls().fit(x, sample_weight=weights)))
        if weights is None:
            assert size <= first / 2
        assert size <= first


def test_rows_of_a_memory_map_can_be_written(tmp_path):
    path = tmp_path / "scaler.joblib"
    joblib.dump(BatchStatScaler().fit(rng.normal(size=(9, 3))), path)
    scaler = joblib.load(path, mmap_mode="r")
    scaler.mean_[0] = 5.0
    assert scaler.mean_[0] == 5.0
