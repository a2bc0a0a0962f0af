"""What the tool does besides fitting, and the benchmark of it."""

import gc
import subprocess
import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier

from sknorm import compare_normalizers

X, Y = load_wine(return_X_y=True)


# Python 3.12 starts with 375 objects that are frozen; what is imported is over a hundred thousand.
AT_START = 1000


def frozen(estimator, X, y):
    """Score a fit by whether the process it is made in spares its garbage collection."""
    return float(gc.get_freeze_count() > AT_START)


def compare(n_jobs):
    return compare_normalizers(
        KNeighborsClassifier(), X, Y, normalizers=["none"], cv=2, scoring=frozen, n_jobs=n_jobs
    )


def test_workers_spare_their_garbage_collection_and_the_caller_does_not():
    assert set(compare(2).runs["test_score"]) == {1}
    assert set(compare(1).runs["test_score"]) == {0}
    with joblib.parallel_config("threading"):
        assert set(compare(2).runs["test_score"]) == {0}
    assert gc.get_freeze_count() <= AT_START


def test_benchmark_of_the_overhead_runs():
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.overhead", "--small", "--rounds", "1"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert not result.returncode, result.stderr
    lines = result.stdout.splitlines()[1:]
    assert [text.split()[:3] for text in lines] == [
        ["1", "warm", "sknorm"],
        ["1", "warm", "joblib"],
        ["2", "cold", "sknorm"],
        ["2", "warm", "sknorm"],
        ["2", "cold", "joblib"],
        ["2", "warm", "joblib"],
    ]
    assert all(text.endswith("%") for text in lines)
