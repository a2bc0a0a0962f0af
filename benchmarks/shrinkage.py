"""Simulate groups whose true means and deviations are known: ``python -m benchmarks.shrinkage``.

Rows of each group are scaled with the group's own statistics, with those of all rows, and with the
group's own drawn towards the others (``shrinkage="auto"``), and compared with what the true mean
and deviation of the group make of them. ``--markdown docs/groups.md`` writes the table there, and
``--constants`` prints what is known of the interquartile range of few values. It takes a minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.output import replace_section
from sknorm import BatchStatScaler, GroupScaler, SquashingScaler

Array = NDArray[np.float64]

ROUNDS = 200
N_GROUPS = 100
# What differs between the designs: how large groups are, by how much their means differ (in
# deviations within a group), and how many degrees of freedom a common variance is worth.
SIZES = {"1 to 5": (1, 5), "5 to 20": (5, 20), "20 to 100": (20, 100)}
BETWEEN = (0.0, 0.3, 1.0, 3.0)
WORTH = {"alike": 1000.0, "differ": 8.0}
METHODS = {"own": "none", "all rows": 1e15, "drawn": "auto"}
SCALERS = {
    "BatchStatScaler": (BatchStatScaler(), 1.0),
    "SquashingScaler": (SquashingScaler(squash=None), 1.3489795003921634),
}


def draw(
    sizes: tuple[int, int], between: float, worth: float, rng: np.random.Generator
) -> tuple[Array, NDArray[np.intp], Array, Array]:
    """Return rows, their groups, and the groups' true means and deviations."""
    deviation = np.sqrt((worth - 2.0) / rng.chisquare(worth, N_GROUPS))
    mean = rng.normal(0.0, between, N_GROUPS) if between else np.zeros(N_GROUPS)
    keys = np.repeat(np.arange(N_GROUPS), rng.integers(*sizes, N_GROUPS, endpoint=True))
    return rng.normal(mean[keys], deviation[keys])[:, None], keys, mean, deviation


def errors(scaler: str, sizes: str, between: float, worth: str) -> dict[str, float]:
    """Return the root mean square error of new rows, scaled in each way."""
    rng = np.random.default_rng(0)
    sums = dict.fromkeys(METHODS, 0.0)
    estimator, width = SCALERS[scaler]
    for _ in range(ROUNDS):
        x, keys, mean, deviation = draw(SIZES[sizes], between, WORTH[worth], rng)
        new = rng.normal(mean, deviation)
        truth = (new - mean) / (deviation * width)
        for name, shrinkage in METHODS.items():
            fitted = GroupScaler(estimator, shrinkage=shrinkage).fit(x, groups=keys)
            found = fitted.transform(new[:, None], groups=np.arange(N_GROUPS))[:, 0]
            # An error beyond 3 deviations is as bad as one of 3: a deviation near 0 has no mean.
            sums[name] += float(np.mean(np.minimum(np.abs(found - truth), 3.0) ** 2))
    return {name: float(np.sqrt(total / ROUNDS)) for name, total in sums.items()}


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| scaler | rows per group | means differ by | variances | own | all rows | drawn |"
    yield "|---|---|---|---|---|---|---|"
    for scaler in SCALERS:
        for sizes in SIZES:
            for between in BETWEEN:
                for worth in WORTH:
                    found = errors(scaler, sizes, between, worth)
                    best = min(found.values())
                    cells = (f"**{v:.3f}**" if v == best else f"{v:.3f}" for v in found.values())
                    yield f"| {scaler} | {sizes} | {between:g} | {worth} | {' | '.join(cells)} |"


def constants() -> Iterator[str]:
    """Yield the error and the variance of the logarithm of interquartile ranges, and times n."""
    rng = np.random.default_rng(0)
    for n in (*range(2, 13), 20, 50, 100, 200, 400):
        x = rng.normal(size=(200_000 if n <= 20 else 50_000, n))
        low, high = np.percentile(x, [25, 75], axis=1)
        off = np.log((high - low) / 1.3489795003921634)
        mean, var = off.mean(), off.var()
        yield f"{n:4d}  {mean:7.3f}  {var:6.3f}  {n * mean:7.3f}  {n * var:6.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="a page with a section for the table")
    parser.add_argument("--constants", action="store_true")
    options = parser.parse_args()
    lines = []
    for line in constants() if options.constants else table():
        print(line, flush=True)
        lines.append(line)
    if options.markdown:
        replace_section(options.markdown, "shrinkage", "\n".join(lines))


if __name__ == "__main__":
    main()
