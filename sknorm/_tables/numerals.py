"""Numbers as people write them: signs of the decimals and thousands, currencies, percent, units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Between thousands; an ordinary, a non-breaking and a narrow blank, apostrophes.
BLANKS = " \u00a0\u202f\u2009'\u2019"
# What is printed for a minus: the sign itself, dashes, those of other widths.
MINUS = re.compile(r"(?:^|(?<=[eE(\s$€£¥₹]))[\u2212\u2012\u2013\ufe63\uff0d](?=[\d.,$€£¥₹])")
# With the minus behind, as SAP and ledgers print amounts; grades such as 2- have no decimals.
MINUS_BEHIND = re.compile(r"(\d[\d.,\s]*[.,]\d+)\s?-")
EXPONENT = r"(?:[eE][+-]?\d+)?"
PLAIN = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){EXPONENT}|[+-]?inf(?:inity)?", re.IGNORECASE)
STYLES = {
    "plain": PLAIN,
    # 1,234.5 beside 12.5
    "comma groups": re.compile(
        rf"[+-]?(?:[1-9]\d{{0,2}}(?:,\d{{3}})+(?:\.\d*)?|\d+\.?\d*|\.\d+){EXPONENT}"
    ),
    # 1.234,5 beside 12,5
    "decimal comma": re.compile(
        rf"[+-]?(?:[1-9]\d{{0,2}}(?:\.\d{{3}})+(?:,\d*)?|\d+(?:,\d*)?|,\d+){EXPONENT}"
    ),
    # 1 234,5 and 1'234,5
    "blank groups, decimal comma": re.compile(
        rf"[+-]?(?:[1-9]\d{{0,2}}(?:[{BLANKS}]\d{{3}})+|\d+)(?:,\d*)?"
    ),
    # 1 234.5 and 1'234.5
    "blank groups": re.compile(rf"[+-]?(?:[1-9]\d{{0,2}}(?:[{BLANKS}]\d{{3}})+|\d+)(?:\.\d*)?"),
}
# One comma and three digits behind it: 1,234 is 1234 or 1.234, as the decimal sign says.
COMMA_AMBIGUOUS = re.compile(r"[+-]?(?:[1-9]\d{0,2},\d{3}|\d{1,3})")
POINT_AMBIGUOUS = re.compile(r"[+-]?(?:[1-9]\d{0,2}\.\d{3}|\d{1,3})")
AFFIXED = re.compile(
    r"(?P<sign>[+-]?)(?P<before>(?:[A-Z]{2,3})?[$€£¥₹]|[A-Z]{3} )?\s*(?P<number>[+-]?[\d.,][\d.,"
    + BLANKS
    + r"]*(?:[eE][+-]?\d+)?)\s*(?P<after>[$€£¥₹%‰]|[^\W\d_]{1,8}(?:[²³/][^\W\d_]{0,4}\d?)?|°[CF]?)?"
)
CODE = re.compile(r"0\d+")
# Beyond this many digits, float64 takes different integers for the same.
EXACT_DIGITS = 15


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written: its style, and what stands before and after all."""

    style: str
    affix: str = ""
    in_parentheses: bool = False

    def parse(self, cell: str) -> float | None:
        """Return the number that a cell is, None if it is none in this format."""
        sign, cell = 1.0, with_hyphen(cell)
        if self.in_parentheses and cell.startswith("(") and cell.endswith(")"):
            sign, cell = -1.0, cell[1:-1].strip()
        if self.affix:
            bare = strip_affix(cell)
            if bare is None or bare[1] != self.affix:
                return None
            cell = bare[0]
        if not STYLES[self.style].fullmatch(cell):
            return None
        if self.style == "comma groups":
            cell = cell.replace(",", "")
        elif self.style != "plain":
            cell = re.sub(f"[{BLANKS}]", "", cell)
            if self.style.endswith("decimal comma"):
                cell = cell.replace(".", "").replace(",", ".")
        return sign * float(cell)


class AmbiguousNumbersError(ValueError):
    """Numbers whose decimal sign nothing tells."""


def with_hyphen(cell: str) -> str:
    """Return a cell with a hyphen in front for the minus of a number, as computers write it."""
    if cell.endswith("-"):
        return MINUS_BEHIND.sub(r"-\1", cell)
    return cell if cell.isascii() else MINUS.sub("-", cell)


def strip_affix(cell: str) -> tuple[str, str] | None:
    """Return a number without its currency or unit, and that; None where there is none."""
    found = AFFIXED.fullmatch(cell)
    affix = found and (found["before"] or found["after"])
    if not found or not affix or (found["before"] and found["after"]):
        return None
    return found["sign"] + found["number"].strip(), affix.strip()


def find_number_format(cells: Iterable[str], decimal: str | None) -> NumberFormat | None:
    """Return the format of a column in which all cells are numbers; None if they are not.

    Raises AmbiguousNumbersError where ``1,234`` may be either of two numbers.
    """
    cells = [with_hyphen(cell) for cell in cells]
    in_parentheses = any(cell.startswith("(") for cell in cells)
    if in_parentheses:
        cells = [c[1:-1].strip() if c[:1] == "(" and c[-1:] == ")" else c for c in cells]
    affix = ""
    if not any(PLAIN.fullmatch(cell) for cell in cells[:1]):
        bare = [strip_affix(cell) for cell in cells]
        affixes = {found[1] for found in bare if found is not None}
        if None not in bare and len(affixes) == 1:
            affix = affixes.pop()
            cells = [found[0] for found in bare if found is not None]
    style = _find_style(cells, decimal)
    return None if style is None else NumberFormat(style, affix, in_parentheses)


def _find_style(cells: list[str], decimal: str | None) -> str | None:
    fitting = [name for name, style in STYLES.items() if all(map(style.fullmatch, cells))]
    if not fitting:
        return None
    has_comma, has_point = (any(sign in cell for cell in cells) for sign in ",.")
    if not has_comma and not has_point:
        return fitting[0]
    if has_comma and all(map(COMMA_AMBIGUOUS.fullmatch, cells)):
        if decimal is None:
            raise AmbiguousNumbersError(next(cell for cell in cells if "," in cell))
        return "comma groups" if decimal == "." else "decimal comma"
    if has_point and decimal == "," and all(map(POINT_AMBIGUOUS.fullmatch, cells)):
        return "decimal comma"
    if not has_comma and "plain" not in fitting and decimal != ",":
        # 10.000.000 has groups only where the comma is the decimal sign.
        return next((name for name in fitting if name == "blank groups"), None)
    return fitting[0]


def decimal_evidence(cells: Iterable[str]) -> str | None:
    """Return the decimal sign that a column of numbers can only have, None where it shows none."""
    cells = list(cells)
    try:
        found = find_number_format(cells, None)
    except AmbiguousNumbersError:
        return None
    if found is None:
        return None
    if "comma" in found.style and found.style != "comma groups":
        return "," if any("," in cell for cell in cells) else None
    if found.style == "plain" and all(map(POINT_AMBIGUOUS.fullmatch, cells)):
        return None
    return "." if any("." in cell for cell in cells) else None


def is_code(cells: Iterable[str]) -> bool:
    """Tell whether whole numbers are codes or keys, whose digits must be kept as they are.

    Those of one width with zeros in front, and those too long for float64.
    """
    cells = list(cells)
    if not all(cell.isdigit() for cell in cells):
        return False
    widths = {len(cell) for cell in cells}
    if max(widths) > EXACT_DIGITS:
        return True
    return len(widths) == 1 and any(map(CODE.fullmatch, cells))
