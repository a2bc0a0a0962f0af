"""Text that is dates, with or without a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sknorm._tables.errors import load

DATE_LIKE = re.compile(r"\D*\d{1,4}\D+\d|\d{1,4}\W?[A-Za-z]|[A-Za-z]{3,9}\W+\d")
POINTED_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.(\d{4}|\d{2})( \d{1,2}:\d{2}(:\d{2})?)?")
SLASHED_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})( .*)?")
# 20191125. Numbers that are no dates hardly ever fit: one in a thousand.
COMPACT_DATE = re.compile(r"(?:1[6-9]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
FEWEST_COMPACT = 3
TRIED = 20
NAMED_MONTHS = [
    form.replace("%b", month).replace("%Y", year)
    for form in ("%b %d, %Y", "%b %d %Y", "%d %b %Y", "%d-%b-%Y", "%d. %b %Y", "%d/%b/%Y")
    for month in ("%b", "%B")
    for year in ("%Y", "%y")
]
# Months alone, which are the first day of it.
NAMED_MONTHS += ["%b %Y", "%B %Y", "%b-%Y", "%B-%Y", "%b-%y", "%Y %b", "%Y %B", "%Y-%b", "%Y-%B"]
MONTH_OF_YEAR = re.compile(r"(0?[1-9]|1[0-2])/(1[6-9]|20)\d\d")
WORDS = {"%Y": "year", "%y": "year", "%m": "month", "%b": "month", "%B": "month", "%d": "day",
         "%H": "hour", "%I": "hour", "%M": "minute", "%S": "second", "%f": "microsecond",
         "%p": "AM/PM", "%z": "time zone", "%Z": "time zone", "%a": "weekday", "%A": "weekday",
         "%j": "day of the year"}  # fmt: skip


@dataclass(frozen=True)
class DateFormat:
    """How dates are written, and whether their day and month may be the other way round."""

    form: str
    is_ambiguous: bool = False

    @property
    def in_words(self) -> str:
        """Return the format as people say it."""
        return re.sub(r"%\w", lambda match: WORDS.get(match[0], match[0]), self.form)


def find_date_format(known: list[str], some: list[str]) -> DateFormat | None:
    """Return the format of dates, as skrub finds it but for those with points: day first.

    ``some`` of the cells are enough to tell that they are none.
    """
    if not all(map(DATE_LIKE.match, some)):
        return None
    if all(map(MONTH_OF_YEAR.fullmatch, known)):
        return DateFormat("%m/%Y")
    slashed, is_ambiguous = _slashed_format(known)
    if slashed is not None:
        return DateFormat(slashed, is_ambiguous)
    form = _pointed_format(known) or _named_month_format(known) or _skrub_format(known)
    return None if form is None else DateFormat(form)


def find_most_dates(known: list[str]) -> tuple[DateFormat, list[str]] | None:
    """Return the format of most cells, where a few are no dates, and those that are not."""
    like = [cell for cell in known if DATE_LIKE.match(cell)]
    some = like[:: max(1, len(like) // TRIED)]
    forms = {found.form for found in (find_date_format([cell], [cell]) for cell in some) if found}
    if 2 * len(like) < len(known) or not forms:
        return None
    odd = min((_not_in(form, known) for form in forms), key=len)
    wrong = set(odd)
    good = [cell for cell in known if cell not in wrong]
    found = find_date_format(good, good) if good else None
    return None if found is None else (found, odd)


def _not_in(form: str, known: list[str]) -> list[str]:
    pandas = load("pandas")
    cells = pandas.Series(known, dtype="object")
    dates = pandas.to_datetime(cells, format=form, errors="coerce", utc=True)
    return list(cells[dates.isna()])


def are_compact_dates(known: list[str]) -> bool:
    """Tell whether whole numbers are dates: year, month and day without a sign between them."""
    fits = len(known) >= FEWEST_COMPACT and all(map(COMPACT_DATE.fullmatch, known))
    return fits and _checked("%Y%m%d", known) is not None


def _pointed_format(known: list[str]) -> str | None:
    found = [POINTED_DATE.fullmatch(cell) for cell in known]
    if not all(found):
        return None
    year = {len(match[1]) for match in found if match}
    time = {(match[2] or "").count(":") for match in found if match}
    if len(year) > 1 or len(time) > 1:
        return None
    form = "%d.%m.%Y" if year == {4} else "%d.%m.%y"
    return _checked(form + ["", " %H:%M", " %H:%M:%S"][time.pop()], known)


def _slashed_format(known: list[str]) -> tuple[str | None, bool]:
    """Return the format of dates with slashes, and whether day and month may be the other way."""
    found = [SLASHED_DATE.fullmatch(cell) for cell in known]
    if not all(found):
        return None, False
    first = max(int(match[1]) for match in found if match)
    second = max(int(match[2]) for match in found if match)
    year = "%Y" if all(len(match[3]) == 4 for match in found if match) else "%y"
    forms = [f"%m/%d/{year}", f"%d/%m/{year}"]
    if first > 12:
        forms.reverse()
    times = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"]
    form = next((f + t for f in forms for t in times if _checked(f + t, known)), None)
    return form, max(first, second) <= 12


def _named_month_format(known: list[str]) -> str | None:
    """Return the format of dates with names of months; "May" is both short and long."""
    if not known[0].strip("0123456789 ,.-/:").isalpha():
        return None
    return next((form for form in NAMED_MONTHS if _checked(form, known)), None)


def _checked(form: str, known: list[str]) -> str | None:
    """Return a format if all cells are dates in it."""
    pandas = load("pandas")
    try:
        pandas.to_datetime(pandas.Series(known, dtype="object"), format=form)
    except (ValueError, OverflowError):
        return None
    return form


def _skrub_format(known: list[str]) -> str | None:
    pandas = load("pandas")
    finder = load("skrub").ToDatetime()
    try:
        finder.fit_transform(pandas.Series(known, name="dates", dtype="object"))
    except ValueError:
        return None
    form = str(finder.format_)
    # Years and counts of days alone are numbers, and were taken as such.
    return form if form.count("%") > 1 else None
