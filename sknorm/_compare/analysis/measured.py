"""The measurements of a comparison, as words, pictures and pages need them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from sknorm._compare.analysis.distributions import Distributions, feature_distributions
from sknorm._compare.analysis.intervals import FoldSeedArray, corrected_interval, fold_means
from sknorm._compare.analysis.metrics import Design, Metrics, measure
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
    ) -> None:
        self.runs = runs
        self.design = design
        self.pipelines = pipelines
        self.step = step
        self.X = X
        self.y = y

    @cached_property
    def metrics(self) -> dict[str, Metrics]:
        """The metrics of each normalizer."""
        return measure(self.runs, self.design)

    @cached_property
    def grids(self) -> dict[str, FoldSeedArray]:
        """The runs of each normalizer, by fold and seed."""
        return {
            name: FoldSeedArray(
                (run for run in self.runs if run.normalizer == name),
                self.design.n_folds,
                self.design.n_seeds,
            )
            for name in self.design.names
        }

    @cached_property
    def best(self) -> str | None:
        """The normalizer with the highest mean test score, of those that lost the fewest fits."""
        scored = [row for row in self.metrics.values() if row.n_scored]
        if not scored:
            return None
        fewest = min(row.lost for row in scored)
        complete = [row for row in scored if row.lost == fewest]
        return max(complete, key=lambda row: row.test_score.estimate).normalizer

    @cached_property
    def ties(self) -> list[str]:
        """The normalizers whose interval of the difference to the best one includes 0."""
        if self.best is None:
            return []
        scores = {
            name: grid.values(lambda run: run.test_score) for name, grid in self.grids.items()
        }
        best = scores[self.best]
        return [
            name
            for name, values in scores.items()
            if np.isfinite(values).any()
            and not corrected_interval(
                fold_means(values - best), self.design.test_ratio, self.design.confidence
            ).excludes(0)
        ]

    @cached_property
    def distributions(self) -> Distributions | None:
        """Quantiles of some features as they come out of each normalizer fitted on all data.

        Without those that ended a worker process: here they would end this one.
        """
        crashing = {run.normalizer for run in self.runs if run.ended_worker}
        safe = {name: made for name, made in self.pipelines.items() if name not in crashing}
        return feature_distributions(safe, self.step, self.X, self.y)
