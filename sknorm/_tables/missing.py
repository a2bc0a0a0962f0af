"""Text that stands for a missing value."""

from __future__ import annotations

# In any column: what pandas, spreadsheets and databases write.
MISSING = frozenset(
    {
        "",
        "na",
        "n/a",
        "#n/v",
        "#zahl!",
        "#wert!",
        "#bezug!",
        "#nom?",
        "#valeur!",
        "#n/a",
        "#n/a n/a",
        "<na>",
        "nan",
        "null",
        "\\n",
        "#div/0!",
        "#ref!",
    }
    | {"#value!", "#name?", "#num!", "#null!", "nat"}
)
# In a column of numbers or dates only: among words, they may be words.
MISSING_NUMBER = MISSING | frozenset(
    {"none", "nil", "?", "-", "--", "---", ".", "..", "*", "**", "missing", "unknown"}
    | {"not available", "not applicable", "n.a.", "n. a.", "k.a.", "k. a.", "-nan", "+nan"}
    | {"n.d.", "nd", "not known", "no data", "(null)", "[null]", "- -"}
    | {"0000-00-00", "0000-00-00 00:00:00", "0000/00/00", "00/00/0000", "00.00.0000"}
    | {"\u2013", "\u2014", "\u2212"}  # dashes, and the sign of a minus
)


def is_missing(cell: str) -> bool:
    """Tell whether text is a missing value in any column."""
    return cell.lower() in MISSING


def is_missing_number(cell: str) -> bool:
    """Tell whether text is a missing value in a column of numbers or dates."""
    return cell.lower() in MISSING_NUMBER
