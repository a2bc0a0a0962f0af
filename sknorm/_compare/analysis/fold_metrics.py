"""What is derived from the runs of one normalizer, by split and initialization."""

from __future__ import annotations

import numpy as np

from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.intervals import (
    Array,
    FoldSeedArray,
    fold_means,
    log_ratio,
    median,
    seed_spread,
)


class FoldMetrics:
    """What is derived from the runs of one normalizer: arrays of shape (n_splits, n_seeds).

    ``scores`` are not lower than the floor: a score of -273 where guessing gets 0 says no more
    than one of -1, and would drown all others in a mean.
    """

    def __init__(self, fits: FoldSeedArray, targets: Array, floor: float, *, trains: bool) -> None:
        self.fits = fits
        self.made = fits.values(lambda run: 1.0) == 1
        self.raw_scores = fits.values(lambda run: run.test_score)
        self.scores = np.maximum(self.raw_scores, floor)
        self.train_scores = np.maximum(fits.values(lambda run: run.train_score), floor)
        self.gaps = self.train_scores - self.scores
        self.seconds = fits.values(lambda run: run.seconds)
        self.epochs = fits.epochs()
        self.stops = fits.stops()
        self.reach = fits.epochs_to(targets) if trains else np.full(fits.shape, np.nan)
        self.reached = np.where(np.isnan(self.reach), np.nan, np.isfinite(self.reach))
        self.instability = fits.values(lambda run: float(run.status != "ok" or not run.converged))

    @property
    def n_floored(self) -> int:
        """Return the number of scores that were raised to the floor."""
        return int((self.raw_scores < self.scores).sum())

    def seconds_to_target(self) -> Array:
        """Return the part of each fit until its target: epochs are taken as equally long."""
        seconds = np.full(self.reach.shape, np.nan)
        known = np.isfinite(self.reach) & np.isfinite(self.epochs) & (self.epochs > 0)
        seconds[known] = self.seconds[known] * self.reach[known] / self.epochs[known]
        seconds[np.isinf(self.reach)] = np.inf
        return seconds


def fold_metrics(fits: dict[str, FoldSeedArray], design: Design) -> dict[str, FoldMetrics]:
    """Return the fold metrics of every normalizer."""
    # A model without epochs has none to miss the target in, even where its fits fail.
    runs = (run for one in fits.values() for run in one.runs.values())
    trains = any(run.n_iter is not None or run.loss_curve for run in runs)
    targets = _targets(fits[design.baseline], design.target_loss)
    return {
        name: FoldMetrics(one, targets, design.floor, trains=trains) for name, one in fits.items()
    }


def _targets(baseline: FoldSeedArray, target_loss: float | None) -> Array:
    """Return the loss to reach in each split and seed: what the baseline ends with there.

    Where the baseline diverged, the median of its other runs stands in.
    """
    if target_loss is not None:
        return np.full(baseline.shape, float(target_loss))
    losses = baseline.final_losses()
    return np.where(np.isnan(losses), median(losses.ravel()), losses)


def differences(one: FoldMetrics, base: FoldMetrics) -> dict[str, Array]:
    """Return the differences per split to another normalizer; of times, the log ratios."""
    with np.errstate(divide="ignore", invalid="ignore"):
        seconds = np.log(one.seconds / base.seconds)
    complete = np.isfinite(one.scores) & np.isfinite(base.scores)
    return {
        "test_score": fold_means(one.scores - base.scores),
        "gap": fold_means(one.gaps - base.gaps),
        "seed_std": seed_spread(one.scores) - seed_spread(base.scores),
        "instability": fold_means(one.instability - base.instability),
        "reached": fold_means(one.reached - base.reached),
        "epochs_ratio": log_ratio(one.reach, one.stops, base.reach, base.stops),
        "seconds_ratio": fold_means(np.where(complete, seconds, np.nan)),
    }
