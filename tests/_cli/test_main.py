"""The command line, from a file to a verdict."""

import importlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from sknorm import NormalizerComparison
from sknorm._cli.interrupt import interrupted_once

main = importlib.import_module("sknorm.__main__").main
QUICK = ["--folds", "2", "--seeds", "1", "--jobs", "1", "--quiet"]
KNN = ["--normalizers", "none,LayerScaler", "--model", "knn"]


@pytest.fixture
def cars(tmp_path):
    """Return a CSV file with text, gaps and dates, whose price depends on all of them."""
    rng = np.random.default_rng(0)
    lines = ["row,weight,fuel,built,price,class"]
    for row in range(1, 81):
        weight = rng.normal(1400, 300)
        fuel = rng.choice(["petrol", "diesel", ""])
        price = weight * 12 + 3000 * (fuel == "diesel") + rng.normal(0, 500)
        shown = "" if row % 11 == 0 else f"{weight:.0f}"
        day = f"20{10 + row % 10}-05-01"
        kind = "heavy" if weight > 1400 else "light"
        lines.append(f"{row},{shown},{fuel},{day},{price:.2f},{kind}")
    path = tmp_path / "cars.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_text_and_gaps_to_a_verdict_and_a_report(cars, tmp_path, capsys):
    report = tmp_path / "report.html"
    status = main(
        [
            *("compare", "--data", str(cars), "--target", "price", "--model", "knn"),
            *("--report", str(report), *QUICK),
        ]
    )
    said = " ".join(capsys.readouterr().out.split())
    assert status == 0
    for sentence in (
        "cars.csv, 80 rows, 6 columns",
        "Taking 'price' as a regression: 80 distinct numbers",
        "Left out, row numbers: row.",
        "One-hot encoded: fuel, class.",
        "Dates, as days since 1970 and as year, month, day and weekday: built.",
        "median of the training rows: weight (7).",
        "The target is standardized",
        "Model: KNeighborsRegressor(), on 80 rows and 10 features in raw units.",
        "BatchStatScaler",
        "Verdict: ",
        f"Report: {report}",
    ):
        assert sentence in said, sentence
    page = report.read_text(encoding="utf-8")
    assert "Which normalizer suits cars.csv?" in page
    assert "Left out, row numbers: row." in page


@pytest.mark.parametrize(
    ("model", "target", "name"),
    [
        ("logistic", "class", "LogisticRegression(max_iter=300)"),
        ("svm", "class", "SVC()"),
        ("svm", "price", "SVR()"),
    ],
)
def test_models(cars, capsys, model, target, name):
    assert main(["--data", str(cars), "--target", target, "--model", model, *QUICK]) == 0
    out = capsys.readouterr().out
    assert f"Model: {name}" in out
    assert "Verdict: " in out


def test_default_data(capsys):
    arguments = ["--normalizers", "none,BatchStatScaler,L2Normalizer", "--folds", "2"]
    assert main([*arguments, "--seeds", "1", "--jobs", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Data: wine, from scikit-learn: 178 wines")
    assert "before MLPClassifier, on 178 rows and 13 columns" in captured.out
    for column in ("accuracy", "verdict", "seed sd", "epochs", "seconds"):
        assert column in captured.out
    assert "6 of 6 fits" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nothing.csv"], "There is no file nothing.csv"),
        (["--target", "price"], "--target names a column of --data, which is not given"),
        (["--drop", "price"], "--drop names a column of --data, which is not given"),
        (["--data", "CARS", "--target", "cost"], "There is no column 'cost'"),
        (["--data", "CARS", "--target", "price", "--drop", "price"], "There is no column 'price'"),
        (["--data", "CARS", "--target", "price", "--groups", "price"], "--groups 'price' is the t"),
        (
            ["--data", "CARS", "--target", "price", "--time", "price"],
            "--time 'price' is the target",
        ),
        (["--data", "CARS", "--target", "price", "--model", "logistic"], "predicts classes"),
        (["--report", "no/such/folder/a.html"], "there is no folder no/such/folder"),
        (["--report", "."], "is a folder"),
        (["--normalizers", "BatchNorm"], "There is no normalizer called 'BatchNorm'"),
        (["--scoring", "beauty"], "beauty"),
        (["--folds", "500"], "178 samples, which is fewer than 500 folds"),
    ],
)
def test_bad_input_is_one_line_and_no_work(arguments, message, cars, capsys):
    arguments = [str(cars) if argument == "CARS" else argument for argument in arguments]
    assert main([*arguments, "--quiet"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.filterwarnings("default")
def test_rare_class_is_told_in_a_line(tmp_path, capsys):
    path = tmp_path / "rare.csv"
    rows = [f"{place},{place % 7},{'c' if place == 5 else 'ab'[place % 2]}" for place in range(40)]
    path.write_text("\n".join(["x,z,y", *rows]), encoding="utf-8")
    assert main(["--data", str(path), *KNN, *QUICK]) == 0
    told = capsys.readouterr().out
    assert told.count("Caution: The class 'c' of y has 1 of 40 rows") == 1


def test_report_that_cannot_be_written_is_found_out_before_the_work(tmp_path, capsys):
    assert main(["--report", str(tmp_path / f"{'a' * 300}.html")]) == 2
    captured = capsys.readouterr()
    assert "cannot be written: File name too long" in captured.err
    assert captured.out == ""


def test_report_that_can_no_longer_be_written_loses_no_results(tmp_path, capsys, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sknorm.NormalizerComparison.to_html", full)
    report = tmp_path / "a.html"
    options = ["--normalizers", "none,LayerScaler", "--model", "knn", "--report", str(report)]
    assert main([*options, *QUICK]) == 2
    captured = capsys.readouterr()
    assert "Verdict: " in captured.out
    assert "No space left on device" in captured.err
    assert not report.exists()


@pytest.mark.parametrize("kind", ["same", "link", "hard link", "another path"])
def test_report_never_takes_the_place_of_the_data(kind, cars, tmp_path, capsys):
    before = cars.read_bytes()
    report = {"same": cars, "another path": tmp_path / ".." / tmp_path.name / cars.name}.get(kind)
    if report is None:
        report = tmp_path / "report.html"
        report.symlink_to(cars) if kind == "link" else report.hardlink_to(cars)
    arguments = ["--data", str(cars), "--target", "class", "--report", str(report)]
    assert main([*arguments, *KNN, *QUICK]) == 2
    captured = capsys.readouterr()
    assert "is the file of the data" in captured.err
    assert captured.out == ""
    assert cars.read_bytes() == before


@pytest.mark.parametrize("content", ["my,other,data", "<!DOCTYPE html><p>My own page</p>"])
def test_report_takes_the_place_of_earlier_reports_only(content, tmp_path, capsys):
    report = tmp_path / "a.html"
    arguments = ["--report", str(report), *KNN, *QUICK]
    assert main(arguments) == 0
    os.utime(report, (0, 0))
    assert main(arguments) == 0
    assert report.stat().st_mtime > 0, "written again"
    report.write_text(content, encoding="utf-8")
    capsys.readouterr()
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "no report of sknorm" in captured.err
    assert captured.out == ""
    assert report.read_text(encoding="utf-8") == content


def test_ctrl_c_after_the_work_keeps_nothing_back(tmp_path, capsys, monkeypatch):
    """Someone holds Ctrl-C down while the results are shown and the report is written."""
    to_html, verdict = NormalizerComparison.to_html, NormalizerComparison.verdict

    def pressed(method):
        def wrapper(*args, **options):
            signal.raise_signal(signal.SIGINT)
            return method(*args, **options)

        return wrapper

    monkeypatch.setattr(NormalizerComparison, "to_html", pressed(to_html))
    monkeypatch.setattr(NormalizerComparison, "verdict", pressed(verdict))
    path = tmp_path / "a.html"
    assert main([*KNN, *QUICK, "--report", str(path)]) == 0
    assert "Verdict: " in capsys.readouterr().out
    assert path.exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_processes_that_end_the_work_ignore_ctrl_c():
    """joblib ends its workers with processes of its own, which a terminal would interrupt too."""
    ask = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    with interrupted_once() as finish:
        finish()
        said = subprocess.run([sys.executable, "-c", ask], stdout=subprocess.PIPE, check=True)
    assert said.stdout.split() == [b"True"]


def test_a_dropped_column_is_no_target_and_may_hold_anything(tmp_path, capsys):
    path = tmp_path / "rows.parquet"
    rows = np.arange(40)
    tags = [["a"]] * 40
    frame = pl.DataFrame({"x": rows * 7 % 11, "tags": tags, "day": rows * 3 % 40, "y": rows % 2})
    frame.write_parquet(path)
    given = ["--data", str(path), *KNN, *QUICK]
    assert main(given) == 2
    assert "'tags'" in capsys.readouterr().err
    assert main([*given, "--drop", "tags", "--missing", "-1", "--drop-duplicates"]) == 0
    assert "taking the last column, 'y'" in capsys.readouterr().out
    assert main([*given, "--drop", "tags", "--drop", "day", "--time", "day"]) == 0
    assert "in the order of 'day'" in capsys.readouterr().out
    everything = [part for name in frame.columns for part in ("--drop", name)]
    assert main([*given, *everything]) == 2
    assert "--drop leaves no column" in capsys.readouterr().err


def test_rows_without_a_group_are_refused(tmp_path, capsys):
    path = tmp_path / "rows.csv"
    rows = [f"{k * 7 % 11},{'' if k == 3 else k % 5},{k % 2}" for k in range(40)]
    path.write_text("\n".join(["x,site,y", *rows]), encoding="utf-8")
    assert main(["--data", str(path), "--groups", "site", *KNN, *QUICK]) == 2
    assert "--groups 'site' has no value in 1 row, first in row 4" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--folds", "1"], ["--seeds", "x"], ["--model", "tree"],
                                       ["cars.csv"]])  # fmt: skip
def test_bad_options_name_the_option(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert arguments[0] in capsys.readouterr().err


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "sknorm", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_shows_what_was_measured(jobs, tmp_path):
    """Sent to the whole group of processes, as a terminal does."""
    report = tmp_path / "partial.html"
    process = start(
        *("--jobs", jobs, "--seeds", "9", "--normalizers", "none,BatchStatScaler"),
        *("--report", str(report)),
        start_new_session=True,
    )
    for line in process.stderr:
        if "fits" in line:
            break
    for _ in range(5):  # impatiently
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "PARTIAL: interrupted after" in out
    assert "Verdict: " in out
    assert "Partial" in report.read_text(encoding="utf-8")
    assert "Traceback" not in err


def test_output_that_nobody_reads(cars):
    process = start("--data", str(cars), "--target", "class", "--model", "knn", *QUICK)
    process.stdout.readline()
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
