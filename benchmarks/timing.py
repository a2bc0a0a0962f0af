"""Time two operations against each other, in turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import Case
from benchmarks.figure import Figure

Call = Callable[[], Any]
# Shorter calls are repeated until they take this long, in seconds.
LONG_ENOUGH = 0.005


def time_case(case: Case, X: Any, rounds: int, long_enough: float = LONG_ENOUGH) -> Figure:
    """Return the median of the ratios of neighboring turns, and their quartiles."""
    calls = [case.pair.ours(X), case.pair.other(X)]
    gc.disable()
    try:
        turns = [(call, _repeats(call, long_enough)) for call in calls]
        times = [[_seconds(*turn) for turn in turns] for _ in range(rounds)]
    finally:
        gc.enable()
    ours, other = np.transpose(times)
    ratios = other / ours if case.pair.at_least else ours / other
    low, value, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return Figure(
        case.group, case.column, case.pair.name, float(value), float(low), float(high),
        float(np.median(ours)), float(np.median(other)), case.bar, case.pair.at_least,
    )  # fmt: skip


def _repeats(call: Call, long_enough: float) -> int:
    """Warm up, and return how many repeats take long enough."""
    _seconds(call, 1)
    return max(1, round(long_enough / _seconds(call, 1)))


def _seconds(call: Call, repeats: int) -> float:
    """Return the time of one call, with releasing what it returned."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats
