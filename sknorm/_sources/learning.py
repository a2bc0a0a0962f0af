"""Learning from data in parts: what is known of each is joined to what is known of all.

A scaler is fitted on each part, and the fitted scalers are merged.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from sknorm._compat import Subtask, without_callbacks


class Reader:
    """What is found out of parts of the data, and joined; None is what there is of no rows.

    Subclasses say how one more block is read (``read``) and how what is known of several parts is
    joined (``join``). They and what they find can be pickled.
    """

    def part(self, block: Any, sample_weight: Any = None) -> Any:
        """Return what there is to know of a block."""
        return self.add(None, block, sample_weight)

    def add(self, so_far: Any, block: Any, sample_weight: Any = None) -> Any:
        """Return what there is to know of what was seen before, and of a block."""
        if not block.shape[0] or (sample_weight is not None and not np.any(sample_weight)):
            return so_far  # there may be rows that count in other blocks
        return self.read(so_far, block, sample_weight)

    def merge(self, parts: Iterable[Any]) -> Any:
        """Return what there is to know of several parts."""
        known = [part for part in parts if part is not None]
        if len(known) < 2:
            return known[0] if known else None
        return self.join(known)

    def read(self, so_far: Any, block: Any, sample_weight: Any) -> Any:
        """Return what is known after one more block, which has rows that count."""
        raise NotImplementedError

    def join(self, known: list[Any]) -> Any:
        """Return what is known of two or more parts."""
        raise NotImplementedError


@dataclass(frozen=True)
class Learner(Reader):
    """What fits a scaler on parts of the data, wherever they are.

    ``scaler`` is not fitted. ``subtask`` is what each fit on a block is made in.
    """

    scaler: Any
    subtask: Subtask = nullcontext

    @classmethod
    def like(cls, scaler: Any, subtask: Subtask = nullcontext) -> Learner:
        """Return one for the class and the parameters of a scaler, but for its momentum.

        The parts are of one batch, and come in any order.
        """
        plain = without_callbacks(clone(scaler))
        momentum = [name for name in plain.get_params() if name.rpartition("__")[2] == "momentum"]
        return cls(plain.set_params(**dict.fromkeys(momentum)), subtask)

    def read(self, so_far: Any, block: Any, sample_weight: Any) -> Any:
        """Return a scaler that has seen what another one, or none, has seen, and a block.

        It learns by parts: what it knows is its own once ``_settle`` is called.
        """
        scaler = copy(self.scaler) if so_far is None else so_far
        with self.subtask():
            scaler._learn_more(block, sample_weight)
        return scaler

    def join(self, known: list[Any]) -> Any:
        """Return a scaler that has seen what several have seen."""
        return copy(self.scaler)._merge_copies(known)
