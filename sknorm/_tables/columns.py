"""What becomes of one column of a table."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sknorm._tables.cells import as_text, is_text, plain_values
from sknorm._tables.convert import Notes, TextFormat
from sknorm._tables.errors import TableError, load

if TYPE_CHECKING:
    import pandas

# Text of which so many rows have a value of their own, in fewer words than these, is keys.
KEY_SHARE, KEY_WORDS = 0.5, 1.5
NEAR_EMPTY = 0.9
MISSING_TEXT = "(missing)"
WORDS = {"number": "numbers", "time": "times of day or durations", "date": "dates"}
# Where dates come as text, though they did not in fit.
ISO_DATES = TextFormat("date", date="ISO8601")


@dataclass
class ColumnEncoder:
    """A column that is left out; the others are as this one, and give columns."""

    names_out: list[str] = field(default_factory=list)

    def transform(self, column: pandas.Series) -> pandas.DataFrame:
        """Return the columns that one becomes."""
        return load("pandas").DataFrame(index=column.index)


@dataclass
class NumberEncoder(ColumnEncoder):
    """Numbers, with gaps filled by the median."""

    form: TextFormat | None = None
    median: float = 0.0

    def transform(self, column: pandas.Series) -> pandas.DataFrame:
        """Return a column of numbers without gaps."""
        values = as_number(column, self.form).fillna(self.median)
        return load("pandas").DataFrame({self.names_out[0]: values})


@dataclass
class DateEncoder(ColumnEncoder):
    """Dates, as days since 1970 and what skrub takes out of them."""

    form: TextFormat | None = None
    encoder: Any = None
    medians: Any = None

    def transform(self, column: pandas.Series) -> pandas.DataFrame:
        """Return the parts of a date."""
        return self.parts(as_date(column, self.form)).fillna(self.medians)

    def parts(self, dates: pandas.Series) -> pandas.DataFrame:
        """Return the parts of dates, missing where they are."""
        dates = dates.astype("datetime64[us]")  # of nanoseconds, there are none before 1677
        days = (dates - load("pandas").Timestamp(0).as_unit("us")).dt.total_seconds() / 86400
        parts = self.encoder.transform(dates).astype("float64")
        parts.insert(0, f"{dates.name}_days", days)
        return parts


@dataclass
class CategoryEncoder(ColumnEncoder):
    """Text of few values, one-hot encoded."""

    encoder: Any = None

    def transform(self, column: pandas.Series) -> pandas.DataFrame:
        """Return a column of 0 and 1 for each value."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
            values = self.encoder.transform(_categories(as_text(column)))
        return load("pandas").DataFrame(values, columns=self.names_out, index=column.index)


@dataclass
class StringEncoder(ColumnEncoder):
    """Text of many values, by the pieces of its words."""

    encoder: Any = None

    def transform(self, column: pandas.Series) -> pandas.DataFrame:
        """Return the components of a text."""
        values = np.asarray(self.encoder.transform(_words(as_text(column))), dtype=np.float32)
        return load("pandas").DataFrame(values, columns=self.names_out, index=column.index)


def as_number(column: pandas.Series, form: TextFormat | None) -> pandas.Series:
    """Return a column as float64, with NaN where it is missing or infinite, or text of no number.

    Raises
    ------
    TableError
        If it is something else than in fit.
    """
    kind = "time" if form is not None and form.kind == "time" else "number"
    if is_text(column) or (kind == "time" and column.dtype.kind == "m"):
        return _finite(plain_values(column) if form is None else form.apply(column))
    _refuse_other(column, kind, {"number"} if kind == "number" else set())
    return _finite(column)


def _finite(values: pandas.Series) -> pandas.Series:
    if values.isna().all():
        return load("pandas").Series(np.nan, index=values.index, name=values.name)
    numbers = values.astype("float64")
    return numbers.where(np.isfinite(numbers))


def as_date(column: pandas.Series, form: TextFormat | None) -> pandas.Series:
    """Return a column as dates without a time zone, missing where text is no date.

    Raises
    ------
    TableError
        If it is something else than in fit.
    """
    if is_text(column):
        return (ISO_DATES if form is None else form).apply(column)
    _refuse_other(column, "date", {"date"})
    if column.isna().all():
        return load("pandas").to_datetime(column, errors="coerce")
    return _without_zone(column)


def _refuse_other(column: pandas.Series, kind: str, fitting: set[str]) -> None:
    """Refuse a column that was of one kind in fit and is another now; missing values are of all."""
    if not column.isna().all() and _dtype_kind(column) not in fitting:
        raise TableError(
            f"Column {column.name!r} was {WORDS[kind]} in fit, and is {column.dtype} now: convert "
            "it."
        )


def _without_zone(dates: pandas.Series) -> pandas.Series:
    return dates.dt.tz_convert(None) if getattr(dates.dtype, "tz", None) is not None else dates


def choose_encoder(
    name: str,
    column: pandas.Series,
    form: TextFormat | None,
    max_categories: int,
    n_components: int,
    said: Notes,
) -> ColumnEncoder:
    """Return the fitted encoder of a column, and say what it does."""
    values = column if form is None else form.apply(column)
    n_missing = int(values.isna().sum())
    if n_missing == len(column):
        said.add("Left out, empty", name)
        return ColumnEncoder()
    if n_missing > NEAR_EMPTY * len(column):
        said.add("Nearly empty (over 90% missing), kept", name)
    kind = _kind(name, column, form)
    if kind in ("number", "time"):
        return _number_encoder(name, _finite(values), form, said)
    if kind == "date":
        return _date_encoder(name, _without_zone(values), form, said)
    return _text_encoder(name, values, max_categories, n_components, said)


def _kind(name: str, column: pandas.Series, form: TextFormat | None) -> str:
    if form is not None:
        return form.kind
    kind = _dtype_kind(column)
    if kind == "complex":
        raise TableError(f"Column {name!r} is complex: split it into real and imaginary part.")
    if kind is None:
        raise TableError(
            f"Column {name!r} is {column.dtype}, neither numbers, dates nor text: convert it, or "
            "leave it out."
        )
    return kind


def _dtype_kind(column: pandas.Series) -> str | None:
    """Return what a column that is no text is: numbers, complex ones, dates, or None."""
    types = load("pandas").api.types
    if types.is_bool_dtype(column.dtype) or types.is_numeric_dtype(column.dtype):
        return "complex" if types.is_complex_dtype(column.dtype) else "number"
    return "date" if types.is_datetime64_any_dtype(column.dtype) else None


def _number_encoder(
    name: str, values: pandas.Series, form: TextFormat | None, said: Notes
) -> ColumnEncoder:
    known = values.dropna()
    if not len(known) or known.min() == known.max():
        said.add("Left out, constant", name)
        return ColumnEncoder()
    _say_gaps(name, len(values) - len(known), said)
    return NumberEncoder([name], form, float(known.median()))


def _say_gaps(name: str, n_missing: int, said: Notes) -> None:
    if n_missing:
        said.add(
            "Missing values, filled with the median of the training rows", f"{name} ({n_missing:,})"
        )


def _date_encoder(
    name: str, dates: pandas.Series, form: TextFormat | None, said: Notes
) -> ColumnEncoder:
    if dates.nunique() < 2:
        said.add("Left out, constant", name)
        return ColumnEncoder()
    _say_gaps(name, int(dates.isna().sum()), said)
    encoder = load("skrub").DatetimeEncoder(add_total_seconds=False, add_weekday=True)
    encoder.fit(dates.astype("datetime64[us]"))
    made = DateEncoder([], form, encoder)
    parts = made.parts(dates)
    made.names_out = list(parts.columns)
    made.medians = parts.median()
    said.add("Dates, as days since 1970 and as year, month, day and weekday", name)
    return made


def _text_encoder(
    name: str, text: pandas.Series, max_categories: int, n_components: int, said: Notes
) -> ColumnEncoder:
    known = text.dropna()
    n_distinct = known.nunique()
    n_missing = len(text) - len(known)
    if n_distinct + (n_missing > 0) < 2:
        said.add("Left out, constant", name)
        return ColumnEncoder()
    if n_distinct > max(max_categories, KEY_SHARE * len(known)) and _are_keys(known):
        said.add("Left out, keys or names (nearly every row has its own)", name)
        return ColumnEncoder()
    if n_missing:
        said.add(
            f"Missing text, as a value of its own, {MISSING_TEXT!r}", f"{name} ({n_missing:,})"
        )
    if n_distinct <= max_categories:
        said.add("One-hot encoded", name)
        return _one_hot(name, text)
    said.add("Text of many values, encoded by skrub's StringEncoder", name)
    encoder = load("skrub").StringEncoder(n_components=n_components, random_state=0)
    width = np.asarray(encoder.fit_transform(_words(text))).shape[1]
    return StringEncoder([f"{name}_{place}" for place in range(width)], encoder)


def _are_keys(known: pandas.Series) -> bool:
    """Tell whether text is keys or names: one word, and nearly as many as there are rows.

    Numbers and other text mixed, such as "<5", are neither.
    """
    is_number = known.str.fullmatch(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?")
    if 0.5 < is_number.mean() < 1:
        return False
    return bool(known.str.count(r"\s+").mean() + 1 < KEY_WORDS)


def _one_hot(name: str, text: pandas.Series) -> ColumnEncoder:
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(
        handle_unknown="ignore", drop="if_binary", sparse_output=False, dtype=np.int8
    )
    encoder.fit(_categories(text))
    return CategoryEncoder(list(encoder.get_feature_names_out([name])), encoder)


def _categories(text: pandas.Series) -> Any:
    return text.fillna(MISSING_TEXT).to_numpy(dtype=object)[:, None]


def _words(text: pandas.Series) -> Any:
    return text.fillna("").astype("str")
