"""How a text file is a table: what separates its cells, which line is its header."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sknorm._tables.errors import TableError, load
from sknorm._tables.header import (
    distinct_names,
    first_row,
    is_data,
    is_remark,
    name_nothing,
    note_skipped,
    one_line,
    width_of,
)

HEAD_LINES = 50
HEAD_CHARACTERS = 100_000
# The most lines of a row. A quote that stays open for longer is no quote.
MOST_LINES = 200
# The share of the first lines that a separator has to split alike.
ALIKE = 0.8
MOST = 0.5
# Of Excel, databases, and Hive, which the sniffer does not know.
SIGNS = ";\t|,\x01"
DELIMITERS = {"tab": "\t", "\\t": "\t", "blank": " ", "space": " "}


class UnknownSeparatorError(TableError):
    """Text of which the sniffer does not find out what separates its cells."""


@dataclass(frozen=True)
class Dialect:
    """What DuckDB is told of a file; ``above`` counts the lines above the rows, header and all."""

    delimiter: str
    quote: str
    escape: str
    comment: str
    above: int
    names: tuple[str, ...]


def find_dialect(
    path: Path, copy: Path, text: str, delimiter: str | None, header: bool | None, notes: list[str]
) -> Dialect:
    """Return the dialect of a text, whose copy in UTF-8 DuckDB's sniffer looks at."""
    found = _sniff(path, copy, delimiter)
    better = None if delimiter is not None else _better_delimiter(text, found)
    if better is not None:
        found = _sniff(path, copy, better)
    head = list(itertools.islice(records(text, found), HEAD_LINES))
    rows = [record.cells for record in head]
    top = first_row(rows)
    has_header = _has_header(head[top], found) if header is None else header
    below = rows[top + 1 if has_header else top :]
    if has_header:
        above = head[top].line + head[top].n_lines
        if _is_unclear(rows[top], below):
            rest = itertools.islice(records(text, found), HEAD_LINES, None)
            below += (record.cells for record in rest if not is_remark(record.cells))
        names = _fit_names([one_line(name) for name in rows[top]], below, notes)
    else:
        above, names = head[top].line, [""] * max(map(len, below), default=1)
        name_nothing(len(names), notes)
    note_skipped([record.text for record in head[:top] if record.text.strip()], notes)
    return Dialect(
        found["Delimiter"],
        found["Quote"],
        found["Escape"],
        _comment(first_lines(text, above)[1], len(names), found) if len(names) > 1 else "",
        above,
        tuple(distinct_names(names, notes)),
    )


class Record(NamedTuple):
    """A row of a text, which has several lines where one of its cells has."""

    line: int
    n_lines: int
    text: str
    cells: list[str]


def records(text: str, found: dict[str, Any]) -> Iterator[Record]:
    """Yield the rows of a text, in the dialect that was found."""
    lines = iter(io.StringIO(text, newline="").readline, "")
    waiting: list[str] = []
    number = 0
    while waiting or (waiting := list(itertools.islice(lines, 1))):
        n_lines = 1
        if _is_open(waiting[0], found):
            waiting += itertools.islice(lines, MOST_LINES - len(waiting))
            n_lines = _closing(waiting, found)
        record = "".join(waiting[:n_lines]).rstrip("\r\n")
        yield Record(number, n_lines, record, _cells(record, found))
        number, waiting = number + n_lines, waiting[n_lines:]


def _closing(lines: list[str], found: dict[str, Any]) -> int:
    """Return how many lines a row has whose first line ends within quotes; 1 if they stay open."""
    for n_lines in range(2, len(lines) + 1):
        # Quotes are closed where there is another one.
        if found["Quote"] in lines[n_lines - 1] and not _is_open("".join(lines[:n_lines]), found):
            return n_lines
    return 1


def _is_open(text: str, found: dict[str, Any]) -> bool:
    """Tell whether a text ends within quotes."""
    if found["Quote"] not in text:
        return False
    try:
        next(_reader(text, found, strict=True), [])
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def first_lines(text: str, n_lines: int) -> tuple[list[str], str]:
    """Return the first lines of a text, and the rest of it, without cutting all of it up."""
    stream = io.StringIO(text, newline="")
    lines = list(itertools.islice(iter(stream.readline, ""), n_lines))
    return [line.rstrip("\r\n") for line in lines], stream.read()


def _sniff(path: Path, copy: Path, delimiter: str | None) -> dict[str, Any]:
    delim = "" if delimiter is None else f", delim={_quoted(DELIMITERS.get(delimiter, delimiter))}"
    # Rows shorter than the header are looked for last; reading refuses them.
    for more in ("", ", null_padding=true"):
        found = _try_sniffing(copy, delim + more)
        if found is not None:
            return found
    raise UnknownSeparatorError(
        f"{path} is not a table that can be read: what separates its cells was not found "
        "(--delimiter says it)."
    )


def _try_sniffing(copy: Path, options: str) -> dict[str, Any] | None:
    duckdb = load("duckdb")
    query = f"from sniff_csv({_quoted(str(copy))}, sample_size=20480, comment=''{options})"
    try:
        relation = duckdb.sql(query)
        (row,) = relation.fetchall()
    except duckdb.Error:
        return None
    found = dict(zip(relation.columns, row, strict=True))
    for name in ("Quote", "Escape"):
        value = found.get(name)
        found[name] = "" if value in (None, "(empty)", "\0") else value
    # A file without quotes in its first lines may have them later.
    found["Quote"] = found["Quote"] or '"'
    found["Escape"] = found["Escape"] or found["Quote"]
    return found


def _better_delimiter(text: str, found: dict[str, Any]) -> str | None:
    """Return a separator that splits more of the first lines alike than the one found, if any.

    Decimal commas can look like separators of rows that the header does not have, and a row that is
    too long can make the sniffer take each line for one cell.
    """
    text = text[:HEAD_CHARACTERS]
    shares = {sign: _share_alike(text, found | {"Delimiter": sign}) for sign in SIGNS}
    best = max(shares, key=lambda sign: shares[sign])
    present = _share_alike(text, found)
    # Where the header and most rows are split alike, others are too long or too short.
    enough = ALIKE if present or not _splits_header(text, found, best) else MOST
    return best if shares[best] >= enough and shares[best] > present else None


def _splits_header(text: str, found: dict[str, Any], delimiter: str) -> bool:
    """Tell whether a separator cuts the first row into as many cells as most of the others."""
    widths = [width_of(row) for row in _rows(text, found | {"Delimiter": delimiter})]
    return bool(widths) and widths[0] > 1 and widths[0] == Counter(widths).most_common(1)[0][0]


def _share_alike(text: str, found: dict[str, Any]) -> float:
    """Return the share of rows that have the same number of cells, more than one."""
    rows = _rows(text, found)
    return max((_most_alike(map(width, rows)) for width in (len, width_of)), default=0.0)


def _rows(text: str, found: dict[str, Any]) -> list[list[str]]:
    """Return the first rows of a text, without blank ones and comments."""
    head = itertools.islice(records(text, found), HEAD_LINES)
    return [r.cells for r in head if r.text.strip() and not r.text.startswith("#")]


def _most_alike(widths: Iterable[int]) -> float:
    """Return the share of lines of the width that most have, 0 where that is one cell."""
    counts = Counter(widths)
    width, count = max(counts.items(), key=lambda item: item[1], default=(1, 0))
    return count / counts.total() if width > 1 else 0.0


def _comment(rows: str, n_columns: int, found: dict[str, Any]) -> str:
    """Return what begins lines that are no rows; a cell such as #N/A may begin a row."""
    marked = [_cells(line, found) for line in re.findall(r"^#.*", rows, re.MULTILINE)]
    if marked and found["Quote"] in rows:  # such lines may be within a cell
        marked = [record.cells for record in records(rows, found) if record.text.startswith("#")]
    are_rows = any(len(cells) == n_columns for cells in marked)
    return "#" if marked and not are_rows else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _reader(text: str, found: dict[str, Any], *, strict: bool = False) -> Iterator[list[str]]:
    escape = found["Escape"]
    return csv.reader(
        [text],
        delimiter=found["Delimiter"],
        quotechar=found["Quote"],
        escapechar=None if escape == found["Quote"] else escape,
        skipinitialspace=True,
        strict=strict,
    )


def _cells(text: str, found: dict[str, Any]) -> list[str]:
    try:
        return [cell.strip() for cell in next(_reader(text, found), [])]
    except csv.Error:
        return [text]


def _has_header(record: Record, found: dict[str, Any]) -> bool:
    """Tell whether a row is names: what the sniffer says of the same row, but never numbers."""
    if is_data(record.cells):
        return False
    return bool(found["HasHeader"] or found["SkipRows"] != record.line)


def _fit_names(names: list[str], below: list[list[str]], notes: list[str]) -> list[str]:
    """Return as many names as the rows below have cells."""
    below = [row for row in below if any(row)]
    width = max(map(len, below), default=len(names))
    if _are_one_wider(names, below):
        if any(row[-1] for row in below):
            notes.append("The rows have one cell more than the header: their first is a row name.")
            return ["row name", *names]
        notes.append("The rows end in a separator more than the header has, which was left out.")
    while len(names) > max(width, 1) and not names[-1]:
        names = names[:-1]
    return names


def _are_one_wider(names: list[str], rows: list[list[str]]) -> bool:
    """Tell whether all rows have one cell more than the header."""
    return bool(rows) and all(len(row) == len(names) + 1 for row in rows)


def _is_unclear(names: list[str], below: list[list[str]]) -> bool:
    """Tell whether the first rows do not say what one cell more than the header is.

    Without a name for it in the header, the first cell is a row name, or there is a separator too
    many at the end of each line.
    """
    known = [row for row in below if any(row)]
    return _are_one_wider(names, known) and not any(row[-1] for row in known)
