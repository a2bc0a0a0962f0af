"""Which row of a table is its header, and what its columns are called."""

from __future__ import annotations

import re
from collections import Counter

NUMBER = re.compile(r"\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*")


def first_row(rows: list[list[str]]) -> int:
    """Return which line is the first of the table: as wide as the most, or one less for a header.

    R writes no name for the names of its rows. Titles and remarks above are of other widths.
    """
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


def is_data(row: list[str]) -> bool:
    """Tell whether a row has numbers in half of its cells, as no header has."""
    return 2 * sum(NUMBER.fullmatch(cell) is not None for cell in row) > len(row)


def width_of(row: list[str]) -> int:
    """Return the number of cells of a row, without blank ones at its end."""
    while len(row) > 1 and not row[-1]:
        row = row[:-1]
    return len(row)


def is_remark(row: list[str]) -> bool:
    """Tell whether a row is a comment, or Excel's word on the separator."""
    return bool(row) and (row[0].startswith(("#", "%", "//")) or row[0].startswith("sep="))


def name_nothing(n_columns: int, notes: list[str]) -> None:
    """Say that the first row is data, not names."""
    notes.append(
        f"The first row is data, not names, so that the columns are called 'column 1' to "
        f"'column {n_columns}' (--header yes says that it is names)."
    )


def note_skipped(lines: list[str], notes: list[str]) -> None:
    """Say which lines above the header were left out."""
    if lines:
        shown = lines[0].strip()
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        n_lines = f"{len(lines)} lines" if len(lines) > 1 else "the line"
        notes.append(f"Left out {n_lines} above the header: {shown!r}.")


def one_line(name: str) -> str:
    """Return a name with blanks for the ends of lines in it, as cells of spreadsheets have."""
    return re.sub(r"\s*[\r\n]+\s*", " ", name)


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
