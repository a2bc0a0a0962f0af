"""What stands around a table, in text and in sheets: titles, second headers, remarks."""

import csv
import datetime
import zipfile

import openpyxl
import pandas as pd
import pytest

from sknorm.tables import read_table

N = 12
HEAD = ["name", "age", "height", "member"]
ROWS = [[f"n{i % 5}", 20 + i, 1.5 + i / 64, "yes" if i % 2 else "no"] for i in range(N)]
GAP = [None] * 4


@pytest.fixture(params=["csv", "xlsx"])
def read(request, tmp_path):
    """Return what writes rows of cells to a file, and reads it: the table and what is said."""

    def write_and_read(rows, **options):
        path = tmp_path / f"table.{request.param}"
        if request.param == "csv":
            width = max(map(len, rows))
            padded = [row + [None] * (width - len(row)) for row in rows]
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(padded)
        else:
            book = openpyxl.Workbook()
            for row in rows:
                book.active.append(row)
            book.save(path)
        notes = []
        return read_table(path, notes=notes, **options), " ".join(notes)

    return write_and_read


def check(table, names=HEAD):
    assert list(table) == names
    assert table.iloc[:, 0].tolist() == [row[0] for row in ROWS]
    assert table.iloc[:, 1].tolist() == [row[1] for row in ROWS]
    assert table.iloc[:, 2].tolist() == [row[2] for row in ROWS]
    assert table.iloc[:, 3].tolist() == [row[3] for row in ROWS]


@pytest.mark.parametrize(
    "below",
    [
        [GAP, ["Source: the register"]],
        [GAP, GAP, ["the register of the club"], ["second edition"], GAP],
        [["* provisional"]],
        [["Source: the register"], ["Note: ages in years"]],
        [["† died"], GAP, ["see the annex"]],
        [GAP, [None, None, "heights were measured"]],
    ],
    ids=["gap", "gaps", "star", "source", "both", "elsewhere"],
)
def test_remarks_below(read, below):
    table, said = read([HEAD, *ROWS, *below])
    check(table)
    assert "below the table, from " in said


@pytest.mark.parametrize(
    "last", [["Dora"], ["n7", None, None, "no"], [None, 44], ["Note"], ["Total"], ["7"]], ids=str
)
def test_a_last_row_of_few_cells_stays(read, last):
    table, said = read([HEAD, *ROWS, last])
    assert len(table) == N + 1
    assert "below the table" not in said


def test_rows_of_one_cell_stay_where_there_are_others(read):
    odd = [*ROWS[:4], ["only a name"], *ROWS[4:], GAP, ["Source"]]
    table, said = read([HEAD, *odd])
    assert "only a name" in table["name"].tolist()
    assert "Source" in table["name"].tolist()
    assert "below the table" not in said


def test_commas_that_make_a_remark_as_wide_as_a_row(tmp_path):
    lines = ["x,y,z", *(f"{i},{i * 7 % 5}.5,{i % 3}" for i in range(N))]
    path = tmp_path / "table.csv"
    path.write_text("\n".join([*lines, "Source: the office, Bern, 2024", ""]))
    assert read_table(path)["x"].tolist() == list(range(N))
    path.write_text("\n".join([*lines, "*5,3.5,1", ""]))
    assert len(read_table(path)) == N + 1
    path.write_text("\n".join(["what,x,y", *(f"Note: {i},{i},{i % 3}" for i in range(N))]))
    assert len(read_table(path)) == N


@pytest.mark.parametrize("below", [[GAP, ["the register"]], [["Source: x"]], [["* so far"]]])
def test_a_remark_below_two_columns(read, below):
    gaps = [[None, 7.5], [3, None]]  # which a remark is not like where there are numbers
    table, said = read([["x", "y"], *(row[1:3] for row in ROWS), *gaps, *below])
    assert table["x"].dropna().tolist() == [*(row[1] for row in ROWS), 3]
    assert len(table) == N + 2
    assert "below the table" in said
    words = [[row[0], row[1]] for row in ROWS]
    table, said = read([HEAD[:2], *words, ["n9", None], *below])
    assert len(table.dropna(how="all")) == N + 1
    assert "below the table" in said


@pytest.mark.parametrize("second", [["team", "rank"], [None, "team", "rank"]])
def test_another_table_below(read, second):
    other = [[None if name is None else k for name in second] for k in (1, 2)]
    table, said = read([HEAD, *ROWS, GAP, GAP, second, *other])
    check(table)
    assert "Left out 3 rows below the table" in said


def test_a_gap_within_the_rows(read):
    table, said = read([HEAD, *ROWS[:5], GAP, *ROWS[5:]])
    check(table.dropna(how="all"))
    assert "below the table" not in said


@pytest.mark.parametrize(
    "row", [["n1", "missing", "?", "no"], ["n1", "refused", None, "no"], ["n1", "refused"]], ids=str
)
def test_a_row_of_words_below_a_gap(read, row):
    table, said = read([HEAD, *ROWS[:5], GAP, row, *ROWS[5:]])
    assert len(table.dropna(how="all")) == N + 1
    assert "below the table" not in said


def test_empty_rows_at_the_end(read, tmp_path):
    check(read([HEAD, *ROWS, GAP, GAP])[0])
    lines = ["\t".join(map(str, row)) for row in [HEAD, *ROWS]]
    (tmp_path / "tabs.csv").write_text("\r\n".join([*lines, "\t\t\t", "\t\t\t", ""]), newline="")
    check(read_table(tmp_path / "tabs.csv"))


@pytest.mark.parametrize(
    "upper",
    [["person", None, "body", None], ["person", "", "body", "club"], [None, None, "body", None]],
    ids=str,
)
def test_a_header_of_groups_of_columns(read, upper):
    table, said = read([upper, HEAD, *ROWS])
    check(table)
    assert "The header has two rows" in said


@pytest.mark.parametrize("upper", [["now", None, "then", None], ["now", "now", "then", "then"]])
def test_a_header_of_two_rows_that_tell_apart_only_together(read, upper):
    rows = [[i, i % 3 + 0.5, 7 * i % 5, i % 2 + 0.25] for i in range(N)]
    table, _ = read([upper, ["x", "y", "x", "y"], *rows])
    assert list(table) == ["now x", "now y", "then x", "then y"]
    assert table.to_numpy().tolist() == rows


def test_a_multiindex_of_pandas(tmp_path):
    columns = pd.MultiIndex.from_product([["a", "b"], ["mean", "sd"]])
    frame = pd.DataFrame([[i, i + 0.5, i % 3, i * 2.5] for i in range(N)], columns=columns)
    frame.to_csv(tmp_path / "frame.csv")
    table = read_table(tmp_path / "frame.csv")
    assert list(table)[1:] == ["a mean", "a sd", "b mean", "b sd"]
    assert table.to_numpy()[:, 1:].tolist() == frame.to_numpy().tolist()


@pytest.mark.parametrize(
    "header",
    [
        [None, "age", "height", "member"],
        ["name", "age", "age", "member"],
        ["name", None, None, "m"],
    ],
    ids=str,
)
def test_a_header_of_one_row_with_gaps_or_repeats_stays(read, header):
    table, said = read([header, *ROWS])
    assert len(table) == N
    assert "two rows" not in said


@pytest.mark.parametrize("title", [["Members", None, None, "2024-05-01"], ["Members", "of", None]])
def test_a_title_of_few_cells_above_a_gap(read, title):
    table, said = read([title, GAP, HEAD, *ROWS])
    check(table)
    assert "above the header: 'Members" in said


def test_columns_without_name_and_cells(read):
    table, _ = read([[None, *HEAD[:2], None, *HEAD[2:]],
                     *([None, *row[:2], None, *row[2:]] for row in ROWS)])  # fmt: skip
    check(table)


@pytest.mark.parametrize("sign", ["\u00a0", "\u200b", "\u2003", "\ufeff", "\u200e\u00a0", "\x85"])
def test_signs_that_nobody_sees(read, sign):
    head = [f"{sign}{name}{sign}" for name in HEAD]
    rows = [[f"{name}{sign}", f"{sign}{age}", f"{height}{sign}", member]
            for name, age, height, member in ROWS]  # fmt: skip
    check(read([head, *rows])[0])
    some = [[name, f"{sign}{age}" if age % 2 else age, height, f"{sign}{member}"]
            for name, age, height, member in ROWS]  # fmt: skip
    check(read([HEAD, *some])[0])
    missing = [[name, f"{sign}-{sign}" if k == 3 else age, height, member]
               for k, (name, age, height, member) in enumerate(ROWS)]  # fmt: skip
    table, _ = read([HEAD, *missing])
    assert table["age"].isna().tolist() == [k == 3 for k in range(N)]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "below",
    [
        "\n\nData from the register",
        "\nSource: Smith, J., 2020",
        '\n\n"Notes: ages, and ""heights"""',
        "\n*provisional\n\nLast Updated: 12/05/2024",
        "\n\nthe register\n(second edition)",
    ],
)
def test_lines_below_that_are_no_rows(tmp_path, below, newline, end):
    lines = [",".join(HEAD), *(",".join(map(str, row)) for row in ROWS)]
    path = tmp_path / "table.csv"
    text = "\n".join(lines) + below + end
    path.write_text(text.replace("\n", newline), newline="")
    notes = []
    check(read_table(path, notes=notes))
    assert "below the table, from " in notes[0]


@pytest.mark.parametrize("last", ["n1", "n1,22", "n1,22,1.5,yes,no"])
def test_a_last_line_of_another_width_is_refused(tmp_path, last):
    lines = [",".join(HEAD), *(",".join(map(str, row)) for row in ROWS), last]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"line 14 has \d cells and the header has 4"):
        read_table(tmp_path / "table.csv")


def test_a_last_row_that_begins_blank_and_ends_in_a_separator(tmp_path):
    lines = [",".join(HEAD), *(",".join(map(str, row)) + "," for row in [*ROWS, ["", 7, 1, "no"]])]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    assert len(read_table(tmp_path / "table.csv")) == N + 1


def test_a_last_cell_of_several_lines(tmp_path):
    lines = [*(",".join(map(str, row)) for row in ROWS), '"n\n\nSource: x",7,1.5,"yes\nor no"']
    (tmp_path / "table.csv").write_text("\n".join([",".join(HEAD), *lines, ""]))
    table = read_table(tmp_path / "table.csv")
    assert table["member"].tolist()[-1] == "yes\nor no"
    assert len(table) == N + 1


DAYS = [datetime.datetime(2024, 3, 1) + datetime.timedelta(days=17 * i) for i in range(N)]


def book(tmp_path, *sheets):
    """Write sheets of a title, a state and rows each."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, state, rows in sheets:
        page = made.create_sheet(title)
        page.sheet_state = state
        for row in rows:
            page.append(row)
    path = tmp_path / "book.xlsx"
    made.save(path)
    return path


COVER = [["Survey of members"], ["Source: the club"], ["See the next sheet"]]
KEY = [["Column", "Meaning"], ["age", "in years"], ["height", "in meters"]]


@pytest.mark.parametrize("first", [COVER, KEY, [], [["one row", 1]]], ids=str)
def test_covers_and_keys_before_the_table(tmp_path, first):
    path = book(tmp_path, ("About", "visible", first), ("Data", "visible", [HEAD, *ROWS]))
    notes = []
    check(read_table(path, notes=notes))
    assert "2 sheets: taking 'Data'. --sheet takes another ('About')." in notes[0]


def test_hidden_sheets_come_last(tmp_path):
    lists = [["k", "v"], ["a", 1], ["b", 2]]
    path = book(tmp_path, ("lists", "hidden", lists), ("Data", "visible", [HEAD, *ROWS]))
    check(read_table(path))
    assert list(read_table(path, sheet="lists")) == ["k", "v"]


def test_a_sheet_by_name(tmp_path):
    path = book(tmp_path, ("Data", "visible", [HEAD, *ROWS]), ("Key", "visible", KEY))
    notes = []
    assert read_table(path, sheet="Key", notes=notes)["Meaning"].tolist() == [
        "in years",
        "in meters",
    ]
    assert not notes
    assert list(read_table(path, sheet=1)) == ["Column", "Meaning"]
    for wanted in ("key", 2, -1, ""):
        with pytest.raises(ValueError, match=r"has no sheet .*, but: 'Data', 'Key'\."):
            read_table(path, sheet=wanted)
    plain = tmp_path / "plain.csv"
    plain.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(ValueError, match="is no Excel file, and has no sheet 'Key'"):
        read_table(plain, sheet="Key")


@pytest.mark.parametrize("header", [None, True, False])
def test_an_empty_sheet_by_name(tmp_path, header):
    path = book(tmp_path, ("Data", "visible", [HEAD, *ROWS]), ("empty", "visible", []))
    with pytest.raises(ValueError, match=r"The sheet 'empty' of .* is empty"):
        read_table(path, sheet="empty", header=header)


def test_what_openpyxl_says_of_the_rest_of_a_file_is_left_out(tmp_path):
    path = book(tmp_path, ("Data", "visible", [HEAD, *ROWS]))
    extension = b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"/></extLst></worksheet>'
    made = tmp_path / "made.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            body = old.read(name).replace(b"</worksheet>", extension)
            if name == "xl/styles.xml":
                main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
                body = f'<styleSheet xmlns="{main}"/>'.encode()
            new.writestr(name, body)
    with pytest.warns(UserWarning, match=r"stylesheet|extension"):
        openpyxl.load_workbook(made)
    check(read_table(made))


def test_charts_are_no_tables(tmp_path):
    made = openpyxl.Workbook()
    for row in [HEAD, *ROWS]:
        made.active.append(row)
    chart = openpyxl.chart.BarChart()
    chart.add_data(openpyxl.chart.Reference(made.active, min_col=2, min_row=1, max_row=5))
    made.create_chartsheet("Chart", 0).add_chart(chart)
    made.save(tmp_path / "book.xlsx")
    check(read_table(tmp_path / "book.xlsx"))


@pytest.mark.parametrize("odd", ["2024-07-01", "2025-01-31"])
def test_dates_some_of_which_are_text(tmp_path, odd):
    given = [odd if k == 4 else day for k, day in enumerate(DAYS)]
    rows = [[day, row[1]] for day, row in zip(given, ROWS, strict=True)]
    table = read_table(book(tmp_path, ("Data", "visible", [["day", "age"], *rows])))
    expected = [pd.Timestamp(day) for day in given]
    assert table["day"].tolist() == expected
