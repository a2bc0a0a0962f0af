"""Room for what a picture writes beside its Axes, in a figure that nothing else lays out.

Private to matplotlib, for want of anything public: ``_left_title``, the text of a title that is at
the left, and ``_subplot_spec``, the cell that a grid within a grid is in.
"""

from __future__ import annotations

import importlib
import itertools
import textwrap
from typing import Any

# Between what is written and the edge of the place, in points.
PAD = 3.0
# Sizes of letters that are tried, as shares of the usual one, until a picture is not crowded.
SIZES = (1.0, 0.85, 0.7, 0.6, 0.5)
# The least share of the place's width that what is drawn is to have.
LEAST_WIDTH = 0.4


def make_room(axes: Any) -> None:
    """Keep all that is written within each Axes' place: it shrinks, titles go over two lines.

    Where the figure has a layout engine, the engine has placed the Axes, and only what it leaves
    out of account is broken into lines: the widths of titles and labels.
    """
    is_laid_out = _is_laid_out(axes[0].figure)
    if is_laid_out:
        axes[0].figure.get_layout_engine().execute(axes[0].figure.canvas.figure)
    for ax in axes:
        if is_laid_out:
            _break_lines(ax, _place(ax))
        elif isinstance(ax.get_axes_locator(), (Shrunk, type(None))):
            _shrink_to(ax, _place(ax))


def _is_laid_out(figure: Any) -> bool:
    engine = figure.get_layout_engine()
    engines = importlib.import_module("matplotlib.layout_engine")
    return engine is not None and not isinstance(engine, engines.PlaceHolderLayoutEngine)


class Shrunk:
    """Where to draw an Axes, as long as nobody gives it another position or a layout.

    The Axes keeps the position it was given, from which matplotlib's layouts reckon.
    """

    def __init__(self, spec: Any, given: Any, position: Any) -> None:
        self.spec = spec
        self.given = given
        self.position = position

    def get_subplotspec(self) -> Any:
        """Return the place in a grid: tight_layout asks the locator for it, not the Axes."""
        return self.spec

    def __call__(self, ax: Any, renderer: Any) -> Any:
        """Return the position to draw at."""
        given = ax.get_position(original=True)
        is_kept = not _is_laid_out(ax.figure) and given.bounds == self.given.bounds
        return self.position if is_kept else given


def _shrink_to(ax: Any, place: Any) -> None:
    """Draw the Axes so small that all that is written is within its place."""
    ax.set_axes_locator(None)
    given, in_layout = ax.get_position(original=True).frozen(), ax.get_in_layout()
    ax.set_position(given)
    _fit(ax, place)
    position = ax.get_position().frozen()
    ax.set_position(given, which="original")
    # Axes whose position is set leave the layout.
    ax.set_in_layout(in_layout)
    ax.set_axes_locator(Shrunk(ax.get_subplotspec(), given, position))


def _place(ax: Any) -> Any:
    """Return the part of the figure that an Axes may use, as fractions of the figure."""
    place = _cell(ax.get_subplotspec(), ax.figure)
    pad = PAD / 72 * ax.figure.dpi
    return place.transformed(ax.figure.transSubfigure).padded(-pad)


def _cell(spec: Any, figure: Any) -> Any:
    """Return the cell of a grid with the half of each gap around it; the figure without a grid."""
    boxes = importlib.import_module("matplotlib.transforms").Bbox
    if spec is None:
        return boxes.unit()
    grid = spec.get_gridspec()
    outer = _cell(getattr(grid, "_subplot_spec", None), figure)
    bottoms, tops, lefts, rights = grid.get_grid_positions(figure)
    columns = [outer.x0, *((rights[:-1] + lefts[1:]) / 2), outer.x1]
    rows = [outer.y1, *((bottoms[:-1] + tops[1:]) / 2), outer.y0]
    across, down = spec.colspan, spec.rowspan
    return boxes.from_extents(
        columns[across.start], rows[down.stop], columns[across.stop], rows[down.start]
    )


def _fit(ax: Any, place: Any) -> None:
    """Shrink the Axes, and the letters as far as that leaves little of it or they overlap."""
    given = ax.get_position()
    for before, size in zip((1.0, *SIZES), SIZES, strict=False):
        _scale_letters(ax, size / before)
        ax.set_position(given)
        _shrink(ax, place)
        _break_lines(ax, place)
        _shrink(ax, place)
        if not _is_crowded(ax, place):
            return


def _shrink(ax: Any, place: Any) -> None:
    """Move each side of the Axes inwards by what is written beyond the place there."""
    boxes = importlib.import_module("matplotlib.transforms").Bbox
    # What is written at a fraction of the width moves with it, so that once is not enough.
    for _ in range(3):
        box, inner = ax.get_tightbbox(for_layout_only=True), ax.get_window_extent()
        left, right = _inwards(place.x0 - box.x0, box.x1 - place.x1, inner.width)
        below, above = _inwards(place.y0 - box.y0, box.y1 - place.y1, inner.height)
        shrunk = boxes.from_extents(
            inner.x0 + left, inner.y0 + below, inner.x1 - right, inner.y1 - above
        )
        ax.set_position(shrunk.transformed(ax.figure.transSubfigure.inverted()))


def _inwards(low: float, high: float, length: float) -> tuple[float, float]:
    """Return how far two sides are moved, so that a tenth of the length between them is left."""
    low, high = max(0.0, low), max(0.0, high)
    share = min(1.0, 0.9 * length / max(low + high, 1e-9))
    return low * share, high * share


def _break_lines(ax: Any, place: Any) -> None:
    """Break the title and the label below into lines that end within the place."""
    inner = ax.get_window_extent()
    middle = (inner.x0 + inner.x1) / 2
    _wrap(ax._left_title, place.x1 - inner.x0)
    _wrap(ax.xaxis.label, 2 * min(middle - place.x0, place.x1 - middle))


def _wrap(text: Any, width: float) -> None:
    words = " ".join(text.get_text().split())
    text.set_text(words)
    for length in range(len(words), 8, -1):
        if text.get_window_extent().width <= width:
            return
        text.set_text("\n".join(textwrap.wrap(words, length, break_long_words=False)))


def _scale_letters(ax: Any, factor: float) -> None:
    if factor == 1:
        return
    for axis in (ax.xaxis, ax.yaxis):
        for label in axis.get_ticklabels()[:1]:
            axis.set_tick_params(which="both", labelsize=label.get_fontsize() * factor)
    for text in (ax._left_title, ax.xaxis.label, *ax.texts):
        text.set_fontsize(text.get_fontsize() * factor)


def _is_crowded(ax: Any, place: Any) -> bool:
    """Tell whether little is left for what is drawn, or what is written overlaps."""
    if ax.get_window_extent().width < LEAST_WIDTH * place.width:
        return True
    extent = importlib.import_module("matplotlib.text").Text.get_window_extent
    labels = [*ax.get_yticklabels(), *ax.texts]
    return any(
        one.overlaps(other)
        for group in (labels, ax.get_xticklabels())
        for one, other in itertools.combinations(
            [extent(text) for text in group if text.get_text()], 2
        )
    )
