"""Converted scalers in onnxruntime, and in SQL: the numbers of the scalers themselves."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import LEARNERS
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sknorm import (
    BatchStatScaler,
    Flattener,
    GroupScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
    SquashingScaler,
)

skl2onnx = pytest.importorskip("skl2onnx")
runtime = pytest.importorskip("onnxruntime")

PER_ROW = [
    LayerScaler(),
    LayerScaler(n_groups=2, gamma=[1.0, 2.0, 3.0, 4.0], beta=1.0),
    LayerScaler(with_mean=False, eps=1e-5),
    LayerScaler(with_std=False),
    LayerScaler(with_mean=False, with_std=False),
]
NORMS = [L1Normalizer(), L2Normalizer(), L2Normalizer(keep_norm=True), MaxNormalizer()]
MORE = [
    PowerNormScaler(gamma=[1.0, 0.0, 2.0, 3.0]),
    BatchStatScaler(channels=[0, 1, 0, 1]),
    SquashingScaler(squash="clip", beta=0.5),
]
# How far float64 and float32 may be off, in units in the last place of the largest output.
ULPS = 8
OPSETS = [13, 17, 18, 21]
ZERO, TINY = 0.0, 1e-30

rng = np.random.default_rng(3)
X = rng.normal(size=(60, 4)) * [1.0, 1e-3, 1e5, 1.0] + [0.0, 1e5, 1e8, 5.0]
X[:, 3] = 7.0
HOLES = X.copy()
HOLES[3, 1], HOLES[4], HOLES[5], HOLES[6] = np.nan, np.nan, 3.0, 0.0


def run(model, x, opset=None, **options):
    """Return what onnxruntime makes of x."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = skl2onnx.to_onnx(model, x[:1], target_opset=opset, **options)
        assert not {node.domain for node in converted.graph.node} - {"", "ai.onnx.ml"}
    session = runtime.InferenceSession(
        converted.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: x})


def assert_close(found, expected, dtype):
    assert found.dtype == expected.dtype == dtype
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    scale = np.maximum(np.nanmax(np.abs(expected), axis=0, keepdims=True), TINY)
    error = np.nanmax(np.abs(found.astype(float) - expected.astype(float)) / scale)
    assert error <= ULPS * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("estimator", [*LEARNERS, *MORE, *PER_ROW, *NORMS], ids=repr)
def test_agreement(estimator, opset, dtype):
    with_gaps = "Normalizer" not in type(estimator).__name__
    x = (HOLES if with_gaps else X).astype(dtype)
    fitted = clone(estimator).fit(x)
    assert_close(run(fitted, x, opset)[0], fitted.transform(x), dtype)


@pytest.mark.parametrize("offset", [1.0, 30.0, 1e3, 1e5])
@pytest.mark.parametrize(
    "estimator", [BatchStatScaler(), SquashingScaler(), LayerScaler()], ids=repr
)
def test_differences_of_float32_lose_no_digits(estimator, offset):
    x = (rng.normal(size=(50, 6)) + offset).astype(np.float32)
    fitted = clone(estimator).fit(x)
    assert_close(run(fitted, x)[0], fitted.transform(x), np.float32)


def test_rows_that_are_constant_but_for_rounding():
    x = 1e8 * (1 + np.array([[0.0, 1, 2, 3], [5, 5, 5, 5], [0, 0, 1e9, 0]]) * 2.0**-52)
    fitted = LayerScaler().fit(x)
    expected = fitted.transform(x)
    assert not expected[:2].any()
    assert expected[2].any()
    assert_close(run(fitted, x)[0], expected, np.float64)


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=2, max_size=12),
    offset=st.sampled_from([0.0, 1.0, 1e4, 1e8, -1e8]),
    unit=st.sampled_from([1e-30, 1e-3, 1.0, 1e12]),
    dtype=st.sampled_from([np.float64, np.float32]),
    estimator=st.sampled_from([BatchStatScaler(), SquashingScaler(), PowerNormScaler(),
                               LayerScaler(), L2Normalizer(), L1Normalizer()]),
)  # fmt: skip
def test_any_numbers(rows, offset, unit, dtype, estimator):
    x = np.array(rows)
    x = ((x + offset * max(x.std(), 1e-3)) * unit).astype(dtype)
    fitted = clone(estimator).fit(x)
    expected = fitted.transform(x)
    if estimator.__class__ is LayerScaler:
        # Whether a row is constant is decided by a bound that rounding may be on either side of.
        spread = np.ptp(x.astype(float), axis=1) / np.abs(x.astype(float)).max(axis=1)
        kept = (spread > 1e-10) | (spread == 0)
        if not kept.all():
            return
        kept = np.finfo(dtype).eps / np.maximum(spread[spread > 0], TINY)
        if kept.size and (dtype == np.float64) and kept.max() > 1e-8:
            return
    assert_close(run(fitted, x)[0], expected, dtype)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    "estimator",
    [BatchStatScaler(), SquashingScaler(), LayerScaler(n_groups=2), LayerScaler(), L2Normalizer()],
    ids=repr,
)
def test_channels_and_positions(estimator, opset):
    for shape in ((6, 4, 5), (6, 4, 3, 2)):
        x = rng.normal(3.0, 2.0, size=shape).astype(np.float32)
        fitted = clone(estimator).fit(x)
        found = run(fitted, x, opset)[0]
        assert found.shape == x.shape
        assert_close(found.reshape(6, -1), fitted.transform(x).reshape(6, -1), np.float32)


def test_extremes():
    x = rng.normal(1.0, 1.0, size=(20, 4)) * [1e300, 1e-300, 1e200, 1.0]
    fitted = BatchStatScaler().fit(x)
    assert_close(run(fitted, x)[0], fitted.transform(x), np.float64)
    for estimator in (L2Normalizer(), LayerScaler()):
        assert_close(run(estimator.fit(x), x)[0], estimator.transform(x), np.float64)
    x = np.array([-1.79, -0.4, 0.1, 0.3, 0.6, 0.7, 1.79])[:, None] * [1e308, 1e-308, 1.0]
    for squash in (None, "soft", "tanh", "clip"):
        fitted = SquashingScaler(squash=squash).fit(x)
        assert_close(run(fitted, x)[0], fitted.transform(x), np.float64)
    x = (rng.normal(1.0, 1.0, size=(20, 2)) * [1e30, 1e-30]).astype(np.float32)
    fitted = BatchStatScaler().fit(x)
    assert_close(run(fitted, x)[0], fitted.transform(x), np.float32)


def test_integers():
    x = rng.integers(0, 1000, size=(30, 3))
    fitted = BatchStatScaler().fit(x)
    found = run(fitted, x)[0]
    np.testing.assert_allclose(found, fitted.transform(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scaler", [BatchStatScaler(), SquashingScaler(), LayerScaler()], ids=repr)
@pytest.mark.parametrize("model", [MLPClassifier(max_iter=30), LogisticRegression()], ids=repr)
def test_pipelines_give_the_same_labels(scaler, model, dtype):
    x, y = load_wine(return_X_y=True)
    x = x.astype(dtype)
    model = clone(model).set_params(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(clone(scaler), model).fit(x, y)
    labels, shares = run(pipeline, x, options={"zipmap": False})
    np.testing.assert_array_equal(labels, pipeline.predict(x))
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(shares, pipeline.predict_proba(x), atol=tolerance)


def test_columns_of_a_frame():
    frame = pd.DataFrame(X, columns=list("abcd")).assign(kind=["x", "y"] * 30)
    prepared = ColumnTransformer(
        [("numbers", BatchStatScaler(), list("abc")), ("more", L2Normalizer(), ["d", "a"]),
         ("kind", OneHotEncoder(sparse_output=False), ["kind"])]
    ).fit(frame)  # fmt: skip
    types = {name: skl2onnx.common.data_types.DoubleTensorType([None, 1]) for name in "abcd"}
    types["kind"] = skl2onnx.common.data_types.StringTensorType([None, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = skl2onnx.to_onnx(prepared, initial_types=list(types.items()))
    session = runtime.InferenceSession(
        converted.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = {name: frame[[name]].to_numpy() for name in frame}
    found = session.run(None, given)[0]
    np.testing.assert_allclose(found, prepared.transform(frame), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "estimator", [BatchStatScaler(), SquashingScaler(), LayerScaler()], ids=repr
)
def test_columns_that_come_one_by_one_lose_no_digits(estimator):
    types = skl2onnx.common.data_types
    kinds = {"whole": types.Int64TensorType([None, 1]), "wide": types.DoubleTensorType([None, 1]),
             "single": types.FloatTensorType([None, 1])}  # fmt: skip
    columns = {"whole": np.arange(60)[:, None] + (1 << 40), "wide": X[:, [2]],
               "single": X[:, [0]].astype(np.float32)}  # fmt: skip
    frame = pd.DataFrame({name: values[:, 0] for name, values in columns.items()})
    fitted = clone(estimator).fit(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = skl2onnx.to_onnx(fitted, initial_types=list(kinds.items()))
    session = runtime.InferenceSession(
        converted.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    assert_close(session.run(None, columns)[0], fitted.transform(frame), np.float64)


def test_images_for_a_model():
    x = X[:48].reshape(8, 2, 3, 4)
    y = np.arange(8) % 2
    model = MLPClassifier(hidden_layer_sizes=3, max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(BatchStatScaler(), Flattener(), model).fit(x, y)
    assert_close(run(pipeline[:-1], x)[0], pipeline[:-1].transform(x), np.float64)
    labels, shares = run(pipeline, x, options={"zipmap": False})
    np.testing.assert_array_equal(labels, pipeline.predict(x))
    np.testing.assert_allclose(shares, pipeline.predict_proba(x), atol=1e-12)


def test_subclasses_are_converted_too():
    class Mine(BatchStatScaler):
        pass

    fitted = Mine().fit(X)
    assert_close(run(fitted, X)[0], fitted.transform(X), np.float64)


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (GroupScaler(by=0), NotImplementedError, "scaler_of"),
        (LayerScaler(keep_statistics=True), NotImplementedError, "keep_statistics"),
    ],
    ids=repr,
)
def test_what_cannot_be_expressed_is_refused_with_the_reason(estimator, error, message):
    keyed = np.column_stack([np.arange(60) % 3, X])
    with pytest.raises(error, match=message):
        run(clone(estimator).fit(keyed), keyed)


def test_an_unfitted_scaler_and_another_width():
    with pytest.raises(Exception, match="not fitted"):
        run(BatchStatScaler(), X)
    with pytest.raises(Exception, match="4 features"):
        run(BatchStatScaler().fit(X), X[:, :3])


def test_a_fitted_group_is_converted():
    keyed = np.column_stack([np.arange(60) % 3, X])
    one = GroupScaler(by=0).fit(keyed).scaler_of(1.0)
    assert_close(run(one, X)[0], one.transform(X), np.float64)


# SQL, by way of ONNX


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "scaler",
    [
        BatchStatScaler(),
        BatchStatScaler(gamma=2.0, beta=1.0),
        PowerNormScaler(),
        SquashingScaler(squash=None),
    ],
    ids=repr,
)
@pytest.mark.parametrize("model", ["ridge", "mlp"])
def test_sql(scaler, model):
    orbital = pytest.importorskip("orbital")
    import duckdb

    x, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(x, columns=list("abcd"))
    model = (
        Ridge()
        if model == "ridge"
        else MLPRegressor(hidden_layer_sizes=(5,), max_iter=50, random_state=0)
    )
    pipeline = make_pipeline(clone(scaler), model).fit(frame, y)
    types = {name: orbital.types.DoubleColumnType() for name in frame}
    parsed = orbital.parse_pipeline(pipeline, features=types)
    query = orbital.export_sql("data", parsed, dialect="duckdb")
    connection = duckdb.connect()
    connection.register("data", frame)
    found = connection.execute(query).df().to_numpy()[:, -1]
    np.testing.assert_allclose(found, pipeline.predict(frame), rtol=1e-12, atol=1e-12)


def fused(model, x, opset=None):
    """Return what is converted with ONNX's own node for layers, and what that makes of x."""
    types = skl2onnx.common.data_types.guess_data_type(x[:1])
    converted = skl2onnx.convert_sklearn(
        model,
        initial_types=[("X", types[0][1].__class__([None, *x.shape[1:]]))],
        target_opset=opset,
        custom_conversion_functions={LayerScaler: LayerScaler.onnx_fused_converter},
    )
    session = runtime.InferenceSession(
        converted.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return converted, session.run(None, {"X": x})[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "estimator",
    [
        LayerScaler(eps=2.0**-17),
        LayerScaler(n_groups=2, eps=2.0**-10, gamma=[1.0, 2.0, 3.0, 4.0], beta=1.0),
    ],
    ids=repr,
)
def test_the_fused_node_on_request(estimator, dtype):
    # The node has its eps in float32, where these are exact.
    x = rng.normal(size=(50, 4)).astype(dtype)
    fitted = clone(estimator).fit(x)
    converted, found = fused(fitted, x)
    assert "LayerNormalization" in {node.op_type for node in converted.graph.node}
    np.testing.assert_allclose(found, fitted.transform(x), rtol=0, atol=64 * np.finfo(dtype).eps)
    plain = skl2onnx.to_onnx(fitted, x[:1])
    assert "LayerNormalization" not in {node.op_type for node in plain.graph.node}


def test_what_the_fused_node_cannot_express_is_refused():
    for scaler in (LayerScaler(with_mean=False), LayerScaler(with_std=False)):
        with pytest.raises(NotImplementedError, match="centers and scales"):
            fused(scaler.fit(X), X)
    with pytest.raises(NotImplementedError, match="needs opset 17"):
        fused(LayerScaler().fit(X), X, opset=15)
    with pytest.raises(NotImplementedError, match="keep_statistics"):
        fused(LayerScaler(keep_statistics=True).fit(X), X)
