"""Numbers and names as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from sknorm._compare.analysis.intervals import Interval
from sknorm._compare.names import NONE

MISSING = "-"
RAW = "the raw features"


def display_name(name: str) -> str:
    """Return the name of a normalizer in a sentence."""
    return RAW if name == NONE else name


def verb(name: str, singular: str, plural: str) -> str:
    """Return the form of a verb whose subject is a normalizer or the raw features."""
    return plural if name == NONE else singular


def capitalized(text: str, *, always: bool = False) -> str:
    """Return the beginning of a sentence; names that users chose stay as they are."""
    own = text.startswith((RAW, "its ", "their ", "it ", "the ", "against "))
    return text[0].upper() + text[1:] if always or own else text


def format_number(value: float, digits: int = 3) -> str:
    """Return a number that is short in any size."""
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "never"
    if 0 < abs(value) < 10**-digits:
        return f"{value:.1g}"
    return f"{value:.{digits}g}" if abs(value) >= 1000 else f"{value:.{digits}f}"


def signed(value: float) -> str:
    """Return a difference, with its sign."""
    return ("+" if value > 0 else "") + format_number(value)


def format_interval(interval: Interval, show: Callable[[float], str] = format_number) -> str:
    """Return the bounds of an interval."""
    if math.isnan(interval.low):
        return "no interval"
    return f"{show(interval.low)} to {show(interval.high)}"


def whole(value: float) -> str:
    """Return a count or a median of counts."""
    return format_number(value) if not math.isfinite(value) else f"{value:g}"


def format_percent(value: float) -> str:
    """Return a share as a percentage."""
    if math.isnan(value):
        return MISSING
    return "<1%" if 0 < value < 0.005 else f"{100 * value:.0f}%"


def listing(names: Iterable[str]) -> str:
    """Return names in a row, as in a sentence."""
    names = [display_name(name) for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
