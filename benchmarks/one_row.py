"""Time one row through a scaler and an MLP, on every way out: ``python -m benchmarks.one_row``.

Of 30 features and 100 neurons, in turns; ``--markdown docs/deploying.md`` writes the table there.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.machine import describe
from benchmarks.output import heading, replace_section
from sknorm import BatchStatScaler, fold

CALLS, ROUNDS = 300, 15


def ways() -> dict[str, Callable[[], Any]]:
    """Return what predicts the shares of one row."""
    rows, target = load_breast_cancer(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = make_pipeline(BatchStatScaler(), MLPClassifier(max_iter=50, random_state=0))
        ours.fit(rows, target)
        theirs = make_pipeline(StandardScaler(), MLPClassifier(max_iter=50, random_state=0))
        theirs.fit(rows, target)
    row, folded = rows[:1], fold(ours)
    found: dict[str, Callable[[], Any]] = {
        "`StandardScaler` and `MLPClassifier`": lambda: theirs.predict_proba(row),
        "`BatchStatScaler` and `MLPClassifier`": lambda: ours.predict_proba(row),
        "the same, folded": lambda: folded.predict_proba(row),
    }
    try:
        import onnxruntime
        from skl2onnx import to_onnx
    except ImportError:
        return found
    converted_ones = [
        ("ONNX, double", ours, np.float64),
        ("ONNX, float", ours, np.float32),
        ("ONNX, folded, double", folded, np.float64),
    ]
    for name, model, dtype in converted_ones:
        given = row.astype(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            converted = to_onnx(model, given, options={"zipmap": False})
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            converted.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        feed = {session.get_inputs()[0].name: given}
        found[f"{name}, in onnxruntime"] = lambda s=session, f=feed: s.run(None, f)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", type=Path, help="page whose section 'one row' to fill")
    options = parser.parse_args()
    calls = ways()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - start) / CALLS)
    lines = ["| | µs |", "|---|--:|"]
    lines += [f"| {name} | {1e6 * statistics.median(t):.0f} |" for name, t in times.items()]
    text = "\n".join([heading(describe()), "", *lines])
    print(text)
    if options.markdown:
        replace_section(options.markdown, "one row", text)


if __name__ == "__main__":
    main()
