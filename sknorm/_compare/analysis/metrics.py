"""The four promises of normalization, measured: one row of numbers for each normalizer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from sknorm._compare.analysis.intervals import (
    Array,
    FoldSeedArray,
    Interval,
    corrected_interval,
    fold_means,
    log_ratio,
    mean,
    median,
    pooled,
    seed_spread,
    standard_deviation,
    win_interval,
)
from sknorm._compare.fitting.task import Run


@dataclass(frozen=True, slots=True)
class Design:
    """What was compared, and how."""

    names: tuple[str, ...]
    baseline: str
    model: str
    score_name: str
    n_rows: int
    n_columns: int
    n_folds: int
    n_seeds: int
    test_ratio: float
    confidence: float = 0.95
    target_loss: float | None = None
    stopped: str | None = None
    has_losses: bool = True

    @property
    def unit(self) -> str:
        """Return what training is counted in: epochs where there is a loss for each of them."""
        return "epochs" if self.has_losses else "iterations"

    @property
    def n_planned(self) -> int:
        """Return the number of fits of a comparison that is not stopped."""
        return len(self.names) * self.n_folds * self.n_seeds


@dataclass(frozen=True, slots=True)
class Metrics:
    """What was measured of one normalizer, over its folds and seeds.

    ``differences`` are to the baseline, each with its interval: of ``test_score``, ``gap``,
    ``seed_std``, ``instability`` and ``reached``; ``epochs_ratio`` is a ratio to the baseline's,
    and ``wins`` the share of paired fits that scored higher than the baseline's.
    """

    normalizer: str
    test_score: Interval
    differences: dict[str, Interval]
    verdict: str
    test_std: float
    train_score: float
    gap: float
    seed_std: float
    epochs: float
    epochs_to_target: float
    reached: float
    speed: str
    seconds: float
    seconds_to_target: float
    diverged: float
    failed: float
    unconverged: float
    warnings: dict[str, int]
    error: str | None
    n_fits: int
    n_scored: int

    @property
    def difference(self) -> Interval:
        """Return the difference of the test score to the baseline's."""
        return self.differences["test_score"]

    @property
    def lost(self) -> float:
        """Return the share of fits that gave no score."""
        return 1 - self.n_scored / self.n_fits if self.n_fits else np.nan


class FoldMetrics:
    """What is derived from the runs of one normalizer: arrays of shape (n_folds, n_seeds)."""

    def __init__(self, fits: FoldSeedArray, targets: Array, *, trains: bool) -> None:
        self.fits = fits
        self.made = fits.values(lambda run: 1.0) == 1
        self.scores = fits.values(lambda run: run.test_score)
        self.train_scores = fits.values(lambda run: run.train_score)
        self.gaps = self.train_scores - self.scores
        self.seconds = fits.values(lambda run: run.seconds)
        self.epochs = fits.epochs()
        self.stops = fits.stops()
        self.reach = fits.epochs_to(targets) if trains else np.full(fits.shape, np.nan)
        self.reached = np.where(np.isnan(self.reach), np.nan, np.isfinite(self.reach))
        self.instability = fits.values(lambda run: float(run.status != "ok" or not run.converged))


def measure(runs: list[Run], design: Design) -> dict[str, Metrics]:
    """Return the measures of every normalizer, in the order they were given."""
    fits_by_name = {
        name: FoldSeedArray(
            (run for run in runs if run.normalizer == name), design.n_folds, design.n_seeds
        )
        for name in design.names
    }
    targets = _targets(fits_by_name[design.baseline], design.target_loss)
    # A model without epochs has none to miss the target in, even where its fits fail.
    trains = any(run.n_iter is not None or run.loss_curve for run in runs)
    values = {
        name: FoldMetrics(fits, targets, trains=trains) for name, fits in fits_by_name.items()
    }
    base = values[design.baseline]
    return {
        name: _measure_one(name, one, _differences(one, base, design), base, design)
        for name, one in values.items()
    }


def _targets(baseline: FoldSeedArray, target_loss: float | None) -> Array:
    """Return the loss to reach in each fold and seed: what the baseline ends with there.

    Where the baseline diverged, the median of its other runs stands in.
    """
    if target_loss is not None:
        return np.full(baseline.shape, float(target_loss))
    losses = baseline.final_losses()
    return np.where(np.isnan(losses), median(losses.ravel()), losses)


def _differences(one: FoldMetrics, base: FoldMetrics, design: Design) -> dict[str, Interval]:
    """Return the intervals of all differences to the baseline; it has none to itself."""
    per_fold = {
        "test_score": fold_means(one.scores - base.scores),
        "gap": fold_means(one.gaps - base.gaps),
        "seed_std": seed_spread(one.scores) - seed_spread(base.scores),
        "instability": fold_means(one.instability - base.instability),
        "reached": fold_means(one.reached - base.reached),
        "epochs_ratio": log_ratio(one.reach, one.stops, base.reach, base.stops),
    }
    if one is base:
        return dict.fromkeys([*per_fold, "wins"], Interval(np.nan, np.nan, np.nan))
    intervals = {name: _interval(values, design) for name, values in per_fold.items()}
    logs = intervals["epochs_ratio"]
    bounds = (float(np.exp(value)) for value in (logs.estimate, logs.low, logs.high))
    wins = win_interval(one.scores, base.scores, design.test_ratio, design.confidence)
    return intervals | {"epochs_ratio": Interval(*bounds), "wins": wins}


def _measure_one(
    name: str, one: FoldMetrics, differences: dict[str, Interval], base: FoldMetrics, design: Design
) -> Metrics:
    fits, is_baseline = one.fits, name == design.baseline
    return Metrics(
        normalizer=name,
        test_score=_interval(fold_means(one.scores), design),
        differences=differences,
        verdict="baseline" if is_baseline else _verdict(differences, one, base),
        test_std=standard_deviation(one.scores),
        train_score=mean(one.train_scores),
        gap=mean(one.gaps),
        seed_std=pooled(seed_spread(one.scores)),
        epochs=median(one.epochs.ravel()),
        epochs_to_target=median(one.reach.ravel()),
        reached=mean(one.reached),
        speed="baseline" if is_baseline else _speed(differences, one, base),
        seconds=median(one.seconds.ravel()),
        seconds_to_target=median(_seconds_to_target(one).ravel()),
        diverged=fits.share(lambda run: run.status == "diverged"),
        failed=fits.share(lambda run: run.status == "failed"),
        unconverged=fits.share(lambda run: run.status == "ok" and not run.converged),
        warnings=_count_warnings(fits),
        error=next((run.error for run in fits.runs.values() if run.error), None),
        n_fits=len(fits.runs),
        n_scored=int(np.isfinite(one.scores).sum()),
    )


def _interval(per_fold: Array, design: Design) -> Interval:
    return corrected_interval(per_fold, design.test_ratio, design.confidence)


def _verdict(differences: dict[str, Interval], one: FoldMetrics, base: FoldMetrics) -> str:
    """Return what the intervals show; with more lost fits than the baseline, none is better."""
    if not np.isfinite(one.scores).any():
        return "no score"
    score, wins = differences["test_score"], differences["wins"]
    lost, base_lost = _in_common(np.isnan(one.scores), np.isnan(base.scores), one, base)
    complete = lost <= base_lost
    if score.low > 0 and complete:
        return "better"
    if score.high < 0:
        return "worse"
    # A few fits far off hide in the mean what nearly all pairs show.
    if wins.low > 0.5 and complete:
        return "mostly better"
    return "mostly worse" if wins.high < 0.5 else "unclear"


def _speed(differences: dict[str, Interval], one: FoldMetrics, base: FoldMetrics) -> str:
    """Say what the intervals show; who misses more targets than the baseline is not faster."""
    ratio, share = differences["epochs_ratio"], differences["reached"]
    reached, base_reached = _in_common(one.reached, base.reached, one, base)
    fewer, more = ratio.high < 1 or share.low > 0, ratio.low > 1
    if fewer and not more and reached >= base_reached:
        return "faster"
    slower = more or share.high < 0
    return "slower" if slower else "unclear"


def _in_common(
    of_one: Array, of_base: Array, one: FoldMetrics, base: FoldMetrics
) -> tuple[float, float]:
    """Return two sums over the fits that both made: one not made yet says nothing of either."""
    both = one.made & base.made
    return float(np.nansum(of_one[both])), float(np.nansum(of_base[both]))


def _seconds_to_target(one: FoldMetrics) -> Array:
    """Return the part of each fit until it reached its target: epochs are taken as equally long."""
    seconds = np.full(one.reach.shape, np.nan)
    known = np.isfinite(one.reach) & np.isfinite(one.epochs) & (one.epochs > 0)
    seconds[known] = one.seconds[known] * one.reach[known] / one.epochs[known]
    seconds[np.isinf(one.reach)] = np.inf
    return seconds


def _count_warnings(fits: FoldSeedArray) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for run in fits.runs.values():
        counts.update(run.warnings)
    return dict(sorted(counts.items()))
