"""Comparisons made of invented fits, to see what is said of them."""

import numpy as np

from sknorm import NormalizerComparison
from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.measured import Measured
from sknorm._compare.fitting.task import Run


def without_times(table):
    """Return the columns of a table, as a data frame, that do not rest on seconds."""
    return table.drop(columns=[name for name in table if "seconds" in name or name == "speed"])


def alone(table):
    """Return the columns that do not rest on what else is compared, as joint intervals do."""
    joint = ("_low", "_high", "verdict", "repeats")
    return table.drop(columns=[name for name in table if name.endswith(joint)])


def run(name, fold, seed, curve, score=0.5, **more):
    curves = {} if curve is None else {"n_iter": len(curve), "loss_curve": tuple(curve)}
    given = curves | {"test_score": score} | more
    return Run(name, fold, seed, 0, train_score=score, seconds=float(len(curve or "")), **given)


def setting(names, **more):
    given = {"n_folds": 2, "n_seeds": 1, "test_ratio": 1.0, "score_name": "accuracy"} | more
    return Design(tuple(names), names[0], "MLP", n_rows=10, n_columns=2, **given)


def compared(scores, **more):
    """Return a comparison by its scores per fold, for each normalizer; None is a lost fit.

    A list that is shorter than the others is of folds that were not reached yet.
    """
    runs = []
    for name, of_folds in scores.items():
        for fold, score in enumerate(of_folds):
            if score is None:
                lost = {"status": "failed", "error": "no"}
                runs.append(run(name, fold, 0, [], np.nan, n_iter=None, loss_curve=None, **lost))
            else:
                runs.append(run(name, fold, 0, [], score, n_iter=None, loss_curve=None))
    n_folds = max(map(len, scores.values()))
    given = {"n_folds": n_folds, "test_ratio": 1 / 9, "has_losses": False} | more
    return comparison_of(runs, setting(list(scores), **given))


def comparison_of(runs, design):
    """Return the comparison that these runs make."""
    return NormalizerComparison(Measured(runs, design, {}, "norm", None, None))
