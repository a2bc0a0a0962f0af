"""Bad input: a clear error that names the thing and the way out, and leaves the state as it was."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pytest
from oracles import assert_state, ordinary, snapshot, with_zeros
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
)

CHANNEL = (BatchStatScaler, PowerNormScaler)
NORMS = (L1Normalizer, L2Normalizer, MaxNormalizer)
ALL = (*CHANNEL, LayerScaler, *NORMS)
X = ordinary()
S = sparse.csr_array(with_zeros(X))


def put(value, row=3, column=2, x=X):
    x = x.copy()
    x[row, column] = value
    return x


def frame(x=X, names="abcdef", library=pd):
    return library.DataFrame(dict(zip(names, x.T, strict=True)))


def text_frame(library):
    columns = {
        "weight": [1.0, 2.0, 3.0],
        "color": ["red", "green", "red"],
        "kind": ["a", "b", "a"],
    }
    return library.DataFrame(columns)


class Data(NamedTuple):
    """Bad data: what the error must say, by which classes, and where besides fit."""

    x: Any
    says: tuple[str, ...]
    classes: tuple[type, ...] = ALL
    in_transform: bool = True
    error: type[Exception] = ValueError


DAY = np.datetime64("2020-01-01")


class Held:
    """An array in a container of which nothing but ``__array__`` is known."""

    def __init__(self, values):
        self._values, self.shape = values, values.shape

    def __array__(self, dtype=None, copy=None):
        return self._values

    def __len__(self):
        return len(self._values)


DATA = {
    "1-D": Data(X[0], ("Expected 2D array", "reshape(-1, 1)")),
    "scalar": Data(3.0, ("Expected 2D array",)),
    "empty": Data(X[:0], ("0 sample", "minimum of 1")),
    "no features": Data(X[:, :0], ("0 feature", "minimum of 1")),
    "no positions": Data(np.ones((4, 6, 0)), ("0 feature", "axis")),
    "no rows, sparse": Data(S[:0], ("0 sample",)),
    "strings": Data(np.full((4, 6), "red"), ("numeric",)),
    "objects with text": Data(np.full((4, 6), "red", dtype=object), ("red", "OneHotEncoder")),
    "list of text": Data([["a", "b"], ["c", "d"]], ("numeric",)),
    "text in a pandas frame": Data(text_frame(pd), ("'color'", "'kind'", "OneHotEncoder")),
    "text in a polars frame": Data(text_frame(pl), ("'color'", "'kind'", "OneHotEncoder")),
    "complex": Data(X + 1j, ("Complex data not supported", "feature 0", "imaginary")),
    "complex, N-d": Data(np.ones((4, 6, 2)) * 1j, ("Complex data not supported. X has complex",)),
    "complex, pandas": Data(
        frame(X).assign(c=1j),
        ("Complex data not supported", "not numeric: 'c'. 'c' has complex128"),
    ),
    "dates in another container": Data(Held(np.full((4, 6), DAY)), ("datetime64", "numbers")),
    "complex, sparse": Data(S * 1j, ("omplex",)),
    "datetime": Data(np.full((4, 6), np.datetime64("2020-01-01")), ("datetime64", "numbers")),
    "timedelta": Data(np.full((4, 6), np.timedelta64(3, "s")), ("timedelta64", "numbers")),
    "inf": Data(put(np.inf), ("infinity", "feature 2", "row 3", "Replace")),
    "-inf": Data(put(-np.inf), ("infinity", "feature 2", "row 3")),
    "inf beside NaN": Data(put(np.inf, x=put(np.nan, 9, 2)), ("infinity", "row 3"), CHANNEL),
    "inf, F order": Data(np.asfortranarray(put(np.inf)), ("feature 2", "row 3")),
    "inf, strided": Data(put(np.inf)[::3], ("feature 2", "row 1")),
    "inf, float32": Data(put(np.inf).astype(np.float32), ("float32", "feature 2", "row 3")),
    "inf, float16": Data(put(np.inf, x=X * 0).astype(np.float16), ("feature 2", "row 3")),
    "inf, list": Data(put(np.inf).tolist(), ("feature 2", "row 3")),
    "inf, csr": Data(sparse.csr_array(put(np.inf, x=S.toarray())), ("feature 2", "row 3")),
    "inf, csc": Data(sparse.csc_matrix(put(np.inf, x=S.toarray())), ("feature 2", "row 3")),
    "inf, pandas": Data(frame(put(np.inf)), ("infinity", "'c'", "row 3")),
    "inf, polars": Data(frame(put(np.inf), library=pl), ("infinity", "'c'", "row 3")),
    "inf, N-d": Data(put(np.inf).reshape(40, 3, 2), ("feature 1", "row 3", "position (0,)")),
    "NaN": Data(put(np.nan), ("NaN", "feature 2", "row 3", "SimpleImputer"), NORMS),
    "NaN, csr": Data(sparse.csr_array(put(np.nan)), ("NaN", "feature 2", "row 3"), NORMS),
    "NaN, pandas": Data(frame(put(np.nan)), ("NaN", "'c'", "row 3"), NORMS),
}
CASES = [
    pytest.param(case, cls, id=f"{name}-{cls.__name__}")
    for name, case in DATA.items()
    for cls in case.classes
]


def fitted_for(cls, x):
    """Return an estimator fitted on good data of the same width and names."""
    width = len(x.columns) if hasattr(x, "columns") else (*np.shape(x), 6, 6)[1] or 6
    good = np.ones((3, width)) * [[1.0], [2.0], [4.0]]
    if hasattr(x, "columns"):
        good = type(x)(dict(zip(x.columns, good.T, strict=True)))
    return cls().fit(sparse.csr_array(good) if sparse.issparse(x) else good)


def assert_refused(call, says, error=ValueError):
    with pytest.raises(error) as raised:
        call()
    message = str(raised.value)
    for part in says:
        assert part in message, message


@pytest.mark.parametrize(("case", "cls"), CASES)
def test_bad_data(case, cls):
    unfitted, fitted = cls(), fitted_for(cls, case.x)
    before = snapshot(unfitted), snapshot(fitted)
    assert_refused(lambda: unfitted.fit(case.x), case.says, case.error)
    assert_state(unfitted, before[0])
    calls = [fitted.fit, fitted.transform, lambda x: fitted.transform(x, copy=False)]
    calls += [fitted.partial_fit, fitted.inverse_transform] if cls in CHANNEL else []
    for call in calls:
        if call == getattr(fitted, "inverse_transform", None):
            with pytest.raises(case.error):
                call(case.x)
        else:
            assert_refused(lambda call=call: call(case.x), case.says, case.error)
        assert_state(fitted, before[1])


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_infinity_is_found_before_anything_is_overwritten(cls, form, dtype):
    good = form(with_zeros(X).astype(dtype))
    bad = form(put(np.inf, 39, 5, with_zeros(X)).astype(dtype))
    values = bad.data if sparse.issparse(bad) else bad
    before = values.copy()
    assert_refused(lambda: cls().fit(good).transform(bad, copy=False), ("feature 5", "row 39"))
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, frame])
def test_another_number_of_features(cls, form):
    good, bad = form(X), form(X[:, :5]) if form is not frame else frame(X[:, :5], "abcde")
    if form is frame:
        good, bad = good.to_numpy(), bad.to_numpy()
    scaler = cls().fit(good)
    before = snapshot(scaler)
    says = ("X has 5 features", cls.__name__, "expecting 6")
    calls = [scaler.transform]
    calls += [scaler.partial_fit, scaler.inverse_transform] if cls in CHANNEL else []
    for call in calls:
        assert_refused(lambda call=call: call(bad), says)
        assert_state(scaler, before)


@pytest.mark.parametrize("cls", ALL)
def test_other_names_of_features(cls):
    scaler = cls().fit(frame())
    before = snapshot(scaler)
    says = ("feature names", "zzz")
    assert_refused(lambda: scaler.transform(frame().rename(columns={"b": "zzz"})), says)
    if cls in CHANNEL:
        assert_refused(lambda: scaler.partial_fit(frame().rename(columns={"b": "zzz"})), says)
    assert_state(scaler, before)


EVERY = (*CHANNEL, LayerScaler)
PARAMETERS = [
    ({"momentum": 0}, ("momentum", "(0, 1]", "0"), CHANNEL),
    ({"momentum": -0.1}, ("momentum", "(0, 1]", "-0.1"), CHANNEL),
    ({"momentum": 1.01}, ("momentum", "(0, 1]", "newest batch"), CHANNEL),
    ({"momentum": np.nan}, ("momentum", "nan"), CHANNEL),
    ({"momentum": "0.1"}, ("momentum", "'0.1'"), CHANNEL),
    ({"momentum": True}, ("momentum", "True"), CHANNEL),
    ({"eps": -1e-9}, ("eps", ">= 0", "-1e-09"), EVERY),
    ({"eps": np.nan}, ("eps", "nan"), EVERY),
    ({"eps": np.inf}, ("eps", "inf"), EVERY),
    ({"eps": "small"}, ("eps", "'small'"), EVERY),
    ({"n_channels": 4}, ("n_channels=4", "does not divide the 6", "1, 2, 3, 6"), CHANNEL),
    ({"n_channels": 0}, ("n_channels", ">= 1", "0"), CHANNEL),
    ({"n_channels": 2.0}, ("n_channels", "whole number", "2.0"), CHANNEL),
    ({"n_channels": -2}, ("n_channels", "-2"), CHANNEL),
    ({"n_groups": 4}, ("n_groups=4", "does not divide the 6", "1, 2, 3, 6"), (LayerScaler,)),
    ({"n_groups": 0}, ("n_groups", ">= 1"), (LayerScaler,)),
    ({"n_groups": None}, ("n_groups", "None"), (LayerScaler,)),
    ({"gamma": [1.0, 2.0]}, ("gamma", "(2,)", "(6,)"), EVERY),
    ({"beta": [1.0, 2.0]}, ("beta", "(2,)", "(6,)"), EVERY),
    ({"gamma": np.ones((6, 1))}, ("gamma", "(6, 1)", "(6,)"), EVERY),
    ({"gamma": np.nan}, ("gamma", "finite", "nan"), EVERY),
    ({"beta": [np.inf] * 6}, ("beta", "finite"), EVERY),
    ({"beta": 10**400}, ("beta", "numeric"), EVERY),
    ({"momentum": 10**400}, ("momentum", "(0, 1]"), CHANNEL),
    ({"eps": 10**400}, ("eps", "finite"), EVERY),
    ({"gamma": "large"}, ("gamma", "numeric", "'large'"), EVERY),
    ({"with_mean": "yes"}, ("with_mean", "'auto'", "'yes'"), (BatchStatScaler, LayerScaler)),
    ({"with_mean": None}, ("with_mean", "None"), (BatchStatScaler, LayerScaler)),
    ({"with_std": 2}, ("with_std", "True or False"), (BatchStatScaler, LayerScaler)),
    ({"copy": "no"}, ("copy", "True or False", "'no'"), ALL),
    ({"n_jobs": 0}, ("n_jobs", "0"), ALL),
    ({"n_jobs": 1.5}, ("n_jobs", "1.5"), ALL),
    ({"keep_norm": 1}, ("keep_norm", "True or False"), NORMS),
]


@pytest.mark.parametrize(
    ("params", "says", "cls"),
    [
        pytest.param(params, says, cls, id=f"{params}-{cls.__name__}")
        for params, says, classes in PARAMETERS
        for cls in classes
    ],
)
def test_bad_parameters(params, says, cls):
    unfitted, fitted = cls(**params), cls().fit(X).set_params(**params)
    before = snapshot(unfitted), snapshot(fitted)
    assert_refused(lambda: unfitted.fit(X), says)
    assert_state(unfitted, before[0])
    for call in (fitted.fit, getattr(fitted, "partial_fit", fitted.fit)):
        assert_refused(lambda call=call: call(X), says)
        assert_state(fitted, before[1])


def test_n_channels_is_for_flattened_input():
    x = X.reshape(40, 3, 2)
    assert_refused(lambda: BatchStatScaler(n_channels=2).fit(x), ("n_channels=2", "None"))
    BatchStatScaler(n_channels=3).fit(x)


@pytest.mark.parametrize("cls", CHANNEL)
def test_gamma_is_per_channel(cls):
    says = ("gamma", "(6,)", "(3,)")
    assert_refused(lambda: cls(n_channels=3, gamma=np.ones(6)).fit(X), says)


@pytest.mark.parametrize("cls", CHANNEL)
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_array])
@pytest.mark.parametrize(("old", "new"), [(2, 3), (2, None), (None, 2), (3, 1), (1, 6)])
def test_another_n_channels_after_fitting(cls, form, old, new):
    x = form(with_zeros(X))
    scaler = cls(n_channels=old).fit(x).set_params(n_channels=new)
    before = snapshot(scaler)
    for call in (scaler.partial_fit, scaler.transform, scaler.inverse_transform):
        assert_refused(lambda call=call: call(x), ("n_channels", "channels"))
        assert_state(scaler, before)
    scaler.fit(x).transform(x)


WEIGHTS = {
    "negative": (np.r_[np.ones(39), -1], ("sample_weight", "row 39", "-1", ">= 0")),
    "all zero": (np.zeros(40), ("weights", "non-zero")),
    "too few": (np.ones(39), ("sample_weight", "(39,)", "(40,)")),
    "too many": (np.ones(41), ("sample_weight", "(41,)", "(40,)")),
    "2-D": (np.ones((40, 1)), ("1D",)),
    "NaN": (np.r_[np.ones(39), np.nan], ("sample_weight", "NaN")),
    "inf": (np.r_[np.ones(39), np.inf], ("sample_weight", "infinity")),
    "text": (["heavy"] * 40, ("heavy",)),
    "name": ("heavy", ("sample_weight is 'heavy'", "name of a column")),
    "complex": (np.ones(40) * 1j, ("Complex data", "sample_weight")),
    "dates": (np.full(40, DAY), ("sample_weight has datetime64",)),
    "index of dates": (pd.DatetimeIndex([DAY] * 40), ("sample_weight has datetime64",)),
    "durations": (pd.to_timedelta(range(40)), ("sample_weight has timedelta64",)),
    "negative number": (-1.0, ("sample_weight", ">= 0")),
}


@pytest.mark.parametrize("cls", CHANNEL)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("weights", "says"), WEIGHTS.values(), ids=WEIGHTS)
def test_bad_weights(weights, says, form, cls):
    x = form(with_zeros(X))
    unfitted, fitted = cls(), cls().fit(x)
    before = snapshot(unfitted), snapshot(fitted)
    assert_refused(lambda: unfitted.fit(x, sample_weight=weights), says)
    assert_state(unfitted, before[0])
    for call in (fitted.fit, fitted.partial_fit):
        assert_refused(lambda call=call: call(x, sample_weight=weights), says)
        assert_state(fitted, before[1])


def fit(x=X, **params):
    return BatchStatScaler(**params).fit(x)


MERGES = {
    "unfitted": (fit(), BatchStatScaler(), ("not fitted",), NotFittedError),
    "class": (fit(), PowerNormScaler().fit(X), ("PowerNormScaler", "BatchStatScaler")),
    "no scaler": (fit(), X, ("not an estimator",), TypeError),
    "another's scaler": (fit(), StandardScaler().fit(X), ("StandardScaler", "BatchStatScaler")),
    "width": (fit(), fit(X[:, :5]), ("6 and 5 features",)),
    "eps": (fit(), fit(eps=1e-5), ("eps", "0.0", "1e-05", "same settings")),
    "momentum": (fit(momentum=0.1), fit(momentum=0.2), ("momentum", "0.1", "0.2")),
    "with_mean": (fit(), fit(with_mean=False), ("with_mean", "same settings")),
    "n_channels": (fit(n_channels=2), fit(n_channels=3), ("n_channels", "2", "3")),
    "gamma": (fit(gamma=[1.0] * 6), fit(gamma=[2.0] * 6), ("gamma",)),
    "names": (fit(frame()), fit(frame(names="abcdez")), ("feature 5", "'f'", "'z'")),
    "sparse": (fit(S), fit(S.toarray()), ("sparse", "dense", "with_mean=False")),
    "dense": (fit(S.toarray()), fit(S), ("sparse", "dense", "with_mean=False")),
}


@pytest.mark.parametrize("merge", MERGES.values(), ids=MERGES)
def test_merging_what_does_not_fit(merge):
    scaler, other, says, error = (*merge, ValueError)[:4]
    before = snapshot(scaler)
    assert_refused(lambda: scaler.merge(other), says, error)
    assert_state(scaler, before)
    assert_refused(lambda: scaler.merge(fit(**scaler.get_params()), other), says, error)
    assert_state(scaler, before)


def test_merging_two_that_differ_into_an_unfitted_one():
    scaler = BatchStatScaler()
    before = snapshot(scaler)
    assert_refused(lambda: scaler.merge(fit(), fit(X[:, :5])), ("6 and 5 features",))
    assert_state(scaler, before)


@pytest.mark.parametrize("cls", CHANNEL)
@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
@pytest.mark.parametrize("x", [X, S], ids=["dense", "sparse"])
def test_not_fitted_yet(cls, method, x):
    scaler = cls()
    assert_refused(lambda: getattr(scaler, method)(x), (cls.__name__, "fit"), NotFittedError)
    assert_state(scaler, snapshot(cls()))


CENTER = ("center", "with_mean=False", "toarray()")
OFFSET = ("beta", "beta=None", "toarray()")


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("cls", [BatchStatScaler, LayerScaler])
def test_sparse_into_a_scaler_that_centers(form, cls):
    scaler = cls(with_mean=True).fit(X)
    before = snapshot(scaler)
    for call in (scaler.fit, scaler.transform):
        assert_refused(lambda call=call: call(form(S)), CENTER)
        assert_state(scaler, before)


def test_sparse_after_dense_into_a_scaler_that_decided_to_center():
    scaler = BatchStatScaler().fit(X)
    before = snapshot(scaler)
    for call in (scaler.transform, scaler.inverse_transform, scaler.partial_fit):
        assert_refused(lambda call=call: call(S), CENTER)
        assert_state(scaler, before)


@pytest.mark.parametrize("cls", [BatchStatScaler, PowerNormScaler, LayerScaler])
@pytest.mark.parametrize("beta", [1.0, [0, 0, 0, 0, 0, 1]])
def test_beta_with_sparse_input(cls, beta):
    scaler = cls(beta=beta)
    before = snapshot(scaler)
    assert_refused(lambda: scaler.fit(S), OFFSET)
    assert_state(scaler, before)
    cls(beta=0.0).fit(S).transform(S)
    cls(beta=[0] * 6).fit(S).transform(S)


@pytest.mark.parametrize("cls", CHANNEL)
def test_inverse_where_gamma_is_zero(cls):
    scaler = cls(gamma=[1, 1, 0, 1, 1, 1]).fit(X)
    assert_refused(lambda: scaler.inverse_transform(X), ("gamma", "0", "channel 2"))


@pytest.mark.parametrize("cls", [L1Normalizer, L2Normalizer])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_norm_that_cannot_be_kept(cls, form, dtype):
    x = form(np.array([[1, 2], [np.finfo(dtype).max] * 2], dtype=dtype))
    cls().fit_transform(x)
    says = ("norm of row 1", "keep_norm", "Divide X")
    assert_refused(lambda: cls(keep_norm=True).fit_transform(x), says)


@pytest.mark.parametrize("cls", NORMS)
def test_inverse_needs_the_column_of_norms(cls):
    normalizer = cls(keep_norm=True).fit(X)
    assert_refused(lambda: normalizer.inverse_transform(X), ("6 features", "expecting 7"))


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("cls", ALL)
def test_data_frames_have_two_dimensions(library, cls):
    scaler = cls().fit(X.reshape(40, 3, 2)).set_output(transform=library)
    before = snapshot(scaler)
    says = ("3 dimensions", library, "set_output", "reshape")
    assert_refused(lambda: scaler.transform(X.reshape(40, 3, 2)), says)
    assert_state(scaler, before)


@pytest.mark.parametrize(
    "value",
    [
        np.datetime64("2020"),
        np.full(6, 1 + 1j),
        np.ma.masked_equal([2.0] * 5 + [3.0], 3.0),
        ["x"] * 100_000,
        np.array(["2020-01-01"] * 6, dtype="M8[D]"),
        object(),
    ],
    ids=["date", "complex", "masked", "long", "dates", "object"],
)
def test_parameters_that_are_no_numbers(value):
    for cls in (BatchStatScaler, LayerScaler):
        for name in ("gamma", "beta"):
            with pytest.raises(ValueError, match=f"{name} must be numeric, got ") as caught:
                cls(**{name: value}).fit(X).transform(X)
            assert len(str(caught.value)) < 200
    for name in ("mean", "var", "scale"):
        given = {"mean": np.ones(6)} | ({"scale": np.ones(6)} if name == "mean" else {})
        with pytest.raises(ValueError, match=f"{name} must be numeric, got "):
            BatchStatScaler.from_statistics(**(given | {name: value}))
    scaler = BatchStatScaler().fit(X)
    scaler.mean_ = value
    with pytest.raises(ValueError, match="mean_ must be numeric, got "):
        scaler.transform(X)


@pytest.mark.parametrize("cls", [BatchStatScaler, PowerNormScaler])
def test_numbers_of_other_types_as_eps(cls):
    expected = cls(eps=0.5).fit_transform(X)
    for eps in (Fraction(1, 2), np.float32(0.5)):
        np.testing.assert_array_equal(cls(eps=eps).fit_transform(X), expected)
