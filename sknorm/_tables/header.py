"""Which row of a table is its header, and what its columns are called."""

from __future__ import annotations

import itertools
import re
from collections import Counter

from sknorm._tables.cells import stripped
from sknorm._tables.missing import is_missing_number

YEARS = range(1800, 2101)
# The share of numbers that makes a column one of numbers, but for what is missing.
MOSTLY = 0.8
FEWEST = 5
# What begins a comment.
COMMENT = re.compile(r"(?:#+|%+|//+)[ \t]*")
NUMBER = re.compile(r"\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*")


def first_row(rows: list[list[str]]) -> int:
    """Return which line is the first of the table: as wide as the most, or one less for a header.

    R writes no name for the names of its rows. Titles and remarks above are of other widths, or
    are above a gap, with few cells or none at the end.
    """
    place = _first_wide_row(rows)
    above, below = rows[place : place + 1], [row for row in rows[place + 1 :] if any(row)]
    if not below or any(rows[place + 1]):
        return place
    narrower = width_of(above[0]) < max(map(width_of, below))
    if narrower or 2 * _n_filled(above[0]) <= max(map(_n_filled, below)):
        return place + 1 + first_row(rows[place + 1 :])
    return place


def _n_filled(row: list[str]) -> int:
    return sum(map(bool, row))


def _first_wide_row(rows: list[list[str]]) -> int:
    widths = Counter(width_of(row) for row in rows if any(row))
    width = max(widths, key=lambda one: widths[one], default=1)
    for place, row in enumerate(rows):
        if (
            any(row)
            and not is_remark(row)
            and width_of(row) >= max(width - 1, 2 if width > 1 else 1)
        ):
            return place
    return 0


def are_names(row: list[str], below: list[list[str]]) -> bool | None:
    """Tell whether a row is the names of the columns; None where nothing in it tells.

    Numbers are names where they count the columns, or are years; else they are data, as are words
    that come again below them. Words above numbers are names.
    """
    shift = 1 if below and all(len(other) == len(row) + 1 for other in below) else 0
    columns = [
        {other[place + shift] for other in below if other != row and place + shift < len(other)}
        for place in range(len(row))
    ]
    numbers = [place for place, cell in enumerate(row) if NUMBER.fullmatch(cell)]
    # Two numbers are a count where nothing below one of them is written like that.
    unlike = [len(below) >= FEWEST and not any(map(str.isdigit, columns[place]))
              for place in numbers]  # fmt: skip
    fewest = 2 if any(unlike) else 3
    others = [other for other in below if other != row]
    if _count_columns(row, fewest) and not any(map(_count_columns, others)):
        return True
    if 2 * len(numbers) > len(row) or any(_are_numbers(columns[place]) for place in numbers):
        return False
    words = [place for place, cell in enumerate(row) if cell]
    if 2 * sum(row[place] in columns[place] for place in words) > len(words):
        return False
    of_numbers = [place for place in range(len(row)) if _are_numbers(columns[place])]
    named = sum(bool(row[place]) and not is_missing_number(row[place]) for place in of_numbers)
    return True if of_numbers and 2 * named >= len(of_numbers) else None


def _count_columns(row: list[str], fewest: int = 3) -> bool:
    """Tell whether the numbers of a row are years in their order, or count from 0 or 1."""
    cells = [cell for cell in row if NUMBER.fullmatch(cell)]
    if len(cells) < 2 or not all(cell.isdigit() for cell in cells):
        return False
    numbers = list(map(int, cells))
    if all(number in YEARS for number in numbers):
        return all(later > earlier for earlier, later in itertools.pairwise(numbers)) or all(
            later < earlier for earlier, later in itertools.pairwise(numbers)
        )
    first = numbers[0]
    is_count = first in (0, 1) and numbers == list(range(first, first + len(numbers)))
    return is_count and len(numbers) >= fewest


def _are_numbers(cells: set[str]) -> bool:
    known = [cell for cell in cells if cell]
    found = sum(NUMBER.fullmatch(cell) is not None for cell in known)
    return len(known) > 1 and found >= MOSTLY * len(known)


def width_of(row: list[str]) -> int:
    """Return the number of cells of a row, without blank ones at its end."""
    while len(row) > 1 and not row[-1]:
        row = row[:-1]
    return len(row)


def is_remark(row: list[str]) -> bool:
    """Tell whether a row is a comment, or Excel's word on the separator."""
    return bool(row) and (COMMENT.match(row[0]) is not None or row[0].startswith("sep="))


def name_nothing(n_columns: int, notes: list[str]) -> None:
    """Say that the first row is data, not names."""
    notes.append(
        f"The first row is data, not names, so that the columns are called 'column 1' to "
        f"'column {n_columns}' (--header yes says that it is names)."
    )


def note_skipped(lines: list[str], notes: list[str]) -> None:
    """Say which lines above the header were left out."""
    if lines:
        shown = shortened(lines[0].strip())
        n_lines = f"{len(lines)} lines" if len(lines) > 1 else "the line"
        notes.append(f"Left out {n_lines} above the header: {shown!r}.")


def shortened(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= 60 else text[:57] + "..."


def one_line(name: str) -> str:
    """Return a name with blanks for the ends of lines in it, as cells of spreadsheets have."""
    return re.sub(r"\s*[\r\n]+\s*", " ", stripped(name))


def distinct_names(names: list[str], notes: list[str]) -> list[str]:
    """Return the names with a number where they are blank or repeated."""
    given: list[str] = []
    renamed = []
    for place, name in enumerate(names):
        name = name or f"column {place + 1}"
        new, count = name, 1
        while new in given:
            count += 1
            new = f"{name} ({count})"
        if new != name:
            renamed.append(new)
        given.append(new)
    if renamed:
        notes.append(f"Repeated column names, numbered: {', '.join(renamed[:5])}.")
    return given
