"""A comparison as a table of text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.intervals import Interval
from sknorm._compare.analysis.metrics import Metrics
from sknorm._compare.text.numbers import (
    display_name,
    format_interval,
    format_number,
    format_percent,
    signed,
    verb,
    whole,
)

# What terminals, mails and pages of code all have room for.
WIDTH = 80
GUESSING = "(guessing)"
MAX_CLASSES = 5


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
        *([f"against {design.reference}"] if design.reference else []),
        *design.other_scores,
        "training",
        "seed sd",
        design.unit,
        "to target",
        "reached",
        "seconds",
        "lost",
        "unconverged",
    ]
    rows = [_row(row, design, is_best=row.normalizer == best) for row in measures.values()]
    if not math.isnan(design.chance):
        rows.append([GUESSING, format_number(design.chance), *[""] * (len(header) - 2)])
    return header, rows


def _row(row: Metrics, design: Design, *, is_best: bool) -> list[str]:
    difference = f"{signed(row.difference.estimate)} ({format_interval(row.difference, signed)})"
    return [
        f"{row.normalizer}{' *' if is_best else ''}",
        f"{format_number(row.test_score.estimate)} ± {format_number(row.test_std)}",
        "" if row.verdict == "baseline" else difference,
        row.verdict,
        *([row.reference_verdict] if design.reference else []),
        *(format_number(row.other_scores[name]) for name in design.other_scores),
        format_number(row.train_score),
        format_number(row.seed_std),
        whole(row.epochs),
        whole(row.epochs_to_target),
        format_percent(row.reached),
        format_number(row.seconds),
        format_percent(row.lost),
        format_percent(row.unconverged),
    ]


def as_text(header: list[str], rows: list[list[str]], width: int = WIDTH) -> str:
    """Return a table in columns, the first flush left, broken into parts that fit the width."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    parts: list[list[int]] = [[0]]
    for place in range(1, len(columns)):
        taken = sum(widths[other] + 2 for other in parts[-1])
        if len(parts[-1]) > 1 and taken + widths[place] > width:
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
        f"against {design.baseline}: mean difference, paired by fold and initialization; "
        "equivalent: "
        f"within {format_number(design.rope)}; undecided: the interval allows for either",
        f"training: {design.score_name} on the rows of the fit",
        "seed sd: standard deviation of the score over initializations, within a fold",
        *_guessing(design),
        f"{design.unit}, seconds: of a whole fit (medians)",
        f"to target, reached: median {design.unit} until {goal}; share of fits that get there",
        *_floor(design),
        f"lost: fits that diverged or failed (a normalizer that loses more than "
        f"{display_name(design.baseline)} is never reported as better); unconverged: stopped at "
        f"the limit of {design.unit}",
    ]


def _guessing(design: Design) -> list[str]:
    what = "the largest class" if design.is_classification else "the mean of the target"
    said = [] if math.isnan(design.chance) else [f"{GUESSING}: always {what}"]
    shares = design.class_shares
    if shares:
        shown = [f"{name!r} {format_percent(share)}" for name, share in shares.items()]
        more = [f"{len(shown) - MAX_CLASSES} smaller ones"] if len(shown) > MAX_CLASSES else []
        said.append(f"classes, by rows: {', '.join([*shown[:MAX_CLASSES], *more])}")
    return said


def _floor(design: Design) -> list[str]:
    if not math.isfinite(design.floor) or (design.best_possible == 1 and design.is_classification):
        return []
    return [
        f"{design.score_name}: fits below {format_number(design.floor)} count as that, for "
        "beyond it "
        "all are useless"
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
            suffix = (
                "" if kind in ("epochs_ratio", "seconds_ratio", "wins", "rank") else "_difference"
            )
            yield from _cells(f"{kind}{suffix}", interval)
    elif isinstance(value, Interval):
        yield name, value.estimate
        yield f"{name}_low", value.low
        yield f"{name}_high", value.high
    else:
        yield name, value
