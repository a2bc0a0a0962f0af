"""One pool of threads for the whole process, and joblib's convention for how many to use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Generic, TypeVar

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
    """Return the function's results for the pieces, in their order.

    This thread takes pieces as the others do, so that the work ends even where there are no
    others: none can be started once the main thread has ended.
    """
    threads = min(threads, len(pieces))
    if threads <= 1:
        return [function(piece) for piece in pieces]
    work = _Work(function, pieces)
    helpers: list[Future[None]] = []
    try:
        pool = _pool(threads - 1)
        helpers.extend(pool.submit(work.take_all) for _ in range(threads - 1))
    except RuntimeError:
        pass
    try:
        work.take_all()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.exception()
    return work.results()


class _Work(Generic[Piece, Result]):
    """Pieces of work that threads take one after the other, each once."""

    def __init__(self, function: Callable[[Piece], Result], pieces: Sequence[Piece]) -> None:
        self._function, self._pieces = function, pieces
        self._next: Iterator[int] = iter(range(len(pieces)))
        self._lock = Lock()
        self._results: list[Any] = [None] * len(pieces)
        self._errors: dict[int, BaseException] = {}

    def take_all(self) -> None:
        """Work on pieces until none is left, or one has failed."""
        while True:
            with self._lock:
                k = next(self._next, None)
            if k is None:
                return
            try:
                self._results[k] = self._function(self._pieces[k])
            except BaseException as error:
                self._errors[k] = error
                with self._lock:
                    self._next = iter(())

    def results(self) -> list[Result]:
        """Return the results, or raise the error of the first piece that has one."""
        if self._errors:
            raise self._errors[min(self._errors)]
        return self._results


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
