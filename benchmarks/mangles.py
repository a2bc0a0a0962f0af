"""Tables written to files as people and programs write them, each with what a reader must find."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from csv import QUOTE_NONNUMERIC
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass
class Written:
    """A file, and the table in it: the names of its columns, and what else is right for some.

    ``also`` are other values that a column may be read as: what is only unwrapped partly, such as
    the text "12 kg" or 0.45 for "45%", is not wrong.
    """

    data: bytes
    ending: str
    frame: pd.DataFrame
    also: dict[str, list[pd.Series]] = field(default_factory=dict)
    names_matter: bool = True


def csv(frame: pd.DataFrame, encoding: str = "utf-8", **options: object) -> bytes:
    return frame.to_csv(index=False, **options).encode(encoding, errors="replace")


def numeric(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if frame[name].dtype.kind in "if"]


def fractional(frame: pd.DataFrame) -> list[str]:
    """Return the columns whose numbers show what their decimal sign is."""
    return [n for n in numeric(frame) if (frame[n].dropna() % 1 != 0).mean() > 0.2]


def as_cells(frame: pd.DataFrame, name: str, show: Callable[[float], str]) -> pd.DataFrame:
    shown = [show(value) if np.isfinite(value) else "" for value in frame[name]]
    return frame.assign(**{name: shown})


def with_column(frame: pd.DataFrame, name: str, values: object) -> pd.DataFrame:
    return frame.assign(**{name: values})


def separated(sep: str) -> Callable[[pd.DataFrame], Written]:
    return lambda frame: Written(csv(frame, sep=sep), ".csv", frame)


def german(frame: pd.DataFrame) -> Written:
    return Written(csv(frame, sep=";", decimal=","), ".csv", frame)


def german_groups(frame: pd.DataFrame) -> Written:
    frame = with_column(frame, "umsatz", np.round(np.linspace(900, 98765, len(frame)), 2))
    shown = as_cells(frame, "umsatz", lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")))
    return Written(csv(shown, sep=";", decimal=","), ".csv", frame)


def tab_decimal_comma(frame: pd.DataFrame) -> Written:
    return Written(csv(frame, sep="\t", decimal=","), ".txt", frame)


def quoted_decimal_comma(frame: pd.DataFrame) -> Written:
    return Written(csv(frame, decimal=","), ".csv", frame)


def blanks(frame: pd.DataFrame) -> Written:
    frame = frame[numeric(frame)].dropna()
    return Written(csv(frame, sep=" "), ".dat", frame)


def comments(frame: pd.DataFrame) -> Written:
    head = b"# written by a logger, version 2\n# units: mm, s\n"
    return Written(head + csv(frame), ".csv", frame)


def title(frame: pd.DataFrame) -> Written:
    return Written(b"Quarterly figures\n\n" + csv(frame), ".csv", frame)


def remark_below(frame: pd.DataFrame) -> Written:
    return Written(csv(frame) + b"\nSource: the office, 2024\n", ".csv", frame)


def sep_line(frame: pd.DataFrame) -> Written:
    return Written(b"sep=;\n" + csv(frame, sep=";"), ".csv", frame)


def encoded(encoding: str, word: str) -> Callable[[pd.DataFrame], Written]:
    def write(frame: pd.DataFrame) -> Written:
        words = [f"{word} {place % 7}" for place in range(len(frame))]
        frame = with_column(frame, f"{word}s", words)
        for name in frame.columns.difference(numeric(frame)):
            shown = (
                frame[name]
                .astype("object")
                .map(
                    lambda v: (
                        v.encode(encoding, "replace").decode(encoding) if isinstance(v, str) else v
                    )
                )
            )
            frame = with_column(frame, name, shown)
        return Written(csv(frame, encoding), ".csv", frame)

    return write


def blank_headers(frame: pd.DataFrame) -> Written:
    lines = csv(frame).decode().splitlines()
    simple = '"' not in "".join(lines)
    text = "\n".join(line + ",," for line in lines) if simple else "\n".join(lines)
    return Written(text.encode() + b"\n", ".csv", frame)


def trailing_separator(frame: pd.DataFrame) -> Written:
    header, *lines = csv(frame).decode().splitlines()
    if '"' in "".join(lines):
        return Written(csv(frame), ".csv", frame)
    return Written(
        ("\n".join([header, *(line + "," for line in lines)]) + "\n").encode(), ".csv", frame
    )


def no_header(frame: pd.DataFrame) -> Written:
    return Written(csv(frame, header=False), ".csv", frame, names_matter=False)


def row_names(frame: pd.DataFrame) -> Written:
    """As write.table of R: the header has no name for the first column."""
    header, *lines = csv(frame, sep="\t", na_rep="NA").decode().splitlines()
    if '"' in "".join(lines):
        return Written(csv(frame, sep="\t"), ".tsv", frame)
    return named_rows(frame, header, lines, "{}\t{}", ".tsv")


def named_rows(
    frame: pd.DataFrame, header: str, lines: list[str], form: str, ending: str
) -> Written:
    lines = [form.format(place + 1, line) for place, line in enumerate(lines)]
    expected = frame.copy()
    expected.insert(0, "row name", np.arange(1.0, len(frame) + 1))
    data = ("\n".join([header, *lines]) + "\n").encode()
    return Written(data, ending, expected, names_matter=False)


def written_by_r(frame: pd.DataFrame) -> Written:
    """As write.table of R by itself: blanks between cells, text in quotes, names of rows."""
    header, *lines = (
        csv(
            frame,
            sep=" ",
            quoting=QUOTE_NONNUMERIC,
            na_rep="NA",
            doublequote=False,
            escapechar="\\",
        )
        .decode()
        .splitlines()
    )
    if any("\n" in str(cell) for cell in frame.to_numpy().ravel()):
        return row_names(frame)
    return named_rows(frame, header, lines, '"{}" {}', ".txt")


def minus_behind(frame: pd.DataFrame) -> Written:
    """As SAP prints amounts."""
    values = np.round(np.linspace(-90, 90, len(frame)) * 91.37, 2)
    shown = [f"{-v:.2f}-" if v < 0 else f"{v:.2f}" for v in values]
    expected = with_column(frame, "extra", values)
    return Written(csv(with_column(frame, "extra", shown), sep=";"), ".csv", expected)


def repeated_names(frame: pd.DataFrame) -> Written:
    renamed = frame.copy()
    renamed.columns = ["a", "a", *frame.columns[2:]]
    return Written(csv(renamed), ".csv", frame, names_matter=False)


def numbers_for_names(frame: pd.DataFrame) -> Written:
    """As pandas writes a matrix."""
    renamed = frame.set_axis([str(place) for place in range(frame.shape[1])], axis=1)
    return Written(csv(renamed), ".csv", renamed)


def missing_code(code: str) -> Callable[[pd.DataFrame], Written]:
    def write(frame: pd.DataFrame) -> Written:
        frame = frame.copy()
        name = numeric(frame)[0]
        frame[name] = frame[name].astype(float)
        frame.loc[frame.index[3], name] = np.nan
        return Written(csv(as_cells(frame, name, repr).replace({name: {"": code}})), ".csv", frame)

    return write


def with_numbers(show: Callable[[float], str], *others: Callable[[float], object], scale: float =
1.0,
                 sep: str = ",") -> Callable[[pd.DataFrame], Written]:  # fmt: skip
    """Return what adds a column of numbers, shown in a way, that may be read as others too."""

    def write(frame: pd.DataFrame) -> Written:
        values = np.round(np.linspace(1, 90, len(frame)) * scale, 2)
        shown = [show(value) for value in values]
        expected = with_column(frame, "extra", [float(value) for value in values])
        also = [pd.Series([other(value) for value in values]) for other in others]
        return Written(
            csv(with_column(frame, "extra", shown), sep=sep), ".csv", expected, {"extra": also}
        )

    return write


def dates(form: str, sep: str = ",") -> Callable[[pd.DataFrame], Written]:
    def write(frame: pd.DataFrame) -> Written:
        days = pd.date_range("2019-11-25 06:00", periods=len(frame), freq="31h")
        if "%H" not in form and "%I" not in form:
            days = days.normalize()
        expected = with_column(frame, "when", days)
        return Written(
            csv(with_column(frame, "when", days.strftime(form)), sep=sep), ".csv", expected
        )

    return write


def clocks_of_12_hours(frame: pd.DataFrame) -> Written:
    minutes = [7 * place % 1440 for place in range(len(frame))]
    clocks = [f"{(m // 60 - 1) % 12 + 1}:{m % 60:02d} {'AM' if m < 720 else 'PM'}" for m in minutes]
    expected = with_column(frame, "when", [m / 60 for m in minutes])
    return Written(csv(with_column(frame, "when", clocks)), ".csv", expected)


def months(frame: pd.DataFrame) -> Written:
    days = pd.date_range("1950-01-01", periods=len(frame), freq="MS")
    shown = with_column(frame, "when", days.strftime("%b %Y"))
    return Written(csv(shown), ".csv", with_column(frame, "when", days))


def wrong_date(frame: pd.DataFrame) -> Written:
    days = pd.date_range("2019-11-25", periods=len(frame), freq="31h").normalize()
    given = days.strftime("%Y-%m-%d").to_series(index=frame.index)
    given.iloc[len(frame) // 2] = "2020-02-30"
    expected = days.to_series(index=frame.index)
    expected.iloc[len(frame) // 2] = pd.NaT
    return Written(csv(with_column(frame, "when", given)), ".csv",
                   with_column(frame, "when", expected))  # fmt: skip


def codes(frame: pd.DataFrame) -> Written:
    values = [f"{place % 3 + 1}_{place % 5 + 11}" for place in range(len(frame))]
    return added_text(frame, values)


def zero_codes(frame: pd.DataFrame) -> Written:
    return added_text(frame, [f"{place % 40:05d}" for place in range(len(frame))])


def long_ids(frame: pd.DataFrame) -> Written:
    return added_text(frame, [str(2**60 + place) for place in range(len(frame))])


def addresses(frame: pd.DataFrame) -> Written:
    return added_text(frame, [f"10.0.{place % 7}.{place % 200 + 1}" for place in range(len(frame))])


def added_text(frame: pd.DataFrame, values: list[str]) -> Written:
    frame = with_column(frame, "code", values)
    return Written(csv(frame), ".csv", frame)


def packed_gzip(frame: pd.DataFrame) -> Written:
    return Written(gzip.compress(csv(frame)), ".csv.gz", frame)


def packed_zip(frame: pd.DataFrame) -> Written:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", csv(frame))
    return Written(box.getvalue(), ".zip", frame)


def for_excel(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with text for dates before 1900, which Excel has none for."""
    dates = [n for n in frame if frame[n].dtype.kind == "M" and frame[n].min().year < 1901]
    return frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in dates})


def excel(frame: pd.DataFrame) -> Written:
    box = io.BytesIO()
    for_excel(frame).to_excel(box, index=False)
    return Written(box.getvalue(), ".xlsx", frame)


def excel_behind_a_cover(frame: pd.DataFrame) -> Written:
    box = io.BytesIO()
    with pd.ExcelWriter(box, engine="openpyxl") as book:
        cover = pd.DataFrame({"Column": list(frame), "Meaning": "see the report"})
        cover.to_excel(book, index=False, sheet_name="Key")
        for_excel(frame).to_excel(book, index=False, sheet_name="Data")
    return Written(box.getvalue(), ".xlsx", frame)


def excel_with_a_remark(frame: pd.DataFrame) -> Written:
    box = io.BytesIO()
    with pd.ExcelWriter(box, engine="openpyxl") as book:
        for_excel(frame).to_excel(book, index=False)
        next(iter(book.sheets.values())).cell(len(frame) + 4, 1, "The figures are provisional")
    return Written(box.getvalue(), ".xlsx", frame)


def excel_below_a_title(frame: pd.DataFrame) -> Written:
    box = io.BytesIO()
    with pd.ExcelWriter(box, engine="openpyxl") as book:
        for_excel(frame).to_excel(book, index=False, startrow=3, startcol=1)
        next(iter(book.sheets.values())).cell(1, 2, "Figures of the year")
    return Written(box.getvalue(), ".xlsx", frame)


MANGLES: dict[str, Callable[[pd.DataFrame], Written]] = {
    "as it is": separated(","),
    "; between cells": separated(";"),
    "tab": separated("\t"),
    "|": separated("|"),
    "blanks": blanks,
    "; and decimal comma": german,
    "; and 1.234,56": german_groups,
    "tab and decimal comma": tab_decimal_comma,
    "decimal comma in quotes": quoted_decimal_comma,
    "comment lines": comments,
    "title above": title,
    "remark below": remark_below,
    "sep=; above": sep_line,
    "UTF-8 mark": encoded("utf-8-sig", "Straße"),
    "latin-1": encoded("latin-1", "Größe"),
    "UTF-16": encoded("utf-16", "Été"),
    "blank header cells": blank_headers,
    "trailing separators": trailing_separator,
    "no header": no_header,
    "row names without a header": row_names,
    "write.table of R": written_by_r,
    "repeated names": repeated_names,
    "names 0, 1, 2": numbers_for_names,
    "#N/A": missing_code("#N/A"),
    "<NA>": missing_code("<NA>"),
    "\\N": missing_code("\\N"),
    "--": missing_code("--"),
    "?": missing_code("?"),
    "$1,200.50": with_numbers("${:,.2f}".format, scale=91.37),
    "45%": with_numbers("{:g}%".format, lambda v: v / 100),
    "12 kg": with_numbers("{:g} kg".format, "{:g} kg".format),
    "12.50- for a negative": minus_behind,
    "1,234.5": with_numbers("{:,.2f}".format, scale=91.37),
    "odd blanks around numbers": with_numbers("\u00a0{:.2f}\u200b".format),
    "12:30 PM": clocks_of_12_hours,
    "months such as Jan 2020": months,
    "a wrong date": wrong_date,
    "German dates": dates("%d.%m.%Y", ";"),
    "US dates": dates("%m/%d/%Y"),
    "US dates and times": dates("%m/%d/%Y %I:%M %p"),
    "ISO dates and times": dates("%Y-%m-%dT%H:%M:%S"),
    "dates such as 20191125": dates("%Y%m%d"),
    "codes such as 1_11": codes,
    "codes with zeros": zero_codes,
    "ids beyond 2**53": long_ids,
    "network addresses": addresses,
    "gzip": packed_gzip,
    "zip": packed_zip,
    "Excel": excel,
    "Excel, below a title": excel_below_a_title,
    "Excel, behind a cover": excel_behind_a_cover,
    "Excel, above a remark": excel_with_a_remark,
}
