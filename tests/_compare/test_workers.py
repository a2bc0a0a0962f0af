"""Worker processes: candidates that end them or cannot be sent, and joblib's threads."""

import os
import sys
import time
import warnings

import joblib
import numpy as np
import pandas
import pytest
from comparisons import alone, without_times
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_wine
from sklearn.linear_model import SGDClassifier

from sknorm import compare_normalizers

X, Y = load_wine(return_X_y=True)


class Crashing(TransformerMixin, BaseEstimator):
    """Ends its process, where told to only if a certain row is among those it is fitted to."""

    def __init__(self, row=None):
        self.row = row

    def fit(self, X, y=None):
        time.sleep(0.05)
        if self.row is None or (self.row == X).all(axis=1).any():
            os._exit(1)
        return self

    def transform(self, X):
        return X


class Unsendable(TransformerMixin, BaseEstimator):
    """Cannot be pickled, and says so in more than one line."""

    def __getstate__(self):
        raise TypeError("cannot be pickled:\n\nsecond line? third")

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


class Leaving(TransformerMixin, BaseEstimator):
    """Ends the program, which is not for a normalizer to decide."""

    def fit(self, X, y=None):
        sys.exit(3)

    def transform(self, X):
        return X


def compare(normalizers, n_jobs=2, **options):
    model = SGDClassifier(max_iter=20)
    options = {"cv": 5, "n_seeds": 2, "random_state": 0} | options
    return compare_normalizers(model, X, Y, normalizers=normalizers, n_jobs=n_jobs, **options)


def frame_of(comparison):
    return pandas.DataFrame(comparison.table).set_index("normalizer")


def assert_same_rows(comparison, other, names):
    tables = [
        alone(without_times(frame_of(one).loc[names])).astype({"error": object})
        for one in (comparison, other)
    ]
    pandas.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_candidate_that_ends_its_workers_loses_only_its_own_fits(tmp_path):
    names = ["none", "StandardScaler"]
    comparison = compare([*names, ("crashing", Crashing())])
    assert not comparison.partial_
    assert len(comparison.runs["fold"]) == 30
    assert_same_rows(comparison, compare(names, n_jobs=1), names)
    row = frame_of(comparison).loc["crashing"]
    assert row.n_fits == 10
    assert row.failed == 1
    assert "terminated" in row.error
    assert "Every fit converged" not in comparison.summary()
    assert "crashing failed with" in comparison.to_html(tmp_path / "a.html").read_text("utf-8")


def test_fits_of_the_culprit_that_end_no_worker_are_kept():
    folds = [(np.arange(5, 178), np.arange(5)), (np.arange(173), np.arange(173, 178))]
    comparison = compare(["none", ("crashing", Crashing(row=X[0]))], cv=folds * 2, n_seeds=1)
    runs = pandas.DataFrame(comparison.runs).set_index("normalizer")
    assert list(runs.loc["none"].status) == ["ok"] * 4
    assert list(runs.loc["crashing"].status) == ["ok", "failed"] * 2


def test_a_candidate_that_cannot_be_sent_has_a_page(tmp_path):
    comparison = compare(["none", ("unsendable", Unsendable())])
    assert comparison.measures_["unsendable"].failed == 1
    text = comparison.to_html(tmp_path / "a.html").read_text("utf-8")
    assert "unsendable failed with TypeError: cannot be pickled" in text
    assert len(comparison.summary().splitlines()) == 7


def test_threads_of_joblib_count_the_same_warnings():
    names = ["none", "BatchStatScaler", "L2Normalizer"]
    single = compare(names, n_jobs=1)
    assert single.measures_["none"].warnings
    filters = list(warnings.filters)
    with joblib.parallel_backend("threading"):
        threaded = compare(names)
    assert warnings.filters == filters
    assert_same_rows(threaded, single, names)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_errors_are_one_line(n_jobs):
    comparison = compare(["none", ("unsendable", Unsendable())], n_jobs=n_jobs, cv=2, n_seeds=1)
    errors = [run.error for run in comparison._measured.runs if run.error]
    assert all("\n" not in error for error in errors)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_candidate_that_ends_the_program_loses_only_its_own_fits(n_jobs, tmp_path):
    names = ["none", "StandardScaler"]
    comparison = compare([*names, ("leaving", Leaving())], n_jobs=n_jobs)
    assert not comparison.partial_
    assert_same_rows(comparison, compare(names, n_jobs=1), names)
    assert frame_of(comparison).loc["leaving"].error == "SystemExit: 3"
    comparison.to_html(tmp_path / "a.html")
