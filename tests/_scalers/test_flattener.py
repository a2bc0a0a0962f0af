"""The step from channels and positions to columns."""

import pickle

import dask.array as da
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sknorm import BatchStatScaler, Flattener


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


@pytest.mark.parametrize("shape", [(2, 6), (2, 24), (3, 8), (2,)])
def test_the_way_back_takes_what_transform_gives_only(shape):
    step = Flattener().fit(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match=r"12 features|Expected 2D"):
        step.inverse_transform(np.zeros(shape))


def test_a_failed_fit_leaves_what_was_learned():
    step = Flattener().fit(np.zeros((2, 3, 4)))
    for bad in (np.zeros((2, 0, 4)), np.zeros((0, 3)), [["a"]], np.zeros(3), [[1j]]):
        with pytest.raises(ValueError, match=r"0 feature|0 sample|numeric|2D|Complex"):
            step.fit(bad)
    assert step.shape_ == (3, 4)
    assert step.n_features_in_ == 3


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_out(library):
    step = Flattener().set_output(transform=library)
    X = np.arange(24.0).reshape(2, 3, 4)
    out = step.fit_transform(X)
    assert list(out.columns) == list(step.get_feature_names_out())
    np.testing.assert_array_equal(step.inverse_transform(out), X)


def test_frames_and_sparse_arrays_have_two_dimensions_already():
    frame = pd.DataFrame({"a": [1, 2], "b": [3.0, None]})
    step = Flattener().set_output(transform="pandas").fit(frame)
    pd.testing.assert_frame_equal(step.transform(frame), frame.astype(float))
    pd.testing.assert_frame_equal(step.inverse_transform(frame), frame.astype(float))
    with pytest.raises(ValueError, match="feature names"):
        step.transform(frame[["b", "a"]])
    lazy = pl.from_pandas(frame).lazy()
    assert Flattener().fit(lazy).transform(lazy).collect().columns == ["a", "b"]
    x = sparse.random_array((5, 4), density=0.5, format="csr", rng=np.random.default_rng(0))
    assert (Flattener().fit_transform(x) != x).nnz == 0


def test_arrays_of_other_libraries_stay_what_they_are():
    xp = pytest.importorskip("torch")
    x = xp.arange(24.0).reshape(2, 3, 4).requires_grad_()
    step = Flattener().fit(x)
    out = step.transform(x)
    out.sum().backward()
    assert x.grad.shape == x.shape
    assert xp.equal(step.inverse_transform(out), x)


def test_dask_arrays():
    x = np.arange(120.0).reshape(5, 2, 3, 4)
    lazy = da.from_array(x, chunks=(2, 1, 3, 2))
    steps = make_pipeline(BatchStatScaler(), Flattener())
    out = steps.fit(lazy).transform(lazy)
    assert out.shape == (5, 24)
    np.testing.assert_allclose(out.compute(), steps.fit_transform(x), rtol=1e-14)
    back = steps[-1].inverse_transform(out)
    assert back.shape == x.shape
    np.testing.assert_allclose(steps[0].inverse_transform(back).compute(), x, rtol=1e-14)


def test_batches():
    x = np.arange(120.0).reshape(5, 2, 3, 4)
    step = Flattener().fit(iter([x[:3], x[3:]]))
    parts = list(step.transform(iter([x[:3], x[3:]])))
    np.testing.assert_array_equal(np.vstack(parts), x.reshape(5, 24))
