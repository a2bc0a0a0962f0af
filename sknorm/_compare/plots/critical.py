"""The picture of several comparisons: mean ranks, with those that cannot be told apart."""

from __future__ import annotations

import importlib
from typing import Any

from sknorm._compare.plots.style import GRAY, SMALL, short_names


def draw_ranks(combined: Any, ax: Any) -> Any:
    """Draw the mean ranks from the best on, and a bar over each group within the difference."""
    ranked = sorted(combined.mean_ranks_.items(), key=lambda item: item[1])
    names = [name for name, _ in ranked]
    groups = [group for group in combined.groups() if len(group) > 1]
    if ax is None:
        pyplot = importlib.import_module("matplotlib.pyplot")
        height = 1.3 + 0.3 * len(names)
        ax = pyplot.figure(figsize=(7.5, height), layout="constrained").add_subplot()
    for place, (_, rank) in enumerate(ranked):
        ax.plot([1, rank], [place, place], color="#cccccc", linewidth=0.8, zorder=0)
        ax.plot(rank, place, "o", color="#0072B2", markersize=6)
        ax.annotate(f"{rank:.2f}", (rank, place), xytext=(7, 0), textcoords="offset points",
                    va="center", fontsize=SMALL)  # fmt: skip
    for number, group in enumerate(groups):
        first, last = names.index(group[0]), names.index(group[-1])
        x = combined.mean_ranks_[group[-1]] + 0.55 + 0.18 * number
        ax.plot([x, x], [first - 0.25, last + 0.25], color=GRAY, linewidth=3)
    ax.set_yticks(range(len(names)), short_names(names))
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0.9, len(names) + 0.9)
    ax.set_xlabel(
        f"mean rank over {len(combined.data)} data sets, 1 is best; bars join ranks that differ by "
        f"less than\nthe critical difference, {combined.critical_difference_:.2f}"
    )
    ax.set_title("Which normalizer ranks where", loc="left")
    ax.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    return ax
