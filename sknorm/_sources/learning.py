"""Learning from data in parts: a scaler is fitted on each, and the fitted scalers are merged."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.base import clone

from sknorm._compat import without_callbacks


class Reader(Protocol):
    """What is found out of parts of the data, and joined; None is what there is of no rows.

    It can be pickled, as what it finds can. ``keys`` are the names of columns that need not be
    numbers.
    """

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of columns that need not be numbers."""

    def part(self, block: Any, sample_weight: Any = None) -> Any:
        """Return what there is to know of a block."""

    def add(self, so_far: Any, block: Any, sample_weight: Any = None) -> Any:
        """Return what there is to know of what was seen before, and of a block."""

    def merge(self, parts: Iterable[Any]) -> Any:
        """Return what there is to know of several parts."""


@dataclass(frozen=True)
class Learner:
    """What fits a scaler on a part of the data, wherever that part is.

    ``scaler`` is not fitted. It has no momentum: the parts are of one batch, and come in any order.
    """

    scaler: Any
    keys: tuple[str, ...] = ()

    @classmethod
    def like(cls, scaler: Any, keys: tuple[str, ...] = ()) -> Learner:
        """Return one for the class and the parameters of a scaler."""
        plain = without_callbacks(clone(scaler))
        momentum = [name for name in plain.get_params() if name.rpartition("__")[2] == "momentum"]
        return cls(plain.set_params(**dict.fromkeys(momentum)), keys)

    def part(self, block: Any, sample_weight: Any = None) -> Any:
        """Return a scaler fitted on a block, or None if that has no rows."""
        return self.add(None, block, sample_weight)

    def add(self, so_far: Any, block: Any, sample_weight: Any = None) -> Any:
        """Return a scaler fitted on what another one, or none, has seen, and on a block."""
        if not block.shape[0] or (sample_weight is not None and not np.any(sample_weight)):
            return so_far  # there may be rows that count in other blocks
        scaler = copy(self.scaler) if so_far is None else so_far
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        return scaler.partial_fit(block, **weighted)

    def merge(self, parts: Iterable[Any]) -> Any:
        """Return what scalers have seen together, or None of none."""
        known = [part for part in parts if part is not None]
        if len(known) < 2:
            return known[0] if known else None
        return copy(self.scaler)._merge_copies(known)
