"""What the pictures of a page show, in words and numbers: captions, alternatives and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sknorm._compare.analysis.measured import Measured
from sknorm._compare.plots.loss import loss_curves
from sknorm._compare.text.numbers import format_interval, format_number, whole
from sknorm._compare.text.tables import percent

CAPTIONS = {
    "scores": "Score of each normalizer with its interval. The numbers are in the tables below.",
    "loss": "Training loss by epoch, one line per normalizer. Epochs are in the table above.",
    "sensitivity": "Spread of the score over initializations. The numbers are in the table above.",
    "distributions": "Quantiles of some features as they come out of each normalizer.",
}
Table = tuple[str, list[str], list[list[str]]]


def alternative(kind: str, measured: Measured) -> str:
    """Return what a picture shows, for those who cannot see it."""
    return _ALTERNATIVES[kind](measured)


def table_below(kind: str, measured: Measured) -> Table | None:
    """Return caption, header and cells of a picture's numbers that no other table holds."""
    tables: dict[str, Callable[[Measured], Table | None]] = {
        "loss": _losses,
        "distributions": _distributions,
    }
    return tables[kind](measured) if kind in tables else None


def _of_scores(measured: Measured) -> str:
    design = measured.design
    said = [
        f"{row.normalizer} {format_number(row.test_score.estimate)} "
        f"({format_interval(row.test_score)})"
        if row.n_scored
        else f"{row.normalizer} no score"
        for row in measured.metrics.values()
    ]
    return f"Mean {design.score_name} with {percent(design)} interval: {'; '.join(said)}."


def _of_losses(measured: Measured) -> str:
    said = [
        f"{name} {_ends(curves)[1]} after {whole(measured.metrics[name].epochs)} epochs"
        if curves is not None
        else f"{name} none"
        for name, curves in loss_curves(measured).items()
    ]
    return f"Median loss at the end of training, and median number of epochs: {'; '.join(said)}."


def _of_sensitivity(measured: Measured) -> str:
    said = [
        f"{row.normalizer} {format_number(row.seed_std)}"
        if np.isfinite(row.seed_std)
        else f"{row.normalizer} not measured"
        for row in measured.metrics.values()
    ]
    score = measured.design.score_name
    return f"Standard deviation of {score} over initializations: {'; '.join(said)}."


def _of_distributions(measured: Measured) -> str:
    found = measured.distributions
    if found is None:
        return "Nothing to show: the normalizer is inside another step."
    said = [
        f"{name} {_short(np.min(quantiles[:, 0]))} to {_short(np.max(quantiles[:, -1]))}"
        if quantiles is not None
        else f"{name} failed"
        for name, quantiles in found.quantiles.items()
    ]
    return (
        f"Widest reach of the 5 to 95% ranges of {len(found.features)} features after each "
        f"normalizer: {'; '.join(said)}."
    )


_ALTERNATIVES: dict[str, Callable[[Measured], str]] = {
    "scores": _of_scores,
    "loss": _of_losses,
    "sensitivity": _of_sensitivity,
    "distributions": _of_distributions,
}


def _short(value: float) -> str:
    """Return three digits that count: losses and features are of any size."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _ends(curves: Any) -> list[str]:
    """Return the quartiles of the losses at the end."""
    return [_short(value) for value in np.quantile(curves[:, -1], [0.25, 0.5, 0.75])]


def _losses(measured: Measured) -> Table:
    rows = []
    for name, curves in loss_curves(measured).items():
        low, mid, high = ("-", "-", "-") if curves is None else _ends(curves)
        n_fits = 0 if curves is None else len(curves)
        rows.append([name, mid, f"{low} to {high}", str(n_fits)])
    header = ["normalizer", "median final loss", "interquartile range", "fits"]
    return "Training loss at the end of each complete fit", header, rows


def _distributions(measured: Measured) -> Table | None:
    found = measured.distributions
    if found is None:
        return None
    header = ["normalizer", *found.names]
    rows = [
        [name, *(["failed"] * len(found.features) if quantiles is None else map(_range, quantiles))]
        for name, quantiles in found.quantiles.items()
    ]
    caption = "Median (5 to 95%) of each shown feature after each normalizer"
    return caption, header, rows


def _range(quantiles: Any) -> str:
    low, _, mid, _, high = map(_short, quantiles)
    return f"{mid} ({low} to {high})"
