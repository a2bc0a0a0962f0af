"""The one place where the estimators' parameters are checked, and what errors say of them."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._compat import as_numpy
from sknorm._scalers.objects import NotNumbersError, numbers_of, show

Array = NDArray[np.float64]


def _number(value: Any) -> float:
    """Return a real number as a float, infinite if it is too large, NaN if none."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf


def check_flag(name: str, value: Any) -> None:
    """Refuse what is not True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {value!r}.")


def resolve_copy(estimator: Any, copy: Any) -> bool:
    """Return the argument ``copy`` of a method, or the parameter where it is None."""
    copy = estimator.copy if copy is None else copy
    check_flag("copy", copy)
    return bool(copy)


def check_auto(name: str, value: Any) -> None:
    """Refuse what is not True, False or 'auto'."""
    if not (isinstance(value, (bool, np.bool_)) or (isinstance(value, str) and value == "auto")):
        raise ValueError(f"{name} must be True, False or 'auto', got {value!r}.")


def check_positive(name: str, value: Any) -> None:
    """Refuse what is not a finite number above 0."""
    if not 0 < _number(value) < np.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}.")


def check_not_negative(name: str, value: Any, hint: str = "") -> None:
    """Refuse what is not a finite number >= 0; the hint says more of what it is."""
    if not 0 <= _number(value) < np.inf:
        raise ValueError(f"{name} must be a finite number >= 0, got {value!r}.{hint}")


def check_ddof(value: Any) -> None:
    """Refuse what is not a finite number >= 0."""
    check_not_negative("ddof", value, " 0 gives the biased variance, 1 the unbiased one.")


def check_shrinkage(value: Any) -> None:
    """Refuse what is not 'auto', 'none' or a finite number >= 0."""
    if isinstance(value, Real):
        check_not_negative("shrinkage", value, " A number is that of the values that are added.")
    elif not isinstance(value, str) or value not in ("auto", "none"):
        raise ValueError(f"shrinkage must be 'auto', 'none' or a number, got {value!r}.")


def check_drift_settings(alpha: Any, threshold: Any) -> None:
    """Refuse a rate that is not between 0 and 1, and a threshold that is no size."""
    if not 0 < _number(alpha) < 1:
        raise ValueError(f"alpha must be a number between 0 and 1, got {alpha!r}.")
    check_not_negative("threshold", threshold, " It is in standard deviations.")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the choices."""
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        raise ValueError(f"{name} must be {known}, got {value!r}.")


def check_momentum(value: Any) -> None:
    """Refuse what is neither None nor in (0, 1]."""
    if value is not None and not 0 < _number(value) <= 1:
        raise ValueError(
            f"momentum must be None or a number in (0, 1], got {value!r}. It is the weight of the "
            "newest batch, as in torch (Keras names the weight of the old statistics)."
        )


def check_n_jobs(value: Any) -> None:
    """Refuse what is neither None nor a whole number other than 0."""
    if value is None:
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or value == 0:
        raise ValueError(f"n_jobs must be None or a whole number other than 0, got {value!r}.")


def check_quantile_range(value: Any, unit_variance: bool) -> None:
    """Refuse what is not two percentiles in their order."""
    fits = isinstance(value, (Sequence, np.ndarray)) and np.ndim(value) == 1 and len(value) == 2
    low, high = map(_number, value) if fits else (np.nan, np.nan)
    if not 0.0 <= low <= high <= 100.0:
        raise ValueError(
            f"Invalid quantile range: {value!r}. quantile_range must be two percentiles between 0 "
            "and 100, the first not above the second."
        )
    if unit_variance and not 0.0 < low < high < 100.0:
        raise ValueError(
            f"unit_variance=True divides by the distance of quantile_range={value!r} in a normal "
            "distribution, which is 0 or infinite. Choose two percentiles between 0 and 100."
        )


def check_divisor(name: str, value: Any, of: int, what: str) -> int:
    """Return a whole number >= 1 that divides ``of``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number >= 1, got {value!r}.")
    if of % int(value):
        divisors = [str(d) for d in range(1, of + 1) if of % d == 0]
        raise ValueError(
            f"{name}={value} does not divide the {of} {what} of X. Choose one of "
            f"{', '.join(divisors[:12])}{', …' if len(divisors) > 12 else ''}."
        )
    return int(value)


def real_numbers(name: str, value: Any) -> Array:
    """Return numbers of any container as a new array; refuse dates, masks and complex numbers."""
    try:
        if np.ma.is_masked(value):
            raise TypeError("masked values")
        return np.array(numbers_of(as_numpy(value)), dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError, NotNumbersError) as error:
        raise ValueError(f"{name} must be numeric, got {show(value)}.") from error


def check_affine(name: str, value: Any, default: float, shapes: list[tuple[int, ...]]) -> Array:
    """Return gamma or beta as an array of one of the given shapes; a scalar fills the first."""
    if value is None:
        return np.full(shapes[0], default)
    array = real_numbers(name, value)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {show(value)}.")
    if array.ndim == 0:
        return np.full(shapes[0], array)
    if array.shape not in shapes:
        allowed = " or ".join(str(shape) for shape in dict.fromkeys(shapes))
        raise ValueError(
            f"{name} has shape {array.shape}, but X needs a number or shape {allowed}."
        )
    return array
