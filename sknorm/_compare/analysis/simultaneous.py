"""Confidence intervals that hold together: of many differences, none may mislead by chance."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from sknorm._compare.analysis.intervals import (
    Array,
    Interval,
    corrected_interval,
    standard_deviation,
)

N_DRAWS = 10_000
# The correlation of the differences is estimated from few folds. A little towards independence,
# which
# needs the widest intervals, they cover what they say: see benchmarks/calibration.py.
TRUST = 0.95


def signed_ranks(differences: Array) -> Array:
    """Return differences as the ranks of their sizes, with their signs; 0 stays 0.

    A t-test on them is nearly that of Wilcoxon (Conover and Iman, "Rank Transformations as a Bridge
    between Parametric and Nonparametric Statistics", The American Statistician 35, 1981), and can
    be
    corrected for overlapping training sets in the same way.
    """
    ranked = np.full(differences.shape, np.nan)
    for place, row in enumerate(differences):
        known = np.isfinite(row)
        # Differences that are equal but for rounding share a rank.
        sizes = np.abs(np.round(row[known], 12))
        ranked[place, known] = np.sign(np.round(row[known], 12)) * stats.rankdata(sizes)
    return ranked


@dataclass(frozen=True, slots=True)
class Band:
    """Intervals of several differences, and what their width rests on.

    ``level`` is the chance of a single interval to miss, such that all of them hold together.
    """

    intervals: list[Interval]
    deviations: list[float]
    level: float


def simultaneous_band(differences: Array, test_ratio: float, confidence: float) -> Band:
    """Return intervals of the means of some rows of differences per split, which hold together.

    Each is that of the corrected resampled t-test (Nadeau and Bengio 2003), as wide as the largest
    of all t statistics asks for. Its distribution is drawn from normal values with the correlation
    of the rows (the single-step max-t procedure: Hothorn, Bretz and Westfall, "Simultaneous
    Inference in General Parametric Models", Biometrical Journal 50, 2008). Rows without spread need
    no share of it; rows with fewer splits get the same level, with the quantile of their own.
    """
    deviations = [standard_deviation(row) for row in differences]
    varying = [row for row, spread in zip(differences, deviations, strict=True) if spread > 0]
    level = joint_level(np.array(varying), confidence) if varying else 1 - confidence
    intervals = [corrected_interval(row, test_ratio, 1 - level) for row in differences]
    return Band(intervals, deviations, level)


def joint_level(rows: Array, confidence: float) -> float:
    """Return the chance to miss of each of several intervals that hold together."""
    n_splits = rows.shape[1]
    if len(rows) == 1 or n_splits < 3:
        return (1 - confidence) / len(rows)
    largest = _largest_t(_correlation(rows), n_splits)
    critical = np.quantile(largest, confidence)
    return float(2 * special.stdtr(n_splits - 1, -critical))


def _correlation(rows: Array) -> Array:
    centered = rows - np.nanmean(rows, axis=1, keepdims=True)
    centered = np.where(np.isfinite(centered), centered, 0.0)
    norms = np.sqrt((centered**2).sum(axis=1))
    found = centered @ centered.T / np.outer(norms, norms)
    return TRUST * found + (1 - TRUST) * np.eye(len(rows))


def _largest_t(correlation: Array, n_splits: int) -> Array:
    """Return draws of the largest absolute t statistic of correlated rows without a difference."""
    values, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    # A mean of normal values, and their squares about it, which are independent of it.
    drawn = _normal_values(n_splits, len(root))
    means = drawn[0] @ root
    squares = np.zeros_like(means)
    for values in drawn[1:]:
        squares += (values @ root) ** 2
    largest: Array = np.abs(means / np.sqrt(squares / (n_splits - 1))).max(axis=1)
    return largest


@functools.lru_cache(maxsize=4)
def _normal_values(n_splits: int, n_rows: int) -> Array:
    """Return the same normal values each time, so that a comparison repeats."""
    return np.random.default_rng(0).standard_normal((n_splits, N_DRAWS, n_rows))
