"""Rows of a table that are no data: the header once more, units below it, sums at its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sknorm._tables.header import NUMBER, shortened
from sknorm._tables.missing import is_missing_number

if TYPE_CHECKING:
    import pandas

HEAD = 200
FEWEST_ROWS = 5
# What a unit or a second name begins with, where numbers, and what is compared with them, do not.
NO_NUMBER = re.compile(r"[^\d<>~=±+.,$€£¥₹%*\u2212-]|[$€£¥₹%]$")
TOTALS = re.compile(
    r"\W*(grand |sub)?(total|sum|all|overall|mean|average|avg|summe|gesamt|insgesamt|mittel\w*|"
    r"somme|totale|totales|moyenne|suma|promedio|media)\b.*",
    re.IGNORECASE,
)


def without_headers(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table of text without rows that repeat its header, and a row of units below it."""
    frame = _without_repeated_header(frame, notes)
    if not _has_units(frame):
        return frame
    shown = ", ".join(repr(cell) for cell in map(_text, frame.iloc[0]) if cell)
    notes.append(f"Left out the row below the header, which is no data: {shortened(shown)}.")
    return frame.iloc[1:].reset_index(drop=True)


def _without_repeated_header(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table without the headers of files that were put one below the other."""
    names = list(frame.columns)
    if len(names) < 2:
        return frame
    places = np.flatnonzero(frame.iloc[:, 0].isin([names[0]]))
    repeated = [place for place in places if list(map(_text, frame.iloc[place])) == names]
    if not repeated:
        return frame
    rows = f"{len(repeated):,} rows that repeat" if len(repeated) > 1 else "a row that repeats"
    notes.append(f"Left out {rows} the header.")
    return frame.drop(index=frame.index[repeated]).reset_index(drop=True)


def _has_units(frame: pandas.DataFrame) -> bool:
    """Tell whether the first row has words in the columns that have numbers in all others."""
    first, below = list(map(_text, frame.head(1).to_numpy().ravel())), frame.iloc[1:HEAD]
    if len(frame) < FEWEST_ROWS or any(map(NUMBER.fullmatch, first)):
        return False
    of_numbers = [cell for cell, (_, column) in zip(first, below.items(), strict=True)
                  if _are_numbers(column)]  # fmt: skip
    if len(of_numbers) < 2 or 2 * len(of_numbers) < len(first):
        return False
    are_words = [NO_NUMBER.match(cell) is not None and not is_missing_number(cell)
                 for cell in of_numbers]  # fmt: skip
    are_blank = [not cell for cell in of_numbers]
    return all(map(max, are_words, are_blank)) and 2 * sum(are_words) >= len(are_words)


def _are_numbers(column: pandas.Series) -> bool:
    known = [cell for cell in map(_text, column) if cell and not is_missing_number(cell)]
    return len(known) >= FEWEST_ROWS - 2 and all(map(NUMBER.fullmatch, known))


def without_totals(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table without a last row that is the sum or the mean of the others."""
    if len(frame) <= FEWEST_ROWS:
        return frame
    last, above = frame.iloc[-1], frame.iloc[:-1]
    numbers = [name for name, column in above.items() if column.dtype.kind == "f"]
    words = [_text(last[name]) for name in frame.columns if name not in numbers]
    said = [cell for cell in words if cell]
    numbers = [name for name in numbers if np.isfinite(last[name]) and above[name].notna().any()]
    if not numbers or (said and TOTALS.fullmatch(said[0]) is None):
        return frame
    # Nothing but numbers says less, so that more of them have to agree.
    if len(numbers) < (1 if said else 2):
        return frame
    values, given = above[numbers].to_numpy(float), last[numbers].to_numpy(float)
    with np.errstate(all="ignore"):  # of infinite values, and of sums that are
        scale = np.nanmax(np.abs(values), axis=0)
        for what, found in (("sum", np.nansum), ("mean", np.nanmean)):
            near = np.abs(found(values, axis=0) - given) <= 1e-9 * len(above) * scale
            if near.all() and (np.isfinite(scale) & (scale > 0)).all():
                notes.append(f"Left out the last row, which is the {what} of the others.")
                return above
    return frame


def _text(cell: Any) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()
