"""What stands for numbers is taken as StandardScaler takes it; what does not is refused by name."""

import ctypes
import datetime
import decimal
import fractions
import io

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from oracles import by_reference
from scipy import sparse
from sklearn.preprocessing import Normalizer, StandardScaler

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

D, F = decimal.Decimal, fractions.Fraction
ALL = [
    BatchStatScaler,
    PowerNormScaler,
    SquashingScaler,
    LayerScaler,
    L1Normalizer,
    L2Normalizer,
    MaxNormalizer,
]
NUMBERS = [[1.5, 2.0], [2.5, -4.0], [3.25, 8.0]]
decimals = [[D(str(value)) for value in row] for row in NUMBERS]
texts = [[str(value) for value in row] for row in NUMBERS]


def columns(rows):
    """Return rows as a dict of columns."""
    return dict(zip("ab", map(list, zip(*rows, strict=True)), strict=True))


TAKEN = {
    "list": NUMBERS,
    "list of Decimal": decimals,
    "tuples of Fraction": tuple(tuple(F(value) for value in row) for row in NUMBERS),
    "list of text": texts,
    "array of text": np.array(texts),
    "array of bytes": np.array(texts, dtype="S"),
    "array of StringDType": np.array(texts, dtype=np.dtypes.StringDType()),
    "array of objects": np.array(decimals, dtype=object),
    "array of mixed objects": np.array([[1.5, "2"], [D("2.5"), -4], [F(13, 4), True * 8]], object),
    "pandas objects": pd.DataFrame(columns(decimals)),
    "pandas text": pd.DataFrame(columns(texts)),
    "pandas string": pd.DataFrame(columns(texts), dtype="string"),
    "pandas categories": pd.DataFrame(columns(NUMBERS), dtype="category"),
    "pandas Float64": pd.DataFrame(columns(NUMBERS), dtype="Float64"),
    "pandas Arrow": pd.DataFrame(columns(NUMBERS), dtype="double[pyarrow]"),
    "pandas Arrow decimals": pd.DataFrame(
        {
            name: pd.array(values, pd.ArrowDtype(pa.decimal128(10, 3)))
            for name, values in columns(decimals).items()
        }
    ),
    "pandas of two dtypes": pd.DataFrame(columns(NUMBERS)).astype({"a": "Float64", "b": "int8"}),
    "pandas with a sparse column": pd.DataFrame(columns(NUMBERS)).astype(
        {"a": pd.SparseDtype(float, np.nan)}
    ),
    "polars": pl.DataFrame(columns(NUMBERS)),
    "polars decimals": pl.DataFrame(columns(decimals)),
    "polars text": pl.DataFrame(columns(texts)),
    "Arrow": pa.table(columns(NUMBERS)),
    "Arrow decimals": pa.table(columns(decimals)),
    "Arrow batch of text": pa.record_batch(columns(texts)),
    "big-endian": np.array(NUMBERS, dtype=">f8"),
}


@pytest.mark.parametrize("kind", TAKEN)
@pytest.mark.parametrize("cls", ALL)
def test_numbers_in_any_container(cls, kind):
    expected = cls().fit_transform(np.array(NUMBERS))
    scaler = cls()
    np.testing.assert_allclose(scaler.fit_transform(TAKEN[kind]), expected, rtol=1e-14)
    np.testing.assert_allclose(scaler.transform(TAKEN[kind]), expected, rtol=1e-14)
    found = by_reference(lambda: cls().fit(TAKEN[kind]).transform(TAKEN[kind]))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    if hasattr(scaler, "mean_"):
        back = scaler.inverse_transform(TAKEN[kind])
        np.testing.assert_allclose(back, scaler.inverse_transform(np.array(NUMBERS)))


MISSING = {
    "list": [[1.0, None], [2.0, 3.0], [None, 5.0]],
    "objects": np.array([[1.0, pd.NA], [2, D(3)], [None, 5.0]], dtype=object),
    "pandas objects": pd.DataFrame({"a": [1, 2, pd.NA], "b": [None, 3, 5]}, dtype=object),
    "pandas Int64": pd.DataFrame({"a": [1, 2, None], "b": [None, 3, 5]}, dtype="Int64"),
    "pandas Arrow": pd.DataFrame({"a": [1, 2, None], "b": [None, 3, 5]}, dtype="int8[pyarrow]"),
    "pandas sparse": pd.DataFrame(
        {"a": [1, 2, np.nan], "b": [np.nan, 3, 5]}, dtype=pd.SparseDtype(float, np.nan)
    ),
    "polars": pl.DataFrame({"a": [1, 2, None], "b": [None, 3, 5]}),
    "polars text": pl.DataFrame({"a": ["1", "2", None], "b": [None, "3", "5"]}),
    "Arrow": pa.table({"a": [1, 2, None], "b": [None, 3, 5]}),
    "masked": np.ma.masked_array([[1, 9], [2, 3], [9, 5]], [[0, 1], [0, 0], [1, 0]]),
    "masked floats": np.ma.masked_invalid([[1.0, np.nan], [2, 3], [np.nan, 5]]),
    "masked objects": np.ma.masked_array(
        np.array([[D(1), D(9)], [D(2), D(3)], [D(9), D(5)]]), [[0, 1], [0, 0], [1, 0]]
    ),
}


@pytest.mark.parametrize("kind", MISSING)
@pytest.mark.parametrize("cls", [BatchStatScaler, PowerNormScaler, LayerScaler])
def test_missing_values_in_any_container(cls, kind):
    x = np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, 5.0]])
    np.testing.assert_array_equal(cls().fit_transform(MISSING[kind]), cls().fit_transform(x))


@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_refused_by_norms(kind):
    with pytest.raises(ValueError, match="NaN"):
        L2Normalizer().fit(MISSING[kind])


@pytest.mark.parametrize("n_rows", [3, 5000])
@pytest.mark.parametrize("kind", [k for k in ("Int128", "UInt128") if hasattr(pl, k)])
def test_integers_of_128_bits(kind, n_rows):
    numbers = [k * 10**20 for k in range(n_rows)]
    frame = pl.DataFrame({"a": pl.Series(numbers, dtype=getattr(pl, kind))})
    fitted = BatchStatScaler().fit(frame)
    assert fitted.mean_ == pytest.approx(1e20 * (n_rows - 1) / 2, rel=1e-15)
    assert GroupScaler(by="a").fit(frame.with_columns(b=1.0)).groups_.tolist() == numbers


@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame, pa.table])
def test_columns_of_lists_are_named(form):
    with pytest.raises((ValueError, TypeError), match=r"not numeric: 'b'.*\[1.0, 2.0\]"):
        BatchStatScaler().fit(form({"a": [1.0, 2.0], "b": [[1.0, 2.0], [3.0, 4.0]]}))


def test_integers_too_large_for_int64():
    rows = [[10**30], [3 * 10**30]]
    np.testing.assert_allclose(
        BatchStatScaler().fit_transform(rows), StandardScaler().fit_transform(rows)
    )
    rows = [[3 * 10**30, 4 * 10**30]]
    np.testing.assert_allclose(L2Normalizer().fit_transform(rows), Normalizer().fit_transform(rows))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(columns(NUMBERS), dtype="float32"),
        pd.DataFrame(columns(NUMBERS), dtype="Float32"),
        pd.DataFrame(columns(NUMBERS), dtype="float[pyarrow]"),
        pl.DataFrame(columns(NUMBERS), schema={"a": pl.Float32, "b": pl.Float32}),
        pa.table(columns(NUMBERS), schema=pa.schema({"a": pa.float32(), "b": pa.float32()})),
    ],
    ids=["numpy", "nullable", "arrow", "polars", "table"],
)
@pytest.mark.parametrize("cls", ALL)
def test_float32_stays_float32(cls, frame):
    assert cls().fit_transform(frame).dtype == np.float32


day = datetime.date(2020, 1, 1)
DATES = {
    "pandas": pd.DataFrame({"size": [1.0, 2.0], "when": pd.to_datetime([day, day])}),
    "pandas with a zone": pd.DataFrame({"when": pd.to_datetime([day] * 2, utc=True)}),
    "pandas durations": pd.DataFrame({"when": pd.to_timedelta([1, 2], "s")}),
    "pandas periods": pd.DataFrame({"when": pd.period_range("2020", periods=2, freq="D")}),
    "pandas intervals": pd.DataFrame({"when": pd.interval_range(0, 2)}),
    "pandas objects": pd.DataFrame({"size": [1, 2], "when": [day, day]}, dtype=object),
    "pandas Arrow": pd.DataFrame({"when": [day, day]}, dtype="date32[pyarrow]"),
    "pandas NaT": pd.DataFrame({"when": [pd.NaT, 1.0]}, dtype=object),
    "polars": pl.DataFrame({"size": [1.0, 2.0], "when": [day, day]}),
    "polars durations": pl.DataFrame({"when": [datetime.timedelta(1)] * 2}),
    "polars times": pl.DataFrame({"when": [datetime.time(1)] * 2}),
    "Arrow": pa.table({"size": [1.0, 2.0], "when": [day, day]}),
    "Arrow times": pa.table({"when": [datetime.time(1)] * 2}),
    "Arrow durations": pa.record_batch({"when": [datetime.timedelta(1)] * 2}),
}
WITHOUT_NAMES = {
    "datetime64": np.array([["2020-01-01", "2021-01-01"]], dtype="M8[D]"),
    "timedelta64": np.array([[1, 2]], dtype="m8[s]"),
    "objects": np.array([[1.0, np.datetime64("2020")], [2.0, np.datetime64("2021")]], object),
    "list": [[1.0, day], [2.0, day]],
    "list of durations": [[np.timedelta64(1, "s"), np.timedelta64(2, "s")]],
}


@pytest.mark.parametrize("kind", DATES)
@pytest.mark.parametrize("cls", ALL)
def test_dates_are_refused_by_the_name_of_the_column(cls, kind):
    with pytest.raises(ValueError, match=r"'when'.*dates and durations") as raised:
        cls().fit(DATES[kind])
    assert "OneHotEncoder" not in str(raised.value)
    assert "'size'" not in str(raised.value)


@pytest.mark.parametrize("kind", WITHOUT_NAMES)
@pytest.mark.parametrize("cls", ALL)
def test_dates_without_names(cls, kind):
    with pytest.raises(ValueError, match="dates and durations") as raised:
        cls().fit(WITHOUT_NAMES[kind])
    assert "OneHotEncoder" not in str(raised.value)


words = {"color": ["red", "blue"], "size": [1.0, 2.0], "kind": ["x", None]}
WORDS = {
    "pandas": pd.DataFrame(words),
    "pandas string": pd.DataFrame(words).astype({"color": "string", "kind": "string"}),
    "pandas categories": pd.DataFrame(words).astype({"color": "category", "kind": "category"}),
    "polars": pl.DataFrame(words),
    "polars categories": pl.DataFrame(words, schema_overrides={"color": pl.Categorical}),
    "Arrow": pa.table(words),
    "Arrow batch": pa.record_batch(words),
    "Arrow dictionaries": pa.table(words).set_column(
        0, "color", pa.array(words["color"]).dictionary_encode()
    ),
}


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("cls", ALL)
def test_text_is_refused_by_the_names_of_the_columns(cls, kind):
    with pytest.raises(ValueError, match=r"'color', 'kind'.*'red'.*row 0.*OneHotEncoder") as raised:
        cls().fit(WORDS[kind])
    assert "'size'" not in str(raised.value)


class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no words")

    __hash__ = None


@pytest.mark.parametrize(
    "names", [["a", "a"], [0, 1], [("a", "b"), ("a", "c")], [None, 1.5], [Unspeakable, "b"]]
)
def test_the_error_never_fails_itself(names):
    x = pd.DataFrame([[Unspeakable(), "red"]])
    x.columns = pd.MultiIndex.from_tuples(names) if isinstance(names[0], tuple) else names
    with pytest.raises(ValueError, match=r"not numeric.*OneHotEncoder"):
        BatchStatScaler().fit(x)
    with pytest.raises(TypeError, match=r"feature 0.*Unspeakable.*row 1"):
        BatchStatScaler().fit(np.array([[1.0], [Unspeakable()]], dtype=object))


UNREAD = {
    "dict": (columns(NUMBERS), "DataFrame"),
    "set": ({1.0, 2.0}, "list"),
    "file": (io.BytesIO(b"1,2"), "path"),
    "groupby": (pd.DataFrame(NUMBERS).groupby(0), "GroupScaler"),
    "frames": ([pd.DataFrame(NUMBERS)] * 2, "iter"),
}


@pytest.mark.parametrize("kind", UNREAD)
@pytest.mark.parametrize("cls", ALL)
def test_what_has_to_be_read_first(cls, kind):
    x, way_out = UNREAD[kind]
    fitted = cls().fit(NUMBERS)
    for method in (cls().fit, fitted.fit, fitted.transform):
        with pytest.raises(TypeError, match=f"X is an? .*{way_out}"):
            method(x)


@pytest.mark.parametrize(
    ("module", "name", "way_out"),
    [
        ("ray.data", "Dataset", "to_pandas"),
        ("sparse.numba_backend", "SparseArray", "to_scipy_sparse"),
        ("datasets.dataset_dict", "DatasetDict", "train"),
    ],
)
def test_containers_of_other_libraries(module, name, way_out):
    x = type(name, (), {"__module__": module, "shape": (2, 2)})()
    with pytest.raises(TypeError, match=way_out):
        BatchStatScaler().fit(x)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2], [3, 4], [5]], "row 0 has length 2, row 2 has length 1"),
        ([(1.0,), np.array([1.0, 2.0])], "row 0 has length 1, row 1 has length 2"),
        ([[1, 2], 3], "row 0 has length 2, row 1 has no list"),
    ],
)
def test_ragged_rows_are_named(cls, rows, message):
    with pytest.raises(ValueError, match=f"rows of different lengths.*{message}"):
        cls().fit(rows)


def test_arrays_of_ctypes():  # whose class has no module
    x = (ctypes.c_double * 2 * 3)((1, 2), (3, 5), (6, 7))
    expected = BatchStatScaler().fit_transform(np.array(x))
    np.testing.assert_array_equal(BatchStatScaler().fit_transform(x), expected)


# Weights

WEIGHTS = {
    "list": [1, 2, 3],
    "Decimal": [D(1), D(2), D(3)],
    "text": ["1", "2", "3"],
    "pandas": pd.Series([1, 2, 3], dtype="Int64", index=[7, 8, 9]),
    "pandas Arrow": pd.Series([1, 2, 3], dtype="float[pyarrow]"),
    "polars": pl.Series([1, 2, 3]),
    "Arrow": pa.array([1, 2, 3]),
    "Arrow chunks": pa.chunked_array([[1, 2], [3]]),
    "masked nowhere": np.ma.masked_array([1.0, 2.0, 3.0], [False] * 3),
}
BAD_WEIGHTS = {
    "None": ([1.0, None, 3.0], "sample_weight.*NaN|NaN.*sample_weight"),
    "masked": (np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), "sample_weight.*row 1"),
    "text": (["1", "heavy", "3"], "sample_weight.*'heavy'.*row 1"),
    "dates": (pd.Series(pd.to_datetime([day] * 3)), "sample_weight.*dates"),
    "polars text": (pl.Series(["1", "heavy", "3"]), "sample_weight.*'heavy'.*row 1"),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_in_any_container(kind):
    expected = BatchStatScaler().fit(NUMBERS, sample_weight=[1.0, 2.0, 3.0])
    scaler = BatchStatScaler().fit(NUMBERS, sample_weight=WEIGHTS[kind])
    np.testing.assert_array_equal(scaler.scale_, expected.scale_)


@pytest.mark.parametrize("kind", BAD_WEIGHTS)
def test_weights_that_are_none(kind):
    weights, message = BAD_WEIGHTS[kind]
    with pytest.raises(ValueError, match=message):
        BatchStatScaler().fit(NUMBERS, sample_weight=weights)


# Frames on the way back, and names

frame = pd.DataFrame({"a": [1.0, 3.0], "b": [4.0, 8.0]}, index=["x", "y"])
INVERTIBLE = [BatchStatScaler(), PowerNormScaler(), SquashingScaler(), L2Normalizer(keep_norm=True)]


@pytest.mark.parametrize("estimator", INVERTIBLE, ids=repr)
def test_inverse_transform_gives_the_chosen_frame(estimator):
    estimator.set_output(transform="pandas")
    z = estimator.fit_transform(frame)
    pd.testing.assert_frame_equal(estimator.inverse_transform(z), frame)
    estimator.set_output(transform="polars")
    back = estimator.inverse_transform(z)
    assert isinstance(back, pl.DataFrame)
    assert back.columns == ["a", "b"]
    estimator.set_output(transform="default")
    assert type(estimator.inverse_transform(z)) is np.ndarray


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("estimator", INVERTIBLE, ids=repr)
def test_inverse_transform_checks_names(estimator, library):
    names = {pd: "pandas", pl: "polars"}
    given = library.DataFrame({"a": [1.0, 3.0], "b": [4.0, 8.0]})
    estimator.set_output(transform=names[library])
    z = estimator.fit(given).transform(given)
    swapped = z[[*z.columns[::-1]]]
    with pytest.raises(ValueError, match=r"names.*same order"):
        estimator.inverse_transform(swapped)
    estimator.inverse_transform(z)
    estimator.set_output(transform="default")
    estimator.inverse_transform(np.asarray(swapped))


@pytest.mark.parametrize("cls", [L1Normalizer, L2Normalizer, MaxNormalizer])
def test_a_kept_norm_never_has_a_taken_name(cls):
    name = f"{cls._norm}_norm"
    x = pd.DataFrame({name: [1.0, 2.0], f"{name}_1": [3.0, 4.0]})
    estimator = cls(keep_norm=True).set_output(transform="pandas").fit(x)
    assert list(estimator.transform(x).columns) == [name, f"{name}_1", f"{name}_2"]
    pd.testing.assert_frame_equal(estimator.inverse_transform(estimator.transform(x)), x)


@pytest.mark.parametrize("form", [np.array, np.asfortranarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_norm_that_cannot_be_kept_leaves_the_data(form, dtype):
    largest = np.finfo(dtype).max
    x = form(np.array([[1.0, 2.0], [largest, largest]], dtype=dtype))
    before = x.copy()
    with pytest.raises(ValueError, match="norm of row 1"):
        L1Normalizer(keep_norm=True, copy=False).fit(x).transform(x)
    same = (x != before).nnz == 0 if sparse.issparse(x) else np.array_equal(x, before)
    assert same


@pytest.mark.parametrize("params", [{"n_groups": 3}, {"n_groups": 3, "with_mean": True}])
def test_groups_of_a_single_value_warn(params):
    x = np.arange(12.0).reshape(4, 3)
    with pytest.warns(UserWarning, match="single value"):
        np.testing.assert_array_equal(LayerScaler(**params).fit(x).transform(x), 0.0)


@pytest.mark.filterwarnings("error")
def test_other_groups_do_not_warn():
    x = np.arange(12.0).reshape(4, 3)
    LayerScaler(n_groups=3, with_mean=False).fit(x).transform(x)
    LayerScaler(n_groups=1).fit(x).transform(x)
    LayerScaler(n_groups=3).fit(x[:, :, None] + np.zeros(2)).transform(x[:, :, None] + np.zeros(2))
