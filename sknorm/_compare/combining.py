"""Several comparisons, on as many data sets, taken together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sknorm._compare.analysis.decisions import EQUIVALENT
from sknorm._compare.result import NormalizerComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CombinedComparison:
    """What several comparisons say together: one data set is one piece of evidence.

    Parameters
    ----------
    names : tuple of str
        The normalizers that all comparisons have.
    data : tuple of str
        The names of the data sets.
    scores : ndarray of shape (n_data_sets, n_normalizers)
        The mean score of each, NaN where there is none: it ranks last.
    ropes : ndarray of shape (n_data_sets,)
        Half of the region of practical equivalence in each.
    verdicts : ndarray of shape (n_data_sets, n_normalizers)
        What each comparison shows against its baseline.
    baseline : str
        What wins and losses are counted against.
    confidence : float
        Of the tests.

    See Also
    --------
    combine_comparisons : Makes one.

    Examples
    --------
    >>> import numpy as np
    >>> from sknorm import CombinedComparison
    >>> scores = np.array([[0.7, 0.9], [0.6, 0.8], [0.9, 0.9]])
    >>> combined = CombinedComparison(
    ...     ("none", "BatchStatScaler"), ("a", "b", "c"), scores, np.full(3, 0.01),
    ...     np.full((3, 2), ""), "none",
    ... )
    >>> combined.wins_["BatchStatScaler"]
    (2, 1, 0)
    """

    names: tuple[str, ...]
    data: tuple[str, ...]
    scores: Array
    ropes: Array
    verdicts: Any
    baseline: str
    confidence: float = 0.95

    @property
    def ranks(self) -> Array:
        """Ranks of shape (n_data_sets, n_normalizers), 1 for the highest score; ties share one."""
        filled = np.where(np.isnan(self.scores), -np.inf, self.scores)
        ranked: Array = stats.rankdata(-filled, axis=1)
        return ranked

    @property
    def mean_ranks_(self) -> dict[str, float]:
        """The mean rank of each normalizer."""
        return dict(zip(self.names, self.ranks.mean(axis=0).tolist(), strict=True))

    @property
    def wins_(self) -> dict[str, tuple[int, int, int]]:
        """Data sets on which each scores above the baseline beyond the rope, within, below."""
        base = self.scores[:, [self.names.index(self.baseline)]]
        # What gave no score loses to what did; two that gave none are alike.
        known, base_known = np.isfinite(self.scores), np.isfinite(base)
        difference = np.where(known, self.scores, 0.0) - np.where(base_known, base, 0.0)
        difference = np.where(known & ~base_known, np.inf, difference)
        difference = np.where(~known & base_known, -np.inf, difference)
        above = (difference > self.ropes[:, None]).sum(axis=0)
        below = (difference < -self.ropes[:, None]).sum(axis=0)
        within = len(self.data) - above - below
        counts = zip(above.tolist(), within.tolist(), below.tolist(), strict=True)
        return dict(zip(self.names, counts, strict=True))

    @property
    def friedman_(self) -> tuple[float, float]:
        """The statistic and p-value of Friedman's test that all ranks are alike."""
        if len(self.names) < 3 or len(self.data) < 2:
            return math.nan, math.nan
        if (self.ranks == self.ranks[:, [0]]).all():
            return 0.0, 1.0
        found = stats.friedmanchisquare(*(-self.ranks).T)
        return float(found.statistic), float(found.pvalue)

    @property
    def critical_difference_(self) -> float:
        """Nemenyi's critical difference of mean ranks (Demšar, JMLR 7, 2006)."""
        k, n = len(self.names), len(self.data)
        quantile = stats.studentized_range.ppf(self.confidence, k, np.inf) / math.sqrt(2)
        return float(quantile * math.sqrt(k * (k + 1) / (6 * n)))

    def groups(self) -> list[list[str]]:
        """Return the normalizers whose mean ranks differ by less than the critical difference.

        Returns
        -------
        groups : list of list of str
            The largest such groups, from the best rank on; a normalizer may be in several.
        """
        ordered = sorted(self.mean_ranks_.items(), key=lambda item: item[1])
        found: list[list[str]] = []
        for place, (_, rank) in enumerate(ordered):
            inside = [
                n for n, other in ordered[place:] if other - rank <= self.critical_difference_
            ]
            if not found or inside[-1] != found[-1][-1]:
                found.append(inside)
        return found

    @property
    def table(self) -> dict[str, list[Any]]:
        """One row per normalizer, as a dict of columns."""
        wins = [self.wins_[name] for name in self.names]
        return {
            "normalizer": list(self.names),
            "mean_rank": [self.mean_ranks_[name] for name in self.names],
            "mean_score": np.nanmean(self.scores, axis=0).tolist(),
            "above_rope": [won for won, _, _ in wins],
            "within_rope": [tied for _, tied, _ in wins],
            "below_rope": [lost for _, _, lost in wins],
            **{
                f"shown_{word}": (self.verdicts == word).sum(axis=0).tolist()
                for word in ("better", "worse", EQUIVALENT)
            },
        }

    def verdict(self) -> str:
        """Return what the data sets say together.

        Returns
        -------
        sentences : str
            Which differ in rank, if any do.
        """
        ranked = sorted(self.mean_ranks_.items(), key=lambda item: item[1])
        best, rank = ranked[0]
        start = f"Over {len(self.data)} data sets, {best} ranks best (mean rank {rank:.2f})"
        p_value = self.friedman_[1]
        if math.isnan(p_value):
            return f"{start}; for a test there have to be 3 normalizers and 2 data sets."
        if p_value >= 1 - self.confidence:
            return f"{start}, but the ranks could all be alike (Friedman, p = {p_value:.2g})."
        worse = [n for n, other in ranked if other - rank > self.critical_difference_]
        shown = (
            f"shown to rank lower: {', '.join(worse)}" if worse else "no other is shown to differ"
        )
        return (
            f"{start}; {shown} (Friedman, p = {p_value:.2g}; critical difference "
            f"{self.critical_difference_:.2f}, Nemenyi)."
        )

    def plot(self, *, ax: Any = None) -> Axes:
        """Draw the mean ranks, and bars over those that cannot be told apart.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        ax : matplotlib Axes
            What was drawn on.
        """
        from sknorm._compare.plots.critical import draw_ranks

        axes: Axes = draw_ranks(self, ax)
        return axes


def combine_comparisons(
    comparisons: Mapping[str, NormalizerComparison] | Sequence[NormalizerComparison],
    *,
    baseline: str | None = None,
    confidence: float = 0.95,
) -> CombinedComparison:
    """Take the comparisons of several data sets together.

    Each data set is one piece of evidence, whatever its size: normalizers are ranked on each by
    their mean scores, and the ranks are tested by Friedman's test and Nemenyi's critical difference
    [1]_. Scores of different kinds may be mixed.

    Parameters
    ----------
    comparisons : dict of NormalizerComparison by name, or list of them
        The comparisons. Only normalizers that all of them have are kept.
    baseline : str, default=None
        What wins and losses are counted against; None means the first comparison's baseline.
    confidence : float in (0, 1), default=0.95
        Of the tests.

    Returns
    -------
    combined : CombinedComparison
        Mean ranks, wins and losses beyond the region of practical equivalence, a test, a picture.

    Raises
    ------
    ValueError
        If there are fewer than two comparisons, or fewer than two normalizers in all of them.

    See Also
    --------
    compare_normalizers : Makes a comparison.

    References
    ----------
    .. [1] J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of
       Machine Learning Research 7, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris, load_wine
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sknorm import combine_comparisons, compare_normalizers
    >>> combined = combine_comparisons({
    ...     load.__name__: compare_normalizers(
    ...         KNeighborsClassifier(), *load(return_X_y=True),
    ...         normalizers=["none", "BatchStatScaler", "L2Normalizer"], random_state=0,
    ...     )
    ...     for load in (load_iris, load_wine)
    ... })
    >>> combined.wins_["BatchStatScaler"]
    (1, 0, 1)
    """
    given = (
        dict(comparisons)
        if isinstance(comparisons, Mapping)
        else {f"data set {place + 1}": one for place, one in enumerate(comparisons)}
    )
    if len(given) < 2:
        raise ValueError(f"There must be at least two comparisons to combine; got {len(given)}.")
    for name, one in given.items():
        if not isinstance(one, NormalizerComparison):
            raise TypeError(f"{name!r} is no NormalizerComparison, but {type(one).__name__}.")
    first = next(iter(given.values()))
    names = [n for n in first.setting_.names if all(n in c.setting_.names for c in given.values())]
    if len(names) < 2:
        raise ValueError("The comparisons have fewer than two normalizers in common.")
    baseline = first.baseline_ if baseline is None else baseline
    if baseline not in names:
        raise ValueError(f"baseline={baseline!r} is not in all comparisons: {', '.join(names)}.")
    rows = [[one.measures_[name] for name in names] for one in given.values()]
    return CombinedComparison(
        tuple(names),
        tuple(given),
        np.array([[row.test_score.estimate for row in line] for line in rows]),
        np.array([one.setting_.rope for one in given.values()]),
        np.array([[row.verdict for row in line] for line in rows]),
        baseline,
        confidence,
    )
