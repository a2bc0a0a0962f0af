"""What was compared, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Design:
    """What was compared, and how.

    ``chance`` is what guessing without looking at X scores: the largest class, or the mean.
    ``floor`` is how far below it scores are told apart. ``rope`` is half of the region of practical
    equivalence. ``hazards`` are sentences on what makes the scores untrustworthy.
    """

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
    n_repeats: int = 1
    reference: str | None = None
    chance: float = np.nan
    best_possible: float | None = None
    floor: float = -np.inf
    rope: float = 0.01
    classes: tuple[tuple[str, int], ...] = ()
    why_score: str = ""
    other_scores: tuple[str, ...] = ()
    splitting: str = ""
    hazards: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Return what training is counted in: epochs where there is a loss for each of them."""
        return "epochs" if self.has_losses else "iterations"

    @property
    def n_splits(self) -> int:
        """Return the number of training sets: folds times repeats."""
        return self.n_folds * self.n_repeats

    @property
    def n_planned(self) -> int:
        """Return the number of fits of a comparison that is not stopped."""
        return len(self.names) * self.n_splits * self.n_seeds

    @property
    def is_classification(self) -> bool:
        """Tell whether there are classes."""
        return bool(self.classes)

    @property
    def class_shares(self) -> dict[str, float]:
        """Return the share of the rows of each class, the largest first."""
        return {name: count / self.n_rows for name, count in self.classes}

    @property
    def span(self) -> float:
        """Return the distance from guessing to a perfect score, NaN where it is not known."""
        return np.nan if self.best_possible is None else abs(self.best_possible - self.chance)
