"""What makes a score untrustworthy, found in the data before any fit: one sentence for each."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from sknorm._compare.advice import IN_PYTHON, Advice
from sknorm._compare.names import class_name

# Names of columns that count or identify rows, and of columns whose rows belong together.
ROW_NAMES = re.compile(
    r"unnamed: ?\d+|column 1|row ?(name|number|id)?|index|nr|no|number|key|_?id|.*_id",
    re.IGNORECASE,
)
ENTITY_NAMES = re.compile(
    r".*(patient|subject|person|user|customer|client|session|machine|device|sensor|station|site|"
    r"plant|animal|sample|speaker|author|house|store|shop|school|group|cluster|batch|_id|\bid)\b.*",
    re.IGNORECASE,
)
TIME_NAMES = re.compile(r".*(date|time|year|month|day|week|timestamp).*", re.IGNORECASE)
SENTINELS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, -1.0)
CHECKED_ROWS, CHECKED_COLUMNS = 2000, 200
# Copies are looked for among so many rows.
MOST_ROWS = 50_000
TELLING_SCORE = 0.98
REPEATED_SHARE = 0.01
# A column with a value of its own in so many of the different rows is not alike in two by chance.
KEY_SHARE = 0.9


@dataclass(frozen=True)
class Column:
    """A column as the checks see it: its name, and its numbers or its values as codes."""

    name: str
    values: NDArray[np.float64]
    is_number: bool
    is_date: bool = False


def find_hazards(
    X: Any, y: Any, *, is_classification: bool, how: Advice = IN_PYTHON, n_folds: int = 10,
    is_grouped: bool = False, is_ordered: bool = False
) -> list[str]:  # fmt: skip
    """Return what should be known of the data before its scores are believed."""
    columns = as_columns(X)
    found: list[str] = []
    found += _row_numbers(columns, how)
    found += _telling(columns, y, how, is_classification=is_classification)
    if not is_grouped:
        found += _repeated_rows(columns, y, how)
        found += _entities(columns, how)
    if not is_ordered:
        found += _time_order(columns, how)
    found += _sentinels(columns, how)
    found += _nearly_empty(columns, how)
    if is_classification:
        found += _rare_classes(y, n_folds, how)
        found += _classes_alike(y)
    return found


def as_columns(X: Any) -> list[Column]:
    """Return the first columns of a table or a dense matrix; of anything else, none."""
    if sparse.issparse(X) or getattr(X, "ndim", 2) != 2:
        return []
    if hasattr(X, "columns"):
        return [_frame_column(str(name), X[name]) for name in list(X.columns)[:CHECKED_COLUMNS]]
    array = np.asarray(X)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        return []
    return [
        Column(f"feature {place}", array[:, place].astype(float), is_number=True)
        for place in range(min(array.shape[1], CHECKED_COLUMNS))
    ]


def _frame_column(name: str, column: Any) -> Column:
    values = np.asarray(column)
    if values.dtype.kind in "fiub":
        return Column(name, values.astype(float), is_number=True)
    if values.dtype.kind == "M":
        days = values.astype("datetime64[us]").astype(float)
        days[np.isnat(values)] = np.nan
        return Column(name, days, is_number=False, is_date=True)
    text = np.array([str(value) for value in values.tolist()])
    return Column(name, np.unique(text, return_inverse=True)[1].astype(float), is_number=False)


def is_row_number(values: NDArray[np.float64], name: str) -> bool:
    """Tell whether numbers say where a row stood, and nothing of what is in it.

    Whole numbers, all different, in a range about as long as the table: in order and a step apart,
    or under a name that says so. A table that was sorted before it was shuffled tells its target by
    them.
    """
    if not _are_distinct_integers(values):
        return False
    steps = np.diff(values)
    is_named = ROW_NAMES.fullmatch(name.strip() or "id") is not None
    # Rows that were left out leave gaps in what counted them.
    counts = bool((steps == 1).all()) or (is_named and bool((steps > 0).all()))
    return counts or (is_named and _looks_like_row_number(values))


def _are_distinct_integers(values: NDArray[np.float64]) -> bool:
    if len(values) < 10 or not np.isfinite(values).all() or (values != np.round(values)).any():
        return False
    return len(np.unique(values)) == len(values)


def _looks_like_row_number(values: NDArray[np.float64]) -> bool:
    if not _are_distinct_integers(values):
        return False
    return bool(values.max() - values.min() + 1 <= 2 * len(values))


def _row_numbers(columns: list[Column], how: Advice) -> Iterator[str]:
    names = [c.name for c in columns if c.is_number and _looks_like_row_number(c.values)]
    for name in names:
        yield (
            f"{name!r} looks like a row number: whole numbers, all different, in a range about as "
            f"long as the table. Unless it measures something, {how.drop}."
        )


def _telling(
    columns: list[Column], y: Any, how: Advice, *, is_classification: bool
) -> Iterator[str]:
    """Find single columns that tell the target: it may have been made from them, or later."""
    target = _as_target(y, is_classification=is_classification)
    if target is None:
        return
    rows = _some_rows(len(target))
    for column in columns:
        # A tree looks at the order of values only; missing ones come last.
        values = np.unique(column.values[rows], return_inverse=True)[1].astype(float)
        score = _tells(values, target[rows], is_classification=is_classification)
        if score >= TELLING_SCORE:
            what = "balanced accuracy" if is_classification else "R2"
            yield (
                f"{column.name!r} tells the target by itself ({what} {score:.2f} of a small "
                f"tree). If it is known only after the target, {how.drop}."
            )


def _as_target(y: Any, *, is_classification: bool) -> Any:
    target = np.asarray(y)
    if target.ndim != 1 or len(target) < 30:
        return None
    if is_classification:
        return np.unique(target.astype(str), return_inverse=True)[1]
    return target.astype(float)


def _some_rows(n_rows: int) -> NDArray[np.intp]:
    if n_rows <= CHECKED_ROWS:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, CHECKED_ROWS, replace=False))


def _tells(values: NDArray[np.float64], target: Any, *, is_classification: bool) -> float:
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if values.min() == values.max():
        return 0.0
    if not is_classification:
        order = float(stats.spearmanr(values, target).statistic) ** 2
        if order >= TELLING_SCORE:
            return order
    tree = DecisionTreeClassifier if is_classification else DecisionTreeRegressor
    model = tree(max_depth=5, min_samples_leaf=2, random_state=0)
    # Whoever does not tell the rows it is fitted on does not tell others; that is known at once.
    if model.fit(values[:, None], target).score(values[:, None], target) < TELLING_SCORE:
        return 0.0
    scoring = "balanced_accuracy" if is_classification else "r2"
    folds = KFold(3, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(
            cross_val_score(model, values[:, None], target, cv=folds, scoring=scoring).mean()
        )


def _repeated_rows(columns: list[Column], y: Any, how: Advice) -> Iterator[str]:
    target = np.asarray(y)[:MOST_ROWS]
    if len(columns) < 2 or target.ndim != 1:
        return
    columns = [replace(column, values=column.values[:MOST_ROWS]) for column in columns]
    rows = np.column_stack(
        [np.nan_to_num(c.values, nan=-1e300) for c in columns]
        + [np.unique(target.astype(str), return_inverse=True)[1]]
    )
    n_copies = len(rows) - len(np.unique(rows, axis=0))
    # Where there are few different rows, copies are no sign of anything.
    n_distinct = [len(np.unique(c.values)) for c in columns]
    n_values = np.prod([min(n, 1000) for n in n_distinct], dtype=float)
    are_rare = n_values > 100 * len(rows) or max(n_distinct) >= KEY_SHARE * (len(rows) - n_copies)
    if n_copies >= max(2, REPEATED_SHARE * len(rows)) and are_rare:
        yield (
            f"{n_copies:,} of {len(rows):,} rows repeat another, target and all, so that the same "
            f"row is in training and test. If they are copies, {how.unique}; if they belong "
            f"together, {how.groups}."
        )


def _entities(columns: list[Column], how: Advice) -> Iterator[str]:
    for column in columns:
        n_rows, n_distinct = len(column.values), len(np.unique(column.values))
        repeats = n_rows / max(n_distinct, 1) >= 2 and n_distinct >= 10
        whole = not column.is_number or bool((column.values == np.round(column.values)).all())
        if repeats and whole and ENTITY_NAMES.fullmatch(column.name):
            yield (
                f"{column.name!r} has {n_distinct:,} values in {n_rows:,} rows. If the rows of one "
                f"belong together, they must not be in training and test at once: {how.groups}."
            )


def _time_order(columns: list[Column], how: Advice) -> Iterator[str]:
    for column in columns:
        values = column.values[np.isfinite(column.values)]
        is_time = column.is_date or (column.is_number and TIME_NAMES.fullmatch(column.name))
        if is_time and len(values) >= 20 and len(np.unique(values)) >= 10:
            steps = np.diff(values)
            if (steps >= 0).all() or (steps <= 0).all():
                yield (
                    f"The rows are in the order of {column.name!r}, but the folds are drawn at "
                    "random: each row is predicted from those before and after it. To score "
                    f"predictions of what comes later, {how.time}."
                )
                return


def _sentinels(columns: list[Column], how: Advice) -> Iterator[str]:
    for column in columns:
        known = column.values[np.isfinite(column.values)]
        if not column.is_number or len(known) < 20:
            continue
        for code in SENTINELS:
            count = int((known == code).sum())
            others = known[known != code]
            if count >= 2 and len(others) >= 10 and _is_apart(code, others):
                yield (
                    f"{column.name!r} has {code:g} in {count:,} rows, and {others.min():g} to "
                    f"{others.max():g} in the others. If that stands for a missing value, "
                    f"{how.missing}."
                )
                break


def _is_apart(code: float, others: NDArray[np.float64]) -> bool:
    """Tell whether a value is farther from all others than they are from each other."""
    width = others.max() - others.min()
    gap = max(others.min() - code, code - others.max())
    is_negative_code = code == -1.0 and others.min() >= 0 and len(np.unique(others)) > 10
    if is_negative_code:
        return bool(gap > 0.1 * width and (others != np.round(others)).any())
    return bool(gap > width) and code != -1.0


def _nearly_empty(columns: list[Column], how: Advice) -> Iterator[str]:
    for column in columns:
        share = float(np.isnan(column.values).mean())
        if 0.9 < share < 1:
            yield (
                f"{column.name!r} is missing in {100 * share:.0f}% of the rows, so that what is "
                f"said of it rests on a few: {how.drop}, if it tells nothing."
            )


def _classes(target: NDArray[Any]) -> tuple[list[str], list[int]]:
    """Return the names of the classes, and how many rows each has."""
    if target.dtype.kind == "O":
        target = target.astype(str)
    classes, counts = np.unique(target, return_counts=True)
    return [class_name(value) for value in classes.tolist()], counts.tolist()


def _classes_alike(y: Any) -> Iterator[str]:
    """Find classes that are written in several ways."""
    target = np.asarray(y)
    if target.ndim != 1 or target.dtype.kind not in "OUT":
        return
    written: dict[str, list[str]] = {}
    for name in _classes(target)[0]:
        written.setdefault(" ".join(name.casefold().split()), []).append(name)
    for names in written.values():
        if len(names) > 1:
            shown = ", ".join(map(repr, names[:5]))
            yield (
                f"The classes {shown} differ in nothing but capitals and blanks. If they are one, "
                "write them alike: now they are told apart."
            )


def _rare_classes(y: Any, n_folds: int, how: Advice) -> Iterator[str]:
    target = np.asarray(y)
    if target.ndim != 1:
        return
    classes, counts = _classes(target)
    rare = [
        f"{c!r} ({n})" for c, n in zip(classes, counts, strict=True) if n_folds <= n < 3 * n_folds
    ]
    if rare and len(classes) <= 50:
        yield (
            f"Some classes have few rows: {', '.join(rare[:5])}. With {n_folds} folds, a test set "
            f"has one or two of them; fewer folds ({how.folds}) or more rows make their scores "
            "steadier."
        )
