"""Files read for the command line, and what becomes of their columns."""

import gzip
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sknorm._cli.features import make_features
from sknorm._cli.reading import TableError, read_table


@pytest.fixture
def write(tmp_path):
    def write(text, name="data.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


ROWS = "age,city,score\n31,Bern,1.5\n,Genève,2\n44,,NA\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_numbers_text_and_gaps(write, delimiter):
    columns = read_table(write(ROWS.replace(",", delimiter)))
    assert list(columns) == ["age", "city", "score"]
    assert np.array_equal(columns["age"], [31, np.nan, 44], equal_nan=True)
    assert columns["city"].tolist() == ["Bern", "Genève", None]
    assert np.array_equal(columns["score"], [1.5, 2, np.nan], equal_nan=True)


def test_agrees_with_pandas(write):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=50) * 10.0 ** rng.integers(-9, 9, 50),
            "quoted, name": rng.choice(['a "b"', "c,d", "line\nbreak"], 50),
            "n": rng.integers(0, 9, 50),
        }
    )
    frame.loc[3, "x"] = np.nan
    columns = read_table(write(frame.to_csv(index=False)))
    assert np.array_equal(columns["x"], frame["x"], equal_nan=True)
    assert columns["quoted, name"].tolist() == frame["quoted, name"].tolist()


def test_byte_order_mark_crlf_gzip_and_blank_lines(write):
    text = "\ufeff" + ROWS.replace("\n", "\r\n") + "\r\n\r\n"
    assert list(read_table(write(text))) == ["age", "city", "score"]
    zipped = read_table(write(gzip.compress(ROWS.encode()), "data.csv.gz"))
    assert len(zipped["age"]) == 3


def test_decimal_commas(write):
    columns = read_table(write("a;b\n1,5;x\n1.234,25;y\n"))
    assert columns["a"].tolist() == [1.5, 1234.25]


def test_words_that_look_missing_stay_words(write):
    columns = read_table(write("a,b\nnone,1\n?,-\nNA,2\n"))
    assert columns["a"].tolist() == ["none", "?", None]
    assert np.array_equal(columns["b"], [1, np.nan, 2], equal_nan=True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marks_tell_the_encoding(write, encoding):
    columns = read_table(write("name,n\nGrün,1\nRot,2\n", encoding=encoding))
    assert columns["name"].tolist() == ["Grün", "Rot"]
    assert columns["n"].tolist() == [1, 2]


def test_big_endian_mark(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"\xfe\xff" + "n,m\n1,2\n".encode("utf-16-be"))
    assert list(read_table(path)) == ["n", "m"]


def test_other_encoding(write):
    path = write(ROWS, encoding="latin-1")
    with pytest.raises(TableError, match=r"not UTF-8: byte 0xe8 in line 3.*--encoding latin-1"):
        read_table(path)
    assert read_table(path, "latin-1")["city"][1] == "Genève"
    with pytest.raises(TableError, match="no encoding called 'utf-9'"):
        read_table(path, "utf-9")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("a,b\n", "no rows below its header"),
        ("a,b,a\n1,2,3\n", "more than one column called 'a'"),
        ("a,b\n1,2\n1,2,3\n", "row 2 below the header has 3 cells and the header has 2"),
        (b"PAR1....", "is a Parquet file"),
    ],
)
def test_broken_files(write, text, message):
    with pytest.raises(TableError, match=message):
        read_table(write(text))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(TableError, match="There is no file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(TableError, match="is a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize("hidden", [[], ["pyarrow", "pyarrow.parquet"]])
def test_parquet(tmp_path, monkeypatch, hidden):
    path = tmp_path / "data.parquet"
    pl.DataFrame(
        {"n": [1, None, 3], "t": ["x", None, "y"], "b": [True, False, None], "f": [0.5, 1.0, 2.0]}
    ).with_columns(d=pl.date(2024, 1, pl.Series([1, 2, 3]))).write_parquet(path)
    for name in hidden:
        monkeypatch.setitem(sys.modules, name, None)
    columns = read_table(path)
    assert np.array_equal(columns["n"], [1, np.nan, 3], equal_nan=True)
    assert columns["t"].tolist() == ["x", None, "y"]
    assert columns["b"].tolist() == ["True", "False", None]
    assert columns["d"].tolist() == ["2024-01-01", "2024-01-02", "2024-01-03"]


@pytest.mark.parametrize("hidden", [[], ["pyarrow", "pyarrow.parquet"]])
@pytest.mark.parametrize("index", ["none", "unnamed", "named", "two"])
def test_index_of_pandas(index, hidden, tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "data.parquet"
    frame = pandas.DataFrame({"a": [1.0, 5.0, 3.0], "y": [3.0, 4.0, 7.0]})
    rows = [7, 3, 5]
    frame.index = {
        "none": frame.index,
        "unnamed": pandas.Index(rows),
        "named": pandas.Index(rows, name="patient"),
        "two": pandas.MultiIndex.from_arrays([rows, rows], names=["patient", None]),
    }[index]
    frame.to_parquet(path)
    for name in hidden:
        monkeypatch.setitem(sys.modules, name, None)
    notes = []
    columns = read_table(path, notes=notes)
    assert list(columns)[-2:] == ["a", "y"]
    named = ["patient"] if index in ("named", "two") else []
    assert list(columns)[:-2] == named
    assert any("has no name" in note for note in notes) == (index in ("unnamed", "two"))
    assert any("columns: patient." in note for note in notes) == bool(named)


def test_parquet_without_a_reader(tmp_path, monkeypatch):
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        read_table(path)
    for name in ("pyarrow", "pyarrow.parquet", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TableError, match="needs pyarrow or polars: pip install pyarrow"):
        read_table(path)


def column(*values):
    if all(isinstance(value, (int, float)) for value in values):
        return np.array(values, dtype=float)
    return np.array(values, dtype=object)


def table(**more):
    columns = {
        "id": column(*range(60)),
        "size": column(*(float(i % 7) if i % 9 else np.nan for i in range(60))),
        "kind": column(*("red" if i % 3 else "blue" if i % 2 else None for i in range(60))),
        "when": column(*(f"2024-01-{i % 28 + 1:02d}" for i in range(60))),
        "name": column(*(f"person {i}" for i in range(60))),
        "empty": column(*[None] * 60),
        "same": column(*[3.0] * 60),
        "price": column(*(i * 1.5 for i in range(60))),
    }
    return columns | more


def test_features_and_what_is_said_of_them():
    features = make_features(table(), "price")
    assert features.names == ["size", "kind=red", "kind=(missing)", "kind=blue", "when"]
    assert features.X.shape == (60, 5)
    assert np.isnan(features.X[:, 0]).sum() == 7
    assert (features.X[:, 1:4].sum(axis=1) == 1).all()
    assert features.X[1, 4] - features.X[0, 4] == 1
    assert not features.is_classification
    said = "\n".join(features.notes)
    for sentence in (
        "Taking 'price' as a regression",
        "Left out, counts the rows: id",
        "One-hot encoded: kind",
        "Dates, as days since 1970: when",
        "Left out, text that hardly repeats (names, keys, sentences): name",
        "Left out, empty: empty",
        "Left out, constant: same",
        "Missing text, as a value of its own, '(missing)': kind (10)",
        "filled with the column's median in each training set: size (7)",
    ):
        assert sentence in said


def test_rows_without_target_and_too_many_rows():
    price = np.arange(60) * 1.5
    price[:5] = np.nan
    features = make_features(table(price=price), "price", max_rows=20)
    assert features.X.shape[0] == len(features.y) == 20
    assert "Left out 5 rows without 'price'." in features.notes
    assert any("Using 20 rows of 55" in note for note in features.notes)
    again = make_features(table(price=price), "price", max_rows=20)
    assert np.array_equal(features.y, again.y)


def test_many_categories_are_grouped():
    kinds = column(*(f"k{min(i % 40, 30)}" for i in range(120)))
    features = make_features({"kind": kinds, "y": column(*(i * 0.5 for i in range(120)))}, "y")
    assert features.X.shape[1] == 21
    assert features.names[-1] == "kind=(other)"
    assert (features.X.sum(axis=1) == 1).all()


def test_missing_is_a_category_however_rare():
    kinds = column(*(None if i == 50 else f"k{i % 40}" for i in range(120)))
    features = make_features({"kind": kinds, "y": column(*(i * 0.5 for i in range(120)))}, "y")
    assert features.X[:, features.names.index("kind=(missing)")].nonzero()[0].tolist() == [50]
    assert (features.X.sum(axis=1) == 1).all()


def test_two_values_are_one_column():
    kinds = column(*(("yes", "no")[i % 2] for i in range(10)))
    assert make_features({"k": kinds, "y": column(*range(10))}, "y").X.shape == (10, 1)


@pytest.mark.parametrize(
    ("target", "is_classification"),
    [
        (column(*("a", "b") * 30), True),
        (column(*(float(i % 3) for i in range(60))), True),
        (column(*(0.5 + i % 3 for i in range(60))), False),
        (column(*range(60)), False),
    ],
)
def test_task_is_guessed_and_said(target, is_classification):
    features = make_features(table(y=target), "y")
    assert features.is_classification == is_classification
    word = "classification" if is_classification else "regression"
    assert any(f"Taking 'y' as a {word}" in note for note in features.notes)
    if target.dtype.kind == "f":
        assert any("if that is wrong" in note for note in features.notes)


def test_task_can_be_said():
    counts = column(*(float(i % 3) for i in range(60)))
    assert not make_features(table(y=counts), "y", "regression").is_classification
    numbers = column(*(float(i % 3) + 0.5 for i in range(60)))
    assert make_features(table(y=numbers), "y", "classification").is_classification


def test_last_column_is_the_default_target():
    features = make_features(table(), None)
    assert "taking the last column, 'price'" in features.notes[0]


@pytest.mark.parametrize(
    ("columns", "target", "task", "message"),
    [
        (table(), "cost", "auto", r"no column 'cost'\. The columns are: id, size, kind"),
        (table(), "same", "auto", r"'same' is constant \(3.0\)"),
        (table(), "empty", "auto", "'empty' has no values at all"),
        (table(), "name", "auto", "60 different values in 60 rows: too many to be classes"),
        (table(), "kind", "regression", "'kind' is text .* cannot be a regression's"),
        ({"y": column(1.0, 2.0, 3.5)}, "y", "auto", "Beside the target 'y' there is no column"),
        (
            {"a": column(1.0, 2.0, 3.0), "y": column(1.0, 2.0, 3.5)},
            "y",
            "auto",
            r"no column to learn from\. Left out, counts the rows: a\.",
        ),
    ],
)
def test_bad_targets(columns, target, task, message):
    with pytest.raises(TableError, match=message):
        make_features(columns, target, task)
