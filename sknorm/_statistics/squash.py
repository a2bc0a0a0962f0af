"""The map that centers and scales each channel and draws it into an interval, as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sknorm._statistics.affine import Affine

Array = NDArray[np.float64]

NUMBERS = {"soft": 1, "tanh": 2, "clip": 3}


@dataclass(frozen=True, eq=False)
class Squash:
    """``y = squash((x * power - center) * times) * gamma + beta``, with results within the bound.

    ``center`` and ``times`` are in units of ``1 / power``, a power of two that is 1 but for extreme
    numbers. Where ``times`` is 0, all finite values become 0.
    """

    center: Array
    times: Array
    gamma: Array
    beta: Array
    power: Array
    bound: float
    name: str

    @classmethod
    def of(cls, affine_map: Affine, bound: float, name: str) -> Squash:
        """Return the squash of a map in safe units, of infinite scale where all values become 0."""
        one = np.ones_like(affine_map.scale)
        power = affine_map.power(inverse=False)
        gamma, beta = affine_map.gamma, affine_map.beta
        with np.errstate(all="ignore"):
            times = 1.0 / affine_map.scale
        return cls(
            affine_map.shift,
            times,
            one if gamma is None else gamma,
            np.zeros_like(one) if beta is None else beta,
            one if power is None else power,
            bound,
            name,
        )

    def take(self, channels: NDArray[np.integer] | slice) -> Squash:
        """Return the map of the given channels."""
        names = ("center", "times", "gamma", "beta", "power")
        return replace(self, **{name: getattr(self, name)[channels] for name in names})

    def arrays(self) -> tuple[Array, Array, Array, Array, Array]:
        """Return what differs by channel."""
        return self.center, self.times, self.gamma, self.beta, self.power

    def arguments(self) -> tuple[Array, Array, Array, Array, Array, float, int]:
        """Return what the loop takes."""
        return *self.arrays(), self.bound, NUMBERS[self.name]
