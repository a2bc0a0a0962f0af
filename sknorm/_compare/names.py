"""Names and defaults that the function and the command share, and how things are called."""

from __future__ import annotations

from typing import Any

# The candidate that leaves the features as they are.
NONE = "none"

# Folds are the evidence that intervals rest on; initializations in a fold only steady its score.
N_FOLDS = 10
N_SEEDS = 2

# What a scikit-learn user has, and so what the others are compared with beside going without.
REFERENCE = "StandardScaler"


def class_name(value: Any) -> str:
    """Return a class as people write it: 1 for 1.0, and 0 for -0.0."""
    return f"{value + 0.0:g}" if isinstance(value, float) else str(value)


def counted(count: int, noun: str) -> str:
    """Return a number with what it counts, in the singular or with an s."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
