"""The cases, as data: what is timed against what, on which data, and with which bar."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sklearn.preprocessing import Normalizer, RobustScaler, StandardScaler, scale

from benchmarks.data import Dense, Sparse
from benchmarks.operations import (
    Operation,
    call,
    copy,
    copyto,
    fit,
    fit_transform,
    in_place,
    numpy_layer,
    numpy_norm,
    numpy_standardize,
    on,
    partial_fit,
    read,
    repeated,
    torch_function,
    transform,
    transform_row,
)
from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    SquashingScaler,
)

MAIN = (1_000_000, 50)
NORMALIZERS = {"l1": L1Normalizer, "l2": L2Normalizer, "max": MaxNormalizer}


@dataclass(frozen=True)
class Pair:
    """Two operations, and whether their ratio says how much faster (at_least) or slower ours is."""

    name: str
    ours: Operation
    other: Operation
    at_least: bool = False


@dataclass(frozen=True)
class Case:
    """A pair on data, in a table and its column."""

    group: str
    column: str
    pair: Pair
    data: Any
    bar: float | None = None

    @property
    def title(self) -> str:
        return f"{self.group}: {self.column}: {self.pair.name}"


# To the limits of the memory. Bars for float64 C, float32 C, float64 F, float32 F.
LIMITS = (
    (Pair("fit / read", fit(BatchStatScaler), read), (1.5, 2, 2, 2)),
    (Pair("transform / copy", transform(BatchStatScaler), copy), (1.2,) * 4),
    (Pair("transform in place / copyto", in_place(BatchStatScaler), copyto), (1.15,) * 4),
    *(
        (Pair(f"{ours.__name__} / copy", transform(ours), copy), (1.2, 1.3, 1.7, 1.7))
        for ours in NORMALIZERS.values()
    ),
    (Pair("LayerScaler / copy", transform(LayerScaler), copy), (1.35, 1.8, 2, 2)),
    (
        Pair("LayerScaler, RMS / copy", transform(LayerScaler, with_mean=False), copy),
        (1.35, 1.8, 2, 2),
    ),
)

# To scikit-learn. 1 is "not slower".
SKLEARN = (
    (
        Pair("StandardScaler.fit", fit(BatchStatScaler), fit(StandardScaler), True),
        (13, 16, 9, 9),
    ),
    (
        Pair(
            "StandardScaler.fit_transform",
            fit_transform(BatchStatScaler),
            fit_transform(StandardScaler),
            True,
        ),
        (4.5, 5, 4, 4),
    ),
    (
        Pair(
            "StandardScaler.transform", transform(BatchStatScaler), transform(StandardScaler), True
        ),
        (1,) * 4,
    ),
    *(
        (
            Pair(f"Normalizer, {norm}", transform(ours), transform(Normalizer, norm=norm), True),
            (1,) * 4,
        )
        for norm, ours in NORMALIZERS.items()
    ),
    (Pair("scale(axis=1)", transform(LayerScaler), call(scale, axis=1), True), (1,) * 4),
)

NUMPY = (
    Pair("NumPy (X - mean) / std", fit_transform(BatchStatScaler), call(numpy_standardize), True),
    Pair("NumPy X / norm", transform(L2Normalizer), call(numpy_norm), True),
    Pair("NumPy (X - mean) / std, by row", transform(LayerScaler), call(numpy_layer), True),
)
TORCH = (
    Pair(
        "torch batch_norm",
        fit_transform(BatchStatScaler, eps=1e-5),
        torch_function("batch_norm", lambda f, X: f(X, None, None, training=True)),
        True,
    ),
    Pair(
        "torch layer_norm",
        transform(LayerScaler, eps=1e-5),
        torch_function("layer_norm", lambda f, X: f(X, X.shape[1:])),
        True,
    ),
    Pair(
        "torch normalize",
        transform(L2Normalizer),
        torch_function("normalize", lambda f, X: f(X)),
        True,
    ),
)


def dense() -> Iterator[Case]:
    """Yield the cases on matrices; those of other shapes have no bar but to beat scikit-learn."""
    others = NUMPY + (TORCH if importlib.util.find_spec("torch") else ())
    for shape in (MAIN, (2_000, 25_000), (1_000_000, 8)):
        group = " × ".join(f"{n:,}" for n in shape)
        for place, (order, dtype) in enumerate(
            (order, dtype) for order in "CF" for dtype in ("float64", "float32")
        ):
            column, data = f"{dtype} {order}", Dense(shape, dtype, order)
            for pair, bars in LIMITS:
                yield Case(group, column, pair, data, bars[place] if shape == MAIN else None)
            for pair, bars in SKLEARN:
                yield Case(group, column, pair, data, bars[place] if shape == MAIN else 1)
            if order == "C" and shape == MAIN:
                yield from (Case(group, column, pair, data) for pair in others)


def as_matrix(X: Any) -> Any:
    return X.reshape(-1, X.shape[-1])


def tensors() -> Iterator[Case]:
    """Yield (samples, channels, positions) against a matrix of as many values and channels."""
    shape = (20_000, 50, 50)
    operations = {
        "fit": fit(BatchStatScaler),
        "transform": transform(BatchStatScaler),
        "LayerScaler": transform(LayerScaler),
        "L2Normalizer": transform(L2Normalizer),
    }
    for dtype in ("float64", "float32"):
        for name, operation in operations.items():
            pair = Pair(f"{name} / matrix", operation, on(as_matrix, operation))
            yield Case("20,000 × 50 × 50", dtype, pair, Dense(shape, dtype), 1.3)


def sparse() -> Iterator[Case]:
    ours, theirs = {"with_mean": False}, {"with_mean": False}
    pairs = [
        (Pair("StandardScaler.fit", fit(BatchStatScaler, **ours), fit(StandardScaler, **theirs),
              True), 2.5),
        (Pair("StandardScaler.transform", transform(BatchStatScaler, **ours),
              transform(StandardScaler, **theirs), True), 2.5),
    ]  # fmt: skip
    for norm, normalizer in NORMALIZERS.items():
        theirs = transform(Normalizer, norm=norm)
        pairs.append((Pair(f"Normalizer, {norm}", transform(normalizer), theirs, True), 1.8))
        pairs.append((Pair(f"{normalizer.__name__} / copy", transform(normalizer), copy), 1.6))
    pairs.append((Pair("LayerScaler, RMS / copy", transform(LayerScaler), copy), None))
    for form in ("csr", "csc"):
        data = Sparse((200_000, 5_000), 0.01, form)
        for pair, bar in pairs:
            yield Case("200,000 × 5,000, sparse, 1 %", form.upper(), pair, data, bar)


def missing() -> Iterator[Case]:
    pairs = [
        (Pair("StandardScaler.fit", fit(BatchStatScaler), fit(StandardScaler), True), 5),
        (Pair("StandardScaler.transform", transform(BatchStatScaler),
              transform(StandardScaler), True), None),
        (Pair("transform / copy", transform(BatchStatScaler), copy), None),
    ]  # fmt: skip
    for column, dtype, order in (
        ("float64 C", "float64", "C"),
        ("float32 C", "float32", "C"),
        ("float64 F", "float64", "F"),
    ):
        for pair, bar in pairs:
            data = Dense(MAIN, dtype, order, missing=0.01)
            yield Case("1,000,000 × 50, 1 % missing", column, pair, data, bar)


def quantiles() -> Iterator[Case]:
    """Yield the scalers by quantiles, against scikit-learn's and skrub's, if that is installed."""
    data_of = {f"{dtype} {order}": Dense((100_000, 100), dtype, order)
               for order in "CF" for dtype in ("float64", "float32")}  # fmt: skip
    ours = {"squash": None}
    pairs = [
        (Pair("RobustScaler.fit", fit(SquashingScaler, **ours), fit(RobustScaler), True), 5),
        (Pair("RobustScaler.transform", transform(SquashingScaler, **ours),
              transform(RobustScaler), True), 1),
    ]  # fmt: skip
    if importlib.util.find_spec("skrub"):
        theirs = importlib.import_module("skrub").SquashingScaler
        pairs += [
            (Pair("skrub SquashingScaler.fit", fit(SquashingScaler), fit(theirs), True), 10),
            (Pair("skrub SquashingScaler.transform", transform(SquashingScaler),
                  transform(theirs), True), 10),
        ]  # fmt: skip
    pairs.append((Pair("SquashingScaler / copy", transform(SquashingScaler), copy), None))
    for column, data in data_of.items():
        for pair, bar in pairs:
            yield Case("100,000 × 100, quantiles", column, pair, data, bar)


def small_calls() -> Iterator[Case]:
    """Yield cases in which the time goes into the checks."""
    group = "Small"
    matrix, rows = Dense((200, 20), fixed=True), Dense((300, 50), fixed=True)
    for name, operation, bar in (
        ("fit", fit, 0.4), ("partial_fit", partial_fit, None), ("transform", transform, None),
    ):  # fmt: skip
        pair = Pair(
            f"{name} / StandardScaler's", operation(BatchStatScaler), operation(StandardScaler)
        )
        yield Case(group, "200 × 20", pair, matrix, bar)
    pair = Pair(
        "transform / StandardScaler's",
        transform_row(BatchStatScaler),
        transform_row(StandardScaler),
    )
    yield Case(group, "1 × 50", pair, rows, 0.3)
    for norm, ours in NORMALIZERS.items():
        theirs = transform_row(Normalizer, norm=norm)
        pair = Pair(f"{ours.__name__} / Normalizer's", transform_row(ours), theirs)
        yield Case(group, "1 × 50", pair, rows)


def threads() -> Iterator[Case]:
    operations = {
        "fit": (fit, BatchStatScaler),
        "transform": (transform, BatchStatScaler),
        "L2Normalizer": (transform, L2Normalizer),
        "LayerScaler": (transform, LayerScaler),
    }
    for order in "CF":
        for dtype in ("float64", "float32"):
            for name, (operation, scaler) in operations.items():
                one, two = operation(scaler, n_jobs=1), operation(scaler, n_jobs=2)
                yield Case(
                    "1,000,000 × 50, two threads", f"{dtype} {order}",
                    Pair(f"{name}, one thread", two, one, True), Dense(MAIN, dtype, order),
                )  # fmt: skip


def first_tenth(X: Any) -> Any:
    return X[: len(X) // 10]


def growth() -> Iterator[Case]:
    """Yield ten times the rows against ten times the work; the copy says what memory does."""
    operations = {
        "fit": (fit(BatchStatScaler), 1.15),
        "transform": (transform(BatchStatScaler), 1.15),
        "transform in place": (in_place(BatchStatScaler), 1.15),
        "LayerScaler": (transform(LayerScaler), 1.15),
        "copy": (copy, None),
    }
    for rows in (1_000_000, 10_000_000):
        column = f"{rows // 10:,} to {rows:,} rows"
        for name, (operation, bar) in operations.items():
            tenth = repeated(10, on(first_tenth, operation))
            pair = Pair(f"{name} / ten of a tenth", operation, tenth)
            yield Case("Growth", column, pair, Dense((rows, 50)), bar)


def all_cases(*, large: bool) -> list[Case]:
    groups = [
        dense,
        tensors,
        sparse,
        missing,
        quantiles,
        small_calls,
        threads,
        *([growth] if large else []),
    ]
    return [case for group in groups for case in group()]
