"""The fits of a comparison: in parallel, with progress, and stoppable."""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TextIO

import joblib
from sklearn.base import BaseEstimator
from sklearn.utils.parallel import Parallel, delayed

from sknorm._compare_fits import Run, Task, fit_task
from sknorm._compat import CallbackSupportMixin, with_callbacks

Report = Callable[[int, int, Run], None]


def run_tasks(
    tasks: list[Task], X: Any, y: Any, scorer: Any, n_jobs: int | None, progress: Any
) -> tuple[list[Run], str | None]:
    """Return the runs in the order of their tasks, and why they are not all, if they are not."""

    def work(report: Report) -> tuple[list[Run], str | None]:
        return _collect(_results(tasks, X, y, scorer, n_jobs), len(tasks), report)

    done, stopped = with_reports(progress, len(tasks), work)
    order = {(t.normalizer, t.fold, t.seed): position for position, t in enumerate(tasks)}
    done.sort(key=lambda run: order[run.normalizer, run.fold, run.seed])
    return done, stopped


def _collect(results: Iterator[Run], n_tasks: int, report: Report) -> tuple[list[Run], str | None]:
    done: list[Run] = []
    try:
        for run in results:
            done.append(run)
            report = _told(report, len(done), n_tasks, run)
    except KeyboardInterrupt:
        return done, "interrupted"
    except Exception as error:
        # A worker that dies (out of memory, say) takes the pool with it, not the results.
        if not done:
            raise
        return done, f"stopped by {type(error).__name__}: {error}"
    return done, None


def _told(report: Report, done: int, n_tasks: int, run: Run) -> Report:
    """Report a run; return what to report the next one with."""
    try:
        report(done, n_tasks, run)
    except Exception as error:
        warnings.warn(
            f"Showing progress failed ({type(error).__name__}: {error}); the comparison goes on "
            "without.",
            RuntimeWarning,
            stacklevel=2,
        )
        return lambda done, total, run: None
    return report


def _results(tasks: list[Task], X: Any, y: Any, scorer: Any, n_jobs: int | None) -> Iterator[Run]:
    """Make the fits, yielding each as it is done."""
    if joblib.effective_n_jobs(n_jobs) == 1:
        for task in tasks:
            yield fit_task(task, X, y, scorer)
        return
    sendable, unsendable = _split_sendable(tasks)
    yield from unsendable
    options: dict[str, Any] = {"n_jobs": n_jobs}
    if "return_as" in inspect.signature(Parallel).parameters:
        options["return_as"] = "generator_unordered"
    send = delayed(fit_elsewhere)
    results = Parallel(**options)(send(os.getpid(), task, X, y, scorer) for task in sendable)
    try:
        yield from results
    finally:
        if hasattr(results, "close"):
            with suppress(Exception):
                results.close()


def fit_elsewhere(sender: int, task: Task, X: Any, y: Any, scorer: Any) -> Run:
    """Make a fit in the process it was sent to: the sender's own, where joblib uses threads."""
    if os.getpid() != sender:
        _spare_garbage_collection()
    return fit_task(task, X, y, scorer)


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
    failed = [
        Run(t.normalizer, t.fold, t.seed, t.random_state, status="failed", error=reason)
        for t in tasks
        if (reason := reasons[t.normalizer]) is not None
    ]
    return [task for task in tasks if reasons[task.normalizer] is None], failed


def _cloudpickle() -> Any:
    """Return what joblib pickles with: a dependency of its own, or vendored in older versions."""
    try:
        return importlib.import_module("cloudpickle")
    except ImportError:
        return importlib.import_module("joblib.externals.cloudpickle")


def _why_unsendable(pipeline: Any) -> str | None:
    try:
        _cloudpickle().dumps(pipeline)
    except Exception as error:
        return (
            f"{type(error).__name__}: {error} (it cannot be sent to worker processes; n_jobs=1 "
            "needs none)"
        )
    return None


def with_reports(progress: Any, n_tasks: int, work: Callable[[Report], Any]) -> Any:
    """Return what ``work`` returns, given what to tell of each finished run."""
    progress = (_progress_bar() or PlainProgress()) if progress is True else progress
    if progress is None or progress is False:
        return work(lambda done, total, run: None)
    if hasattr(progress, "on_fit_task_end"):
        return Comparison().set_callbacks(progress).fit(n_tasks, work)
    if not callable(progress):
        raise TypeError(
            "progress must be True, False, a callback of sklearn.callback, or a function of "
            f"(done, total, run); got {progress!r}."
        )
    try:
        return work(progress)
    finally:
        getattr(progress, "close", lambda: None)()


def _progress_bar() -> Any:
    """Return scikit-learn's progress bar where it has one and it can be shown here."""
    if not sys.stderr.isatty():
        return None
    try:
        from sklearn.callback import ProgressBar

        return ProgressBar()
    except ImportError:  # scikit-learn < 1.9, or no rich
        return None


class Comparison(CallbackSupportMixin, BaseEstimator):
    """What scikit-learn's callbacks are told is being fitted."""

    @with_callbacks
    def fit(self, n_tasks: int, work: Callable[[Report], Any]) -> Any:
        """Return what ``work`` returns, given what tells the callbacks of each finished run."""
        root = self._init_callback_context(
            task_name="compare", max_subtasks=n_tasks, sequential_subtasks=False
        )
        root.call_on_fit_task_begin(estimator=self)

        def report(done: int, total: int, run: Run) -> None:
            part = root.subcontext(task_name=run.normalizer, task_id=done - 1)
            part.call_on_fit_task_begin(estimator=self)
            part.call_on_fit_task_end(estimator=self)

        result = work(report)
        root.call_on_fit_task_end(estimator=self)
        return result


class PlainProgress:
    """Progress in one line of text: rewritten on a terminal, every tenth elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.start = time.perf_counter()
        self.shown = 0

    def __call__(self, done: int, total: int, run: Run) -> None:
        """Show how many of the fits are done, and how long the rest may take."""
        terminal = self.stream.isatty()
        if not terminal and done < total and done * 10 // total == self.shown:
            return
        self.shown = done * 10 // total
        elapsed = time.perf_counter() - self.start
        left = elapsed / done * (total - done)
        line = f"{done:>{len(str(total))}} of {total} fits, {elapsed:.0f} s"
        line += f", about {left:.0f} s left" if done < total else ""
        print(f"\r{line:<60}" if terminal else line, end="" if terminal else "\n", file=self.stream)
        self.stream.flush()

    def close(self) -> None:
        """End the line."""
        if self.stream.isatty():
            print(file=self.stream)
