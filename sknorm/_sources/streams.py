"""Data in batches: of an iterator or a loader, one after the other, each of them read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from sknorm._compat import root_of
from sknorm._sources import kinds
from sknorm._sources.exporters import reader_of
from sknorm._sources.learning import Reader
from sknorm._sources.source import Source, Work


class Batches(Source):
    """Batches that somebody has chosen: what an iterator yields, or a loader.

    Each is an array, a sparse array, a frame or a tensor.
    """

    def __init__(self, batches: Iterable[Any]) -> None:
        self.kind = f"a {type(batches).__name__}"
        self._batches = batches
        self.is_read_again = not isinstance(batches, Iterator)

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all batches, or None if there are none."""
        self.refuse_weights(sample_weight)
        return learn_in_turn(reader, self.blocks())

    def apply(self, work: Work) -> Iterator[Any]:
        """Return an iterator of the results of the batches."""
        return apply_in_turn(work.of_block, self.blocks())

    def example(self) -> Any:
        """Return the first batch."""
        for block in self.blocks():
            return block
        raise ValueError(f"{self.kind} has no batches, while a minimum of 1 is required.")

    def blocks(self) -> Iterator[Any]:
        """Yield the batches as arrays or frames."""
        return (_one_array(batch, number) for number, batch in enumerate(self._batches))


def learn_in_turn(
    reader: Reader, blocks: Iterable[Any], start: Any = None, weights: Any = None
) -> Any:
    """Return what a reader finds out of blocks, one after the other; weights are of all rows."""
    so_far, number, first_row = start, 0, 0
    for block in blocks:
        own = None if weights is None else weights[first_row : first_row + block.shape[0]]
        where = _rows_of(block, number, first_row)
        so_far = located(lambda b: reader.add(so_far, b, own), block, where)  # noqa: B023
        number, first_row = number + 1, first_row + block.shape[0]
        del block  # before the next one is read; ``enumerate`` would keep it too
    return so_far


def apply_in_turn(of_block: Callable[[Any], Any], blocks: Iterable[Any]) -> Iterator[Any]:
    """Yield the results of blocks that have rows."""
    number, first_row = 0, 0
    for block in blocks:
        if block.shape[0]:
            yield located(of_block, block, _rows_of(block, number, first_row))
        number, first_row = number + 1, first_row + block.shape[0]
        del block


def located(function: Any, block: Any, where: str) -> Any:
    """Return what a function says of a block; its errors say where that is."""
    try:
        return function(block)
    except (ValueError, TypeError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{where}: {error}") from error


def within(part: str) -> str:
    """Return where an error is that names a row of a part, such as "block 3"."""
    return f"In {part} of X, whose rows are counted from 0"


def _rows_of(block: Any, number: int, first_row: int) -> str:
    return f"In batch {number} (rows {first_row:,} to {first_row + block.shape[0] - 1:,} of X)"


def _one_array(batch: Any, number: int) -> Any:
    """Return a batch as an array or a frame, out of the list that loaders wrap it in."""
    if isinstance(batch, (list, tuple)) and len(batch) == 1 and hasattr(batch[0], "shape"):
        batch = batch[0]
    elif _is_of_several_arrays(batch):
        raise TypeError(
            f"Batch {number} of X is a {type(batch).__name__} of {len(batch)} arrays. Pass an "
            "iterator of the features alone, such as (features for features, target in loader)."
        )
    if root_of(batch) == "tensorflow":
        batch = batch.numpy()
    elif kinds.exports_arrow(batch):
        return reader_of(batch, f"batch {number}").read_all()
    if not hasattr(batch, "shape"):
        _refuse_source(batch, number)
        batch = np.asarray(batch)
    if len(batch.shape) < 2:
        raise TypeError(
            f"X is an iterator, which is read as one of batches, but batch {number} has "
            f"{len(batch.shape)} dimension(s): {repr(batch)[:60]}. Yield batches of shape "
            "(n_samples, n_features), or pass list(X) if these are rows."
        )
    return batch


def _is_of_several_arrays(batch: Any) -> bool:
    """Tell whether a batch is of features and a target, as loaders have them, not of rows."""
    if isinstance(batch, tuple) and len(batch) > 1 and hasattr(batch[0], "shape"):
        return True
    return isinstance(batch, (list, tuple)) and any(len(np.shape(part)) > 1 for part in batch[:1])


def _refuse_source(batch: Any, number: int) -> None:
    """Refuse a batch that has to be read itself, such as a lazy frame."""
    if kinds.is_source(batch) or kinds.way_out(batch) is not None:
        raise TypeError(
            f"Batch {number} of X is a {type(batch).__name__}, which is not in memory. Yield "
            "arrays or frames, or pass each to partial_fit."
        )
