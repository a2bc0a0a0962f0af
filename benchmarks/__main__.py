"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import itertools
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks import cases, data, machine, memory, output, picture, timing
from benchmarks.figure import Figure

NEEDED_FOR_LARGE = 10 << 30


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--only", metavar="PATTERN", help="regular expression that the cases' titles must match")
    add("--list", action="store_true", help="print the titles of the cases and stop")
    add("--rounds", type=int, default=15, help="turns of each case (default: %(default)s)")
    add("--small", action="store_true", help="tiny sizes, to try the benchmarks out")
    add("--large", action="store_true", help="also data of 4 GB; needs 10 GB of free memory")
    add("--start", metavar="FILE", type=Path, help="JSON of another run: with --only, to replace "
        "those figures in it; without, to measure nothing")  # fmt: skip
    add("--json", metavar="FILE", type=Path, help="write the figures")
    add("--picture", metavar="FILE", type=Path, help="draw the figures; needs matplotlib")
    add("--markdown", metavar="FILE", type=Path, nargs="+", help="fill the tables of these pages")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if options.large and not options.small and data.available_bytes() < NEEDED_FOR_LARGE:
        print("--large needs 10 GB of free memory.", file=sys.stderr)
        return 1
    about = machine.describe()
    figures: dict[tuple[str, str, str], Figure] = {}
    if options.start:
        about, known = output.read_json(options.start)
        figures = {figure.key: figure for figure in known}
    print(output.heading(about))
    if not options.start or options.only or options.list:
        for figure in measure(options):
            figures[figure.key] = figure
    if options.list:
        return 0
    print("\n" + output.summary(figures.values()))
    write(options, about, list(figures.values()))
    return 0


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Yield and print the figures."""
    pattern = re.compile(options.only or "", re.IGNORECASE)

    def is_wanted(title: str) -> bool:
        if options.list and pattern.search(title):
            print(title)
        return bool(pattern.search(title)) and not options.list

    group = None
    for figure in itertools.chain(timed(options, is_wanted), remembered(options, is_wanted)):
        if figure.group != group:
            group = figure.group
            print(f"\n{group}")
        print(output.line(figure), flush=True)
        yield figure


def timed(options: argparse.Namespace, is_wanted) -> Iterator[Figure]:
    """Yield the figures of time. The data is made once for neighboring cases."""
    long_enough = 0.0 if options.small else timing.LONG_ENOUGH
    wanted = [case for case in cases.all_cases(large=options.large) if is_wanted(case.title)]
    for source, group in itertools.groupby(wanted, key=lambda case: case.data):
        X = source.make(small=options.small)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for case in group:
                yield timing.time_case(case, X, options.rounds, long_enough)
        del X


def remembered(options: argparse.Namespace, is_wanted) -> Iterator[Figure]:
    """Yield the figures of memory."""
    return memory.measure_memory(is_wanted, small=options.small, large=options.large)


def write(options: argparse.Namespace, about: dict[str, str], figures: list[Figure]) -> None:
    if options.json:
        output.write_json(options.json, about, figures)
    if options.picture:
        picture.draw(options.picture, about, figures)
    for page in options.markdown or ():
        output.write_markdown(page, about, figures)


if __name__ == "__main__":
    sys.exit(main())
