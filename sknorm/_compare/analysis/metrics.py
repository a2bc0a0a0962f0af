"""The four promises of normalization, measured: one row of numbers for each normalizer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from sknorm._compare.analysis.bands import KINDS, RATIOS, Bands, find_bands
from sknorm._compare.analysis.decisions import (
    BETTER,
    UNDECIDED,
    decide,
    repeats_to_decide,
)
from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.fold_metrics import FoldMetrics, fold_metrics
from sknorm._compare.analysis.intervals import (
    Array,
    FoldSeedArray,
    Interval,
    corrected_interval,
    fold_means,
    mean,
    median,
    pooled,
    seed_spread,
    standard_deviation,
    win_interval,
)
from sknorm._compare.fitting.task import Run

NO_INTERVAL = Interval(np.nan, np.nan, np.nan)
# A gap of so much of the span from chance to a perfect score is overfitting.
OVERFITTING = 0.15


@dataclass(frozen=True, slots=True)
class Metrics:
    """What was measured of one normalizer, over its splits and seeds.

    ``differences`` are to the baseline, each with an interval that holds together with those of
    the other normalizers: of ``test_score``, ``gap``, ``seed_std``, ``instability`` and
    ``reached``, and of the signed ``rank`` of the differences of the test score; ``epochs_ratio``
    and ``seconds_ratio`` are ratios to the baseline's. ``reference``
    is the difference of the test score to the reference scaler's, and ``wins`` the share of paired
    fits that scored higher than the baseline's. ``repeats`` is how often the folds would have to be
    drawn to decide against the baseline, if that is undecided and can be.
    """

    normalizer: str
    test_score: Interval
    differences: dict[str, Interval]
    verdict: str
    reference: Interval
    reference_verdict: str
    repeats: int | None
    test_std: float
    train_score: float
    gap: float
    overfits: bool
    other_scores: dict[str, float]
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
    n_floored: int

    @property
    def difference(self) -> Interval:
        """Return the difference of the test score to the baseline's."""
        return self.differences["test_score"]

    @property
    def lost(self) -> float:
        """Return the share of fits that gave no score."""
        return 1 - self.n_scored / self.n_fits if self.n_fits else np.nan


def by_fold_and_seed(runs: list[Run], design: Design) -> dict[str, FoldSeedArray]:
    """Return the runs of each normalizer, by split and seed."""
    return {
        name: FoldSeedArray(
            (run for run in runs if run.normalizer == name), design.n_splits, design.n_seeds
        )
        for name in design.names
    }


def measure(runs: list[Run], design: Design) -> dict[str, Metrics]:
    """Return the measures of every normalizer, in the order they were given."""
    return measure_values(fold_metrics(by_fold_and_seed(runs, design), design), design)


def measure_values(values: dict[str, FoldMetrics], design: Design) -> dict[str, Metrics]:
    """Return the measures that follow from the fold metrics of every normalizer."""
    bands = find_bands(values, design)
    return {name: _measure_one(name, values, bands, design) for name in values}


def _measure_one(
    name: str, values: dict[str, FoldMetrics], bands: Bands, design: Design
) -> Metrics:
    one, base = values[name], values[design.baseline]
    fits, is_baseline = one.fits, name == design.baseline
    shown = _intervals(name, one, base, bands, design)
    reference = bands.to_reference.get(name, NO_INTERVAL)
    gap = mean(one.gaps)
    return Metrics(
        normalizer=name,
        test_score=_score_interval(one, design),
        differences=shown,
        verdict="baseline"
        if is_baseline
        else _verdict(shown["test_score"], shown["rank"], one, base, design),
        reference=reference,
        reference_verdict=_reference_verdict(name, bands, values, design),
        repeats=_repeats(name, shown["test_score"], bands, design),
        test_std=standard_deviation(one.scores),
        train_score=mean(one.train_scores),
        gap=gap,
        overfits=bool(gap > OVERFITTING * design.span),
        other_scores=_other_scores(fits, design),
        seed_std=pooled(seed_spread(one.scores)),
        epochs=median(one.epochs.ravel()),
        epochs_to_target=median(one.reach.ravel()),
        reached=mean(one.reached),
        speed="baseline" if is_baseline else _speed(shown, one, base),
        seconds=median(one.seconds.ravel()),
        seconds_to_target=median(one.seconds_to_target().ravel()),
        diverged=fits.share(lambda run: run.status == "diverged"),
        failed=fits.share(lambda run: run.status == "failed"),
        unconverged=fits.share(lambda run: run.status == "ok" and not run.converged),
        warnings=_count_warnings(fits),
        error=next((run.error for run in fits.runs.values() if run.error), None),
        n_fits=len(fits.runs),
        n_scored=int(np.isfinite(one.scores).sum()),
        n_floored=one.n_floored,
    )


def _score_interval(one: FoldMetrics, design: Design) -> Interval:
    """Return the mean score with its interval, cut off at a perfect score."""
    found = corrected_interval(fold_means(one.scores), design.test_ratio, design.confidence)
    if design.best_possible is None:
        return found
    return Interval(found.estimate, found.low, min(found.high, design.best_possible))


def _intervals(
    name: str, one: FoldMetrics, base: FoldMetrics, bands: Bands, design: Design
) -> dict[str, Interval]:
    """Return the intervals of all differences to the baseline; it has none to itself."""
    if one is base:
        return dict.fromkeys([*KINDS, "rank", "wins"], NO_INTERVAL)
    found = {kind: intervals[name] for kind, intervals in bands.to_baseline.items()}
    for kind in RATIOS:
        logs = found[kind]
        found[kind] = Interval(*map(float, np.exp([logs.estimate, logs.low, logs.high])))
    wins = win_interval(one.scores, base.scores, design.test_ratio, design.confidence)
    return found | {"wins": wins}


def _verdict(
    difference: Interval, ranks: Interval, one: FoldMetrics, base: FoldMetrics, design: Design
) -> str:
    """Return what the intervals show; with more lost fits than the other, none is better."""
    if not np.isfinite(one.scores).any():
        return "no score"
    found = decide(difference, design.rope, ranks)
    lost, base_lost = _in_common(np.isnan(one.scores), np.isnan(base.scores), one, base)
    return UNDECIDED if found == BETTER and lost > base_lost else found


def _reference_verdict(
    name: str, bands: Bands, values: dict[str, FoldMetrics], design: Design
) -> str:
    if design.reference is None:
        return ""
    if name == design.reference:
        return "reference"
    difference, ranks = bands.to_reference[name], bands.reference_ranks[name]
    return _verdict(difference, ranks, values[name], values[design.reference], design)


def _repeats(name: str, difference: Interval, bands: Bands, design: Design) -> int | None:
    deviation = bands.deviations.get(name, np.nan)
    found = repeats_to_decide(
        difference.estimate,
        deviation,
        design.n_splits,
        design.test_ratio,
        bands.level,
        design.rope,
    )
    return None if found is None else found * design.n_repeats


def _speed(shown: dict[str, Interval], one: FoldMetrics, base: FoldMetrics) -> str:
    """Say what the intervals show; who misses more targets than the baseline is not faster.

    Neither is who needs fewer epochs and more seconds.
    """
    ratio, share = shown["epochs_ratio"], shown["reached"]
    reached, base_reached = _in_common(one.reached, base.reached, one, base)
    fewer, more = ratio.high < 1 or share.low > 0, ratio.low > 1
    if fewer and not more and reached >= base_reached:
        return "fewer epochs" if shown["seconds_ratio"].low > 1 else "faster"
    slower = more or share.high < 0
    return "slower" if slower else "unclear"


def _in_common(
    of_one: Array, of_base: Array, one: FoldMetrics, base: FoldMetrics
) -> tuple[float, float]:
    """Return two sums over the fits that both made: one not made yet says nothing of either."""
    both = one.made & base.made
    return float(np.nansum(of_one[both])), float(np.nansum(of_base[both]))


def _other_scores(fits: FoldSeedArray, design: Design) -> dict[str, float]:
    """Return the means of the scores that do not decide."""

    def mean_of(name: str) -> float:
        return mean(fits.values(lambda run: run.other_scores.get(name, np.nan)))

    return {name: mean_of(name) for name in design.other_scores}


def _count_warnings(fits: FoldSeedArray) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for run in fits.runs.values():
        counts.update(run.warnings)
    return dict(sorted(counts.items()))
