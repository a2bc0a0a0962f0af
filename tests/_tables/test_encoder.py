"""Tables as numbers for a model, each column as what it is."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

from sknorm import BatchStatScaler, L2Normalizer, compare_normalizers
from sknorm.tables import TableEncoder, TableError, make_table_pipeline

N = 60


def table():
    return pd.DataFrame(
        {
            "size": [float(i % 7) if i % 9 else np.nan for i in range(N)],
            "kind": ["red" if i % 3 else "blue" if i % 2 else None for i in range(N)],
            "when": pd.date_range("2024-01-01", periods=N, freq="31h"),
            "told": [f"{i % 28 + 1:02d}.01.2024" for i in range(N)],
            "name": [f"person{i}" for i in range(N)],
            "remark": [f"seen {i % 29} times at door {i % 5}" for i in range(N)],
            "flag": [i % 4 == 0 for i in range(N)],
            "empty": [None] * N,
            "same": [3.0] * N,
        }
    )


def test_what_becomes_of_columns_and_what_is_said():
    encoder = TableEncoder(n_components=5).fit(table())
    out = encoder.transform(table())
    assert list(out) == encoder.get_feature_names_out().tolist()
    kinds = {name: str(kind) for name, kind in out.dtypes.items()}
    assert kinds["size"] == kinds["flag"] == kinds["when_days"] == "float64"
    assert {kinds[name] for name in out if name.startswith("kind_")} == {"int8"}
    assert {kinds[name] for name in out if name.startswith("remark_")} == {"float32"}
    assert not out.isna().any().any()
    assert out["size"][0] == np.nanmedian(table()["size"])
    assert out["when_days"][0] == 19723.0, "days since 1970"
    assert out["when_days"].diff()[1] == pytest.approx(31 / 24)
    assert (out[[name for name in out if name.startswith("kind_")]].sum(axis=1) == 1).all()
    said = "\n".join(encoder.notes_)
    for sentence in (
        "filled with the median of the training rows: size (7)",
        "Missing text, as a value of its own, '(missing)': kind (10)",
        "One-hot encoded: kind",
        "as year, month, day and weekday: when, told",
        "Dates, read as day.month.year: told",
        "Left out, keys or names (nearly every row has its own): name",
        "encoded by skrub's StringEncoder: remark",
        "Left out, empty: empty",
        "Left out, constant: same",
    ):
        assert sentence in said


def test_only_training_rows_are_learned_from():
    train = pd.DataFrame({"x": [1.0, 2.0, 9.0, np.nan], "c": ["a", "b", "a", "b"]})
    encoder = TableEncoder().fit(train)
    out = encoder.transform(pd.DataFrame({"c": ["z", None], "x": [np.nan, 1e9]}))
    assert out["x"].tolist() == [2.0, 1e9]
    assert out["c_b"].tolist() == [0, 0], "neither value is one of training"
    with pytest.raises(ValueError, match="no column 'c', which it had in fit"):
        encoder.transform(train[["x"]])


def test_text_that_stops_being_numbers_is_missing():
    encoder = TableEncoder().fit(pd.DataFrame({"x": ["1,5", "2,5", "4,5"]}))
    assert encoder.transform(pd.DataFrame({"x": ["3,5", "oops"]}))["x"].tolist() == [3.5, 2.5]


DAYS = pd.date_range("2024-01-01", periods=12, freq="40D")
KINDS = {
    "number": np.arange(12) * 1.5,
    "decimal comma": [f"{i * 1.5:.1f}".replace(".", ",") for i in range(12)],
    "date": DAYS,
    "date in text": [day.strftime("%d.%m.%Y") for day in DAYS],
    "time": [f"{i:02d}:30" for i in range(12)],
    "category": ["a", "b", "c"] * 4,
    "code": ["1", "2x", "3"] * 4,
}
# The same values in another form, as they come from JSON or from an object of Python.
SAME = [
    ("number", [str(i * 1.5) for i in range(12)]),
    ("number", pd.array(np.arange(12) * 1.5, dtype="Float64")),
    ("decimal comma", np.arange(12) * 1.5),
    (
        "decimal comma",
        [i * 1.5 if i % 2 else f"{i * 1.5:.1f}".replace(".", ",") for i in range(12)],
    ),
    (
        "decimal comma",
        pd.Categorical([i * 1.5 if i % 2 else str(i * 1.5).replace(".", ",") for i in range(12)]),
    ),
    ("date", [day.isoformat() for day in DAYS]),
    ("date", [day.isoformat() + "Z" for day in DAYS]),
    ("date", list(DAYS.date)),
    ("date in text", DAYS),
    ("date in text", DAYS.tz_localize("UTC")),
    ("category", pd.Categorical(["a", "b", "c"] * 4)),
    ("code", [1.0, "2x", 3] * 4),
]


@pytest.mark.parametrize(("kind", "given"), SAME)
def test_the_same_values_in_another_form_are_the_same(kind, given):
    encoder = TableEncoder()
    expected = encoder.fit_transform(pd.DataFrame({"x": KINDS[kind]}))
    pd.testing.assert_frame_equal(encoder.transform(pd.DataFrame({"x": given})), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, "", "n/a"], ids=repr)
def test_a_row_may_have_nothing(kind, missing):
    encoder = TableEncoder().fit(pd.DataFrame({"x": KINDS[kind]}))
    out = encoder.transform(pd.DataFrame({"x": [missing]}))
    assert out.shape == (1, len(encoder.get_feature_names_out()))
    assert np.isfinite(out.to_numpy(float)).all()


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("number", DAYS, "'x' was numbers in fit, and is datetime64.* now"),
        ("decimal comma", DAYS, "'x' was numbers in fit, and is datetime64.* now"),
        ("date", np.arange(12.0), "'x' was dates in fit, and is float64 now"),
        ("date in text", np.arange(12.0), "'x' was dates in fit, and is float64 now"),
        ("time", np.arange(12.0), "'x' was times of day or durations in fit, and is float64 now"),
        ("number", pd.to_timedelta(range(12)), "'x' was numbers in fit, and is timedelta64"),
        ("number", [[1]] * 12, "'x' has cells of list"),
        ("category", [b"a"] * 12, "'x' has cells of bytes"),
        ("number", [], "0 sample"),
    ],
)
def test_columns_that_are_something_else_than_in_fit_are_refused(kind, given, message):
    encoder = TableEncoder().fit(pd.DataFrame({"x": KINDS[kind]}))
    with pytest.raises(TableError, match=message):
        encoder.transform(pd.DataFrame({"x": given}))


def test_integers_beyond_float64_are_missing():
    encoder = TableEncoder().fit(pd.DataFrame({"x": [1, 3, 5]}))
    assert encoder.transform(pd.DataFrame({"x": [10**400, 7]}))["x"].tolist() == [3.0, 7.0]


def test_numbers_mixed_with_text_are_not_called_keys():
    cells = [*(f"{i}.5" for i in range(40)), *(f"<{i}" for i in range(15))]
    encoder = TableEncoder(n_components=3).fit(pd.DataFrame({"x": cells, "z": range(55)}))
    assert not any("keys" in note for note in encoder.notes_)
    assert "x_0" in encoder.get_feature_names_out()


def test_float64_digits_are_kept():
    x = 1e9 + np.arange(9) / 1024
    assert np.array_equal(TableEncoder().fit_transform(pd.DataFrame({"x": x}))["x"], x)


def test_other_frames_give_the_same():
    frame = table().drop(columns=["empty"])
    expected = TableEncoder(n_components=3).fit_transform(frame)
    given = pl.DataFrame(frame.to_dict("list"), strict=False)
    got = TableEncoder(n_components=3).fit_transform(given)
    assert list(got) == list(expected)
    assert np.allclose(got.to_numpy(float), expected.to_numpy(float))


def test_normalizer_gets_the_quantities_and_nothing_else():
    pipeline = make_table_pipeline(BatchStatScaler(), Ridge())
    y = np.arange(N, dtype=float)
    pipeline.fit(table(), y)
    out = pd.DataFrame(
        pipeline[:-1].transform(table()), columns=pipeline[:-1].get_feature_names_out()
    )
    quantities = [n for n in out if n.startswith(("size", "flag", "when", "told"))]
    moved = out[quantities].loc[:, out[quantities].std() > 0]
    assert moved.mean().abs().max() < 1e-12
    assert np.allclose(moved.std(ddof=0), 1)
    assert set(np.unique(out[[n for n in out if n.startswith("kind_")]])) == {0, 1}
    again = pickle.loads(pickle.dumps(pipeline))
    assert np.array_equal(again.predict(table()), pipeline.predict(table()))
    assert np.array_equal(clone(pipeline).fit(table(), y).predict(table()), again.predict(table()))


def test_a_row_normalizer_sees_all_quantities_of_a_row():
    frame = pd.DataFrame({"a": [3.0, 6.0], "b": [4.0, 8.0], "c": ["x", "y"]})
    pipeline = make_table_pipeline(L2Normalizer(), Ridge()).fit(frame, [0.0, 1.0])
    assert pipeline[:-1].transform(frame)[:, :2].tolist() == [[0.6, 0.8], [0.6, 0.8]]


@pytest.mark.filterwarnings("ignore:The rows are in the order of 'when'")
def test_comparison_takes_a_frame_as_it_is():
    y = np.arange(N) % 2
    comparison = compare_normalizers(
        KNeighborsClassifier(), table(), y, normalizers=["none", "BatchStatScaler"], cv=3
    )
    assert comparison.measures_["BatchStatScaler"].n_scored == 3
    assert comparison._measured.distributions is not None
    code = comparison.snippet()
    assert "make_table_pipeline(" in code
    scope = {"X": table(), "y": y}
    exec(code, scope)
    assert scope["pipeline"].predict(table()).shape == (N,)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [1 + 2j, 3j]}), "'a' is complex"),
        (pd.DataFrame({"a": [1.0, 1.0]}), "No column is left to learn from. Left out, constant: a"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than one column called 'a'"),
        (pd.DataFrame({"a": pd.arrays.IntervalArray.from_breaks([0, 1, 2])}), "'a' is interval"),
        (pd.DataFrame({"a": [None, [1, 2]]}), "'a' has cells of list.*convert it, or leave it out"),
        (pd.DataFrame({"a": [{"b": 1}, None]}), "'a' has cells of dict"),
        (pd.DataFrame({"a": [b"x", b"y"]}), "'a' has cells of bytes"),
        (pd.DataFrame({"a": []}), "0 sample"),
    ],
)
def test_bad_tables(frame, message):
    with pytest.raises(TableError, match=message):
        TableEncoder().fit(frame)
