"""Pictures of a measured, each drawn on one matplotlib Axes: sensitivity and distributions."""

from __future__ import annotations

import importlib
import textwrap
from typing import Any

import numpy as np

from sknorm._compare.analysis.intervals import seed_spread
from sknorm._compare.analysis.measured import Measured
from sknorm._compare.plots.style import GRAY, SMALL, annotate, name_rows, short_names, style


def draw_sensitivity(ax: Any, measured: Measured) -> None:
    """Draw how much the score varies over initializations, in each fold and pooled."""
    measures = measured.metrics
    for place, row in enumerate(measures.values()):
        look = style(place)
        spread = seed_spread(measured.grids[row.normalizer].values(lambda run: run.test_score))
        ax.plot([0, row.seed_std], [place, place], "-", color=look["color"], linewidth=2)
        ax.plot(row.seed_std, place, look["marker"], color=look["color"], markersize=7)
        ax.plot(spread, np.full(len(spread), place + 0.2), "|", color=GRAY, markersize=6)
    name_rows(ax, list(measures))
    ax.set_xlim(left=0)
    ax.set_xlabel(f"standard deviation of {measured.design.score_name}; ticks: folds")
    ax.set_title("Sensitivity to the initialization", loc="left")
    if measured.design.n_seeds < 2:
        annotate(ax, "one initialization per fold:\nnot measured")


def draw_distributions(ax: Any, measured: Measured) -> None:
    """Draw quantiles of a few features, as they come out of each normalizer."""
    found = measured.distributions
    names = list(measured.metrics)
    ax.set_title("Features after each normalizer", loc="left")
    if found is None:
        name_rows(ax, names)
        annotate(ax, "the normalizer is inside another step")
        return
    offsets = np.linspace(-0.3, 0.3, len(found.features)) if len(found.features) > 1 else [0.0]
    for place, name in enumerate(names):
        quantiles = found.quantiles.get(name)
        if quantiles is None:
            ax.text(0, place, "failed", ha="center", va="center", color=GRAY, fontsize=SMALL)
            continue
        color = style(place)["color"]
        for offset, (q05, q25, q50, q75, q95) in zip(offsets, quantiles, strict=True):
            height = place + offset
            ax.plot([q05, q95], [height, height], color=color, linewidth=0.8)
            ax.plot([q25, q75], [height, height], color=color, linewidth=2.6)
            ax.plot(q50, height, "o", color="white", markeredgecolor=color, markersize=3)
    ax.set_xscale("symlog", linthresh=1)
    name_rows(ax, names)
    _thin_ticks(ax)
    listed = textwrap.fill(f"from the top: {', '.join(short_names(found.names, 14))}", 60)
    ax.set_xlabel(f"value (log beyond ±1): 5 to 95%, 25 to 75%, median\n{listed}")


def _thin_ticks(ax: Any) -> None:
    """Keep at most nine ticks, 0 among them."""
    ticker = importlib.import_module("matplotlib.ticker")
    low, high = ax.get_xlim()
    ax.xaxis.set_minor_locator(ticker.NullLocator())
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    positive = sorted(tick for tick in ticks if tick >= 1)
    negative = sorted((tick for tick in ticks if tick <= -1), reverse=True)
    step = max(1, (len(positive) + len(negative) + 7) // 8)
    kept = [0.0, *positive[::step], *negative[::step]]
    ax.set_xticks(sorted(kept))
