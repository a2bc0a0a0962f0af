"""Rows that are no data are left out and said; those that may be data stay."""

import io

import numpy as np
import pandas as pd
import pytest

from sknorm.tables import read_table

N = 40
X = np.round(np.linspace(0.5, 90.0, N), 2)
K = np.arange(N) % 7


def read(tmp_path, lines, name="data.csv"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    notes = []
    return read_table(path, notes=notes), " ".join(notes)


def rows(separator=","):
    return [separator.join([f"n{i % 5}", f"{X[i]}", f"{K[i]}"]) for i in range(N)]


@pytest.mark.parametrize(
    "units", ["-,m/s,kg", "[-],[m/s],[kg]", ",°C,%", "name,µg/m3,", ",€,m2", "text,mean,sd"]
)
def test_a_row_of_units(tmp_path, units):
    table, said = read(tmp_path, ["name,x,k", units, *rows()])
    assert table["x"].tolist() == X.tolist()
    assert table["k"].tolist() == K.tolist()
    assert table["name"].nunique() == 5
    assert "Left out the row below the header, which is no data" in said


@pytest.mark.parametrize(
    "first", ["a,<5,<1", "a,missing,unknown", "a,?,-", "a,12*,3", "a,1.5,many", "a,,", "a,~5,~3"]
)
def test_a_first_row_that_may_be_data_stays(tmp_path, first):
    table, said = read(tmp_path, ["name,x,k", first, *rows()])
    assert len(table) == N + 1
    assert "below the header" not in said


def test_units_in_sheets(tmp_path):
    box = io.BytesIO()
    cells = [
        ["name", "x", "k"],
        ["", "m/s", "kg"],
        *zip("ab" * 20, X.tolist(), K.tolist(), strict=True),
    ]
    pd.DataFrame(cells).to_excel(box, index=False, header=False)
    path = tmp_path / "book.xlsx"
    path.write_bytes(box.getvalue())
    table = read_table(path)
    assert table["x"].tolist() == X.tolist()


def test_headers_of_files_put_together(tmp_path):
    header = "name,x,k"
    table, said = read(tmp_path, [header, *rows(), header, *rows(), header, *rows()])
    assert table["x"].tolist() == [*X, *X, *X]
    assert "2 rows that repeat the header" in said
    table, said = read(tmp_path, ["name", "name", "age", "name"])
    assert len(table) == 3, "a column of words may have its own name in it"


@pytest.mark.parametrize("word", ["Total", "Grand Total:", "sum", "Gesamt", ""])
def test_sums_at_the_end(tmp_path, word):
    table, said = read(tmp_path, ["name,x,k", *rows(), f"{word},{X.sum():.2f},{K.sum()}"])
    assert table["x"].tolist() == X.tolist()
    assert "the sum of the others" in said


def test_means_at_the_end_and_gaps(tmp_path):
    table, said = read(tmp_path, ["name,x,k", *rows(), f"Average,{float(X.mean())!r},"])
    assert len(table) == N
    assert "the mean of the others" in said
    bare = [row.partition(",")[2] for row in rows()]
    assert len(read(tmp_path, ["x,k", *bare, f"{X.sum():.2f},{K.sum()}"])[0]) == N


@pytest.mark.parametrize(
    "last",
    [
        f"Total,{X.sum() + 1:.2f},{K.sum()}",
        f"n3,{X.sum():.2f},{K.sum()}",
        "Total,3.5,2",
        "Totally,,",
    ],
)
def test_a_last_row_that_may_be_data_stays(tmp_path, last):
    table, said = read(tmp_path, ["name,x,k", *rows(), last])
    assert len(table) == N + 1
    assert "Left out" not in said


def test_few_rows_and_zeros_stay(tmp_path):
    assert len(read(tmp_path, ["a,b", "m,kg", "1,2", "3,4"])[0]) == 3
    assert len(read(tmp_path, ["a,b", "1,2", "2,3", "3,5"])[0]) == 3
    zeros = ["0,0"] * 20
    assert len(read(tmp_path, ["a,b", *zeros])[0]) == 20


def test_columns_that_are_empty_above_or_infinite(tmp_path):
    late = [f"n{i % 5},{X[i]},," for i in range(N)]
    table, said = read(tmp_path, ["name,x,y,z", *late, f"Total,{X.sum():.2f},7,"])
    assert len(table) == N
    assert "the sum of the others" in said
    huge = [f"n{i % 5},{'inf' if i == 3 else 1e308},{K[i]}" for i in range(N)]
    assert len(read(tmp_path, ["name,x,k", *huge, f"Total,5,{K.sum()}"])[0]) == N + 1


def test_where_there_is_no_header_there_are_no_units(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["-,m/s,kg", *rows()]))
    assert len(read_table(path, header=False)) == N + 1
