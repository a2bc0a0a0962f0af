"""Columns of durations, periods, Arrow's types and the like, and text that is such."""

import datetime
import decimal
import fractions

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from sknorm._tables.clock import hours_of, what_are_hours
from sknorm._tables.convert import convert_text
from sknorm.tables import TableEncoder, TableError, read_table

N = 24
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=17 * i) for i in range(N)]
LASTING = [datetime.timedelta(minutes=90 * i) for i in range(N)]
HOURS = pd.Series(pd.to_timedelta(LASTING))
DATES = pd.Series(pd.to_datetime(DAYS))
QUARTERS = pd.Series(np.arange(N) / 4)
TIMES = [datetime.time(k, 30) for k in range(N)]
WORDS = pd.Series(["a", "b", "c"] * (N // 3))


def arrow(values, kind):
    return pd.Series(pd.array(values, dtype=pd.ArrowDtype(kind)))


def encoded(column):
    """Return what the encoder makes of a column, of all rows and of some, and what it says."""
    frame = pd.DataFrame({"x": column, "other": np.arange(N) ** 2.0})
    encoder = TableEncoder().fit(frame)
    some = frame.iloc[5:9]
    whole = encoder.transform(frame)
    pd.testing.assert_frame_equal(encoder.transform(some), whole.iloc[5:9])
    return whole.drop(columns="other"), " ".join(encoder.notes_)


@pytest.mark.parametrize(
    "column",
    [
        HOURS,
        HOURS.astype("timedelta64[s]"),
        pd.Series(LASTING, dtype=object),
        arrow(list(HOURS), pa.duration("s")),
        pd.Series([str(value) for value in HOURS]),
        pd.Series([str(value) for value in LASTING]),
    ],
    ids=["ns", "s", "datetime", "Arrow", "pandas' text", "Python's text"],
)
def test_durations_are_hours(column):
    found, said = encoded(column)
    np.testing.assert_allclose(found["x"], 1.5 * np.arange(N), rtol=1e-15)
    assert "Durations, as hours: x." in said


@pytest.mark.parametrize(
    ("column", "same_as"),
    [
        (arrow(DAYS, pa.date32()), DATES),
        (arrow([pd.Timestamp(d) for d in DAYS], pa.timestamp("us")), DATES),
        (pd.Series(pd.PeriodIndex(DAYS, freq="D")), DATES),
        (pd.Series(pd.PeriodIndex(DAYS, freq="D"), dtype=object), DATES),
        (arrow([k * 1.5 for k in range(N)], pa.float32()), pd.Series(1.5 * np.arange(N))),
        (arrow([k % 5 for k in range(N)], pa.int8()), pd.Series(np.arange(N) % 5)),
        (arrow([k % 2 == 0 for k in range(N)], pa.bool_()), pd.Series(np.arange(N) % 2 == 0)),
        (arrow([decimal.Decimal(k) / 4 for k in range(N)], pa.decimal128(9, 2)), QUARTERS),
        (arrow(list(WORDS), pa.string()), WORDS),
        (arrow(list(WORDS), pa.dictionary(pa.int8(), pa.string())), WORDS),
        (arrow(TIMES, pa.time64("us")), pd.Series(np.arange(N) + 0.5)),
        (pd.Series([fractions.Fraction(k, 4) for k in range(N)]), QUARTERS),
    ],
)  # fmt: skip
def test_unusual_types_are_as_usual_ones(column, same_as):
    found, expected = encoded(column)[0], encoded(same_as)[0]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_dates_out_of_the_range_of_nanoseconds():
    years = np.array([f"{1500 + 40 * k}-05-01" for k in range(N)], dtype="M8[s]")
    found, _ = encoded(pd.Series(years))
    assert found["x_year"].tolist() == [1500 + 40 * k for k in range(N)]
    days = (years.astype("M8[D]") - np.datetime64("1970-01-01")).astype(float)
    assert found["x_days"].tolist() == days.tolist()


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.binary()])
def test_arrows_containers_are_refused(kind):
    with pytest.raises(TableError, match="'x' has cells of"):
        encoded(arrow([[k] if kind != pa.binary() else b"a" for k in range(N)], kind))


@pytest.mark.parametrize(
    ("cell", "hours"),
    [
        ("7:30", 7.5),
        ("07:30:36", 7.51),
        ("12:15 AM", 0.25),
        ("12:15 pm", 12.25),
        ("6 p.m.", 18.0),
        ("11:59:24PM", 23.99),
        ("27:30", 27.5),
        ("-1:30", -1.5),
        ("1 day, 2:00:00", 26.0),
        ("-1 day, 23:00:00", -1.0),
        ("-1 days +23:00:00", -1.0),
        ("3 days 00:00:36.5", 72 + 36.5 / 3600),
        ("PT4M12S", 0.07),
        ("P1DT2H", 26.0),
        ("-P1DT2H", -26.0),
        ("P3D", 72.0),
    ],
)
def test_hours(cell, hours):
    assert what_are_hours([cell]) is not None
    np.testing.assert_allclose(hours_of(cell), hours, rtol=1e-15)


@pytest.mark.parametrize(
    "cell",
    ["7:60", "25:00 PM", "13:00 PM", "0:30 AM", "P", "PT", "1 day", "a:10", "1:2:3:4", "1:5"],
)
def test_what_is_no_time(cell):
    assert what_are_hours([cell]) is None
    assert hours_of(cell) is None


def converted(cells):
    notes = []
    frame = convert_text(pd.DataFrame({"x": pd.Series(cells, dtype=object)}), None, ",", notes)
    return frame["x"], " ".join(notes)


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b %Y", "%Y-%m-%d %H:%M:%S"]
)
@pytest.mark.parametrize("odd", ["2020-02-30", "soon", "31.02.2020", "in spring 2020"])
def test_dates_but_for_a_few(form, odd):
    cells = [day.strftime(form) for day in DAYS]
    column, said = converted([*cells[:7], odd, *cells[7:]])
    expected = [pd.Timestamp(day) for day in DAYS]
    assert column.drop(7).tolist() == expected
    assert column.isna().tolist() == [k == 7 for k in range(N + 1)]
    assert f"but for a cell taken as missing ({odd!r}): x." in said


def test_many_that_are_no_dates_leave_text():
    cells = [str(day) for day in DAYS]
    for given in ([*cells[:12], *["soon"] * 4], [*cells[:3], "soon"]):
        column, said = converted(given)
        assert column.tolist() == given
        assert "Dates" not in said


@pytest.mark.parametrize("zero", ["0000-00-00", "00/00/0000", "00.00.0000"])
def test_dates_of_zeros_are_missing(zero):
    cells = [str(day) for day in DAYS]
    column, said = converted([*cells, *[zero] * 12])
    assert column.isna().sum() == 12
    assert column.dtype.kind == "M"
    assert "taken as missing" not in said


@pytest.mark.parametrize("form", ["%b %Y", "%B %Y", "%b-%y", "%Y-%b", "%m/%Y", "%Y-%m"])
def test_months_of_years(form):
    months = [datetime.datetime(2019 + k // 12, k % 12 + 1, 1) for k in range(N)]
    column, said = converted([month.strftime(form) for month in months])
    assert column.tolist() == months
    assert "Dates, read as" in said


def test_durations_are_not_taken_for_numbers_later():
    frame = pd.DataFrame({"x": np.arange(N), "y": HOURS})
    encoder = TableEncoder().fit(frame)
    with pytest.raises(TableError, match="'x' was numbers in fit, and is timedelta64"):
        encoder.transform(frame.assign(x=HOURS))
    with pytest.raises(TableError, match="'y' was times of day or durations in fit, and is int64"):
        encoder.transform(frame.assign(y=frame["x"]))
    text = encoder.transform(frame.assign(y=HOURS.astype(str)))
    pd.testing.assert_frame_equal(text, encoder.transform(frame))


def test_durations_in_sheets(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["lasts", "x"])
    for place, lasts in enumerate(LASTING):
        book.active.append([lasts, place])
    book.save(tmp_path / "book.xlsx")
    notes = []
    table = read_table(tmp_path / "book.xlsx", notes=notes)
    np.testing.assert_allclose(table["lasts"], 1.5 * np.arange(N), rtol=1e-12)
    assert "Durations, as hours: lasts." in notes
