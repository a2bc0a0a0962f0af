"""The measurements of a comparison, as words, pictures and pages need them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.distributions import Distributions, feature_distributions
from sknorm._compare.analysis.fold_metrics import FoldMetrics, fold_metrics
from sknorm._compare.analysis.intervals import FoldSeedArray
from sknorm._compare.analysis.metrics import Metrics, by_fold_and_seed, measure_values
from sknorm._compare.analysis.standing import Standing, stand
from sknorm._compare.fitting.task import Run


class Measured:
    """The runs of a comparison and what follows from them, each computed when first used."""

    def __init__(
        self,
        runs: list[Run],
        design: Design,
        pipelines: dict[str, Any],
        step: str,
        X: Any,
        y: Any,
        weights: Any = None,
    ) -> None:
        self.runs = runs
        self.design = design
        self.pipelines = pipelines
        self.step = step
        self.X = X
        self.y = y
        self.weights = weights

    @cached_property
    def metrics(self) -> dict[str, Metrics]:
        """The metrics of each normalizer."""
        return measure_values(self.scores, self.design)

    @cached_property
    def grids(self) -> dict[str, FoldSeedArray]:
        """The runs of each normalizer, by split and seed."""
        return by_fold_and_seed(self.runs, self.design)

    @cached_property
    def scores(self) -> dict[str, FoldMetrics]:
        """The fold metrics of each normalizer."""
        return fold_metrics(self.grids, self.design)

    @cached_property
    def standing(self) -> Standing:
        """Which normalizer is best, what cannot be told from it, and which one to use."""
        return stand(self.metrics, self.scores, self.design)

    @property
    def best(self) -> str | None:
        """The normalizer with the highest mean test score, of those that lost the fewest fits."""
        return self.standing.best

    @cached_property
    def distributions(self) -> Distributions | None:
        """Quantiles of some features as they come out of each normalizer fitted on all data.

        Without those that ended a worker process: here they would end this one.
        """
        crashing = {run.normalizer for run in self.runs if run.ended_worker}
        safe = {name: made for name, made in self.pipelines.items() if name not in crashing}
        return feature_distributions(safe, self.step, self.X, self.y)
