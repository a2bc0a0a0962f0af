"""The benchmark behind docs/case_studies.md: it runs, and its page agrees with its numbers."""

import csv
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def evidence():
    path = ROOT / "benchmarks" / "evidence.py"
    spec = importlib.util.spec_from_file_location("evidence", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["evidence"] = module
    spec.loader.exec_module(module)
    return module


def test_one_data_set_from_start_to_end(evidence, tmp_path, monkeypatch, capsys):
    page = tmp_path / "case_studies.md"
    page.write_text(f"before {evidence.START} old {evidence.END} after")
    command = ["evidence", "--quick", "--only", "wine", "--models", "SGD", "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path)])
    evidence.main()
    assert "wine (178, 13), SGD" in capsys.readouterr().out
    text = page.read_text()
    assert text.startswith("before <!-- evidence table -->\n| data, model | none |")
    assert text.endswith("<!-- end of evidence table --> after")
    assert " old " not in text
    assert (tmp_path / "case_studies.svg").stat().st_size > 10_000


def test_channels_and_positions(evidence):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 6, 64)) + y[:, None, None]
    case = evidence.Case("signals", X, y, groups=np.arange(60) % 5)
    rows = evidence.run(case, "SGD", n_folds=5, n_seeds=1, n_jobs=1)
    scores = {row["normalizer"]: row["score"] for row in rows}
    assert scores["BatchStatScaler"] > 0.9
    assert scores["LayerScaler"] < 0.8, "the level was all there was, and it is gone"


def slug(heading):
    """Return the anchor that GitHub, and MyST after it, make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_links_within_the_page_lead_somewhere():
    text = (ROOT / "docs" / "case_studies.md").read_text(encoding="utf-8")
    anchors = {slug(heading) for heading in re.findall(r"^#{1,3} (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
    guide = text.split("## Which normalizer when")[1].split("\n## ")[0]
    advice = [line for line in guide.splitlines() if line.startswith("| ")][1:]
    assert len(advice) == 8
    assert all("](#" in line for line in advice), "each rests on something that can be looked up"


def test_verdicts_agree_with_the_marks(evidence):
    with (ROOT / "docs" / "case_studies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for data, model in {(row["data"], row["model"]) for row in rows}:
        here = [row for row in rows if (row["data"], row["model"]) == (data, model)]
        (said,) = (row["verdict"] for row in here if row["verdict"])
        shown = [row["normalizer"] for row in here if row["better"] == "better"]
        denied = "othing is shown to be better" in said or "othing scored higher" in said
        assert denied == (not shown and "no fit" not in said), said
        claimed = [n for n in shown if f"Use {n} (" in said or f"{n} gain less" in said]
        assert not shown or claimed or "gain less" in said, said


def test_page_shows_the_numbers_there_are(evidence):
    docs = ROOT / "docs"
    with (docs / "case_studies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    text = (docs / "case_studies.md").read_text(encoding="utf-8")
    assert evidence.table(rows) in text
    assert {row["data"] for row in rows} == set(evidence.CASES)
    named = set(re.findall(r"^\| (\w+) \| [\d,]+ x", text, re.MULTILINE))
    assert named == set(evidence.CASES)
