"""The second table of a comparison: what the first has no room for."""

from __future__ import annotations

from collections import Counter

from sknorm._compare.analysis.metrics import Measures, Setting
from sknorm._compare.text.tables import called, number, percent, signed, span

UNBROKEN = "\N{NO-BREAK SPACE}"


def detail_cells(
    measures: dict[str, Measures], setting: Setting
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the cells of the table of details."""
    header = [
        "normalizer",
        f"{setting.score_name} ({percent(setting)} interval)",
        f"{setting.score_name} in training",
        "gap",
        f"gap against {setting.baseline} ({percent(setting)} interval)",
        "seconds to target",
        "diverged, failed",
        "warnings",
    ]
    return header, [_row(row) for row in measures.values()]


def _row(row: Measures) -> list[str]:
    gap = row.differences["gap"]
    is_baseline = row.verdict == "baseline"
    return [
        row.normalizer,
        f"{number(row.test_score.estimate)} ({span(row.test_score)})",
        number(row.train_score),
        signed(row.gap),
        "" if is_baseline else f"{signed(gap.estimate)} ({span(gap, signed)})",
        number(row.seconds_to_target),
        f"{row.diverged * row.n_fits:.0f}, {row.failed * row.n_fits:.0f}",
        ", ".join(f"{count}{UNBROKEN}{kind}" for kind, count in row.warnings.items()) or "none",
    ]


def detail_legend(setting: Setting) -> list[str]:
    """Return what the columns of the details mean."""
    return [
        f"gap: {setting.score_name} in training less that on rows left out; a smaller gap is less "
        "overfitting",
        "seconds to target: of training until the loss is down to the target (median)",
        "diverged, failed: numbers of fits without a score; warnings: all that were raised in "
        "fitting and scoring, by kind",
    ]


def warnings_by_kind(measures: dict[str, Measures]) -> str:
    """Return the warnings of all fits in words, by kind, and whose they are; "" if none."""
    whose: dict[str, list[str]] = {}
    totals: Counter[str] = Counter()
    for row in measures.values():
        for kind, count in row.warnings.items():
            whose.setdefault(kind, []).append(f"{called(row.normalizer)} {count}")
            totals[kind] += count
    listed = [f"{totals[kind]} {kind} ({', '.join(whose[kind])})" for kind in sorted(whose)]
    return ", ".join(listed)
