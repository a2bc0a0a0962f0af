"""Time and memory of data beyond one array: ``python -m benchmarks.sources``.

Each kind of input against the fastest way that a user has without sknorm, in a process of its own,
in turns. The memory is the rise of the peak of resident memory in one run of each, over the input
where that is in memory. What is not installed is left out. Clusters are of this machine: Dask's
threads, and Spark in local mode. About five minutes on two cores, and 4 GB of memory.

    python -m benchmarks.sources --only polars
    python -m benchmarks.sources --markdown docs/bigger.md
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.output import heading, replace_section

Call = Callable[[], Any]
# What is timed, how, the name of the other way, and that.
Case = tuple[str, Call, str, Call]
ROUNDS = 5
ROW_GROUP = 122_880


def tensors(path: Path, small: bool) -> Iterator[Case]:
    import torch

    from sknorm import BatchStatScaler, LayerScaler

    torch.set_num_threads(1)
    rows = np.random.default_rng(0).normal(size=(2_000 if small else 200_000, 100))
    rows = rows.astype(np.float32)
    tensor = torch.from_numpy(rows)
    functional = torch.nn.functional
    batch, layer = BatchStatScaler(eps=1e-5), LayerScaler(eps=1e-5)
    yield (
        "torch tensor: `BatchStatScaler().fit_transform`", lambda: batch.fit_transform(tensor),
        "`functional.batch_norm`", lambda: functional.batch_norm(tensor, None, None, training=True),
    )  # fmt: skip
    yield (
        "torch tensor: `BatchStatScaler().fit_transform`", lambda: batch.fit_transform(tensor),
        "the same of a NumPy array", lambda: batch.fit_transform(rows),
    )  # fmt: skip
    yield (
        "torch tensor: `LayerScaler().fit_transform`", lambda: layer.fit_transform(tensor),
        "`functional.layer_norm`", lambda: functional.layer_norm(tensor, (100,)),
    )  # fmt: skip


def frames(path: Path, small: bool) -> Iterator[Case]:
    import pandas as pd
    import polars as pl
    from sklearn.preprocessing import StandardScaler

    from sknorm import BatchStatScaler

    rows = np.random.default_rng(0).normal(size=(4_000 if small else 400_000, 40))
    names = [f"c{k}" for k in range(40)]
    frame = pl.DataFrame(rows, schema=names)
    plain = pd.DataFrame(rows, columns=names)
    mixed = plain.assign(**{f"c{k}": (rows[:, k] * 100).astype(int) for k in range(0, 40, 4)})
    scaler = BatchStatScaler(n_jobs=2)
    one = BatchStatScaler()
    formulas = [(pl.col(c) - pl.col(c).mean()) / pl.col(c).std(ddof=0) for c in names]
    # New memory for each result, as in a program that goes on with it: memory that the system had
    # in use before, as a virtual machine takes longer to get it the first time.
    kept: list[Any] = []
    np.ones(20 * rows.size).sum()
    yield (
        "polars `DataFrame`, 2 threads: `fit_transform`, results kept",
        lambda: kept.append(scaler.fit_transform(frame)),
        "polars expressions", lambda: kept.append(frame.select(formulas)),
    )  # fmt: skip
    kept.clear()
    yield (
        "polars `DataFrame`, 2 threads: `fit_transform`, results thrown away",
        lambda: scaler.fit_transform(frame),
        "polars expressions", lambda: frame.select(formulas),
    )  # fmt: skip
    yield (
        "polars `DataFrame`: `fit`", lambda: one.fit(frame),
        "`fit` of a pandas frame of float64", lambda: one.fit(plain),
    )  # fmt: skip
    yield (
        "pandas `DataFrame` with integers: `fit`", lambda: one.fit(mixed),
        "`fit` of a pandas frame of float64", lambda: one.fit(plain),
    )  # fmt: skip
    row, theirs = plain[:1], StandardScaler().fit(plain)
    ours = BatchStatScaler().fit(plain)
    yield (
        "pandas `DataFrame` of one row: `transform`", lambda: ours.transform(row),
        "`StandardScaler`", lambda: theirs.transform(row),
    )  # fmt: skip
    wide = pd.DataFrame(rows[:100].repeat(1250, axis=1)[:, :50_000])
    wide.columns = [f"c{k}" for k in range(50_000)]
    yield (
        "pandas `DataFrame` of 100 x 50,000: `fit_transform`", lambda: one.fit_transform(wide),
        "`StandardScaler`", lambda: StandardScaler().fit_transform(wide),
    )  # fmt: skip


def polars(path: Path, small: bool) -> Iterator[Case]:
    import polars as pl

    from sknorm import BatchStatScaler

    lazy = pl.scan_parquet(path)
    names = lazy.collect_schema().names()
    both = [pl.col(c).mean().alias(f"{c}m") for c in names] + [pl.col(c).std() for c in names]
    yield (
        "polars `LazyFrame` of a file: `fit`", lambda: BatchStatScaler().fit(lazy),
        "polars mean and std", lambda: lazy.select(both).collect(engine="streaming"),
    )  # fmt: skip
    yield from fit_beside_reading("polars `LazyFrame` of a file: `fit`", lazy)
    for kind, name, options in (
        ("as polars writes it", "packed", {}),
        (
            "in row groups of 10,000",
            "cut",
            {"compression": "uncompressed", "row_group_size": 10_000},
        ),
    ):
        other = path.with_name(f"{name}.parquet")
        lazy.sink_parquet(other, **options)
        name = f"polars `LazyFrame` of a file {kind}: `fit`"
        yield from fit_beside_reading(name, pl.scan_parquet(other))
    scaler = BatchStatScaler().fit(lazy)
    formulas = [
        (pl.col(c) - mean) / scale
        for c, mean, scale in zip(names, scaler.mean_, scaler.scale_, strict=True)
    ]
    out = path.with_name("out.parquet")
    yield (
        "polars `LazyFrame` of a file: `transform`, to a file",
        lambda: scaler.transform(lazy).sink_parquet(out),
        "polars expressions", lambda: lazy.with_columns(formulas).sink_parquet(out),
    )  # fmt: skip


def fit_beside_reading(name: str, lazy: Any) -> Iterator[Case]:
    from sknorm import BatchStatScaler

    yield (
        name, lambda: BatchStatScaler().fit(lazy),
        "reading alone", lambda: [frame.height for frame in lazy.collect_batches()],
    )  # fmt: skip
    yield (
        name, lambda: BatchStatScaler().fit(lazy),
        "reading, and the greatest value of each column of each batch",
        lambda: [frame.max() for frame in lazy.collect_batches()],
    )  # fmt: skip


def duckdb(path: Path, small: bool) -> Iterator[Case]:
    import duckdb

    from sknorm import BatchStatScaler

    connection = duckdb.connect()
    connection.execute("set memory_limit = '500MB'")
    relation = connection.read_parquet(str(path))
    both = ", ".join(f"avg({c}), stddev_pop({c})" for c in relation.columns)
    yield (
        "DuckDB relation of a file: `fit`", lambda: BatchStatScaler().fit(relation),
        "DuckDB avg and stddev_pop", lambda: relation.aggregate(both).fetchall(),
    )  # fmt: skip


def arrow(path: Path, small: bool) -> Iterator[Case]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as parquet

    from sknorm import BatchStatScaler

    def batches(file: Path) -> Iterator[Any]:
        return parquet.ParquetFile(file, pre_buffer=False).iter_batches()

    def n_rows(read: Iterable[Any]) -> int:
        return sum(batch.num_rows for batch in read)

    def rescaled(batch: Any) -> Any:
        columns = [
            pc.divide(pc.subtract(column, mean), scale)
            for column, mean, scale in zip(batch, scaler.mean_, scaler.scale_, strict=True)
        ]
        return pa.record_batch(columns, names=batch.schema.names)

    def negated(batch: Any) -> Any:
        return pa.record_batch(list(map(pc.negate, batch)), names=batch.schema.names)

    packed = path.with_name("default.parquet")
    rewritten = parquet.ParquetFile(path)
    with parquet.ParquetWriter(packed, rewritten.schema_arrow) as writer:
        for batch in rewritten.iter_batches(ROW_GROUP):
            writer.write_batch(batch)
    scaler = BatchStatScaler().fit(path)
    for kind, file in (("", path), (" as pyarrow writes it", packed)):
        name = f"path of a Parquet file{kind}"
        yield (
            f"{name}: `fit`", lambda file=file: BatchStatScaler().fit(file),
            "reading alone", lambda file=file: n_rows(batches(file)),
        )  # fmt: skip
        yield (
            f"{name}: `transform`", lambda file=file: n_rows(scaler.transform(file)),
            "reading alone", lambda file=file: n_rows(batches(file)),
        )  # fmt: skip
        yield (
            f"{name}: `transform`", lambda file=file: n_rows(scaler.transform(file)),
            "reading, and each value negated by `pyarrow.compute`",
            lambda file=file: n_rows(map(negated, batches(file))),
        )  # fmt: skip
        yield (
            f"{name}: `transform`", lambda file=file: n_rows(scaler.transform(file)),
            "`pyarrow.compute`, batch by batch",
            lambda file=file: n_rows(map(rescaled, batches(file))),
        )  # fmt: skip


def dask(path: Path, small: bool) -> Iterator[Case]:
    import dask.array as da

    from sknorm import BatchStatScaler

    n = 20_000 if small else 2_000_000
    rows = da.random.default_rng(0).normal(3.0, 2.0, size=(n, 40), chunks=(n // 20, 40)).persist()
    yield (
        "Dask array: `fit`", lambda: BatchStatScaler().fit(rows),
        "Dask mean and std", lambda: da.compute(rows.mean(axis=0), rows.std(axis=0)),
    )  # fmt: skip
    chunks = rows[: n // 10].rechunk((max(2, n // 100_000), 40)).persist()
    yield (
        f"Dask array of {chunks.numblocks[0]:,} chunks: `fit`",
        lambda: BatchStatScaler().fit(chunks),
        "Dask sum", lambda: chunks.sum(axis=0).compute(),
    )  # fmt: skip
    from dask_ml.preprocessing import StandardScaler

    yield (
        "Dask array: `fit`", lambda: BatchStatScaler().fit(rows),
        "dask-ml `StandardScaler`", lambda: StandardScaler().fit(rows),
    )  # fmt: skip
    ours, theirs = BatchStatScaler().fit(rows), StandardScaler().fit(rows)
    yield (
        "Dask array: `transform`, summed", lambda: ours.transform(rows).sum().compute(),
        "dask-ml `StandardScaler`", lambda: theirs.transform(rows).sum().compute(),
    )  # fmt: skip


def spark(path: Path, small: bool) -> Iterator[Case]:
    from pyspark.ml.feature import StandardScaler, VectorAssembler
    from pyspark.sql import SparkSession

    from sknorm import BatchStatScaler

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    frame = session.read.parquet(str(path))
    assembler = VectorAssembler(inputCols=frame.columns, outputCol="x")
    scaler = StandardScaler(withMean=True, inputCol="x", outputCol="z")
    fit = lambda: BatchStatScaler().fit(frame)  # noqa: E731
    fit()
    vectors = assembler.transform(frame)
    yield ("Spark `DataFrame` of a file: `fit`", fit,
           "Spark ML `StandardScaler`", lambda: scaler.fit(vectors))  # fmt: skip
    ours, theirs = BatchStatScaler().fit(frame), scaler.fit(vectors)

    def drain(result: Any) -> None:
        result.write.format("noop").mode("overwrite").save()

    yield ("Spark `DataFrame` of a file: `transform`", lambda: drain(ours.transform(frame)),
           "Spark ML `StandardScaler`", lambda: drain(theirs.transform(vectors)))  # fmt: skip


GROUPS = (tensors, frames, polars, duckdb, arrow, dask, spark)


def status(name: str) -> int:
    """Return one of the numbers of kilobytes that Linux keeps of this process."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


def rise(call: Call) -> float:
    """Return by how many MB the peak of resident memory rises."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = status("VmRSS")
    call()
    return max(0, status("VmHWM") - before) / 1024


def timed(call: Call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(case: Case, rounds: int) -> dict[str, Any]:
    name, ours, other, theirs = case
    memory = [rise(ours), rise(theirs)]
    turns = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    mine, yours = (statistics.median(values) for values in zip(*turns, strict=True))
    ratio = statistics.median(a / b for a, b in turns)
    return {"name": name, "other": other, "seconds": [mine, yours], "ratio": ratio, "MB": memory}


def run_group(name: str, path: Path, small: bool, rounds: int) -> None:
    """Print what is measured of a group, a line of JSON each, in this process."""
    group = {function.__name__: function for function in GROUPS}[name]
    try:
        for case in group(path, small):
            print(json.dumps(measure(case, rounds)), flush=True)
    except ImportError as error:
        print(f"{name}: left out, {error}", file=sys.stderr)


def write_file(path: Path, small: bool) -> None:
    """Write 2,000,000 x 40 float64 to a Parquet file, in row groups as DuckDB makes them."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rng = np.random.default_rng(0)
    n_rows = 20_000 if small else 2_000_000
    schema = pa.schema([(f"c{k}", pa.float64()) for k in range(40)])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, n_rows, ROW_GROUP):
            rows = rng.normal(5.0, 2.0, size=(min(ROW_GROUP, n_rows - start), 40))
            writer.write_table(pa.table(list(rows.T), schema=schema))


def line(found: dict[str, Any]) -> str:
    (ours, theirs), (memory, other) = found["seconds"], found["MB"]
    return (
        f"| {found['name']} | {found['other']} | {shown(ours)} | {shown(theirs)} | "
        f"{found['ratio']:.2f} | {memory:.0f} | {other:.0f} |"
    )


def shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="the groups whose names have this in them")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--small", action="store_true", help="a try")
    parser.add_argument("--markdown", type=Path, help="page whose section 'sources' to fill")
    parser.add_argument("--group", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.group:
        run_group(options.group, options.file, options.small, options.rounds)
        return
    lines = ["| | in turns with | sknorm | other | ratio | MB | other MB |",
             "|---|---|--:|--:|--:|--:|--:|"]  # fmt: skip
    print(heading(describe()), *lines, sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write_file(path, options.small)
        for group in GROUPS:
            if options.only and options.only not in group.__name__:
                continue
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.sources",
                       "--group", group.__name__, "--file", str(path),
                       "--rounds", str(options.rounds)]  # fmt: skip
            command += ["--small"] if options.small else []
            result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found = [json.loads(text) for text in result.stdout.splitlines() if text[:1] == "{"]
            lines += map(line, found)
            print(*map(line, found), sep="\n", flush=True)
    if options.markdown:
        replace_section(options.markdown, "sources", "\n".join([heading(describe()), "", *lines]))


if __name__ == "__main__":
    main()
