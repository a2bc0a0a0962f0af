"""The picture of a drift report: shifts and ratios of spreads, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

NO_DRIFT, DRIFT = "#6E6E6E", "#D55E00"
NAME_LENGTH = 24
# What verdicts say of each picture.
WORDS = {"shift": ("shifted",), "spread": ("wider", "narrower")}


def draw(
    table: dict[str, Any], threshold: float, labels: list[str], ax: Any, max_features: int
) -> Any:
    """Draw the rows that drifted and those with the largest shifts."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plot needs matplotlib: pip install 'sknorm[plot]'. The table is there without it."
        ) from error
    rows = _chosen(table, max_features)
    if ax is None:
        height = max(2.4, 1.2 + 0.3 * len(rows))
        _, ax = plt.subplots(1, 2, sharey=True, figsize=(8.0, height), layout="constrained")
    left, right = ax
    _draw_intervals(left, table, rows, "shift", (-threshold, threshold), 0.0)
    left.set_xlabel("shift of the mean\n(training standard deviations)")
    band = np.exp(-threshold), np.exp(threshold)
    _draw_intervals(right, table, rows, "spread", band, 1.0)
    right.set_xscale("log")
    right.set_xlabel("ratio of standard deviations")
    right.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    right.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if _is_round(value) else "")
    left.set_yticks(range(len(rows)), [_shorten(labels[k]) for k in rows])
    left.set_ylim(len(rows) - 0.4, -0.6)
    return left.figure


def _chosen(table: dict[str, Any], most: int) -> list[int]:
    """Return the rows to draw, in the order of the table."""
    verdicts = np.asarray(table["verdict"], dtype=object)
    calm = np.isin(verdicts.astype(str), ["no drift shown", "too few values"])
    size = np.nan_to_num(np.abs(np.asarray(table["shift"], dtype=float)), posinf=1e300)
    order = np.lexsort((-size, calm))
    return sorted(int(k) for k in order[: max(1, most)])


def _draw_intervals(
    ax: Any,
    table: dict[str, Any],
    rows: list[int],
    name: str,
    band: tuple[float, float],
    middle: float,
) -> None:
    values = np.asarray(table["shift" if name == "shift" else "spread_ratio"], dtype=float)
    low, high = np.asarray(table[f"{name}_low"]), np.asarray(table[f"{name}_high"])
    ax.axvspan(*band, color="#888888", alpha=0.15, linewidth=0)
    ax.axvline(middle, color="#888888", linewidth=0.8)
    for place, k in enumerate(rows):
        is_calm = not any(word in str(table["verdict"][k]) for word in WORDS[name])
        color = NO_DRIFT if is_calm else DRIFT
        if np.isfinite(low[k]) and np.isfinite(high[k]):
            ax.plot([low[k], high[k]], [place, place], color=color, linewidth=1.6)
        if np.isfinite(values[k]):
            ax.plot(values[k], place, marker="o" if is_calm else "D", color=color, markersize=4.5)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#888888", alpha=0.3, linewidth=0.6)


def _is_round(value: float) -> bool:
    return f"{value:.0e}"[0] in "25"


def _shorten(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
