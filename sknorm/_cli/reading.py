"""Tables in files, read into columns for the command line: CSV and Parquet, no pandas needed."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._cli.parquet import read_parquet

# The byte-order marks that files begin with, and what they say of the encoding.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
PARQUET = {".parquet", ".pq"}
MISSING = {"", "na", "n/a", "nan", "null"}
# Among numbers, these mean that there is none; among words, they may be words.
MISSING_NUMBER = MISSING | {"none", "nil", "?", "-", "."}
SNIFFED = 64 * 1024


class TableError(ValueError):
    """A file that cannot be read as a table, with what is wrong and what to do."""


Column = NDArray[Any]


def read_table(
    path: str | Path, encoding: str = "utf-8", notes: list[str] | None = None
) -> dict[str, Column]:
    """Return the columns of a file: float64 with NaN where missing, or objects (None if missing).

    Columns of text that are all numbers become numbers. What is done to columns is added to the
    notes.
    """
    notes = [] if notes is None else notes
    path = Path(path)
    if not path.exists():
        raise TableError(f"There is no file {path}.")
    if path.is_dir():
        raise TableError(f"{path} is a folder; name a CSV or Parquet file.")
    is_parquet = path.suffix.lower() in PARQUET
    columns = _read_parquet(path, notes) if is_parquet else _read_csv(path, encoding)
    if not columns or not len(next(iter(columns.values()))):
        raise TableError(f"{path} has no rows below its header.")
    return columns


def _read_csv(path: Path, encoding: str) -> dict[str, Column]:
    text = _decode(path, encoding)
    if not text.strip():
        raise TableError(f"{path} is empty.")
    csv.field_size_limit(2**31 - 1)
    delimiter = _guess_delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        header = _check_header([name.strip() for name in next(rows)], path)
        cells = [row for row in rows if row]
    except csv.Error as error:
        raise TableError(f"{path}, line {rows.line_num}: {error}.") from error
    _check_lengths(cells, len(header), path, delimiter)
    return (
        {
            name: _column(list(values), decimal_comma=delimiter == ";")
            for name, values in zip(header, zip(*cells, strict=True), strict=True)
        }
        if cells
        else {}
    )


def _decode(path: Path, encoding: str) -> str:
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}.") from error
    if data[:4] == b"PAR1":
        raise TableError(f"{path} is a Parquet file: give it the ending .parquet.")
    if encoding == "utf-8":
        encoding = next((name for mark, name in MARKS if data.startswith(mark)), encoding)
    try:
        return data.decode(encoding)
    except LookupError as error:
        raise TableError(f"There is no encoding called {encoding!r}.") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"{path} is not {encoding.upper()}: byte 0x{data[error.start]:02x} in line {line}. "
            "Save it as UTF-8, or say what it is with --encoding, for example --encoding latin-1."
        ) from error


def _guess_delimiter(text: str) -> str:
    """Return the delimiter that splits all of the first lines, all alike, and most."""
    lines = [line for line in text[:SNIFFED].splitlines() if line.strip()][:20]

    def evenness(delimiter: str) -> tuple[bool, bool, int]:
        counts = {len(row) for row in csv.reader(lines, delimiter=delimiter)}
        return min(counts) > 1, len(counts) == 1, min(counts)

    return max(",;\t|", key=evenness)


def _check_header(header: list[str], path: Path) -> list[str]:
    repeated = sorted(name for name, count in Counter(header).items() if count > 1)
    if repeated:
        raise TableError(
            f"{path} has more than one column called {repeated[0]!r}: rename them, so that it is "
            "clear which is which."
        )
    return [name or f"column {place + 1}" for place, name in enumerate(header)]


def _check_lengths(cells: list[list[str]], width: int, path: Path, delimiter: str) -> None:
    for place, row in enumerate(cells):
        if len(row) != width:
            raise TableError(
                f"{path}, row {place + 1} below the header has {len(row)} cells and the header "
                f"has {width} (separated by {delimiter!r})."
            )


def _column(cells: list[str], *, decimal_comma: bool) -> Column:
    stripped = [cell.strip() for cell in cells]
    missing = np.array([cell.lower() in MISSING_NUMBER for cell in stripped])
    known = [cell for cell, gone in zip(stripped, missing, strict=True) if not gone]
    numbers = _as_numbers(known)
    if numbers is None and decimal_comma:
        numbers = _as_numbers([cell.replace(".", "").replace(",", ".") for cell in known])
    words = [cell for cell in stripped if cell.lower() not in MISSING]
    if numbers is not None and (known or not words):
        column: Column = np.full(len(cells), np.nan)
        column[~missing] = numbers
        return column
    return np.array([None if c.lower() in MISSING else c for c in stripped], dtype=object)


def _as_numbers(cells: list[str]) -> NDArray[np.float64] | None:
    try:
        return np.array(list(map(float, cells)), dtype=np.float64)
    except ValueError:
        return None


def _read_parquet(path: Path, notes: list[str]) -> dict[str, Column]:
    try:
        columns = read_parquet(path, notes)
    except Exception as error:
        raise TableError(f"{path} cannot be read as Parquet: {error}") from error
    if columns is None:
        raise TableError(f"Reading {path} needs pyarrow or polars: pip install pyarrow.")
    names = _check_header([name for name, _ in columns], path)
    return {n: _plain(values) for n, (_, values) in zip(names, columns, strict=True)}


def _plain(values: list[Any]) -> Column:
    """Return Python values as a column: numbers, or text as a CSV file would have it."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return _column(["" if value is None else str(value) for value in values], decimal_comma=False)
