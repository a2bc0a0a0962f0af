"""What a fitted scaler does with a column, as an expression that an engine computes.

The engine's numbers are float64; a column of float32 becomes that again at the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sknorm._statistics.affine import Affine

# Beyond this the smooth clip is at its bound, and squares would overflow.
FAR = 1e150


@dataclass(frozen=True)
class Formula:
    """The map of each column, and the squash after it, or the way back.

    ``affine`` has one entry per column; ``squash`` is None, "soft", "tanh" or "clip".
    """

    affine: Affine
    squash: str | None = None
    bound: float = math.inf
    inverse: bool = False

    def expression(self, column: Any, place: int, engine: Any) -> Any:
        """Return the map of a column, which is an expression of float64.

        ``engine`` is narwhals, or what has its functions.
        """
        if self.inverse:
            return self._inverse(column, place, engine)
        z = _times_power(column, -self._exponent(place)) - self._value("shift", place, 0.0)
        scale = self._value("scale", place, 1.0)
        z = z * 0.0 if math.isinf(scale) else z / scale
        z = self._squashed(z, column, engine)
        gamma, beta = self._value("gamma", place, 1.0), self._value("beta", place, 0.0)
        z = z if gamma == 1.0 else z * gamma
        return z if beta == 0.0 else z + beta

    def _inverse(self, column: Any, place: int, engine: Any) -> Any:
        gamma, beta = self._value("gamma", place, 1.0), self._value("beta", place, 0.0)
        y = column if beta == 0.0 else column - beta
        y = y if gamma == 1.0 else y / gamma
        y = self._unsquashed(y, engine)
        scale = self._value("scale", place, 1.0)
        y = y * (0.0 if math.isinf(scale) else scale) + self._value("shift", place, 0.0)
        return _times_power(y, self._exponent(place))

    def _squashed(self, z: Any, column: Any, engine: Any) -> Any:
        if self.squash is None:
            return z
        bound = self.bound
        if self.squash == "clip":
            squashed = z.clip(-bound, bound)
        elif self.squash == "soft":
            ratio = z.clip(-FAR * bound, FAR * bound) / bound
            squashed = ratio * bound / (1.0 + ratio * ratio).sqrt()
        else:
            ratio = z.clip(-30.0 * bound, 30.0 * bound) / bound
            squashed = bound * (2.0 / (1.0 + (-2.0 * ratio).exp()) - 1.0)
        # Some engines take NaN for the largest number, and would clip it.
        return engine.when(column.is_nan()).then(column).otherwise(squashed)

    def _unsquashed(self, y: Any, engine: Any) -> Any:
        if self.squash in (None, "clip"):
            return y
        inside = y.clip(-self.bound, self.bound) / self.bound
        if self.squash == "soft":
            z = inside * self.bound / ((1.0 - inside) * (1.0 + inside)).sqrt()
        else:
            z = ((1.0 + inside) / (1.0 - inside)).log() * (0.5 * self.bound)
        z = engine.when(y >= self.bound).then(math.inf).otherwise(z)
        z = engine.when(y <= -self.bound).then(-math.inf).otherwise(z)
        return engine.when(y.is_nan()).then(y).otherwise(z)

    def _exponent(self, place: int) -> int:
        exponent = self.affine.exponent
        return 0 if exponent is None else int(exponent[place])

    def _value(self, name: str, place: int, default: float) -> float:
        values = getattr(self.affine, name)
        return default if values is None else float(values[place])


def _times_power(column: Any, exponent: int) -> Any:
    """Return a column times a power of two, of which float64 may not have the whole."""
    if not exponent:
        return column
    half = exponent // 2
    return column * math.ldexp(1.0, half) * math.ldexp(1.0, exponent - half)
