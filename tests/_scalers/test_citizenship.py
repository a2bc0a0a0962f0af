"""The estimators where scikit-learn's users put them."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from oracles import assert_state, ordinary, snapshot, with_zeros
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sknorm import (
    BatchStatScaler,
    GroupScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
    SquashingScaler,
)

CHANNEL = (BatchStatScaler, PowerNormScaler)
ALL = (*CHANNEL, SquashingScaler, LayerScaler, L1Normalizer, L2Normalizer, MaxNormalizer)
SETTINGS = [
    BatchStatScaler(momentum=0.1, gamma=[2.0] * 6, beta=1.0, eps=1e-5),
    BatchStatScaler(n_channels=3, n_jobs=2),
    PowerNormScaler(n_channels=2, gamma=np.array([1.0, 3.0])),
    LayerScaler(n_groups=2, gamma=np.ones(6), beta=3.0),
    L2Normalizer(keep_norm=True),
]
every_class = pytest.mark.parametrize("cls", ALL)
every_setting = pytest.mark.parametrize("estimator", [*(cls() for cls in ALL), *SETTINGS], ids=repr)
unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = ordinary()
NAMES = list("abcdef")
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


def frame(library, dtype=np.float64, x=X):
    return FRAMES[library](dict(zip(NAMES, x.astype(dtype).T, strict=True)))


def labeled(n=80, seed=0):
    """Return two classes, in columns of very different units."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = (rng.normal(size=(n, 4)) + 2 * y[:, None]) * [1e-6, 1.0, 1e3, 1e9]
    return x, y


def network(norm):
    mlp = MLPClassifier((8,), solver="lbfgs", max_iter=40, random_state=0)
    return Pipeline([("norm", norm), ("mlp", mlp)])


@every_setting
def test_clone_and_pickle(estimator):
    fitted = clone(estimator).fit(X)
    copied = pickle.loads(pickle.dumps(fitted))
    assert_state(copied, snapshot(fitted))
    np.testing.assert_array_equal(copied.transform(X), fitted.transform(X))
    cloned = clone(fitted)
    assert set(vars(cloned)) == set(cloned.get_params())
    assert repr(cloned) == repr(estimator)
    np.testing.assert_array_equal(cloned.fit(X).transform(X), fitted.transform(X))
    if isinstance(copied, CHANNEL):
        copied.partial_fit(X), fitted.partial_fit(X)
        np.testing.assert_array_equal(copied.scale_, fitted.scale_)


@every_setting
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("given", FRAMES)
def test_set_output(estimator, library, given, dtype):
    x = frame(given, dtype)
    before = x.copy() if given == "pandas" else x.clone()
    scaler = clone(estimator).set_output(transform=library)
    z = scaler.fit(x).transform(x)
    assert isinstance(z, FRAMES[library])
    names = list(scaler.get_feature_names_out())
    assert list(z.columns) == names == [*NAMES, "l2_norm"][: len(names)]
    assert {np.asarray(z[name]).dtype for name in names} == {np.dtype(dtype)}
    plain = clone(estimator).fit(np.asarray(x)).transform(np.asarray(x))
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(np.asarray(z), plain, rtol=tolerance, atol=tolerance)
    assert x.equals(before)


@pytest.mark.parametrize("cls", CHANNEL)
@pytest.mark.parametrize("library", FRAMES)
def test_frames_in_arrays_out(cls, library):
    for dtype in (np.float32, np.float64):
        z = cls().fit(frame(library, dtype)).transform(frame(library, dtype))
        assert isinstance(z, np.ndarray)
        assert z.dtype == dtype
    integers = frame(library, np.int32, X * 100)
    assert cls().fit(integers).transform(integers).dtype == np.float64


def test_a_pandas_index_is_kept_and_missing_values_too():
    x = frame("pandas").set_index(np.arange(100, 140))
    x.loc[105, "c"] = np.nan
    z = BatchStatScaler().set_output(transform="pandas").fit_transform(x)
    assert z.index.equals(x.index)
    assert z.isna().equals(x.isna())


def test_nullable_pandas_columns():
    x = frame("pandas").astype("Float64")
    x.loc[3, "b"] = pd.NA
    z = BatchStatScaler().fit_transform(x)
    expected = BatchStatScaler().fit_transform(x.to_numpy(dtype=np.float64, na_value=np.nan))
    np.testing.assert_allclose(z, expected, rtol=1e-14)


@every_class
def test_feature_names(cls):
    scaler = cls().fit(frame("pandas"))
    assert scaler.feature_names_in_.tolist() == NAMES
    assert scaler.get_feature_names_out().tolist() == NAMES
    assert cls().fit(X).get_feature_names_out().tolist() == [f"x{i}" for i in range(6)]
    assert not hasattr(scaler.fit(X), "feature_names_in_")
    with pytest.raises(ValueError, match="input_features"):
        scaler.get_feature_names_out(["a", "b"])


@every_class
@pytest.mark.parametrize("shape", [(40, 3, 2), (40, 6, 1, 1)])
def test_any_number_of_dimensions_through_a_pipeline(cls, shape):
    x, y = X.reshape(shape), np.arange(40) % 2
    flatten = FunctionTransformer(lambda z: z.reshape(len(z), -1))
    pipeline = make_pipeline(cls(), flatten, LogisticRegression()).fit(x, y)
    np.testing.assert_array_equal(pipeline[0].transform(x), cls().fit(x).transform(x))
    assert pipeline.predict(x).shape == (40,)


@pytest.mark.parametrize("cls", CHANNEL)
def test_sample_weight_is_routed(cls):
    x, y = labeled()
    weights = np.random.default_rng(1).random(len(x))
    with sklearn.config_context(enable_metadata_routing=True):
        steps = [
            cls().set_fit_request(sample_weight=True),
            LogisticRegression().set_fit_request(sample_weight=False),
        ]
        weighted = make_pipeline(*steps).fit(x, y, sample_weight=weights)
        request = cls().set_partial_fit_request(sample_weight="mass").get_metadata_routing()
        assert request.partial_fit.requests == {"sample_weight": "mass"}
    expected = cls().fit(x, sample_weight=weights).scale_
    np.testing.assert_array_equal(weighted[0].scale_, expected)
    assert not np.allclose(cls().fit(x).scale_, expected)


@unconverged
def test_cross_validation_in_processes():
    x, y = labeled()
    for norm in (BatchStatScaler(), make_pipeline(BatchStatScaler(n_jobs=2), L2Normalizer())):
        scores = cross_val_score(network(norm), x, y, cv=3, n_jobs=2)
        assert scores.mean() > 0.9


@unconverged
def test_grid_search_over_the_normalizers_themselves():
    x, y = labeled()
    norms = ["passthrough", *(cls() for cls in ALL), StandardScaler()]
    grid = [
        {"norm": norms},
        {"norm": [BatchStatScaler()], "norm__eps": [0.0, 1e-5], "norm__momentum": [None, 0.5]},
        {"norm": [LayerScaler()], "norm__n_groups": [1, 2, 4]},
    ]
    search = GridSearchCV(network(BatchStatScaler()), grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(x, y)
    assert search.best_score_ > 0.9
    by_column = (*CHANNEL, SquashingScaler, StandardScaler)
    assert isinstance(search.best_params_["norm"], by_column)


def test_grid_search_over_channels_of_positions():
    x, y = labeled()
    x = np.stack([x, x + 1, x - 1], axis=2)
    flatten = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 12)})
    pipeline = Pipeline(
        [("norm", BatchStatScaler()), ("flat", flatten), ("lr", LogisticRegression())]
    )
    search = GridSearchCV(pipeline, {"norm__eps": [0.0, 1e-5]}, cv=2, error_score="raise")
    assert search.fit(x, y).best_score_ > 0.9


def test_column_transformer():
    columns = ColumnTransformer(
        [
            ("batch", BatchStatScaler(), ["a", "b"]),
            ("length", L2Normalizer(keep_norm=True), ["c", "d"]),
            ("layer", LayerScaler(), ["e", "f"]),
        ]
    )
    z = columns.set_output(transform="pandas").fit_transform(frame("pandas"))
    expected = ["batch__a", "batch__b", "length__c", "length__d", "length__l2_norm"]
    assert list(z.columns) == [*expected, "layer__e", "layer__f"]
    np.testing.assert_allclose(z["length__l2_norm"], np.hypot(X[:, 2], X[:, 3]), rtol=1e-14)


def test_feature_union():
    union = FeatureUnion([("batch", BatchStatScaler()), ("norm", L1Normalizer(keep_norm=True))])
    z = union.fit_transform(frame("pandas"))
    assert z.shape == (40, 13)
    assert list(union.get_feature_names_out())[-1] == "norm__l1_norm"


def test_sparse_text_features_stay_sparse_through_a_pipeline():
    texts = ["red green", "green blue", "blue blue red", "yellow"] * 5
    for norm in (BatchStatScaler(), PowerNormScaler(), LayerScaler(), L2Normalizer()):
        pipeline = make_pipeline(TfidfVectorizer(), norm, TruncatedSVD(2, random_state=0))
        assert pipeline.fit_transform(texts).shape == (20, 2)
        assert sparse.issparse(pipeline[:-1].transform(texts))


@every_class
def test_html_has_a_link_to_our_documentation(cls):
    html = cls()._repr_html_()
    assert f"https://sknorm.readthedocs.io/en/stable/api.html#sknorm.{cls.__name__}" in html
    assert "scikit-learn.org" not in html.split("</style>")[-1].split("<script>")[0]


@every_setting
def test_parameters_survive_set_params(estimator):
    params = estimator.get_params()
    again = type(estimator)().set_params(**params)
    assert repr(again) == repr(estimator)
    assert again.get_params().keys() == params.keys()


@every_class
def test_values_that_share_memory_are_not_overwritten(cls):
    windows = np.lib.stride_tricks.sliding_window_view(ordinary().ravel()[:40], 4, writeable=True)
    before = windows.copy()
    scaler = cls(copy=False).fit(before.copy())
    expected = cls().fit(before).transform(before)
    np.testing.assert_array_equal(scaler.transform(windows), expected)
    np.testing.assert_array_equal(windows, before)


@every_class
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_matrices_of_numpy_are_refused(cls):
    with pytest.raises(TypeError, match=r"numpy\.matrix.* Pass numpy\.asarray\(X\)"):
        cls().fit(np.matrix([[1.0, 2.0], [3.0, 5.0]]))


# Merging


@pytest.mark.parametrize("cls", CHANNEL)
def test_merging_into_an_unfitted_scaler_copies_and_merging_none_does_nothing(cls):
    other = cls().fit(frame("pandas"))
    before = snapshot(other)
    scaler = cls(copy=False, n_jobs=2)
    assert scaler.merge(other) is scaler
    assert scaler.feature_names_in_.tolist() == NAMES
    assert scaler.n_features_in_ == 6
    np.testing.assert_array_equal(scaler.scale_, other.scale_)
    scaler.partial_fit(frame("pandas"))
    assert_state(other, before)


@pytest.mark.parametrize("cls", CHANNEL)
def test_merging_itself_doubles_its_weight(cls):
    scaler = cls().fit(X)
    scale = scaler.scale_.copy()
    scaler.merge(scaler)
    assert scaler.n_samples_seen_ == 80
    np.testing.assert_allclose(scaler.scale_, scale, rtol=1e-15)


def test_merging_with_and_without_names():
    named, unnamed = BatchStatScaler().fit(frame("pandas")), BatchStatScaler().fit(X)
    assert named.merge(unnamed).feature_names_in_.tolist() == NAMES
    assert BatchStatScaler().fit(X).merge(named).n_samples_seen_ == 120


def test_merging_weighted_and_unweighted():
    a = BatchStatScaler().fit(X[:20], sample_weight=np.full(20, 0.5))
    merged = BatchStatScaler().merge(a, BatchStatScaler().fit(X[20:]))
    assert merged.n_samples_seen_ == 30.0
    weights = np.r_[np.full(20, 0.5), np.ones(20)]
    whole = BatchStatScaler().fit(X, sample_weight=weights)
    np.testing.assert_allclose(merged.var_, whole.var_, rtol=1e-13)


def test_sparse_and_dense_merge_where_neither_centers():
    s = sparse.csr_array(with_zeros(X))
    merged = BatchStatScaler(with_mean=False).fit(s[:20])
    merged.merge(BatchStatScaler(with_mean=False).fit(s[20:].toarray()))
    whole = BatchStatScaler(with_mean=False).fit(s)
    np.testing.assert_allclose(merged.scale_, whole.scale_, rtol=1e-14)


def test_merging_running_statistics_pools_them():
    parts = [BatchStatScaler(momentum=0.5).fit(X[rows]) for rows in (slice(10), slice(10, 40))]
    pooled = BatchStatScaler(momentum=0.5).merge(*parts)
    np.testing.assert_allclose(pooled.mean_, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(pooled.var_, X.var(axis=0), rtol=1e-12)


@pytest.mark.parametrize("unit", [1.0, 1e-300, 1e-320, 1e306])
@pytest.mark.parametrize(
    "estimator",
    [
        BatchStatScaler(),
        BatchStatScaler(eps=1e-5, ddof=1),
        PowerNormScaler(),
        LayerScaler(keep_statistics=True),
        SquashingScaler(),
        L2Normalizer(keep_norm=True),
        GroupScaler(by=0),
        GroupScaler(scaler=SquashingScaler(), by=0),
    ],
    ids=repr,
)
def test_numpy_that_raises(estimator, unit):
    """What is computed on the way may come near 0, which NumPy can be told to raise at."""
    rows = np.random.default_rng(0).normal(size=(60, 3)) * unit
    rows[:, 0] = np.arange(60) % 3
    with np.errstate(all="raise"):
        fitted = clone(estimator).fit(rows)
        result = fitted.transform(rows)
        fitted = pickle.loads(pickle.dumps(fitted))
        if hasattr(fitted, "merge") and "Squashing" not in repr(fitted):
            fitted.merge(clone(estimator).fit(rows))
        if hasattr(fitted, "check_drift"):
            assert len(fitted.check_drift(rows).drifted) == 0
    expected = clone(estimator).fit(rows).transform(rows)
    np.testing.assert_array_equal(result, expected)
