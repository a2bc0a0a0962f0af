"""What ``compare_normalizers`` takes beyond its fits: ``python -m benchmarks.overhead``.

Overhead is wall time beyond that of the fits (training and scoring) spread over ``n_jobs``, in
percent of it. "cold" starts the worker processes, "warm" finds them running. A plain joblib loop
over the same fits is timed in turn; what it takes, no tool that uses joblib can avoid.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any
from unittest import mock

import joblib
import numpy as np
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sknorm import compare_normalizers
from sknorm._compare import run as comparison
from sknorm._compare.fitting.task import Task, set_seed

Way = Callable[[int], float]
Turn = tuple[float, float]


def plain_fit(task: Task, X: Any, y: Any) -> float:
    """Return the seconds of a fit and its two scores, with nothing around them."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    pipeline = set_seed(clone(task.pipeline), task.random_state)
    X_train, y_train, X_test, y_test = X[task.train], y[task.train], X[task.test], y[task.test]
    start = time.perf_counter()
    pipeline.fit(X_train, y_train)
    pipeline.score(X_train, y_train)
    pipeline.score(X_test, y_test)
    return time.perf_counter() - start


def ways(model: Any, X: Any, y: Any, n_folds: int) -> dict[str, Way]:
    """Return what makes the same fits, by name, and returns the seconds that these took."""
    options = {"cv": n_folds, "n_seeds": 2, "random_state": 0}

    def tool(n_jobs: int) -> float:
        runs = compare_normalizers(model, X, y, n_jobs=n_jobs, **options)._measured.runs
        return sum(run.seconds + run.score_seconds for run in runs)

    def loop(n_jobs: int) -> float:
        fits = (joblib.delayed(plain_fit)(task, X, y) for task in tasks)
        return sum(joblib.Parallel(n_jobs=n_jobs)(fits))

    with mock.patch.object(comparison, "run_tasks", wraps=comparison.run_tasks) as spy:
        tool(1)
    tasks = spy.call_args.args[0]
    return {"sknorm": tool, "joblib loop": loop}


def time_ways(ways: dict[str, Way], n_jobs: int, rounds: int) -> dict[tuple[str, str], list[Turn]]:
    """Return seconds in all and of the fits spread over n_jobs, for each turn of each way."""
    starts = ["warm"] if n_jobs == 1 else ["cold", "warm"]
    turns: dict[tuple[str, str], list[Turn]] = {(name, s): [] for name in ways for s in starts}
    for _ in range(rounds):
        for (name, start), taken in turns.items():
            if start == "cold":
                get_reusable_executor().shutdown(wait=True)
            begin = time.perf_counter()
            fits = ways[name](n_jobs) / n_jobs
            taken.append((time.perf_counter() - begin, fits))
    return turns


def line(n_jobs: int, name: str, start: str, turns: Iterable[Turn]) -> str:
    total, fits = np.transpose(list(turns))
    share = np.median(total / fits - 1)
    return (
        f"{n_jobs:>6} {start:<5} {name:<12}{np.median(total):>9.2f} s"
        f"{np.median(fits):>9.2f} s{share:>11.1%}"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try it out")
    parser.add_argument("--rounds", type=int, default=3, help="turns (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=15, help="of an MLP (default: %(default)s)")
    given = parser.parse_args(arguments)
    n_rows, n_folds, epochs = (100, 2, 2) if given.small else (None, 5, given.epochs)
    X, y = (part[:n_rows] for part in load_digits(return_X_y=True))
    warnings.simplefilter("ignore", ConvergenceWarning)
    all_ways = ways(MLPClassifier(max_iter=epochs), X, y, n_folds)
    print(f"{'n_jobs':>6} {'start':<5} {'':<12}{'all':>11}{'fits':>11}{'overhead':>11}")
    for n_jobs in (1, 2):
        for key, turns in time_ways(all_ways, n_jobs, given.rounds).items():
            print(line(n_jobs, *key, turns), flush=True)


if __name__ == "__main__":
    main()
