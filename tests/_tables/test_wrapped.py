"""Headers in comments or separated otherwise, and rows within quotes."""

import io

import numpy as np
import pytest

from sknorm.tables import read_table

N = 15
VALUES = np.column_stack([np.arange(N), np.arange(N) * 7 % 5 + 0.5, np.arange(N) % 3])
NAMES = ["age", "height", "n"]
ROWS = [f"n{i % 4},{age:g},{height:g}" for i, (age, height, _) in enumerate(VALUES)]


def read(tmp_path, text, **options):
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    notes = []
    return read_table(path, notes=notes, **options), " ".join(notes)


@pytest.mark.parametrize("comments", ["# ", "#", "% ", "//"])
@pytest.mark.parametrize("delimiter", [" ", ",", ";", "\t"])
@pytest.mark.parametrize("between", [" ", ",", ", ", "\t"])
@pytest.mark.parametrize("above", ["", "made by a logger, 2024\n"])
def test_what_numpy_writes(tmp_path, comments, delimiter, between, above):
    box = io.BytesIO()
    header = above + between.join(NAMES)
    np.savetxt(box, VALUES, header=header, comments=comments, delimiter=delimiter)
    table, said = read(tmp_path, box.getvalue())
    assert list(table) == NAMES
    np.testing.assert_array_equal(table.to_numpy(), VALUES)
    assert "names of the columns from the comment" in said


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "names", ["name,the age,height", "name;the age;height", "name\tthe age\theight"]
)
def test_names_with_blanks_and_text_below(tmp_path, names, newline):
    table, _ = read(tmp_path, newline.join([f"# {names}", *ROWS]))
    assert list(table) == ["name", "the age", "height"]
    assert len(table) == N


@pytest.mark.parametrize(
    "comment",
    [
        "# made by a logger",
        "# made by 2024",
        "# age,height",
        "#",
        "# a,a,b",
        "# age,,height",
        "#5,6,7",
    ],
)
def test_comments_that_are_no_names(tmp_path, comment):
    table, said = read(tmp_path, "\n".join([comment, *ROWS]))
    assert table.shape == (N, 3)
    assert "names of the columns from" not in said
    table, said = read(tmp_path, "\n".join([comment, "name,x,y", *ROWS]))
    assert list(table) == ["name", "x", "y"]
    assert "names of the columns from" not in said


def test_a_header_separated_otherwise(tmp_path):
    table, said = read(tmp_path, "\n".join(["name;age;height", *ROWS]))
    assert list(table) == ["name", "age", "height"]
    assert len(table) == N
    assert "from the line above, separated by ';'" in said
    table, said = read(tmp_path, "built;price\n03.01.2020;1.234,5\n28.02.2021;987,0\n")
    assert table["price"].tolist() == [1234.5, 987.0]
    assert "separated by" not in said
    table, said = read(tmp_path, "# built;price\n03.01.2020;1.234,5\n28.02.2021;987,0\n")
    assert table["price"].tolist() == [1234.5, 987.0]
    german = ["name;age", *(f"n{i};{i},5" for i in range(N))]
    table, said = read(tmp_path, "\n".join(german))
    assert list(table) == ["name", "age"]
    assert "separated by" not in said


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("sign", [",", ";"])
def test_rows_within_quotes(tmp_path, sign, newline):
    given = [row.replace(",", sign) for row in ["name,age,height", *ROWS]]
    given[3] = given[3].replace("n2", '""n, 2""')
    table, said = read(tmp_path, newline.join(f'"{row}"' for row in given) + newline)
    assert list(table) == ["name", "age", "height"]
    assert table["age"].tolist() == list(range(N))
    assert table["name"].tolist()[2] == "n, 2"
    assert "Each row is within quotes" in said


def test_a_column_within_quotes(tmp_path):
    cells = [f'"a, {i}{", b" * (i % 3)}"' for i in range(N)]
    table, said = read(tmp_path, "\n".join(['"name"', *cells]))
    assert list(table) == ["name"]
    assert "within quotes" not in said


def test_what_is_said_stays(tmp_path):
    table, _ = read(tmp_path, "\n".join(["# name,age,height", *ROWS]), header=False)
    assert list(table) == ["column 1", "column 2", "column 3"]


@pytest.mark.parametrize(
    "text",
    ["# " + "x" * 200_000 + ",b\n1,2\n3,4\n", "# a,b\n1," + "y" * 200_000 + "\n3,z\n4,q\n"],
    ids=["comment", "row"],
)
def test_cells_longer_than_csv_reads(tmp_path, text):
    table, _ = read(tmp_path, text)
    assert table.shape[1] == 2
