"""Arithmetic on unevaluated sums ``high + low`` of two float64 arrays ("double-double").

About 32 significant digits, so that statistics merged a million times are still right to the
last digit of a float64. Nothing needs a fused multiply-add. Additions do not overflow early;
products need factors below 2**996.

References
----------
T. J. Dekker, "A floating-point technique for extending the available precision", Numerische
Mathematik 18 (1971); D. E. Knuth, The Art of Computer Programming, vol. 2, 4.2.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DoubleDouble = tuple[Array, Array]


def two_sum(a: Array, b: Array) -> DoubleDouble:
    """Return the rounded sum and its exact rounding error."""
    high = a + b
    shifted = high - a
    return high, (a - (high - shifted)) + (b - shifted)


def add(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """Return the normalized sum of two double-double numbers."""
    high, error = two_sum(a[0], b[0])
    low, low_error = two_sum(a[1], b[1])
    high, error = two_sum(high, error + low)
    return two_sum(high, error + low_error)


def subtract(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """Return the normalized difference of two double-double numbers."""
    return add(a, (-b[0], -b[1]))


def multiply(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    """Return the normalized product of two double-double numbers."""
    high, error = two_product(a[0], b[0])
    return two_sum(high, error + (a[0] * b[1] + a[1] * b[0]))


def two_product(a: Array, b: Array) -> DoubleDouble:
    """Return the rounded product and its exact rounding error (Dekker 1971)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _split(a: Array) -> DoubleDouble:
    """Return two halves of 26 bits each, whose sum is the number."""
    large = 134217729.0 * a
    high = large - (large - a)
    return high, a - high
