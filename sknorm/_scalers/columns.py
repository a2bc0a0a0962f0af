"""Which features are meant: by name, position, slice or mask."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]


def is_single(columns: Any) -> bool:
    """Tell whether one feature is meant, not a list of them."""
    return isinstance(columns, (str, Integral)) and not isinstance(columns, (bool, np.bool_))


def is_list(value: Any) -> bool:
    """Tell whether a value is several, not one name or number."""
    return np.iterable(value) and not isinstance(value, (str, bytes))


def find_columns(
    columns: Any, n_features: int, names: Any, parameter: str = "columns"
) -> Positions:
    """Return the positions of features, each named once; ``names`` are theirs, or None.

    ``parameter`` is what errors say of where they are given.
    """
    positions = _chosen(columns, n_features, names, parameter)
    if not positions.size:
        raise ValueError(f"{parameter} names no feature. Give at least one name or position.")
    unique, counts = np.unique(positions, return_counts=True)
    if (counts > 1).any():
        again = int(unique[np.argmax(counts > 1)])
        raise ValueError(f"{parameter} has feature {_show(again, names)} more than once.")
    return positions


def _chosen(columns: Any, n_features: int, names: Any, parameter: str) -> Positions:
    """Return the positions of features, some of them more than once, if they are named so."""
    if isinstance(columns, slice):
        return np.arange(n_features)[_slice_of_places(columns, names)]
    chosen = list(columns) if is_list(columns) else [columns]
    if chosen and all(isinstance(value, (bool, np.bool_)) for value in chosen):
        if len(chosen) != n_features:
            raise ValueError(
                f"{parameter} is a mask of {len(chosen)} values, but there are {n_features} "
                "features."
            )
        return np.flatnonzero(chosen)
    return np.array([find_column(value, n_features, names) for value in chosen], dtype=np.intp)


def _slice_of_places(columns: slice, names: Any) -> slice:
    """Return a slice by positions: by names, the last one is included, as in scikit-learn."""
    first, last = columns.start, columns.stop
    first = _find_name(first, names) if isinstance(first, str) else first
    last = _find_name(last, names) + 1 if isinstance(last, str) else last
    return slice(first, last, columns.step)


def find_column(column: Any, n_features: int, names: Any) -> int:
    """Return the position of the feature of this name, or at this place, counted as in Python."""
    if isinstance(column, str):
        return _find_name(column, names)
    if not isinstance(column, Integral) or isinstance(column, (bool, np.bool_)):
        raise ValueError(
            f"Features are given by name or position, got {column!r} of type "
            f"{type(column).__name__}."
        )
    place = int(column)
    if not -n_features <= place < n_features:
        raise ValueError(
            f"There is no feature {place}: positions are 0 .. {n_features - 1}, or negative "
            "from the end."
        )
    return place % n_features


def _find_name(name: str, names: Any) -> int:
    if names is None:
        raise ValueError(
            f"Feature {name!r} is given by name, but the scaler knows no names: it was not fitted "
            "on a data frame with text for names. Give positions."
        )
    places = np.flatnonzero(np.asarray(names, dtype=object) == name)
    if places.size > 1:
        raise ValueError(f"{places.size} features are called {name!r}. Give positions.")
    if places.size:
        return int(places[0])
    near = difflib.get_close_matches(name, list(names), n=3)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else _some(list(names))
    raise ValueError(f"There is no feature {name!r}. {hint}")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"The features are {shown}{', …' if len(names) > 8 else ''}."


def _show(position: int, names: Any) -> str:
    return str(position) if names is None else repr(names[position])
