"""From the columns of a table to features and a target, saying aloud what is done to them."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._cli.reading import Column, TableError

MAX_CLASSES = 20
MAX_CATEGORIES = 20
MAX_LISTED = 5
TEXT = "One-hot encoded"

Array = NDArray[np.float64]


@dataclass
class Features:
    """Features in raw units (NaN where missing), a target, and what was done to get them."""

    X: Array
    y: NDArray[Any]
    names: list[str]
    is_classification: bool
    notes: list[str] = field(default_factory=list)


def make_features(
    columns: dict[str, Column],
    target: str | None,
    task: str = "auto",
    max_rows: int = 0,
    seed: int = 0,
) -> Features:
    """Return features and target: text becomes 0/1 columns, dates become days."""
    notes: list[str] = []
    target = _choose_target(columns, target, notes)
    kept = _rows_with_target(columns[target], target, max_rows, seed, notes)
    y, is_classification = _make_target(columns[target][kept], target, task, notes)
    blocks: list[tuple[list[str], Array]] = []
    sorted_out: dict[str, list[str]] = {}
    for name, column in columns.items():
        if name != target:
            counts_rows = _counts_rows(column)
            what, names, block = _encode(name, column[kept], counts_rows=counts_rows)
            sorted_out.setdefault(what, []).append(name)
            blocks.append((names, block))
    notes += [f"{what}: {_listing(names)}." for what, names in sorted_out.items() if what]
    names = [name for block_names, _ in blocks for name in block_names]
    if not names:
        left_out = [note for note in notes if note.startswith("Left out")]
        raise TableError(
            " ".join([f"Beside the target {target!r} there is no column to learn from.", *left_out])
        )
    X = np.hstack([block for _, block in blocks])
    gaps = {name: int(_missing(columns[name][kept]).sum()) for name in sorted_out.get(TEXT, [])}
    _note_gaps("Missing text, as a value of its own, '(missing)'", gaps, notes)
    gaps = dict(zip(names, np.isnan(X).sum(axis=0).tolist(), strict=True))
    _note_gaps("Missing values, filled with the column's median in each training set", gaps, notes)
    return Features(X, y, names, is_classification, notes)


def _choose_target(columns: dict[str, Column], target: str | None, notes: list[str]) -> str:
    if target is None:
        target = list(columns)[-1]
        notes.append(f"No --target was given: taking the last column, {target!r}.")
    if target not in columns:
        raise TableError(
            f"There is no column {target!r}. The columns are: {_listing(list(columns), 30)}."
        )
    return target


def _rows_with_target(
    column: Column, target: str, max_rows: int, seed: int, notes: list[str]
) -> NDArray[np.intp]:
    known = np.flatnonzero(~_missing(column))
    if len(known) < len(column):
        notes.append(f"Left out {len(column) - len(known):,} rows without {target!r}.")
    if not len(known):
        raise TableError(f"The target column {target!r} has no values at all.")
    if max_rows and len(known) > max_rows:
        notes.append(
            f"Using {max_rows:,} rows of {len(known):,}, drawn at random (--rows 0 uses all)."
        )
        known = np.sort(np.random.default_rng(seed).choice(known, max_rows, replace=False))
    return known


def _make_target(
    column: Column, target: str, task: str, notes: list[str]
) -> tuple[NDArray[Any], bool]:
    is_number = column.dtype.kind == "f"
    values, counts = np.unique(column.astype(float if is_number else str), return_counts=True)
    if len(values) < 2:
        raise TableError(
            f"The target column {target!r} is constant ({values[0]}): there is nothing to predict."
        )
    if task == "regression" and not is_number:
        raise TableError(
            f"The target column {target!r} is text ({_listing(list(values))}), which cannot be a "
            "regression's: leave out --task regression."
        )
    whole = is_number and bool((values == np.round(values)).all())
    few = len(values) <= min(MAX_CLASSES, max(2, len(column) // 5))
    guessed = not is_number or (whole and few)
    is_classification = guessed if task == "auto" else task == "classification"
    if is_classification:
        _check_classes(target, values, counts, len(column))
        classes = [f"{v:g}" if is_number else str(v) for v in values]
        what = f"classification: {len(values)} classes ({_listing(classes)})"
    else:
        what = f"regression: {len(values):,} distinct numbers, {values[0]:g} to {values[-1]:g}"
    other = "regression" if is_classification else "classification"
    told = "" if task != "auto" else f"; --task {other} if that is wrong" if is_number else ""
    notes.append(f"Taking {target!r} as a {what}{told}.")
    if not is_classification:
        return column.astype(float), False
    return (column if is_number else column.astype(str)), True


def _check_classes(
    target: str, values: NDArray[Any], counts: NDArray[np.intp], n_rows: int
) -> None:
    if len(values) > max(MAX_CLASSES, n_rows // 10) or counts.max() < 2:
        raise TableError(
            f"The target column {target!r} has {len(values):,} different values in {n_rows:,} "
            "rows: too many to be classes. Name another --target, or use --task regression if "
            "they are numbers."
        )


def _missing(column: Column) -> NDArray[np.bool_]:
    if column.dtype.kind == "f":
        return ~np.isfinite(column)
    return np.array([value is None for value in column], dtype=bool)


def _encode(name: str, column: Column, *, counts_rows: bool) -> tuple[str, list[str], Array]:
    """Return what was done to a column (nothing to say of plain numbers), and its features."""
    nothing = np.empty((len(column), 0))
    missing = _missing(column)
    if missing.all():
        return "Left out, empty", [], nothing
    known = column[~missing]
    if len(set(known.tolist())) == 1 and (column.dtype.kind == "f" or not missing.any()):
        return "Left out, constant", [], nothing
    if column.dtype.kind == "f":
        if counts_rows:
            return "Left out, counts the rows", [], nothing
        return "", [name], np.where(missing, np.nan, column)[:, None]
    days = _as_days(known)
    if days is not None:
        values = np.full(len(column), np.nan)
        values[~missing] = days
        return "Dates, as days since 1970", [name], values[:, None]
    n_distinct = len(set(known.tolist()))
    if n_distinct > max(MAX_CATEGORIES, len(known) // 2):
        return "Left out, text that hardly repeats (names, keys, sentences)", [], nothing
    return (TEXT, *_one_hot(name, column))


def _counts_rows(column: Column) -> bool:
    """Tell whether a column is a row number: it says where a row stood, not what is in it."""
    if column.dtype.kind != "f" or len(column) < 3:
        return False
    return bool((np.diff(column) == 1).all())


def _as_days(values: Column) -> Array | None:
    try:
        moments = [datetime.datetime.fromisoformat(value) for value in values]
    except ValueError:
        return None
    utc = datetime.timezone.utc  # noqa: UP017
    aware = [m if m.tzinfo is not None else m.replace(tzinfo=utc) for m in moments]
    return np.array([moment.timestamp() for moment in aware]) / 86400


def _one_hot(name: str, column: Column) -> tuple[list[str], Array]:
    """Return a 0/1 column for each frequent value, one for the rest, one for missing."""
    counts = Counter(column.tolist())
    common = [value for value, _ in counts.most_common(MAX_CATEGORIES)]
    if None in counts and None not in common:
        common.append(None)
    names = [f"{name}={'(missing)' if value is None else value}" for value in common]
    block = np.array([column == value for value in common], dtype=float).T
    if len(counts) > len(common):
        names.append(f"{name}=(other)")
        block = np.hstack([block, 1 - block.sum(axis=1, keepdims=True)])
    if len(names) == 2:
        return names[:1], block[:, :1]
    return names, block


def _note_gaps(what: str, gaps: dict[str, int], notes: list[str]) -> None:
    """Say what is done to gaps, if there are any, and where they are."""
    found = [f"{name} ({count:,})" for name, count in gaps.items() if count]
    if found:
        notes.append(f"{what}: {_listing(found)}.")


def _listing(names: list[Any], limit: int = MAX_LISTED) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
