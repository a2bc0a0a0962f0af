"""The options of the command line."""

from __future__ import annotations

import argparse
from typing import Any

from sknorm._compare.advice import Advice
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
  sknorm
  sknorm --data houses.csv --target price --report houses.html
  sknorm --data visits.xlsx --target ill --groups patient --scoring f1 --positive yes
"""
# What to do about what is found in the data, as the command line calls it.
HOW = Advice(
    groups="--groups COLUMN",
    time="--time COLUMN",
    drop="leave it out with --drop COLUMN",
    missing="use --missing CODE",
    unique="use --drop-duplicates",
    folds="--folds",
    repeats="--repeats",
)


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the arguments of the command."""
    parser = argparse.ArgumentParser(
        prog="sknorm",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command", nargs="?", type=_command, choices=["compare"], default="compare",
        help="what to do",
    )  # fmt: skip
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    _add_data(parser.add_argument_group("the data"))
    _add_reading(parser.add_argument_group("how the file is read, if not as found"))
    _add_comparison(parser.add_argument_group("the comparison"))
    _add_output(parser.add_argument_group("what comes out"))
    return parser


def _command(text: str) -> str:
    if text != "compare":
        raise argparse.ArgumentTypeError(f"{text!r} is none; a file is named by --data {text}")
    return text


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any, **also: Any) -> None:
        from importlib.metadata import version

        print(f"sknorm {version('sknorm')}")
        parser.exit()


def _add_data(group: Any) -> None:
    add = group.add_argument
    add("--data", metavar="FILE", help="CSV and its kin, Excel or Parquet, one row per sample")
    add("--target", metavar="COLUMN", help="the column to predict (default: the last)")
    add("--task", choices=TASKS, default="auto", help="kind of target (default: guess)")
    add("--drop", metavar="COLUMN", action="append", default=[], help="leave this column out")
    add("--missing", metavar="CODE", action="append", default=[],
        help="a value that stands for a missing one, such as -999")  # fmt: skip
    add("--drop-duplicates", action="store_true", help="leave out rows that repeat another")
    add("--groups", metavar="COLUMN", help="rows with one value are never in training and test")
    add("--time", metavar="COLUMN", help="sort by this column, and test on what is later")
    add("--rows", type=_at_least(0), default=5000, metavar="N",
        help="most rows to use; 0: all (default: %(default)s)")  # fmt: skip


def _add_reading(group: Any) -> None:
    add = group.add_argument
    add("--encoding", help="of a text file, such as latin-1")
    add("--delimiter", metavar="SIGN", help="what separates the cells; 'tab' and 'blank' too")
    add("--header", choices=["yes", "no"], help="whether the first row is names")
    add("--decimal", choices=[".", ","], help="the decimal sign")
    add("--sheet", metavar="NAME", help="the sheet of an Excel file")


def _add_comparison(group: Any) -> None:
    add = group.add_argument
    add("--model", choices=MODELS, default="mlp", help="the model (default: mlp)")
    add("--normalizers", metavar="A,B", help="names, separated by commas (default: all)")
    add("--scoring", metavar="NAME", action="append", help="a scikit-learn score; again for more, "
        "of which the first decides (default: accuracy, balanced_accuracy or R2)")  # fmt: skip
    add("--positive", metavar="CLASS", help="the class that f1, precision and recall look at")
    add("--rope", type=float, metavar="D", help="scores within D are practically equivalent "
        "(default: 0.01 of the span from chance to perfect)")  # fmt: skip
    for name, minimum, default, text in (
        ("--folds", 2, N_FOLDS, "number of folds"),
        ("--repeats", 1, 1, "times to draw the folds anew"),
        ("--seeds", 1, N_SEEDS, "initializations per fold"),
        ("--random-state", 0, 0, "seed of folds and initializations"),
    ):
        add(name, type=_at_least(minimum), default=default, metavar="N",
            help=f"{text} (default: %(default)s)")  # fmt: skip
    add("--jobs", type=int, default=-1, metavar="N", help="fits at a time (default: all cores)")


def _add_output(group: Any) -> None:
    add = group.add_argument
    add("--report", metavar="FILE.html", help="write a page with the verdict, tables and pictures")
    add("--quiet", action="store_true", help="show no progress")


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
