"""Tables in files: what they are read as, what is said of it, and what is refused."""

import bz2
import datetime
import gzip
import io
import lzma
import re
import sys
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest

from sknorm.tables import TableEncoder, TableError, read_table

ROWS = "age,city,score\n31,Bern,1.5\n,Genève,2\n44,,NA\n"
PLAIN = "a,b,y\n" + "".join(f"{i * i % 17},{i * 7 % 5},{i % 2}\n" for i in range(40))


@pytest.fixture
def write(tmp_path):
    def write(text, name="data.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def same(column, values):
    return np.array_equal(column.to_numpy(dtype=float), values, equal_nan=True)


def text(column):
    return [None if value is None or value != value else value for value in column.tolist()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_numbers_text_and_gaps(write, delimiter):
    table = read_table(write(ROWS.replace(",", delimiter)))
    assert list(table) == ["age", "city", "score"]
    assert same(table["age"], [31, np.nan, 44])
    assert text(table["city"]) == ["Bern", "Genève", None]
    assert same(table["score"], [1.5, 2, np.nan])


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
    table = read_table(write(frame.to_csv(index=False)))
    assert same(table["x"], frame["x"])
    assert table["quoted, name"].tolist() == frame["quoted, name"].tolist()


def test_byte_order_mark_crlf_and_blank_lines(write):
    marked = "\ufeff" + ROWS.replace("\n", "\r\n") + "\r\n\r\n"
    assert list(read_table(write(marked))) == ["age", "city", "score"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["data.csv.gz", "data", "data.csv"])
def test_packed_files_are_known_by_their_bytes(write, pack, name):
    assert read_table(write(pack(PLAIN.encode()), name)).shape == (40, 3)


def test_zip_and_excel(write):
    def zipped(*names):
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w") as archive:
            for name in names:
                archive.writestr(name, PLAIN)
        return box.getvalue()

    assert read_table(write(zipped("a.csv", "__MACOSX/._a.csv"), "data.zip")).shape == (40, 3)
    with pytest.raises(TableError, match=r"ZIP archive of 2 files: a.csv, b.csv\. Unpack"):
        read_table(write(zipped("a.csv", "b.csv"), "data.zip"))
    with pytest.raises(TableError, match="is an Excel file that cannot be read"):
        read_table(write(zipped("xl/worksheets/sheet1.xml"), "book.xlsx"))
    box = io.BytesIO()
    with pd.ExcelWriter(box) as book:
        pd.DataFrame().to_excel(book, sheet_name="empty")
        pd.DataFrame({"a": [1.5, None], "t": ["x", "y"]}).to_excel(
            book, sheet_name="first", index=False
        )
        pd.DataFrame({"b": [1]}).to_excel(book, sheet_name="second")
    notes = []
    table = read_table(write(box.getvalue(), "book.csv"), notes=notes)
    assert same(table["a"], [1.5, np.nan])
    assert "3 sheets: taking 'first'. --sheet takes another" in notes[0]


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"\xd0\xcf\x11\xe0rest", "an Excel file of before 2007, or one with a pass"),
        (b"%PDF-1.7", "a PDF file"),
        (b"7z\xbc\xaf'\x1crest", "a 7z archive: unpack it"),
        (b"\x89PNG\r\n", "a picture, not a table"),
        (b"x" * 257 + b"ustar" + b"x" * 300, "a tar archive"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"<html><table>", "HTML or XML"),
        (b'[{"a": 1}]', "JSON, not a table"),
        (b"@RELATION iris\n@DATA\n1,2\n", "an ARFF file"),
        (b"\x1f\x8bnothing", "cannot be unpacked, it seems damaged"),
        (b"PAR1 and no more", "is a Parquet file that cannot be read"),
        (b"| a | b |\n|---|--:|\n| 1 | 2 |\n", "a table drawn with lines"),
        (b"+---+---+\n| a | b |\n+---+---+\n", "a table drawn with lines"),
        (b"a,b\n1,\x00\x00\x012\n" + b"\x00\x01" * 30, "binary file"),
    ],
)
def test_other_files_are_named_for_what_they_are(write, start, what):
    with pytest.raises(TableError, match=what) as refusal:
        read_table(write(start))
    assert "latin-1" not in str(refusal.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_marks_and_zeros_tell_the_encoding(write, encoding):
    table = read_table(write("name,n\nGrün,1\nRot,2\n", encoding=encoding))
    assert text(table["name"]) == ["Grün", "Rot"]
    assert table["n"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("latin-1", ["Größe", "Straße"]), ("cp1251", ["Москва", "Казань"]),
     ("shift_jis", ["東京都の人口", "大阪府の人口"])],
)  # fmt: skip
def test_other_encodings_are_found_and_said(write, encoding, words):
    rows = "".join(f"{words[i % 2]},{i}\n" for i in range(60))
    notes = []
    table = read_table(write("ort,n\n" + rows, encoding=encoding), notes=notes)
    assert set(table["ort"]) == set(words)
    assert "is not UTF-8; its encoding was taken to be" in notes[0]


def test_encoding_can_be_said(write):
    path = write(ROWS, encoding="latin-1")
    assert read_table(path, encoding="latin-1")["city"][1] == "Genève"
    with pytest.raises(TableError, match=r"not UTF-8: byte 0xe8 in line 3.*Leave out --encoding"):
        read_table(path, encoding="utf-8")
    with pytest.raises(TableError, match="no encoding called 'utf-9'"):
        read_table(path, encoding="utf-9")


def test_advice_is_not_refused_when_followed(write):
    """What an error says to do works on the same file."""
    path = write("people;y\n1,100;0\n2,250;1\n")
    with pytest.raises(TableError, match=r"'people' has '1,100', which may be 1100 or 1.100"):
        read_table(path)
    assert read_table(path, decimal=".")["people"].tolist() == [1100, 2250]
    assert read_table(path, decimal=",")["people"].tolist() == [1.1, 2.25]
    path = write("1,2\n3,4\n5,6\n")
    notes = []
    assert list(read_table(path, notes=notes)) == ["column 1", "column 2"]
    assert "--header yes" in notes[0]
    assert list(read_table(path, header=True)) == ["1", "2"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("a,b\n", "no rows below its header"),
        ("a,b\n" + "1,2\n" * 30 + "1,2,3\n", "line 32 has 3 cells and the header has 2"),
        ("a,b\n" + "1,2\n" * 30 + "1\n", "line 32 has 1 cells and the header has 2"),
        ("# note\na,b\n" + "1,2\n" * 30 + "1\n", "line 33 has 1 cells"),
        ("a,b\n" + "1,2\n" * 30 + '1,"open\n1,2\n', "a quote is opened and not closed"),
    ],
)
def test_broken_files(write, given, message):
    with pytest.raises(TableError, match=message):
        read_table(write(given))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(TableError, match="There is no file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(TableError, match="is a folder"):
        read_table(tmp_path)


def sheet(*rows, first=1):
    """Return an Excel file of rows, below some that are empty."""
    book = openpyxl.Workbook()
    for place, row in enumerate(rows):
        for column, cell in enumerate(row, start=1):
            book.active.cell(place + first, column, cell)
    box = io.BytesIO()
    book.save(box)
    return box.getvalue()


DAY = datetime.datetime(2024, 5, 1)


@pytest.mark.parametrize(
    ("rows", "names", "n_rows"),
    [
        ([["a", "b"], [1, 2.5], [3, 4]], ["a", "b"], 2),
        ([["Report"], [], ["a", "b"], [1, 2.5], [3, 4]], ["a", "b"], 2),
        ([["Report of", "May"], ["a", "b", "c", "d"], [1, 2, 3, 4]], ["a", "b", "c", "d"], 1),
        ([[None, "a", "b"], [None, 1, 2.5], [], [None, 3, 4]], ["a", "b"], 2),
        ([["Report"], [], [None, "a", "b"], [None, 1, 2.5], [None, 3, 4]], ["a", "b"], 2),
        ([["name", 2019, 2020], ["x", 1, 2], ["y", 3, 4]], ["name", "2019", "2020"], 2),
        ([["name", DAY, 2.0], ["x", 1.5, 2], ["y", 3, 4]], ["name", "2024-05-01", "2"], 2),
        ([["a", None, "a"], [1, 2, 3], [4, 5, 6]], ["a", "column 2", "a (2)"], 2),
        ([[1, 2.5], [3, 4]], ["column 1", "column 2"], 2),
        ([["x", 1, 2], ["y", 3, 4]], ["column 1", "column 2", "column 3"], 2),
        ([[DAY, 1.5], [DAY, 2.5]], ["column 1", "column 2"], 2),
    ],
)
@pytest.mark.parametrize("first", [1, 4])
def test_sheets_of_excel(write, rows, names, n_rows, first):
    table = read_table(write(sheet(*rows, first=first), "book.xlsx"))
    assert list(table) == names
    assert len(table) == n_rows


def test_what_is_said_of_a_sheet(write):
    notes = []
    given = sheet(["Sales", "2024"], [], ["a", "a", "b"], [1, 2, 3], [4, 5, 6])
    read_table(write(given, "book.xlsx"), notes=notes)
    assert notes[0] == "Left out the line above the header: 'Sales 2024'."
    assert "numbered: a (2)" in notes[1]
    notes = []
    table = read_table(write(given, "book.xlsx"), header=False, notes=notes)
    assert len(table) == 3
    assert "The first row is data, not names" in " ".join(notes)
    assert list(read_table(write(sheet([1, 2], [3, 4]), "book.xlsx"), header=True)) == ["1", "2"]


def test_types_of_cells_of_excel(write):
    rows = [
        ["day", "clock", "whole", "part", "text", "flag", "zip", "comma", "gap"],
        [DAY, datetime.time(7, 30), 1, 1.5, "x", True, "01234", "1,5", "#N/A"],
        [None, datetime.time(8, 0), 2, 2, "n/a", False, "00001", "2,5", 3],
    ]
    table = read_table(write(sheet(*rows), "book.xlsx"))
    assert table["day"].dt.month.tolist()[0] == 5
    assert table["clock"].tolist() == [7.5, 8.0]
    assert table["whole"].tolist() == [1, 2]
    assert table["part"].tolist() == [1.5, 2.0]
    assert text(table["text"]) == ["x", None]
    assert table["flag"].dtype == bool
    assert text(table["zip"]) == ["01234", "00001"]
    assert table["comma"].tolist() == [1.5, 2.5]
    assert same(table["gap"], [np.nan, 3.0])


def test_formulas_that_were_never_computed_are_refused(write):
    given = sheet(["a", "twice"], [1, "=A2*2"], [2, "=A3*2"])
    with pytest.raises(TableError, match=r"never computed, such as cell B2 of sheet 'Sheet': open"):
        read_table(write(given, "book.xlsx"))
    computed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(computed, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name.startswith("xl/worksheets/"):
                # The first one has a value now; the second one is an empty text.
                body = re.sub(rb"<v></v>|<v ?/>", b"<v>2</v>", body, count=1)
            new.writestr(name, body)
    assert same(read_table(write(computed.getvalue(), "book.xlsx"))["twice"], [2.0, np.nan])


@pytest.mark.parametrize("rows", [[], [["a", "b"]]])
def test_sheets_without_rows(write, rows):
    with pytest.raises(TableError, match="Excel file without a table in it"):
        read_table(write(sheet(*rows), "book.xlsx"))


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("# made by a logger\n# units: mm, s\n", "Left out 2 lines above the header: '# made by"),
        ("sep=,\n", "Left out the line above the header: 'sep=,'"),
        ("Quarterly figures\n\n", "above the header: 'Quarterly figures'"),
    ],
)
def test_lines_above_the_header(write, above, said):
    notes = []
    table = read_table(write(above + PLAIN), notes=notes)
    assert list(table) == ["a", "b", "y"]
    assert len(table) == 40
    assert said in notes[0]


@pytest.mark.parametrize("ends", ["\r\n", "\r", "mixed"])
def test_ends_of_lines_and_of_the_file(write, ends):
    lines = PLAIN.splitlines()
    if ends == "mixed":
        given = "\n".join(lines[:20]) + "\n" + "\r\n".join(lines[20:])
    else:
        given = ends.join(lines)
    table = read_table(write((given + "\x1a").encode()))
    assert table.shape == (40, 3)
    assert read_table(write(b"a,b\n1,2\n3,4\n\x1a")).shape == (2, 2)
    inside = read_table(write(b'a,b\r\n"x\r\ny",2\r\nz,3\r\n'))
    assert inside["a"][0] == "x\r\ny"


def test_a_row_too_short_or_a_remark_does_not_make_one_column_of_all(write):
    with pytest.raises(TableError, match="line 3 has 2 cells and the header has 3"):
        read_table(write("a,b,c\n1,2,3\n4,5\n"))
    table = read_table(write("a,b\n1,2\n3,4\n# in all 2\n"))
    assert table.to_numpy().tolist() == [[1, 2], [3, 4]]
    assert list(read_table(write("name\nSmith, J\nDoe, K\nCher\n"))) == ["name"]


def test_separators_of_several_signs_are_refused(write):
    with pytest.raises(ValueError, match=r"delimiter must be one sign, or one of 'tab'.*'\|\|'"):
        read_table(write("a||b\n1||2\n"), delimiter="||")


def test_cells_that_begin_like_comments_are_cells(write):
    rows = PLAIN.splitlines()
    rows[4] = "#N/A,1,0"
    table = read_table(write("\n".join(rows)))
    assert len(table) == 40
    assert np.isnan(table["a"][3])
    rows[4] = "# a remark"
    assert len(read_table(write("\n".join(rows)))) == 39


def test_blanks_between_cells(write):
    rows = PLAIN.replace(",", "  ")
    assert list(read_table(write(rows))) == ["a", "b", "y"]
    aligned = "\n".join(f"{i:>8}{i * 0.5:>10.2f}" for i in range(30))
    assert read_table(write(aligned)).shape == (30, 2)


def test_tables_of_r(write):
    """Blanks, text in quotes, and a header without a name for the names of the rows."""
    rows = [f'"Mazda RX{i}" {i * 0.5} {i % 3} "a {i % 4}"' for i in range(40)]
    table = read_table(write("\n".join(['"mpg" "cyl" "kind"', *rows]) + "\n"))
    assert list(table) == ["row name", "mpg", "cyl", "kind"]
    assert table["kind"].tolist()[:3] == ["a 0", "a 1", "a 2"]
    assert same(table["mpg"], np.arange(40) * 0.5)
    printed = ["     mpg cyl", *(f"car{i:<5} {i * 0.5:6} {i % 3}" for i in range(40))]
    assert list(read_table(write("\n".join(printed)))) == ["row name", "mpg", "cyl"]


def test_one_column_of_words_is_one_column(write):
    table = read_table(write("city\nNew York\nSan Jose\nEl Paso\n"))
    assert table["city"].tolist() == ["New York", "San Jose", "El Paso"]


def test_separator_of_hive(write):
    assert list(read_table(write(PLAIN.replace(",", "\x01")))) == ["a", "b", "y"]


@pytest.mark.parametrize(
    ("header", "tail", "names"),
    [
        ("a,b,y,,", ",,", ["a", "b", "y"]),
        ("a,b,y,", "", ["a", "b", "y"]),
        ("a,b,y", ",", ["a", "b", "y"]),
        (",a,b,y", None, ["column 1", "a", "b", "y"]),
        ("a,b,y", None, ["row name", "a", "b", "y"]),
    ],
)
def test_headers_of_other_widths(write, header, tail, names):
    rows = PLAIN.splitlines()[1:]
    rows = [f"r{i},{row}" if tail is None else row + tail for i, row in enumerate(rows)]
    table = read_table(write("\n".join([header, *rows]) + "\n"))
    assert [name for name in table if table[name].notna().any()] == names


def test_repeated_names_are_numbered_and_said(write):
    notes = []
    assert list(read_table(write("a,a,b\n1,2,3\n4,5,6\n"), notes=notes)) == ["a", "a (2)", "b"]
    assert notes == ["Repeated column names, numbered: a (2)."]


def test_names_that_are_the_same_but_for_their_case(write, tmp_path):
    table = read_table(write("Code,code,x\n1,2,5\n3,4,6\n"))
    assert list(table) == ["Code", "code", "x"]
    assert table.to_numpy().tolist() == [[1, 2, 5], [3, 4, 6]]
    path = tmp_path / "data.parquet"
    part = {"x": 1, "Code": [1]}
    frame = pl.DataFrame(
        {"Code": [1], "part": [part], "code": [2], 'q"': [3], "": [4], "CODE": [5]}
    )
    frame.write_parquet(path)
    table = read_table(path).drop(columns="part")
    assert list(table) == ["Code", "code", 'q"', "column 5", "CODE"]
    assert table.to_numpy().tolist() == [[1, 2, 3, 4, 5]]


def test_parquet(tmp_path):
    path = tmp_path / "data.parquet"
    pl.DataFrame(
        {"n": [1, None, 3], "t": ["x", None, "y"], "b": [True, False, True], "f": [0.5, 1.0, 2.0]}
    ).with_columns(d=pl.date(2024, 1, pl.Series([1, 2, 3]))).write_parquet(path)
    table = read_table(path)
    assert same(table["n"], [1, np.nan, 3])
    assert text(table["t"]) == ["x", None, "y"]
    assert table["d"].dt.day.tolist() == [1, 2, 3]


def test_what_is_no_cell_stays_what_it_is(tmp_path):
    path = tmp_path / "data.parquet"
    frame = pl.DataFrame(
        {"tags": [["x"], None], "point": [{"x": 1}, {"x": 2}], "n": ["1,5", "2,5"]}
    )
    frame.with_columns(raw=pl.Series([b"x", b"y"])).write_parquet(path)
    table = read_table(path)
    assert table["n"].tolist() == [1.5, 2.5]
    assert list(table["tags"][0]) == ["x"]
    with pytest.raises(TableError, match=r"'tags' has cells of ndarray.*leave it out"):
        TableEncoder().fit(table)
    TableEncoder().fit(table.drop(columns=["tags", "point", "raw"]))


@pytest.mark.parametrize("index", ["none", "unnamed", "named", "two"])
def test_index_of_pandas(index, tmp_path):
    path = tmp_path / "data.parquet"
    frame = pd.DataFrame({"a": [1.0, 5.0, 3.0], "y": [3.0, 4.0, 7.0]})
    rows = [7, 3, 5]
    frame.index = {
        "none": frame.index,
        "unnamed": pd.Index(rows),
        "named": pd.Index(rows, name="patient"),
        "two": pd.MultiIndex.from_arrays([rows, rows], names=["patient", None]),
    }[index]
    frame.to_parquet(path)
    notes = []
    table = read_table(path, notes=notes)
    named = ["patient"] if index in ("named", "two") else []
    assert list(table) == [*named, "a", "y"]
    assert any("has no name" in note for note in notes) == (index in ("unnamed", "two"))
    assert any("columns: patient." in note for note in notes) == bool(named)
    assert table.attrs["notes"] == notes


def test_without_the_extra(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ImportError, match=r"pip install 'sknorm\[table\]'"):
        read_table(write(PLAIN))


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_a_comma_in_all_cells_of_a_column_separates_none(write, separator):
    rows = [f"p{i % 3},Adult, 1 Egg,{i}.5,{'' if i % 2 else 'seen'}" for i in range(60)]
    rows = [row.replace(",", separator).replace(f"Adult{separator}", "Adult,") for row in rows]
    table = read_table(
        write("\n".join([f"bird{separator}stage{separator}mass{separator}note", *rows]))
    )
    assert list(table) == ["bird", "stage", "mass", "note"]
    assert table["stage"].unique().tolist() == ["Adult, 1 Egg"]


def test_cells_that_are_blank_in_the_first_lines(write):
    """The last columns have values in later rows only."""
    late = [f"{i % 7},{i * 0.5},{'x' if i == 80 else ''}" for i in range(90)]
    table = read_table(write("\n".join(late)))
    assert table.shape == (90, 3)
    assert table["column 3"].notna().sum() == 1
    rows = [f"{i + 1},{row}" for i, row in enumerate(late)]
    table = read_table(write("\n".join(["a,b,c", *rows])))
    assert list(table) == ["row name", "a", "b", "c"]
    assert same(table["a"], np.arange(90) % 7)


def test_separators_at_the_ends_of_rows_are_said(write):
    rows = [f"{i + 1},{i % 7},{i * 0.5}," for i in range(60)]
    notes = []
    table = read_table(write("\n".join(["nr,a,b", *rows])), notes=notes)
    assert list(table) == ["nr", "a", "b"]
    assert same(table["nr"], np.arange(60) + 1)
    assert "The rows end in a separator more than the header has" in notes[0]


def quoted(*cells):
    return ",".join(f'"{cell}"' for cell in cells)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("above", ["", "Figures of the year\n\n", '5" pipes\n'])
def test_cells_and_names_of_several_lines(write, above, ends):
    header = quoted("size\nin mm", "note", "y")
    rows = [quoted(i % 7, f"one, {i}\n#two\n\nthree", i % 3) for i in range(60)]
    table = read_table(write((above + "\n".join([header, *rows])).replace("\n", ends)))
    assert list(table) == ["size in mm", "note", "y"]
    assert table["note"][5] == f"one, 5{ends}#two{ends}{ends}three"
    assert same(table["size in mm"], np.arange(60) % 7)


def test_row_names_beside_cells_of_several_lines(write):
    rows = [quoted(f"r{i}", i % 7, f"one, {i}\ntwo") for i in range(60)]
    assert list(read_table(write("\n".join([quoted("a", "b"), *rows])))) == ["row name", "a", "b"]
    rows[40] = quoted("#N/A", 3, "one\ntwo")
    assert len(read_table(write("\n".join([quoted("name", "a", "b"), *rows])))) == 60


def test_a_quote_that_stays_open_is_no_cell_of_the_rest(write):
    rows = [f"{i % 7},{i * 0.5}" for i in range(400)]
    notes = []
    table = read_table(write("\n".join(['"Figures of the year', "a,b", *rows])), notes=notes)
    assert list(table) == ["a", "b"]
    assert "Figures of the year" in notes[0]


def test_escapes_of_sheets(write):
    box = io.BytesIO()
    frame = pd.DataFrame(
        {"line_x000D_\nbreak": ["a_x000D_\nb", "c_x005F_x", "d_xyz"], "n": [1, 2, 3]}
    )
    frame.to_excel(box, index=False)
    table = read_table(write(box.getvalue(), "book.xlsx"))
    assert list(table) == ["line break", "n"]
    assert table["line break"].tolist() == ["a\r\nb", "c_x", "d_xyz"]
    assert table["n"].tolist() == [1, 2, 3]


def test_a_number_sign_in_a_cell_begins_no_comment(write):
    rows = [f"{i % 7},Main St #{i},{i * 0.5}" for i in range(60)]
    rows[30] = "#N/A,Main St #30,15.0"
    table = read_table(write("\n".join(["# made in 2020", "a,b,c", *rows, "# the end, of it"])))
    assert len(table) == 60
    assert table["b"][59] == "Main St #59"
    assert np.isnan(table["a"][30])
    rows[31] = "1,2"
    with pytest.raises(TableError, match="line 34 has 2 cells"):
        read_table(write("\n".join(["# made in 2020", "a,b,c", *rows, "# the end, of it"])))


@pytest.mark.parametrize(
    "above", ["Results of our large survey\n", "Results of survey\n\n", "Survey, 2020\n"]
)
def test_titles_above_cells_between_blanks(write, above):
    rows = [f"{i % 7}  w{i % 3}  {i * 0.5}  {i}" for i in range(60)]
    table = read_table(write(above + "\n".join(["a b c d", *rows, "# end"])))
    assert list(table) == ["a", "b", "c", "d"]
    assert len(table) == 60
    table = read_table(write(above + "\n".join(["b c d", *rows])))
    assert list(table) == ["row name", "b", "c", "d"]


def test_a_title_of_as_many_words_as_columns(write):
    rows = [f"{i % 7} w{i % 3} {i * 0.5}" for i in range(60)]
    table = read_table(write("\n".join(["Results of survey", "", "a b c", *rows])))
    assert list(table) == ["a", "b", "c"]


def test_row_names_beside_remarks(write):
    rows = [f"r{i},{i % 7},{i * 0.5}" for i in range(30)]
    table = read_table(write("\n".join(["# made in 2020", "a,b", *rows, "# the end"])))
    assert list(table) == ["row name", "a", "b"]


def test_a_title_above_rows_without_a_header(write):
    rows = [f"w{i % 3},v{i % 4},{i * 0.5}" for i in range(60)]
    notes = []
    table = read_table(write("\n".join(["Results of the survey", "", *rows])), notes=notes)
    assert len(table) == 60
    assert "Left out the line above the header" in " ".join(notes)


@pytest.mark.parametrize(
    "names",
    [
        "country,2019,2020,2021",
        "2019,2020,2021",
        "id,1,2,3,4",
        "0,1,2,3",
        ",0,1,2",
        "0,1",
        "1990,2000,2015",
    ],
)
def test_numbers_for_names(write, names):
    """Of years, and of pandas for a matrix."""
    width = names.count(",") + 1
    values = np.random.default_rng(0).normal(size=(40, width)).round(3)
    rows = [",".join(map(str, row)) for row in values.tolist()]
    table = read_table(write("\n".join([names, *rows])))
    assert len(table) == 40
    assert list(table)[-1] == names.rpartition(",")[2]


@pytest.mark.parametrize(
    "rows",
    [
        [f"{2000 + i},{2001 + i},{i * 0.5}" for i in range(40)],
        [f"{i},{i + 1},{i + 2}" for i in range(40)],
        [f"c{i % 3},d{i % 4},e{i % 5}" for i in range(40)],
        [f"c{i % 3};d{i % 4};0,{i}" for i in range(40)],
        [f"c{i % 3},{2000 + i},{i * 0.5}" for i in range(40)],
        ["c1,missing,0.5", *(f"c{i % 3},{i},{i * 0.5}" for i in range(39))],
    ],
)
def test_first_rows_that_are_no_names(write, rows):
    table = read_table(write("\n".join(rows)))
    assert len(table) == 40
    assert table.columns[0] == "column 1"


def test_words_above_numbers_are_names(write):
    rows = [f'"{i}","name {i}","{i * 0.5}","#N/A"' for i in range(40)]
    table = read_table(write("\n".join(['"","name","height","mass"', *rows])))
    assert list(table) == ["column 1", "name", "height", "mass"]


def test_a_decimal_comma_separates_no_cells(write):
    table = read_table(write("\n".join(f"{i},5;{i % 7},25;{i % 3},0" for i in range(40))))
    assert table.shape == (40, 3)
    assert same(table["column 1"], np.arange(40) + 0.5)
    table = read_table(write("\n".join(f"{i},{i % 7};{i % 3},0.{i}" for i in range(40))))
    assert table["column 2"].tolist()[:2] == ["0;0", "1;1"]


@pytest.mark.parametrize("columns", [range(4), range(2018, 2022), ["country", 2019, 2020, 2021]])
def test_numbers_for_names_in_sheets(write, columns):
    box = io.BytesIO()
    values = np.random.default_rng(0).normal(size=(40, 4)).round(3)
    pd.DataFrame(values, columns=list(columns)).to_excel(box, index=False)
    table = read_table(write(box.getvalue(), "book.xlsx"))
    assert list(table) == [str(name) for name in columns]
    assert len(table) == 40
