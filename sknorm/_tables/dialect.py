"""How a text file is a table: what separates its cells, which line is its header."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sknorm._tables.blanks import SIGNS
from sknorm._tables.errors import TableError, load
from sknorm._tables.header import (
    NUMBER,
    are_names,
    distinct_names,
    first_row,
    is_remark,
    name_nothing,
    note_skipped,
    one_line,
    width_of,
)
from sknorm._tables.records import Record, Signs, first_lines, records, without_comments

HEAD_LINES = 50
HEAD_CHARACTERS = 100_000
# The share of the first lines that a separator has to split alike.
ALIKE = 0.8
MOST = 0.5
# By how much larger a share of numbers tells which sign separates them.
CLEARLY = 0.2
DELIMITERS = {"tab": "\t", "\\t": "\t", "blank": " ", "space": " "}


class UnknownSeparatorError(TableError):
    """Text of which the sniffer does not find out what separates its cells."""


@dataclass(frozen=True)
class Dialect:
    """What DuckDB is told of a file; ``above`` counts the lines above the rows, header and all."""

    signs: Signs
    above: int
    names: tuple[str, ...]


class _Sniffed(NamedTuple):
    """What DuckDB's sniffer says of a file."""

    signs: Signs
    has_header: bool
    n_skipped: int


def find_dialect(
    path: Path, copy: Path, text: str, delimiter: str | None, header: bool | None, notes: list[str]
) -> Dialect:
    """Return the dialect of a text, whose copy in UTF-8 DuckDB's sniffer looks at."""
    found = _sniff(path, copy, delimiter)
    better = None if delimiter is not None else _better_delimiter(text, found.signs)
    if better is not None:
        found = _sniff(path, copy, better)
    signs = found.signs
    head = list(itertools.islice(records(text, signs), HEAD_LINES))
    rows = [record.cells for record in head]
    top = first_row(rows)
    below = [row for row in rows[top + 1 :] if any(row) and not is_remark(row)]
    has_header = header
    if has_header is None:
        has_header = are_names(rows[top], below)
    if has_header is None:
        has_header = _has_header(head[top], found, text, copy)
    if has_header:
        above = head[top].line + head[top].n_lines
        if _is_unclear(rows[top], below):
            rest = itertools.islice(records(text, signs), HEAD_LINES, None)
            below += (record.cells for record in rest if not is_remark(record.cells))
        names = _fit_names([one_line(name) for name in rows[top]], below, notes)
    else:
        above, names = head[top].line, [""] * max(map(len, [rows[top], *below]))
        name_nothing(len(names), notes)
    note_skipped([record.text for record in head[:top] if record.text.strip()], notes)
    return Dialect(signs, above, tuple(distinct_names(names, notes)))


def _sniff(path: Path, copy: Path, delimiter: str | None) -> _Sniffed:
    # Rows shorter than the header are looked for last; reading refuses them.
    for more in ("", ", null_padding=true"):
        found = _try_sniffing(copy, delimiter, more)
        if found is not None:
            return found
    raise UnknownSeparatorError(
        f"{path} is not a table that can be read: what separates its cells was not found "
        "(--delimiter says it)."
    )


def _try_sniffing(copy: Path, delimiter: str | None, more: str = "") -> _Sniffed | None:
    duckdb = load("duckdb")
    delim = "" if delimiter is None else f", delim={_quoted(DELIMITERS.get(delimiter, delimiter))}"
    options = f"sample_size=20480, comment=''{delim}{more}"
    try:
        relation = duckdb.sql(f"from sniff_csv({_quoted(str(copy))}, {options})")
        (row,) = relation.fetchall()
    except duckdb.Error:
        return None
    found = dict(zip(relation.columns, row, strict=True))
    quote, escape = (
        "" if found.get(name) in (None, "(empty)", "\0") else found[name]
        for name in ("Quote", "Escape")
    )
    # A file without quotes in its first lines may have them later.
    quote = quote or '"'
    signs = Signs(found["Delimiter"], quote, escape or quote)
    return _Sniffed(signs, bool(found["HasHeader"]), int(found["SkipRows"]))


def _better_delimiter(text: str, found: Signs) -> str | None:
    """Return a separator that splits more of the first lines alike than the one found, if any.

    Decimal commas can look like separators of rows that the header does not have, and a row that is
    too long can make the sniffer take each line for one cell.
    """
    text = text[:HEAD_CHARACTERS]
    signs = dict.fromkeys([*SIGNS, found.delimiter])
    rows = {sign: _rows(text, found._replace(delimiter=sign)) for sign in signs}
    shares = {sign: _share_alike(rows[sign]) for sign in signs}
    present = shares[found.delimiter]
    if present >= ALIKE:
        # Two signs split all rows alike where one of them is the decimal sign, or within a cell.
        numbers = {sign: _numbers(rows[sign]) for sign in SIGNS if shares[sign] >= present}
        clearest = max(numbers, key=lambda sign: numbers[sign], default="")
        if clearest and numbers[clearest] > CLEARLY + _numbers(rows[found.delimiter]):
            return clearest
    best = max(SIGNS, key=lambda sign: shares[sign])
    # Where the header and most rows are split alike, others are too long or too short.
    enough = ALIKE if present or not _splits_header(rows[best]) else MOST
    return best if shares[best] >= enough and shares[best] > present else None


def _splits_header(rows: list[list[str]]) -> bool:
    """Tell whether the first row has as many cells as most of the others."""
    widths = list(map(width_of, rows))
    return bool(widths) and widths[0] > 1 and widths[0] == Counter(widths).most_common(1)[0][0]


def _share_alike(rows: list[list[str]]) -> float:
    """Return the share of rows that have the same number of cells, more than one."""
    return max((_most_alike(map(width, rows)) for width in (len, width_of)), default=0.0)


def _rows(text: str, signs: Signs) -> list[list[str]]:
    """Return the first rows of a text, without blank ones and comments."""
    head = itertools.islice(records(text, signs), HEAD_LINES)
    return [r.cells for r in head if r.text.strip() and not r.text.startswith("#")]


def _numbers(rows: list[list[str]]) -> float:
    """Return the share of cells that are numbers."""
    cells = [cell for row in rows for cell in row if cell]
    return sum(NUMBER.fullmatch(cell) is not None for cell in cells) / max(1, len(cells))


def _most_alike(widths: Iterable[int]) -> float:
    """Return the share of lines of the width that most have, 0 where that is one cell."""
    counts = Counter(widths)
    width, count = max(counts.items(), key=lambda item: item[1], default=(1, 0))
    return count / counts.total() if width > 1 else 0.0


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _has_header(record: Record, found: _Sniffed, text: str, copy: Path) -> bool:
    """Tell whether a row is names, as the sniffer says of it."""
    if found.n_skipped == record.line:
        return found.has_header
    # The sniffer took another row for the first: it looks again, from this one on.
    rest = text[first_lines(text, record.line)[1] :]
    rows = without_comments(rest, found.signs, len(record.cells))
    copy.write_text(rows, encoding="utf-8", newline="")
    again = _try_sniffing(copy, found.signs.delimiter)
    return again is None or again.has_header or again.n_skipped > 0


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
