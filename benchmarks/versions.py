"""Time two checkouts of sknorm against each other, in turns: A B A B ….

``python -m benchmarks.versions OTHER`` runs the cases of this checkout and of another, with its
loops built, in a process each, and prints how many times as long this one takes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

WORKER = """
import itertools, sys, warnings
sys.path.insert(0, ".")
from benchmarks import cases, timing
from threadpoolctl import threadpool_limits
warnings.simplefilter("ignore")
out, sys.stdout = sys.stdout, sys.stderr
with threadpool_limits(1):
    for source, group in itertools.groupby(cases.all_cases(large=False), key=lambda c: c.data):
        X = None
        for case in group:
            print(case.title, file=out, flush=True)
            if sys.stdin.readline().strip() != "run":
                continue
            X = source.make(small="--small" in sys.argv) if X is None else X
            call = case.pair.ours(X)
            repeats = timing._repeats(call, timing.LONG_ENOUGH)
            print("ready", file=out, flush=True)
            while sys.stdin.readline().strip() == "time":
                print(timing._seconds(call, repeats), file=out, flush=True)
            del call
"""


class Worker:
    """A process that times the cases of one checkout."""

    def __init__(self, tree: Path, *, small: bool) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *(["--small"] if small else [])],
            cwd=tree,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, question: str) -> str:
        """Send a line, and return the one that comes back; "" at the end."""
        if question:
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def compare(trees: list[Path], pattern: str, rounds: int, *, small: bool):
    """Yield titles with the quartiles of the ratios of neighboring turns, and both times."""
    workers = [Worker(tree, small=small) for tree in trees]
    titles = [worker.ask("") for worker in workers]
    seen: set[str] = set()
    while all(titles):
        if titles[0] != titles[1]:
            raise SystemExit(f"The checkouts have other cases: {titles[0]!r} and {titles[1]!r}.")
        title = titles[0]
        # Cases that differ only in what they are compared with time the same call.
        place, call = title.rsplit(": ", 1)
        key = f"{place}: {CALLS.get(call, call)}"
        if key in seen or not re.search(pattern, title, re.IGNORECASE):
            titles = [worker.ask("skip") for worker in workers]
            continue
        seen.add(key)
        for worker in workers:
            worker.ask("run")
        times = [[float(worker.ask("time")) for worker in workers] for _ in range(rounds)]
        ratios = np.array(times)[:, 0] / np.array(times)[:, 1]
        yield title, *np.quantile(ratios, [0.25, 0.5, 0.75]), *np.median(times, axis=0)
        titles = [worker.ask("next") for worker in workers]


# Names of calls that are timed under another name before.
CALLS = {
    "StandardScaler.fit": "fit / read",
    "StandardScaler.transform": "transform / copy",
    "Normalizer, l1": "L1Normalizer / copy",
    "Normalizer, l2": "L2Normalizer / copy",
    "Normalizer, max": "MaxNormalizer / copy",
    "scale(axis=1)": "LayerScaler / copy",
    "NumPy (X - mean) / std": "StandardScaler.fit_transform",
    "NumPy X / norm": "L2Normalizer / copy",
    "NumPy (X - mean) / std, by row": "LayerScaler / copy",
    "torch batch_norm": "transform / copy",
    "torch layer_norm": "LayerScaler / copy",
    "torch normalize": "L2Normalizer / copy",
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--only", default="", help="regular expression that titles must match")
    parser.add_argument("--rounds", type=int, default=15, help="turns (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try it out")
    parser.add_argument("--json", type=Path, help="write the figures")
    options = parser.parse_args(arguments)
    found = []
    for title, low, ratio, high, ours, other in compare(
        [Path.cwd(), options.other], options.only, options.rounds, small=options.small
    ):
        spread = f"{low:.2f}-{high:.2f}"
        print(f"{title:<64} {ratio:>6.2f} {spread:>12} {ours * 1e3:9.3f} {other * 1e3:9.3f} ms")
        sys.stdout.flush()
        found.append([title, ratio, low, high, ours, other])
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
