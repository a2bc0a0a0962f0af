"""Tables in files, read into data frames."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sknorm._tables.below import with_full_remarks, without_rest
from sknorm._tables.blanks import with_tabs
from sknorm._tables.convert import convert_text
from sknorm._tables.dialect import (
    DELIMITERS,
    Dialect,
    UnknownSeparatorError,
    find_dialect,
)
from sknorm._tables.errors import TableError, load
from sknorm._tables.excel import read_excel
from sknorm._tables.files import contents, decode
from sknorm._tables.parquet import read_parquet
from sknorm._tables.records import first_lines, without_comments
from sknorm._tables.rows import without_headers, without_totals
from sknorm._tables.types import with_usual_types
from sknorm._tables.wrapped import unwrapped

if TYPE_CHECKING:
    import pandas


def read_table(
    path: str | Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    decimal: str | None = None,
    sheet: str | int | None = None,
    notes: list[str] | None = None,
) -> pandas.DataFrame:
    r"""Read a table from a file, and say what is done to it.

    CSV and its kin (whatever separates the cells), Parquet and Excel, also packed by gzip, bzip2,
    xz or ZIP. What the file is, its encoding and its separator are found by looking at it: DuckDB's
    sniffer does most of that. Text that is numbers (``"1.234,5"``, ``"$1,200"``, ``"45%"``,
    ``"12 kg"``) becomes numbers, text that is dates becomes dates, and times of day and durations
    become hours; columns are changed as a whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file.
    encoding : str, default=None
        Of its text; None detects it.
    delimiter : str, default=None
        What separates the cells; None detects it.
    header : bool, default=None
        Whether the first row is the names of the columns, but for Parquet, which has names; None
        detects it.
    decimal : {".", ","}, default=None
        The decimal sign; None detects it.
    sheet : str or int, default=None
        The name of a sheet of an Excel file, or its place, from 0; None takes the first in sight
        that has columns of numbers.
    notes : list of str, default=None
        Where to put what was done to the table, in sentences. It is in ``frame.attrs["notes"]``
        too.

    Returns
    -------
    frame : pandas.DataFrame
        Columns of float64 (NaN where missing), datetime64, bool, or str; what Parquet has beside
        these, such as lists, stays what it is.

    Raises
    ------
    TableError
        A ValueError: the file is no table, or cannot be read without guessing. It names the line
        or the column, and the way out.
    ImportError
        If a library of the extra ``table`` is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sknorm.tables import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "houses.csv"
    >>> _ = path.write_text("built;price\n03.01.2020;1.234,5\n28.02.2021;987,0\n")
    >>> frame = read_table(path)
    >>> frame["price"].tolist()
    [1234.5, 987.0]
    >>> frame["built"].dt.month.tolist()
    [1, 2]
    """
    notes = [] if notes is None else notes
    if delimiter is not None and len(delimiter) != 1 and delimiter not in DELIMITERS:
        names = ", ".join(repr(name) for name in DELIMITERS)
        raise ValueError(f"delimiter must be one sign, or one of {names}; got {delimiter!r}.")
    if decimal not in (None, ".", ","):
        raise ValueError(f"decimal must be '.', ',' or None; got {decimal!r}.")
    path = Path(path)
    kind, data = contents(path)
    if sheet is not None and kind != "excel":
        raise TableError(f"{path} is no Excel file, and has no sheet {sheet!r}.")
    separator = None
    if kind == "parquet":
        frame = read_parquet(path, data, notes)
    elif kind == "excel":
        frame = read_excel(path, data, sheet, header, notes)
    else:
        frame, separator = _read_text(path, data, encoding, delimiter, header, notes)
    if kind != "parquet":
        frame = _rows_of_data(frame, kind, header, notes)
    if not len(frame):
        raise TableError(f"{path} has no rows below its header.")
    frame = convert_text(with_usual_types(frame), decimal, separator, notes)
    if kind != "parquet":
        frame = without_totals(frame, notes)
    frame.attrs["notes"] = list(notes)
    return frame


def _rows_of_data(
    frame: pandas.DataFrame, kind: str, header: bool | None, notes: list[str]
) -> pandas.DataFrame:
    """Return a table of text, or of the cells of a sheet, without rows that are no data."""
    if header is not False:
        frame = without_headers(frame, notes)
    frame = without_rest(frame, notes)
    if kind == "excel":  # where empty rows are gaps for the eye
        frame = frame.dropna(how="all").reset_index(drop=True).infer_objects()
    return frame


def _read_text(
    path: Path,
    data: bytes,
    encoding: str | None,
    delimiter: str | None,
    header: bool | None,
    notes: list[str],
) -> tuple[pandas.DataFrame, str]:
    text = decode(path, data, encoding, notes)
    text = text.rstrip("\x1a")  # with which old programs mark the end
    if not text.strip():
        raise TableError(f"{path} is empty.")
    if header is None:
        text = unwrapped(text, notes)
    text = with_tabs(text, delimiter)
    try:
        return _parse_text(path, text, delimiter, header, notes)
    except UnknownSeparatorError:
        # The sniffer takes line ends of one kind only.
        alike = text.replace("\r\n", "\n").replace("\r", "\n")
        if alike == text:
            raise
    return _parse_text(path, alike, delimiter, header, notes)


def _parse_text(
    path: Path, text: str, delimiter: str | None, header: bool | None, notes: list[str]
) -> tuple[pandas.DataFrame, str]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "table.csv"
        copy.write_text(text, encoding="utf-8", newline="")
        dialect = find_dialect(path, copy, text, delimiter, header, notes)
        # Without comments and what stands above the rows: DuckDB takes each # for a comment.
        rows = text[first_lines(text, dialect.above)[1] :]
        rows = without_comments(rows, dialect.signs, len(dialect.names))
        rows = with_full_remarks(rows, dialect.signs, len(dialect.names))
        copy.write_text(rows, encoding="utf-8", newline="")
        return _parse(path, copy, dialect), dialect.signs.delimiter


def _parse(path: Path, copy: Path, dialect: Dialect) -> Any:
    duckdb = load("duckdb")
    connection = duckdb.connect()
    # Numbered meanwhile: names that are the same but for their case are one to DuckDB.
    columns = [f"c{place}" for place in range(len(dialect.names))]
    try:
        frame = connection.read_csv(
            str(copy),
            header=False,
            auto_detect=False,
            columns=dict.fromkeys(columns, "VARCHAR"),
            delimiter=dialect.signs.delimiter,
            quotechar=dialect.signs.quote,
            escapechar=dialect.signs.escape,
            max_line_size=2**27,
        ).df()
        return frame.set_axis(list(dialect.names), axis=1)
    except duckdb.Error as error:
        raise TableError(_what_is_wrong(path, str(error), dialect)) from error
    finally:
        connection.close()


def _what_is_wrong(path: Path, error: str, dialect: Dialect) -> str:
    line = re.search(r"Line: (\d+)", error)
    where = f"{path}, line {int(line[1]) + dialect.above}" if line else f"{path}"
    widths = re.search(r"Number of Columns: (\d+) Found: (\d+)", error)
    if widths:
        return (
            f"{where} has {widths[2]} cells and the header has {widths[1]} (separated by "
            f"{dialect.signs.delimiter!r}): correct the line, or say what separates the cells with "
            "--delimiter."
        )
    if "unterminated quote" in error:
        return f"{where}: a quote is opened and not closed. Correct the line."
    reason = next((part for part in error.splitlines() if part and "Line" not in part), error)
    return f"{where} cannot be read: {reason}"
