"""The picture of the scores, with intervals and folds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._compare.analysis.intervals import fold_means
from sknorm._compare.analysis.measured import Measured
from sknorm._compare.analysis.metrics import Metrics
from sknorm._compare.plots.style import GRAY, SMALL, margin_note, name_rows, short_names, style
from sknorm._compare.text.numbers import display_name, format_number, format_percent, signed

Array = NDArray[np.float64]
# matplotlib's numbers of the carets whose tips are where they are drawn.
CARET_LEFT, CARET_RIGHT = 4, 5
# What is further from the middle than so many times its width would squash it, and is cut off.
REACH = 10


def draw_scores(ax: Any, measured: Measured) -> None:
    """Draw each mean score with its interval, and the score of each fold."""
    design, measures = measured.design, measured.metrics
    folds = {name: fold_means(measured.scores[name].scores) for name in measures}
    for place, row in enumerate(measures.values()):
        look, score, ticks = style(place), row.test_score, folds[row.normalizer]
        ax.plot(ticks, np.full(len(ticks), place + 0.2), "|", color=GRAY, markersize=6)
        ax.plot([score.low, score.high], [place, place], "-", color=look["color"], linewidth=2)
        ax.plot(score.estimate, place, look["marker"], color=look["color"], markersize=7)
        margin_note(ax, place, _difference(row))
    ax.axvline(measures[design.baseline].test_score.estimate, color=GRAY, linestyle="--", lw=1)
    name_rows(ax, list(measures))
    beyond = _limit(ax, measures, folds)
    guessing = _draw_chance(ax, design.chance)
    shares = list(design.class_shares.values())
    largest = f"\nlargest class: {format_percent(shares[0])} of rows" if shares else ""
    ax.set_xlabel(
        f"{design.score_name} on rows left out: mean with {100 * design.confidence:g}% interval\n"
        f"ticks: folds{guessing}{beyond}{largest}"
    )
    baseline = short_names([display_name(design.baseline)])[0]
    ax.set_title(f"Scores, and differences to {baseline}", loc="left")


def _draw_chance(ax: Any, chance: float) -> str:
    """Draw what guessing gets, where it is in sight; return what to say of it."""
    low, high = ax.get_xlim()
    if np.isnan(chance):
        return ""
    if low <= chance <= high:
        ax.axvline(chance, color=GRAY, linestyle=":", lw=1.2)
        return f"; dotted: guessing, {format_number(chance)}"
    return f"; guessing gets {format_number(chance)}"


def _difference(row: Metrics) -> str:
    difference = row.difference.estimate
    return row.verdict if np.isnan(difference) else f"{signed(difference)} {row.verdict}"


def _limit(ax: Any, measures: dict[str, Metrics], folds: dict[str, Array]) -> str:
    """Show all that is drawn, or mark where it goes on; return what the marks mean, if any."""
    drawn = {
        name: np.array([row.test_score.low, row.test_score.high, row.test_score.estimate])
        for name, row in measures.items()
    }
    shown = np.concatenate([*drawn.values(), *folds.values()])
    shown = shown[np.isfinite(shown)]
    if not len(shown):
        return ""
    low, high = _reach(shown)
    margin = 0.05 * max(high - low, 1e-12)
    low, high = low - margin, high + margin
    ax.set_xlim(low, high)
    for place, (name, row) in enumerate(measures.items()):
        _mark_cuts(ax, drawn[name], place, style(place)["color"], 7)
        _mark_cuts(ax, folds[name], place + 0.2, GRAY, 4)
        if row.test_score.estimate < low or row.test_score.estimate > high:
            _write_mean(ax, row.test_score.estimate, place)
    is_cut = bool(((shown < low) | (shown > high)).any())
    return "; arrows: more beyond the edge" if is_cut else ""


def _reach(shown: Array) -> tuple[float, float]:
    """Return limits that hold everything, but for what would squash the middle of it."""
    low, high = np.quantile(shown, [0.2, 0.8])
    reach = REACH * (high - low)
    if not reach:
        return float(shown.min()), float(shown.max())
    near = shown[(shown >= low - reach) & (shown <= high + reach)]
    return float(near.min()), float(near.max())


def _mark_cuts(ax: Any, values: Array, height: float, color: str, size: float) -> None:
    """Draw arrow heads at the edges that values are beyond."""
    low, high = ax.get_xlim()
    for edge, marker, beyond in (
        (low, CARET_LEFT, values < low),
        (high, CARET_RIGHT, values > high),
    ):
        if beyond.any():
            ax.scatter(edge, height, s=size**2, c=color, marker=marker, clip_on=False, zorder=3)


def _write_mean(ax: Any, mean: float, place: int) -> None:
    """Write a mean that is beyond an edge there, above its interval."""
    low, _ = ax.get_xlim()
    is_left = mean < low
    ax.annotate(
        f"mean {format_number(mean)}",
        (0.0 if is_left else 1.0, place),
        xytext=(8 if is_left else -8, 3),
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        ha="left" if is_left else "right",
        va="bottom",
        fontsize=SMALL,
    )
