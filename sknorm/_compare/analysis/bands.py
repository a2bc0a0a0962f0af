"""The intervals of all differences, by kind and normalizer, those of each kind holding together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.fold_metrics import FoldMetrics, differences
from sknorm._compare.analysis.intervals import Array, Interval, fold_means
from sknorm._compare.analysis.simultaneous import Band, signed_ranks, simultaneous_band

RATIOS = ("epochs_ratio", "seconds_ratio")
KINDS = ("test_score", "gap", "seed_std", "instability", "reached", *RATIOS)


@dataclass(frozen=True, slots=True)
class Bands:
    """The intervals of all differences, by kind and normalizer; and those to the reference.

    ``deviations`` are those of the differences of the test score per split, and ``level`` is the
    chance of each of their intervals to miss.
    """

    to_baseline: dict[str, dict[str, Interval]]
    to_reference: dict[str, Interval]
    reference_ranks: dict[str, Interval]
    deviations: dict[str, float]
    level: float


def find_bands(values: dict[str, FoldMetrics], design: Design) -> Bands:
    """Return the intervals, of which those of each kind hold together."""
    base = values[design.baseline]
    others = [name for name in values if name != design.baseline]
    per_split = {name: differences(values[name], base) for name in others}
    bands = {kind: _band([per_split[name][kind] for name in others], design) for kind in KINDS}
    ranks = _band(_ranked([per_split[name]["test_score"] for name in others]), design)
    bands["rank"] = ranks
    to_reference, reference_ranks = _to_reference(values, design)
    return Bands(
        {kind: dict(zip(others, band.intervals, strict=True)) for kind, band in bands.items()},
        to_reference,
        reference_ranks,
        dict(zip(others, bands["test_score"].deviations, strict=True)),
        bands["test_score"].level,
    )


def _ranked(rows: list[Array]) -> list[Array]:
    return list(signed_ranks(np.array(rows))) if rows else []


def _to_reference(
    values: dict[str, FoldMetrics], design: Design
) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """Return the intervals of the differences to the reference scaler, and of their ranks."""
    if design.reference is None:
        return {}, {}
    reference = values[design.reference].scores
    names = [name for name in values if name != design.reference]
    rows = [fold_means(values[name].scores - reference) for name in names]
    found, ranks = _band(rows, design), _band(_ranked(rows), design)
    return (
        dict(zip(names, found.intervals, strict=True)),
        dict(zip(names, ranks.intervals, strict=True)),
    )


def _band(rows: list[Array], design: Design) -> Band:
    if not rows:
        return Band([], [], 1 - design.confidence)
    return simultaneous_band(np.array(rows), design.test_ratio, design.confidence)
