"""Time GroupScaler against an ungrouped fit and scikit-lego: ``python -m benchmarks.groups``.

Of 1,000,000 x 20 float64 in ``--groups`` groups. scikit-lego's ``GroupedTransformer`` over
``StandardScaler`` fits a clone per group, which takes minutes: it is timed once, on the same frame,
and left out where it is not installed. ``--markdown docs/groups.md`` writes the table there.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from benchmarks.output import replace_section
from sknorm import BatchStatScaler, GroupScaler, SquashingScaler

ROUNDS = 7
WIDTH = 20


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes, but not how long it takes to free what it returns."""
    started = time.perf_counter()
    result = call()
    elapsed = time.perf_counter() - started
    del result
    return elapsed


def measure(n_rows: int, n_groups: int) -> list[tuple[str, float, float]]:
    """Return what was timed, its seconds, and how many times an ungrouped fit that is."""
    rng = np.random.default_rng(0)
    x, keys = rng.normal(size=(n_rows, WIDTH)), rng.integers(0, n_groups, n_rows)
    frame = pd.DataFrame(x, columns=[f"x{k}" for k in range(WIDTH)]).assign(site=keys)
    text = keys.astype(str).astype(object)
    by_text = frame.assign(site=text)
    fitted = GroupScaler().fit(x, groups=keys)
    fitted.transform(x[:1], groups=keys[:1])
    plain = BatchStatScaler().fit(x)
    calls = {
        "BatchStatScaler.fit, not by group": lambda: BatchStatScaler().fit(x),
        "GroupScaler.fit, array, integer keys": lambda: GroupScaler().fit(x, groups=keys),
        "the same and what shrinkage needs": lambda: (
            GroupScaler().fit(x, groups=keys).transform(x[:1], groups=keys[:1])
        ),
        "GroupScaler.fit, array, text keys": lambda: GroupScaler().fit(x, groups=text),
        "GroupScaler.fit, data frame, by column": lambda: GroupScaler(by="site").fit(frame),
        "GroupScaler.fit, data frame, by text": lambda: GroupScaler(by="site").fit(by_text),
        "BatchStatScaler.transform, not by group": lambda: plain.transform(x),
        "GroupScaler.transform, array, integer keys": lambda: fitted.transform(x, groups=keys),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(seconds(call))
    found = {name: statistics.median(values) for name, values in times.items()}
    squash = GroupScaler(SquashingScaler())
    found["GroupScaler(SquashingScaler()).fit"] = seconds(lambda: squash.fit(x, groups=keys))
    if importlib.util.find_spec("sklego"):
        from sklego.meta import GroupedTransformer

        peer = GroupedTransformer(StandardScaler(), groups="site")
        found["scikit-lego GroupedTransformer(StandardScaler()).fit"] = seconds(
            lambda: peer.fit(frame)
        )
    base = found["BatchStatScaler.fit, not by group"]
    return [(name, value, value / base) for name, value in found.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--groups", type=int, default=100_000)
    parser.add_argument("--markdown", type=Path, help="a page with a section for the table")
    options = parser.parse_args()
    lines = ["| what | milliseconds | times the ungrouped fit |", "|---|--:|--:|"]
    for name, value, ratio in measure(options.rows, options.groups):
        lines.append(f"| {name} | {value * 1e3:,.0f} | {ratio:,.1f} |")
    print("\n".join(lines))
    if options.markdown:
        replace_section(options.markdown, "speed of groups", "\n".join(lines))


if __name__ == "__main__":
    main()
