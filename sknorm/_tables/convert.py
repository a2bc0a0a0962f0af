"""Columns of text that are numbers, dates or times, as such: whole columns or not at all."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from sknorm._tables.cells import (
    PLAIN_NUMBERS,
    as_float,
    as_text,
    container_in,
    is_number,
    is_text,
    plain_values,
    stripped,
    types_in,
)
from sknorm._tables.clock import hours_of, what_are_hours
from sknorm._tables.dates import are_compact_dates, find_date_format, find_most_dates
from sknorm._tables.errors import TableError, load
from sknorm._tables.missing import is_missing_number
from sknorm._tables.numerals import (
    EXACT_DIGITS,
    AmbiguousNumbersError,
    NumberFormat,
    decimal_evidence,
    find_number_format,
    is_code,
)

if TYPE_CHECKING:
    import pandas

# Of the cells that are not missing, so many may be odd among numbers, and so many are named.
MAX_ODD_SHARE, MAX_ODD = 0.1, 3
FEWEST_CELLS = 10
CHECKED_CELLS = 2000
MAX_LISTED = 5
CODE_LIKE = re.compile(r"0\d")


# Whole numbers from here on are keys, whose last digits float64 loses.
EXACT = 10.0**EXACT_DIGITS


@dataclass(frozen=True)
class TextFormat:
    """What a column of text is, and how it is written."""

    kind: str = "text"
    number: NumberFormat | None = None
    date: str | None = None

    def apply(self, column: pandas.Series) -> pandas.Series:
        """Return a column as what it is; what does not fit becomes missing."""
        pandas = load("pandas")
        if self.number == PLAIN_NUMBERS:
            return plain_values(column)
        if column.dtype.kind == "m":
            return column.dt.total_seconds() / 3600
        text = as_text(column)
        if self.kind == "text":
            return text
        distinct = [cell for cell in text.unique() if isinstance(cell, str)]
        if self.number is not None:
            found = {cell: self.number.parse(cell) for cell in distinct}
            values = text.map(found).astype("float64")
            if any(issubclass(kind, Real) for kind in types_in(column)):
                # What is a number already is not written as the text around it is.
                are_numbers = column.map(is_number).to_numpy(dtype=bool)
                values[are_numbers] = [as_float(cell) for cell in column[are_numbers]]
            return values
        if self.kind == "time":
            hours = {cell: hours_of(cell) for cell in distinct}
            return text.map(hours).astype("float64")
        dates = pandas.to_datetime(
            pandas.Series(distinct, dtype="object"), format=self.date, errors="coerce", utc=True
        ).dt.tz_localize(None)
        return pandas.to_datetime(text.map(dict(zip(distinct, dates, strict=True))))


def convert_text(
    frame: pandas.DataFrame, decimal: str | None, separator: str | None, notes: list[str]
) -> pandas.DataFrame:
    """Return a table whose columns of text that are numbers, dates or times are that."""
    text = [name for name in text_columns(frame) if container_in(frame[name]) is None]
    if decimal is None:
        decimal = find_decimal(frame, text, separator)
    said = Notes()
    converted = dict(frame.items())
    for name in text:
        converted[name] = find_format(name, frame[name], decimal, said).apply(frame[name])
    for name, column in frame.items():
        hours = hours_in(column, said)
        converted[name] = converted[name] if hours is None else hours.apply(column)
    notes += said.sentences()
    return load("pandas").DataFrame(converted, index=frame.index)


def text_columns(frame: pandas.DataFrame) -> list[str]:
    """Return the columns that hold text, or objects of several kinds."""
    return [name for name, column in frame.items() if is_text(column)]


def _is_plain(column: pandas.Series, some: list[str], decimal: str | None) -> bool:
    """Tell whether a column of text is plain numbers, and nothing else could be meant.

    ``some`` are cells from all over the column.
    """
    if decimal == "," or isinstance(column.dtype, load("pandas").CategoricalDtype):
        return False
    values = plain_values(column)
    others = column[values.isna() & column.notna()].unique()
    if not all(isinstance(cell, str) and is_missing_number(stripped(cell)) for cell in others):
        return False
    # Codes of one width have zeros in front all over the column.
    zeros_in_front = any(map(CODE_LIKE.match, some))
    return bool(values.notna().any() and not zeros_in_front and values.abs().max() < EXACT)


def _some_cells(column: pandas.Series) -> list[str]:
    """Return different cells that are not missing, of rows from all over the column."""
    return _known_cells(column.iloc[:: max(1, len(column) // CHECKED_CELLS)])


def _known_cells(column: pandas.Series) -> list[str]:
    """Return the different cells that are not missing."""
    cells = [cell for cell in as_text(column).unique() if isinstance(cell, str)]
    return [cell for cell in cells if not is_missing_number(cell)]


def find_decimal(frame: pandas.DataFrame, text: list[str], separator: str | None) -> str | None:
    """Return the decimal sign of the table: what its columns of text show, where they agree."""
    cells = [_some_cells(frame[name]) for name in text]
    shown = {decimal_evidence(known) for known in cells if known}
    shown |= {"." for column in frame.dtypes if column.kind == "f"}
    shown.discard(None)
    if len(shown) == 1:
        return shown.pop()
    # Where the comma separates the cells, it is no decimal sign, unless a column shows it to be.
    return "." if separator == "," and not shown else None


class Notes:
    """What is said of columns, each kind of it in one sentence."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, what: str, name: str) -> None:
        """Say something of a column."""
        self.found.setdefault(what, []).append(str(name))

    def sentences(self) -> list[str]:
        """Return what was said, with the columns it was said of."""
        return [f"{what}: {listing(names)}." for what, names in self.found.items()]


def listing(names: list[Any], limit: int = MAX_LISTED) -> str:
    """Return names in a row, of many only the first."""
    names = [str(name) for name in names]
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def find_format(name: str, column: pandas.Series, decimal: str | None, said: Notes) -> TextFormat:
    """Return what a column of text is; say what is not plain to see."""
    some = _some_cells(column)
    if are_compact_dates(some) and are_compact_dates(_known_cells(column)):
        said.add("Dates, read as year, month and day in one number", name)
        return TextFormat("date", date="%Y%m%d")
    if _is_plain(column, some, decimal):
        return TextFormat("number", PLAIN_NUMBERS)
    counts = Counter(cell for cell in as_text(column) if isinstance(cell, str))
    known = [cell for cell in counts if not is_missing_number(cell)]
    if not known:
        # Empty, or nothing but signs that are missing values among numbers, and here words.
        return TextFormat() if counts else TextFormat("number", PLAIN_NUMBERS)
    if is_code(known):
        said.add("Whole numbers that are codes or keys (zeros in front, or over 15 digits), kept "
                 "as text", name)  # fmt: skip
        return TextFormat()
    return (
        _as_number(name, known, decimal, said)
        or _as_time(known, said, name)
        or _as_date(name, known, said)
        or _as_nearly_number(name, counts, known, decimal, said)
        or _as_nearly_date(name, counts, known, said)
        or TextFormat()
    )


def hours_in(column: pandas.Series, said: Notes) -> TextFormat | None:
    """Return the format of durations, as which text is read later too, if a column is such."""
    if column.dtype.kind != "m":
        return None
    said.add("Durations, as hours", str(column.name))
    return TextFormat("time")


def _as_number(name: str, known: list[str], decimal: str | None, said: Notes) -> TextFormat | None:
    try:
        found = find_number_format(known, decimal)
    except AmbiguousNumbersError as error:
        cell = str(error)
        raise TableError(
            f"Column {name!r} has {cell!r}, which may be {cell.replace(',', '')} or "
            f"{cell.replace(',', '.')}: say which sign is the decimal one with --decimal . or "
            "--decimal , (in Python decimal='.' or decimal=',')."
        ) from error
    if found is None:
        return None
    _say_style(name, found, known, said)
    return TextFormat("number", found)


def _say_style(name: str, found: NumberFormat, known: list[str], said: Notes) -> None:
    if found.affix:
        said.add(f"Numbers with {found.affix!r}, which was taken away", name)
    example = max(known[:CHECKED_CELLS], key=len)
    if found.style != "plain" and (found.style != "decimal comma" or "." in example):
        said.add(f"Numbers in groups of thousands, such as {example} for "
                 f"{found.parse(example):g}", name)  # fmt: skip
    elif found.style == "decimal comma" and "," in example:
        said.add("Numbers with a decimal comma", name)


def _as_time(known: list[str], said: Notes, name: str) -> TextFormat | None:
    what = what_are_hours(known)
    if what is None:
        return None
    said.add(what, name)
    return TextFormat("time")


def _as_date(name: str, known: list[str], said: Notes) -> TextFormat | None:
    found = find_date_format(known, known[:CHECKED_CELLS])
    if found is None:
        return None
    if found.is_ambiguous:
        said.add("Dates of which either number may be the month, taken as month/day", name)
    said.add(f"Dates, read as {found.in_words}", name)
    return TextFormat("date", date=found.form)


def _as_nearly_date(
    name: str, counts: Counter[str], known: list[str], said: Notes
) -> TextFormat | None:
    """Return a format of dates where only a few cells are something else, which is said."""
    found = find_most_dates(known) if sum(counts[cell] for cell in known) >= FEWEST_CELLS else None
    if found is None:
        return None
    form, odd = found
    n_odd = sum(counts[cell] for cell in odd)
    if n_odd > MAX_ODD_SHARE * sum(counts[cell] for cell in known):
        return None
    if form.is_ambiguous:
        said.add("Dates of which either number may be the month, taken as month/day", name)
    said.add(f"Dates, read as {form.in_words}, {_but_for(odd, n_odd)}", name)
    return TextFormat("date", date=form.form)


def _but_for(odd: list[str], n_odd: int) -> str:
    """Say which cells are taken as missing."""
    cells = "a cell" if n_odd == 1 else f"{n_odd:,} cells"
    return f"but for {cells} taken as missing ({listing(list(map(repr, odd)), MAX_ODD)})"


def _as_nearly_number(
    name: str, counts: Counter[str], known: list[str], decimal: str | None, said: Notes
) -> TextFormat | None:
    """Return a format of numbers where only a few cells are something else, which is said."""
    total = sum(counts[cell] for cell in known)
    found, numbers = _most_are_numbers(known, decimal)
    are_numbers = set(numbers)
    odd = [cell for cell in known if cell not in are_numbers]
    n_odd = sum(counts[cell] for cell in odd)
    if found is None or 2 * n_odd > total:
        return None
    shown = listing([repr(cell) for cell in odd], MAX_ODD)
    if total >= FEWEST_CELLS and n_odd <= MAX_ODD_SHARE * total:
        said.add(f"Numbers {_but_for(odd, n_odd)}", name)
        return TextFormat("number", found)
    said.add(
        f"Numbers and other text mixed, kept as text ({total - n_odd:,} of {total:,} cells are "
        f"numbers; others are {shown})",
        name,
    )
    return None


def _most_are_numbers(
    known: list[str], decimal: str | None
) -> tuple[NumberFormat | None, list[str]]:
    """Return the format of those cells that have digits, or else of plain numbers."""
    with_digits = [cell for cell in known if any(sign.isdigit() for sign in cell)]
    plain = [cell for cell in known if PLAIN_NUMBERS.parse(cell) is not None]
    for numbers in (with_digits, plain):
        with suppress(AmbiguousNumbersError):
            found = find_number_format(numbers, decimal) if numbers else None
            if found is not None and not any(map(CODE_LIKE.match, numbers)):
                return found, numbers
    return None, []
