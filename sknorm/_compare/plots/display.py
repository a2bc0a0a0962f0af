"""The display of a comparison, in scikit-learn's convention."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from sknorm._compare.plots.kinds import PANELS, shown_kinds
from sknorm._compare.plots.style import picture_height
from sknorm._compare.result import NormalizerComparison
from sknorm._compare.run import compare_normalizers
from sknorm._compare.typed import Kind


class NormalizerComparisonDisplay:
    """Pictures of a comparison of normalizers.

    Make one with :meth:`from_estimator`, or with the ``plot`` method of a
    :class:`NormalizerComparison`. Normalizers differ in color, dashes and marker, each of which
    tells them apart.

    Parameters
    ----------
    comparison : NormalizerComparison
        What to draw.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The Axes of a single picture, or the first of four.
    axes_ : ndarray of matplotlib Axes
        All Axes drawn on.
    figure_ : matplotlib Figure
        The figure they are in.

    See Also
    --------
    compare_normalizers : Makes a comparison.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sknorm import NormalizerComparisonDisplay
    >>> display = NormalizerComparisonDisplay.from_estimator(
    ...     SGDClassifier(), *load_wine(return_X_y=True), n_seeds=2, random_state=0,
    ...     normalizers=["none", "BatchStatScaler"], kind="scores",
    ... )
    >>> plt.close(display.figure_)
    """

    def __init__(self, comparison: NormalizerComparison) -> None:
        self.comparison = comparison

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, kind: Kind = "all", ax: Any = None, **options: Any
    ) -> NormalizerComparisonDisplay:
        """Compare normalizers for an estimator, and draw the result.

        Parameters
        ----------
        estimator : classifier or regressor
            The model, or a Pipeline that ends in it.
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
                (n_samples, n_channels, *positions)
            The data, in raw units.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        kind : {"all", "scores", "loss", "sensitivity", "distributions"}, default="all"
            What to draw.
        ax : matplotlib Axes or array of 4 of them, default=None
            Where to draw; None makes a new figure. Four pictures take the place of a single one.
        **options : dict
            What else :func:`compare_normalizers` is to be given.

        Returns
        -------
        display : NormalizerComparisonDisplay
            The display, with the comparison in its attribute ``comparison``.
        """
        _pyplot()
        _check_kind(kind)
        if ax is not None:
            _check_ax(ax, _n_pictures(kind))
        return cls(compare_normalizers(estimator, X, y, **options)).plot(kind=kind, ax=ax)

    def plot(self, *, kind: Kind = "all", ax: Any = None) -> NormalizerComparisonDisplay:
        """Draw the comparison.

        Parameters
        ----------
        kind : {"all", "scores", "loss", "sensitivity", "distributions"}, default="all"
            What to draw: scores with intervals, the training loss by epoch with bands, the spread
            over initializations, the features after each normalizer, or all of these that there is
            something for.
        ax : matplotlib Axes or array of 4 of them, default=None
            Where to draw; None makes a new figure. Four pictures take the place of a single one. A
            figure that has no layout engine gets the constrained one.

        Returns
        -------
        display : NormalizerComparisonDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            If ``kind`` is none of those, or ``ax`` does not fit it.
        """
        _check_kind(kind)
        measured = self.comparison._measured
        kinds = shown_kinds(measured) if kind == "all" else [kind]
        if ax is not None:
            ax = _check_ax(ax, _n_pictures(kind))
            # Whoever gives four Axes is told in one of them why it is empty.
            kinds = list(PANELS) if len(ax) == len(PANELS) else kinds
        axes = _make_axes(len(kinds), len(measured.design.names), ax)
        for name, one in zip(kinds, axes, strict=True):
            PANELS[name](one, measured)
        figure = axes[0].figure
        if figure.get_layout_engine() is None:
            # What is written beside the Axes needs room that nothing else would leave.
            figure.set_layout_engine("constrained")
        self.axes_ = axes
        self.ax_ = axes[0]
        self.figure_ = axes[0].figure
        return self


def _pyplot() -> Any:
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install matplotlib.") from error


def _check_kind(kind: Any) -> None:
    if kind != "all" and kind not in PANELS:
        raise ValueError(f"kind must be 'all' or one of {', '.join(PANELS)}; got {kind!r}.")


def _n_pictures(kind: str) -> int:
    return len(PANELS) if kind == "all" else 1


def _check_ax(ax: Any, n_axes: int) -> Any:
    """Return the Axes as a flat array, if there are as many as pictures, or one in a grid."""
    axes = np.ravel(np.asarray(ax, dtype=object))
    if not all(isinstance(one, importlib.import_module("matplotlib.axes").Axes) for one in axes):
        raise TypeError(f"ax must be matplotlib Axes, one or an array of them; got {ax!r}.")
    if len(axes) not in (1, n_axes):
        raise ValueError(f"ax must hold 1 or {n_axes} Axes for this kind; got {len(axes)}.")
    if len(axes) < n_axes and axes[0].get_subplotspec() is None:
        raise ValueError(
            f"ax must hold {n_axes} Axes for this kind, or be one of a grid (as from "
            "plt.subplots), whose place they take."
        )
    return axes


def _make_axes(n_axes: int, n_names: int, ax: Any) -> Any:
    """Return as many Axes as pictures: those given, or new ones in the place of one or a figure."""
    if ax is not None and len(ax) == n_axes:
        return ax
    if ax is None:
        height = picture_height(n_names)
        rows, columns = _shape(n_axes)
        size = (15.5 if columns > 1 else 7.5, rows * height)
        figure = _pyplot().figure(figsize=size, layout="constrained")
        grid = figure.add_gridspec(*_shape(n_axes))
    else:
        ax[0].set_axis_off()
        figure = ax[0].figure
        grid = ax[0].get_subplotspec().subgridspec(*_shape(n_axes))
    return np.array([figure.add_subplot(cell) for cell in _cells(grid, n_axes)], dtype=object)


def _shape(n_axes: int) -> tuple[int, int]:
    return (2, 2) if n_axes > 2 else (1, n_axes)


def _cells(grid: Any, n_axes: int) -> list[Any]:
    """Return a cell of the grid for each picture; the last of three takes a row."""
    return [grid[0, 0], grid[0, 1], grid[1, :]] if n_axes == 3 else list(grid)
