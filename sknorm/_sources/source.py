"""What all kinds of data have in common that are not an array or a frame in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from sknorm._sources.formula import Formula
from sknorm._sources.learning import Reader


class BlockMap(Protocol):
    """A function of a block; it can be pickled."""

    def __call__(self, block: Any) -> Any:
        """Return the result: an array of numbers, or an array per name."""

    def with_missing(self, block: Any) -> tuple[Any, NDArray[np.bool_] | None]:
        """Return the result, and which of its columns have NaN, or None if that is not known."""

    def example(self, block: Any) -> Any:
        """Return a result of the right shape and types, of a block with anything in it."""


@dataclass(frozen=True)
class Work:
    """What is to be done with each row of a source.

    ``formula`` says it per column, where that is possible, and ``of_block`` does it with a block.
    ``names`` are those of the result; ``keys`` those of columns that need not be numbers.
    """

    of_block: BlockMap
    names: list[str] | None
    formula: Formula | None = None
    keys: tuple[str, ...] = ()


class Source:
    """Data that is read in blocks, each of them an array or a frame in memory.

    ``names`` are those of the columns, or None where there are none or they are not known yet.
    ``is_read_again`` says that the data can be read more than once, and ``is_in_turn`` that the
    blocks are read in this process, one after the other. ``is_stored`` says that it is an array in
    a file, all of which ``read`` returns.
    """

    kind: str
    names: list[str] | None = None
    n_features: int | None = None
    is_read_again = True
    is_in_turn = True
    is_stored = False

    def check_types(self, keys: Iterable[str]) -> None:
        """Refuse columns that are no numbers, but for those that are keys."""

    def learn(self, reader: Reader, sample_weight: Any) -> Any:
        """Return what a reader finds out of all rows, or None if there are none."""
        raise NotImplementedError

    def apply(self, work: Work) -> Any:
        """Return the result of work on each row, which is not done yet."""
        raise NotImplementedError

    def read(self) -> Any:
        """Return all rows, in memory."""
        raise NotImplementedError

    def example(self) -> Any:
        """Return a row of the right shape, whatever is in it."""
        assert self.n_features is not None
        return np.zeros((1, self.n_features))

    def refuse_weights(self, sample_weight: Any) -> None:
        """Refuse weights, where they would have to be split as the data is."""
        if sample_weight is not None:
            raise ValueError(
                f"sample_weight cannot be split as {self.kind} is. Call partial_fit on each batch "
                "with its weights."
            )


def refuse_columns(kind: str, names: list[str], types: list[Any], is_numeric: list[bool]) -> None:
    """Refuse columns that are no numbers, by name, before anything is read."""
    bad = [f"{n!r} ({t})" for n, t, fits in zip(names, types, is_numeric, strict=True) if not fits]
    if bad:
        shown = ", ".join(bad[:20]) + (", …" if len(bad) > 20 else "")
        raise ValueError(
            f"These columns of {kind} are not numeric: {shown}. Select the others first, or turn "
            "dates into numbers and encode text."
        )


def refuse_repeated(kind: str, names: list[str]) -> None:
    """Refuse columns of the same name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            _refuse_name(kind, name)
        seen.add(name)


def _refuse_name(kind: str, name: str) -> NoReturn:
    raise ValueError(f"{kind} has column {name!r} more than once. Give each column its own name.")
