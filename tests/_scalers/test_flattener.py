"""The step from channels and positions to columns."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from sknorm import Flattener


def test_there_and_back():
    X = np.arange(24.0).reshape(2, 3, 4)
    step = Flattener()
    out = step.fit_transform(X)
    assert np.array_equal(out, X.reshape(2, 12))
    assert np.shares_memory(out, X)
    assert np.array_equal(step.inverse_transform(out), X)
    assert step.get_feature_names_out()[[0, 4, 11]].tolist() == ["x0_0", "x1_0", "x2_3"]
    assert step.get_feature_names_out(["a", "b", "c"])[-1] == "c_3"
    assert np.array_equal(pickle.loads(pickle.dumps(clone(step).fit(X))).transform(X), out)


def test_two_dimensions_stay():
    X = np.arange(6.0).reshape(2, 3)
    step = Flattener().fit(X)
    assert np.array_equal(step.transform(X), X)
    assert step.get_feature_names_out().tolist() == ["x0", "x1", "x2"]


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"samples of shape \(3, 5\); in fit it was \(3, 4\)"):
        Flattener().fit(np.zeros((2, 3, 4))).transform(np.zeros((2, 3, 5)))
