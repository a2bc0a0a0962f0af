"""Text whose header is a comment or has other separators than rows, or with quotes around rows."""

from __future__ import annotations

import re
from typing import NamedTuple

from sknorm._tables.blanks import SIGNS
from sknorm._tables.header import COMMENT, NUMBER
from sknorm._tables.records import Signs, cells_of, first_lines

HEAD = 100
BLANK = " "
DIGITS = re.compile(r"[+-]?[.,]?\d")
QUOTED_ROW = re.compile(r'"((?:[^"]|"")*)"(?=\r?$)', re.MULTILINE)


def unwrapped(text: str, notes: list[str]) -> str:
    """Return a text with its header and its rows as others have them."""
    return _with_plain_header(_with_plain_rows(text, notes), notes)


def _with_plain_rows(text: str, notes: list[str]) -> str:
    """Return rows without quotes around each, in which those of cells are doubled."""
    head = [line for line in first_lines(text, HEAD)[0] if line.strip()]
    if len(head) < 2 or not all(map(QUOTED_ROW.fullmatch, head)):
        return text
    rows = [line[1:-1].replace('""', '"') for line in head]
    widths = [{len(_cut(row, sign)) for row in rows} for sign in SIGNS]
    if not any(len(found) == 1 and found != {1} for found in widths):
        return text
    notes.append("Each row is within quotes, which were taken away.")
    return QUOTED_ROW.sub(lambda found: found[1].replace('""', '"'), text)


def _with_plain_header(text: str, notes: list[str]) -> str:
    """Return a text whose header is a row: no comment, as NumPy writes it, and separated alike."""
    lines = first_lines(text, HEAD)[0]
    first = next((k for k, line in enumerate(lines) if line.strip() and not COMMENT.match(line)), 0)
    is_comment = first > 0 and COMMENT.match(lines[first - 1]) is not None
    first += 0 if first else 1
    found = _names_in(COMMENT.sub("", lines[first - 1], count=1), lines[first : first + 2])
    if found is None or not (is_comment or found.other not in (found.sign, BLANK)):
        return text
    what = "comment above them" if is_comment else f"line above, separated by {found.other!r}"
    notes.append(f"Taking the names of the columns from the {what}.")
    sign = found.sign
    names = [f'"{n}"' if BLANK in n or sign in n else n for n in found.names]
    above, end = first_lines(text, first)
    return "\n".join([*above[:-1], sign.join(names), text[end:]])


class _Names(NamedTuple):
    """Names, what separates them, and the rows below."""

    sign: str
    other: str
    names: list[str]


def _names_in(line: str, rows: list[str]) -> _Names | None:
    """Return the names in a line, if they are as many as cells of the rows, which have numbers."""
    for sign in (*SIGNS, BLANK):
        cells = [_cut(row, sign) for row in rows]
        width = len(cells[0]) if cells else 0
        if width < 2 or len(cells[-1]) != width or not any(map(DIGITS.match, cells[0])):
            continue
        others = [other for other in (sign, *SIGNS) if other != BLANK]
        for other in (*others, BLANK):
            if other not in (sign, BLANK) and any(len(_cut(row, other)) > 1 for row in rows):
                continue  # it separates the rows too, and the sign is of decimals
            names = _cut(line, other)
            if len(names) == width == len(set(names)) and not any(map(NUMBER.fullmatch, names)):
                return _Names(sign, other, names) if all(names) else None
    return None


def _cut(line: str, sign: str) -> list[str]:
    """Return the cells of a line."""
    return line.split() if sign == BLANK else cells_of(line, Signs(sign, '"', '"'))
