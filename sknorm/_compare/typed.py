"""The columns of a comparison's tables, as type checkers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["all", "scores", "loss", "sensitivity", "distributions"]


class Display(Protocol):
    """What was drawn, and where."""

    ax_: Axes
    axes_: NDArray[np.object_]
    figure_: Figure

    def __init__(self, comparison: Any) -> None: ...

    def plot(self, *, kind: Kind = "all", ax: Any = None) -> Display:
        """Draw the comparison."""


class ComparisonTable(TypedDict):
    """One row per normalizer. ``_low`` and ``_high`` are the ends of an interval."""

    normalizer: list[str]
    test_score: list[float]
    test_score_low: list[float]
    test_score_high: list[float]
    test_score_difference: list[float]
    test_score_difference_low: list[float]
    test_score_difference_high: list[float]
    gap_difference: list[float]
    gap_difference_low: list[float]
    gap_difference_high: list[float]
    seed_std_difference: list[float]
    seed_std_difference_low: list[float]
    seed_std_difference_high: list[float]
    instability_difference: list[float]
    instability_difference_low: list[float]
    instability_difference_high: list[float]
    reached_difference: list[float]
    reached_difference_low: list[float]
    reached_difference_high: list[float]
    epochs_ratio: list[float]
    epochs_ratio_low: list[float]
    epochs_ratio_high: list[float]
    seconds_ratio: list[float]
    seconds_ratio_low: list[float]
    seconds_ratio_high: list[float]
    rank: list[float]
    rank_low: list[float]
    rank_high: list[float]
    wins: list[float]
    wins_low: list[float]
    wins_high: list[float]
    verdict: list[str]
    reference: list[float]
    reference_low: list[float]
    reference_high: list[float]
    reference_verdict: list[str]
    repeats: list[int | None]
    test_std: list[float]
    train_score: list[float]
    gap: list[float]
    overfits: list[bool]
    other_scores: list[dict[str, float]]
    seed_std: list[float]
    epochs: list[float]
    epochs_to_target: list[float]
    reached: list[float]
    speed: list[str]
    seconds: list[float]
    seconds_to_target: list[float]
    diverged: list[float]
    failed: list[float]
    unconverged: list[float]
    warnings: list[dict[str, int]]
    error: list[str | None]
    n_fits: list[int]
    n_scored: list[int]
    n_floored: list[int]


class RunsTable(TypedDict):
    """One row per fit."""

    normalizer: list[str]
    fold: list[int]
    seed: list[int]
    random_state: list[int]
    status: list[str]
    test_score: list[float]
    train_score: list[float]
    other_scores: list[dict[str, float]]
    seconds: list[float]
    score_seconds: list[float]
    n_iter: list[int | None]
    converged: list[bool]
    loss_curve: list[tuple[float, ...] | None]
    warnings: list[dict[str, int]]
    warning_texts: list[tuple[str, ...]]
    error: list[str | None]
    n_train: list[int]
    n_test: list[int]
    ended_worker: list[bool]
