"""From a table to what a comparison gets: features, a target, groups, and what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sknorm._compare.hazards import is_row_number
from sknorm._compare.names import class_name, counted
from sknorm._tables.convert import listing
from sknorm._tables.encoder import TableEncoder
from sknorm._tables.errors import TableError

if TYPE_CHECKING:
    import argparse

    import pandas

MAX_CLASSES = 20


@dataclass
class Features:
    """A table in raw units, a target, and what was done to get them."""

    X: Any
    y: NDArray[Any]
    is_classification: bool
    n_features: int
    notes: list[str] = field(default_factory=list)
    groups: Any = None
    left_out: list[str] = field(default_factory=list)
    is_table: bool = True


def make_features(frame: pandas.DataFrame, options: argparse.Namespace) -> Features:
    """Return the features and the target of a table, as the options say."""
    notes: list[str] = []
    for name in (options.groups, options.time, *options.drop):
        _check_column(frame, name)
    kept = {options.groups, options.time}
    frame = frame.drop(columns=[name for name in options.drop if name not in kept])
    target = _choose_target(frame, options.target, notes)
    _check_roles(target, options)
    frame = _mark_missing(frame, options.missing, target, notes)
    frame = _drop_copies(frame, notes) if options.drop_duplicates else frame
    frame = _rows_with_target(frame, target, options, notes)
    if options.time is not None:
        frame = frame.sort_values(options.time, kind="stable", ignore_index=True)
        notes.append(f"Rows are in the order of {options.time!r}, and each fold is later than its "
                     "training rows.")  # fmt: skip
    y, is_classification = _make_target(frame[target], target, options.task, notes)
    left_out = [target, *options.drop, *([options.groups] if options.groups else [])]
    X = frame.drop(columns=left_out, errors="ignore")
    counting = _row_numbers(X, notes)
    X = X.drop(columns=counting)
    if not X.shape[1]:
        said = " ".join(note for note in notes if note.startswith("Left out"))
        raise TableError(
            f"Beside the target {target!r} there is no column to learn from. {said}".strip()
        )
    encoder = TableEncoder(decimal=options.decimal).fit(X)
    groups = None if options.groups is None else _groups_of(frame[options.groups])
    return Features(
        X,
        y,
        is_classification,
        len(encoder.get_feature_names_out()),
        [*notes, *encoder.notes_],
        groups,
        [*left_out, *counting],
    )


def _groups_of(column: pandas.Series) -> NDArray[Any]:
    missing = np.flatnonzero(column.isna())
    if missing.size:
        raise TableError(
            f"--groups {column.name!r} has no value in {counted(missing.size, 'row')}, first in "
            f"row {missing[0] + 1:,}: give each row a group, or leave these out."
        )
    return np.asarray(column.astype(str), dtype=object)


def _choose_target(frame: pandas.DataFrame, target: str | None, notes: list[str]) -> str:
    if target is None:
        if not frame.shape[1]:
            raise TableError("--drop leaves no column.")
        target = str(frame.columns[-1])
        notes.append(f"No --target was given: taking the last column, {target!r}.")
    _check_column(frame, target)
    return target


def _check_roles(target: str, options: argparse.Namespace) -> None:
    """Refuse a target that is something else too."""
    for option, name in (("groups", options.groups), ("time", options.time)):
        if name == target:
            raise TableError(f"--{option} {name!r} is the target: name another --target.")


def _check_column(frame: pandas.DataFrame, name: str | None) -> None:
    if name is not None and name not in frame.columns:
        raise TableError(
            f"There is no column {name!r}. The columns are: {listing(list(frame.columns), 30)}."
        )


def _mark_missing(
    frame: pandas.DataFrame, codes: list[str], target: str, notes: list[str]
) -> pandas.DataFrame:
    """Return a table without the values that stand for missing ones."""
    if not codes:
        return frame
    frame = frame.copy()
    changed = []
    for name in frame.columns.drop(target):
        numeric = frame[name].dtype.kind in "fiu"
        values = [float(code) for code in codes if _is_number(code)] if numeric else codes
        found = frame[name].isin(values)
        if found.any():
            frame[name] = frame[name].mask(found)
            changed.append(f"{name} ({int(found.sum()):,})")
    where = f": {listing(changed)}" if changed else ", and no column has any"
    notes.append(f"Taken as missing, {', '.join(codes)}{where}.")
    return frame


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _drop_copies(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    kept = frame.drop_duplicates(ignore_index=True)
    notes.append(f"Left out {counted(len(frame) - len(kept), 'row')} that repeated another.")
    return kept


def _rows_with_target(
    frame: pandas.DataFrame, target: str, options: argparse.Namespace, notes: list[str]
) -> pandas.DataFrame:
    known = np.flatnonzero(~_missing(frame[target]))
    if len(known) < len(frame):
        notes.append(f"Left out {counted(len(frame) - len(known), 'row')} without {target!r}.")
    if not len(known):
        raise TableError(f"The target column {target!r} has no values at all.")
    if options.rows and len(known) > options.rows:
        notes.append(
            f"Using {options.rows:,} rows of {len(known):,}, drawn at random (--rows 0 uses all)."
        )
        rng = np.random.default_rng(options.random_state)
        known = np.sort(rng.choice(known, options.rows, replace=False))
    return frame.iloc[known].reset_index(drop=True)


def _missing(column: pandas.Series) -> NDArray[np.bool_]:
    missing = column.isna().to_numpy(dtype=bool)
    if column.dtype.kind == "f":
        missing = missing | ~np.isfinite(column.to_numpy(dtype=float))
    return np.asarray(missing)


def _make_target(
    column: pandas.Series, target: str, task: str, notes: list[str]
) -> tuple[NDArray[Any], bool]:
    is_number = column.dtype.kind in "fiu"
    if column.dtype.kind == "M":
        raise TableError(
            f"The target column {target!r} is dates, which are neither classes nor quantities: "
            "name "
            "another --target."
        )
    given = column.to_numpy(dtype=float) if is_number else column.astype(str).to_numpy(dtype=str)
    values, counts = np.unique(given, return_counts=True)
    if len(values) < 2:
        raise TableError(
            f"The target column {target!r} is constant ({values[0]}): there is nothing to predict."
        )
    if task == "regression" and not is_number:
        raise TableError(
            f"The target column {target!r} is text ({listing(list(values))}), which cannot be a "
            "regression's: leave out --task regression."
        )
    whole = is_number and bool((values == np.round(values)).all())
    few = len(values) <= min(MAX_CLASSES, max(2, len(given) // 5))
    is_classification = (not is_number or (whole and few)) if task == "auto" else task[0] == "c"
    other = "regression" if is_classification else "classification"
    told = f"; --task {other} if that is wrong" if task == "auto" and is_number else ""
    if not is_classification:
        what = f"regression: {len(values):,} distinct numbers, {values[0]:g} to {values[-1]:g}"
    else:
        _check_classes(target, values, counts, len(given))
        what = f"classification: {len(values)} classes, {_shares(values, counts)}"
    notes.append(f"Taking {target!r} as a {what}{told}.")
    return given, is_classification


def _shares(values: NDArray[Any], counts: NDArray[np.intp]) -> str:
    """Return classes with their rows, the largest first."""
    total = counts.sum()
    order = np.argsort(-counts, kind="stable")
    shares = zip(values[order].tolist(), counts[order].tolist(), strict=True)
    return listing(
        [f"{class_name(value)} ({counted(count, 'row')}, {100 * count / total:.0f}%)"
         for value, count in shares]
    )  # fmt: skip


def _check_classes(
    target: str, values: NDArray[Any], counts: NDArray[np.intp], n_rows: int
) -> None:
    if len(values) > max(MAX_CLASSES, n_rows // 10) or counts.max() < 2:
        raise TableError(
            f"The target column {target!r} has {len(values):,} different values in {n_rows:,} "
            "rows: too many to be classes. Name another --target, or use --task regression if "
            "they are numbers."
        )


def _row_numbers(X: pandas.DataFrame, notes: list[str]) -> list[str]:
    """Return the columns that say where a row stood, and nothing of what is in it."""
    counting = [
        name
        for name in X.columns
        if X[name].dtype.kind in "fiu" and is_row_number(X[name].to_numpy(dtype=float), name)
    ]
    if counting:
        notes.append(f"Left out, row numbers: {listing(counting)}.")
    return counting
