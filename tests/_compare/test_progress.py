"""Progress: lines of text, functions, and scikit-learn's callbacks."""

import io

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier

from sknorm import compare_normalizers
from sknorm._compare.fitting.progress import (
    LongRunNotice,
    PlainProgress,
    _collect,
    _progress_bar,
)
from sknorm._compare.fitting.task import Run

X, Y = load_wine(return_X_y=True)


def compare(progress):
    return compare_normalizers(
        KNeighborsClassifier(), X, Y, cv=5, normalizers=["none", "LayerScaler"], progress=progress
    )


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_function_is_told_of_every_fit():
    told = []
    compare(lambda done, total, run: told.append((done, total, run.normalizer)))
    assert [(done, total) for done, total, _ in told] == [(done, 10) for done in range(1, 11)]
    assert told[0][2] == "none"


def test_true_shows_lines_where_there_is_no_terminal(capsys):
    compare(True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].startswith("10 of 10 fits")
    assert 5 <= len(captured.err.splitlines()) <= 11


def test_plain_progress_rewrites_one_line_on_a_terminal():
    stream = Terminal()
    progress = PlainProgress(stream)
    for done in range(1, 4):
        progress(done, 3, None)
    progress.close()
    text = stream.getvalue()
    assert text.count("\r") == 3
    assert text.count("\n") == 1
    assert "about" in text.split("\r")[1]
    assert "about" not in text.split("\r")[3]


def test_plain_progress_is_brief_elsewhere():
    stream = io.StringIO()
    progress = PlainProgress(stream)
    for done in range(1, 1001):
        progress(done, 1000, None)
    progress.close()
    assert len(stream.getvalue().splitlines()) == 10


def test_callbacks_of_scikit_learn():
    pytest.importorskip("sklearn.callback")
    seen = []

    class Recorder:
        def setup(self, estimator, context):
            seen.append(("setup", context.max_subtasks))

        def on_fit_task_begin(self, estimator, context):
            seen.append(("begin", context.task_name))

        def on_fit_task_end(self, estimator, context):
            seen.append(("end", context.task_name))

        def teardown(self, estimator, context):
            seen.append(("teardown", None))

    compare(Recorder())
    assert seen[0] == ("setup", 10)
    assert seen[-1] == ("teardown", None)
    assert seen.count(("end", "LayerScaler")) == 5
    assert seen.count(("end", "compare")) == 1


def test_callbacks_are_not_told_that_a_stopped_comparison_ended():
    pytest.importorskip("sklearn.callback")
    ended = []

    class Stopper:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            if len(ended) == 3:
                raise KeyboardInterrupt

        def on_fit_task_end(self, estimator, context):
            ended.append(context.task_name)

        def teardown(self, estimator, context):
            ended.append("torn down")

    comparison = compare(Stopper())
    assert comparison.partial_
    assert ended == ["none", "LayerScaler", "none", "torn down"]


def test_true_takes_scikit_learns_bar_on_a_terminal(monkeypatch):
    callback = pytest.importorskip("sklearn.callback")
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr(callback, "ProgressBar", lambda: "the bar")
    assert _progress_bar() == "the bar"

    def without_rich():
        raise ImportError("Progressbar requires rich.")

    monkeypatch.setattr(callback, "ProgressBar", without_rich)
    assert _progress_bar() is None
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert _progress_bar() is None


def test_progress_that_fails_loses_no_results():
    def fail(done, total, run):
        raise ZeroDivisionError("in the function")

    with pytest.warns(RuntimeWarning, match=r"ZeroDivisionError: in the function.*goes on") as told:
        comparison = compare(fail)
    assert len(told) == 1
    assert len(comparison._measured.runs) == 10
    assert not comparison.partial_


def test_an_error_of_the_pool_takes_no_results_with_it():
    def results():
        yield Run("none", 0, 0, 0, test_score=0.5)
        raise MemoryError("worker killed")

    runs, stopped = _collect(results(), 3, lambda done, total, run: None)
    assert len(runs) == 1
    assert stopped == "stopped by MemoryError: worker killed"


@pytest.mark.parametrize(("seconds", "is_long"), [(1.0, False), (100.0, True)])
def test_a_long_run_says_so_once_and_early(seconds, is_long, capsys, monkeypatch):
    clock = iter(np.arange(200) * seconds)
    monkeypatch.setattr(
        "sknorm._compare.fitting.progress.time.perf_counter", lambda: float(next(clock))
    )
    seen = []
    notice = LongRunNotice(lambda done, total, run: seen.append(done))
    for done in range(1, 101):
        notice(done, 100, None)
    told = capsys.readouterr().err
    assert told.count("This will take about") == is_long
    assert ("167 minutes" in told) == is_long
    assert seen == list(range(1, 101)), "reports are passed on"


def test_progress_is_shown_on_a_terminal_only(capsys, monkeypatch):
    compare(None)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sknorm._compare.fitting.progress._progress_bar", lambda: None)
    compare(None)
    assert "10 of 10 fits" in capsys.readouterr().err
