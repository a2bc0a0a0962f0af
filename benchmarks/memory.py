"""Peak memory beyond the data, in a fresh process for each kind of data (but for --small).

``tracemalloc`` counts what NumPy and Python allocate. On Linux the growth of the process is
measured as well (its peak resident size), which also sees what compiled code might allocate.
"""

from __future__ import annotations

import gc
import multiprocessing
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from benchmarks.data import Dense, shorter
from benchmarks.figure import Figure
from sknorm import BatchStatScaler, L2Normalizer, LayerScaler

GROUP = "Memory, MB beyond the data and the output"
SHAPE = (1_000_000, 50)
LARGE_SHAPE = (10_000_000, 50)
Call = Callable[[], Any]
KINDS = ("float64 C", "float64 F", "float64 strided", "float32 C", "int32 C", "bool C", "DataFrame")
LARGE = "4 GB float64 C"
BAR = 2.0


def measure_memory(wanted: Callable[[str], bool], *, small: bool, large: bool) -> Iterator[Figure]:
    """Yield the figures of those kinds of data that are wanted."""
    spawn = multiprocessing.get_context("spawn")
    for kind in (*KINDS, *([LARGE] if large else [])):
        if not wanted(f"{GROUP}: {kind}"):
            continue
        if small:
            yield from _figures(kind, small)
            continue
        with ProcessPoolExecutor(1, mp_context=spawn) as process:
            yield from process.submit(_figures, kind, small).result()


def make(kind: str, *, small: bool) -> Any:
    """Return the data."""
    shape = LARGE_SHAPE if kind == LARGE else SHAPE
    if kind == "DataFrame":
        import pandas as pd

        return pd.DataFrame(Dense(shape).make(small=small), copy=False)
    dtype, layout = ("float64", "C") if kind == LARGE else kind.split()
    if layout == "strided":
        return Dense((shape[0], 2 * shape[1])).make(small=small)[:, ::2]
    if dtype.startswith("float"):
        return Dense(shape, dtype, layout).make(small=small)
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, shorter(shape) if small else shape, dtype)


def _figures(kind: str, small: bool) -> list[Figure]:
    X = make(kind, small=small)
    gc.collect()
    sample = X[:1000]
    ours, theirs = BatchStatScaler().fit(sample), StandardScaler().fit(sample)
    calls: dict[str, tuple[Call, Call | None]] = {
        "fit": (lambda: silent(ours.fit(X)), lambda: silent(theirs.fit(X))),
        "transform": (partial(ours.transform, X), partial(theirs.transform, X)),
        "L2Normalizer": (partial(L2Normalizer().fit(sample).transform, X), None),
        "LayerScaler": (partial(LayerScaler().fit(sample).transform, X), None),
    }
    if isinstance(X, np.ndarray) and X.dtype.kind == "f":
        calls["transform in place"] = (
            lambda: silent(ours.transform(X, copy=False)),
            lambda: silent(theirs.transform(X, copy=False)),
        )
    return [
        _figure(kind, name, _extra(call), _growth(call), other and _extra(other))
        for name, (call, other) in calls.items()
    ]


def silent(result: Any) -> None:
    """Return nothing: the result is no memory of its own."""


def _figure(kind: str, name: str, extra: float, growth: float, other: float | None) -> Figure:
    worst = max(extra, growth)
    return Figure(
        GROUP, kind, name, extra, extra, worst, extra, other,
        BAR, unit="MB",
    )  # fmt: skip


def _extra(call: Call) -> float:
    """Return the peak of what NumPy and Python allocated, without the result, in MB."""
    tracemalloc.start()
    try:
        result = call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return (peak - _size(result)) / 1e6


def _growth(call: Call) -> float:
    """Return the growth of the process at its peak, without the result, in MB; 0 if unknown."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return 0.0
    before = _status("VmRSS")
    result = call()
    return (_status("VmHWM") - before - _size(result)) / 1e6


def _size(result: Any) -> int:
    return result.nbytes if isinstance(result, np.ndarray) else 0


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))
