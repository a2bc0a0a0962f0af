"""The second table of a comparison: what the first has no room for."""

from __future__ import annotations

from collections import Counter

from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.metrics import Metrics
from sknorm._compare.text.numbers import (
    display_name,
    format_interval,
    format_number,
    signed,
)
from sknorm._compare.text.tables import percent

UNBROKEN = "\N{NO-BREAK SPACE}"


def detail_cells(measures: dict[str, Metrics], design: Design) -> tuple[list[str], list[list[str]]]:
    """Return the header and the cells of the table of details."""
    header = [
        "normalizer",
        f"{design.score_name} ({percent(design)} interval)",
        f"{design.score_name} in training",
        "gap",
        f"gap against {design.baseline} ({percent(design)} interval)",
        "seconds to target",
        "diverged, failed",
        "warnings",
    ]
    return header, [_row(row) for row in measures.values()]


def _row(row: Metrics) -> list[str]:
    gap = row.differences["gap"]
    is_baseline = row.verdict == "baseline"
    return [
        row.normalizer,
        f"{format_number(row.test_score.estimate)} ({format_interval(row.test_score)})",
        format_number(row.train_score),
        signed(row.gap),
        "" if is_baseline else f"{signed(gap.estimate)} ({format_interval(gap, signed)})",
        format_number(row.seconds_to_target),
        f"{row.diverged * row.n_fits:.0f}, {row.failed * row.n_fits:.0f}",
        ", ".join(f"{count}{UNBROKEN}{kind}" for kind, count in row.warnings.items()) or "none",
    ]


def detail_legend(design: Design) -> list[str]:
    """Return the legend of the table of details."""
    return [
        f"gap: {design.score_name} in training less that on rows left out; a smaller gap is less "
        "overfitting",
        "seconds to target: of training until the loss is down to the target (median)",
        "diverged, failed: numbers of fits without a score; warnings: all that were raised in "
        "fitting and scoring, by kind",
    ]


def warnings_by_kind(measures: dict[str, Metrics]) -> str:
    """Return the warnings of all fits in words, by kind, and whose they are; "" if none."""
    whose: dict[str, list[str]] = {}
    totals: Counter[str] = Counter()
    for row in measures.values():
        for kind, count in row.warnings.items():
            whose.setdefault(kind, []).append(f"{display_name(row.normalizer)} {count}")
            totals[kind] += count
    listed = [f"{totals[kind]} {kind} ({', '.join(whose[kind])})" for kind in sorted(whose)]
    return ", ".join(listed)
