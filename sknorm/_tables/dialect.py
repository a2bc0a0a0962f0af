"""How a text file is a table: what separates its cells, which line is its header."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sknorm._tables.errors import TableError, load
from sknorm._tables.header import (
    distinct_names,
    first_row,
    is_data,
    name_nothing,
    note_skipped,
    width_of,
)

HEAD_LINES = 50
HEAD_CHARACTERS = 100_000
# The share of the first lines that a separator has to split alike.
ALIKE = 0.8
MOST = 0.5
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
    lines = first_lines(text, HEAD_LINES)[0]
    rows = [_cells(line, found) for line in lines]
    top = first_row(rows)
    has_header = _has_header(rows[top], top, found) if header is None else header
    below = rows[top + 1 if has_header else top :]
    if has_header:
        above, names = top + 1, _fit_names(rows[top], below, notes)
    else:
        above, names = top, [""] * max(map(width_of, below), default=1)
        name_nothing(len(names), notes)
    note_skipped([line for line in lines[:top] if line.strip()], notes)
    return Dialect(
        found["Delimiter"],
        found["Quote"],
        found["Escape"],
        _comment(first_lines(text, above)[1], len(names), found) if len(names) > 1 else "",
        above,
        tuple(distinct_names(names, notes)),
    )


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
    lines = text[:HEAD_CHARACTERS].splitlines()[:HEAD_LINES]
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    shares = {sign: _share_alike(lines, found | {"Delimiter": sign}) for sign in ";\t|,"}
    best = max(shares, key=lambda sign: shares[sign])
    present = _share_alike(lines, found)
    # Where the header and most rows are split alike, others are too long or too short.
    enough = ALIKE if present or not _splits_header(lines, found, best) else MOST
    return best if shares[best] >= enough and shares[best] > present else None


def _splits_header(lines: list[str], found: dict[str, Any], delimiter: str) -> bool:
    """Tell whether a separator cuts the first line into as many cells as most of the others."""
    widths = [width_of(_cells(line, found | {"Delimiter": delimiter})) for line in lines]
    return bool(widths) and widths[0] > 1 and widths[0] == Counter(widths).most_common(1)[0][0]


def _share_alike(lines: list[str], found: dict[str, Any]) -> float:
    """Return the share of lines that have the same number of cells, more than one."""
    counts = Counter(width_of(_cells(line, found)) for line in lines)
    width, count = max(counts.items(), key=lambda item: item[1], default=(1, 0))
    return count / len(lines) if width > 1 else 0.0


def _comment(rows: str, n_columns: int, found: dict[str, Any]) -> str:
    """Return what begins lines that are no rows; a cell such as #N/A may begin a row."""
    marked = re.findall(r"^#.*", rows, re.MULTILINE)
    are_rows = any(len(_cells(line, found)) == n_columns for line in marked)
    return "#" if marked and not are_rows else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _cells(line: str, found: dict[str, Any]) -> list[str]:
    reader = csv.reader(
        [line], delimiter=found["Delimiter"], quotechar=found["Quote"], skipinitialspace=True
    )
    try:
        return [cell.strip() for cell in next(reader, [])]
    except csv.Error:
        return [line]


def _has_header(row: list[str], top: int, found: dict[str, Any]) -> bool:
    """Tell whether a row is names: what the sniffer says of the same row, but never numbers."""
    if is_data(row):
        return False
    return bool(found["HasHeader"] or found["SkipRows"] != top)


def _fit_names(names: list[str], below: list[list[str]], notes: list[str]) -> list[str]:
    """Return as many names as the rows below have cells."""
    widths = {len(row) for row in below if any(row)}
    width = max(widths, default=len(names))
    if width == len(names) + 1 and _is_one_wider(below, width):
        notes.append("The rows have one cell more than the header: their first is a row name.")
        return ["row name", *names]
    while len(names) > max(width, 1) and not names[-1]:
        names = names[:-1]
    return names


def _is_one_wider(rows: list[list[str]], width: int) -> bool:
    """Tell whether all rows have so many cells, and not because of a separator at their ends."""
    rows = [row for row in rows if any(row)]
    return all(len(row) == width for row in rows) and any(row[-1] for row in rows)
