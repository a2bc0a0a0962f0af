"""How often a comparison is wrong, and how often it finds what there is: by simulation.

    python -m benchmarks.calibration                          1,000 comparisons each, about 15 min
    python -m benchmarks.calibration --rounds 100             a try
    python -m benchmarks.calibration --markdown docs/statistics.md

Each comparison has a baseline and 8 normalizers, on new data. In those where nothing differs, each
of the nine is a model on features of its own, all of which tell as much of the target; so that any
"better" is wrong. In those with a difference, one of the eight gets better features. The models are
least squares, and the data is split as ``compare_normalizers`` does it, whose code judges the
scores. Beside it, on the same scores: the t-test of each normalizer over the folds, taken as
independent, and baycomp's correlated Bayesian t-test at 95% (Benavoli et al. 2017).
"""

from __future__ import annotations

import argparse
import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression, Ridge

from benchmarks.output import replace_section
from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.metrics import measure
from sknorm._compare.fitting.task import Run
from sknorm._compare.splits import make_splits

N_OTHERS = 8
N_FEATURES = 4
Array = np.ndarray


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is simulated: the rows, the folds, what there is to find, and how it is scored."""

    title: str
    n_rows: int
    n_folds: int
    signal: float = 1.0
    gain: float = 0.0
    is_classification: bool = True
    tails: float | None = None
    collapse: float = 0.0
    n_repeats: int = 1

    @property
    def floor(self) -> float:
        return 0.0 if self.is_classification else -1.0


def scores(setting: Setting, rng: np.random.Generator) -> Array:
    """Return the score of each normalizer in each fold, of shape (1 + N_OTHERS, n_splits)."""
    n, k = setting.n_rows, 1 + N_OTHERS
    blocks = rng.normal(size=(k, n, N_FEATURES))
    # One factor is behind all features, as it is the same data that is normalized in nine ways.
    shared = rng.normal(size=n)
    blocks = 0.6 * blocks + 0.8 * shared[None, :, None]
    noise = rng.normal(size=n) if setting.tails is None else rng.standard_t(setting.tails, size=n)
    target = setting.signal * shared + noise
    if setting.gain:
        blocks[1] += setting.gain * (shared[:, None] - blocks[1])
    y = np.where(target > np.median(target), 1.0, -1.0) if setting.is_classification else target
    return np.array([
        [_score(block, y, train, test, setting, rng) for block in blocks]
        for train, test in _splits(setting, y, rng)
    ]).T  # fmt: skip


def _splits(setting: Setting, y: Array, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    model = LogisticRegression() if setting.is_classification else Ridge()
    state = np.random.RandomState(rng.integers(2**31))
    X = np.zeros((setting.n_rows, 1))
    return make_splits(model, X, y, setting.n_folds, None, setting.n_repeats, state)


def _score(
    X: Array, y: Array, train: Array, test: Array, setting: Setting, rng: np.random.Generator
) -> float:
    if setting.collapse and rng.random() < setting.collapse:
        return -float(np.exp(rng.normal(3, 2))) if not setting.is_classification else 0.5
    design = np.column_stack([np.ones(len(train)), X[train]])
    weights = np.linalg.lstsq(design, y[train], rcond=None)[0]
    predicted = weights[0] + X[test] @ weights[1:]
    if setting.is_classification:
        return float(np.mean((predicted > 0) == (y[test] > 0)))
    return 1 - float(np.sum((predicted - y[test]) ** 2) / np.sum((y[test] - y[test].mean()) ** 2))


def judged(found: Array, setting: Setting) -> object:
    """Return what the comparison measures, of each but the baseline."""
    names = [f"n{place}" for place in range(len(found))]
    runs = [
        Run(name, fold, 0, 0, test_score=float(score), train_score=float(score), seconds=1.0)
        for name, row in zip(names, found, strict=True)
        for fold, score in enumerate(row)
    ]
    design = Design(
        tuple(names), "n0", "model", "score", setting.n_rows, 1, setting.n_folds, 1,
        1 / (setting.n_folds - 1), has_losses=False, n_repeats=setting.n_repeats,
        floor=setting.floor, chance=0.5 if setting.is_classification else 0.0, best_possible=1.0,
    )  # fmt: skip
    return list(measure(runs, design).values())[1:]


def one(setting: Setting, seed: int) -> dict[str, float]:
    """Return what a comparison says, and what other tests say of its scores."""
    rng = np.random.default_rng(seed)
    found = scores(setting, rng)
    rows = judged(found, setting)
    differences = np.maximum(found[1:], setting.floor) - np.maximum(found[0], setting.floor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = stats.ttest_1samp(differences, 0.0, axis=1)
    t_better = (plain.pvalue < 0.05) & (differences.mean(axis=1) > 0)
    bayes = [_baycomp(row, setting) > 0.95 for row in differences]
    better = np.array([row.verdict == "better" for row in rows])
    covered = [row.difference.low <= 0 <= row.difference.high for row in rows]
    return {
        "any": float(better.any()),
        "joint": float(all(covered)),
        "single": float(np.mean(covered)),
        "first": float(better[0]),
        "t any": float(t_better.any()),
        "t first": float(t_better[0]),
        "bayes any": float(any(bayes)),
        "bayes first": float(bayes[0]),
    }


def _baycomp(differences: Array, setting: Setting) -> float:
    """Return the probability that the second is better, as baycomp's posterior has it."""
    import baycomp

    zeros = np.zeros(len(differences))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(baycomp.two_on_single(zeros, differences, runs=setting.n_repeats)[1])
        except (ValueError, ZeroDivisionError, FloatingPointError):
            return 0.0


def settings() -> tuple[list[Setting], list[Setting]]:
    """Return the settings where nothing differs, and those where the first is better."""
    nothing = [
        Setting("accuracy, 60 rows, 5 folds", 60, 5),
        Setting("accuracy, 60 rows, 10 folds", 60, 10),
        Setting("accuracy, 1,000 rows, 5 folds", 1000, 5),
        Setting("accuracy, 1,000 rows, 10 folds", 1000, 10),
        Setting("accuracy, 300 rows, 10 folds, 3 repeats", 300, 10, n_repeats=3),
        Setting("random target, accuracy, 200 rows, 10 folds", 200, 10, signal=0.0),
        Setting("random target, accuracy, 60 rows, 5 folds", 60, 5, signal=0.0),
        Setting("random target, R2, 200 rows, 10 folds", 200, 10, signal=0.0,
                is_classification=False),
        Setting("R2, 200 rows, 5 folds", 200, 5, is_classification=False),
        Setting("R2, 200 rows, 10 folds", 200, 10, is_classification=False),
        Setting("R2, target with heavy tails, 200 rows, 10 folds", 200, 10,
                is_classification=False, tails=2.0),
        Setting("R2, one fit in five collapses, 200 rows, 10 folds", 200, 10,
                is_classification=False, collapse=0.2),
        Setting("R2, one fit in five collapses, 200 rows, 5 folds", 200, 5,
                is_classification=False, collapse=0.2),
    ]  # fmt: skip
    something = [
        Setting(f"{'accuracy' if c else 'R2'}, {n:,} rows, {k} folds, gain {gain:g}", n, k,
                gain=gain, is_classification=c)
        for c, n, k in ((True, 300, 5), (True, 300, 10), (False, 300, 10))
        for gain in (0.5, 0.8)
    ]  # fmt: skip
    return nothing, something


def average(setting: Setting, rounds: int) -> dict[str, float]:
    found = joblib.Parallel(n_jobs=-1)(joblib.delayed(one)(setting, seed) for seed in range(rounds))
    return {name: float(np.mean([row[name] for row in found])) for name in found[0]}


def lines(rounds: int, only: str, log: Callable[[str], None]) -> list[str]:
    """Return the two tables."""
    nothing, something = ([s for s in kind if only in s.title] for kind in settings())
    out = [
        f"Nothing differs: {rounds:,} comparisons of 8 normalizers with a baseline in each row.",
        "",
        '| comparison | "better" for any | all intervals hold | each interval holds | t-test, any '
        "| baycomp, any |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for setting in nothing:
        row = average(setting, rounds)
        cells = [row[name] for name in ("any", "joint", "single", "t any", "bayes any")]
        out.append(f"| {setting.title} | " + " | ".join(f"{100 * v:.1f}%" for v in cells) + " |")
        log(out[-1])
    out += [
        "",
        f"One of the 8 is better: {rounds:,} comparisons in each row, and how often it is found.",
        "",
        "| comparison | difference | found | t-test | baycomp |",
        "|---|--:|--:|--:|--:|",
    ]
    for setting in something:
        row = average(setting, rounds)
        size = np.mean([np.diff(scores(setting, np.random.default_rng(s))[:2].mean(axis=1))[0]
                        for s in range(100)])  # fmt: skip
        cells = [row[name] for name in ("first", "t first", "bayes first")]
        shown = " | ".join(f"{100 * value:.0f}%" for value in cells)
        out.append(f"| {setting.title} | {size:+.3f} | {shown} |")
        log(out[-1])
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--only", default="", help="settings whose titles have this")
    parser.add_argument("--markdown", type=Path, help="page whose section 'calibration' to fill")
    options = parser.parse_args()
    text = "\n".join(lines(options.rounds, options.only, lambda line: print(line, flush=True)))
    if options.markdown:
        replace_section(options.markdown, "calibration", text)


if __name__ == "__main__":
    main()
