"""Rows of a table that are no data: a second header, the header once more, units, sums."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sknorm._tables.cells import stripped
from sknorm._tables.header import NUMBER, are_names, distinct_names, one_line, shortened
from sknorm._tables.missing import is_missing_number

if TYPE_CHECKING:
    import pandas

HEAD = 200
FEWEST_ROWS = 5
# What a unit or a second name begins with, where numbers, and what is compared with them, do not.
NO_NUMBER = re.compile(r"[^\d<>~=±+.,$€£¥₹%*\u2212-]|[$€£¥₹%]$")
NUMBERED = re.compile(r" \(\d+\)$")
TOTALS = re.compile(
    r"\W*(grand |sub)?(total|sum|all|overall|mean|average|avg|summe|gesamt|insgesamt|mittel\w*|"
    r"somme|totale|totales|moyenne|suma|promedio|media)\b.*",
    re.IGNORECASE,
)


def without_headers(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table of text without rows that repeat its header, and a row of units below it.

    A second row of the header is part of it, and columns without a name or a cell are left out.
    """
    frame = _with_lower_header(_without_empty_columns(frame), notes)
    frame = _without_repeated_header(frame, notes)
    if not _has_units(frame):
        return frame
    shown = ", ".join(repr(cell) for cell in map(text_of, frame.iloc[0]) if cell)
    notes.append(f"Left out the row below the header, which is no data: {shortened(shown)}.")
    return frame.iloc[1:].reset_index(drop=True)


def _without_empty_columns(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return a table without columns that have no name and hold nothing, if others have names."""
    unnamed = _unnamed(frame)
    if all(unnamed) or not any(unnamed):
        return frame
    kept = [not blank or frame.iloc[:, place].notna().any() for place, blank in enumerate(unnamed)]
    return frame.loc[:, kept]


def _unnamed(frame: pandas.DataFrame) -> list[bool]:
    return [re.fullmatch(r"column \d+", name) is not None for name in frame.columns]


def _with_lower_header(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table with the names of two rows, where the upper ones are of several columns."""
    upper, filled = list(frame.columns), frame.notna().any(axis=1).to_numpy()
    is_blank = _unnamed(frame)
    base = [NUMBERED.sub("", name) if NUMBERED.sub("", name) in upper else name for name in upper]
    merged = [k for k, name in enumerate(upper) if is_blank[k] or base[k] != name]
    if not filled.any() or not merged:
        return frame
    first = int(filled.argmax())
    lower, *below = ([one_line(text_of(cell)) for cell in row]
                     for row in frame.iloc[first : first + HEAD].to_numpy())  # fmt: skip
    are_words = all(not cell or NO_NUMBER.match(cell) for cell in lower)
    if not are_words or not all(lower[k] for k in merged[1:]) or not are_names(lower, below):
        return frame
    names = lower
    if "" in lower or len(set(lower)) < len(lower):
        names = [
            f"{top} {name}".strip()
            for top, name in zip(_spread(base, is_blank), lower, strict=True)
        ]
    shown = ", ".join(map(repr, names))
    notes.append(f"The header has two rows, of which the columns are called: {shortened(shown)}.")
    rows = frame.iloc[first + 1 :].reset_index(drop=True)
    return rows.set_axis(distinct_names(names, notes), axis=1)


def _spread(names: list[str], is_blank: list[bool]) -> list[str]:
    """Return names with those before them for blank ones, as in cells that are merged."""
    spread: list[str] = []
    for name, blank in zip(names, is_blank, strict=True):
        spread.append((spread[-1] if spread else "") if blank else name)
    return spread


def _without_repeated_header(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table without the headers of files that were put one below the other."""
    names = list(frame.columns)
    if len(names) < 2:
        return frame
    places = np.flatnonzero(frame.iloc[:, 0].isin([names[0]]))
    repeated = [place for place in places if list(map(text_of, frame.iloc[place])) == names]
    if not repeated:
        return frame
    rows = f"{len(repeated):,} rows that repeat" if len(repeated) > 1 else "a row that repeats"
    notes.append(f"Left out {rows} the header.")
    return frame.drop(index=frame.index[repeated]).reset_index(drop=True)


def _has_units(frame: pandas.DataFrame) -> bool:
    """Tell whether the first row has words in the columns that have numbers in all others."""
    first, below = list(map(text_of, frame.head(1).to_numpy().ravel())), frame.iloc[1:HEAD]
    if len(frame) < FEWEST_ROWS or any(map(NUMBER.fullmatch, first)):
        return False
    of_numbers = [cell for cell, (_, column) in zip(first, below.items(), strict=True)
                  if are_numbers(column)]  # fmt: skip
    blank = sum(not cell for cell in first) - sum(not cell for cell in of_numbers)
    if len(of_numbers) < 2 or 2 * len(of_numbers) + blank < len(first):
        return False
    are_words = list(map(is_word, of_numbers))
    are_blank = [not cell for cell in of_numbers]
    return all(map(max, are_words, are_blank)) and 2 * sum(are_words) >= len(are_words)


def is_word(cell: str) -> bool:
    """Tell whether a cell is no number, nothing that is written with one, nor missing."""
    return NO_NUMBER.match(cell) is not None and not is_missing_number(cell)


def are_numbers(column: pandas.Series, fewest: int = FEWEST_ROWS - 2) -> bool:
    """Tell whether cells are numbers, so many at least, but for missing ones."""
    known = [cell for cell in map(text_of, column) if cell and not is_missing_number(cell)]
    return len(known) >= fewest and all(map(NUMBER.fullmatch, known))


def without_totals(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """Return a table without a last row that is the sum or the mean of the others."""
    if len(frame) <= FEWEST_ROWS:
        return frame
    last, above = frame.iloc[-1], frame.iloc[:-1]
    numbers = [name for name, column in above.items() if column.dtype.kind == "f"]
    words = [text_of(last[name]) for name in frame.columns if name not in numbers]
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


def text_of(cell: Any) -> str:
    """Return a cell as text, blank where it is missing."""
    return "" if cell is None or cell != cell else stripped(str(cell))
