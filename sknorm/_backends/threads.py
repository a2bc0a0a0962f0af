"""One pool of threads for the whole process, and joblib's convention for how many to use."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import joblib

Piece = TypeVar("Piece")
Result = TypeVar("Result")

# Below this many values a call is over before the threads have woken up.
WORTH_THREADS = 1 << 20

_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def n_threads(n_jobs: int | None, n_values: int) -> int:
    """Return the number of threads for work on this many values.

    As in joblib, None is 1 unless a ``joblib.parallel_config`` says otherwise, and -1 is all.
    """
    if n_values < WORTH_THREADS:
        return 1
    return int(joblib.effective_n_jobs(n_jobs))


def run(function: Callable[[Piece], Result], pieces: Sequence[Piece], threads: int) -> list[Result]:
    """Return the function's results for the pieces, in their order."""
    threads = min(threads, len(pieces))
    if threads <= 1:
        return [function(piece) for piece in pieces]
    return list(_pool(threads).map(function, pieces))


def _pool(threads: int) -> ThreadPoolExecutor:
    """Return this process's pool: a fork would inherit one without its threads."""
    key = (os.getpid(), threads)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(threads, thread_name_prefix="sknorm")
    return _pools[key]


def slices(length: int, n_pieces: int, unit: int = 1) -> list[slice]:
    """Cut a length into about equal slices, at multiples of a unit."""
    n_units = -(-length // unit)
    step = max(1, -(-n_units // max(1, n_pieces))) * unit
    return [slice(first, min(first + step, length)) for first in range(0, length, step)]
