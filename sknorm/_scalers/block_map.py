"""A method of a fitted scaler as a function of a block of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._compat import root_of
from sknorm._scalers import state
from sknorm._scalers.frames import column_names


@dataclass(frozen=True)
class BlockMap:
    """A method of a fitted scaler as a function of a block; it can be pickled."""

    scaler: Any
    method: str
    keys: tuple[str, ...] = ()

    def example(self, block: Any) -> Any:
        scaler = state.draft(self.scaler, forget=False)
        if hasattr(scaler, "unseen"):
            scaler.unseen = "pooled"  # whatever group the example is of
        return replace(self, scaler=scaler)(block)

    def __call__(self, block: Any) -> Any:
        if not self.keys:
            return getattr(self.scaler, self.method)(block)
        parts = self.scaler._parts(block, None, reset=False)
        values = self.scaler._apply(parts, inverse=self.method == "inverse_transform")
        names = [name for name in column_names(block) if name not in self.keys]
        # The columns of the key are handed on as they are.
        scaled = {name: values[:, place] for place, name in enumerate(names)}
        return scaled | {name: block[name] for name in self.keys}

    def with_missing(self, block: Any) -> tuple[Any, NDArray[np.bool_] | None]:
        # A class of somebody else's may have a transform of its own.
        is_own = root_of(self.scaler) == "sknorm" and hasattr(self.scaler, "_normalized")
        if self.method != "transform" or not is_own:
            return self(block), None
        with state.underflow_allowed():
            found: tuple[Any, NDArray[np.bool_] | None] = self.scaler._normalized(block, copy=True)
        return found
