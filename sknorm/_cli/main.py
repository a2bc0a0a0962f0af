"""The command line, which tells what normalizer suits the data in a file."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sknorm._cli.features import Features, make_features
from sknorm._cli.interrupt import interrupted_once
from sknorm._cli.options import HOW, make_parser
from sknorm._cli.output import say, say_verdict, say_warning, show
from sknorm._compare.advice import advising
from sknorm._compare.names import counted
from sknorm._tables.errors import TableError

if TYPE_CHECKING:
    import argparse


def main(argv: Sequence[str] | None = None) -> int:
    """Run a comparison as the arguments say; return the exit status."""
    arguments = make_parser().parse_args(argv)
    try:
        with advising(HOW):
            return _compare(arguments)
    except (TableError, ValueError, TypeError, ImportError) as error:
        say(f"error: {error}", to=sys.stderr, wrap=False)
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not fail on flushing the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        say("Stopped before there was anything to show.", to=sys.stderr)
        return 130


def _compare(arguments: argparse.Namespace) -> int:
    from sknorm._cli.report_path import check_report, write_report

    report = check_report(arguments.report, arguments.data)
    start = time.perf_counter()
    with interrupted_once() as finish:
        features = _load(arguments)
        comparison = _measure(arguments, features)
        finish()
        show(comparison, time.perf_counter() - start, _data_code(arguments, features))
        try:
            if report is not None:
                code = _data_code(arguments, features)
                write_report(comparison, report, arguments.data, features.notes, code)
        finally:
            say_verdict(comparison)
    return 130 if comparison.partial_ else 0


def _measure(arguments: argparse.Namespace, features: Features) -> Any:
    from sknorm.compare import compare_normalizers

    model, step = make_model(arguments.model, features)
    seeds = arguments.seeds if arguments.model == "mlp" else 1
    _announce(model, features)
    with warnings.catch_warnings():
        warnings.showwarning = say_warning
        warnings.simplefilter("always", UserWarning)
        return compare_normalizers(
            model,
            features.X,
            features.y,
            normalizers=arguments.normalizers and arguments.normalizers.split(","),
            step=step,
            cv=_folds(arguments),
            n_repeats=arguments.repeats,
            groups=features.groups,
            scoring=_scores(arguments),
            pos_label=_positive(arguments, features),
            n_seeds=seeds,
            rope=arguments.rope,
            n_jobs=arguments.jobs,
            random_state=arguments.random_state,
            progress=not arguments.quiet,
        )


def _folds(arguments: argparse.Namespace) -> Any:
    if arguments.time is None:
        return arguments.folds
    from sklearn.model_selection import TimeSeriesSplit

    if arguments.groups is not None or arguments.repeats > 1:
        raise ValueError(
            "--time tests on what is later, which leaves no choice of folds: leave out --groups "
            "and "
            "--repeats."
        )
    return TimeSeriesSplit(arguments.folds)


def _scores(arguments: argparse.Namespace) -> Any:
    given = arguments.scoring
    return given[0] if given is not None and len(given) == 1 else given


def _positive(arguments: argparse.Namespace, features: Features) -> Any:
    """Return the positive class as it is in the target."""
    if arguments.positive is None:
        return None
    classes = sorted(set(features.y.tolist()))
    for found in classes:
        if arguments.positive in (str(found), f"{found:g}" if isinstance(found, float) else found):
            return found
    shown = ", ".join(f"{c:g}" if isinstance(c, float) else str(c) for c in classes[:10])
    raise ValueError(f"--positive {arguments.positive} is no class of the target: {shown}.")


def _load(arguments: argparse.Namespace) -> Features:
    if arguments.data is None:
        for name in ("target", "groups", "time", "drop"):
            if getattr(arguments, name):
                raise ValueError(f"--{name} names a column of --data, which is not given.")
        return _wine()
    from sknorm._tables.reading import read_table

    notes: list[str] = []
    frame = read_table(
        arguments.data,
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        header=None if arguments.header is None else arguments.header == "yes",
        decimal=arguments.decimal,
        sheet=arguments.sheet,
        notes=notes,
    )
    features = make_features(frame, arguments)
    n_rows, n_columns = frame.shape
    size = f"Data: {arguments.data}, {counted(n_rows, 'row')}, {counted(n_columns, 'column')}."
    # What was said of the file is said again of the table that the model gets.
    features.notes = list(dict.fromkeys([size, *notes, *features.notes]))
    return features


def _wine() -> Features:
    from sklearn.datasets import load_wine

    wine = load_wine()
    note = (
        "Data: wine, from scikit-learn: 178 wines of 3 growers, 13 chemical measurements in "
        "their own units (magnesium in mg, proline in hundreds, hue near 1)."
    )
    return Features(wine.data, wine.target, True, wine.data.shape[1], [note], is_table=False)


def make_model(kind: str, features: Features) -> tuple[Any, str]:
    """Return the model with what prepares the data, and the step that a normalizer takes."""
    from sklearn.pipeline import Pipeline

    from sknorm._tables.pipeline import NORMALIZER_STEP, make_table_pipeline

    model = _plain_model(kind, features)
    if features.is_table:
        return make_table_pipeline("passthrough", model), NORMALIZER_STEP
    return Pipeline([("norm", "passthrough"), ("model", model)]), "norm"


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


def _announce(model: Any, features: Features) -> None:
    for note in features.notes:
        say(note, indent="  ")
    plain = getattr(model[-1], "regressor", model[-1])
    say(
        f"Model: {plain}, on {counted(len(features.y), 'row')} and "
        f"{counted(features.n_features, 'feature')} in raw units.",
        indent="  ",
    )
    say("")


def _data_code(arguments: argparse.Namespace, features: Features) -> str:
    """Return the code that reads the data as the command did."""
    if arguments.data is None:
        return "from sklearn.datasets import load_wine\nX, y = load_wine(return_X_y=True)"
    options = "".join(
        f", {name}={value!r}"
        for name, value in (
            ("encoding", arguments.encoding),
            ("delimiter", arguments.delimiter),
            ("header", arguments.header and arguments.header == "yes"),
            ("decimal", arguments.decimal),
            ("sheet", arguments.sheet),
        )
        if value is not None
    )
    target = features.left_out[0]
    lines = ["from sknorm.tables import read_table"]
    lines += [f"table = read_table({arguments.data!r}{options})"]
    if arguments.missing:
        codes = [float(c) if c.lstrip("-").replace(".", "", 1).isdigit() else c
                 for c in arguments.missing]  # fmt: skip
        lines.append(f"table = table.mask(table.isin({codes!r}))")
    if arguments.time is not None:
        lines.append(f"table = table.sort_values({arguments.time!r}, ignore_index=True)")
    lines.append(f"table = table.dropna(subset=[{target!r}])")
    lines.append(f"X, y = table.drop(columns={features.left_out!r}), table[{target!r}]")
    return "\n".join(lines)
