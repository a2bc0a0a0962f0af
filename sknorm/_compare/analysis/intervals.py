"""What the runs of a comparison say: means, intervals, and times that may be censored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sknorm._compare.fitting.task import Run

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the bounds of its confidence interval (NaN where there can be none)."""

    estimate: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Tell whether a value lies outside the interval."""
        return self.low > value or self.high < value

    def negated(self) -> Interval:
        """Return the interval of the difference the other way round."""
        return Interval(-self.estimate, -self.high, -self.low)


def corrected_interval(per_fold: Array, test_ratio: float, confidence: float) -> Interval:
    """Return the mean over folds with its corrected resampled t interval.

    The training sets of the folds overlap, so their results vary less than independent ones would.
    Nadeau and Bengio (2003) put ``1 / k + n_test / n_train`` in place of ``1 / k`` in the variance
    of the mean.
    """
    values = per_fold[np.isfinite(per_fold)]
    if len(values) == 0:
        return Interval(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    if abs(mean) <= 1e-14 * float(np.abs(values).max()):
        mean = 0.0  # differences that cancel, but for rounding
    half = half_width(standard_deviation(values), len(values), test_ratio, 1 - confidence)
    return Interval(mean, mean - half, mean + half)


def half_width(deviation: float, n_splits: int, test_ratio: float, level: float) -> float:
    """Return half of the width of a corrected interval that misses with a given chance."""
    if n_splits < 2:
        return np.nan
    quantile = float(special.stdtrit(n_splits - 1, 1 - level / 2))
    return float(quantile * np.sqrt(1 / n_splits + test_ratio) * deviation)


def win_interval(values: Array, others: Array, test_ratio: float, confidence: float) -> Interval:
    """Return the share of pairs in which ``values`` are higher, ties counted half.

    A fold won and a fold lost are added to those there are (as Agresti and Coull do), or winning
    all of a few folds would give an interval without width.
    """
    usable = np.isfinite(values) & np.isfinite(others)
    wins = np.full(values.shape, np.nan)
    wins[usable] = (1 + np.sign(values[usable] - others[usable])) / 2
    per_fold = fold_means(wins)
    known = per_fold[np.isfinite(per_fold)]
    if not len(known):
        return Interval(np.nan, np.nan, np.nan)
    padded = corrected_interval(np.append(known, [0.0, 1.0]), test_ratio, confidence)
    return Interval(float(known.mean()), max(0.0, padded.low), min(1.0, padded.high))


def fold_means(grid: Array) -> Array:
    """Return the mean over seeds of each fold, NaN where there is none."""
    counts = np.isfinite(grid).sum(axis=1)
    sums = np.where(np.isfinite(grid), grid, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def seed_spread(grid: Array) -> Array:
    """Return the standard deviation over seeds within each fold, NaN for fewer than two."""
    counts = np.isfinite(grid).sum(axis=1)
    # From one of the values, or the rounding of their mean would make equal values differ.
    shifted = grid - np.nanmax(np.where(counts[:, None] > 0, grid, 0.0), axis=1, keepdims=True)
    deviations = np.where(np.isfinite(grid), shifted - fold_means(shifted)[:, None], 0.0)
    variance = (deviations**2).sum(axis=1) / np.maximum(counts - 1, 1)
    return np.where(counts > 1, np.sqrt(variance), np.nan)


def pooled(per_fold: Array) -> float:
    """Return the root mean square of standard deviations."""
    values = per_fold[np.isfinite(per_fold)]
    return float(np.sqrt(np.mean(values**2))) if len(values) else np.nan


class FoldSeedArray:
    """The runs of one normalizer as arrays of shape (n_folds, n_seeds)."""

    def __init__(self, runs: Iterable[Run], n_folds: int, n_seeds: int) -> None:
        self.runs = {(run.fold, run.seed): run for run in runs}
        self.shape = (n_folds, n_seeds)

    def values(self, measure: Callable[[Run], float]) -> Array:
        """Return one number of each run, NaN where there is no run."""
        grid = np.full(self.shape, np.nan)
        for place, run in self.runs.items():
            grid[place] = measure(run)
        return grid

    def share(self, holds: Callable[[Run], bool]) -> float:
        """Return the share of the runs of which something holds."""
        return sum(map(holds, self.runs.values())) / len(self.runs) if self.runs else np.nan

    def final_losses(self) -> Array:
        """Return the training loss each run ends with; NaN where there is none."""
        return self.values(lambda run: _last_loss(run))

    def epochs(self) -> Array:
        """Return the epochs each run took, whatever it reached."""
        return self.values(_epochs)

    def stops(self) -> Array:
        """Return the epochs after which each run ended, NaN where it diverged or failed."""
        return self.values(lambda run: _epochs(run) if run.status == "ok" else np.nan)

    def epochs_to(self, targets: Array) -> Array:
        """Return the epochs until the loss first reaches its target; inf where it never does.

        Runs without a loss curve count as having reached it when the solver says it converged.
        """
        grid = self.values(lambda run: np.inf)
        for place, run in self.runs.items():
            grid[place] = _epochs_to(run, float(targets[place]))
        return grid


def _last_loss(run: Run) -> float:
    if run.status == "diverged" or not run.loss_curve:
        return np.nan
    return run.loss_curve[-1]


def _epochs(run: Run) -> float:
    if run.n_iter is not None:
        return float(run.n_iter)
    return float(len(run.loss_curve)) if run.loss_curve else np.nan


def _epochs_to(run: Run, target: float) -> float:
    if run.status != "ok":
        return np.inf
    if run.loss_curve is None:
        return _epochs(run) if run.converged else np.inf
    if not np.isfinite(target):
        return np.nan
    reached = np.flatnonzero(np.asarray(run.loss_curve) <= target)
    return float(reached[0] + 1) if len(reached) else np.inf


def median(values: Array) -> float:
    """Return the median with inf as the largest value, NaN left out."""
    known = np.sort(values[~np.isnan(values)])
    if len(known) == 0:
        return np.nan
    low, high = known[(len(known) - 1) // 2], known[len(known) // 2]
    return float(low) if low == high else float((low + high) / 2)


def mean(values: Array) -> float:
    """Return the mean of the values that are known; NaN if there is none."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def standard_deviation(values: Array) -> float:
    """Return the standard deviation of the values that are known; NaN for fewer than two."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else np.nan


def log_ratio(values: Array, stops: Array, others: Array, other_stops: Array) -> Array:
    """Return the per-fold mean log ratio of the epochs that pairs of runs take to their target.

    Of a run that never gets there it is only known when it stopped: it counts as if it had got
    there then, or when the other of its pair did if that is later, so that the ratio is between 1
    and the true one. Pairs in which neither gets there, or one did not train to an end (its stop
    is NaN), are left out.
    """
    either = np.isfinite(values) | np.isfinite(others)
    known = either & ~np.isnan(values + others) & np.isfinite(stops) & np.isfinite(other_stops)
    ratios = np.full(values.shape, np.nan)
    mine = np.where(np.isinf(values), np.fmax(stops, others), values)
    theirs = np.where(np.isinf(others), np.fmax(other_stops, values), others)
    ratios[known] = np.log(mine[known] / theirs[known])
    return fold_means(ratios)
