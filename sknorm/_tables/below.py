"""What stands below a table, and is no row of it: remarks, another table, empty rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sknorm._tables.header import NUMBER, shortened
from sknorm._tables.missing import is_missing_number
from sknorm._tables.records import Signs, cells_of
from sknorm._tables.rows import HEAD, are_numbers, is_word, text_of

if TYPE_CHECKING:
    import pandas

# How a remark below a table begins.
REMARK = re.compile(
    r"[*†‡§¶•#]|(sources?|notes?|nb|n\.b|legend|data|as of|last updated|quellen?|"
    r"anmerkung(en)?|hinweise?|stand|fuentes?|notas?|remarques?|fonti?e?)\b[ .]*:",
    re.IGNORECASE,
)
MOST_REMARKS = 50
# Where there are more gaps, they are within the table.
MOST_GAPS = 50


def with_full_remarks(text: str, signs: Signs, n_columns: int) -> str:
    """Return rows whose last lines are as wide as the others, where they are remarks.

    These begin as remarks do, such as ``Source: A, B``, or are of one cell and below a blank line,
    which becomes a row too, an empty one.
    """
    body = text.rstrip("\r\n")
    lines = body.rsplit("\n", MOST_REMARKS) if n_columns > 1 else [""]
    first = len(lines)
    while first > 1 and _is_no_row(lines[first - 1].rstrip("\r"), signs, n_columns):
        first -= 1
    while first < len(lines) and not _begins_remarks(lines[first]):
        first += 1
    if first == len(lines):
        return text
    filler = signs.delimiter * (n_columns - 1)
    for place in range(first, len(lines)):
        line = lines[place].rstrip("\r")
        cells = cells_of(line, signs)
        cell = cells[0] if len(cells) == 1 else line
        quoted = signs.quote + cell.replace(signs.quote, "'") + signs.quote
        lines[place] = (quoted if any(cells) else "") + filler + lines[place][len(line) :]
    return "\n".join(lines) + text[len(body) :]


def _begins_remarks(line: str) -> bool:
    return not line.strip() or REMARK.match(line.lstrip("\"' ")) is not None


def _is_no_row(line: str, signs: Signs, n_columns: int) -> bool:
    """Tell whether a line is blank, of one cell, or a remark of another width than rows."""
    if not line.strip():
        return True
    if line.count(signs.quote) % 2:
        return False
    cells = cells_of(line, signs)
    return len(cells) == 1 or (len(cells) != n_columns and _begins_remarks(line))


def without_rest(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table of text without what is below it: remarks, another table, empty rows."""
    if frame.shape[1] < 2:
        return frame
    n_filled = frame.notna().to_numpy().sum(axis=1)
    end = _end_of_rows(frame, n_filled)
    rest = [cell for row in frame.iloc[end:].to_numpy() for cell in map(text_of, row) if cell]
    if rest:
        n_rows = int((n_filled[end:] > 0).sum())
        rows = f"{n_rows:,} rows" if n_rows > 1 else "a row"
        notes.append(f"Left out {rows} below the table, from {shortened(rest[0])!r} on.")
    elif end < len(frame):
        notes.append("Left out empty rows at the end.")
    return frame.iloc[:end]


def _end_of_rows(frame: pandas.DataFrame, n_filled: NDArray[np.intp]) -> int:
    """Return the number of rows before a gap that something else follows, or before remarks."""
    starts = np.flatnonzero((n_filled[1:] > 0) & (n_filled[:-1] == 0)) + 1
    for row in starts if len(starts) <= MOST_GAPS else []:
        end = _last_filled(n_filled[:row])
        if end > 1 and _is_other_header(frame, n_filled, end, int(row)):
            return end
    end = _last_filled(n_filled)
    first = end
    while first > max(1, end - MOST_REMARKS) and _may_be_remark(frame, n_filled, first - 1):
        first -= 1
    if (n_filled[:first] == 1).any() and not _are_below_numbers(frame, first, end):
        return end
    gaps = np.flatnonzero(n_filled[first:end] == 0)
    end = first + int(gaps[0]) if len(gaps) else end
    while end > first and any(map(REMARK.match, map(text_of, frame.iloc[end - 1]))):
        end -= 1
    return _last_filled(n_filled[:end])


def _are_below_numbers(frame: pandas.DataFrame, first: int, end: int) -> bool:
    """Tell whether what rows hold is in columns of numbers."""
    places = np.flatnonzero(frame.iloc[first:end].notna().any())
    above = frame.iloc[max(0, first - HEAD) : first]
    return all(are_numbers(above.iloc[:, place]) for place in places)


def _last_filled(n_filled: NDArray[np.intp]) -> int:
    """Return the number of rows up to the last that holds something."""
    places = np.flatnonzero(n_filled)
    return int(places[-1]) + 1 if len(places) else 0


def _may_be_remark(frame: pandas.DataFrame, n_filled: NDArray[np.intp], row: int) -> bool:
    """Tell whether a row is empty, has one cell, of words, or begins with such as "Source:".

    Commas of a remark may have made it as wide as a row; there are numbers above it then.
    """
    cells = list(map(text_of, frame.iloc[row]))
    if n_filled[row] > 1:
        above = frame.iloc[max(0, row - HEAD) : row, 0]
        return cells[0][:1].isalpha() and bool(REMARK.match(cells[0])) and are_numbers(above)
    return not any(
        NUMBER.fullmatch(cell) or is_missing_number(cell) for cell in filter(None, cells)
    )


def _is_other_header(
    frame: pandas.DataFrame, n_filled: NDArray[np.intp], end: int, row: int
) -> bool:
    """Tell whether a row below a gap is words side by side, some below numbers, with rows below."""
    cells = {place: cell for place, cell in enumerate(map(text_of, frame.iloc[row])) if cell}
    places = list(cells)
    if len(cells) < 2 or not all(map(is_word, cells.values())):
        return False
    gaps = np.flatnonzero(n_filled[row:] == 0)
    below = frame.iloc[row + 1 : row + int(gaps[0]) if len(gaps) else None]
    beside = [place for place in range(frame.shape[1]) if place not in cells]
    is_block = places == list(range(places[0], places[-1] + 1))
    if not is_block or not len(below) or below.iloc[:, beside].notna().any(axis=None):
        return False
    above = frame.iloc[max(0, end - HEAD) : end]
    return any(are_numbers(above.iloc[:, place], fewest=2) for place in places)
