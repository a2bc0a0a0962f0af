"""The rows of a text, each with its cells: a row has several lines where one of its cells has."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

LINE_END = re.compile(r"\r\n|\r|\n")
# The most lines of a row. A quote that stays open for longer is no quote.
MOST_LINES = 200


class Signs(NamedTuple):
    """What separates cells, what stands around some, and before such a sign in one of them."""

    delimiter: str
    quote: str
    escape: str


class Record(NamedTuple):
    """A row: the number of its first line, how many it has, its text and its cells."""

    line: int
    n_lines: int
    text: str
    cells: list[str]


def records(text: str, signs: Signs) -> Iterator[Record]:
    """Yield the rows of a text."""
    lines = iter(io.StringIO(text, newline="").readline, "")
    waiting: list[str] = []
    number = 0
    while waiting or (waiting := list(itertools.islice(lines, 1))):
        n_lines = 1
        if _is_open(waiting[0], signs):
            waiting += itertools.islice(lines, MOST_LINES - len(waiting))
            n_lines = _closing(waiting, signs)
        record = "".join(waiting[:n_lines]).rstrip("\r\n")
        yield Record(number, n_lines, record, cells_of(record, signs))
        number, waiting = number + n_lines, waiting[n_lines:]


def _closing(lines: list[str], signs: Signs) -> int:
    """Return how many lines a row has whose first line ends within quotes; 1 if they stay open."""
    for n_lines in range(2, len(lines) + 1):
        # Quotes are closed where there is another one.
        if signs.quote in lines[n_lines - 1] and not _is_open("".join(lines[:n_lines]), signs):
            return n_lines
    return 1


def _is_open(text: str, signs: Signs) -> bool:
    """Tell whether a text ends within quotes."""
    if signs.quote not in text:
        return False
    try:
        next(_reader(text, signs, strict=True), [])
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def cells_of(text: str, signs: Signs) -> list[str]:
    """Return the cells of a row."""
    try:
        return [cell.strip() for cell in next(_reader(text, signs), [])]
    except csv.Error:
        return [text]


def _reader(text: str, signs: Signs, *, strict: bool = False) -> Iterator[list[str]]:
    return csv.reader(
        [text],
        delimiter=signs.delimiter,
        quotechar=signs.quote,
        escapechar=None if signs.escape == signs.quote else signs.escape,
        skipinitialspace=True,
        strict=strict,
    )


def first_lines(text: str, n_lines: int) -> tuple[list[str], int]:
    """Return the first lines of a text, and where the rest of it begins."""
    lines, start = [], 0
    for found in itertools.islice(LINE_END.finditer(text), n_lines):
        lines.append(text[start : found.start()])
        start = found.end()
    if len(lines) < n_lines and start < len(text):
        lines.append(text[start:])
        start = len(text)
    return lines, start


def without_comments(text: str, signs: Signs, n_columns: int) -> str:
    """Return rows of several columns with blank lines for comments, so that lines keep numbers.

    What begins with # and has as many cells as the others is a row, such as one of #N/A.
    """
    if n_columns < 2 or not re.search(r"^#", text, re.MULTILINE):
        return text
    lines = list(iter(io.StringIO(text, newline="").readline, ""))
    if signs.quote in text:  # such lines may be within a cell
        marked = [(r.line, r.cells) for r in records(text, signs) if r.text.startswith("#")]
    else:
        marked = [
            (number, cells_of(line.rstrip("\r\n"), signs))
            for number, line in enumerate(lines)
            if line.startswith("#")
        ]
    for number, cells in marked:
        if len(cells) != n_columns:
            lines[number] = lines[number][len(lines[number].rstrip("\r\n")) :]
    return "".join(lines)
