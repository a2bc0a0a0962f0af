"""Progress: lines of text, functions, and scikit-learn's callbacks."""

import io

import pytest
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier

from sknorm import compare_normalizers
from sknorm._compare.fitting.progress import PlainProgress, _collect, _progress_bar
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
