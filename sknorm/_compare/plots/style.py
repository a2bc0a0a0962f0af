"""What the pictures of a comparison share: colors, dashes, markers, and rows with names."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

NAME_LENGTH = 24
# Okabe and Ito's colors, told apart by the color-blind, less yellow, which fades on white.
COLORS = (
    *("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#3FA0DC", "#B8860B", "#6A51A3", "#8C564B", "#6E6E6E"),
)
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
MARKERS = "osD^vP*Xhd<>"
GRAY = "#555555"
SMALL = "small"


def style(place: int) -> dict[str, Any]:
    """Return color, dashes and marker of a normalizer: any one of them tells it apart."""
    return {
        "color": COLORS[place % len(COLORS)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
    }


def short_names(names: Iterable[str], length: int = NAME_LENGTH) -> list[str]:
    """Return names that are short and still differ: of long ones, the beginning and the end."""
    names = list(names)
    tried = ([_shorten(name, n) for name in names] for n in itertools.count(length))
    return next(short for short in tried if len(set(short)) == len(set(names)))


def _shorten(name: str, length: int) -> str:
    if len(name) <= length:
        return name
    end = (length - 1) // 2
    return f"{name[: length - 1 - end]}…{name[-end:]}"


def picture_height(n_names: int) -> float:
    """Return the height in inches of a picture with a row for each name."""
    return max(3.6, 1.4 + 0.34 * n_names)


def name_rows(ax: Any, names: list[str]) -> None:
    """Give each name a row, from the top, of which every other one is shaded."""
    ax.set_yticks(range(len(names)), short_names(names))
    ax.set_ylim(len(names) - 0.4, -0.6)
    for place in range(0, len(names), 2):
        ax.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", zorder=0, linewidth=0)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#cccccc", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def margin_note(ax: Any, place: int, note: str) -> None:
    """Write right of a row."""
    ax.text(1.01, place, note, transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL)


def annotate(ax: Any, text: str) -> None:
    """Write in the middle of an empty picture."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GRAY)


def annotate_empty(ax: Any, text: str) -> None:
    """Write in place of a picture that there is nothing for: without ticks and axes."""
    annotate(ax, text)
    ax.set_axis_off()
