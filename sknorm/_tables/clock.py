"""Text that is times of day or durations, both of which become hours."""

from __future__ import annotations

import re

CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?")
CLOCK_OF_12 = re.compile(
    r"(?P<hours>0?[1-9]|1[0-2])(?::(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?)?"
    r"\s?(?P<half>[AP])\.?M\.?",
    re.IGNORECASE,
)
# 27:30, 1:05:30.5, and as Python and pandas write them: 1 day, 2:00:00 and -1 days +23:00:00.
DURATION = re.compile(
    r"(?:(?P<days>-?\d+) days?,? \+?)?(?P<sign>-?)(?P<hours>\d+):(?P<minutes>[0-5]\d)"
    r"(?::(?P<seconds>[0-5]\d(?:\.\d+)?))?"
)
# ISO 8601, of days and less: P1DT2H, PT4M13S.
ISO_DURATION = re.compile(
    r"(?P<sign>-?)P(?=\d|T\d)(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def what_are_hours(known: list[str]) -> str | None:
    """Return what cells are if all of them are times of day, or durations."""
    if all(map(CLOCK.fullmatch, known)) or all(map(CLOCK_OF_12.fullmatch, known)):
        return "Times of day, as hours"
    if all(map(DURATION.fullmatch, known)) or all(map(ISO_DURATION.fullmatch, known)):
        return "Durations, as hours"
    return None


def hours_of(cell: str) -> float | None:
    """Return a time of day or a duration in hours, None for anything else."""
    found = CLOCK_OF_12.fullmatch(cell)
    if found:
        hours = int(found["hours"]) % 12 + (12 if found["half"] in "pP" else 0)
        return hours + _part_of_hour(found)
    found = DURATION.fullmatch(cell) or ISO_DURATION.fullmatch(cell)
    if not found:
        return None
    days = 24.0 * float(found["days"] or 0)
    sign = -1.0 if found["sign"] else 1.0
    within = sign * (float(found["hours"] or 0) + _part_of_hour(found))
    # The sign of ISO 8601 is that of the days too; elsewhere they have their own.
    return (sign * days if found.re is ISO_DURATION else days) + within


def _part_of_hour(found: re.Match[str]) -> float:
    return float(found["minutes"] or 0) / 60 + float(found["seconds"] or 0) / 3600
