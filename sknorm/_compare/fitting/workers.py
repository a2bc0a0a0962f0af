"""The fits of a comparison in worker processes, of which some may die."""

from __future__ import annotations

import dataclasses
import functools
import gc
import inspect
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any

import joblib
from sklearn.utils.parallel import Parallel, delayed

from sknorm._compare.fitting.task import Problem, Run, Task, error_line, run_fit
from sknorm._compat import cloudpickle, has_threads

# A candidate that has ended this many workers, each while it was alone, is not tried again.
MAX_DEATHS = 3


def results(tasks: list[Task], problem: Problem, n_jobs: int | None) -> Iterator[Run]:
    """Make the fits, yielding each as it is done."""
    if _stays_here(n_jobs):
        yield from (run_fit(task, problem) for task in tasks)
        return
    sendable, unsendable = _split_sendable(tasks)
    yield from unsendable
    yield from Pool(problem, n_jobs).run_with_retries(sendable)


def _stays_here(n_jobs: int | None) -> bool:
    """Tell whether the fits are made in this process, one at a time.

    That is so for joblib's threads too: a process has one list of warning filters and one limit on
    the threads of BLAS, so that fits at the same time would count each other's warnings.
    """
    return joblib.effective_n_jobs(n_jobs) == 1 or has_threads()


class Pool:
    """Worker processes that fit; another set takes over where one of them dies."""

    def __init__(self, problem: Problem, n_jobs: int | None) -> None:
        self.problem = problem
        self.n_jobs = n_jobs
        self.deaths: dict[str, int] = {}

    def run_with_retries(self, tasks: list[Task]) -> Iterator[Run]:
        """Make the fits; of those that a dying worker loses, only its own stays lost.

        A worker that dies (a crash, out of memory) takes all others with it, and does not tell
        which fit it was. So the first of those that are left are made one at a time; if the culprit
        is not among them, more are the next time.
        """
        left = dict(enumerate(tasks))
        n_alone = 2 * joblib.effective_n_jobs(self.n_jobs)
        while left:
            try:
                yield from self._together(left)
            except BrokenProcessPool:
                yield from self._alone(left, n_alone)
                n_alone *= 2

    def _together(self, left: dict[int, Task]) -> Iterator[Run]:
        """Make the fits that are left, taking out those that are done."""
        options: dict[str, Any] = {"n_jobs": self.n_jobs}
        if "return_as" in inspect.signature(Parallel).parameters:
            options["return_as"] = "generator_unordered"
        send = delayed(fit_elsewhere)
        found = Parallel(**options)(send(p, task, self.problem) for p, task in [*left.items()])
        try:
            for place, run in found:
                del left[place]
                yield run
        finally:
            if hasattr(found, "close"):
                with suppress(Exception):
                    found.close()

    def _alone(self, left: dict[int, Task], n_alone: int) -> Iterator[Run]:
        """Make some fits one at a time, and all of a candidate that is found to end its worker."""
        for place in list(left)[:n_alone]:
            yield self._fit_alone(left.pop(place))
        for place in [p for p, task in left.items() if task.normalizer in self.deaths]:
            yield self._fit_alone(left.pop(place))

    def _fit_alone(self, task: Task) -> Run:
        if self.deaths.get(task.normalizer, 0) >= MAX_DEATHS:
            return _failed(task, f"not tried: {MAX_DEATHS} other fits ended their worker processes")
        try:
            (run,) = self._together({0: task})
        except BrokenProcessPool as error:
            self.deaths[task.normalizer] = self.deaths.get(task.normalizer, 0) + 1
            return dataclasses.replace(_failed(task, error_line(error)), ended_worker=True)
        return run


def _failed(task: Task, reason: str) -> Run:
    return Run(
        task.normalizer, task.fold, task.seed, task.random_state, status="failed", error=reason
    )


def fit_elsewhere(place: int, task: Task, problem: Problem) -> tuple[int, Run]:
    """Make a fit in a worker process; return it with its place among the tasks."""
    _spare_garbage_collection()
    return place, run_fit(task, problem)


@functools.cache
def _spare_garbage_collection() -> None:
    """Let this worker's garbage collection pass over what it has imported.

    joblib's workers collect all garbage once a second where psutil is not installed. Looking
    through scikit-learn, SciPy and pandas each time takes a twentieth of that second.
    """
    gc.freeze()


def _split_sendable(tasks: list[Task]) -> tuple[list[Task], list[Run]]:
    """Set apart the tasks that cannot be sent to another process, as failed runs."""
    reasons: dict[str, str | None] = {}
    for task in tasks:
        if task.normalizer not in reasons:
            reasons[task.normalizer] = _why_unsendable(task.pipeline)
    failed = [_failed(t, reason) for t in tasks if (reason := reasons[t.normalizer]) is not None]
    return [task for task in tasks if reasons[task.normalizer] is None], failed


def _why_unsendable(pipeline: Any) -> str | None:
    try:
        cloudpickle().dumps(pipeline)
    except Exception as error:
        return f"{error_line(error)} (it cannot be sent to worker processes; n_jobs=1 needs none)"
    return None
