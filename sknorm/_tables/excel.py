"""Tables in Excel files, whose sheets have titles, gaps and formulas around and in them."""

from __future__ import annotations

import datetime
import importlib
import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sknorm._tables.errors import TableError, load
from sknorm._tables.header import (
    are_names,
    distinct_names,
    first_row,
    name_nothing,
    note_skipped,
    one_line,
    width_of,
)

if TYPE_CHECKING:
    import pandas

HEAD_ROWS = 50
YEARS = range(1900, 2101)
FORMULA = re.compile(rb"<(\w+:)?f[ >/]")
# What damaged files raise in the libraries that read them.
ERRORS = (KeyError, ValueError, OSError, TypeError, AttributeError, SyntaxError)


def read_excel(path: Path, data: bytes, header: bool | None, notes: list[str]) -> pandas.DataFrame:
    """Return the first table of an Excel file."""
    name, cells = _first_sheet(path, data, notes)
    _refuse_formulas(path, data, name, cells)
    cells = _without_empty_columns(cells)
    head = [[_label(cell) for cell in row] for row in cells.head(HEAD_ROWS).to_numpy()]
    top = _top(head)
    note_skipped([" ".join(filter(None, row)) for row in head[:top] if any(row)], notes)
    cells = _without_empty_columns(cells.iloc[top:])  # of which a title may have been all
    has_header = _has_header(cells) if header is None else header
    rows = cells.iloc[int(has_header) :].dropna(how="all").reset_index(drop=True)
    if not has_header:
        name_nothing(cells.shape[1], notes)
    names = map(_label, cells.iloc[0]) if has_header else [""] * cells.shape[1]
    return rows.set_axis(distinct_names(list(names), notes), axis=1).infer_objects()


def _without_empty_columns(cells: pandas.DataFrame) -> pandas.DataFrame:
    return cells.loc[:, cells.notna().any(axis=0)]


def _first_sheet(path: Path, data: bytes, notes: list[str]) -> tuple[str, pandas.DataFrame]:
    """Return the name and the cells of the first sheet that has more than a row."""
    pandas = load("pandas")
    load("openpyxl")
    try:
        sheets = pandas.read_excel(
            io.BytesIO(data), sheet_name=None, header=None, dtype=object,
            keep_default_na=False, na_values=[""], engine="openpyxl",
        )  # fmt: skip
    except (*ERRORS, zipfile.BadZipFile) as error:
        raise TableError(f"{path} is an Excel file that cannot be read: {error}.") from error
    filled = {name: sheet for name, sheet in sheets.items() if sheet.notna().any(axis=1).sum() > 1}
    if not filled:
        raise TableError(f"{path} is an Excel file without a table in it.")
    name, cells = next(iter(filled.items()))
    if len(filled) > 1:
        notes.append(
            f"The Excel file has {len(filled)} sheets: taking the first, {name!r}. Save another as "
            "CSV to use that."
        )
    return name, cells.apply(_unescaped)


def _unescaped(column: pandas.Series) -> pandas.Series:
    """Return text with the signs for which sheets have an escape, such as ``_x000D_``."""
    found = [place for place, c in enumerate(column) if isinstance(c, str) and "_x" in c]
    if found:
        unescape = importlib.import_module("openpyxl.utils.escape").unescape
        column = column.copy()
        column.iloc[found] = [unescape(cell) for cell in column.iloc[found]]
    return column


def _refuse_formulas(path: Path, data: bytes, name: str, cells: pandas.DataFrame) -> None:
    """Refuse a sheet whose formulas were never computed, as in files that a program has written."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [file for file in archive.namelist() if file.startswith("xl/worksheets/")]
        if not any(FORMULA.search(archive.read(file)) for file in sheets):
            return
    book = load("openpyxl").load_workbook(io.BytesIO(data), read_only=True)
    missing = cells.isna().to_numpy()
    first = ""
    for row, line in zip(missing, book[name].iter_rows(), strict=False):
        for is_missing, cell in zip(row, line, strict=False):
            if cell.data_type != "f":
                continue
            if not is_missing:
                return
            first = first or cell.coordinate
    if first:
        raise TableError(
            f"{path} has formulas that were never computed, such as cell {first} of sheet "
            f"{name!r}: open it in a spreadsheet program, and save it."
        )


def _top(head: list[list[str]]) -> int:
    """Return which row is the first of the table."""
    top = first_row(head)
    below = [width_of(row) for row in head[top + 1 :] if any(row)]
    # Narrower than what is below a gap, it is a title.
    if (
        head[top + 1 : top + 2]
        and not any(head[top + 1])
        and width_of(head[top]) < max(below, default=0)
    ):
        return top + 1 + _top(head[top + 1 :])
    return top


def _label(cell: Any) -> str:
    """Return a cell as the name of a column."""
    if cell != cell or cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return str(cell.date())
    return one_line(str(cell).strip())


def _has_header(cells: pandas.DataFrame) -> bool:
    """Tell whether the first row is names: text, years, or of other types than what is below.

    They are in at least half of the columns, and years alone are numbers.
    """
    first, *below = ([_label(cell) for cell in row] for row in cells.head(HEAD_ROWS).to_numpy())
    if are_names(first, below):
        return True
    named, sure = 0, False
    for _, column in cells.items():
        first, below = column.iloc[0], column.iloc[1:].dropna()
        is_other = len(below) > 0 and _kind(first) not in set(map(_kind, below))
        sure |= isinstance(first, str) or (first == first and is_other)
        named += isinstance(first, str) or first != first or is_other or first in YEARS
    return sure and 2 * named >= cells.shape[1]


def _kind(cell: Any) -> str:
    """Return the kind of a cell: a number, or the name of its type."""
    is_number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    return "number" if is_number else type(cell).__name__
