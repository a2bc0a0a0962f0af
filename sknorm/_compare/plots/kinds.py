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
    there_is = {
        "loss": has_losses(measured),
        "sensitivity": measured.design.n_seeds > 1,
        "distributions": measured.distributions is not None,
    }
    return [kind for kind in PANELS if there_is.get(kind, True)]
