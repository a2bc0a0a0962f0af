"""Data of ten times the memory that is allowed: fitted and transformed under a limit of Linux."""

import os
import subprocess
import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from sknorm import BatchStatScaler
from sknorm._backends import dispatch

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux"),
    pytest.mark.skipif(
        not dispatch.uses_kernels(np.empty(0)),
        reason="the reference takes more memory",
    ),
]

N_GROUPS, ROWS, COLUMNS = 60, 20_000, 40
ALLOWED = N_GROUPS * ROWS * COLUMNS * 8 // 10
PROGRAM = f"""
import re, resource, sys
from pathlib import Path
import numpy as np
import pyarrow as pa
pa.set_cpu_count(1)
pa.set_io_thread_count(1)
from sknorm import BatchStatScaler, LayerScaler

def status(name):
    text = Path("/proc/self/status").read_text()
    return int(re.search(name + r":\\s*(\\d+)", text)[1]) * 1024

def batches():
    rng = np.random.default_rng(0)
    for _ in range({N_GROUPS}):
        yield rng.normal(5.0, 2.0, size=({ROWS}, {COLUMNS}))

def work(X):
    scaler = BatchStatScaler().fit(X())
    count = 0
    for estimator in (scaler, LayerScaler().fit(X())):
        for batch in estimator.transform(X()):
            count += batch.shape[0] if hasattr(batch, "shape") else batch.num_rows
    return scaler, count

X = {{"stream": lambda: batches(), "file": lambda: sys.argv[2]}}[sys.argv[1]]
next(iter(LayerScaler().fit(X()).transform(X())))  # what is allocated once
limit = status("VmSize") + {ALLOWED}
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    np.ones({2 * ALLOWED // 8}).sum()
except MemoryError:
    scaler, count = work(X)
    print(count, *scaler.mean_[:2])
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = tmp_path_factory.mktemp("memory") / "rows.parquet"
    write(found, N_GROUPS)
    return found


def write(path, n_groups):
    rng = np.random.default_rng(0)
    schema = pa.schema([(f"c{k}", pa.float64()) for k in range(COLUMNS)])
    with pa.parquet.ParquetWriter(path, schema, compression="none") as writer:
        for _ in range(n_groups):
            rows = rng.normal(5.0, 2.0, size=(ROWS, COLUMNS))
            writer.write_table(pl.DataFrame(rows, schema=schema.names).to_arrow().cast(schema))


def run(program, kind, path):
    """Return the numbers that a program prints.

    What is freed goes back to the system, so that holes between other memory do not count.
    """
    pools = {
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": "65536",
    }
    result = subprocess.run(
        [sys.executable, "-c", program, kind, str(path)],
        env=os.environ | pools, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not result.returncode, result.stderr
    return list(map(float, result.stdout.split()))


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_ten_times_the_memory(kind, path):
    count, *mean = run(PROGRAM, kind, path)
    assert count == 2 * N_GROUPS * ROWS
    expected = BatchStatScaler().fit(path)
    np.testing.assert_allclose(mean, expected.mean_[:2], rtol=1e-13)


# Engines have buffers of their own, of some tens of megabytes, and polars maps all of a file: so
# there are many small ones, which are one again and again.
FILES, GROUPS_OF_FILE = 60, 5
ENGINES_ALLOWED = FILES * GROUPS_OF_FILE * ROWS * COLUMNS * 8 // 10
ENGINES = f"""
import re, resource, sys
from pathlib import Path
import numpy as np
from sknorm import BatchStatScaler

kind, path = sys.argv[1:]

def status(name):
    text = Path("/proc/self/status").read_text()
    return int(re.search(name + r":\\s*(\\d+)", text)[1]) * 1024

if kind == "polars":
    import polars as pl
    opened = pl.scan_parquet

    def count(frame):
        counts = frame.select(pl.all().count()).collect(engine="streaming")
        return counts.row(0)[0]
elif kind == "duckdb":
    import duckdb
    connection = duckdb.connect()
    connection.execute("set memory_limit = '100MB'")
    connection.execute("set threads = 2")
    connection.execute("set enable_progress_bar = false")
    opened = connection.read_parquet

    def count(relation):
        return relation.aggregate("count(c0)").fetchall()[0][0]
else:
    import pyarrow as pa
    import pyarrow.dataset as ds
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    opened = ds.dataset

    def count(reader):
        return sum(batch.num_rows for batch in reader)

def work(n_files):
    X = opened([path] * n_files)
    scaler = BatchStatScaler().fit(X)
    return scaler.n_samples_seen_, count(scaler.transform(X))

work(2)  # what is allocated once
limit = status("VmSize") + {ENGINES_ALLOWED}
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    np.ones({2 * ENGINES_ALLOWED // 8}).sum()
except MemoryError:
    print(*work({FILES}))
"""


@pytest.fixture(scope="module")
def small_path(tmp_path_factory):
    found = tmp_path_factory.mktemp("memory") / "few.parquet"
    write(found, GROUPS_OF_FILE)
    return found


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["polars", "duckdb", "dataset"])
def test_ten_times_the_memory_by_engines(kind, small_path):
    printed = run(ENGINES, kind, small_path)
    assert printed == [FILES * GROUPS_OF_FILE * ROWS] * 2
