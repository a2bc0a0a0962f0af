"""The picture of the training loss by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._compare.analysis.measured import Measured
from sknorm._compare.fitting.task import Run
from sknorm._compare.plots.style import SMALL, annotate_empty, short_names, style

# From the end of a line to the middle of its name's left edge, so that it crosses no other name.
LEADER = {"arrowstyle": "-", "lw": 0.8, "alpha": 0.7, "shrinkB": 0, "relpos": (0, 0.5)}


def draw_loss(ax: Any, measured: Measured) -> None:
    """Draw the median training loss by epoch, with their interquartile range as a band."""
    ends: list[tuple[float, float, str, dict[str, Any]]] = []
    names = list(measured.metrics)
    found = loss_curves(measured)
    for place, (name, label) in enumerate(zip(names, short_names(names), strict=True)):
        curves = found[name]
        if curves is None:
            continue
        look = style(place)
        epochs = np.arange(1, curves.shape[1] + 1)
        low, mid, high = np.quantile(curves, [0.25, 0.5, 0.75], axis=0)
        ax.fill_between(epochs, low, high, color=look["color"], alpha=0.12, linewidth=0)
        ax.plot(epochs, mid, markevery=_marks(len(epochs), place), markersize=4, lw=1.5, **look)
        ends.append((float(epochs[-1]), float(mid[-1]), label, look))
    ax.set_title("Training loss: median and quartiles", loc="left")
    if not ends:
        annotate_empty(ax, _why_empty(measured))
        return
    ax.set_xlabel("epoch")
    ax.set_xscale("log")
    if all(line.get_ydata().min() > 0 for line in ax.lines):
        ax.set_yscale("log")
    ax.grid(color="#dddddd", linewidth=0.6, which="major")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    _label_ends(ax, ends)


def has_losses(measured: Measured) -> bool:
    """Tell whether there is any loss curve to draw."""
    return any(_has_curve(run) for run in measured.runs)


def loss_curves(measured: Measured) -> dict[str, NDArray[np.float64] | None]:
    """Return the loss by epoch of each normalizer's complete fits, of shape (n_fits, n_epochs)."""
    return {name: _curves(measured.grids[name].runs.values()) for name in measured.metrics}


def _why_empty(measured: Measured) -> str:
    if any(run.status == "ok" for run in measured.runs):
        return "this model records no loss by epoch"
    return "all fits were lost: no loss to show"


def _curves(runs: Any) -> NDArray[np.float64] | None:
    """Return the loss curves of complete runs, each held at its end until the longest one's."""
    curves = [run.loss_curve for run in runs if _has_curve(run)]
    if not curves:
        return None
    longest = max(map(len, curves))
    return np.array([[*curve, *[curve[-1]] * (longest - len(curve))] for curve in curves])


def _has_curve(run: Run) -> bool:
    return bool(run.loss_curve) and run.status == "ok"


def _marks(n_epochs: int, place: int) -> list[int]:
    """Return where to put markers: evenly on a log axis, shifted from line to line."""
    steps = np.logspace(0, np.log10(max(n_epochs, 2)), 7) * (1 + 0.06 * place)
    return sorted({int(step) - 1 for step in steps if step <= n_epochs})


def _label_ends(ax: Any, ends: list[tuple[float, float, str, dict[str, Any]]]) -> None:
    """Write each name right of its line's end, moved up or down where two would overlap."""
    to_axes = ax.transLimits if ax.get_yscale() == "linear" else ax.transScale + ax.transLimits
    placed = sorted((to_axes.transform((x, y))[1], x, y, name, look) for x, y, name, look in ends)
    heights = spread_apart([entry[0] for entry in placed], gap=0.062)
    for height, (_, x, y, name, look) in zip(heights, placed, strict=True):
        ax.annotate(
            name,
            (x, y),
            xytext=(1.04, height),
            textcoords="axes fraction",
            va="center",
            fontsize=SMALL,
            annotation_clip=False,
            arrowprops={"color": look["color"], **LEADER},
        )


def spread_apart(heights: list[float], gap: float) -> list[float]:
    """Return sorted heights moved as little as possible to be a gap apart, within 0 and 1."""
    from sklearn.isotonic import isotonic_regression

    steps = gap * np.arange(len(heights))
    room = max(0.0, 1.0 - steps[-1])
    apart = isotonic_regression(np.clip(np.asarray(heights) - steps, 0.0, room)) + steps
    return [float(height) for height in apart]
