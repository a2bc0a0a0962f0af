"""Text that is numbers, dates or times, and text that only looks like it."""

import datetime
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknorm._tables.convert import Notes, _as_nearly_number, convert_text
from sknorm._tables.numerals import STYLES, NumberFormat, find_number_format
from sknorm.tables import TableError


def convert(cells, decimal=".", separator=None, **others):
    notes = []
    frame = pd.DataFrame({"a": cells} | others)
    return convert_text(frame, decimal, separator, notes)["a"], " ".join(notes)


@pytest.mark.parametrize(
    ("cells", "numbers", "said"),
    [
        (["1", "-2.5", "+3e2", ".5", "4."], [1, -2.5, 300, 0.5, 4], ""),
        (["1,234.5", "12.25", "-1,000,000"], [1234.5, 12.25, -1e6], "groups of thousands"),
        (["1.234,5", "12,25", "7"], [1234.5, 12.25, 7], "groups of thousands"),
        (["1,5", "2,25"], [1.5, 2.25], "decimal comma"),
        (["1 234,5", "12 345 678,25"], [1234.5, 12345678.25], "groups of thousands"),
        (["1'234.5", "12'345.25"], [1234.5, 12345.25], "groups of thousands"),
        (["1\u00a0234", "5"], [1234, 5], "groups of thousands"),
        (["$1,200.50", "$3.25", "-$4.00"], [1200.5, 3.25, -4], "Numbers with '$'"),
        (["12,50 €", "1.200,00 €"], [12.5, 1200], "Numbers with '€'"),
        (["45%", "3.5 %", "-2%"], [45, 3.5, -2], "Numbers with '%'"),
        (["12 kg", "3.5 kg"], [12, 3.5], "Numbers with 'kg'"),
        (["(5.50)", "3"], [-5.5, 3], ""),
        (["5.50-", "3", "1,234.00 -"], [-5.5, 3, -1234], "groups of thousands"),
        (["5,50-", "3,25"], [-5.5, 3.25], "decimal comma"),
        (["5.50-", "3"], [-5.5, 3], ""),
        (["\u22122.5", "3", "1e\u22122"], [-2.5, 3, 0.01], ""),
        (["\u20132,5", "\uff0d1.234,5"], [-2.5, -1234.5], "groups of thousands"),
        (["\u2212$4.00", "$\u22125.00", "$6.00"], [-4, -5, 6], "Numbers with '$'"),
        (["\u0661\u0662.\u0665", "\uff13"], [12.5, 3], ""),
        (["1.5", "\u2013", "\u2212", "2"], [1.5, np.nan, np.nan, 2], ""),
        (["1.5", "NA", "", "#N/A", "<NA>", "\\N", "#DIV/0!", "--", "*", "missing", "?", "2"],
         [1.5, *[np.nan] * 10, 2], ""),
    ],
)  # fmt: skip
def test_numbers(cells, numbers, said):
    column, notes = convert(cells)
    assert column.dtype == float
    assert np.array_equal(column, numbers, equal_nan=True)
    assert said in notes
    assert bool(notes) == bool(said)


@pytest.mark.parametrize(
    "cells",
    [
        ["1_11", "2_12"],
        ["10.0.3.14", "10.0.3.15"],
        ["1-", "2", "2-"],
        ["1.10.2", "1.11.0"],
        ["030.555.001", "030.555.002"],
        ["18.30.00", "19.30.00"],
        ["1,23,4", "5"],
        ["1.5", "2,5"],
        ["12 kg", "13 lb"],
        ["0x1F", "0x20"],
        ["00123", "04567"],
        ["1152921504606846976", "1152921504606846977"],
        ["Infinity War", "Nanette"],
        ["4-5", "6-7"],
    ],
)
def test_text_that_is_no_numbers(cells):
    column, _ = convert(cells)
    assert column.tolist() == cells


def test_codes_are_kept_and_said():
    assert "codes or keys" in convert(["00123", "04567"])[1]
    assert "codes or keys" in convert([str(2**60), str(2**60 + 1)])[1]


@pytest.mark.parametrize(
    ("others", "separator", "number"),
    [
        ({"b": ["0.25", "1.75"]}, ";", 1100),
        ({"b": ["0,25", "1,75"]}, ";", 1.1),
        ({"b": [0.25, 1.75]}, None, 1100),
        ({"b": ["x", "y"]}, ",", 1100),
    ],
)
def test_the_rest_of_the_table_tells_the_decimal_sign(others, separator, number):
    assert convert(["1,100", "2,200"], None, separator, **others)[0][0] == number


def test_groups_with_points_beside_decimal_commas():
    assert convert(["1.100", "2.200"], None, ";", b=["0,25", "1,5"])[0][0] == 1100
    assert convert(["1.100", "2.200"], None, ";", b=["0.25", "1.5"])[0][0] == 1.1
    assert convert(["1.234.567", "2.000.000"], ",")[0][0] == 1234567


def test_nothing_tells_the_decimal_sign():
    with pytest.raises(TableError, match=r"Column 'a' has '1,100'.*--decimal"):
        convert(["1,100", "2,200"], None, ";")


def test_nearly_numbers():
    assert convert(["1", "2", "three"])[0].tolist() == ["1", "2", "three"], "too few to tell"
    column, notes = convert([*map(str, range(40)), "broken"])
    assert column.dtype == float
    assert np.isnan(column[40])
    assert notes == "Numbers but for a cell taken as missing ('broken'): a."
    column, notes = convert([*map(str, range(95)), *(f"<{i}" for i in range(5))])
    assert column.isna().sum() == 5
    assert "5 cells taken as missing ('<0', '<1', '<2' and 2 more)" in notes
    column, notes = convert([*map(str, range(20)), *(f"<{i}" for i in range(10))])
    assert column.dtype == object
    assert "Numbers and other text mixed, kept as text (20 of 30 cells are numbers" in notes
    codes = [f"{i:02d}.1" for i in range(1, 40)]
    assert convert(["A", *codes])[0].dtype == object, "01.1 is a code"


def test_words_that_look_missing_stay_words():
    for words in (["none", "?", "NA"], ["x", "", "x"], ["*", "", "*"]):
        column = convert(words)[0]
        assert column[column.notna()].tolist() == [word for word in words if word not in ("", "NA")]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("%d.%m.%Y", "day.month.year"),
        ("%d.%m.%y", "day.month.year"),
        ("%d.%m.%Y %H:%M", "day.month.year hour:minute"),
        ("%Y-%m-%d", "year-month-day"),
        ("%Y-%m-%dT%H:%M:%S", "year-month-dayThour:minute:second"),
        ("%m/%d/%Y", "month/day/year"),
        ("%d/%m/%Y", "day/month/year"),
        ("%m/%d/%y", "month/day/year"),
        ("%m/%d/%Y %I:%M %p", "month/day/year hour:minute AM/PM"),
        ("%b %d, %Y", "month day, year"),
    ],
)
def test_dates(form, words):
    days = [datetime.datetime(2020, 1, 3, 6, 30) + i * datetime.timedelta(8, 3600)
            for i in range(60)]  # fmt: skip
    column, notes = convert([day.strftime(form) for day in days])
    expected = [datetime.datetime.strptime(day.strftime(form), form) for day in days]
    assert column.tolist() == [pd.Timestamp(day) for day in expected]
    assert f"Dates, read as {words}" in notes


def test_dates_in_one_number():
    days = pd.date_range("2019-11-25", periods=40)
    cells = [*days.strftime("%Y%m%d"), "", "NA"]
    column, notes = convert(cells)
    assert column[:40].tolist() == days.tolist()
    assert column[40:].isna().all()
    assert "Dates, read as year, month and day in one number" in notes


@pytest.mark.parametrize(
    "cells",
    [
        ["20191125", "20191126"],
        ["20191125", "20191126", "20191131"],
        ["20191125", "20191126", "20190001"],
        ["20190230", "20191126", "20191127"],
        ["15991125", "15991126", "15991127"],
        [*(f"202001{day:02d}" for day in range(1, 29)), *["20200101"] * 5001, "31122019"],
    ],
)
def test_whole_numbers_that_are_no_dates(cells):
    column, _ = convert(cells)
    assert column.tolist() == [float(cell) for cell in cells]


def test_dates_that_may_be_either_are_said():
    column, notes = convert(["01/03/2020", "02/04/2020"])
    assert column.dt.month.tolist() == [1, 2]
    assert "either number may be the month" in notes


def test_times_of_day_are_hours():
    column, notes = convert(["18:30", "9:15", "", "23:59:30"])
    assert column.tolist()[:2] == [18.5, 9.25]
    assert np.isnan(column[2])
    assert "Times of day, as hours" in notes


@given(st.floats(-1e9, 1e9), st.sampled_from(sorted(STYLES)))
def test_what_a_style_writes_it_reads(value, style):
    shown = f"{value:,.3f}"
    written = {
        "plain": shown.replace(",", ""),
        "comma groups": shown,
        "decimal comma": shown.translate(str.maketrans(",.", ".,")),
        "blank groups, decimal comma": shown.translate(str.maketrans(",.", " ,")),
        "blank groups": shown.replace(",", " "),
    }[style]
    assert NumberFormat(style).parse(written) == float(shown.replace(",", ""))


@given(st.lists(st.text("0123456789.,'% $€-+eE()", max_size=8), min_size=1, max_size=4))
def test_a_column_is_numbers_as_a_whole_or_not_at_all(cells):
    found = find_number_format(cells, ".")
    if found is not None:
        assert all(isinstance(found.parse(cell), float) for cell in cells)


class Counted(str):
    """Text that counts how often it is compared, as sets and searches do."""

    count = 0

    def __hash__(self):
        type(self).count += 1
        return super().__hash__()

    def __eq__(self, other):
        type(self).count += 1
        return super().__eq__(other)


@pytest.mark.parametrize("form", ["word {}", "{}"])
def test_distinct_text_is_compared_in_proportion(form):
    """A search of each cell among all of them takes minutes of 100,000."""
    counts = []
    for n in (500, 2000):
        known = [Counted(form.format(place) if place else "odd") for place in range(n)]
        Counted.count = 0
        _as_nearly_number("x", Counter(known), known, ".", Notes())
        counts.append(Counted.count)
    assert counts[1] < 6 * counts[0]
