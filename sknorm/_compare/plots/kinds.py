"""The kinds of pictures that there are of a comparison."""

from __future__ import annotations

from sknorm._compare.analysis.measured import Measured
from sknorm._compare.plots.loss import draw_loss, has_losses
from sknorm._compare.plots.panels import draw_distributions, draw_sensitivity
from sknorm._compare.plots.scores import draw_scores

PANELS = {
    "scores": draw_scores,
    "loss": draw_loss,
    "sensitivity": draw_sensitivity,
    "distributions": draw_distributions,
}


def shown_kinds(measured: Measured) -> list[str]:
    """Return the kinds of pictures that there is something for."""
    return [kind for kind in PANELS if kind != "loss" or has_losses(measured)]
