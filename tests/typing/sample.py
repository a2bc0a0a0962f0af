"""What a user's type checker makes of the public API: mypy --strict and pyright are silent.

Nothing that sknorm returns is Any: ``assert_type`` fails where a type is another than this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, assert_type

import numpy as np
from numpy.typing import NDArray

import sknorm
from sknorm import (
    BatchStatScaler,
    DriftReport,
    GroupScaler,
    L2Normalizer,
    LayerScaler,
    NormalizerComparison,
    PowerNormScaler,
    SquashingScaler,
    compare_normalizers,
)

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


class Frame:
    """A data frame, as pandas and polars have them."""

    columns: Sequence[str] = ("a", "b")
    shape: tuple[int, int] = (2, 2)


class Tensor:
    """An array of some other library."""


def arrays(x: Doubles, single: Singles, whole: NDArray[np.int64]) -> None:
    """Arrays become arrays, of the same floating dtype."""
    scaler = BatchStatScaler(with_mean="auto", on_constant="warn").fit(x)
    assert_type(scaler, BatchStatScaler)
    assert_type(scaler.transform(x), Doubles)
    assert_type(scaler.transform(single, copy=False), Singles)
    assert_type(scaler.transform(whole, columns=[0]), Doubles)
    assert_type(scaler.transform([[1.0, 2.0]]), Doubles)
    assert_type(scaler.transform([x, x]), Doubles)
    assert_type(scaler.inverse_transform(single), Singles)
    assert_type(PowerNormScaler().fit_transform(single), Singles)
    assert_type(SquashingScaler(squash="tanh").fit_transform(x), Doubles)
    assert_type(LayerScaler(n_groups=2).fit_transform(single), Singles)
    assert_type(L2Normalizer(keep_norm=True).transform(x), Doubles)
    assert_type(L2Normalizer(keep_norm=True).fit(x).inverse_transform(x), Doubles)
    assert_type(GroupScaler(by=0, unseen="nan").fit_transform(x), Doubles)
    BatchStatScaler(with_mean="sometimes")  # type: ignore[arg-type]
    SquashingScaler(squash="hard")  # type: ignore[arg-type]
    assert_type(scaler.partial_fit(x).merge(scaler).select([0]), BatchStatScaler)


def other_containers(frame: Frame, tensor: Tensor, batches: Iterator[Doubles]) -> None:
    """Frames become arrays or, by set_output, frames; everything else stays of its kind."""
    assert_type(BatchStatScaler().fit_transform(frame), Frame | Doubles)
    assert_type(LayerScaler().fit_transform(tensor), Tensor)
    assert_type(LayerScaler().transform(batches), Iterator[Doubles])


def what_was_learned(scaler: BatchStatScaler, x: Doubles) -> None:
    """Statistics are arrays, or None where a parameter leaves them out."""
    assert_type(scaler.mean_, Doubles | None)
    assert_type(scaler.scale_, Doubles | None)
    assert_type(scaler.n_samples_seen_, float | Doubles | NDArray[np.int64])
    assert_type(scaler.n_features_in_, int)
    assert_type(scaler.check_drift(x), DriftReport)


def comparisons(model: object, x: Doubles, y: Doubles) -> None:
    """Tables have columns of known types."""
    comparison = compare_normalizers(model, x, y)
    assert_type(comparison, NormalizerComparison)
    assert_type(comparison.best_name_, str | None)
    assert_type(comparison.table["test_score"], list[float])
    assert_type(comparison.table["normalizer"], list[str])
    assert_type(comparison.runs["n_iter"], list[int | None])
    kind: Literal["loss"] = "loss"
    comparison.plot(kind=kind)
    print(comparison.verdict(), sknorm.__version__)
