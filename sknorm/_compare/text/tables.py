"""A comparison as a table of text, and its numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sknorm._compare.analysis.intervals import Interval
from sknorm._compare.analysis.metrics import Design, Metrics
from sknorm._compare.names import NONE

MISSING = "-"
RAW = "the raw features"


def display_name(name: str) -> str:
    """Return the name of a normalizer in a sentence."""
    return RAW if name == NONE else name


def verb(name: str, singular: str, plural: str) -> str:
    """Return the form of a verb whose subject is a normalizer or the raw features."""
    return plural if name == NONE else singular


def capitalized(text: str) -> str:
    """Return the beginning of a sentence; names that users chose stay as they are."""
    return text[0].upper() + text[1:] if text.startswith(RAW) else text


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


def partial_note(design: Design, n_runs: int) -> str:
    """Return what to say of a comparison that was stopped; nothing of others."""
    if design.stopped is None:
        return ""
    return f"PARTIAL: {design.stopped} after {n_runs} of {design.n_planned} fits"


def table_cells(
    measures: dict[str, Metrics], design: Design, best: str | None
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the cells of the table that people read."""
    header = [
        "normalizer",
        design.score_name,
        f"against {design.baseline} ({percent(design)} interval)",
        "verdict",
        "seed sd",
        design.unit,
        "to target",
        "reached",
        "seconds",
        "lost",
        "unconverged",
    ]
    rows = [
        [
            f"{row.normalizer}{' *' if row.normalizer == best else ''}",
            f"{format_number(row.test_score.estimate)} ± {format_number(row.test_std)}",
            ""
            if row.verdict == "baseline"
            else f"{signed(row.difference.estimate)} ({format_interval(row.difference, signed)})",
            row.verdict,
            format_number(row.seed_std),
            whole(row.epochs),
            whole(row.epochs_to_target),
            format_percent(row.reached),
            format_number(row.seconds),
            format_percent(row.lost),
            format_percent(row.unconverged),
        ]
        for row in measures.values()
    ]
    return header, rows


def as_text(header: list[str], rows: list[list[str]], width: int | None = None) -> str:
    """Return a table in columns, the first flush left, broken into parts that fit the width."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    parts: list[list[int]] = [[0]]
    for place in range(1, len(columns)):
        taken = sum(widths[other] + 2 for other in parts[-1])
        if width is not None and len(parts[-1]) > 1 and taken + widths[place] > width:
            parts.append([0])
        parts[-1].append(place)
    return "\n\n".join(_part(columns, widths, places) for places in parts)


def _part(columns: list[tuple[str, ...]], widths: list[int], places: list[int]) -> str:
    def line(cells: Iterable[str]) -> str:
        aligned = [cell.rjust(widths[p]) for p, cell in zip(places, cells, strict=True)]
        aligned[0] = aligned[0].strip().ljust(widths[0])
        return "  ".join(aligned).rstrip()

    lines = [line(row) for row in zip(*(columns[place] for place in places), strict=True)]
    return "\n".join([lines[0], line("-" * widths[place] for place in places), *lines[1:]])


def legend(design: Design) -> list[str]:
    """Return the legend of the table."""
    ends = verb(design.baseline, "ends", "end")
    goal = (
        f"the training loss is as low as where {display_name(design.baseline)} {ends}"
        if design.target_loss is None
        else f"the training loss is down to {design.target_loss:g}"
    )
    goal = goal if design.has_losses else "the solver converges"
    return [
        f"*: highest {design.score_name} of those that lost the fewest fits, on rows left out of "
        "the fit; ± standard deviation over all fits",
        f"against {design.baseline}: mean difference, paired by fold and initialization; mostly: "
        "shown by the share of pairs, not by the mean",
        "seed sd: standard deviation of the score over initializations, within a fold",
        f"{design.unit}, seconds: of a whole fit (medians)",
        f"to target, reached: median {design.unit} until {goal}; share of fits that get there",
        f"lost: fits that diverged or failed (a normalizer that loses more than "
        f"{display_name(design.baseline)} is never reported as better); unconverged: stopped at "
        f"the limit of {design.unit}",
    ]


def percent(design: Design) -> str:
    """Return the confidence of the intervals."""
    return f"{100 * design.confidence:g}%"


def table_columns(measures: dict[str, Metrics]) -> dict[str, list[Any]]:
    """Return the measures as columns of plain numbers; intervals become three columns."""
    columns: dict[str, list[Any]] = {}
    for row in measures.values():
        for name in Metrics.__dataclass_fields__:
            for column, value in _cells(name, getattr(row, name)):
                columns.setdefault(column, []).append(value)
    return columns


def _cells(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if name == "differences":
        for kind, interval in value.items():
            suffix = "" if kind in ("epochs_ratio", "wins") else "_difference"
            yield from _cells(f"{kind}{suffix}", interval)
    elif isinstance(value, Interval):
        yield name, value.estimate
        yield f"{name}_low", value.low
        yield f"{name}_high", value.high
    else:
        yield name, value
