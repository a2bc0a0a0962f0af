"""The keys that say which group a row is of: where they are, and the number of each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sknorm._backends import dispatch
from sknorm._compat import as_numpy
from sknorm._scalers.dates import date_key, date_order, is_date
from sknorm._scalers.encoded import (
    DENSE,
    Encoded,
    encode,
    encode_objects,
    renumber,
    without_gaps,
)
from sknorm._scalers.frames import (
    column_at,
    column_names,
    column_reader,
    is_frame,
    objects,
    raw_values,
)

AnyArray = NDArray[Any]
Codes = NDArray[np.intp]
Column = AnyArray | Encoded
Keys = list[Hashable] | AnyArray  # an array of numbers, of which its list has Python's

LARGEST = np.iinfo(np.int64).max
MISSING = None  # the key of rows without one
KEY_TYPES = {str, int, bool, type(MISSING)}  # whose values are keys as they are


def read_keys(X: Any, positions: Sequence[int]) -> list[Column]:
    """Return the columns of X that are keys, as they are."""
    return [_column(X, position) for position in positions]


def _column(X: Any, position: int) -> Column:
    if is_frame(X):
        return _values(column_at(X, position))
    if sparse.issparse(X):
        return np.asarray(X[:, [position]].toarray())[:, 0]
    return as_numpy(X[:, position])


def _values(column: Any) -> Column:
    encoded = encode(column)
    return raw_values(column) if encoded is None else encoded


def given_keys(groups: Any, n_samples: int) -> list[Column]:
    """Return the keys that the argument ``groups`` has: one per row, or one row of them."""
    columns: list[Column]
    if is_frame(groups):
        columns = [_values(column_at(groups, k)) for k in range(len(column_names(groups)))]
    elif column_reader(groups):
        columns = [_values(groups)]
    else:
        array = _as_keys(groups)
        if array.ndim > 2 or array.ndim == 0:
            raise ValueError(
                f"groups must have one key per row of X, or one row of keys, got shape "
                f"{array.shape}."
            )
        columns = [array] if array.ndim == 1 else list(array.T)
    if not columns or any(len(column) != n_samples for column in columns):
        length = len(columns[0]) if columns else 0
        raise ValueError(
            f"groups has {length} keys, but X has {n_samples} rows. Give one key per row."
        )
    return columns


def _as_keys(groups: Any) -> AnyArray:
    """Return keys as an array, lists of mixed types as they are."""
    if isinstance(groups, np.ma.MaskedArray) and np.ma.is_masked(groups):
        keys = groups.data.astype(object)
        keys[np.ma.getmaskarray(groups)] = MISSING
        return keys
    if hasattr(groups, "__dlpack__") or isinstance(groups, np.ndarray):
        return as_numpy(groups)
    array = np.asarray(groups)
    return np.asarray(groups, dtype=object) if array.dtype.kind in "US" else array


class Numbering(Mapping[Hashable, int]):
    """The numbers of keys, which are 0, 1, … in their order: those are found when first needed."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    @cached_property
    def _numbers(self) -> dict[Hashable, int]:
        return {key: number for number, key in enumerate(self)}

    def __getitem__(self, key: Hashable) -> int:
        return self._numbers[key]

    def __iter__(self) -> Iterator[Hashable]:
        return iter(as_list(self._keys))

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, keys: Keys) -> Codes:
        """Return the number of each key, -1 where it has none."""
        known = self._numbers
        return np.array([known.get(key, -1) for key in as_list(keys)], dtype=np.intp)

    def with_more(self, keys: Keys) -> tuple[Numbering, Codes]:
        """Return these with more keys, of which some may be known, and the numbers of those."""
        numbers = dict(self._numbers)
        found = [numbers.setdefault(key, len(numbers)) for key in as_list(keys)]
        return Numbering(list(numbers)), np.array(found, dtype=np.intp)

    def array(self) -> AnyArray:
        """Return the keys as an array: of numbers or text, if they all are that, else objects."""
        return self._keys.copy() if isinstance(self._keys, np.ndarray) else as_array(self._keys)


def as_list(keys: Keys) -> list[Hashable]:
    """Return keys as Python's objects."""
    return keys.tolist() if isinstance(keys, np.ndarray) else keys


@dataclass(frozen=True, eq=False)
class Coded:
    """The keys that there are, and a number per row; keys rise with their numbers.

    Numbers may have gaps, where it is known how many rows have each, and ``codes`` have none.
    """

    numbers: Codes
    keys: Keys
    counted: Codes | None = None

    @cached_property
    def counts(self) -> Codes:
        """How many rows have each number."""
        if self.counted is None:
            return dispatch.counts(self.numbers, len(self.keys))
        return self.counted

    @cached_property
    def codes(self) -> Codes:
        """The place of each row's key among those that there are."""
        return self.numbers if self.counted is None else without_gaps(self.numbers, self.counted)


def factorize(columns: list[Column], names: list[str]) -> Coded:
    """Return the keys of rows, which are tuples of several columns.

    They are sorted, the missing one last. ``names`` are what errors call the columns.

    Raises
    ------
    ValueError
        If a key of floats is NaN.
    """
    found = [_factorize(column, name) for column, name in zip(columns, names, strict=True)]
    if len(found) == 1:
        return found[0]
    codes = found[0].codes
    tuples: list[tuple[Hashable, ...]] = [(key,) for key in as_list(found[0].keys)]
    for more in found[1:]:
        others = as_list(more.keys)
        codes, used = renumber(codes * len(others) + more.codes, len(tuples) * len(others))
        first, second = np.divmod(used, len(others))
        tuples = [(*tuples[i], others[j]) for i, j in zip(first, second, strict=True)]
    return Coded(codes, list(tuples))


def _factorize(column: Column, name: str) -> Coded:
    if isinstance(column, Encoded):
        return _factorize_encoded(column)
    kind = column.dtype.kind
    if kind in "iub":
        return _factorize_integers(column)
    if kind == "f":
        _refuse_nan(column, name)
        values, codes = np.unique(column.astype(np.float64) + 0.0, return_inverse=True)
        return Coded(codes.reshape(-1), values)
    if kind == "V" or kind == "c":
        raise ValueError(
            f"{name} is of {column.dtype}, which is no key. Use numbers, text or dates."
        )
    if kind in "Mm":
        dates, codes = np.unique(column, return_inverse=True)
        return _numbered(codes.reshape(-1), dates)
    return _factorize_objects(column, name)


def _factorize_integers(column: AnyArray) -> Coded:
    if column.dtype.kind == "b":
        codes, used = renumber(column.astype(np.intp), 2)
        return Coded(codes, [bool(value) for value in used])
    low, high = int(column.min()), int(column.max())
    if high - low < DENSE * column.size + 1024:
        # The difference may exceed the range of few bits.
        wide = column if column.dtype.itemsize == 8 else column.astype(np.int64)
        numbers = wide if low == 0 else wide - wide.dtype.type(low)
        numbers = np.ascontiguousarray(numbers, np.intp)
        counts = dispatch.counts(numbers, high - low + 1)
        used = np.flatnonzero(counts)
        keys: Keys = used + low if high <= LARGEST else [low + value for value in used.tolist()]
        return Coded(numbers, keys, counts)
    values, codes = np.unique(column, return_inverse=True)
    found = values.astype(np.int64) if high <= LARGEST else values.tolist()
    return Coded(codes.reshape(-1), found)


def _factorize_encoded(column: Encoded) -> Coded:
    codes, used = renumber(column.codes, len(column.values))
    return _numbered(codes, [column.values[place] for place in used])


def _factorize_objects(column: AnyArray, name: str) -> Coded:
    if (encoded := encode_objects(column)) is not None:
        return _factorize_encoded(encoded)
    numbers: dict[Hashable, int] = {}
    values = column.tolist()
    try:
        codes = [numbers.setdefault(value, len(numbers)) for value in values]
    except TypeError:
        _refuse_unhashable(values, name)
    return _numbered(np.array(codes, dtype=np.intp), numbers)


def _numbered(codes: Codes, values: Iterable[Any]) -> Coded:
    """Return the numbers of the keys that rows have, of which several values may be one."""
    values = list(values)
    are_keys = set(map(type, values)) <= KEY_TYPES
    keys = values if are_keys else [key_of(value) for value in values]
    places = {key: place for place, key in enumerate(_in_order(set(keys)))}
    return Coded(np.array([places[key] for key in keys], dtype=np.intp)[codes], list(places))


def _in_order(keys: set[Hashable]) -> list[Hashable]:
    """Return keys sorted, those of types that have no order by type and text; missing ones last."""
    missing = [MISSING] if MISSING in keys else []
    known: list[Any] = list(keys - {MISSING})
    are_dates = all(isinstance(key, (np.datetime64, np.timedelta64)) for key in known)
    try:
        return sorted(known, key=date_order if are_dates else None) + missing
    except TypeError:
        return sorted(known, key=lambda key: (type(key).__name__, str(key))) + missing


def is_missing(key: Any) -> bool:
    """Tell whether a key stands for none: None, NaN, pandas.NA or NaT."""
    if key is None or type(key).__name__ in ("NAType", "NaTType"):
        return True
    try:
        return bool(key != key)
    except (TypeError, ValueError):
        return False


def key_of(value: Any) -> Hashable:
    """Return the key that a value is: dates as NumPy has them, numbers and text as Python does."""
    if is_missing(value):
        return MISSING
    if is_date(value):
        return date_key(value)
    is_number = isinstance(value, (np.number, np.bool_, np.str_))
    plain: Hashable = value.item() if is_number else value
    return plain


def as_array(keys: list[Hashable]) -> AnyArray:
    """Return keys as an array: of numbers or text, if they all are that, else of objects."""
    if len(set(map(type, keys))) == 1 and type(keys[0]) in (int, float, str):
        plain = np.array(keys)
        # Some integers become floats, and text loses NUL at its end.
        if plain.tolist() == keys:
            return plain
    return objects(keys)


def find(key: Any, numbers: Mapping[Hashable, int]) -> int | None:
    """Return the number of a key, in whatever form it is given; None if it has none."""
    try:
        plain = tuple(map(key_of, key)) if isinstance(key, tuple) else key_of(key)
        return numbers.get(plain, numbers.get(key))
    except TypeError:  # it cannot be a key
        return None


def _refuse_nan(column: AnyArray, name: str) -> None:
    bad = ~np.isfinite(column)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"{name} is a key of numbers, and it is {column[row]} in row {row}. Drop these rows, "
            "or give them a group of their own: fill in a number, or use text, where a missing "
            "key is a group."
        )


def _refuse_unhashable(values: list[Any], name: str) -> NoReturn:
    for row, value in enumerate(values):
        try:
            hash(value)
        except TypeError as error:
            raise ValueError(
                f"{name} has a {type(value).__name__} in row {row}, which is no key. Use numbers, "
                "text, dates or tuples."
            ) from error
    raise ValueError(f"{name} has values that are no keys. Use numbers, text or dates.")
