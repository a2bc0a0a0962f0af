"""The state of the scalers: what fit learns, how it changes, and how statistics are read.

The public attributes are the state. ``_moments`` is an array of the digits that they cannot hold:
three rows, the low part of the mean and both parts of ``m2``; or, where a channel has a unit of
its own, a weight is extreme or the mean is not public, the whole table of :class:`Moments` and the
exponent of the weights. It counts only for channels whose public attributes agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from sknorm._scalers.parameters import real_numbers
from sknorm._statistics.moments import EMPTY, SAFE_EXPONENT, Moments

Array = NDArray[np.float64]
Scaler = TypeVar("Scaler")
Method = TypeVar("Method", bound=Callable[..., Any])

# All that fit learns, in the order in which it is kept.
LEARNED = (
    "n_features_in_",
    "feature_names_in_",
    "shape_",
    "mean_",
    "var_",
    "mean_square_",
    "center_",
    "_sketches",
    "scale_",
    "n_samples_seen_",
    "_moments",
    "_centered",
    "_eps",
    "_ddof",
    "groups_",
    "pooled_",
    "_numbers",
    "_group_statistics",
    "_training",
)
FLOAT64 = np.dtype(np.float64)
# Means beyond this, set by hand, need a unit of their own (see ``SAFE_EXPONENT``).
LARGEST = 2.0**SAFE_EXPONENT


def snapshot(scaler: Scaler) -> Scaler:
    """Return a reader of the scaler's state as it is now: later fits replace it as a whole."""
    reader: Scaler = object.__new__(type(scaler))
    reader.__dict__ = scaler.__dict__
    return reader


def draft(scaler: Scaler, *, forget: bool) -> Scaler:
    """Return a copy to prepare a new state in, with or without what was learned."""
    copy: Scaler = object.__new__(type(scaler))
    copy.__dict__ = {
        name: value for name, value in scaler.__dict__.items() if not (forget and name in LEARNED)
    }
    return copy


def commit(scaler: Scaler, prepared: Mapping[str, Any]) -> Scaler:
    """Take over what was learned, by one assignment, and nothing else."""
    state = {name: value for name, value in scaler.__dict__.items() if name not in LEARNED}
    state |= {name: prepared[name] for name in LEARNED if name in prepared}
    scaler.__dict__ = state
    return scaler


def take_over(prepared: Any, other: Any) -> None:
    """Set what was learned to what another scaler has learned."""
    learned = vars(other)
    vars(prepared).update((name, learned[name]) for name in LEARNED if name in learned)


def underflow_allowed() -> np.errstate:
    """Return the context in which numbers may come near 0, though NumPy may be told to raise."""
    return np.errstate(under="ignore")


def all_or_nothing(method: Method) -> Method:
    """Decorate a method that learns: where it raises, what was learned before stays."""

    @wraps(method)
    def learn(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = self.__dict__
        try:
            with underflow_allowed():
                return method(self, *args, **kwargs)
        except BaseException:
            if self.__dict__ is not before:
                commit(self, before)
            raise

    return cast(Method, learn)


def read_attribute(scaler: Any, name: str, n_channels: int) -> Array:
    """Return a public attribute as one float64 per channel.

    An array of one value serves all channels, as in NumPy, unless their number is a parameter.
    """
    strict = scaler.n_channels is not None
    value = getattr(scaler, name, None)
    if (
        type(value) is np.ndarray
        and value.dtype == FLOAT64
        and value.shape == (n_channels,)
        and value.flags.c_contiguous
        and value.flags.aligned
    ):
        return value
    if value is None:
        raise ValueError(
            f"{type(scaler).__name__} needs {name} for these parameters, and it is not there. "
            f"Fit again, or set {name}."
        )
    array = real_numbers(name, value)
    if array.ndim == 0 or (array.shape == (1,) and not strict):
        return np.full(n_channels, array)
    if array.shape != (n_channels,):
        raise ValueError(
            f"{name} has shape {array.shape}, but n_channels={scaler.n_channels} gives "
            f"{n_channels} channels. Set {name} to a number or an array of shape "
            f"({n_channels},), or use fit to start anew."
        )
    return np.require(array, requirements=["C", "A"])


def pack(moments: Moments, *, has_mean: bool) -> Array:
    """Return the digits that the public attributes cannot hold."""
    table = moments.table
    plain = not (moments.weight_exponent or table[1].any() or moments.exponent.any())
    if plain and has_mean:
        return table[3:6].copy()
    weight_exponent = np.full((1, table.shape[1]), float(moments.weight_exponent))
    return np.concatenate([table[:7], weight_exponent])


def unpack(
    stored: Array | None, count: Array, mean: Array | None, var: Array | None, ddof: float
) -> Moments:
    """Return the moments of the public attributes, with the stored digits that agree with them.

    ``mean`` and ``var`` are None where they are not public; then only the digits tell them.
    ``ddof`` is that of the public variance.
    """
    if stored is not None and stored.dtype.kind == "f":
        stored = stored.astype(np.float64, copy=False)
        if stored.shape == (8, count.size):
            moments = Moments.without_extremes(stored[:7], int(stored[7, 0]))
            return _with_table(moments, count, mean, var, ddof)
        if stored.shape == (3, count.size) and mean is not None:
            return _with_digits(stored, count, mean, var, ddof)
    if mean is None or var is None:
        raise ValueError(
            "The statistics so far are not known: mean_ and var_ are not there. Use fit to start "
            "anew, or set them."
        )
    return _public(count, mean, var, ddof)


def _with_table(
    table: Moments, count: Array, mean: Array | None, var: Array | None, ddof: float
) -> Moments:
    """Return the moments in a stored table, of the channels that agree with it."""
    agrees = _same(_rounded(table.count, count), count)
    if var is not None:
        agrees &= _same(table.var_of(ddof), var)
    if mean is not None:
        with np.errstate(over="ignore"):
            unit_mean = np.where(count > 0, np.ldexp(mean, -table.exponent), 0.0)
        edited = ~_same(table.mean, mean)
        agrees &= ~edited | (np.abs(unit_mean) < LARGEST)
        known = table.table.copy()
        known[2:4, edited] = unit_mean[edited], 0.0 * unit_mean[edited]
        table = Moments(known, table.weight_exponent)
    if agrees.all():
        return table
    mean = table.mean if mean is None else mean
    return _where(agrees, table, count, mean, table.var_of(ddof) if var is None else var, ddof)


def _with_digits(
    stored: Array, count: Array, mean: Array, var: Array | None, ddof: float
) -> Moments:
    """Return the moments of the public attributes and three rows of digits below them."""
    table = np.zeros((7, count.size))
    table[0], table[2] = count, np.where(count > 0, mean, 0.0)
    table[3] = np.where(table[2] + stored[0] == table[2], stored[0], 0.0)
    table[4:6] = stored[1:]
    table[6] = np.where((table[2] == 0.0) & (table[4] == 0.0), EMPTY, 0.0)
    moments = Moments.without_extremes(table)
    agrees = ~(np.abs(table[2]) > LARGEST)
    if var is not None:
        agrees &= _same(moments.unit_var_of(ddof), var)
    if agrees.all():
        return moments
    return _where(agrees, moments, count, mean, moments.var_of(ddof) if var is None else var, ddof)


def _where(
    agrees: NDArray[np.bool_], known: Moments, count: Array, mean: Array, var: Array, ddof: float
) -> Moments:
    """Return the known moments where they agree, elsewhere those of the public attributes."""
    kept = np.where(agrees, known.table, Moments.zero(count.size).table)
    public = _public(np.where(agrees, 0.0, count), mean, var, ddof)
    return Moments(kept, known.weight_exponent).merge(public)


def _public(count: Array, mean: Array, var: Array, ddof: float) -> Moments:
    filled = count > 0
    if ddof:
        # Of so few values no variance is known: they are equal for all that it says.
        var = np.where(filled & (count <= ddof), 0.0, var)
        var = var * (np.maximum(count - ddof, 0.0) / np.where(filled, count, 1.0))
    for name, values in (("n_samples_seen_", count), ("mean_", mean), ("var_", var)):
        bad = ~np.isfinite(values) & (filled | (name == "n_samples_seen_"))
        bad |= values < 0 if name != "mean_" else False
        if bad.any():
            channel = int(np.argmax(bad))
            raise ValueError(
                f"{name} is {values[channel]} for channel {channel}, from which statistics cannot "
                "go on. Use fit to start anew."
            )
    return Moments.from_var(count, mean, var)


def _rounded(found: Array, public: Array) -> Array:
    """Return counts as they were made public: whole, if they are of values without weights."""
    return np.rint(found) if np.array_equal(public, np.rint(public)) else found


def _same(a: Array, b: Array) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = a == b
    return same if same.all() else same | (np.isnan(a) & np.isnan(b))
