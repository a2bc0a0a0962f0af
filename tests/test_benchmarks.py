"""The benchmarks run, at tiny sizes, and judge as they say."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
MARKED = (
    "# Page\n\n<!-- machine -->\n<!-- end -->\n\n<!-- tables -->\nold\n<!-- end -->\n\nThe end.\n"
)


def run_benchmarks(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Every case once, with everything that can be written."""
    folder = tmp_path_factory.mktemp("benchmarks")
    (folder / "page.md").write_text(MARKED, encoding="utf-8")
    result = run_benchmarks(
        *("--small", "--large", "--rounds", 1, "--json", folder / "figures.json"),
        *("--picture", folder / "picture.png", "--markdown", folder / "page.md"),
    )
    assert not result.returncode, result.stderr
    return folder, result.stdout


def test_every_case_has_a_figure(run):
    folder, printed = run
    content = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    measured = {f"{f['group']}: {f['column']}: {f['name']}" for f in content["figures"]}
    titles = run_benchmarks("--small", "--large", "--list").stdout.splitlines()
    timed = [title for title in titles if title.count(": ") == 2]
    assert len(timed) > 150
    assert set(timed) <= measured
    assert any(title.startswith("Memory") for title in measured)
    for figure in content["figures"]:
        assert np.isfinite(figure["value"])
        assert figure["name"] in printed
    assert "sknorm" in content["machine"]["versions"]


def test_pages_and_picture_are_written(run):
    folder, _ = run
    page = (folder / "page.md").read_text(encoding="utf-8")
    assert page.endswith("The end.\n")
    assert "old" not in page
    assert re.search(r"^\| StandardScaler.fit \| .*\(≥ 13\)", page, re.MULTILINE)
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_figures_of_another_run_are_kept_and_replaced(run, tmp_path):
    folder, _ = run
    before = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    written = tmp_path / "figures.json"
    start = ("--small", "--rounds", 1, "--start", folder / "figures.json", "--json", written)
    assert not run_benchmarks(*start).returncode
    assert json.loads(written.read_text(encoding="utf-8")) == before
    assert not run_benchmarks(*start, "--only", "^Small: 200").returncode
    after = json.loads(written.read_text(encoding="utf-8"))
    changed = [
        new for old, new in zip(before["figures"], after["figures"], strict=True) if old != new
    ]
    assert {figure["column"] for figure in changed} == {"200 × 20"}


@pytest.mark.parametrize(
    ("value", "at_least", "is_met"), [(1, False, True), (3, False, False), (3, True, True)]
)
def test_a_bar_is_met(value, at_least, is_met, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.figure import Figure

    figure = Figure("g", "c", "n", value, value, value, 1, 1, bar=2, at_least=at_least)
    assert figure.is_met is is_met


def test_ratios_are_of_neighboring_turns(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import cases, timing

    turns = iter([0, 0, 0, 0, 1, 2, 10, 30, 1, 5])
    monkeypatch.setattr(timing, "_seconds", lambda call, repeats: next(turns) or 0.01)
    pair = cases.Pair("fit", lambda X: None, lambda X: None, at_least=True)
    figure = timing.time_case(cases.Case("g", "c", pair, None), None, rounds=3)
    assert (figure.value, figure.low, figure.high) == (3, 2.5, 4)


def test_two_checkouts_are_timed_in_turns(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.versions", str(ROOT), "--small", "--rounds", "3",
         "--only", "Small: 200", "--json", str(tmp_path / "ratios.json")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not result.returncode, result.stderr
    ratios = json.loads((tmp_path / "ratios.json").read_text(encoding="utf-8"))
    assert [title.rpartition(": ")[2].split(" ")[0] for title, *_ in ratios] == [
        "fit", "partial_fit", "transform"
    ]  # fmt: skip
    assert all(low <= ratio <= high for _, ratio, low, high, *_ in ratios)


def test_torch_cases_are_there_with_torch(run):
    assert ("torch layer_norm" in run[1]) == bool(importlib.util.find_spec("torch"))
