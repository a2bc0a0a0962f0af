"""Scalers of known statistics, and the settings ddof and on_constant."""

import pickle

import numpy as np
import pandas as pd
import pytest
from oracles import dense
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from sknorm import BatchStatScaler, PowerNormScaler, SquashingScaler

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4)) * [1.0, 1e-3, 1e5, 2.0] + [0.0, 5.0, -1e6, 300.0]


# From statistics


@pytest.mark.parametrize("by", ["var", "scale"])
def test_known_statistics_are_those_of_fit(by):
    fitted = BatchStatScaler().fit(X)
    known = {"var": X.var(axis=0)} if by == "var" else {"scale": X.std(axis=0)}
    scaler = BatchStatScaler.from_statistics(mean=X.mean(axis=0), n_samples=60, **known)
    np.testing.assert_allclose(scaler.transform(X), fitted.transform(X), rtol=1e-9, atol=1e-9)
    assert scaler.n_samples_seen_ == 60
    assert scaler.n_features_in_ == 4
    more = rng.normal(size=(9, 4))
    np.testing.assert_allclose(
        scaler.partial_fit(more).var_, fitted.partial_fit(more).var_, rtol=1e-12
    )
    assert clone(scaler).fit(X).merge(scaler).n_samples_seen_ == 129
    assert pickle.loads(pickle.dumps(scaler)).n_samples_seen_ == 69


def test_a_part_of_the_statistics_does_a_part():
    center = BatchStatScaler.from_statistics(mean=[1.0, 2.0])
    np.testing.assert_array_equal(center.transform([[3.0, 3.0]]), [[2.0, 1.0]])
    scale = BatchStatScaler.from_statistics(scale=[2.0, 4.0])
    np.testing.assert_array_equal(scale.transform([[2.0, 2.0]]), [[1.0, 0.5]])
    x = sparse.csr_array([[2.0, 0.0]])
    np.testing.assert_array_equal(dense(scale.transform(x)), [[1.0, 0.0]])
    both = BatchStatScaler.from_statistics(mean=[1.0, 2.0], var=4.0, eps=12.0, gamma=2.0)
    np.testing.assert_array_equal(both.transform([[3.0, 4.0]]), [[1.0, 1.0]])


def test_names_are_those_of_fit():
    frame = pd.DataFrame(X, columns=list("abcd"))
    scaler = BatchStatScaler.from_statistics(mean=X.mean(0), var=X.var(0), feature_names="abcd")
    np.testing.assert_array_equal(scaler.get_feature_names_out(), list("abcd"))
    scaler.set_output(transform="pandas")
    assert list(scaler.transform(frame).columns) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        scaler.transform(frame[list("badc")])


def test_extreme_and_constant_statistics():
    scaler = BatchStatScaler.from_statistics(mean=[1e150, 7.0], var=[1e280, 0.0], n_samples=5)
    np.testing.assert_array_equal(scaler.scale_, [1e140, 1.0])
    np.testing.assert_array_equal(scaler.transform([[1e150, 8.0]]), [[0.0, 1.0]])
    np.testing.assert_array_equal(scaler.constant_features_, [1])
    scaler = BatchStatScaler.from_statistics(mean=[1e308, 0.0], scale=[1e308, 1e-310])
    x = np.array([[-1.7e308, 1e-310], [1.7e308, -2e-310]])
    z = scaler.transform(x)
    np.testing.assert_allclose(z, [[-2.7, 1.0], [0.7, -2.0]], rtol=1e-14)
    np.testing.assert_allclose(scaler.inverse_transform(z), x, rtol=1e-14)


def test_power_norm():
    fitted = PowerNormScaler().fit(X)
    for known in ({"mean_square": (X**2).mean(0)}, {"scale": np.sqrt((X**2).mean(0))}):
        scaler = PowerNormScaler.from_statistics(n_samples=60, **known)
        np.testing.assert_allclose(scaler.transform(X), fitted.transform(X), rtol=1e-13)
        np.testing.assert_allclose(
            scaler.partial_fit(X[:9]).scale_, clone(fitted).fit(X).partial_fit(X[:9]).scale_
        )
    with pytest.raises(ValueError, match="one of them"):
        PowerNormScaler.from_statistics()


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"mean": [1, 2], "var": [1, 2, 3]}, "mean 2, var 3"),
        ({"mean": [1, 2], "var": [1, 2], "n_samples": [1, 2, 3]}, "n_samples 3"),
        ({"mean": [1, np.nan]}, "mean is nan for feature 1"),
        ({"mean": [1, np.inf]}, "mean is inf for feature 1"),
        ({"mean": ["a"]}, "must be numeric"),
        ({"mean": [[1.0]]}, r"shape \(1, 1\)"),
        ({"var": [1.0, -1.0]}, "var is -1.0 for feature 1"),
        ({"var": np.nan}, "var is nan."),
        ({"scale": [0.0]}, "scale is 0.0 for feature 0"),
        ({"mean": 1.0, "n_samples": -1}, "n_samples is -1"),
        ({}, "no statistics"),
        ({"var": 1.0, "scale": 1.0}, "not both"),
        ({"scale": 1.0, "eps": 1e-5}, "eps"),
        ({"mean": [1.0], "feature_names": ["a", "b"]}, "2 names, but there are statistics of 1"),
        ({"mean": [1.0, 2.0], "feature_names": ["a", "a"]}, "each given once"),
        ({"mean": [1.0], "feature_names": [3]}, "must be strings"),
        ({"mean": [1.0], "eps": -1.0}, "eps must be"),
    ],
)
def test_statistics_that_cannot_be_are_refused(known, message):
    with pytest.raises(ValueError, match=message):
        BatchStatScaler.from_statistics(**known)


def test_without_counts_there_is_no_going_on():
    scaler = BatchStatScaler.from_statistics(mean=[0.0], var=[1.0])
    for call in (scaler.partial_fit, lambda x: BatchStatScaler().fit(x).merge(scaler)):
        with pytest.raises(ValueError, match="n_samples_seen_"):
            call([[1.0], [2.0]])
    np.testing.assert_array_equal(scaler.transform([[3.0]]), [[3.0]])


# From other estimators


@pytest.mark.parametrize(
    "other",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        RobustScaler(),
        RobustScaler(with_centering=False, unit_variance=True),
        RobustScaler(with_scaling=False),
    ],
    ids=repr,
)
def test_a_scaler_from_another_does_the_same(other):
    frame = pd.DataFrame(X, columns=list("abcd"))
    other = clone(other).fit(frame)
    scaler = BatchStatScaler.from_estimator(other)
    np.testing.assert_allclose(scaler.transform(frame), other.transform(frame), rtol=1e-15)
    assert list(scaler.feature_names_in_) == list("abcd")
    if isinstance(other, StandardScaler) and other.with_std:
        scaler.partial_fit(frame[:7])
        expected = clone(other).fit(pd.concat([frame, frame[:7]]))
        np.testing.assert_allclose(scaler.scale_, expected.scale_, rtol=1e-10)
    kept = other.scale_ is not None and other.scale_.copy()
    if scaler.scale_ is not None:
        scaler.scale_[:] = 9.0
        np.testing.assert_array_equal(other.scale_, kept)


def test_from_standard_scaler_with_missing_values():
    x = X.copy()
    x[:5, 1] = np.nan
    scaler = BatchStatScaler.from_estimator(StandardScaler().fit(x))
    np.testing.assert_array_equal(scaler.n_samples_seen_, [60, 55, 60, 60])
    np.testing.assert_allclose(
        scaler.partial_fit(X).mean_, BatchStatScaler().fit(np.vstack([x, X])).mean_, rtol=1e-12
    )


@pytest.mark.parametrize("affine", [True, False])
def test_from_torch(affine):
    torch = pytest.importorskip("torch")
    layer = torch.nn.BatchNorm1d(4, affine=affine, eps=1e-3).double()
    if affine:
        torch.nn.init.uniform_(layer.weight)
        torch.nn.init.uniform_(layer.bias)
    x = torch.tensor(X)
    layer(x)
    layer.eval()
    scaler = BatchStatScaler.from_estimator(layer)
    expected = layer(x).detach().numpy()
    np.testing.assert_allclose(scaler.transform(X), expected, rtol=1e-12, atol=1e-12)
    bare = torch.nn.BatchNorm1d(4, track_running_stats=False)
    with pytest.raises(ValueError, match="no running statistics"):
        BatchStatScaler.from_estimator(bare)


def test_others_are_refused():
    with pytest.raises(NotFittedError):
        BatchStatScaler.from_estimator(StandardScaler())
    ours = (BatchStatScaler(gamma=2.0).fit(X), SquashingScaler().fit(X))
    for other in (MinMaxScaler().fit(X), object(), StandardScaler, *ours):
        with pytest.raises(TypeError, match="no fitted StandardScaler"):
            BatchStatScaler.from_estimator(other)


# Degrees of freedom


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_array])
@pytest.mark.parametrize("ddof", [0, 1, 2.5])
def test_ddof(ddof, form):
    scaler = BatchStatScaler(ddof=ddof, with_mean=False).fit(form(X))
    expected = X.var(axis=0) * 60 / (60 - ddof)
    np.testing.assert_allclose(scaler.var_, expected, rtol=1e-10)
    np.testing.assert_allclose(scaler.scale_, np.sqrt(expected), rtol=1e-10)
    stream = clone(scaler).partial_fit(form(X[:1])).partial_fit(form(X[1:]))
    np.testing.assert_allclose(stream.var_, scaler.var_, rtol=1e-13)
    merged = clone(scaler).merge(*(clone(scaler).fit(form(x)) for x in (X[:20], X[20:])))
    np.testing.assert_allclose(merged.var_, scaler.var_, rtol=1e-13)


def test_ddof_is_that_of_pandas():
    frame = pd.DataFrame(X)
    frame.iloc[:7, 2] = np.nan
    np.testing.assert_allclose(BatchStatScaler(ddof=1).fit(frame).var_, frame.var(), rtol=1e-9)


def test_ddof_of_extreme_values_and_weights():
    x = np.array([[1e200, 1.0], [-1e200, 3.0], [3e200, 5.0]])
    scaler = BatchStatScaler(ddof=1).fit(x)
    np.testing.assert_allclose(scaler.scale_, [np.std([1, -1, 3], ddof=1) * 1e200, 2.0], rtol=1e-14)
    weighted = BatchStatScaler(ddof=1).fit(x, sample_weight=[2, 2, 2])
    repeated = BatchStatScaler(ddof=1).fit(np.repeat(x, 2, axis=0))
    np.testing.assert_allclose(weighted.scale_, repeated.scale_, rtol=1e-14)


def test_ddof_of_one_value_is_not_known():
    scaler = BatchStatScaler(ddof=1).fit([[1.0, 2.0]])
    assert np.isnan(scaler.var_).all()
    np.testing.assert_array_equal(scaler.scale_, 1.0)
    np.testing.assert_allclose(scaler.partial_fit([[3.0, 2.0]]).var_, [2.0, 0.0])


def test_ddof_edited_after_fit_is_refused_until_a_batch_comes():
    scaler = BatchStatScaler(ddof=1).fit(X)
    scaler.set_params(ddof=0)
    with pytest.raises(ValueError, match="ddof is 0, but scale_ is that of ddof=1"):
        scaler.transform(X)
    scaler.partial_fit(X)
    np.testing.assert_allclose(scaler.var_, BatchStatScaler().fit(np.vstack([X, X])).var_)
    edited = BatchStatScaler(ddof=1).fit(X)
    edited.var_ = edited.var_ * 4
    more = clone(edited).fit(X).merge(edited).var_
    assert (more > edited.var_ / 4).all()


@pytest.mark.parametrize("ddof", [-1, np.nan, "1", None, True, np.inf])
def test_ddof_that_cannot_be_is_refused(ddof):
    with pytest.raises(ValueError, match="ddof must be"):
        BatchStatScaler(ddof=ddof).fit(X)


# Constant features


def test_constant_features_are_named():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 3.0], "c": [0.1, 0.1], "d": [np.nan] * 2})
    scaler = BatchStatScaler(on_constant="warn")
    with pytest.warns(UserWarning, match="Constant features: 'b', 'c'") as record:
        scaler.fit(frame)
    assert record[0].filename == __file__
    np.testing.assert_array_equal(scaler.constant_features_, [1, 2])
    with pytest.warns(UserWarning, match="Constant features: 1"):
        scaler.fit([[1.0, 2.0], [3.0, 2.0]])
    scaler.fit(X)
    assert scaler.constant_features_.size == 0
    assert not hasattr(BatchStatScaler(), "constant_features_")
    with pytest.raises(ValueError, match="on_constant must be 'ignore' or 'warn'"):
        BatchStatScaler(on_constant="raise").fit(X)


def test_constant_features_follow_the_attributes():
    scaler = BatchStatScaler(with_std=False).fit([[1.0, 2.0], [1.0, 3.0]])
    np.testing.assert_array_equal(scaler.constant_features_, [0])
    scaler = BatchStatScaler().fit([[1.0, 2.0], [1.0, 3.0]])
    scaler.var_ = np.array([1.0, 0.0])
    np.testing.assert_array_equal(scaler.constant_features_, [1])
