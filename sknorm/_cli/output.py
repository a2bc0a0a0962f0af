"""What the command prints: text that any terminal can show."""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from typing import Any, TextIO

WIDEST = 80
NARROWEST = 30
# What ASCII has no sign for, and what stands in for it.
PLAIN = str.maketrans({"±": "+-", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"', "…": "..."})


def width() -> int:
    """Return how wide lines may be: the terminal's width, up to 80."""
    columns = shutil.get_terminal_size((WIDEST, 24)).columns if sys.stdout.isatty() else WIDEST
    return max(NARROWEST, min(columns, WIDEST))


def printable(text: str, to: TextIO) -> str:
    """Return text without signs that would steer a terminal, or that its encoding does not have.

    Names in a file may hold any.
    """
    text = "".join(
        sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co")
        else sign.encode("unicode_escape").decode("ascii")
        for sign in text
    )  # fmt: skip
    encoding = getattr(to, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def say(text: str, *, indent: str = "", to: TextIO | None = None, wrap: bool = True) -> None:
    """Print a paragraph."""
    to = sys.stdout if to is None else to
    text = printable(text, to)
    if wrap:
        text = textwrap.fill(
            text, width(), subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        )
    print(text, file=to, flush=True)


def say_warning(message: Warning | str, *where: Any, **also: Any) -> None:
    """Print a warning without the place in the code, which says nothing to who runs a command."""
    say(f"Caution: {message}", indent="  ")


def show(comparison: Any, seconds: float, data_code: str) -> None:
    """Print what was found: the promises, the table, code to paste, and last the verdict."""
    from sknorm._compare.text import tables

    say("")
    for line in comparison._summary.lines():
        say(line, indent="   ")
    say("")
    cells = tables.table_cells(comparison.measures_, comparison.setting_, comparison.best_name_)
    say(tables.as_text(*cells, width=width()), wrap=False)
    say("")
    for line in tables.legend(comparison.setting_):
        say(line, indent="  ")
    say("")
    if comparison.recommended_ is not None:
        say("To use it:\n", wrap=False)
        say(textwrap.indent(comparison.snippet(data=data_code), "    "), wrap=False)
        say("")
    say(f"Took {seconds:.0f} s.")


def say_verdict(comparison: Any) -> None:
    """Print what to use, which stays in sight."""
    say(f"Verdict: {comparison.verdict()}", indent="  ")
