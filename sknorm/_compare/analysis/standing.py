"""Which normalizer is best, what cannot be told from it, and which one to use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknorm._compare.analysis.decisions import BETTER, EQUIVALENT, decide
from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.fold_metrics import FoldMetrics
from sknorm._compare.analysis.intervals import fold_means
from sknorm._compare.analysis.metrics import Metrics
from sknorm._compare.analysis.simultaneous import signed_ranks, simultaneous_band

# Fits of normalizers that are this much slower than the fastest of those tied count as slower.
SLOWER = 1.5
# Fits that do not converge, beyond those of the steadiest of those tied, that count as a surprise.
UNSTEADIER = 0.05


@dataclass(frozen=True, slots=True)
class Standing:
    """The normalizer with the highest score; what is equivalent to it, or not decided; what to use.

    Whoever is in neither list is shown to be worse than the best, or gave no score.
    """

    best: str | None
    equivalent: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    recommended: str | None = None


def stand(measures: dict[str, Metrics], values: dict[str, FoldMetrics], design: Design) -> Standing:
    """Return how the normalizers stand to the best of them.

    The intervals are those of all pairs, which hold together: that one of them was chosen because
    it came out highest is allowed for (the all-pairs form of multiple comparisons with the best,
    J. C. Hsu, "Multiple Comparisons", 1996).
    """
    best = _best(measures)
    if best is None:
        return Standing(None)
    scored = [name for name, row in measures.items() if row.n_scored]
    pairs = [(one, other) for place, one in enumerate(scored) for other in scored[place + 1 :]]
    decided = {best: EQUIVALENT}
    if pairs:
        rows = np.array([fold_means(values[a].scores - values[b].scores) for a, b in pairs])
        band, ranks = (
            simultaneous_band(given, design.test_ratio, design.confidence).intervals
            for given in (rows, signed_ranks(rows))
        )
        for (one, other), interval, rank in zip(pairs, band, ranks, strict=True):
            if one == best:
                decided[other] = decide(interval, design.rope, rank)
            elif other == best:
                decided[one] = decide(interval.negated(), design.rope, rank.negated())
    equivalent = tuple(n for n in scored if n != best and decided[n] == EQUIVALENT)
    undecided = tuple(n for n in scored if n != best and decided[n] not in (EQUIVALENT, BETTER))
    chosen = _recommended(measures, best, [*equivalent, *undecided], design)
    return Standing(best, equivalent, undecided, chosen)


def _best(measures: dict[str, Metrics]) -> str | None:
    """Return the normalizer with the highest mean score, of those that lost the fewest fits."""
    scored = [row for row in measures.values() if row.n_scored]
    if not scored:
        return None
    fewest = min(row.lost for row in scored)
    complete = [row for row in scored if row.lost == fewest]
    return max(complete, key=lambda row: row.test_score.estimate).normalizer


def _recommended(measures: dict[str, Metrics], best: str, ties: list[str], design: Design) -> str:
    """Return the simplest of those that score within the rope of the best.

    Where none of them is shown to be better than the baseline, and others are, the best of those
    takes its place: high scores that may be luck are no reason.
    """
    chosen = _simplest(_near(measures, best, [best, *ties], design))
    shown = [row.normalizer for row in measures.values() if row.verdict == BETTER]
    if chosen.normalizer == design.baseline or chosen.normalizer in shown or not shown:
        return chosen.normalizer
    lead = max(shown, key=lambda name: measures[name].test_score.estimate)
    return _simplest(_near(measures, lead, shown, design)).normalizer


def _near(
    measures: dict[str, Metrics], lead: str, names: list[str], design: Design
) -> list[Metrics]:
    """Return those of some normalizers that score within the rope of one, in their order."""
    lowest = measures[lead].test_score.estimate - design.rope
    return [
        row
        for name, row in measures.items()
        if name == lead or (name in names and row.test_score.estimate >= lowest)
    ]


def _simplest(tied: list[Metrics]) -> Metrics:
    """Return the simplest of some normalizers.

    Fewest lost fits, then fewest that do not converge, then the least time, each as far as it
    matters; then the baseline, then the order in which they were given.
    """
    fewest = min(row.lost for row in tied)
    tied = [row for row in tied if row.lost == fewest]
    steadiest = min(row.unconverged for row in tied)
    tied = [row for row in tied if row.unconverged <= steadiest + UNSTEADIER]
    fastest = min(row.seconds for row in tied)
    tied = [row for row in tied if not row.seconds > SLOWER * fastest]
    # Without a reason to change, what there is stays.
    return next((row for row in tied if row.verdict == "baseline"), tied[0])
