"""The pictures of a comparison, each drawn on one matplotlib Axes."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._compare_fits import Run
from sknorm._compare_statistics import fold_means, seed_spread
from sknorm._compare_text import called, signed

# Okabe and Ito's colours, told apart by the colour-blind, less yellow, which fades on white.
COLOURS = (
    *("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#3FA0DC", "#B8860B", "#6A51A3", "#8C564B", "#6E6E6E"),
)
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
MARKERS = "osD^vP*Xhd<>"
GREY = "#555555"


def style(place: int) -> dict[str, Any]:
    """Return colour, dashes and marker of a normalizer: any one of them tells it apart."""
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
    }


def _name_rows(ax: Any, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    for place in range(0, len(names), 2):
        ax.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", zorder=0, linewidth=0)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#cccccc", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _margin_note(ax: Any, place: int, note: str) -> None:
    ax.text(1.01, place, note, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)


def draw_scores(ax: Any, comparison: Any) -> None:
    """Draw each mean score with its interval, and the score of each fold."""
    setting, measures = comparison.setting_, comparison.measures_
    names = list(measures)
    for place, row in enumerate(measures.values()):
        look = style(place)
        folds = fold_means(comparison._grid(row.normalizer).values(lambda run: run.test_score))
        ax.plot(folds, np.full(len(folds), place + 0.2), "|", color=GREY, markersize=6)
        score = row.test_score
        ax.plot([score.low, score.high], [place, place], "-", color=look["color"], linewidth=2)
        ax.plot(score.estimate, place, look["marker"], color=look["color"], markersize=7)
        difference = row.difference.estimate
        note = row.verdict if np.isnan(difference) else f"{signed(difference)} {row.verdict}"
        _margin_note(ax, place, note)
    ax.axvline(measures[setting.baseline].test_score.estimate, color=GREY, linestyle="--", lw=1)
    _name_rows(ax, names)
    _limit_to_folds(ax, comparison)
    ax.set_xlabel(
        f"{setting.score_name} on rows left out: mean with {100 * setting.confidence:g}% interval; "
        "ticks: folds"
    )
    ax.set_title(f"Scores, and differences to {called(setting.baseline)}", loc="left")


def _limit_to_folds(ax: Any, comparison: Any) -> None:
    """Keep one normalizer with a score far off from squeezing all others together."""
    scores = np.array([run.test_score for run in comparison._runs])
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return
    middle, top = np.median(scores), scores.max()
    reach = max(4 * (top - middle), 1e-12)
    low = max(scores.min(), middle - reach)
    margin = 0.08 * max(top - low, 1e-12)
    ax.set_xlim(low - margin, top + margin)
    for place, row in enumerate(comparison.measures_.values()):
        if row.test_score.estimate < low - margin:
            ax.annotate(
                f"{row.test_score.estimate:.3g}",
                (0.0, place),
                xytext=(14, 0),
                xycoords=ax.get_yaxis_transform(),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                arrowprops={"arrowstyle": "->"},
            )


def draw_sensitivity(ax: Any, comparison: Any) -> None:
    """Draw how much the score varies over initialisations, in each fold and pooled."""
    measures = comparison.measures_
    for place, row in enumerate(measures.values()):
        look = style(place)
        spread = seed_spread(comparison._grid(row.normalizer).values(lambda run: run.test_score))
        ax.plot([0, row.seed_std], [place, place], "-", color=look["color"], linewidth=2)
        ax.plot(row.seed_std, place, look["marker"], color=look["color"], markersize=7)
        ax.plot(spread, np.full(len(spread), place + 0.2), "|", color=GREY, markersize=6)
    _name_rows(ax, list(measures))
    ax.set_xlim(left=0)
    ax.set_xlabel(f"standard deviation of {comparison.setting_.score_name}; ticks: folds")
    ax.set_title("Sensitivity to the initialisation, within a fold", loc="left")
    if comparison.setting_.n_seeds < 2:
        _say(ax, "one initialisation a fold:\nnot measured")


def _say(ax: Any, text: str) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GREY)


def draw_loss(ax: Any, comparison: Any) -> None:
    """Draw the median training loss by epoch, with the middle half of the runs as a band."""
    ends: list[tuple[float, float, str, dict[str, Any]]] = []
    for place, name in enumerate(comparison.measures_):
        curves = _curves(comparison._grid(name).runs.values())
        if curves is None:
            continue
        look = style(place)
        epochs = np.arange(1, curves.shape[1] + 1)
        low, mid, high = np.quantile(curves, [0.25, 0.5, 0.75], axis=0)
        ax.fill_between(epochs, low, high, color=look["color"], alpha=0.12, linewidth=0)
        ax.plot(epochs, mid, markevery=_marks(len(epochs), place), markersize=4, lw=1.5, **look)
        ends.append((float(epochs[-1]), float(mid[-1]), name, look))
    ax.set_title("Training loss: median, and the middle half of the runs", loc="left")
    ax.set_xlabel("epoch")
    if not ends:
        _say(ax, "this model records no loss by epoch")
        return
    ax.set_xscale("log")
    if all(line.get_ydata().min() > 0 for line in ax.lines):
        ax.set_yscale("log")
    ax.grid(color="#dddddd", linewidth=0.6, which="major")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    _label_ends(ax, ends)


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
            fontsize=8.5,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": look["color"], "lw": 0.8, "shrinkB": 0},
        )


def spread_apart(heights: list[float], gap: float) -> list[float]:
    """Return sorted heights moved as little as possible to be a gap apart, within 0 and 1."""
    from sklearn.isotonic import isotonic_regression

    steps = gap * np.arange(len(heights))
    room = max(0.0, 1.0 - steps[-1])
    apart = isotonic_regression(np.clip(np.asarray(heights) - steps, 0.0, room)) + steps
    return [float(height) for height in apart]


def draw_distributions(ax: Any, comparison: Any) -> None:
    """Draw quantiles of a few features, as they come out of each normalizer."""
    found = comparison.distributions_
    names = list(comparison.measures_)
    ax.set_title("What the model sees: features after each normalizer", loc="left")
    if found is None:
        _name_rows(ax, names)
        _say(ax, "the normalizer is inside another step")
        return
    offsets = np.linspace(-0.3, 0.3, len(found.features)) if len(found.features) > 1 else [0.0]
    for place, name in enumerate(names):
        quantiles = found.quantiles.get(name)
        if quantiles is None:
            ax.text(0, place, "failed", ha="center", va="center", color=GREY, fontsize=8.5)
            continue
        colour = style(place)["color"]
        for offset, (q05, q25, q50, q75, q95) in zip(offsets, quantiles, strict=True):
            height = place + offset
            ax.plot([q05, q95], [height, height], color=colour, linewidth=0.8)
            ax.plot([q25, q75], [height, height], color=colour, linewidth=2.6)
            ax.plot(q50, height, "o", color="white", markeredgecolor=colour, markersize=3)
    ax.set_xscale("symlog", linthresh=1)
    _name_rows(ax, names)
    _thin_ticks(ax)
    ax.set_xlabel(
        f"value (log beyond ±1) of {len(found.features)} features, widest on top: 5 to 95%, "
        "25 to 75%, median"
    )


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
