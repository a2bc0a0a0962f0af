"""Count the alarms of check_drift: ``python -m benchmarks.drift``.

Nothing has changed in the first table: training data and new data are two parts of the same rows,
in random order. At most ``alpha`` of the checks may name any feature, however many features and
rows there are, and however they are distributed. The second has data that did change. ``--markdown
docs/drift.md`` writes both there, and ``--rounds`` sets the number of checks in a cell. It takes a
quarter of an hour.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from benchmarks.output import replace_section
from sknorm import BatchStatScaler

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Array]

ALPHA = 0.05
SIZES = ((10, 10), (1000, 10), (10, 1000), (100, 100), (1000, 1000), (20_000, 2000))
LARGE = (1_000_000, 1_000_000)
FEATURES = (1, 10, 1000)
MOST_VALUES = 200_000_000  # of all checks of a cell, where those are more than LEAST_CHECKS
LEAST_CHECKS = 20
DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, size: rng.normal(size=size),
    "lognormal": lambda rng, size: rng.lognormal(size=size),
    "lognormal, sigma 2": lambda rng, size: rng.lognormal(sigma=2.0, size=size),
    "Student t, 3 degrees": lambda rng, size: rng.standard_t(3, size=size),
    "Cauchy": lambda rng, size: rng.standard_cauchy(size),
    "uniform": lambda rng, size: rng.random(size),
    "0 or 1, even": lambda rng, size: (rng.random(size) < 0.5).astype(float),
    "0 or 1, one in twenty": lambda rng, size: (rng.random(size) < 0.05).astype(float),
    "1% outliers": lambda rng, size: (
        rng.normal(size=size) * np.where(rng.random(size) < 0.01, 30.0, 1.0)
    ),
    "normal, a third missing": lambda rng, size: np.where(
        rng.random(size) < 1 / 3, np.nan, rng.normal(size=size)
    ),
    "normal, all features alike": lambda rng, size: (
        rng.normal(size=(size[0], 1)) + 0.01 * rng.normal(size=size)
    ),
}
CHANGES = {
    "shift by 0.1": (0.1, 1.0),
    "shift by 0.3": (0.3, 1.0),
    "shift by 0.5": (0.5, 1.0),
    "shift by 1": (1.0, 1.0),
    "spread x 1.1": (0.0, 1.1),
    "spread x 1.5": (0.0, 1.5),
    "spread x 2": (0.0, 2.0),
}


def n_checks(rows: int, features: int, rounds: int) -> int:
    """Return the number of checks of a cell: as many as are made in some seconds."""
    return min(rounds, max(LEAST_CHECKS, MOST_VALUES // (rows * features)))


def alarms(draw: Draw, sizes: tuple[int, int], features: int, rounds: int) -> tuple[int, int]:
    """Return how many checks of unchanged data named a feature, and how many there were."""
    rng = np.random.default_rng(0)
    n = n_checks(sum(sizes), features, rounds)
    named = 0
    for _ in range(n):
        x = draw(rng, (sum(sizes), features))
        scaler = BatchStatScaler().fit(x[: sizes[0]])
        named += bool(scaler.check_drift(x[sizes[0] :], alpha=ALPHA).drifted)
    return named, n


def bound(named: int, n: int) -> float:
    """Return the lower confidence bound (95%) of a rate."""
    return float(beta.ppf(0.05, named, n - named + 1)) if named else 0.0


def false_alarms(rounds: int) -> Iterator[str]:
    """Yield the lines of the first table."""
    names = [f"{a:,} and {b:,}" for a, b in SIZES]
    yield f"| distribution | features | {' | '.join(names)} |"
    yield "|---|--:|" + "--:|" * len(SIZES)
    for name, draw in DISTRIBUTIONS.items():
        for features in FEATURES:
            cells = []
            for sizes in SIZES:
                named, n = alarms(draw, sizes, features, rounds)
                text = f"{100 * named / n:.1f}% of {n:,}"
                cells.append(f"**{text}**" if bound(named, n) > ALPHA else text)
            yield f"| {name} | {features:,} | {' | '.join(cells)} |"


def large(rounds: int) -> Iterator[str]:
    """Yield the lines for a million rows."""
    yield "| distribution | features | checks | alarms |"
    yield "|---|--:|--:|--:|"
    for name, draw in DISTRIBUTIONS.items():
        named, n = 0, max(2, rounds // 50)
        rng = np.random.default_rng(0)
        for _ in range(n):
            x = draw(rng, (sum(LARGE), 5))
            scaler = BatchStatScaler().fit(x[: LARGE[0]])
            named += bool(scaler.check_drift(x[LARGE[0] :], alpha=ALPHA).drifted)
        yield f"| {name} | 5 | {n} | {named} |"


def power(rounds: int) -> Iterator[str]:
    """Yield the lines of the second table: one of the features has changed."""
    sizes = (100, 1000, 10_000)
    yield "| change of one feature | features | " + " | ".join(f"{n:,} rows" for n in sizes) + " |"
    yield "|---|--:|" + "--:|" * len(sizes)
    for name, (shift, ratio) in CHANGES.items():
        for features in (1, 100):
            cells = []
            for n in sizes:
                rng, found, n_rounds = np.random.default_rng(0), 0, max(10, rounds // 4)
                for _ in range(n_rounds):
                    scaler = BatchStatScaler().fit(rng.normal(size=(n, features)))
                    x = rng.normal(size=(n, features))
                    x[:, 0] = x[:, 0] * ratio + shift
                    found += 0 in scaler.check_drift(x, alpha=ALPHA).drifted
                cells.append(f"{100 * found / n_rounds:.0f}%")
            yield f"| {name} | {features} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="a page with sections for the tables")
    parser.add_argument("--rounds", type=int, default=2000)
    options = parser.parse_args()
    tables = {"false alarms": false_alarms, "large data": large, "power": power}
    for name, table in tables.items():
        lines = []
        for line in table(options.rounds):
            print(line, flush=True)
            lines.append(line)
        if options.markdown:
            replace_section(options.markdown, name, "\n".join(lines))


if __name__ == "__main__":
    main()
