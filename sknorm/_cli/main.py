"""The command line, which tells what normalizer suits the data in a file."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
import time
import warnings
from collections.abc import Sequence
from typing import Any

from sknorm._cli.features import Features, make_features
from sknorm._cli.interrupt import interrupted_once
from sknorm._cli.reading import TableError, read_table
from sknorm._compare.names import N_FOLDS, N_SEEDS

TASKS = ["auto", "classification", "regression"]
MODELS = ["mlp", "logistic", "svm", "knn"]
DESCRIPTION = """\
Measure which normalizer suits a model on your data: how fast and stably it trains, how
well it predicts, and how much that depends on the initialization. Without --data it runs
on the chemical analyses of wines that come with scikit-learn.
"""
EXAMPLES = """\
examples:
  python -m sknorm
  python -m sknorm --data houses.csv --target price --report houses.html
  python -m sknorm --data samples.parquet --target kind --model logistic --folds 5
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a comparison as the arguments say; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        return _compare(arguments)
    except (TableError, ValueError, TypeError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not fail on flushing the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Stopped before there was anything to show.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sknorm",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("command", nargs="?", choices=["compare"], default="compare", help="what to do")
    add("--data", metavar="FILE", help="CSV or Parquet file with one row per sample")
    add("--target", metavar="COLUMN", help="the column to predict (default: the last)")
    add("--task", choices=TASKS, default="auto", help="kind of target (default: guess)")
    add("--model", choices=MODELS, default="mlp", help="the model (default: mlp)")
    add("--normalizers", metavar="A,B", help="names, separated by commas (default: all)")
    add("--scoring", metavar="NAME", help="a scikit-learn score (default: accuracy or R2)")
    add("--encoding", default="utf-8", help="of the CSV file (default: by its mark, or utf-8)")
    add("--report", metavar="FILE.html", help="write a page with table and pictures")
    add("--quiet", action="store_true", help="show no progress")

    def add_number(name: str, minimum: int, default: int, text: str) -> None:
        text += " (default: %(default)s)"
        add(name, type=_at_least(minimum), default=default, metavar="N", help=text)

    add_number("--folds", 2, N_FOLDS, "number of folds")
    add_number("--seeds", 1, N_SEEDS, "initializations per fold")
    add_number("--rows", 0, 5000, "most rows to use; 0: all")
    add_number("--random-state", 0, 0, "seed of folds and initializations")
    add("--jobs", type=int, default=-1, metavar="N", help="fits at a time (default: all cores)")
    return parser


def _at_least(minimum: int) -> Any:
    def whole_number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {minimum}, not {text!r}"
            )
        return value

    return whole_number


def _compare(arguments: argparse.Namespace) -> int:
    from sknorm._cli.report_path import check_report, write_report

    report = check_report(arguments.report, arguments.data)
    start = time.perf_counter()
    with interrupted_once() as finish:
        features = _load(arguments)
        comparison = _measure(arguments, features)
        finish()
        _show(comparison, time.perf_counter() - start)
        if report is not None:
            write_report(comparison, report, arguments.data, features.notes)
    return 130 if comparison.partial_ else 0


def _measure(arguments: argparse.Namespace, features: Features) -> Any:
    from sknorm.compare import compare_normalizers

    model = make_model(arguments.model, features)
    seeds = arguments.seeds if arguments.model == "mlp" else 1
    _announce(model, features)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        return compare_normalizers(
            model,
            features.X,
            features.y,
            normalizers=arguments.normalizers and arguments.normalizers.split(","),
            cv=arguments.folds,
            scoring=arguments.scoring,
            n_seeds=seeds,
            n_jobs=arguments.jobs,
            random_state=arguments.random_state,
            progress=not arguments.quiet,
        )


def _show_warning(message: Warning | str, *where: Any, **also: Any) -> None:
    """Print a warning without the place in the code, which says nothing to who runs a command."""
    print(f"warning: {message}", file=sys.stderr)


def _load(arguments: argparse.Namespace) -> Features:
    if arguments.data is None:
        if arguments.target is not None:
            raise ValueError("--target names a column of --data, which is not given.")
        from sklearn.datasets import load_wine

        wine = load_wine()
        note = (
            "Data: wine, from scikit-learn: 178 wines of 3 growers, 13 chemical measurements in "
            "their own units (magnesium in mg, proline in hundreds, hue near 1)."
        )
        return Features(wine.data, wine.target, list(wine.feature_names), True, [note])
    notes: list[str] = []
    columns = read_table(arguments.data, arguments.encoding, notes)
    features = make_features(
        columns, arguments.target, arguments.task, arguments.rows, arguments.random_state
    )
    n_rows = len(next(iter(columns.values())))
    size = f"Data: {arguments.data}, {n_rows:,} rows, {len(columns):,} columns."
    features.notes = [size, *notes, *features.notes]
    return features


def make_model(kind: str, features: Features) -> Any:
    """Return the model, after a step that fills gaps where there are any."""
    import numpy as np
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    model = _plain_model(kind, features)
    steps: list[tuple[str, Any]] = [("norm", "passthrough"), ("model", model)]
    if np.isnan(features.X).any():
        steps.insert(0, ("impute", SimpleImputer(strategy="median", keep_empty_features=True)))
    return Pipeline(steps)


def _plain_model(kind: str, features: Features) -> Any:
    from sklearn import linear_model, neighbors, neural_network, svm
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    if features.is_classification:
        return {
            "mlp": lambda: neural_network.MLPClassifier(learning_rate_init=0.01),
            "logistic": lambda: linear_model.LogisticRegression(max_iter=300),
            "svm": svm.SVC,
            "knn": neighbors.KNeighborsClassifier,
        }[kind]()
    if kind == "logistic":
        raise ValueError(
            "--model logistic predicts classes, and the target is a number: use mlp, svm or knn, "
            "or --task classification."
        )
    regressor = {
        "mlp": lambda: neural_network.MLPRegressor(learning_rate_init=0.01),
        "svm": svm.SVR,
        "knn": neighbors.KNeighborsRegressor,
    }[kind]()
    features.notes.append("The target is standardized for the model, and scored in its own unit.")
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _print(text: str, indent: str = "") -> None:
    width = min(_width() or 100, 100)
    print(textwrap.fill(text, width, subsequent_indent=indent, break_on_hyphens=False))


def _announce(model: Any, features: Features) -> None:
    for note in features.notes:
        _print(note, "  ")
    plain = getattr(model[-1], "regressor", model[-1])
    _print(
        f"Model: {plain}, on {len(features.y):,} rows and {features.X.shape[1]:,} features in raw "
        "units.",
        "  ",
    )
    print(flush=True)


def _show(comparison: Any, seconds: float) -> None:
    from sknorm._compare.text import tables

    print()
    for line in comparison._summary.lines():
        _print(line, "   ")
    print()
    cells = tables.table_cells(comparison.measures_, comparison.setting_, comparison.best_name_)
    print(tables.as_text(*cells, width=_width()))
    print()
    for line in tables.legend(comparison.setting_):
        _print(line, "  ")
    print()
    _print(f"Verdict: {comparison.verdict()}", "  ")
    print(f"Took {seconds:.0f} s.")
