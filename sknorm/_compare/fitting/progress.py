"""The fits of a comparison: collected as they are done, with progress, and stoppable."""

from __future__ import annotations

import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from sklearn.base import BaseEstimator

from sknorm._compare.fitting.task import Problem, Run, Task, error_line
from sknorm._compare.fitting.workers import results
from sknorm._compat import CallbackSupportMixin, with_callbacks

Report = Callable[[int, int, Run], None]
# A comparison that takes so long says so, after a part of its fits or of the time.
LONG_SECONDS, EARLY_SHARE, EARLY_SECONDS = 180.0, 0.03, 20.0


def run_tasks(
    tasks: list[Task], problem: Problem, n_jobs: int | None, progress: Any
) -> tuple[list[Run], str | None]:
    """Return the runs in the order of their tasks, and why they are not all, if they are not."""

    def work(report: Report) -> tuple[list[Run], str | None]:
        if progress is not False:
            report = LongRunNotice(report)
        return _collect(results(tasks, problem, n_jobs), len(tasks), report)

    done, stopped = with_reports(progress, len(tasks), work)
    order = {(t.normalizer, t.fold, t.seed): position for position, t in enumerate(tasks)}
    done.sort(key=lambda run: order[run.normalizer, run.fold, run.seed])
    return done, stopped


def _collect(results: Iterator[Run], n_tasks: int, report: Report) -> tuple[list[Run], str | None]:
    done: list[Run] = []
    try:
        for run in results:
            done.append(run)
            report = _notify(report, len(done), n_tasks, run)
    except KeyboardInterrupt:
        return done, "interrupted"
    except Exception as error:
        if not done:
            raise
        return done, f"stopped by {error_line(error)}"
    return done, None


def _notify(report: Report, done: int, n_tasks: int, run: Run) -> Report:
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


def with_reports(progress: Any, n_tasks: int, work: Callable[[Report], Any]) -> Any:
    """Return what ``work`` returns, given what to tell of each finished run."""
    if progress is None:
        # On a terminal someone waits; elsewhere the lines would be in a file.
        progress = sys.stderr.isatty()
    if progress is False:
        return work(lambda done, total, run: None)
    progress = (_progress_bar() or PlainProgress()) if progress is True else progress
    if hasattr(progress, "on_fit_task_end"):
        return Comparison().set_callbacks(progress).fit(n_tasks, work)
    if not callable(progress):
        raise TypeError(
            "progress must be True, False, None, a callback of sklearn.callback, or a function of "
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
        n_done = 0

        def report(done: int, total: int, run: Run) -> None:
            nonlocal n_done
            n_done = done
            part = root.subcontext(task_name=run.normalizer, task_id=done - 1)
            part.call_on_fit_task_begin(estimator=self)
            part.call_on_fit_task_end(estimator=self)

        result = work(report)
        # Of what was stopped, the bar stays where it is instead of jumping to its end.
        if n_done == n_tasks:
            root.call_on_fit_task_end(estimator=self)
        return result


class LongRunNotice:
    """Passes reports on; says early, and once, if the comparison will take more than minutes."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.start = time.perf_counter()
        self.is_due = True

    def __call__(self, done: int, total: int, run: Run) -> None:
        """Estimate the time from the first fits, and pass the report on."""
        elapsed = time.perf_counter() - self.start
        if self.is_due and (done >= EARLY_SHARE * total or elapsed > EARLY_SECONDS):
            self.is_due = False
            expected = elapsed / done * total
            if expected > LONG_SECONDS:
                print(
                    f"This will take about {expected / 60:.0f} minutes. Fewer normalizers, folds, "
                    "initializations or rows shorten it; Ctrl-C shows what there is so far.",
                    file=sys.stderr,
                )
        self.report(done, total, run)


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
        # A line that is wider than the terminal would not be written over.
        width = min(60, shutil.get_terminal_size().columns - 1)
        shown = f"\r{line[:width]:<{width}}" if terminal else line
        print(shown, end="" if terminal else "\n", file=self.stream)
        self.stream.flush()

    def close(self) -> None:
        """End the line."""
        if self.stream.isatty():
            print(file=self.stream)
