"""Tables whose cells blanks separate, as R prints and writes them, and columns of fixed width."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable

from sknorm._tables.header import NUMBER
from sknorm._tables.records import first_lines

HEAD = 100
# Lines above a table, at most.
MOST_ABOVE = 10
QUOTED = re.compile(r'"(?:[^"\\]|\\.|"")*"')
BLANKS = (" ", "blank", "space")
# Other signs between cells: of Excel, databases, and Hive, which the sniffer does not know.
SIGNS = ";\t|,\x01"


def with_tabs(text: str, delimiter: str | None) -> str:
    """Return a text whose cells are separated by blanks with tabs in their place."""
    if delimiter is not None and delimiter not in BLANKS:
        return text
    cells: Callable[[str], list[str]] = _cut_at_quotes if '"' in text else str.split
    above = _without_comments(first_lines(text, HEAD)[0])
    head = [line for line in above if line.strip()]
    top = _top(list(map(cells, head)))
    if top == 0 and _has_gap(above) and _are_names_of(list(map(cells, head[1:3]))):
        top = 1  # a title of as many words as there are columns
    if delimiter is None and (top is None or _has_signs(head[top:])):
        return text
    lines = [line for line in _without_comments(text.splitlines()) if line.strip()]
    if delimiter is None and _has_signs(lines[top:]):
        return text
    written = io.StringIO()
    written.writelines(f"{line}\n" for line in lines[: top or 0])
    csv.writer(written, delimiter="\t", lineterminator="\n").writerows(
        map(cells, lines[top or 0 :])
    )
    return written.getvalue()


def _without_comments(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("#")]


def _has_gap(lines: list[str]) -> bool:
    """Tell whether there is a blank line below the first that is none."""
    filled = [bool(line.strip()) for line in lines[:MOST_ABOVE]]
    first = filled.index(True) if True in filled else 0
    return filled[first : first + 2] == [True, False]


def _has_signs(lines: list[str]) -> bool:
    """Tell whether something else than blanks may separate the cells."""
    text = "\n".join(lines)
    text = QUOTED.sub("", text) if '"' in text else text
    return any(sign in text for sign in SIGNS)


def _top(lines: list[list[str]]) -> int | None:
    """Return which line is the first of a table, None if there is none: of one width but for it.

    R writes no name for the names of its rows, so that a header may have one cell less.
    """
    widths = list(map(len, lines))
    if not widths:
        return None
    width = Counter(widths).most_common(1)[0][0]
    others = [place for place, found in enumerate(widths) if found != width]
    top = others[-1] + 1 if others else 0
    if top and widths[top - 1] == width - 1 and not _are_names_of(lines[top : top + 2]):
        top -= 1
    return top if top <= min(MOST_ABOVE, len(lines) - 2) and widths[top] > 1 else None


def _are_names_of(rows: list[list[str]]) -> bool:
    """Tell whether the first of two rows is names, so that what stands above it is a title."""
    return len(rows) == 2 and not _has_numbers(rows[0]) and _has_numbers(rows[1])


def _has_numbers(row: list[str]) -> bool:
    return any(map(NUMBER.fullmatch, row))


def _cut_at_quotes(line: str) -> list[str]:
    """Return the cells of a line that blanks separate, but for those in quotes."""
    try:
        # R puts a backslash before quotes in quotes.
        line = line.strip().replace('\\"', '""')
        return [cell for cell in next(csv.reader([line], delimiter=" ")) if cell]
    except csv.Error:
        return [line]
