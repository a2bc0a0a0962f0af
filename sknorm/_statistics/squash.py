"""The map that centers and scales each channel and draws it into an interval, as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NUMBERS = {"soft": 1, "tanh": 2, "clip": 3}
# Scales and centers beyond these powers of two are computed with in another unit.
SAFE = 900


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
    def of(
        cls,
        center: Array,
        scale: Array,
        gamma: Array | None,
        beta: Array | None,
        bound: float,
        name: str,
    ) -> Squash:
        """Return the map of a center and a divisor, which is infinite where all become 0."""
        _, exponent = np.frexp(scale)
        exponent = np.where(np.isfinite(scale), exponent, 0)
        _, far = np.frexp(center)
        exponent = np.where((far > SAFE) & (exponent > -SAFE // 2), SAFE, exponent)
        exponent = np.where(np.abs(exponent) >= SAFE, exponent // 2, 0)
        power = np.ldexp(1.0, -exponent)
        with np.errstate(all="ignore"):
            center, times = center * power, 1.0 / (scale * power)
        one = np.ones_like(center)
        gamma, beta = one if gamma is None else gamma, 0.0 * one if beta is None else beta
        return cls(center, times, gamma, beta, power, bound, name)

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
