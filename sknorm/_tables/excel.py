"""Tables in Excel files, whose sheets have titles, gaps and formulas around and in them."""

from __future__ import annotations

import datetime
import importlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sknorm._tables.convert import listing
from sknorm._tables.errors import TableError, load
from sknorm._tables.header import (
    are_names,
    distinct_names,
    first_row,
    name_nothing,
    note_skipped,
    one_line,
)

if TYPE_CHECKING:
    import pandas

HEAD_ROWS = 50
YEARS = range(1900, 2101)
FORMULA = re.compile(rb"<(\w+:)?f[ >/]")
# What openpyxl says of what is around cells, and not in them.
NO_MATTER = ".*(extension is not supported|stylesheet|default style|header or footer|rint area)"
# What damaged files raise in the libraries that read them.
ERRORS = (KeyError, ValueError, OSError, TypeError, AttributeError, SyntaxError)


def read_excel(
    path: Path, data: bytes, sheet: str | int | None, header: bool | None, notes: list[str]
) -> pandas.DataFrame:
    """Return the table of a sheet of an Excel file, with the empty rows in it."""
    name, cells = _find_sheet(path, data, sheet, notes)
    _refuse_formulas(path, data, name, cells)
    cells = _without_empty_columns(cells)
    head = [[_label(cell) for cell in row] for row in cells.head(HEAD_ROWS).to_numpy()]
    top = first_row(head)
    note_skipped([" ".join(filter(None, row)) for row in head[:top] if any(row)], notes)
    cells = _without_empty_columns(cells.iloc[top:])  # of which a title may have been all
    has_header = _has_header(cells) if header is None else header
    rows = cells.iloc[int(has_header) :].reset_index(drop=True)
    if not has_header:
        name_nothing(cells.shape[1], notes)
    names = map(_label, cells.iloc[0]) if has_header else [""] * cells.shape[1]
    return rows.set_axis(distinct_names(list(names), notes), axis=1)


def _without_empty_columns(cells: pandas.DataFrame) -> pandas.DataFrame:
    return cells.loc[:, cells.notna().any(axis=0)]


def _find_sheet(
    path: Path, data: bytes, wanted: str | int | None, notes: list[str]
) -> tuple[str, pandas.DataFrame]:
    """Return the name and the cells of the sheet that is wanted, or that has the table.

    That is the first in sight with more than a row and with columns of numbers, or else the first
    with more than a row: covers and keys are often before it.
    """
    sheets = _Sheets(path, data)
    if wanted is not None:
        name = sheets.find(wanted)
        cells = sheets.read(name)
        if not cells.notna().any(axis=None):
            raise TableError(f"The sheet {name!r} of {path} is empty.")
        return name, cells
    found: tuple[str, pandas.DataFrame] | None = None
    for name in sheets.names:
        cells = sheets.read(name)
        if cells.notna().any(axis=1).sum() < 2:
            continue
        if _has_numbers(cells):
            found = name, cells
            break
        found = found or (name, cells)
    if found is None:
        raise TableError(f"{path} is an Excel file without a table in it.")
    if len(sheets.names) > 1:
        others = listing([repr(name) for name in sheets.names if name != found[0]])
        notes.append(
            f"The Excel file has {len(sheets.names)} sheets: taking {found[0]!r}. --sheet takes "
            f"another ({others})."
        )
    return found


def _has_numbers(cells: pandas.DataFrame) -> bool:
    """Tell whether at least two columns are filled, one of them with numbers or dates."""
    below = cells.iloc[1:HEAD_ROWS]
    numbers = below.map(lambda cell: isinstance(cell, (int, float, datetime.date)) and cell == cell)
    return bool((cells.notna().sum() > 1).sum() > 1 and (numbers.sum() > 1).any())


class _Sheets:
    """The sheets of an Excel file that are tables of cells, those that are hidden last."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._path, self._pandas = path, load("pandas")
        load("openpyxl")
        with self._reading():
            self._file = self._pandas.ExcelFile(io.BytesIO(data), engine="openpyxl")
            sheets = self._file.book.worksheets
            self._in_order: list[str] = [sheet.title for sheet in sheets]
            order = sorted(sheets, key=lambda sheet: sheet.sheet_state != "visible")
            self.names = [sheet.title for sheet in order]

    def find(self, wanted: str | int) -> str:
        """Return the name of a sheet, which is given, or its place."""
        order = self._in_order
        if isinstance(wanted, int) and 0 <= wanted < len(order):
            return order[wanted]
        if wanted not in order:
            known = listing([repr(name) for name in order])
            raise TableError(f"{self._path} has no sheet {wanted!r}, but: {known}.")
        return str(wanted)

    def read(self, name: str) -> pandas.DataFrame:
        """Return the cells of a sheet, what is empty as missing."""
        with self._reading():
            cells = self._pandas.read_excel(
                self._file, sheet_name=name, header=None, dtype=object,
                keep_default_na=False, na_values=[""],
            )  # fmt: skip
            return cells.apply(_unescaped)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", NO_MATTER, UserWarning)
                yield
        except (*ERRORS, zipfile.BadZipFile) as error:
            raise TableError(
                f"{self._path} is an Excel file that cannot be read: {error}."
            ) from error


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


def _label(cell: Any) -> str:
    """Return a cell as the name of a column."""
    if cell != cell or cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return str(cell.date())
    return one_line(str(cell))


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
